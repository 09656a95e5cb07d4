/* Orders annealed in segments: prices found by walking, cuts, tasks in any sequence, and what it brings. */
#include "core/base/mem.h"
#include "core/generate/generate.h"
#include "core/model/network.h"
#include "core/model/order.h"
#include "core/model/simulator.h"
#include "optimizer/search/construct/construct.h"
#include "optimizer/search/priced/priced.h"
#include "optimizer/search/segment/segment.h"
#include "tests/support/random_network.h"
#include "tests/support/unit.h"

#include <stdio.h>
#include <string.h>

#ifndef CONNECTIONS
#define CONNECTIONS 60000
#endif

typedef struct bench {
    ioa_network *network;
    ioa_graph *graph;
    uint32_t *order, *local;
    uint64_t memory;
} bench;

static void set_up(bench *b, ioa_network *network, uint64_t memory)
{
    assert_non_null(network);
    *b = (bench){.network = network, .memory = memory};
    assert_int_equal(ioa_graph_create(network, &b->graph, NULL), IOA_OK);
    b->order = ioa_alloc(network->connections, sizeof *b->order);
    b->local = ioa_alloc(network->a.neurons, sizeof *b->local);
    memset(b->local, 0xff, network->a.neurons * sizeof *b->local);
    assert_int_equal(ioa_construct_blocks(network, memory, b->order, NULL), IOA_OK);
}

static void tear_down(bench *b)
{
    ioa_free(b->order);
    ioa_free(b->local);
    ioa_graph_destroy(b->graph);
    ioa_network_destroy(b->network);
}

static ioa_network *perceptron(uint64_t connections)
{
    uint32_t width = (uint32_t)(connections / 3 / 30), widths[] = {width, width, width, width};
    ioa_generate_common common = {.seed = 5, .hidden = IOA_ACT_RELU};
    ioa_network *network = NULL;
    assert_int_equal(ioa_generate_mlp(widths, 4, 30.0 / width, &common, &network, NULL), IOA_OK);
    return network;
}

/* Walking along an order finds the prices that the lists give, to the last bit. */
static void walking_finds_the_same_prices(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 40; seed++) {
        ioa_test_dag_params params = ioa_test_dag_defaults();
        params.neurons = 30 + (uint32_t)(seed % 20) * 10;
        bench b;
        set_up(&b, ioa_test_random_dag(seed, params), 4 + seed % 20);
        ioa_priced *priced;
        ioa_order_prices walked;
        uint32_t count;
        assert_int_equal(ioa_priced_create(b.graph, b.order, b.memory, &priced, NULL), IOA_OK);
        assert_int_equal(ioa_order_prices_make(b.graph, b.memory, &walked, NULL), IOA_OK);
        const uint32_t *listed = ioa_priced_prices(priced, &count);
        uint32_t *price = ioa_alloc(count, sizeof *price);
        assert_int_equal(walked.chunks, count);
        ioa_order_prices_first(&walked, b.order, 60, price);
        assert_memory_equal(price, listed, count * sizeof *price);
        for (int i = 0; i < 3; i++) {
            const int64_t energy = ioa_priced_energy(priced);
            ioa_priced_settle(priced);
            assert_int_equal(ioa_order_prices_adjust(&walked, b.order, 19661, price), energy);
            assert_memory_equal(price, listed, count * sizeof *price);
        }
        ioa_free(price);
        ioa_order_prices_clear(&walked);
        ioa_priced_destroy(priced);
        tear_down(&b);
    }
}

/* Tasks done one by one, the last first, in memory of their own. */
static void anneal_backwards(const bench *b, const ioa_segments *s, const ioa_order_prices *prices, const uint32_t *price,
                             uint32_t *order, const ioa_segment_course *course, ioa_move_counts *counts)
{
    for (uint32_t i = s->count; i-- > 0;) {
        const uint64_t from = s->cut[i], to = s->cut[i + 1], w = b->network->connections;
        ioa_segment_task task = {.course = *course, .index = i, .count = (uint32_t)(to - from),
                                 .neurons = (uint32_t)(s->offset[i + 1] - s->offset[i]), .chunk = prices->chunk,
                                 .order = ioa_alloc_copy(order + from, to - from, sizeof *order),
                                 .price = price + from / prices->chunk, .before = s->before + s->offset[i],
                                 .behind = s->behind + s->offset[i]};
        task.course.proposals = course->proposals * to / w - course->proposals * from / w;
        assert_int_equal(ioa_segment_anneal(b->graph, &task, b->local, counts, NULL), IOA_OK);
        memcpy(order + from, task.order, (to - from) * sizeof *order);
        ioa_free(task.order);
    }
}

/* The same with other shares and another window: no moves of whole neurons, more of parts. */
static ioa_segment_course other_moves(ioa_segment_course course)
{
    static const uint32_t share[IOA_PRICED_MOVE_COUNT] = {[IOA_PRICED_NEAR] = 512, [IOA_PRICED_FAR] = 128,
                                                          [IOA_PRICED_RESIDENCY] = 128, [IOA_PRICED_PART] = 256};
    memcpy(course.share, share, sizeof share);
    course.window = 8;
    return course;
}

/* Every proposal is counted, and none is of a kind without a share. */
static void check_counts(const ioa_segment_course *course, const ioa_move_counts *counts)
{
    uint64_t proposed = 0;
    for (int k = 0; k < IOA_PRICED_MOVE_COUNT; k++) {
        proposed += counts[k].proposed;
        assert_true(counts[k].accepted <= counts[k].proposed);
        if (course->window && course->share[k] == 0) assert_int_equal(counts[k].proposed, 0);
    }
    assert_int_equal(proposed, course->proposals);
}

static uint64_t count(const bench *b, const uint32_t *order)
{
    ioa_io io;
    assert_int_equal(ioa_memory_count(b->network, order, b->memory, IOA_POLICY_MIN, &io, NULL), IOA_OK);
    return io.reads + io.writes;
}

/* Rounds of segments: the same bit for bit in whatever sequence the tasks are done, always legal, and worth it. */
static void rounds_in_segments(ioa_network *network, uint64_t memory, uint32_t segments, int rounds, double temperature,
                               double gain)
{
    bench b;
    set_up(&b, network, memory);
    const uint64_t w = network->connections, before = count(&b, b.order), lower = network->bounds.lower;
    uint32_t *other = ioa_alloc_copy(b.order, w, sizeof *other);
    ioa_order_prices prices;
    ioa_segments s = {0};
    assert_int_equal(ioa_order_prices_make(b.graph, memory, &prices, NULL), IOA_OK);
    uint32_t *price = ioa_alloc(prices.chunks, sizeof *price);
    ioa_order_prices_first(&prices, b.order, 60, price);
    for (int r = 0; r < rounds; r++) {
        ioa_move_counts counts[2][IOA_PRICED_MOVE_COUNT] = {{{0}}};
        ioa_segment_course course = {.key = 77 + (uint64_t)r, .proposals = 3 * w, .temperature = temperature * (rounds - 1 - r) / rounds};
        if (r & 1) course = other_moves(course);
        assert_int_equal(ioa_segments_cut(&s, &prices, price, b.order, segments, r & 1, b.local, NULL), IOA_OK);
        assert_int_equal(s.cut[s.count], w);
        anneal_backwards(&b, &s, &prices, price, other, &course, counts[0]);
        assert_int_equal(ioa_segments_anneal(b.graph, &s, &prices, price, b.order, &course, NULL, b.local, counts[1], NULL),
                         IOA_OK);
        assert_memory_equal(counts[0], counts[1], sizeof counts[0]);
        check_counts(&course, counts[1]);
        assert_memory_equal(b.order, other, w * sizeof *other);
        assert_int_equal(ioa_order_check(network, b.order, NULL), IOA_OK);
        ioa_order_prices_adjust(&prices, b.order, 19661, price);
    }
    const uint64_t after = count(&b, b.order);
    printf("M = %lu, %u segments: excess %lu -> %lu\n", (unsigned long)memory, (unsigned)segments,
           (unsigned long)(before - lower), (unsigned long)(after - lower));
    assert_true((double)(after - lower) < (1.0 - gain) * (double)(before - lower));
    ioa_free(other);
    ioa_free(price);
    ioa_segments_clear(&s);
    ioa_order_prices_clear(&prices);
    tear_down(&b);
}

static void segments_are_independent_and_improve(void **state)
{
    (void)state;
    rounds_in_segments(perceptron(CONNECTIONS), 32, 7, 10, 0.005, 0.02);
    for (uint64_t seed = 0; seed < 30; seed++) { /* small ones, with cuts everywhere: skips, constants, early outputs */
        ioa_test_dag_params params = ioa_test_dag_defaults();
        params.neurons = 20 + (uint32_t)(seed % 10) * 12;
        ioa_network *network = ioa_test_random_dag(seed, params);
        if (network->connections > 8) rounds_in_segments(network, 5, 2 + (uint32_t)(seed % 9), 4, 0.02, -1.0);
        else ioa_network_destroy(network);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(walking_finds_the_same_prices),
        cmocka_unit_test(segments_are_independent_and_improve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
