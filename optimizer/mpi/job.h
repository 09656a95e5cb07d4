/* One optimization as an MPI job: the network goes to all ranks, workers temper, the last rank verifies.
 *
 * Roles: with one rank it does everything. With R >= 2 ranks the last one is the verifier and the R - 1 others are
 * workers; rank 0, a worker, reads the network and talks to the user. mpi.h is included in this folder only. */
#ifndef IOA_MPI_JOB_H
#define IOA_MPI_JOB_H

#include "optimizer/result/result.h"
#include "optimizer/search/engine/engine.h"

#include <ioanneal/memory.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum ioa_method { IOA_METHOD_TEMPERING, IOA_METHOD_ANNEAL, IOA_METHOD_CONSTRUCT, IOA_METHOD_PAPER } ioa_method;

typedef struct ioa_job {
    const char *network_path;
    const char *archive_path;
    const ioa_objective *objectives; /* [memory_count] one schedule each */
    int memory_count;
    ioa_method method;
    const char *method_name;
    const ioa_engine *engine;
    uint64_t seed;
    uint64_t replicas;  /* K; 0: by the size of the network */
    uint64_t segments;  /* into which orders are cut on the fine level; 0: by the size of the network */
    uint64_t groups;    /* ladders per kind of replica; 0: by the replicas */
    unsigned adapt;     /* IOA_ADAPT_.. */
    uint64_t patience;  /* round trips without a gain before heating up again, then giving up; 0: never */
    uint64_t target;    /* excess over the compulsory I/O that is good enough; UINT64_MAX: none */
    uint64_t rounds;    /* planned per memory size; 0: by seconds */
    uint64_t trial;     /* rounds of the trial of kinds among them; UINT64_MAX: the usual share */
    uint64_t stop;      /* round at which to stop although more are planned; 0: none */
    const char *checkpoint_path; /* NULL: none are written */
    double checkpoint_every;     /* seconds */
    bool resume;                 /* from checkpoint_path, if there is one */
    uint64_t pause_after; /* stop as on a signal after so many rounds of this run; 0: no */
    double deadline;      /* seconds from the start of this run at which to stop; 0: none but SLURM's */
    double end_margin;    /* seconds before the end of the SLURM job at which to stop */
    double hang_timeout;  /* seconds without progress after which the run is given up */
    uint64_t proposals; /* per replica and round; 0: the engine's choice */
    double seconds;     /* of search, construction included, all memory sizes together; 0: by rounds */
    double cold, hot;   /* temperatures at the end and at the beginning; 0: the engine's */
    uint64_t batch;     /* of the final timing */
    double timing_seconds; /* of the final timing per schedule; 0: none */
    const char *command_line; /* for the provenance */
} ioa_job;

/* "Open MPI v4.1.4, ..": the library at run time, before MPI is initialized; `text` [size]. */
void ioa_job_library(char *text, size_t size);

/* What the user may see while the job runs; called on rank 0 only, any member may be NULL. */
typedef struct ioa_job_events {
    void *context;
    /* After the network has been read. */
    void (*began)(void *context, const ioa_network *network, int ranks, bool verifier, uint32_t replicas);
    /* A constructive order has been counted; `chosen` marks the one the search starts from. */
    void (*constructed)(void *context, const char *name, const ioa_objective *objective, uint64_t total, bool chosen);
    /* After each round; `bound`: the certified one, by the objective, 0 until it is known; seconds since the search for
     * this objective began, and what it may take (0: by rounds). */
    void (*round)(void *context, const ioa_objective *objective, const ioa_trace *trace, uint64_t bound, double seconds,
                  double limit);
    /* Verified, timed and archived. */
    void (*finished)(void *context, const ioa_summary *summary);
    void (*failed)(void *context, const ioa_error *error);
    /* One line worth knowing: resumed, stopped early, a checkpoint that could not be written. */
    void (*note)(void *context, const char *text);
} ioa_job_events;

/* Initializes MPI, runs the job, finalizes MPI. Returns the status, the same on every rank: IOA_ERR_CHECK if a result
 * could not be verified (it is archived as such), IOA_ERR_INPUT for bad files, with nothing written. `*paused`: it
 * stopped early and the checkpoint holds the rest; there is no archive yet. SIGUSR1, SIGTERM and SIGALRM are handled from
 * now on. */
ioa_status ioa_job_run(const ioa_job *job, const ioa_job_events *events, bool *paused);

#endif
