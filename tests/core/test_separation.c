/* The games of first accesses: their search against plain ones, their values against the optimum of tiny networks. */
#include "core/base/mem.h"
#include "core/bounds/bounds.h"
#include "core/bounds/bounds_internal.h"
#include "core/bounds/separation.h"
#include "core/model/network.h"
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
    assert_int_equal(ioa_bounds_separation(network, memory, 0, true, &work, &excess, NULL), IOA_OK);
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

/* Game F by all its moves, cheapest first, without safe steps. */
typedef struct plain {
    ioa_separation_state *state;
    uint32_t *cost;
    uint32_t count;
} plain;

#define MOST_PLAIN 60000u

static void reach(plain *p, const ioa_separation_state *state, uint32_t cost)
{
    for (uint32_t i = 0; i < p->count; i++) {
        const ioa_separation_state *s = &p->state[i];
        if (memcmp(&s->touched, &state->touched, sizeof s->touched) != 0 ||
            memcmp(&s->spilled, &state->spilled, sizeof s->spilled) != 0 ||
            memcmp(&s->paid, &state->paid, sizeof s->paid) != 0 || memcmp(s->tie, state->tie, sizeof s->tie) != 0)
            continue;
        if (cost < p->cost[i]) p->cost[i] = cost;
        return;
    }
    if (p->count == MOST_PLAIN) return;
    p->state[p->count] = *state;
    p->cost[p->count++] = cost;
}

static void choose(plain *p, const ioa_separation *game, const ioa_separation_state *s, const ioa_set *from, uint32_t n,
                   uint32_t least, bool returns, uint32_t cost)
{
    if (n == 0) {
        reach(p, s, cost);
        return;
    }
    for (uint32_t x = ioa_set_next(from, least); x < IOA_SEPARATION_NEURONS; x = ioa_set_next(from, x + 1)) {
        ioa_separation_state t = *s;
        uint32_t price = ioa_separation_price(game, s, x);
        ioa_separation_spill(game, &t, x, returns);
        choose(p, game, &t, from, n - 1, x + 1, returns, cost + price);
    }
}

/* UINT64_MAX where there are too many states. */
static uint64_t least_with_returns(const ioa_network *network, uint64_t memory)
{
    ioa_separation *game = ioa_alloc(1, sizeof *game);
    plain p = {.state = ioa_alloc(MOST_PLAIN, sizeof *p.state), .cost = ioa_alloc(MOST_PLAIN, sizeof *p.cost)};
    bool *done = ioa_alloc_zero(MOST_PLAIN, sizeof *done);
    assert_true(game && p.state && p.cost && done && ioa_separation_create(network, memory, game));
    ioa_separation_state start = {.touched = game->all};
    uint64_t least = UINT64_MAX;
    reach(&p, &start, 0);
    while (p.count < MOST_PLAIN) {
        uint32_t at = p.count;
        for (uint32_t i = 0; i < p.count; i++)
            if (!done[i] && (at == p.count || p.cost[i] < p.cost[at])) at = i;
        assert_true(at < p.count);
        if (ioa_set_empty(&p.state[at].touched)) {
            least = p.cost[at];
            break;
        }
        done[at] = true;
        ioa_separation_state s = p.state[at];
        for (uint32_t v = ioa_set_next(&s.touched, 0); v < IOA_SEPARATION_NEURONS; v = ioa_set_next(&s.touched, v + 1)) {
            ioa_separation_state t = ioa_separation_remove(game, &s, v);
            uint32_t occupied = ioa_separation_occupied(&t), over = occupied > game->slots ? occupied - game->slots : 0;
            ioa_set present = ioa_set_minus(&t.live, &t.spilled), any = ioa_set_minus(&t.touched, &t.spilled);
            choose(&p, game, &t, &present, over, 0, true, p.cost[at]);
            /* free ones: one more, of whom at least as many as overflow are live */
            ioa_set served = ioa_set_minus(&any, &t.live);
            if (over) choose(&p, game, &t, &present, over + 1, 0, false, p.cost[at]);
            for (uint32_t z = ioa_set_next(&served, 0); over && z < IOA_SEPARATION_NEURONS; z = ioa_set_next(&served, z + 1)) {
                ioa_separation_state u = t;
                uint32_t price = ioa_separation_price(game, &t, z);
                ioa_separation_spill(game, &u, z, false);
                choose(&p, game, &u, &present, over, 0, false, p.cost[at] + price);
            }
        }
    }
    ioa_free(game);
    ioa_free(p.state);
    ioa_free(p.cost);
    ioa_free(done);
    return least;
}

static void the_search_finds_the_least_cost_of_the_games(void **state)
{
    (void)state;
    uint32_t compared = 0, positive = 0, exact = 0, more = 0;
    for (uint64_t seed = 0; seed < 250; seed++) {
        ioa_network *network = tiny_dag(seed);
        for (uint64_t memory = 3; network && network->connections && memory <= 6; memory++) {
            uint64_t found = separation(network, memory), least = least_cost(network, (uint32_t)memory - 1);
            if (found < least || (found > 0) != (least > 0))
                fail_msg("seed %u, M = %u: the search found %u, without returns it is %u", (unsigned)seed, (unsigned)memory,
                         (unsigned)found, (unsigned)least);
            compared++;
            positive += least > 0;
            more += found > least;
            if (network->a.neurons > 8) continue;
            least = least_with_returns(network, memory);
            if (least == UINT64_MAX) continue;
            if (found != least)
                fail_msg("seed %u, M = %u: the search found %u, the least is %u", (unsigned)seed, (unsigned)memory,
                         (unsigned)found, (unsigned)least);
            exact += least > 0;
        }
        ioa_network_destroy(network);
    }
    print_message("%u compared, %u positive, %u more with returns; %u positive as by plain search\n", compared, positive, more,
                  exact);
    assert_true(compared > 500);
    assert_true(positive > 100);
    assert_true(more > 50);
    assert_true(exact > 50);
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
        assert_int_equal(ioa_bounds_separation(network, 5, 2, true, &work, &excess, NULL), IOA_OK);
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
        assert_int_equal(ioa_bounds_separation(network, 3, 0, true, &work, &excess, NULL), IOA_ERR_NOMEM);
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
        cmocka_unit_test(the_search_finds_the_least_cost_of_the_games),
        cmocka_unit_test(the_bound_is_below_the_optimum_and_exact_at_zero),
        cmocka_unit_test(without_work_nothing_is_claimed),
        cmocka_unit_test(failing_allocations_are_reported),
        cmocka_unit_test(larger_networks_have_no_game),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
