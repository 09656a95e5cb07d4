/* What becomes of a search: its best order is verified, timed and put into the archive. No MPI here; the job calls
 * this on whichever rank verifies. */
#ifndef IOA_RESULT_H
#define IOA_RESULT_H

#include "io/archive/archive.h"
#include "optimizer/search/tempering/elite.h"
#include "optimizer/search/tempering/trace.h"
#include "optimizer/verify/verify.h"

/* What the user is told about one schedule. Plain data: it travels between ranks as bytes. */
typedef struct ioa_summary {
    ioa_objective objective;
    uint64_t layered_total, start_total, best_total, lower_bound; /* by the objective */
    uint64_t certified_bound; /* core/bounds/bounds.h: no order costs less, at least lower_bound; likewise */
    ioa_io io[IOA_MOST_LEVELS]; /* of the best order, level by level */
    uint64_t rounds, proposals;
    bool verified;
    bool measured; /* the fields below are filled */
    uint32_t batch;
    char kernel[IOA_PLAN_NAME];
    double gflops;
    char limit[16]; /* what binds, "" if unknown, */
    double limit_share; /* and the share of it that was reached */
    ioa_quartiles speedup_order, speedup_csr;
    char reason[IOA_ERROR_TEXT]; /* why it is not verified, or "" */
} ioa_summary;

typedef struct ioa_result_config {
    ioa_objective objective;
    uint64_t seed, replicas;
    const char *method;
    uint32_t batch;        /* of the timing */
    double timing_seconds; /* 0: no timing */
    uint64_t start_total;  /* of the constructive order the search began with */
    uint64_t planned;       /* rounds; the trace may be shorter */
    uint64_t trial;         /* rounds of the trial among them */
    uint32_t elite_count;
    uint64_t elite[IOA_ELITE_MOST]; /* [elite_count] cost by the objective of the best orders that are not alike, ascending */
    uint64_t certified;     /* lower bound on the I/O of any order at the first level (core/bounds/bounds.h); 0: it is computed */
    uint64_t claimed_total; /* what the search says the order costs */
} ioa_result_config;

/* A lower bound on the total of any order by the objective, from one on the I/O at the first level, `certified`, which is at
 * least the compulsory I/O `lower`: other levels contribute what is compulsory. */
uint64_t ioa_result_bound(const ioa_objective *objective, uint64_t lower, uint64_t certified);

/* Verifies `order` [W], times it, and appends it with its trace to the archive. With timing, the plan that was measured
 * best is what inference is verified with as well. A schedule that fails verification is archived with verified = 0 and
 * the summary says why. IOA_ERR_NOMEM. */
ioa_status ioa_result_add(ioa_archive *archive, const ioa_network *network, const uint32_t *order,
                          const ioa_result_config *config, const ioa_trace *trace, ioa_summary *summary,
                          ioa_error *error);

/* A plan to check inference with, beside the order's own steps: the fastest one by a choice that takes `share` of
 * config->timing_seconds; without timing the order compiled. IOA_ERR_NOMEM. */
ioa_status ioa_result_plan(const ioa_network *network, const uint32_t *order, const ioa_result_config *config, double share,
                           ioa_plan_options *plan, ioa_error *error);

/* The same summary from a schedule that was archived before. */
void ioa_result_summarize(const ioa_schedule *schedule, uint64_t start_total, ioa_summary *summary);

/* Facts of this run for /provenance: versions, revision, host, SLURM job, date, wall time. */
ioa_status ioa_result_provenance(ioa_archive *archive, const char *command_line, const char *config_json, int ranks,
                                 double wall_seconds, ioa_error *error);

#endif
