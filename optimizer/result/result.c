#include "optimizer/result/result.h"

#include "core/bounds.h"
#include "core/build_info.h"
#include "core/mem.h"
#include "core/network.h"
#include "core/order.h"
#include "io/machine.h"
#include "optimizer/search/diagnose.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

/* What the columns say about quality and mixing, round by round, and the autocorrelation of each rung. */
static ioa_status add_diagnosis(ioa_schedule *schedule, const ioa_trace *trace, ioa_error *error)
{
    static const char *const names[] = {"barrier", "swap_least", "swap_mean", "round_trips_share", "excess", "gap"};
    enum { DERIVED = sizeof names / sizeof *names };
    ioa_column *column[DERIVED], *correlation;
    uint64_t last = schedule->columns;
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
        column[4]->whole[r] = trace->best[r] - schedule->lower_bound;
        column[5]->whole[r] = trace->best[r] - schedule->certified_bound;
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

static ioa_status count_layered(const ioa_network *network, uint64_t memory, ioa_policy policy, uint64_t *total,
                                ioa_error *error)
{
    uint32_t *order = ioa_alloc(network->connections, sizeof *order);
    if (!order) return ioa_fail_nomem(error, "the layered order", network->connections, sizeof *order);
    ioa_order_layered(network, order);
    ioa_io io;
    ioa_status status = ioa_memory_count(network, order, memory, policy, &io, error);
    ioa_free(order);
    if (status == IOA_OK) *total = io.reads + io.writes;
    return status;
}

static void summarize_times(const ioa_measurement *m, ioa_summary *summary)
{
    summary->measured = true;
    summary->batch = m->batch;
    memcpy(summary->kernel, m->kernel, sizeof summary->kernel);
    summary->gflops = m->gflops;
    summary->speedup_order = m->speedup_order;
    summary->speedup_csr = m->speedup_csr;
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
    snprintf(measured->isa, sizeof measured->isa, "%s", ioa_isa_name(ioa_isa_best()));
    snprintf(measured->compiler, sizeof measured->compiler, "%s", IOA_COMPILER);
    snprintf(measured->flags, sizeof measured->flags, "%s", IOA_COMPILER_FLAGS);
    now(measured->date, sizeof measured->date);
    summarize_times(m, summary);
    return IOA_OK;
}

ioa_status ioa_result_add(ioa_archive *archive, const ioa_network *network, const uint32_t *order,
                          const ioa_result_config *config, const ioa_trace *trace, ioa_summary *summary,
                          ioa_error *error)
{
    memset(summary, 0, sizeof *summary);
    ioa_schedule *s;
    ioa_status status = ioa_archive_add_schedule(archive, &s, error);
    if (status != IOA_OK) return status;
    s->memory = config->memory;
    s->policy = config->policy;
    s->seed = config->seed;
    s->replicas = config->replicas;
    s->rounds = trace->rounds;
    s->planned_rounds = config->planned;
    s->trial_rounds = config->trial;
    s->lower_bound = network->bounds.lower;
    s->upper_bound = network->bounds.upper;
    snprintf(s->method, sizeof s->method, "%s", config->method);
    s->order = ioa_alloc_copy(order, network->connections, sizeof *order);
    if (!s->order) return ioa_fail_nomem(error, "the schedule", network->connections, sizeof *order);

    ioa_certificate certificate = {0};
    if (!config->certified) status = ioa_certified_bound(network, config->memory, &certificate, error);
    if (status != IOA_OK) return status;
    s->certified_bound = config->certified ? config->certified : s->lower_bound + certificate.excess;
    ioa_certificate_free(&certificate);
    ioa_error offence;
    bool legal = ioa_order_check(network, order, &offence) == IOA_OK; /* else nothing may be simulated */
    status = count_layered(network, config->memory, config->policy, &s->baseline_total, error);
    if (status == IOA_OK && legal)
        status = ioa_memory_count(network, order, config->memory, config->policy, &s->io, error);
    ioa_verdict verdict;
    if (status == IOA_OK)
        status = ioa_verify(network, order, config->memory, config->policy, s->io, config->seed, &verdict, error);
    if (status == IOA_OK) status = add_trace(s, trace, error);
    if (status == IOA_OK) status = add_elite(s, config, error);
    if (status != IOA_OK) return status;
    s->verified = ioa_verdict_passed(&verdict);
    *summary = (ioa_summary){.memory = s->memory, .policy = s->policy, .layered_total = s->baseline_total,
                             .start_total = config->start_total, .best_total = s->io.reads + s->io.writes,
                             .lower_bound = s->lower_bound, .certified_bound = s->certified_bound, .rounds = s->rounds, .verified = s->verified,
                             .proposals = trace->rows ? trace->proposals[trace->rows - 1] : 0};
    memcpy(summary->reason, verdict.reason, sizeof summary->reason);
    if (config->claimed_total != summary->best_total) {
        s->verified = summary->verified = false;
        snprintf(summary->reason, sizeof summary->reason, "the search claims %llu I/Os, but it is %llu",
                 (unsigned long long)config->claimed_total, (unsigned long long)summary->best_total);
    }
    if (s->verified && config->timing_seconds > 0.0) return time_order(network, order, config, s, summary, error);
    return IOA_OK;
}

void ioa_result_summarize(const ioa_schedule *s, uint64_t start_total, ioa_summary *summary)
{
    *summary = (ioa_summary){.memory = s->memory, .policy = s->policy, .layered_total = s->baseline_total,
                             .start_total = start_total, .best_total = s->io.reads + s->io.writes,
                             .lower_bound = s->lower_bound, .certified_bound = s->certified_bound, .rounds = s->rounds, .verified = s->verified};
    for (uint32_t i = 0; i < s->columns; i++)
        if (strcmp(s->trace[i].name, "proposals") == 0 && s->trace[i].rows)
            summary->proposals = s->trace[i].whole[s->trace[i].rows - 1];
    if (!s->verified) snprintf(summary->reason, sizeof summary->reason, "found by an earlier run");
    if (s->measurements) summarize_times(&s->measured[0].measurement, summary);
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
