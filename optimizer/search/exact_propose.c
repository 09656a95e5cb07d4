/* Proposals and their acceptance. */
#include "optimizer/search/exact_state.h"

#include "core/portable_math.h"

#define SHIFT_REACH 32u
#define SEGMENT_REACH 64u
#define REGION 2048u  /* steps: proposals are drawn from one region of the order for a while, which is then in cache */
#define REGION_STAY 64u /* proposals */

static const char *const move_text[] = {
#define MOVE_TEXT(name, share, text) text,
    IOA_EXACT_MOVES(MOVE_TEXT)
};

static const uint8_t move_share[] = {
#define MOVE_SHARE(name, share, text) share,
    IOA_EXACT_MOVES(MOVE_SHARE)
};

const char *ioa_exact_move_name(ioa_exact_move kind) { return move_text[kind]; }

static ioa_exact_move draw_kind(ioa_pcg32 *rng)
{
    uint32_t r = ioa_pcg32_next(rng) >> 26;
    unsigned kind = 0;
    while (r >= move_share[kind]) r -= move_share[kind++];
    return (ioa_exact_move)kind;
}

static uint32_t draw_node(ioa_exact *x, ioa_pcg32 *rng)
{
    const uint32_t w = x->g->W;
    if (w <= 8 * REGION) return ioa_pcg32_below(rng, w);
    if (x->region_left == 0) {
        x->region = ioa_pcg32_below(rng, w);
        x->region_left = REGION_STAY;
    }
    x->region_left--;
    const uint64_t node = (uint64_t)x->region + ioa_pcg32_below(rng, REGION);
    return (uint32_t)(node < w ? node : node - w);
}

/* ---- deciding ---- */

/* Counts what has been placed and keeps it, or takes it back. */
static bool decide(ioa_exact *x, ioa_exact_move kind, int64_t threshold)
{
    for (uint32_t i = 0; i < x->placed_count; i++)
        if (!ioa_exact_legal(x, x->placed[i].node)) {
            ioa_exact_undo(x);
            return false;
        }
    x->stats.counted[kind]++;
    if (!ioa_exact_count(x, threshold + IOA_EXACT_SLACK) || x->change > threshold) {
        ioa_exact_undo(x);
        return false;
    }
    x->excess += x->change;
    x->moved += x->placed_count;
    if (x->change < 0) x->stats.gained[kind] += (uint64_t)-x->change;
    return true;
}

/* Places the first `count` of x->members, all marked, one after the other behind `prev`, which is none of them. */
static bool stack_behind(ioa_exact *x, uint32_t prev, uint32_t count)
{
    const uint32_t next = x->nodes[prev].next, end = x->g->W;
    const int64_t low = x->nodes[prev].label, high = next == end ? low + 2 * x->spacing : x->nodes[next].label;
    const int64_t step = (high - low) / (count + 1);
    if (step == 0) return false;
    for (uint32_t i = 0; i < count; i++)
        if (!ioa_exact_allowed(x, x->members[i], low + (i + 1) * step)) return false;
    for (uint32_t i = 0; i < count; i++) ioa_exact_place(x, x->members[i], i ? x->members[i - 1] : prev, low + (i + 1) * step);
    return true;
}

/* ---- one connection ---- */

/* Whether a neuron would be absent at a step behind node `prev` if it was accessed before at `before`, going by the
 * bound as it is. */
static bool would_miss(const ioa_exact *x, uint32_t before, uint32_t prev)
{
    return before != IOA_EXACT_NONE && ioa_exact_time(x, before) < ioa_exact_time(x, x->nodes[prev].bound);
}

static bool is_absent(const ioa_exact *x, uint32_t access)
{
    return x->nodes[access >> 1].flags >> (access & 1) & 1u;
}

/* What the gaps of one neuron of `node` gain or lose if it goes behind `prev`, with everything else as it is. */
static int64_t own_change(const ioa_exact *x, uint32_t node, uint32_t side, uint32_t prev, int64_t label)
{
    const ioa_graph *g = x->g;
    const ioa_exact_node *n = &x->nodes[node];
    const uint32_t neuron = n->neuron[side], old_before = n->before[side], old_after = n->after[side];
    const uint32_t *list = x->access + g->base[neuron];
    const int64_t incoming = ioa_graph_incoming(g, neuron), degree = ioa_graph_degree(g, neuron);
    uint32_t before = IOA_EXACT_NONE, after = IOA_EXACT_NONE;
    int64_t at = ioa_exact_find(x, list, degree, label), left = at - 1;
    if (left >= 0 && list[left] == node) left--;
    if (at < degree && list[at] == node) at++;
    if (left >= 0) before = 2 * list[left] + (left < incoming);
    if (at < degree) after = 2 * list[at] + (at < incoming);
    int64_t change = (int64_t)(side + 1) * ((int64_t)would_miss(x, before, prev) - (int64_t)is_absent(x, 2 * node + side));
    if (after == old_after) { /* the same gap, cut elsewhere */
        if (after != IOA_EXACT_NONE)
            change += (int64_t)((after & 1) + 1) *
                      ((label < ioa_exact_time(x, x->nodes[x->nodes[after >> 1].prev].bound) / 2) - (int64_t)is_absent(x, after));
        return change;
    }
    if (old_after != IOA_EXACT_NONE)
        change += (int64_t)((old_after & 1) + 1) * ((int64_t)would_miss(x, old_before, x->nodes[old_after >> 1].prev) -
                                                    (int64_t)is_absent(x, old_after));
    if (after != IOA_EXACT_NONE)
        change += (int64_t)((after & 1) + 1) *
                  ((label < ioa_exact_time(x, x->nodes[x->nodes[after >> 1].prev].bound) / 2) - (int64_t)is_absent(x, after));
    return change;
}

static bool propose_single(ioa_exact *x, ioa_exact_move kind, int64_t threshold, ioa_pcg32 *rng)
{
    const ioa_graph *g = x->g;
    const uint32_t e = draw_node(x, rng), bits = ioa_pcg32_next(rng);
    bool after = bits & 2;
    uint32_t f = e;
    if (kind == IOA_EXACT_SHIFT) {
        for (uint32_t steps = 1 + (bits >> 8) % SHIFT_REACH; steps; steps--) {
            f = after ? x->nodes[f].next : x->nodes[f].prev;
            if (f == g->W) return false;
        }
    } else {
        const uint32_t neuron = x->nodes[e].neuron[bits & 1];
        const uint32_t *list = x->access + g->base[neuron];
        const int64_t degree = ioa_graph_degree(g, neuron);
        int64_t at;
        if (kind == IOA_EXACT_NEAR) {
            const int64_t reach = (int64_t)(bits >> 8) % 6;
            at = ioa_exact_find(x, list, degree, x->nodes[e].label) + (reach < 3 ? reach - 3 : reach - 2);
            if (at < 0 || at >= degree) return false;
        } else {
            at = ioa_pcg32_below(rng, (uint32_t)degree);
        }
        f = list[at];
    }
    const uint32_t prev = after ? f : x->nodes[f].prev;
    int64_t label;
    if (f == e || prev == e || x->nodes[prev].next == e) return false;
    if (!ioa_exact_room(x, prev, &label)) return false;
    ioa_exact_begin(x);
    if (!ioa_exact_allowed(x, e, label)) return false;
    const int64_t own = own_change(x, e, 0, prev, label) + own_change(x, e, 1, prev, label);
    if (own > threshold + IOA_EXACT_SLACK) return false;
    ioa_exact_mark(x, e);
    ioa_exact_place(x, e, prev, label);
    return decide(x, kind, threshold);
}

/* ---- consecutive steps ---- */

static uint32_t take_segment(ioa_exact *x, uint32_t first, uint32_t count)
{
    uint32_t taken = 0;
    for (uint32_t n = first; taken < count && n != x->g->W; n = x->nodes[n].next) {
        ioa_exact_mark(x, n);
        x->members[taken++] = n;
    }
    return taken;
}

static bool propose_segment(ioa_exact *x, int64_t threshold, ioa_pcg32 *rng)
{
    const uint32_t first = draw_node(x, rng), bits = ioa_pcg32_next(rng);
    ioa_exact_begin(x);
    const uint32_t count = take_segment(x, first, 2 + (bits & 31u));
    uint32_t prev = bits & 32u ? x->members[count - 1] : x->nodes[first].prev;
    for (uint32_t steps = 1 + (bits >> 8) % SEGMENT_REACH; steps; steps--) {
        if (prev == x->g->W && !(bits & 32u)) return false;
        prev = bits & 32u ? x->nodes[prev].next : x->nodes[prev].prev;
        if (prev == x->g->W && (bits & 32u)) return false;
    }
    return stack_behind(x, prev, count) && decide(x, IOA_EXACT_SEGMENT, threshold);
}

static bool propose_block(ioa_exact *x, int64_t threshold, ioa_pcg32 *rng)
{
    const ioa_graph *g = x->g;
    const uint32_t first = draw_node(x, rng), bits = ioa_pcg32_next(rng);
    ioa_exact_begin(x);
    const uint32_t count = take_segment(x, first, 2 + (bits & 127u) / (1 + (bits >> 8 & 7u)));
    const uint32_t neuron = x->nodes[x->members[bits >> 11 & 1u ? count - 1 : 0]].neuron[bits >> 12 & 1u];
    const uint32_t f = x->access[g->base[neuron] + ioa_pcg32_below(rng, (uint32_t)ioa_graph_degree(g, neuron))];
    const uint32_t prev = bits >> 13 & 1u ? f : x->nodes[f].prev;
    if (ioa_exact_moving(x, f) || ioa_exact_moving(x, prev) || ioa_exact_moving(x, x->nodes[prev].next)) return false;
    return stack_behind(x, prev, count) && decide(x, IOA_EXACT_BLOCK, threshold);
}

static bool propose_turn(ioa_exact *x, int64_t threshold, ioa_pcg32 *rng)
{
    const uint32_t first = draw_node(x, rng);
    ioa_exact_begin(x);
    const uint32_t count = take_segment(x, first, 2 + (ioa_pcg32_next(rng) & 7u)), prev = x->nodes[first].prev;
    if (count < 2) return false;
    for (uint32_t i = 0; i < count / 2; i++) {
        const uint32_t other = x->members[i];
        x->members[i] = x->members[count - 1 - i];
        x->members[count - 1 - i] = other;
    }
    x->nodes[first].flags &= 3u; /* stays, the others go before it */
    return stack_behind(x, prev, count - 1) && decide(x, IOA_EXACT_TURN, threshold);
}

static bool propose_repair(ioa_exact *x, int64_t threshold, ioa_pcg32 *rng)
{
    const uint32_t first = draw_node(x, rng), prev = x->nodes[first].prev;
    ioa_exact_begin(x);
    const uint32_t count = ioa_exact_repair(x, first, 8 + (ioa_pcg32_next(rng) & 63u), rng);
    uint32_t same = 0;
    for (uint32_t n = first; same < count && x->members[same] == n; n = x->nodes[n].next) same++;
    if (same == count) return false;
    for (uint32_t i = same, behind = same ? x->members[same - 1] : prev; i < count; behind = x->members[i++]) {
        int64_t label;
        if (x->nodes[behind].next == x->members[i]) continue; /* has come to stand there */
        if (!ioa_exact_room(x, behind, &label)) {
            ioa_exact_undo(x);
            return false;
        }
        ioa_exact_mark(x, x->members[i]);
        ioa_exact_place(x, x->members[i], behind, label);
    }
    return decide(x, IOA_EXACT_REPAIR, threshold);
}

/* ---- accesses of one neuron ---- */

/* Range [from, to) of the neuron's list around `at`; only incoming or only outgoing ones: within [low, high). */
static void choose_range(const ioa_exact *x, const uint32_t *list, uint32_t side, ioa_exact_move kind, int64_t at,
                         int64_t low, int64_t high, int64_t *from, int64_t *to, ioa_pcg32 *rng)
{
    *from = at;
    *to = at + 1;
    if (kind == IOA_EXACT_WHOLE) {
        *from = low;
        *to = high;
    } else if (kind == IOA_EXACT_RUN) {
        *to = at + 2 + ioa_pcg32_below(rng, 4);
        if (*to > high) *to = high;
    } else {
        while (*from > low && !is_absent(x, 2 * list[*from] + side)) --*from;
        while (*to < high && !is_absent(x, 2 * list[*to] + side)) ++*to;
    }
}

/* Access of a neuron nearest in time to `label`, other than node e; W if there is none. */
static uint32_t nearest(const ioa_exact *x, uint32_t neuron, uint32_t e, int64_t label)
{
    const uint32_t *list = x->access + x->g->base[neuron];
    const int64_t degree = ioa_graph_degree(x->g, neuron);
    int64_t after = ioa_exact_find(x, list, degree, label), before = after - 1;
    if (before >= 0 && list[before] == e) before--;
    if (after < degree && list[after] == e) after++;
    if (before < 0) return after < degree ? list[after] : x->g->W;
    if (after >= degree) return list[before];
    return label - x->nodes[list[before]].label < x->nodes[list[after]].label - label ? list[before] : list[after];
}

/* Puts each of the members beside the access of its other end that is nearest to `label`. */
static bool gather(ioa_exact *x, uint32_t neuron, uint32_t count, int64_t label, bool after)
{
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t e = x->members[i], other = x->nodes[e].neuron[x->nodes[e].neuron[0] == neuron];
        const uint32_t f = nearest(x, other, e, label);
        int64_t own;
        if (f == x->g->W) continue; /* no other access: it stays */
        const uint32_t prev = after ? f : x->nodes[f].prev;
        if (prev == e || x->nodes[prev].next == e) continue;
        if (!ioa_exact_room(x, prev, &own) || !ioa_exact_allowed(x, e, own)) return false;
        ioa_exact_mark(x, e);
        ioa_exact_place(x, e, prev, own);
    }
    return x->placed_count > 0;
}

static bool propose_bundle(ioa_exact *x, ioa_exact_move kind, int64_t threshold, ioa_pcg32 *rng)
{
    const ioa_graph *g = x->g;
    const uint32_t e = draw_node(x, rng), bits = ioa_pcg32_next(rng), side = bits & 1u, neuron = x->nodes[e].neuron[side];
    const uint32_t *list = x->access + g->base[neuron];
    const int64_t incoming = ioa_graph_incoming(g, neuron), degree = ioa_graph_degree(g, neuron);
    const int64_t low = side ? 0 : incoming, high = side ? incoming : degree;
    int64_t from, to;
    choose_range(x, list, side, kind, low + ioa_exact_find(x, list + low, high - low, x->nodes[e].label), low, high, &from,
                 &to, rng);
    if (to - from > (int64_t)IOA_EXACT_MOST) return false;
    uint32_t target;
    if ((bits >> 1) % 3 == 0) { /* a neighbouring residency of the neuron itself */
        const int64_t at = bits >> 31 ? from - 1 : to;
        if (at < 0 || at >= degree) return false;
        target = list[at];
    } else { /* an access of one of the other ends */
        const uint32_t member = list[from + ioa_pcg32_below(rng, (uint32_t)(to - from))];
        const uint32_t other = x->nodes[member].neuron[!side];
        const uint32_t *others = x->access + g->base[other];
        const int64_t many = ioa_graph_degree(g, other);
        int64_t at = ioa_pcg32_below(rng, (uint32_t)many);
        if (bits >> 30 & 1) {
            at = ioa_exact_find(x, others, many, x->nodes[member].label) + (int64_t)(bits >> 27 & 7) - 4;
            if (at < 0 || at >= many) return false;
        }
        target = others[at];
    }
    ioa_exact_begin(x);
    const bool stacked = bits >> 4 & 1;
    const uint32_t count = (uint32_t)(to - from);
    for (uint32_t i = 0; i < count; i++) {
        x->members[i] = list[from + i];
        if (stacked) ioa_exact_mark(x, x->members[i]);
    }
    if (stacked ? !ioa_exact_moving(x, target) && stack_behind(x, target, count)
                : gather(x, neuron, count, x->nodes[target].label, bits >> 5 & 1))
        return decide(x, kind, threshold);
    ioa_exact_undo(x);
    return false;
}

/* ---- the chain ---- */

static bool propose(ioa_exact *x, ioa_exact_move kind, int64_t threshold, ioa_pcg32 *rng)
{
    switch (kind) {
    case IOA_EXACT_SHIFT:
    case IOA_EXACT_NEAR:
    case IOA_EXACT_FAR: return propose_single(x, kind, threshold, rng);
    case IOA_EXACT_SEGMENT: return propose_segment(x, threshold, rng);
    case IOA_EXACT_BLOCK: return propose_block(x, threshold, rng);
    case IOA_EXACT_TURN: return propose_turn(x, threshold, rng);
    case IOA_EXACT_REPAIR: return propose_repair(x, threshold, rng);
    default: return propose_bundle(x, kind, threshold, rng);
    }
}

void ioa_exact_run(ioa_exact *x, double temperature, uint64_t proposals, ioa_pcg32 *rng)
{
    const uint64_t enough = x->g->W / 16 + 64;
    for (uint64_t i = 0; i < proposals; i++) {
        const ioa_exact_move kind = draw_kind(rng);
        const double u = 1.0 - ioa_pcg32_double(rng);
        const double rise = temperature > 0.0 ? -temperature * ioa_portable_log(u) : 0.0;
        const bool accepted = propose(x, kind, rise < 1e6 ? (int64_t)rise : 1000000, rng);
        x->stats.proposed[kind]++;
        x->stats.accepted[kind] += accepted;
        if (x->moved >= enough) ioa_exact_settle(x);
    }
}
