/* What the rungs' proposals are made of, after a survey: alike on every worker. */
#include "optimizer/search/tempering_internal.h"

#include <string.h>

static double cost_of(const ioa_tempering *t, uint32_t rung, unsigned level)
{
    ioa_move_counts counts[IOA_MOVES];
    memcpy(counts, ioa_tempering_survey(t, t->replica_at[rung]) + SURVEY_MOVES, sizeof counts);
    return ioa_tuning_cost(t->config.engine->moves, t->config.engine->windows, counts, level, &t->tuning[rung]);
}

/* All rungs of a kind of replicas are to do the mean of what they do. Kinds are not compared: what an element costs is the
 * same within a kind only, and while they compete each has the rounds it would have alone. */
static void balance(ioa_tempering *t, uint64_t round, uint32_t kind, unsigned level)
{
    double sum = 0.0, known = 0.0;
    for (uint32_t rung = 0; rung < t->config.replicas; rung++) {
        double cost = ioa_stages_kind(&t->stages, round, t->replica_at[rung]) == kind ? cost_of(t, rung, level) : 0.0;
        sum += cost;
        known += cost > 0.0;
    }
    for (uint32_t rung = 0; rung < t->config.replicas && sum > 0.0; rung++) {
        double cost = ioa_stages_kind(&t->stages, round, t->replica_at[rung]) == kind ? cost_of(t, rung, level) : 0.0;
        if (cost > 0.0) ioa_tuning_balance(cost, sum / known, level, &t->tuning[rung]);
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
