#include "optimizer/search/scorer.h"

#include "core/mem.h"
#include "core/simulator.h"

struct ioa_scorer {
    ioa_objective objective;
    ioa_simulator *simulator[IOA_MOST_LEVELS];
};

ioa_status ioa_scorer_create(const ioa_network *network, const ioa_objective *objective, ioa_scorer **scorer,
                             ioa_error *error)
{
    ioa_scorer *s = ioa_alloc_zero(1, sizeof *s);
    ioa_status status = s ? IOA_OK : ioa_fail_nomem(error, "a simulator", 1, sizeof *s);
    if (s) s->objective = *objective;
    for (uint32_t i = 0; status == IOA_OK && i < objective->count; i++)
        status = ioa_simulator_create(network, objective->level[i].memory, objective->level[i].policy, &s->simulator[i],
                                      error);
    if (status == IOA_OK) *scorer = s;
    else ioa_scorer_destroy(s);
    return status;
}

void ioa_scorer_destroy(ioa_scorer *scorer)
{
    if (!scorer) return;
    for (uint32_t i = 0; i < IOA_MOST_LEVELS; i++) ioa_simulator_destroy(scorer->simulator[i]);
    ioa_free(scorer);
}

uint64_t ioa_scorer_total(ioa_scorer *scorer, const uint32_t *order)
{
    ioa_io io[IOA_MOST_LEVELS];
    for (uint32_t i = 0; i < scorer->objective.count; i++) io[i] = ioa_simulator_count(scorer->simulator[i], order);
    return ioa_objective_total(&scorer->objective, io);
}
