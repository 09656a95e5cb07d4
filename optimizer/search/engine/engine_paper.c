/* The paper's own search, "connection reordering": a move picks one connection and shifts it by up to `window` places
 * left or right, stopping where precedence would break; every proposal is scored by a full simulation. Kept as the
 * baseline other engines are measured against. */
#include "optimizer/search/engine/engine.h"

#include "core/base/mem.h"
#include "core/kernel/portable_math.h"
#include "core/model/network.h"
#include "optimizer/search/engine/scorer.h"

#include <string.h>

/* In I/Os. Measured: from 1.0 down to 0.145 the layered order is lost before it cools and little is gained in the end;
 * here a rise of one passes once in 800 times at first, and hardly ever at last. */
#define COLD 0.05
#define HOT 0.15

/* The window is in tenths of the connections, and stays what the paper has. */
static const ioa_move paper_moves[] = {{"a connection some places on", 0, IOA_SHARES, true}, {0}};
static const ioa_window paper_windows[IOA_LEVELS] = {{1, 1, 1, 0.44, 0, 0}, {1, 1, 1, 0.44, 0, 0}, {1, 1, 1, 0.44, 0, 0}};

typedef struct paper {
    const ioa_problem *problem;
    ioa_scorer *scorer;
    uint32_t *destinations; /* [W] */
    uint32_t *order;        /* [W] */
    uint32_t *best;         /* [W] */
    uint64_t total, best_total;
} paper;

static void paper_destroy(void *state)
{
    paper *p = state;
    if (!p) return;
    ioa_scorer_destroy(p->scorer);
    ioa_free(p->destinations);
    ioa_free(p->order);
    ioa_free(p->best);
    ioa_free(p);
}

static ioa_status paper_create(const ioa_problem *problem, const void *shared, uint32_t kind, void **state,
                               ioa_error *error)
{
    (void)shared;
    (void)kind;
    uint64_t w = problem->network->connections;
    paper *p = ioa_alloc_zero(1, sizeof *p);
    if (!p) return ioa_fail_nomem(error, "a replica", 1, sizeof *p);
    p->problem = problem;
    p->destinations = ioa_alloc(w, sizeof *p->destinations);
    p->order = ioa_alloc_copy(problem->start, w, sizeof *p->order);
    p->best = ioa_alloc_copy(problem->start, w, sizeof *p->best);
    if (!p->destinations || !p->order || !p->best) {
        paper_destroy(p);
        return ioa_fail_nomem(error, "a replica", w, 3 * sizeof *p->order);
    }
    ioa_status status =
        ioa_scorer_create(problem->network, &problem->objective, &p->scorer, error);
    if (status != IOA_OK) {
        paper_destroy(p);
        return status;
    }
    ioa_network_destinations(problem->network, p->destinations);
    p->total = p->best_total = problem->start_total;
    *state = p;
    return IOA_OK;
}

/* About two seconds of full simulations at 0.07 us per connection, but never none. */
static uint64_t paper_round_proposals(const ioa_problem *problem)
{
    uint64_t proposals = UINT64_C(20000000) / (problem->network->connections + 1);
    return proposals < 1 ? 1 : proposals > 2000 ? 2000 : proposals;
}

/* Two neighbouring steps may change places unless one completes what the other reads. */
static bool independent(const paper *p, uint32_t first, uint32_t second)
{
    const uint32_t *sources = p->problem->network->a.indices;
    return p->destinations[first] != sources[second] && p->destinations[second] != sources[first];
}

static void shift(uint32_t *order, uint64_t from, uint64_t to)
{
    uint32_t moved = order[from];
    if (from < to)
        memmove(order + from, order + from + 1, (to - from) * sizeof *order);
    else
        memmove(order + to + 1, order + to, (from - to) * sizeof *order);
    order[to] = moved;
}

static ioa_status paper_anneal(void *state, const ioa_step *step, ioa_pcg32 *rng, ioa_round_counts *counts,
                               ioa_error *error)
{
    (void)error;
    paper *p = state;
    uint64_t w = p->problem->network->connections;
    double cold = p->problem->cold > 0.0 ? p->problem->cold : COLD, hot = p->problem->hot > 0.0 ? p->problem->hot : HOT;
    counts->base = step->quench ? 0.0 : ioa_cooling(cold, hot * step->heat, 1e9, step->progress);
    double temperature = counts->base * step->multiplier;
    uint64_t window = w / 10 * ioa_tuning_window(step->tuning, 0);
    if (window < 10) window = 10;
    for (uint64_t i = 0; i < step->proposals && w > 1; i++) {
        uint64_t from = ioa_pcg32_below(rng, (uint32_t)w), to = from;
        uint32_t reach = 1 + ioa_pcg32_below(rng, (uint32_t)window);
        bool right = ioa_pcg32_next(rng) & 1;
        double uniform = ioa_pcg32_double(rng);
        counts->proposals++;
        while (reach-- && (right ? to + 1 < w : to > 0) &&
               independent(p, p->order[from], p->order[right ? to + 1 : to - 1]))
            to = right ? to + 1 : to - 1;
        if (to == from) continue;
        shift(p->order, from, to);
        uint64_t total = ioa_scorer_total(p->scorer, p->order);
        double rise = (double)total - (double)p->total;
        if (rise > 0.0 && (temperature <= 0.0 || uniform >= ioa_portable_exp(-rise / temperature))) {
            shift(p->order, to, from);
            continue;
        }
        counts->accepted++;
        if (rise < 0.0) counts->moves[0].gained += (uint64_t)-rise * IOA_GAIN_ONE;
        p->total = total;
        if (p->total >= p->best_total) continue;
        p->best_total = p->total;
        memcpy(p->best, p->order, w * sizeof *p->best);
    }
    counts->moves[0].proposed = counts->proposals;
    counts->moves[0].accepted = counts->accepted;
    counts->moves[0].touched = counts->proposals * w; /* every proposal is simulated in full */
    return IOA_OK;
}

static ioa_status paper_restart(void *state, const uint32_t *order, ioa_error *error)
{
    (void)error;
    paper *p = state;
    memcpy(p->order, order, p->problem->network->connections * sizeof *p->order);
    p->total = ioa_scorer_total(p->scorer, p->order);
    if (p->total < p->best_total) {
        p->best_total = p->total;
        memcpy(p->best, p->order, p->problem->network->connections * sizeof *p->best);
    }
    return IOA_OK;
}

static int64_t paper_energy(const void *state)
{
    return (int64_t)((const paper *)state)->total;
}

static uint64_t paper_best_total(const void *state)
{
    return ((const paper *)state)->best_total;
}

static void paper_best_order(const void *state, uint32_t *order)
{
    const paper *p = state;
    memcpy(order, p->best, p->problem->network->connections * sizeof *order);
}

static void paper_present_order(const void *state, uint32_t *order)
{
    const paper *p = state;
    memcpy(order, p->order, p->problem->network->connections * sizeof *order);
}

/* Flat form: both totals, both orders. */
static uint64_t paper_bytes(const void *state)
{
    const paper *p = state;
    return 2 * sizeof(uint64_t) + 2 * p->problem->network->connections * sizeof *p->order;
}

static void paper_save(const void *state, void *bytes)
{
    const paper *p = state;
    size_t order = p->problem->network->connections * sizeof *p->order;
    const uint64_t totals[2] = {p->total, p->best_total};
    unsigned char *to = bytes;
    memcpy(to, totals, sizeof totals);
    memcpy(to + sizeof totals, p->order, order);
    memcpy(to + sizeof totals + order, p->best, order);
}

static ioa_status paper_load(void *state, const void *bytes, uint64_t count, ioa_error *error)
{
    paper *p = state;
    size_t order = p->problem->network->connections * sizeof *p->order;
    const unsigned char *from = bytes;
    uint64_t totals[2];
    if (count != paper_bytes(p)) return ioa_fail(error, IOA_ERR_INPUT, "a replica's state has the wrong length");
    memcpy(totals, from, sizeof totals);
    p->total = totals[0];
    p->best_total = totals[1];
    ioa_status status = ioa_scorer_take(p->scorer, from + sizeof totals, p->total, p->order, error);
    return status == IOA_OK ? ioa_scorer_take(p->scorer, from + sizeof totals + order, p->best_total, p->best, error) : status;
}

const ioa_engine ioa_engine_paper = {
    .name = "paper",
    .summary = "shift single connections, full simulation of every proposal (the paper's baseline)",
    .moves = paper_moves,
    .windows = paper_windows,
    .create = paper_create,
    .destroy = paper_destroy,
    .round_proposals = paper_round_proposals,
    .anneal = paper_anneal,
    .energy = paper_energy,
    .best_total = paper_best_total,
    .best_order = paper_best_order,
    .present_order = paper_present_order,
    .restart = paper_restart,
    .bytes = paper_bytes,
    .save = paper_save,
    .load = paper_load,
};
