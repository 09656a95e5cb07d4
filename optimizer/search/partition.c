#include "optimizer/search/partition.h"

#include "core/mem.h"

#include <string.h>

/* A source with more destinations than this many blocks hold belongs to nearly every block and says nothing about
 * similarity; following it would make the work quadratic. */
#define COMMON_SOURCE_BLOCKS 16

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

void ioa_partition_arrive(ioa_partition *p, uint32_t u)
{
    if (p->out[u + 1] - p->out[u] > p->limit) return;
    for (int64_t o = p->out[u]; o < p->out[u + 1]; o++) {
        uint32_t x = p->out_neurons[o];
        if (!p->candidate[x]) continue;
        if (p->missing[x] == ioa_partition_fan_in(p, x)) p->touched[p->touched_count++] = x;
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
        p->missing[x] = ioa_partition_fan_in(p, x);
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
    p->missing[v] = ioa_partition_fan_in(p, v);
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
    p->next = ioa_alloc(n, sizeof *p->next);
    p->prev = ioa_alloc(n, sizeof *p->prev);
    p->head = ioa_alloc((uint64_t)largest + 1, sizeof *p->head);
    p->candidate = ioa_alloc_zero(n, sizeof *p->candidate);
    p->block_of_source = ioa_alloc(n, sizeof *p->block_of_source);
    p->touched = ioa_alloc(n, sizeof *p->touched);
    p->sequence = ioa_alloc(n, sizeof *p->sequence);
    p->block_end = ioa_alloc(n, sizeof *p->block_end);
    if (!p->out || !p->out_neurons || !p->missing || !p->next || !p->prev || !p->head || !p->candidate ||
        !p->block_of_source || !p->touched || !p->sequence || !p->block_end)
        return false;
    memset(p->head, 0xff, ((size_t)largest + 1) * sizeof *p->head);
    memset(p->block_of_source, 0xff, n * sizeof *p->block_of_source);
    return true;
}

ioa_status ioa_partition_create(const ioa_network *network, uint32_t size, ioa_partition *p, ioa_error *error)
{
    *p = (ioa_partition){.network = network, .limit = (int64_t)COMMON_SOURCE_BLOCKS * (size < 8 ? 8 : size)};
    if (!allocate(p)) {
        ioa_partition_destroy(p);
        return ioa_fail_nomem(error, "the blocks", network->connections, 8);
    }
    ioa_network_outgoing(network, p->out, NULL, p->out_neurons);
    return IOA_OK;
}

void ioa_partition_destroy(ioa_partition *p)
{
    void *const arrays[] = {p->out,  p->out_neurons, p->missing,         p->next,    p->prev,     p->head,
                            p->candidate, p->block_of_source, p->touched, p->sequence, p->block_end};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) ioa_free(arrays[i]);
    *p = (ioa_partition){0};
}
