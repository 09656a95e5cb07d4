/* What happened, round by round: kept by worker 0, stored in the archive's trace/. */
#ifndef IOA_SEARCH_TRACE_H
#define IOA_SEARCH_TRACE_H

#include "io/checkpoint/checkpoint.h" /* ioa_value; nothing of io is called */

#include "optimizer/search/base/tuning.h"

#include <stdbool.h>
#include <stdint.h>

/* Columns are [rows], [rows * K] or wider, row-major. At first every round has a row. A long search keeps pairs of
 * consecutive rounds (which between them try all swaps), every second pair once there is no more room, then every
 * fourth, ..; the last round has a row in any case. Which rounds are kept follows from their number and K alone. */
typedef struct ioa_trace {
    uint64_t rounds;       /* done */
    uint64_t rows, capacity;
    uint64_t stride;       /* one pair of rounds in so many is kept; 0: not begun */
    uint32_t replicas;     /* K */
    uint64_t *round;       /* [rows] ascending */
    uint64_t *best;        /* [rows] exact I/O of the best order so far */
    uint64_t *proposals;   /* [rows] drawn so far by all replicas */
    uint64_t *round_trips; /* [rows] finished so far by all replicas: coldest rung to hottest and back */
    int64_t *energy;       /* [rows * K] by rung */
    double *temperature;   /* [rows * K] by rung */
    double *acceptance;    /* [rows * K] share of the proposals accepted, by rung */
    double *swap;          /* [rows * K] pair (rung, rung + 1): 1 swapped, 0 refused, -1 not tried */
    double *probability;   /* [rows * K] of swapping that pair, -1 where it was not tried */
    uint32_t *replica_at;  /* [rows * K] replica at each rung before the round's swaps: the index process */
    double *window;        /* [rows * K * IOA_LEVELS] of each rung's moves */
    uint32_t *share;       /* [rows * K * IOA_MOVES] of each kind of move, of IOA_SHARES per level, by rung */
    /* Measured, and so no part of what repeats: seconds of a round. */
    double *annealing;     /* [rows] mean over workers */
    double *slowest;       /* [rows] most over workers */
    double *exchanging;    /* [rows] messages and waiting for others, mean over workers */
} ioa_trace;

#define IOA_TRACE_COLUMNS 15
#define IOA_TRACE_MEASURED 3 /* the last ones */

/* The columns as named arrays of the rows so far, for storing, sending and filling in. */
void ioa_trace_values(const ioa_trace *trace, ioa_value values[IOA_TRACE_COLUMNS]);

/* Most rows of a trace of K replicas, at least 512. */
uint64_t ioa_trace_most_rows(uint32_t replicas);

/* Makes room for `rows` rows. On failure the rows so far are kept. */
ioa_status ioa_trace_reserve(ioa_trace *trace, uint64_t rows, ioa_error *error);

/* Begins the row of the next round, after ioa_trace_reserve(trace, trace->rows + 1, ..), and returns its index; only its
 * round is filled in. Other rows may move. */
uint64_t ioa_trace_next(ioa_trace *trace);

/* Makes it the trace of `rounds` rounds, with room for their rows, round numbers filled in. */
ioa_status ioa_trace_resize(ioa_trace *trace, uint64_t rounds, ioa_error *error);

/* The last row of a round up to `round`; there must be rows. */
uint64_t ioa_trace_row(const ioa_trace *trace, uint64_t round);

/* Replaces `to` by a copy of `from`. */
ioa_status ioa_trace_copy(const ioa_trace *from, ioa_trace *to, ioa_error *error);

void ioa_trace_clear(ioa_trace *trace); /* frees everything, zeroes the rest */

#endif
