/* Permuted congruential generators (M. O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically Good
 * Algorithms for Random Number Generation", HMC-CS-2014-0905): pcg32 (XSH-RR 64/32) and pcg64 (XSL-RR 128/64).
 *
 * Streams are keyed by what they are used for, never by who computes them: see ioa_rng_keyed. */
#ifndef IOA_CORE_RNG_H
#define IOA_CORE_RNG_H

#include <stdint.h>

typedef struct ioa_pcg32 {
    uint64_t state;
    uint64_t increment; /* odd */
} ioa_pcg32;

__extension__ typedef unsigned __int128 ioa_u128;

typedef struct ioa_pcg64 {
    ioa_u128 state;
    ioa_u128 increment; /* odd */
} ioa_pcg64;

/* Purposes of keyed streams; numbers never change, since they decide results. */
typedef enum ioa_rng_purpose {
    IOA_RNG_GENERATE = 1,
    IOA_RNG_CONSTRUCT = 2,
    IOA_RNG_REPLICA = 3,
    IOA_RNG_SWAP = 4,
    IOA_RNG_VERIFY = 5,
    IOA_RNG_TEST = 6,
    IOA_RNG_SEGMENT = 7
} ioa_rng_purpose;

void ioa_pcg32_seed(ioa_pcg32 *rng, uint64_t state, uint64_t stream);
void ioa_pcg32_advance(ioa_pcg32 *rng, uint64_t delta); /* as if `delta` numbers had been drawn, in O(log delta) */
void ioa_pcg64_seed(ioa_pcg64 *rng, ioa_u128 state, ioa_u128 stream);
void ioa_pcg64_advance(ioa_pcg64 *rng, ioa_u128 delta);

/* Stream keyed by (seed, purpose, a, b), for example (seed, REPLICA, replica, round). State AND increment are hashed
 * from all four: streams that share a state and differ in a few increment bits are correlated. */
ioa_pcg32 ioa_rng_keyed(uint64_t seed, ioa_rng_purpose purpose, uint64_t a, uint64_t b);

static inline uint32_t ioa_pcg32_next(ioa_pcg32 *rng)
{
    uint64_t old = rng->state;
    rng->state = old * UINT64_C(6364136223846793005) + rng->increment;
    uint32_t shifted = (uint32_t)(((old >> 18) ^ old) >> 27);
    uint32_t turn = (uint32_t)(old >> 59);
    return (shifted >> turn) | (shifted << ((32u - turn) & 31u));
}

static inline uint64_t ioa_pcg64_next(ioa_pcg64 *rng)
{
    static const uint64_t hi = UINT64_C(2549297995355413924), lo = UINT64_C(4865540595714422341);
    rng->state = rng->state * (((ioa_u128)hi << 64) | lo) + rng->increment;
    uint64_t folded = (uint64_t)(rng->state >> 64) ^ (uint64_t)rng->state;
    unsigned turn = (unsigned)(rng->state >> 122);
    return (folded >> turn) | (folded << ((64u - turn) & 63u));
}

/* Uniform in [0, bound), bound >= 1, without bias (Lemire's multiplication with rejection). */
static inline uint32_t ioa_pcg32_below(ioa_pcg32 *rng, uint32_t bound)
{
    uint64_t product = (uint64_t)ioa_pcg32_next(rng) * bound;
    if ((uint32_t)product < bound) {
        uint32_t threshold = (uint32_t)(0u - bound) % bound;
        while ((uint32_t)product < threshold) product = (uint64_t)ioa_pcg32_next(rng) * bound;
    }
    return (uint32_t)(product >> 32);
}

/* 64 random bits: two draws, the first in the high half. */
static inline uint64_t ioa_pcg32_next64(ioa_pcg32 *rng)
{
    uint64_t high = ioa_pcg32_next(rng);
    return high << 32 | ioa_pcg32_next(rng);
}

/* Uniform double in [0, 1) with 53 bits. */
static inline double ioa_pcg32_double(ioa_pcg32 *rng)
{
    return (double)(ioa_pcg32_next64(rng) >> 11) * 0x1p-53;
}

#endif
