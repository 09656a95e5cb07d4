#include "optimizer/cli/cli.h"

#include "optimizer/cli/progress.h"
#include "optimizer/cli/terminal.h"
#include "optimizer/mpi/job.h"
#include "optimizer/search/diagnose.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *summary;
    ioa_method method;
} methods[] = {
    {"tempering", "replicas on a ladder that exchange temperatures (default)", IOA_METHOD_TEMPERING},
    {"anneal", "the same replicas, each on its own", IOA_METHOD_ANNEAL},
    {"construct", "the best constructive order, no search", IOA_METHOD_CONSTRUCT},
    {"paper", "the paper's connection reordering from the layered order, tempered: the baseline", IOA_METHOD_PAPER},
};

/* What rank 0 tells the user. */
typedef struct reporter {
    const cli_common *common;
    const char *archive_path;
    cJSON *schedules; /* with --json */
    uint64_t lower_bound, rounds;
    uint32_t rungs; /* that a ladder would want, as last diagnosed; 0: not known */
    int workers;
    cli_progress progress;
    cli_busy *busy; /* watches what lies between two events */
} reporter;

/* "M = 32", or the memories of several levels: "M = 32 + 190". */
static const char *name_memory(const ioa_objective *o, char text[160])
{
    int used = snprintf(text, 160, "M = %" PRIu64, o->level[0].memory);
    for (uint32_t i = 1; i < o->count && used < 160; i++)
        used += snprintf(text + used, (size_t)(160 - used), " + %" PRIu64, o->level[i].memory);
    return text;
}

/* Something else takes its time from now on. */
static void watch(reporter *r, const char *what, const ioa_objective *objective)
{
    char memory[160];
    if (!r->busy) r->busy = cli_busy_begin(r->common->quiet, 0.0);
    cli_busy_restart(r->busy);
    cli_busy_step(r->busy, -1.0, "%s: %s", name_memory(objective, memory), what);
}

static void unwatch(reporter *r)
{
    cli_busy_end(r->busy);
    r->busy = NULL;
}

static void on_began(void *context, const ioa_network *network, int ranks, bool verifier, uint32_t replicas)
{
    reporter *r = context;
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
    reporter *r = context;
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
static void propose(const reporter *r, const ioa_objective *objective)
{
    char memory[160];
    if (r->common->quiet || r->rungs < 2) return;
    fprintf(stderr,
            "%s: a ladder up to %.0f times the lowest temperature wants %" PRIu32 " replicas; of K replicas, "
            "--groups K/%" PRIu32 " makes so many ladders\n", name_memory(objective, memory), IOA_DIAGNOSE_SPREAD, r->rungs,
            r->rungs);
}

static void on_round(void *context, const ioa_objective *objective, const ioa_trace *trace, uint64_t bound, double seconds,
                     double limit)
{
    reporter *r = context;
    if (r->common->quiet) return;
    unwatch(r);
    char text[3][32], gap[48] = "", line[320], more[300] = "", memory[160];
    uint64_t last = trace->rows - 1, lower = ioa_objective_shared(objective, r->lower_bound);
    int used = 0;
    if (bound) snprintf(gap, sizeof gap, ", gap %s", cli_grouped(trace->best[last] - bound, text[2]));
    snprintf(line, sizeof line, "%s: round %" PRIu64 ", best excess %s%s, %s proposals/s", name_memory(objective, memory),
             trace->rounds, cli_grouped(trace->best[last] - lower, text[0]), gap,
             cli_grouped((uint64_t)((double)trace->proposals[last] / (seconds > 0.0 ? seconds : 1e-9)), text[1]));
    if (exchanges(trace)) {
        ioa_diagnosis d = ioa_diagnose(trace, trace->rows);
        used = snprintf(more, sizeof more, ", Lambda %.2f, swaps %.2f (least %.2f), %" PRIu64 " round trips (%.2f of theory)",
                        d.barrier, d.swap_mean, d.swap_least, trace->round_trips[last], d.trips_share);
        if (d.rungs_wanted > 0.0) r->rungs = (uint32_t)(d.rungs_wanted + 0.5);
    }
    ioa_time_shares shares = ioa_diagnose_times(trace);
    if (r->workers > 1 && used >= 0 && (size_t)used < sizeof more)
        snprintf(more + used, sizeof more - (size_t)used, ", messages and waiting %.1f %%, imbalance %.1f %%",
                 100.0 * shares.exchanging, 100.0 * shares.imbalance);
    double share = r->rounds ? (double)trace->rounds / (double)r->rounds : limit > 0.0 ? seconds / limit : -1.0;
    if (r->common->verbose) cli_progress_end(&r->progress); /* every round a line */
    cli_progress_show(&r->progress, line, more, share, seconds);
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
    reporter *r = context;
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
    printf("  best             %14s I/Os   excess %s  (%.1f %% less than layered; %s rounds, %s proposals)\n",
           cli_grouped(s->best_total, text[0]), cli_grouped(excess, text[1]),
           layered ? 100.0 * ((double)layered - (double)excess) / (double)layered : 0.0, cli_grouped(s->rounds, text[2]),
           cli_grouped(s->proposals, text[3]));
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
    reporter *r = context;
    unwatch(r);
    cli_progress_end(&r->progress);
    cli_fail(&cli_optimize, error);
}

static void on_note(void *context, const char *text)
{
    reporter *r = context;
    unwatch(r);
    cli_progress_end(&r->progress);
    fprintf(stderr, "%s\n", text);
}

static bool wrote_archive(ioa_status status)
{
    return status == IOA_OK || status == IOA_ERR_CHECK;
}

#define PAUSED 75 /* exit code: stopped early, resume possible */

static int finish(reporter *r, ioa_status status, bool paused, bool spoke)
{
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

static bool find_method(const char *name, ioa_method *method)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (strcmp(methods[i].name, name) == 0) {
            *method = methods[i].method;
            return true;
        }
    return false;
}

/* One of: memory sizes, the registers of a machine, several levels at once; nothing: this machine's registers. */
static ioa_status find_objectives(const cli_memory *memory, const char *machine, const char *levels,
                                  ioa_objective *objectives, int *count, ioa_error *error)
{
    uint64_t sizes[CLI_MEMORIES];
    ioa_policy policy;
    cli_memory one = *memory;
    if ((memory->memory || memory->cache) + (machine != NULL) + (levels != NULL) > 1)
        return ioa_fail(error, IOA_ERR_INPUT, "--memory (or --cache), --machine and --levels exclude each other");
    if (levels) one.memory = "3"; /* for the policy alone */
    else if (!memory->memory && !memory->cache) {
        one.memory = cli_machine_memory(machine ? machine : "auto");
        if (!one.memory)
            return ioa_fail(error, IOA_ERR_INPUT, "--machine wants auto, avx512, avx2 or neon, not '%s'", machine);
    }
    ioa_status status = cli_resolve_memory(&one, 0, sizes, count, &policy, error);
    if (status == IOA_OK && levels) return ioa_objective_parse(levels, policy, &objectives[0], error);
    for (int i = 0; status == IOA_OK && i < *count; i++) objectives[i] = ioa_objective_single(sizes[i], policy);
    return status;
}

static bool find_adaptation(const char *name, unsigned *adapt)
{
    static const char *const names[] = {"none", "shares", "windows", "both"}; /* by the bits of IOA_ADAPT_.. */
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0) {
            *adapt = i;
            return true;
        }
    return false;
}

/* `*started`: the job ran; otherwise the command line was refused or asked for help. */
static int start(const cli_command *command, int argc, char **argv, bool *started)
{
    cli_memory memory = {0};
    const char *machine = NULL, *levels = NULL;
    char line[4096];
    cli_join(argc, argv, line, sizeof line);
    const char *output = NULL, *method = "tempering", *engine = NULL, *adapt = "shares";
    cli_common common = {0};
    ioa_job job = {.seed = 1, .trial = UINT64_MAX, .replicas = 0, .cold = 0.0, .hot = 0.0, .batch = 128, .timing_seconds = 5.0,
                   .checkpoint_every = 60.0, .patience = 10, .target = UINT64_MAX, .hang_timeout = 600.0, .end_margin = 60.0,
                   .command_line = line};
    const cli_option options[] = {
        {CLI_TEXT, 'o', "output", "ARCHIVE.h5", &output, "schedule archive to write (required)", 0, 0},
        {CLI_TEXT, 'm', "memory", "M[,M2..]", &memory.memory, "slots of fast memory; several: one schedule each", 0, 0},
        {CLI_BYTES, 0, "cache", "BYTES", &memory.cache, "instead of --memory: M = bytes / (4 batch)", 0, 0},
        {CLI_TEXT, 0, "machine", "NAME", &machine, "instead: the registers of auto (default), avx512, avx2 or neon", 0, 0},
        {CLI_TEXT, 0, "levels", "M:W[,M2:W2..]", &levels, "instead: weighted sum over several memories, later ones lru", 0, 0},
        {CLI_TEXT, 0, "policy", "P", &memory.policy, "lru, rr or min (default min)", 0, 0},
        {CLI_REAL, 0, "seconds", "T", &job.seconds, "time for the search, construction included (default 60)", 0.001, 1e9},
        {CLI_COUNT, 0, "rounds", "N", &job.rounds, "N rounds, whatever time they take, unless --patience or --target end it", 1, 1e15},
        {CLI_COUNT, 0, "trial-rounds", "N", &job.trial, "rounds that try out kinds of replicas (default 12 %; 0: none)", 0, 1e15},
        {CLI_COUNT, 0, "stop-round", "N", &job.stop, "with --rounds: stop there, as a run cut short by time did", 1, 1e15},
        {CLI_COUNT, 0, "replicas", "K", &job.replicas, "replicas, on any number of ranks (default: 4 up to 2,000 connections, else 2)", 1, 1e6},
        {CLI_COUNT, 0, "segments", "N", &job.segments, "cut orders into N stretches that anneal at the same time (by size)", 1, 1e6},
        {CLI_COUNT, 0, "groups", "G", &job.groups, "ladders of replicas that go their own ways (default: 8 replicas each)", 1, 1e6},
        {CLI_TEXT, 0, "adapt", "WHAT", &adapt, "shares (default) of moves, windows, both or none follow success", 0, 0},
        {CLI_COUNT, 0, "patience", "N", &job.patience,
         "round trips without gain before heating up again, then ending; 0: never (default 10)", 0, 1e9},
        {CLI_COUNT, 0, "target", "E", &job.target, "stop once the excess over the compulsory I/O is no more", 0, 1e18},
        {CLI_COUNT, 0, "proposals", "N", &job.proposals, "per replica and round (default: by the method)", 1, 1e15},
        {CLI_COUNT, 's', "seed", "S", &job.seed, "same seed and rounds, same archive (default 1)", 0, 0},
        {CLI_TEXT, 0, "method", "NAME", &method, "one of those below (default tempering)", 0, 0},
        {CLI_TEXT, 0, "engine", "NAME", &engine, "what replicas do: one of those below (default: by the policy)", 0, 0},
        {CLI_REAL, 0, "cold", "T", &job.cold, "temperature at the end, in the engine's units", 1e-6, 1e9},
        {CLI_REAL, 0, "hot", "T", &job.hot, "temperature at the beginning, likewise", 1e-6, 1e9},
        {CLI_COUNT, 'b', "batch", "B", &job.batch, "samples per pass in the final timing (default 128)", 1, 1e6},
        {CLI_REAL, 0, "timing", "T", &job.timing_seconds, "seconds of the final timing; 0: none (default 5)", 0, 1e6},
        {CLI_TEXT, 0, "checkpoint", "FILE", &job.checkpoint_path, "keep a checkpoint there; gone once the archive is written", 0, 0},
        {CLI_REAL, 0, "checkpoint-every", "T", &job.checkpoint_every, "seconds between checkpoints (default 60)", 0, 1e9},
        {CLI_FLAG, 0, "resume", NULL, &job.resume, "go on from the checkpoint, on any number of ranks; none yet: start", 0, 0},
        {CLI_REAL, 0, "deadline", "T", &job.deadline, "stop T seconds after the start, as on SIGUSR1", 0.001, 1e9},
        {CLI_REAL, 0, "end-margin", "T", &job.end_margin, "stop T seconds before the SLURM job ends (default 60)", 0, 1e9},
        {CLI_COUNT, 0, "pause-after", "N", &job.pause_after, "stop after N rounds of this run, as on SIGUSR1", 1, 1e15},
        {CLI_REAL, 0, "hang-timeout", "T", &job.hang_timeout, "give up if no round ends for T seconds (default 600)", 0.1, 1e9},
        {CLI_END, 0, NULL, NULL, NULL, NULL, 0, 0},
    };
    int files;
    cli_parsed parsed = cli_parse(command, options, &common, argc, argv, &files);
    if (parsed != CLI_GO) return parsed == CLI_HELP_SHOWN ? 0 : 2;
    if (files != 1) return cli_refuse(command, "one network file is wanted");
    if (!output) return cli_refuse(command, "-o ARCHIVE.h5 is needed");
    if (!job.checkpoint_path && (job.resume || job.pause_after))
        return cli_refuse(command, "--resume and --pause-after need --checkpoint FILE");
    if (job.checkpoint_path && strcmp(job.checkpoint_path, output) == 0)
        return cli_refuse(command, "the checkpoint and the archive must be different files");
    if (job.seconds > 0.0 && job.rounds) return cli_refuse(command, "--seconds and --rounds exclude each other");
    if (job.rounds && job.trial != UINT64_MAX && job.trial >= job.rounds)
        return cli_refuse(command, "--trial-rounds must leave some of the --rounds");
    if (!find_method(method, &job.method))
        return cli_refuse(command, "--method wants tempering, anneal, construct or paper, not '%s'", method);
    if (job.method == IOA_METHOD_PAPER) {
        if (engine && strcmp(engine, "paper") != 0)
            return cli_refuse(command, "--method paper brings its own engine; leave --engine out");
        engine = "paper";
    }
    if (!find_adaptation(adapt, &job.adapt))
        return cli_refuse(command, "--adapt wants shares, windows, both or none, not '%s'", adapt);
    if (engine && !ioa_engine_find(engine))
        return cli_refuse(command, "unknown engine '%s': there are levels, exact, interval, priced and paper", engine);
    if (job.cold > 0.0 && job.hot > 0.0 && job.cold > job.hot)
        return cli_refuse(command, "--cold must not be above --hot");
    if (job.seconds <= 0.0 && !job.rounds) job.seconds = 60.0;
    ioa_objective objectives[CLI_MEMORIES];
    ioa_error error = {0};
    memory.batch = job.batch;
    if (find_objectives(&memory, machine, levels, objectives, &job.memory_count, &error) != IOA_OK)
        return cli_fail(command, &error);
    job.objectives = objectives;
    job.engine = engine ? ioa_engine_find(engine) : ioa_engine_usual(objectives[0].level[0].policy);
    job.network_path = argv[0];
    job.archive_path = output;
    job.method_name = method;
    reporter r = {.common = &common, .archive_path = output, .rounds = job.rounds, .schedules = common.json ? cJSON_CreateArray() : NULL};
    ioa_job_events events = {.context = &r, .began = on_began, .constructed = on_constructed, .round = on_round,
                             .finished = on_finished, .failed = on_failed, .note = on_note};
    *started = true;
    bool paused = false;
    ioa_status status = ioa_job_run(&job, &events, &paused);
    unwatch(&r);
    return finish(&r, status, paused, r.lower_bound > 0);
}

/* True on all ranks but the first, by what the usual launchers tell their processes. */
static bool is_other_rank(void)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *rank = getenv(names[i]);
        if (rank) return strcmp(rank, "0") != 0;
    }
    return false;
}

/* The command line is judged before MPI starts, alike on every rank, and the first rank speaks for all. The others
 * then end with 0: a launcher that sees one fail may kill the first before it has spoken. */
static int run(const cli_command *command, int argc, char **argv)
{
    cli_command self = *command;
    bool started = false;
    self.silent = is_other_rank();
    int code = start(&self, argc, argv, &started);
    return self.silent && !started ? 0 : code;
}

static void notes(void)
{
    cli_help_section("methods");
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) cli_help_entry(methods[i].name, methods[i].summary);
    cli_help_section("engines");
    for (unsigned i = 0; ioa_engine_at(i); i++) cli_help_entry(ioa_engine_at(i)->name, ioa_engine_at(i)->summary);
}

const cli_command cli_optimize = {
    .name = "optimize",
    .summary = "search for orders with less I/O, over MPI",
    .usage = "NET.h5 -o ARCHIVE.h5 [--memory M | --machine NAME | --levels M:W,..] [options]   (under mpirun -n R)",
    .examples = "  mpirun -n 3 ioanneal optimize net.h5 -o best.h5 --memory 100 --seconds 60\n"
                "  mpirun -n 8 ioanneal optimize net.h5 -o best.h5 --memory 16,32 --replicas 14 --rounds 500\n"
                "  mpirun -n 3 ioanneal optimize net.h5 -o best.h5 --machine avx2\n"
                "  mpirun -n 3 ioanneal optimize net.h5 -o best.h5 --levels 32:1.0,190:0.3\n"
                "  mpirun -n 8 ioanneal optimize net.h5 -o best.h5 --memory 32 --seconds 3600 --checkpoint best.ckpt --resume\n"
                "  ioanneal optimize net.h5 -o start.h5 --memory 32 --method construct\n",
    .notes = notes,
    .run = run,
};
