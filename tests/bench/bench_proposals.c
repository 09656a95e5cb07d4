/* Proposals per second of the search levels, against the number of connections and the size of the memory.
 *
 *     bench_proposals [largest W, default 10000000]
 *
 * Random perceptrons of four equal layers, 1 % dense up to W = 10^5 and of 100 sources a row above, annealed from the
 * block order at the temperature in the middle of a search. The clock covers everything a proposal causes, settling of
 * prices included; building the state is not covered. One thread; run it on an idle machine. */
#include "core/generate.h"
#include "core/mem.h"
#include "core/network.h"
#include "optimizer/search/construct.h"
#include "optimizer/search/exact.h"
#include "optimizer/search/interval.h"
#include "optimizer/search/priced.h"
#include "optimizer/search/tempering.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void die(const ioa_error *error)
{
    fprintf(stderr, "bench_proposals: %s\n", error->text);
    exit(3);
}

/* Proposals per second over at least a second's worth. */
static double fine_rate(const ioa_network *network, uint64_t memory, ioa_error *error)
{
    ioa_graph *graph;
    ioa_priced *priced;
    uint32_t *order = ioa_alloc(network->connections, sizeof *order);
    if (!order || ioa_construct_blocks(network, memory, order, error) != IOA_OK ||
        ioa_graph_create(network, &graph, error) != IOA_OK ||
        ioa_priced_create(graph, order, memory, &priced, error) != IOA_OK)
        die(error);
    double scale = (double)ioa_priced_energy(priced) / (double)IOA_PRICED_ONE / (double)network->connections;
    ioa_pcg32 rng = ioa_rng_keyed(1, IOA_RNG_TEST, 0, 0);
    uint64_t chunk = network->connections < 100000 ? 100000 : network->connections, done = 0;
    ioa_priced_run(priced, 0.1 * scale, chunk / 4, &rng); /* past the first rush of acceptances */
    double began = ioa_clock(), spent;
    do {
        ioa_priced_run(priced, 0.1 * scale, chunk, &rng);
        done += chunk;
        spent = ioa_clock() - began;
    } while (spent < 1.0);
    ioa_priced_destroy(priced);
    ioa_graph_destroy(graph);
    ioa_free(order);
    return (double)done / spent;
}

static double coarse_rate(const ioa_network *network, uint64_t memory, ioa_error *error)
{
    ioa_interval_problem *problem;
    ioa_intervals start;
    ioa_interval_state *state;
    uint64_t window = memory > 4 ? memory - 2 : 1;
    if (ioa_interval_problem_create(network, memory, true, &problem, error) != IOA_OK ||
        ioa_intervals_window(problem, (uint32_t)window, NULL, &start, error) != IOA_OK ||
        ioa_interval_state_create(problem, &start, &state, error) != IOA_OK)
        die(error);
    ioa_pcg32 rng = ioa_rng_keyed(1, IOA_RNG_TEST, 0, 1);
    ioa_interval_counts counts = {0};
    double began = ioa_clock(), spent;
    do {
        if (ioa_interval_anneal(state, 0.2, 20000, &rng, &counts, error) != IOA_OK) die(error);
        spent = ioa_clock() - began;
    } while (spent < 1.0);
    ioa_interval_state_destroy(state);
    ioa_intervals_destroy(&start);
    ioa_interval_problem_destroy(problem);
    return (double)counts.proposals / spent;
}

/* Also how many steps a proposal counts anew, those rejected beforehand included. */
static double exact_rate(const ioa_network *network, uint64_t memory, double *steps, ioa_error *error)
{
    ioa_graph *graph;
    ioa_exact *exact;
    uint32_t *order = ioa_alloc(network->connections, sizeof *order);
    if (!order || ioa_construct_blocks(network, memory / 2 < 3 ? 3 : memory / 2, order, error) != IOA_OK ||
        ioa_graph_create(network, &graph, error) != IOA_OK ||
        ioa_exact_create(graph, order, memory, &exact, error) != IOA_OK)
        die(error);
    ioa_free(order);
    ioa_pcg32 rng = ioa_rng_keyed(1, IOA_RNG_TEST, 0, 2);
    uint64_t done = 0;
    ioa_exact_run(exact, 0.15, 20000, &rng);
    uint64_t counted = ioa_exact_statistics(exact)->steps;
    double began = ioa_clock(), spent;
    do {
        ioa_exact_run(exact, 0.15, 20000, &rng);
        done += 20000;
        spent = ioa_clock() - began;
    } while (spent < 1.0);
    *steps = (double)(ioa_exact_statistics(exact)->steps - counted) / (double)done;
    ioa_exact_destroy(exact);
    ioa_graph_destroy(graph);
    return (double)done / spent;
}

int main(int argc, char **argv)
{
    static const uint64_t memories[] = {16, 32, 100, 1000, 8192};
    double largest = argc > 1 ? atof(argv[1]) : 1e7;
    printf("| W | M | connections moved: proposals/s | intervals moved: proposals/s | exact LRU: proposals/s | steps each |\n"
           "|---|---|---|---|---|---|\n");
    for (double w = 1e4; w <= largest * 1.001; w *= 10.0) {
        double fan_in = w <= 1e5 ? sqrt(w / 3.0) * 0.1 : 100.0;
        uint32_t width = (uint32_t)(w / 3.0 / fan_in), widths[] = {width, width, width, width};
        ioa_generate_common common = {.seed = 1, .hidden = IOA_ACT_RELU};
        ioa_network *network;
        ioa_error error;
        if (ioa_generate_mlp(widths, 4, fan_in / width, &common, &network, &error) != IOA_OK) die(&error);
        for (size_t m = 0; m < sizeof memories / sizeof *memories; m++) {
            if (memories[m] > network->a.neurons) continue;
            double steps, exact = exact_rate(network, memories[m], &steps, &error);
            printf("| %lu | %lu | %.0f | %.0f | %.0f | %.1f |\n", (unsigned long)network->connections,
                   (unsigned long)memories[m], fine_rate(network, memories[m], &error),
                   coarse_rate(network, memories[m], &error), exact, steps);
            fflush(stdout);
        }
        ioa_network_destroy(network);
    }
    return 0;
}
