/* Depths of neurons, and neurons by depth. */
#ifndef IOA_CORE_DEPTH_H
#define IOA_CORE_DEPTH_H

#include <ioanneal/network.h>

/* Longest path from any neuron without incoming connections, per neuron: depth [N]. Returns the largest. */
uint32_t ioa_network_depths(const ioa_network *network, uint32_t *depth);

/* `neuron` [N]: all neurons by depth, those of one depth by id; those of depth d are begin[d] .. begin[d + 1] - 1.
 * `begin` has deepest + 2 entries, `depth` and `deepest` are as ioa_network_depths tells. */
void ioa_neurons_by_depth(const uint32_t *depth, uint32_t neurons, uint32_t deepest, uint32_t *neuron, uint32_t *begin);

#endif
