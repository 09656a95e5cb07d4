/* Inside of the engines of two levels (engine_levels.c): what replicas share, and a replica. */
#ifndef IOA_SEARCH_LEVELS_H
#define IOA_SEARCH_LEVELS_H

#include "optimizer/search/engine/engine.h"
#include "optimizer/search/engine/scorer.h"
#include "optimizer/search/interval/interval.h"
#include "optimizer/search/priced/priced.h"

/* Rows of a table of moves: those of intervals, then those of single connections. */
#define IOA_LEVELS_ROWS IOA_INTERVAL_MOVES(IOA_INTERVAL_ROW) IOA_PRICED_MOVES(IOA_PRICED_ROW)
#define IOA_INTERVAL_ROW(name, share, text) {text, 0, share, IOA_INTERVAL_##name <= IOA_INTERVAL_SLIDE_BOTH},
#define IOA_PRICED_ROW(name, share, text) {text, 1, share, IOA_PRICED_##name == IOA_PRICED_NEAR},

/* Their windows. A level that an engine has no moves of has a window that cannot move. */
#define IOA_LEVELS_WINDOWS {IOA_INTERVAL_WINDOW, 3, 12, 0.1, 50, 0}, {IOA_PRICED_WINDOW, 1, 32, 0.2, 4, 8}
#define IOA_NO_WINDOW {1, 1, 1, 0.44, 0, 0}

/* Used by one replica after the other. */
typedef struct ioa_levels_desk {
    ioa_scorer *scorer;
    /* where orders are cut into segments */
    ioa_order_prices prices;
    ioa_segments cuts;
    uint32_t *local; /* [N] */
} ioa_levels_desk;

/* The coarse problem, its start, and where the fine level takes over. */
typedef struct ioa_levels_shared {
    ioa_levels_desk *desk;         /* owned */
    ioa_interval_problem *problem; /* owned; NULL where no replica is ever coarse */
    ioa_intervals start;           /* best sliding window, or the constructive order's intervals */
    double takeover;               /* progress at which the fine level begins: 0 at once, 1 never; of replicas that are coarse */
    bool fine_first;               /* kind 0 is fine from the beginning and kind 1 coarse, else the other way round */
} ioa_levels_shared;

typedef struct ioa_levels_replica {
    const ioa_problem *problem;
    const ioa_levels_shared *shared;
    ioa_interval_state *interval; /* while coarse */
    bool fine;
    ioa_priced *priced;           /* once fine, unless in segments */
    uint32_t *price;              /* [chunks] once fine, in segments */
    double takeover;              /* progress at which this one turns fine: 0 at once, 1 never */
    double scale;                 /* suggested temperature to begin the fine level with, in I/Os */
    uint32_t *order; /* [W] as last counted */
    uint32_t *best;  /* [W], or NULL if it is kept elsewhere */
    uint64_t total, best_total;
} ioa_levels_replica;

static inline bool ioa_levels_in_segments(const ioa_levels_replica *r)
{
    return r->problem->segments > 1;
}

/* levels_shared.c: `pointer` is for ioa_engine.release, which is ioa_levels_shared_release. IOA_ERR_NOMEM. */
ioa_status ioa_levels_shared_create(const ioa_problem *problem, double takeover, void **pointer, ioa_error *error);
void ioa_levels_shared_release(void *pointer);

/* levels_replica.c: rows of the engines (engine.h). */
ioa_status ioa_levels_create(const ioa_problem *problem, const void *shared, uint32_t kind, void **state, ioa_error *error);
void ioa_levels_destroy(void *state);
ioa_status ioa_levels_turn(void *state, uint32_t kind, ioa_error *error);
ioa_status ioa_levels_restart(void *state, const uint32_t *order, ioa_error *error);
void ioa_levels_forget(ioa_levels_replica *r); /* its coarse and fine states */
ioa_status ioa_levels_allocate_prices(ioa_levels_replica *r, ioa_error *error); /* in segments */
ioa_status ioa_levels_take_over(ioa_levels_replica *r, ioa_error *error); /* from the coarse level to the fine one, at r->order */
void ioa_levels_count(ioa_levels_replica *r); /* r->order exactly, and keeps it if it is the best one */

/* engine_levels.c: kinds of replicas between which a trial has to decide; 1: the length of the rows does. */
uint32_t ioa_levels_tried_kinds(const ioa_problem *problem);

/* levels_anneal.c */
ioa_status ioa_levels_anneal(void *state, const ioa_step *step, ioa_pcg32 *rng, ioa_round_counts *counts, ioa_error *error);

/* levels_state.c: the flat form, for checkpoints. */
uint64_t ioa_levels_bytes(const void *state);
void ioa_levels_save(const void *state, void *bytes);
ioa_status ioa_levels_load(void *state, const void *bytes, uint64_t count, ioa_error *error);

#endif
