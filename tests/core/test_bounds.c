#include "core/base/mem.h"
#include "core/bounds/bounds.h"
#include "core/generate/generate.h"
#include "core/model/network.h"
#include "core/model/order.h"
#include "tests/support/failing_memory.h"
#include "tests/support/optimal.h"
#include "tests/support/random_network.h"
#include "tests/support/unit.h"

#include <ioanneal/memory.h>
#include <string.h>

#ifndef IOA_TEST_ROUNDS
#define IOA_TEST_ROUNDS 1 /* the slow variant has more */
#endif

static uint64_t certified(const ioa_network *network, uint64_t memory)
{
    ioa_certificate certificate;
    assert_int_equal(ioa_certified_bound(network, memory, &certificate, NULL), IOA_OK);
    uint64_t excess = certificate.excess, sum = 0;
    for (uint32_t i = 0; i < certificate.count; i++) {
        sum += certificate.intervals[i].excess;
        assert_true(certificate.intervals[i].first == (i ? certificate.intervals[i - 1].last : 0));
    }
    assert_int_equal(sum, excess);
    assert_int_equal(certificate.kind == IOA_BOUND_COMPULSORY, excess == 0);
    ioa_certificate_free(&certificate);
    return excess;
}

static uint64_t order_excess(const ioa_network *network, const uint32_t *order, uint64_t memory, ioa_policy policy)
{
    ioa_io io;
    assert_int_equal(ioa_memory_count(network, order, memory, policy, &io, NULL), IOA_OK);
    return io.reads + io.writes - network->bounds.lower;
}

/* ---- the exhaustive search itself ---- */

/* Every order of a network with few connections, by depth-first search; the least excess under MIN. */
static void try_orders(const ioa_network *network, uint64_t memory, uint32_t *order, uint32_t at, uint32_t done,
                       uint64_t *best)
{
    const ioa_network_arrays *a = &network->a;
    uint32_t w = (uint32_t)network->connections;
    if (at == w) {
        uint64_t excess = order_excess(network, order, memory, IOA_POLICY_MIN);
        if (excess < *best) *best = excess;
        return;
    }
    for (uint32_t e = 0; e < w; e++) {
        uint32_t u = a->indices[e], missing = 0;
        for (int64_t i = a->indptr[u]; i < a->indptr[u + 1]; i++) missing |= ~done & 1u << i;
        if (done >> e & 1 || missing) continue;
        order[at] = e;
        try_orders(network, memory, order, at + 1, done | 1u << e, best);
    }
}

static void exhaustive_search_agrees_with_all_orders(void **state)
{
    (void)state;
    uint32_t compared = 0, equal = 0;
    for (uint64_t seed = 0; seed < 400; seed++) {
        ioa_test_dag_params params = ioa_test_dag_defaults();
        params.neurons = 5 + (uint32_t)(seed % 4);
        params.inputs = 1 + (uint32_t)(seed % 3);
        params.outputs = 1;
        params.fan_in = 2;
        ioa_network *network = ioa_test_random_dag(seed, params);
        if (!network) continue;
        if (network->connections <= 7) {
            uint32_t order[8];
            uint64_t optimum = 0, best = UINT64_MAX;
            assert_true(ioa_test_optimal_excess(network, 3, 100000, &optimum));
            try_orders(network, 3, order, 0, 0, &best);
            assert_true(optimum <= best);
            compared++;
            equal += optimum == best;
        }
        ioa_network_destroy(network);
    }
    assert_true(compared > 100);
    assert_true(equal * 10 > compared * 9); /* MIN forgoes a little: it does not know what a write costs */
}

static void exhaustive_search_knows_its_limits(void **state)
{
    (void)state;
    uint64_t excess = 77;
    ioa_network *network = ioa_test_random_dag(1, ioa_test_dag_defaults());
    assert_false(ioa_test_optimal_excess(network, 4, 0, &excess));
    ioa_network_destroy(network);
    network = ioa_test_random_mlp(1, (const uint32_t[]){3, 3, 3}, 3, 1.0, IOA_ACT_RELU);
    assert_false(ioa_test_optimal_excess(network, 2, 0, &excess));
    assert_false(ioa_test_optimal_excess(network, 4, 10, &excess));
    assert_int_equal(excess, 77);
    assert_true(ioa_test_optimal_excess(network, 20, 0, &excess));
    assert_int_equal(excess, 0);
    ioa_network_destroy(network);
}

/* ---- no bound above the optimum ---- */

static void compare_with_optimum(const ioa_network *network, uint32_t *compared, uint32_t *positive, uint32_t *tight)
{
    for (uint64_t memory = 3; memory <= 5; memory++) {
        uint64_t optimum;
        if (!ioa_test_optimal_excess(network, memory, 200000, &optimum)) continue;
        uint64_t bound = certified(network, memory);
        if (bound > optimum)
            fail_msg("M = %llu: the certified excess %llu is above the optimum %llu", (unsigned long long)memory,
                     (unsigned long long)bound, (unsigned long long)optimum);
        (*compared)++;
        *positive += bound > 0;
        *tight += bound > 0 && bound == optimum;
    }
}

static void no_bound_exceeds_the_optimum_of_layered_networks(void **state)
{
    (void)state;
    static const struct {
        uint32_t widths[6], count;
        double density;
    } shapes[] = {
        {{2, 3, 3}, 3, 1.0},    {{3, 3, 3}, 3, 0.9},       {{2, 4, 3}, 3, 0.8},       {{4, 4}, 2, 1.0},
        {{3, 6}, 2, 0.9},       {{6, 3}, 2, 0.9},          {{2, 2, 2, 2}, 4, 1.0},    {{1, 3, 3, 1}, 4, 1.0},
        {{2, 3, 3, 1}, 4, 0.9}, {{2, 2, 2, 2, 2}, 5, 1.0}, {{1, 4, 3, 1}, 4, 1.0},    {{3, 3, 2, 2}, 4, 0.8},
        {{4, 4, 2}, 3, 0.7},    {{1, 5, 3}, 3, 0.9},       {{1, 3, 2, 3, 1}, 5, 0.9}, {{1, 2, 3, 2, 2}, 5, 1.0},
        {{5, 4}, 2, 0.8},       {{1, 3, 4}, 3, 1.0},       {{2, 3, 3, 2}, 4, 0.7},    {{1, 4, 4}, 3, 0.9},
    };
    uint32_t compared = 0, positive = 0, tight = 0;
    for (uint64_t seed = 0; seed < 8 * IOA_TEST_ROUNDS; seed++)
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
            double density = seed % 3 ? shapes[i].density : 0.6;
            ioa_network *network =
                ioa_test_random_mlp(seed * 100 + i, shapes[i].widths, shapes[i].count, density, IOA_ACT_RELU);
            assert_non_null(network);
            compare_with_optimum(network, &compared, &positive, &tight);
            ioa_network_destroy(network);
        }
    print_message("%u compared, %u positive, %u tight\n", compared, positive, tight);
    assert_true(compared > 300);
    assert_true(positive > 30);
}

static void no_bound_exceeds_the_optimum_of_dags(void **state)
{
    (void)state;
    uint32_t compared = 0, positive = 0, tight = 0;
    for (uint64_t seed = 0; seed < 300 * IOA_TEST_ROUNDS; seed++) {
        ioa_test_dag_params params = ioa_test_dag_defaults();
        params.neurons = 6 + (uint32_t)(seed % 5);
        params.inputs = 1 + (uint32_t)(seed % 3);
        params.outputs = 1 + (uint32_t)(seed % 2);
        params.fan_in = 2 + (uint32_t)(seed % 2);
        params.isolated = 0.0;
        params.reach = seed % 5 ? 0 : 4;
        params.inner_outputs = seed % 2;
        ioa_network *network = ioa_test_random_dag(seed, params);
        if (!network) continue;
        if (network->connections <= 16) compare_with_optimum(network, &compared, &positive, &tight);
        ioa_network_destroy(network);
    }
    print_message("%u compared, %u positive, %u tight\n", compared, positive, tight);
    assert_true(compared > 500);
}

/* ---- no bound above what orders cost ---- */

static void compare_with_orders(const ioa_network *network, uint64_t seed)
{
    static const uint64_t memories[] = {3, 4, 6, 9, 16, 24, 32, 50, 100, 300};
    uint32_t *order = ioa_alloc(network->connections, sizeof *order);
    ioa_pcg32 rng = ioa_rng_keyed(seed, IOA_RNG_TEST, 9, 0);
    uint32_t *random = ioa_test_random_order(network, &rng);
    ioa_order_layered(network, order);
    for (size_t i = 0; i < sizeof memories / sizeof *memories; i++) {
        uint64_t bound = certified(network, memories[i]);
        assert_true(bound <= order_excess(network, order, memories[i], IOA_POLICY_MIN));
        assert_true(bound <= order_excess(network, order, memories[i], IOA_POLICY_LRU));
        assert_true(bound <= order_excess(network, random, memories[i], IOA_POLICY_MIN));
    }
    ioa_free(order);
    ioa_free(random);
}

static void no_bound_exceeds_what_orders_cost(void **state)
{
    (void)state;
    static const uint32_t widths[] = {40, 60, 50, 45, 7};
    for (uint64_t seed = 0; seed < 6 * IOA_TEST_ROUNDS; seed++) {
        double density = 0.03 + 0.15 * (double)(seed % 6);
        ioa_network *network = ioa_test_random_mlp(seed, widths, 5, density, IOA_ACT_RELU);
        compare_with_orders(network, seed);
        ioa_network_destroy(network);
        ioa_test_dag_params params = ioa_test_dag_defaults();
        params.neurons = 100 + (uint32_t)(seed % 10) * 30;
        params.inputs = 20;
        params.fan_in = 2 + (uint32_t)(seed % 10);
        params.reach = seed % 3 ? 0 : 50;
        network = ioa_test_random_dag(seed, params);
        compare_with_orders(network, seed);
        ioa_network_destroy(network);
    }
}

/* ---- known figures ---- */

/* Two layers of a RadiX-Net of radices (r, r) join everything with everything: at the first completion two layers
 * up, all r^2 values of the lower level are live, and whatever is not resident costs a write and a read. */
static void radixnet_is_bounded_by_its_width(void **state)
{
    (void)state;
    ioa_generate_common common = {.seed = 1, .hidden = IOA_ACT_RELU, .last = IOA_ACT_IDENTITY};
    ioa_network *network;
    uint32_t radices[] = {8, 8};
    assert_int_equal(ioa_generate_radixnet(radices, 2, 7, &common, &network, NULL), IOA_OK);
    for (uint64_t memory = 3; memory < 64; memory += 12) {
        uint64_t slots = memory - 1;
        assert_true(certified(network, memory) >= 3 * 2 * (64 - slots));
    }
    assert_int_equal(certified(network, 1000), 0);
    uint32_t *order = ioa_alloc(network->connections, sizeof *order);
    ioa_order_layered(network, order);
    for (uint64_t memory = 3; memory < 200; memory += 7)
        assert_true(certified(network, memory) <= order_excess(network, order, memory, IOA_POLICY_MIN));
    ioa_free(order);
    ioa_network_destroy(network);
}

/* Networks grown for a memory cost exactly LB there: nothing may be certified beyond it. */
static void compact_growth_has_no_excess(void **state)
{
    (void)state;
    ioa_generate_common common = {.seed = 5, .hidden = IOA_ACT_RELU, .last = IOA_ACT_IDENTITY};
    for (uint32_t memory = 5; memory < 60; memory += 9) {
        ioa_network *network;
        assert_int_equal(ioa_generate_compact_growth(30, 400, memory, 6, &common, &network, NULL), IOA_OK);
        assert_int_equal(certified(network, memory), 0);
        ioa_network_destroy(network);
    }
}

static ioa_status certify(void *network, ioa_error *error)
{
    ioa_certificate certificate;
    ioa_status status = ioa_certified_bound(network, 8, &certificate, error);
    if (status == IOA_OK) ioa_certificate_free(&certificate);
    return status;
}

static void impossible_memories_and_failed_allocations_are_reported(void **state)
{
    (void)state;
    static const uint32_t widths[] = {60, 60, 50, 60};
    ioa_network *network = ioa_test_random_mlp(3, widths, 4, 0.1, IOA_ACT_RELU); /* every argument has its turn */
    ioa_certificate certificate;
    ioa_error error;
    assert_int_equal(ioa_certified_bound(network, 2, &certificate, &error), IOA_ERR_INPUT);
    assert_non_null(strstr(error.text, "at least 3"));
    ioa_test_fail_each_allocation(certify, network, IOA_TEST_NOMEM);
    assert_string_equal(ioa_bound_kind_name(IOA_BOUND_WAVEFRONT), "wavefront");
    ioa_network_destroy(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exhaustive_search_agrees_with_all_orders),
        cmocka_unit_test(exhaustive_search_knows_its_limits),
        cmocka_unit_test(no_bound_exceeds_the_optimum_of_layered_networks),
        cmocka_unit_test(no_bound_exceeds_the_optimum_of_dags),
        cmocka_unit_test(no_bound_exceeds_what_orders_cost),
        cmocka_unit_test(radixnet_is_bounded_by_its_width),
        cmocka_unit_test(compact_growth_has_no_excess),
        cmocka_unit_test(impossible_memories_and_failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
