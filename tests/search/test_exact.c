/* The incremental LRU count against the full simulator, on random DAGs (skips, constants, outputs without connections and
 * outputs that are used) and generated networks. */
#include "core/base/mem.h"
#include "core/generate/generate.h"
#include "core/model/network.h"
#include "core/model/simulator.h"
#include "optimizer/search/construct/construct.h"
#include "optimizer/search/exact/exact_segments.h"
#include "tests/support/random_network.h"
#include "tests/support/unit.h"

#ifndef NETWORKS
#define NETWORKS 120
#endif

static ioa_network *random_dag(uint64_t seed)
{
    ioa_pcg32 rng = ioa_rng_keyed(seed, IOA_RNG_TEST, 10, 0);
    ioa_test_dag_params params = ioa_test_dag_defaults();
    params.neurons = 13 + ioa_pcg32_below(&rng, seed % 10 == 0 ? 400 : 60);
    params.fan_in = 1 + ioa_pcg32_below(&rng, 8);
    params.reach = ioa_pcg32_below(&rng, 2) ? 3 + ioa_pcg32_below(&rng, 20) : 0;
    ioa_network *network = ioa_test_random_dag(seed, params);
    assert_non_null(network);
    return network;
}

/* A perceptron, and its order in blocks for a memory; the caller frees both. */
static ioa_network *perceptron(uint64_t seed, uint64_t memory, uint32_t **order)
{
    static const uint32_t widths[] = {120, 90, 70, 20};
    ioa_generate_common common = {.seed = seed, .hidden = IOA_ACT_RELU};
    ioa_network *network;
    assert_int_equal(ioa_generate_mlp(widths, 4, 0.1, &common, &network, NULL), IOA_OK);
    *order = ioa_alloc(network->connections, sizeof **order);
    assert_int_equal(ioa_construct_blocks(network, memory, *order, NULL), IOA_OK);
    return network;
}

static int64_t excess(const ioa_network *network, const uint32_t *order, uint64_t memory)
{
    ioa_io io;
    assert_int_equal(ioa_order_check(network, order, NULL), IOA_OK);
    assert_int_equal(ioa_memory_count(network, order, memory, IOA_POLICY_LRU, &io, NULL), IOA_OK);
    return (int64_t)(io.reads + io.writes) - (int64_t)network->bounds.lower;
}

static uint64_t all_accepted(const ioa_move_counts *moves)
{
    uint64_t sum = 0;
    for (int k = 0; k < IOA_EXACT_MOVE_COUNT; k++) sum += moves[k].accepted;
    return sum;
}

/* Anneals, looking at the count after every proposal for a while and then after ever more of them. */
static uint64_t follow(const ioa_network *network, const uint32_t *start, uint64_t memory, uint64_t seed,
                       uint64_t proposals, uint64_t every)
{
    ioa_graph *graph;
    ioa_exact *exact;
    ioa_pcg32 rng = ioa_rng_keyed(seed, IOA_RNG_TEST, 11, 0);
    uint32_t *order = ioa_alloc(network->connections, sizeof *order);
    assert_int_equal(ioa_graph_create(network, &graph, NULL), IOA_OK);
    assert_int_equal(ioa_exact_create(graph, start, memory, &exact, NULL), IOA_OK);
    assert_int_equal(ioa_exact_excess(exact), excess(network, start, memory));
    double temperature = 0.2 * (double)(seed % 7);
    for (uint64_t done = 0; done < proposals; done += every) {
        ioa_exact_run(exact, temperature, every, &rng);
        ioa_exact_order(exact, order);
        assert_int_equal(ioa_exact_excess(exact), excess(network, order, memory));
        assert_true(ioa_exact_consistent(exact));
    }
    const uint64_t accepted = all_accepted(ioa_exact_statistics(exact)->moves);
    ioa_exact_destroy(exact);
    ioa_graph_destroy(graph);
    ioa_free(order);
    return accepted;
}

static void every_proposal_on_dags_is_counted_exactly(void **state)
{
    (void)state;
    uint64_t accepted = 0;
    for (uint64_t seed = 0; seed < NETWORKS; seed++) {
        ioa_network *network = random_dag(seed);
        ioa_pcg32 rng = ioa_rng_keyed(seed, IOA_RNG_TEST, 12, 0);
        if (network->connections > 0) {
            uint64_t memory = 3 + ioa_pcg32_below(&rng, seed % 10 == 0 ? 60 : 12);
            uint32_t *order = ioa_test_random_order(network, &rng);
            accepted += follow(network, order, memory, seed, 300, 1);
            accepted += follow(network, order, memory, seed, 6000, 500);
            ioa_free(order);
        }
        ioa_network_destroy(network);
    }
    print_message("%lu moves accepted\n", (unsigned long)accepted);
    assert_true(accepted > NETWORKS * 500);
}

/* Larger networks from a good order, memories from tiny to larger than the network. */
static void generated_networks_are_counted_exactly(void **state)
{
    (void)state;
    static const uint64_t memories[] = {3, 8, 32, 100, 1000};
    for (uint64_t seed = 0; seed < 1 + NETWORKS / 100; seed++)
        for (size_t m = 0; m < sizeof memories / sizeof *memories; m++) {
            uint32_t *order;
            ioa_network *network = perceptron(seed, memories[m], &order);
            assert_true(follow(network, order, memories[m], seed, 30000, 1500) > 100);
            ioa_free(order);
            ioa_network_destroy(network);
        }
}

/* A settled state is a function of its order: one made from it goes on alike. */
static void a_settled_state_can_be_restored(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < NETWORKS / 4; seed++) {
        ioa_network *network = random_dag(seed);
        ioa_pcg32 rng = ioa_rng_keyed(seed, IOA_RNG_TEST, 13, 0);
        uint32_t *order = ioa_test_random_order(network, &rng), *again = ioa_alloc(network->connections, 4);
        ioa_graph *graph;
        ioa_exact *p, *q;
        assert_int_equal(ioa_graph_create(network, &graph, NULL), IOA_OK);
        assert_int_equal(ioa_exact_create(graph, order, 7, &p, NULL), IOA_OK);
        ioa_exact_run(p, 0.3, 1000, &rng);
        ioa_exact_settle(p);
        ioa_exact_order(p, order);
        assert_int_equal(ioa_exact_create(graph, order, 7, &q, NULL), IOA_OK);
        ioa_pcg32 same = rng;
        ioa_exact_run(p, 0.3, 500, &rng);
        ioa_exact_run(q, 0.3, 500, &same);
        ioa_exact_order(p, order);
        ioa_exact_order(q, again);
        assert_memory_equal(order, again, network->connections * sizeof *order);
        assert_true(ioa_exact_excess(p) == ioa_exact_excess(q) && rng.state == same.state);
        ioa_exact_destroy(p);
        ioa_exact_destroy(q);
        ioa_graph_destroy(graph);
        ioa_free(order);
        ioa_free(again);
        ioa_network_destroy(network);
    }
}

/* Sweeps over an order; where no border's surroundings were cut short, what they say they changed is what changed. */
static void sweep(const ioa_network *network, uint32_t *order, uint64_t memory, uint64_t seed, uint64_t proposals,
                  uint64_t *whole, ioa_exact_swept *sum)
{
    ioa_graph *graph;
    ioa_exact_sweep s = {0};
    assert_int_equal(ioa_graph_create(network, &graph, NULL), IOA_OK);
    assert_int_equal(ioa_exact_sweep_make(graph, memory, &s, NULL), IOA_OK);
    for (uint32_t round = 0; round < 6; round++) {
        ioa_exact_course course = {.key = seed + round, .proposals = proposals, .temperature = 0.2 * (double)(seed % 4),
                                   .segments = 1 + (uint32_t)((seed + round) % 5), .shifted = round & 1};
        ioa_exact_swept swept = {0};
        int64_t before = excess(network, order, memory);
        ioa_exact_sweep_begin(&s, order);
        while (s.at < graph->W) assert_int_equal(ioa_exact_sweep_next(&s, &course, order, &swept, NULL), IOA_OK);
        assert_int_equal(swept.proposals, proposals);
        int64_t after = excess(network, order, memory);
        if (swept.cut == 0) {
            assert_int_equal(after - before, swept.change);
            *whole += course.segments > 1;
        }
        ioa_move_counts_add(sum->moves, swept.moves, IOA_EXACT_MOVE_COUNT);
        sum->change += swept.change;
        sum->cut += swept.cut;
    }
    ioa_exact_sweep_clear(&s);
    ioa_graph_destroy(graph);
}

static void segments_change_what_the_whole_order_changes(void **state)
{
    (void)state;
    uint64_t whole = 0;
    ioa_exact_swept sum = {0};
    for (uint64_t seed = 0; seed < NETWORKS; seed++) {
        ioa_network *network = random_dag(seed);
        ioa_pcg32 rng = ioa_rng_keyed(seed, IOA_RNG_TEST, 15, 0);
        if (network->connections > 0) {
            uint32_t *order = ioa_test_random_order(network, &rng);
            sweep(network, order, 3 + ioa_pcg32_below(&rng, 6), seed, 2000, &whole, &sum);
            ioa_free(order);
        }
        ioa_network_destroy(network);
    }
    static const uint64_t memories[] = {3, 8, 32, 60};
    for (size_t m = 0; m < sizeof memories / sizeof *memories; m++) {
        uint32_t *order;
        ioa_network *network = perceptron(m, memories[m], &order);
        sweep(network, order, memories[m], m, 6000, &whole, &sum);
        ioa_free(order);
        ioa_network_destroy(network);
    }
    const uint64_t accepted = all_accepted(sum.moves);
    print_message("%lu moves accepted, %ld I/Os; %lu sweeps of several segments with all they depend on\n",
                  (unsigned long)accepted, (long)sum.change, (unsigned long)whole);
    assert_true(accepted > NETWORKS * 500 && sum.change < 0 && whole > NETWORKS);
}

/* Kinds of moves come as often as their shares say, and what is counted of them is what became of the order. */
static void moves_follow_their_shares(void **state)
{
    (void)state;
    enum { PROPOSALS = 20000 };
    const uint32_t share[IOA_EXACT_MOVE_COUNT] = {[IOA_EXACT_NEAR] = IOA_SHARES / 4, [IOA_EXACT_RUN] = IOA_SHARES * 3 / 4};
    uint32_t *order;
    ioa_network *network = perceptron(5, 12, &order);
    ioa_graph *graph;
    ioa_exact *exact;
    ioa_pcg32 rng = ioa_rng_keyed(5, IOA_RNG_TEST, 16, 0);
    assert_int_equal(ioa_graph_create(network, &graph, NULL), IOA_OK);
    assert_int_equal(ioa_exact_create(graph, order, 12, &exact, NULL), IOA_OK);
    const int64_t before = ioa_exact_excess(exact);
    ioa_exact_tune(exact, share);
    ioa_exact_run(exact, 0.0, PROPOSALS, &rng); /* whatever is accepted gains or costs nothing */
    const ioa_move_counts *moves = ioa_exact_statistics(exact)->moves, *near = &moves[IOA_EXACT_NEAR], *run = &moves[IOA_EXACT_RUN];
    assert_int_equal(near->proposed + run->proposed, PROPOSALS);
    assert_in_range(near->proposed, PROPOSALS * 23 / 100, PROPOSALS * 27 / 100);
    assert_int_equal((near->gained + run->gained) / IOA_GAIN_ONE, before - ioa_exact_excess(exact));
    assert_true(near->gained > 0 && near->touched >= near->accepted && run->touched >= 2 * run->accepted);
    ioa_exact_tune(exact, NULL);
    ioa_exact_run(exact, 0.0, PROPOSALS, &rng);
    for (int k = 0; k < IOA_EXACT_MOVE_COUNT; k++) assert_true(moves[k].proposed > 0);
    ioa_exact_destroy(exact);
    ioa_graph_destroy(graph);
    ioa_free(order);
    ioa_network_destroy(network);
}

/* Every allocation of a sweep fails once; the order stays legal. */
static void segments_report_it_too(const ioa_network *network, const ioa_graph *graph, uint32_t *order)
{
    const ioa_exact_course course = {.key = 1, .proposals = 50, .segments = 2};
    ioa_status status = IOA_ERR_NOMEM;
    uint64_t failed = 0;
    for (uint64_t n = 1; status != IOA_OK; n++, failed++) {
        ioa_exact_sweep s = {0};
        ioa_exact_swept swept = {0};
        ioa_error error;
        ioa_mem_fail_at(n);
        status = ioa_exact_sweep_make(graph, 5, &s, &error);
        if (status == IOA_OK) ioa_exact_sweep_begin(&s, order);
        while (status == IOA_OK && s.at < graph->W) status = ioa_exact_sweep_next(&s, &course, order, &swept, &error);
        ioa_mem_fail_at(0);
        ioa_exact_sweep_clear(&s);
        assert_true(status == IOA_OK || status == IOA_ERR_NOMEM);
        assert_int_equal(ioa_order_check(network, order, NULL), IOA_OK);
    }
    assert_true(failed > 20);
}

static void out_of_memory_is_reported(void **state)
{
    (void)state;
    ioa_network *network = random_dag(1);
    ioa_pcg32 rng = ioa_rng_keyed(1, IOA_RNG_TEST, 14, 0);
    uint32_t *order = ioa_test_random_order(network, &rng);
    ioa_graph *graph;
    ioa_exact *exact;
    ioa_error error;
    assert_int_equal(ioa_graph_create(network, &graph, NULL), IOA_OK);
    assert_int_equal(ioa_exact_create(graph, order, 2, &exact, &error), IOA_ERR_INPUT);
    uint64_t allocations = 1;
    ioa_mem_fail_at(0);
    assert_int_equal(ioa_exact_create(graph, order, 9, &exact, &error), IOA_OK);
    allocations = ioa_mem_fail_at(0);
    ioa_exact_destroy(exact);
    for (uint64_t n = 1; n <= allocations; n++) {
        ioa_mem_fail_at(n);
        assert_int_equal(ioa_exact_create(graph, order, 9, &exact, &error), IOA_ERR_NOMEM);
    }
    ioa_mem_fail_at(0);
    segments_report_it_too(network, graph, order);
    ioa_graph_destroy(graph);
    ioa_free(order);
    ioa_network_destroy(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_proposal_on_dags_is_counted_exactly),
        cmocka_unit_test(generated_networks_are_counted_exactly),
        cmocka_unit_test(a_settled_state_can_be_restored),
        cmocka_unit_test(segments_change_what_the_whole_order_changes),
        cmocka_unit_test(moves_follow_their_shares),
        cmocka_unit_test(out_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
