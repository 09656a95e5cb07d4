/* The count for small networks against the simulator, and the walk that uses it. */
#include "core/base/mem.h"
#include "core/base/rng.h"
#include "core/model/network.h"
#include "core/model/order.h"
#include "optimizer/search/construct/construct_separation_walk.h"
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

static uint64_t excess_of(const ioa_network *network, const uint32_t *order, uint64_t memory)
{
    ioa_io io;
    assert_int_equal(ioa_memory_count(network, order, memory, IOA_POLICY_MIN, &io, NULL), IOA_OK);
    return io.reads + io.writes - network->bounds.lower;
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
        for (uint64_t memory = 3; network->connections && memory <= 9; memory++) {
            assert_true(ioa_separation_create(network, memory, game) && ioa_small_create(network, game, small));
            uint32_t *order = ioa_test_random_order(network, &rng);
            assert_non_null(order);
            uint64_t before = excess_of(network, order, memory);
            uint32_t excess;
            uint32_t cost = ioa_small_cost(small, order, UINT32_MAX, &excess);
            assert_int_equal(excess, before);
            assert_true(cost >= 4 * excess);
            if (cost) assert_true(ioa_small_cost(small, order, cost - 1, NULL) > cost - 1);
            assert_int_equal(ioa_small_walk(small, seed, 1000, at_once, NULL, order), before);
            assert_int_equal(excess_of(network, order, memory), before);
            uint32_t after = ioa_small_walk(small, seed, 300, never, NULL, order);
            assert_int_equal(ioa_order_check(network, order, NULL), IOA_OK);
            assert_int_equal(excess_of(network, order, memory), after);
            assert_true(after <= before);
            compared++;
            lowered += after < before;
            ioa_free(order);
        }
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
