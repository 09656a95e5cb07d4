#include "core/measure/limits.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/compile/compile.h"
#include "core/kernel/kernel.h"

#include <stdio.h>
#include <string.h>

#define KIND_L1 (32u << 10) /* where the machine does not tell */
#define KIND_L2 (1u << 20)
#define KIND_L3 (16u << 20)
#define MOST_BYTES (256u << 20)

static uint64_t or_else(uint64_t known, uint64_t otherwise)
{
    return known ? known : otherwise;
}

/* Best of several windows of a probe: units of work per second. The work of a window is doubled until it is long
 * enough to be timed. */
static double best_rate(const ioa_kernel *kernel, ioa_probe probe, float *data, size_t floats, double seconds)
{
    double best = 0, end = ioa_clock() + seconds;
    uint64_t repeats = 1;
    for (int windows = 0; windows < 3 || ioa_clock() < end; windows++) {
        double start = ioa_clock(), units = kernel->probe(probe, data, floats, repeats), taken = ioa_clock() - start;
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
    uint64_t far = l3 / 4 > 2 * l2 ? l3 / 4 : l3 / 2; /* certainly not in L2, and others may use L3 too */
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
                  {IOA_PROBE_READ, far, &limits->l3_gbps},
                  {IOA_PROBE_READ, dram, &limits->dram_gbps},
                  {IOA_PROBE_LINES, l2 / 2, &limits->l2_lines_gbps},
                  {IOA_PROBE_WRITE, l1 / 2, &limits->l1_write_gbps},
                  {IOA_PROBE_WRITE, l2 / 2, &limits->l2_write_gbps},
                  {IOA_PROBE_WRITE, far, &limits->l3_write_gbps},
                  {IOA_PROBE_WRITE, dram, &limits->dram_write_gbps}};
    const size_t count = sizeof probes / sizeof *probes;
    const double part = (seconds > 0 ? seconds : 0.5) / (double)(count + 1); /* the last part is for fetching */
    memset(limits, 0, sizeof *limits);
    for (size_t i = 0; i < count; i++)
        *probes[i].rate = 1e-9 * best_rate(kernel, probes[i].probe, data, probes[i].bytes / 4096 * 1024, part);
    limits->fetch_gbps = 1e-9 * ioa_code_fetch_rate(l2 / 2, part);
    ioa_free(data);
    return IOA_OK;
}

/* ---- judging ---- */

enum { L1, L2, L3, DRAM, LEVELS };
enum { FMA, LOADS, STORES, FETCH, FROM_L2, FROM_L3, FROM_DRAM, RESOURCES };

static const char *const resource_names[RESOURCES] = {"fma", "load-ports", "store-ports", "fetch", "l2", "l3", "dram"};

/* What of `bytes` comes from each level, if they are spread evenly over `sets[L1]` bytes, of which L1 holds what it can,
 * and beyond it among sets[L2] and sets[L3] bytes. */
static void spread(const ioa_machine *machine, const double sets[DRAM], double bytes, double from[LEVELS])
{
    const double sizes[DRAM] = {(double)or_else(machine->l1d_bytes, KIND_L1), (double)or_else(machine->l2_bytes, KIND_L2),
                                (double)or_else(machine->l3_bytes, KIND_L3)};
    from[L1] = bytes;
    for (int level = L1; level < DRAM; level++) {
        double beyond = sets[level] > sizes[level] ? bytes * (1 - sizes[level] / sets[level]) : 0;
        if (beyond > from[level]) beyond = from[level];
        from[level + 1] = beyond;
        from[level] -= beyond;
    }
}

/* Seconds that `bytes` keep a resource busy; none where its rate is not known. */
static double busy(double bytes, double gbps)
{
    return gbps > 0 ? bytes / (gbps * 1e9) : 0;
}

/* Adds what reading or writing takes in the levels beyond L1. */
static void move(const ioa_limits *l, const double from[LEVELS], bool write, bool lines, double time[RESOURCES])
{
    double l2 = lines && l->l2_lines_gbps > 0 ? l->l2_lines_gbps : write ? l->l2_write_gbps : l->l2_gbps;
    time[FROM_L2] += busy(from[L2], l2);
    time[FROM_L3] += busy(from[L3], write ? l->l3_write_gbps : l->l3_gbps);
    time[FROM_DRAM] += busy(from[DRAM], write ? l->dram_write_gbps : l->dram_gbps);
}

/* x is read and written into tiles, y the other way round. */
static void judge_packing(const ioa_limits *l, const ioa_machine *machine, const ioa_work *w, double time[RESOURCES])
{
    double all = w->packed_bytes + w->value_set + w->stream_set, tile = w->tile_set > 0 ? w->tile_set : w->value_set;
    double from[LEVELS];
    const double outside[DRAM] = {w->packed_bytes, all, all}, inside[DRAM] = {tile, w->value_set, w->value_set};
    time[LOADS] = busy(w->packed_bytes, l->l1_gbps);
    time[STORES] = busy(w->packed_bytes, l->l1_write_gbps);
    for (int write = 0; write < 2; write++) {
        spread(machine, outside, w->packed_bytes / 2, from);
        move(l, from, write, false, time);
        spread(machine, inside, w->packed_bytes / 2, from);
        move(l, from, write, w->lines, time); /* neurons have their places anywhere in a tile */
    }
}

static void judge_computing(const ioa_limits *l, const ioa_machine *machine, const ioa_work *w, double time[RESOURCES])
{
    double both = w->stream_set + w->value_set, tile = w->tile_set > 0 ? w->tile_set : w->value_set, from[LEVELS];
    const double streams[DRAM] = {w->stream_set, both, both}, values[DRAM] = {tile, w->value_set, w->value_set};
    time[FMA] = busy(w->lane_flops > w->flops ? w->lane_flops : w->flops, l->fma_gflops);
    time[LOADS] = busy(w->load_bytes, l->l1_gbps);
    time[STORES] = busy(w->write_bytes, l->l1_write_gbps);
    time[FETCH] = busy(w->fetch_bytes, l->fetch_gbps);
    spread(machine, streams, w->stream_bytes, from);
    move(l, from, false, false, time);
    spread(machine, streams, w->fetch_bytes, from); /* instructions come through L2 as all else does */
    from[L2] += from[L1];
    move(l, from, false, false, time);
    if (w->panel_set > 0) { /* partial sums go to and fro as well; they are few beside the values */
        const double panel[DRAM] = {w->panel_set, w->panel_set, w->panel_set};
        spread(machine, panel, w->value_bytes, from);
        move(l, from, false, w->lines, time);
        return;
    }
    spread(machine, values, w->value_bytes, from);
    move(l, from, false, w->lines, time);
    spread(machine, values, w->write_bytes, from);
    move(l, from, true, w->lines, time);
}

static int longest(const double time[RESOURCES])
{
    int most = 0;
    for (int i = 1; i < RESOURCES; i++)
        if (time[i] > time[most]) most = i;
    return most;
}

const char *ioa_limits_judge(const ioa_limits *limits, const ioa_machine *machine, const ioa_work *work,
                             double seconds, double *share)
{
    double packing[RESOURCES] = {0}, computing[RESOURCES] = {0}, bound[RESOURCES] = {0};
    *share = 0;
    if (limits->fma_gflops <= 0 || seconds <= 0) return NULL;
    if (work->packed_bytes > 0) judge_packing(limits, machine, work, packing);
    judge_computing(limits, machine, work, computing);
    int first = longest(packing), second = longest(computing);
    bound[first] += packing[first];
    bound[second] += computing[second];
    *share = (packing[first] + computing[second]) / seconds;
    return resource_names[longest(bound)];
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
    report->executed_gflops = 1e-9 * m->work.flops / pass;
    if (report->limits.fma_memory_gflops > 0)
        report->memory_share = report->executed_gflops / report->limits.fma_memory_gflops;
    if (m->packing > 0 && m->packing < 1) report->memory_computing = report->memory_share / (1 - m->packing);
    report->memory_reach = m->work.operand_share;
    return IOA_OK;
}
