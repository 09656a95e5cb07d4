#include "optimizer/search/tempering/tempering_internal.h"

#include "core/base/clock.h"
#include "core/base/mem.h"

#include <string.h>

#define COLD_PART 0.75 /* of the cooling: from here on it counts if nothing is gained */

void ioa_tempering_destroy(ioa_tempering *t)
{
    if (!t) return;
    for (uint32_t i = 0; t->state && i < t->slots; i++)
        if (t->state[i]) t->config.engine->destroy(t->state[i]);
    if (t->config.engine->release) t->config.engine->release(t->shared);
    if (t->config.engine->dismiss) t->config.engine->dismiss(t->helper);
    for (uint32_t i = 0; t->elite_order && i < IOA_ELITE_MOST; i++) ioa_free(t->elite_order[i]);
    ioa_ladder_destroy(&t->ladder);
    ioa_trace_clear(&t->trace);
    void *const arrays[] = {t->state, t->rung_of, t->replica_at, t->direction, t->energy, t->heat,
                            t->mine,  t->all,     t->report,     t->reports,     t->survey, t->surveys,
                            t->tuning, t->stuck, t->elite_order, t->order, t};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) ioa_free(arrays[i]);
}

static ioa_status allocate(ioa_tempering *t, ioa_error *error)
{
    uint32_t k = t->config.replicas, size = t->transport.size;
    const ioa_message_shape longest = ioa_message_shape_of(size, k, k); /* no more groups than replicas */
    uint64_t surveyed = (uint64_t)t->slots * SURVEY_NUMBERS;
    uint64_t w = t->problem->network->connections;
    t->state = ioa_alloc_zero(t->slots, sizeof *t->state);
    t->rung_of = ioa_alloc(k, sizeof *t->rung_of);
    t->replica_at = ioa_alloc(k, sizeof *t->replica_at);
    t->direction = ioa_alloc_zero(k, sizeof *t->direction);
    t->energy = ioa_alloc(k, sizeof *t->energy);
    t->stuck = ioa_alloc_zero(k, sizeof *t->stuck);
    t->heat = ioa_alloc_zero(k, sizeof *t->heat);
    t->tuning = ioa_alloc(k, sizeof *t->tuning);
    t->elite_order = ioa_alloc_zero(IOA_ELITE_MOST, sizeof *t->elite_order);
    t->mine = ioa_alloc_zero(ioa_message_length(&longest), sizeof *t->mine);
    t->all = ioa_alloc((uint64_t)ioa_message_length(&longest) * size, sizeof *t->all);
    t->report = ioa_alloc_zero(ioa_report_length(&longest), sizeof *t->report);
    t->survey = ioa_alloc_zero(surveyed, sizeof *t->survey);
    t->surveys = ioa_alloc(surveyed * size, sizeof *t->surveys);
    if (t->transport.rank == 0) t->reports = ioa_alloc((uint64_t)ioa_report_length(&longest) * size, sizeof *t->reports);
    if (!t->state || !t->rung_of || !t->replica_at || !t->direction || !t->energy || !t->stuck || !t->heat || !t->tuning ||
        !t->elite_order || !t->mine || !t->all || !t->report || !t->survey || !t->surveys || (t->transport.rank == 0 && !t->reports))
        return ioa_fail_nomem(error, "the replicas' table", k, sizeof *t->tuning);
    if (t->elite.capacity) t->order = ioa_alloc(w, sizeof *t->order);
    return t->order || !t->elite.capacity ? IOA_OK : ioa_fail_nomem(error, "an order", w, sizeof *t->order);
}

/* The last replica takes up the order aside and begins again at the start; it keeps its best order. */
static ioa_status set_aside(ioa_tempering *t, ioa_error *error)
{
    const ioa_engine *engine = t->config.engine;
    uint32_t last = t->config.replicas - 1;
    if (!t->problem->aside || !engine->restart || !engine->turn) return IOA_OK;
    t->best_total = t->stagnation.cycle_best = t->problem->aside_total;
    t->best_replica = last;
    if (!ioa_tempering_has(t, last)) return IOA_OK;
    void *state = ioa_tempering_state(t, last);
    ioa_status status = engine->restart(state, t->problem->aside, error);
    return status == IOA_OK ? engine->turn(state, ioa_stages_kind(&t->stages, 0, last), error) : status;
}

ioa_status ioa_tempering_create(const ioa_problem *problem, const ioa_tempering_config *config,
                                const ioa_transport *transport, ioa_tempering **tempering, ioa_error *error)
{
    ioa_tempering *t = ioa_alloc_zero(1, sizeof *t);
    if (!t) return ioa_fail_nomem(error, "the search", 1, sizeof *t);
    t->problem = problem;
    t->config = *config;
    t->transport = *transport;
    t->slots = (config->replicas + transport->size - 1) / transport->size;
    t->trace.replicas = config->replicas;
    t->best_total = problem->start_total;
    t->stagnation.cycle_best = problem->start_total;
    bool tried = true;
    uint32_t kinds = config->engine->kinds ? config->engine->kinds(problem, config->replicas, &tried) : 1;
    uint64_t trial = config->trial == UINT64_MAX && !tried ? 0 : config->trial;
    t->stages = ioa_stages_make(kinds, config->replicas, config->rounds, trial);
    t->end = config->stop && (config->rounds == 0 || config->stop < config->rounds) ? config->stop : 0;
    t->elite.capacity = config->engine->restart ? ioa_elite_capacity(problem->network->connections) : 0;
    ioa_status status = ioa_ladder_create(config->replicas, ioa_tempering_groups(t, 0), config->spread, &t->ladder, error);
    if (status == IOA_OK) status = allocate(t, error);
    bool idle = transport->rank >= config->replicas;
    if (status == IOA_OK && config->engine->prepare && !idle) status = config->engine->prepare(problem, &t->shared, error);
    if (status == IOA_OK) ioa_ladder_place(&t->ladder, t->rung_of, t->replica_at);
    for (uint32_t k = 0; status == IOA_OK && k < config->replicas; k++)
        ioa_tuning_begin(config->engine->moves, config->engine->windows, &t->tuning[k]);
    for (uint32_t i = 0; status == IOA_OK && i < t->slots; i++) {
        uint32_t replica = transport->rank + i * transport->size;
        if (replica < config->replicas) status = ioa_interrupt_look(problem->interrupt, error);
        if (replica < config->replicas && status == IOA_OK)
            status = config->engine->create(problem, t->shared, ioa_stages_kind(&t->stages, 0, replica), &t->state[i], error);
    }
    if (status == IOA_OK) status = set_aside(t, error);
    if (status == IOA_OK)
        *tempering = t;
    else
        ioa_tempering_destroy(t);
    return status;
}

/* Heats up again where nothing is gained any more, ends where that did not help either; a quench starts from the elite. */
static ioa_status renew(ioa_tempering *t, bool improved, bool *stop, ioa_error *error)
{
    uint64_t rounds = t->trace.rounds, patience = t->elite.capacity ? t->config.patience : 0;
    bool cold = !ioa_stages_at(&t->stages, rounds - 1).trial && ioa_tempering_step(t, rounds - 1).progress >= COLD_PART;
    uint64_t least = UINT64_MAX;
    for (uint32_t k = 0; cold && k < t->config.replicas; k++)
        if ((uint64_t)t->energy[k] < least) least = (uint64_t)t->energy[k];
    bool gained = improved || (cold && least < t->stagnation.lowest);
    if (!cold || least < t->stagnation.lowest) t->stagnation.lowest = least;
    ioa_verdict_on_search verdict =
        ioa_stagnation_judge(&t->stagnation, rounds, gained, cold, t->best_total, t->round_trips, patience);
    if (*stop || ioa_stages_at(&t->stages, rounds).trial) return IOA_OK; /* kinds compete on their own */
    if (verdict == IOA_GIVE_UP) {
        *stop = true;
        return IOA_OK;
    }
    if (verdict == IOA_REHEAT && rounds < t->stages.planned) {
        ioa_stagnation_reheat(&t->stagnation, rounds, t->stages.planned, t->best_total, t->round_trips);
        return ioa_tempering_renew(t, true, error);
    }
    bool quench = !ioa_tempering_step(t, rounds - 1).quench && ioa_tempering_step(t, rounds).quench;
    return quench ? ioa_tempering_renew(t, false, error) : IOA_OK;
}

void ioa_tempering_aim(ioa_tempering *t, uint64_t total)
{
    if (total > t->config.target) t->config.target = total;
}

/* Whether it is over before its plan; a resumed search asks first. */
static bool is_over(const ioa_tempering *t)
{
    if (t->trace.rounds == 0) return false;
    return (t->end && t->trace.rounds >= t->end) || t->best_total <= t->config.target || t->stagnation.over ||
           t->best_total == ioa_objective_shared(&t->problem->objective, t->problem->network->bounds.lower); /* none is better */
}

ioa_status ioa_tempering_run(ioa_tempering *t, const ioa_tempering_events *events, ioa_error *error)
{
    static const ioa_tempering_events none = {0};
    if (!events) events = &none;
    bool stop = is_over(t);
    double started = ioa_clock() - t->annealed; /* as if it had been running all the time */
    while (!stop && (t->stages.planned == 0 || t->trace.rounds < t->stages.planned)) {
        unsigned wishes = 0;
        bool improved = false, surveyed = ioa_tempering_surveys(t, t->trace.rounds);
        ioa_status status = ioa_tempering_round(t, events, started, &wishes, &improved, error);
        if (status == IOA_OK && surveyed) status = ioa_tempering_take_elite(t, error);
        if (status == IOA_OK && surveyed && !ioa_stages_at(&t->stages, t->trace.rounds - 1).trial)
            status = ioa_tempering_release(t, error);
        t->annealed = ioa_clock() - started;
        if (t->trace.rounds == ioa_stages_trial_end(&t->stages)) t->trial_annealed = t->annealed;
        t->stopped = wishes & IOA_WISH_STOP;
        stop = is_over(t);
        if (status == IOA_OK) status = renew(t, improved, &stop, error);
        if (status != IOA_OK) return status;
        stop = stop || t->stopped;
        if (events->round) events->round(events->context, t->best_total, t->best_replica, improved, &t->trace);
        if ((wishes & IOA_WISH_CHECKPOINT) && events->checkpoint) status = events->checkpoint(events->context, error);
        if (status != IOA_OK) return status;
    }
    if (t->trace.rows) t->trace.exchanging[t->trace.rows - 1] = 1e-9 * (double)t->last_exchange;
    return IOA_OK;
}

uint64_t ioa_tempering_best(const ioa_tempering *t, uint32_t *replica, uint32_t *owner)
{
    *replica = t->best_replica;
    *owner = t->best_replica % t->transport.size;
    return t->best_total;
}

void ioa_tempering_best_order(const ioa_tempering *t, uint32_t replica, uint32_t *order)
{
    t->config.engine->best_order(ioa_tempering_state(t, replica), order);
}

uint64_t ioa_tempering_planned(const ioa_tempering *t)
{
    return t->stages.planned;
}

uint64_t ioa_tempering_trial(const ioa_tempering *t)
{
    return t->stages.trial == UINT64_MAX ? 0 : t->stages.trial;
}

uint64_t ioa_tempering_end(const ioa_tempering *t)
{
    return t->end;
}

uint64_t ioa_tempering_reheats(const ioa_tempering *t)
{
    return t->stagnation.reheats;
}

const ioa_elite *ioa_tempering_elite(const ioa_tempering *t)
{
    return &t->elite;
}

const ioa_trace *ioa_tempering_trace(const ioa_tempering *t)
{
    return &t->trace;
}

bool ioa_tempering_stopped(const ioa_tempering *t)
{
    return t->stopped;
}

void ioa_tempering_times(const ioa_tempering *t, double *annealing, double *exchanging)
{
    *annealing = t->annealing;
    *exchanging = t->exchanging;
}

double ioa_tempering_elapsed(const ioa_tempering *t)
{
    return ioa_clock() - t->config.began;
}
