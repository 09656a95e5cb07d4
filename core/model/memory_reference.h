/* The fast-memory model written straight from its definition (<ioanneal/memory.h>): slow, obvious, independent of
 * core/model/memory.c. Results are recounted with it before they are called verified. */
#ifndef IOA_CORE_MEMORY_REFERENCE_H
#define IOA_CORE_MEMORY_REFERENCE_H

#include <ioanneal/memory.h>

/* As ioa_memory_count, in O(W + loads * M) time. */
ioa_status ioa_memory_count_reference(const ioa_network *network, const uint32_t *order, uint64_t memory,
                                      ioa_policy policy, ioa_io *io, ioa_error *error);

#endif
