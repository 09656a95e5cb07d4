/* What a replica does between two swaps: an engine anneals one order.
 *
 * Engines are rows of a table (engine.c). The state of a replica is opaque; everything random comes from the
 * generator handed in, so that a round is a pure function of (state, step, generator). */
#ifndef IOA_SEARCH_ENGINE_H
#define IOA_SEARCH_ENGINE_H

#include "core/base/rng.h"
#include "core/model/objective.h"
#include "optimizer/search/base/interrupt.h"
#include "optimizer/search/base/tuning.h"
#include "optimizer/search/priced/graph.h"
#include "optimizer/search/segment/segment.h"

#include <ioanneal/memory.h>
#include <ioanneal/network.h>

/* What all replicas of one search share; built once per rank, read-only. */
typedef struct ioa_problem {
    const ioa_network *network; /* borrowed */
    const ioa_graph *graph;     /* of the network, borrowed */
    ioa_objective objective;    /* what orders are judged by; */
    uint64_t memory;            /* M of its first level, which moves are made for */
    const uint32_t *start; /* [W] best constructive order, borrowed */
    uint64_t start_total;  /* its cost by the objective */
    const uint32_t *aside; /* [W] a better order that the last replica has as its best one from the beginning, without
                            * starting from it, borrowed; or NULL */
    uint64_t aside_total;  /* its cost */
    uint32_t segments;     /* into which orders are cut on the fine level; 0 or 1: none */
    const ioa_crew *crew;  /* ranks that work for the one replica of this one, borrowed; NULL: this one alone */
    bool best_elsewhere;   /* replicas need not keep their best orders: best_order is never asked for */
    ioa_interrupt *interrupt; /* looked at while replicas are prepared and created; borrowed; NULL: never */
    double cold, hot;      /* temperatures at the end and at the beginning, in the engine's units; 0: its own */
} ioa_problem;

/* Where a round stands in the plan of the search. */
typedef struct ioa_step {
    double progress;     /* [0, 1] share of the plan that is over after this round */
    double sweeps;       /* proposals per connection the whole plan has; 0: not known yet, play safe */
    double multiplier;   /* of the replica's rung, >= 1: how much hotter than the base it is */
    uint64_t proposals;  /* of this round, as round_proposals gave them */
    bool quench;         /* accept nothing that costs more */
    double heat;         /* factor on the temperature to begin with: less than 1 when heated up again */
    const ioa_tuning *tuning; /* of the replica's rung; borrowed */
} ioa_step;

/* What a replica did in one round. */
typedef struct ioa_round_counts {
    uint64_t proposals; /* moves drawn, infeasible ones included */
    uint64_t accepted;
    double base;        /* temperature of a multiplier of 1, in I/Os */
    ioa_move_counts moves[IOA_MOVES]; /* by the rows of the engine's table */
} ioa_round_counts;

typedef struct ioa_engine {
    const char *name;
    const char *summary; /* one line for --help */

    /* Kinds of replicas that may suit the problem, up to IOA_STAGES_MOST_KINDS, the likeliest first. [out] *trial: they are
     * tried out, and one is chosen (stages.h), unless told otherwise; else all of them anneal side by side to the end, and
     * the others' rounds are to take as long as those of the first. A function of network, objective and number of
     * replicas alone, asked before `prepare`. NULL: one. */
    uint32_t (*kinds)(const ioa_problem *problem, uint32_t replicas, bool *trial);

    const ioa_move *moves;     /* [up to IOA_MOVES] kinds of moves, ended by a row without a name unless it is full */
    const ioa_window *windows; /* [IOA_LEVELS] */

    /* What the replicas of a rank share beyond the problem; both NULL if nothing. */
    ioa_status (*prepare)(const ioa_problem *problem, void **shared, ioa_error *error);
    void (*release)(void *shared);

    /* Starts a replica of a kind. Problem and shared must outlive it. */
    ioa_status (*create)(const ioa_problem *problem, const void *shared, uint32_t kind, void **state, ioa_error *error);
    void (*destroy)(void *state);

    /* Begins anew as a replica of a kind, keeping the best order and its total. Only where there
     * are several kinds. */
    ioa_status (*turn)(void *state, uint32_t kind, ioa_error *error);

    /* Effort of one round: a function of the problem alone, so that rounds mean the same on every machine. */
    uint64_t (*round_proposals)(const ioa_problem *problem);

    /* One round. Swaps are decided with the base temperature of the first replica of the kind. */
    ioa_status (*anneal)(void *state, const ioa_step *step, ioa_pcg32 *rng, ioa_round_counts *counts,
                         ioa_error *error);

    /* One round on a rank without a replica that is of a crew (segment.h); `helper` is made on first use and kept.
     * NULL: the engine has no use for helpers. */
    ioa_status (*assist)(const ioa_problem *problem, void **helper, ioa_error *error);
    void (*dismiss)(void *helper); /* releases it; NULL is allowed */

    int64_t (*energy)(const void *state);      /* what the swaps compare, in I/Os */
    uint64_t (*best_total)(const void *state); /* exact cost of the best order seen by this replica */
    void (*best_order)(const void *state, uint32_t *order); /* that order, [W] */
    void (*present_order)(const void *state, uint32_t *order); /* the one that `energy` is of, [W] */

    /* Goes on from another order [W], legal and counted to be what the caller wants, between two rounds. NULL: it cannot. */
    ioa_status (*restart)(void *state, const uint32_t *order, ioa_error *error);

    /* Flat form of a replica between two rounds, for checkpoints. `load` is given a replica just created for the same
     * problem and makes it anneal on bit for bit; it trusts nothing: IOA_ERR_INPUT if the bytes cannot be such a
     * replica, after which it may only be destroyed. */
    uint64_t (*bytes)(const void *state);
    void (*save)(const void *state, void *bytes);
    ioa_status (*load)(void *state, const void *bytes, uint64_t count, ioa_error *error);
} ioa_engine;

/* NULL for an unknown name. */
const ioa_engine *ioa_engine_find(const char *name);

/* The table, for --help: index 0 .. ; NULL past the end. */
const ioa_engine *ioa_engine_at(unsigned index);

/* What is used unless another one is asked for. */
const ioa_engine *ioa_engine_usual(ioa_policy policy);

extern const ioa_engine ioa_engine_levels, ioa_engine_exact, ioa_engine_interval, ioa_engine_priced, ioa_engine_paper; /* engine_NAME.c */

/* The usual course of a temperature: geometric from hot to cold; for a search of few sweeps from less than hot, since
 * what cannot be cooled again must not be melted. `progress` in [0, 1]. */
double ioa_cooling(double cold, double hot, double sweeps, double progress);

#endif
