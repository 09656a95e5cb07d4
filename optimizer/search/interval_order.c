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

/* Scratch: 4 bytes per connection and tick. */
typedef struct sorting {
    uint32_t *tick;  /* [W] of each connection */
    uint32_t *start; /* [ticks + 1] steps of the ticks before */
    event *events;   /* of the tick with the most connections */
} sorting;

/* Fills tick and start; false if memory is out. */
static bool find_ticks(const ioa_interval_state *s, sorting *sort)
{
    const ioa_interval_problem *p = s->problem;
    const ioa_network_arrays *a = &p->network->a;
    uint64_t ticks = (uint64_t)s->ticks;
    uint32_t most = 0;
    sort->tick = ioa_alloc(p->connections, sizeof *sort->tick);
    sort->start = ioa_alloc_zero(ticks + 1, sizeof *sort->start);
    if (!sort->tick || !sort->start) return false;
    for (uint32_t v = 0; v < p->neurons; v++)
        for (int64_t e = a->indptr[v]; e < a->indptr[v + 1]; e++) {
            sort->tick[e] = (uint32_t)(moment(s, a->indices[e], p->unit_of[v]) >> 34);
            sort->start[sort->tick[e] + 1]++;
        }
    for (uint64_t t = 0; t < ticks; t++) {
        if (sort->start[t + 1] > most) most = sort->start[t + 1];
        sort->start[t + 1] += sort->start[t];
    }
    sort->events = ioa_alloc(most, sizeof *sort->events);
    return sort->events != NULL;
}

/* By tick first, which costs no comparisons, then each tick by itself. */
static void sort_steps(const ioa_interval_state *s, const sorting *sort, const uint32_t *destinations, uint32_t *order)
{
    const ioa_interval_problem *p = s->problem;
    for (uint64_t e = 0; e < p->connections; e++) order[sort->start[sort->tick[e]]++] = (uint32_t)e;
    for (uint32_t t = 0, from = 0; t < (uint32_t)s->ticks; from = sort->start[t++]) { /* start[t] is now the end of t */
        uint32_t count = sort->start[t] - from;
        for (uint32_t i = 0; i < count; i++) {
            uint32_t e = order[from + i];
            sort->events[i] = (event){ moment(s, p->network->a.indices[e], p->unit_of[destinations[e]]), e };
        }
        if (count > 1) qsort(sort->events, count, sizeof *sort->events, compare_events);
        for (uint32_t i = 0; i < count; i++) order[from + i] = sort->events[i].edge;
    }
}

ioa_status ioa_interval_order(const ioa_interval_state *s, uint32_t *order, ioa_error *error)
{
    uint32_t *owned;
    const uint32_t *destinations = ioa_network_borrow_destinations(s->problem->network, &owned);
    sorting sort = { 0 };
    ioa_status status = IOA_OK;
    if (destinations && find_ticks(s, &sort)) sort_steps(s, &sort, destinations, order);
    else status = ioa_fail_nomem(error, "order", s->problem->connections, 8);
    ioa_free(owned);
    ioa_free(sort.tick);
    ioa_free(sort.start);
    ioa_free(sort.events);
    return status;
}
