#include "optimizer/search/construct/partition.h"

#include "core/base/mem.h"
#include "core/model/depth.h"

#include <string.h>

/* A source with more destinations than this many blocks hold belongs to nearly every block and says nothing about
 * similarity; following it would make the work quadratic. */
#define COMMON_SOURCE_BLOCKS 16

#define LOOK_AFTER 4000000 /* elements touched between two looks at whether to stop */

static void unlink_candidate(ioa_partition *p, uint32_t v)
{
    if (p->prev[v] == IOA_PARTITION_NONE)
        p->head[p->missing[v]] = p->next[v];
    else
        p->next[p->prev[v]] = p->next[v];
    if (p->next[v] != IOA_PARTITION_NONE) p->prev[p->next[v]] = p->prev[v];
}

static void link_candidate(ioa_partition *p, uint32_t v)
{
    uint32_t *head = &p->head[p->missing[v]];
    p->prev[v] = IOA_PARTITION_NONE;
    p->next[v] = *head;
    if (*head != IOA_PARTITION_NONE) p->prev[*head] = v;
    *head = v;
    if (p->missing[v] < p->lowest) p->lowest = p->missing[v];
}

static bool in_sample(const ioa_partition *p, uint32_t u)
{
    return p->sample == UINT32_MAX || u * UINT32_C(2654435761) < p->sample;
}

bool ioa_partition_stopped(ioa_partition *p)
{
    if (p->work < LOOK_AFTER) return p->limits && p->limits->stopped;
    p->work = 0;
    return ioa_construct_told_to_stop(p->limits);
}

void ioa_partition_arrive(ioa_partition *p, uint32_t u)
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

void ioa_partition_place(ioa_partition *p, uint32_t v)
{
    const ioa_network_arrays *a = &p->network->a;
    unlink_candidate(p, v);
    p->candidate[v] = false;
    p->sequence[p->placed++] = v;
    for (int64_t e = a->indptr[v]; e < a->indptr[v + 1]; e++) {
        if (p->block_of_source[a->indices[e]] == p->blocks) continue;
        p->block_of_source[a->indices[e]] = p->blocks;
        ioa_partition_arrive(p, a->indices[e]);
    }
}

uint32_t ioa_partition_cheapest(ioa_partition *p)
{
    while (p->head[p->lowest] == IOA_PARTITION_NONE) p->lowest++;
    return p->head[p->lowest];
}

void ioa_partition_forget(ioa_partition *p)
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

uint32_t ioa_partition_twins(const ioa_partition *p)
{
    uint32_t count = 0;
    for (uint32_t v = p->head[0]; v != IOA_PARTITION_NONE; v = p->next[v]) count++;
    return count;
}

uint32_t ioa_partition_share(uint32_t count, uint32_t size)
{
    uint32_t blocks = (count + size - 1) / size;
    return (count + blocks - 1) / blocks;
}

void ioa_partition_admit(ioa_partition *p, uint32_t v)
{
    p->missing[v] = p->rows[v];
    p->candidate[v] = true;
    link_candidate(p, v);
}

void ioa_partition_close(ioa_partition *p)
{
    p->block_end[p->blocks++] = p->placed;
}

static bool allocate(ioa_partition *p)
{
    uint64_t n = p->network->a.neurons, w = p->network->connections;
    uint32_t largest = 0;
    for (uint32_t v = 0; v < n; v++)
        if (ioa_partition_fan_in(p, v) > largest) largest = ioa_partition_fan_in(p, v);
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
    for (uint32_t v = 0; v < n; v++) p->rows[v] = ioa_partition_fan_in(p, v);
    memset(p->head, 0xff, ((size_t)largest + 1) * sizeof *p->head);
    memset(p->block_of_source, 0xff, n * sizeof *p->block_of_source);
    return true;
}

ioa_status ioa_partition_create(const ioa_network *network, uint32_t size, ioa_partition *p, ioa_error *error)
{
    *p = (ioa_partition){.network = network, .sample = UINT32_MAX, .size = size, .limit = (int64_t)COMMON_SOURCE_BLOCKS * (size < 8 ? 8 : size)};
    if (!allocate(p)) {
        ioa_partition_destroy(p);
        return ioa_fail_nomem(error, "the blocks", network->connections, 8);
    }
    ioa_network_outgoing(network, p->out, NULL, p->out_neurons);
    return IOA_OK;
}

/* Elements touched if every source is followed: each block that has a source goes through its destinations. */
static double expected_work(const ioa_partition *p, uint32_t widest)
{
    double work = 0.0, blocks = (double)widest / p->size + 1.0;
    for (uint32_t u = 0; u < p->network->a.neurons; u++) {
        double fan_out = (double)(p->out[u + 1] - p->out[u]);
        if (fan_out <= (double)p->limit) work += fan_out * (fan_out < blocks ? fan_out : blocks);
    }
    return work;
}

/* Most destinations of equal depth; 0 if memory is out. */
static uint32_t widest_depth(const ioa_network *network)
{
    uint32_t n = network->a.neurons, *depth = ioa_alloc(n, sizeof *depth), *count = NULL, widest = 1;
    if (depth) count = ioa_alloc_zero((uint64_t)ioa_network_depths(network, depth) + 1, sizeof *count);
    for (uint32_t v = 0; count && v < n; v++)
        if (++count[depth[v]] > widest && depth[v] > 0) widest = count[depth[v]];
    bool complete = count != NULL;
    ioa_free(depth);
    ioa_free(count);
    return complete ? widest : 0;
}

ioa_status ioa_partition_limit(ioa_partition *p, ioa_construct_limits *limits, ioa_error *error)
{
    const ioa_network_arrays *a = &p->network->a;
    p->limits = limits;
    if (!limits) return IOA_OK;
    uint32_t widest = widest_depth(p->network);
    if (!widest) return ioa_fail_nomem(error, "the depths", a->neurons, 8);
    double work = expected_work(p, widest);
    if (work <= (double)limits->work) return IOA_OK;
    p->sample = (uint32_t)((double)limits->work / work * 4294967295.0);
    for (uint32_t v = 0; v < a->neurons; v++) {
        p->rows[v] = 0;
        for (int64_t e = a->indptr[v]; e < a->indptr[v + 1]; e++) p->rows[v] += in_sample(p, a->indices[e]);
    }
    return IOA_OK;
}

void ioa_partition_destroy(ioa_partition *p)
{
    void *const arrays[] = {p->out,  p->out_neurons, p->missing, p->rows, p->next,    p->prev,     p->head,
                            p->candidate, p->block_of_source, p->touched, p->sequence, p->block_end};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) ioa_free(arrays[i]);
    *p = (ioa_partition){0};
}
