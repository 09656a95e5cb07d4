/* Writer of AVX-512 machine code (Intel SDM, volume 2, section 2.7: EVEX). */
#ifndef IOA_CORE_COMPILE_AVX512_H
#define IOA_CORE_COMPILE_AVX512_H

#include "core/bytes.h"
#include "core/compile_lower.h"

typedef struct ioa_avx512 {
    ioa_bytes text;
    uint64_t *entry;               /* [segments] offset of each segment; borrowed */
    size_t routine[IOA_ACT_COUNT]; /* offsets of the activations that are called */
    size_t enter;                  /* offset of the function below */
} ioa_avx512;

/* void enter(float *values, const float *stream, const void *segment): keeps the caller's registers and calls. */
typedef void ioa_avx512_enter(float *values, const float *stream, const void *segment);

/* Writes constants, activations and `enter` in front of the segments; `code->entry` is set by the caller. */
void ioa_avx512_begin(ioa_avx512 *code, const ioa_program *program);

/* The writer for ioa_lower. */
ioa_writer ioa_avx512_writer(ioa_avx512 *code, bool prefetch);

#endif
