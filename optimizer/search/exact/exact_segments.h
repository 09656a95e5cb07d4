/* The exact LRU level on orders too long to be held at once: stretches of it, one after the other (exact.h on each).
 *
 * A SEGMENT is a run of consecutive steps whose connections change places among themselves. It is annealed as a small
 * problem of its own, together with the steps before and behind it that it depends on, which stay: under LRU these are
 * few.
 *   Before: what is resident at a border are live neurons (accessed again behind it), no more than C of them, and the
 *   most recently used ones. Going back from the border until C + 1 live neurons were accessed, an empty memory comes
 *   to the same residents.
 *   Behind: once C + 1 neurons were accessed that are live then, the bound of exact.h lies behind the segment, whatever
 *   became of it; from there on everything is as it was.
 *   Farther away: a neuron whose last access before lies farther back is absent at its first access in the stretch, and
 *   one whose next access lies farther ahead will be absent there. All that remains is whether a computed value was
 *   written already: absences outside are counted per neuron.
 * So the change of the excess that is returned is that of the whole order, to the last I/O, unless a border's
 * surroundings are cut short: at the length of a segment (memories that are large against segments). Either way the
 * order is legal, and the exact count of the whole decides.
 *
 * Segments are annealed one after the other, each with its neighbour's new order before it. Results depend on the course
 * and the order alone. Cuts alternate between two sets half a segment apart, so that what is a border in one round
 * lies in the middle in the next.
 *
 * Memory: 1 byte per connection and 16 per neuron for the sweep, and for one segment about 110 per connection in it and
 * around it. It is also faster: a segment of 30,000 connections stays in cache. */
#ifndef IOA_SEARCH_EXACT_SEGMENTS_H
#define IOA_SEARCH_EXACT_SEGMENTS_H

#include "optimizer/search/exact/exact.h"

/* What a worker needs to anneal orders of one network, one after the other. All-zero at first. */
typedef struct ioa_exact_sweep {
    const ioa_graph *g; /* borrowed */
    uint32_t slots;     /* C = M - 1, at most N, at least 2 */
    uint32_t *left;     /* [N] accesses from the present step on */
    uint32_t *last;     /* [N] last access so far as 1 + 2 * step + side, or 0; scratch of counting */
    uint32_t *local;    /* [N] number of a neuron in the stretch; all UINT32_MAX between */
    uint32_t *absences; /* [N] gaps that end at an outgoing connection and in which the neuron is absent */
    uint8_t *absent;    /* [W] 1 where the source of a step was absent though accessed before */
    uint32_t at, index; /* first step of the next segment, and which one that is */
} ioa_exact_sweep;

/* `graph` must outlive the sweep. IOA_ERR_INPUT (memory < 3, no connection), IOA_ERR_NOMEM; to be cleared either way. */
ioa_status ioa_exact_sweep_make(const ioa_graph *graph, uint64_t memory, ioa_exact_sweep *sweep, ioa_error *error);
void ioa_exact_sweep_clear(ioa_exact_sweep *sweep);

/* How a round goes. */
typedef struct ioa_exact_course {
    uint64_t key;       /* of its random streams */
    uint64_t proposals; /* of all segments together, which share them by size */
    double temperature; /* in I/Os */
    const uint32_t *share; /* [IOA_EXACT_MOVE_COUNT] of the kinds of moves; borrowed; NULL: the table's */
    uint32_t segments;  /* at least 1 */
    bool shifted;       /* cuts half a segment away */
} ioa_exact_course;

typedef struct ioa_exact_swept { /* what came of it; added to */
    ioa_move_counts moves[IOA_EXACT_MOVE_COUNT];
    uint64_t proposals;
    uint64_t steps;  /* counted anew */
    int64_t change;  /* of the excess under LRU */
    uint64_t cut;    /* borders whose surroundings were cut short */
} ioa_exact_swept;

/* A sweep of a LEGAL `order` [W]: begin, then anneal the next segment in place until `at` is W. O(W) beside the proposals.
 * IOA_ERR_NOMEM leaves a legal order. */
void ioa_exact_sweep_begin(ioa_exact_sweep *sweep, const uint32_t *order);
ioa_status ioa_exact_sweep_next(ioa_exact_sweep *sweep, const ioa_exact_course *course, uint32_t *order,
                                ioa_exact_swept *swept, ioa_error *error);

#endif
