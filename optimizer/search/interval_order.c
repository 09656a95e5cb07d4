/* From a state to an order of connections.
 *
 * Connection u -> v is done at the first tick at which u is resident and v open. Within a tick, sources whose residency
 * ends come first (their slots become free), then those that only pass through, then those that stay; neurons that
 * close in this very tick and are used at once come last, by id, which is topological. */
#include "optimizer/search/interval_internal.h"

#include "core/mem.h"

#include <stdlib.h>

typedef struct event {
    uint64_t when; /* tick << 34 | class << 32 | source */
    uint32_t edge;
} event;

static int compare_events(const void *a, const void *b)
{
    const event *x = a, *y = b;
    if (x->when != y->when) return x->when < y->when ? -1 : 1;
    return (x->edge > y->edge) - (x->edge < y->edge);
}

/* First of count ascending ends whose tick is at least `least`. */
static int64_t first_end(const int32_t *ends, int64_t count, int32_t least)
{
    int64_t low = 0, high = count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (ioa_iv_tick(ends[middle]) < least) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* When u meets the unit, and in which class. The residency that serves it is the first to reach `open`. */
static uint64_t moment(const ioa_interval_state *s, uint32_t u, uint32_t unit)
{
    enum { LEAVES, PASSES, STAYS, BORN };
    const ioa_interval_problem *p = s->problem;
    int64_t offset = p->out_offsets[u], count = p->out_offsets[u + 1] - offset;
    const int32_t *ends = s->end + offset;
    const uint64_t *keys = s->key + offset;
    int32_t open = s->open[unit], born = ioa_iv_tick(ioa_iv_born(s, u)), t = born;
    bool loaded = false;
    if (born < open) {
        int64_t at = first_end(ends, count, open);
        loaded = !(keys[at] & 1);
        t = loaded ? ioa_iv_tick(ends[at]) : open;
    }
    uint64_t class = BORN;
    if (t != born) {
        int64_t after = first_end(ends, count, t + 1); /* where the residency goes on, if it does */
        bool stays = after < count && (keys[after] & 1);
        class = stays ? STAYS : loaded ? PASSES : LEAVES;
    }
    return (uint64_t)(uint32_t)t << 34 | class << 32 | u;
}

ioa_status ioa_interval_order(const ioa_interval_state *s, uint32_t *order, ioa_error *error)
{
    const ioa_interval_problem *p = s->problem;
    const ioa_network_arrays *a = &p->network->a;
    event *events = ioa_alloc(p->connections, sizeof *events);
    if (!events) return ioa_fail_nomem(error, "order", p->connections, sizeof *events);
    for (uint32_t v = 0; v < p->neurons; v++)
        for (int64_t e = a->indptr[v]; e < a->indptr[v + 1]; e++)
            events[e] = (event){ moment(s, a->indices[e], p->unit_of[v]), (uint32_t)e };
    if (p->connections > 1) qsort(events, p->connections, sizeof *events, compare_events);
    for (uint64_t i = 0; i < p->connections; i++) order[i] = events[i].edge;
    ioa_free(events);
    return IOA_OK;
}
