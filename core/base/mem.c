#include "core/base/mem.h"

#include <malloc.h>
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
static atomic_uint_fast64_t held_bytes, peak_bytes;

static void *note(void *pointer)
{
    if (!pointer) return NULL;
    uint64_t bytes = malloc_usable_size(pointer);
    uint64_t held = atomic_fetch_add_explicit(&held_bytes, bytes, memory_order_relaxed) + bytes;
    uint64_t peak = atomic_load_explicit(&peak_bytes, memory_order_relaxed);
    while (held > peak &&
           !atomic_compare_exchange_weak_explicit(&peak_bytes, &peak, held, memory_order_relaxed, memory_order_relaxed))
        continue;
    return pointer;
}

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
    return note(bytes >= HUGE_FROM ? alloc_huge(bytes) : aligned_alloc(ALIGNMENT, bytes ? bytes : ALIGNMENT));
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

void *ioa_alloc_larger(void *old, uint64_t used, uint64_t count, size_t size)
{
    void *larger = ioa_alloc(count, size);
    if (!larger) return NULL;
    if (used) memcpy(larger, old, (size_t)used * size);
    ioa_free(old);
    return larger;
}

void ioa_free(void *pointer)
{
    if (pointer) atomic_fetch_sub_explicit(&held_bytes, malloc_usable_size(pointer), memory_order_relaxed);
    free(pointer);
}

uint64_t ioa_mem_held(void)
{
    return atomic_load(&held_bytes);
}

uint64_t ioa_mem_peak(void)
{
    return atomic_load(&peak_bytes);
}

void ioa_mem_reset_peak(void)
{
    atomic_store(&peak_bytes, atomic_load(&held_bytes));
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
