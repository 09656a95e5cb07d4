/* A priced layer of connections and a certificate of its spectral norm, for the phase bound. */
#ifndef IOA_CORE_BOUNDS_SPECTRUM_H
#define IOA_CORE_BOUNDS_SPECTRUM_H

#include <ioanneal/status.h>
#include <stdint.h>

/* n sources (rows) and m destinations (columns), all of them with a connection. Prices are whole numbers held in
 * doubles; ioa_priced_layer_gram_limit keeps every sum of their products below 2^53: the Gram matrix is exact. */
typedef struct ioa_priced_layer {
    uint32_t n, m;
    uint64_t connections;
    uint64_t *offsets;  /* [m + 1] by destination */
    uint32_t *sources;  /* [connections] */
    double *price;      /* [connections] */
    double *row, *column; /* [n], [m] sums of prices */
    double total;       /* of all prices */
    double mean;        /* total / (n m), rounded: the constant matrix taken off below */
} ioa_priced_layer;

/* Largest whole price such that the Gram matrix of the layer's shorter side stays exact. */
double ioa_priced_layer_gram_limit(const ioa_priced_layer *layer);

/* What the power method makes of it: usually a little below the truth, and proof of nothing. Infinite, as below, if the
 * work does not allow it. */
ioa_status ioa_priced_layer_estimate(const ioa_priced_layer *layer, uint32_t iterations, uint64_t *work, double *norm,
                                     ioa_error *error);

/* An upper bound, rounding included and a little above the estimate if that is good, on the largest singular value of
 * E = P - mean 1 1^T, P the matrix of prices; infinite if the work does not allow it.
 *
 * The certificate is a Cholesky factorization: if it runs to its end in floating point for A of order k, then A >=
 * -g / (1 - g) trace(A) with g = (k + 1) 2^-53 (N. Higham, "Accuracy and Stability of Numerical Algorithms", theorem
 * 10.3, any order of summation; S. Rump, "Verification of positive definiteness", BIT 46, 2006). The errors made in A
 * itself are added: an entry has fewer than 8 roundings, each at most 2^-53 of the largest magnitude that occurs. */
ioa_status ioa_priced_layer_norm(const ioa_priced_layer *layer, double estimated, uint64_t *work, double *norm,
                                 ioa_error *error);

#endif
