/* Constructor: a sliding window of open destinations, chosen greedily by shared sources. */
#include "optimizer/search/interval/interval_internal.h"

#include "core/base/mem.h"

#include <string.h>

enum { WAITING = 0, READY, OPEN, CLOSED };

typedef struct window {
    const ioa_interval_problem *p;
    ioa_pcg32 *rng;
    uint8_t *phase;     /* [U] */
    uint32_t *missing;  /* [U] hidden sources not closed yet */
    uint32_t *pending;  /* [U] sources an open unit has not met yet */
    uint32_t *shared;   /* [U] sources of a unit that are wanted */
    uint64_t *opened;   /* [U] clock when the unit opened */
    uint64_t *seen;     /* [N] clock when a source was last resident */
    uint64_t clock;
    uint32_t *wanted;   /* [N] open units that wait for this source, + 1 if it is among the last used */
    uint32_t *open;     /* [U] open units */
    uint32_t open_count, open_weight;
    uint32_t *recent; /* ring of the sources used last, one per slot the window leaves over */
    uint8_t *is_recent; /* [N] */
    uint32_t recent_size, recent_at;
    /* ready destinations by number of new sources (row length - shared): buckets as doubly linked lists */
    uint32_t *bucket, *next, *prev; /* [buckets], [U], [U] */
    uint32_t buckets, lowest;
} window;

static uint32_t row_length(const ioa_interval_problem *p, uint32_t v) /* of a unit */
{
    uint32_t length;
    (void)ioa_iv_row(p, v, &length);
    return length;
}

static void unlink_ready(window *w, uint32_t v)
{
    uint32_t next = w->next[v], prev = w->prev[v];
    if (prev != IOA_IV_NONE) w->next[prev] = next;
    else w->bucket[row_length(w->p, v) - w->shared[v]] = next;
    if (next != IOA_IV_NONE) w->prev[next] = prev;
}

static void link_ready(window *w, uint32_t v)
{
    uint32_t fresh = row_length(w->p, v) - w->shared[v], *head = &w->bucket[fresh];
    w->next[v] = *head;
    w->prev[v] = IOA_IV_NONE;
    if (*head != IOA_IV_NONE) w->prev[*head] = v;
    *head = v;
    if (fresh < w->lowest) w->lowest = fresh;
}

static void want(window *w, uint32_t u, bool more)
{
    const ioa_interval_problem *p = w->p;
    bool crossed = more ? w->wanted[u]++ == 0 : --w->wanted[u] == 0;
    if (!crossed) return;
    for (int64_t at = p->out_offsets[u]; at < p->out_offsets[u + 1]; at++) {
        uint32_t v = p->out_unit[at];
        if (w->phase[v] == READY) unlink_ready(w, v);
        if (more) w->shared[v]++;
        else w->shared[v]--;
        if (w->phase[v] == READY) link_ready(w, v);
    }
}

static void use(window *w, uint32_t u)
{
    if (!w->recent_size || w->is_recent[u]) return;
    uint32_t old = w->recent[w->recent_at];
    w->recent[w->recent_at] = u;
    w->recent_at = (w->recent_at + 1) % w->recent_size;
    w->is_recent[u] = 1;
    want(w, u, true);
    if (old != IOA_IV_NONE) {
        w->is_recent[old] = 0;
        w->seen[old] = w->clock;
        want(w, old, false);
    }
}

/* Fewest new sources; of those, the one with the most sources shared among the first few, or a random one of these. */
static uint32_t pick_ready(window *w)
{
    enum { LOOK = 16 };
    while (w->lowest < w->buckets && w->bucket[w->lowest] == IOA_IV_NONE) w->lowest++;
    if (w->lowest == w->buckets) return IOA_IV_NONE;
    uint32_t best = IOA_IV_NONE, looked = 0, skip = w->rng ? ioa_pcg32_below(w->rng, LOOK) : LOOK;
    for (uint32_t v = w->bucket[w->lowest]; v != IOA_IV_NONE && looked < LOOK; v = w->next[v], looked++)
        if (best == IOA_IV_NONE || (looked <= skip && w->shared[v] > w->shared[best])) best = v;
    return best;
}

static bool met(const window *w, uint32_t u, uint32_t v) { return w->is_recent[u] || w->seen[u] >= w->opened[v]; }

static void open_unit(window *w, uint32_t v)
{
    uint32_t length;
    const uint32_t *row = ioa_iv_row(w->p, v, &length);
    unlink_ready(w, v);
    w->phase[v] = OPEN;
    w->opened[v] = ++w->clock;
    w->open[w->open_count++] = v;
    w->open_weight += (uint32_t)ioa_iv_weight(w->p, v);
    for (uint32_t i = 0; i < length; i++) {
        if (w->is_recent[row[i]]) continue;
        w->pending[v]++;
        want(w, row[i], true);
    }
}

/* Loads u and serves every open unit. */
static void serve(window *w, uint32_t u)
{
    const ioa_interval_problem *p = w->p;
    for (int64_t at = p->out_offsets[u]; at < p->out_offsets[u + 1]; at++) {
        uint32_t v = p->out_unit[at];
        if (w->phase[v] != OPEN || met(w, u, v)) continue;
        w->pending[v]--;
        want(w, u, false);
    }
    w->seen[u] = w->clock;
}

static uint32_t close_unit(window *w)
{
    const ioa_interval_problem *p = w->p;
    uint32_t best = 0, length;
    for (uint32_t i = 1; i < w->open_count; i++)
        if (w->pending[w->open[i]] < w->pending[w->open[best]]) best = i;
    uint32_t v = w->open[best];
    const uint32_t *row = ioa_iv_row(p, v, &length);
    for (uint32_t i = 0; i < length; i++) {
        if (!met(w, row[i], v)) serve(w, row[i]);
        use(w, row[i]);
    }
    w->open[best] = w->open[--w->open_count];
    w->open_weight -= (uint32_t)ioa_iv_weight(p, v);
    w->phase[v] = CLOSED;
    for (uint32_t m = p->member_offsets[v]; m < p->member_offsets[v + 1]; m++) {
        uint32_t u = p->members[m];
        for (int64_t at = p->out_offsets[u]; at < p->out_offsets[u + 1]; at++) {
            uint32_t to = p->out_unit[at];
            if (--w->missing[to]) continue;
            w->phase[to] = READY;
            link_ready(w, to);
        }
        if (p->out_offsets[u] < p->out_offsets[u + 1]) use(w, u);
    }
    return v;
}

static bool allocate(window *w)
{
    uint64_t n = w->p->neurons, units = w->p->units;
    w->phase = ioa_alloc_zero(units, sizeof *w->phase);
    w->missing = ioa_alloc_zero(units, sizeof *w->missing);
    w->pending = ioa_alloc_zero(units, sizeof *w->pending);
    w->shared = ioa_alloc_zero(units, sizeof *w->shared);
    w->opened = ioa_alloc_zero(units, sizeof *w->opened);
    w->seen = ioa_alloc_zero(n, sizeof *w->seen);
    w->wanted = ioa_alloc_zero(n, sizeof *w->wanted);
    w->open = ioa_alloc(units, sizeof *w->open);
    w->recent = ioa_alloc(w->recent_size, sizeof *w->recent);
    w->is_recent = ioa_alloc_zero(n, sizeof *w->is_recent);
    w->bucket = ioa_alloc(w->buckets, sizeof *w->bucket);
    w->next = ioa_alloc(units, sizeof *w->next);
    w->prev = ioa_alloc(units, sizeof *w->prev);
    return w->phase && w->missing && w->pending && w->shared && w->opened && w->seen && w->wanted && w->open &&
           w->recent && w->is_recent && w->bucket && w->next && w->prev;
}

static void release(window *w)
{
    void *const owned[] = { w->phase, w->missing, w->pending,   w->shared, w->opened, w->seen, w->wanted,
                            w->open,  w->recent,  w->is_recent, w->bucket, w->next,   w->prev };
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) ioa_free(owned[i]);
}

static void prepare(window *w)
{
    const ioa_interval_problem *p = w->p;
    for (uint32_t i = 0; i < w->buckets; i++) w->bucket[i] = IOA_IV_NONE;
    for (uint32_t i = 0; i < w->recent_size; i++) w->recent[i] = IOA_IV_NONE;
    for (uint32_t v = p->units; v-- > 0;) {
        uint32_t length;
        const uint32_t *row = ioa_iv_row(p, v, &length);
        for (uint32_t i = 0; i < length; i++) w->missing[v] += ioa_iv_hidden(p, row[i]);
        if (w->missing[v]) continue;
        w->phase[v] = READY;
        link_ready(w, v);
    }
}

/* Takes the next ready unit into the window if there is one and it fits. */
static bool grow(window *w, uint32_t size, int32_t tick, ioa_intervals *intervals)
{
    const ioa_interval_problem *p = w->p;
    uint32_t v = w->open_weight < size ? pick_ready(w) : IOA_IV_NONE;
    if (v == IOA_IV_NONE || (w->open_count && w->open_weight + (uint32_t)ioa_iv_weight(p, v) > size)) return false;
    for (uint32_t m = p->member_offsets[v]; m < p->member_offsets[v + 1]; m++) intervals->open[p->members[m]] = tick;
    open_unit(w, v);
    return true;
}

ioa_status ioa_intervals_window(const ioa_interval_problem *problem, uint32_t size, ioa_pcg32 *rng,
                                ioa_intervals *intervals, ioa_error *error)
{
    const ioa_interval_problem *p = problem;
    if (size < 1) size = 1;
    window w = { .p = p, .rng = rng, .buckets = p->max_in + 1 };
    int64_t over = (int64_t)p->slots - size;
    w.recent_size = over > 0 ? over < p->neurons ? (uint32_t)over : p->neurons : 0;
    ioa_status status = ioa_intervals_create(p->neurons, intervals, error);
    if (status != IOA_OK) return status;
    if (!allocate(&w)) {
        release(&w);
        ioa_intervals_destroy(intervals);
        return ioa_fail_nomem(error, "sliding window", p->neurons, 50);
    }
    prepare(&w);
    for (uint32_t tick = 0; tick < p->units; tick++) {
        while (grow(&w, size, (int32_t)tick, intervals)) continue;
        uint32_t v = close_unit(&w);
        for (uint32_t m = p->member_offsets[v]; m < p->member_offsets[v + 1]; m++)
            intervals->close[p->members[m]] = (int32_t)tick;
    }
    intervals->ticks = p->units ? (int32_t)p->units : 1;
    release(&w);
    return IOA_OK;
}
