/* Annealing on the order of connections with the exact LRU count. A proposal is scored without simulating the whole
 * order; after every proposal the excess held equals that of ioa_simulator_count under LRU, to the last I/O.
 *
 * Why LRU is local. Call a neuron live until its last access. At the end of a step, the residents are the live neurons
 * whose last access lies behind a BOUND in time: whoever is evicted is the least recently used, whoever is released is
 * no longer live, and the neurons of the step itself, which must not be evicted, are its most recent ones. So the whole
 * state of the memory is the bound and the number of residents; the bound only moves forwards, past one access after
 * the other, until the residents number C = M - 1 or fewer; and an access hits if and only if the neuron's access
 * before lies behind the bound. Every step stores bound and number as they are after it, every access the step at
 * which the bound passed it ("gone").
 *
 * What a move changes. Given the same state before it, a step has another outcome only if (a) the neuron's access
 * before or its being the last changed, (b) its neighbour in the order changed, or (c) the bound passes, in it, an
 * access that was moved or whose next access was. Those steps are known: O(1) per moved connection, the ones of (c)
 * through "gone". From each of them on, steps are counted anew until bound and number equal what is stored; then the
 * count jumps to the next one. Between the two lie, at most, the steps in which a value gained or lost sits in memory:
 * they grow with C, and with nothing else.
 *
 * Cost of a gap between two accesses of a neuron during which it is evicted, beyond LB: 2 (write and read) if the
 * second is an incoming connection; 1 if it is an outgoing one, and 1 for the write of a computed value that is no
 * output at the first of these. Compulsory I/O never depends on the order.
 *
 * Time is a label per connection (order maintenance): an inserted step takes a label between its neighbours, in O(1);
 * steps lie in memory in the sequence of the order, which settling restores, so that counting reads neighbours. A moved
 * connection also changes its place in the sorted access lists of its two neurons: O(log degree), and the accesses
 * between the two places.
 *
 * Two things are heuristic, and neither touches the totals: a single connection whose own gaps already cost
 * IOA_EXACT_SLACK more than the Metropolis threshold (drawn first) is rejected uncounted, and so is any move once
 * its count is that much above. A move that would need more than 64 C + 8192 steps counted is rejected too
 * (`given_up`).
 *
 * Deterministic: results depend on arguments and generator alone. No globals; objects of one graph may be used by different
 * threads, each object by one at a time. 76 bytes per connection, 16 per neuron, 1.5 KB per slot of memory; orders that
 * are too long for that are annealed in segments (exact_segments.h). */
#ifndef IOA_SEARCH_EXACT_H
#define IOA_SEARCH_EXACT_H

#include "optimizer/search/base/tuning.h"
#include "optimizer/search/priced/graph.h"

#include "core/base/rng.h"

#include <stdbool.h>

#define IOA_EXACT_SLACK 2    /* I/Os */
#define IOA_EXACT_MOST 1024u /* connections a move may move */

typedef struct ioa_exact ioa_exact;

/* One row per kind of move; X(name, share of the proposals to begin with in 1 / IOA_SHARES, text). Targets are drawn uniformly; the reverse of a
 * SHIFT, SEGMENT or TURN is as likely as the move. A REPAIR is drawn whatever the window's order was before, so that its
 * reverse is not: what it proposes is judged like the others, which suits a search, and samples no distribution. */
#define IOA_EXACT_MOVES(X)                                                                                             \
    X(SHIFT, 128, "a connection to a place up to 32 steps away")                                                         \
    X(NEAR, 256, "a connection next to a neighbouring access of one of its ends")                                       \
    X(FAR, 192, "a connection next to any access of one of its ends")                                                   \
    X(SEGMENT, 96, "2 to 33 consecutive steps to a place up to 64 steps away: a rotation")                           \
    X(BLOCK, 64, "2 to 129 consecutive steps next to any access of a neuron of the first or last")                      \
    X(TURN, 32, "2 to 9 consecutive steps in reverse")                                                                  \
    X(RUN, 96, "2 to 5 consecutive accesses of a neuron, stacked or each beside its other end")                      \
    X(RESIDENCY, 80, "the incoming or outgoing accesses of one residency of a neuron, alike")                           \
    X(WHOLE, 64, "all incoming or all outgoing connections of a neuron, alike")                                         \
    X(REPAIR, 16, "a window of 8 to 71 steps ordered anew by a randomized greedy rule")

#define IOA_EXACT_MOVE_ENUM(name, share, text) IOA_EXACT_##name,
typedef enum ioa_exact_move { IOA_EXACT_MOVES(IOA_EXACT_MOVE_ENUM) IOA_EXACT_MOVE_COUNT } ioa_exact_move;
#undef IOA_EXACT_MOVE_ENUM

const char *ioa_exact_move_name(ioa_exact_move kind);

/* Sums since the state was created. An element touched is a step moved or counted anew. */
typedef struct ioa_exact_stats {
    ioa_move_counts moves[IOA_EXACT_MOVE_COUNT];
    uint64_t counted[IOA_EXACT_MOVE_COUNT]; /* proposals that were not rejected before */
    uint64_t steps;    /* counted anew */
    uint64_t given_up; /* moves that would have needed too many */
    uint64_t settles;
} ioa_exact_stats;

/* Creates a state from a LEGAL `order` [W] for `memory` >= 3 slots. `graph` must outlive it. O(W).
 * [out] *exact owned by the caller, freed by ioa_exact_destroy. IOA_ERR_INPUT (memory < 3, no connection),
 * IOA_ERR_NOMEM. */
ioa_status ioa_exact_create(const ioa_graph *graph, const uint32_t *order, uint64_t memory, ioa_exact **exact,
                            ioa_error *error);
void ioa_exact_destroy(ioa_exact *exact); /* NULL is allowed */

/* A stretch of an order, annealed while everything outside of `movable` steps stays where it is (exact_segments.h). The
 * graph is one of its own: its connections are the steps of the stretch, in their present sequence. */
typedef struct ioa_exact_part {
    uint32_t first, movable;  /* steps first .. first + movable - 1 change places among themselves; at least 1 */
    const uint32_t *absences; /* [N] outside: gaps that end at an outgoing connection, in which the neuron is absent */
    const bool *later;        /* [N] accessed behind the stretch, too */
} ioa_exact_part;

/* Otherwise as ioa_exact_create. The arrays of `part` must outlive the state. ioa_exact_order writes all W steps. The
 * excess leaves out what is outside; its changes are those of the whole order. */
ioa_status ioa_exact_create_part(const ioa_graph *graph, const ioa_exact_part *part, uint64_t memory, ioa_exact **exact,
                                 ioa_error *error);

/* Shares [IOA_EXACT_MOVE_COUNT] of the kinds of moves, of IOA_SHARES. NULL: the table's, as a new state has them. */
void ioa_exact_tune(ioa_exact *exact, const uint32_t *share);

/* `proposals` Metropolis proposals at `temperature` (I/Os per unit of -ln u; 0 accepts nothing that costs more). */
void ioa_exact_run(ioa_exact *exact, double temperature, uint64_t proposals, ioa_pcg32 *rng);

/* Excess over LB of the current order under LRU, in I/Os. */
int64_t ioa_exact_excess(const ioa_exact *exact);

/* Writes the current order to `order` [W]. */
void ioa_exact_order(const ioa_exact *exact, uint32_t *order);

/* Lays the steps out anew, in the sequence of the order. Afterwards the state is a function of the order alone, so that
 * the order is all a checkpoint needs. O(W); ioa_exact_run does it by itself once enough connections moved. */
void ioa_exact_settle(ioa_exact *exact);

const ioa_exact_stats *ioa_exact_statistics(const ioa_exact *exact); /* borrowed */

/* Recomputes everything from scratch and compares; for tests. O(W). */
bool ioa_exact_consistent(const ioa_exact *exact);

#endif
