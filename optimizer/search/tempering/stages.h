/* The stages of a search: which kind of replica anneals when, and how far its annealing has come.
 *
 * An engine may offer several kinds of replicas (engine.h), and which kind suits a network is best found by trying: a
 * TRIAL gives every kind one whole annealing, from hot to cold, in a small share of the rounds. The kind whose orders
 * came out cheapest then has all replicas for the rest, and begins anew.
 *
 *   timed rounds | trial, one or several parts | timed rounds | the annealing
 *
 * Timed rounds do not depend on the plan, so that a plan from a time limit can rest on how long they took; the second
 * ones are those of the kind that won. Without a trial (one kind, too few rounds, or an engine whose kinds stay side by
 * side) there are only the first ones and the annealing. All of it follows from four numbers, which are alike on all workers and part of the result. */
#ifndef IOA_SEARCH_STAGES_H
#define IOA_SEARCH_STAGES_H

#include <stdbool.h>
#include <stdint.h>

#define IOA_STAGES_MOST_KINDS 8

typedef struct ioa_stages {
    uint32_t kinds;    /* 1 .. IOA_STAGES_MOST_KINDS */
    uint32_t replicas; /* K */
    uint64_t trial;    /* rounds; UINT64_MAX: not known yet */
    uint64_t planned;  /* rounds in all; 0: not known yet */
    int64_t cheapest[IOA_STAGES_MOST_KINDS]; /* I/O of the best order of each kind up to the end of the trial */
} ioa_stages;

typedef struct ioa_stage {
    bool trial;      /* kinds still compete */
    bool begins;     /* the replicas begin anew with this round, as their kinds of this stage */
    double progress; /* [0, 1]: share of the stage's annealing that is over after this round; 0 in timed rounds */
    double rounds;   /* of the stage's annealing; 0 in timed rounds */
} ioa_stage;

/* `planned` 0: to be found from a time limit. `trial` UINT64_MAX: the usual share of the plan. */
ioa_stages ioa_stages_make(uint32_t kinds, uint32_t replicas, uint64_t planned, uint64_t trial);

/* Whether a plan should be made from the time, now that `done` rounds are over. */
bool ioa_stages_want_plan(const ioa_stages *stages, uint64_t done);

/* Takes in that the time allows `rounds` in all, where a plan is wanted. */
void ioa_stages_plan(ioa_stages *stages, uint64_t rounds);

ioa_stage ioa_stages_at(const ioa_stages *stages, uint64_t round);

/* Kind of a replica in a round. After the trial it is the winner. */
uint32_t ioa_stages_kind(const ioa_stages *stages, uint64_t round, uint32_t replica);

/* Kinds that anneal side by side in a round. */
uint32_t ioa_stages_side_by_side(const ioa_stages *stages, uint64_t round);

/* First round after the trial; 0 without one. UINT64_MAX while that is not known. */
uint64_t ioa_stages_trial_end(const ioa_stages *stages);

/* First round at which replicas begin anew; UINT64_MAX if none is known. */
uint64_t ioa_stages_first_change(const ioa_stages *stages);

/* Takes in what a replica's order costs after a round. */
void ioa_stages_report(ioa_stages *stages, uint64_t round, uint32_t replica, int64_t total);

/* False if the numbers cannot be those of a search that has done `rounds` rounds. */
bool ioa_stages_valid(const ioa_stages *stages, uint64_t rounds);

#endif
