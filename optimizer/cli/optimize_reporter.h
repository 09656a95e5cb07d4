/* What `optimize` tells its user: lines while the job runs, the summary or the JSON object at its end. Rank 0 alone speaks. */
#ifndef IOA_CLI_OPTIMIZE_REPORTER_H
#define IOA_CLI_OPTIMIZE_REPORTER_H

#include "optimizer/cli/cli.h"
#include "optimizer/cli/progress.h"
#include "optimizer/mpi/job.h"

typedef struct optimize_reporter {
    const cli_common *common;
    const char *archive_path;
    const ioa_engine *engine;
    cJSON *schedules; /* with --json; owned */
    uint64_t lower_bound, rounds;
    uint32_t rungs; /* that a ladder would want, as last diagnosed; 0: not known */
    int workers;
    bool moves_named; /* with --verbose, once */
    cli_progress progress;
    cli_busy *busy; /* watches what lies between two events */
} optimize_reporter;

/* What it refers to must outlive the reporter. */
optimize_reporter optimize_reporter_begin(const cli_common *common, const ioa_job *job);

/* For ioa_job_run; they refer to `reporter`. */
ioa_job_events optimize_reporter_events(optimize_reporter *reporter);

/* After ioa_job_run: the last lines; frees what the reporter holds. Returns the exit code of this rank. */
int optimize_reporter_end(optimize_reporter *reporter, ioa_status status, bool paused);

#endif
