/* One rank's view of the job; shared by job.c, job_start.c, job_search.c and job_watch.c. */
#ifndef IOA_MPI_SEAT_H
#define IOA_MPI_SEAT_H

#include "optimizer/mpi/job.h"
#include "optimizer/mpi/keeper.h"
#include "optimizer/mpi/node.h"
#include "optimizer/mpi/verifier.h"

#define IOA_SEAT_SPEED 384

typedef struct ioa_seat {
    const ioa_job *job;
    const ioa_job_events *events; /* members are NULL on other ranks than 0 */
    MPI_Comm world;
    MPI_Comm team; /* workers only; MPI_COMM_NULL on the verifier */
    int rank, ranks, workers;
    int verifier;         /* rank of the verifier; with one rank, rank 0 itself */
    ioa_node node;        /* of all ranks */
    ioa_node_window storage; /* of the network */
    ioa_network *network; /* owned, in `storage` */
    ioa_archive *archive; /* owned; on the verifier only */
    ioa_graph *graph;     /* owned; on workers only */
    ioa_node squad;       /* of the workers */
    ioa_node_window start;   /* [W] uint32: what the search begins with; on workers only */
    uint32_t *order;      /* [W] of this rank alone: candidates for the start, orders on their way, the best; owned */
    uint32_t *aside;      /* [W] a better order than the start, which the search keeps (ioa_problem), or NULL; owned */
    uint64_t aside_total;
    uint64_t replicas;    /* K */
    double began;         /* of the job, earlier runs included */
    bool unverified;      /* a result failed verification; on the verifier only */
    ioa_keeper keeper;
    double deadline;    /* of ioa_clock, INFINITY: none; rank 0 decides */
    uint64_t rounds;    /* of this run, over all memory sizes */
    uint64_t end;       /* of the last search: round at which time ended it before the plan; 0: not */
    double annealing, slowest, exchanging; /* of the last search: seconds, mean and most over workers, mean */
    char *speed;        /* JSON for the provenance, [room] with IOA_SEAT_SPEED bytes per memory size; owned, on the verifier */
    const char *reason; /* why it stops, on rank 0 */
    bool stopping;      /* nothing new is to be begun; alike on all ranks */
    bool paused;        /* and the rest is in the checkpoint; alike on all ranks */
} ioa_seat;

/* Constructs or restores, tempers, and leaves the best order in s->order of its owner. Collective over the workers, who
 * all return the same status; the verifier serves meanwhile. Sets s->stopping and s->paused on workers. */
ioa_status ioa_seat_search(ioa_seat *s, int index, ioa_result_config *result, ioa_trace *trace, int *owner,
                           ioa_error *error);

/* Before the search, while it constructs and prepares, every worker looks by itself whether to stop; `context` is its seat.
 * To look is to make progress: the watchdog is set anew. */
bool ioa_seat_told_to_stop(void *context);

/* If any rank was told to stop, the search does not begin: with a checkpoint, constructing and preparing start afresh next
 * time, since the start has to be the one an uninterrupted run has; without, the best order so far is the result.
 * Collective over the workers. */
void ioa_seat_stop_before(ioa_seat *s, bool stopped);

/* The checkpoint that was resumed is of this search, in its middle. */
bool ioa_seat_under_way(const ioa_seat *s, int index);

/* The order the search begins with, into s->start: the best that workers construct, who share the candidates, or the one
 * of the checkpoint. Collective over the workers. */
ioa_status ioa_seat_find_start(ioa_seat *s, int index, uint64_t *start_total, ioa_error *error);

/* Segments into which an order is cut on the fine level: part of the configuration, whatever the ranks. */
uint32_t ioa_seat_segments(const ioa_seat *s, uint64_t memory);

/* Rank 0's own reasons to stop now, `ahead` seconds before the deadline included. */
bool ioa_seat_must_stop(ioa_seat *s, double ahead);

void ioa_seat_note(const ioa_seat *s, const char *format, ...) IOA_PRINTF(2, 3);

/* Writes a checkpoint; one that fails does not end the search unless the run is to stop or has lost the file.
 * Collective over the workers. */
ioa_status ioa_seat_checkpoint(ioa_seat *s, int finished, const uint32_t *start, uint64_t start_total,
                               ioa_tempering *tempering, bool last_chance, ioa_error *error);

#endif
