/* Blocks of similar destinations. Destinations of equal depth are cut into blocks of M - 2; the members of a block
 * stay resident as partial sums while each of their sources is loaded once and feeds all of them. Blocks grow
 * greedily: the destination with the fewest sources the block does not have yet joins next. The loads of the order are
 * the connectivity of the partition (as in hypergraph partitioning), less what stays resident between two blocks. */
#include "optimizer/search/construct.h"

#include "core/mem.h"
#include "core/network.h"

#include <string.h>

#define NONE UINT32_MAX

/* A source with more destinations than this many blocks hold belongs to nearly every block and says nothing about
 * similarity; following it would make the work quadratic. */
#define COMMON_SOURCE_BLOCKS 16

#define LOOK_AFTER 4000000 /* elements touched between two looks at whether to stop */

/* The partition while it grows. Candidates (unplaced destinations of the current depth) hang in lists by the number of
 * their sources that the current block lacks. */
typedef struct partition {
    const ioa_network *network;
    int64_t *out;             /* [N + 1] */
    uint32_t *out_neurons;    /* [W] */
    uint32_t *missing;        /* [N] */
    uint32_t *next, *prev;    /* [N] lists of candidates */
    uint32_t *head;           /* [largest fan-in + 1] */
    bool *candidate;          /* [N] */
    uint32_t lowest;          /* no candidate lacks fewer */
    uint32_t *block_of_source; /* [N] last block that got the source */
    uint32_t *touched;        /* [N] candidates whose `missing` is not their fan-in */
    uint32_t touched_count;
    int64_t limit;            /* sources with more destinations are not followed */
    uint32_t sample;          /* of 2^32: of the others, those followed */
    uint32_t *rows;           /* [N] sources of a neuron, without those left out of the sample */
    ioa_construct_limits *limits; /* NULL: none */
    uint64_t work;            /* elements touched since the limits were looked at */
    uint32_t *sequence;       /* [N] destinations, block by block */
    uint32_t *block_end;      /* [N] end of each block in `sequence` */
    uint32_t blocks, placed;
} partition;

static uint32_t fan_in(const ioa_network *network, uint32_t v)
{
    return (uint32_t)(network->a.indptr[v + 1] - network->a.indptr[v]);
}

static void unlink_candidate(partition *p, uint32_t v)
{
    if (p->prev[v] == NONE)
        p->head[p->missing[v]] = p->next[v];
    else
        p->next[p->prev[v]] = p->next[v];
    if (p->next[v] != NONE) p->prev[p->next[v]] = p->prev[v];
}

static void link_candidate(partition *p, uint32_t v)
{
    uint32_t *head = &p->head[p->missing[v]];
    p->prev[v] = NONE;
    p->next[v] = *head;
    if (*head != NONE) p->prev[*head] = v;
    *head = v;
    if (p->missing[v] < p->lowest) p->lowest = p->missing[v];
}

static bool in_sample(const partition *p, uint32_t u)
{
    return p->sample == UINT32_MAX || u * UINT32_C(2654435761) < p->sample;
}

static bool stopped(partition *p)
{
    if (!p->limits) return false;
    if (!p->limits->stopped && p->limits->stop && p->work >= LOOK_AFTER) {
        p->work = 0;
        p->limits->stopped = p->limits->stop(p->limits->context);
    }
    return p->limits->stopped;
}

static void source_arrives(partition *p, uint32_t u)
{
    if (p->out[u + 1] - p->out[u] > p->limit || !in_sample(p, u)) return;
    p->work += (uint64_t)(p->out[u + 1] - p->out[u]);
    for (int64_t o = p->out[u]; o < p->out[u + 1]; o++) {
        uint32_t x = p->out_neurons[o];
        if (!p->candidate[x]) continue;
        if (p->missing[x] == p->rows[x]) p->touched[p->touched_count++] = x;
        unlink_candidate(p, x);
        p->missing[x]--;
        link_candidate(p, x);
    }
}

static void place(partition *p, uint32_t v)
{
    const ioa_network_arrays *a = &p->network->a;
    unlink_candidate(p, v);
    p->candidate[v] = false;
    p->sequence[p->placed++] = v;
    for (int64_t e = a->indptr[v]; e < a->indptr[v + 1]; e++) {
        if (p->block_of_source[a->indices[e]] == p->blocks) continue;
        p->block_of_source[a->indices[e]] = p->blocks;
        source_arrives(p, a->indices[e]);
    }
}

static uint32_t cheapest(partition *p)
{
    while (p->head[p->lowest] == NONE) p->lowest++;
    return p->head[p->lowest];
}

/* Forgets the sources of the block that was closed. */
static void forget_sources(partition *p)
{
    for (uint32_t i = 0; i < p->touched_count; i++) {
        uint32_t x = p->touched[i];
        if (!p->candidate[x]) continue;
        unlink_candidate(p, x);
        p->missing[x] = p->rows[x];
        link_candidate(p, x);
    }
    p->touched_count = 0;
}

/* Candidates that need no further source. */
static uint32_t count_twins(const partition *p)
{
    uint32_t count = 0;
    for (uint32_t v = p->head[0]; v != NONE; v = p->next[v]) count++;
    return count;
}

/* Members of each block if `count` are cut into as few blocks of at most `size` as possible: a short rest would cost as
 * many loads as a full block. */
static uint32_t even_share(uint32_t count, uint32_t size)
{
    uint32_t blocks = (count + size - 1) / size;
    return (count + blocks - 1) / blocks;
}

/* Cuts the candidates, `count` of them, into blocks of at most `size`; with `twins` a block takes only destinations
 * that need no further source. The first of a block is the one closest to the block before, so that sources resident
 * at the change are used. */
static void cut(partition *p, uint32_t count, uint32_t size, bool twins)
{
    uint32_t end = p->placed + count;
    while (p->placed < end && !stopped(p)) {
        uint32_t first = cheapest(p), stop = end - p->placed < size ? end : p->placed + size;
        forget_sources(p);
        place(p, first);
        if (twins) stop = p->placed - 1 + even_share(1 + count_twins(p), size);
        while (p->placed < stop) place(p, cheapest(p));
        p->block_end[p->blocks++] = p->placed;
    }
    p->touched_count = 0;
}

/* ---- from the partition to the order ---- */

typedef struct stream {
    uint32_t *seen_in;  /* [N] last block in which the source was streamed */
    uint32_t *wanted_by; /* [N] the following block, if it has the source */
    uint32_t *place_of; /* [N] position of the source in `sources` while its block is laid out */
    uint32_t *sources;  /* [N] of one block */
    uint32_t *sorted;   /* [N] the same, shared with the block before first, with the one after last */
    uint32_t *start;    /* [N + 1] where each source's connections go */
} stream;

static void lay_out_block(const partition *p, stream *s, uint32_t block, uint32_t *order, uint64_t *step)
{
    const ioa_network_arrays *a = &p->network->a;
    uint32_t begin = block ? p->block_end[block - 1] : 0, end = p->block_end[block], count = 0;
    uint32_t after = block + 1 < p->blocks ? p->block_end[block + 1] : end;
    for (uint32_t i = end; i < after; i++)
        for (int64_t e = a->indptr[p->sequence[i]]; e < a->indptr[p->sequence[i] + 1]; e++)
            s->wanted_by[a->indices[e]] = block + 1;
    for (uint32_t i = begin; i < end; i++)
        for (int64_t e = a->indptr[p->sequence[i]]; e < a->indptr[p->sequence[i] + 1]; e++) {
            uint32_t u = a->indices[e];
            bool known = s->place_of[u] < count && s->sources[s->place_of[u]] == u;
            if (!known) {
                s->place_of[u] = count;
                s->sources[count] = u;
                s->start[count++] = 0;
            }
            s->start[s->place_of[u]]++;
        }
    uint32_t sorted = 0;
    for (int group = 0; group < 3; group++)
        for (uint32_t i = 0; i < count; i++) {
            uint32_t u = s->sources[i];
            int mine = block && s->seen_in[u] == block - 1 ? 0 : s->wanted_by[u] == block + 1 ? 2 : 1;
            if (mine == group) s->sorted[sorted++] = i;
        }
    uint32_t offset = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t connections = s->start[s->sorted[i]];
        s->start[s->sorted[i]] = offset;
        offset += connections;
    }
    for (uint32_t i = begin; i < end; i++)
        for (int64_t e = a->indptr[p->sequence[i]]; e < a->indptr[p->sequence[i] + 1]; e++)
            order[*step + s->start[s->place_of[a->indices[e]]]++] = (uint32_t)e;
    for (uint32_t i = 0; i < count; i++) s->seen_in[s->sources[i]] = block;
    for (uint32_t i = begin; i < end; i++) s->seen_in[p->sequence[i]] = block;
    *step += offset;
}

static bool lay_out(const partition *p, uint32_t *order)
{
    uint64_t n = p->network->a.neurons, step = 0;
    stream s = {.seen_in = ioa_alloc(n, sizeof *s.seen_in),
                .wanted_by = ioa_alloc(n, sizeof *s.wanted_by),
                .place_of = ioa_alloc_zero(n, sizeof *s.place_of),
                .sources = ioa_alloc_zero(n, sizeof *s.sources),
                .sorted = ioa_alloc(n, sizeof *s.sorted),
                .start = ioa_alloc(n + 1, sizeof *s.start)};
    bool complete = s.seen_in && s.wanted_by && s.place_of && s.sources && s.sorted && s.start;
    if (complete) {
        memset(s.seen_in, 0xff, n * sizeof *s.seen_in);
        memset(s.wanted_by, 0xff, n * sizeof *s.wanted_by);
        for (uint32_t block = 0; block < p->blocks; block++) lay_out_block(p, &s, block, order, &step);
    }
    ioa_free(s.seen_in);
    ioa_free(s.wanted_by);
    ioa_free(s.place_of);
    ioa_free(s.sources);
    ioa_free(s.sorted);
    ioa_free(s.start);
    return complete;
}

/* ---- the whole ---- */

static bool allocate(partition *p)
{
    uint64_t n = p->network->a.neurons, w = p->network->connections;
    uint32_t largest = 0;
    for (uint32_t v = 0; v < n; v++)
        if (fan_in(p->network, v) > largest) largest = fan_in(p->network, v);
    p->out = ioa_alloc(n + 1, sizeof *p->out);
    p->out_neurons = ioa_alloc(w, sizeof *p->out_neurons);
    p->missing = ioa_alloc(n, sizeof *p->missing);
    p->rows = ioa_alloc(n, sizeof *p->rows);
    p->next = ioa_alloc(n, sizeof *p->next);
    p->prev = ioa_alloc(n, sizeof *p->prev);
    p->head = ioa_alloc((uint64_t)largest + 1, sizeof *p->head);
    p->candidate = ioa_alloc_zero(n, sizeof *p->candidate);
    p->block_of_source = ioa_alloc(n, sizeof *p->block_of_source);
    p->touched = ioa_alloc(n, sizeof *p->touched);
    p->sequence = ioa_alloc(n, sizeof *p->sequence);
    p->block_end = ioa_alloc(n, sizeof *p->block_end);
    if (!p->out || !p->out_neurons || !p->missing || !p->rows || !p->next || !p->prev || !p->head || !p->candidate ||
        !p->block_of_source || !p->touched || !p->sequence || !p->block_end)
        return false;
    memset(p->head, 0xff, ((size_t)largest + 1) * sizeof *p->head);
    memset(p->block_of_source, 0xff, n * sizeof *p->block_of_source);
    return true;
}

static void release(partition *p)
{
    void *const arrays[] = {p->out,  p->out_neurons, p->missing, p->rows, p->next,    p->prev,     p->head,
                            p->candidate, p->block_of_source, p->touched, p->sequence, p->block_end};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) ioa_free(arrays[i]);
}

/* Depth by depth: all sources of a depth are complete before its first destination. */
static bool cut_by_depth(partition *p, uint32_t size, bool twins)
{
    uint32_t n = p->network->a.neurons;
    uint32_t *depth = ioa_alloc(n, sizeof *depth), *by_depth = ioa_alloc(n, sizeof *by_depth), *start = NULL;
    bool complete = depth && by_depth;
    if (complete) {
        uint32_t deepest = ioa_network_depths(p->network, depth);
        start = ioa_alloc_zero((uint64_t)deepest + 2, sizeof *start);
        complete = start != NULL;
        for (uint32_t v = 0; complete && v < n; v++) start[depth[v] + 1]++;
        for (uint32_t d = 0; complete && d <= deepest; d++) start[d + 1] += start[d];
        for (uint32_t v = 0; complete && v < n; v++) by_depth[start[depth[v]]++] = v; /* start[d] is now the end of d */
        for (uint32_t d = 1; complete && d <= deepest && !stopped(p); d++) {
            for (uint32_t i = start[d]; i-- > start[d - 1];) { /* backwards, so that lists begin with the lowest id */
                uint32_t v = by_depth[i];
                p->missing[v] = p->rows[v];
                p->candidate[v] = true;
                link_candidate(p, v);
            }
            p->lowest = 0;
            for (uint32_t i = p->blocks > 1 ? p->block_end[p->blocks - 2] : 0; i < p->placed; i++)
                source_arrives(p, p->sequence[i]); /* what was completed last is still resident */
            cut(p, start[d] - start[d - 1], size, twins);
        }
    }
    ioa_free(depth);
    ioa_free(by_depth);
    ioa_free(start);
    return complete;
}

/* Elements touched if every source is followed: each block that has a source goes through its destinations. */
static double expected_work(const partition *p, uint32_t widest, uint32_t size)
{
    double work = 0.0, blocks = (double)widest / size + 1.0;
    for (uint32_t u = 0; u < p->network->a.neurons; u++) {
        double fan_out = (double)(p->out[u + 1] - p->out[u]);
        if (fan_out <= (double)p->limit) work += fan_out * (fan_out < blocks ? fan_out : blocks);
    }
    return work;
}

/* Chooses how many of the sources decide about similarity, so that the work stays within its limit. */
static bool choose_sample(partition *p, uint32_t size)
{
    const ioa_network_arrays *a = &p->network->a;
    p->sample = UINT32_MAX;
    if (p->limits) {
        uint32_t *depth = ioa_alloc(a->neurons, sizeof *depth), widest = 0;
        if (!depth) return false;
        uint32_t deepest = ioa_network_depths(p->network, depth);
        uint32_t *count = ioa_alloc_zero((uint64_t)deepest + 1, sizeof *count);
        for (uint32_t v = 0; count && v < a->neurons; v++)
            if (++count[depth[v]] > widest && depth[v] > 0) widest = count[depth[v]];
        ioa_free(depth);
        ioa_free(count);
        if (!count) return false;
        double share = (double)p->limits->work / expected_work(p, widest, size);
        if (share < 1.0) p->sample = (uint32_t)(share * 4294967295.0);
    }
    for (uint32_t v = 0; v < a->neurons; v++) {
        p->rows[v] = p->sample == UINT32_MAX ? fan_in(p->network, v) : 0;
        for (int64_t e = a->indptr[v]; p->sample != UINT32_MAX && e < a->indptr[v + 1]; e++)
            p->rows[v] += in_sample(p, a->indices[e]);
    }
    return true;
}

static ioa_status construct(const ioa_network *network, uint64_t memory, bool twins, ioa_construct_limits *limits,
                            uint32_t *order, ioa_error *error)
{
    uint64_t size = memory - 2 < network->a.neurons ? memory - 2 : network->a.neurons;
    partition p = {.network = network, .limit = (int64_t)(COMMON_SOURCE_BLOCKS * (size < 8 ? 8 : size)), .limits = limits};
    bool complete = allocate(&p);
    if (complete) {
        ioa_network_outgoing(network, p.out, NULL, p.out_neurons);
        complete = choose_sample(&p, (uint32_t)size) && cut_by_depth(&p, (uint32_t)size, twins);
        ioa_free(p.out_neurons); /* not needed any more, and as large as the order */
        p.out_neurons = NULL;
        if (complete && !stopped(&p)) complete = lay_out(&p, order);
    }
    release(&p);
    return complete ? IOA_OK : ioa_fail_nomem(error, "the block order", network->connections, 8);
}

ioa_status ioa_construct_blocks(const ioa_network *network, uint64_t memory, uint32_t *order, ioa_error *error)
{
    return construct(network, memory, false, NULL, order, error);
}

ioa_status ioa_construct_twins(const ioa_network *network, uint64_t memory, uint32_t *order, ioa_error *error)
{
    return construct(network, memory, true, NULL, order, error);
}

ioa_status ioa_construct_blocks_within(const ioa_network *network, uint64_t memory, ioa_construct_limits *limits,
                                       uint32_t *order, ioa_error *error)
{
    return construct(network, memory, false, limits, order, error);
}

ioa_status ioa_construct_twins_within(const ioa_network *network, uint64_t memory, ioa_construct_limits *limits,
                                      uint32_t *order, ioa_error *error)
{
    return construct(network, memory, true, limits, order, error);
}
