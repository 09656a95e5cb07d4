/* What a search decides from its own course: shares and windows of moves, the elite, when to heat up again. */
#include "core/base/rng.h"
#include "optimizer/search/base/tuning.h"
#include "optimizer/search/engine/engine.h"
#include "optimizer/search/tempering/elite.h"
#include "optimizer/search/tempering/stagnation.h"
#include "optimizer/search/tempering/trace.h"
#include "tests/support/unit.h"

#include <string.h>

static const ioa_move table[IOA_MOVES] = {{"a", 0, 512, true}, {"b", 0, 512, false}, {"c", 1, 1000, true}, {"d", 1, 24, false}, {0}};
static const ioa_window limits[IOA_LEVELS] = {{4, 1, 8, 0.44, 3, 5}, {3, 3, 3, 0.44, 0, 0}};

static void tables_of_engines_add_up(void **state)
{
    (void)state;
    for (unsigned i = 0; ioa_engine_at(i); i++) {
        ioa_tuning tuning;
        ioa_tuning_begin(ioa_engine_at(i)->moves, ioa_engine_at(i)->windows, &tuning);
        assert_true(ioa_tuning_valid(ioa_engine_at(i)->moves, ioa_engine_at(i)->windows, &tuning));
    }
}

/* The same gain for a quarter of the effort: shares as the square roots, 2 to 1. Levels do not mix. */
static void shares_follow_gain_per_element(void **state)
{
    (void)state;
    ioa_tuning tuning;
    ioa_move_counts counts[IOA_MOVES] = {{100, 10, 900, 5000}, {100, 10, 3900, 5000}};
    ioa_tuning_begin(table, limits, &tuning);
    ioa_tuning_adapt(table, limits, counts, IOA_ADAPT_SHARES, &tuning);
    assert_true(tuning.share[0] == 683 && tuning.share[1] == 341);
    assert_true(tuning.share[2] == 1000 && tuning.share[3] == 24 && tuning.window[0] == 4.0);
    assert_true(ioa_tuning_valid(table, limits, &tuning));
    ioa_tuning_begin(table, limits, &tuning);
    ioa_tuning_adapt(table, limits, counts, 0, &tuning); /* not wanted */
    assert_int_equal(tuning.share[0], 512);
    counts[1].gained = 0; /* of no use at all: it keeps a share all the same */
    for (int i = 0; i < 100; i++) ioa_tuning_adapt(table, limits, counts, IOA_ADAPT_SHARES, &tuning);
    assert_true(tuning.share[1] > 100 && tuning.share[1] < 400);
}

static void windows_follow_acceptance(void **state)
{
    (void)state;
    ioa_tuning tuning;
    ioa_move_counts counts[IOA_MOVES] = {{100, 94, 1, 1}, {100, 0, 1, 1}, {100, 0, 1, 1}};
    ioa_tuning_begin(table, limits, &tuning);
    ioa_tuning_adapt(table, limits, counts, IOA_ADAPT_WINDOWS, &tuning);
    assert_true(tuning.window[0] > 5.99 && tuning.window[0] < 6.01); /* the move without a window does not count */
    for (int i = 0; i < 20; i++) ioa_tuning_adapt(table, limits, counts, IOA_ADAPT_WINDOWS, &tuning);
    assert_true(tuning.window[0] == 8.0);
    counts[0].accepted = 0;
    for (int i = 0; i < 20; i++) ioa_tuning_adapt(table, limits, counts, IOA_ADAPT_WINDOWS, &tuning);
    assert_true(tuning.window[0] == 1.0 && tuning.window[1] == 3.0); /* the other one has no room to move */
}

/* Elements, proposals and acceptances are counted; a rung that costs a third more than it should makes fewer proposals, step by
 * step, and never less than half of them. */
static void effort_follows_cost(void **state)
{
    (void)state;
    ioa_tuning tuning;
    const ioa_move_counts counts[IOA_MOVES] = {{100, 10, 700, 0}, {50, 10, 300, 0}, {7, 7, 900, 0}};
    ioa_tuning_begin(table, limits, &tuning);
    assert_int_equal(ioa_tuning_proposals(&tuning, 0, 4321), 4321);
    assert_true(ioa_tuning_cost(table, limits, counts, 0, &tuning) == 1000 + 3 * 150 + 5 * 20);
    assert_true(ioa_tuning_cost(table, limits, counts, 1, &tuning) == 900);
    tuning.effort[0] = IOA_EFFORT_ONE / 2; /* half the proposals: a whole round would cost twice as much */
    assert_true(ioa_tuning_cost(table, limits, counts, 0, &tuning) == 2 * 1550);
    assert_int_equal(ioa_tuning_proposals(&tuning, 0, 4321), 2160);
    assert_int_equal(ioa_tuning_proposals(&tuning, 0, 1), 1);
    ioa_tuning_begin(table, limits, &tuning);
    ioa_tuning_balance(4.0, 3.0, 0, &tuning);
    assert_int_equal(tuning.effort[0], 896); /* half-way to 768 */
    for (int i = 0; i < 20; i++) ioa_tuning_balance(4.0, 3.0, 0, &tuning);
    assert_in_range(tuning.effort[0], 768, 769);
    assert_int_equal(tuning.effort[1], IOA_EFFORT_ONE);
    for (int i = 0; i < 20; i++) ioa_tuning_balance(1e9, 1.0, 0, &tuning);
    assert_int_equal(tuning.effort[0], IOA_EFFORT_ONE / 2);
    for (int i = 0; i < 20; i++) ioa_tuning_balance(1.0, 1e9, 0, &tuning);
    assert_int_equal(tuning.effort[0], IOA_EFFORT_ONE * 2);
    assert_true(ioa_tuning_valid(table, limits, &tuning));
    tuning.effort[1]--;
    assert_true(ioa_tuning_valid(table, limits, &tuning));
    tuning.effort[1] = 0;
    assert_false(ioa_tuning_valid(table, limits, &tuning));
}

/* Whatever is counted, shares add up and nothing leaves its limits; damaged ones are noticed. */
static void tunings_stay_valid(void **state)
{
    (void)state;
    ioa_pcg32 rng = ioa_rng_keyed(1, IOA_RNG_TEST, 0, 0);
    ioa_tuning tuning;
    ioa_tuning_begin(table, limits, &tuning);
    for (int round = 0; round < 2000; round++) {
        ioa_move_counts counts[IOA_MOVES] = {0};
        for (int i = 0; i < 4; i++) {
            counts[i].proposed = ioa_pcg32_below(&rng, 3) ? ioa_pcg32_below(&rng, 100000) : 0;
            counts[i].accepted = counts[i].proposed / (1 + ioa_pcg32_below(&rng, 20));
            counts[i].touched = counts[i].proposed * ioa_pcg32_below(&rng, 1000);
            counts[i].gained = ioa_pcg32_below(&rng, 4) ? ioa_pcg32_next(&rng) : 0;
        }
        ioa_tuning_adapt(table, limits, counts, IOA_ADAPT_SHARES | IOA_ADAPT_WINDOWS, &tuning);
        assert_true(ioa_tuning_valid(table, limits, &tuning));
    }
    ioa_tuning damaged = tuning;
    damaged.share[0]++;
    assert_false(ioa_tuning_valid(table, limits, &damaged));
    damaged = tuning;
    damaged.window[0] = 9.0;
    assert_false(ioa_tuning_valid(table, limits, &damaged));
}

enum { LENGTH = 4000 };

/* An order that keeps about the given share of the pairs of the identity. */
static ioa_sketch sketch_of(double kept, uint64_t seed)
{
    static uint32_t order[LENGTH];
    ioa_pcg32 rng = ioa_rng_keyed(seed, IOA_RNG_TEST, 0, 0);
    for (uint32_t i = 0; i < LENGTH; i++) order[i] = i;
    for (uint32_t i = 0; i < (uint32_t)((1.0 - kept) / 4.0 * LENGTH); i++) { /* an exchange breaks four pairs */
        uint32_t a = ioa_pcg32_below(&rng, LENGTH), b = ioa_pcg32_below(&rng, LENGTH), keep = order[a];
        order[a] = order[b];
        order[b] = keep;
    }
    return ioa_sketch_of(order, LENGTH);
}

static void elites_are_good_and_not_alike(void **state)
{
    (void)state;
    ioa_elite elite = {.capacity = 3};
    ioa_sketch same = sketch_of(1.0, 1), close = sketch_of(0.98, 2), far[4];
    for (uint64_t i = 0; i < 4; i++) far[i] = sketch_of(0.0, 10 + i);
    assert_int_equal(ioa_elite_offer(&elite, 100, &same), 0);
    assert_int_equal(ioa_elite_offer(&elite, 100, &close), -1); /* alike and no better */
    assert_int_equal(ioa_elite_offer(&elite, 90, &close), 0);   /* alike and better: takes its place */
    assert_int_equal(ioa_elite_offer(&elite, 200, &far[0]), 1);
    assert_int_equal(ioa_elite_offer(&elite, 150, &far[1]), 2);
    assert_int_equal(ioa_elite_offer(&elite, 200, &far[2]), -1); /* full, and no better than the worst */
    assert_int_equal(ioa_elite_offer(&elite, 120, &far[3]), 1);
    static const uint32_t ranked[] = {0, 1, 2};
    for (uint32_t i = 0; i < 3; i++) assert_int_equal(ioa_elite_ranked(&elite, i), ranked[i]);
    assert_int_equal(ioa_elite_capacity(1000), IOA_ELITE_MOST);
    assert_int_equal(ioa_elite_capacity(UINT64_C(1) << 30), 0);
}

static void stagnation_reheats_once_then_ends(void **state)
{
    (void)state;
    ioa_stagnation s = {0};
    uint64_t round = 0;
    for (; round < 1000; round++) /* hot: nothing is gained, and that is no stagnation */
        assert_int_equal(ioa_stagnation_judge(&s, round, false, false, 1000, round / 25, 3), IOA_GO_ON);
    assert_int_equal(ioa_stagnation_judge(&s, round, true, true, 900, 40, 3), IOA_GO_ON);
    ioa_verdict_on_search verdict = IOA_GO_ON;
    uint64_t from = round;
    while (verdict == IOA_GO_ON) {
        round++;
        verdict = ioa_stagnation_judge(&s, round, false, true, 900, 40 + (round - from) / 25, 3);
    }
    assert_int_equal(verdict, IOA_REHEAT);
    assert_int_equal(round - from, 75); /* three round trips; 20 rounds for each would have been too few */
    ioa_stagnation_reheat(&s, round, 100000, 900, 60);
    assert_true(s.cycle == round && s.cycle_end == round + 1000 && s.reheats == 1);
    verdict = IOA_GO_ON;
    from = round;
    while (verdict == IOA_GO_ON) verdict = ioa_stagnation_judge(&s, ++round, false, true, 900, 60, 3);
    assert_int_equal(verdict, IOA_GIVE_UP);
    assert_int_equal(round - from, 300); /* nothing goes round: by rounds alone */
    for (int i = 0; i < 5000; i++) assert_int_equal(ioa_stagnation_judge(&s, ++round, false, true, 900, 999, 0), IOA_GO_ON);
}

/* However long the search: room is limited, pairs of rounds stay together, the last round is there, and what is left
 * follows from the number of rounds. */
static void traces_are_thinned(void **state)
{
    (void)state;
    enum { K = 3000 };
    ioa_trace trace = {.replicas = K}, again = {.replicas = K};
    uint64_t most = ioa_trace_most_rows(K);
    for (uint64_t round = 0; round < 9000; round++) {
        assert_int_equal(ioa_trace_reserve(&trace, trace.rows + 1, NULL), IOA_OK);
        uint64_t row = ioa_trace_next(&trace);
        assert_true(row + 1 == trace.rows && trace.rows <= most && trace.rounds == round + 1);
        trace.best[row] = round + 7; /* travels with its round */
        trace.energy[row * K + 5] = (int64_t)round;
        if (round % 97 && round < 8999) continue;
        assert_int_equal(ioa_trace_resize(&again, round + 1, NULL), IOA_OK);
        assert_int_equal(again.rows, trace.rows);
        assert_memory_equal(again.round, trace.round, trace.rows * sizeof *trace.round);
        assert_int_equal(trace.round[trace.rows - 1], round);
        for (uint64_t r = 0; r < trace.rows; r++) {
            assert_true(trace.best[r] == trace.round[r] + 7 && trace.energy[r * K + 5] == (int64_t)trace.round[r]);
            if (r % 2 && r + 1 < trace.rows) assert_int_equal(trace.round[r], trace.round[r - 1] + 1);
            assert_int_equal(ioa_trace_row(&trace, trace.round[r]), r);
        }
    }
    assert_true(trace.stride >= 16 && trace.rows > most / 2);
    ioa_trace_clear(&trace);
    ioa_trace_clear(&again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_of_engines_add_up),      cmocka_unit_test(shares_follow_gain_per_element),
        cmocka_unit_test(windows_follow_acceptance),     cmocka_unit_test(effort_follows_cost),
        cmocka_unit_test(tunings_stay_valid),            cmocka_unit_test(traces_are_thinned),
        cmocka_unit_test(elites_are_good_and_not_alike), cmocka_unit_test(stagnation_reheats_once_then_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
