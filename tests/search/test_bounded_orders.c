/* No constructive order costs less than what is certified. */
#include "core/base/mem.h"
#include "core/bounds/bounds.h"
#include "core/model/network.h"
#include "optimizer/search/construct/construct.h"
#include "tests/support/optimal.h"
#include "tests/support/random_network.h"
#include "tests/support/unit.h"

static void compare(const ioa_network *network)
{
    static const uint64_t memories[] = {4, 8, 16, 32, 64, 100, 200};
    uint32_t *order = ioa_alloc(network->connections, sizeof *order);
    for (size_t i = 0; i < sizeof memories / sizeof *memories; i++) {
        ioa_certificate certificate;
        assert_int_equal(ioa_certified_bound(network, memories[i], &certificate, NULL), IOA_OK);
        for (unsigned c = 0; ioa_constructor_at(c); c++) {
            ioa_io io;
            assert_int_equal(ioa_constructor_at(c)->build(network, memories[i], order, NULL), IOA_OK);
            assert_int_equal(ioa_memory_count(network, order, memories[i], IOA_POLICY_MIN, &io, NULL), IOA_OK);
            uint64_t excess = io.reads + io.writes - network->bounds.lower;
            if (certificate.excess > excess)
                fail_msg("M = %u: %s has an excess of %llu, below the certified %llu", (unsigned)memories[i],
                         ioa_constructor_at(c)->name, (unsigned long long)excess,
                         (unsigned long long)certificate.excess);
        }
        ioa_certificate_free(&certificate);
    }
    ioa_free(order);
}

static void perceptrons_cost_what_is_certified(void **state)
{
    (void)state;
    static const uint32_t widths[][5] = {{60, 60, 60, 60, 60}, {30, 120, 30, 120, 30}, {100, 80, 60, 40, 20}};
    for (uint64_t seed = 0; seed < 12; seed++) {
        double density = 0.04 + 0.08 * (double)seed; /* up to 0.92: nearly dense layers have tight blocks */
        ioa_network *network = ioa_test_random_mlp(seed, widths[seed % 3], 5, density, IOA_ACT_RELU);
        assert_non_null(network);
        compare(network);
        ioa_network_destroy(network);
    }
}

static void dags_cost_what_is_certified(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 12; seed++) {
        ioa_test_dag_params params = ioa_test_dag_defaults();
        params.neurons = 200;
        params.inputs = 30;
        params.fan_in = 2 + (uint32_t)seed * 2;
        params.reach = seed % 2 ? 60 : 0;
        ioa_network *network = ioa_test_random_dag(seed, params);
        assert_non_null(network);
        compare(network);
        ioa_network_destroy(network);
    }
}

/* Small enough for an exhaustive search. */
static ioa_network *tiny_dag(uint64_t seed)
{
    ioa_test_dag_params params = ioa_test_dag_defaults();
    params.neurons = 8 + (uint32_t)(seed % 4);
    params.inputs = 2 + (uint32_t)(seed % 3);
    params.outputs = 1 + (uint32_t)(seed % 2);
    params.fan_in = 2;
    params.reach = seed % 3 ? 0 : 4;
    params.inner_outputs = seed % 2;
    return ioa_test_random_dag(seed, params);
}

/* Of an order that must be legal. */
static uint64_t legal_excess(const ioa_network *network, const uint32_t *order, uint64_t memory)
{
    ioa_io io;
    assert_int_equal(ioa_order_check(network, order, NULL), IOA_OK);
    assert_int_equal(ioa_memory_count(network, order, memory, IOA_POLICY_MIN, &io, NULL), IOA_OK);
    return io.reads + io.writes - network->bounds.lower;
}

/* Where some order has no excess, the constructor for small networks finds one. */
static void small_networks_without_excess_are_found(void **state)
{
    (void)state;
    uint32_t compared = 0, narrow = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        ioa_network *network = tiny_dag(seed);
        for (uint64_t memory = 3; network && network->connections && memory <= 6; memory++) {
            uint64_t optimum;
            uint32_t order[IOA_TEST_OPTIMAL_CONNECTIONS];
            if (!ioa_test_optimal_excess(network, memory, 200000, &optimum)) continue;
            assert_int_equal(ioa_construct_separation(network, memory, order, NULL), IOA_OK);
            uint64_t excess = legal_excess(network, order, memory);
            assert_true(excess >= optimum);
            if (optimum == 0) assert_int_equal(excess, 0);
            compared++;
            narrow += optimum == 0 && memory < network->bounds.active_neurons;
        }
        ioa_network_destroy(network);
    }
    print_message("%u compared, %u without excess in less memory than neurons\n", compared, narrow);
    assert_true(compared > 300);
    assert_true(narrow > 100);
}

/* Plays that spill nothing but inputs, with the walk from them: never below the optimum, which most of them reach, and the
 * same again. */
static void few_evictions_are_found(void **state)
{
    (void)state;
    uint32_t compared = 0, costly = 0, optimal = 0;
    for (uint64_t seed = 0; seed < 120; seed++) {
        ioa_network *network = tiny_dag(seed);
        for (uint64_t memory = 4; network && network->connections && memory <= 5; memory++) {
            uint64_t optimum;
            uint32_t order[IOA_TEST_OPTIMAL_CONNECTIONS], again[IOA_TEST_OPTIMAL_CONNECTIONS];
            if (!ioa_test_optimal_excess(network, memory, 200000, &optimum)) continue;
            assert_int_equal(ioa_construct_spills(network, memory, order, NULL), IOA_OK);
            uint64_t excess = legal_excess(network, order, memory);
            assert_true(excess >= optimum);
            assert_int_equal(ioa_construct_spills(network, memory, again, NULL), IOA_OK);
            assert_memory_equal(order, again, network->connections * sizeof *order);
            compared++;
            costly += optimum > 0;
            optimal += optimum > 0 && excess == optimum;
        }
        ioa_network_destroy(network);
    }
    print_message("%u compared, %u with excess, %u of them optimal\n", compared, costly, optimal);
    assert_true(compared > 150);
    assert_true(costly > 30);
    assert_true(2 * optimal > costly);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(perceptrons_cost_what_is_certified),
        cmocka_unit_test(dags_cost_what_is_certified),
        cmocka_unit_test(small_networks_without_excess_are_found),
        cmocka_unit_test(few_evictions_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
