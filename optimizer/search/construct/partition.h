/* A partition of the destinations into blocks, while it grows, and the order of connections it stands for.
 *
 * The members of a block stay resident as partial sums while each of their sources is loaded once and feeds all of them.
 * A block grows greedily: the candidate with the fewest sources that the block does not have yet joins next. The loads of
 * the order are the connectivity of the partition (as in hypergraph partitioning), less what stays resident between two
 * blocks. Which destinations are candidates, and when a block ends, is up to the method (construct_NAME.c). */
#ifndef IOA_SEARCH_PARTITION_H
#define IOA_SEARCH_PARTITION_H

#include "core/model/network.h"
#include "optimizer/search/construct/construct.h"

#include <stdbool.h>

#define IOA_PARTITION_NONE UINT32_MAX

/* The partition while it grows. Candidates hang in lists by the number of
 * their sources that the current block lacks. */
typedef struct ioa_partition {
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
    uint32_t sample;          /* of 2^32: of the others, those that are */
    uint32_t *rows;           /* [N] sources of a neuron, without those left out of the sample */
    ioa_construct_limits *limits; /* NULL: none */
    uint64_t work;            /* elements touched since the limits were looked at */
    uint32_t *sequence;       /* [N] destinations, block by block */
    uint32_t *block_end;      /* [N] end of each block in `sequence` */
    uint32_t blocks, placed;
    uint32_t size;            /* largest block */
    uint32_t fresh;           /* blocks for which a completed neuron is taken to stay resident, and is then used first; 0 at first */
} ioa_partition;

/* The largest block that a fast memory of `memory` slots holds beside a source and a weight, or all neurons. */
static inline uint32_t ioa_partition_size(const ioa_network *network, uint64_t memory)
{
    return (uint32_t)(memory - 2 < network->a.neurons ? memory - 2 : network->a.neurons);
}

/* For a fast memory of `size` + 2 slots. IOA_ERR_NOMEM. */
ioa_status ioa_partition_create(const ioa_network *network, uint32_t size, ioa_partition *partition, ioa_error *error);
void ioa_partition_destroy(ioa_partition *partition);

/* Keeps within limits (borrowed): of the sources so many are followed as the work allows, each compared with its
 * destinations in every block that has it. Before the first candidate. IOA_ERR_NOMEM. */
ioa_status ioa_partition_limit(ioa_partition *partition, ioa_construct_limits *limits, ioa_error *error);

/* Told to stop? The partition is of no use then. */
bool ioa_partition_stopped(ioa_partition *partition);

static inline uint32_t ioa_partition_fan_in(const ioa_partition *p, uint32_t v)
{
    return (uint32_t)(p->network->a.indptr[v + 1] - p->network->a.indptr[v]);
}

/* Makes a destination a candidate that lacks all of its sources. */
void ioa_partition_admit(ioa_partition *partition, uint32_t v);

/* A candidate with the fewest missing sources; there must be one. */
uint32_t ioa_partition_cheapest(ioa_partition *partition);

/* Candidates that need no further source. */
uint32_t ioa_partition_twins(const ioa_partition *partition);

/* Puts a candidate into the current block. */
void ioa_partition_place(ioa_partition *partition, uint32_t v);

/* Source u is resident: its candidates lack one source less, until the next call of forget. */
void ioa_partition_arrive(ioa_partition *partition, uint32_t u);
void ioa_partition_forget(ioa_partition *partition);

/* Ends the current block. */
void ioa_partition_close(ioa_partition *partition);

/* Members of each block if `count` are cut into as few blocks of at most `size` as possible: a short rest would cost as
 * many loads as a full block. */
uint32_t ioa_partition_share(uint32_t count, uint32_t size);

/* The order of connections [W], block by block (partition_order.c); every destination must be placed, after the sources
 * it depends on. IOA_ERR_NOMEM. */
ioa_status ioa_partition_order(const ioa_partition *partition, uint32_t *order, ioa_error *error);

#endif
