/* The state: lists, labels, and what a moved connection changes. */
#include "optimizer/search/priced/priced_state.h"

#include "core/base/mem.h"

#include <ioanneal/memory.h>
#include <string.h>

/* Price of a gap that ends at an incoming (limit 2) or an outgoing connection (limit 1), capped by absence. */
static inline int64_t gap_cost(int64_t price, bool outgoing)
{
    return ioa_min64(price, outgoing ? IOA_PRICED_ONE : 2 * IOA_PRICED_ONE);
}

int64_t ioa_priced_neuron(const ioa_priced *p, uint32_t x, const uint32_t *list, int64_t *late)
{
    const int64_t degree = ioa_graph_degree(p->g, x), incoming = ioa_graph_incoming(p->g, x);
    int64_t cost = 0;
    *late = 0;
    for (int64_t i = 1; i < degree; i++) {
        const int64_t price = p->label[list[i]] - p->label[list[i - 1]];
        if (i < incoming) cost += gap_cost(price, false);
        else *late += gap_cost(price, true);
    }
    if (p->g->flags[x] & IOA_NEURON_SPILLS)
        return cost + ioa_priced_spill(*late, p->label[list[degree - 1]] - p->label[list[incoming - 1]]);
    return cost + *late;
}

/* Where an access stands, where it would go, and what that changes. */
typedef struct shift {
    int64_t from, to; /* positions in the list; `to` counts without the access itself */
    int64_t early, late;
} shift;

static inline void add_gap(shift *s, int64_t price, bool outgoing, int64_t sign)
{
    if (outgoing) s->late += sign * gap_cost(price, true);
    else s->early += sign * gap_cost(price, false);
}

/* A gap's kind is that of the access it ends at. */
static shift find_shift(const ioa_priced *p, uint32_t x, uint32_t e, int64_t label)
{
    const uint32_t *list = p->access + p->g->base[x];
    const int64_t *at = p->label;
    const int64_t degree = ioa_graph_degree(p->g, x), incoming = ioa_graph_incoming(p->g, x);
    const bool out = p->g->dst[e] != x;
    const int64_t low = out ? incoming : 0, high = out ? degree : incoming, old = at[e];
    const int64_t i = low + ioa_priced_find(p, list + low, high - low, old);
    const int64_t j = low + ioa_priced_find(p, list + low, high - low, label);
    shift s = {i, j > i ? j - 1 : j, 0, 0};
    if (i > 0) add_gap(&s, old - at[list[i - 1]], out, -1);
    if (i + 1 < degree) add_gap(&s, at[list[i + 1]] - old, i + 1 >= incoming, -1);
    if (i > 0 && i + 1 < degree) add_gap(&s, at[list[i + 1]] - at[list[i - 1]], i + 1 >= incoming, 1);
    const int64_t left = j - 1 == i ? i - 1 : j - 1, right = j == i ? i + 1 : j;
    if (left >= 0) add_gap(&s, label - at[list[left]], out, 1);
    if (right < degree) add_gap(&s, at[list[right]] - label, right >= incoming, 1);
    if (left >= 0 && right < degree) add_gap(&s, at[list[right]] - at[list[left]], right >= incoming, -1);
    return s;
}

/* Span from the last incoming to the last outgoing connection once e stands at `label`. */
static int64_t span_after(const ioa_priced *p, uint32_t x, uint32_t e, int64_t label, int64_t from)
{
    const uint32_t *list = p->access + p->g->base[x];
    const int64_t degree = ioa_graph_degree(p->g, x), incoming = ioa_graph_incoming(p->g, x);
    int64_t first = p->label[list[incoming - 1]], last = p->label[list[degree - 1]];
    if (p->g->dst[e] == x) {
        if (from == incoming - 1) first = from > 0 ? p->label[list[from - 1]] : INT64_MIN;
        if (label > first) first = label;
    } else {
        if (from == degree - 1) last = from > incoming ? p->label[list[from - 1]] : INT64_MIN;
        if (label > last) last = label;
    }
    return last - first;
}

int64_t ioa_priced_weigh(const ioa_priced *p, uint32_t x, uint32_t e, int64_t label)
{
    const shift s = find_shift(p, x, e, label);
    if (!(p->g->flags[x] & IOA_NEURON_SPILLS)) return s.early + s.late;
    const uint32_t *list = p->access + p->g->base[x];
    const int64_t last = p->label[list[ioa_graph_degree(p->g, x) - 1]];
    const int64_t first = p->label[list[ioa_graph_incoming(p->g, x) - 1]];
    return s.early + ioa_priced_spill(p->late[x] + s.late, span_after(p, x, e, label, s.from))
           - ioa_priced_spill(p->late[x], last - first);
}

void ioa_priced_place(ioa_priced *p, uint32_t x, uint32_t e, int64_t label)
{
    uint32_t *list = p->access + p->g->base[x];
    const shift s = find_shift(p, x, e, label);
    p->late[x] += s.late;
    if (s.to > s.from) memmove(list + s.from, list + s.from + 1, (size_t)(s.to - s.from) * sizeof *list);
    else if (s.to < s.from) memmove(list + s.to + 1, list + s.to, (size_t)(s.from - s.to) * sizeof *list);
    list[s.to] = e;
}

bool ioa_priced_allowed(const ioa_priced *p, uint32_t e, int64_t label)
{
    const ioa_graph *g = p->g;
    if (label <= p->low || label >= p->high) return false;
    const uint32_t u = g->src[e], v = g->dst[e];
    const int64_t ready = ioa_graph_incoming(g, u), needed = ioa_graph_incoming(g, v);
    if (ready > 0 && p->label[p->access[g->base[u] + ready - 1]] >= label) return false;
    return needed == ioa_graph_degree(g, v) || p->label[p->access[g->base[v] + needed]] > label;
}

bool ioa_priced_beside(const ioa_priced *p, uint32_t f, bool after, int64_t *label)
{
    const uint32_t end = p->g->W, a = after ? f : p->prev[f], b = after ? p->next[f] : f;
    const int64_t before = a == end ? p->label[b] - 2 * (int64_t)IOA_PRICED_FLOOR : p->label[a];
    const int64_t behind = b == end ? p->label[a] + 2 * (int64_t)IOA_PRICED_FLOOR : p->label[b];
    *label = before + (behind - before) / 2;
    return behind - before >= 2;
}

void ioa_priced_relink(ioa_priced *p, uint32_t e, uint32_t f, bool after)
{
    p->next[p->prev[e]] = p->next[e];
    p->prev[p->next[e]] = p->prev[e];
    const uint32_t a = after ? f : p->prev[f], b = p->next[a];
    p->prev[e] = a;
    p->next[e] = b;
    p->next[a] = p->prev[b] = e;
}

void ioa_priced_order(const ioa_priced *p, uint32_t *order)
{
    uint32_t e = p->next[p->g->W];
    for (uint32_t t = 0; t < p->movable; t++, e = p->next[e]) order[t] = e;
}

void ioa_priced_set_order(ioa_priced *p, const uint32_t *order)
{
    const ioa_graph *g = p->g;
    uint32_t last = g->W;
    /* p->late serves as fill counters: incoming count in the low half, outgoing in the high half. */
    memset(p->late, 0, g->N * sizeof *p->late);
    for (uint32_t t = 0; t < g->W; t++) {
        const uint32_t e = order[t], u = g->src[e], v = g->dst[e];
        p->next[last] = e;
        p->prev[e] = last;
        last = e;
        p->access[g->base[v] + (p->late[v] & UINT32_MAX)] = e;
        p->access[g->base[u] + ioa_graph_incoming(g, u) + (p->late[u] >> 32)] = e;
        p->late[v] += 1;
        p->late[u] += INT64_C(1) << 32;
    }
    p->next[last] = g->W;
    p->prev[g->W] = last;
    ioa_priced_renumber(p);
}

/* log2 by repeated squaring, in integers: the same on every machine. */
static void fill_log_table(uint32_t *table)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint64_t x = (UINT64_C(256) + i) << 23; /* 1.31 fixed point in [1, 2) */
        uint32_t bits = 0;
        for (int k = 0; k < 16; k++) {
            x = x * x >> 31;
            bits <<= 1;
            if (x >> 32) {
                bits |= 1;
                x >>= 1;
            }
        }
        table[i] = bits;
    }
    table[256] = 65536;
}

bool ioa_priced_allocate(ioa_priced *p)
{
    const ioa_graph *g = p->g;
    fill_log_table(p->log_table);
    ioa_priced_tune(p, NULL, 0);
    int64_t degree = 1;
    for (uint32_t x = 0; x < g->N; x++)
        if (ioa_graph_degree(g, x) > degree) degree = ioa_graph_degree(g, x);
    const uint64_t W = g->W, widest = (uint64_t)ioa_min64(degree, IOA_PRICED_WIDEST);
    p->label = ioa_alloc(W + 1, sizeof *p->label);
    p->next = ioa_alloc(W + 1, sizeof *p->next);
    p->prev = ioa_alloc(W + 1, sizeof *p->prev);
    p->access = ioa_alloc(2 * W, sizeof *p->access);
    p->late = ioa_alloc(g->N, sizeof *p->late);
    p->price = ioa_alloc(p->chunks, sizeof *p->price);
    p->start = ioa_alloc((uint64_t)p->chunks + 1, sizeof *p->start);
    p->inverse = ioa_alloc(p->chunks, sizeof *p->inverse);
    p->open = ioa_alloc((uint64_t)p->chunks + 1, sizeof *p->open);
    p->area = ioa_alloc((uint64_t)p->chunks + 1, sizeof *p->area);
    p->bundle.moved = ioa_alloc(widest, sizeof(uint32_t));
    p->bundle.anchor = ioa_alloc(widest, sizeof(uint32_t));
    p->bundle.list = ioa_alloc(widest, sizeof(uint32_t));
    p->bundle.label = ioa_alloc(widest, sizeof(int64_t));
    p->bundle.old = ioa_alloc(widest, sizeof(int64_t));
    return p->label && p->next && p->prev && p->access && p->late && p->price && p->start && p->inverse && p->open
           && p->area && p->bundle.moved && p->bundle.anchor && p->bundle.list && p->bundle.label && p->bundle.old;
}

void ioa_priced_destroy(ioa_priced *p)
{
    if (!p) return;
    void *const arrays[] = {p->label, p->next, p->prev, p->access, p->late, p->price, p->start, p->inverse, p->open,
                            p->area, p->bundle.moved, p->bundle.anchor, p->bundle.list, p->bundle.label,
                            p->bundle.old, p};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) ioa_free(arrays[i]);
}

uint32_t ioa_priced_chunk(uint64_t slots, uint64_t connections)
{
    return slots + 1 < connections / 4 + 1 ? (uint32_t)slots + 1 : (uint32_t)(connections / 4 + 1);
}

ioa_status ioa_priced_create(const ioa_graph *g, const uint32_t *order, uint64_t memory, ioa_priced **out,
                             ioa_error *error)
{
    if (memory < IOA_MEMORY_MIN || g->W == 0)
        return ioa_fail(error, IOA_ERR_INPUT, "order search: needs a connection and a memory of at least 3 slots");
    ioa_priced *p = ioa_alloc_zero(1, sizeof *p);
    if (!p) return ioa_fail_nomem(error, "order search", 1, sizeof *p);
    p->g = g;
    p->slots = memory - 1 < g->N ? memory - 1 : g->N;
    p->movable = g->W;
    p->low = INT64_MIN;
    p->high = INT64_MAX;
    p->chunk = ioa_priced_chunk(p->slots, g->W);
    p->chunks = (g->W - 1) / p->chunk + 1;
    if (!ioa_priced_allocate(p)) {
        ioa_priced_destroy(p);
        return ioa_fail_nomem(error, "order search", g->W, 24);
    }
    ioa_priced_first_prices(p, order);
    *out = p;
    return IOA_OK;
}

int64_t ioa_priced_energy(const ioa_priced *p) { return p->energy; }

double ioa_priced_hot(const ioa_graph *g, int64_t energy)
{
    uint32_t destinations = 0;
    for (uint32_t x = 0; x < g->N; x++) destinations += ioa_graph_incoming(g, x) > 0;
    const double W = (double)g->W, degree = W / destinations;
    const double share = degree > 10 ? 80 / (degree * degree) : 0.8;
    return share * (double)energy / (double)IOA_PRICED_ONE / W;
}

void ioa_priced_suggest(const ioa_priced *p, double *hot, double *cold)
{
    *hot = ioa_priced_hot(p->g, p->energy);
    *cold = *hot / 20;
}

const ioa_priced_stats *ioa_priced_statistics(const ioa_priced *p) { return &p->stats; }

void ioa_priced_count(const ioa_priced *p, const ioa_priced_stats *before, ioa_move_counts *counts)
{
    static const ioa_priced_stats nothing = {0};
    if (!before) before = &nothing;
    for (int k = 0; k < IOA_PRICED_MOVE_COUNT; k++) {
        counts[k].proposed += p->stats.proposed[k] - before->proposed[k];
        counts[k].accepted += p->stats.accepted[k] - before->accepted[k];
        counts[k].touched += p->stats.touched[k] - before->touched[k];
        counts[k].gained += p->stats.gained[k] - before->gained[k];
    }
}

const uint32_t *ioa_priced_prices(const ioa_priced *p, uint32_t *count)
{
    *count = p->chunks;
    return p->price;
}

void ioa_priced_set_prices(ioa_priced *p, const uint32_t *prices)
{
    memcpy(p->price, prices, p->chunks * sizeof *prices);
}

bool ioa_priced_consistent(const ioa_priced *p)
{
    const ioa_graph *g = p->g;
    int64_t energy = 0;
    for (uint32_t x = 0; x < g->N; x++) {
        const uint32_t *list = p->access + g->base[x];
        const int64_t degree = ioa_graph_degree(g, x), incoming = ioa_graph_incoming(g, x);
        int64_t late = 0;
        if (degree > 0) energy += ioa_priced_neuron(p, x, list, &late);
        if (degree > 0 && late != p->late[x]) return false;
        for (int64_t i = 0; i < degree; i++) {
            if ((i < incoming ? g->dst[list[i]] : g->src[list[i]]) != x) return false;
            if (i > 0 && p->label[list[i]] <= p->label[list[i - 1]]) return false;
        }
    }
    uint32_t seen = 0;
    for (uint32_t e = p->next[g->W], last = g->W; e != g->W; last = e, e = p->next[e], seen++)
        if (p->prev[e] != last || (last != g->W && p->label[e] <= p->label[last])) return false;
    return seen == p->movable && energy == p->energy;
}
