/* The cascade's blocks in a better sequence: annealed as a whole, by what a sequence costs under MIN (sequence.h). */
#include "optimizer/search/construct/construct_cascade.h"
#include "optimizer/search/construct/sequence.h"

#include "core/base/mem.h"

#include <string.h>

#define MOST_PER_CONNECTION 1024 /* elements touched while annealing */

typedef struct start {
    ioa_blocks blocks;
    ioa_sequence sequence; /* of these blocks */
} start;

static void destroy(start *x)
{
    ioa_sequence_destroy(&x->sequence);
    ioa_blocks_destroy(&x->blocks);
}

/* On failure, and when told to stop, there is nothing to destroy. */
static ioa_status create(const ioa_network *network, uint32_t size, unsigned which, ioa_construct_limits *limits, start *x,
                         ioa_error *error)
{
    ioa_partition p;
    *x = (start){0};
    ioa_status status = ioa_construct_cascade_blocks(network, size, which, limits, &p, error);
    if (status != IOA_OK) return status;
    if (limits->stopped) {
        ioa_partition_destroy(&p);
        return IOA_OK;
    }
    status = ioa_blocks_create(&p, &x->blocks, error);
    ioa_partition_destroy(&p);
    if (status == IOA_OK) status = ioa_sequence_create(&x->blocks, size + 1, &x->sequence, error);
    if (status != IOA_OK) destroy(x);
    return status;
}

/* The cascade's setting that costs least. One is held at a time, for the sake of memory. */
static ioa_status create_best(const ioa_network *network, uint32_t size, ioa_construct_limits *limits, start *x,
                              ioa_error *error)
{
    unsigned count = ioa_construct_cascade_settings(network), best = 0, which = 0;
    int64_t least = INT64_MAX;
    ioa_status status = IOA_OK;
    for (; status == IOA_OK && which < count; which++) {
        if (which) destroy(x);
        status = create(network, size, which, limits, x, error);
        if (limits->stopped) return status;
        if (status != IOA_OK || x->sequence.total >= least) continue;
        least = x->sequence.total;
        best = which;
    }
    if (status != IOA_OK || best + 1 == count) return status;
    destroy(x);
    return create(network, size, best, limits, x, error);
}

/* The sequence of an order, if it costs less. */
static ioa_status follow(start *x, const uint32_t *order, ioa_error *error)
{
    ioa_sequence *s = &x->sequence;
    uint32_t *before = ioa_alloc_copy(s->at, x->blocks.count, sizeof *before);
    if (!before) return ioa_fail_nomem(error, "a sequence of blocks", x->blocks.count, sizeof *before);
    int64_t total = s->total;
    ioa_status status = ioa_sequence_follow(s, order, error);
    if (status == IOA_OK && s->total > total) {
        memcpy(s->at, before, x->blocks.count * sizeof *before);
        ioa_sequence_count(s);
    }
    ioa_free(before);
    return status;
}

/* Starts are the cascade's own sequence, and that of the greedy order of neurons, which sees further where many blocks are
 * ready. */
ioa_status ioa_construct_sequence_within(const ioa_network *network, uint64_t memory, ioa_construct_limits *limits,
                                         uint32_t *order, ioa_error *error)
{
    uint32_t size = ioa_partition_size(network, memory);
    bool greedy = ioa_construct_greedy_affordable(network, memory);
    start x = {0};
    ioa_status status = greedy ? ioa_construct_greedy_within(network, memory, limits, order, error) : IOA_OK;
    if (limits->stopped) return status;
    if (status == IOA_OK) status = create_best(network, size, limits, &x, error);
    if (status != IOA_OK || limits->stopped) return status;
    if (greedy) status = follow(&x, order, error);
    ioa_construct_limits own = *limits;
    if (own.work > MOST_PER_CONNECTION * network->connections) own.work = MOST_PER_CONNECTION * network->connections;
    if (status == IOA_OK) status = ioa_sequence_anneal(&x.sequence, &own, error);
    limits->stopped = own.stopped;
    if (status == IOA_OK && !limits->stopped) status = ioa_sequence_order(&x.sequence, order, error);
    destroy(&x);
    return status;
}

ioa_status ioa_construct_sequence(const ioa_network *network, uint64_t memory, uint32_t *order, ioa_error *error)
{
    ioa_construct_limits limits = {.work = ioa_construct_work(network)};
    return ioa_construct_sequence_within(network, memory, &limits, order, error);
}
