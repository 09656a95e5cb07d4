/* A round of a replica, on the level it is at. */
#include "optimizer/search/engine/levels.h"

#include <string.h>

#define INTERVAL_HOT 0.4 /* I/Os */
#define INTERVAL_COLD 0.1
#define PRICED_HOT 1.0 /* in units of what ioa_priced_suggest says */
#define PRICED_COLD 0.05
#define SETTLE_RATE 19661 /* 0.3 of 65536: as IOA_PRICED_RATE */
#define POLISH_HOT 0.1 /* the same, where a coarse search went before */

/* Proposals of the fine level that take about as long as one of the coarse level: fewer where the state no longer fits
 * into cache. */
static uint64_t fine_per_coarse(const ioa_problem *problem)
{
    if (problem->segments > 1) return 24; /* segments do */
    return problem->network->connections <= 400000 ? 8 : 3;
}

/* Proposals of the fine level in a round. Cutting and counting an order costs some tenths of a sweep. */
static uint64_t fine_proposals(const ioa_problem *problem, uint64_t coarse)
{
    uint64_t proposals = coarse * fine_per_coarse(problem), least = problem->network->connections / 2;
    return problem->segments > 1 && proposals < least ? least : proposals;
}

static ioa_status anneal_coarse(ioa_levels_replica *r, const ioa_step *step, double share, ioa_pcg32 *rng,
                                ioa_round_counts *counts, ioa_error *error)
{
    double hot = (r->problem->hot > 0.0 ? r->problem->hot : INTERVAL_HOT) * step->heat;
    double cold = r->problem->cold > 0.0 ? r->problem->cold : INTERVAL_COLD;
    counts->base = step->sweeps > 0.0 ? hot + (cold - hot) * share : cold;
    ioa_interval_counts done = {0};
    ioa_interval_tune(r->interval, step->tuning->share, ioa_tuning_window(step->tuning, 0));
    ioa_status status = ioa_interval_anneal(r->interval, counts->base * step->multiplier,
                                            ioa_tuning_proposals(step->tuning, 0, step->proposals), rng, &done, error);
    counts->proposals += done.proposals;
    counts->accepted += done.accepted;
    memcpy(counts->moves, done.moves, sizeof done.moves);
    if (status == IOA_OK) status = ioa_interval_order(r->interval, r->order, error);
    if (status == IOA_OK) ioa_levels_count(r);
    return status;
}

/* Anneals, and leaves the order in r->order. */
static void anneal_whole(ioa_levels_replica *r, const ioa_segment_course *course, ioa_pcg32 *rng, ioa_move_counts *moves)
{
    const ioa_priced_stats before = *ioa_priced_statistics(r->priced);
    ioa_priced_tune(r->priced, course->share, course->window);
    ioa_priced_run(r->priced, course->temperature, course->proposals, rng);
    ioa_priced_count(r->priced, &before, moves);
    ioa_priced_settle(r->priced);
    ioa_priced_order(r->priced, r->order);
}

static ioa_status anneal_segments(ioa_levels_replica *r, ioa_segment_course *course, ioa_pcg32 *rng, ioa_move_counts *moves,
                                  ioa_error *error)
{
    const ioa_problem *p = r->problem;
    ioa_levels_desk *d = r->shared->desk;
    course->key = (uint64_t)ioa_pcg32_next(rng) << 32;
    course->key |= ioa_pcg32_next(rng);
    ioa_status status = ioa_segments_cut(&d->cuts, &d->prices, r->price, r->order, p->segments, ioa_pcg32_next(rng) & 1,
                                         d->local, error);
    if (status == IOA_OK)
        status = ioa_segments_anneal(p->graph, &d->cuts, &d->prices, r->price, r->order, course, p->crew, d->local, moves,
                                     error);
    if (status == IOA_OK) ioa_order_prices_adjust(&d->prices, r->order, SETTLE_RATE, r->price);
    return status;
}

static ioa_status anneal_fine(ioa_levels_replica *r, const ioa_step *step, double share, ioa_pcg32 *rng, ioa_round_counts *counts,
                              ioa_error *error)
{
    bool polish = r->takeover > 0.0;
    double hot = (polish ? POLISH_HOT : r->problem->hot > 0.0 ? r->problem->hot : PRICED_HOT) * step->heat;
    double cold = r->problem->cold > 0.0 && !polish ? r->problem->cold : PRICED_COLD;
    uint64_t proposals = fine_proposals(r->problem, step->proposals);
    double more = (double)proposals / (double)step->proposals;
    ioa_move_counts *moves = counts->moves + IOA_INTERVAL_MOVE_COUNT;
    counts->base = step->quench ? 0.0 : r->scale * ioa_cooling(cold, hot, step->sweeps * more, share);
    proposals = ioa_tuning_proposals(step->tuning, 1, proposals);
    counts->proposals += proposals;
    ioa_segment_course course = {.temperature = counts->base * step->multiplier, .proposals = proposals,
                                 .window = ioa_tuning_window(step->tuning, 1)};
    memcpy(course.share, step->tuning->share + IOA_INTERVAL_MOVE_COUNT, sizeof course.share);
    ioa_status status = IOA_OK;
    if (ioa_levels_in_segments(r)) status = anneal_segments(r, &course, rng, moves, error);
    else anneal_whole(r, &course, rng, moves);
    for (int k = 0; k < IOA_PRICED_MOVE_COUNT; k++) counts->accepted += moves[k].accepted;
    if (status == IOA_OK) ioa_levels_count(r);
    return status;
}

ioa_status ioa_levels_anneal(void *state, const ioa_step *step, ioa_pcg32 *rng, ioa_round_counts *counts, ioa_error *error)
{
    ioa_levels_replica *r = state;
    double takeover = r->takeover;
    if (!r->fine && step->progress > takeover) {
        ioa_status status = ioa_levels_take_over(r, error);
        if (status != IOA_OK) return status;
    }
    if (!r->fine) return anneal_coarse(r, step, step->progress / takeover, rng, counts, error);
    double share = takeover < 1.0 ? (step->progress - takeover) / (1.0 - takeover) : 1.0;
    if (step->heat < 1.0) share = step->progress; /* heated up again: fine all the way */
    return anneal_fine(r, step, share, rng, counts, error);
}
