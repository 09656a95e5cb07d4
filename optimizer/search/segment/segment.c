/* A segment as a small problem of its own. */
#include "optimizer/search/segment/segment.h"

#include "core/base/mem.h"

#include <string.h>

/* The neurons of the segment by first access, and how often they are accessed in it. */
typedef struct census {
    uint32_t *neuron;   /* [neurons] */
    uint32_t *incoming; /* [neurons] */
    uint32_t *outgoing; /* [neurons] */
} census;

static void forget(const ioa_segment_task *t, const ioa_graph *g, uint32_t *local)
{
    for (uint32_t i = 0; i < t->count; i++) local[g->src[t->order[i]]] = local[g->dst[t->order[i]]] = UINT32_MAX;
}

static void take_census(const ioa_segment_task *t, const ioa_graph *g, uint32_t *local, census *c)
{
    uint32_t known = 0;
    for (uint32_t i = 0; i < t->count; i++) {
        const uint32_t ends[2] = {g->src[t->order[i]], g->dst[t->order[i]]};
        for (int k = 0; k < 2; k++) {
            const uint32_t x = ends[k];
            if (local[x] == UINT32_MAX) {
                local[x] = known;
                c->incoming[known] = c->outgoing[known] = 0;
                c->neuron[known++] = x;
            }
            (k ? c->incoming : c->outgoing)[local[x]]++;
        }
    }
}

/* A graph with its arrays, and the distances of the connections outside. */
typedef struct stretch {
    ioa_graph graph;
    uint32_t *src;   /* as graph.src */
    int64_t *indptr; /* as graph.indptr */
    int64_t *fixed;
} stretch;

static void release(stretch *s)
{
    ioa_free(s->src);
    ioa_free(s->graph.own_dst);
    ioa_free(s->indptr);
    ioa_free(s->graph.base);
    ioa_free(s->graph.flags);
    ioa_free(s->fixed);
}

static uint32_t count_outside(const ioa_segment_task *t)
{
    uint32_t outside = 0;
    for (uint32_t i = 0; i < t->neurons; i++)
        outside += (uint32_t)(t->before[i] != IOA_SEGMENT_NONE) + (uint32_t)(t->behind[i] != IOA_SEGMENT_NONE);
    return outside;
}

static bool allocate(const ioa_segment_task *t, stretch *s)
{
    uint64_t w = (uint64_t)t->count + count_outside(t), n = t->neurons + UINT64_C(1);
    s->graph.N = (uint32_t)n;
    s->graph.W = (uint32_t)w;
    s->graph.src = s->src = ioa_alloc(w, sizeof *s->src);
    s->graph.dst = s->graph.own_dst = ioa_alloc(w, sizeof *s->graph.own_dst);
    s->graph.indptr = s->indptr = ioa_alloc(n + 1, sizeof *s->indptr);
    s->graph.base = ioa_alloc(n + 1, sizeof *s->graph.base);
    s->graph.flags = ioa_alloc_zero(n, 1);
    s->fixed = ioa_alloc(w - t->count, sizeof *s->fixed);
    return s->src && s->graph.own_dst && s->indptr && s->graph.base && s->graph.flags && s->fixed;
}

/* A connection outside: its other end is the last neuron, which has no accesses. */
static void put_outside(stretch *s, uint32_t at, uint32_t movable, uint32_t x, bool outgoing, int64_t label)
{
    const uint32_t nobody = s->graph.N - 1;
    s->src[at] = outgoing ? x : nobody;
    s->graph.own_dst[at] = outgoing ? nobody : x;
    s->fixed[at - movable] = label;
}

static int64_t distance(uint32_t code)
{
    return (int64_t)(code & ~IOA_SEGMENT_OUTGOING) << IOA_SEGMENT_UNIT;
}

static void fill(const ioa_segment_task *t, const ioa_graph *g, const uint32_t *local, const census *c, stretch *s)
{
    uint32_t at = t->count;
    for (uint32_t i = 0; i < t->count; i++) {
        s->src[i] = local[g->src[t->order[i]]];
        s->graph.own_dst[i] = local[g->dst[t->order[i]]];
    }
    s->indptr[0] = s->graph.base[0] = 0;
    for (uint32_t x = 0; x < t->neurons; x++) {
        uint32_t in = c->incoming[x], out = c->outgoing[x];
        const bool has_before = t->before[x] != IOA_SEGMENT_NONE, has_behind = t->behind[x] != IOA_SEGMENT_NONE;
        /* All of its accesses from the last incoming one on are in here: whether it is spilled is decided here. */
        if (in > 0 && out > 0 && !has_behind) s->graph.flags[x] = g->flags[c->neuron[x]] & IOA_NEURON_SPILLS;
        if (has_before) {
            const bool outgoing = c->incoming[x] == 0; /* what it is makes no difference then */
            put_outside(s, at++, t->count, x, outgoing, -distance(t->before[x]));
            *(outgoing ? &out : &in) += 1;
        }
        if (has_behind) {
            const bool outgoing = t->behind[x] & IOA_SEGMENT_OUTGOING;
            put_outside(s, at++, t->count, x, outgoing, distance(t->behind[x]));
            *(outgoing ? &out : &in) += 1;
        }
        s->indptr[x + 1] = s->indptr[x] + in;
        s->graph.base[x + 1] = s->graph.base[x] + in + out;
    }
    s->indptr[s->graph.N] = s->indptr[t->neurons];
    s->graph.base[s->graph.N] = s->graph.base[t->neurons];
}

/* Puts the connections into the sequence the state has them in; `steps` [count] is scratch. */
static void reorder(const ioa_priced *priced, uint32_t *steps, uint32_t *order, uint32_t count)
{
    ioa_priced_order(priced, steps);
    for (uint32_t i = 0; i < count; i++) steps[i] = order[steps[i]];
    memcpy(order, steps, count * sizeof *order);
}

static ioa_status anneal(const stretch *s, const ioa_segment_task *t, ioa_move_counts *counts, ioa_error *error)
{
    const ioa_priced_part part = {.movable = t->count, .chunk = t->chunk, .price = t->price, .fixed = s->fixed};
    ioa_priced *priced;
    ioa_status status = ioa_priced_create_part(&s->graph, &part, &priced, error);
    if (status != IOA_OK) return status;
    ioa_pcg32 rng = ioa_rng_keyed(t->course.key, IOA_RNG_SEGMENT, t->index, 0);
    if (t->course.window) ioa_priced_tune(priced, t->course.share, t->course.window);
    ioa_priced_run(priced, t->course.temperature, t->course.proposals, &rng);
    ioa_priced_count(priced, NULL, counts);
    reorder(priced, s->src, t->order, t->count); /* the graph has served */
    ioa_priced_destroy(priced);
    return IOA_OK;
}

ioa_status ioa_segment_anneal(const ioa_graph *graph, const ioa_segment_task *task, uint32_t *local,
                              ioa_move_counts *counts, ioa_error *error)
{
    stretch s = {0};
    census c = {ioa_alloc(task->neurons, sizeof *c.neuron), ioa_alloc(task->neurons, sizeof *c.incoming),
                ioa_alloc(task->neurons, sizeof *c.outgoing)};
    bool complete = c.neuron && c.incoming && c.outgoing && allocate(task, &s);
    if (complete) {
        take_census(task, graph, local, &c);
        fill(task, graph, local, &c, &s);
        forget(task, graph, local);
    }
    ioa_free(c.neuron);
    ioa_free(c.incoming);
    ioa_free(c.outgoing);
    ioa_status status =
        complete ? anneal(&s, task, counts, error) : ioa_fail_nomem(error, "a segment", task->count, 44);
    release(&s);
    return status;
}
