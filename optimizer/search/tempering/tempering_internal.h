/* Inside of the tempering loop; see tempering.h for what it does. */
#ifndef IOA_SEARCH_TEMPERING_INTERNAL_H
#define IOA_SEARCH_TEMPERING_INTERNAL_H

#include "optimizer/search/tempering/elite.h"
#include "optimizer/search/tempering/stagnation.h"
#include "optimizer/search/tempering/tempering.h"
#include "optimizer/search/tempering/tempering_message.h"

/* What every worker learns of every replica in the rounds of a survey: the exact total of its best order; what its moves did,
 * four numbers a kind; the sketch of its best order. */
enum { SURVEY_BEST, SURVEY_MOVES, SURVEY_SKETCH = SURVEY_MOVES + 4 * IOA_MOVES, SURVEY_NUMBERS = SURVEY_SKETCH + IOA_SKETCH };

struct ioa_tempering {
    const ioa_problem *problem;
    ioa_tempering_config config;
    ioa_transport transport;
    ioa_ladder ladder;
    ioa_trace trace;
    uint32_t slots;       /* replicas per worker, rounded up */
    void **state;         /* [slots] this worker's replicas: rank, rank + size, .. */
    uint32_t *rung_of;    /* [K] */
    uint32_t *replica_at; /* [K] */
    int64_t *direction;   /* [K] of a round trip: 0 none yet, 1 has been coldest, -1 has been hottest since */
    int64_t *energy;      /* [K] */
    uint64_t *stuck;      /* [K] surveys in a row at which the replica was far above the next colder one */
    int64_t *mine, *all;  /* messages, [longest], [size * longest] */
    int64_t *report, *reports; /* the same of reports; the latter on worker 0, else NULL */
    int64_t *survey, *surveys; /* [slots * SURVEY_NUMBERS], [size * slots * SURVEY_NUMBERS] */
    ioa_tuning *tuning;   /* [K] by rung */
    uint64_t best_total;
    uint32_t best_replica;
    uint64_t proposals_total, round_trips;
    ioa_stages stages; /* the plan */
    uint64_t end;     /* round at which it ends although more are planned; 0: none */
    double *heat;     /* [K] this round's temperature of each rung, in I/Os */
    ioa_stagnation stagnation;
    ioa_elite elite;
    uint32_t **elite_order;  /* [IOA_ELITE_MOST] those this worker keeps, [W] each, from when it first needs them; else NULL */
    uint32_t *order;         /* [W] for orders on their way; NULL without an elite */
    double elapsed;          /* seconds since it began, up to when last asked for the values */
    double annealed;         /* seconds spent in rounds */
    double trial_annealed;   /* of them before the end of the trial */
    double annealing, exchanging; /* seconds, of this worker and run */
    int64_t last_exchange;   /* nanoseconds */
    bool stopped;            /* by a wish */
    void *shared;            /* of the engine */
    void *helper;            /* of the engine, on a worker that helps another one's replica */
};

static inline bool ioa_tempering_has(const ioa_tempering *t, uint32_t replica)
{
    return replica % t->transport.size == t->transport.rank;
}

static inline void *ioa_tempering_state(const ioa_tempering *t, uint32_t replica)
{
    return t->state[replica / t->transport.size];
}

/* tempering_plan.c */
ioa_step ioa_tempering_step(const ioa_tempering *t, uint64_t round); /* where the round stands in the plan */
uint32_t ioa_tempering_groups(const ioa_tempering *t, uint64_t round); /* of the ladder: a multiple of the kinds side by side */
bool ioa_tempering_surveys(const ioa_tempering *t, uint64_t round); /* whether the round has a survey */
/* What worker 0 makes of the time at the end of a round, as `rounds` of its message; and taking it in, on every worker. */
int64_t ioa_tempering_rounds_wanted(const ioa_tempering *t, double started);
void ioa_tempering_take_rounds(ioa_tempering *t, int64_t rounds);

/* tempering_round.c */
ioa_message_shape ioa_tempering_shape(const ioa_tempering *t); /* of this round's messages */
/* Makes this worker's replicas begin anew, as their kinds from `round` on; they keep their best orders. */
ioa_status ioa_tempering_turn(ioa_tempering *t, uint64_t round, ioa_error *error);
/* One round: anneals this worker's replicas, exchanges messages, swaps. Takes up the wishes of all workers. */
ioa_status ioa_tempering_round(ioa_tempering *t, const ioa_tempering_events *events, double started, unsigned *wishes,
                               bool *improved, ioa_error *error);
const int64_t *ioa_tempering_survey(const ioa_tempering *t, uint32_t replica); /* SURVEY_NUMBERS, of the last survey */

/* tempering_adapt.c: tunings from the survey of the round, before the swaps. */
void ioa_tempering_adapt(ioa_tempering *t, uint64_t round);

/* tempering_record.c: begins the row of the round in the trace, on worker 0; elsewhere rounds are only counted. What it records
 * is of before the swaps. */
uint64_t ioa_tempering_record(ioa_tempering *t);

/* tempering_elite.c: what happens between two rounds. Collective. */
ioa_status ioa_tempering_take_elite(ioa_tempering *t, ioa_error *error);  /* after a round with a survey */
/* Restarts replicas from the elite: with `all` every one, else the worse half where that has something better to get. */
ioa_status ioa_tempering_renew(ioa_tempering *t, bool all, ioa_error *error);
/* After a survey: restarts replicas from the elite that are stuck far above the next colder one of their ladder. */
ioa_status ioa_tempering_release(ioa_tempering *t, ioa_error *error);
uint32_t ioa_tempering_keeper(const ioa_tempering *t, uint32_t place); /* worker that keeps an order of the elite */
ioa_status ioa_tempering_elite_room(ioa_tempering *t, uint32_t place, ioa_error *error); /* makes room for it, on its keeper */

#endif
