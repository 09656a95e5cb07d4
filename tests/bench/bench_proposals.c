/* Proposals per second of the search levels, against the number of connections and the size of the memory.
 *
 *     bench_proposals [-w largest W] [-m M] [-l connections|intervals|exact] [-s seconds]
 *
 * Random perceptrons of four equal layers, 1 % dense up to W = 10^5 and of 100 sources a row above; W = 10^4 .. 10^7 and M =
 * 16 .. 8192 unless told otherwise. As the search does it: above 400,000 connections, single connections and the exact LRU
 * count work in segments. The clock covers everything a proposal causes: settling of prices, cutting, making segments
 * and putting them together, their share of what is done once a round; building the first state is not covered. At
 * least `seconds` (1) per number, some four minutes in all. One thread, processor time: other work on the machine disturbs
 * it through caches and memory alone. */
#include "core/base/mem.h"
#include "core/generate/generate.h"
#include "core/model/network.h"
#include "optimizer/search/construct/construct.h"
#include "optimizer/search/exact/exact_segments.h"
#include "optimizer/search/interval/interval.h"
#include "optimizer/search/segment/segment.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct setting {
    const ioa_network *network;
    ioa_graph *graph;
    uint64_t memory;
    double seconds; /* at least */
} setting;

typedef struct rate {
    double per_second; /* proposals */
    double each;       /* sources touched, or steps counted, per proposal */
} rate;

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void die(const ioa_error *error)
{
    fprintf(stderr, "bench_proposals: %s\n", error->text);
    exit(3);
}

static void require(ioa_status status, const ioa_error *error)
{
    if (status != IOA_OK) die(error);
}

static uint32_t *new_order(const setting *s)
{
    ioa_error error;
    uint32_t *order = ioa_alloc(s->network->connections, sizeof *order);
    if (!order) {
        (void)ioa_fail_nomem(&error, "an order", s->network->connections, sizeof *order);
        die(&error);
    }
    return order;
}

/* ---- single connections ---- */

static rate priced_whole(const setting *s, const uint32_t *order)
{
    ioa_error error;
    ioa_priced *priced;
    require(ioa_priced_create(s->graph, order, s->memory, &priced, &error), &error);
    double hot, cold;
    ioa_priced_suggest(priced, &hot, &cold);
    ioa_pcg32 rng = ioa_rng_keyed(1, IOA_RNG_TEST, 0, 0);
    uint64_t chunk = 100000, done = 0;
    ioa_priced_run(priced, hot / 10.0, chunk, &rng); /* past the first rush of acceptances */
    double began = cpu_seconds(), spent;
    do {
        ioa_priced_run(priced, hot / 10.0, chunk, &rng);
        done += chunk;
        spent = cpu_seconds() - began;
    } while (spent < s->seconds);
    ioa_priced_destroy(priced);
    return (rate){(double)done / spent, 0.0};
}

/* One round, of half a proposal per connection. */
static rate priced_segments(const setting *s, uint32_t segments, uint32_t *order)
{
    ioa_error error;
    ioa_order_prices prices;
    ioa_segments cuts = {0};
    ioa_move_counts moves[IOA_PRICED_MOVE_COUNT] = {{0}};
    uint32_t *local = ioa_alloc(s->graph->N, sizeof *local), *price;
    memset(&prices, 0, sizeof prices);
    if (!local) die(&error);
    memset(local, 0xff, s->graph->N * sizeof *local);
    require(ioa_order_prices_make(s->graph, s->memory, &prices, &error), &error);
    price = ioa_alloc(prices.chunks, sizeof *price);
    if (!price) die(&error);
    ioa_order_prices_first(&prices, order, 6, price);
    double hot = ioa_priced_hot(s->graph, ioa_order_prices_adjust(&prices, order, 0, price));
    const ioa_segment_course course = {.key = 1, .proposals = s->graph->W / 2, .temperature = hot / 10.0};
    double began = cpu_seconds();
    require(ioa_segments_cut(&cuts, &prices, price, order, segments, false, local, &error), &error);
    require(ioa_segments_anneal(s->graph, &cuts, &prices, price, order, &course, NULL, local, moves, &error), &error);
    ioa_order_prices_adjust(&prices, order, 19661, price);
    double spent = cpu_seconds() - began;
    ioa_order_prices_clear(&prices);
    ioa_segments_clear(&cuts);
    ioa_free(local);
    ioa_free(price);
    return (rate){(double)course.proposals / spent, 0.0};
}

/* The order is annealed. */
static rate connections_rate(const setting *s, uint32_t *order)
{
    uint32_t segments = ioa_segments_default(s->graph->W, s->memory);
    return segments > 1 ? priced_segments(s, segments, order) : priced_whole(s, order);
}

/* ---- intervals ---- */

static rate intervals_rate(const setting *s)
{
    ioa_error error;
    ioa_interval_problem *problem;
    ioa_intervals start;
    ioa_interval_state *state;
    uint64_t window = s->memory > 4 ? s->memory - 2 : 1;
    require(ioa_interval_problem_create(s->network, s->memory, true, &problem, &error), &error);
    require(ioa_intervals_window(problem, (uint32_t)window, NULL, &start, &error), &error);
    require(ioa_interval_state_create(problem, &start, &state, &error), &error);
    ioa_pcg32 rng = ioa_rng_keyed(1, IOA_RNG_TEST, 0, 1);
    ioa_interval_counts counts = {0};
    double began = cpu_seconds(), spent, touched = 0.0;
    do {
        require(ioa_interval_anneal(state, 0.2, 10000, &rng, &counts, &error), &error);
        spent = cpu_seconds() - began;
    } while (spent < s->seconds);
    for (int k = 0; k < IOA_INTERVAL_MOVE_COUNT; k++) touched += (double)counts.moves[k].touched;
    ioa_interval_state_destroy(state);
    ioa_intervals_destroy(&start);
    ioa_interval_problem_destroy(problem);
    return (rate){(double)counts.proposals / spent, touched / (double)counts.proposals};
}

/* ---- the exact LRU count ---- */

static rate exact_whole(const setting *s, const uint32_t *order)
{
    ioa_error error;
    ioa_exact *exact;
    require(ioa_exact_create(s->graph, order, s->memory, &exact, &error), &error);
    ioa_pcg32 rng = ioa_rng_keyed(1, IOA_RNG_TEST, 0, 2);
    uint64_t done = 0, chunk = 1000;
    ioa_exact_run(exact, 0.15, chunk, &rng);
    uint64_t counted = ioa_exact_statistics(exact)->steps;
    double began = cpu_seconds(), spent;
    do {
        ioa_exact_run(exact, 0.15, chunk, &rng);
        done += chunk;
        spent = cpu_seconds() - began;
    } while (spent < s->seconds);
    counted = ioa_exact_statistics(exact)->steps - counted;
    ioa_exact_destroy(exact);
    return (rate){(double)done / spent, (double)counted / (double)done};
}

/* As many segments as take the time, and their share of what is done for all of them at once. */
static rate exact_segments(const setting *s, uint32_t segments, uint32_t *order)
{
    ioa_error error;
    ioa_exact_sweep sweep = {0};
    ioa_exact_swept swept = {0};
    require(ioa_exact_sweep_make(s->graph, s->memory, &sweep, &error), &error);
    const ioa_exact_course course = {.key = 1, .proposals = s->graph->W / 16, .temperature = 0.15, .segments = segments};
    double began = cpu_seconds(), once, spent;
    ioa_exact_sweep_begin(&sweep, order);
    once = cpu_seconds() - began;
    began = cpu_seconds();
    do {
        require(ioa_exact_sweep_next(&sweep, &course, order, &swept, &error), &error);
        spent = cpu_seconds() - began;
    } while (spent < s->seconds && sweep.at < s->graph->W);
    spent += once * (double)sweep.at / (double)s->graph->W;
    ioa_exact_sweep_clear(&sweep);
    return (rate){(double)swept.proposals / spent, (double)swept.steps / (double)swept.proposals};
}

static rate exact_rate(const setting *s, uint32_t *order)
{
    uint32_t segments = ioa_segments_default(s->graph->W, s->memory);
    return segments > 1 ? exact_segments(s, segments, order) : exact_whole(s, order);
}

/* ---- the table ---- */

static void print_row(setting *s, const char *level)
{
    ioa_error error;
    rate connections = {0}, intervals = {0}, exact = {0};
    uint32_t *order = NULL, *copy = NULL;
    if (level[0] != 'i') {
        order = new_order(s);
        copy = new_order(s);
        require(ioa_construct_blocks(s->network, s->memory, order, &error), &error);
        memcpy(copy, order, s->network->connections * sizeof *copy);
    }
    if (level[0] == 'a' || level[0] == 'c') connections = connections_rate(s, copy);
    if (level[0] == 'a' || level[0] == 'e') exact = exact_rate(s, order);
    ioa_free(order);
    ioa_free(copy);
    if (level[0] == 'a' || level[0] == 'i') intervals = intervals_rate(s);
    printf("| %lu | %lu | %.0f | %.0f | %.1f | %.0f | %.1f |\n", (unsigned long)s->network->connections,
           (unsigned long)s->memory, connections.per_second, intervals.per_second, intervals.each, exact.per_second,
           exact.each);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static const uint64_t memories[] = {16, 32, 100, 1000, 8192};
    double largest = 1e7, seconds = 1.0;
    uint64_t only = 0;
    const char *level = "all";
    for (int o; (o = getopt(argc, argv, "w:m:l:s:")) != -1;) {
        if (o == 'w') largest = atof(optarg);
        else if (o == 'm') only = (uint64_t)atof(optarg);
        else if (o == 's') seconds = atof(optarg);
        else if (o == 'l' && strchr("aice", optarg[0])) level = optarg;
        else {
            fputs("usage: bench_proposals [-w largest W] [-m M] [-l connections|intervals|exact] [-s seconds]\n", stderr);
            return 2;
        }
    }
    printf("| W | M | connections: proposals/s | intervals: proposals/s | sources touched each | exact LRU: proposals/s "
           "| steps counted each |\n|---|---|---|---|---|---|---|\n");
    for (double w = only ? largest : 1e4; w <= largest * 1.001; w *= 10.0) {
        double fan_in = w <= 1e5 ? sqrt(w / 3.0) * 0.1 : 100.0;
        uint32_t width = (uint32_t)(w / 3.0 / fan_in), widths[] = {width, width, width, width};
        ioa_generate_common common = {.seed = 1, .hidden = IOA_ACT_RELU};
        ioa_network *network;
        ioa_error error;
        setting s = {.seconds = seconds};
        require(ioa_generate_mlp(widths, 4, fan_in / width, &common, &network, &error), &error);
        require(ioa_network_keep_destinations(network, &error), &error);
        require(ioa_graph_create(network, &s.graph, &error), &error);
        s.network = network;
        for (size_t m = 0; m < sizeof memories / sizeof *memories; m++) {
            s.memory = memories[m];
            if (s.memory <= network->a.neurons && (!only || only == s.memory)) print_row(&s, level);
        }
        ioa_graph_destroy(s.graph);
        ioa_network_destroy(network);
    }
    return 0;
}
