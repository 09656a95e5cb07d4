/* The baseline plans are compared with: layer-wise CSR inference as a good engineer would write it.
 *
 * Neurons in id order, one CSR row at a time (weights and indices in arrays of their own), activations neuron-major
 * with the batch contiguous, columns of a block accumulated in registers, bias and activation fused, every loop
 * vectorized for the same instruction sets as the plans. What it lacks is what a plan adds: dead neurons and
 * constants are computed, every neuron has a place of its own, rows keep the file's sequence. */
#ifndef IOA_CORE_BASELINE_H
#define IOA_CORE_BASELINE_H

#include <ioanneal/network.h>
#include <ioanneal/plan.h>
#include <stdbool.h>

typedef struct ioa_baseline ioa_baseline;

typedef struct ioa_baseline_options {
    ioa_isa isa;
    uint32_t block;  /* columns of the batch at a time: 1 (single samples), 16, 32, 64 or 128 */
    uint32_t batch;  /* layer_wise: columns that run through a layer */
    bool layer_wise; /* before the next layer starts (needs layers in the network); otherwise a block runs through the
                        whole network before the next one starts */
} ioa_baseline_options;

/* Keeps no reference to its arguments. IOA_ERR_INPUT for impossible options; IOA_ERR_NOMEM. */
ioa_status ioa_baseline_create(const ioa_network *network, const ioa_baseline_options *options,
                               ioa_baseline **baseline, ioa_error *error);
void ioa_baseline_destroy(ioa_baseline *baseline); /* NULL is allowed */

/* Bytes of scratch a baseline with these options needs, to be known before it is created. */
size_t ioa_baseline_scratch_bytes(const ioa_network *network, const ioa_baseline_options *options);

/* y = network(x): x [batch, I], y [batch, S], row-major; scratch aligned to 64 bytes. */
void ioa_baseline_run(const ioa_baseline *baseline, const float *x, float *y, size_t batch, void *scratch);

#endif
