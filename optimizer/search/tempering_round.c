/* One round of the tempering loop: annealing, messages, and what follows from them. */
#include "optimizer/search/tempering_internal.h"

#include <string.h>

#define PLAN_MARGIN 0.94   /* share of the time that is planned for: rounds do not all take the same time */
#define QUENCH_ROUNDS 25   /* one round in so many, at the end, is at temperature 0 */
#define EARLY_SURVEYS 64   /* rounds in which every 4th has a survey; later every 16th */
#define MOST_RUNGS 8       /* of a group, unless told otherwise: further ones do more as groups of their own */
#define REHEAT 0.5         /* of the temperature of the first cycle */

static uint32_t per_replica(bool survey)
{
    return survey ? FIELDS + SURVEY_FIELDS : FIELDS;
}

static uint32_t message_length(const ioa_tempering *t, bool survey)
{
    return HEADS + t->slots * per_replica(survey);
}

uint32_t ioa_tempering_longest(const ioa_tempering *t)
{
    return message_length(t, true);
}

static uint64_t round_proposals(const ioa_tempering *t)
{
    return t->config.proposals ? t->config.proposals : t->config.engine->round_proposals(t->problem);
}

/* First round at temperature 0 of a search of `rounds` rounds. */
static uint64_t quench_from(uint64_t rounds)
{
    return rounds - rounds / QUENCH_ROUNDS;
}

/* Cycles after heating up again are short plans of their own. */
ioa_step ioa_tempering_step(const ioa_tempering *t, uint64_t round)
{
    const ioa_stagnation *s = &t->stagnation;
    ioa_step step = {.proposals = round_proposals(t), .heat = s->cycle_end ? REHEAT : 1.0};
    ioa_stage stage = ioa_stages_at(&t->stages, round);
    if (s->cycle_end) {
        stage.rounds = (double)(s->cycle_end - s->cycle);
        stage.progress = (double)(round + 1 - s->cycle) / stage.rounds;
    }
    step.quench = stage.progress > 1.0 - 1.0 / QUENCH_ROUNDS || (t->end && round >= quench_from(t->end));
    if (stage.rounds == 0.0) return step;
    step.progress = step.quench ? 1.0 : stage.progress / (1.0 - 1.0 / QUENCH_ROUNDS);
    step.sweeps = stage.rounds * (double)step.proposals / (double)t->problem->network->connections;
    return step;
}

/* ---- kinds and groups ---- */

uint32_t ioa_tempering_groups(const ioa_tempering *t, uint64_t round)
{
    uint32_t kinds = ioa_stages_side_by_side(&t->stages, round), each = (t->config.replicas + kinds - 1) / kinds;
    uint32_t groups = t->config.groups ? t->config.groups : (each + MOST_RUNGS - 1) / MOST_RUNGS;
    groups = kinds * (groups < each ? groups : each);
    return groups < t->config.replicas ? groups : t->config.replicas;
}

ioa_status ioa_tempering_turn(ioa_tempering *t, uint64_t round, ioa_error *error)
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
    ioa_ladder_regroup(&t->ladder, ioa_tempering_groups(t, round), t->config.spread, round);
    ioa_ladder_place(&t->ladder, t->rung_of, t->replica_at);
    memset(t->direction, 0, t->config.replicas * sizeof *t->direction);
}

/* Also in the round before a quench: it starts from the elite. */
bool ioa_tempering_surveys(const ioa_tempering *t, uint64_t round)
{
    uint64_t every = round < EARLY_SURVEYS ? 4 : 16;
    if (round % every == every - 1) return true;
    if (t->end && round + 1 >= t->end) return false;
    return !ioa_tempering_step(t, round).quench && ioa_tempering_step(t, round + 1).quench;
}

/* ---- messages ---- */

static void survey(ioa_tempering *t, void *state, const ioa_round_counts *counts, int64_t *fields)
{
    _Static_assert(sizeof counts->moves == SURVEY_MOVES * sizeof *fields, "four numbers a move");
    ioa_sketch sketch = {{0}};
    memcpy(fields, counts->moves, sizeof counts->moves);
    if (t->elite.capacity) {
        t->config.engine->best_order(state, t->order);
        sketch = ioa_sketch_of(t->order, t->problem->network->connections);
    }
    memcpy(fields + SURVEY_MOVES, &sketch, sizeof sketch);
}

/* Anneals this worker's replicas for one round and fills its message. */
static ioa_status anneal_mine(ioa_tempering *t, uint64_t round, bool surveys, ioa_error *error)
{
    const ioa_engine *engine = t->config.engine;
    ioa_step step = ioa_tempering_step(t, round);
    if (ioa_stages_at(&t->stages, round).begins) {
        ioa_status status = ioa_tempering_turn(t, round, error);
        if (status != IOA_OK) return status;
        regroup(t, round);
    }
    for (uint32_t i = 0; i < t->slots; i++) {
        uint32_t replica = t->transport.rank + i * t->transport.size;
        if (!t->state[i]) continue;
        ioa_pcg32 rng = ioa_rng_keyed(t->config.seed, IOA_RNG_REPLICA, replica, round);
        ioa_round_counts counts = {0};
        step.multiplier = t->ladder.temperature[t->rung_of[replica]];
        step.tuning = &t->tuning[t->rung_of[replica]];
        ioa_status status = engine->anneal(t->state[i], &step, &rng, &counts, error);
        if (status != IOA_OK) return status;
        int64_t *fields = t->mine + HEADS + i * per_replica(surveys);
        fields[FIELD_ENERGY] = engine->energy(t->state[i]);
        fields[FIELD_BEST] = (int64_t)engine->best_total(t->state[i]);
        fields[FIELD_PROPOSALS] = (int64_t)counts.proposals;
        fields[FIELD_ACCEPTED] = (int64_t)counts.accepted;
        memcpy(&fields[FIELD_BASE], &counts.base, sizeof counts.base);
        if (surveys) survey(t, t->state[i], &counts, fields + FIELDS);
    }
    return IOA_OK;
}

/* Worker 0 turns what is left of the time limit into rounds; `began`: when the rounds of this kind did. */
static uint64_t plan(const ioa_tempering *t, uint64_t done, double began)
{
    uint64_t end = ioa_stages_trial_end(&t->stages), alike = end == UINT64_MAX || end == 0 ? done : done - end;
    double now = ioa_clock(), per_round = (now - began) / (double)alike;
    double left = t->config.seconds * PLAN_MARGIN - (now - t->config.began);
    return done + (left > 0.0 ? (uint64_t)(left / per_round) : 0) + 1;
}

/* Worker 0 sees time run out before the plan is over: the round at which to end, quench included; 0: not yet. That number
 * of rounds alone tells where the quench begins, so that the run can be repeated. */
static uint64_t find_end(const ioa_tempering *t, uint64_t done, double started)
{
    if (t->transport.rank != 0 || t->end || t->config.seconds <= 0.0) return 0;
    double now = ioa_clock(), per_round = (now - started) / (double)done;
    double left = t->config.seconds - (now - t->config.began);
    uint64_t end = done; /* short searches end without a quench */
    while (done >= QUENCH_ROUNDS && quench_from(end) < done + 1) end++; /* the round before it makes a survey for it */
    if (t->stages.planned && end >= t->stages.planned) return 0; /* the plan's own quench is here */
    return left <= per_round * (double)(end - done) ? end : 0;
}

/* The cause of a failure, from the worker that knows it. */
static ioa_status explain(ioa_tempering *t, uint32_t worker, ioa_status status, const ioa_error *own, ioa_error *error)
{
    char text[IOA_ERROR_TEXT];
    memcpy(text, own->text, sizeof text);
    t->transport.share(t->transport.context, worker, text, sizeof text);
    text[sizeof text - 1] = '\0';
    return ioa_fail(error, status, "worker %u: %s", (unsigned)worker, text);
}

/* Exchanges the messages; a failure anywhere becomes a failure everywhere. */
static ioa_status exchange(ioa_tempering *t, ioa_status status, const ioa_error *own, bool surveys, double started,
                           unsigned wish, unsigned *wishes, ioa_error *error)
{
    uint64_t done = t->trace.rounds + 1;
    uint32_t length = message_length(t, surveys);
    t->mine[HEAD_STATUS] = status;
    t->mine[HEAD_END] = (int64_t)find_end(t, done, started);
    bool planning = t->transport.rank == 0 && ioa_stages_want_plan(&t->stages, done);
    t->mine[HEAD_PLAN] = planning ? (int64_t)plan(t, done, started + t->trial_annealed) : 0;
    t->mine[HEAD_WISH] = wish;
    t->mine[HEAD_EXCHANGED] = t->last_exchange;
    ioa_status sent = t->transport.gather(t->transport.context, t->mine, length, t->all, error);
    if (sent != IOA_OK) return sent;
    for (uint32_t r = 0; r < t->transport.size; r++) {
        const int64_t *head = t->all + (uint64_t)r * length;
        if (head[HEAD_STATUS] != IOA_OK) return explain(t, r, (ioa_status)head[HEAD_STATUS], own, error);
        *wishes |= (unsigned)head[HEAD_WISH];
    }
    if (t->all[HEAD_PLAN]) ioa_stages_plan(&t->stages, (uint64_t)t->all[HEAD_PLAN]);
    if (t->all[HEAD_END]) t->end = (uint64_t)t->all[HEAD_END];
    return IOA_OK;
}

static const int64_t *fields_of(const ioa_tempering *t, uint32_t replica, bool surveys)
{
    uint32_t worker = replica % t->transport.size, slot = replica / t->transport.size;
    return t->all + (uint64_t)worker * message_length(t, surveys) + HEADS + slot * per_replica(surveys);
}

const int64_t *ioa_tempering_survey(const ioa_tempering *t, uint32_t replica)
{
    return fields_of(t, replica, true) + FIELDS;
}

/* ---- what follows from them, alike on every worker ---- */

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
static void find_heat(ioa_tempering *t, bool surveys)
{
    for (uint32_t g = 0; g < t->ladder.groups; g++) {
        double base;
        memcpy(&base, &fields_of(t, g, surveys)[FIELD_BASE], sizeof base);
        for (uint32_t i = ioa_ladder_first(&t->ladder, g); i < ioa_ladder_first(&t->ladder, g + 1); i++)
            t->heat[i] = base * t->ladder.temperature[i];
    }
}

/* Takes in what all workers reported; true if the best order is new. */
static bool take_in(ioa_tempering *t, uint64_t round, bool surveys)
{
    bool improved = false;
    for (uint32_t k = 0; k < t->config.replicas; k++) {
        const int64_t *fields = fields_of(t, k, surveys);
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

static void record_times(ioa_tempering *t, uint64_t row, uint32_t length)
{
    double sum = 0.0, most = 0.0;
    for (uint32_t r = 0; r < t->transport.size; r++) {
        const int64_t *head = t->all + (uint64_t)r * length;
        double annealed = 1e-9 * (double)head[HEAD_ANNEALED];
        sum += annealed;
        if (annealed > most) most = annealed;
    }
    t->trace.annealing[row] = sum / t->transport.size;
    t->trace.slowest[row] = most;
    t->trace.exchanging[row] = 0.0; /* known in the next round */
}

/* What the round before spent on messages and waiting is known only now. */
static void complete_times(ioa_tempering *t, uint32_t length)
{
    double waited = 0.0;
    for (uint32_t r = 0; r < t->transport.size; r++) waited += 1e-9 * (double)t->all[(uint64_t)r * length + HEAD_EXCHANGED];
    if (t->trace.rows && t->last_exchange) t->trace.exchanging[t->trace.rows - 1] = waited / t->transport.size;
}

static void record(ioa_tempering *t, uint64_t row, bool surveys)
{
    ioa_trace *trace = &t->trace;
    uint32_t k = t->config.replicas;
    trace->best[row] = t->best_total;
    trace->proposals[row] = t->proposals_total;
    trace->round_trips[row] = t->round_trips;
    for (uint32_t rung = 0; rung < k; rung++) {
        uint64_t at = row * k + rung;
        const int64_t *fields = fields_of(t, t->replica_at[rung], surveys);
        int64_t drawn = fields[FIELD_PROPOSALS];
        trace->energy[at] = fields[FIELD_ENERGY];
        trace->acceptance[at] = drawn ? (double)fields[FIELD_ACCEPTED] / (double)drawn : 0.0;
        trace->temperature[at] = t->heat[rung];
        trace->replica_at[at] = t->replica_at[rung];
        for (unsigned level = 0; level < IOA_LEVELS; level++)
            trace->window[at * IOA_LEVELS + level] = t->tuning[rung].window[level];
        for (unsigned move = 0; move < IOA_MOVES; move++)
            trace->share[at * IOA_MOVES + move] = t->tuning[rung].share[move];
    }
}

static void adapt_moves(ioa_tempering *t)
{
    const ioa_engine *engine = t->config.engine;
    for (uint32_t rung = 0; rung < t->config.replicas; rung++) {
        ioa_move_counts counts[IOA_MOVES];
        memcpy(counts, ioa_tempering_survey(t, t->replica_at[rung]), sizeof counts);
        ioa_tuning_adapt(engine->moves, engine->windows, counts, t->config.adapt, &t->tuning[rung]);
    }
}

static bool conclude(ioa_tempering *t, uint64_t round, bool surveys)
{
    bool improved = take_in(t, round, surveys);
    find_heat(t, surveys);
    complete_times(t, message_length(t, surveys));
    uint64_t row = ioa_trace_next(&t->trace), first = row * t->config.replicas;
    record(t, row, surveys);
    record_times(t, row, message_length(t, surveys));
    if (surveys) adapt_moves(t); /* before the swaps: they belong to the rungs */
    ioa_ladder_swap(&t->ladder, t->heat, t->config.seed, round, t->energy, t->rung_of, t->replica_at,
                    t->trace.swap + first, t->trace.probability + first);
    if (t->config.spread > 1.0) ioa_ladder_adapt(&t->ladder, round + 1);
    count_round_trips(t);
    return improved;
}

static int64_t nanoseconds(double seconds)
{
    return (int64_t)(seconds * 1e9);
}

ioa_status ioa_tempering_round(ioa_tempering *t, const ioa_tempering_events *events, double started, unsigned *wishes,
                               bool *improved, ioa_error *error)
{
    uint64_t round = t->trace.rounds;
    bool surveys = ioa_tempering_surveys(t, round);
    ioa_error own = {0};
    ioa_status status = ioa_trace_reserve(&t->trace, t->trace.rows + 1, &own);
    double before = ioa_clock();
    if (status == IOA_OK) status = anneal_mine(t, round, surveys, &own);
    double between = ioa_clock();
    t->mine[HEAD_ANNEALED] = nanoseconds(between - before);
    unsigned wish = events->wish ? events->wish(events->context) : 0;
    status = exchange(t, status, &own, surveys, started, wish, wishes, error);
    double after = ioa_clock();
    t->annealing += between - before;
    t->exchanging += after - between;
    t->last_exchange = nanoseconds(after - between);
    if (status == IOA_OK) *improved = conclude(t, round, surveys);
    return status;
}
