/* Three engines, which are the same replica (levels_replica.c, levels_anneal.c) with different plans:
 *   interval  coarse: every destination has one residency, an interval of time (interval.h)
 *   priced    fine: every connection has its place, memory has prices (priced.h)
 *   levels    two kinds of replicas: one coarse for most of the time, then fine from there, never hot again; the other fine
 *             from the beginning. Long rows and little memory favour the former, short ones and much memory the latter, but
 *             no rule is right for all networks. Replicas of one kind come out alike, so that nothing is lost if there are
 *             both; where there is one replica, or orders are cut into segments, rows and a trial decide (stages.h).
 * The exact count of what a replica has is taken at the end of every round; swaps compare it, and the best order is
 * chosen by it. With an objective of several levels, moves are made for the first one (the registers, where every
 * transfer is an instruction), and everything that is selected - the start, the swaps, the bests - by the weighted sum. */
#include "optimizer/search/engine/levels.h"

#include "core/base/mem.h"

#include <string.h>

static const ioa_move moves[IOA_MOVES] = {IOA_LEVELS_ROWS};
static const ioa_window windows[IOA_LEVELS] = {IOA_LEVELS_WINDOWS, IOA_NO_WINDOW};

static ioa_status prepare_interval(const ioa_problem *problem, void **pointer, ioa_error *error)
{
    return ioa_levels_shared_create(problem, 1.0, pointer, error);
}

static ioa_status prepare_priced(const ioa_problem *problem, void **pointer, ioa_error *error)
{
    return ioa_levels_shared_create(problem, 0.0, pointer, error);
}

/* Connections of a row on average. Below SHORT_ROWS a short trial would speak for intervals, and a long annealing speaks
 * against them; from LONG_ROWS on intervals come out cheaper, or as cheap in less time. */
#define SHORT_ROWS 8.0
#define LONG_ROWS 12.0
#define MUCH_MEMORY 8.0 /* times the length of a row: sources stay for long, and single connections gain again */

/* Over the rows that are not empty. */
static double row_length(const ioa_network *network)
{
    uint64_t rows = 0;
    for (uint32_t v = 0; v < network->a.neurons; v++) rows += network->a.indptr[v + 1] > network->a.indptr[v];
    return rows ? (double)network->connections / (double)rows : 0.0;
}

/* The longer the rows, the more is decided by which destinations are open together, and the less by single
 * connections. */
static ioa_status prepare_levels(const ioa_problem *problem, void **pointer, ioa_error *error)
{
    double length = row_length(problem->network), takeover = 0.7 + 0.015 * (length - 16.0);
    bool fine_first = length < SHORT_ROWS, never = fine_first && problem->segments > 1;
    takeover = never ? 0.0 : takeover < 0.7 ? 0.7 : takeover > 0.95 ? 0.95 : takeover;
    ioa_status status = ioa_levels_shared_create(problem, takeover, pointer, error);
    if (status == IOA_OK) ((ioa_levels_shared *)*pointer)->fine_first = fine_first;
    return status;
}

/* Long rows leave a replica that is fine from the beginning nothing to add, unless there is time for a few rounds alone:
 * orders that are cut into segments are so long. */
uint32_t ioa_levels_tried_kinds(const ioa_problem *problem)
{
    double length = row_length(problem->network);
    return length < SHORT_ROWS || (length >= LONG_ROWS && problem->segments < 2) ? 1 : 2;
}

/* Both kinds side by side where either may come out cheaper. Not where orders are cut: workers without a replica help those
 * that have one there, and every replica is to be of the better kind. */
static uint32_t levels_kinds(const ioa_problem *problem, uint32_t replicas, bool *trial)
{
    double length = row_length(problem->network);
    bool open = length < LONG_ROWS || (double)problem->memory >= MUCH_MEMORY * length;
    *trial = replicas < 2 || problem->segments > 1 || !open;
    return *trial ? ioa_levels_tried_kinds(problem) : 2;
}

/* Coarse proposals; enough for a round to change something, few enough for some hundred rounds a minute, and on large
 * networks for rounds of some seconds, so that a time limit can be kept: a proposal touches the sources of a row, and costs
 * more, the more of them have more readers. Where there are coarse replicas in one piece, four to a neuron: the order and its
 * exact count at the end of a round take as long as 0.4 proposals to a neuron. */
static uint64_t round_proposals(const ioa_problem *problem)
{
    uint64_t n = problem->network->a.neurons, w = problem->network->connections;
    uint64_t proposals = problem->segments < 2 && row_length(problem->network) >= SHORT_ROWS ? 4 * n : n;
    uint64_t readers = UINT64_C(200000000000) / (w + 1), sources = (2000000 + w / 10) / (w / n + 1);
    if (proposals > readers) proposals = readers;
    if (proposals > sources) proposals = sources;
    return proposals < 4000 ? 4000 : proposals;
}

/* ---- on a rank that helps ---- */

static ioa_status assist(const ioa_problem *problem, void **helper, ioa_error *error)
{
    uint32_t n = problem->network->a.neurons, *local = *helper;
    if (!local) {
        local = *helper = ioa_alloc(n, sizeof *local);
        if (local) memset(local, 0xff, n * sizeof *local);
    }
    return ioa_segments_assist(problem->graph, problem->crew, local, error);
}

static void dismiss(void *helper)
{
    ioa_free(helper);
}

static int64_t energy(const void *state)
{
    return (int64_t)((const ioa_levels_replica *)state)->total;
}

static uint64_t best_total(const void *state)
{
    return ((const ioa_levels_replica *)state)->best_total;
}

static void best_order(const void *state, uint32_t *order)
{
    const ioa_levels_replica *r = state;
    memcpy(order, r->best, r->problem->network->connections * sizeof *order);
}

static void present_order(const void *state, uint32_t *order)
{
    const ioa_levels_replica *r = state;
    memcpy(order, r->order, r->problem->network->connections * sizeof *order);
}

#define REPLICA                                                                                                        \
    .moves = moves, .windows = windows, .release = ioa_levels_shared_release,                                          \
    .create = ioa_levels_create, .destroy = ioa_levels_destroy, .turn = ioa_levels_turn,                               \
    .restart = ioa_levels_restart, .round_proposals = round_proposals, .anneal = ioa_levels_anneal, .energy = energy,  \
    .best_total = best_total, .best_order = best_order, .present_order = present_order, .assist = assist,              \
    .dismiss = dismiss, .bytes = ioa_levels_bytes, .save = ioa_levels_save, .load = ioa_levels_load

const ioa_engine ioa_engine_levels = {.name = "levels",
                                      .summary = "intervals of destinations first, then single connections",
                                      .kinds = levels_kinds,
                                      .prepare = prepare_levels,
                                      REPLICA};
const ioa_engine ioa_engine_interval = {.name = "interval",
                                        .summary = "each destination resident once, for an interval that moves",
                                        .prepare = prepare_interval,
                                        REPLICA};
const ioa_engine ioa_engine_priced = {.name = "priced",
                                      .summary = "connections, runs and neurons move against prices of memory",
                                      .prepare = prepare_priced,
                                      REPLICA};
