/* The activations that compiled code calls, as short programs over vector registers: every instruction set writes
 * the same operations in its own words. The argument comes in register 0, a parameter in 1; the result leaves in 0.
 * Accuracy: as in core/kernel/kernel_math.h, whose polynomials these are; sine and cosine up to |x| = 1e4. */
#ifndef IOA_CORE_COMPILE_MATH_H
#define IOA_CORE_COMPILE_MATH_H

#include <stdint.h>

#define IOA_MATH_MOST 96u /* operations of one activation */

typedef enum ioa_math_op {
    IOA_MATH_CONST,  /* every lane of d = bits */
    IOA_MATH_COPY,   /* d = a */
    IOA_MATH_ADD,    /* d = a + b, as float32; the next ones likewise */
    IOA_MATH_SUB,
    IOA_MATH_MUL,
    IOA_MATH_DIV,
    IOA_MATH_MIN,    /* of a and b; a NaN in b stays */
    IOA_MATH_MAX,
    IOA_MATH_FMA,    /* d += a * b */
    IOA_MATH_FNMA,   /* d -= a * b */
    IOA_MATH_ROUND,  /* d = a, to the nearest integer, still a float */
    IOA_MATH_TOINT,  /* d = a as int32; a is integral */
    IOA_MATH_IADD,   /* d = a + b, as int32 */
    IOA_MATH_ISUB,
    IOA_MATH_AND,    /* bits */
    IOA_MATH_OR,
    IOA_MATH_XOR,
    IOA_MATH_SHL,    /* d = a << bits, as int32 */
    IOA_MATH_SAR,    /* d = a >> bits, keeping the sign */
    IOA_MATH_SELECT, /* d = bits of a where d is all ones, of b where d is 0 */
} ioa_math_op;

typedef struct ioa_math {
    uint8_t op, d, a, b;
    uint32_t bits;
} ioa_math;

/* Writes the operations of an activation; returns their number. */
uint32_t ioa_math_of(unsigned activation, ioa_math operations[IOA_MATH_MOST]);

#endif
