/* The fast-memory simulator as an object, for callers that count many orders of one network: what depends on network,
 * memory and policy alone is prepared once. */
#ifndef IOA_CORE_SIMULATOR_H
#define IOA_CORE_SIMULATOR_H

#include <ioanneal/memory.h>

typedef struct ioa_simulator ioa_simulator; /* used by one thread at a time */

/* The network must outlive the simulator. Memory: some 30 bytes per neuron; per connection 8 up to a million
 * connections and about 11 sqrt(N / W) beyond, and 4 if the network does not keep its destinations. IOA_ERR_INPUT if memory < 3; IOA_ERR_NOMEM. */
ioa_status ioa_simulator_create(const ioa_network *network, uint64_t memory, ioa_policy policy,
                                ioa_simulator **simulator, ioa_error *error);
/* The same with the number of stretches into which the order is cut while next accesses are looked up (MIN): memory
 * against a pass, results are the same. 0: the choice of ioa_simulator_create, one for up to a million connections. */
ioa_status ioa_simulator_create_stretched(const ioa_network *network, uint64_t memory, ioa_policy policy,
                                          uint32_t stretches, ioa_simulator **simulator, ioa_error *error);
void ioa_simulator_destroy(ioa_simulator *simulator); /* NULL is allowed */

/* I/O of a legal order [W]. Cannot fail. */
ioa_io ioa_simulator_count(ioa_simulator *simulator, const uint32_t *order);

/* Where a legal order [W] has its I/O: io [stretches] receives the reads and writes of steps floor(W i / stretches) ..
 * floor(W (i + 1) / stretches) - 1. Outputs without any connection, which belong to no step, are in none. Cannot fail. */
void ioa_simulator_profile(ioa_simulator *simulator, const uint32_t *order, uint32_t stretches, ioa_io *io);

#endif
