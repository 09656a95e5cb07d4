#include "core/kernel/portable_math.h"
#include "optimizer/search/tempering/ladder.h"
#include "tests/support/unit.h"

#include <math.h>

static void portable_math_is_close_to_libm(void **state)
{
    (void)state;
    for (double x = -699.0; x < 700.0; x += 0.37)
        assert_true(fabs(ioa_portable_exp(x) - exp(x)) <= 1e-15 * 8 * exp(x));
    assert_true(ioa_portable_exp(-1e9) == 0.0);
    for (double x = 1e-300; x < 1e300; x *= 1.37)
        assert_true(fabs(ioa_portable_log(x) - log(x)) <= 1e-15 * 4 * (1.0 + fabs(log(x))));
}

static void swaps_follow_detailed_balance(void **state)
{
    (void)state;
    assert_true(ioa_swap_probability(100, 1.0, 90, 2.0) == 1.0); /* the colder rung gets the lower energy */
    assert_true(ioa_swap_probability(100, 1.0, 100, 2.0) == 1.0);
    assert_true(fabs(ioa_swap_probability(90, 1.0, 100, 2.0) - exp(-0.5 * 10)) < 1e-12);
}

static void swaps_alternate_and_permute(void **state)
{
    (void)state;
    ioa_ladder ladder;
    assert_int_equal(ioa_ladder_create(5, 1, 100.0, &ladder, NULL), IOA_OK);
    int64_t energy[] = {50, 40, 30, 20, 10}; /* upside down: every pair tried must swap */
    uint32_t rung_of[] = {0, 1, 2, 3, 4}, replica_at[] = {0, 1, 2, 3, 4};
    double accepted[5];
    ioa_ladder_swap(&ladder, ladder.temperature, 1, 0, energy, rung_of, replica_at, accepted, NULL);
    static const double even[] = {1, -1, 1, -1, -1}, odd[] = {-1, 1, -1, 1, -1};
    assert_memory_equal(accepted, even, sizeof even);
    for (uint32_t i = 0; i < 5; i++) assert_int_equal(rung_of[replica_at[i]], i);
    ioa_ladder_swap(&ladder, ladder.temperature, 1, 1, energy, rung_of, replica_at, accepted, NULL);
    assert_memory_equal(accepted, odd, sizeof odd);
    ioa_ladder_destroy(&ladder);
}

/* Where swaps fail the rungs must move together, the ends stay, and the sequence stays ascending. */
static void adaptation_evens_out_rejections(void **state)
{
    (void)state;
    ioa_ladder ladder;
    assert_int_equal(ioa_ladder_create(6, 1, 4.0, &ladder, NULL), IOA_OK);
    double before = ladder.temperature[2] / ladder.temperature[1];
    static const double acceptance[] = {0.05, 0.9, 0.9, 0.9, 0.9};
    for (int i = 0; i < 5; i++) {
        ladder.attempts[i] = 100;
        ladder.acceptance[i] = 100 * acceptance[i];
    }
    assert_true(fabs(ioa_ladder_barrier(&ladder) - 1.35) < 1e-9);
    ioa_ladder_adapt(&ladder, 1);
    assert_true(fabs(ladder.temperature[2] / ladder.temperature[1] - before) < 1e-9); /* not due yet */
    ioa_ladder_adapt(&ladder, 8);
    /* 73 % of the swaps were accepted, so the ladder also widens: its top from 4 to 4^1.5. */
    assert_true(ladder.temperature[0] == 1.0 && fabs(ladder.temperature[5] - pow(4.0, 1.5)) < 1e-9);
    for (int i = 0; i < 5; i++) assert_true(ladder.temperature[i] < ladder.temperature[i + 1]);
    assert_true(ladder.temperature[3] < pow(4.0, 0.2 * 1.5)); /* most rungs now stand where the barrier is */
    assert_int_equal(ladder.attempts[0], 0);
    ioa_ladder_destroy(&ladder);
}

/* Two kinds of replicas: each has its ladder, and no swap joins them. */
static void groups_keep_apart(void **state)
{
    (void)state;
    ioa_ladder ladder;
    assert_int_equal(ioa_ladder_create(5, 2, 4.0, &ladder, NULL), IOA_OK);
    uint32_t rung_of[5], replica_at[5];
    ioa_ladder_place(&ladder, rung_of, replica_at);
    static const uint32_t wanted[] = {0, 2, 4, 1, 3};
    assert_memory_equal(replica_at, wanted, sizeof wanted);
    assert_true(ladder.temperature[0] == 1.0 && ladder.temperature[3] == 1.0);
    assert_true(fabs(ladder.temperature[2] - 4.0) < 1e-9 && fabs(ladder.temperature[4] - 4.0) < 1e-9);
    int64_t energy[] = {50, 10, 40, 5, 30}; /* by replica: every pair tried must swap */
    for (uint64_t round = 0; round < 40; round++) {
        double swap[5];
        ioa_ladder_swap(&ladder, ladder.temperature, 1, round, energy, rung_of, replica_at, swap, NULL);
        assert_true(swap[2] == -1.0);
        for (uint32_t i = 0; i < 5; i++) assert_int_equal(replica_at[i] % 2, i >= 3);
        ioa_ladder_adapt(&ladder, round + 1);
    }
    ioa_ladder_destroy(&ladder);
}

static void impossible_ladders_are_refused(void **state)
{
    (void)state;
    ioa_ladder ladder;
    assert_int_equal(ioa_ladder_create(0, 1, 2.0, &ladder, NULL), IOA_ERR_INPUT);
    assert_int_equal(ioa_ladder_create(3, 1, 0.5, &ladder, NULL), IOA_ERR_INPUT);
    assert_int_equal(ioa_ladder_create(3, 1, (double)NAN, &ladder, NULL), IOA_ERR_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(portable_math_is_close_to_libm), cmocka_unit_test(swaps_follow_detailed_balance),
        cmocka_unit_test(swaps_alternate_and_permute),    cmocka_unit_test(adaptation_evens_out_rejections),
        cmocka_unit_test(impossible_ladders_are_refused), cmocka_unit_test(groups_keep_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
