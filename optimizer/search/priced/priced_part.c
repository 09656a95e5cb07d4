/* Part of an order as a state of its own: what stands outside is fixed, prices stay. */
#include "optimizer/search/priced/priced_state.h"

#include "core/base/mem.h"

#include <string.h>

/* Lists by step: incoming before outgoing, and within each the fixed access before the part first, the one behind it
 * last. `late` serves as fill counters, as in ioa_priced_set_order. */
static void fill_lists(ioa_priced *p, const int64_t *fixed)
{
    const ioa_graph *g = p->g;
    memset(p->late, 0, g->N * sizeof *p->late);
    for (int pass = 0; pass < 3; pass++) { /* fixed before, movable, fixed behind */
        const uint32_t from = pass == 1 ? 0 : p->movable, to = pass == 1 ? p->movable : g->W;
        for (uint32_t e = from; e < to; e++) {
            const uint32_t u = g->src[e], v = g->dst[e];
            if (pass != 1 && (fixed[e - p->movable] >= 0) != (pass == 2)) continue;
            if (ioa_graph_degree(g, v) > 0) p->access[g->base[v] + (p->late[v]++ & UINT32_MAX)] = e;
            if (ioa_graph_degree(g, u) == 0) continue;
            p->access[g->base[u] + ioa_graph_incoming(g, u) + (p->late[u] >> 32)] = e;
            p->late[u] += INT64_C(1) << 32;
        }
    }
}

ioa_status ioa_priced_create_part(const ioa_graph *g, const ioa_priced_part *part, ioa_priced **out, ioa_error *error)
{
    ioa_priced *p = ioa_alloc_zero(1, sizeof *p);
    if (!p) return ioa_fail_nomem(error, "order search", 1, sizeof *p);
    p->g = g;
    p->part = true;
    p->movable = part->movable;
    p->chunk = part->chunk;
    p->chunks = (part->movable - 1) / part->chunk + 1;
    if (!ioa_priced_allocate(p)) {
        ioa_priced_destroy(p);
        return ioa_fail_nomem(error, "order search", g->W, 24);
    }
    memcpy(p->price, part->price, p->chunks * sizeof *p->price);
    int64_t end = 0;
    for (uint32_t c = 0; c < p->chunks; c++)
        end += (int64_t)p->price[c] * ioa_min64(p->chunk, (int64_t)p->movable - (int64_t)c * p->chunk);
    p->low = -1;
    p->high = end;
    for (uint32_t i = p->movable; i < g->W; i++) {
        const int64_t fixed = part->fixed[i - p->movable];
        p->label[i] = fixed < 0 ? fixed : end + fixed;
    }
    for (uint32_t e = 0; e < p->movable; e++) {
        p->next[e] = e + 1 < p->movable ? e + 1 : g->W;
        p->prev[e] = e > 0 ? e - 1 : g->W;
    }
    p->next[g->W] = 0;
    p->prev[g->W] = p->movable - 1;
    fill_lists(p, part->fixed);
    ioa_priced_renumber(p);
    *out = p;
    return IOA_OK;
}
