/* Plans against each other, in turn, in one process.
 *
 *     bench_plans NET.h5 [--schedule ARCHIVE.h5] [--batch 128] [--threads 1] [--rounds 31] PLAN ...
 *
 * PLAN as in `ioanneal bench -v`: avx512/sorted/tile64/panel128. Behind the first also a file made by `ioanneal compile`,
 * ./net.so[:FUNCTION] (ioanneal_net if not said; one thread), whose outputs must be those of the first plan but for rounding.
 * Each round times every plan once; a plan's time is that of its fastest round, and its ratio to the first plan is the median over
 * the rounds. For every plan: billions of operations per second (GF/s, 2 per connection of the network and sample), the ratio,
 * the limit that would bind first and the share of it that was reached (core/measure/limits.h), and megabytes of plan and
 * scratch. Results go to standard output. */
#include "core/measure/limits.h"
#include "core/model/network.h"
#include "io/base/machine.h"
#include "io/h5/h5.h"

#include <dlfcn.h>
#include <ioanneal/archive.h>
#include <ioanneal/network_file.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_PLANS 64
#define MOST_ROUNDS 1001

typedef struct entrant {
    const char *name;
    ioa_contender contender;
    uint32_t passes;
    double best, ratios[MOST_ROUNDS];
} entrant;

static void need(ioa_status status, const ioa_error *error)
{
    if (status == IOA_OK) return;
    fprintf(stderr, "bench_plans: %s\n", error->text);
    exit(2);
}

static bool is_file(const char *name)
{
    const char *end = strstr(name, ".so");
    return end && (end[3] == '\0' || end[3] == ':');
}

/* "FILE.so[:FUNCTION]"; the file stays loaded. */
static ioa_contender load(const char *name)
{
    ioa_contender file = {0};
    char path[4096];
    const char *function = strstr(name, ".so:");
    size_t length = function ? (size_t)(function + 3 - name) : strlen(name);
    if (length >= sizeof path) return file;
    memcpy(path, name, length);
    path[length] = '\0';
    void *loaded = dlopen(path, RTLD_NOW), *symbol = loaded ? dlsym(loaded, function ? function + 4 : "ioanneal_net") : NULL;
    if (symbol) memcpy(&file.function, &symbol, sizeof symbol); /* ISO C has no cast from data to function pointers */
    return file;
}

/* Largest difference of an output from the plan's, relative to max(1, |output|). */
static double differs(const ioa_contest *c, const ioa_contender *plan, const ioa_contender *file)
{
    size_t count = (size_t)c->batch * c->network->a.outputs;
    float *y = malloc(count * sizeof *y);
    double most = y ? 0 : INFINITY;
    if (y) {
        ioa_plan_run_threads(plan->plan, c->x, c->y, c->batch, c->threads, plan->scratch);
        file->function(c->x, y, c->batch);
    }
    for (size_t i = 0; y && i < count; i++) most = fmax(most, fabs((double)y[i] - c->y[i]) / fmax(1, fabs((double)c->y[i])));
    free(y);
    return most;
}

static void race(const ioa_contest *contest, entrant *entrants, uint32_t count, uint32_t rounds)
{
    for (uint32_t i = 0; i < count; i++)
        entrants[i].passes = ioa_contest_passes(ioa_contest_warm(contest, &entrants[i].contender));
    for (uint32_t r = 0; r < rounds; r++) {
        double first = 0;
        for (uint32_t i = 0; i < count; i++) {
            entrant *e = &entrants[i];
            double seconds = ioa_contest_time(contest, &e->contender, e->passes);
            if (i == 0) first = seconds;
            e->ratios[r] = first / seconds;
            if (r == 0 || seconds < e->best) e->best = seconds;
        }
    }
}

static void print(const ioa_contest *contest, entrant *e, uint32_t rounds, const ioa_machine *machine,
                  const ioa_limits *limits)
{
    const ioa_plan *plan = e->contender.plan;
    double share, flops = 2.0 * (double)contest->network->connections * contest->batch;
    if (!plan) {
        printf("%-48s %7.1f GF/s  x %5.3f  file\n", e->name, 1e-9 * flops / e->best, ioa_quartiles_of(e->ratios, rounds).median);
        return;
    }
    const ioa_work work = ioa_plan_work(plan, contest->batch);
    const char *limit = ioa_limits_judge(limits, machine, &work, e->best * contest->threads, &share);
    printf("%-48s %7.1f GF/s  x %5.3f  %s %.0f %%  plan %.2f MB, scratch %.2f MB\n", e->name, 1e-9 * flops / e->best,
           ioa_quartiles_of(e->ratios, rounds).median, limit ? limit : "?", 100 * share,
           1e-6 * (double)ioa_plan_bytes(plan), 1e-6 * (double)ioa_plan_scratch_bytes(plan));
}

static int refuse(const char *name, const char *what)
{
    fprintf(stderr, "bench_plans: %s: %s\n", name, what);
    return 2;
}

typedef struct settings {
    const char *network, *archive;
    uint32_t batch, threads, rounds, plans;
    const char *names[MOST_PLANS];
} settings;

static int take_arguments(int argc, char **argv, settings *s)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strncmp(argv[i], "--", 2) == 0) {
            if (!value) return 0;
            uint32_t number = (uint32_t)strtoul(value, NULL, 10);
            if (strcmp(argv[i], "--schedule") == 0) s->archive = value;
            else if (strcmp(argv[i], "--batch") == 0) s->batch = number;
            else if (strcmp(argv[i], "--threads") == 0) s->threads = number;
            else if (strcmp(argv[i], "--rounds") == 0) s->rounds = number;
            else return 0;
            i++;
        } else if (!s->network) s->network = argv[i];
        else if (s->plans < MOST_PLANS) s->names[s->plans++] = argv[i];
        else return 0;
    }
    return s->network && s->plans && s->rounds > 0 && s->rounds <= MOST_ROUNDS;
}

int main(int argc, char **argv)
{
    static entrant entrants[MOST_PLANS];
    static ioa_contest contest;
    settings s = {.batch = 128, .threads = 1, .rounds = 31};
    ioa_network *network = NULL;
    ioa_archive *archive = NULL;
    ioa_schedule_view schedule = {0};
    ioa_limits limits;
    ioa_machine machine;
    ioa_error error;
    if (!take_arguments(argc, argv, &s)) {
        fprintf(stderr, "usage: bench_plans NET.h5 [--schedule ARCHIVE.h5] [--batch B] [--threads N] [--rounds R] PLAN ...\n");
        return 2;
    }
    ioa_h5_program_start();
    need(ioa_network_read(s.network, &network, &error), &error);
    if (s.archive) {
        need(ioa_archive_open(s.archive, network, &archive, &error), &error);
        ioa_archive_at(archive, 0, &schedule);
    }
    const ioa_plan_choice choice = {.batch = s.batch, .threads = s.threads};
    need(ioa_contest_open(&contest, network, schedule.order, &choice, 1, &error), &error);
    for (uint32_t i = 0; i < s.plans; i++) {
        ioa_plan_options options;
        entrants[i].name = s.names[i];
        if (i > 0 && is_file(s.names[i])) {
            entrants[i].contender = load(s.names[i]);
            if (!ioa_contender_exists(&entrants[i].contender)) return refuse(s.names[i], dlerror());
            if (!(differs(&contest, &entrants[0].contender, &entrants[i].contender) < 1e-3))
                return refuse(s.names[i], "its outputs are not those of the network");
            continue;
        }
        need(ioa_plan_options_parse(s.names[i], &options, &error), &error);
        need(ioa_contest_plan(&contest, schedule.order, &options, &entrants[i].contender, &error), &error);
    }
    race(&contest, entrants, s.plans, s.rounds);
    ioa_machine_detect(&machine);
    need(ioa_limits_measure(&machine, IOA_ISA_AUTO, 0.3, &limits, &error), &error);
    for (uint32_t i = 0; i < s.plans; i++) {
        print(&contest, &entrants[i], s.rounds, &machine, &limits);
        ioa_contest_dismiss(&entrants[i].contender);
    }
    ioa_contest_close(&contest);
    ioa_archive_close(archive);
    ioa_network_destroy(network);
    return 0;
}
