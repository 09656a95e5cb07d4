#include "core/base/rng.h"

static const uint64_t pcg32_multiplier = UINT64_C(6364136223846793005);

void ioa_pcg32_seed(ioa_pcg32 *rng, uint64_t state, uint64_t stream)
{
    rng->increment = (stream << 1) | 1;
    rng->state = rng->increment + state; /* one step from state 0, then the seed is added */
    rng->state = rng->state * pcg32_multiplier + rng->increment;
}

void ioa_pcg32_advance(ioa_pcg32 *rng, uint64_t delta)
{
    /* The d-th power of x -> m x + c by repeated squaring (O'Neill, section 4.3.1). */
    uint64_t multiplier = pcg32_multiplier, plus = rng->increment, total_multiplier = 1, total_plus = 0;
    for (; delta; delta >>= 1) {
        if (delta & 1) {
            total_multiplier *= multiplier;
            total_plus = total_plus * multiplier + plus;
        }
        plus *= multiplier + 1;
        multiplier *= multiplier;
    }
    rng->state = total_multiplier * rng->state + total_plus;
}

static ioa_u128 pcg64_multiplier(void)
{
    return ((ioa_u128)UINT64_C(2549297995355413924) << 64) | UINT64_C(4865540595714422341);
}

void ioa_pcg64_seed(ioa_pcg64 *rng, ioa_u128 state, ioa_u128 stream)
{
    rng->increment = (stream << 1) | 1;
    rng->state = rng->increment + state;
    rng->state = rng->state * pcg64_multiplier() + rng->increment;
}

void ioa_pcg64_advance(ioa_pcg64 *rng, ioa_u128 delta)
{
    ioa_u128 multiplier = pcg64_multiplier(), plus = rng->increment, total_multiplier = 1, total_plus = 0;
    for (; delta; delta >>= 1) {
        if (delta & 1) {
            total_multiplier *= multiplier;
            total_plus = total_plus * multiplier + plus;
        }
        plus *= multiplier + 1;
        multiplier *= multiplier;
    }
    rng->state = total_multiplier * rng->state + total_plus;
}

/* Finalizer of SplitMix64 (Steele, Lea, Flood 2014): a bijection that avalanches. */
static uint64_t mix(uint64_t x)
{
    x ^= x >> 30;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 27;
    x *= UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

ioa_pcg32 ioa_rng_keyed(uint64_t seed, ioa_rng_purpose purpose, uint64_t a, uint64_t b)
{
    static const uint64_t golden = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t h = mix(seed + golden);
    h = mix(h ^ ((uint64_t)purpose + golden * 2));
    h = mix((h + golden) ^ a);
    h = mix((h + golden * 3) ^ b);
    ioa_pcg32 rng;
    ioa_pcg32_seed(&rng, mix(h ^ golden), mix(h + golden * 5));
    return rng;
}
