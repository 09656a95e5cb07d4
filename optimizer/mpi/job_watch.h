/* A worker's eye on its search (job_search.c) while tempering has the floor. */
#ifndef IOA_MPI_JOB_WATCH_H
#define IOA_MPI_JOB_WATCH_H

#include "optimizer/mpi/seat.h"
#include "optimizer/search/tempering/tempering.h"

typedef struct ioa_watch {
    ioa_seat *s;
    ioa_courier *courier;
    ioa_tempering *tempering;
    int index;
    const ioa_objective *objective;
    uint64_t offered; /* total of the last order offered */
    const uint32_t *start;
    uint64_t start_total;
    double limit;      /* seconds */
    double round_began, longest; /* clock, seconds of the longest round so far */
    uint64_t bound;    /* certified, by the objective; 0: not known yet */
    bool bell_heard;   /* the verifier says so once: it must stop, or it is done */
} ioa_watch;

/* What tempering asks and tells between its rounds. Begins the first round's time; `w` must outlive the search. */
ioa_tempering_events ioa_watch_events(ioa_watch *w);

/* On rank 0: takes the certified bound from the verifier if it has come; `wait`: it must come. */
void ioa_watch_hear_bound(ioa_watch *w, bool wait);

#endif
