/* Proposals and their acceptance. */
#include "optimizer/search/exact/exact_state.h"

#include "core/kernel/portable_math.h"

#include <string.h>

#define SHIFT_REACH 32u
#define SEGMENT_REACH 64u
#define REGION 2048u  /* steps: proposals are drawn from one region of the order for a while, which is then in cache */
#define REGION_STAY 64u /* proposals */
#define CHOICES 16u     /* of the greedy rule that are looked at in the time of one step counted */

static const char *const move_text[] = {
#define MOVE_TEXT(name, share, text) text,
    IOA_EXACT_MOVES(MOVE_TEXT)
};

static const uint32_t move_share[] = {
#define MOVE_SHARE(name, share, text) share,
    IOA_EXACT_MOVES(MOVE_SHARE)
};

const char *ioa_exact_move_name(ioa_exact_move kind) { return move_text[kind]; }

void ioa_exact_tune(ioa_exact *x, const uint32_t *share)
{
    memcpy(x->share, share ? share : move_share, sizeof x->share);
}

static ioa_exact_move draw_kind(const ioa_exact *x, ioa_pcg32 *rng)
{
    uint32_t r = ioa_pcg32_next(rng) / (UINT32_MAX / IOA_SHARES + 1);
    unsigned kind = 0;
    while (r >= x->share[kind]) r -= x->share[kind++];
    return (ioa_exact_move)kind;
}

uint32_t ioa_exact_draw(ioa_exact *x, ioa_pcg32 *rng)
{
    const uint32_t w = x->part.movable;
    if (w <= 8 * REGION) return x->part.first + ioa_pcg32_below(rng, w);
    if (x->region_left == 0) {
        x->region = ioa_pcg32_below(rng, w);
        x->region_left = REGION_STAY;
    }
    x->region_left--;
    const uint64_t node = (uint64_t)x->region + ioa_pcg32_below(rng, REGION);
    return x->part.first + (uint32_t)(node < w ? node : node - w);
}

/* ---- deciding ---- */

bool ioa_exact_decide(ioa_exact *x, ioa_exact_move kind, int64_t threshold)
{
    for (uint32_t i = 0; i < x->placed_count; i++)
        if (!ioa_exact_legal(x, x->placed[i].node)) {
            ioa_exact_undo(x);
            return false;
        }
    x->stats.counted[kind]++;
    const bool counted = ioa_exact_count(x, threshold + IOA_EXACT_SLACK);
    x->stats.moves[kind].touched += x->placed_count + x->counted_count;
    if (!counted || x->change > threshold) {
        ioa_exact_undo(x);
        return false;
    }
    x->excess += x->change;
    x->moved += x->placed_count;
    if (x->change < 0) x->stats.moves[kind].gained += (uint64_t)-x->change * IOA_GAIN_ONE;
    return true;
}

bool ioa_exact_stack(ioa_exact *x, uint32_t prev, uint32_t count)
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

/* What the gaps of one neuron of `node` gain or lose if it goes behind `prev`, with everything else as it is. */
static int64_t own_change(const ioa_exact *x, uint32_t node, uint32_t side, uint32_t prev, int64_t label)
{
    const ioa_graph *g = x->g;
    const ioa_exact_node *n = &x->nodes[node];
    const uint32_t neuron = n->neuron[side], old_before = n->before[side];
    const uint32_t old_after = ioa_exact_inside(x, n->after[side]) ? n->after[side] : IOA_EXACT_NONE;
    const uint32_t *list = x->access + g->base[neuron];
    const int64_t incoming = ioa_graph_incoming(g, neuron), degree = ioa_graph_degree(g, neuron);
    uint32_t before = IOA_EXACT_NONE, after = IOA_EXACT_NONE;
    int64_t at = ioa_exact_find(x, list, degree, label), left = at - 1;
    if (left >= 0 && list[left] == node) left--;
    if (at < degree && list[at] == node) at++;
    if (left >= 0) before = 2 * list[left] + (left < incoming);
    if (at < degree) after = 2 * list[at] + (at < incoming);
    int64_t change = (int64_t)(side + 1) * ((int64_t)would_miss(x, before, prev) - (int64_t)ioa_exact_absent(x, 2 * node + side));
    if (after == old_after) { /* the same gap, cut elsewhere */
        if (after != IOA_EXACT_NONE)
            change += (int64_t)((after & 1) + 1) *
                      ((label < ioa_exact_time(x, x->nodes[x->nodes[after >> 1].prev].bound) / 2) - (int64_t)ioa_exact_absent(x, after));
        return change;
    }
    if (old_after != IOA_EXACT_NONE)
        change += (int64_t)((old_after & 1) + 1) * ((int64_t)would_miss(x, old_before, x->nodes[old_after >> 1].prev) -
                                                    (int64_t)ioa_exact_absent(x, old_after));
    if (after != IOA_EXACT_NONE)
        change += (int64_t)((after & 1) + 1) *
                  ((label < ioa_exact_time(x, x->nodes[x->nodes[after >> 1].prev].bound) / 2) - (int64_t)ioa_exact_absent(x, after));
    return change;
}

static bool propose_single(ioa_exact *x, ioa_exact_move kind, int64_t threshold, ioa_pcg32 *rng)
{
    const ioa_graph *g = x->g;
    const uint32_t e = ioa_exact_draw(x, rng), bits = ioa_pcg32_next(rng);
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
    return ioa_exact_decide(x, kind, threshold);
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
    const uint32_t first = ioa_exact_draw(x, rng), bits = ioa_pcg32_next(rng);
    ioa_exact_begin(x);
    const uint32_t count = take_segment(x, first, 2 + (bits & 31u));
    uint32_t prev = bits & 32u ? x->members[count - 1] : x->nodes[first].prev;
    for (uint32_t steps = 1 + (bits >> 8) % SEGMENT_REACH; steps; steps--) {
        if (prev == x->g->W && !(bits & 32u)) return false;
        prev = bits & 32u ? x->nodes[prev].next : x->nodes[prev].prev;
        if (prev == x->g->W && (bits & 32u)) return false;
    }
    return ioa_exact_stack(x, prev, count) && ioa_exact_decide(x, IOA_EXACT_SEGMENT, threshold);
}

static bool propose_block(ioa_exact *x, int64_t threshold, ioa_pcg32 *rng)
{
    const ioa_graph *g = x->g;
    const uint32_t first = ioa_exact_draw(x, rng), bits = ioa_pcg32_next(rng);
    ioa_exact_begin(x);
    const uint32_t count = take_segment(x, first, 2 + (bits & 127u) / (1 + (bits >> 8 & 7u)));
    const uint32_t neuron = x->nodes[x->members[bits >> 11 & 1u ? count - 1 : 0]].neuron[bits >> 12 & 1u];
    const uint32_t f = x->access[g->base[neuron] + ioa_pcg32_below(rng, (uint32_t)ioa_graph_degree(g, neuron))];
    const uint32_t prev = bits >> 13 & 1u ? f : x->nodes[f].prev;
    if (ioa_exact_moving(x, f) || ioa_exact_moving(x, prev) || ioa_exact_moving(x, x->nodes[prev].next)) return false;
    return ioa_exact_stack(x, prev, count) && ioa_exact_decide(x, IOA_EXACT_BLOCK, threshold);
}

static bool propose_turn(ioa_exact *x, int64_t threshold, ioa_pcg32 *rng)
{
    const uint32_t first = ioa_exact_draw(x, rng);
    ioa_exact_begin(x);
    const uint32_t count = take_segment(x, first, 2 + (ioa_pcg32_next(rng) & 7u)), prev = x->nodes[first].prev;
    if (count < 2) return false;
    for (uint32_t i = 0; i < count / 2; i++) {
        const uint32_t other = x->members[i];
        x->members[i] = x->members[count - 1 - i];
        x->members[count - 1 - i] = other;
    }
    x->nodes[first].flags &= 3u; /* stays, the others go before it */
    return ioa_exact_stack(x, prev, count - 1) && ioa_exact_decide(x, IOA_EXACT_TURN, threshold);
}

static bool propose_repair(ioa_exact *x, int64_t threshold, ioa_pcg32 *rng)
{
    const uint32_t first = ioa_exact_draw(x, rng), prev = x->nodes[first].prev;
    ioa_exact_begin(x);
    const uint32_t count = ioa_exact_repair(x, first, 8 + (ioa_pcg32_next(rng) & 63u), rng);
    x->stats.moves[IOA_EXACT_REPAIR].touched += count * count / CHOICES;
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
    return ioa_exact_decide(x, IOA_EXACT_REPAIR, threshold);
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
    default: return ioa_exact_propose_bundle(x, kind, threshold, rng);
    }
}

void ioa_exact_run(ioa_exact *x, double temperature, uint64_t proposals, ioa_pcg32 *rng)
{
    const uint64_t enough = x->g->W / 16 + 64;
    for (uint64_t i = 0; i < proposals; i++) {
        const ioa_exact_move kind = draw_kind(x, rng);
        const double u = 1.0 - ioa_pcg32_double(rng);
        const double rise = temperature > 0.0 ? -temperature * ioa_portable_log(u) : 0.0;
        const bool accepted = propose(x, kind, rise < 1e6 ? (int64_t)rise : 1000000, rng);
        x->stats.moves[kind].proposed++;
        x->stats.moves[kind].accepted += accepted;
        if (x->moved >= enough) ioa_exact_settle(x);
    }
}
