/* Proposals and their acceptance. */
#include "optimizer/search/priced/priced_state.h"

#include <string.h>

#define HOTTEST 65536.0 /* I/Os; thresholds of hotter ones would not fit into 63 bits */

static const uint32_t move_share[] = {
#define MOVE_SHARE(name, share, text) share,
    IOA_PRICED_MOVES(MOVE_SHARE)
};

void ioa_priced_tune(ioa_priced *p, const uint32_t *share, uint32_t window)
{
    memcpy(p->share, share ? share : move_share, sizeof p->share);
    p->window = share ? window : IOA_PRICED_WINDOW;
}

/* -temperature * ln(u) for a uniform u in (0, 1], in label units: the largest increase that is accepted. */
static int64_t draw_threshold(const ioa_priced *p, int64_t temperature, ioa_pcg32 *rng)
{
    const uint32_t r = ioa_pcg32_next(rng) | 1u;
    const int zeros = __builtin_clz(r);
    const uint32_t mantissa = r << zeros << 1; /* without the leading one */
    const uint32_t i = mantissa >> 24, part = mantissa >> 8 & 65535u;
    const uint32_t low = p->log_table[i], high = p->log_table[i + 1];
    const int64_t log2 = (int64_t)low + (int64_t)((uint64_t)(high - low) * part >> 16);
    const int64_t minus_log2 = ((int64_t)zeros + 1) * 65536 - log2;
    return (temperature >> 8) * (minus_log2 * 45426 >> 16) >> 8; /* 45426 / 65536 = ln 2 */
}

static ioa_priced_move draw_kind(const ioa_priced *p, ioa_pcg32 *rng)
{
    uint32_t r = ioa_pcg32_next(rng) >> 22;
    unsigned kind = 0;
    while (r >= p->share[kind]) r -= p->share[kind++];
    return (ioa_priced_move)kind;
}

/* What a move will cost once its steps are numbered anew. An inserted connection lies half a border from its
 * neighbour, a stack within one border; renumbered, each step takes a border of its own, and every resident neuron
 * pays for it. The steps taken away elsewhere repay the others, but the moved neuron's own refund is already in the
 * change of energy. Without this, every move looks cheaper than it is, and orders diffuse. */
static int64_t room_single(const ioa_priced *p) { return p->border; }
static int64_t room_gather(const ioa_priced *p) { return p->border * p->bundle.count; }
static int64_t room_stack(const ioa_priced *p) { return p->border * (p->bundle.count - 1) * 3 / 2; }

/* One connection next to another access of one of its ends. */
static bool propose_single(ioa_priced *p, bool near, int64_t threshold, ioa_pcg32 *rng)
{
    const ioa_graph *g = p->g;
    const uint32_t e = ioa_pcg32_below(rng, p->movable), bits = ioa_pcg32_next(rng);
    const uint32_t x = bits & 1 ? g->src[e] : g->dst[e];
    const uint32_t *list = p->access + g->base[x];
    const int64_t degree = ioa_graph_degree(g, x);
    int64_t at;
    if (near) {
        const int64_t window = p->window, reach = (int64_t)ioa_pcg32_below(rng, 2 * p->window);
        at = ioa_priced_find(p, list, degree, p->label[e]) + (reach < window ? reach - window : reach - window + 1);
        if (at < 0 || at >= degree) return false;
    } else {
        at = ioa_pcg32_below(rng, (uint32_t)degree);
    }
    const uint32_t f = list[at];
    const bool after = bits & 2;
    int64_t label;
    if (f == e || f >= p->movable || (after ? p->next : p->prev)[f] == e) return false;
    if (!ioa_priced_beside(p, f, after, &label) || !ioa_priced_allowed(p, e, label)) return false;
    const int64_t change = ioa_priced_weigh(p, g->src[e], e, label) + ioa_priced_weigh(p, g->dst[e], e, label);
    p->work += 2;
    p->touched += 2;
    if (change + room_single(p) > threshold) return false;
    ioa_priced_place(p, g->src[e], e, label);
    ioa_priced_place(p, g->dst[e], e, label);
    p->label[e] = label;
    ioa_priced_relink(p, e, f, after);
    p->energy += change;
    p->moved++;
    return true;
}

/* Range [from, to) of x's accesses, around the one at `at`, that a bundle takes. Only incoming or only outgoing ones:
 * low and high delimit that part of the list. */
static void choose_range(const ioa_priced *p, uint32_t x, ioa_priced_move kind, int64_t at, int64_t low, int64_t high,
                         int64_t *from, int64_t *to, ioa_pcg32 *rng)
{
    const uint32_t *list = p->access + p->g->base[x];
    *from = at;
    *to = at + 1;
    if (kind == IOA_PRICED_WHOLE) {
        *from = low;
        *to = high;
    } else if (kind == IOA_PRICED_RUN) {
        *to = ioa_min64(at + 2 + ioa_pcg32_below(rng, 4), high);
    } else {
        int64_t limit = p->g->dst[list[at]] == x ? 2 * IOA_PRICED_ONE : IOA_PRICED_ONE;
        if (kind == IOA_PRICED_PART) limit /= 1 + ioa_pcg32_below(rng, 16);
        while (*from > low && p->label[list[*from]] - p->label[list[*from - 1]] < limit) --*from;
        while (*to < high && p->label[list[*to]] - p->label[list[*to - 1]] < limit) ++*to;
    }
}

/* Access of y nearest to `time`, other than e; W if there is none. */
static uint32_t nearest_access(const ioa_priced *p, uint32_t y, uint32_t e, int64_t time)
{
    const uint32_t *list = p->access + p->g->base[y];
    const int64_t degree = ioa_graph_degree(p->g, y);
    int64_t after = ioa_priced_find(p, list, degree, time), before = after - 1;
    if (before >= 0 && list[before] == e) before--;
    if (after < degree && list[after] == e) after++;
    if (before < 0) return after < degree ? list[after] : p->g->W;
    if (after >= degree) return list[before];
    return time - p->label[list[before]] < p->label[list[after]] - time ? list[before] : list[after];
}

/* Sorts the bundle by new label (Shell's method, Ciura's gaps). False if two labels are equal. */
static bool sort_bundle(ioa_bundle *b)
{
    static const int64_t gaps[] = {1750, 701, 301, 132, 57, 23, 10, 4, 1};
    for (size_t k = 0; k < sizeof gaps / sizeof *gaps; k++)
        for (int64_t i = gaps[k]; i < b->count; i++) {
            const int64_t label = b->label[i];
            const uint32_t moved = b->moved[i], anchor = b->anchor[i];
            int64_t j = i;
            for (; j >= gaps[k] && b->label[j - gaps[k]] > label; j -= gaps[k]) {
                b->label[j] = b->label[j - gaps[k]];
                b->moved[j] = b->moved[j - gaps[k]];
                b->anchor[j] = b->anchor[j - gaps[k]];
            }
            b->label[j] = label;
            b->moved[j] = moved;
            b->anchor[j] = anchor;
        }
    for (int64_t i = 1; i < b->count; i++)
        if (b->label[i] == b->label[i - 1]) return false;
    return true;
}

/* Finds a place for each connection of [from, to) and what its other end says to it. All stand on the same side of
 * their anchors, which are no members of the bundle, so the places do not interfere. */
static bool gather(ioa_priced *p, uint32_t x, int64_t from, int64_t to, int64_t time, bool after, int64_t *change)
{
    const ioa_graph *g = p->g;
    const uint32_t *list = p->access + g->base[x];
    ioa_bundle *b = &p->bundle;
    b->count = 0;
    *change = 0;
    for (int64_t i = from; i < to; i++) {
        const uint32_t e = list[i], y = g->dst[e] == x ? g->src[e] : g->dst[e];
        const uint32_t f = nearest_access(p, y, e, time);
        int64_t label;
        if (f >= p->movable) continue; /* its other end has no other access to go to: it stays where it is */
        if ((after ? p->next : p->prev)[f] == e) continue;
        if (!ioa_priced_beside(p, f, after, &label) || !ioa_priced_allowed(p, e, label)) return false;
        *change += ioa_priced_weigh(p, y, e, label);
        p->work++;
        p->touched++;
        b->moved[b->count] = e;
        b->anchor[b->count] = f;
        b->label[b->count++] = label;
    }
    return b->count > 0 && sort_bundle(b);
}

/* Puts all of [from, to) behind connection f, one after the other. */
static bool stack(ioa_priced *p, uint32_t x, int64_t from, int64_t to, uint32_t f, int64_t *change)
{
    const ioa_graph *g = p->g;
    const uint32_t *list = p->access + g->base[x];
    ioa_bundle *b = &p->bundle;
    const int64_t low = p->label[f], count = to - from;
    const int64_t high = p->next[f] == g->W ? low + 2 * (int64_t)IOA_PRICED_FLOOR : p->label[p->next[f]];
    b->count = count;
    *change = 0;
    if ((g->src[f] == x || g->dst[f] == x) && p->label[list[from]] <= low && low <= p->label[list[to - 1]])
        return false; /* f itself would move */
    const int64_t step = (high - low) / (count + 1);
    if (step == 0) return false;
    for (int64_t i = 0; i < count; i++) {
        const uint32_t e = list[from + i], y = g->dst[e] == x ? g->src[e] : g->dst[e];
        const int64_t label = low + (i + 1) * step;
        if (!ioa_priced_allowed(p, e, label)) return false;
        *change += ioa_priced_weigh(p, y, e, label);
        p->work++;
        p->touched++;
        b->moved[i] = e;
        b->anchor[i] = i == 0 ? f : b->moved[i - 1];
        b->label[i] = label;
    }
    return true;
}

/* x's list with the bundle at its new labels, into bundle.list: what stays, merged with what moves. */
static void merge_list(ioa_priced *p, uint32_t x, int64_t low, int64_t high)
{
    const uint32_t *list = p->access + p->g->base[x];
    ioa_bundle *b = &p->bundle;
    for (int64_t i = 0; i < b->count; i++) {
        b->old[i] = p->label[b->moved[i]];
        p->label[b->moved[i]] = INT64_MAX; /* marks it as moved */
    }
    memcpy(b->list, list, (size_t)ioa_graph_degree(p->g, x) * sizeof *list);
    int64_t k = 0, end = low;
    for (int64_t i = low; i < high; i++) {
        const uint32_t e = list[i];
        if (p->label[e] == INT64_MAX) continue;
        while (k < b->count && b->label[k] < p->label[e]) b->list[end++] = b->moved[k++];
        b->list[end++] = e;
    }
    while (k < b->count) b->list[end++] = b->moved[k++];
    for (int64_t i = 0; i < b->count; i++) p->label[b->moved[i]] = b->label[i];
}

static void accept_bundle(ioa_priced *p, uint32_t x, int64_t late, bool after)
{
    const ioa_graph *g = p->g;
    const ioa_bundle *b = &p->bundle;
    for (int64_t i = 0; i < b->count; i++) p->label[b->moved[i]] = b->old[i];
    for (int64_t i = 0; i < b->count; i++) {
        const uint32_t e = b->moved[i];
        ioa_priced_place(p, g->dst[e] == x ? g->src[e] : g->dst[e], e, b->label[i]);
        p->label[e] = b->label[i];
        ioa_priced_relink(p, e, b->anchor[i], after);
    }
    memcpy(p->access + g->base[x], b->list, (size_t)ioa_graph_degree(g, x) * sizeof *b->list);
    p->late[x] = late;
    p->moved += (uint64_t)b->count;
}

/* Where to go: to a neighbouring residency of the neuron itself, or to an access of one of the other ends, half the
 * time one close by. [out] *target is a connection there. */
static bool draw_target(const ioa_priced *p, uint32_t x, int64_t from, int64_t to, uint32_t *target, ioa_pcg32 *rng)
{
    const ioa_graph *g = p->g;
    const uint32_t *list = p->access + g->base[x], bits = ioa_pcg32_next(rng);
    if (bits % 3 == 0) {
        const int64_t i = bits >> 31 ? from - 1 : to;
        if (i < 0 || i >= ioa_graph_degree(g, x)) return false;
        *target = list[i];
        return *target < p->movable;
    }
    const uint32_t e = list[from + ioa_pcg32_below(rng, (uint32_t)(to - from))];
    const uint32_t y = g->dst[e] == x ? g->src[e] : g->dst[e];
    const uint32_t *other = p->access + g->base[y];
    const int64_t degree = ioa_graph_degree(g, y);
    int64_t at = ioa_pcg32_below(rng, (uint32_t)degree);
    if (bits >> 30 & 1) {
        at = ioa_priced_find(p, other, degree, p->label[e]) + (int64_t)(bits >> 27 & 7) - 4;
        if (at < 0 || at >= degree) return false;
    }
    *target = other[at];
    return *target != e && *target < p->movable;
}

static bool propose_bundle(ioa_priced *p, ioa_priced_move kind, int64_t threshold, ioa_pcg32 *rng)
{
    const ioa_graph *g = p->g;
    const uint32_t e = ioa_pcg32_below(rng, p->movable), bits = ioa_pcg32_next(rng);
    const uint32_t x = bits & 1 ? g->src[e] : g->dst[e];
    const uint32_t *list = p->access + g->base[x];
    const int64_t incoming = ioa_graph_incoming(g, x), degree = ioa_graph_degree(g, x);
    int64_t low = bits & 1 ? incoming : 0, high = bits & 1 ? degree : incoming;
    low += list[low] >= p->movable; /* at most one stands before the part, and one behind it */
    high -= list[high - 1] >= p->movable;
    const int64_t at = low + ioa_priced_find(p, list + low, high - low, p->label[e]);
    if (degree > IOA_PRICED_WIDEST) return false;
    const bool stacked = bits & 4, after = stacked || bits & 2;
    uint32_t target;
    int64_t from, to, change, late, unused;
    choose_range(p, x, kind, at, low, high, &from, &to, rng);
    if (!draw_target(p, x, from, to, &target, rng)) return false;
    if (stacked ? !stack(p, x, from, to, target, &change)
                : !gather(p, x, from, to, p->label[target], after, &change))
        return false;
    change -= ioa_priced_neuron(p, x, list, &unused);
    p->touched += (uint64_t)degree / IOA_PRICED_SCAN;
    threshold -= stacked ? room_stack(p) : room_gather(p);
    if (change > threshold) return false; /* x itself cannot cost less than nothing */
    merge_list(p, x, low, high);
    change += ioa_priced_neuron(p, x, p->bundle.list, &late);
    if (change > threshold) {
        for (int64_t i = 0; i < p->bundle.count; i++) p->label[p->bundle.moved[i]] = p->bundle.old[i];
        return false;
    }
    accept_bundle(p, x, late, after);
    p->energy += change;
    return true;
}

void ioa_priced_run(ioa_priced *p, double temperature, uint64_t proposals, ioa_pcg32 *rng)
{
    const double limited = temperature < HOTTEST ? temperature : HOTTEST; /* beyond it everything is accepted anyway */
    const int64_t scaled = (int64_t)(limited * (double)IOA_PRICED_ONE);
    const uint64_t enough_moves = p->movable / IOA_PRICED_PATIENCE + 1, enough_work = p->movable / IOA_PRICED_WORK + 100;
    for (uint64_t i = 0; i < proposals; i++) {
        const ioa_priced_move kind = draw_kind(p, rng);
        const int64_t before = p->energy;
        const int64_t threshold = draw_threshold(p, scaled, rng);
        const bool accepted = kind <= IOA_PRICED_FAR ? propose_single(p, kind == IOA_PRICED_NEAR, threshold, rng)
                                                     : propose_bundle(p, kind, threshold, rng);
        p->stats.proposed[kind]++;
        p->stats.accepted[kind] += accepted;
        p->stats.touched[kind] += p->touched;
        if (p->energy < before) p->stats.gained[kind] += (uint64_t)(before - p->energy) / (IOA_PRICED_ONE / IOA_GAIN_ONE);
        p->touched = 0;
        if (p->moved < enough_moves || p->work < enough_work) continue;
        if (p->part) ioa_priced_renumber(p);
        else ioa_priced_adjust(p, IOA_PRICED_RATE);
    }
}
