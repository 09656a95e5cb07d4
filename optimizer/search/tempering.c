#include "optimizer/search/tempering.h"

#include "core/mem.h"

#include <string.h>
#include <time.h>

/* What a worker contributes per replica it has room for. */
enum { FIELD_ENERGY, FIELD_BEST, FIELD_PROPOSALS, FIELD_ACCEPTED, FIELD_BASE, FIELDS };
/* ... and once: whether it failed, whether time is up, how many rounds worker 0 plans, and its wishes. */
enum { HEAD_STATUS, HEAD_STOP, HEAD_PLAN, HEAD_WISH, HEADS };

#define PLAN_MARGIN 0.94  /* share of the time that is planned for: rounds do not all take the same time */
#define QUENCH_SHARE 0.04 /* of the rounds of an annealing, at the end, at temperature 0 */

struct ioa_tempering {
    const ioa_problem *problem;
    ioa_tempering_config config;
    ioa_transport transport;
    ioa_ladder ladder;
    ioa_stages stages;
    ioa_trace trace;
    uint32_t slots;       /* replicas per worker, rounded up */
    void **state;         /* [slots] this worker's replicas: rank, rank + size, .. */
    uint32_t *rung_of;    /* [K] */
    uint32_t *replica_at; /* [K] */
    int64_t *direction;   /* [K] of a round trip: 0 none yet, 1 has been coldest, -1 has been hottest since */
    int64_t *energy;      /* [K] */
    int64_t *mine, *all;  /* [HEADS + slots * FIELDS], [size * ..] */
    uint64_t best_total;
    uint32_t best_replica;
    uint64_t proposals_total, round_trips;
    double *heat;     /* [K] this round's temperature of each rung, in I/Os */
    double elapsed;   /* seconds since it began, up to when last asked for the values */
    double annealed;  /* seconds spent in rounds */
    double trial_annealed; /* of them before the end of the trial */
    double annealing, exchanging; /* seconds, of this worker and run */
    bool stopped;     /* by a wish */
    void *shared;     /* of the engine */
};

double ioa_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static uint32_t message_length(const ioa_tempering *t)
{
    return HEADS + t->slots * FIELDS;
}

void ioa_tempering_destroy(ioa_tempering *t)
{
    if (!t) return;
    for (uint32_t i = 0; t->state && i < t->slots; i++)
        if (t->state[i]) t->config.engine->destroy(t->state[i]);
    if (t->config.engine->release) t->config.engine->release(t->shared);
    ioa_ladder_destroy(&t->ladder);
    ioa_trace_clear(&t->trace);
    ioa_free(t->state);
    ioa_free(t->rung_of);
    ioa_free(t->replica_at);
    ioa_free(t->direction);
    ioa_free(t->energy);
    ioa_free(t->heat);
    ioa_free(t->mine);
    ioa_free(t->all);
    ioa_free(t);
}

static ioa_status allocate(ioa_tempering *t, ioa_error *error)
{
    uint32_t k = t->config.replicas;
    t->state = ioa_alloc_zero(t->slots, sizeof *t->state);
    t->rung_of = ioa_alloc(k, sizeof *t->rung_of);
    t->replica_at = ioa_alloc(k, sizeof *t->replica_at);
    t->direction = ioa_alloc_zero(k, sizeof *t->direction);
    t->energy = ioa_alloc(k, sizeof *t->energy);
    t->heat = ioa_alloc_zero(k, sizeof *t->heat);
    t->mine = ioa_alloc_zero(message_length(t), sizeof *t->mine);
    t->all = ioa_alloc((uint64_t)message_length(t) * t->transport.size, sizeof *t->all);
    if (t->state && t->rung_of && t->replica_at && t->direction && t->energy && t->heat && t->mine && t->all)
        return IOA_OK;
    return ioa_fail_nomem(error, "the replicas' table", k, 64);
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
    t->stages = ioa_stages_make(config->engine->kinds, config->replicas, config->rounds, config->trial);
    ioa_status status = ioa_ladder_create(config->replicas, ioa_stages_side_by_side(&t->stages, 0), config->spread,
                                          &t->ladder, error);
    if (status == IOA_OK) status = allocate(t, error);
    if (status == IOA_OK && config->engine->prepare) status = config->engine->prepare(problem, &t->shared, error);
    if (status == IOA_OK) ioa_ladder_place(&t->ladder, t->rung_of, t->replica_at);
    for (uint32_t i = 0; status == IOA_OK && i < t->slots; i++) {
        uint32_t replica = transport->rank + i * transport->size;
        if (replica < config->replicas)
            status = config->engine->create(problem, t->shared, ioa_stages_kind(&t->stages, 0, replica), &t->state[i], error);
    }
    if (status == IOA_OK)
        *tempering = t;
    else
        ioa_tempering_destroy(t);
    return status;
}

static uint64_t round_proposals(const ioa_tempering *t)
{
    return t->config.proposals ? t->config.proposals : t->config.engine->round_proposals(t->problem);
}

/* Where the round stands in its annealing. */
static ioa_step make_step(const ioa_tempering *t, uint64_t round)
{
    ioa_step step = {.proposals = round_proposals(t)};
    ioa_stage stage = ioa_stages_at(&t->stages, round);
    if (stage.rounds == 0.0) return step;
    step.quench = stage.progress > 1.0 - QUENCH_SHARE;
    step.progress = step.quench ? 1.0 : stage.progress / (1.0 - QUENCH_SHARE);
    step.sweeps = stage.rounds * (double)step.proposals / (double)t->problem->network->connections;
    return step;
}

/* Worker 0 turns what is left of the time limit into rounds; `began`: when the rounds of this kind did. */
static uint64_t plan(const ioa_tempering *t, uint64_t done, double began)
{
    uint64_t end = ioa_stages_trial_end(&t->stages), alike = end == UINT64_MAX || end == 0 ? done : done - end;
    double now = ioa_clock(), per_round = (now - began) / (double)alike;
    double left = t->config.seconds * PLAN_MARGIN - (now - t->config.began);
    return done + (left > 0.0 ? (uint64_t)(left / per_round) : 0) + 1;
}

/* Makes this worker's replicas begin anew, as their kinds from `round` on; they keep their best orders. */
static ioa_status turn_mine(ioa_tempering *t, uint64_t round, ioa_error *error)
{
    ioa_status status = IOA_OK;
    for (uint32_t i = 0; i < t->slots && status == IOA_OK; i++) {
        uint32_t kind = ioa_stages_kind(&t->stages, round, t->transport.rank + i * t->transport.size);
        if (t->state[i]) status = t->config.engine->turn(t->state[i], kind, error);
    }
    return status;
}

static void regroup(ioa_tempering *t, uint64_t round)
{
    ioa_ladder_regroup(&t->ladder, ioa_stages_side_by_side(&t->stages, round), t->config.spread, round);
    ioa_ladder_place(&t->ladder, t->rung_of, t->replica_at);
    memset(t->direction, 0, t->config.replicas * sizeof *t->direction);
}

/* Anneals this worker's replicas for one round and fills its message. */
static ioa_status anneal_mine(ioa_tempering *t, uint64_t round, ioa_error *error)
{
    const ioa_engine *engine = t->config.engine;
    ioa_step step = make_step(t, round);
    if (ioa_stages_at(&t->stages, round).begins) {
        ioa_status status = turn_mine(t, round, error);
        if (status != IOA_OK) return status;
        regroup(t, round);
    }
    for (uint32_t i = 0; i < t->slots; i++) {
        uint32_t replica = t->transport.rank + i * t->transport.size;
        if (!t->state[i]) continue;
        ioa_pcg32 rng = ioa_rng_keyed(t->config.seed, IOA_RNG_REPLICA, replica, round);
        ioa_round_counts counts = {0};
        step.multiplier = t->ladder.temperature[t->rung_of[replica]];
        ioa_status status = engine->anneal(t->state[i], &step, &rng, &counts, error);
        if (status != IOA_OK) return status;
        int64_t *fields = t->mine + HEADS + i * FIELDS;
        fields[FIELD_ENERGY] = engine->energy(t->state[i]);
        fields[FIELD_BEST] = (int64_t)engine->best_total(t->state[i]);
        fields[FIELD_PROPOSALS] = (int64_t)counts.proposals;
        fields[FIELD_ACCEPTED] = (int64_t)counts.accepted;
        memcpy(&fields[FIELD_BASE], &counts.base, sizeof counts.base);
    }
    return IOA_OK;
}

/* Exchanges the messages; a failure anywhere becomes a failure everywhere. */
static ioa_status exchange(ioa_tempering *t, ioa_status status, double started, unsigned wish, bool *stop,
                           unsigned *wishes, ioa_error *error)
{
    uint64_t done = t->trace.rounds + 1;
    t->mine[HEAD_STATUS] = status;
    bool late = t->config.seconds > 0.0 && ioa_clock() - t->config.began >= t->config.seconds;
    t->mine[HEAD_STOP] = t->transport.rank == 0 && late;
    bool planning = t->transport.rank == 0 && ioa_stages_want_plan(&t->stages, done);
    t->mine[HEAD_PLAN] = planning ? (int64_t)plan(t, done, started + t->trial_annealed) : 0;
    t->mine[HEAD_WISH] = wish;
    ioa_status sent = t->transport.gather(t->transport.context, t->mine, message_length(t), t->all, error);
    if (sent != IOA_OK || status != IOA_OK) return status != IOA_OK ? status : sent;
    for (uint32_t r = 0; r < t->transport.size; r++) {
        const int64_t *head = t->all + (uint64_t)r * message_length(t);
        if (head[HEAD_STATUS] != IOA_OK)
            return ioa_fail(error, (ioa_status)head[HEAD_STATUS], "worker %u failed", (unsigned)r);
        *stop = *stop || head[HEAD_STOP];
        *wishes |= (unsigned)head[HEAD_WISH];
        if (head[HEAD_PLAN]) ioa_stages_plan(&t->stages, (uint64_t)head[HEAD_PLAN]);
    }
    return IOA_OK;
}

static const int64_t *fields_of(const ioa_tempering *t, uint32_t replica)
{
    uint32_t worker = replica % t->transport.size, slot = replica / t->transport.size;
    return t->all + (uint64_t)worker * message_length(t) + HEADS + slot * FIELDS;
}

static void count_round_trips(ioa_tempering *t)
{
    for (uint32_t g = 0; g < t->ladder.groups; g++) {
        uint32_t first = ioa_ladder_first(&t->ladder, g), last = ioa_ladder_first(&t->ladder, g + 1) - 1;
        uint32_t coldest = t->replica_at[first], hottest = t->replica_at[last];
        if (first == last) continue;
        if (t->direction[coldest] == -1) t->round_trips++;
        t->direction[coldest] = 1;
        if (t->direction[hottest] == 1) t->direction[hottest] = -1;
    }
}

/* The temperature of each rung, from the base of its group: that of the group's first replica. */
static void find_heat(ioa_tempering *t)
{
    for (uint32_t g = 0; g < t->ladder.groups; g++) {
        double base;
        memcpy(&base, &fields_of(t, g)[FIELD_BASE], sizeof base);
        for (uint32_t i = ioa_ladder_first(&t->ladder, g); i < ioa_ladder_first(&t->ladder, g + 1); i++)
            t->heat[i] = base * t->ladder.temperature[i];
    }
}

/* Takes in what all workers reported; true if the best order is new. */
static bool take_in(ioa_tempering *t, uint64_t round)
{
    bool improved = false;
    for (uint32_t k = 0; k < t->config.replicas; k++) {
        const int64_t *fields = fields_of(t, k);
        t->energy[k] = fields[FIELD_ENERGY];
        ioa_stages_report(&t->stages, round, k, t->energy[k]);
        t->proposals_total += (uint64_t)fields[FIELD_PROPOSALS];
        if ((uint64_t)fields[FIELD_BEST] >= t->best_total) continue;
        t->best_total = (uint64_t)fields[FIELD_BEST];
        t->best_replica = k;
        improved = true;
    }
    return improved;
}

static void record(ioa_tempering *t, uint64_t round)
{
    ioa_trace *trace = &t->trace;
    uint32_t k = t->config.replicas;
    trace->best[round] = t->best_total;
    trace->proposals[round] = t->proposals_total;
    trace->round_trips[round] = t->round_trips;
    for (uint32_t rung = 0; rung < k; rung++) {
        uint64_t at = round * k + rung;
        const int64_t *fields = fields_of(t, t->replica_at[rung]);
        int64_t drawn = fields[FIELD_PROPOSALS];
        trace->energy[at] = fields[FIELD_ENERGY];
        trace->acceptance[at] = drawn ? (double)fields[FIELD_ACCEPTED] / (double)drawn : 0.0;
        trace->temperature[at] = t->heat[rung];
        trace->replica_at[at] = t->replica_at[rung];
    }
}

/* What follows from a round's messages, alike on every worker. */
static bool conclude(ioa_tempering *t, uint64_t round)
{
    bool improved = take_in(t, round);
    find_heat(t);
    record(t, round);
    uint64_t row = round * t->config.replicas;
    ioa_ladder_swap(&t->ladder, t->heat, t->config.seed, round, t->energy, t->rung_of, t->replica_at,
                    t->trace.swap + row, t->trace.probability + row);
    if (t->config.spread > 1.0) ioa_ladder_adapt(&t->ladder, round + 1);
    count_round_trips(t);
    t->trace.rounds++;
    return improved;
}

ioa_status ioa_tempering_run(ioa_tempering *t, const ioa_tempering_events *events, ioa_error *error)
{
    static const ioa_tempering_events none = {0};
    if (!events) events = &none;
    bool stop = t->config.stop && t->trace.rounds >= t->config.stop;
    double started = ioa_clock() - t->annealed; /* as if it had been running all the time */
    while (!stop && (t->stages.planned == 0 || t->trace.rounds < t->stages.planned)) {
        uint64_t round = t->trace.rounds;
        unsigned wishes = 0;
        ioa_status status = ioa_trace_reserve(&t->trace, round + 1, error);
        double before = ioa_clock();
        if (status == IOA_OK) status = anneal_mine(t, round, error);
        double between = ioa_clock();
        unsigned wish = events->wish ? events->wish(events->context) : 0;
        status = exchange(t, status, started, wish, &stop, &wishes, error);
        t->annealing += between - before;
        t->exchanging += ioa_clock() - between;
        if (status != IOA_OK) return status;
        bool improved = conclude(t, round);
        t->annealed = ioa_clock() - started;
        if (t->trace.rounds == ioa_stages_trial_end(&t->stages)) t->trial_annealed = t->annealed;
        t->stopped = wishes & IOA_WISH_STOP;
        stop = stop || t->stopped || t->trace.rounds == t->config.stop ||
               t->best_total == t->problem->network->bounds.lower; /* nothing better exists */
        if (events->round) events->round(events->context, t->best_total, t->best_replica, improved, &t->trace);
        if ((wishes & IOA_WISH_CHECKPOINT) && events->checkpoint) status = events->checkpoint(events->context, error);
        if (status != IOA_OK) return status;
    }
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
    t->config.engine->best_order(t->state[replica / t->transport.size], order);
}

uint64_t ioa_tempering_planned(const ioa_tempering *t)
{
    return t->stages.planned;
}

uint64_t ioa_tempering_trial(const ioa_tempering *t)
{
    return t->stages.trial == UINT64_MAX ? 0 : t->stages.trial;
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

size_t ioa_tempering_values(ioa_tempering *t, ioa_value values[IOA_TEMPERING_VALUES])
{
    uint64_t k = t->config.replicas;
    t->elapsed = ioa_tempering_elapsed(t);
    const ioa_value list[] = {
        {"planned", IOA_VALUE_U64, 1, &t->stages.planned},
        {"trial", IOA_VALUE_U64, 1, &t->stages.trial},
        {"cheapest", IOA_VALUE_I64, IOA_STAGES_MOST_KINDS, t->stages.cheapest},
        {"elapsed", IOA_VALUE_F64, 1, &t->elapsed},
        {"annealed", IOA_VALUE_F64, 1, &t->annealed},
        {"trial_annealed", IOA_VALUE_F64, 1, &t->trial_annealed},
        {"best_total", IOA_VALUE_U64, 1, &t->best_total},
        {"best_replica", IOA_VALUE_U32, 1, &t->best_replica},
        {"proposals_total", IOA_VALUE_U64, 1, &t->proposals_total},
        {"round_trips_total", IOA_VALUE_U64, 1, &t->round_trips},
        {"next_adaptation", IOA_VALUE_U64, 1, &t->ladder.next_adaptation},
        {"ladder_temperature", IOA_VALUE_F64, k, t->ladder.temperature},
        {"ladder_acceptance", IOA_VALUE_F64, k, t->ladder.acceptance},
        {"ladder_attempts", IOA_VALUE_U64, k, t->ladder.attempts},
        {"direction", IOA_VALUE_I64, k, t->direction},
        {"rung_of", IOA_VALUE_U32, k, t->rung_of},
        {"replica_at", IOA_VALUE_U32, k, t->replica_at},
    };
    memcpy(values, list, sizeof list);
    ioa_trace_values(&t->trace, values + sizeof list / sizeof *list);
    return sizeof list / sizeof *list + IOA_TRACE_COLUMNS;
}

ioa_status ioa_tempering_resize(ioa_tempering *t, uint64_t rounds, ioa_error *error)
{
    uint64_t most = UINT64_MAX / 4096 / t->config.replicas; /* a damaged number must not wrap sizes */
    if (rounds > most) return ioa_fail(error, IOA_ERR_INPUT, "an impossible number of rounds");
    ioa_status status = ioa_trace_reserve(&t->trace, rounds, error);
    if (status == IOA_OK) t->trace.rounds = rounds;
    return status;
}

ioa_status ioa_tempering_restored(ioa_tempering *t, ioa_error *error)
{
    uint32_t k = t->config.replicas;
    bool good = t->best_replica < k && t->annealed >= 0.0 && t->elapsed >= 0.0 &&
                t->trial_annealed >= 0.0 && t->trial_annealed <= t->annealed && ioa_stages_valid(&t->stages, t->trace.rounds) &&
                (t->config.rounds == 0 || t->stages.planned == t->config.rounds) && t->best_total <= t->problem->start_total;
    for (uint32_t i = 0; good && i < k; i++)
        good = t->replica_at[i] < k && t->rung_of[t->replica_at[i]] == i && t->ladder.temperature[i] >= 1.0 &&
               t->direction[i] >= -1 && t->direction[i] <= 1;
    if (!good) return ioa_fail(error, IOA_ERR_INPUT, "the values of the search are impossible");
    t->config.began = ioa_clock() - t->elapsed; /* what was used of the time counts on */
    uint64_t last = t->trace.rounds ? t->trace.rounds - 1 : 0;
    t->ladder.groups = ioa_stages_side_by_side(&t->stages, last);
    return last >= ioa_stages_first_change(&t->stages) ? turn_mine(t, last, error) : IOA_OK;
}

uint64_t ioa_tempering_replica_bytes(const ioa_tempering *t, uint32_t replica)
{
    return t->config.engine->bytes(t->state[replica / t->transport.size]);
}

void ioa_tempering_replica_save(const ioa_tempering *t, uint32_t replica, void *bytes)
{
    t->config.engine->save(t->state[replica / t->transport.size], bytes);
}

ioa_status ioa_tempering_replica_load(ioa_tempering *t, uint32_t replica, const void *bytes, uint64_t count,
                                      ioa_error *error)
{
    return t->config.engine->load(t->state[replica / t->transport.size], bytes, count, error);
}
