/* What the rungs' proposals are made of, after a survey: alike on every worker. */
#include "optimizer/search/tempering/tempering_internal.h"

#include <string.h>

static double cost_of(const ioa_tempering *t, uint32_t rung, unsigned level)
{
    ioa_move_counts counts[IOA_MOVES];
    memcpy(counts, ioa_tempering_survey(t, t->replica_at[rung]) + SURVEY_MOVES, sizeof counts);
    return ioa_tuning_cost(t->config.engine->moves, t->config.engine->windows, counts, level, &t->tuning[rung]);
}

/* The mean over the rungs of a kind that are at a level; 0: none is. */
static double mean_cost(const ioa_tempering *t, uint64_t round, uint32_t kind, unsigned level)
{
    double sum = 0.0, known = 0.0;
    for (uint32_t rung = 0; rung < t->config.replicas; rung++) {
        double cost = ioa_stages_kind(&t->stages, round, t->replica_at[rung]) == kind ? cost_of(t, rung, level) : 0.0;
        sum += cost;
        known += cost > 0.0;
    }
    return known > 0.0 ? sum / known : 0.0;
}

/* What a round is to cost the rungs of a kind: the mean of what it does. While kinds compete, each has the rounds it would
 * have alone; where they stay side by side, the first kind is not to wait for the others. */
static double target_of(const ioa_tempering *t, uint64_t round, uint32_t kind, unsigned level)
{
    double own = mean_cost(t, round, kind, level), first = 0.0;
    if (kind == 0 || ioa_stages_at(&t->stages, round).trial || own == 0.0) return own;
    for (unsigned l = 0; l < IOA_LEVELS; l++) first += mean_cost(t, round, 0, l);
    return first > 0.0 ? first : own;
}

static void balance(ioa_tempering *t, uint64_t round, uint32_t kind, unsigned level)
{
    double target = target_of(t, round, kind, level);
    for (uint32_t rung = 0; rung < t->config.replicas && target > 0.0; rung++) {
        double cost = ioa_stages_kind(&t->stages, round, t->replica_at[rung]) == kind ? cost_of(t, rung, level) : 0.0;
        if (cost > 0.0) ioa_tuning_balance(cost, target, level, &t->tuning[rung]);
    }
}

void ioa_tempering_adapt(ioa_tempering *t, uint64_t round)
{
    const ioa_engine *engine = t->config.engine;
    for (uint32_t kind = 0; kind < t->stages.kinds; kind++)
        for (unsigned level = 0; level < IOA_LEVELS; level++) balance(t, round, kind, level);
    for (uint32_t rung = 0; rung < t->config.replicas; rung++) {
        ioa_move_counts counts[IOA_MOVES];
        memcpy(counts, ioa_tempering_survey(t, t->replica_at[rung]) + SURVEY_MOVES, sizeof counts);
        ioa_tuning_adapt(engine->moves, engine->windows, counts, t->config.adapt, &t->tuning[rung]);
    }
}
