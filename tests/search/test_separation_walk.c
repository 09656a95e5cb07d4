/* The count for small networks against the simulator, and the walk that uses it. */
#include "core/mem.h"
#include "core/network.h"
#include "core/rng.h"
#include "optimizer/search/construct_separation_walk.h"
#include "tests/support/random_network.h"
#include "tests/support/unit.h"

#include <ioanneal/memory.h>

static ioa_network *small_dag(uint64_t seed)
{
    ioa_test_dag_params params = ioa_test_dag_defaults();
    params.neurons = 8 + (uint32_t)(seed % 40);
    params.inputs = 1 + (uint32_t)(seed % 6);
    params.outputs = 1 + (uint32_t)(seed % 3);
    params.fan_in = 2 + (uint32_t)(seed % 4);
    params.inner_outputs = seed % 2;
    return ioa_test_random_dag(seed, params);
}

/* Any connection whose source is complete may be next. */
static void random_order(const ioa_network *network, ioa_pcg32 *rng, uint32_t *order)
{
    const ioa_network_arrays *a = &network->a;
    uint32_t w = (uint32_t)network->connections, at = 0;
    uint32_t *missing = ioa_alloc(a->neurons, sizeof *missing), *destination = ioa_alloc(w, sizeof *destination);
    bool *done = ioa_alloc_zero(w, sizeof *done);
    assert_true(missing && destination && done);
    for (uint32_t v = 0; v < a->neurons; v++) {
        missing[v] = (uint32_t)(a->indptr[v + 1] - a->indptr[v]);
        for (int64_t e = a->indptr[v]; e < a->indptr[v + 1]; e++) destination[e] = v;
    }
    while (at < w) {
        uint32_t e = ioa_pcg32_below(rng, w);
        while (done[e] || missing[a->indices[e]]) e = (e + 1) % w;
        done[e] = true;
        missing[destination[e]]--;
        order[at++] = e;
    }
    ioa_free(missing);
    ioa_free(destination);
    ioa_free(done);
}

static uint64_t excess_of(const ioa_network *network, const uint32_t *order, uint64_t memory)
{
    ioa_io io;
    assert_int_equal(ioa_memory_count(network, order, memory, IOA_POLICY_MIN, &io, NULL), IOA_OK);
    return io.reads + io.writes - network->bounds.lower;
}

static void assert_legal(const ioa_network *network, const uint32_t *order)
{
    const ioa_network_arrays *a = &network->a;
    uint64_t w = network->connections;
    uint32_t *step = ioa_alloc(w, sizeof *step);
    assert_non_null(step);
    for (uint64_t e = 0; e < w; e++) step[e] = UINT32_MAX;
    for (uint64_t t = 0; t < w; t++) {
        assert_true(order[t] < w && step[order[t]] == UINT32_MAX);
        step[order[t]] = (uint32_t)t;
    }
    for (uint64_t e = 0; e < w; e++)
        for (int64_t f = a->indptr[a->indices[e]]; f < a->indptr[a->indices[e] + 1]; f++) assert_true(step[f] < step[e]);
    ioa_free(step);
}

static bool never(void *context)
{
    (void)context;
    return false;
}

static bool at_once(void *context)
{
    (void)context;
    return true;
}

static void counts_and_walks_agree_with_the_simulator(void **state)
{
    (void)state;
    ioa_separation *game = ioa_alloc(1, sizeof *game);
    ioa_small *small = ioa_alloc(1, sizeof *small);
    uint32_t compared = 0, lowered = 0;
    assert_true(game && small);
    for (uint64_t seed = 0; seed < 200; seed++) {
        ioa_network *network = small_dag(seed);
        if (!network) continue;
        ioa_pcg32 rng = ioa_rng_keyed(seed, IOA_RNG_TEST, 0, 0);
        uint32_t *order = ioa_alloc(network->connections, sizeof *order);
        for (uint64_t memory = 3; network->connections && memory <= 9; memory++) {
            assert_true(ioa_separation_create(network, memory, game) && ioa_small_create(network, game, small));
            random_order(network, &rng, order);
            uint64_t before = excess_of(network, order, memory);
            uint32_t excess;
            uint32_t cost = ioa_small_cost(small, order, UINT32_MAX, &excess);
            assert_int_equal(excess, before);
            assert_true(cost >= 4 * excess);
            if (cost) assert_true(ioa_small_cost(small, order, cost - 1, NULL) > cost - 1);
            assert_int_equal(ioa_small_walk(small, seed, 1000, at_once, NULL, order), before);
            assert_int_equal(excess_of(network, order, memory), before);
            uint32_t after = ioa_small_walk(small, seed, 300, never, NULL, order);
            assert_legal(network, order);
            assert_int_equal(excess_of(network, order, memory), after);
            assert_true(after <= before);
            compared++;
            lowered += after < before;
        }
        ioa_free(order);
        ioa_network_destroy(network);
    }
    print_message("%u compared, %u lowered\n", compared, lowered);
    assert_true(compared > 500);
    assert_true(lowered > 300);
    ioa_free(game);
    ioa_free(small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(counts_and_walks_agree_with_the_simulator)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
