/* A change of one unit's interval, or of two that exchange theirs: whether it is legal, what it costs, taken back or kept;
 * and fresh plans for single sources. */
#include "optimizer/search/interval/interval_internal.h"

#include <string.h>

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

/* A uniform to the power of temperature, as an energy: -temperature * ln(u), u in (0, 1]. */
static int64_t threshold_of(ioa_pcg32 *rng, int64_t temperature_q16)
{
    enum { LN2_Q16 = 45426 };
    uint64_t log2_q16 = minus_log2((uint64_t)ioa_pcg32_next(rng) + 1);
    uint64_t ln_q16 = (log2_q16 * LN2_Q16) >> 16;
    return (int64_t)((ln_q16 * (uint64_t)temperature_q16) >> 16) * IOA_INTERVAL_ONE >> 16;
}

/* Would unit v's new close keep the topological order? The state holds the new intervals of all changed units, and the keys
 * still hold the old ones: a reader that is to close earlier is found from its own side, by its sources. */
static bool closes_in_order(const ioa_interval_state *s, const ioa_iv_change *c)
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
    return true;
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
bool ioa_iv_try(ioa_interval_state *s, const ioa_iv_change *c, int count, int64_t temperature_q16, ioa_pcg32 *rng)
{
    set_intervals(s, c, count, true);
    if (!closes_in_order(s, c) || (count > 1 && !closes_in_order(s, c + 1))) {
        set_intervals(s, c, count, false);
        return false;
    }
    int64_t threshold = threshold_of(rng, temperature_q16), change = 0;
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
bool ioa_iv_try_plan(ioa_interval_state *s, uint32_t u, int64_t temperature_q16, ioa_pcg32 *rng)
{
    const ioa_interval_problem *p = s->problem;
    int64_t first = p->out_offsets[u], threshold = threshold_of(rng, temperature_q16);
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
