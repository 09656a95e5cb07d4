/* Sequences of whole blocks: what a sequence costs, and a search for a cheap one.
 *
 * Where many destinations are twins, an order is nearly determined by the sequence of its blocks: the members of a block
 * are resident while its sources stream past, and what else is resident is up to the eviction policy. Neurons with the
 * same producer and the same readers (blocks) are alike to such an order: they form a class. A network of 10^6
 * connections then has some thousand blocks and ten times as many classes, and a sequence is counted in a millisecond,
 * a change of it in some ten microseconds. */
#ifndef IOA_SEARCH_SEQUENCE_H
#define IOA_SEARCH_SEQUENCE_H

#include "optimizer/search/partition.h"

#define IOA_SEQUENCE_NONE UINT32_MAX

/* ---- blocks and classes (sequence_blocks.c) ---- */

typedef struct ioa_blocks {
    const ioa_network *network; /* borrowed */
    uint32_t count, classes;
    uint32_t *member_begin, *member; /* [count + 1], [destinations] */
    uint32_t *class_of, *rank;       /* [N] class of a neuron that is read, and its number within the class */
    uint32_t *size;                  /* [classes] */
    uint32_t *producer;              /* [classes] block whose members they are; NONE: no connection leads there */
    uint32_t *reader_begin, *reader; /* [classes + 1] blocks that read the class */
    uint32_t *in_begin, *in;         /* [count + 1] classes a block reads */
    uint32_t *out_begin, *out;       /* [count + 1] classes a block produces */
} ioa_blocks;

/* Blocks as the partition has them, in its sequence, which must be legal. The partition is not needed any
 * more afterwards. On failure nothing is kept. IOA_ERR_NOMEM. */
ioa_status ioa_blocks_create(const ioa_partition *partition, ioa_blocks *blocks, ioa_error *error);
void ioa_blocks_destroy(ioa_blocks *blocks);

static inline uint32_t ioa_blocks_members(const ioa_blocks *b, uint32_t block)
{
    return b->member_begin[block + 1] - b->member_begin[block];
}

/* ---- what a sequence costs (sequence_count.c) ---- */

typedef struct ioa_sequence_entry {
    uint32_t class, resident, dirty;
} ioa_sequence_entry;

/* The state of fast memory before a block. */
typedef struct ioa_sequence_snapshot {
    ioa_sequence_entry *entry;
    uint32_t count;
} ioa_sequence_snapshot;

/* A class while it is counted, in half a cache line; what never changes is copied from ioa_blocks. */
typedef struct ioa_sequence_class {
    uint32_t resident, dirty;  /* how many of the class */
    uint32_t next, prev, list; /* in the list of a position */
    uint32_t size, producer, readers;
} ioa_sequence_class;

typedef struct ioa_sequence {
    const ioa_blocks *b;           /* borrowed */
    uint32_t capacity;             /* slots for neurons */
    uint32_t *at, *position;       /* [count] block at a position, position of a block */
    int64_t total;                 /* excess I/O, as far as blocks tell */
    uint64_t work;                 /* elements touched */
    /* While it is counted: classes of which some are resident hang in lists by the position of their next reader. */
    ioa_sequence_class *state;     /* [classes + 1] */
    uint32_t *head;                /* [count] */
    uint32_t held, top;            /* resident neurons that are read later; no list beyond `top` */
    /* Per position: I/O, and the nearest list from which was evicted; as kept and as tried. */
    uint32_t *cost, *floor, *tried_cost, *tried_floor;
    uint32_t stride;               /* positions from snapshot to snapshot */
    ioa_sequence_snapshot *kept, *tried;
    ioa_sequence_entry *entries;
    uint32_t tried_from, tried_to; /* snapshots: what was tried last */
    int64_t tried_change;
} ioa_sequence;

/* For a fast memory with `capacity` slots for neurons, larger than any block; blocks in the sequence of `blocks`. On
 * failure nothing is kept. IOA_ERR_NOMEM. */
ioa_status ioa_sequence_create(const ioa_blocks *blocks, uint32_t capacity, ioa_sequence *sequence, ioa_error *error);
void ioa_sequence_destroy(ioa_sequence *sequence);

/* Counts all of the sequence in `at` (legal; `position` is set here). */
void ioa_sequence_count(ioa_sequence *sequence);

/* Counts what changes if positions first..last are as in `at` and `position` now: all but exactly. MIN's decisions more
 * than some hundred blocks ahead of them are left as they were, and where classes with the same next reader tie, another
 * one may go than would in a count from the beginning; ioa_sequence_count sets the total right. Gives up, with a change above
 * `limit`, where the change is far above it. */
int64_t ioa_sequence_try(ioa_sequence *sequence, uint32_t first, uint32_t last, int64_t limit);
void ioa_sequence_keep(ioa_sequence *sequence); /* what was tried last; else undo it in `at` and `position` */

/* Block by block: an empty memory, and the block at a position after those before it. Ends with `rewind`. */
void ioa_sequence_rewind(ioa_sequence *sequence);
uint32_t ioa_sequence_step(ioa_sequence *sequence, uint32_t position);

/* The sequence in which an order ([W], legal) is done with the blocks, as far as that is legal for whole blocks
 * (sequence_follow.c). On failure the sequence is as before. IOA_ERR_NOMEM. */
ioa_status ioa_sequence_follow(ioa_sequence *sequence, const uint32_t *order, ioa_error *error);

/* ---- the search (sequence_anneal.c), and the order a sequence stands for (sequence_order.c) ---- */

/* Anneals at low temperature until `limits->work` elements were touched. Same limits, same sequence. IOA_ERR_NOMEM. */
ioa_status ioa_sequence_anneal(ioa_sequence *sequence, ioa_construct_limits *limits, ioa_error *error);

/* The order of connections [W]: of the sources of a block first those that are resident, last those that are loaded to
 * stay. IOA_ERR_NOMEM. */
ioa_status ioa_sequence_order(ioa_sequence *sequence, uint32_t *order, ioa_error *error);

#endif
