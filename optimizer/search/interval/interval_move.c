/* Moves: which are drawn, and where they go (interval_change.c makes them).
 *
 * All change one unit, or exchange two. Larger ones were tried and do not pay at equal time: stretches of time that
 * exchange places or are turned round (0.3 to 1.5 % more excess), the units that one load serves moved together (accepted
 * once in 200 to 10,000 proposals), cycles of three units, and up to nine units taken out together and put back one by one
 * where they cost least (on this level alone within 0.7 % either way, in whole searches up to 1.7 % more). */
#include "optimizer/search/interval/interval_internal.h"

#include "core/base/mem.h"

#include <string.h>

static const char *const move_text[] = {
#define MOVE_TEXT(name, share, text) text,
    IOA_INTERVAL_MOVES(MOVE_TEXT)
};

static const uint32_t move_share[] = {
#define MOVE_SHARE(name, share, text) share,
    IOA_INTERVAL_MOVES(MOVE_SHARE)
};

const char *ioa_interval_move_name(ioa_interval_move kind) { return move_text[kind]; }

void ioa_interval_tune(ioa_interval_state *s, const uint32_t *share, uint32_t window)
{
    memcpy(s->share, share ? share : move_share, sizeof s->share);
    s->window = share ? window : IOA_INTERVAL_WINDOW;
}

/* A distance of either sign, all powers of two below 2^scales alike. */
static int32_t distance(uint32_t scales, ioa_pcg32 *rng)
{
    int32_t d = 1 + (int32_t)ioa_pcg32_below(rng, 1u << ioa_pcg32_below(rng, scales));
    return ioa_pcg32_next(rng) & 1 ? d : -d;
}

/* A unit that closes near tick t. */
static uint32_t near(const ioa_interval_state *s, int32_t t, ioa_pcg32 *rng)
{
    for (int tries = 0; tries < 64; tries++) {
        t = t < 0 ? 0 : t >= s->ticks ? s->ticks - 1 : t;
        uint32_t v = s->head[t];
        if (v != IOA_IV_NONE) {
            while (s->next[v] != IOA_IV_NONE && (ioa_pcg32_next(rng) & 1)) v = s->next[v];
            return v;
        }
        t += distance(IOA_INTERVAL_WINDOW, rng);
    }
    return IOA_IV_NONE;
}

static uint32_t pick_source(const ioa_interval_problem *p, uint32_t v, ioa_pcg32 *rng)
{
    uint32_t length;
    const uint32_t *row = ioa_iv_row(p, v, &length);
    return row[ioa_pcg32_below(rng, length)];
}

static uint32_t pick_dest(const ioa_interval_problem *p, uint32_t u, ioa_pcg32 *rng)
{
    return p->out_unit[p->out_offsets[u] + ioa_pcg32_below(rng, (uint32_t)(p->out_offsets[u + 1] - p->out_offsets[u]))];
}

/* Slides an end or both by a small distance. */
static bool slide(const ioa_interval_state *s, ioa_iv_change *c, uint32_t kind, ioa_pcg32 *rng)
{
    int32_t d = distance(s->window, rng);
    if (kind != 1) c->open1 += d;
    if (kind != 0) c->close1 += d;
    if (kind == 0 && c->open1 < 0) c->open1 = 0;
    if (kind == 1 && c->close1 >= s->ticks) c->close1 = s->ticks - 1;
    return c->open1 >= 0 && c->close1 < s->ticks;
}

/* Puts an end where something happens to u, one of the sources: its own close, or an end of another of its uses. */
static void aim(const ioa_interval_state *s, ioa_iv_change *c, uint32_t u, bool at_open, ioa_pcg32 *rng)
{
    uint32_t w = pick_dest(s->problem, u, rng), choice = ioa_pcg32_next(rng) & 3;
    int32_t t = choice < 2 && ioa_iv_hidden(s->problem, u) ? ioa_iv_tick(ioa_iv_born(s, u)) : choice & 1 ? s->close[w] : s->open[w];
    if (at_open) c->open1 = t;
    else c->close1 = t;
    if (!at_open && c->open1 > t) c->open1 = t;
}

/* A tick near t at which u is resident: before it or after it, if not at it. */
static int32_t resident_near(const ioa_interval_state *s, uint32_t u, int32_t t, ioa_pcg32 *rng)
{
    const ioa_interval_problem *p = s->problem;
    int64_t first = p->out_offsets[u], low = first, high = p->out_offsets[u + 1];
    while (low < high) { /* first residency that ends at t or later */
        int64_t middle = low + (high - low) / 2;
        if (ioa_iv_tick(s->end[middle]) < t) low = middle + 1;
        else high = middle;
    }
    int32_t before = low > first ? ioa_iv_tick(s->end[low - 1]) : ioa_iv_tick(ioa_iv_born(s, u));
    if (low == p->out_offsets[u + 1]) return before;
    if (s->key[low] & 1) return t; /* held over t, unless it was before its birth */
    return before < 0 || (ioa_pcg32_next(rng) & 1) ? ioa_iv_tick(s->end[low]) : before;
}

/* Spans residencies of two or three of its sources that are close to each other. */
static void span(const ioa_interval_state *s, ioa_iv_change *c, ioa_pcg32 *rng)
{
    const ioa_interval_problem *p = s->problem;
    uint32_t u = pick_source(p, c->unit, rng);
    int64_t first = p->out_offsets[u], count = p->out_offsets[u + 1] - first;
    int32_t t = ioa_iv_tick(s->end[first + ioa_pcg32_below(rng, (uint32_t)count)]);
    if (ioa_iv_hidden(p, u) && ioa_pcg32_below(rng, 4) == 0) t = ioa_iv_tick(ioa_iv_born(s, u));
    c->open1 = c->close1 = t;
    for (uint32_t more = 1 + (ioa_pcg32_next(rng) & 1); more > 0; more--) {
        t = resident_near(s, pick_source(p, c->unit, rng), t, rng);
        if (t < 0) continue;
        if (t < c->open1) c->open1 = t;
        if (t > c->close1) c->close1 = t;
    }
}

/* Where to go for the sake of one's sources: next to w, another use of one of them, or where many of them are. Memory is
 * refilled some ticks / slots times; the more often, the more rarely one source tells of a good place. */
static int32_t far_away(ioa_interval_state *s, uint32_t v, uint32_t w, int32_t length, int32_t reach, ioa_pcg32 *rng)
{
    enum { FEW_PLACES = 16 };
    const uint32_t places = (uint32_t)(s->ticks / s->problem->slots) + 1;
    const int32_t gathered = ioa_pcg32_below(rng, places) < FEW_PLACES ? -1 : ioa_iv_gather(s, v, length, rng);
    return gathered >= 0 ? gathered : s->close[w] + reach;
}

/* Goes there, and becomes as long as it is or as w. */
static void join(ioa_interval_state *s, ioa_iv_change *c, uint32_t w, ioa_pcg32 *rng)
{
    uint32_t like = ioa_pcg32_next(rng) & 1 ? w : c->unit;
    int32_t length = s->close[like] - s->open[like];
    int32_t close = far_away(s, c->unit, w, length, (int32_t)ioa_pcg32_below(rng, 9) - 4, rng);
    if (close >= s->ticks) close = s->ticks - 1;
    c->close1 = close < length ? length : close;
    c->open1 = c->close1 - length;
}

static ioa_iv_change unchanged(const ioa_interval_state *s, uint32_t v)
{
    return (ioa_iv_change){ v, s->open[v], s->close[v], s->open[v], s->close[v] };
}

static bool differs(const ioa_iv_change *c) { return c->open0 != c->open1 || c->close0 != c->close1; }

static bool exchange(ioa_interval_state *s, ioa_iv_change *c, uint32_t w, int64_t temperature_q16, ioa_pcg32 *rng)
{
    if (w == IOA_IV_NONE || w == c[0].unit) return false;
    c[1] = unchanged(s, w);
    c[0].open1 = c[1].open0, c[0].close1 = c[1].close0;
    c[1].open1 = c[0].open0, c[1].close1 = c[0].close0;
    return differs(c) && ioa_iv_try(s, c, 2, temperature_q16, rng);
}

static ioa_interval_move draw_kind(const ioa_interval_state *s, ioa_pcg32 *rng)
{
    uint32_t r = ioa_pcg32_next(rng) >> 22, kind = 0;
    while (r >= s->share[kind]) r -= s->share[kind++];
    return (ioa_interval_move)kind;
}

static bool step(ioa_interval_state *s, ioa_interval_move kind, int64_t temperature_q16, ioa_pcg32 *rng)
{
    const ioa_interval_problem *p = s->problem;
    uint32_t v = ioa_pcg32_below(rng, p->units);
    ioa_iv_change c[2] = { unchanged(s, v) };
    if (kind <= IOA_INTERVAL_SLIDE_BOTH) {
        if (!slide(s, c, kind - IOA_INTERVAL_SLIDE_OPEN, rng)) return false;
    } else if (kind == IOA_INTERVAL_EXCHANGE_NEAR) {
        return exchange(s, c, near(s, s->close[v] + distance(IOA_INTERVAL_WINDOW, rng), rng), temperature_q16, rng);
    } else {
        uint32_t u = pick_source(p, v, rng);
        if (kind == IOA_INTERVAL_PLAN) return ioa_iv_try_plan(s, u, temperature_q16, rng);
        uint32_t w = pick_dest(p, u, rng);
        if (kind == IOA_INTERVAL_SPAN) {
            span(s, c, rng);
        } else if (kind <= IOA_INTERVAL_AIM_CLOSE) {
            aim(s, c, u, kind == IOA_INTERVAL_AIM_OPEN, rng);
        } else if (w == v) {
            return false;
        } else if (kind == IOA_INTERVAL_JOIN) {
            join(s, c, w, rng);
        } else {
            int32_t length = s->close[w] - s->open[w], reach = distance(IOA_INTERVAL_WINDOW, rng) / 2;
            int32_t from = far_away(s, v, w, length, reach, rng);
            return exchange(s, c, near(s, from, rng), temperature_q16, rng);
        }
    }
    return c[0].open1 <= c[0].close1 && differs(c) && ioa_iv_try(s, c, 1, temperature_q16, rng);
}

ioa_status ioa_interval_anneal(ioa_interval_state *state, double temperature, uint64_t proposals, ioa_pcg32 *rng,
                               ioa_interval_counts *counts, ioa_error *error)
{
    double bounded = temperature <= 0.0 ? 0.0 : temperature > 1024.0 ? 1024.0 : temperature;
    int64_t temperature_q16 = (int64_t)(bounded * 65536.0);
    uint64_t accepted = 0;
    uint32_t sweep = state->problem->units;
    ioa_move_counts moves[IOA_INTERVAL_MOVE_COUNT] = {0};
    ioa_iv_reprice(state, temperature);
    for (uint64_t i = 0; i < proposals && sweep && !state->out_of_memory; i++) {
        if (state->pressure.drawn++ == sweep) {
            ioa_iv_steer(state, temperature);
            ioa_iv_reprice(state, temperature);
        }
        ioa_interval_move kind = draw_kind(state, rng);
        ioa_move_counts *did = &moves[kind];
        int64_t before = state->energy;
        state->touched = 0;
        bool moved = step(state, kind, temperature_q16, rng);
        accepted += moved;
        did->proposed++;
        did->accepted += moved;
        did->touched += state->touched;
        if (state->energy < before) did->gained += (uint64_t)(before - state->energy);
    }
    if (counts) {
        counts->proposals += proposals;
        counts->accepted += accepted;
        ioa_move_counts_add(counts->moves, moves, IOA_INTERVAL_MOVE_COUNT);
    }
    if (!state->out_of_memory) return IOA_OK;
    state->out_of_memory = false;
    return ioa_fail_nomem(error, "workspace of a move", state->range_capacity, sizeof *state->ranges);
}
