#include "core/model/depth.h"

#include "core/model/network.h"

#include <string.h>

uint32_t ioa_network_depths(const ioa_network *network, uint32_t *depth)
{
    const ioa_network_arrays *a = &network->a;
    uint32_t deepest = 0;
    for (uint32_t v = 0; v < a->neurons; v++) {
        depth[v] = 0;
        for (int64_t e = a->indptr[v]; e < a->indptr[v + 1]; e++)
            if (depth[a->indices[e]] >= depth[v]) depth[v] = depth[a->indices[e]] + 1;
        if (depth[v] > deepest) deepest = depth[v];
    }
    return deepest;
}

void ioa_neurons_by_depth(const uint32_t *depth, uint32_t neurons, uint32_t deepest, uint32_t *neuron, uint32_t *begin)
{
    memset(begin, 0, ((size_t)deepest + 2) * sizeof *begin);
    for (uint32_t v = 0; v < neurons; v++) begin[depth[v] + 1]++;
    for (uint32_t d = 0; d <= deepest; d++) begin[d + 1] += begin[d];
    for (uint32_t v = neurons; v-- > 0;) neuron[--begin[depth[v] + 1]] = v; /* begin[d + 1] walks from the end of d to its begin */
    for (uint32_t d = 0; d <= deepest; d++) begin[d] = begin[d + 1];
    begin[deepest + 1] = neurons;
}
