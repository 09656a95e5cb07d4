/* Schedule archives (io/FORMAT.md, "Schedule archive"): the best orders found for one topology.
 *
 * An archive is built in memory and written in one go: a fresh temporary file beside the target, checksummed chunks,
 * fsync, rename, fsync of the folder. It is never reopened for writing, so a killed writer leaves the old file whole. */
#ifndef IOA_IO_ARCHIVE_H
#define IOA_IO_ARCHIVE_H

#include "core/measure/limits.h"
#include "core/model/objective.h"

#include <ioanneal/archive.h>
#include <ioanneal/memory.h>
#include <ioanneal/network.h>
#include <stdbool.h>

#define IOA_HASH_TEXT 65 /* SHA-256 in lower-case hexadecimal, NUL included */
#define IOA_METHOD_TEXT 32

/* A column of a trace: `rows` x `width` values, row-major, all float64 or all uint64. */
typedef struct ioa_column {
    char name[32];
    bool measured;   /* by a clock: it is stored apart from what repeats, as measured/search */
    uint64_t rows;
    uint32_t width;  /* 1: a vector; more: one value per rung or pair */
    double *real;    /* [rows * width], or NULL; owned */
    uint64_t *whole; /* [rows * width], or NULL; owned */
} ioa_column;

typedef struct ioa_measured {
    ioa_measurement measurement;
    ioa_machine machine;
    ioa_limit_report limits;
    char isa[16];
    char compiler[128];
    char flags[256];
    char date[32]; /* ISO 8601, UTC */
} ioa_measured;

typedef struct ioa_schedule {
    uint64_t memory; /* M, of the first level, as all that is not said to be weighted */
    ioa_policy policy;
    ioa_io io;
    ioa_objective objective; /* what the search minimized; 0 levels: the memory and the policy above */
    ioa_io level_io[IOA_MOST_LEVELS];
    uint64_t weighted_total, weighted_baseline; /* by the objective; of one level the totals themselves */
    uint64_t lower_bound, upper_bound;
    uint64_t certified_bound; /* proven lower bound on the total, at least lower_bound; 0: not computed */
    uint64_t baseline_total; /* layered order, same memory and policy */
    char method[IOA_METHOD_TEXT];
    uint64_t seed;
    uint64_t rounds;   /* executed by the search */
    uint64_t planned_rounds; /* the temperatures followed a plan of so many */
    uint64_t trial_rounds;   /* among them, those in which kinds of replicas competed */
    uint64_t replicas; /* K */
    uint8_t verified;
    uint32_t *order; /* [W]; owned */
    ioa_column *trace;
    uint32_t columns;
    ioa_measured *measured;
    uint32_t measurements;
} ioa_schedule;

typedef struct ioa_fact { /* an attribute of /provenance */
    char key[32];
    char *value; /* NUL-terminated; owned */
} ioa_fact;

struct ioa_archive {
    char network_name[256];
    uint64_t neurons, connections, inputs, outputs;
    char topology_sha256[IOA_HASH_TEXT];
    char weights_sha256[IOA_HASH_TEXT];
    ioa_schedule *schedules;
    uint32_t count;
    ioa_fact *provenance;
    uint32_t facts;
};

/* Starts an archive for a network: everything that identifies it, no schedules. */
ioa_status ioa_archive_create(const ioa_network *network, ioa_archive **archive, ioa_error *error);
/* The same for the network of another archive. */
ioa_status ioa_archive_like(const ioa_archive *other, ioa_archive **archive, ioa_error *error);

void ioa_archive_destroy(ioa_archive *archive); /* NULL is allowed */

/* Appends a zeroed schedule, column, measurement or fact and gives it out (borrowed until the next append). A
 * column is not a measured one unless the caller says so. */
ioa_status ioa_archive_add_schedule(ioa_archive *archive, ioa_schedule **schedule, ioa_error *error);
ioa_status ioa_schedule_add_column(ioa_schedule *schedule, const char *name, bool whole, uint64_t rows, uint32_t width,
                                   ioa_column **column, ioa_error *error);
ioa_status ioa_schedule_add_measured(ioa_schedule *schedule, ioa_measured **measured, ioa_error *error);
ioa_status ioa_archive_add_fact(ioa_archive *archive, const char *key, const char *value, ioa_error *error);

/* Reads a whole archive: attributes, orders, traces, measurements, provenance. Values are checked for form (types,
 * shapes, ranges), not for truth: that is what ioa_archive_matches and ioa_order_check are for. */
ioa_status ioa_archive_read(const char *path, ioa_archive **archive, ioa_error *error);
ioa_status ioa_archive_write(const ioa_archive *archive, const char *path, ioa_error *error);

/* IOA_ERR_INPUT, with both hashes, if the archive belongs to another topology, or says that it does and has orders of
 * another length. `path` is for the text only. */
ioa_status ioa_archive_matches(const ioa_archive *archive, const ioa_network *network, const char *path,
                               ioa_error *error);

/* The same, and every order must be legal. */
ioa_status ioa_archive_fits(const ioa_archive *archive, const ioa_network *network, const char *path, ioa_error *error);

/* The schedule for `memory` and `policy`; without one, the schedule for the nearest memory size (by ratio; the smaller
 * of two equally near ones), those of the same policy first. NULL if there are no schedules. */
const ioa_schedule *ioa_archive_nearest(const ioa_archive *archive, uint64_t memory, ioa_policy policy);

/* A schedule as the installed header shows it (ioanneal/archive.h). */
void ioa_archive_show(const ioa_archive *archive, const ioa_schedule *schedule, ioa_schedule_view *view);

/* True if the file is an archive / a network by its schema_name; a bundle is both; false for anything else, unreadable files included. */
bool ioa_archive_probe(const char *path);
bool ioa_network_probe(const char *path);

#endif
