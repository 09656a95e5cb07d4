/* How well objectives predict time: rank correlation over a few hundred orders of one network, per kind of plan.
 *
 *     bench_objectives [--orders 200] [--batch 128] [--rounds 9] [--seed 1] NET.h5 ...
 *
 * The orders differ widely: constructive ones for several memories, snapshots of annealing at M = 32 and at M = 190, and
 * random disturbances of both, from slight ones to none of the structure left. Each is timed with every kind of plan, in
 * turn with the layered order of the same kind, so that a machine that changes its speed changes it for both; the median
 * ratio over --rounds windows is its time. Prints, per network and kind, Spearman's correlation of the times with each
 * objective (1: sorts the orders as time does; -: the same for all orders, as where M holds the whole network), and at the
 * end the means over the networks. One thread; run it on an idle machine. Results go to standard output, progress to
 * standard error. */
#include "core/base/mem.h"
#include "core/base/quartiles.h"
#include "core/compile/compile.h"
#include "core/model/network.h"
#include "core/model/objective.h"
#include "core/model/order.h"
#include "core/plan/plan_contest.h"
#include "io/archive/network_file.h"
#include "io/h5/h5.h"
#include "optimizer/search/construct/construct.h"
#include "optimizer/search/engine/engine.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_ROUNDS 101
#define CHAIN 8 /* steps after which a sum can be added to again without waiting: latency 4 on two units */

/* ---- what is compared ---- */

static const struct {
    const char *name;
    ioa_plan_options options;
} kinds[] = {{"compiled", {.layout = IOA_LAYOUT_COMPILED}},
             {"segments", {.layout = IOA_LAYOUT_COMPILED, .segment = 2000, .group = 8}},
             {"as-ordered", {.layout = IOA_LAYOUT_COMPILED, .as_ordered = 1}},
             {"order/64", {.layout = IOA_LAYOUT_ORDER, .tile = 64}},
             {"rows/64", {.layout = IOA_LAYOUT_ROWS, .tile = 64}},
             {"shared/64", {.layout = IOA_LAYOUT_SHARED_ROWS, .tile = 64}}};

/* Measures of an order that are counted once; objectives are weighted sums of them. */
enum { IO_8, IO_16, IO_32, IO_32_LRU, IO_190, IO_8000, CHAINS, RUNS, MEASURES };

static const ioa_level levels[] = {{8, IOA_POLICY_MIN, 1}, {16, IOA_POLICY_MIN, 1}, {32, IOA_POLICY_MIN, 1},
                                   {32, IOA_POLICY_LRU, 1}, {190, IOA_POLICY_LRU, 1}, {8000, IOA_POLICY_LRU, 1}};

static const struct {
    const char *name;
    double weight[MEASURES];
} objectives[] = {{"8 min", {[IO_8] = 1}},
                  {"16 min", {[IO_16] = 1}},
                  {"32 min", {[IO_32] = 1}},
                  {"32 lru", {[IO_32_LRU] = 1}},
                  {"190 lru", {[IO_190] = 1}},
                  {"8000 lru", {[IO_8000] = 1}},
                  {"32:1,190:0.1", {[IO_32] = 1, [IO_190] = 0.1}},
                  {"32:1,190:0.3", {[IO_32] = 1, [IO_190] = 0.3}},
                  {"32:1,190:1", {[IO_32] = 1, [IO_190] = 1}},
                  {"32:1,8000:0.3", {[IO_32] = 1, [IO_8000] = 0.3}},
                  {"chains", {[CHAINS] = 1}},
                  {"32 + chains/8", {[IO_32] = 1, [CHAINS] = 0.125}},
                  {"32 + chains/2", {[IO_32] = 1, [CHAINS] = 0.5}},
                  {"runs", {[RUNS] = 1}}};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define KINDS COUNT(kinds)
#define OBJECTIVES COUNT(objectives)

typedef struct settings {
    uint32_t orders, batch, rounds;
    uint64_t seed;
} settings;

static void need(ioa_status status, const ioa_error *error)
{
    if (status == IOA_OK) return;
    fprintf(stderr, "bench_objectives: %s\n", error->text);
    exit(3);
}

static void *get(uint64_t count, size_t size)
{
    void *pointer = ioa_alloc_zero(count, size);
    ioa_error error = {0};
    if (!pointer) need(ioa_fail_nomem(&error, "orders", count, size), &error);
    return pointer;
}

/* ---- orders ---- */

typedef struct collection {
    const ioa_network *network;
    uint32_t **orders; /* [wanted] each [W] */
    uint32_t count, wanted;
} collection;

static void add(collection *c, const uint32_t *order)
{
    uint64_t w = c->network->connections;
    if (c->count == c->wanted) return;
    c->orders[c->count] = get(w, sizeof **c->orders);
    memcpy(c->orders[c->count++], order, w * sizeof *order);
}

static void add_constructed(collection *c)
{
    static const uint64_t memories[] = {32, 8, 64, 190, 16, 1000};
    uint32_t *order = get(c->network->connections, sizeof *order);
    ioa_error error;
    for (size_t m = 0; m < COUNT(memories); m++)
        for (unsigned i = m ? 1 : 0; ioa_constructor_at(i); i++) {
            const ioa_constructor *constructor = ioa_constructor_at(i);
            if (constructor->affordable && !constructor->affordable(c->network, memories[m])) continue;
            need(constructor->build(c->network, memories[m], order, &error), &error);
            add(c, order);
        }
    ioa_free(order);
}

/* The bests of `rounds` rounds of annealing. */
static void add_annealed(collection *c, ioa_level level, uint32_t kind, uint32_t rounds, uint64_t seed)
{
    const ioa_engine *engine = ioa_engine_find("levels");
    ioa_error error;
    ioa_graph *graph = NULL;
    void *shared = NULL, *state = NULL;
    uint32_t *order = get(c->network->connections, sizeof *order);
    ioa_problem problem = {.network = c->network, .memory = level.memory,
                           .objective = ioa_objective_single(level.memory, level.policy)};
    need(ioa_graph_create(c->network, &graph, &error), &error);
    need(ioa_construct_blocks(c->network, level.memory, order, &error), &error);
    need(ioa_objective_count(c->network, order, &problem.objective, NULL, &problem.start_total, &error), &error);
    problem.graph = graph;
    problem.start = order;
    need(engine->prepare(&problem, &shared, &error), &error);
    need(engine->create(&problem, shared, kind, &state, &error), &error);
    uint64_t proposals = engine->round_proposals(&problem), w = c->network->connections;
    uint32_t *best = get(w, sizeof *best);
    ioa_tuning tuning;
    ioa_tuning_begin(engine->moves, engine->windows, &tuning);
    for (uint32_t r = 0; r < rounds; r++) {
        ioa_pcg32 rng = ioa_rng_keyed(seed, IOA_RNG_TEST, r, kind);
        ioa_round_counts counts = {0};
        ioa_step step = {.progress = (double)(r + 1) / rounds, .multiplier = 1, .proposals = proposals,
                         .sweeps = (double)proposals * rounds / (double)w, .heat = 1, .tuning = &tuning};
        need(engine->anneal(state, &step, &rng, &counts, &error), &error);
        engine->best_order(state, best);
        add(c, best);
    }
    engine->destroy(state);
    if (engine->release) engine->release(shared);
    ioa_graph_destroy(graph);
    ioa_free(order);
    ioa_free(best);
}

/* A heap of connections that may be handled next, the one with the least key at its top. */
typedef struct heap {
    uint32_t *item, count;
    const double *key; /* [W] */
} heap;

static void push(heap *h, uint32_t e)
{
    uint32_t at = h->count++;
    for (; at && h->key[e] < h->key[h->item[(at - 1) / 2]]; at = (at - 1) / 2) h->item[at] = h->item[(at - 1) / 2];
    h->item[at] = e;
}

static uint32_t pop(heap *h)
{
    uint32_t top = h->item[0], last = h->item[--h->count], at = 0;
    for (uint32_t child; (child = 2 * at + 1) < h->count; at = child) {
        if (child + 1 < h->count && h->key[h->item[child + 1]] < h->key[h->item[child]]) child++;
        if (h->key[last] <= h->key[h->item[child]]) break;
        h->item[at] = h->item[child];
    }
    h->item[at] = last;
    return top;
}

/* `from` with every place moved by up to `reach`, as far as precedence allows. */
static void disturb(const ioa_network *n, const uint32_t *from, double reach, ioa_pcg32 *rng, uint32_t *to)
{
    uint64_t w = n->connections;
    uint32_t *destinations = get(w, sizeof *destinations), *missing = get(n->a.neurons, sizeof *missing);
    uint32_t *first = get(n->a.neurons + 1, sizeof *first), *outgoing = get(w, sizeof *outgoing);
    double *key = get(w, sizeof *key);
    heap h = {get(w, sizeof *h.item), 0, key};
    ioa_network_destinations(n, destinations);
    for (uint64_t t = 0; t < w; t++) key[from[t]] = (double)t + reach * ioa_pcg32_double(rng);
    for (uint64_t e = 0; e < w; e++) {
        missing[destinations[e]]++;
        first[n->a.indices[e] + 1]++;
    }
    for (uint32_t v = 0; v < n->a.neurons; v++) first[v + 1] += first[v];
    for (uint64_t e = w; e-- > 0;) outgoing[--first[n->a.indices[e] + 1]] = (uint32_t)e; /* now first[v + 1] starts v */
    for (uint64_t e = 0; e < w; e++)
        if (missing[n->a.indices[e]] == 0) push(&h, (uint32_t)e);
    for (uint64_t t = 0; t < w; t++) {
        uint32_t e = to[t] = pop(&h), v = destinations[e];
        if (--missing[v]) continue;
        uint64_t end = v + 2 <= n->a.neurons ? first[v + 2] : w;
        for (uint64_t i = first[v + 1]; i < end; i++) push(&h, outgoing[i]);
    }
    ioa_free(destinations);
    ioa_free(missing);
    ioa_free(first);
    ioa_free(outgoing);
    ioa_free(key);
    ioa_free(h.item);
}

static collection collect(const ioa_network *network, const settings *s)
{
    collection c = {network, get(s->orders, sizeof *c.orders), 0, s->orders};
    uint32_t snapshots = s->orders / 6, *order = get(network->connections, sizeof *order);
    add_constructed(&c);
    add_annealed(&c, (ioa_level){32, IOA_POLICY_MIN, 1}, 0, snapshots, s->seed);
    add_annealed(&c, (ioa_level){190, IOA_POLICY_LRU, 1}, 0, snapshots, s->seed);
    ioa_pcg32 rng = ioa_rng_keyed(s->seed, IOA_RNG_TEST, 1, 1);
    for (uint32_t basis = c.count; c.count < c.wanted;) {
        double reach = pow((double)network->connections, 0.2 + 0.8 * ioa_pcg32_double(&rng));
        disturb(network, c.orders[ioa_pcg32_below(&rng, basis)], reach, &rng, order);
        ioa_error error;
        need(ioa_order_check(network, order, &error), &error);
        add(&c, order);
    }
    ioa_free(order);
    return c;
}

/* ---- measures and times ---- */

static void measure(const ioa_network *n, const uint32_t *order, double *out)
{
    uint32_t *destinations = get(n->connections, sizeof *destinations);
    uint64_t *last = get(n->a.neurons, sizeof *last); /* step after the last sum into a neuron */
    ioa_error error;
    for (int i = IO_8; i <= IO_8000; i++) {
        ioa_io io;
        need(ioa_memory_count(n, order, levels[i].memory, levels[i].policy, &io, &error), &error);
        out[i] = (double)(io.reads + io.writes);
    }
    ioa_network_destinations(n, destinations);
    out[CHAINS] = out[RUNS] = 0;
    for (uint64_t t = 0; t < n->connections; t++) {
        uint32_t v = destinations[order[t]];
        uint64_t distance = t + 1 - last[v];
        if (last[v] && distance < CHAIN) out[CHAINS] += (double)(CHAIN - distance);
        out[RUNS] += last[v] != t || t == 0;
        last[v] = t + 1;
    }
    ioa_free(destinations);
    ioa_free(last);
}

/* Time of an order over that of the layered one. */
static double time_of(ioa_contest *contest, const uint32_t *order, size_t kind, const ioa_contender *layered, uint32_t rounds)
{
    double ratios[MOST_ROUNDS];
    ioa_contender c;
    ioa_error error;
    need(ioa_contest_plan(contest, order, &kinds[kind].options, &c, &error), &error);
    uint32_t own = ioa_contest_passes(ioa_contest_warm(contest, &c));
    uint32_t other = ioa_contest_passes(ioa_contest_warm(contest, layered));
    for (uint32_t r = 0; r < rounds; r++) {
        double seconds = ioa_contest_time(contest, &c, own);
        ratios[r] = seconds / ioa_contest_time(contest, layered, other);
    }
    ioa_contest_dismiss(&c);
    return ioa_quartiles_of(ratios, rounds).median;
}

/* ---- correlation ---- */

static const double *sort_key;

static int by_key(const void *left, const void *right)
{
    double a = sort_key[*(const uint32_t *)left], b = sort_key[*(const uint32_t *)right];
    return (a > b) - (a < b);
}

/* Ranks, equal values sharing the mean of theirs. */
static void rank(const double *values, uint32_t count, double *ranks)
{
    uint32_t *index = get(count, sizeof *index);
    for (uint32_t i = 0; i < count; i++) index[i] = i;
    sort_key = values;
    qsort(index, count, sizeof *index, by_key);
    for (uint32_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && values[index[end]] <= values[index[i]]; end++) continue;
        for (uint32_t k = i; k < end; k++) ranks[index[k]] = 0.5 * (i + end - 1);
    }
    ioa_free(index);
}

/* NAN if the values of either are all the same. */
static double spearman(const double *x, const double *y, uint32_t count)
{
    double *rx = get(count, sizeof *rx), *ry = get(count, sizeof *ry), mean = 0.5 * (count - 1), xy = 0, xx = 0, yy = 0;
    rank(x, count, rx);
    rank(y, count, ry);
    for (uint32_t i = 0; i < count; i++) {
        xy += (rx[i] - mean) * (ry[i] - mean);
        xx += (rx[i] - mean) * (rx[i] - mean);
        yy += (ry[i] - mean) * (ry[i] - mean);
    }
    ioa_free(rx);
    ioa_free(ry);
    return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : NAN;
}

typedef struct table {
    double value[OBJECTIVES][KINDS]; /* NAN: none */
} table;

static void print(const char *title, const table *t)
{
    printf("\n%s\n\n| objective |", title);
    for (size_t k = 0; k < KINDS; k++) printf(" %s |", kinds[k].name);
    printf("\n|---|");
    for (size_t k = 0; k < KINDS; k++) printf("---|");
    for (size_t o = 0; o < OBJECTIVES; o++) {
        printf("\n| %s |", objectives[o].name);
        for (size_t k = 0; k < KINDS; k++) {
            if (isnan(t->value[o][k])) printf(" - |");
            else printf(" %.2f |", t->value[o][k]);
        }
    }
    printf("\n");
    fflush(stdout);
}

static table study(const char *path, const settings *s)
{
    ioa_error error;
    ioa_network *network;
    ioa_contest contest = {0};
    ioa_contender layered[KINDS];
    const ioa_plan_choice choice = {.batch = s->batch};
    table t;
    need(ioa_network_read(path, &network, &error), &error);
    collection c = collect(network, s);
    double *measures = get((uint64_t)c.count * MEASURES, sizeof *measures), *times = get((uint64_t)KINDS * c.count, sizeof *times);
    double *values = get(c.count, sizeof *values);
    need(ioa_contest_open(&contest, network, NULL, &choice, s->seed, &error), &error);
    for (size_t k = 0; k < KINDS; k++)
        need(ioa_contest_plan(&contest, NULL, &kinds[k].options, &layered[k], &error), &error);
    for (uint32_t i = 0; i < c.count; i++) {
        measure(network, c.orders[i], measures + (uint64_t)i * MEASURES);
        for (size_t k = 0; k < KINDS; k++) times[k * c.count + i] = time_of(&contest, c.orders[i], k, &layered[k], s->rounds);
        fprintf(stderr, "\r%s: %" PRIu32 " of %" PRIu32 " orders", path, i + 1, c.count);
    }
    fprintf(stderr, "\n");
    for (size_t o = 0; o < OBJECTIVES; o++) {
        for (uint32_t i = 0; i < c.count; i++) {
            values[i] = 0;
            for (int m = 0; m < MEASURES; m++) values[i] += objectives[o].weight[m] * measures[(uint64_t)i * MEASURES + (uint64_t)m];
        }
        for (size_t k = 0; k < KINDS; k++) t.value[o][k] = spearman(values, times + k * c.count, c.count);
    }
    for (size_t k = 0; k < KINDS; k++) ioa_contest_dismiss(&layered[k]);
    for (uint32_t i = 0; i < c.count; i++) ioa_free(c.orders[i]);
    const char *slash = strrchr(path, '/');
    char title[512];
    snprintf(title, sizeof title, "%s: %" PRIu32 " orders, batch %" PRIu32, slash ? slash + 1 : path, c.count, s->batch);
    print(title, &t);
    ioa_contest_close(&contest);
    ioa_free(c.orders);
    ioa_free(measures);
    ioa_free(times);
    ioa_free(values);
    ioa_network_destroy(network);
    return t;
}

static bool take_option(const char *name, const char *value, settings *s)
{
    uint64_t number = value ? strtoull(value, NULL, 10) : 0;
    if (!number) return false;
    if (strcmp(name, "--orders") == 0) s->orders = (uint32_t)number;
    else if (strcmp(name, "--batch") == 0) s->batch = (uint32_t)number;
    else if (strcmp(name, "--rounds") == 0) s->rounds = number < MOST_ROUNDS ? (uint32_t)number : MOST_ROUNDS;
    else if (strcmp(name, "--seed") == 0) s->seed = number;
    else return false;
    return true;
}

/* Over the networks that have a value. */
static table mean_of(const table *tables, uint32_t count)
{
    table mean;
    for (size_t o = 0; o < OBJECTIVES; o++)
        for (size_t k = 0; k < KINDS; k++) {
            double sum = 0;
            uint32_t values = 0;
            for (uint32_t i = 0; i < count; i++)
                if (!isnan(tables[i].value[o][k])) {
                    sum += tables[i].value[o][k];
                    values++;
                }
            mean.value[o][k] = values ? sum / values : NAN;
        }
    return mean;
}

int main(int argc, char **argv)
{
    settings s = {.orders = 200, .batch = 128, .rounds = 9, .seed = 1};
    table *tables = get((uint64_t)argc, sizeof *tables);
    uint32_t networks = 0;
    ioa_h5_program_start();
    if (!ioa_code_available(IOA_ISA_AUTO)) {
        fprintf(stderr, "bench_objectives: compiled code does not run here\n");
        return 77;
    }
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) == 0) {
            if (!take_option(argv[i], i + 1 < argc ? argv[i + 1] : NULL, &s)) {
                fprintf(stderr, "usage: bench_objectives [--orders N] [--batch B] [--rounds R] [--seed S] NET.h5 ...\n");
                return 2;
            }
            i++;
            continue;
        }
        tables[networks++] = study(argv[i], &s);
    }
    if (networks > 1) {
        table mean = mean_of(tables, networks);
        print("Mean over the networks", &mean);
    }
    ioa_free(tables);
    return 0;
}
