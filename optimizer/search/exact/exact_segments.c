/* Segments of an order with what they depend on, each as a small exactly counted problem. */
#include "optimizer/search/exact/exact_segments.h"

#include "core/base/mem.h"
#include "optimizer/search/exact/exact_state.h"
#include "optimizer/search/segment/segment.h"

#include <ioanneal/memory.h>
#include <string.h>

void ioa_exact_sweep_clear(ioa_exact_sweep *s)
{
    void *const arrays[] = {s->left, s->last, s->local, s->absences, s->absent};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) ioa_free(arrays[i]);
    *s = (ioa_exact_sweep){0};
}

ioa_status ioa_exact_sweep_make(const ioa_graph *g, uint64_t memory, ioa_exact_sweep *s, ioa_error *error)
{
    if (memory < IOA_MEMORY_MIN || g->W == 0)
        return ioa_fail(error, IOA_ERR_INPUT, "order search: needs a connection and a memory of at least 3 slots");
    s->g = g;
    s->slots = ioa_exact_slots(g, memory);
    s->left = ioa_alloc(g->N, sizeof *s->left);
    s->last = ioa_alloc(g->N, sizeof *s->last);
    s->local = ioa_alloc(g->N, sizeof *s->local);
    s->absences = ioa_alloc(g->N, sizeof *s->absences);
    s->absent = ioa_alloc(g->W, sizeof *s->absent);
    if (!s->left || !s->last || !s->local || !s->absences || !s->absent)
        return ioa_fail_nomem(error, "segments", g->W + 16 * (uint64_t)g->N, 1);
    memset(s->local, 0xff, g->N * sizeof *s->local);
    return IOA_OK;
}

/* ---- the whole order ---- */

static uint32_t end_of_step(const ioa_graph *g, const uint32_t *order, uint32_t access)
{
    return (access & 1 ? g->dst : g->src)[order[access >> 1]];
}

static void all_left(ioa_exact_sweep *s)
{
    for (uint32_t x = 0; x < s->g->N; x++) s->left[x] = (uint32_t)ioa_graph_degree(s->g, x);
}

/* LRU along the order, as in exact.h: where sources are absent. */
static void count_absences(ioa_exact_sweep *s, const uint32_t *order)
{
    const ioa_graph *g = s->g;
    uint32_t bound = 0, residents = 0;
    all_left(s);
    memset(s->last, 0, g->N * sizeof *s->last);
    memset(s->absences, 0, g->N * sizeof *s->absences);
    for (uint32_t t = 0; t < g->W; t++) {
        const uint32_t ends[2] = {g->src[order[t]], g->dst[order[t]]}, oldest = bound;
        for (uint32_t side = 0; side < 2; side++) {
            const uint32_t x = ends[side];
            const bool absent = s->last[x] <= oldest; /* or never accessed */
            residents += absent;
            if (side == 0) {
                s->absent[t] = absent && s->last[x] != 0;
                s->absences[x] += s->absent[t];
            }
            s->last[x] = 1 + 2 * t + side;
            s->left[x]--;
        }
        for (; residents > s->slots; bound++) {
            const uint32_t x = end_of_step(g, order, bound);
            residents -= s->last[x] == bound + 1 && s->left[x] > 0;
        }
        residents -= (uint32_t)(s->left[ends[0]] == 0) + (uint32_t)(s->left[ends[1]] == 0);
    }
}

/* ---- a segment's surroundings ---- */

typedef struct stretch {
    uint32_t begin, first, behind, end; /* steps: [first, behind) move, the others of [begin, end) stay */
    uint32_t neurons;
    uint32_t *neuron;   /* [neurons] by first access */
    uint32_t *incoming; /* [neurons] accesses in the stretch */
    uint32_t *outgoing;
    uint32_t *absences; /* [neurons] outside of the stretch, and at the first access in it */
    uint8_t *at_first;  /* [neurons] 1: absent at the first access in the stretch, which is an outgoing one */
    bool *later;        /* [neurons] accessed behind it */
    uint32_t *step;     /* [end - begin] its connections */
    ioa_graph graph;
    uint32_t *src;      /* as graph.src */
    int64_t *indptr;    /* as graph.indptr */
} stretch;

static void forget(ioa_exact_sweep *s, const uint32_t *order, uint32_t from, uint32_t to)
{
    for (uint32_t t = from; t < to; t++) s->local[s->g->src[order[t]]] = s->local[s->g->dst[order[t]]] = UINT32_MAX;
}

/* s->left: from `first` on. */
static void look_back(ioa_exact_sweep *s, const uint32_t *order, stretch *r, uint32_t most, ioa_exact_swept *swept)
{
    uint32_t live = 0, t = r->first;
    while (t > 0 && r->first - t < most && live <= s->slots) {
        t--;
        for (uint32_t side = 0; side < 2; side++) {
            const uint32_t x = end_of_step(s->g, order, 2 * t + side);
            live += s->local[x] == UINT32_MAX && s->left[x] > 0;
            s->local[x] = 0;
        }
    }
    forget(s, order, t, r->first);
    swept->cut += t > 0 && live <= s->slots;
    r->begin = t;
}

/* s->left: from `behind` on; afterwards from `end` on. */
static void look_ahead(ioa_exact_sweep *s, const uint32_t *order, stretch *r, uint32_t most, ioa_exact_swept *swept)
{
    uint32_t live = 0, t = r->behind;
    for (; t < s->g->W && t - r->behind < most && live <= s->slots; t++)
        for (uint32_t side = 0; side < 2; side++) {
            const uint32_t x = end_of_step(s->g, order, 2 * t + side);
            const bool more = --s->left[x] > 0;
            if (s->local[x] == UINT32_MAX) live += more;
            else live -= !more;
            s->local[x] = 0;
        }
    forget(s, order, r->behind, t);
    swept->cut += t < s->g->W && live <= s->slots;
    r->end = t;
}

/* ---- the small problem ---- */

static void release(stretch *r)
{
    void *const arrays[] = {r->neuron, r->incoming, r->outgoing, r->absences, r->at_first, r->later,
                            r->step, r->src, r->graph.own_dst, r->indptr, r->graph.base, r->graph.flags};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) ioa_free(arrays[i]);
}

static bool allocate(const ioa_exact_sweep *s, stretch *r)
{
    const uint64_t w = r->end - r->begin, n = 2 * w < s->g->N ? 2 * w : s->g->N;
    r->neuron = ioa_alloc(n, sizeof *r->neuron);
    r->incoming = ioa_alloc(n, sizeof *r->incoming);
    r->outgoing = ioa_alloc(n, sizeof *r->outgoing);
    r->absences = ioa_alloc(n, sizeof *r->absences);
    r->at_first = ioa_alloc(n, sizeof *r->at_first);
    r->later = ioa_alloc(n, sizeof *r->later);
    r->step = ioa_alloc(w, sizeof *r->step);
    r->graph.src = r->src = ioa_alloc(w, sizeof *r->src);
    r->graph.dst = r->graph.own_dst = ioa_alloc(w, sizeof *r->graph.own_dst);
    r->graph.indptr = r->indptr = ioa_alloc(n + 1, sizeof *r->indptr);
    r->graph.base = ioa_alloc(n + 1, sizeof *r->graph.base);
    r->graph.flags = ioa_alloc(n, sizeof *r->graph.flags);
    return r->neuron && r->incoming && r->outgoing && r->absences && r->at_first && r->later && r->step && r->src
           && r->graph.own_dst && r->indptr && r->graph.base && r->graph.flags;
}

/* The neuron's number in the stretch. [out] *first: this is its first access. */
static uint32_t enter(ioa_exact_sweep *s, stretch *r, uint32_t x, bool *first)
{
    *first = s->local[x] == UINT32_MAX;
    if (*first) {
        const uint32_t i = s->local[x] = r->neurons++;
        r->neuron[i] = x;
        r->incoming[i] = r->outgoing[i] = 0;
        r->absences[i] = s->absences[x];
        r->at_first[i] = 0;
        r->later[i] = s->left[x] > 0;
        r->graph.flags[i] = s->g->flags[x];
    }
    return s->local[x];
}

/* s->left: from `end` on. */
static void fill(ioa_exact_sweep *s, const uint32_t *order, stretch *r)
{
    for (uint32_t t = r->begin; t < r->end; t++) {
        const uint32_t i = t - r->begin, e = r->step[i] = order[t];
        bool first;
        const uint32_t u = r->src[i] = enter(s, r, s->g->src[e], &first);
        r->outgoing[u]++;
        if (first) r->at_first[u] = s->absent[t];
        else r->absences[u] -= s->absent[t];
        const uint32_t v = r->graph.own_dst[i] = enter(s, r, s->g->dst[e], &first);
        r->incoming[v]++;
    }
    forget(s, order, r->begin, r->end);
    r->graph.N = r->neurons;
    r->graph.W = r->end - r->begin;
    r->indptr[0] = r->graph.base[0] = 0;
    for (uint32_t x = 0; x < r->neurons; x++) {
        r->indptr[x + 1] = r->indptr[x] + r->incoming[x];
        r->graph.base[x + 1] = r->graph.base[x] + r->incoming[x] + r->outgoing[x];
    }
}

/* The new sequence into the order, and what became of the absences. */
static void put_back(ioa_exact_sweep *s, const ioa_exact *x, const stretch *r, uint32_t *order)
{
    uint32_t n = x->nodes[x->g->W].next;
    for (uint32_t t = r->begin; t < r->end; t++, n = x->nodes[n].next) {
        const ioa_exact_node *node = &x->nodes[n];
        order[t] = r->step[node->connection];
        s->absent[t] = node->before[0] == IOA_EXACT_NONE ? r->at_first[node->neuron[0]] : node->flags & 1u;
    }
    for (uint32_t i = 0; i < r->neurons; i++) s->absences[r->neuron[i]] = x->absences[i];
}

static ioa_status anneal(ioa_exact_sweep *s, const stretch *r, const ioa_exact_course *c, uint64_t proposals, uint32_t index,
                         uint32_t *order, ioa_exact_swept *swept, ioa_error *error)
{
    const ioa_exact_part part = {.first = r->first - r->begin, .movable = r->behind - r->first,
                                 .absences = r->absences, .later = r->later};
    ioa_exact *x;
    ioa_status status = ioa_exact_create_part(&r->graph, &part, (uint64_t)s->slots + 1, &x, error);
    if (status != IOA_OK) return status;
    ioa_pcg32 rng = ioa_rng_keyed(c->key, IOA_RNG_SEGMENT, index, 1);
    const int64_t before = ioa_exact_excess(x);
    ioa_exact_tune(x, c->share);
    ioa_exact_run(x, c->temperature, proposals, &rng);
    swept->change += ioa_exact_excess(x) - before;
    swept->proposals += proposals;
    swept->steps += ioa_exact_statistics(x)->steps;
    ioa_move_counts_add(swept->moves, ioa_exact_statistics(x)->moves, IOA_EXACT_MOVE_COUNT);
    put_back(s, x, r, order);
    ioa_exact_destroy(x);
    return IOA_OK;
}

/* s->left: from the segment's first step on; afterwards from the step behind it on. */
static ioa_status anneal_segment(ioa_exact_sweep *s, const ioa_exact_course *c, uint32_t index, uint32_t first, uint32_t behind,
                                 uint32_t *order, ioa_exact_swept *swept, ioa_error *error)
{
    const uint32_t most = s->g->W / c->segments + 1;
    stretch r = {.first = first, .behind = behind};
    look_back(s, order, &r, most, swept);
    for (uint32_t a = 2 * first; a < 2 * behind; a++) s->left[end_of_step(s->g, order, a)]--;
    look_ahead(s, order, &r, most, swept);
    const bool complete = allocate(s, &r);
    if (complete) fill(s, order, &r);
    for (uint32_t a = 2 * behind; a < 2 * r.end; a++) s->left[end_of_step(s->g, order, a)]++;
    const uint64_t before = c->proposals * first / s->g->W, upto = c->proposals * behind / s->g->W;
    ioa_status status = complete ? anneal(s, &r, c, upto - before, index, order, swept, error)
                                 : ioa_fail_nomem(error, "a segment", r.end - r.begin, 100);
    release(&r);
    return status;
}

void ioa_exact_sweep_begin(ioa_exact_sweep *s, const uint32_t *order)
{
    count_absences(s, order);
    all_left(s);
    s->at = s->index = 0;
}

ioa_status ioa_exact_sweep_next(ioa_exact_sweep *s, const ioa_exact_course *c, uint32_t *order, ioa_exact_swept *swept,
                                ioa_error *error)
{
    const uint64_t w = s->g->W;
    uint64_t behind = s->at;
    while (behind <= s->at) behind = ioa_segments_end(w, ++s->index, c->segments, c->shifted); /* none is empty */
    if (behind > w) behind = w;
    const uint32_t first = s->at;
    s->at = (uint32_t)behind;
    return anneal_segment(s, c, s->index, first, s->at, order, swept, error);
}
