/* The cascade's blocks in a better sequence: annealed as a whole, by what a sequence costs under MIN (sequence.h). */
#include "optimizer/search/construct_cascade.h"
#include "optimizer/search/sequence.h"

#include "core/mem.h"

#include <string.h>

#define MOST_PER_CONNECTION 1024 /* elements touched while annealing */

typedef struct start {
    ioa_blocks blocks;
    ioa_sequence sequence; /* refers to the blocks: a start that moves is told (adopt) */
} start;

static ioa_status create(const ioa_network *network, uint32_t size, unsigned setting, start *x, ioa_error *error)
{
    ioa_partition p;
    *x = (start){0};
    ioa_status status = ioa_construct_cascade_blocks(network, size, setting, &p, error);
    if (status != IOA_OK) return status;
    status = ioa_blocks_create(&p, &x->blocks, error);
    ioa_partition_destroy(&p);
    if (status == IOA_OK) status = ioa_sequence_create(&x->blocks, size + 1, &x->sequence, error);
    return status;
}

static void destroy(start *x)
{
    ioa_sequence_destroy(&x->sequence);
    ioa_blocks_destroy(&x->blocks);
}

static void adopt(start *mine, start *other)
{
    destroy(mine);
    *mine = *other;
    mine->sequence.b = &mine->blocks;
    *other = (start){0};
}

/* The greedy order of neurons sees further where many blocks are ready: its sequence of blocks may be better. `order` [W]
 * is used for it. */
static ioa_status follow_greedy(const ioa_network *network, uint64_t memory, ioa_construct_limits *limits, start *x,
                                uint32_t *order, ioa_error *error)
{
    if (!ioa_construct_greedy_affordable(network, memory)) return IOA_OK;
    ioa_sequence *s = &x->sequence;
    uint32_t *before = ioa_alloc_copy(s->at, x->blocks.count, sizeof *before);
    int64_t total = s->total;
    ioa_status status = before ? ioa_construct_greedy_within(network, memory, limits, order, error)
                               : ioa_fail_nomem(error, "a sequence of blocks", x->blocks.count, sizeof *before);
    if (status == IOA_OK && !limits->stopped) status = ioa_sequence_follow(s, order, error);
    if (status == IOA_OK && s->total > total) {
        memcpy(s->at, before, x->blocks.count * sizeof *before);
        ioa_sequence_count(s);
    }
    ioa_free(before);
    return status;
}

ioa_status ioa_construct_sequence_within(const ioa_network *network, uint64_t memory, ioa_construct_limits *limits,
                                         uint32_t *order, ioa_error *error)
{
    uint32_t size = (uint32_t)(memory - 2 < network->a.neurons ? memory - 2 : network->a.neurons);
    unsigned count = ioa_construct_cascade_settings(network);
    start best, other;
    ioa_status status = create(network, size, 0, &best, error);
    for (unsigned i = 1; status == IOA_OK && i < count; i++) {
        status = create(network, size, i, &other, error);
        if (status == IOA_OK && other.sequence.total < best.sequence.total) adopt(&best, &other);
        destroy(&other);
    }
    if (status == IOA_OK) status = follow_greedy(network, memory, limits, &best, order, error);
    ioa_construct_limits own = *limits;
    if (own.work > MOST_PER_CONNECTION * network->connections) own.work = MOST_PER_CONNECTION * network->connections;
    if (status == IOA_OK && !limits->stopped) status = ioa_sequence_anneal(&best.sequence, &own, error);
    limits->stopped = own.stopped;
    if (status == IOA_OK && !limits->stopped) status = ioa_sequence_order(&best.sequence, order, error);
    destroy(&best);
    return status;
}

ioa_status ioa_construct_sequence(const ioa_network *network, uint64_t memory, uint32_t *order, ioa_error *error)
{
    ioa_construct_limits limits = {.work = ioa_construct_work(network)};
    return ioa_construct_sequence_within(network, memory, &limits, order, error);
}
