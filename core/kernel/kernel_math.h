/* Activations on vectors. Polynomials are least-squares fits reweighted towards minimax in their relative error; the
 * fitted intervals and errors stand beside them. Bounds on the result: IOA_ACTIVATION_ERROR in core/model/reference.h.
 * Included by core/kernel/kernel_impl.h only. */
#ifndef IOA_CORE_KERNEL_MATH_H
#define IOA_CORE_KERNEL_MATH_H

#include "core/kernel/kernel_vec.h"

#include <ioanneal/network.h>
#include <math.h>

/* Adding it to |x| < 2^22 rounds x to an integer, which then is in the low bits of the sum. */
#define ROUNDER 12582912.0f

/* exp(x): 2^n * exp(r), |r| <= ln(2) / 2. Overflows to infinity, underflows gradually. */
INLINE vec vec_exp(vec x)
{
    x = at_least(at_most(x, splat(89.0f)), splat(-104.0f));
    vec n = (x * 1.44269504f + ROUNDER) - ROUNDER;
    vec r = (x - n * 0x1.62ep-1f) - n * 0x1.0bfbe8p-15f; /* ln 2 in two parts, the first product exact */
    vec p = splat(0.0013814611f); /* 3e-9 */
    p = p * r + 0.00836871004f;
    p = p * r + 0.0416683874f;
    p = p * r + 0.166665207f;
    p = p * r + 0.499999935f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    return scale(p, n);
}

INLINE vec vec_sigmoid(vec x)
{
    vec e = vec_exp(-magnitude(x)), r = reciprocal(1.0f + e); /* e <= 1: nothing overflows */
    return if_negative(x, e * r, r);
}

INLINE vec vec_tanh(vec x)
{
    vec a = magnitude(x), z = x * x;
    vec p = splat(-0.00571703656f); /* (tanh x - x) / x^3 on |x| <= 0.625, 4e-9 */
    p = p * z + 0.020650579f;
    p = p * z + -0.0537434953f;
    p = p * z + 0.133314912f;
    p = p * z + -0.333332839f;
    vec near = x + x * z * p;
    vec e = vec_exp(-2.0f * a), far = (1.0f - e) * reciprocal(1.0f + e);
    far = (vec)((ivec)far | ((ivec)x & INT32_MIN));
    return choose(a < 0.625f, near, far);
}

/* x Phi(x), with Phi(-|x|) = exp(-x^2 / 2) erfcx(|x| / sqrt 2) / 2: nothing cancels on the negative side. */
INLINE vec vec_gelu(vec x)
{
    vec t = reciprocal(1.0f + (0.35f * 0.707106781f) * at_most(magnitude(x), splat(1e6f)));
    vec p = splat(0.0384013527f); /* erfcx(a) / t, t = 1 / (1 + 0.35 a), 0 <= a <= 10, 7e-9 */
    p = p * t + -0.158929911f;
    p = p * t + 0.181465044f;
    p = p * t + -0.0277107346f;
    p = p * t + 0.0870229779f;
    p = p * t + 0.146039925f;
    p = p * t + 0.151186967f;
    p = p * t + 0.187902235f;
    p = p * t + 0.197138374f;
    p = p * t + 0.197483777f;
    vec tail = 0.5f * vec_exp(x * x * -0.5f) * t * p;
    return x * if_negative(x, tail, 1.0f - tail);
}

/* tanh form of GELU: (1 + tanh z) / 2 = sigmoid(2 z). */
INLINE vec vec_gelu_tanh(vec x)
{
    return x * vec_sigmoid(1.59576912f * (x + 0.044715f * x * x * x));
}

#define SINE_REACH 1e4f /* the three-part reduction holds up to here */

/* sin(x + quarter * pi / 2) for |x| <= SINE_REACH. pi / 2 in three parts; the first two products are exact. */
INLINE vec vec_sine(vec x, int32_t quarter)
{
    vec shifted = x * 0.636619772f + ROUNDER, n = shifted - ROUNDER;
    ivec turn = (ivec)shifted + quarter;
    vec r = ((x - n * 0x1.92p+0f) - n * 0x1.fb4p-12f) - n * 0x1.4442d2p-24f, z = r * r;
    vec s = splat(-0.000195169765f); /* 4e-9 */
    s = s * z + 0.00833217584f;
    s = s * z + -0.166666549f;
    s = r + r * z * s;
    vec c = splat(2.44380891e-05f); /* 1e-10 */
    c = c * z + -0.00138873645f;
    c = c * z + 0.0416666468f;
    c = (1.0f - 0.5f * z) + z * z * c;
    vec y = choose((turn & 1) != 0, c, s);
    return (vec)((ivec)y ^ ((turn & 2) << 30));
}

/* Sine or cosine of a row: vectors as long as no value is beyond the reduction's reach (infinities included). */
static void sine_row(float *row, uint32_t width, int32_t quarter)
{
    ivec beyond = {0};
    for (uint32_t i = 0; i < width; i += LANES) beyond |= (ivec)(magnitude(load(row + i)) > SINE_REACH);
    int32_t any = 0;
    for (int i = 0; i < LANES; i++) any |= beyond[i];
    if (any) {
        for (uint32_t i = 0; i < width; i++) row[i] = (float)(quarter ? cos((double)row[i]) : sin((double)row[i]));
        return;
    }
    for (uint32_t i = 0; i < width; i += LANES) store(row + i, vec_sine(load(row + i), quarter));
}

#define EACH(expression)                                \
    for (uint32_t i = 0; i < width; i += LANES) {       \
        vec x = load(row + i);                          \
        store(row + i, (expression));                   \
    }                                                   \
    break

/* Applies an activation in place to `width` floats (a multiple of 16, aligned). Out of line: rows come from L1, and
 * the kernels keep only identity and ReLU in registers. */
static __attribute__((noinline)) void activate_row(unsigned activation, float param, float *row, uint32_t width)
{
    switch (activation) {
    case IOA_ACT_RELU: EACH(positive(x));
    case IOA_ACT_GELU: EACH(vec_gelu(x));
    case IOA_ACT_GELU_TANH: EACH(vec_gelu_tanh(x));
    case IOA_ACT_SIGMOID: EACH(vec_sigmoid(x));
    case IOA_ACT_TANH: EACH(vec_tanh(x));
    case IOA_ACT_SILU: EACH(x * vec_sigmoid(x));
    case IOA_ACT_LEAKY_RELU: EACH(if_negative(x, param * x, x));
    case IOA_ACT_CLIPPED_RELU: EACH(at_most(positive(x), splat(param)));
    case IOA_ACT_STEP: EACH((vec)((ivec)(x > 0.0f) & (ivec)splat(1.0f)));
    case IOA_ACT_SIN: sine_row(row, width, 0); break;
    case IOA_ACT_COS: sine_row(row, width, 1); break;
    case IOA_ACT_GAUSSIAN: EACH(vec_exp(x * x * -0.5f));
    case IOA_ACT_ABS: EACH(magnitude(x));
    case IOA_ACT_NEGATE: EACH(-x);
    case IOA_ACT_SQUARE: EACH(x * x);
    default: break; /* identity */
    }
}

#undef EACH

#endif
