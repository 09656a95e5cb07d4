/* Blocks of twins, each next to what is resident: at the same depth while there is something to share, else deeper.
 *
 * Networks made of many small components per layer (butterflies, RadiX-Net) can be followed down as soon as a component
 * is complete: its last block is still resident and is read by the next depth without having been written. Two things
 * are weighed for the first member of a block: sources that are not resident (those of the block before and its members are),
 * and sources completed a moment ago, which need neither be written nor read again if they are used up now. Going
 * deeper must save DEEPER loads, since it ends a chain of blocks that hand sources on to each other. Networks without
 * twins get single neurons.
 *
 * What is near does not tell where several depths fall into components that fit into fast memory as a whole: parts of the
 * network (cascade_parts.h) are then handled one after the other, each in this way. */
#include "optimizer/search/construct/construct_cascade.h"

#include "core/base/mem.h"
#include "core/model/depth.h"
#include "core/model/order.h"
#include "optimizer/search/construct/cascade_parts.h"

#include <ioanneal/memory.h>
#include <string.h>

#define LOAD 1000   /* price of a missing source */
#define FRESH 10    /* a source completed a moment ago, at the same depth: decides ties */
#define DEEPER 8    /* loads */
#define FRESH_BLOCKS 2 /* for the sequence of sources within a block */
#define MOST_TRIED 3000000 /* connections of networks for which more than one setting is tried */

/* How much a fresh source counts at a greater depth, and for how many blocks it is fresh; and how many neurons a part of the
 * network may have at a depth that is handled to its end before the next, in eighths of a block's most members: 0: there are
 * no parts. */
typedef struct setting {
    int64_t fresh;
    uint32_t blocks, eighths;
} setting;

static const setting settings[] = {{10, 2, 0}, {300, 3, 0}, {10, 2, 8}, {10, 2, 16}, {300, 3, 32}};
enum { SETTINGS = sizeof settings / sizeof *settings };

/* Neurons of a part at a depth. */
static uint32_t most_in_part(const ioa_network *network, uint32_t size, unsigned which)
{
    uint64_t most = (uint64_t)size * settings[which].eighths / 8;
    return most < network->a.neurons ? (uint32_t)most : network->a.neurons;
}

typedef struct cascade {
    ioa_partition p;
    const setting *setting;
    uint32_t *depth;     /* [N] */
    uint32_t *part;      /* [N] of a destination; NULL: one */
    uint32_t *pending;   /* [N] incoming connections whose source is not complete */
    uint32_t *closed_in; /* [N] block whose member it was; NONE: none yet */
    uint64_t *ready;     /* [N] heap of candidates: part, or depth if there is one part only, and id */
    uint32_t ready_count;
} cascade;

static bool create(cascade *c, const ioa_network *network, uint32_t size, ioa_error *error)
{
    uint64_t n = network->a.neurons;
    if (ioa_partition_create(network, size, &c->p, error) != IOA_OK) return false;
    c->depth = ioa_alloc(n, sizeof *c->depth);
    c->pending = ioa_alloc_zero(n, sizeof *c->pending);
    c->closed_in = ioa_alloc(n, sizeof *c->closed_in);
    c->ready = ioa_alloc(n, sizeof *c->ready);
    if (c->setting->eighths) c->part = ioa_alloc(n, sizeof *c->part);
    return c->depth && c->pending && c->closed_in && c->ready && (c->part || !c->setting->eighths);
}

static void destroy(cascade *c)
{
    ioa_partition_destroy(&c->p);
    ioa_free(c->depth);
    ioa_free(c->part);
    ioa_free(c->pending);
    ioa_free(c->closed_in);
    ioa_free(c->ready);
}

/* ---- candidates that share nothing with what is resident: the first part's, the least deep first ---- */

static void push(cascade *c, uint32_t v)
{
    uint64_t key = (uint64_t)(c->part ? c->part : c->depth)[v] << 32 | v;
    uint32_t at = c->ready_count++;
    for (; at > 0 && c->ready[(at - 1) / 2] > key; at = (at - 1) / 2) c->ready[at] = c->ready[(at - 1) / 2];
    c->ready[at] = key;
}

static void pop(cascade *c)
{
    uint64_t key = c->ready[--c->ready_count];
    uint32_t at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= c->ready_count) break;
        if (child + 1 < c->ready_count && c->ready[child + 1] < c->ready[child]) child++;
        if (c->ready[child] >= key) break;
        c->ready[at] = c->ready[child];
        at = child;
    }
    c->ready[at] = key;
}

static uint32_t least_deep(cascade *c)
{
    while (c->ready_count && !c->p.candidate[(uint32_t)c->ready[0]]) pop(c);
    return c->ready_count ? (uint32_t)c->ready[0] : IOA_PARTITION_NONE;
}

/* ---- the choice of a block's first member ---- */

/* INT64_MAX if it cannot be below `limit`. */
static int64_t cost(const cascade *c, uint32_t v, int64_t limit)
{
    const ioa_network_arrays *a = &c->p.network->a;
    uint32_t last = c->p.placed ? c->depth[c->p.sequence[c->p.placed - 1]] : 0, deeper = c->depth[v] > last ? c->depth[v] - last : 0;
    int64_t each = deeper ? c->setting->fresh : FRESH, fresh = 0;
    int64_t whole = (int64_t)c->p.missing[v] * LOAD + (int64_t)deeper * DEEPER * LOAD + c->depth[v];
    if (whole - each * ioa_partition_fan_in(&c->p, v) > limit) return INT64_MAX;
    for (int64_t e = a->indptr[v]; e < a->indptr[v + 1]; e++) {
        uint32_t block = c->closed_in[a->indices[e]];
        fresh += block != IOA_PARTITION_NONE && block + c->setting->blocks >= c->p.blocks;
    }
    return whole - fresh * each;
}

/* The candidates that share something with what is resident are those touched by its arrival. */
static uint32_t choose(cascade *c)
{
    uint32_t first = least_deep(c), best = first;
    if (best == IOA_PARTITION_NONE) return best;
    int64_t least = cost(c, best, INT64_MAX);
    for (uint32_t i = 0; i < c->p.touched_count; i++) {
        uint32_t v = c->p.touched[i];
        if (!c->p.candidate[v] || (c->part && c->part[v] != c->part[first])) continue;
        int64_t other = cost(c, v, least);
        if (other > least || (other == least && v >= best)) continue;
        best = v;
        least = other;
    }
    return best;
}

/* The block's members are complete: they may make others ready, and are sources that are resident now. */
static void complete(cascade *c, uint32_t begin)
{
    ioa_partition *p = &c->p;
    const ioa_network_arrays *a = &p->network->a;
    uint32_t block = p->blocks;
    ioa_partition_close(p);
    for (uint32_t i = begin; i < p->placed; i++) {
        uint32_t x = p->sequence[i];
        c->closed_in[x] = block;
        for (int64_t o = p->out[x]; o < p->out[x + 1]; o++) {
            uint32_t y = p->out_neurons[o];
            if (--c->pending[y]) continue;
            ioa_partition_admit(p, y);
            push(c, y);
        }
    }
    ioa_partition_forget(p);
    for (uint32_t i = begin; i < p->placed; i++)
        for (int64_t e = a->indptr[p->sequence[i]]; e < a->indptr[p->sequence[i] + 1]; e++)
            if (p->block_of_source[a->indices[e]] == block) {
                p->block_of_source[a->indices[e]] = IOA_PARTITION_NONE; /* once each; no block has this number */
                ioa_partition_arrive(p, a->indices[e]);
            }
    for (uint32_t i = begin; i < p->placed; i++) ioa_partition_arrive(p, p->sequence[i]);
}

static void run(cascade *c, uint32_t size)
{
    ioa_partition *p = &c->p;
    const ioa_network_arrays *a = &p->network->a;
    memset(c->closed_in, 0xff, a->neurons * sizeof *c->closed_in);
    for (uint32_t v = 0; v < a->neurons; v++) {
        for (int64_t e = a->indptr[v]; e < a->indptr[v + 1]; e++)
            c->pending[v] += ioa_partition_fan_in(p, a->indices[e]) > 0;
        if (c->pending[v] || ioa_partition_fan_in(p, v) == 0) continue;
        ioa_partition_admit(p, v);
        push(c, v);
    }
    for (uint32_t first = choose(c); first != IOA_PARTITION_NONE && !ioa_partition_stopped(p); first = choose(c)) {
        uint32_t begin = p->placed;
        ioa_partition_forget(p);
        ioa_partition_place(p, first);
        uint32_t stop = begin + ioa_partition_share(1 + ioa_partition_twins(p), size);
        while (p->placed < stop) ioa_partition_place(p, ioa_partition_cheapest(p));
        complete(c, begin);
    }
}

/* Rows are told apart by a hash: a mistake costs nothing but time. */
static bool many_are_alike(const ioa_network *network)
{
    const ioa_network_arrays *a = &network->a;
    uint64_t rows = 0, alike = 0, slots = 1;
    while (slots < 2 * (uint64_t)a->neurons) slots *= 2;
    uint64_t *seen = ioa_alloc_zero(slots, sizeof *seen);
    if (!seen) return false;
    for (uint32_t v = 0; v < a->neurons; v++) {
        uint64_t hash = 1;
        for (int64_t e = a->indptr[v]; e < a->indptr[v + 1]; e++)
            hash = (hash ^ a->indices[e]) * UINT64_C(0x9e3779b97f4a7c15), hash ^= hash >> 29;
        if (a->indptr[v] == a->indptr[v + 1]) continue;
        uint64_t at = hash & (slots - 1);
        while (seen[at] && seen[at] != hash) at = (at + 1) & (slots - 1);
        rows++;
        alike += seen[at] == hash;
        seen[at] = hash;
    }
    ioa_free(seen);
    return 2 * alike >= rows;
}

/* Half of the destinations, in some setting. */
static bool many_are_in_parts(const ioa_network *network, uint64_t memory)
{
    uint64_t n = network->a.neurons, divided = 0, rows = 0;
    uint32_t *depth = ioa_alloc(n, sizeof *depth), *part = ioa_alloc(n, sizeof *part), deepest = 0, most = 0;
    bool many = false;
    if (depth && part) deepest = ioa_network_depths(network, depth);
    for (uint64_t v = 0; deepest && v < n; v++) rows += depth[v] > 0;
    for (unsigned which = 0; deepest && !many && which < SETTINGS; which++) {
        most = most_in_part(network, ioa_partition_size(network, memory), which);
        if (most == 0) continue;
        if (ioa_cascade_parts(network, depth, deepest, most, part, &divided, NULL) != IOA_OK) break;
        many = 2 * divided >= rows;
    }
    ioa_free(depth);
    ioa_free(part);
    return many;
}

/* Worth its time where many rows are alike, or in parts. */
bool ioa_construct_cascade_affordable(const ioa_network *network, uint64_t memory)
{
    return many_are_alike(network) || (network->connections <= MOST_TRIED && many_are_in_parts(network, memory));
}

ioa_status ioa_construct_cascade_blocks(const ioa_network *network, uint32_t size, unsigned which,
                                        ioa_construct_limits *limits, ioa_partition *blocks, ioa_error *error)
{
    cascade c = {.setting = &settings[which]};
    ioa_status status = create(&c, network, size, error) ? IOA_OK
                                                         : ioa_fail_nomem(error, "the cascade", network->a.neurons, 24);
    if (status == IOA_OK) {
        uint32_t deepest = ioa_network_depths(network, c.depth);
        uint64_t divided;
        if (c.part) status = ioa_cascade_parts(network, c.depth, deepest, most_in_part(network, size, which), c.part, &divided, error);
    }
    if (status == IOA_OK) {
        c.p.fresh = FRESH_BLOCKS;
        c.p.limits = limits; /* only to be told to stop: its work is near-linear where it is affordable */
        run(&c, size);
        c.p.limits = NULL;
        *blocks = c.p;
        c.p = (ioa_partition){0};
    }
    destroy(&c);
    return status;
}

static ioa_status build(const ioa_network *network, uint32_t size, unsigned which, ioa_construct_limits *limits,
                        uint32_t *order, ioa_error *error)
{
    ioa_partition p;
    ioa_status status = ioa_construct_cascade_blocks(network, size, which, limits, &p, error);
    if (status != IOA_OK) return status;
    if (!limits->stopped) status = ioa_partition_order(&p, order, error);
    ioa_partition_destroy(&p);
    return status;
}

unsigned ioa_construct_cascade_settings(const ioa_network *network)
{
    return network->connections > MOST_TRIED ? 1 : SETTINGS;
}

ioa_status ioa_construct_cascade_within(const ioa_network *network, uint64_t memory, ioa_construct_limits *limits,
                                        uint32_t *order, ioa_error *error)
{
    uint32_t size = ioa_partition_size(network, memory);
    uint64_t w = network->connections, best = UINT64_MAX;
    unsigned count = ioa_construct_cascade_settings(network);
    if (count == 1) return build(network, size, 0, limits, order, error);
    uint32_t *trial = ioa_alloc(w, sizeof *trial);
    ioa_status status = trial ? IOA_OK : ioa_fail_nomem(error, "an order", w, sizeof *trial);
    for (unsigned i = 0; status == IOA_OK && i < count; i++) {
        ioa_io io;
        status = build(network, size, i, limits, trial, error);
        if (limits->stopped) break;
        if (status == IOA_OK) status = ioa_memory_count(network, trial, memory, IOA_POLICY_MIN, &io, error);
        if (status != IOA_OK || io.reads + io.writes >= best) continue;
        best = io.reads + io.writes;
        memcpy(order, trial, w * sizeof *order);
    }
    ioa_free(trial);
    return status;
}

ioa_status ioa_construct_cascade(const ioa_network *network, uint64_t memory, uint32_t *order, ioa_error *error)
{
    ioa_construct_limits limits = {.work = ioa_construct_work(network)};
    return ioa_construct_cascade_within(network, memory, &limits, order, error);
}
