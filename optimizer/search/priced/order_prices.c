#include "optimizer/search/priced/order_prices.h"

#include "core/base/mem.h"
#include "optimizer/search/priced/priced_state.h"

#include <stdlib.h>
#include <string.h>

#define NEVER UINT32_MAX

void ioa_order_prices_clear(ioa_order_prices *p)
{
    void *const arrays[] = {p->start, p->open, p->area, p->last, p->late, p->first};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) ioa_free(arrays[i]);
    *p = (ioa_order_prices){0};
}

ioa_status ioa_order_prices_make(const ioa_graph *g, uint64_t memory, ioa_order_prices *p, ioa_error *error)
{
    *p = (ioa_order_prices){.g = g, .slots = memory - 1 < g->N ? memory - 1 : g->N};
    p->chunk = ioa_priced_chunk(p->slots, g->W);
    p->chunks = (g->W - 1) / p->chunk + 1;
    p->start = ioa_alloc((uint64_t)p->chunks + 1, sizeof *p->start);
    p->open = ioa_alloc((uint64_t)p->chunks + 1, sizeof *p->open);
    p->area = ioa_alloc((uint64_t)p->chunks + 1, sizeof *p->area);
    p->last = ioa_alloc(g->N, sizeof *p->last);
    p->late = ioa_alloc(g->N, sizeof *p->late);
    p->first = ioa_alloc(g->N, sizeof *p->first);
    if (p->start && p->open && p->area && p->last && p->late && p->first) return IOA_OK;
    ioa_order_prices_clear(p);
    return ioa_fail_nomem(error, "prices", g->N, 20);
}

void ioa_order_prices_number(ioa_order_prices *p, const uint32_t *price)
{
    int64_t label = 0;
    for (uint32_t c = 0; c < p->chunks; c++) {
        p->start[c] = label;
        label += (int64_t)price[c] * ioa_min64(p->chunk, (int64_t)p->g->W - (int64_t)c * p->chunk);
    }
    p->start[p->chunks] = label;
}

/* A walk with the step's place and label kept along. */
typedef struct walk {
    uint32_t rank, chunk, left; /* steps left in the chunk */
    int64_t label;
} walk;

static inline void advance(const ioa_order_prices *p, const uint32_t *price, walk *w)
{
    w->rank++;
    w->label += price[w->chunk];
    if (--w->left > 0) return;
    w->chunk++;
    w->left = p->chunk;
}

static void begin(ioa_order_prices *p, walk *w)
{
    memset(p->last, 0xff, p->g->N * sizeof *p->last);
    *w = (walk){.left = p->chunk};
}

/* First walk: costs. Sets late and first; returns the energy. */
static int64_t weigh(ioa_order_prices *p, const uint32_t *order, const uint32_t *price)
{
    const ioa_graph *g = p->g;
    int64_t energy = 0;
    walk w;
    begin(p, &w);
    memset(p->late, 0, g->N * sizeof *p->late);
    for (uint32_t t = 0; t < g->W; t++, advance(p, price, &w)) {
        const uint32_t u = g->src[order[t]], v = g->dst[order[t]];
        if (p->last[v] != NEVER)
            energy += ioa_min64(w.label - ioa_order_prices_label(p, price, p->last[v]), 2 * IOA_PRICED_ONE);
        if (p->last[u] != NEVER)
            p->late[u] += ioa_min64(w.label - ioa_order_prices_label(p, price, p->last[u]), IOA_PRICED_ONE);
        p->first[v] = w.label; /* the last one stays */
        p->last[u] = p->last[v] = t;
    }
    for (uint32_t x = 0; x < g->N; x++) {
        const bool spills = g->flags[x] & IOA_NEURON_SPILLS;
        if (spills) p->first[x] = ioa_order_prices_label(p, price, p->last[x]) - p->first[x]; /* now the span */
        energy += spills ? ioa_priced_spill(p->late[x], p->first[x]) : p->late[x];
    }
    return energy;
}

static inline void mark(ioa_order_prices *p, uint32_t chunk, uint32_t rank, int64_t sign)
{
    p->open[chunk + 1] += sign;
    p->area[chunk] += sign * (((int64_t)chunk + 1) * p->chunk - rank);
}

/* A kept gap uses one slot strictly between its two steps. */
static inline void occupy(ioa_order_prices *p, uint32_t from, const walk *to)
{
    mark(p, from / p->chunk, from + 1, 1);
    mark(p, to->chunk, to->rank, -1);
}

/* Second walk: slots used by the gaps worth keeping. */
static void measure(ioa_order_prices *p, const uint32_t *order, const uint32_t *price)
{
    const ioa_graph *g = p->g;
    walk w;
    begin(p, &w);
    memset(p->open, 0, ((size_t)p->chunks + 1) * sizeof *p->open);
    memset(p->area, 0, ((size_t)p->chunks + 1) * sizeof *p->area);
    for (uint32_t t = 0; t < g->W; t++, advance(p, price, &w)) {
        const uint32_t u = g->src[order[t]], v = g->dst[order[t]];
        if (p->last[v] != NEVER && w.label - ioa_order_prices_label(p, price, p->last[v]) < 2 * IOA_PRICED_ONE)
            occupy(p, p->last[v], &w);
        if (p->last[u] != NEVER) {
            const bool stays = (g->flags[u] & IOA_NEURON_SPILLS) && p->first[u] < p->late[u] + IOA_PRICED_ONE;
            if (stays || w.label - ioa_order_prices_label(p, price, p->last[u]) < IOA_PRICED_ONE) occupy(p, p->last[u], &w);
        }
        p->last[u] = p->last[v] = t;
    }
}

int64_t ioa_order_prices_adjust(ioa_order_prices *p, const uint32_t *order, int64_t rate, uint32_t *price)
{
    ioa_order_prices_number(p, price);
    const int64_t energy = weigh(p, order, price);
    measure(p, order, price);
    ioa_priced_follow(price, p->chunks, p->chunk, p->g->W, p->slots, p->open, p->area, rate);
    return energy;
}

static uint32_t uniform_price(ioa_order_prices *p, const uint32_t *order)
{
    const ioa_graph *g = p->g;
    ioa_gap_histogram histogram = {{0}};
    memset(p->last, 0xff, g->N * sizeof *p->last);
    for (uint32_t t = 0; t < g->W; t++) {
        const uint32_t u = g->src[order[t]], v = g->dst[order[t]];
        if (p->last[u] != NEVER) ioa_gap_histogram_add(&histogram, (int64_t)t - p->last[u], true);
        if (p->last[v] != NEVER) ioa_gap_histogram_add(&histogram, (int64_t)t - p->last[v], false);
        p->last[u] = p->last[v] = t;
    }
    return ioa_gap_histogram_price(&histogram, p->slots, g->W);
}

void ioa_order_prices_first(ioa_order_prices *p, const uint32_t *order, uint32_t adjustments, uint32_t *price)
{
    const uint32_t uniform = uniform_price(p, order);
    for (uint32_t c = 0; c < p->chunks; c++) price[c] = uniform;
    int64_t best = INT64_MIN;
    for (uint32_t i = 0, stale = 0; i < adjustments && stale < 4; i++) {
        /* The bound that these prices prove (priced.h). */
        const int64_t last = (int64_t)price[p->chunks - 1];
        const int64_t energy = ioa_order_prices_adjust(p, order, 2 * IOA_PRICED_RATE, price);
        const int64_t bound = energy - (int64_t)p->slots * (p->start[p->chunks] - last);
        stale = bound > best + llabs(best / 512) ? 0 : stale + 1;
        if (bound > best) best = bound;
    }
}
