/* Plans against each other, timed in turn: what choosing and measuring rest on. */
#ifndef IOA_CORE_PLAN_CONTEST_H
#define IOA_CORE_PLAN_CONTEST_H

#include "core/plan/baseline_mkl.h"

#include <ioanneal/plan.h>
#include <stdbool.h>

/* What took part in a choice. */
typedef struct ioa_candidate {
    char name[IOA_PLAN_NAME];
    double seconds; /* median of its windows when it was last compared, per pass over the batch */
} ioa_candidate;

#define IOA_MOST_CANDIDATES 128u

/* The conditions, the same for all. Zeroed, then opened. */
typedef struct ioa_contest {
    const ioa_network *network; /* borrowed, as the order; NULL: layered */
    const uint32_t *order;
    ioa_isa isa; /* never AUTO */
    uint32_t batch, threads;
    float *x, *y;    /* [batch, I], [batch, S]; owned */
    double deadline; /* of the present phase, by ioa_clock */
    ioa_candidate tried[IOA_MOST_CANDIDATES];
    uint32_t tried_count;
} ioa_contest;

/* Something that can be timed: a plan or MKL, with a scratch, or a function. Nothing if all members are NULL. */
typedef struct ioa_contender {
    ioa_plan *plan;
    ioa_mkl *mkl; /* with activations of its own */
    void (*function)(const float *x, float *y, size_t batch); /* as files of core/compile/compile_file.h have; borrowed */
    void *scratch; /* one for each thread */
} ioa_contender;

/* Inputs are random in [-1, 1), keyed by `seed`. IOA_ERR_INPUT for impossible conditions; IOA_ERR_NOMEM. */
ioa_status ioa_contest_open(ioa_contest *contest, const ioa_network *network, const uint32_t *order,
                            const ioa_plan_choice *choice, uint64_t seed, ioa_error *error);
void ioa_contest_close(ioa_contest *contest);

/* A plan for `order`, with its scratch; nothing on failure. */
ioa_status ioa_contest_plan(const ioa_contest *contest, const uint32_t *order, const ioa_plan_options *options,
                            ioa_contender *contender, ioa_error *error);
void ioa_contest_dismiss(ioa_contender *contender); /* releases what it has */
bool ioa_contender_exists(const ioa_contender *contender);

/* Seconds per pass over `passes` of them, as batch after batch would take: as many that are not timed come before, where
 * they are few; seconds of a single pass after another; and how many passes make a window. */
double ioa_contest_time(const ioa_contest *contest, const ioa_contender *contender, uint32_t passes);
double ioa_contest_warm(const ioa_contest *contest, const ioa_contender *contender);
uint32_t ioa_contest_passes(double seconds);

/* The share of a pass that packing x and unpacking y take, each timed in turn with whole passes; by itself packing finds
 * x, y and values in cache, so that it may be a little more. 0: several threads, or nothing is packed apart. */
double ioa_contest_packing(const ioa_contest *contest, const ioa_contender *contender);

/* Times all of them in turn, fewer rounds if one is clearly faster, notes what they take, and returns the number of the one that is
 * fastest against the first in the median round, the first of equals: a machine that changes its speed from window to window
 * would let the least of them decide by luck. At most IOA_MOST_FINALISTS. */
#define IOA_MOST_FINALISTS 8u
uint32_t ioa_contest_play_off(ioa_contest *contest, const ioa_contender *finalists, uint32_t count);

/* Keeps the faster of the two in *best, dismisses the other. */
void ioa_contest_challenge(ioa_contest *contest, ioa_contender *best, ioa_contender *challenger);

/* The best plan, with plain CSR among the candidates unless the time is up; and the best plain CSR alone. */
ioa_status ioa_contest_choose(ioa_contest *contest, ioa_contender *best, ioa_error *error);
ioa_status ioa_contest_choose_csr(ioa_contest *contest, ioa_contender *best, ioa_error *error);

#endif
