/* The game of first accesses: its search against all subsets, its value against the optimum of tiny networks. */
#include "core/bounds.h"
#include "core/bounds_internal.h"
#include "core/mem.h"
#include "core/network.h"
#include "core/separation.h"
#include "tests/support/optimal.h"
#include "tests/support/random_network.h"
#include "tests/support/unit.h"

#include <stdlib.h>
#include <string.h>

#define PLENTY UINT64_C(100000000)
#define MOST 10u

static ioa_network *tiny_dag(uint64_t seed)
{
    ioa_test_dag_params params = ioa_test_dag_defaults();
    params.neurons = 6 + (uint32_t)(seed % 5);
    params.inputs = 1 + (uint32_t)(seed % 4);
    params.outputs = 1 + (uint32_t)(seed % 2);
    params.fan_in = 2 + (uint32_t)(seed % 3);
    params.isolated = 0.0;
    params.reach = seed % 3 ? 0 : 4;
    params.inner_outputs = seed % 2;
    return ioa_test_random_dag(seed, params);
}

static uint64_t separation(const ioa_network *network, uint64_t memory)
{
    uint64_t work = PLENTY, excess = 0;
    assert_int_equal(ioa_bounds_separation(network, memory, 0, &work, &excess, NULL), IOA_OK);
    assert_true(work > 0);
    return excess;
}

/* ---- the search against the definition ---- */

static uint32_t live_neurons(const uint32_t *need, uint32_t n, uint32_t touched)
{
    uint32_t live = 0;
    for (uint32_t x = 0; x < n; x++)
        if (touched >> x & 1 && need[x] & ~touched) live |= 1u << x;
    return live;
}

/* Whether all neurons can come one by one if those of `spilled` need no slot once they are there. */
static bool playable(const uint32_t *live, uint32_t n, uint32_t spilled, uint32_t slots)
{
    static bool reached[1u << MOST];
    memset(reached, 0, sizeof reached);
    reached[0] = true;
    for (uint32_t touched = 0; touched < 1u << n; touched++)
        if (reached[touched] && (uint32_t)__builtin_popcount(live[touched] & ~spilled) + 1 <= slots)
            for (uint32_t v = 0; v < n; v++) reached[touched | 1u << v] = true;
    return reached[(1u << n) - 1];
}

static uint64_t least_cost(const ioa_network *network, uint32_t slots)
{
    const ioa_network_arrays *a = &network->a;
    uint32_t n = a->neurons, need[MOST] = {0}, source = 0;
    static uint32_t live[1u << MOST];
    for (uint32_t v = 0; v < n; v++) {
        need[v] = 1u << v;
        for (int64_t e = a->indptr[v]; e < a->indptr[v + 1]; e++) need[v] |= need[a->indices[e]];
    }
    for (uint32_t v = 0; v < n; v++)
        for (int64_t e = a->indptr[v]; e < a->indptr[v + 1]; e++) {
            need[a->indices[e]] |= 1u << v;
            source |= 1u << a->indices[e];
        }
    for (uint32_t touched = 0; touched < 1u << n; touched++) live[touched] = live_neurons(need, n, touched);
    uint64_t best = UINT64_MAX;
    for (uint32_t spilled = 0; spilled < 1u << n; spilled++) {
        uint64_t cost = 0;
        for (uint32_t v = 0; v < n; v++) {
            bool cheap = a->indptr[v + 1] == a->indptr[v] || (network->is_output[v] && source >> v & 1);
            if (spilled >> v & 1) cost += cheap ? 1 : 2;
        }
        if (cost < best && playable(live, n, spilled, slots)) best = cost;
    }
    return best;
}

static void the_search_finds_the_least_cost_of_the_game(void **state)
{
    (void)state;
    uint32_t compared = 0, positive = 0;
    for (uint64_t seed = 0; seed < 250; seed++) {
        ioa_network *network = tiny_dag(seed);
        for (uint64_t memory = 3; network && network->connections && memory <= 6; memory++) {
            uint64_t found = separation(network, memory), least = least_cost(network, (uint32_t)memory - 1);
            if (found != least)
                fail_msg("seed %u, M = %u: the search found %u, the least is %u", (unsigned)seed, (unsigned)memory,
                         (unsigned)found, (unsigned)least);
            compared++;
            positive += least > 0;
        }
        ioa_network_destroy(network);
    }
    print_message("%u compared, %u positive\n", compared, positive);
    assert_true(compared > 500);
    assert_true(positive > 100);
}

/* ---- the game against the optimum ---- */

static void the_bound_is_below_the_optimum_and_exact_at_zero(void **state)
{
    (void)state;
    uint32_t compared = 0, positive = 0, tight = 0;
    for (uint64_t seed = 0; seed < 400; seed++) {
        ioa_network *network = tiny_dag(seed);
        bool small = network && network->connections > 0 && network->connections <= 16;
        for (uint64_t memory = 3; small && memory <= 6; memory++) {
            uint64_t optimum;
            if (!ioa_test_optimal_excess(network, memory, 200000, &optimum)) continue;
            uint64_t bound = separation(network, memory);
            if (bound > optimum || (bound == 0) != (optimum == 0))
                fail_msg("seed %u, M = %u: the bound is %u, the optimum %u", (unsigned)seed, (unsigned)memory,
                         (unsigned)bound, (unsigned)optimum);
            compared++;
            positive += bound > 0;
            tight += bound > 0 && bound == optimum;
        }
        ioa_network_destroy(network);
    }
    print_message("%u compared, %u positive, %u tight\n", compared, positive, tight);
    assert_true(compared > 500);
    assert_true(tight > 50);
}

/* ---- limits ---- */

static void without_work_nothing_is_claimed(void **state)
{
    (void)state;
    ioa_network *network = ioa_test_random_dag(3, ioa_test_dag_defaults());
    for (uint64_t limit = 0; limit < 3000; limit = limit * 2 + 1) {
        uint64_t work = limit, excess = 77;
        assert_int_equal(ioa_bounds_separation(network, 5, 2, &work, &excess, NULL), IOA_OK);
        assert_true(work <= limit);
        assert_true(excess >= 2);
        if (limit < 2) assert_int_equal(excess, 2);
    }
    ioa_network_destroy(network);
}

static void failing_allocations_are_reported(void **state)
{
    (void)state;
    ioa_network *network = tiny_dag(4);
    uint64_t excess, work;
    ioa_mem_fail_at(0);
    assert_int_equal(separation(network, 3) > 0, 1);
    uint64_t allocations = ioa_mem_fail_at(0);
    assert_true(allocations >= 3);
    for (uint64_t n = 1; n <= allocations; n++) {
        work = PLENTY;
        ioa_mem_fail_at(n);
        assert_int_equal(ioa_bounds_separation(network, 3, 0, &work, &excess, NULL), IOA_ERR_NOMEM);
    }
    ioa_mem_fail_at(0);
    ioa_network_destroy(network);
}

static void larger_networks_have_no_game(void **state)
{
    (void)state;
    ioa_separation *game = ioa_alloc(1, sizeof *game);
    static const uint32_t most[] = {64, 64}, more[] = {64, 65};
    ioa_network *network = ioa_test_random_mlp(1, most, 2, 1.0, IOA_ACT_RELU);
    assert_true(ioa_separation_create(network, 4, game));
    assert_int_equal(game->count, IOA_SEPARATION_NEURONS);
    ioa_network_destroy(network);
    network = ioa_test_random_mlp(1, more, 2, 1.0, IOA_ACT_RELU);
    assert_false(ioa_separation_create(network, 4, game));
    ioa_network_destroy(network);
    ioa_free(game);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_search_finds_the_least_cost_of_the_game),
        cmocka_unit_test(the_bound_is_below_the_optimum_and_exact_at_zero),
        cmocka_unit_test(without_work_nothing_is_claimed),
        cmocka_unit_test(failing_allocations_are_reported),
        cmocka_unit_test(larger_networks_have_no_game),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
