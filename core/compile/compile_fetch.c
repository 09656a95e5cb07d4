/* How fast this processor takes in straight-line code: long instructions without work, so that nothing but fetching and
 * decoding them can bind, and far more of them than fit L1. */
#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/compile/compile.h"

#include <ioanneal/plan.h>
#include <string.h>

#if IOA_HAVE_X86_KERNELS && defined(__linux__)
#include <sys/mman.h>

typedef void code_function(void);

/* nop with eight bytes, again and again, then ret. */
static void fill(ioa_bytes *text, size_t bytes)
{
    static const unsigned char nop[] = {0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0};
    while (text->length + 16 < bytes && !text->failed) ioa_bytes_add(text, nop, sizeof nop);
    ioa_bytes_byte(text, 0xc3);
}

static double rate_of(const unsigned char *pages, size_t bytes, double seconds)
{
    code_function *run;
    double best = 0, end = ioa_clock() + seconds;
    memcpy(&run, &pages, sizeof run); /* ISO C has no cast from data to function pointers */
    for (int i = 0; i < 5 || ioa_clock() < end; i++) {
        double start = ioa_clock();
        for (int k = 0; k < 8; k++) run();
        double rate = 8 * (double)bytes / (ioa_clock() - start);
        if (rate > best) best = rate;
    }
    return best;
}

double ioa_code_fetch_rate(size_t bytes, double seconds)
{
    ioa_bytes text = {0};
    double rate = 0;
    if (!ioa_code_available(IOA_ISA_AVX2)) return 0;
    fill(&text, bytes);
    void *pages = text.failed ? MAP_FAILED
                              : mmap(NULL, text.length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages != MAP_FAILED) {
        memcpy(pages, text.data, text.length);
        if (mprotect(pages, text.length, PROT_READ | PROT_EXEC) == 0) rate = rate_of(pages, text.length, seconds);
        munmap(pages, text.length);
    }
    ioa_free(text.data);
    return rate;
}
#else
double ioa_code_fetch_rate(size_t bytes, double seconds)
{
    (void)bytes;
    (void)seconds;
    return 0;
}
#endif
