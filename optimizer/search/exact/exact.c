/* An exactly counted order as an object: laying out, the step, checks. */
#include "optimizer/search/exact/exact_state.h"

#include "core/base/mem.h"

#include <ioanneal/memory.h>
#include <string.h>

/* ---- the step ---- */

static inline void pass(ioa_exact *x, uint32_t access, uint32_t step, bool journal)
{
    uint32_t *gone = &x->nodes[access >> 1].gone[access & 1];
    if (*gone == step) return;
    if (journal) x->passed[x->passed_count++] = (ioa_exact_passed){access, *gone};
    *gone = step;
}

uint32_t ioa_exact_step(ioa_exact *x, uint32_t t, uint32_t *bound, uint32_t *residents, bool journal)
{
    const ioa_exact_node *n = &x->nodes[t];
    uint32_t at = *bound, count = *residents, absent = 0;
    const int64_t oldest = ioa_exact_time(x, at);
    for (uint32_t side = 0; side < 2; side++) {
        if (n->before[side] == IOA_EXACT_NONE) {
            count++;
        } else if (ioa_exact_time(x, n->before[side]) < oldest) {
            count++;
            absent |= 1u << side;
        }
    }
    while (count > x->slots && (!journal || x->passed_count < x->journal)) {
        const ioa_exact_node *o = &x->nodes[at >> 1];
        const uint32_t later = o->after[at & 1];
        if (later != IOA_EXACT_NONE && x->nodes[later >> 1].label > n->label) count--; /* evicted */
        pass(x, at, t, journal);
        at = at & 1 ? 2 * o->next : at + 1;
    }
    for (int side = 0; side < 2; side++) count -= n->after[side] == IOA_EXACT_NONE; /* released */
    *bound = at;
    *residents = count;
    return absent;
}

/* ---- laying out ---- */

static void link_side(ioa_exact *x, uint32_t t, uint32_t side, uint32_t *last)
{
    ioa_exact_node *n = &x->nodes[t];
    const uint32_t neuron = n->neuron[side];
    n->before[side] = last[neuron];
    n->after[side] = ioa_exact_tail(x, neuron);
    if (last[neuron] != IOA_EXACT_NONE) ioa_exact_at(x, last[neuron])->after[last[neuron] & 1] = 2 * t + side;
    last[neuron] = 2 * t + side;
}

static void lay_ring(ioa_exact *x, const uint32_t *order)
{
    const ioa_graph *g = x->g;
    uint32_t *incoming = x->fill, *outgoing = x->fill + g->N, *last = x->absences;
    memset(last, 0xff, g->N * sizeof *last);
    for (uint32_t t = 0; t < g->W; t++) {
        ioa_exact_node *n = &x->nodes[t];
        const uint32_t e = order[t], u = g->src[e], v = g->dst[e];
        n->connection = e;
        n->neuron[0] = u;
        n->neuron[1] = v;
        n->label = (t + INT64_C(1)) * x->spacing;
        n->prev = t ? t - 1 : g->W;
        n->next = t + 1;
        n->flags = 0;
        n->gone[0] = n->gone[1] = IOA_EXACT_NONE;
        link_side(x, t, 0, last);
        link_side(x, t, 1, last);
        x->access[g->base[u] + ioa_graph_incoming(g, u) + outgoing[u]++] = t;
        x->access[g->base[v] + incoming[v]++] = t;
    }
    memset(x->fill, 0, 2 * (size_t)g->N * sizeof *x->fill);
    if (x->part.absences) memcpy(x->absences, x->part.absences, g->N * sizeof *x->absences);
    else memset(x->absences, 0, g->N * sizeof *x->absences);
    x->nodes[g->W].next = 0;
    x->nodes[g->W].prev = g->W - 1;
    x->nodes[g->W].gone[1] = IOA_EXACT_NONE;
}

static void count_all(ioa_exact *x)
{
    const ioa_graph *g = x->g;
    uint32_t bound = x->nodes[g->W].bound, residents = 0;
    x->excess = 0;
    for (uint32_t t = 0; t < g->W; t++) {
        ioa_exact_node *n = &x->nodes[t];
        const uint32_t absent = ioa_exact_step(x, t, &bound, &residents, false);
        n->bound = bound;
        n->residents = residents;
        n->flags = absent;
        x->excess += absent & 2u; /* the destination's: a write and a read */
        if (absent & 1u) x->excess += 1 + (x->absences[n->neuron[0]]++ == 0 && g->flags[n->neuron[0]] & IOA_NEURON_SPILLS);
    }
}

void ioa_exact_lay_out(ioa_exact *x, const uint32_t *order)
{
    lay_ring(x, order);
    count_all(x);
    x->stamp = IOA_EXACT_STAMP;
    x->moved = 0;
    x->region_left = 0;
    x->stats.settles++;
}

void ioa_exact_settle(ioa_exact *x)
{
    ioa_exact_order(x, x->order);
    ioa_exact_lay_out(x, x->order);
}

void ioa_exact_order(const ioa_exact *x, uint32_t *order)
{
    uint32_t n = x->nodes[x->g->W].next;
    for (uint32_t t = 0; t < x->g->W; t++, n = x->nodes[n].next) order[t] = x->nodes[n].connection;
}

/* ---- life ---- */

void ioa_exact_destroy(ioa_exact *x)
{
    if (!x) return;
    void *const arrays[] = {x->nodes, x->access, x->absences, x->fill, x->order, x->counted, x->passed, x->seen, x};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) ioa_free(arrays[i]);
}

static bool allocate(ioa_exact *x)
{
    const uint64_t w = x->g->W, n = x->g->N, enough = 64 * (uint64_t)x->slots + 8192, all = 4 * w + 16;
    x->journal = (uint32_t)(enough < all ? enough : all);
    x->nodes = ioa_alloc_zero(w + 2, sizeof *x->nodes);
    x->access = ioa_alloc(2 * w, sizeof *x->access);
    x->absences = ioa_alloc(n, sizeof *x->absences);
    x->fill = ioa_alloc_zero(2 * n, sizeof *x->fill);
    x->order = ioa_alloc(w, sizeof *x->order);
    x->counted = ioa_alloc(x->journal, sizeof *x->counted);
    x->passed = ioa_alloc((uint64_t)x->journal + 2 * IOA_EXACT_MOST, sizeof *x->passed);
    x->seen = ioa_alloc_zero(n, sizeof *x->seen);
    return x->nodes && x->access && x->absences && x->fill && x->order && x->counted && x->passed && x->seen;
}

uint32_t ioa_exact_slots(const ioa_graph *g, uint64_t memory)
{
    const uint32_t slots = memory - 1 < g->N ? (uint32_t)(memory - 1) : g->N;
    return slots < 2 ? 2 : slots;
}

static ioa_status create(const ioa_graph *g, const ioa_exact_part *part, const uint32_t *order, uint64_t memory,
                         ioa_exact **out, ioa_error *error)
{
    if (memory < IOA_MEMORY_MIN || g->W == 0)
        return ioa_fail(error, IOA_ERR_INPUT, "order search: needs a connection and a memory of at least 3 slots");
    ioa_exact *x = ioa_alloc_zero(1, sizeof *x);
    if (!x) return ioa_fail_nomem(error, "order search", 1, sizeof *x);
    x->g = g;
    x->part = *part;
    x->slots = ioa_exact_slots(g, memory);
    x->spacing = (INT64_C(1) << 60) / ((int64_t)g->W + 2);
    ioa_exact_tune(x, NULL);
    if (!allocate(x)) {
        ioa_exact_destroy(x);
        return ioa_fail_nomem(error, "order search", g->W, 76);
    }
    for (uint32_t n = g->W; n <= g->W + 1; n++)
        for (int side = 0; side < 2; side++) x->nodes[n].before[side] = x->nodes[n].after[side] = IOA_EXACT_NONE;
    x->nodes[g->W].bound = 2 * g->W + 1; /* before the first access */
    x->nodes[g->W + 1].label = INT64_MAX / 2; /* as a time, too */
    for (uint32_t t = 0; !order && t < g->W; t++) x->order[t] = t;
    ioa_exact_lay_out(x, order ? order : x->order);
    *out = x;
    return IOA_OK;
}

ioa_status ioa_exact_create(const ioa_graph *g, const uint32_t *order, uint64_t memory, ioa_exact **out, ioa_error *error)
{
    return create(g, &(ioa_exact_part){.movable = g->W}, order, memory, out, error);
}

ioa_status ioa_exact_create_part(const ioa_graph *g, const ioa_exact_part *part, uint64_t memory, ioa_exact **out,
                                 ioa_error *error)
{
    return create(g, part, NULL, memory, out, error);
}

int64_t ioa_exact_excess(const ioa_exact *x) { return x->excess; }

const ioa_exact_stats *ioa_exact_statistics(const ioa_exact *x) { return &x->stats; }

/* ---- checks ---- */

static bool same_access(const ioa_exact *a, uint32_t p, const ioa_exact *b, uint32_t q)
{
    if (!ioa_exact_inside(a, p) || !ioa_exact_inside(b, q)) return p == q;
    return (p & 1) == (q & 1) && ioa_exact_at(a, p)->connection == ioa_exact_at(b, q)->connection;
}

/* The first access behind the bound of step t whose neuron is resident after it; the bound itself may lie before. */
static uint32_t oldest_resident(const ioa_exact *x, uint32_t t)
{
    uint32_t at = x->nodes[t].bound;
    for (; x->nodes[at >> 1].label <= x->nodes[t].label; at = at & 1 ? 2 * x->nodes[at >> 1].next : at + 1) {
        const uint32_t later = x->nodes[at >> 1].after[at & 1];
        if (later != IOA_EXACT_NONE && x->nodes[later >> 1].label > x->nodes[t].label) return at;
        if (at >> 1 == x->nodes[x->g->W].prev && at & 1) break;
    }
    return IOA_EXACT_NONE;
}

bool ioa_exact_consistent(const ioa_exact *x)
{
    ioa_exact *fresh;
    const uint32_t w = x->g->W;
    ioa_exact_order(x, x->order);
    if (create(x->g, &x->part, x->order, (uint64_t)x->slots + 1, &fresh, NULL) != IOA_OK) return false;
    bool same = fresh->excess == x->excess && memcmp(fresh->absences, x->absences, x->g->N * sizeof *x->absences) == 0;
    for (uint32_t a = x->nodes[w].next, b = 0, last = w; same && b < w; last = a, a = x->nodes[a].next, b++) {
        const ioa_exact_node *p = &x->nodes[a], *q = &fresh->nodes[b];
        same = p->prev == last && p->label > x->nodes[last].label && (p->flags & 3u) == (q->flags & 3u) &&
               p->residents == q->residents && same_access(x, oldest_resident(x, a), fresh, oldest_resident(fresh, b));
        for (int side = 0; same && side < 2; side++)
            same = same_access(x, p->before[side], fresh, q->before[side]) &&
                   same_access(x, p->after[side], fresh, q->after[side]);
    }
    for (uint32_t n = 0; same && n < x->g->N; n++) {
        const int64_t incoming = ioa_graph_incoming(x->g, n), degree = ioa_graph_degree(x->g, n);
        for (int64_t i = 0; i < degree; i++) {
            const uint32_t t = x->access[x->g->base[n] + i];
            same = same && x->nodes[t].neuron[i < incoming] == n &&
                   (i == 0 || x->nodes[t].label > x->nodes[x->access[x->g->base[n] + i - 1]].label);
        }
    }
    ioa_exact_destroy(fresh);
    return same;
}
