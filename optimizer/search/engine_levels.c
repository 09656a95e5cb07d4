/* Three engines in one file, since they are the same replica with different plans:
 *   interval  coarse: every destination has one residency, an interval of time (interval.h)
 *   priced    fine: every connection has its place, memory has prices (priced.h)
 *   levels    two kinds of replicas: kind 0 coarse first, then fine from there, never hot again; kind 1 fine from the
 *             beginning. Long rows favour the former, short ones the latter; a trial decides (stages.h).
 * The exact count of what a replica has is taken at the end of every round; swaps compare it, and the best order is
 * chosen by it. With an objective of several levels, moves are made for the first one (the registers, where every
 * transfer is an instruction), and everything that is selected - the start, the swaps, the bests - by the weighted sum. */
#include "optimizer/search/engine.h"

#include "core/mem.h"
#include "optimizer/search/interval.h"
#include "optimizer/search/priced.h"
#include "optimizer/search/scorer.h"

#include <string.h>

#define MOST_SLOTS (UINT64_C(1) << 24) /* of the interval model */
#define INTERVAL_HOT 0.4 /* I/Os */
#define INTERVAL_COLD 0.1
#define PRICED_HOT 1.0 /* in units of what ioa_priced_suggest says */
#define PRICED_COLD 0.05
#define SETTLE_RATE 19661 /* 0.3 of 65536: as IOA_PRICED_RATE */
#define POLISH_HOT 0.1 /* the same, where a coarse search went before */

/* Both levels' moves: intervals, then single connections. */
#define INTERVAL_ROW(name, share, text) {text, 0, share, IOA_INTERVAL_##name <= IOA_INTERVAL_SLIDE_BOTH},
#define PRICED_ROW(name, share, text) {text, 1, share, IOA_PRICED_##name == IOA_PRICED_NEAR},
const ioa_move ioa_levels_moves[IOA_MOVES] = {IOA_INTERVAL_MOVES(INTERVAL_ROW) IOA_PRICED_MOVES(PRICED_ROW)};
const ioa_window ioa_levels_windows[IOA_LEVELS] = {{IOA_INTERVAL_WINDOW, 3, 12, 0.1}, {IOA_PRICED_WINDOW, 1, 32, 0.2}};

/* Proposals of the fine level that take about as long as one of the coarse level: fewer where the state no longer fits
 * into cache. */
static uint64_t fine_per_coarse(const ioa_problem *problem)
{
    if (problem->segments > 1) return 24; /* segments do */
    return problem->network->connections <= 400000 ? 8 : 3;
}

/* Proposals of the fine level in a round. Cutting and counting an order costs some tenths of a sweep. */
static uint64_t fine_proposals(const ioa_problem *problem, uint64_t coarse)
{
    uint64_t proposals = coarse * fine_per_coarse(problem), least = problem->network->connections / 2;
    return problem->segments > 1 && proposals < least ? least : proposals;
}

/* ---- what replicas share: the coarse problem, its start, and where the fine level takes over ---- */

/* Used by one replica after the other. */
typedef struct desk {
    ioa_scorer *scorer;
    /* where orders are cut into segments */
    ioa_order_prices prices;
    ioa_segments cuts;
    uint32_t *local; /* [N] */
} desk;

typedef struct shared {
    desk *desk;
    ioa_interval_problem *problem;
    ioa_intervals start; /* best sliding window */
    double takeover;     /* progress at which the fine level begins: 0 at once, 1 never */
} shared;

static void shared_release(void *pointer)
{
    shared *s = pointer;
    if (!s) return;
    if (s->desk) {
        ioa_scorer_destroy(s->desk->scorer);
        ioa_order_prices_clear(&s->desk->prices);
        ioa_segments_clear(&s->desk->cuts);
        ioa_free(s->desk->local);
        ioa_free(s->desk);
    }
    ioa_interval_problem_destroy(s->problem);
    ioa_intervals_destroy(&s->start);
    ioa_free(s);
}

static ioa_status desk_create(const ioa_problem *problem, desk **made, ioa_error *error)
{
    uint32_t n = problem->network->a.neurons;
    desk *d = *made = ioa_alloc_zero(1, sizeof *d);
    if (!d) return ioa_fail_nomem(error, "the search", 1, sizeof *d);
    ioa_status status = ioa_scorer_create(problem->network, &problem->objective, &d->scorer, error);
    if (status != IOA_OK || problem->segments < 2) return status;
    d->local = ioa_alloc(n, sizeof *d->local);
    if (!d->local) return ioa_fail_nomem(error, "segments", n, sizeof *d->local);
    memset(d->local, 0xff, n * sizeof *d->local);
    return ioa_order_prices_make(problem->graph, problem->memory, &d->prices, error);
}

/* A start under consideration: what it is made with, and the best one so far. */
typedef struct trial {
    ioa_scorer *scorer;
    uint32_t *order; /* [W] scratch */
    uint64_t best;
} trial;

/* Takes over `made` (empty afterwards) if its order is the best so far. */
static ioa_status consider(shared *s, trial *t, ioa_intervals *made, ioa_error *error)
{
    ioa_interval_state *state = NULL;
    ioa_status status = ioa_interval_state_create(s->problem, made, &state, error);
    if (status == IOA_OK) status = ioa_interval_order(state, t->order, error);
    ioa_interval_state_destroy(state);
    if (status == IOA_OK) {
        uint64_t total = ioa_scorer_total(t->scorer, t->order);
        if (total < t->best) {
            t->best = total;
            ioa_intervals old = s->start;
            s->start = *made;
            *made = old;
        }
    }
    if (made->open) ioa_intervals_destroy(made);
    return status;
}

/* Widths tried, in sixteenths of the slots. Each costs some passes over the network, so that large ones try few. */
static const int32_t many_widths[] = {0, 2, 4, 6, 9, 12, 14, 16}, some_widths[] = {0, 8, 16};

static void choose_widths(uint64_t connections, const int32_t **widths, size_t *count)
{
    *widths = connections <= 300000 ? many_widths : some_widths;
    *count = connections <= 300000 ? 8 : connections <= 3000000 ? 3 : 0;
}

/* Tries windows of several widths, and the constructive order the search was given, and keeps the best. */
static ioa_status find_start(shared *s, const ioa_problem *problem, ioa_error *error)
{
    const int32_t *sixteenths;
    size_t widths;
    choose_widths(problem->network->connections, &sixteenths, &widths);
    uint64_t w = problem->network->connections;
    trial t = {.best = UINT64_MAX, .order = ioa_alloc(w, sizeof *t.order)};
    ioa_intervals made = {0};
    ioa_status status = t.order ? IOA_OK : ioa_fail_nomem(error, "an order", w, sizeof *t.order);
    t.scorer = s->desk->scorer;
    if (status == IOA_OK) status = ioa_intervals_from_order(s->problem, problem->start, &made, error);
    if (status == IOA_OK) status = consider(s, &t, &made, error);
    int32_t last = 0;
    for (size_t i = 0; status == IOA_OK && i < widths; i++) {
        int32_t width = (int32_t)((int64_t)s->problem->slots * sixteenths[i] / 16);
        if (width < 1) width = 1;
        if (width == last) continue;
        last = width;
        status = ioa_intervals_window(s->problem, (uint32_t)width, NULL, &made, error);
        if (status == IOA_OK) status = consider(s, &t, &made, error);
    }
    ioa_free(t.order);
    return status;
}

static ioa_status shared_create(const ioa_problem *problem, double takeover, void **pointer, ioa_error *error)
{
    shared *s = ioa_alloc_zero(1, sizeof *s);
    if (!s) return ioa_fail_nomem(error, "the search", 1, sizeof *s);
    s->takeover = takeover;
    ioa_status status = desk_create(problem, &s->desk, error);
    if (status == IOA_OK && takeover > 0.0) {
        /* More slots than neurons never fill, and the model counts them in 24 bits. */
        uint64_t most = (uint64_t)problem->network->a.neurons + 2 < MOST_SLOTS ? problem->network->a.neurons + 2u : MOST_SLOTS;
        uint64_t memory = problem->memory < most || most < IOA_MEMORY_MIN ? problem->memory : most;
        status = ioa_interval_problem_create(problem->network, memory, true, &s->problem, error);
        if (status == IOA_OK) status = find_start(s, problem, error);
    }
    if (status == IOA_OK)
        *pointer = s;
    else
        shared_release(s);
    return status;
}

static ioa_status prepare_interval(const ioa_problem *problem, void **pointer, ioa_error *error)
{
    return shared_create(problem, 1.0, pointer, error);
}

static ioa_status prepare_priced(const ioa_problem *problem, void **pointer, ioa_error *error)
{
    return shared_create(problem, 0.0, pointer, error);
}

#define SHORT_ROWS 8.0 /* connections: there a short trial would speak for intervals, a long annealing speaks against them */

/* The longer the rows, the more is decided by which destinations are open together, and the less by single
 * connections. */
static ioa_status prepare_levels(const ioa_problem *problem, void **pointer, ioa_error *error)
{
    uint64_t rows = 0;
    for (uint32_t v = 0; v < problem->network->a.neurons; v++)
        rows += problem->network->a.indptr[v + 1] > problem->network->a.indptr[v];
    double length = rows ? (double)problem->network->connections / (double)rows : 0.0;
    double takeover = 0.4 + 0.015 * (length - 10.0);
    takeover = length < SHORT_ROWS ? 0.0 : takeover < 0.4 ? 0.4 : takeover > 0.85 ? 0.85 : takeover;
    return shared_create(problem, takeover, pointer, error);
}

/* ---- a replica ---- */

typedef struct replica {
    const ioa_problem *problem;
    const shared *shared;
    ioa_interval_state *interval; /* while coarse */
    bool fine;
    ioa_priced *priced;           /* once fine, unless in segments */
    uint32_t *price;              /* [chunks] once fine, in segments */
    double takeover;              /* progress at which this one turns fine: 0 at once, 1 never */
    double scale;                 /* suggested temperature to begin the fine level with, in I/Os */
    uint32_t *order; /* [W] as last counted */
    uint32_t *best;  /* [W], or NULL if it is kept elsewhere */
    uint64_t total, best_total;
} replica;

static void replica_destroy(void *state)
{
    replica *r = state;
    if (!r) return;
    ioa_interval_state_destroy(r->interval);
    ioa_priced_destroy(r->priced);
    ioa_free(r->price);
    ioa_free(r->order);
    ioa_free(r->best);
    ioa_free(r);
}

static bool in_segments(const replica *r)
{
    return r->problem->segments > 1;
}

/* First prices take some walks along the order: fewer on large networks, where later rounds have to go on with it. */
static uint32_t first_adjustments(uint64_t connections)
{
    uint64_t affordable = UINT64_C(240000000) / connections;
    return affordable > 60 ? 60 : affordable < 6 ? 6 : (uint32_t)affordable;
}

static void forget_levels(replica *r)
{
    ioa_interval_state_destroy(r->interval);
    ioa_priced_destroy(r->priced);
    r->interval = NULL;
    r->priced = NULL;
    r->fine = false;
}

static ioa_status allocate_prices(replica *r, ioa_error *error)
{
    uint64_t count = r->shared->desk->prices.chunks;
    if (!r->price) r->price = ioa_alloc(count, sizeof *r->price);
    return r->price ? IOA_OK : ioa_fail_nomem(error, "prices", count, sizeof *r->price);
}

/* From the coarse level to the fine one, at the present order. */
static ioa_status take_over(replica *r, ioa_error *error)
{
    forget_levels(r);
    r->fine = true;
    ioa_status status;
    if (in_segments(r)) {
        ioa_order_prices *prices = &r->shared->desk->prices;
        status = allocate_prices(r, error);
        if (status != IOA_OK) return status;
        ioa_order_prices_first(prices, r->order, first_adjustments(r->problem->network->connections), r->price);
        r->scale = ioa_priced_hot(r->problem->graph, ioa_order_prices_adjust(prices, r->order, 0, r->price));
        return IOA_OK;
    }
    status = ioa_priced_create(r->problem->graph, r->order, r->problem->memory, &r->priced, error);
    if (status != IOA_OK) return status;
    double cold;
    ioa_priced_suggest(r->priced, &r->scale, &cold);
    return IOA_OK;
}

/* Begins (again) at the start. */
static ioa_status turn(void *state, uint32_t kind, ioa_error *error)
{
    replica *r = state;
    forget_levels(r);
    r->takeover = kind == 1 ? 0.0 : r->shared->takeover;
    r->scale = 0.0;
    r->total = r->problem->start_total;
    memcpy(r->order, r->problem->start, r->problem->network->connections * sizeof *r->order);
    return r->takeover > 0.0 ? ioa_interval_state_create(r->shared->problem, &r->shared->start, &r->interval, error)
                             : take_over(r, error);
}

static ioa_status replica_create(const ioa_problem *problem, const void *pointer, uint32_t kind, void **state,
                                 ioa_error *error)
{
    uint64_t w = problem->network->connections;
    replica *r = ioa_alloc_zero(1, sizeof *r);
    if (!r) return ioa_fail_nomem(error, "a replica", 1, sizeof *r);
    r->problem = problem;
    r->shared = pointer;
    r->best_total = problem->start_total;
    r->order = ioa_alloc(w, sizeof *r->order);
    if (!problem->best_elsewhere) r->best = ioa_alloc_copy(problem->start, w, sizeof *r->best);
    ioa_status status = r->order && (r->best || problem->best_elsewhere) ? IOA_OK : ioa_fail_nomem(error, "a replica", w, 2 * sizeof *r->order);
    if (status == IOA_OK) status = turn(r, kind, error);
    if (status == IOA_OK)
        *state = r;
    else
        replica_destroy(r);
    return status;
}

/* Coarse proposals; enough for a round to change something, few enough for some hundred rounds a minute, and on large
 * networks for rounds of some seconds, so that a time limit can be kept: a proposal touches the sources of a row, and costs
 * more, the more of them have more readers. */
static uint64_t round_proposals(const ioa_problem *problem)
{
    uint64_t n = problem->network->a.neurons, w = problem->network->connections;
    uint64_t readers = UINT64_C(200000000000) / (w + 1), sources = (2000000 + w / 10) / (w / n + 1);
    uint64_t proposals = n < readers ? n : readers;
    if (proposals > sources) proposals = sources;
    return proposals < 4000 ? 4000 : proposals;
}

static void count_exactly(replica *r)
{
    r->total = ioa_scorer_total(r->shared->desk->scorer, r->order);
    if (r->total >= r->best_total) return;
    r->best_total = r->total;
    if (r->best) memcpy(r->best, r->order, r->problem->network->connections * sizeof *r->best);
}

static ioa_status anneal_coarse(replica *r, const ioa_step *step, double share, ioa_pcg32 *rng,
                                ioa_round_counts *counts, ioa_error *error)
{
    double hot = (r->problem->hot > 0.0 ? r->problem->hot : INTERVAL_HOT) * step->heat;
    double cold = r->problem->cold > 0.0 ? r->problem->cold : INTERVAL_COLD;
    counts->base = step->sweeps > 0.0 ? hot + (cold - hot) * share : cold;
    ioa_interval_counts done = {0};
    ioa_interval_tune(r->interval, step->tuning->share, ioa_tuning_window(step->tuning, 0));
    ioa_status status = ioa_interval_anneal(r->interval, counts->base * step->multiplier, step->proposals, rng, &done,
                                            error);
    counts->proposals += done.proposals;
    counts->accepted += done.accepted;
    memcpy(counts->moves, done.moves, sizeof done.moves);
    if (status == IOA_OK) status = ioa_interval_order(r->interval, r->order, error);
    if (status == IOA_OK) count_exactly(r);
    return status;
}

/* Anneals, and leaves the order in r->order. */
static void anneal_whole(replica *r, const ioa_segment_course *course, ioa_pcg32 *rng, ioa_move_counts *moves)
{
    const ioa_priced_stats before = *ioa_priced_statistics(r->priced);
    ioa_priced_tune(r->priced, course->share, course->window);
    ioa_priced_run(r->priced, course->temperature, course->proposals, rng);
    ioa_priced_count(r->priced, &before, moves);
    ioa_priced_settle(r->priced);
    ioa_priced_order(r->priced, r->order);
}

static ioa_status anneal_segments(replica *r, ioa_segment_course *course, ioa_pcg32 *rng, ioa_move_counts *moves,
                                  ioa_error *error)
{
    const ioa_problem *p = r->problem;
    desk *d = r->shared->desk;
    course->key = (uint64_t)ioa_pcg32_next(rng) << 32;
    course->key |= ioa_pcg32_next(rng);
    ioa_status status = ioa_segments_cut(&d->cuts, &d->prices, r->price, r->order, p->segments, ioa_pcg32_next(rng) & 1,
                                         d->local, error);
    if (status == IOA_OK)
        status = ioa_segments_anneal(p->graph, &d->cuts, &d->prices, r->price, r->order, course, p->crew, d->local, moves,
                                     error);
    if (status == IOA_OK) ioa_order_prices_adjust(&d->prices, r->order, SETTLE_RATE, r->price);
    return status;
}

static ioa_status anneal_fine(replica *r, const ioa_step *step, double share, ioa_pcg32 *rng, ioa_round_counts *counts,
                              ioa_error *error)
{
    bool polish = r->takeover > 0.0;
    double hot = (polish ? POLISH_HOT : r->problem->hot > 0.0 ? r->problem->hot : PRICED_HOT) * step->heat;
    double cold = r->problem->cold > 0.0 && !polish ? r->problem->cold : PRICED_COLD;
    uint64_t proposals = fine_proposals(r->problem, step->proposals);
    double more = (double)proposals / (double)step->proposals;
    ioa_move_counts *moves = counts->moves + IOA_INTERVAL_MOVE_COUNT;
    counts->base = step->quench ? 0.0 : r->scale * ioa_cooling(cold, hot, step->sweeps * more, share);
    counts->proposals += proposals;
    ioa_segment_course course = {.temperature = counts->base * step->multiplier, .proposals = proposals,
                                 .window = ioa_tuning_window(step->tuning, 1)};
    memcpy(course.share, step->tuning->share + IOA_INTERVAL_MOVE_COUNT, sizeof course.share);
    ioa_status status = IOA_OK;
    if (in_segments(r)) status = anneal_segments(r, &course, rng, moves, error);
    else anneal_whole(r, &course, rng, moves);
    for (int k = 0; k < IOA_PRICED_MOVE_COUNT; k++) counts->accepted += moves[k].accepted;
    if (status == IOA_OK) count_exactly(r);
    return status;
}

static ioa_status anneal(void *state, const ioa_step *step, ioa_pcg32 *rng, ioa_round_counts *counts, ioa_error *error)
{
    replica *r = state;
    double takeover = r->takeover;
    if (!r->fine && step->progress > takeover) {
        ioa_status status = take_over(r, error);
        if (status != IOA_OK) return status;
    }
    if (!r->fine) return anneal_coarse(r, step, step->progress / takeover, rng, counts, error);
    double share = takeover < 1.0 ? (step->progress - takeover) / (1.0 - takeover) : 1.0;
    if (step->heat < 1.0) share = step->progress; /* heated up again: fine all the way */
    return anneal_fine(r, step, share, rng, counts, error);
}

/* ---- on a rank that helps ---- */

static ioa_status assist(const ioa_problem *problem, void **helper, ioa_error *error)
{
    uint32_t n = problem->network->a.neurons, *local = *helper;
    if (!local) {
        local = *helper = ioa_alloc(n, sizeof *local);
        if (local) memset(local, 0xff, n * sizeof *local);
    }
    return ioa_segments_assist(problem->graph, problem->crew, local, error);
}

static void dismiss(void *helper)
{
    ioa_free(helper);
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

static void present_order(const void *state, uint32_t *order)
{
    const replica *r = state;
    memcpy(order, r->order, r->problem->network->connections * sizeof *order);
}

/* The coarse level cannot take up an order as it is; it only remembers it. */
static ioa_status restart(void *state, const uint32_t *order, ioa_error *error)
{
    (void)error;
    replica *r = state;
    memcpy(r->order, order, r->problem->network->connections * sizeof *r->order);
    count_exactly(r);
    if (r->priced) ioa_priced_set_order(r->priced, r->order);
    return IOA_OK;
}

/* ---- flat form: head, best order unless it is kept elsewhere, then the interval state or the order and the prices ---- */

typedef struct head {
    uint64_t fine; /* 0: coarse */
    uint64_t total, best_total;
    double scale;
} head;

static const uint32_t *prices_of(const replica *r, uint32_t *count)
{
    if (!in_segments(r)) return ioa_priced_prices(r->priced, count);
    *count = r->shared->desk->prices.chunks;
    return r->price;
}

static uint64_t saved_before(const replica *r) /* the levels' own form */
{
    return sizeof(head) + (r->best ? r->problem->network->connections * sizeof *r->best : 0);
}

static uint64_t saved_bytes(const void *state)
{
    const replica *r = state;
    uint64_t order = r->problem->network->connections * sizeof *r->order;
    uint32_t prices = 0;
    if (!r->fine) return saved_before(r) + ioa_interval_state_bytes(r->interval);
    (void)prices_of(r, &prices);
    return saved_before(r) + order + prices * sizeof(uint32_t);
}

static void save(const void *state, void *bytes)
{
    const replica *r = state;
    const head h = {r->fine, r->total, r->best_total, r->scale};
    size_t order = r->problem->network->connections * sizeof *r->order;
    unsigned char *to = bytes;
    uint32_t prices;
    memcpy(to, &h, sizeof h);
    if (r->best) memcpy(to + sizeof h, r->best, order);
    to += saved_before(r);
    if (!r->fine) {
        ioa_interval_state_save(r->interval, to);
        return;
    }
    memcpy(to, r->order, order); /* a round ends settled: order and prices are all there is */
    const uint32_t *price = prices_of(r, &prices);
    memcpy(to + order, price, prices * sizeof *price);
}

static ioa_status load_fine(replica *r, const unsigned char *bytes, uint64_t left, const head *h, ioa_error *error)
{
    uint64_t order = r->problem->network->connections * sizeof *r->order;
    ioa_status status = left < order ? ioa_fail(error, IOA_ERR_INPUT, "a replica's state is too short")
                                     : ioa_scorer_take(r->shared->desk->scorer, bytes, h->total, r->order, error);
    if (status != IOA_OK) return status;
    forget_levels(r);
    r->fine = true;
    status = in_segments(r) ? allocate_prices(r, error)
                            : ioa_priced_create(r->problem->graph, r->order, r->problem->memory, &r->priced, error);
    if (status != IOA_OK) return status;
    uint32_t count;
    (void)prices_of(r, &count);
    if (left != order + count * sizeof(uint32_t)) return ioa_fail(error, IOA_ERR_INPUT, "a replica's state has the wrong length");
    uint32_t *prices = ioa_alloc_copy(bytes + order, count, sizeof *prices); /* aligned */
    if (!prices) return ioa_fail_nomem(error, "prices", count, sizeof *prices);
    for (uint32_t i = 0; i < count; i++)
        if (prices[i] == 0 || prices[i] > UINT32_C(1) << 31) status = ioa_fail(error, IOA_ERR_INPUT, "an impossible price");
    if (status == IOA_OK && in_segments(r)) memcpy(r->price, prices, count * sizeof *prices);
    if (status == IOA_OK && !in_segments(r)) {
        ioa_priced_set_prices(r->priced, prices);
        ioa_priced_set_order(r->priced, r->order);
    }
    ioa_free(prices);
    return status;
}

static ioa_status load(void *state, const void *bytes, uint64_t count, ioa_error *error)
{
    replica *r = state;
    const uint64_t expected = saved_before(r);
    head h;
    if (count < expected) return ioa_fail(error, IOA_ERR_INPUT, "a replica's state is too short");
    memcpy(&h, bytes, sizeof h);
    double takeover = r->takeover;
    if (h.fine > 1 || (h.fine ? takeover >= 1.0 : !r->interval) || !(h.scale >= 0.0))
        return ioa_fail(error, IOA_ERR_INPUT, "a replica's state is of another engine");
    const unsigned char *from = (const unsigned char *)bytes + sizeof h;
    ioa_status status = IOA_OK;
    if (r->best) status = ioa_scorer_take(r->shared->desk->scorer, from, h.best_total, r->best, error);
    if (status != IOA_OK) return status;
    from = (const unsigned char *)bytes + expected;
    if (h.fine)
        status = load_fine(r, from, count - expected, &h, error);
    else if (count != expected + ioa_interval_state_bytes(r->interval))
        status = ioa_fail(error, IOA_ERR_INPUT, "a replica's state has the wrong length");
    else
        status = ioa_interval_state_load(r->interval, from, error);
    if (status == IOA_OK && !h.fine) status = ioa_interval_order(r->interval, r->order, error);
    r->total = h.total;
    r->best_total = h.best_total;
    r->scale = h.scale;
    return status;
}

#define REPLICA(count)                                                                                                 \
    .kinds = count, .turn = turn, .moves = ioa_levels_moves, .windows = ioa_levels_windows, .restart = restart,        \
    .release = shared_release, .create = replica_create, .destroy = replica_destroy,                                   \
    .round_proposals = round_proposals, .anneal = anneal, .energy = energy, .best_total = best_total,                  \
    .best_order = best_order, .present_order = present_order, .assist = assist, .dismiss = dismiss,                    \
    .bytes = saved_bytes, .save = save, .load = load

const ioa_engine ioa_engine_levels = {.name = "levels",
                                      .summary = "intervals of destinations first, then single connections",
                                      .prepare = prepare_levels,
                                      REPLICA(2)};
const ioa_engine ioa_engine_interval = {.name = "interval",
                                        .summary = "each destination resident once, for an interval that moves",
                                        .prepare = prepare_interval,
                                        REPLICA(1)};
const ioa_engine ioa_engine_priced = {.name = "priced",
                                      .summary = "connections, runs and neurons move against prices of memory",
                                      .prepare = prepare_priced,
                                      REPLICA(1)};
