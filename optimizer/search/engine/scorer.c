#include "optimizer/search/engine/scorer.h"

#include "core/base/mem.h"
#include "core/model/network.h"
#include "core/model/simulator.h"

#include <string.h>

struct ioa_scorer {
    const ioa_network *network;
    ioa_objective objective;
    ioa_simulator *simulator[IOA_MOST_LEVELS];
};

ioa_status ioa_scorer_create(const ioa_network *network, const ioa_objective *objective, ioa_scorer **scorer,
                             ioa_error *error)
{
    ioa_scorer *s = ioa_alloc_zero(1, sizeof *s);
    ioa_status status = s ? IOA_OK : ioa_fail_nomem(error, "a simulator", 1, sizeof *s);
    if (s) {
        s->network = network;
        s->objective = *objective;
    }
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

ioa_status ioa_scorer_take(ioa_scorer *scorer, const void *bytes, uint64_t claimed, uint32_t *order, ioa_error *error)
{
    memcpy(order, bytes, scorer->network->connections * sizeof *order);
    ioa_status status = ioa_order_check(scorer->network, order, error);
    if (status != IOA_OK || ioa_scorer_total(scorer, order) == claimed) return status;
    return ioa_fail(error, IOA_ERR_INPUT, "an order does not cost what is claimed");
}
