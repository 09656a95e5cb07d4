#include "optimizer/cli/cli.h"

#include "optimizer/cli/optimize_reporter.h"
#include "optimizer/mpi/job.h"

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
        {CLI_BYTES, 0, "cache", "BYTES", &memory.cache, "instead of --memory: M = bytes / (4 batch)", 1, 1e18},
        {CLI_TEXT, 0, "machine", "NAME", &machine, "instead: the registers of auto (default), avx512, avx2 or neon", 0, 0},
        {CLI_TEXT, 0, "levels", "M:W[,M2:W2..]", &levels, "instead: weighted sum over several memories, later ones lru", 0, 0},
        {CLI_TEXT, 0, "policy", "P", &memory.policy, "lru, rr or min (default min)", 0, 0},
        {CLI_REAL, 0, "seconds", "T", &job.seconds, "time for the search, construction included (default 60)", 0.001, 1e9},
        {CLI_COUNT, 0, "rounds", "N", &job.rounds, "N rounds, whatever time they take, unless --patience, --target or a proven optimum ends them", 1, 1e15},
        {CLI_COUNT, 0, "trial-rounds", "N", &job.trial, "rounds that try out kinds of replicas (default 12 % where that is done; 0: none)", 0, 1e15},
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
    if (job.seconds > 0.0 && job.rounds) return cli_refuse(command, "--seconds and --rounds exclude each other");
    if (job.rounds && job.trial != UINT64_MAX && job.trial >= job.rounds)
        return cli_refuse(command, "--trial-rounds must leave some of the --rounds");
    if (job.stop && (!job.rounds || job.stop > job.rounds))
        return cli_refuse(command, "--stop-round wants --rounds beside it, and no fewer of them");
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
    optimize_reporter reporter = optimize_reporter_begin(&common, &job);
    ioa_job_events events = optimize_reporter_events(&reporter);
    *started = true;
    bool paused = false;
    ioa_status status = ioa_job_run(&job, &events, &paused);
    return optimize_reporter_end(&reporter, status, paused);
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
