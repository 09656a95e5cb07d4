/* Priced gaps: a replica anneals the order of connections against prices of memory (optimizer/search/priced.h), which
 * makes a proposal cost O(degree) whatever W and M are. The exact count of what it has is taken at the end of every
 * round; that count is what swaps compare and what the best order is chosen by. */
#include "optimizer/search/engine.h"

#include "core/mem.h"
#include "core/simulator.h"
#include "optimizer/search/priced.h"

#include <string.h>

typedef struct replica {
    const ioa_problem *problem;
    ioa_priced *priced;
    ioa_simulator *simulator;
    uint32_t *order; /* [W] as last counted */
    uint32_t *best;  /* [W] */
    uint64_t total, best_total;
    double scale;
} replica;

static void priced_destroy(void *state)
{
    replica *r = state;
    if (!r) return;
    ioa_priced_destroy(r->priced);
    ioa_simulator_destroy(r->simulator);
    ioa_free(r->order);
    ioa_free(r->best);
    ioa_free(r);
}

static ioa_status priced_create(const ioa_problem *problem, void **state, ioa_error *error)
{
    uint64_t w = problem->network->connections;
    replica *r = ioa_alloc_zero(1, sizeof *r);
    if (!r) return ioa_fail_nomem(error, "a replica", 1, sizeof *r);
    r->problem = problem;
    r->total = r->best_total = problem->start_total;
    r->order = ioa_alloc(w, sizeof *r->order);
    r->best = ioa_alloc_copy(problem->start, w, sizeof *r->best);
    ioa_status status = r->order && r->best ? IOA_OK : ioa_fail_nomem(error, "a replica", w, 2 * sizeof *r->order);
    if (status == IOA_OK)
        status = ioa_simulator_create(problem->network, problem->memory, problem->policy, &r->simulator, error);
    if (status == IOA_OK)
        status = ioa_priced_create(problem->graph, problem->start, problem->memory, &r->priced, error);
    if (status != IOA_OK) {
        priced_destroy(r);
        return status;
    }
    r->scale = (double)ioa_priced_energy(r->priced) / (double)IOA_PRICED_ONE / (double)w;
    *state = r;
    return IOA_OK;
}

/* Enough for prices to follow several times a round, few enough for some hundred rounds a minute. */
static uint64_t priced_round_proposals(const ioa_problem *problem)
{
    uint64_t w = problem->network->connections;
    return w < 20000 ? 20000 : w;
}

static ioa_status priced_anneal(void *state, double temperature, uint64_t proposals, ioa_pcg32 *rng,
                                ioa_round_counts *counts, ioa_error *error)
{
    (void)error;
    replica *r = state;
    uint64_t before = 0, after = 0;
    const ioa_priced_stats *stats = ioa_priced_statistics(r->priced);
    for (int k = 0; k < IOA_PRICED_MOVE_COUNT; k++) before += stats->accepted[k];
    ioa_priced_run(r->priced, temperature, proposals, rng);
    for (int k = 0; k < IOA_PRICED_MOVE_COUNT; k++) after += stats->accepted[k];
    counts->proposals += proposals;
    counts->accepted += after - before;
    ioa_priced_settle(r->priced);
    ioa_priced_order(r->priced, r->order);
    ioa_io io = ioa_simulator_count(r->simulator, r->order);
    r->total = io.reads + io.writes;
    if (r->total < r->best_total) {
        r->best_total = r->total;
        memcpy(r->best, r->order, r->problem->network->connections * sizeof *r->best);
    }
    return IOA_OK;
}

static double priced_scale(const void *state)
{
    return ((const replica *)state)->scale;
}

static int64_t priced_energy(const void *state)
{
    return (int64_t)((const replica *)state)->total;
}

static uint64_t priced_best_total(const void *state)
{
    return ((const replica *)state)->best_total;
}

static void priced_best_order(const void *state, uint32_t *order)
{
    const replica *r = state;
    memcpy(order, r->best, r->problem->network->connections * sizeof *order);
}

const ioa_engine ioa_engine_priced = {
    .name = "priced",
    .summary = "connections, runs, residencies and whole neurons move against prices of memory",
    .cold = 0.02,
    .hot = 0.5,
    .create = priced_create,
    .destroy = priced_destroy,
    .scale = priced_scale,
    .round_proposals = priced_round_proposals,
    .anneal = priced_anneal,
    .energy = priced_energy,
    .best_total = priced_best_total,
    .best_order = priced_best_order,
};
