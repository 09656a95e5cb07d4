/* How fast this processor takes in straight-line code: multiply-adds on registers, far more of them than fit L1. */
#include "core/bytes.h"
#include "core/compile.h"
#include "core/mem.h"

#include <ioanneal/plan.h>
#include <string.h>
#include <time.h>

#if IOA_HAVE_X86_KERNELS && defined(__linux__)
#include <sys/mman.h>

typedef void code_function(void);

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* vfmadd231ps zmm0 .. zmm7 in turn, zmm16, zmm16 (6 bytes each), then vzeroupper and ret. */
static void fill(ioa_bytes *text, size_t bytes)
{
    for (unsigned i = 0; text->length + 16 < bytes && !text->failed; i = (i + 1) % 8) {
        unsigned char fma[] = {0x62, 0xb2, 0x7d, 0x40, 0xb8, (unsigned char)(0xc0 | i << 3)};
        ioa_bytes_add(text, fma, sizeof fma);
    }
    static const unsigned char end[] = {0xc5, 0xf8, 0x77, 0xc3};
    ioa_bytes_add(text, end, sizeof end);
}

static double rate_of(const unsigned char *pages, size_t bytes, double seconds)
{
    code_function *run;
    double best = 0, end = now() + seconds;
    memcpy(&run, &pages, sizeof run); /* ISO C has no cast from data to function pointers */
    for (int i = 0; i < 5 || now() < end; i++) {
        double start = now();
        for (int k = 0; k < 8; k++) run();
        double rate = 8 * (double)bytes / (now() - start);
        if (rate > best) best = rate;
    }
    return best;
}

double ioa_code_fetch_rate(size_t bytes, double seconds)
{
    ioa_bytes text = {0};
    double rate = 0;
    if (!ioa_code_available(IOA_ISA_AVX512)) return 0;
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
