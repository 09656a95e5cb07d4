/* Moves: new intervals for one unit, or an exchange between two; and fresh plans for single sources. */
#include "optimizer/search/interval_internal.h"

#include "core/mem.h"

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

/* -log2(x / 2^32) in 1/65536, x in [1, 2^32]: integer arithmetic, so that every machine draws the same. */
static uint64_t minus_log2(uint64_t x)
{
    uint64_t whole = 0, bits = 0;
    while (x < UINT64_C(1) << 32) {
        x <<= 1;
        whole++;
    }
    x >>= 1; /* now 1 <= x / 2^31 < 2, or 2 for x = 2^32 */
    for (int i = 0; i < 16; i++) { /* digits of log2 by repeated squaring */
        x = (x * x) >> 31;
        bits <<= 1;
        if (x >> 32) {
            bits |= 1;
            x >>= 1;
        }
    }
    return (whole << 16) - bits;
}

int64_t ioa_iv_threshold(ioa_pcg32 *rng, int64_t temperature_q16)
{
    enum { LN2_Q16 = 45426 };
    uint64_t log2_q16 = minus_log2((uint64_t)ioa_pcg32_next(rng) + 1);
    uint64_t ln_q16 = (log2_q16 * LN2_Q16) >> 16;
    return (int64_t)((ln_q16 * (uint64_t)temperature_q16) >> 16) * IOA_INTERVAL_ONE >> 16;
}

/* Does some member of unit x feed unit v? */
static bool feeds(const ioa_interval_problem *p, uint32_t x, uint32_t v)
{
    uint32_t length;
    const uint32_t *row = ioa_iv_row(p, v, &length);
    for (uint32_t i = 0; i < length; i++)
        if (p->unit_of[row[i]] == x) return true;
    return false;
}

/* Would unit v's new close keep the topological order? The state holds the new intervals of all changed units. */
static bool closes_in_order(const ioa_interval_state *s, const ioa_iv_change *c, uint32_t other, int32_t other_close)
{
    const ioa_interval_problem *p = s->problem;
    uint32_t v = c->unit;
    if (c->close1 < c->close0) {
        uint32_t length;
        const uint32_t *row = ioa_iv_row(p, v, &length);
        for (uint32_t i = 0; i < length; i++)
            if (ioa_iv_hidden(p, row[i]) && s->close[p->unit_of[row[i]]] > c->close1) return false;
    }
    if (c->close1 <= c->close0) return true;
    for (uint32_t m = p->member_offsets[v]; m < p->member_offsets[v + 1]; m++) {
        int64_t first = p->out_offsets[p->members[m]], stop = p->out_offsets[p->members[m] + 1];
        if (first == stop || ioa_iv_close(s->key[first]) >= c->close1) continue;
        for (int64_t at = first; at < stop; at++) /* too early before the change; perhaps not after it */
            if (s->close[p->out_unit[at]] < c->close1) return false;
    }
    return other == IOA_IV_NONE || other_close >= c->close1 || !feeds(p, v, other);
}

static void set_intervals(ioa_interval_state *s, const ioa_iv_change *c, int count, bool new)
{
    for (int i = 0; i < count; i++) {
        s->open[c[i].unit] = new ? c[i].open1 : c[i].open0;
        s->close[c[i].unit] = new ? c[i].close1 : c[i].close0;
    }
}

/* The unit's own slots. */
static int64_t move_slots(ioa_interval_state *s, const ioa_iv_change *c)
{
    int32_t a0 = c->open0, b0 = c->close0, a1 = c->open1, b1 = c->close1, w = ioa_iv_weight(s->problem, c->unit);
    int64_t change = 0;
    if (b0 < a1 || b1 < a0) return ioa_iv_occupy_open(s, a0, b0, -w) + ioa_iv_occupy_open(s, a1, b1, w);
    change += a1 < a0 ? ioa_iv_occupy_open(s, a1, a0 - 1, w) : ioa_iv_occupy_open(s, a0, a1 - 1, -w);
    change += b1 > b0 ? ioa_iv_occupy_open(s, b0 + 1, b1, w) : ioa_iv_occupy_open(s, b1 + 1, b0, -w);
    return change;
}

/* What a search of a source begins with. */
static void expect(const ioa_interval_state *s, uint32_t u)
{
    __builtin_prefetch(s->mark + u);
    __builtin_prefetch(s->loads + u);
    __builtin_prefetch(s->problem->unit_of + u);
    __builtin_prefetch(s->problem->out_offsets + u);
}

/* Sources of c->unit; with an exchange, sources of both keep the same set of intervals and are left out. */
static int64_t move_sources(ioa_interval_state *s, const ioa_iv_change *c, const ioa_iv_change *other)
{
    const ioa_interval_problem *p = s->problem;
    uint32_t length;
    const uint32_t *row = ioa_iv_row(p, c->unit, &length);
    int64_t change = 0;
    s->touched += length;
    const uint64_t old = ioa_iv_key(c->open0, c->close0), new = ioa_iv_key(c->open1, c->close1);
    for (uint32_t i = 0; i < length && i < IOA_IV_FLIGHT; i++) expect(s, row[i]);
    for (uint32_t i = 0; i < length;) {
        ioa_iv_place places[IOA_IV_FLIGHT];
        uint32_t count = 0;
        for (; i < length && count < IOA_IV_FLIGHT; i++) {
            const uint32_t u = row[i];
            if (i + IOA_IV_FLIGHT < length) expect(s, row[i + IOA_IV_FLIGHT]);
            if (s->mark[u] == s->stamp) continue;
            places[count] = (ioa_iv_place){ .source = u, .born0 = ioa_iv_born(s, u) };
            if (other && p->unit_of[u] == other->unit) { /* moved itself, and a source of its partner */
                s->mark[u] = s->stamp;
                places[count].born0 = ioa_iv_closed(other->close0);
            }
            count++;
        }
        ioa_iv_find(s, places, count, old, new);
        for (uint32_t k = 0; k < count; k++) change += ioa_iv_propose(s, places + k, new);
    }
    return change;
}

static int64_t move_itself(ioa_interval_state *s, const ioa_iv_change *c)
{
    const ioa_interval_problem *p = s->problem;
    int64_t change = 0;
    if (c->close0 == c->close1) return 0;
    for (uint32_t m = p->member_offsets[c->unit]; m < p->member_offsets[c->unit + 1]; m++) {
        uint32_t v = p->members[m];
        if (s->mark[v] == s->stamp || p->out_offsets[v] == p->out_offsets[v + 1]) continue;
        change += ioa_iv_propose(s, &(ioa_iv_place){ v, ioa_iv_closed(c->close0), -1, -1 }, 0);
    }
    return change;
}

static void mark_common(ioa_interval_state *s, uint32_t v, uint32_t w)
{
    uint32_t i = 0, j = 0, v_length, w_length;
    const uint32_t *v_row = ioa_iv_row(s->problem, v, &v_length), *w_row = ioa_iv_row(s->problem, w, &w_length);
    while (i < v_length && j < w_length) {
        uint32_t x = v_row[i], y = w_row[j];
        if (x == y) s->mark[x] = s->stamp;
        i += x <= y;
        j += y <= x;
    }
}

static void relink(ioa_interval_state *s, const ioa_iv_change *c)
{
    uint32_t v = c->unit, next = s->next[v], prev = s->prev[v], *head = &s->head[c->close1];
    if (c->close0 == c->close1) return;
    if (prev != IOA_IV_NONE) s->next[prev] = next;
    else s->head[c->close0] = next;
    if (next != IOA_IV_NONE) s->prev[next] = prev;
    s->next[v] = *head;
    s->prev[v] = IOA_IV_NONE;
    if (*head != IOA_IV_NONE) s->prev[*head] = v;
    *head = v;
}

static void next_stamp(ioa_interval_state *s)
{
    if (++s->stamp == 0) {
        memset(s->mark, 0, s->problem->neurons * sizeof *s->mark);
        s->stamp = 1;
    }
    s->range_count = s->touch_count = s->flip_count = 0;
}

/* Metropolis step with one change, or two that exchange their intervals. */
static bool try_changes(ioa_interval_state *s, const ioa_iv_change *c, int count, int64_t temperature_q16, ioa_pcg32 *rng)
{
    set_intervals(s, c, count, true);
    bool legal = count == 1 ? closes_in_order(s, c, IOA_IV_NONE, 0)
                            : closes_in_order(s, c, c[1].unit, c[1].close1) &&
                                  closes_in_order(s, c + 1, c[0].unit, c[0].close1);
    if (!legal) {
        set_intervals(s, c, count, false);
        return false;
    }
    int64_t threshold = ioa_iv_threshold(rng, temperature_q16), change = 0;
    next_stamp(s);
    if (count == 1) {
        change = move_slots(s, c) + move_sources(s, c, NULL) + move_itself(s, c);
    } else {
        mark_common(s, c[0].unit, c[1].unit);
        if (ioa_iv_weight(s->problem, c[0].unit) != ioa_iv_weight(s->problem, c[1].unit))
            change = move_slots(s, c) + move_slots(s, c + 1);
        change += move_sources(s, c, c + 1) + move_sources(s, c + 1, c) + move_itself(s, c) + move_itself(s, c + 1);
    }
    if (change > threshold || s->out_of_memory) {
        ioa_iv_undo_ranges(s, 0);
        set_intervals(s, c, count, false);
        return false;
    }
    for (uint32_t i = 0; i < s->touch_count; i++) ioa_iv_apply(s, &s->touches[i]);
    for (int i = 0; i < count; i++) relink(s, c + i);
    s->energy += change;
    return true;
}

/* A fresh plan for one source. Decisions are otherwise kept for as long as nothing near them changes. */
static bool try_plan(ioa_interval_state *s, uint32_t u, int64_t temperature_q16, ioa_pcg32 *rng)
{
    const ioa_interval_problem *p = s->problem;
    int64_t first = p->out_offsets[u], threshold = ioa_iv_threshold(rng, temperature_q16);
    int32_t count = (int32_t)(p->out_offsets[u + 1] - first);
    next_stamp(s);
    s->touched += (uint64_t)count;
    int64_t change = ioa_iv_release(s, u, ioa_iv_born(s, u));
    memcpy(s->spare, s->key + first, (size_t)count * sizeof *s->spare);
    int32_t loads = ioa_iv_plan(s, u, s->spare, count, &change);
    int32_t cost = ioa_iv_cost(p, u, loads) - ioa_iv_cost(p, u, s->loads[u]);
    change += (int64_t)cost * IOA_INTERVAL_ONE;
    if (change > threshold || s->out_of_memory) {
        ioa_iv_undo_ranges(s, 0);
        return false;
    }
    memcpy(s->key + first, s->spare, (size_t)count * sizeof *s->spare);
    s->loads[u] = loads;
    s->io += cost;
    s->energy += change;
    ioa_iv_ends(s, u, 0, count);
    return true;
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
    return differs(c) && try_changes(s, c, 2, temperature_q16, rng);
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
        if (kind == IOA_INTERVAL_PLAN) return try_plan(s, u, temperature_q16, rng);
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
    return c[0].open1 <= c[0].close1 && differs(c) && try_changes(s, c, 1, temperature_q16, rng);
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
        for (int k = 0; k < IOA_INTERVAL_MOVE_COUNT; k++) {
            counts->moves[k].proposed += moves[k].proposed;
            counts->moves[k].accepted += moves[k].accepted;
            counts->moves[k].touched += moves[k].touched;
            counts->moves[k].gained += moves[k].gained;
        }
    }
    if (!state->out_of_memory) return IOA_OK;
    state->out_of_memory = false;
    return ioa_fail_nomem(error, "workspace of a move", state->range_capacity, sizeof *state->ranges);
}
