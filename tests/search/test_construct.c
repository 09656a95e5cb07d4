#include "core/base/mem.h"
#include "core/generate/generate.h"
#include "core/generate/generate_builder.h"
#include "core/model/network.h"
#include "optimizer/search/construct/construct.h"
#include "tests/support/failing_memory.h"
#include "tests/support/random_network.h"
#include "tests/support/unit.h"

#include <string.h>

static const uint64_t memories[] = {3, 4, 7, 16, 100, 5000};

static void every_order_is_legal(const ioa_network *network)
{
    uint32_t *order = ioa_alloc(network->connections, sizeof *order);
    for (unsigned i = 0; ioa_constructor_at(i); i++) {
        /* Searches through states, which take seconds where they are hopeless: test_bounded_orders has more of them. */
        bool searches = ioa_constructor_at(i)->aside || strcmp(ioa_constructor_at(i)->name, "separation") == 0;
        if (searches && network->a.neurons > 40) continue;
        for (size_t m = 0; m < sizeof memories / sizeof *memories; m++) {
            ioa_error error = {0};
            for (uint64_t t = 0; t < network->connections; t++) order[t] = UINT32_MAX;
            assert_int_equal(ioa_constructor_at(i)->build(network, memories[m], order, &error), IOA_OK);
            ioa_status status = ioa_order_check(network, order, &error);
            if (status != IOA_OK) print_message("%s: %s\n", ioa_constructor_at(i)->name, error.text);
            assert_int_equal(status, IOA_OK);
        }
    }
    ioa_free(order);
}

static void orders_of_random_dags_are_legal(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 60; seed++) {
        ioa_test_dag_params params = ioa_test_dag_defaults();
        params.neurons = 13 + (uint32_t)(seed * 7 % 200);
        params.fan_in = 1 + (uint32_t)(seed % 9);
        params.reach = seed % 2 ? 15 : 0;
        ioa_network *network = ioa_test_random_dag(seed, params);
        assert_non_null(network);
        every_order_is_legal(network);
        ioa_network_destroy(network);
    }
}

static uint64_t cost(const ioa_network *network, const char *name, uint64_t memory)
{
    uint32_t *order = ioa_alloc(network->connections, sizeof *order);
    assert_int_equal(ioa_constructor_find(name)->build(network, memory, order, NULL), IOA_OK);
    ioa_io io;
    assert_int_equal(ioa_memory_count(network, order, memory, IOA_POLICY_MIN, &io, NULL), IOA_OK);
    ioa_free(order);
    return io.reads + io.writes - ioa_network_bounds(network).lower;
}

/* The greedy order of communities follows them from layer to layer; the layered order has one depth after the other. */
static void orders_by_depth_count_more(void **state)
{
    (void)state;
    const ioa_generate_common common = {.seed = 3, .hidden = IOA_ACT_RELU};
    for (uint32_t layers = 2; layers <= 3; layers++) {
        ioa_network *network = NULL;
        assert_int_equal(ioa_generate_community(64, layers, 8, 0.5, 0.0, &common, &network, NULL), IOA_OK);
        uint32_t *order = ioa_alloc(network->connections, sizeof *order);
        uint64_t handicap;
        const char *const names[] = {"layered", "blocks", "greedy"};
        for (int i = 0; i < 3; i++) {
            assert_int_equal(ioa_constructor_find(names[i])->build(network, 32, order, NULL), IOA_OK);
            assert_int_equal(ioa_construct_handicap(network, order, 1600, &handicap, NULL), IOA_OK);
            assert_int_equal(handicap, layers == 3 && i < 2 ? 100 : 0); /* with one depth nothing else is possible */
        }
        ioa_free(order);
        ioa_network_destroy(network);
    }
}

/* Blocks must pay off where rows are dense, the greedy order where they are sparse: by a wide margin, or something
 * is broken. */
static void each_order_pays_off_in_its_regime(void **state)
{
    (void)state;
    static const uint32_t widths[] = {400, 400, 400};
    ioa_network *dense = ioa_test_random_mlp(1, widths, 3, 0.1, IOA_ACT_RELU);
    ioa_network *sparse = ioa_test_random_mlp(1, widths, 3, 0.01, IOA_ACT_RELU);
    assert_true(cost(dense, "blocks", 80) * 2 < cost(dense, "layered", 80));
    assert_true(cost(sparse, "greedy", 80) * 4 < cost(sparse, "layered", 80) * 3);
    ioa_network_destroy(dense);
    ioa_network_destroy(sparse);
}

enum { GROUPS = 32, TWINS = 8, LEVELS = 5 };

/* A butterfly in which every point is a group of twins: in level l, group g reads the groups g and g xor 2^l. */
static ioa_network *butterfly_of_twins(void)
{
    enum { WIDTH = GROUPS * TWINS };
    ioa_builder b;
    ioa_network *network;
    assert_int_equal(ioa_builder_start(&b, WIDTH * (LEVELS + 1), WIDTH, WIDTH, LEVELS + 1, WIDTH * LEVELS * 2 * TWINS, NULL), IOA_OK);
    for (uint32_t i = 0; i < WIDTH; i++) {
        b.a.input_ids[i] = i;
        b.a.output_ids[i] = WIDTH * LEVELS + i;
        ioa_builder_end_row(&b);
    }
    for (uint32_t l = 0; l <= LEVELS + 1; l++) b.a.layer_offsets[l] = (int64_t)WIDTH * l;
    for (uint32_t l = 0; l < LEVELS; l++)
        for (uint32_t i = 0; i < WIDTH; i++) {
            uint32_t g = i / TWINS, low = g & ~(1u << l), high = g | 1u << l;
            for (uint32_t t = 0; t < TWINS; t++) assert_true(ioa_builder_add(&b, WIDTH * l + low * TWINS + t, 0.1f));
            for (uint32_t t = 0; t < TWINS; t++) assert_true(ioa_builder_add(&b, WIDTH * l + high * TWINS + t, 0.1f));
            ioa_builder_end_row(&b);
        }
    assert_int_equal(ioa_builder_finish(&b, true, &network, NULL), IOA_OK);
    return network;
}

/* Following components down must spare values the way through slow memory, however neurons are numbered. */
static void the_cascade_follows_components(void **state)
{
    (void)state;
    ioa_network *plain = butterfly_of_twins(), *hidden;
    assert_int_equal(ioa_network_permute(plain, 9, &hidden, NULL), IOA_OK);
    const ioa_network *both[] = {plain, hidden};
    for (int i = 0; i < 2; i++) {
        assert_true(ioa_constructor_find("cascade")->affordable(both[i], 18));
        uint64_t cascade = cost(both[i], "cascade", 18);
        assert_true(cascade < cost(both[i], "twins", 18) && cascade < cost(both[i], "blocks", 18));
    }
    ioa_network_destroy(plain);
    ioa_network_destroy(hidden);
}

typedef struct building {
    const ioa_constructor *constructor;
    const ioa_network *network;
    uint32_t *order;
} building;

static ioa_status build(void *context, ioa_error *error)
{
    const building *b = context;
    return b->constructor->build(b->network, 10, b->order, error);
}

static void running_out_of_memory_is_reported(void **state)
{
    (void)state;
    ioa_test_dag_params params = ioa_test_dag_defaults();
    params.neurons = 30;
    ioa_network *network = ioa_test_random_dag(3, params);
    building b = {NULL, network, ioa_alloc(network->connections, sizeof *b.order)};
    for (unsigned i = 0; (b.constructor = ioa_constructor_at(i)) != NULL; i++) {
        ioa_mem_fail_at(0);
        assert_int_equal(build(&b, NULL), IOA_OK);
        if (ioa_mem_fail_at(0)) ioa_test_fail_each_allocation(build, &b, IOA_TEST_NOMEM); /* some need none */
    }
    ioa_free(b.order);
    ioa_network_destroy(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_of_random_dags_are_legal),
        cmocka_unit_test(orders_by_depth_count_more),
        cmocka_unit_test(each_order_pays_off_in_its_regime), cmocka_unit_test(the_cascade_follows_components),
        cmocka_unit_test(running_out_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
