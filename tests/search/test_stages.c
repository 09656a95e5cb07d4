#include "optimizer/search/tempering/stages.h"
#include "tests/support/unit.h"

/* Walks through a whole search: every stage's progress ends at 1, every kind has its trial, one kind has the rest. */
static void walk(uint32_t kinds, uint32_t replicas, uint64_t planned, uint64_t trial)
{
    ioa_stages s = ioa_stages_make(kinds, replicas, planned, trial);
    uint64_t begins = 0, full = 0, end = ioa_stages_trial_end(&s), seen[IOA_STAGES_MOST_KINDS] = {0};
    double last = 0.0;
    for (uint64_t round = 0; round < planned; round++) {
        ioa_stage stage = ioa_stages_at(&s, round);
        assert_true(ioa_stages_valid(&s, round));
        assert_true(stage.progress >= 0.0 && stage.progress <= 1.0);
        if (stage.begins) assert_true(last == 1.0 && ++begins);
        if (stage.progress == 1.0) full++;
        last = stage.progress;
        assert_int_equal(stage.trial, round < end);
        for (uint32_t k = 0; k < replicas; k++) {
            uint32_t kind = ioa_stages_kind(&s, round, k);
            assert_true(kind < kinds);
            if (round < end) {
                seen[kind]++;
                ioa_stages_report(&s, round, k, 100 - (int64_t)kind); /* the last kind wins */
            } else if (end) {
                assert_int_equal(kind, kinds - 1);
                ioa_stages_report(&s, round, k, 1); /* comes too late */
            }
        }
        if (round < end) assert_int_equal(ioa_stages_side_by_side(&s, round), kinds < replicas ? kinds : replicas);
        else if (end) assert_int_equal(ioa_stages_side_by_side(&s, round), 1);
    }
    uint64_t parts = (kinds + replicas - 1) / replicas;
    assert_true(last == 1.0);
    assert_int_equal(begins, end ? parts : 0);
    assert_int_equal(full, end ? parts + 1 : 1);
    for (uint32_t k = 0; end && k < kinds; k++) assert_true(seen[k] > 0);
}

static void every_stage_is_a_whole_annealing(void **state)
{
    (void)state;
    for (uint32_t kinds = 1; kinds <= 4; kinds++)
        for (uint32_t replicas = 1; replicas <= 7; replicas++)
            for (uint64_t planned = 60; planned < 900; planned += 137) walk(kinds, replicas, planned, UINT64_MAX);
    walk(2, 2, 60, 0);
    walk(2, 2, 60, 20);
    walk(3, 1, 60, 20);
}

static void short_searches_have_no_trial(void **state)
{
    (void)state;
    for (uint64_t planned = 1; planned < 60; planned++)
        assert_int_equal(ioa_stages_trial_end(&(ioa_stages){.trial = ioa_stages_make(2, 2, planned, UINT64_MAX).trial}), 0);
}

/* A plan from a time limit: the trial from the first estimate, the rest from the second; repeated by its numbers it is
 * the same search. */
static void plans_from_time_can_be_repeated(void **state)
{
    (void)state;
    ioa_stages s = ioa_stages_make(2, 2, 0, UINT64_MAX);
    assert_true(ioa_stages_trial_end(&s) == UINT64_MAX && ioa_stages_valid(&s, 3) && !ioa_stages_valid(&s, 4));
    assert_false(ioa_stages_want_plan(&s, 3));
    assert_true(ioa_stages_want_plan(&s, 4));
    ioa_stages_plan(&s, 500);
    assert_int_equal(s.planned, 0);
    uint64_t end = ioa_stages_trial_end(&s), again = end + 4;
    assert_true(end > 4 && end < 100);
    for (uint64_t done = 5; done < again; done++) assert_false(ioa_stages_want_plan(&s, done));
    assert_true(ioa_stages_want_plan(&s, again));
    ioa_stages_plan(&s, 777);
    assert_int_equal(s.planned, 777);
    ioa_stages t = ioa_stages_make(2, 2, s.planned, s.trial);
    for (uint64_t round = 0; round < 777; round++) {
        ioa_stage a = ioa_stages_at(&s, round), b = ioa_stages_at(&t, round);
        assert_true(a.begins == b.begins && a.progress == b.progress && a.rounds == b.rounds && a.trial == b.trial);
    }
    ioa_stages one = ioa_stages_make(1, 4, 0, UINT64_MAX);
    assert_true(ioa_stages_want_plan(&one, 4));
    ioa_stages_plan(&one, 30);
    assert_int_equal(one.planned, 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_stage_is_a_whole_annealing),
        cmocka_unit_test(short_searches_have_no_trial),
        cmocka_unit_test(plans_from_time_can_be_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
