/* Taking a search apart between two rounds, and putting it together again. */
#include "optimizer/search/tempering/tempering_internal.h"

#include "core/base/clock.h"

#include <string.h>

/* The elite's totals and sketches, and the stagnation's rounds, as arrays of whole numbers. */
#define ENTRY_NUMBERS (sizeof(ioa_elite_entry) / sizeof(uint64_t))
#define STAGNATION_NUMBERS (sizeof(ioa_stagnation) / sizeof(uint64_t))
/* A tuning as two arrays: shares, then windows and rewards. They are strided: one value per rung and array would be
 * many; so the checkpoint holds them as the bytes of whole numbers. */
#define TUNING_NUMBERS (sizeof(ioa_tuning) / sizeof(uint64_t))
_Static_assert(sizeof(ioa_tuning) % sizeof(uint64_t) == 0, "tunings are whole numbers of 8 bytes");

size_t ioa_tempering_values(ioa_tempering *t, ioa_value values[IOA_TEMPERING_VALUES])
{
    uint64_t k = t->config.replicas;
    t->elapsed = ioa_tempering_elapsed(t);
    const ioa_value list[] = {
        {"planned", IOA_VALUE_U64, 1, &t->stages.planned},
        {"trial", IOA_VALUE_U64, 1, &t->stages.trial},
        {"cheapest", IOA_VALUE_I64, IOA_STAGES_MOST_KINDS, t->stages.cheapest},
        {"end", IOA_VALUE_U64, 1, &t->end},
        {"elapsed", IOA_VALUE_F64, 1, &t->elapsed},
        {"annealed", IOA_VALUE_F64, 1, &t->annealed},
        {"trial_annealed", IOA_VALUE_F64, 1, &t->trial_annealed},
        {"best_total", IOA_VALUE_U64, 1, &t->best_total},
        {"best_replica", IOA_VALUE_U32, 1, &t->best_replica},
        {"proposals_total", IOA_VALUE_U64, 1, &t->proposals_total},
        {"round_trips_total", IOA_VALUE_U64, 1, &t->round_trips},
        {"stagnation", IOA_VALUE_U64, STAGNATION_NUMBERS, &t->stagnation},
        {"elite_count", IOA_VALUE_U32, 1, &t->elite.count},
        {"elite", IOA_VALUE_U64, IOA_ELITE_MOST * ENTRY_NUMBERS, t->elite.entry},
        {"next_adaptation", IOA_VALUE_U64, 1, &t->ladder.next_adaptation},
        {"ladder_temperature", IOA_VALUE_F64, k, t->ladder.temperature},
        {"ladder_acceptance", IOA_VALUE_F64, k, t->ladder.acceptance},
        {"ladder_attempts", IOA_VALUE_U64, k, t->ladder.attempts},
        {"tuning", IOA_VALUE_U64, k * TUNING_NUMBERS, t->tuning},
        {"direction", IOA_VALUE_I64, k, t->direction},
        {"stuck", IOA_VALUE_U64, k, t->stuck},
        {"rung_of", IOA_VALUE_U32, k, t->rung_of},
        {"replica_at", IOA_VALUE_U32, k, t->replica_at},
    };
    _Static_assert(sizeof list / sizeof *list == IOA_TEMPERING_SHARED, "room for all");
    memcpy(values, list, sizeof list);
    ioa_trace_values(&t->trace, values + IOA_TEMPERING_SHARED);
    return IOA_TEMPERING_VALUES;
}

ioa_status ioa_tempering_resize(ioa_tempering *t, uint64_t rounds, ioa_error *error)
{
    if (rounds > UINT64_MAX / 4) return ioa_fail(error, IOA_ERR_INPUT, "an impossible number of rounds");
    t->trace.rounds = rounds;
    return t->reports ? ioa_trace_resize(&t->trace, rounds, error) : IOA_OK;
}

static bool times_are_possible(const ioa_tempering *t)
{
    const ioa_stagnation *s = &t->stagnation;
    return t->annealed >= 0.0 && t->elapsed >= 0.0 && t->trial_annealed >= 0.0 && t->trial_annealed <= t->annealed &&
           ioa_stages_valid(&t->stages, t->trace.rounds) &&
           (t->config.rounds == 0 || t->stages.planned == t->config.rounds) &&
           s->since <= t->trace.rounds && s->trips <= t->round_trips && s->cycle <= t->trace.rounds &&
           (s->cycle_end == 0 || (s->cycle_end > s->cycle && s->cycle_end <= t->stages.planned));
}

ioa_status ioa_tempering_restored(ioa_tempering *t, ioa_error *error)
{
    uint32_t k = t->config.replicas;
    const ioa_engine *engine = t->config.engine;
    bool good = t->best_replica < k && t->best_total <= t->problem->start_total && t->elite.count <= t->elite.capacity &&
                times_are_possible(t);
    for (uint32_t i = 0; good && i < k; i++)
        good = t->replica_at[i] < k && t->rung_of[t->replica_at[i]] == i && t->ladder.temperature[i] >= 1.0 &&
               t->direction[i] >= -1 && t->direction[i] <= 1 &&
               ioa_tuning_valid(engine->moves, engine->windows, &t->tuning[i]);
    if (!good) return ioa_fail(error, IOA_ERR_INPUT, "the values of the search are impossible");
    t->config.began = ioa_clock() - t->elapsed; /* what was used of the time counts on */
    uint64_t last = t->trace.rounds ? t->trace.rounds - 1 : 0;
    t->ladder.groups = ioa_tempering_groups(t, last);
    return last >= ioa_stages_first_change(&t->stages) ? ioa_tempering_turn(t, last, error) : IOA_OK;
}

uint32_t ioa_tempering_states(const ioa_tempering *t)
{
    return t->config.replicas + t->elite.count;
}

uint64_t ioa_tempering_state_bytes(const ioa_tempering *t, uint32_t index)
{
    if (index >= t->config.replicas) return t->problem->network->connections * sizeof(uint32_t);
    return t->config.engine->bytes(ioa_tempering_state(t, index));
}

void ioa_tempering_state_save(const ioa_tempering *t, uint32_t index, void *bytes)
{
    if (index >= t->config.replicas)
        memcpy(bytes, t->elite_order[index - t->config.replicas], ioa_tempering_state_bytes(t, index));
    else
        t->config.engine->save(ioa_tempering_state(t, index), bytes);
}

static ioa_status load_elite(ioa_tempering *t, uint32_t place, const void *bytes, uint64_t count, ioa_error *error)
{
    const ioa_problem *p = t->problem;
    if (count != p->network->connections * sizeof(uint32_t))
        return ioa_fail(error, IOA_ERR_INPUT, "an order of the elite has the wrong length");
    ioa_status status = ioa_tempering_elite_room(t, place, error);
    if (status != IOA_OK) return status;
    memcpy(t->elite_order[place], bytes, count);
    uint64_t total = 0;
    status = ioa_order_check(p->network, t->elite_order[place], error);
    if (status == IOA_OK) status = ioa_objective_count(p->network, t->elite_order[place], &p->objective, NULL, &total, error);
    if (status == IOA_OK && total != t->elite.entry[place].total)
        status = ioa_fail(error, IOA_ERR_INPUT, "an order of the elite does not cost what is claimed");
    return status;
}

ioa_status ioa_tempering_state_load(ioa_tempering *t, uint32_t index, const void *bytes, uint64_t count, ioa_error *error)
{
    if (index >= t->config.replicas) return load_elite(t, index - t->config.replicas, bytes, count, error);
    return t->config.engine->load(ioa_tempering_state(t, index), bytes, count, error);
}
