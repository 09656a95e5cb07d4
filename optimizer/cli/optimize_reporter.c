#include "optimizer/cli/optimize_reporter.h"

#include "optimizer/cli/optimize_rungs.h"
#include "optimizer/cli/terminal.h"
#include "optimizer/search/tempering/diagnose.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define RUNGS_EVERY 16 /* rounds, with --verbose */

/* "M = 32", or the memories of several levels: "M = 32 + 190". */
static const char *name_memory(const ioa_objective *o, char text[160])
{
    int used = snprintf(text, 160, "M = %" PRIu64, o->level[0].memory);
    for (uint32_t i = 1; i < o->count && used < 160; i++)
        used += snprintf(text + used, (size_t)(160 - used), " + %" PRIu64, o->level[i].memory);
    return text;
}

/* Something else takes its time from now on. */
static void watch(optimize_reporter *r, const char *what, const ioa_objective *objective)
{
    char memory[160];
    if (!r->busy) r->busy = cli_busy_begin(r->common->quiet, 0.0);
    cli_busy_restart(r->busy);
    cli_busy_step(r->busy, -1.0, "%s: %s", name_memory(objective, memory), what);
}

static void unwatch(optimize_reporter *r)
{
    cli_busy_end(r->busy);
    r->busy = NULL;
}

static void on_began(void *context, const ioa_network *network, int ranks, bool verifier, uint32_t replicas)
{
    optimize_reporter *r = context;
    r->lower_bound = ioa_network_bounds(network).lower;
    r->workers = ranks - verifier;
    char text[2][32];
    if (r->common->quiet) return;
    fprintf(stderr, "network: %s neurons, %s connections; %d rank%s%s; %" PRIu32 " replicas\n",
            cli_grouped(ioa_network_view(network)->neurons, text[0]),
            cli_grouped(ioa_network_connections(network), text[1]), ranks, ranks == 1 ? "" : "s",
            verifier ? ", the last one verifies" : "", replicas);
    int workers = ranks - verifier;
    if ((uint32_t)workers > replicas)
        fprintf(stderr,
                "%d of %d workers have no replica: they help where orders are cut into segments; see --replicas, --segments\n",
                workers - (int)replicas, workers);
}

static void on_constructed(void *context, const char *name, const ioa_objective *objective, uint64_t total, bool chosen)
{
    optimize_reporter *r = context;
    char text[32], memory[160];
    cli_busy_hide(r->busy);
    if (!r->common->quiet)
        fprintf(stderr, "%s: %-8s excess %s%s\n", name_memory(objective, memory), name,
                cli_grouped(total - ioa_objective_shared(objective, r->lower_bound), text), chosen ? "  <- start" : "");
    watch(r, "constructing", objective);
}

/* Whether a swap was tried in the last two rows, which between them try all pairs. */
static bool exchanges(const ioa_trace *trace)
{
    uint64_t values = trace->rows * trace->replicas, recent = 2 * (uint64_t)trace->replicas;
    for (uint64_t i = values > recent ? values - recent : 0; i < values; i++)
        if (trace->swap[i] >= 0.0) return true;
    return false;
}

/* What a larger run could make of what this one has measured. */
static void propose(const optimize_reporter *r, const ioa_objective *objective)
{
    char memory[160];
    if (r->common->quiet || r->rungs < 2) return;
    fprintf(stderr,
            "%s: a ladder up to %.0f times the lowest temperature wants %" PRIu32 " replicas; of K replicas, "
            "--groups K/%" PRIu32 " makes so many ladders\n", name_memory(objective, memory), IOA_DIAGNOSE_SPREAD, r->rungs,
            r->rungs);
}

/* Of all rungs the energy that changes least from round to round. */
static double most_correlated(const ioa_trace *trace)
{
    double most = 0.0;
    for (uint32_t rung = 0; rung < trace->replicas; rung++) {
        double c = ioa_diagnose_correlation(trace, rung);
        if (fabs(c) > fabs(most)) most = c;
    }
    return most;
}

/* Of how the replicas mix, "" if nothing is exchanged. Returns the characters. */
static size_t describe_mixing(optimize_reporter *r, const ioa_trace *trace, char *text, size_t size)
{
    text[0] = '\0';
    if (!exchanges(trace)) return 0;
    ioa_diagnosis d = ioa_diagnose(trace, trace->rows);
    if (d.rungs_wanted > 0.0) r->rungs = (uint32_t)(d.rungs_wanted + 0.5);
    int used = snprintf(text, size,
                        ", Lambda %.2f, swaps %.2f (least %.2f), %" PRIu64 " round trips (%.2f of theory), autocorrelation %.2f",
                        d.barrier, d.swap_mean, d.swap_least, trace->round_trips[trace->rows - 1], d.trips_share,
                        most_correlated(trace));
    return used < 0 ? 0 : (size_t)used < size ? (size_t)used : size - 1;
}

static void on_round(void *context, const ioa_objective *objective, const ioa_trace *trace, uint64_t bound, double seconds,
                     double limit)
{
    optimize_reporter *r = context;
    if (r->common->quiet) return;
    double share = r->rounds ? (double)trace->rounds / (double)r->rounds : limit > 0.0 ? seconds / limit : -1.0;
    if (r->common->verbose) cli_progress_end(&r->progress); /* every round a line */
    unwatch(r);
    if (share < 1.0 && !cli_progress_due(&r->progress, seconds)) return;
    char text[3][32], gap[48] = "", line[320], more[400], memory[160];
    uint64_t last = trace->rows - 1, lower = ioa_objective_shared(objective, r->lower_bound);
    if (bound) snprintf(gap, sizeof gap, ", gap %s", cli_grouped(trace->best[last] - bound, text[2]));
    snprintf(line, sizeof line, "%s: round %" PRIu64 ", best excess %s%s, %s proposals/s", name_memory(objective, memory),
             trace->rounds, cli_grouped(trace->best[last] - lower, text[0]), gap,
             cli_grouped((uint64_t)((double)trace->proposals[last] / (seconds > 0.0 ? seconds : 1e-9)), text[1]));
    size_t used = describe_mixing(r, trace, more, sizeof more);
    ioa_time_shares shares = ioa_diagnose_times(trace);
    if (r->workers > 1)
        snprintf(more + used, sizeof more - used, ", messages and waiting %.1f %%, imbalance %.1f %%",
                 100.0 * shares.exchanging, 100.0 * shares.imbalance);
    cli_progress_show(&r->progress, line, more, share, seconds);
    if (r->common->verbose && trace->rounds % RUNGS_EVERY == 1) {
        cli_progress_end(&r->progress);
        if (!r->moves_named) optimize_print_moves(r->engine);
        r->moves_named = true;
        optimize_print_rungs(r->engine, trace, lower);
    }
    if (share >= 1.0) {
        cli_progress_end(&r->progress);
        watch(r, "verifying and timing", objective);
    }
}

static void add_levels(cJSON *json, const ioa_summary *s)
{
    cJSON *levels = cJSON_AddArrayToObject(json, "levels");
    for (uint32_t i = 0; i < s->objective.count; i++) {
        const ioa_level *l = &s->objective.level[i];
        cJSON *level = cJSON_CreateObject();
        cli_json_count(level, "memory", l->memory);
        cJSON_AddStringToObject(level, "policy", ioa_policy_name(l->policy));
        cJSON_AddNumberToObject(level, "weight", (double)l->weight / IOA_WEIGHT_ONE);
        cli_json_count(level, "reads", s->io[i].reads);
        cli_json_count(level, "writes", s->io[i].writes);
        cJSON_AddItemToArray(levels, level);
    }
}

static void print_levels(const ioa_summary *s)
{
    char text[32];
    for (uint32_t i = 0; i < s->objective.count; i++) {
        const ioa_level *l = &s->objective.level[i];
        printf("    of them        %14s I/Os   at M = %" PRIu64 ", %s, weight %.3f\n",
               cli_grouped(s->io[i].reads + s->io[i].writes, text), l->memory, ioa_policy_name(l->policy),
               (double)l->weight / IOA_WEIGHT_ONE);
    }
}

static void on_finished(void *context, const ioa_summary *s)
{
    optimize_reporter *r = context;
    unwatch(r);
    cli_progress_end(&r->progress);
    propose(r, &s->objective);
    uint64_t excess = s->best_total - s->lower_bound, layered = s->layered_total - s->lower_bound;
    if (r->schedules) {
        cJSON *json = cJSON_CreateObject();
        cli_json_count(json, "memory", s->objective.level[0].memory);
        cJSON_AddStringToObject(json, "policy", ioa_policy_name(s->objective.level[0].policy));
        if (s->objective.count > 1) add_levels(json, s);
        cli_json_count(json, "baseline_total", s->layered_total);
        cli_json_count(json, "start_total", s->start_total);
        cli_json_count(json, "total", s->best_total);
        cli_json_count(json, "lower_bound", s->lower_bound);
        cli_json_count(json, "certified_bound", s->certified_bound);
        cli_json_count(json, "excess", excess);
        cli_json_count(json, "rounds", s->rounds);
        cli_json_count(json, "proposals", s->proposals);
        cJSON_AddBoolToObject(json, "verified", s->verified);
        cJSON_AddNumberToObject(json, "speedup_order", s->measured ? s->speedup_order.median : 0.0);
        cJSON_AddNumberToObject(json, "speedup_vs_csr", s->measured ? s->speedup_csr.median : 0.0);
        cJSON_AddItemToArray(r->schedules, json);
        return;
    }
    char text[4][32];
    char memory[160];
    printf("%s, %s%s\n", name_memory(&s->objective, memory), ioa_policy_name(s->objective.level[0].policy),
           s->objective.count > 1 ? " first; figures are weighted sums" : "");
    printf("  layered order    %14s I/Os   excess %s\n", cli_grouped(s->layered_total, text[0]),
           cli_grouped(layered, text[1]));
    printf("  start            %14s I/Os   excess %s\n", cli_grouped(s->start_total, text[0]),
           cli_grouped(s->start_total - s->lower_bound, text[1]));
    printf("  best             %14s I/Os   excess %s  (%.1f %% less than layered; %s round%s, %s proposals)\n",
           cli_grouped(s->best_total, text[0]), cli_grouped(excess, text[1]),
           layered ? 100.0 * ((double)layered - (double)excess) / (double)layered : 0.0, cli_grouped(s->rounds, text[2]),
           s->rounds == 1 ? "" : "s", cli_grouped(s->proposals, text[3]));
    if (s->objective.count > 1) print_levels(s);
    printf("  lower bound      %14s I/Os   compulsory; %s certified, gap %s\n", cli_grouped(s->lower_bound, text[0]),
           cli_grouped(s->certified_bound, text[1]), cli_grouped(s->best_total - s->certified_bound, text[2]));
    if (!s->verified) printf("  %sNOT VERIFIED%s     %s\n", cli_color_of(stdout, CLI_RED), cli_color_of(stdout, CLI_PLAIN), s->reason);
    if (s->verified) printf("  %sverified%s         legal, recounted, inference checked against float64\n", cli_color_of(stdout, CLI_GREEN),
                            cli_color_of(stdout, CLI_PLAIN));
    if (s->measured) {
        printf("  measured         batch %" PRIu32 ", %s, %.1f GF/s", s->batch, s->kernel, s->gflops);
        if (s->limit[0]) printf("; bound by %s, at %.0f %% of it", s->limit, 100 * s->limit_share);
        printf("\n");
        printf("    order's share    %.3fx [%.3f, %.3f] against the same kind of plan in layered order%s\n",
               s->speedup_order.median, s->speedup_order.q1, s->speedup_order.q3,
               s->speedup_order.q1 <= 1.02 ? ": no clear gain here" : "");
        printf("    in all           %.3fx [%.3f, %.3f] against layer-wise CSR\n", s->speedup_csr.median,
               s->speedup_csr.q1, s->speedup_csr.q3);
    }
}

static void on_failed(void *context, const ioa_error *error)
{
    optimize_reporter *r = context;
    unwatch(r);
    cli_progress_end(&r->progress);
    cli_fail(&cli_optimize, error);
}

static void on_note(void *context, const char *text)
{
    optimize_reporter *r = context;
    unwatch(r);
    cli_progress_end(&r->progress);
    fprintf(stderr, "%s\n", text);
}

optimize_reporter optimize_reporter_begin(const cli_common *common, const ioa_job *job)
{
    return (optimize_reporter){.common = common, .archive_path = job->archive_path, .engine = job->engine, .rounds = job->rounds,
                               .schedules = common->json ? cJSON_CreateArray() : NULL};
}

ioa_job_events optimize_reporter_events(optimize_reporter *r)
{
    return (ioa_job_events){.context = r, .began = on_began, .constructed = on_constructed, .round = on_round,
                            .finished = on_finished, .failed = on_failed, .note = on_note};
}

static bool wrote_archive(ioa_status status)
{
    return status == IOA_OK || status == IOA_ERR_CHECK;
}

#define PAUSED 75 /* exit code: stopped early, resume possible */

int optimize_reporter_end(optimize_reporter *r, ioa_status status, bool paused)
{
    bool spoke = r->lower_bound > 0; /* on rank 0, once the job had begun */
    unwatch(r);
    int code = ioa_status_exit_code(status);
    if (paused) { /* one rank says so: the launcher may end the others once it has seen an exit code */
        cJSON_Delete(r->schedules);
        fflush(stdout);
        return spoke ? PAUSED : 0;
    }
    if (!spoke) { /* another rank's copy of the list is empty */
        cJSON_Delete(r->schedules);
        return code;
    }
    int printed = 0;
    if (r->schedules && wrote_archive(status)) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "archive", r->archive_path);
        cJSON_AddItemToObject(json, "schedules", r->schedules);
        printed = cli_print_json(json);
    } else {
        cJSON_Delete(r->schedules);
        if (wrote_archive(status)) printf("archive: %s\n", r->archive_path);
        printed = cli_finish_output();
    }
    return code ? code : printed;
}
