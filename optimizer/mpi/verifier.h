/* The verifier rank: it takes the newest best order whenever it is free, recounts it and checks inference, and never
 * holds up the search. Workers hand their bests over without waiting. */
#ifndef IOA_MPI_VERIFIER_H
#define IOA_MPI_VERIFIER_H

#include "optimizer/mpi/comm.h"
#include "optimizer/result/result.h"
#include "optimizer/search/tempering/tempering.h"

#include <ioanneal/memory.h>

/* From the verifier to rank 0, once per search: 1 as soon as it was told to stop (a signal may reach any rank), else 0 at
 * the end. */
enum { IOA_TAG_BELL = 50 };

/* Likewise, once per search: the certified lower bound on the total of any order by the objective, as soon as it is known (core/bounds/bounds.h). */
enum { IOA_TAG_BOUND = 51 };

/* ---- on a worker ---- */

typedef struct ioa_courier {
    MPI_Comm world;
    int verifier;      /* rank, or -1: nobody to send to */
    uint64_t count;    /* W */
    uint32_t *copy;    /* [W] the order under way; borrowed */
    uint64_t total;    /* its I/O; MPI needs it to stay where it is */
    MPI_Request requests[IOA_COMM_PIECES + 1];
    int pending; /* requests under way */
} ioa_courier;

/* `copy` [W] belongs to the courier until it has finished. */
ioa_courier ioa_courier_of(MPI_Comm world, int verifier, uint64_t count, uint32_t *copy);

/* Sends the best order of `replica` if the last one has arrived; otherwise does nothing and returns false: the caller
 * offers again, or something better by then. */
bool ioa_courier_offer(ioa_courier *courier, const ioa_tempering *tempering, uint32_t replica, uint64_t total);

/* Waits for what is under way and tells the verifier that this worker has nothing more to send. */
void ioa_courier_finish(ioa_courier *courier);

/* Sends the final order and the trace (from worker 0) to the verifier. */
void ioa_courier_send_final(ioa_courier *courier, const uint32_t *order);
void ioa_courier_send_trace(MPI_Comm world, int verifier, const ioa_trace *trace);

/* ---- on the verifier ---- */

typedef struct ioa_candidates {
    uint64_t received, confirmed, refused;
    char reason[IOA_ERROR_TEXT]; /* of the first refusal */
} ioa_candidates;

/* Computes the certified bound, then serves `workers` workers until all have finished; `*bound` is as in ioa_result_config.
 * All that takes time is done at the lowest priority (background.h): workers that share the cores lose nothing by it.
 * `order` [W] is where candidates go. Inference is checked by the plan that is fastest for the first candidate (without
 * timing: by one that needs no choice), so that what is to be deployed is what is verified. */
ioa_status ioa_verifier_serve(MPI_Comm world, int workers, const ioa_network *network, const ioa_result_config *config,
                              uint32_t *order, ioa_candidates *seen, uint64_t *bound, ioa_error *error);

/* Receives the final order [W] from `owner` and the trace from worker 0. */
void ioa_verifier_receive_final(MPI_Comm world, int owner, uint64_t count, uint32_t *order);
ioa_status ioa_verifier_receive_trace(MPI_Comm world, ioa_trace *trace, ioa_error *error);

#endif
