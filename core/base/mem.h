/* The one place where core and io obtain memory: checked sizes, 64-byte alignment, and a switch that lets tests make
 * the n-th allocation fail. */
#ifndef IOA_CORE_MEM_H
#define IOA_CORE_MEM_H

#include <ioanneal/status.h>
#include <stddef.h>
#include <stdint.h>

/* `count` objects of `size` bytes, aligned to 64 bytes, not cleared. NULL if the product overflows or memory is out.
 * A count of 0 gives a valid pointer. Released with ioa_free. */
void *ioa_alloc(uint64_t count, size_t size);

/* The same, cleared. */
void *ioa_alloc_zero(uint64_t count, size_t size);

/* Copy of `count` objects; NULL stays NULL. */
void *ioa_alloc_copy(const void *source, uint64_t count, size_t size);

/* Moves the first `used` objects at `old`, which is released (NULL is allowed), to room for `count`. On failure NULL, and `old` is
 * as it was. */
void *ioa_alloc_larger(void *old, uint64_t used, uint64_t count, size_t size);

void ioa_free(void *pointer); /* NULL is allowed */

/* Fails with IOA_ERR_NOMEM and a text that says how much was wanted and what for. */
ioa_status ioa_fail_nomem(ioa_error *error, const char *what, uint64_t count, size_t size);

/* Bytes held at present, and the most since the last call of ioa_mem_reset_peak. Sizes as the C library rounds them. */
uint64_t ioa_mem_held(void);
uint64_t ioa_mem_peak(void);
void ioa_mem_reset_peak(void);

/* Test hook: the n-th allocation from now on (1 = the next) fails, and only that; 0 switches it off.
 * Returns the number of allocations since the last call. Not for use while other threads allocate. */
uint64_t ioa_mem_fail_at(uint64_t n);

#endif
