/* Checkpoints of a job: rank 0 writes what all workers know and, one after the other, the states of their replicas;
 * a job resumed on any number of ranks hands them out again. Formats and files: io/checkpoint/checkpoint.h. */
#ifndef IOA_MPI_KEEPER_H
#define IOA_MPI_KEEPER_H

#include "io/checkpoint/checkpoint.h"
#include "optimizer/mpi/job.h"
#include "optimizer/search/tempering/tempering.h"

#include <mpi.h>

#define IOA_KEEPER_FACTS 17

typedef struct ioa_keeper {
    const ioa_job *job;
    const ioa_network *network;
    /* Alike on all ranks, from the checkpoint the job was resumed from. */
    bool resumed;
    bool searching;        /* a search was under way */
    uint64_t finished;     /* memory sizes done */
    uint64_t rounds;       /* of the search under way */
    double job_elapsed;    /* seconds */
    double search_elapsed; /* seconds, of the search under way */
    /* On rank 0. */
    ioa_owner owner;
    ioa_fact_pair facts[IOA_KEEPER_FACTS];
    char *texts;              /* of the facts; owned */
    ioa_archive *schedules;   /* finished ones; owned unless borrowed */
    bool borrowed;
    uint64_t *start_totals;   /* [memory_count] of the finished ones; owned */
    ioa_checkpoint_file *file; /* being resumed from; owned */
    double last;              /* clock when last written, or begun */
    double longest;           /* seconds a checkpoint took */
} ioa_keeper;

/* Collective over all ranks. Does nothing without a checkpoint in the job. IOA_ERR_INPUT if there is one already that
 * the job is not meant to resume from, or none that can be resumed from. `note` (may be NULL) is told on rank 0. */
ioa_status ioa_keeper_open(ioa_keeper *keeper, const ioa_job *job, const ioa_network *network, uint64_t replicas,
                           MPI_Comm world, void (*note)(void *context, const char *text), void *context,
                           ioa_error *error);
void ioa_keeper_close(ioa_keeper *keeper);

/* Rank 0: is it time for the next one? */
bool ioa_keeper_due(const ioa_keeper *keeper);

/* What a search under way began with: its total to all workers, the order [W] to rank 0's `start`. Collective over them. */
ioa_status ioa_keeper_restore_start(ioa_keeper *keeper, MPI_Comm team, const ioa_objective *objective, uint32_t *start,
                                    uint64_t *start_total, ioa_error *error);

/* Puts the search under way together again. Collective over the workers. */
ioa_status ioa_keeper_restore(ioa_keeper *keeper, MPI_Comm team, ioa_tempering *tempering, ioa_error *error);

/* Writes a checkpoint: `finished` memory sizes are done, and `tempering` (NULL: none) is under way since `start`.
 * `elapsed` of the job. Collective over the workers, who all return the same. */
ioa_status ioa_keeper_write(ioa_keeper *keeper, MPI_Comm team, uint64_t finished, double elapsed, const uint32_t *start,
                            uint64_t start_total, ioa_tempering *tempering, ioa_error *error);

#endif
