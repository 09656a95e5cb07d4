/* Independent verification of an order: what stands behind `verified` in an archive and behind `ioanneal check`.
 *
 * Nothing of the search is used: legality is checked step by step, the I/O is recounted by the reference simulator
 * (core/memory_reference.h, and the fast one where the reference would take minutes), and inference in the order is
 * compared with float64, neuron by neuron. */
#ifndef IOA_VERIFY_H
#define IOA_VERIFY_H

#include <ioanneal/memory.h>
#include <ioanneal/network.h>
#include <stdbool.h>

typedef struct ioa_verdict {
    bool legal;      /* a permutation that respects precedence */
    bool recounted;  /* the I/O is what was claimed */
    bool exact;      /* inference within the error bound on every output */
    ioa_io io;       /* as recounted; 0 unless legal */
    bool reference;  /* recounted by the reference simulator too */
    double max_abs_error; /* against float64 */
    double max_rel_error; /* the same over max(1, |reference|) */
    double error_bound;   /* largest bound on the absolute error over the outputs looked at (core/reference.h) */
    double nonzero;       /* share of the outputs looked at that are not 0; at 0 `exact` says little */
    char reason[IOA_ERROR_TEXT];     /* the first thing that failed, or "" */
} ioa_verdict;

/* All three hold. */
bool ioa_verdict_passed(const ioa_verdict *verdict);

/* Verifies `order` [W] against the total I/O it claims. Inputs are random, keyed by `seed`. A failed check is not an
 * error: the status is IOA_OK and the verdict says what failed. IOA_ERR_NOMEM, IOA_ERR_INPUT (memory < 3). */
ioa_status ioa_verify(const ioa_network *network, const uint32_t *order, uint64_t memory, ioa_policy policy,
                      ioa_io claimed, uint64_t seed, ioa_verdict *verdict, ioa_error *error);

#endif
