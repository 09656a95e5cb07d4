/* Encoder of the few AVX-512 instructions that compiled schedules consist of (Intel SDM, volume 2, section 2.7:
 * EVEX). Bytes collect in a growing buffer; when memory is out, `failed` is set and further bytes are dropped. */
#ifndef IOA_CORE_COMPILE_X86_H
#define IOA_CORE_COMPILE_X86_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ioa_x86 {
    unsigned char *bytes; /* owned: ioa_free */
    size_t length, room;
    bool failed;
} ioa_x86;

/* Registers that hold addresses; both survive calls. */
enum { IOA_X86_VALUES = 3 /* rbx */, IOA_X86_STREAM = 5 /* rbp */ };

void ioa_x86_bytes(ioa_x86 *code, const void *bytes, size_t count);
void ioa_x86_u32(ioa_x86 *code, uint32_t value);
void ioa_x86_u64(ioa_x86 *code, uint64_t value);

/* Memory forms; `displacement` in bytes takes one byte where it is a small multiple of the access. zmm is 0 .. 31. */
void ioa_x86_load(ioa_x86 *code, int zmm, int base, int32_t displacement);      /* vmovups zmm, [base + d] */
void ioa_x86_store(ioa_x86 *code, int zmm, int base, int32_t displacement);     /* vmovups [base + d], zmm */
void ioa_x86_broadcast(ioa_x86 *code, int zmm, int base, int32_t displacement); /* vbroadcastss zmm, [base + d] */
/* vfmadd231ps sum, source, [base + d]{1to16} */
void ioa_x86_fma(ioa_x86 *code, int sum, int source, int base, int32_t displacement);

void ioa_x86_zero(ioa_x86 *code, int zmm);                   /* vpxord zmm, zmm, zmm */
void ioa_x86_maximum(ioa_x86 *code, int zmm, int bound);     /* vmaxps zmm, bound, zmm: NaN in zmm stays */
void ioa_x86_square(ioa_x86 *code, int zmm);                 /* vmulps zmm, zmm, zmm */

#endif
