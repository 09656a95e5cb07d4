#include "core/kernel/kernel.h"

#include <string.h>

static const char *const isa_names[IOA_ISA_COUNT] = {
    [IOA_ISA_AUTO] = "auto",
    [IOA_ISA_PORTABLE] = "portable",
    [IOA_ISA_AVX2] = "avx2",
    [IOA_ISA_AVX512] = "avx512",
};

const char *ioa_isa_name(ioa_isa isa)
{
    return (unsigned)isa < IOA_ISA_COUNT ? isa_names[isa] : "unknown";
}

int ioa_isa_from_name(const char *name)
{
    for (int i = 0; i < IOA_ISA_COUNT; i++)
        if (strcmp(name, isa_names[i]) == 0) return i;
    return -1;
}

int ioa_isa_available(ioa_isa isa)
{
    switch (isa) {
    case IOA_ISA_AUTO:
    case IOA_ISA_PORTABLE: return 1;
#if IOA_HAVE_X86_KERNELS
    case IOA_ISA_AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case IOA_ISA_AVX512:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
#endif
    default: return 0;
    }
}

ioa_isa ioa_isa_best(void)
{
    if (ioa_isa_available(IOA_ISA_AVX512)) return IOA_ISA_AVX512;
    return ioa_isa_available(IOA_ISA_AVX2) ? IOA_ISA_AVX2 : IOA_ISA_PORTABLE;
}

uint32_t ioa_isa_registers(ioa_isa isa)
{
    if (isa == IOA_ISA_AUTO) isa = ioa_isa_best();
#if defined(__aarch64__)
    return 32;
#else
    return isa == IOA_ISA_AVX512 ? 32 : 16;
#endif
}

const ioa_kernel *ioa_kernel_for(ioa_isa isa)
{
    if (isa == IOA_ISA_AUTO) isa = ioa_isa_best();
    if (!ioa_isa_available(isa)) return NULL;
#if IOA_HAVE_X86_KERNELS
    if (isa == IOA_ISA_AVX512) return &ioa_kernel_avx512;
    if (isa == IOA_ISA_AVX2) return &ioa_kernel_avx2;
#endif
    return &ioa_kernel_portable;
}

uint32_t ioa_kernel_width(uint32_t tile, size_t rows)
{
    if (tile == 1) return 1;
    uint32_t width = 16;
    while (width < tile && width < rows) width *= 2;
    return width;
}
