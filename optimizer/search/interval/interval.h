/* The interval model: a coarse, exactly accounted description of good evaluation orders, made to be annealed.
 *
 * In every good order a destination has ONE residency: it opens (its partial sum enters fast memory), closes (its last
 * connection is done) and is never spilled between. Time is an axis of `ticks`; a state gives every neuron v with
 * incoming connections an interval [open_v, close_v]. A value u that is in fast memory at tick t serves all of its
 * destinations open at t at once, so u needs a set of residencies that meets the intervals of all its destinations:
 *   - a load of u costs 1; it happens at the close of some destination (as late as possible), and may be HELD on
 *     until further destinations open, which costs no I/O but a slot;
 *   - a hidden neuron is resident as it closes, for nothing; if that residency meets all of its destinations, neither
 *     write nor load is paid; else 1 for the write (outputs pay theirs anyway) and 1 per load.
 * Edge u -> v with hidden u asks for close_u <= close_v, and then any point of [max(open_v, close_u), close_v] will do.
 * Slots: at tick t the open destinations and the held values should fit into C - 1 = M - 2 (one slot passes the loads
 * through). More is allowed at a price per tick that grows with the excess: soft while hot, steep when cold.
 *
 *   energy = loads beyond the first of inputs + loads and writes of hidden neurons + price of the overflow
 *
 * Where nothing overflows, ioa_interval_order gives an order of about LB + energy I/Os under MIN. Usually a little less,
 * since MIN finds more to keep; rarely a few more, since MIN looks at distances alone and may evict a partial sum
 * (write and read) instead of a source (read). So the exact simulator has the last word on every result.
 *
 * Energies are integers in units of 1 / IOA_INTERVAL_ONE I/O. All decisions are integer arithmetic on the state and the
 * generator: equal on every machine. Nothing is global; states may be used by different threads at once.
 *
 * Memory: 12 bytes per connection and about 48 per neuron and state, 4 per connection and 20 per neuron for the
 * problem that the states share. */
#ifndef IOA_SEARCH_INTERVAL_H
#define IOA_SEARCH_INTERVAL_H

#include "core/base/rng.h"
#include "core/model/network.h"

#include "optimizer/search/base/tuning.h"

#include <stdbool.h>

#define IOA_INTERVAL_ONE 4096 /* energy units of one I/O */

/* What all states of a search share: units, the sources' side of the network, and the slots. Immutable, any number of
 * threads. A UNIT is a set of destinations with the same sources, which share one interval; most units are single
 * neurons, but structured networks have many twins, and moving them one by one gets nowhere. */
typedef struct ioa_interval_problem {
    const ioa_network *network; /* borrowed, must outlive the problem */
    uint32_t neurons;           /* N */
    uint64_t connections;       /* W */
    uint64_t memory;            /* M */
    int32_t slots;              /* M - 2: open destinations and held values that fit beside one passing load */
    uint32_t units;             /* U */
    uint32_t *unit_of;          /* [N] unit of a neuron, UINT32_MAX without incoming connections; owned */
    uint32_t *member_offsets;   /* [U + 1] owned */
    uint32_t *members;          /* neurons by unit, ascending; the first one's row stands for all; owned */
    uint64_t pairs;             /* (source, unit) pairs, at most W */
    int64_t *out_offsets;       /* [N + 1] owned */
    uint32_t *out_unit;         /* [pairs] units by source; owned */
    uint32_t max_out;           /* most units of a source */
    uint32_t max_in;            /* longest row */
} ioa_interval_problem;

/* `merge`: make units of twins, no larger than a fraction of the slots; else every destination is a unit.
 * IOA_ERR_INPUT if memory < 3 or > 2^24; IOA_ERR_NOMEM. O(W) expected. */
ioa_status ioa_interval_problem_create(const ioa_network *network, uint64_t memory, bool merge,
                                       ioa_interval_problem **problem, ioa_error *error);
void ioa_interval_problem_destroy(ioa_interval_problem *problem); /* NULL is allowed */

/* A schedule of intervals, as constructors make them. Arrays [N] from ioa_alloc, owned by whoever holds the struct;
 * entries of neurons without incoming connections are ignored. Independent of the units, so that a schedule found
 * with twins merged can be refined without. */
typedef struct ioa_intervals {
    int32_t ticks;  /* at least 1; 0 <= open <= close < ticks < 2^30 */
    int32_t *open;  /* [N] */
    int32_t *close; /* [N] */
} ioa_intervals;

ioa_status ioa_intervals_create(uint32_t neurons, ioa_intervals *intervals, ioa_error *error);
void ioa_intervals_destroy(ioa_intervals *intervals); /* zeroes it */

/* Sliding window: keeps up to `window` destinations open and, in the slots left over, the sources used last. Closes the
 * open destination with the fewest pending sources, opens the ready destination with the fewest new ones. One close
 * per tick. `rng` breaks ties; NULL takes the first found. Near-linear: O(sum over loads of the source's fan-out). */
ioa_status ioa_intervals_window(const ioa_interval_problem *problem, uint32_t window, ioa_pcg32 *rng,
                                ioa_intervals *intervals, ioa_error *error);

/* The intervals of a legal order [W] (interval_import.c). IOA_ERR_NOMEM. */
ioa_status ioa_intervals_from_order(const ioa_interval_problem *problem, const uint32_t *order, ioa_intervals *intervals,
                                    ioa_error *error);

typedef struct ioa_interval_state ioa_interval_state;

/* A state that starts at `start` (copied; twins take the interval of their first). The problem must outlive it.
 * The start must keep close_u <= close_v for every connection u -> v of a hidden u. */
ioa_status ioa_interval_state_create(const ioa_interval_problem *problem, const ioa_intervals *start,
                                     ioa_interval_state **state, ioa_error *error);
void ioa_interval_state_destroy(ioa_interval_state *state); /* NULL is allowed */

/* One row per kind of move; X(name, share of the proposals to begin with in 1 / IOA_SHARES, text). */
#define IOA_INTERVAL_MOVES(X)                                                                                          \
    X(SLIDE_OPEN, 102, "an interval opens a little earlier or later")                                                  \
    X(SLIDE_CLOSE, 102, "closes a little earlier or later")                                                            \
    X(SLIDE_BOTH, 51, "both")                                                                                          \
    X(EXCHANGE_NEAR, 51, "two units that close near each other exchange their intervals")                              \
    X(PLAN, 51, "a source plans its residencies afresh")                                                               \
    X(SPAN, 51, "an interval spans residencies of some of its sources")                                                \
    X(AIM_OPEN, 104, "an interval opens where something happens to one of its sources")                                \
    X(AIM_CLOSE, 51, "closes there")                                                                                   \
    X(JOIN, 154, "an interval goes where one or many of its sources are")                                              \
    X(EXCHANGE_FAR, 307, "exchanges with a unit that closes there")

#define IOA_INTERVAL_MOVE_ENUM(name, share, text) IOA_INTERVAL_##name,
typedef enum ioa_interval_move { IOA_INTERVAL_MOVES(IOA_INTERVAL_MOVE_ENUM) IOA_INTERVAL_MOVE_COUNT } ioa_interval_move;
#undef IOA_INTERVAL_MOVE_ENUM

const char *ioa_interval_move_name(ioa_interval_move kind);

/* Shares [IOA_INTERVAL_MOVE_COUNT] of the kinds of moves, of IOA_SHARES, and the window of slides: distances up to
 * 2^(window - 1) ticks, all powers of two alike. NULL: the table's and IOA_INTERVAL_WINDOW, as a new state has them. */
#define IOA_INTERVAL_WINDOW 7
void ioa_interval_tune(ioa_interval_state *state, const uint32_t *share, uint32_t window);

/* Sums over calls of ioa_interval_anneal. */
typedef struct ioa_interval_counts {
    uint64_t proposals; /* moves drawn, impossible ones included */
    uint64_t accepted;
    ioa_move_counts moves[IOA_INTERVAL_MOVE_COUNT];
} ioa_interval_counts;

/* Draws `proposals` moves at `temperature` (in I/Os, about 0.05 to 0.5); the overflow price follows the temperature.
 * `counts` is added to, may be NULL. IOA_ERR_NOMEM leaves a valid state. */
ioa_status ioa_interval_anneal(ioa_interval_state *state, double temperature, uint64_t proposals, ioa_pcg32 *rng,
                               ioa_interval_counts *counts, ioa_error *error);

/* Energy at the price of the given temperature, in units of 1 / IOA_INTERVAL_ONE I/O. Replicas that are compared must be
 * asked at the same temperature. O(ticks). */
int64_t ioa_interval_energy(const ioa_interval_state *state, double temperature);

/* Loads and writes alone, in I/Os: the excess over LB if nothing overflows. */
int64_t ioa_interval_io(const ioa_interval_state *state);

/* Slots by which the ticks overflow, summed over ticks. */
int64_t ioa_interval_overflow(const ioa_interval_state *state);

/* The order of connections the state stands for, [W]; always legal. O(W log N); 4 bytes per connection while it lasts. */
ioa_status ioa_interval_order(const ioa_interval_state *state, uint32_t *order, ioa_error *error);

/* The intervals, to be freed by ioa_intervals_destroy. */
ioa_status ioa_interval_extract(const ioa_interval_state *state, ioa_intervals *intervals, ioa_error *error);

/* Flat form, for checkpoints and for sending: `bytes` long, restores into a state of the same problem and ticks exactly
 * (later annealing included). IOA_ERR_INPUT if the bytes cannot be such a state; then `state` is left as it was. */
uint64_t ioa_interval_state_bytes(const ioa_interval_state *state);
void ioa_interval_state_save(const ioa_interval_state *state, void *bytes);
ioa_status ioa_interval_state_load(ioa_interval_state *state, const void *bytes, ioa_error *error);

/* Recomputes everything derived from scratch and compares. For tests; O(W log W). IOA_ERR_CHECK says what differs. */
ioa_status ioa_interval_state_check(const ioa_interval_state *state, ioa_error *error);

#endif
