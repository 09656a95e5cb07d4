/* What happened, round by round: kept alike on every worker, stored in the archive's trace/. */
#ifndef IOA_SEARCH_TRACE_H
#define IOA_SEARCH_TRACE_H

#include "io/checkpoint.h" /* ioa_value; nothing of io is called */

#include "optimizer/search/tuning.h"

#include <stdbool.h>
#include <stdint.h>

/* One row per round; columns are [rounds], [rounds * K] or wider, row-major. */
typedef struct ioa_trace {
    uint64_t rounds, capacity;
    uint32_t replicas;     /* K */
    uint64_t *best;        /* [rounds] exact I/O of the best order so far */
    uint64_t *proposals;   /* [rounds] drawn so far by all replicas */
    uint64_t *round_trips; /* [rounds] finished so far by all replicas: coldest rung to hottest and back */
    int64_t *energy;       /* [rounds * K] by rung */
    double *temperature;   /* [rounds * K] by rung */
    double *acceptance;    /* [rounds * K] share of the proposals accepted, by rung */
    double *swap;          /* [rounds * K] pair (rung, rung + 1): 1 swapped, 0 refused, -1 not tried */
    double *probability;   /* [rounds * K] of swapping that pair, -1 where it was not tried */
    uint32_t *replica_at;  /* [rounds * K] replica at each rung before the round's swaps: the index process */
    double *window;        /* [rounds * K * IOA_LEVELS] of each rung's moves */
    uint32_t *share;       /* [rounds * K * IOA_MOVES] of each kind of move, of IOA_SHARES per level, by rung */
    /* Measured, and so no part of what repeats: seconds of a round. */
    double *annealing;     /* [rounds] mean over workers */
    double *slowest;       /* [rounds] most over workers */
    double *exchanging;    /* [rounds] messages and waiting for others, mean over workers */
} ioa_trace;

#define IOA_TRACE_COLUMNS 14
#define IOA_TRACE_MEASURED 3 /* the last ones */

/* The columns as named arrays of the rows so far, for storing, sending and filling in. */
void ioa_trace_values(const ioa_trace *trace, ioa_value values[IOA_TRACE_COLUMNS]);

/* Makes room for `rounds` rows. On failure the rows so far are kept. */
ioa_status ioa_trace_reserve(ioa_trace *trace, uint64_t rounds, ioa_error *error);

/* Replaces `to` by a copy of `from`. */
ioa_status ioa_trace_copy(const ioa_trace *from, ioa_trace *to, ioa_error *error);

void ioa_trace_clear(ioa_trace *trace); /* frees everything, zeroes the rest */

#endif
