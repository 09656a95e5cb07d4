/* A window of the order made anew: the connection next whose ends are here, of those the one that finishes most. */
#include "optimizer/search/exact/exact_state.h"

#define WIDEST 128u
#define NOISE 3u /* bits of randomness in a score */

/* A neuron of the window. */
typedef struct local {
    uint32_t neuron;
    uint32_t left;     /* connections in the window still to come */
    uint32_t incoming; /* of those, incoming ones */
    bool here;         /* in fast memory */
    bool last;         /* has no access behind the window */
} local;

/* Number of the neuron among the window's. */
static uint32_t enter(ioa_exact *x, local *locals, uint32_t *count, uint32_t node, uint32_t side, int64_t oldest)
{
    const ioa_exact_node *n = &x->nodes[node];
    const uint32_t neuron = n->neuron[side];
    if (x->seen[neuron] == 0) {
        const bool here = n->before[side] != IOA_EXACT_NONE && ioa_exact_time(x, n->before[side]) >= oldest;
        locals[*count] = (local){.neuron = neuron, .here = here};
        x->seen[neuron] = ++*count;
    }
    local *l = &locals[x->seen[neuron] - 1];
    l->left++;
    l->incoming += side;
    l->last = n->after[side] == IOA_EXACT_NONE;
    return x->seen[neuron] - 1;
}

uint32_t ioa_exact_repair(ioa_exact *x, uint32_t first, uint32_t wanted, ioa_pcg32 *rng)
{
    local locals[2 * WIDEST];
    uint32_t node[WIDEST], ends[WIDEST][2], count = 0, neurons = 0;
    if (wanted > WIDEST) wanted = WIDEST;
    const int64_t oldest = ioa_exact_time(x, x->nodes[x->nodes[first].prev].bound);
    for (uint32_t n = first; count < wanted && n != x->g->W; n = x->nodes[n].next, count++) {
        node[count] = n;
        ends[count][0] = enter(x, locals, &neurons, n, 0, oldest);
        ends[count][1] = enter(x, locals, &neurons, n, 1, oldest);
    }
    for (uint32_t i = 0; i < neurons; i++) x->seen[locals[i].neuron] = 0;
    for (uint32_t done = 0; done < count; done++) {
        uint32_t best = done, best_score = UINT32_MAX;
        for (uint32_t i = done; i < count; i++) {
            const local *u = &locals[ends[i][0]], *v = &locals[ends[i][1]];
            if (u->incoming > 0) continue; /* not complete yet */
            uint32_t score = (uint32_t)(!u->here + 2 * !v->here) << 5;
            score += u->left < 8 ? u->left : 8;
            score += v->left < 8 ? v->left : 8;
            score -= (u->last && u->left == 1 ? 1u : 0u) + (v->last && v->left == 1 ? 1u : 0u);
            score = score << NOISE | (ioa_pcg32_next(rng) >> (32 - NOISE - 2));
            if (score >= best_score) continue;
            best_score = score;
            best = i;
        }
        const uint32_t n = node[best], a = ends[best][0], b = ends[best][1];
        node[best] = node[done];
        ends[best][0] = ends[done][0];
        ends[best][1] = ends[done][1];
        x->members[done] = n;
        locals[a].here = locals[b].here = true;
        locals[a].left--;
        locals[b].left--;
        locals[b].incoming--;
    }
    return count;
}
