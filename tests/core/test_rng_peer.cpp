// Our generators against the reference implementation of their author (Debian's libpcg-cpp-dev), bit for bit.
extern "C" {
#include "core/base/rng.h"
}

#include <cstdio>
#include <pcg_random.hpp>

static int failures;

static void compare(uint64_t seed, uint64_t stream)
{
    ioa_pcg32 a;
    ioa_pcg32_seed(&a, seed, stream);
    pcg32 b(seed, stream);
    ioa_pcg64 c;
    ioa_pcg64_seed(&c, seed, stream);
    pcg64 d(seed, stream);
    for (int i = 0; i < 1000; i++) {
        if (i == 500) {
            ioa_pcg32_advance(&a, seed ^ 977);
            b.advance(seed ^ 977);
            ioa_pcg64_advance(&c, stream + 12345);
            d.advance(stream + 12345);
        }
        failures += ioa_pcg32_next(&a) != b();
        failures += ioa_pcg64_next(&c) != d();
    }
}

int main()
{
    for (uint64_t seed = 0; seed < 50; seed++)
        for (uint64_t stream = 0; stream < 20; stream++) compare(seed * 0x9e3779b97f4a7c15u, stream * stream * 77);
    std::printf("%d of 2000000 numbers differ from the reference\n", failures);
    return failures != 0;
}
