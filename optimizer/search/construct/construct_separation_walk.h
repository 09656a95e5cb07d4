/* A walk from an order of a small network to better ones, by an exact count that is fast because the network is small. */
#ifndef IOA_SEARCH_CONSTRUCT_SEPARATION_WALK_H
#define IOA_SEARCH_CONSTRUCT_SEPARATION_WALK_H

#include "core/bounds/separation.h"

#define IOA_SMALL_CONNECTIONS (IOA_SEPARATION_NEURONS * (IOA_SEPARATION_NEURONS - 1) / 2) /* no network has more */

/* Neurons by their numbers in the game; they ascend as ids do, so that ties fall alike. */
typedef struct ioa_small {
    uint32_t neurons, connections, slots;
    uint8_t source[IOA_SMALL_CONNECTIONS], destination[IOA_SMALL_CONNECTIONS];
    bool computed[IOA_SEPARATION_NEURONS], output[IOA_SEPARATION_NEURONS]; /* has incoming connections; is an output */
    uint16_t next_source[IOA_SMALL_CONNECTIONS], next_destination[IOA_SMALL_CONNECTIONS]; /* scratch: by step */
} ioa_small;

/* False if the network has more connections than neurons can have. */
bool ioa_small_create(const ioa_network *network, const ioa_separation *game, ioa_small *small);

/* Four times the excess of a legal order under MIN, as ioa_memory_count finds it, plus `*near_misses` (may be NULL):
 * over the evictions that cost a write, those in fast memory that are farther from their next access than every
 * neuron that could be evicted for nothing because it is an input. Counts no further than past `limit`. */
uint32_t ioa_small_cost(ioa_small *small, const uint32_t *order, uint32_t limit, uint32_t *excess);

/* Shifts connections and runs of them in `order` [W], `steps` times, and leaves there the best order met. Gives its
 * excess. Deterministic by `seed` unless stopped. */
uint32_t ioa_small_walk(ioa_small *small, uint64_t seed, uint64_t steps, bool (*stop)(void *context), void *context,
                        uint32_t *order);

#endif
