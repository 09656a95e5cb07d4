/* Writer of AVX-512 and AVX2 machine code (Intel SDM, volume 2, sections 2.3: VEX, and 2.7: EVEX). */
#ifndef IOA_CORE_COMPILE_X86_H
#define IOA_CORE_COMPILE_X86_H

#include "core/base/bytes.h"
#include "core/compile/compile_lower.h"

typedef struct ioa_x86 {
    const ioa_target *target;      /* ioa_target_avx512 or ioa_target_avx2 */
    ioa_bytes text;
    uint64_t *entry;               /* [segments] offset of each segment; borrowed */
    size_t routine[IOA_ACT_COUNT]; /* offsets of the activations that are called */
    size_t enter;                  /* offset of the function below */
} ioa_x86;

/* void enter(float *values, const float *stream, const void *segment): keeps the caller's registers and calls. */
typedef void ioa_x86_enter(float *values, const float *stream, const void *segment);

/* Writes constants, activations and `enter` in front of the segments; target and entry are set by the caller. */
void ioa_x86_begin(ioa_x86 *code, const ioa_program *program);

/* The writer for ioa_lower. */
ioa_writer ioa_x86_writer(ioa_x86 *code, bool prefetch);

#endif
