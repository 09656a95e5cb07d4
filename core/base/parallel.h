/* Work cut into pieces for threads that live as long as the call. */
#ifndef IOA_CORE_PARALLEL_H
#define IOA_CORE_PARALLEL_H

#include <stddef.h>
#include <stdint.h>

#define IOA_MOST_THREADS 256u

/* Calls work(context, i, first, last) for contiguous shares of [0, count), each from a thread of its own (i = 0, 1,
 * ..); the caller's thread takes the first share, and any that no thread could be had for. Returns when all is done. */
void ioa_parallel(uint32_t threads, size_t count,
                  void (*work)(const void *context, uint32_t thread, size_t first, size_t last), const void *context);

#endif
