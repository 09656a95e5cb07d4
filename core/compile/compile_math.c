#include "core/compile/compile_math.h"

#include "core/compile/compile_program.h"

#include <assert.h>
#include <ioanneal/network.h>
#include <string.h>

/* Registers by role; all below IOA_CALL_REGISTERS. */
enum { X = 0, PARAM = 1, E = 2, N = 3, P = 4, T = 5, U = 6, V = 7, W = 8, Z = 9 };

typedef struct writer {
    ioa_math *operations;
    uint32_t count;
} writer;

static void put(writer *w, ioa_math_op op, uint8_t d, uint8_t a, uint8_t b)
{
    assert(w->count < IOA_MATH_MOST);
    w->operations[w->count++] = (ioa_math){(uint8_t)op, d, a, b, 0};
}

static void put_bits(writer *w, ioa_math_op op, uint8_t d, uint8_t a, uint32_t bits)
{
    put(w, op, d, a, 0);
    w->operations[w->count - 1].bits = bits;
}

static void constant(writer *w, uint8_t d, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_bits(w, IOA_MATH_CONST, d, 0, bits);
}

/* Horner's rule in P and T; returns the register of the result. */
static uint8_t polynomial(writer *w, const float *coefficients, int count, uint8_t x)
{
    uint8_t sum = P, next = T;
    constant(w, sum, coefficients[0]);
    for (int i = 1; i < count; i++) {
        constant(w, next, coefficients[i]);
        put(w, IOA_MATH_FMA, next, sum, x);
        uint8_t former = sum;
        sum = next;
        next = former;
    }
    return sum;
}

/* d = d < 0 (by its sign bit) ? yes : no */
static void select_negative(writer *w, uint8_t d, uint8_t yes, uint8_t no)
{
    put_bits(w, IOA_MATH_SAR, d, d, 31);
    put(w, IOA_MATH_SELECT, d, yes, no);
}

/* E = exp(E); uses N, P, T. 2^n in two factors, since n alone may be out of range. */
static void exponential(writer *w)
{
    static const float c[] = {0.0013814611f, 0.00836871004f, 0.0416683874f, 0.166665207f, 0.499999935f, 1.0f, 1.0f};
    constant(w, T, 89.0f);
    put(w, IOA_MATH_MIN, E, T, E);
    constant(w, T, -104.0f);
    put(w, IOA_MATH_MAX, E, T, E);
    constant(w, N, 1.44269504f);
    put(w, IOA_MATH_MUL, N, N, E);
    put(w, IOA_MATH_ROUND, N, N, 0);
    constant(w, T, 0x1.62ep-1f); /* ln 2 in two parts */
    put(w, IOA_MATH_FNMA, E, N, T);
    constant(w, T, 0x1.0bfbe8p-15f);
    put(w, IOA_MATH_FNMA, E, N, T);
    uint8_t p = polynomial(w, c, 7, E), free = p == P ? T : P;
    put(w, IOA_MATH_TOINT, N, N, 0);
    put_bits(w, IOA_MATH_SAR, E, N, 1);
    put(w, IOA_MATH_ISUB, N, N, E);
    put_bits(w, IOA_MATH_CONST, free, 0, 127);
    put(w, IOA_MATH_IADD, E, E, free);
    put(w, IOA_MATH_IADD, N, N, free);
    put_bits(w, IOA_MATH_SHL, E, E, 23);
    put_bits(w, IOA_MATH_SHL, N, N, 23);
    put(w, IOA_MATH_MUL, E, E, p);
    put(w, IOA_MATH_MUL, E, E, N);
}

/* d = -|a|; uses T */
static void minus_magnitude(writer *w, uint8_t d, uint8_t a)
{
    put_bits(w, IOA_MATH_CONST, T, 0, UINT32_C(1) << 31);
    put(w, IOA_MATH_OR, d, a, T);
}

/* E = sigmoid(a), a one of X and U: 1 / (1 + e) or e / (1 + e) with e = exp(-|a|); uses V, W and what exp uses */
static void sigmoid(writer *w, uint8_t a)
{
    minus_magnitude(w, E, a);
    exponential(w);
    constant(w, T, 1.0f);
    put(w, IOA_MATH_ADD, V, E, T);
    put(w, IOA_MATH_COPY, W, a, 0);
    select_negative(w, W, E, T);
    put(w, IOA_MATH_DIV, E, W, V);
}

static void hyperbolic_tangent(writer *w)
{
    static const float c[] = {-0.00571703656f, 0.020650579f, -0.0537434953f, 0.133314912f, -0.333332839f};
    put(w, IOA_MATH_MUL, Z, X, X);
    uint8_t p = polynomial(w, c, 5, Z);
    put(w, IOA_MATH_MUL, Z, Z, X);
    put(w, IOA_MATH_COPY, U, X, 0);
    put(w, IOA_MATH_FMA, U, Z, p); /* near 0 */
    minus_magnitude(w, W, X);
    put(w, IOA_MATH_ADD, E, W, W);
    exponential(w);
    constant(w, T, 1.0f);
    put(w, IOA_MATH_SUB, V, T, E);
    put(w, IOA_MATH_ADD, E, E, T);
    put(w, IOA_MATH_DIV, E, V, E); /* |tanh| */
    put_bits(w, IOA_MATH_CONST, T, 0, UINT32_C(1) << 31);
    put(w, IOA_MATH_AND, X, X, T);
    put(w, IOA_MATH_OR, E, E, X);
    constant(w, X, -0.625f);
    put(w, IOA_MATH_SUB, X, X, W); /* |x| - 0.625 */
    select_negative(w, X, U, E);
}

static void gelu(writer *w)
{
    static const float c[] = {0.0384013527f, -0.158929911f, 0.181465044f, -0.0277107346f, 0.0870229779f,
                              0.146039925f,  0.151186967f,  0.187902235f, 0.197138374f,   0.197483777f};
    minus_magnitude(w, U, X);
    constant(w, T, -1e6f);
    put(w, IOA_MATH_MAX, U, T, U);
    constant(w, V, -0.35f * 0.707106781f);
    constant(w, T, 1.0f);
    put(w, IOA_MATH_COPY, Z, T, 0);
    put(w, IOA_MATH_FMA, Z, U, V);
    put(w, IOA_MATH_DIV, Z, T, Z); /* t = 1 / (1 + 0.35 |x| / sqrt 2) */
    uint8_t p = polynomial(w, c, 10, Z);
    put(w, IOA_MATH_MUL, Z, Z, p);
    put(w, IOA_MATH_MUL, E, X, X);
    constant(w, T, -0.5f);
    put(w, IOA_MATH_MUL, E, E, T);
    exponential(w);
    put(w, IOA_MATH_MUL, E, E, Z);
    constant(w, T, 0.5f);
    put(w, IOA_MATH_MUL, E, E, T); /* Phi(-|x|) */
    constant(w, T, 1.0f);
    put(w, IOA_MATH_SUB, T, T, E);
    put(w, IOA_MATH_COPY, W, X, 0);
    select_negative(w, W, E, T);
    put(w, IOA_MATH_MUL, X, X, W);
}

static void gelu_tanh(writer *w)
{
    put(w, IOA_MATH_MUL, U, X, X);
    put(w, IOA_MATH_MUL, U, U, X);
    constant(w, T, 0.044715f);
    put(w, IOA_MATH_COPY, V, X, 0);
    put(w, IOA_MATH_FMA, V, U, T);
    constant(w, T, 1.59576912f);
    put(w, IOA_MATH_MUL, U, V, T);
    sigmoid(w, U);
    put(w, IOA_MATH_MUL, X, X, E);
}

/* sin(x + quarter pi / 2), pi / 2 in three parts. */
static void sine(writer *w, uint32_t quarter)
{
    static const float parts[] = {0x1.92p+0f, 0x1.fb4p-12f, 0x1.4442d2p-24f};
    static const float s[] = {-0.000195169765f, 0.00833217584f, -0.166666549f};
    static const float c[] = {2.44380891e-05f, -0.00138873645f, 0.0416666468f};
    constant(w, N, 0.636619772f);
    put(w, IOA_MATH_MUL, N, N, X);
    put(w, IOA_MATH_ROUND, N, N, 0);
    for (int i = 0; i < 3; i++) {
        constant(w, T, parts[i]);
        put(w, IOA_MATH_FNMA, X, N, T);
    }
    put(w, IOA_MATH_TOINT, N, N, 0);
    put_bits(w, IOA_MATH_CONST, T, 0, quarter);
    put(w, IOA_MATH_IADD, N, N, T);
    put(w, IOA_MATH_MUL, Z, X, X);
    uint8_t p = polynomial(w, s, 3, Z);
    put(w, IOA_MATH_MUL, U, X, Z);
    put(w, IOA_MATH_FMA, X, U, p); /* sin r */
    p = polynomial(w, c, 3, Z);
    put(w, IOA_MATH_MUL, U, Z, Z);
    put(w, IOA_MATH_MUL, U, U, p);
    constant(w, T, 0.5f);
    put(w, IOA_MATH_FNMA, U, Z, T);
    constant(w, T, 1.0f);
    put(w, IOA_MATH_ADD, U, U, T); /* cos r */
    put_bits(w, IOA_MATH_SHL, V, N, 31);
    select_negative(w, V, U, X);
    put_bits(w, IOA_MATH_CONST, T, 0, 2);
    put(w, IOA_MATH_AND, N, N, T);
    put_bits(w, IOA_MATH_SHL, N, N, 30);
    put(w, IOA_MATH_XOR, X, V, N);
}

static void piecewise(writer *w, unsigned activation)
{
    constant(w, T, 0.0f);
    if (activation == IOA_ACT_LEAKY_RELU) {
        put(w, IOA_MATH_MUL, U, X, PARAM);
        put(w, IOA_MATH_COPY, V, X, 0);
        select_negative(w, X, U, V);
    } else if (activation == IOA_ACT_CLIPPED_RELU) {
        put(w, IOA_MATH_MAX, X, T, X);
        put(w, IOA_MATH_MIN, X, PARAM, X);
    } else { /* step: 0 - x is negative where x > 0 */
        constant(w, U, 1.0f);
        put(w, IOA_MATH_SUB, X, T, X);
        select_negative(w, X, U, T);
    }
}

uint32_t ioa_math_of(unsigned activation, ioa_math operations[IOA_MATH_MOST])
{
    writer w = {operations, 0};
    switch (activation) {
    case IOA_ACT_GELU: gelu(&w); break;
    case IOA_ACT_GELU_TANH: gelu_tanh(&w); break;
    case IOA_ACT_TANH: hyperbolic_tangent(&w); break;
    case IOA_ACT_SIN: sine(&w, 0); break;
    case IOA_ACT_COS: sine(&w, 1); break;
    case IOA_ACT_SIGMOID:
        sigmoid(&w, X);
        put(&w, IOA_MATH_COPY, X, E, 0);
        break;
    case IOA_ACT_SILU:
        sigmoid(&w, X);
        put(&w, IOA_MATH_MUL, X, X, E);
        break;
    case IOA_ACT_GAUSSIAN:
        put(&w, IOA_MATH_MUL, E, X, X);
        constant(&w, T, -0.5f);
        put(&w, IOA_MATH_MUL, E, E, T);
        exponential(&w);
        put(&w, IOA_MATH_COPY, X, E, 0);
        break;
    default: piecewise(&w, activation); break;
    }
    return w.count;
}
