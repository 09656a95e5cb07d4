/* Sequences of whole blocks: what a sequence costs, and a search for a cheap one.
 *
 * Where many destinations are twins, an order is nearly determined by the sequence of its blocks: the members of a block
 * are resident while its sources stream past, and what else is resident is up to the eviction policy. Neurons with the
 * same readers (blocks) are alike to such an order, whoever produces them: they form a class. A network of 10^6
 * connections then has some thousand blocks and about as many classes, and a sequence is counted in a fraction of a
 * millisecond, a change of it in some ten microseconds. */
#ifndef IOA_SEARCH_SEQUENCE_H
#define IOA_SEARCH_SEQUENCE_H

#include "core/base/rng.h"
#include "optimizer/search/construct/partition.h"

#define IOA_SEQUENCE_NONE UINT32_MAX

/* ---- blocks and classes (sequence_blocks.c) ---- */

/* A block's members in a class. */
typedef struct ioa_blocks_share {
    uint32_t class, neurons;
} ioa_blocks_share;

typedef struct ioa_blocks {
    const ioa_network *network; /* borrowed */
    uint32_t count, classes;
    uint32_t *member_begin, *member;     /* [count + 1], [destinations] */
    uint32_t *class_of;                  /* [N] class of a neuron; NONE: nobody reads it */
    uint32_t *size;                      /* [classes] neurons */
    uint32_t *reader_begin, *reader;     /* [classes + 1] blocks that read the class, ascending */
    uint32_t *in_begin, *in;             /* [count + 1] classes a block reads */
    uint32_t *out_begin;                 /* [count + 1] */
    ioa_blocks_share *out;               /* classes that members of a block belong to */
    uint32_t *producer_begin, *producer; /* [count + 1] other blocks whose members a block reads */
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

/* A class while it is counted. Neurons that are loaded or produced first are evicted first, before dirty ones clean ones. */
typedef struct ioa_sequence_class {
    uint32_t resident, dirty; /* how many of the class */
    uint32_t before;          /* resident before the last block that read it */
    uint32_t next;            /* position of its next reader, if any is resident */
    uint32_t first;           /* position of its first reader */
} ioa_sequence_class;

typedef struct ioa_sequence {
    const ioa_blocks *b;           /* borrowed */
    uint32_t capacity;             /* slots for neurons */
    uint32_t *at, *position;       /* [count] block at a position, position of a block */
    int64_t total;                 /* excess I/O, as far as blocks tell */
    uint64_t work;                 /* elements touched, in units that take about as long as in other methods */
    ioa_sequence_class *state;     /* [classes] while it is counted */
    uint64_t *awaited;             /* [count / 64 + 1] bits: positions whose block is the next reader of something resident */
    uint32_t held, top;            /* resident neurons that are read later; no word of `awaited` beyond `top` is set */
    /* Per position: I/O, and the nearest position whose sources were evicted; as kept and as tried. */
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

/* Blocks at positions first..last have changed places in `at`, and `position` follows: to be called before they are
 * counted, and again if they are put back. */
void ioa_sequence_moved(ioa_sequence *sequence, uint32_t first, uint32_t last);

/* Counts what changes if positions first..last are as they are now: as a count of the whole sequence would, but that
 * MIN's decisions more than some hundred blocks ahead of them are left as they were. Gives up, with a change above
 * `limit`, where the change is far above it. */
int64_t ioa_sequence_try(ioa_sequence *sequence, uint32_t first, uint32_t last, int64_t limit);
void ioa_sequence_keep(ioa_sequence *sequence); /* what was tried last; else put the blocks back */

/* Block by block: an empty memory, and the block at a position after those before it. Ends with `rewind`. */
void ioa_sequence_rewind(ioa_sequence *sequence);
uint32_t ioa_sequence_step(ioa_sequence *sequence, uint32_t position);

/* The sequence in which an order ([W], legal) is done with the blocks, as far as that is legal for whole blocks
 * (sequence_follow.c). On failure the sequence is as before. IOA_ERR_NOMEM. */
ioa_status ioa_sequence_follow(ioa_sequence *sequence, const uint32_t *order, ioa_error *error);

/* ---- moves (sequence_moves.c) ---- */

/* Run [begin, end) goes `shift` positions to the left or right, reversed or not. */
typedef struct ioa_sequence_move {
    uint32_t begin, end, shift;
    bool right, reversed;
} ioa_sequence_move;

/* Sources that the blocks at two positions have in common; 0 where there is no block. */
int64_t ioa_sequence_link(ioa_sequence *sequence, int64_t left, int64_t right);

/* A legal move; nothing moves where `shift` is 0 and the run is not reversed. Links of `strong` sources hold a chain
 * together. */
ioa_sequence_move ioa_sequence_draw(ioa_sequence *sequence, ioa_pcg32 *rng, int64_t strong);

/* By how much links get weaker. */
int64_t ioa_sequence_links_lost(ioa_sequence *sequence, const ioa_sequence_move *move);

/* Carries the move out. What was there before is copied to `old` ([count]): `*count` blocks from the position that is
 * returned. */
uint32_t ioa_sequence_apply(ioa_sequence *sequence, const ioa_sequence_move *move, uint32_t *old, uint32_t *count);

/* ---- the search (sequence_anneal.c), and the order a sequence stands for (sequence_order.c) ---- */

/* Anneals at low temperature until `limits->work` elements were touched, or a stage has gained little. Same limits, same
 * sequence. IOA_ERR_NOMEM. */
ioa_status ioa_sequence_anneal(ioa_sequence *sequence, ioa_construct_limits *limits, ioa_error *error);

/* The order of connections [W]: of the sources of a block first those that are resident, last those that are loaded to
 * stay. IOA_ERR_NOMEM. */
ioa_status ioa_sequence_order(ioa_sequence *sequence, uint32_t *order, ioa_error *error);

#endif
