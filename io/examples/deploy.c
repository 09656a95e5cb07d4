/* Deploys a bundle: picks the schedule for this processor, runs a batch by several threads on one plan, and prints the
 * outputs of the first sample.
 *
 *     ioanneal pack best.h5 --network net.h5 -o bundle.h5
 *     cc deploy.c $(pkg-config --cflags --libs ioanneal) -pthread -o deploy
 *     ./deploy bundle.h5 4
 *
 * A network and an archive of their own are read in the same way, each from its path. */
#include <ioanneal/archive.h>
#include <ioanneal/network_file.h>
#include <ioanneal/plan.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define BATCH 1000
#define MOST_THREADS 64

typedef struct work {
    const ioa_plan *plan; /* shared: a plan never changes */
    const float *x;       /* this thread's samples and outputs */
    float *y;
    size_t samples;
    void *scratch; /* of this thread alone */
} work;

static void *infer(void *context)
{
    work *w = context;
    ioa_plan_run(w->plan, w->x, w->y, w->samples, w->scratch);
    return NULL;
}

/* y = network(x) by `threads` threads; 0, or 3 if memory or threads are out. */
static int infer_by_threads(const ioa_plan *plan, const ioa_network_arrays *sizes, const float *x, float *y, size_t threads)
{
    work works[MOST_THREADS] = {{0}};
    pthread_t handles[MOST_THREADS];
    size_t bytes = (ioa_plan_scratch_bytes(plan) + 63) / 64 * 64, started = 0;
    int code = 0;
    for (size_t t = 0; t < threads && code == 0; t++) {
        size_t from = BATCH * t / threads, to = BATCH * (t + 1) / threads;
        works[t] = (work){plan, x + from * sizes->inputs, y + from * sizes->outputs, to - from, aligned_alloc(64, bytes ? bytes : 64)};
        if (!works[t].scratch || pthread_create(&handles[t], NULL, infer, &works[t]) != 0) code = 3;
        else started++;
    }
    for (size_t t = 0; t < started; t++) pthread_join(handles[t], NULL);
    for (size_t t = 0; t < threads; t++) free(works[t].scratch);
    return code;
}

/* Everything that can go wrong with the file goes wrong here; afterwards only the plan is needed. */
static ioa_status load(const char *path, ioa_network **network, ioa_plan **plan, ioa_error *error)
{
    ioa_archive *archive = NULL;
    ioa_schedule_view schedule;
    ioa_fast_memory here;
    char warning[256];
    ioa_status status = ioa_network_read(path, network, error);
    if (status == IOA_OK) status = ioa_archive_open(path, *network, &archive, error);
    if (status == IOA_OK) {
        ioa_fast_memory_here(IOA_ISA_AUTO, 0, &here);
        if (!ioa_archive_pick_here(archive, &here, &schedule, warning, sizeof warning))
            fprintf(stderr, "deploy: warning: %s: %s\n", path, warning);
        printf("schedule for M = %llu: %llu I/Os, %llu more than any order needs\n", (unsigned long long)schedule.memory,
               (unsigned long long)(schedule.io.reads + schedule.io.writes),
               (unsigned long long)(schedule.io.reads + schedule.io.writes - schedule.lower_bound));
        status = ioa_plan_create(*network, schedule.order, NULL, plan, error);
    }
    ioa_archive_close(archive); /* the plan keeps no reference to it */
    return status;
}

int main(int argc, char **argv)
{
    size_t threads = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    if (argc < 2 || threads < 1 || threads > MOST_THREADS) {
        fprintf(stderr, "usage: deploy BUNDLE.h5 [THREADS]\n");
        return 2;
    }
    ioa_error error;
    ioa_network *network = NULL;
    ioa_plan *plan = NULL;
    int code = ioa_status_exit_code(load(argv[1], &network, &plan, &error));
    if (code != 0) {
        fprintf(stderr, "deploy: %s\n", error.text);
    } else {
        const ioa_network_arrays *sizes = ioa_network_view(network);
        float *x = malloc(sizeof *x * BATCH * sizes->inputs), *y = malloc(sizeof *y * BATCH * sizes->outputs);
        if (x)
            for (size_t i = 0; i < (size_t)BATCH * sizes->inputs; i++) x[i] = (float)(i % 17) / 17.0f;
        code = x && y ? infer_by_threads(plan, sizes, x, y, threads) : 3;
        if (code == 0)
            for (size_t i = 0; i < sizes->outputs; i++) printf("%s%g", i ? " " : "outputs: ", (double)y[i]);
        if (code == 0) printf("\n");
        else fprintf(stderr, "deploy: out of memory or threads\n");
        free(x);
        free(y);
    }
    ioa_plan_destroy(plan);
    ioa_network_destroy(network);
    return code;
}
