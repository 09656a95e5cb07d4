#include "core/base/mem.h"
#include "core/model/memory_reference.h"
#include "core/model/network.h"
#include "core/model/order.h"
#include "core/model/simulator.h"
#include "tests/support/failing_memory.h"
#include "tests/support/random_network.h"
#include "tests/support/unit.h"

/* A profile adds up to the counts, into however many stretches it is cut. */
static void check_profile(ioa_simulator *simulator, const uint32_t *order, ioa_io whole, uint64_t lone_outputs)
{
    static const uint32_t cuts[] = {1, 7, 64};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        ioa_io io[64], sum = {lone_outputs, lone_outputs};
        ioa_simulator_profile(simulator, order, cuts[i], io);
        for (uint32_t j = 0; j < cuts[i]; j++) {
            sum.reads += io[j].reads;
            sum.writes += io[j].writes;
        }
        assert_int_equal(sum.reads, whole.reads);
        assert_int_equal(sum.writes, whole.writes);
    }
}

static void compare_simulators(const ioa_network *network, const uint32_t *order)
{
    static const uint64_t memories[] = {3, 4, 5, 8, 16, 33, 100, 1000};
    ioa_error error;
    assert_int_equal(ioa_order_check(network, order, &error), IOA_OK);
    for (size_t i = 0; i < sizeof memories / sizeof *memories; i++)
        for (int policy = 0; policy < IOA_POLICY_COUNT; policy++) {
            ioa_io fast, slow;
            assert_int_equal(ioa_memory_count(network, order, memories[i], (ioa_policy)policy, &fast, &error), IOA_OK);
            assert_int_equal(
                ioa_memory_count_reference(network, order, memories[i], (ioa_policy)policy, &slow, &error), IOA_OK);
            assert_int_equal(fast.reads, slow.reads);
            assert_int_equal(fast.writes, slow.writes);
            assert_true(fast.reads + fast.writes >= ioa_network_bounds(network).lower);
            ioa_simulator *simulator; /* used again it must count the same, in however many stretches */
            assert_int_equal(ioa_simulator_create_stretched(network, memories[i], (ioa_policy)policy, (uint32_t)(i % 6),
                                                            &simulator, &error), IOA_OK);
            for (int again = 0; again < 2; again++) {
                ioa_io io = ioa_simulator_count(simulator, order);
                assert_int_equal(io.reads, slow.reads);
                assert_int_equal(io.writes, slow.writes);
            }
            check_profile(simulator, order, slow, ioa_network_bounds(network).lone_outputs);
            ioa_simulator_destroy(simulator);
        }
}

static void simulators_agree_on_random_dags(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 150; seed++) {
        ioa_test_dag_params params = ioa_test_dag_defaults();
        params.neurons = 15 + (uint32_t)(seed % 40) * 4;
        params.fan_in = 1 + (uint32_t)(seed % 7);
        params.reach = seed % 3 ? 0 : 12;
        ioa_network *network = ioa_test_random_dag(seed, params);
        assert_non_null(network);
        ioa_pcg32 rng = ioa_rng_keyed(seed, IOA_RNG_TEST, 1, 0);
        uint32_t *order = ioa_test_random_order(network, &rng);
        assert_non_null(order);
        compare_simulators(network, order);
        ioa_order_layered(network, order);
        compare_simulators(network, order);
        ioa_free(order);
        ioa_network_destroy(network);
    }
}

static void simulators_agree_on_perceptrons(void **state)
{
    (void)state;
    static const uint32_t widths[] = {40, 60, 50, 7};
    for (uint64_t seed = 0; seed < 10; seed++) {
        ioa_network *network = ioa_test_random_mlp(seed, widths, 4, 0.02 + 0.04 * (double)seed, IOA_ACT_RELU);
        assert_non_null(network);
        ioa_pcg32 rng = ioa_rng_keyed(seed, IOA_RNG_TEST, 2, 0);
        uint32_t *order = ioa_test_random_order(network, &rng);
        compare_simulators(network, order);
        ioa_order_layered(network, order);
        compare_simulators(network, order);
        ioa_free(order);
        ioa_network_destroy(network);
    }
}

/* The paper's theorem: the layered order stays within [LB, UB] for any memory of three slots or more. */
static void layered_order_is_two_optimal(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        ioa_network *network = ioa_test_random_dag(seed, ioa_test_dag_defaults());
        uint32_t *order = ioa_alloc(network->connections, sizeof *order);
        ioa_order_layered(network, order);
        ioa_bounds bounds = ioa_network_bounds(network);
        ioa_io io;
        assert_int_equal(ioa_memory_count(network, order, 3, IOA_POLICY_MIN, &io, NULL), IOA_OK);
        assert_in_range(io.reads + io.writes, bounds.lower, bounds.upper + bounds.active_inputs);
        assert_int_equal(ioa_memory_count(network, order, UINT64_MAX, IOA_POLICY_LRU, &io, NULL), IOA_OK);
        assert_int_equal(io.reads + io.writes, bounds.lower);
        ioa_free(order);
        ioa_network_destroy(network);
    }
}

/* Two inputs, one hidden neuron, one output, and an output without connections, counted by hand. */
static void a_small_network_counts_as_on_paper(void **state)
{
    (void)state;
    int64_t indptr[] = {0, 0, 0, 2, 4, 4};
    uint32_t indices[] = {0, 1, 0, 2}, inputs[] = {0, 1}, outputs[] = {3, 4};
    float weights[] = {1, 1, 1, 1}, bias[] = {0, 0, 0, 0, 0};
    uint8_t activation[] = {0, 0, 0, 0, 0};
    ioa_network_arrays arrays = {.neurons = 5, .inputs = 2, .outputs = 2, .indptr = indptr, .indices = indices,
                                 .weights = weights, .bias = bias, .activation = activation, .input_ids = inputs,
                                 .output_ids = outputs};
    ioa_network *network;
    assert_int_equal(ioa_network_create_copy(&arrays, &network, NULL), IOA_OK);
    ioa_bounds bounds = ioa_network_bounds(network);
    assert_int_equal(bounds.active_neurons, 5);
    assert_int_equal(bounds.active_inputs, 2);
    assert_int_equal(bounds.lone_outputs, 1);
    assert_int_equal(bounds.lower, 4 + 5 + 2);
    assert_int_equal(bounds.upper, 2 * (4 + 5 - 2));
    uint32_t order[] = {0, 1, 2, 3};
    ioa_io io;
    /* M = 4, three neurons: 0, 2, 1 are loaded; 1 goes; 3 is loaded: no eviction at all. */
    assert_int_equal(ioa_memory_count(network, order, 4, IOA_POLICY_MIN, &io, NULL), IOA_OK);
    assert_int_equal(io.reads, 4 + 4 + 1);
    assert_int_equal(io.writes, 1 + 1);
    /* M = 3, two neurons: loading 1 evicts 0 (1 read more later); loading 0 again is free of evictions since 1 has
     * gone; loading 3 evicts the dirty 2: a write and a read more. */
    assert_int_equal(ioa_memory_count(network, order, 3, IOA_POLICY_MIN, &io, NULL), IOA_OK);
    assert_int_equal(io.reads, 4 + 4 + 1 + 2);
    assert_int_equal(io.writes, 1 + 1 + 1);
    assert_int_equal(ioa_memory_count(network, order, 2, IOA_POLICY_MIN, &io, NULL), IOA_ERR_INPUT);
    ioa_network_destroy(network);
}

static void illegal_orders_are_refused(void **state)
{
    (void)state;
    ioa_network *network = ioa_test_random_dag(3, ioa_test_dag_defaults());
    uint64_t w = network->connections;
    uint32_t *order = ioa_alloc(w, sizeof *order);
    ioa_error error;
    ioa_order_layered(network, order);
    order[3] = order[2];
    assert_int_equal(ioa_order_check(network, order, &error), IOA_ERR_INPUT);
    order[3] = (uint32_t)w;
    assert_int_equal(ioa_order_check(network, order, &error), IOA_ERR_INPUT);
    for (uint64_t t = 0; t < w; t++) order[t] = (uint32_t)(w - 1 - t); /* some neuron is used before it is complete */
    assert_int_equal(ioa_order_check(network, order, &error), IOA_ERR_INPUT);
    ioa_free(order);
    ioa_network_destroy(network);
}

typedef struct counting {
    const ioa_network *network;
    const uint32_t *order;
    ioa_policy policy;
} counting;

static ioa_status count(void *context, ioa_error *error)
{
    const counting *c = context;
    ioa_io io;
    return ioa_memory_count(c->network, c->order, 10, c->policy, &io, error);
}

static void running_out_of_memory_is_reported(void **state)
{
    (void)state;
    ioa_network *network = ioa_test_random_dag(3, ioa_test_dag_defaults());
    uint32_t *order = ioa_alloc(network->connections, sizeof *order);
    ioa_order_layered(network, order);
    for (int policy = 0; policy < IOA_POLICY_COUNT; policy++) {
        counting c = {network, order, (ioa_policy)policy};
        ioa_test_fail_each_allocation(count, &c, IOA_TEST_NOMEM);
    }
    ioa_free(order);
    ioa_network_destroy(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(simulators_agree_on_random_dags),   cmocka_unit_test(simulators_agree_on_perceptrons),
        cmocka_unit_test(layered_order_is_two_optimal),      cmocka_unit_test(a_small_network_counts_as_on_paper),
        cmocka_unit_test(illegal_orders_are_refused),        cmocka_unit_test(running_out_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
