/* The fast-memory model: I/O of an evaluation order, exactly.
 *
 * Fast memory has M >= 3 slots of one value each; one slot is the weight's, so C = M - 1 hold neurons. Step t
 * handles connection e = (u -> v): load u if absent, load v if absent (the bias the first time, later the spilled
 * partial sum), load the weight; v becomes dirty. A load into a full memory evicts a resident neuron other than u
 * and v; a dirty one is written first. After the step a neuron without later access is released, u before v: a dirty
 * output is written, anything else just goes.
 * Policies: LRU (within a step u counts as used before v); RR (a pointer walks cyclically over the slots; a load
 * takes the lowest free slot if there is one); MIN (Belady: the farthest next access goes; of two accessed in the
 * same later step the clean one goes first, then the lower id). */
#ifndef IOANNEAL_MEMORY_H
#define IOANNEAL_MEMORY_H

#include <ioanneal/network.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define IOA_MEMORY_MIN 3u /* smallest fast memory: two neurons and a weight */

typedef enum ioa_policy { IOA_POLICY_LRU = 0, IOA_POLICY_RR = 1, IOA_POLICY_MIN = 2, IOA_POLICY_COUNT } ioa_policy;

const char *ioa_policy_name(ioa_policy policy); /* "lru", "rr", "min" */
int ioa_policy_from_name(const char *name);     /* -1 if unknown */

typedef struct ioa_io {
    uint64_t reads;  /* values loaded into fast memory, weights included */
    uint64_t writes; /* values stored to slow memory */
} ioa_io;

/* Counts the I/O of `order` ([W], a legal order, see ioa_order_check) with `memory` slots.
 * O(W log M) time; working memory is at most 12 bytes per connection, less above 10^6 of them, and some 30 per neuron.
 * IOA_ERR_INPUT if memory < 3; IOA_ERR_NOMEM. The order's legality is not checked again. */
ioa_status ioa_memory_count(const ioa_network *network, const uint32_t *order, uint64_t memory, ioa_policy policy,
                            ioa_io *io, ioa_error *error);

/* Checks that `order` ([W]) is a permutation of the connections in which every incoming connection of a neuron
 * stands before every outgoing one. IOA_ERR_INPUT with the first offence otherwise. */
ioa_status ioa_order_check(const ioa_network *network, const uint32_t *order, ioa_error *error);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
