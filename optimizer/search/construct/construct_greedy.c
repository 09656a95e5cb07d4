/* Greedy neuron order. Whole neurons are handled one after the other; next comes the one with the lowest score: one
 * point per absent source, less 2 / r for a resident source with r uses left, so that a last use, which frees a slot,
 * counts most. Strong where rows are very sparse. Residency is followed by a least-recently-used model of
 * M - 2 neurons, which is close enough to choose by. */
#include "optimizer/search/construct/construct.h"

#include "core/base/mem.h"
#include "core/model/network.h"

#include <string.h>

#define NONE UINT32_MAX
#define BONUS_UNIT 64 /* a remaining-uses bonus of 2 / r in fixed point */

/* Work the automatic choice is ready to spend, in touched candidates. Long rows exceed it first, and gain
 * nothing from this method. */
#define AFFORDABLE_WORK 1.0e8
#define LOOK_AFTER 1000000 /* elements touched between two looks at whether to stop */

typedef struct entry {
    int64_t key; /* score in 1 / BONUS_UNIT points: the smallest goes first */
    uint32_t neuron;
} entry;

typedef struct greedy {
    const ioa_network *network;
    int64_t *out;          /* [N + 1] */
    uint32_t *out_neurons; /* [W] */
    uint32_t *incomplete;  /* [N] sources not yet complete: 0 makes a neuron a candidate */
    uint32_t *absent;      /* [N] sources not resident */
    uint32_t *bonus;       /* [N] sum over resident sources of 2 BONUS_UNIT / remaining uses */
    uint32_t *remaining;   /* [N] uses as a source still to come */
    bool *done;            /* [N] */
    uint32_t *newer, *older; /* [N + 1] recency list of residents, anchored at N; NONE: absent */
    uint64_t resident, capacity;
    entry *heap; /* stale entries are skipped when they surface */
    uint64_t heap_count, heap_capacity;
    ioa_construct_limits *limits; /* NULL: none */
    uint64_t work, looked;        /* elements touched; when the limits were looked at */
} greedy;

static int64_t key_of(const greedy *g, uint32_t v)
{
    return (int64_t)BONUS_UNIT * g->absent[v] - g->bonus[v];
}

static bool entry_before(entry a, entry b)
{
    return a.key != b.key ? a.key < b.key : a.neuron < b.neuron;
}

/* Neurons whose entries are all stale, or not worth their place any more, are found by going through all neurons: a
 * candidate needs one entry, with its present key. The sequence in which they surface stays the same. */
static bool sweep(greedy *g);

static bool push(greedy *g, uint32_t v)
{
    if (g->heap_count == g->heap_capacity && g->heap_count > 4 * (uint64_t)g->network->a.neurons) return sweep(g);
    if (g->heap_count == g->heap_capacity) {
        entry *larger = ioa_alloc(g->heap_capacity * 2, sizeof *larger);
        if (!larger) return false;
        memcpy(larger, g->heap, g->heap_count * sizeof *larger);
        ioa_free(g->heap);
        g->heap = larger;
        g->heap_capacity *= 2;
    }
    entry e = {key_of(g, v), v};
    uint64_t at = g->heap_count++;
    for (; at > 0 && entry_before(e, g->heap[(at - 1) / 2]); at = (at - 1) / 2) g->heap[at] = g->heap[(at - 1) / 2];
    g->heap[at] = e;
    return true;
}

static bool sweep(greedy *g)
{
    g->heap_count = 0;
    for (uint32_t v = 0; v < g->network->a.neurons; v++) /* fits: there is room for four times as many */
        if (!g->done[v] && g->incomplete[v] == 0 && g->network->a.indptr[v + 1] > g->network->a.indptr[v] && !push(g, v))
            return false;
    return true;
}

static entry pop(greedy *g)
{
    entry top = g->heap[0], last = g->heap[--g->heap_count];
    uint64_t at = 0;
    for (uint64_t child; (child = 2 * at + 1) < g->heap_count; at = child) {
        if (child + 1 < g->heap_count && entry_before(g->heap[child + 1], g->heap[child])) child++;
        if (!entry_before(g->heap[child], last)) break;
        g->heap[at] = g->heap[child];
    }
    g->heap[at] = last;
    return top;
}

static uint32_t bonus_for(uint32_t remaining)
{
    return remaining ? 2 * BONUS_UNIT / remaining : 0;
}

static bool is_resident(const greedy *g, uint32_t u)
{
    return g->newer[u] != NONE;
}

/* Residency of u changes: its waiting destinations see one absent source more or less. */
static bool tell_destinations(greedy *g, uint32_t u, bool arrives)
{
    uint32_t bonus = bonus_for(g->remaining[u]);
    g->work += (uint64_t)(g->out[u + 1] - g->out[u]);
    for (int64_t o = g->out[u]; o < g->out[u + 1]; o++) {
        uint32_t x = g->out_neurons[o];
        if (g->done[x]) continue;
        g->absent[x] += arrives ? UINT32_MAX : 1;
        g->bonus[x] += arrives ? bonus : 0u - bonus;
        if (arrives && g->incomplete[x] == 0 && !push(g, x)) return false;
    }
    return true;
}

static void unlink_resident(greedy *g, uint32_t u)
{
    g->older[g->newer[u]] = g->older[u];
    g->newer[g->older[u]] = g->newer[u];
    g->newer[u] = NONE;
    g->resident--;
}

static void link_newest(greedy *g, uint32_t u)
{
    uint32_t anchor = g->network->a.neurons;
    g->newer[u] = anchor;
    g->older[u] = g->older[anchor];
    g->newer[g->older[anchor]] = u;
    g->older[anchor] = u;
    g->resident++;
}

static bool make_resident(greedy *g, uint32_t u)
{
    if (is_resident(g, u)) {
        unlink_resident(g, u);
        link_newest(g, u);
        return true;
    }
    if (g->resident == g->capacity) {
        uint32_t oldest = g->newer[g->network->a.neurons];
        unlink_resident(g, oldest);
        if (!tell_destinations(g, oldest, false)) return false;
    }
    link_newest(g, u);
    return tell_destinations(g, u, true);
}

/* One use of u is over: the bonus of its remaining destinations grows, or u goes. */
static bool use(greedy *g, uint32_t u)
{
    uint32_t before = bonus_for(g->remaining[u]--), after = bonus_for(g->remaining[u]);
    if (g->remaining[u] == 0) {
        unlink_resident(g, u);
        return true;
    }
    if (before == after) return true;
    g->work += (uint64_t)(g->out[u + 1] - g->out[u]);
    for (int64_t o = g->out[u]; o < g->out[u + 1]; o++) {
        uint32_t x = g->out_neurons[o];
        if (g->done[x]) continue;
        g->bonus[x] += after - before;
        if (g->incomplete[x] == 0 && !push(g, x)) return false;
    }
    return true;
}

static bool complete_neuron(greedy *g, uint32_t v)
{
    for (int64_t o = g->out[v]; o < g->out[v + 1]; o++) {
        uint32_t x = g->out_neurons[o];
        if (--g->incomplete[x] == 0 && !push(g, x)) return false;
    }
    return g->remaining[v] == 0 || make_resident(g, v);
}

static bool handle(greedy *g, uint32_t v)
{
    const ioa_network_arrays *a = &g->network->a;
    g->done[v] = true;
    for (int pass = 0; pass < 2; pass++) /* resident sources first, before loading others pushes them out */
        for (int64_t e = a->indptr[v]; e < a->indptr[v + 1]; e++)
            if ((pass == 0) == is_resident(g, a->indices[e]) && g->remaining[a->indices[e]])
                if (!make_resident(g, a->indices[e])) return false;
    for (int64_t e = a->indptr[v]; e < a->indptr[v + 1]; e++) {
        uint32_t u = a->indices[e];
        if (!is_resident(g, u)) { /* pushed out by its own siblings: the row is wider than the memory */
            g->remaining[u]--;
            continue;
        }
        if (!use(g, u)) return false;
    }
    return complete_neuron(g, v);
}

/* Connections of v in the sequence the model assumes: resident sources first. */
static void emit(const greedy *g, uint32_t v, uint32_t *order, uint64_t *step)
{
    const ioa_network_arrays *a = &g->network->a;
    for (int pass = 0; pass < 2; pass++)
        for (int64_t e = a->indptr[v]; e < a->indptr[v + 1]; e++)
            if ((pass == 0) == is_resident(g, a->indices[e])) order[(*step)++] = (uint32_t)e;
}

/* Out of work, or told to stop? */
static bool ended(greedy *g)
{
    if (!g->limits) return false;
    if (g->work - g->looked >= LOOK_AFTER) {
        g->looked = g->work;
        ioa_construct_told_to_stop(g->limits);
    }
    return g->limits->stopped || g->work > g->limits->work;
}

/* What is left, by id. */
static void finish(const greedy *g, uint32_t *order, uint64_t step)
{
    const ioa_network_arrays *a = &g->network->a;
    for (uint32_t v = 0; v < a->neurons; v++)
        for (int64_t e = a->indptr[v]; !g->done[v] && e < a->indptr[v + 1]; e++) order[step++] = (uint32_t)e;
}

static bool run(greedy *g, uint32_t *order)
{
    uint64_t step = 0;
    for (uint32_t v = 0; v < g->network->a.neurons; v++) {
        bool constant = g->network->a.indptr[v] == g->network->a.indptr[v + 1];
        if (!constant && g->incomplete[v] == 0 && !push(g, v)) return false;
    }
    while (g->heap_count) {
        if (ended(g)) {
            finish(g, order, step);
            return true;
        }
        entry top = pop(g);
        if (g->done[top.neuron]) continue;
        int64_t key = key_of(g, top.neuron);
        if (key > top.key) { /* got worse since it was pushed */
            if (!push(g, top.neuron)) return false;
            continue;
        }
        emit(g, top.neuron, order, &step);
        if (!handle(g, top.neuron)) return false;
    }
    return step == g->network->connections;
}

static bool prepare(greedy *g, uint64_t memory)
{
    const ioa_network_arrays *a = &g->network->a;
    uint64_t n = a->neurons, w = g->network->connections;
    g->capacity = memory - 2;
    g->heap_capacity = 1024;
    g->out = ioa_alloc(n + 1, sizeof *g->out);
    g->out_neurons = ioa_alloc(w, sizeof *g->out_neurons);
    g->incomplete = ioa_alloc_zero(n, sizeof *g->incomplete);
    g->absent = ioa_alloc(n, sizeof *g->absent);
    g->bonus = ioa_alloc_zero(n, sizeof *g->bonus);
    g->remaining = ioa_alloc(n, sizeof *g->remaining);
    g->done = ioa_alloc_zero(n, sizeof *g->done);
    g->newer = ioa_alloc(n + 1, sizeof *g->newer);
    g->older = ioa_alloc(n + 1, sizeof *g->older);
    g->heap = ioa_alloc(g->heap_capacity, sizeof *g->heap);
    if (!g->out || !g->out_neurons || !g->incomplete || !g->absent || !g->bonus || !g->remaining || !g->done ||
        !g->newer || !g->older || !g->heap)
        return false;
    ioa_network_outgoing(g->network, g->out, NULL, g->out_neurons);
    memset(g->newer, 0xff, n * sizeof *g->newer);
    g->newer[n] = g->older[n] = (uint32_t)n;
    for (uint32_t v = 0; v < n; v++) {
        g->remaining[v] = (uint32_t)(g->out[v + 1] - g->out[v]);
        g->absent[v] = (uint32_t)(a->indptr[v + 1] - a->indptr[v]);
        for (int64_t e = a->indptr[v]; e < a->indptr[v + 1]; e++)
            g->incomplete[v] += a->indptr[a->indices[e]] < a->indptr[a->indices[e] + 1];
    }
    return true;
}

ioa_status ioa_construct_greedy(const ioa_network *network, uint64_t memory, uint32_t *order, ioa_error *error)
{
    return ioa_construct_greedy_within(network, memory, NULL, order, error);
}

ioa_status ioa_construct_greedy_within(const ioa_network *network, uint64_t memory, ioa_construct_limits *limits,
                                       uint32_t *order, ioa_error *error)
{
    const size_t bytes = network->connections * sizeof *order;
    if (limits && limits->greedy_kept) {
        memcpy(order, limits->greedy, bytes);
        return IOA_OK;
    }
    greedy g = {.network = network, .limits = limits};
    bool complete = prepare(&g, memory) && run(&g, order);
    void *const arrays[] = {g.out,  g.out_neurons, g.incomplete, g.absent, g.bonus,
                            g.remaining, g.done,   g.newer,      g.older,  g.heap};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) ioa_free(arrays[i]);
    if (!complete) return ioa_fail_nomem(error, "the greedy order", network->connections, 8);
    if (limits && limits->greedy && !limits->stopped) {
        memcpy(limits->greedy, order, bytes);
        limits->greedy_kept = true;
    }
    return IOA_OK;
}

bool ioa_construct_greedy_affordable(const ioa_network *network, uint64_t memory)
{
    (void)memory;
    /* Every residency of a source touches all of its destinations: about the sum of squared fan-outs. */
    const ioa_network_arrays *a = &network->a;
    double fan_out = (double)network->connections / (double)a->neurons;
    return (double)network->connections * fan_out <= AFFORDABLE_WORK;
}
