/* Proposals that move several accesses of one neuron. */
#include "optimizer/search/exact/exact_state.h"

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
        while (*from > low && !ioa_exact_absent(x, 2 * list[*from] + side)) --*from;
        while (*to < high && !ioa_exact_absent(x, 2 * list[*to] + side)) ++*to;
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

bool ioa_exact_propose_bundle(ioa_exact *x, ioa_exact_move kind, int64_t threshold, ioa_pcg32 *rng)
{
    const ioa_graph *g = x->g;
    const uint32_t e = ioa_exact_draw(x, rng), bits = ioa_pcg32_next(rng), side = bits & 1u, neuron = x->nodes[e].neuron[side];
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
    if (stacked ? !ioa_exact_moving(x, target) && ioa_exact_stack(x, target, count)
                : gather(x, neuron, count, x->nodes[target].label, bits >> 5 & 1))
        return ioa_exact_decide(x, kind, threshold);
    ioa_exact_undo(x);
    return false;
}
