#include "core/limits.h"

#include "core/compile.h"
#include "core/kernel.h"
#include "core/mem.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define KIND_L1 (32u << 10) /* where the machine does not tell */
#define KIND_L2 (1u << 20)
#define KIND_L3 (16u << 20)
#define MOST_BYTES (256u << 20)

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static uint64_t or_else(uint64_t known, uint64_t otherwise)
{
    return known ? known : otherwise;
}

/* Best of several windows of a probe: units of work per second. The work of a window is doubled until it is long
 * enough to be timed. */
static double best_rate(const ioa_kernel *kernel, ioa_probe probe, const float *data, size_t floats, double seconds)
{
    double best = 0, end = now() + seconds;
    uint64_t repeats = 1;
    for (int windows = 0; windows < 3 || now() < end; windows++) {
        double start = now(), units = kernel->probe(probe, data, floats, repeats), taken = now() - start;
        if (taken < 2e-4) {
            repeats *= 2;
            windows = -1;
            continue;
        }
        if (units / taken > best) best = units / taken;
    }
    return best;
}

ioa_status ioa_limits_measure(const ioa_machine *machine, ioa_isa isa, double seconds, ioa_limits *limits,
                              ioa_error *error)
{
    const ioa_kernel *kernel = ioa_kernel_for(isa);
    if (!kernel) return ioa_fail(error, IOA_ERR_INPUT, "instruction set %s is not available here", ioa_isa_name(isa));
    uint64_t l1 = or_else(machine->l1d_bytes, KIND_L1), l2 = or_else(machine->l2_bytes, KIND_L2);
    uint64_t l3 = or_else(machine->l3_bytes, KIND_L3), dram = 4 * l3 < MOST_BYTES ? 4 * l3 : MOST_BYTES;
    double part = (seconds > 0 ? seconds : 0.5) / 7;
    float *data = ioa_alloc_zero(dram, 1);
    if (!data) return ioa_fail_nomem(error, "measuring the machine", dram, 1);
    const struct {
        ioa_probe probe;
        uint64_t bytes;
        double *rate;
    } probes[] = {{IOA_PROBE_FMA, l1 / 2, &limits->fma_gflops},
                  {IOA_PROBE_FMA_MEMORY, l1 / 2, &limits->fma_memory_gflops},
                  {IOA_PROBE_READ, l1 / 2, &limits->l1_gbps},
                  {IOA_PROBE_READ, l2 / 2, &limits->l2_gbps},
                  {IOA_PROBE_READ, l3 / 4 > 2 * l2 ? l3 / 4 : l3 / 2, &limits->l3_gbps},
                  {IOA_PROBE_READ, dram, &limits->dram_gbps}};
    memset(limits, 0, sizeof *limits);
    for (size_t i = 0; i < sizeof probes / sizeof *probes; i++)
        *probes[i].rate = 1e-9 * best_rate(kernel, probes[i].probe, data, probes[i].bytes / 4096 * 1024, part);
    limits->fetch_gbps = 1e-9 * ioa_code_fetch_rate(l2 / 2, part);
    ioa_free(data);
    return IOA_OK;
}

/* Shares what is read from `set` bytes among the levels: what a level cannot hold comes from the next. */
static void charge(const ioa_machine *machine, double set, double bytes, double from[3])
{
    const double sizes[] = {(double)or_else(machine->l1d_bytes, KIND_L1), (double)or_else(machine->l2_bytes, KIND_L2),
                            (double)or_else(machine->l3_bytes, KIND_L3)};
    for (int level = 0; level < 3; level++) {
        double beyond = set > sizes[level] ? bytes * (1 - sizes[level] / set) : 0;
        from[level] += beyond;
        if (level) from[level - 1] -= beyond;
    }
}

const char *ioa_limits_judge(const ioa_limits *limits, const ioa_machine *machine, const ioa_work *work,
                             double seconds, double *share)
{
    double from[3] = {0}; /* bytes from L2, L3, DRAM */
    if (!work->panelled) charge(machine, work->value_set, work->value_bytes, from);
    charge(machine, work->stream_set, work->stream_bytes, from);
    const struct {
        const char *name;
        double work, rate;
    } resources[] = {{"fma", work->flops, limits->fma_gflops},     {"load-ports", work->load_bytes, limits->l1_gbps},
                     {"fetch", work->fetch_bytes, limits->fetch_gbps}, {"l2", from[0], limits->l2_gbps},
                     {"l3", from[1], limits->l3_gbps},             {"dram", from[2], limits->dram_gbps}};
    const char *name = NULL;
    *share = 0;
    for (size_t i = 0; i < sizeof resources / sizeof *resources; i++) {
        if (resources[i].rate <= 0 || seconds <= 0) continue;
        double fraction = resources[i].work / (resources[i].rate * 1e9) / seconds;
        if (fraction > *share || !name) {
            *share = fraction;
            name = resources[i].name;
        }
    }
    return name;
}

ioa_status ioa_limits_report(const ioa_machine *machine, ioa_isa isa, const ioa_measurement *m, double seconds,
                             ioa_limit_report *report, ioa_error *error)
{
    memset(report, 0, sizeof *report);
    double *copy = ioa_alloc_copy(m->schedule, m->repeats, sizeof *copy);
    if (!copy) return ioa_fail_nomem(error, "the limits", m->repeats, sizeof *copy);
    double pass = ioa_quartiles_of(copy, m->repeats).median * m->threads;
    ioa_free(copy);
    ioa_status status = ioa_limits_measure(machine, isa, seconds, &report->limits, error);
    if (status != IOA_OK) return status;
    const char *binding = ioa_limits_judge(&report->limits, machine, &m->work, pass, &report->share);
    snprintf(report->binding, sizeof report->binding, "%s", binding ? binding : "");
    return IOA_OK;
}
