/* From a state to an order of connections.
 *
 * Connection u -> v is done at the first tick at which u is resident and v open. Within a tick, sources whose residency
 * ends come first (their slots become free), then those that only pass through, then those that stay; neurons that
 * close in this very tick and are used at once come last, by id, which is topological. */
#include "optimizer/search/interval/interval_internal.h"

#include "core/base/mem.h"

#include <string.h>

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

enum { LEAVES, PASSES, STAYS, BORN, CLASSES };

/* When u meets the unit, and in which class: tick * CLASSES + class. The residency that serves it is the first to reach
 * `open`. */
static uint32_t moment(const ioa_interval_state *s, uint32_t u, int32_t born, int32_t open)
{
    const ioa_interval_problem *p = s->problem;
    int64_t offset = p->out_offsets[u], count = p->out_offsets[u + 1] - offset;
    const int32_t *ends = s->end + offset;
    const uint64_t *keys = s->key + offset;
    int32_t t = born;
    bool loaded = false;
    if (born < open) {
        int64_t at = first_end(ends, count, open);
        loaded = !(keys[at] & 1);
        t = loaded ? ioa_iv_tick(ends[at]) : open;
    }
    uint32_t class = BORN;
    if (t != born) {
        int64_t after = first_end(ends, count, t + 1); /* where the residency goes on, if it does */
        bool stays = after < count && (keys[after] & 1);
        class = stays ? STAYS : loaded ? PASSES : LEAVES;
    }
    return (uint32_t)t * CLASSES + class;
}

/* Scratch: 4 bytes per connection and unit, 16 per tick. */
typedef struct sorting {
    uint32_t *moment; /* [W] of each connection */
    uint32_t *start;  /* [CLASSES ticks + 1] steps of the moments before */
    uint32_t *done;   /* [U] sources of the unit so far, which come by id as in its row */
} sorting;

/* Source by source, whose lists are in cache then. */
static void find_moments(const ioa_interval_state *s, const sorting *sort)
{
    const ioa_interval_problem *p = s->problem;
    const ioa_network_arrays *a = &p->network->a;
    memset(sort->done, 0, p->units * sizeof *sort->done);
    for (uint32_t u = 0; u < p->neurons; u++) {
        const int32_t born = ioa_iv_tick(ioa_iv_born(s, u));
        for (int64_t at = p->out_offsets[u]; at < p->out_offsets[u + 1]; at++) {
            const uint32_t unit = p->out_unit[at], when = moment(s, u, born, s->open[unit]), i = sort->done[unit]++;
            for (uint32_t m = p->member_offsets[unit]; m < p->member_offsets[unit + 1]; m++)
                sort->moment[a->indptr[p->members[m]] + i] = when;
            sort->start[when + 1] += p->member_offsets[unit + 1] - p->member_offsets[unit];
        }
    }
    for (uint64_t i = 0; i < CLASSES * (uint64_t)s->ticks; i++) sort->start[i + 1] += sort->start[i];
}

/* By moment, then by source. */
static void place(const ioa_interval_state *s, const sorting *sort, uint32_t *order)
{
    const ioa_interval_problem *p = s->problem;
    memset(sort->done, 0, p->units * sizeof *sort->done);
    for (uint32_t u = 0; u < p->neurons; u++)
        for (int64_t at = p->out_offsets[u]; at < p->out_offsets[u + 1]; at++) {
            const uint32_t unit = p->out_unit[at], i = sort->done[unit]++;
            for (uint32_t m = p->member_offsets[unit]; m < p->member_offsets[unit + 1]; m++) {
                const uint32_t e = (uint32_t)p->network->a.indptr[p->members[m]] + i;
                order[sort->start[sort->moment[e]]++] = e;
            }
        }
}

/* Units of twins: connections of one moment and source by id, too. */
static void sort_alike(const ioa_interval_state *s, const sorting *sort, uint32_t *order)
{
    const uint32_t *source = s->problem->network->a.indices;
    for (uint64_t t = 1; t < s->problem->connections; t++) {
        const uint32_t e = order[t];
        uint64_t to = t;
        for (; to > 0 && order[to - 1] > e && source[order[to - 1]] == source[e] && sort->moment[order[to - 1]] == sort->moment[e]; to--)
            order[to] = order[to - 1];
        order[to] = e;
    }
}

ioa_status ioa_interval_order(const ioa_interval_state *s, uint32_t *order, ioa_error *error)
{
    const ioa_interval_problem *p = s->problem;
    sorting sort = { ioa_alloc(p->connections, sizeof *sort.moment),
                     ioa_alloc_zero(CLASSES * (uint64_t)s->ticks + 1, sizeof *sort.start),
                     ioa_alloc(p->units, sizeof *sort.done) };
    ioa_status status = IOA_OK;
    if (sort.moment && sort.start && sort.done) {
        find_moments(s, &sort);
        place(s, &sort, order);
        if (p->pairs < p->connections) sort_alike(s, &sort, order);
    } else {
        status = ioa_fail_nomem(error, "order", p->connections, 4);
    }
    ioa_free(sort.moment);
    ioa_free(sort.start);
    ioa_free(sort.done);
    return status;
}
