/* What a replica does between two swaps: an engine anneals one order at one temperature.
 *
 * Engines are rows of a table (engine.c). The state of a replica is opaque; everything random comes from the
 * generator handed in, so that a round is a pure function of (state, temperature, generator). */
#ifndef IOA_SEARCH_ENGINE_H
#define IOA_SEARCH_ENGINE_H

#include "core/rng.h"
#include "optimizer/search/graph.h"

#include <ioanneal/memory.h>
#include <ioanneal/network.h>

/* What all replicas of one search share; built once per rank, read-only. */
typedef struct ioa_problem {
    const ioa_network *network; /* borrowed */
    uint64_t memory;            /* M */
    ioa_policy policy;
    const uint32_t *start;  /* [W] best constructive order, borrowed; every replica starts there */
    uint64_t start_total;   /* its I/O */
    const ioa_graph *graph; /* of the network, borrowed */
} ioa_problem;

/* Sums over one round of one replica. */
typedef struct ioa_round_counts {
    uint64_t proposals; /* moves drawn, infeasible ones included */
    uint64_t accepted;
} ioa_round_counts;

typedef struct ioa_engine {
    const char *name;
    const char *summary; /* one line for --help */

    double cold, hot; /* where a search ends and begins, in units of `scale` */

    /* Starts a replica at problem->start. The problem must outlive it. */
    ioa_status (*create)(const ioa_problem *problem, void **state, ioa_error *error);
    void (*destroy)(void *state);

    /* What a temperature of 1 means, in I/Os; equal for all replicas of a problem. */
    double (*scale)(const void *state);

    /* Proposals of one round: a function of the problem alone, so that rounds mean the same on every machine. */
    uint64_t (*round_proposals)(const ioa_problem *problem);

    /* Draws `proposals` moves at `temperature` (in I/Os; 0: only what does not cost more is accepted). */
    ioa_status (*anneal)(void *state, double temperature, uint64_t proposals, ioa_pcg32 *rng, ioa_round_counts *counts,
                         ioa_error *error);

    int64_t (*energy)(const void *state);     /* what the swaps compare, in I/Os */
    uint64_t (*best_total)(const void *state); /* exact I/O of the best order seen by this replica */
    void (*best_order)(const void *state, uint32_t *order); /* that order, [W] */
} ioa_engine;

/* NULL for an unknown name. */
const ioa_engine *ioa_engine_find(const char *name);

/* The table, for --help: index 0 .. ; NULL past the end. */
const ioa_engine *ioa_engine_at(unsigned index);

extern const ioa_engine ioa_engine_priced, ioa_engine_paper; /* engine_NAME.c */

#endif
