/* The search under LRU and RR: levels first, then single moves with the exact LRU count.
 *
 * Under MIN an order with prices or intervals says what to keep; LRU keeps what was used last, and comes near the same
 * only where the memory is larger than what the order asks for. So the levels (engine_levels.c) search an order that
 * is good under MIN for a SHARE of the memory, which share being found by trying block orders; and from where
 * they end the exact level (exact.h) goes on, cold, with the whole memory.
 * Large orders, which the levels cut into segments, go on in segments here, too (exact_segments.h).
 * RR has no local count. It evicts the oldest arrival rather than the oldest use, which is near enough for orders that
 * suit LRU to suit it: there, too, the exact level anneals by LRU, and the count under RR at the end of every round
 * decides. Under MIN there is nothing to add, and the levels keep all rounds. */
#include "optimizer/search/engine/engine.h"

#include "core/base/mem.h"
#include "optimizer/search/construct/construct.h"
#include "optimizer/search/engine/levels.h"
#include "optimizer/search/engine/scorer.h"
#include "optimizer/search/exact/exact_segments.h"

#include <string.h>

/* Moves and windows of the levels, then those of the exact level, where a proposal costs as much as some ten steps counted
 * and keeping it nothing more. */
#define EXACT_ROW(name, share, text) {text, 2, share, false},
static const ioa_move moves[IOA_MOVES] = {IOA_LEVELS_ROWS IOA_EXACT_MOVES(EXACT_ROW)};
static const ioa_window windows[IOA_LEVELS] = {IOA_LEVELS_WINDOWS, {1, 1, 1, 0.44, 10, 0}};
enum { FIRST_EXACT = IOA_INTERVAL_MOVE_COUNT + IOA_PRICED_MOVE_COUNT };
_Static_assert(FIRST_EXACT + IOA_EXACT_MOVE_COUNT <= IOA_MOVES, "all kinds of moves have a row");

#define HOT 0.15 /* I/Os */
#define COLD 0.06
#define TAKEOVER 0.5 /* progress at which the exact level begins */
#define USUAL_SHARE 0.6 /* of the memory, where trying costs too much */
#define TRYING_UP_TO 3000000u /* connections */

static const double shares[] = {0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9};

/* Used by one replica after the other. */
typedef struct desk {
    ioa_scorer *scorer;    /* of the outer problem */
    uint32_t *order;       /* [W] what the levels have at present */
    ioa_exact_sweep sweep; /* where orders are cut into segments, made when the exact level begins */
} desk;

typedef struct shared {
    ioa_problem inner;   /* under LRU and RR: with less memory, under MIN */
    uint32_t *start;     /* [W] of the inner problem */
    uint64_t start_total; /* its I/O in the outer one */
    void *levels;        /* what its replicas share */
    double takeover;
    desk *desk;
} shared;

static void release(void *pointer)
{
    shared *s = pointer;
    if (!s) return;
    if (s->levels) ioa_engine_levels.release(s->levels);
    if (s->desk) {
        ioa_scorer_destroy(s->desk->scorer);
        ioa_exact_sweep_clear(&s->desk->sweep);
        ioa_free(s->desk->order);
        ioa_free(s->desk);
    }
    ioa_free(s->start);
    ioa_free(s);
}

static uint64_t share_of(uint64_t memory, double share)
{
    uint64_t slots = (uint64_t)((double)memory * share + 0.5);
    return slots < IOA_MEMORY_MIN ? IOA_MEMORY_MIN : slots;
}

/* Block orders for shares of the memory: the best one's share is the inner problem's, and the best order its start. */
static ioa_status try_shares(shared *s, const ioa_problem *problem, ioa_error *error)
{
    uint64_t w = problem->network->connections, cheapest = UINT64_MAX;
    s->inner.memory = share_of(problem->memory, USUAL_SHARE);
    if (w > TRYING_UP_TO) return IOA_OK;
    uint32_t *order = s->desk->order;
    ioa_status status = IOA_OK;
    for (size_t i = 0; status == IOA_OK && i < sizeof shares / sizeof *shares; i++) {
        uint64_t memory = share_of(problem->memory, shares[i]);
        status = ioa_interrupt_look(problem->interrupt, error);
        if (status == IOA_OK) status = ioa_construct_blocks(problem->network, memory, order, error);
        if (status != IOA_OK) break;
        uint64_t total = ioa_scorer_total(s->desk->scorer, order);
        if (total >= cheapest) continue;
        cheapest = total;
        s->inner.memory = memory;
        if (cheapest >= s->start_total) continue;
        s->start_total = cheapest;
        memcpy(s->start, order, w * sizeof *order);
    }
    return status;
}

static ioa_status desk_create(const ioa_problem *problem, desk **made, ioa_error *error)
{
    const uint64_t w = problem->network->connections;
    desk *d = *made = ioa_alloc_zero(1, sizeof *d);
    if (!d) return ioa_fail_nomem(error, "the search", 1, sizeof *d);
    d->order = ioa_alloc(w, sizeof *d->order);
    if (!d->order) return ioa_fail_nomem(error, "an order", w, sizeof *d->order);
    return ioa_scorer_create(problem->network, &problem->objective, &d->scorer, error);
}

static ioa_status prepare(const ioa_problem *problem, void **pointer, ioa_error *error)
{
    uint64_t w = problem->network->connections;
    shared *s = ioa_alloc_zero(1, sizeof *s);
    if (!s) return ioa_fail_nomem(error, "the search", 1, sizeof *s);
    s->inner = *problem;
    s->inner.best_elsewhere = true;
    s->takeover = 1.0;
    s->start_total = problem->start_total;
    s->start = ioa_alloc_copy(problem->start, w, sizeof *s->start);
    ioa_status status = s->start ? IOA_OK : ioa_fail_nomem(error, "an order", w, sizeof *s->start);
    if (status == IOA_OK) status = desk_create(problem, &s->desk, error);
    if (status == IOA_OK && problem->objective.level[0].policy != IOA_POLICY_MIN) {
        s->inner.hot = s->inner.cold = 0.0; /* the ones given are the exact level's */
        s->takeover = TAKEOVER;
        status = try_shares(s, problem, error);
        s->inner.objective = ioa_objective_single(s->inner.memory, IOA_POLICY_MIN);
    }
    s->inner.start = s->start;
    if (status == IOA_OK)
        status = ioa_objective_count(problem->network, s->start, &s->inner.objective, NULL, &s->inner.start_total, error);
    if (status == IOA_OK) {
        status = ioa_engine_levels.prepare(&s->inner, &s->levels, error);
    }
    if (status == IOA_OK)
        *pointer = s;
    else
        release(s);
    return status;
}

/* ---- a replica ---- */

typedef struct replica {
    const ioa_problem *problem;
    const shared *shared;
    void *levels;     /* before the takeover */
    ioa_exact *exact; /* from then on, unless in segments */
    uint32_t *order;  /* [W] as last counted, from then on; before, the levels have it */
    uint32_t *best;   /* [W] */
    uint64_t total, best_total;
} replica;

static void destroy(void *state)
{
    replica *r = state;
    if (!r) return;
    if (r->levels) ioa_engine_levels.destroy(r->levels);
    ioa_exact_destroy(r->exact);
    ioa_free(r->order);
    ioa_free(r->best);
    ioa_free(r);
}

static bool in_segments(const replica *r)
{
    return r->problem->segments > 1;
}

/* `order` is what the replica has at present. */
static void count_exactly(replica *r, const uint32_t *order)
{
    r->total = ioa_scorer_total(r->shared->desk->scorer, order);
    if (r->total >= r->best_total) return;
    r->best_total = r->total;
    memcpy(r->best, order, r->problem->network->connections * sizeof *r->best);
}

static void present_order(const void *state, uint32_t *order)
{
    const replica *r = state;
    if (r->levels) ioa_engine_levels.present_order(r->levels, order);
    else memcpy(order, r->order, r->problem->network->connections * sizeof *order);
}

static ioa_status turn(void *state, uint32_t kind, ioa_error *error)
{
    replica *r = state;
    ioa_exact_destroy(r->exact);
    ioa_free(r->order);
    r->exact = NULL;
    r->order = NULL;
    r->total = r->shared->start_total;
    if (r->levels) return ioa_engine_levels.turn(r->levels, kind, error);
    return ioa_engine_levels.create(&r->shared->inner, r->shared->levels, kind, &r->levels, error);
}

static ioa_status create(const ioa_problem *problem, const void *pointer, uint32_t kind, void **state, ioa_error *error)
{
    uint64_t w = problem->network->connections;
    replica *r = ioa_alloc_zero(1, sizeof *r);
    if (!r) return ioa_fail_nomem(error, "a replica", 1, sizeof *r);
    r->problem = problem;
    r->shared = pointer;
    r->best = ioa_alloc_copy(r->shared->start, w, sizeof *r->best);
    r->best_total = r->shared->start_total;
    ioa_status status = r->best ? IOA_OK : ioa_fail_nomem(error, "a replica", w, sizeof *r->best);
    if (status == IOA_OK) status = turn(r, kind, error);
    if (status == IOA_OK)
        *state = r;
    else
        destroy(r);
    return status;
}

/* The levels', which depend on the network alone; always tried out. */
static uint32_t kinds(const ioa_problem *problem, uint32_t replicas, bool *trial)
{
    (void)replicas;
    *trial = true;
    return ioa_levels_tried_kinds(problem);
}

static uint64_t round_proposals(const ioa_problem *problem)
{
    return ioa_engine_levels.round_proposals(problem);
}

/* An exact proposal takes more than twice the time of one of an interval, on small memories and large ones. Making all
 * segments takes as long as some proposals per hundred connections. */
static uint64_t exact_proposals(const ioa_problem *problem, const ioa_step *step)
{
    const uint64_t proposals = step->proposals * 3 / 7 + 1, least = problem->network->connections / 16;
    return problem->segments > 1 && proposals < least ? least : proposals;
}

/* Lets the levels go and takes up `r->order`. */
static ioa_status begin_exact(replica *r, ioa_error *error)
{
    ioa_engine_levels.destroy(r->levels);
    r->levels = NULL;
    if (!in_segments(r)) return ioa_exact_create(r->problem->graph, r->order, r->problem->memory, &r->exact, error);
    ioa_exact_sweep *sweep = &r->shared->desk->sweep;
    if (sweep->g) return IOA_OK;
    ioa_status status = ioa_exact_sweep_make(r->problem->graph, r->problem->memory, sweep, error);
    if (status != IOA_OK) ioa_exact_sweep_clear(sweep);
    return status;
}

static ioa_status allocate_order(replica *r, ioa_error *error)
{
    const uint64_t w = r->problem->network->connections;
    if (!r->order) r->order = ioa_alloc(w, sizeof *r->order);
    return r->order ? IOA_OK : ioa_fail_nomem(error, "an order", w, sizeof *r->order);
}

/* From the present order, not from the best one: that may be a trial's, which a short annealing got stuck at. */
static ioa_status take_over(replica *r, ioa_error *error)
{
    ioa_status status = allocate_order(r, error);
    if (status != IOA_OK) return status;
    if (r->total <= r->shared->start_total) ioa_engine_levels.present_order(r->levels, r->order);
    else memcpy(r->order, r->shared->start, r->problem->network->connections * sizeof *r->order);
    return begin_exact(r, error);
}

static void anneal_whole(replica *r, const ioa_exact_course *c, ioa_pcg32 *rng, ioa_move_counts *done)
{
    ioa_move_counts before[IOA_EXACT_MOVE_COUNT];
    memcpy(before, ioa_exact_statistics(r->exact)->moves, sizeof before);
    ioa_exact_tune(r->exact, c->share);
    ioa_exact_run(r->exact, c->temperature, c->proposals, rng);
    for (int k = 0; k < IOA_EXACT_MOVE_COUNT; k++) {
        const ioa_move_counts *now = &ioa_exact_statistics(r->exact)->moves[k];
        done[k].proposed += now->proposed - before[k].proposed;
        done[k].accepted += now->accepted - before[k].accepted;
        done[k].touched += now->touched - before[k].touched;
        done[k].gained += now->gained - before[k].gained;
    }
    ioa_exact_settle(r->exact);
    ioa_exact_order(r->exact, r->order);
}

static ioa_status anneal_segments(replica *r, ioa_exact_course *c, ioa_pcg32 *rng, ioa_move_counts *done, ioa_error *error)
{
    ioa_exact_sweep *sweep = &r->shared->desk->sweep;
    ioa_exact_swept swept = {0};
    ioa_status status = IOA_OK;
    c->key = (uint64_t)ioa_pcg32_next(rng) << 32;
    c->key |= ioa_pcg32_next(rng);
    c->shifted = ioa_pcg32_next(rng) & 1;
    ioa_exact_sweep_begin(sweep, r->order);
    while (status == IOA_OK && sweep->at < r->problem->graph->W)
        status = ioa_exact_sweep_next(sweep, c, r->order, &swept, error);
    ioa_move_counts_add(done, swept.moves, IOA_EXACT_MOVE_COUNT);
    return status;
}

static ioa_status anneal_exactly(replica *r, const ioa_step *step, double share, ioa_pcg32 *rng, ioa_round_counts *counts,
                                 ioa_error *error)
{
    double hot = (r->problem->hot > 0.0 ? r->problem->hot : HOT) * step->heat, cold = r->problem->cold > 0.0 ? r->problem->cold : COLD;
    uint64_t proposals = exact_proposals(r->problem, step);
    double sweeps = step->sweeps * (1.0 - r->shared->takeover) * (double)proposals / (double)(step->proposals + 1);
    ioa_status status = IOA_OK;
    counts->base = step->quench ? 0.0 : ioa_cooling(cold, hot, sweeps, share);
    proposals = ioa_tuning_proposals(step->tuning, 2, proposals);
    counts->proposals += proposals;
    ioa_exact_course course = {.proposals = proposals, .temperature = counts->base * step->multiplier,
                               .share = step->tuning->share + FIRST_EXACT, .segments = r->problem->segments};
    ioa_move_counts *done = counts->moves + FIRST_EXACT;
    if (in_segments(r)) status = anneal_segments(r, &course, rng, done, error);
    else anneal_whole(r, &course, rng, done);
    for (int k = 0; k < IOA_EXACT_MOVE_COUNT; k++) counts->accepted += done[k].accepted;
    if (status == IOA_OK) count_exactly(r, r->order);
    return status;
}

static ioa_status anneal(void *state, const ioa_step *step, ioa_pcg32 *rng, ioa_round_counts *counts, ioa_error *error)
{
    replica *r = state;
    const double takeover = r->shared->takeover;
    ioa_status status = IOA_OK;
    if (r->levels && step->progress > takeover) status = take_over(r, error);
    if (status != IOA_OK) return status;
    if (!r->levels) {
        double share = step->heat < 1.0 ? step->progress : (step->progress - takeover) / (1.0 - takeover);
        return anneal_exactly(r, step, share, rng, counts, error);
    }
    ioa_step inner = *step;
    inner.progress /= takeover;
    inner.sweeps *= takeover;
    status = ioa_engine_levels.anneal(r->levels, &inner, rng, counts, error);
    if (status != IOA_OK) return status;
    ioa_engine_levels.present_order(r->levels, r->shared->desk->order);
    count_exactly(r, r->shared->desk->order);
    return IOA_OK;
}

/* The levels anneal in segments, with helpers if there are any; the exact level is one rank's work. */
static ioa_status assist(const ioa_problem *problem, void **helper, ioa_error *error)
{
    return ioa_engine_levels.assist(problem, helper, error); /* any memory size will do: a segment brings its prices */
}

static void dismiss(void *helper)
{
    ioa_engine_levels.dismiss(helper);
}

static int64_t energy(const void *state)
{
    return (int64_t)((const replica *)state)->total;
}

static uint64_t best_total(const void *state)
{
    return ((const replica *)state)->best_total;
}

static void best_order(const void *state, uint32_t *order)
{
    const replica *r = state;
    memcpy(order, r->best, r->problem->network->connections * sizeof *order);
}

static ioa_status restart(void *state, const uint32_t *order, ioa_error *error)
{
    replica *r = state;
    count_exactly(r, order);
    if (r->levels) return ioa_engine_levels.restart(r->levels, order, error);
    memcpy(r->order, order, r->problem->network->connections * sizeof *r->order);
    if (!r->exact) return IOA_OK;
    ioa_exact_destroy(r->exact);
    r->exact = NULL;
    return ioa_exact_create(r->problem->graph, r->order, r->problem->memory, &r->exact, error);
}

/* ---- flat form: head, best order, then the present order or the replica of the levels ---- */

typedef struct head {
    uint64_t exact; /* 0 or 1 */
    uint64_t total, best_total;
} head;

static uint64_t saved_bytes(const void *state)
{
    const replica *r = state;
    uint64_t order = r->problem->network->connections * sizeof *r->best;
    return sizeof(head) + order + (r->levels ? ioa_engine_levels.bytes(r->levels) : order);
}

static void save(const void *state, void *bytes)
{
    const replica *r = state;
    const head h = {!r->levels, r->total, r->best_total};
    size_t order = r->problem->network->connections * sizeof *r->best;
    unsigned char *to = bytes;
    memcpy(to, &h, sizeof h);
    memcpy(to += sizeof h, r->best, order);
    to += order;
    if (r->levels) ioa_engine_levels.save(r->levels, to);
    else memcpy(to, r->order, order); /* a round ends settled: the exact level is its order */
}

static ioa_status load(void *state, const void *bytes, uint64_t count, ioa_error *error)
{
    replica *r = state;
    uint64_t order = r->problem->network->connections * sizeof *r->best, expected = sizeof(head) + order;
    const unsigned char *from = (const unsigned char *)bytes + sizeof(head);
    head h;
    if (count < expected) return ioa_fail(error, IOA_ERR_INPUT, "a replica's state is too short");
    memcpy(&h, bytes, sizeof h);
    if (h.exact > 1 || (h.exact && r->shared->takeover >= 1.0))
        return ioa_fail(error, IOA_ERR_INPUT, "a replica's state is of another engine");
    ioa_status status = ioa_scorer_take(r->shared->desk->scorer, from, h.best_total, r->best, error);
    if (status != IOA_OK) return status;
    r->total = h.total;
    r->best_total = h.best_total;
    if (!h.exact) return ioa_engine_levels.load(r->levels, from + order, count - expected, error);
    if (count != expected + order) return ioa_fail(error, IOA_ERR_INPUT, "a replica's state has the wrong length");
    status = allocate_order(r, error);
    if (status == IOA_OK) status = ioa_scorer_take(r->shared->desk->scorer, from + order, h.total, r->order, error);
    return status == IOA_OK ? begin_exact(r, error) : status;
}

const ioa_engine ioa_engine_exact = {
    .name = "exact",
    .summary = "levels for a share of the memory, then moves with the exact LRU count",
    .kinds = kinds,
    .moves = moves,
    .windows = windows,
    .prepare = prepare,
    .release = release,
    .create = create,
    .destroy = destroy,
    .turn = turn,
    .round_proposals = round_proposals,
    .anneal = anneal,
    .energy = energy,
    .best_total = best_total,
    .best_order = best_order,
    .present_order = present_order,
    .restart = restart,
    .assist = assist,
    .dismiss = dismiss,
    .bytes = saved_bytes,
    .save = save,
    .load = load,
};
