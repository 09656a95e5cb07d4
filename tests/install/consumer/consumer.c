/* An outside program that deploys a schedule: reads a network and an archive, makes plans in the archive's order and in
 * layered order, runs a batch through both and compares them.
 * usage: consumer NET.h5 ARCHIVE.h5 MEMORY; prints "memory M reads R writes W outputs S difference D" */
#include <ioanneal/archive.h>
#include <ioanneal/memory.h>
#include <ioanneal/network_file.h>
#include <ioanneal/plan.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define BATCH 37 /* not a multiple of any tile */

static ioa_status infer(const ioa_network *network, const uint32_t *order, const float *x, float *y, ioa_error *error)
{
    ioa_plan *plan = NULL;
    ioa_status status = ioa_plan_create(network, order, NULL, &plan, error);
    if (status != IOA_OK) return status;
    size_t bytes = (ioa_plan_scratch_bytes(plan) + 63) / 64 * 64;
    void *scratch = aligned_alloc(64, bytes ? bytes : 64);
    if (scratch)
        ioa_plan_run(plan, x, y, BATCH, scratch);
    else
        status = IOA_ERR_NOMEM;
    free(scratch);
    ioa_plan_destroy(plan);
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 4) return 2;
    ioa_error error = {0};
    ioa_network *network = NULL;
    ioa_archive *archive = NULL;
    ioa_schedule_view schedule = {0};
    ioa_io counted = {0};
    float *x = NULL, *y = NULL;
    double difference = 0.0, largest = 0.0;
    ioa_status status = ioa_network_read(argv[1], &network, &error);
    if (status == IOA_OK) status = ioa_archive_open(argv[2], network, &archive, &error);
    if (status == IOA_OK) {
        ioa_archive_pick(archive, strtoull(argv[3], NULL, 10), IOA_POLICY_MIN, &schedule);
        status = ioa_memory_count(network, schedule.order, schedule.memory, schedule.policy, &counted, &error);
    }
    if (status == IOA_OK) {
        size_t inputs = ioa_network_view(network)->inputs, outputs = ioa_network_view(network)->outputs;
        x = malloc(BATCH * inputs * sizeof *x);
        y = malloc(2 * BATCH * outputs * sizeof *y);
        if (!x || !y) return 3;
        for (size_t i = 0; i < BATCH * inputs; i++) x[i] = (float)(i * 7919 % 1009) / 1009.0f - 0.5f;
        status = infer(network, schedule.order, x, y, &error);
        if (status == IOA_OK) status = infer(network, NULL, x, y + BATCH * outputs, &error);
        for (size_t i = 0; i < BATCH * outputs; i++) {
            difference = fmax(difference, fabs((double)y[i] - (double)y[i + BATCH * outputs]));
            largest = fmax(largest, fabs((double)y[i]));
        }
        printf("schedules %u memory %llu reads %llu writes %llu verified %d outputs %zu difference %g\n",
               (unsigned)ioa_archive_schedules(archive), (unsigned long long)schedule.memory,
               (unsigned long long)counted.reads, (unsigned long long)counted.writes, schedule.verified, outputs,
               difference);
    }
    if (status != IOA_OK) fprintf(stderr, "consumer: %s\n", error.text);
    int wrong = counted.reads != schedule.io.reads || counted.writes != schedule.io.writes || largest == 0.0 ||
                difference > 1e-4 * largest;
    free(x);
    free(y);
    ioa_archive_close(archive);
    ioa_network_destroy(network);
    return status != IOA_OK ? ioa_status_exit_code(status) : wrong;
}
