/* Collects a network row by row; shared by the generators and usable by importers. */
#ifndef IOA_CORE_GENERATE_BUILDER_H
#define IOA_CORE_GENERATE_BUILDER_H

#include "core/base/rng.h"

#include <ioanneal/network.h>
#include <stdbool.h>

typedef struct ioa_builder {
    ioa_network_arrays a;
    uint64_t used;     /* connections so far */
    uint64_t capacity; /* connections the arrays have room for */
    uint32_t row;      /* neurons finished so far */
} ioa_builder;

/* Room for `neurons` neurons and about `connections` connections (more are made room for); biases 0, activation
 * identity. */
ioa_status ioa_builder_start(ioa_builder *builder, uint32_t neurons, uint32_t inputs, uint32_t outputs,
                             uint32_t layers, uint64_t connections, ioa_error *error);

/* Appends a connection to the current row; sources must ascend. False if memory is out. */
bool ioa_builder_add(ioa_builder *builder, uint32_t source, float weight);

/* Closes the current row. */
static inline void ioa_builder_end_row(ioa_builder *builder)
{
    builder->a.indptr[++builder->row] = (int64_t)builder->used;
}

/* Makes the network, or passes on an earlier failure (`complete` false: memory was out). Releases the builder. */
ioa_status ioa_builder_finish(ioa_builder *builder, bool complete, ioa_network **network, ioa_error *error);

/* Uniform weight of variance 1 / fan_in. */
float ioa_builder_weight(ioa_pcg32 *rng, double fan_in);

/* Adds to the current row each of the sources first .. last - 1 with probability `density` in [0, 1]; absent ones are
 * skipped over geometrically, so the work is that of the present ones. False if memory is out. */
bool ioa_builder_random_cells(ioa_builder *b, uint64_t first, uint64_t last, double density, double fan_in,
                              ioa_pcg32 *rng);

/* Biases in [-0.1, 0.1) and the activation for neurons first .. last - 1, keyed by neuron. */
void ioa_builder_neurons(ioa_builder *builder, uint64_t seed, uint32_t first, uint32_t last, ioa_activation activation);

#endif
