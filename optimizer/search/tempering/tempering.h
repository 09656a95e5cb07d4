/* Annealed parallel tempering: K replicas on any number of workers, temperatures exchanged, orders never.
 *
 * All replicas start at the best constructive order. The ladder moves from hot to cold geometrically with the rounds,
 * as hot as the length of the search allows, and the last rounds are a quench. So the number of rounds is planned
 * beforehand: given, or, from a time limit, by timing the first few rounds, which do not depend on the plan. A short
 * trial decides between kinds of replicas (stages.h). The plan is part of the result. If the time runs out before the
 * plan, a shorter quench follows at once; its last round tells where it began, and is a part of the result as well.
 *
 * Replica k lives on worker k mod size. A round is: every replica anneals at its rung's temperature with the stream
 * (seed, replica, round); every worker gathers 8 bytes of energy per replica and a few numbers per worker
 * (tempering_message.h) and computes all swaps from them, alike. So the result depends on seed, replicas and rounds alone,
 * not on the number of workers. What else is to be known about a round goes to worker 0, which keeps the trace. Only in
 * rounds of a survey, one in 4, later in 16, all learn what the kinds of moves did and what the best orders look like: moves
 * are adapted (tuning.h), and the best orders that are not alike become the elite (elite.h), from which the quench starts,
 * replicas when they are heated up again (stagnation.h), and those that are stuck far above the next colder one. Only then do
 * orders travel. */
#ifndef IOA_SEARCH_TEMPERING_H
#define IOA_SEARCH_TEMPERING_H

#include "io/checkpoint/checkpoint.h" /* ioa_value; nothing of io is called */
#include "optimizer/search/engine/engine.h"
#include "optimizer/search/tempering/elite.h"
#include "optimizer/search/tempering/ladder.h"
#include "optimizer/search/tempering/stages.h"
#include "optimizer/search/tempering/trace.h"
#include "optimizer/search/tempering/transport.h"

typedef struct ioa_tempering_config {
    const ioa_engine *engine;
    uint64_t seed;
    uint32_t replicas;    /* K */
    uint64_t rounds;      /* planned; 0: from `seconds` */
    uint64_t trial;       /* rounds of the trial among them; UINT64_MAX: the usual share */
    uint64_t stop;        /* end after this round, its quench before it, although more are planned; 0: no */
    uint64_t proposals;   /* per replica and round; 0: the engine's choice */
    double seconds;       /* time limit after `began`, kept by worker 0; 0: none */
    double began;         /* seconds of ioa_clock at which the time started to count */
    double spread;        /* of the ladder at the start, >= 1; 1 for good: independent replicas */
    uint32_t groups;      /* ladders per kind of replica, which do not exchange with each other; 0: by the replicas */
    unsigned adapt;       /* IOA_ADAPT_.. of what proposals are made of */
    uint64_t patience;    /* round trips without a gain before it is heated up again, and then given up; 0: never */
    uint64_t target;      /* stop once the best order costs no more, I/Os; 0: go on */
} ioa_tempering_config;

/* What a worker may ask for at the end of a round; done by all workers if one asks. */
enum {
    IOA_WISH_CHECKPOINT = 1,
    IOA_WISH_STOP = 2, /* end after this round, planned or not */
};

/* Called on every worker; any member may be NULL. */
typedef struct ioa_tempering_events {
    void *context;
    /* This worker's wishes; asked before each exchange, while the round's own work is done. */
    unsigned (*wish)(void *context);
    /* After each round. `improved`: the best order is new and lives in replica `best_replica`. The trace has rows on
     * worker 0 only; elsewhere it counts the rounds. */
    void (*round)(void *context, uint64_t best, uint32_t best_replica, bool improved, const ioa_trace *trace);
    /* Between two rounds, if a checkpoint was wished for. Fails on all workers or on none. */
    ioa_status (*checkpoint)(void *context, ioa_error *error);
} ioa_tempering_events;

typedef struct ioa_tempering ioa_tempering; /* the replicas of one worker */

/* On this worker alone. IOA_ERR_CHECK if the problem's interrupt told it to stop. */
ioa_status ioa_tempering_create(const ioa_problem *problem, const ioa_tempering_config *config,
                                const ioa_transport *transport, ioa_tempering **tempering, ioa_error *error);
void ioa_tempering_destroy(ioa_tempering *tempering);

/* No order costs less than `total`: the search ends once it has one that costs no more, as at config.target. The same on
 * all workers, before the run. */
void ioa_tempering_aim(ioa_tempering *tempering, uint64_t total);

/* Runs until rounds or seconds are used up. Collective over the workers; fails on all of them if it fails on one. */
ioa_status ioa_tempering_run(ioa_tempering *tempering, const ioa_tempering_events *events, ioa_error *error);

/* The best order over all replicas: its exact I/O, the replica that has it and the worker that replica lives on. */
uint64_t ioa_tempering_best(const ioa_tempering *tempering, uint32_t *replica, uint32_t *owner);

/* Copies the best order of a replica of this worker, [W]. */
void ioa_tempering_best_order(const ioa_tempering *tempering, uint32_t replica, uint32_t *order);

bool ioa_tempering_stopped(const ioa_tempering *tempering); /* by a wish */
double ioa_tempering_elapsed(const ioa_tempering *tempering); /* seconds since it began, earlier runs included */
/* Wall-clock of this worker in this run: seconds in which its replicas annealed, and in which it exchanged messages and
 * waited for others. */
void ioa_tempering_times(const ioa_tempering *tempering, double *annealing, double *exchanging);
uint64_t ioa_tempering_end(const ioa_tempering *tempering); /* round at which time made it end before the plan; 0: not */
uint64_t ioa_tempering_reheats(const ioa_tempering *tempering);
const ioa_elite *ioa_tempering_elite(const ioa_tempering *tempering);
uint64_t ioa_tempering_planned(const ioa_tempering *tempering); /* rounds planned; 0 before it is known */
uint64_t ioa_tempering_trial(const ioa_tempering *tempering);   /* rounds of the trial; 0: none, or not known yet */
const ioa_trace *ioa_tempering_trace(const ioa_tempering *tempering); /* rows on worker 0 only */

/* ---- between two rounds: taking a search apart and putting it together again ----
 *
 * The values are named arrays that point into the search, for writing and for reading in place: first those that all
 * workers hold alike, then the trace, which is empty except on worker 0. To restore: create with the same problem and
 * configuration; ioa_tempering_resize to the rounds done; fill in the values; ioa_tempering_restored; load the states that
 * live on this worker. */
#define IOA_TEMPERING_SHARED 23
#define IOA_TEMPERING_VALUES (IOA_TEMPERING_SHARED + IOA_TRACE_COLUMNS)
size_t ioa_tempering_values(ioa_tempering *tempering, ioa_value values[IOA_TEMPERING_VALUES]);
ioa_status ioa_tempering_resize(ioa_tempering *tempering, uint64_t rounds, ioa_error *error);
ioa_status ioa_tempering_restored(ioa_tempering *tempering, ioa_error *error); /* IOA_ERR_INPUT: impossible values */

/* The states: those of the replicas, then the orders of the elite. State i lives on worker i mod size; opaque. */
uint32_t ioa_tempering_states(const ioa_tempering *tempering);
uint64_t ioa_tempering_state_bytes(const ioa_tempering *tempering, uint32_t index);
void ioa_tempering_state_save(const ioa_tempering *tempering, uint32_t index, void *bytes);
ioa_status ioa_tempering_state_load(ioa_tempering *tempering, uint32_t index, const void *bytes, uint64_t count,
                                    ioa_error *error);

#endif
