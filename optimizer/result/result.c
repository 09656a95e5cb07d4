#include "optimizer/result/result.h"

#include "core/base/build_info.h"
#include "core/base/mem.h"
#include "core/bounds/bounds.h"
#include "core/model/network.h"
#include "core/model/order.h"
#include "io/base/machine.h"
#include "optimizer/search/tempering/diagnose.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LIMITS_SHARE 0.1 /* of the timing, for measuring the machine */

static void now(char *text, size_t size)
{
    time_t seconds = time(NULL);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    strftime(text, size, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

/* Columns of archives are uint64 or float64. */
static ioa_status add_column(ioa_schedule *schedule, const ioa_value *from, uint64_t rows, ioa_error *error)
{
    bool whole = from->type == IOA_VALUE_U32 || from->type == IOA_VALUE_U64;
    ioa_column *column;
    ioa_status status = ioa_schedule_add_column(schedule, from->name, whole, rows, (uint32_t)(from->count / rows), &column,
                                                error);
    for (uint64_t i = 0; status == IOA_OK && i < from->count; i++) switch (from->type) {
        case IOA_VALUE_U32: column->whole[i] = ((const uint32_t *)from->values)[i]; break;
        case IOA_VALUE_U64: column->whole[i] = ((const uint64_t *)from->values)[i]; break;
        case IOA_VALUE_I64: column->real[i] = (double)((const int64_t *)from->values)[i]; break;
        case IOA_VALUE_F64: column->real[i] = ((const double *)from->values)[i]; break;
        }
    return status;
}

uint64_t ioa_result_bound(const ioa_objective *objective, uint64_t lower, uint64_t certified)
{
    return ioa_objective_shared(objective, lower) + (certified - lower) * objective->level[0].weight / IOA_WEIGHT_ONE;
}

/* What the columns say about quality and mixing, round by round, and the autocorrelation of each rung. */
static ioa_status add_diagnosis(ioa_schedule *schedule, const ioa_trace *trace, ioa_error *error)
{
    static const char *const names[] = {"barrier", "swap_least", "swap_mean", "round_trips_share", "excess", "gap"};
    enum { DERIVED = sizeof names / sizeof *names };
    ioa_column *column[DERIVED], *correlation;
    uint64_t last = schedule->columns, lower = ioa_objective_shared(&schedule->objective, schedule->lower_bound),
             bound = ioa_result_bound(&schedule->objective, schedule->lower_bound, schedule->certified_bound);
    for (int i = 0; i < DERIVED; i++) {
        ioa_status status = ioa_schedule_add_column(schedule, names[i], i >= 4, trace->rows, 1, &column[i], error);
        if (status != IOA_OK) return status;
    }
    for (int i = 0; i < DERIVED; i++) column[i] = &schedule->trace[last + (uint64_t)i]; /* they may have moved */
    for (uint64_t r = 0; r < trace->rows; r++) {
        ioa_diagnosis d = ioa_diagnose(trace, r + 1);
        column[0]->real[r] = d.barrier;
        column[1]->real[r] = d.swap_least;
        column[2]->real[r] = d.swap_mean;
        column[3]->real[r] = d.trips_share;
        column[4]->whole[r] = trace->best[r] - lower;
        column[5]->whole[r] = trace->best[r] - bound;
    }
    ioa_status status = ioa_schedule_add_column(schedule, "correlation", false, trace->replicas, 1, &correlation, error);
    if (status != IOA_OK) return status;
    for (uint32_t rung = 0; rung < trace->replicas; rung++) correlation->real[rung] = ioa_diagnose_correlation(trace, rung);
    return IOA_OK;
}

static ioa_status add_trace(ioa_schedule *schedule, const ioa_trace *trace, ioa_error *error)
{
    uint64_t rows = trace->rows;
    ioa_value columns[IOA_TRACE_COLUMNS];
    ioa_status status = IOA_OK;
    if (rows == 0) return IOA_OK;
    ioa_trace_values(trace, columns);
    for (int i = 0; status == IOA_OK && i < IOA_TRACE_COLUMNS; i++) {
        status = add_column(schedule, &columns[i], rows, error);
        if (status == IOA_OK) schedule->trace[schedule->columns - 1].measured = i >= IOA_TRACE_COLUMNS - IOA_TRACE_MEASURED;
    }
    return status == IOA_OK ? add_diagnosis(schedule, trace, error) : status;
}

static ioa_status add_elite(ioa_schedule *schedule, const ioa_result_config *config, ioa_error *error)
{
    ioa_column *column;
    if (config->elite_count == 0) return IOA_OK;
    ioa_status status = ioa_schedule_add_column(schedule, "elite", true, config->elite_count, 1, &column, error);
    if (status == IOA_OK) memcpy(column->whole, config->elite, config->elite_count * sizeof *config->elite);
    return status;
}

/* The layered order at every level. */
static ioa_status count_layered(const ioa_network *network, const ioa_objective *objective, ioa_io *io, ioa_error *error)
{
    uint64_t total;
    uint32_t *order = ioa_alloc(network->connections, sizeof *order);
    if (!order) return ioa_fail_nomem(error, "the layered order", network->connections, sizeof *order);
    ioa_order_layered(network, order);
    ioa_status status = ioa_objective_count(network, order, objective, io, &total, error);
    ioa_free(order);
    return status;
}

static void summarize_times(const ioa_measured *measured, ioa_summary *summary)
{
    const ioa_measurement *m = &measured->measurement;
    summary->measured = true;
    summary->batch = m->batch;
    memcpy(summary->kernel, m->kernel, sizeof summary->kernel);
    summary->gflops = m->gflops;
    summary->speedup_order = m->speedup_order;
    summary->speedup_csr = m->speedup_csr;
    memcpy(summary->limit, measured->limits.binding, sizeof summary->limit);
    summary->limit_share = measured->limits.share;
}

static ioa_status time_order(const ioa_network *network, const uint32_t *order, const ioa_result_config *config,
                             ioa_schedule *schedule, ioa_summary *summary, ioa_error *error)
{
    ioa_measured *measured;
    ioa_status status = ioa_schedule_add_measured(schedule, &measured, error);
    if (status != IOA_OK) return status;
    ioa_measure_options options = {.batch = config->batch, .seconds = config->timing_seconds, .seed = config->seed};
    ioa_measurement *m = &measured->measurement;
    status = ioa_measure(network, order, &options, m, error);
    if (status != IOA_OK) return status;
    ioa_machine_detect(&measured->machine);
    status = ioa_limits_report(&measured->machine, IOA_ISA_AUTO, m, LIMITS_SHARE * config->timing_seconds, &measured->limits,
                               error);
    if (status != IOA_OK) return status;
    snprintf(measured->isa, sizeof measured->isa, "%s", ioa_isa_name(ioa_isa_best()));
    snprintf(measured->compiler, sizeof measured->compiler, "%s", IOA_COMPILER);
    snprintf(measured->flags, sizeof measured->flags, "%s", IOA_COMPILER_FLAGS);
    now(measured->date, sizeof measured->date);
    summarize_times(measured, summary);
    return IOA_OK;
}

ioa_status ioa_result_plan(const ioa_network *network, const uint32_t *order, const ioa_result_config *config, double share,
                           ioa_plan_options *options, ioa_error *error)
{
    const ioa_plan_choice choice = {.batch = config->batch, .seconds = share * config->timing_seconds};
    ioa_plan *plan = NULL;
    *options = (ioa_plan_options){.layout = IOA_LAYOUT_COMPILED};
    if (config->timing_seconds <= 0.0) return IOA_OK;
    ioa_status status = ioa_plan_choose(network, order, &choice, &plan, error);
    if (status == IOA_OK) ioa_plan_describe(plan, options);
    ioa_plan_destroy(plan);
    return status;
}

/* What identifies the schedule, and figures that do not depend on the order. */
static ioa_status describe(ioa_schedule *s, const ioa_network *network, const ioa_result_config *config,
                           const ioa_trace *trace, ioa_error *error)
{
    ioa_certificate certificate = {0};
    ioa_io layered[IOA_MOST_LEVELS];
    s->objective = config->objective;
    s->memory = config->objective.level[0].memory;
    s->policy = config->objective.level[0].policy;
    s->seed = config->seed;
    s->replicas = config->replicas;
    s->rounds = trace->rounds;
    s->planned_rounds = config->planned;
    s->trial_rounds = config->trial;
    s->lower_bound = network->bounds.lower;
    s->upper_bound = network->bounds.upper;
    snprintf(s->method, sizeof s->method, "%s", config->method);
    ioa_status status = config->certified ? IOA_OK : ioa_certified_bound(network, s->memory, &certificate, error);
    s->certified_bound = config->certified ? config->certified : s->lower_bound + certificate.excess;
    ioa_certificate_free(&certificate);
    if (status == IOA_OK) status = count_layered(network, &s->objective, layered, error);
    if (status != IOA_OK) return status;
    s->baseline_total = layered[0].reads + layered[0].writes;
    s->weighted_baseline = ioa_objective_total(&s->objective, layered);
    status = add_trace(s, trace, error);
    return status == IOA_OK ? add_elite(s, config, error) : status;
}

static void summarize(const ioa_schedule *s, uint64_t start_total, ioa_summary *summary)
{
    uint64_t lower = ioa_objective_shared(&s->objective, s->lower_bound);
    *summary = (ioa_summary){.objective = s->objective, .layered_total = s->weighted_baseline, .start_total = start_total,
                             .best_total = s->weighted_total, .lower_bound = lower, .rounds = s->rounds,
                             .verified = s->verified};
    if (s->certified_bound) summary->certified_bound = ioa_result_bound(&s->objective, s->lower_bound, s->certified_bound);
    memcpy(summary->io, s->level_io, sizeof summary->io);
}

ioa_status ioa_result_add(ioa_archive *archive, const ioa_network *network, const uint32_t *order,
                          const ioa_result_config *config, const ioa_trace *trace, ioa_summary *summary,
                          ioa_error *error)
{
    const ioa_claim claim = {&config->objective, config->claimed_total, NULL};
    ioa_schedule *s;
    ioa_plan_options plan;
    ioa_verdict verdict;
    ioa_status status = ioa_archive_add_schedule(archive, &s, error);
    if (status != IOA_OK) return status;
    s->order = ioa_alloc_copy(order, network->connections, sizeof *order);
    if (!s->order) return ioa_fail_nomem(error, "the schedule", network->connections, sizeof *order);
    status = describe(s, network, config, trace, error);
    bool timed = config->timing_seconds > 0.0; /* then the measurement checks its own plan */
    if (status == IOA_OK && !timed) status = ioa_result_plan(network, order, config, 0.0, &plan, error);
    if (status == IOA_OK) status = ioa_verify(network, order, &claim, timed ? NULL : &plan, config->seed, &verdict, error);
    if (status != IOA_OK) return status;
    s->verified = ioa_verdict_passed(&verdict);
    memcpy(s->level_io, verdict.io, sizeof s->level_io);
    s->io = s->level_io[0];
    s->weighted_total = ioa_objective_total(&s->objective, s->level_io);
    summarize(s, config->start_total, summary);
    if (trace->rows) summary->proposals = trace->proposals[trace->rows - 1];
    memcpy(summary->reason, verdict.reason, sizeof summary->reason);
    if (!s->verified || !timed) return IOA_OK;
    status = time_order(network, order, config, s, summary, error);
    if (status != IOA_OK) return status;
    const ioa_exactness *e = &s->measured[0].measurement.exactness;
    if (e->within) return IOA_OK;
    s->verified = summary->verified = false;
    snprintf(summary->reason, sizeof summary->reason, "inference is off by up to %.3g (%s)", e->max_abs_error,
             summary->kernel);
    return IOA_OK;
}

void ioa_result_summarize(const ioa_schedule *s, uint64_t start_total, ioa_summary *summary)
{
    summarize(s, start_total, summary);
    for (uint32_t i = 0; i < s->columns; i++)
        if (strcmp(s->trace[i].name, "proposals") == 0 && s->trace[i].rows)
            summary->proposals = s->trace[i].whole[s->trace[i].rows - 1];
    if (!s->verified) snprintf(summary->reason, sizeof summary->reason, "found by an earlier run");
    if (s->measurements) summarize_times(&s->measured[0], summary);
}

ioa_status ioa_result_provenance(ioa_archive *archive, const char *command_line, const char *config_json, int ranks,
                                 double wall_seconds, ioa_error *error)
{
    char host[256] = "", date[32], count[16], wall[32];
    gethostname(host, sizeof host - 1);
    now(date, sizeof date);
    snprintf(count, sizeof count, "%d", ranks);
    snprintf(wall, sizeof wall, "%.3f", wall_seconds);
    const char *slurm = getenv("SLURM_JOB_ID"), *restart = getenv("SLURM_RESTART_COUNT");
    const struct {
        const char *key, *value;
    } facts[] = {{"command", command_line}, {"config", config_json},       {"software", "ioanneal"},
                 {"version", IOA_VERSION},  {"revision", IOA_GIT_REVISION}, {"ranks", count},
                 {"host", host},            {"date", date},                 {"slurm_job_id", slurm},
                 {"slurm_restart_count", restart}, {"wall_seconds", wall}};
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        if (!facts[i].value) continue;
        ioa_status status = ioa_archive_add_fact(archive, facts[i].key, facts[i].value, error);
        if (status != IOA_OK) return status;
    }
    return IOA_OK;
}
