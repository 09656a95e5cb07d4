#include "core/base/rng.h"
#include "tests/support/unit.h"

/* Reference outputs for seed 42, stream 54: the first six, and six from number 1000 on. */
static void pcg32_gives_the_published_sequence(void **state)
{
    (void)state;
    static const uint32_t first[] = {0xa15c02b7, 0x7b47f409, 0xba1d3330, 0x83d2f293, 0xbfa4784b, 0xcbed606e};
    static const uint32_t later[] = {0xefebeab3, 0x741acd5d, 0xef01ebfe, 0x6554a434, 0xe3cf182f, 0xda30f6c8};
    ioa_pcg32 rng;
    ioa_pcg32_seed(&rng, 42, 54);
    for (int i = 0; i < 6; i++) assert_int_equal(ioa_pcg32_next(&rng), first[i]);
    ioa_pcg32_seed(&rng, 42, 54);
    ioa_pcg32_advance(&rng, 1000);
    for (int i = 0; i < 6; i++) assert_int_equal(ioa_pcg32_next(&rng), later[i]);
}

static void pcg64_gives_the_published_sequence(void **state)
{
    (void)state;
    static const uint64_t first[] = {0x86b1da1d72062b68, 0x1304aa46c9853d39, 0xa3670e9e0dd50358,
                                     0xf9090e529a7dae00, 0xc85b9fd837996f2c, 0x606121f8e3919196};
    static const uint64_t later[] = {0xf771891bd1a77d13, 0x07c402e55943e3cf, 0xa982f9859ca2e817,
                                     0xb43e92633ccf54df, 0xd9eccee5734df974, 0xb59327a800c68b55};
    ioa_pcg64 rng;
    ioa_pcg64_seed(&rng, 42, 54);
    for (int i = 0; i < 6; i++) assert_true(ioa_pcg64_next(&rng) == first[i]);
    ioa_pcg64_seed(&rng, 42, 54);
    ioa_pcg64_advance(&rng, 1000);
    for (int i = 0; i < 6; i++) assert_true(ioa_pcg64_next(&rng) == later[i]);
}

static void advance_equals_drawing(void **state)
{
    (void)state;
    ioa_pcg32 a = ioa_rng_keyed(1, IOA_RNG_TEST, 2, 3), b = a;
    for (int i = 0; i < 12345; i++) ioa_pcg32_next(&a);
    ioa_pcg32_advance(&b, 12345);
    assert_int_equal(ioa_pcg32_next(&a), ioa_pcg32_next(&b));
}

static void below_is_in_range_and_even(void **state)
{
    (void)state;
    ioa_pcg32 rng = ioa_rng_keyed(7, IOA_RNG_TEST, 0, 0);
    int counts[7] = {0};
    for (int i = 0; i < 70000; i++) {
        uint32_t x = ioa_pcg32_below(&rng, 7);
        assert_true(x < 7);
        counts[x]++;
    }
    for (int i = 0; i < 7; i++) assert_in_range(counts[i], 9500, 10500); /* 5 standard deviations */
    assert_int_equal(ioa_pcg32_below(&rng, 1), 0);
}

/* Streams that differ in one key must be uncorrelated: bit agreement of neighbours stays near one half. */
static void keyed_streams_are_independent(void **state)
{
    (void)state;
    for (uint64_t a = 0; a < 20; a++) {
        ioa_pcg32 x = ioa_rng_keyed(1, IOA_RNG_REPLICA, a, 5), y = ioa_rng_keyed(1, IOA_RNG_REPLICA, a + 1, 5);
        ioa_pcg32 z = ioa_rng_keyed(1, IOA_RNG_REPLICA, a, 6);
        int xy = 0, xz = 0;
        for (int i = 0; i < 1000; i++) {
            uint32_t value = ioa_pcg32_next(&x);
            xy += __builtin_popcount(value ^ ioa_pcg32_next(&y));
            xz += __builtin_popcount(value ^ ioa_pcg32_next(&z));
        }
        assert_in_range(xy, 15500, 16500);
        assert_in_range(xz, 15500, 16500);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pcg32_gives_the_published_sequence), cmocka_unit_test(pcg64_gives_the_published_sequence),
        cmocka_unit_test(advance_equals_drawing),             cmocka_unit_test(below_is_in_range_and_even),
        cmocka_unit_test(keyed_streams_are_independent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
