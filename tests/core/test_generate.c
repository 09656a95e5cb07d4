#include "core/base/mem.h"
#include "core/generate/generate.h"
#include "core/model/network.h"
#include "core/model/order.h"
#include "tests/support/failing_memory.h"
#include "tests/support/unit.h"

#include <math.h>
#include <string.h>

static const ioa_generate_common common = {.seed = 5, .hidden = IOA_ACT_RELU, .last = IOA_ACT_IDENTITY};

static uint64_t total(const ioa_network *network, uint64_t memory)
{
    uint32_t *order = ioa_alloc(network->connections, sizeof *order);
    ioa_order_layered(network, order);
    ioa_io io;
    assert_int_equal(ioa_memory_count(network, order, memory, IOA_POLICY_MIN, &io, NULL), IOA_OK);
    ioa_free(order);
    return io.reads + io.writes;
}

static void mlp_has_the_density_it_was_asked_for(void **state)
{
    (void)state;
    static const uint32_t widths[] = {300, 400, 200};
    static const double densities[] = {0.001, 0.05, 0.5, 1.0};
    for (int i = 0; i < 4; i++) {
        ioa_network *network;
        assert_int_equal(ioa_generate_mlp(widths, 3, densities[i], &common, &network, NULL), IOA_OK);
        double cells = 300.0 * 400 + 400.0 * 200, mean = cells * densities[i];
        double deviation = sqrt(mean * (1 - densities[i]));
        assert_true(fabs((double)network->connections - mean) <= 5 * deviation);
        assert_int_equal(network->a.layers, 3);
        assert_int_equal(network->a.layer_offsets[2], 700);
        ioa_network_destroy(network);
    }
}

static void same_seed_same_network(void **state)
{
    (void)state;
    static const uint32_t widths[] = {50, 50, 50};
    ioa_network *a, *b, *c;
    ioa_generate_common other = common;
    other.seed++;
    assert_int_equal(ioa_generate_mlp(widths, 3, 0.1, &common, &a, NULL), IOA_OK);
    assert_int_equal(ioa_generate_mlp(widths, 3, 0.1, &common, &b, NULL), IOA_OK);
    assert_int_equal(ioa_generate_mlp(widths, 3, 0.1, &other, &c, NULL), IOA_OK);
    assert_int_equal(a->connections, b->connections);
    assert_memory_equal(a->a.indices, b->a.indices, a->connections * sizeof(uint32_t));
    assert_memory_equal(a->a.weights, b->a.weights, a->connections * sizeof(float));
    assert_memory_equal(a->a.bias, b->a.bias, 150 * sizeof(float));
    assert_true(a->connections != c->connections ||
                memcmp(a->a.indices, c->a.indices, a->connections * sizeof(uint32_t)) != 0);
    ioa_network_destroy(a);
    ioa_network_destroy(b);
    ioa_network_destroy(c);
}

/* The promise of compact growth: LB exactly with the memory it was grown for, more with less. */
static void compact_growth_costs_the_lower_bound(void **state)
{
    (void)state;
    static const uint32_t memories[] = {3, 4, 10, 33, 100};
    for (uint64_t seed = 0; seed < 5; seed++)
        for (int i = 0; i < 5; i++) {
            uint32_t memory = memories[i];
            ioa_generate_common keyed = common;
            keyed.seed = seed;
            ioa_network *network;
            assert_int_equal(ioa_generate_compact_growth(20, 800, memory, 5, &keyed, &network, NULL), IOA_OK);
            uint64_t lower = ioa_network_bounds(network).lower;
            assert_int_equal(total(network, memory), lower);
            assert_int_equal(total(network, memory + 7), lower);
            if (memory > 3) assert_true(total(network, memory - 1) > lower);
            ioa_network_destroy(network);
        }
}

static void radixnet_has_regular_degrees(void **state)
{
    (void)state;
    static const uint32_t radices[] = {4, 8};
    ioa_network *network;
    assert_int_equal(ioa_generate_radixnet(radices, 2, 5, &common, &network, NULL), IOA_OK);
    assert_int_equal(network->a.neurons, 32 * 6);
    assert_int_equal(network->connections, 32 * (4 + 8 + 4 + 8 + 4));
    int64_t offsets[32 * 6 + 1];
    ioa_network_outgoing(network, offsets, NULL, NULL);
    for (uint32_t v = 0; v < 32 * 5; v++) {
        uint32_t layer = v / 32;
        assert_int_equal(offsets[v + 1] - offsets[v], radices[layer % 2]);
        uint32_t incoming = (uint32_t)(network->a.indptr[v + 33] - network->a.indptr[v + 32]);
        assert_int_equal(incoming, radices[layer % 2]);
    }
    ioa_network_destroy(network);
}

static void communities_have_their_densities(void **state)
{
    (void)state;
    ioa_network *network;
    assert_int_equal(ioa_generate_community(300, 3, 7, 0.5, 0.02, &common, &network, NULL), IOA_OK);
    uint64_t inside = 0, cells = 0;
    for (uint32_t v = 300; v < 900; v++) {
        uint32_t group = (v % 300) * 7 / 300;
        for (uint32_t i = 0; i < 300; i++) cells += i * 7 / 300 == group;
        for (int64_t e = network->a.indptr[v]; e < network->a.indptr[v + 1]; e++)
            inside += (network->a.indices[e] % 300) * 7 / 300 == group;
    }
    double mean = 0.5 * (double)cells, outside = 0.02 * (600.0 * 300.0 - (double)cells);
    assert_true(fabs((double)inside - mean) < 5 * sqrt(mean / 2));
    assert_true(fabs((double)(network->connections - inside) - outside) < 5 * sqrt(outside));
    ioa_network_destroy(network);
}

static void dags_have_skips_within_reach(void **state)
{
    (void)state;
    ioa_network *network;
    assert_int_equal(ioa_generate_dag(5, 200, 9, 4, 20, &common, &network, NULL), IOA_OK);
    bool skip = false;
    for (uint32_t v = 5; v < 205; v++)
        for (int64_t e = network->a.indptr[v]; e < network->a.indptr[v + 1]; e++) {
            assert_true(v - network->a.indices[e] <= 20);
            skip = skip || v - network->a.indices[e] > 15;
        }
    assert_true(skip);
    ioa_network_destroy(network);
}

/* Renumbering hides the structure from orders by id, but the degrees and the bounds stay. */
static void permutations_keep_what_must_be_kept(void **state)
{
    (void)state;
    static const uint32_t radices[] = {8, 8};
    ioa_network *network, *permuted;
    assert_int_equal(ioa_generate_radixnet(radices, 2, 4, &common, &network, NULL), IOA_OK);
    assert_int_equal(ioa_network_permute(network, 3, &permuted, NULL), IOA_OK);
    assert_int_equal(network->connections, permuted->connections);
    assert_int_equal(network->bounds.lower, permuted->bounds.lower);
    assert_true(memcmp(network->a.indices, permuted->a.indices, network->connections * sizeof(uint32_t)) != 0);
    double sum = 0.0, permuted_sum = 0.0;
    for (uint64_t e = 0; e < network->connections; e++) {
        sum += (double)network->a.weights[e];
        permuted_sum += (double)permuted->a.weights[e];
    }
    assert_true(fabs(sum - permuted_sum) < 1e-6);
    assert_true(total(permuted, 20) > total(network, 20));
    ioa_network_destroy(network);
    ioa_network_destroy(permuted);
}

/* Every neuron whose activation takes a parameter gets its kind's, and nothing else changes. */
static void parameters_go_where_they_are_taken(void **state)
{
    (void)state;
    static const uint32_t widths[] = {20, 30, 30, 5};
    const ioa_generate_common kinds[] = {{.seed = 5, .hidden = IOA_ACT_CLIPPED_RELU, .last = IOA_ACT_IDENTITY},
                                         {.seed = 5, .hidden = IOA_ACT_RELU, .last = IOA_ACT_LEAKY_RELU},
                                         {.seed = 5, .hidden = IOA_ACT_LEAKY_RELU, .last = IOA_ACT_CLIPPED_RELU}};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        ioa_network *plain, *made;
        assert_int_equal(ioa_generate_mlp(widths, 4, 0.3, &kinds[k], &plain, NULL), IOA_OK);
        assert_int_equal(ioa_network_parametrize(plain, 32.0f, 0.25f, &made, NULL), IOA_OK);
        assert_null(plain->a.param);
        for (uint32_t v = 0; v < 85; v++) {
            ioa_activation wanted = v < 20 ? IOA_ACT_IDENTITY : v < 80 ? kinds[k].hidden : kinds[k].last;
            float param = v < 20 ? 0.0f : v < 80 ? 32.0f : 0.25f;
            assert_int_equal(made->a.activation[v], wanted);
            assert_true(made->a.param[v] == (wanted == IOA_ACT_CLIPPED_RELU || wanted == IOA_ACT_LEAKY_RELU ? param : 0.0f));
        }
        assert_memory_equal(plain->a.weights, made->a.weights, plain->connections * sizeof(float));
        assert_memory_equal(plain->a.indices, made->a.indices, plain->connections * sizeof(uint32_t));
        ioa_network_destroy(plain);
        ioa_network_destroy(made);
    }
}

static void impossible_parameters_are_refused(void **state)
{
    (void)state;
    static const uint32_t widths[] = {5, 0, 3}, huge[] = {1000000, 1000000};
    ioa_network *network = NULL;
    assert_int_equal(ioa_generate_mlp(widths, 3, 0.1, &common, &network, NULL), IOA_ERR_INPUT);
    assert_int_equal(ioa_generate_mlp(widths, 1, 0.1, &common, &network, NULL), IOA_ERR_INPUT);
    assert_int_equal(ioa_generate_mlp(huge, 2, 0.0, &common, &network, NULL), IOA_ERR_INPUT);
    assert_int_equal(ioa_generate_mlp(huge, 2, 0.5, &common, &network, NULL), IOA_ERR_INPUT);
    assert_int_equal(ioa_generate_compact_growth(1, 1, 2, 1, &common, &network, NULL), IOA_ERR_INPUT);
    assert_int_equal(ioa_generate_radixnet(huge, 2, 1, &common, &network, NULL), IOA_ERR_INPUT);
    assert_null(network);
}

static ioa_status grow(void *unused, ioa_error *error)
{
    (void)unused;
    ioa_network *network = NULL;
    ioa_status status = ioa_generate_compact_growth(3, 30, 8, 3, &common, &network, error);
    assert_true((status == IOA_OK) == (network != NULL));
    ioa_network_destroy(network);
    return status;
}

static void running_out_of_memory_is_reported(void **state)
{
    (void)state;
    ioa_test_fail_each_allocation(grow, NULL, IOA_TEST_NOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mlp_has_the_density_it_was_asked_for), cmocka_unit_test(same_seed_same_network),
        cmocka_unit_test(compact_growth_costs_the_lower_bound), cmocka_unit_test(radixnet_has_regular_degrees),
        cmocka_unit_test(impossible_parameters_are_refused),
        cmocka_unit_test(communities_have_their_densities),     cmocka_unit_test(dags_have_skips_within_reach),
        cmocka_unit_test(permutations_keep_what_must_be_kept), cmocka_unit_test(parameters_go_where_they_are_taken),
    cmocka_unit_test(running_out_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
