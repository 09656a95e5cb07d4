/* Vectors of the widest register of the instruction set this file is compiled for, by the compiler's vector
 * extensions: the same source serves every instruction set. Included by core/kernel/kernel_impl.h only. */
#ifndef IOA_CORE_KERNEL_VEC_H
#define IOA_CORE_KERNEL_VEC_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
#define VEC_BYTES 64
#elif defined(__AVX2__)
#define VEC_BYTES 32
#else
#define VEC_BYTES 16
#endif
#define LANES (VEC_BYTES / 4)

typedef float vec __attribute__((vector_size(VEC_BYTES), may_alias));
typedef int32_t ivec __attribute__((vector_size(VEC_BYTES), may_alias));
typedef float vec_unaligned __attribute__((vector_size(VEC_BYTES), may_alias, aligned(4)));

#define INLINE static inline __attribute__((always_inline))

/* Accumulator arrays stay in registers only if every loop over them is unrolled completely. Sanitizers check every step of what is
 * unrolled, which takes compilers many minutes. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IOA_SANITIZED
#endif
#endif
#if defined(IOA_SANITIZED) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNROLL
#elif defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

INLINE vec splat(float x)
{
    return x - (vec){0}; /* keeps -0 */
}

INLINE vec load(const float *p)
{
    return *(const vec *)(const void *)p;
}

INLINE void store(float *p, vec x)
{
    *(vec *)(void *)p = x;
}

INLINE vec load_unaligned(const float *p)
{
    return *(const vec_unaligned *)(const void *)p;
}

INLINE void store_unaligned(float *p, vec x)
{
    *(vec_unaligned *)(void *)p = x;
}

/* Four weights at once: one load, repeated over the register; FOURTH(weights, k), k a literal, has the k-th in all lanes,
 * by a shuffle, which takes no load port. KEEP stops the compiler from turning that into four loads again. */
#if defined(__x86_64__)
#define KEEP(x) __asm__("" : "+v"(x))
#else
#define KEEP(x) (void)0
#endif

#if VEC_BYTES == 64
#define FOURTH(weights, k) ((vec)_mm512_permute_ps((__m512)(weights), (k) * 0x55))
#elif VEC_BYTES == 32
#define FOURTH(weights, k) ((vec)_mm256_permute_ps((__m256)(weights), (k) * 0x55))
#else
#define FOURTH(weights, k) __builtin_shufflevector(weights, weights, k, k, k, k)
#endif

INLINE vec load_four(const float *p)
{
#if VEC_BYTES == 64
    vec four = (vec)_mm512_broadcast_f32x4(_mm_loadu_ps(p));
#elif VEC_BYTES == 32
    vec four = (vec)_mm256_broadcast_ps((const __m128 *)(const void *)p);
#else
    vec four = load_unaligned(p);
#endif
    KEEP(four);
    return four;
}

/* Two offsets by one load. */
INLINE void load_pair(const uint32_t *p, uint32_t pair[2])
{
#if defined(__x86_64__)
    uint64_t both;
    memcpy(&both, p, sizeof both);
    __asm__("" : "+r"(both));
    pair[0] = (uint32_t)both;
    pair[1] = (uint32_t)(both >> 32);
#else
    memcpy(pair, p, 2 * sizeof *p);
#endif
}

/* Four offsets of 16 bits by one load. */
INLINE uint64_t load_narrow(const uint16_t *p)
{
    uint64_t four;
    memcpy(&four, p, sizeof four);
#if defined(__x86_64__)
    __asm__("" : "+r"(four));
#endif
    return four;
}

/* What they say, in bytes: they count units of 8, which an address scales for free, or of 64. */
INLINE void split_narrow(uint64_t four, bool near, size_t bytes[4])
{
#if defined(__x86_64__)
    if (near) {
        UNROLL
        for (int k = 0; k < 4; k++) bytes[k] = (size_t)(uint16_t)(four >> 16 * k) * 8;
        return;
    }
    bytes[0] = four << 6 & 0x3fffc0;
    bytes[1] = four >> 10 & 0x3fffc0;
    bytes[2] = four >> 26 & 0x3fffc0;
    bytes[3] = four >> 42 & 0x3fffc0;
#else
    uint16_t part[4];
    memcpy(part, &four, sizeof part);
    for (int k = 0; k < 4; k++) bytes[k] = (size_t)part[k] * (near ? 8 : 64);
#endif
}

/* ---- single values by index, into the lanes of a register: each by a load of its own. The instructions that gather take twice
 * as long (AMD Zen 4 and 5), and more where they are held up against leaks between processes. ---- */

#if VEC_BYTES >= 32
INLINE __m128 four_of(const float *values, size_t a, size_t b, size_t c, size_t d)
{
    return _mm_movelh_ps(_mm_insert_ps(_mm_load_ss(values + a), _mm_load_ss(values + b), 0x10),
                         _mm_insert_ps(_mm_load_ss(values + c), _mm_load_ss(values + d), 0x10));
}

INLINE vec join(const __m128 four[LANES / 4])
{
    __m256 low = _mm256_insertf128_ps(_mm256_castps128_ps256(four[0]), four[1], 1);
#if VEC_BYTES == 64
    __m256 high = _mm256_insertf128_ps(_mm256_castps128_ps256(four[2]), four[3], 1);
    return (vec)_mm512_insertf32x8(_mm512_castps256_ps512(low), high, 1);
#else
    return (vec)low;
#endif
}
#endif

/* LANES values by 16-bit index. */
INLINE vec collect(const float *values, const uint16_t *source)
{
#if VEC_BYTES >= 32
    __m128 four[LANES / 4];
    UNROLL
    for (int i = 0; i < LANES / 4; i++) {
        uint64_t at = load_narrow(source + 4 * i);
        four[i] = four_of(values, (uint16_t)at, (uint16_t)(at >> 16), (uint16_t)(at >> 32), at >> 48);
    }
    return join(four);
#else
    vec x;
    for (int i = 0; i < LANES; i++) x[i] = values[source[i]];
    return x;
#endif
}

#if VEC_BYTES == 64
/* By 32-bit indices that are `stride` apart. */
INLINE vec collect_by(const float *values, const uint32_t *source, size_t stride)
{
    __m128 four[LANES / 4];
    UNROLL
    for (size_t i = 0; i < LANES; i += 4)
        four[i / 4] = four_of(values, source[i * stride], source[(i + 1) * stride], source[(i + 2) * stride], source[(i + 3) * stride]);
    return join(four);
}
#endif

/* By 32-bit indices, two of them by one load. */
INLINE vec collect_wide(const float *values, const uint32_t *source)
{
#if VEC_BYTES >= 32
    __m128 four[LANES / 4];
    UNROLL
    for (int i = 0; i < LANES / 4; i++) {
        uint32_t at[4];
        load_pair(source + 4 * i, at);
        load_pair(source + 4 * i + 2, at + 2);
        four[i] = four_of(values, at[0], at[1], at[2], at[3]);
    }
    return join(four);
#else
    vec x;
    for (int i = 0; i < LANES; i++) x[i] = values[source[i]];
    return x;
#endif
}

INLINE vec choose(ivec mask, vec yes, vec no)
{
    return (vec)((mask & (ivec)yes) | (~mask & (ivec)no));
}

/* min(x, bound) and max(x, bound); NaN stays: the instructions return their second operand then. */
INLINE vec at_most(vec x, vec bound)
{
#if defined(__AVX512F__)
    return (vec)_mm512_min_ps((__m512)bound, (__m512)x);
#elif defined(__AVX2__)
    return (vec)_mm256_min_ps((__m256)bound, (__m256)x);
#else
    return choose(x > bound, bound, x);
#endif
}

INLINE vec at_least(vec x, vec bound)
{
#if defined(__AVX512F__)
    return (vec)_mm512_max_ps((__m512)bound, (__m512)x);
#elif defined(__AVX2__)
    return (vec)_mm256_max_ps((__m256)bound, (__m256)x);
#else
    return choose(x < bound, bound, x);
#endif
}

INLINE vec positive(vec x) /* max(x, 0) */
{
    return at_least(x, (vec){0});
}

/* x < 0 ? yes : no, decided by the sign bit alone */
INLINE vec if_negative(vec x, vec yes, vec no)
{
#if defined(__AVX512F__)
    return (vec)_mm512_mask_blend_ps(_mm512_movepi32_mask((__m512i)x), (__m512)no, (__m512)yes);
#elif defined(__AVX2__)
    return (vec)_mm256_blendv_ps((__m256)no, (__m256)yes, (__m256)x);
#else
    return choose((ivec)x < 0, yes, no);
#endif
}

/* 1 / x to about an ulp, for 2^-100 < |x| < 2^100. */
INLINE vec reciprocal(vec x)
{
#if defined(__AVX512F__)
    vec y = (vec)_mm512_rcp14_ps((__m512)x);
    return y + y * (1.0f - x * y);
#else
    return 1.0f / x;
#endif
}

/* y * 2^n for y in [1/2, 2] and an integral |n| <= 160 (or NaN), with overflow to infinity and gradual underflow. */
INLINE vec scale(vec y, vec n)
{
#if defined(__AVX512F__)
    return (vec)_mm512_scalef_ps((__m512)y, (__m512)n);
#else
    ivec exponent = __builtin_convertvector(n, ivec), half = exponent >> 1; /* 2^n itself may be out of range */
    return y * (vec)((half + 127) << 23) * (vec)((exponent - half + 127) << 23);
#endif
}

INLINE vec magnitude(vec x)
{
    return (vec)((ivec)x & INT32_MAX);
}

/* First and second half of the perfect shuffle of a and b: a0 b0 a1 b1 ... */
#if VEC_BYTES == 32
#define INTERLEAVE_LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define INTERLEAVE_HIGH(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#else
#define INTERLEAVE_LOW(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define INTERLEAVE_HIGH(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#endif

#if VEC_BYTES == 64
/* Four rows of four 128-bit lanes each: a transposed 4 x 4 square in every lane. Shuffles within lanes are the fast ones. */
INLINE void transpose_lanes(__m512 r[4])
{
    __m512 a = _mm512_unpacklo_ps(r[0], r[1]), b = _mm512_unpackhi_ps(r[0], r[1]);
    __m512 c = _mm512_unpacklo_ps(r[2], r[3]), d = _mm512_unpackhi_ps(r[2], r[3]);
    r[0] = (__m512)_mm512_unpacklo_pd((__m512d)a, (__m512d)c);
    r[1] = (__m512)_mm512_unpackhi_pd((__m512d)a, (__m512d)c);
    r[2] = (__m512)_mm512_unpacklo_pd((__m512d)b, (__m512d)d);
    r[3] = (__m512)_mm512_unpackhi_pd((__m512d)b, (__m512d)d);
}

/* Rows 4j .. 4j + 3 become lane j of columns: first squares of 4 x 4, then lanes as in a 4 x 4 square themselves. */
INLINE void transpose(vec m[16])
{
    __m512 r[4][4];
    UNROLL
    for (int i = 0; i < 4; i++) {
        UNROLL
        for (int k = 0; k < 4; k++) r[i][k] = (__m512)m[4 * i + k];
        transpose_lanes(r[i]);
    }
    UNROLL
    for (int k = 0; k < 4; k++) {
        __m512 a = _mm512_shuffle_f32x4(r[0][k], r[1][k], 0x88), b = _mm512_shuffle_f32x4(r[2][k], r[3][k], 0x88);
        __m512 c = _mm512_shuffle_f32x4(r[0][k], r[1][k], 0xdd), d = _mm512_shuffle_f32x4(r[2][k], r[3][k], 0xdd);
        m[k] = (vec)_mm512_shuffle_f32x4(a, b, 0x88);
        m[8 + k] = (vec)_mm512_shuffle_f32x4(a, b, 0xdd);
        m[4 + k] = (vec)_mm512_shuffle_f32x4(c, d, 0x88);
        m[12 + k] = (vec)_mm512_shuffle_f32x4(c, d, 0xdd);
    }
}

/* Lanes 0 and 2 of a, each followed by the same of b; and the others. */
INLINE __m512 even_lanes(__m512 a, __m512 b)
{
    return _mm512_permutex2var_ps(a, _mm512_setr_epi32(0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27), b);
}

INLINE __m512 odd_lanes(__m512 a, __m512 b)
{
    return _mm512_permutex2var_ps(a, _mm512_setr_epi32(4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31), b);
}

/* r[i] = 8 floats of one place and 8 of another: both halves as squares of 8 x 8, transposed. */
INLINE void transpose_halves(__m512 r[8])
{
    transpose_lanes(r);
    transpose_lanes(r + 4);
    UNROLL
    for (int k = 0; k < 4; k++) {
        __m512 low = r[k], high = r[4 + k];
        r[k] = even_lanes(low, high);
        r[4 + k] = odd_lanes(low, high);
    }
}

INLINE __m512 load_halves(const float *low, const float *high)
{
    return _mm512_insertf32x8(_mm512_castps256_ps512(_mm256_loadu_ps(low)), _mm256_loadu_ps(high), 1);
}

/* 16 floats of 16 rows, transposed. Halves of a row are put together by loads, which spares a quarter of the shuffles, and a row
 * that does not begin at a line is split between two lines half as often. Both halves are loaded one after the other: of rows a
 * power of two apart, L1 does not hold 16 until the other halves are wanted. */
INLINE void load_transposed(vec m[16], const float *x, size_t stride)
{
    __m512 low[8], high[8];
    UNROLL
    for (int i = 0; i < 8; i++) {
        const float *a = x + (size_t)i * stride, *b = x + (size_t)(i + 8) * stride;
        low[i] = load_halves(a, b);
        high[i] = load_halves(a + 8, b + 8);
    }
    transpose_halves(low);
    transpose_halves(high);
    UNROLL
    for (int i = 0; i < 8; i++) {
        m[i] = (vec)low[i];
        m[8 + i] = (vec)high[i];
    }
}

#define STRIP 8 /* samples that go back to rows at once */

/* STRIP samples of LANES values, as rows. */
INLINE void load_strip(vec m[STRIP], const float *const values[LANES])
{
    __m512 r[8];
    UNROLL
    for (int i = 0; i < 8; i++) r[i] = load_halves(values[i], values[8 + i]);
    transpose_halves(r);
    UNROLL
    for (int i = 0; i < 8; i++) m[i] = (vec)r[i];
}
#else
/* Transposes a square of LANES vectors: a perfect shuffle of rows i and i + LANES/2 rotates the bits of the element
 * index by one place, so log2(LANES) of them exchange row and column. */
INLINE void transpose(vec m[LANES])
{
    UNROLL
    for (int step = 1; step < LANES; step *= 2) {
        vec next[LANES];
        UNROLL
        for (int i = 0; i < LANES / 2; i++) {
            next[2 * i] = INTERLEAVE_LOW(m[i], m[i + LANES / 2]);
            next[2 * i + 1] = INTERLEAVE_HIGH(m[i], m[i + LANES / 2]);
        }
        UNROLL
        for (int i = 0; i < LANES; i++) m[i] = next[i];
    }
}

INLINE void load_transposed(vec m[LANES], const float *x, size_t stride)
{
    for (int r = 0; r < LANES; r++) m[r] = load_unaligned(x + (size_t)r * stride);
    transpose(m);
}

#define STRIP LANES

INLINE void load_strip(vec m[STRIP], const float *const values[LANES])
{
    UNROLL
    for (int i = 0; i < LANES; i++) m[i] = load(values[i]);
    transpose(m);
}
#endif

#endif
