#include "core/mem.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

#define ALIGNMENT 64u
#define HUGE_PAGE (UINT64_C(1) << 21)
#define HUGE_FROM (4 * HUGE_PAGE) /* bytes; below, rounding up would waste more than it saves */

static atomic_uint_fast64_t allocation_count;
static atomic_uint_fast64_t failing_allocation; /* 0: none */

/* The search walks through large arrays in no order; with small pages most of its time goes into finding them. A
 * refusal changes nothing but speed. */
static void *alloc_huge(size_t bytes)
{
    void *pointer = bytes < SIZE_MAX - HUGE_PAGE ? aligned_alloc(HUGE_PAGE, (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE) : NULL;
#ifdef MADV_HUGEPAGE
    if (pointer) (void)madvise(pointer, bytes, MADV_HUGEPAGE);
#endif
    return pointer;
}

void *ioa_alloc(uint64_t count, size_t size)
{
    uint64_t number = atomic_fetch_add_explicit(&allocation_count, 1, memory_order_relaxed) + 1;
    if (number == atomic_load_explicit(&failing_allocation, memory_order_relaxed)) return NULL;
    if (size && count > (SIZE_MAX - ALIGNMENT) / size) return NULL;
    size_t bytes = ((size_t)count * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (bytes >= HUGE_FROM) return alloc_huge(bytes);
    return aligned_alloc(ALIGNMENT, bytes ? bytes : ALIGNMENT);
}

void *ioa_alloc_zero(uint64_t count, size_t size)
{
    void *pointer = ioa_alloc(count, size);
    if (pointer) memset(pointer, 0, (size_t)count * size);
    return pointer;
}

void *ioa_alloc_copy(const void *source, uint64_t count, size_t size)
{
    if (!source) return NULL;
    void *pointer = ioa_alloc(count, size);
    if (pointer && count) memcpy(pointer, source, (size_t)count * size);
    return pointer;
}

void ioa_free(void *pointer)
{
    free(pointer);
}

ioa_status ioa_fail_nomem(ioa_error *error, const char *what, uint64_t count, size_t size)
{
    return ioa_fail(error, IOA_ERR_NOMEM, "out of memory: %s needs %.1f MiB", what,
                    (double)count * (double)size / 1048576.0);
}

uint64_t ioa_mem_fail_at(uint64_t n)
{
    atomic_store(&failing_allocation, n);
    return atomic_exchange(&allocation_count, 0);
}
