/* Annealing on the order of connections with priced gaps. A single-connection proposal costs O(log degree), one that
 * moves m connections of a neuron O(degree + m log degree), whatever the number of connections and the memory.
 *
 * What is annealed. An order makes every neuron a list of accesses; between two consecutive accesses lies a gap. A
 * neuron either stays in fast memory through a gap or is absent: absence costs w I/Os (a reload, and a write if the
 * value is dirty), staying uses one slot at every border between the two steps. So
 *     excess of an order >= min over sets of kept gaps, at most C = M - 1 of them across any border, of the sum of w
 *                           over the gaps not kept,
 * for MIN, LRU or any other policy. Give border t a price l_t >= 0 for a slot (Lagrange multipliers of the capacity):
 *     energy(order)  =  sum over gaps of min(w, price of the gap)          (what the annealer sees)
 *     bound(order)   =  energy - C * sum of l_t  <=  excess of the order    (weak duality, for ANY prices)
 * With the best prices the bound is the exact cost under free evictions when w adds up over gaps (interval matrices
 * are totally unimodular). The energy is separable: moving a connection changes it only in the lists of its two
 * neurons, so long-range moves cost as little as local ones; and it is smooth: bringing accesses of one neuron
 * together pays before it saves a whole I/O.
 *
 * w: 2 between incoming connections of a neuron (the partial sum is written and read back). From the last incoming
 * connection on, 1 per absence (reload), plus once 1 for the write of a computed value that is no output:
 *     min(1 + sum of min(1, price of gap), price of the whole span). Outputs must be written anyway.
 *
 * Time is measured in prices: every connection has a label (64-bit fixed point, IOA_PRICED_ONE = one I/O), a gap's
 * price is the difference of two labels, and an inserted connection takes a label between its new neighbours. Labels
 * are therefore right only up to the moves made since the last settle: ioa_priced_settle numbers the steps anew, and
 * adjusts the prices until the slots used match the slots there are. ioa_priced_run settles by itself once
 * the connections moved exceed a fraction of W. Between two settles the energy is kept exactly for the current
 * labels (tests/search/test_levels.c compares it with the full sum move by move).
 *
 * Exact counts of the current order come from ioa_priced_order and ioa_simulator_count; keep the best order seen.
 *
 * Deterministic: integers only, no clock, results depend on arguments and the generator alone. No globals; objects of
 * one graph may be used by different threads, each object by one at a time. */
#ifndef IOA_SEARCH_PRICED_H
#define IOA_SEARCH_PRICED_H

#include "optimizer/search/base/tuning.h"
#include "optimizer/search/priced/graph.h"

#include "core/base/rng.h"

#define IOA_PRICED_ONE (INT64_C(1) << 32) /* label units per I/O */

typedef struct ioa_priced ioa_priced;

/* One row per kind of move; X(name, share of the proposals to begin with in 1 / IOA_SHARES, text). Those that move several accesses of a neuron
 * put them, half the time each, either in one stack behind a target (runs of a source streamed past resident
 * destinations) or each beside the access of its other end that is nearest to the target (a destination that follows
 * its sources). Targets: the neuron's neighbouring residency, or an access of one of the other ends, near or far.
 * Destinations (f, side) are drawn uniformly given the moved accesses, but reverse moves are not always as likely:
 * this is optimization, not sampling. */
#define IOA_PRICED_MOVES(X)                                                                                            \
    X(NEAR, 352, "a connection next to a neighbouring access of one of its ends")                                       \
    X(FAR, 352, "a connection next to any access of one of its ends")                                                   \
    X(RESIDENCY, 80, "the incoming or outgoing accesses of one residency of a neuron")                              \
    X(PART, 80, "the same for a tight part of a residency")                                                             \
    X(RUN, 80, "the same for 2 to 5 consecutive accesses")                                                              \
    X(WHOLE, 80, "the same for all incoming or all outgoing connections of a neuron")

#define IOA_PRICED_MOVE_ENUM(name, share, text) IOA_PRICED_##name,
typedef enum ioa_priced_move { IOA_PRICED_MOVES(IOA_PRICED_MOVE_ENUM) IOA_PRICED_MOVE_COUNT } ioa_priced_move;
#undef IOA_PRICED_MOVE_ENUM

typedef struct ioa_priced_stats {
    uint64_t proposed[IOA_PRICED_MOVE_COUNT];
    uint64_t accepted[IOA_PRICED_MOVE_COUNT];
    uint64_t touched[IOA_PRICED_MOVE_COUNT]; /* changes weighed */
    uint64_t gained[IOA_PRICED_MOVE_COUNT];  /* energy by which accepted moves lowered it, in 1 / IOA_GAIN_ONE I/O */
    uint64_t settles;
} ioa_priced_stats;

/* Creates a state from a LEGAL `order` [W] for `memory` >= 3 slots and settles it until prices and memory agree.
 * `graph` must outlive it. 24 bytes per connection, 8 per neuron, little else.
 * [out] *priced owned by the caller, freed by ioa_priced_destroy. IOA_ERR_INPUT (memory < 3, no connection),
 * IOA_ERR_NOMEM. */
ioa_status ioa_priced_create(const ioa_graph *graph, const uint32_t *order, uint64_t memory, ioa_priced **priced,
                             ioa_error *error);
void ioa_priced_destroy(ioa_priced *priced); /* NULL is allowed */

/* A stretch of an order, annealed while everything outside stays where it is (segment.h). The graph is one of its own:
 * its connections 0 .. movable - 1 are the steps of the stretch, in their present sequence; those above stand outside and
 * only say where a neuron is accessed next: at most one before the stretch and one behind it per neuron. Their other end
 * is a neuron without accesses (degree 0). Prices stay as they are. */
typedef struct ioa_priced_part {
    uint32_t movable;      /* at least 1 */
    uint32_t chunk;        /* steps that share a price */
    const uint32_t *price; /* [chunks of the stretch] copied */
    const int64_t *fixed;  /* [W - movable] label less that of the first step, if negative; else less that of the end */
} ioa_priced_part;

/* Otherwise as ioa_priced_create. ioa_priced_run and ioa_priced_order (the movable ones alone, [movable]) work on it;
 * settling and other orders are for whole ones. */
ioa_status ioa_priced_create_part(const ioa_graph *graph, const ioa_priced_part *part, ioa_priced **priced,
                                  ioa_error *error);

/* `proposals` Metropolis proposals at `temperature` (I/Os per unit of -ln u; 0 is a quench). */
void ioa_priced_run(ioa_priced *priced, double temperature, uint64_t proposals, ioa_pcg32 *rng);

/* Shares [IOA_PRICED_MOVE_COUNT] of the kinds of moves, of IOA_SHARES, and how many accesses NEAR moves may pass, >= 1.
 * NULL: the shares of the table and IOA_PRICED_WINDOW, as a new state has them. */
#define IOA_PRICED_WINDOW 3
void ioa_priced_tune(ioa_priced *priced, const uint32_t *share, uint32_t window);

/* Suggested temperatures for annealing from the current order: geometric from `hot` to `cold`, then a quench. A rule of
 * thumb from experiments: proportional to the energy per connection and falling with the square of the mean number
 * of incoming connections, because in dense networks one I/O is shared by many connections that must move together.
 * With little work per connection (below about 100 proposals) start from a good order, at `hot` / 10. */
void ioa_priced_suggest(const ioa_priced *priced, double *hot, double *cold);
double ioa_priced_hot(const ioa_graph *graph, int64_t energy); /* the same from an energy */

/* Renumbers the steps, measures the slots used and adjusts the prices once. The order does not change. O(W). */
void ioa_priced_settle(ioa_priced *priced);

/* Energy for the current labels, in label units; kept incrementally. Energies under different prices (other
 * replicas, or before and after a settle) are not comparable: compare bounds or exact counts. */
int64_t ioa_priced_energy(const ioa_priced *priced);

/* Lower bound on the excess of the CURRENT order under any eviction policy, in label units; valid right after a
 * settle (or creation), before any further proposal. */
int64_t ioa_priced_bound(const ioa_priced *priced);

/* Writes the current order to `order` [W]. */
void ioa_priced_order(const ioa_priced *priced, uint32_t *order);

/* Replaces the order by another LEGAL one; prices stay. Follow it by ioa_priced_settle if the orders differ much. */
void ioa_priced_set_order(ioa_priced *priced, const uint32_t *order);

/* Prices [count] for checkpoints: a settled state is restored bit for bit by creating one, setting the prices and
 * then the order. The array is borrowed until the state is destroyed. */
const uint32_t *ioa_priced_prices(const ioa_priced *priced, uint32_t *count);
void ioa_priced_set_prices(ioa_priced *priced, const uint32_t *prices);

const ioa_priced_stats *ioa_priced_statistics(const ioa_priced *priced); /* borrowed */

/* Adds to `counts` [IOA_PRICED_MOVE_COUNT] what the moves did since the statistics were `before`; NULL: at all. */
void ioa_priced_count(const ioa_priced *priced, const ioa_priced_stats *before, ioa_move_counts *counts);

/* Recomputes everything from scratch and compares; for tests. O(W log W). */
bool ioa_priced_consistent(const ioa_priced *priced);

#endif
