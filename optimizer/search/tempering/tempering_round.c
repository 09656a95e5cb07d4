/* One round of the tempering loop: annealing, messages, and what follows from them. */
#include "optimizer/search/tempering/tempering_internal.h"

#include "core/base/clock.h"

#include <string.h>

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

/* ---- this worker's part ---- */

static void survey(ioa_tempering *t, void *state, const ioa_round_counts *counts, int64_t *numbers)
{
    _Static_assert(sizeof counts->moves == (SURVEY_SKETCH - SURVEY_MOVES) * sizeof *numbers, "four numbers a kind");
    _Static_assert(sizeof(ioa_sketch) == (SURVEY_NUMBERS - SURVEY_SKETCH) * sizeof *numbers, "a sketch");
    ioa_sketch sketch = {{0}};
    numbers[SURVEY_BEST] = (int64_t)t->config.engine->best_total(state);
    memcpy(numbers + SURVEY_MOVES, counts->moves, sizeof counts->moves);
    if (t->elite.capacity) {
        t->config.engine->best_order(state, t->order);
        sketch = ioa_sketch_of(t->order, t->problem->network->connections);
    }
    memcpy(numbers + SURVEY_SKETCH, &sketch, sizeof sketch);
}

/* Anneals this worker's replicas for one round and fills its message, all but the head, and its report. */
static ioa_status anneal_mine(ioa_tempering *t, uint64_t round, bool surveys, ioa_error *error)
{
    const ioa_engine *engine = t->config.engine;
    const ioa_message_shape shape = ioa_tempering_shape(t);
    ioa_step step = ioa_tempering_step(t, round);
    if (ioa_stages_at(&t->stages, round).begins) {
        ioa_status status = ioa_tempering_turn(t, round, error);
        if (status != IOA_OK) return status;
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
        if (replica < t->ladder.groups) ioa_message_put_base(t->mine, i, counts.base);
        ioa_message_put_energy(t->mine, &shape, i, engine->energy(t->state[i]));
        int64_t *report = t->report + IOA_REPORT_HEAD + i * IOA_REPORT_REPLICA;
        report[IOA_REPORT_PROPOSALS] = (int64_t)counts.proposals;
        report[IOA_REPORT_ACCEPTED] = (int64_t)counts.accepted;
        if (surveys) survey(t, t->state[i], &counts, t->survey + i * SURVEY_NUMBERS);
    }
    return IOA_OK;
}

/* What is left to do in a round for a worker that is of a crew, whatever has happened to it: one without a replica does
 * what it is given, one with a replica lets its helpers go. */
static ioa_status work_together(ioa_tempering *t, ioa_status status, ioa_error *error)
{
    const ioa_crew *crew = t->problem->crew;
    if (!crew || crew->size < 2) return status;
    if (crew->rank == 0) {
        ioa_segments_dismiss(crew);
        return status;
    }
    ioa_status helped = t->config.engine->assist(t->problem, &t->helper, status == IOA_OK ? error : NULL);
    return status == IOA_OK ? helped : status;
}

/* The best order of this worker's replicas; of equal ones the first. */
static void find_best(const ioa_tempering *t, ioa_message_head *head)
{
    head->best = UINT64_MAX;
    for (uint32_t i = 0; i < t->slots; i++) {
        uint64_t best = t->state[i] ? t->config.engine->best_total(t->state[i]) : UINT64_MAX;
        if (best >= head->best) continue;
        head->best = best;
        head->best_slot = i;
    }
}

/* ---- messages ---- */

ioa_message_shape ioa_tempering_shape(const ioa_tempering *t)
{
    return ioa_message_shape_of(t->transport.size, t->config.replicas, t->ladder.groups);
}

static const int64_t *message_of(const ioa_tempering *t, uint32_t worker)
{
    const ioa_message_shape shape = ioa_tempering_shape(t);
    return t->all + (uint64_t)worker * ioa_message_length(&shape);
}

const int64_t *ioa_tempering_survey(const ioa_tempering *t, uint32_t replica)
{
    uint64_t worker = replica % t->transport.size, slot = replica / t->transport.size;
    return t->surveys + (worker * t->slots + slot) * SURVEY_NUMBERS;
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
static ioa_status exchange(ioa_tempering *t, ioa_message_head *head, const ioa_error *own, bool surveys, unsigned *wishes,
                           ioa_error *error)
{
    const ioa_message_shape shape = ioa_tempering_shape(t);
    const ioa_transport *net = &t->transport;
    ioa_message_put_head(t->mine, head);
    ioa_status sent = net->gather(net->context, t->mine, ioa_message_length(&shape), t->all, error);
    if (sent != IOA_OK) return sent;
    for (uint32_t r = 0; r < net->size; r++) {
        const ioa_message_head other = ioa_message_head_of(message_of(t, r));
        if (other.status != IOA_OK) return explain(t, r, other.status, own, error);
        *wishes |= other.wishes;
    }
    ioa_tempering_take_rounds(t, ioa_message_head_of(message_of(t, 0)).rounds);
    net->collect(net->context, t->report, ioa_report_length(&shape), t->reports);
    return surveys ? net->gather(net->context, t->survey, t->slots * SURVEY_NUMBERS, t->surveys, error) : IOA_OK;
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

/* The temperature of each rung, from the base of its group. */
static void find_heat(ioa_tempering *t)
{
    for (uint32_t g = 0; g < t->ladder.groups; g++) {
        double base = ioa_message_base(message_of(t, g % t->transport.size), g / t->transport.size);
        for (uint32_t i = ioa_ladder_first(&t->ladder, g); i < ioa_ladder_first(&t->ladder, g + 1); i++)
            t->heat[i] = base * t->ladder.temperature[i];
    }
}

/* Takes in what all workers said; true if the best order is new. */
static bool take_in(ioa_tempering *t, uint64_t round)
{
    const ioa_message_shape shape = ioa_tempering_shape(t);
    uint64_t before = t->best_total;
    for (uint32_t k = 0; k < t->config.replicas; k++) {
        t->energy[k] = ioa_message_energy(message_of(t, k % t->transport.size), &shape, k / t->transport.size);
        ioa_stages_report(&t->stages, round, k, t->energy[k]);
    }
    for (uint32_t r = 0; r < t->transport.size; r++) { /* of equal ones the first replica's, whoever has it */
        const ioa_message_head head = ioa_message_head_of(message_of(t, r));
        uint32_t replica = r + head.best_slot * t->transport.size;
        if (head.best >= before || head.best > t->best_total) continue;
        if (head.best == t->best_total && replica > t->best_replica) continue;
        t->best_total = head.best;
        t->best_replica = replica;
    }
    return t->best_total < before;
}

static bool conclude(ioa_tempering *t, uint64_t round, bool surveys)
{
    bool improved = take_in(t, round);
    find_heat(t);
    uint64_t row = ioa_tempering_record(t); /* before anything changes */
    double *swap = t->reports ? t->trace.swap + row * t->config.replicas : NULL;
    double *probability = t->reports ? t->trace.probability + row * t->config.replicas : NULL;
    if (surveys) ioa_tempering_adapt(t, round); /* before the swaps: tunings belong to the rungs */
    ioa_ladder_swap(&t->ladder, t->heat, t->config.seed, round, t->energy, t->rung_of, t->replica_at, swap, probability);
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
    ioa_message_head head = {.status = t->reports ? ioa_trace_reserve(&t->trace, t->trace.rows + 1, &own) : IOA_OK};
    double before = ioa_clock();
    if (ioa_stages_at(&t->stages, round).begins) regroup(t, round);
    if (head.status == IOA_OK) head.status = anneal_mine(t, round, surveys, &own);
    head.status = work_together(t, head.status, &own);
    find_best(t, &head);
    double between = ioa_clock();
    t->report[IOA_REPORT_ANNEALED] = nanoseconds(between - before);
    t->report[IOA_REPORT_EXCHANGED] = t->last_exchange;
    head.wishes = events->wish ? events->wish(events->context) : 0;
    head.rounds = ioa_tempering_rounds_wanted(t, started);
    ioa_status status = exchange(t, &head, &own, surveys, wishes, error);
    double after = ioa_clock();
    t->annealing += between - before;
    t->exchanging += after - between;
    t->last_exchange = nanoseconds(after - between);
    if (status == IOA_OK) *improved = conclude(t, round, surveys);
    return status;
}
