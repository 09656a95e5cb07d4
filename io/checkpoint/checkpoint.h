/* Checkpoints of a search (io/FORMAT.md, "Checkpoint"): what has to be known to go on with it as if it had never stopped.
 *
 * A checkpoint is a file of its own, written anew each time: temporary file, fsync, rename. The generation before it stays
 * beside it as PATH.prev. This module knows names and shapes; what the values mean is the search's business. */
#ifndef IOA_IO_CHECKPOINT_H
#define IOA_IO_CHECKPOINT_H

#include "io/archive/archive.h"

#include <stdbool.h>

/* One thing that decides results, as text: a checkpoint whose facts differ belongs to another run. */
typedef struct ioa_fact_pair {
    const char *key;   /* borrowed */
    const char *value; /* borrowed */
} ioa_fact_pair;

typedef enum ioa_value_type { IOA_VALUE_U32, IOA_VALUE_U64, IOA_VALUE_I64, IOA_VALUE_F64 } ioa_value_type;

/* A named array; for writing the values are read, for reading they are filled in. */
typedef struct ioa_value {
    const char *name;
    ioa_value_type type;
    uint64_t count;
    void *values; /* [count], borrowed */
} ioa_value;

size_t ioa_value_size(ioa_value_type type); /* bytes of an element */

/* Who writes. The newest run owns the file: of one SLURM job the one restarted most often, else the one begun last. */
typedef struct ioa_owner {
    char host[128];
    char job[64];     /* SLURM_JOB_ID, or "" */
    uint64_t restart; /* SLURM_RESTART_COUNT */
    uint64_t pid;
    int64_t began; /* nanoseconds since 1970 */
} ioa_owner;

void ioa_owner_self(ioa_owner *owner);

typedef struct ioa_checkpoint {
    const ioa_fact_pair *facts;
    size_t fact_count;
    const ioa_value *values;
    size_t value_count;
    const ioa_archive *finished; /* schedules that are done; NULL: none */
    ioa_owner owner;
    uint32_t replicas; /* states to ask for, 0 .. replicas - 1, in this sequence and once each */
    ioa_status (*replica)(void *context, uint32_t replica, const void **bytes, uint64_t *count, ioa_error *error);
    void *context;
} ioa_checkpoint;

/* Writes a new generation. IOA_ERR_CHECK if a newer run has written there meanwhile: this one must end. On any failure
 * both generations are as they were. */
ioa_status ioa_checkpoint_write(const ioa_checkpoint *checkpoint, const char *path, ioa_error *error);

/* IOA_ERR_INPUT if `other` is, under whatever name, one of the files a checkpoint at `path` consists of: it would be replaced,
 * and removed in the end. */
ioa_status ioa_checkpoint_distinct(const char *path, const char *other, ioa_error *error);

typedef struct ioa_checkpoint_file ioa_checkpoint_file; /* one that is being read */

/* Is there anything to resume from: `path` or its previous generation? */
bool ioa_checkpoint_exists(const char *path);

/* Opens one generation after reading all of it once: what passes is complete and undamaged, and has the given facts.
 * IOA_ERR_INPUT with the reason. `previous` opens PATH.prev. */
ioa_status ioa_checkpoint_open(const char *path, bool previous, const ioa_fact_pair *facts, size_t count,
                               ioa_checkpoint_file **file, ioa_error *error);
void ioa_checkpoint_close(ioa_checkpoint_file *file); /* NULL is allowed */

uint32_t ioa_checkpoint_replicas(const ioa_checkpoint_file *file); /* states in it */

/* Fills in an array of known length. */
ioa_status ioa_checkpoint_get(const ioa_checkpoint_file *file, const ioa_value *value, ioa_error *error);

/* A replica's state; *bytes is released with ioa_free. */
ioa_status ioa_checkpoint_get_replica(const ioa_checkpoint_file *file, uint32_t replica, void **bytes, uint64_t *count,
                                      ioa_error *error);

/* Appends the finished schedules to an archive of the same network. */
ioa_status ioa_checkpoint_get_finished(const ioa_checkpoint_file *file, ioa_archive *archive, ioa_error *error);

/* What a checkpoint tells about its run. */
typedef struct ioa_checkpoint_size { /* a memory size that is done */
    uint64_t memory, total, lower_bound;
} ioa_checkpoint_size;

typedef struct ioa_checkpoint_summary {
    char *memories, *policy, *method, *seed, *replicas; /* of the configuration, as text; owned */
    ioa_owner owner;
    ioa_checkpoint_size *done; /* [done_count]; owned */
    uint64_t done_count;
    double job_elapsed;        /* seconds, all runs together, when it was written */
    bool searching;            /* a search is under way: */
    uint64_t rounds, planned;  /* of it; planned 0: not known yet */
    uint64_t start_total, best_total, lower_bound;
    double elapsed;            /* seconds of it, all runs together */
} ioa_checkpoint_summary;

bool ioa_checkpoint_probe(const char *path); /* true if it is one by its schema_name */

/* Reads that and nothing large: for looking at runs that go on. IOA_ERR_INPUT; the summary is then empty. */
ioa_status ioa_checkpoint_summarize(const char *path, ioa_checkpoint_summary *summary, ioa_error *error);
void ioa_checkpoint_summary_free(ioa_checkpoint_summary *summary);

/* Removes both generations once they are of no use, unless a run newer than `owner` has written there. */
ioa_status ioa_checkpoint_remove(const char *path, const ioa_owner *owner, ioa_error *error);

#endif
