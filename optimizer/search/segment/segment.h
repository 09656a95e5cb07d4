/* One order annealed in segments: stretches of it, at the same time and by different ranks if there are any to spare.
 *
 * A SEGMENT is a run of consecutive steps. While it is annealed (on the fine level, priced.h) every connection outside of
 * it keeps its place, and the prices of memory stay as they are. So segments of one order do not know of each other:
 * whatever becomes of one, what another one sees outside of itself stays right up to the distance of the next access of
 * a neuron, which is taken from the order as it was. A connection that stays within its segment cannot break a precedence with one
 * outside, and within a segment the fine level sees to it; so putting the results side by side gives a legal order. What
 * it costs is then counted exactly, and the prices follow the slots used (order_prices.h).
 *
 * A round is: cut the order, anneal every segment, put together, adjust prices, count. Cuts alternate between two sets
 * half a segment apart, so that what is a border in one round lies in the middle in the next.
 *
 * The same results on any number of ranks: the number of segments belongs to the configuration, never to the ranks. What
 * a segment becomes is a function of its task alone, which holds everything: connections, prices, the neurons' next
 * accesses outside, temperature, proposals and what they are made of, and the key of its random stream. Tasks are done by
 * whoever is free; the results go where they came from.
 *
 * Memory: a replica that anneals its order at once takes 32 bytes per connection: 24 for the state (priced.h), 8 for the
 * order and its best. In S segments it takes the latter 8, and while one is annealed, 44 / S: its state, and 20 for its own
 * graph. It is also faster: a segment of some 30,000 connections stays in cache.
 *
 * A neuron that is kept in memory across a border is taken for one that is read again behind it, where it is
 * hidden: there are no more of these per border than slots, and borders move. */
#ifndef IOA_SEARCH_SEGMENT_H
#define IOA_SEARCH_SEGMENT_H

#include "core/base/rng.h"
#include "optimizer/search/priced/order_prices.h"
#include "optimizer/search/priced/priced.h"

/* How the segments of a round are annealed. */
typedef struct ioa_segment_course {
    uint64_t key;        /* of the round's random streams */
    uint64_t proposals;  /* of all segments together, which share them by size */
    double temperature;  /* in I/Os */
    uint32_t share[IOA_PRICED_MOVE_COUNT]; /* of the kinds of moves */
    uint32_t window;     /* of NEAR moves; 0: it and the shares are the usual ones, see ioa_priced_tune */
} ioa_segment_course;

/* What is needed to anneal one segment. Arrays are borrowed. */
typedef struct ioa_segment_task {
    ioa_segment_course course; /* proposals: of this segment */
    uint32_t index;      /* of the segment in its round */
    uint32_t count;      /* connections, at least 1 */
    uint32_t neurons;    /* that have an access in it */
    uint32_t chunk;      /* steps that share a price */
    uint32_t *order;     /* [count] in and out */
    const uint32_t *price;  /* [(count - 1) / chunk + 1] */
    const uint32_t *before; /* [neurons] by first access in it: distance of the access before, see IOA_SEGMENT_* */
    const uint32_t *behind; /* [neurons] of the access behind it */
} ioa_segment_task;

#define IOA_SEGMENT_UNIT 8                           /* distances are labels >> 8: 2^-24 I/Os */
#define IOA_SEGMENT_FAR (UINT32_C(4) << 24)          /* farther makes no difference: no gap costs more than 2 I/Os */
#define IOA_SEGMENT_OUTGOING (UINT32_C(1) << 31)     /* the access is an outgoing connection */
#define IOA_SEGMENT_NONE UINT32_MAX                  /* there is no access */

/* Anneals. `local` [N] is scratch: all UINT32_MAX, and so again afterwards. What the moves did is added to `counts`
 * [IOA_PRICED_MOVE_COUNT]. IOA_ERR_NOMEM. */
ioa_status ioa_segment_anneal(const ioa_graph *graph, const ioa_segment_task *task, uint32_t *local,
                              ioa_move_counts *counts, ioa_error *error);

/* ---- the cuts of a round ---- */

typedef struct ioa_segments {
    uint32_t count;        /* of this round: S, or S + 1 with the shifted cuts */
    uint32_t *cut;         /* [S + 2] segment i is steps cut[i] .. cut[i + 1] - 1 */
    uint64_t *offset;      /* [S + 2] where the distances of segment i begin */
    uint32_t *before, *behind; /* [offset[count]] */
    uint64_t room;         /* for distances */
} ioa_segments;

/* Cuts an order [W] with prices for `segments` segments; `shifted`: by half a segment. Needs `local` as above, and
 * leaves prices->start for the given prices. The object is used again and again; all-zero at first. IOA_ERR_NOMEM. */
ioa_status ioa_segments_cut(ioa_segments *s, ioa_order_prices *prices, const uint32_t *price, const uint32_t *order,
                            uint32_t segments, bool shifted, uint32_t *local, ioa_error *error);
void ioa_segments_clear(ioa_segments *s);

/* The number of segments that suits a network and a memory of M slots: 1 up to 400,000 connections, then as many
 * as stay in cache while they are annealed, if they are long against what the memory holds. */
uint32_t ioa_segments_default(uint64_t connections, uint64_t memory);

/* Where the i-th of `segments` segments should end, i >= 1, as a step; `shifted`: half a segment earlier, and segment
 * `segments` + 1 takes the rest. */
static inline uint64_t ioa_segments_end(uint64_t connections, uint64_t i, uint64_t segments, bool shifted)
{
    return shifted ? connections * (2 * i - 1) / (2 * segments) : connections * i / segments;
}

/* ---- helpers on other ranks ---- */

/* The ranks that work for one replica: rank 0 has it, the others help. */
typedef struct ioa_crew {
    void *context;
    uint32_t rank, size;
    void (*send)(void *context, uint32_t to, const void *data, uint64_t bytes);
    void (*receive)(void *context, uint32_t from, void *data, uint64_t bytes);
} ioa_crew;

/* On the rank with the replica: anneals all segments of a round in place. `crew` NULL or of size 1: alone. `counts` as
 * above, alike whoever did the work. On failure the order is still legal. */
ioa_status ioa_segments_anneal(const ioa_graph *graph, const ioa_segments *s, const ioa_order_prices *prices,
                               const uint32_t *price, uint32_t *order, const ioa_segment_course *course,
                               const ioa_crew *crew, uint32_t *local, ioa_move_counts *counts, ioa_error *error);

/* On rank 0 of a crew: no more segments in this round. To be called once per round, whatever happened. */
void ioa_segments_dismiss(const ioa_crew *crew);

/* On the others: works until dismissed. IOA_ERR_NOMEM; `local` may be NULL, for want of memory, and nothing is done then. */
ioa_status ioa_segments_assist(const ioa_graph *graph, const ioa_crew *crew, uint32_t *local, ioa_error *error);

#endif
