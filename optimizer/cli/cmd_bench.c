#include "core/base/mem.h"
#include "core/measure/limits.h"
#include "core/measure/measure.h"
#include "core/model/network.h"
#include "io/archive/bundle.h"
#include "io/archive/network_file.h"
#include "io/base/machine.h"
#include "optimizer/cli/input.h"
#include "optimizer/cli/progress.h"

#include <inttypes.h>
#include <string.h>

static void add_ratio(cJSON *json, const char *name, const ioa_quartiles *q)
{
    cJSON *ratio = cJSON_AddObjectToObject(json, name);
    cJSON_AddNumberToObject(ratio, "median", q->median);
    cJSON_AddNumberToObject(ratio, "q1", q->q1);
    cJSON_AddNumberToObject(ratio, "q3", q->q3);
}

/* Everything that is printed. */
typedef struct report {
    ioa_machine machine;
    ioa_measurement measurement;
    ioa_limit_report limits;
    bool scheduled; /* an order other than the layered one */
} report;

static void add_limits(cJSON *json, const ioa_limit_report *r)
{
    const ioa_limits *l = &r->limits;
    if (r->binding[0]) cJSON_AddStringToObject(json, "limit", r->binding);
    else cJSON_AddNullToObject(json, "limit");
    cJSON_AddNumberToObject(json, "limit_share", r->share);
    cJSON_AddNumberToObject(json, "executed_gflops", r->executed_gflops);
    cJSON_AddNumberToObject(json, "fma_memory_share", r->memory_share);
    if (r->memory_computing > 0) cJSON_AddNumberToObject(json, "fma_memory_computing", r->memory_computing);
    else cJSON_AddNullToObject(json, "fma_memory_computing");
    if (r->memory_reach > 0) cJSON_AddNumberToObject(json, "fma_memory_reach", r->memory_reach);
    else cJSON_AddNullToObject(json, "fma_memory_reach");
    cJSON *limits = cJSON_AddObjectToObject(json, "limits");
    cJSON_AddNumberToObject(limits, "fma_gflops", l->fma_gflops);
    cJSON_AddNumberToObject(limits, "fma_memory_gflops", l->fma_memory_gflops);
    cJSON_AddNumberToObject(limits, "l1_gbps", l->l1_gbps);
    cJSON_AddNumberToObject(limits, "l2_gbps", l->l2_gbps);
    cJSON_AddNumberToObject(limits, "l3_gbps", l->l3_gbps);
    cJSON_AddNumberToObject(limits, "dram_gbps", l->dram_gbps);
    cJSON_AddNumberToObject(limits, "fetch_gbps", l->fetch_gbps);
    cJSON_AddNumberToObject(limits, "l2_lines_gbps", l->l2_lines_gbps);
    cJSON_AddNumberToObject(limits, "l1_write_gbps", l->l1_write_gbps);
    cJSON_AddNumberToObject(limits, "l2_write_gbps", l->l2_write_gbps);
    cJSON_AddNumberToObject(limits, "l3_write_gbps", l->l3_write_gbps);
    cJSON_AddNumberToObject(limits, "dram_write_gbps", l->dram_write_gbps);
}

static void print_limits(const ioa_limit_report *r)
{
    const ioa_limits *l = &r->limits;
    printf("  a core here: FMA %.0f GF/s, %.0f with a memory operand; reads %.0f GB/s from L1, %.0f L2, %.0f L3, %.0f DRAM",
           l->fma_gflops, l->fma_memory_gflops, l->l1_gbps, l->l2_gbps, l->l3_gbps, l->dram_gbps);
    printf("\n    lines of L2 in no order %.0f GB/s; writes %.0f GB/s in L1, %.0f L2, %.0f L3, %.0f DRAM", l->l2_lines_gbps,
           l->l1_write_gbps, l->l2_write_gbps, l->l3_write_gbps, l->dram_write_gbps);
    if (l->fetch_gbps > 0) printf("; code %.0f GB/s from L2", l->fetch_gbps);
    printf("\n");
    if (r->binding[0]) printf("  bound by %s, at %.0f %% of what the machine allows\n", r->binding, 100 * r->share);
    printf("  executed per core %.2f GF/s, %.0f %% of the rate with a memory operand", r->executed_gflops, 100 * r->memory_share);
    if (r->memory_computing > 0) printf(", %.0f %% without the time of packing x and y", 100 * r->memory_computing);
    if (r->memory_reach > 0) {
        double reached = r->memory_computing > 0 ? r->memory_computing : r->memory_share;
        printf(";\n    loads of values leave %.0f %% within reach: %.0f %% of that", 100 * r->memory_reach,
               100 * reached / r->memory_reach);
    }
    printf("\n");
}

static int print_json(const report *r)
{
    const ioa_measurement *m = &r->measurement;
    const ioa_exactness *e = &m->exactness;
    cJSON *json = cJSON_CreateObject();
    cli_json_count(json, "batch", m->batch);
    cli_json_count(json, "threads", m->threads);
    cJSON_AddStringToObject(json, "kernel", m->kernel);
    cli_json_count(json, "tile", m->tile);
    cJSON_AddNumberToObject(json, "gflops", m->gflops);
    add_limits(json, &r->limits);
    cJSON_AddStringToObject(json, "baseline", m->baseline);
    cli_json_count(json, "repeats", m->repeats);
    add_ratio(json, "speedup_order", &m->speedup_order);
    add_ratio(json, "speedup_kernel", &m->speedup_kernel);
    add_ratio(json, "speedup_vs_csr", &m->speedup_csr);
    if (m->mkl) add_ratio(json, "speedup_vs_mkl", &m->speedup_mkl);
    else cJSON_AddNullToObject(json, "speedup_vs_mkl");
    cJSON_AddNumberToObject(json, "max_abs_error", e->max_abs_error);
    cJSON_AddNumberToObject(json, "max_rel_error", e->max_rel_error);
    cJSON_AddNumberToObject(json, "error_bound", e->error_bound);
    cJSON_AddNumberToObject(json, "nonzero", e->nonzero);
    cJSON *candidates = cJSON_AddArrayToObject(json, "candidates");
    for (uint32_t i = 0; i < m->candidate_count; i++) {
        cJSON *candidate = cJSON_CreateObject();
        cJSON_AddStringToObject(candidate, "kernel", m->candidates[i].name);
        cJSON_AddNumberToObject(candidate, "seconds", m->candidates[i].seconds);
        cJSON_AddItemToArray(candidates, candidate);
    }
    cJSON_AddStringToObject(json, "cpu", r->machine.cpu);
    return cli_print_json(json);
}

static void print_candidates(const ioa_measurement *m)
{
    for (uint32_t i = 0; i < m->candidate_count; i++)
        printf("    %-56s %10.1f us\n", m->candidates[i].name, 1e6 * m->candidates[i].seconds);
}

static int print(const cli_common *common, const report *r)
{
    const ioa_measurement *m = &r->measurement;
    const ioa_exactness *e = &m->exactness;
    const bool scheduled = r->scheduled;
    if (common->json) return print_json(r);
    printf("batch %" PRIu32 ", %" PRIu32 " thread%s, %" PRIu32 " interleaved repetitions on %s\n", m->batch, m->threads,
           m->threads == 1 ? "" : "s", m->repeats, r->machine.cpu);
    printf("  kernel %s: %.2f GF/s\n", m->kernel, m->gflops);
    if (common->verbose) print_candidates(m);
    print_limits(&r->limits);
    if (scheduled) {
        printf("  the order's share    %.3fx  [%.3f, %.3f]  (same kind of plan, layered order)\n", m->speedup_order.median,
               m->speedup_order.q1, m->speedup_order.q3);
        printf("  the kernel's share   %.3fx  [%.3f, %.3f]  (%s against our plan in layered order)\n",
               m->speedup_kernel.median, m->speedup_kernel.q1, m->speedup_kernel.q3, m->baseline);
    }
    printf("  against CSR          %.3fx  [%.3f, %.3f]  (%s)\n", m->speedup_csr.median, m->speedup_csr.q1,
           m->speedup_csr.q3, m->baseline);
    if (m->mkl)
        printf("  against MKL          %.3fx  [%.3f, %.3f]  (the best of its ways)\n", m->speedup_mkl.median, m->speedup_mkl.q1,
               m->speedup_mkl.q3);
    if (scheduled && m->speedup_order.q1 <= 1.02)
        printf("  verdict: no clear gain from the order itself on this kernel and machine\n");
    printf("  outputs within %.2g of float64%s (bound %.2g for depth %" PRIu32 " and fan-in %" PRIu32 ")\n", e->max_rel_error,
           e->nonzero == 0.0 ? ", but all are 0: that proves little" : "", e->error_bound, e->depth, e->fan_in);
    return cli_finish_output();
}

static int run(const cli_command *command, int argc, char **argv)
{
    const char *schedule_path = NULL, *isa_name = "auto", *plan_name = NULL;
    uint64_t batch = 128, memory = 0, threads = 1, repeats = 0, seed = 1;
    double seconds = 10.0;
    cli_common common = {0};
    const cli_option options[] = {
        {CLI_TEXT, 0, "schedule", "ARCHIVE.h5", &schedule_path, "measure this archive's order (a bundle brings its own)", 0, 0},
        {CLI_COUNT, 'm', "memory", "M", &memory, "of the archive's schedules, the one nearest to M (default: to this processor's registers)", 3, 1.8e19},
        {CLI_COUNT, 'b', "batch", "B", &batch, "samples per pass (default 128)", 1, 1e6},
        {CLI_COUNT, 't', "threads", "N", &threads, "of every competitor (default 1)", 1, 256},
        {CLI_COUNT, 0, "repeats", "N", &repeats, "interleaved repetitions (default: by --seconds)", 1, 1e6},
        {CLI_REAL, 0, "seconds", "T", &seconds, "time for everything (default 10)", 0.01, 1e6},
        {CLI_TEXT, 0, "isa", "NAME", &isa_name, "auto, portable, avx2 or avx512 (default auto)", 0, 0},
        {CLI_TEXT, 0, "plan", "NAME", &plan_name, "measure this plan (default: the fastest of all; -v lists them)", 0, 0},
        {CLI_COUNT, 0, "seed", "N", &seed, "of the random inputs (default 1)", 0, 0},
        {CLI_END, 0, NULL, NULL, NULL, NULL, 0, 0},
    };
    int files;
    cli_parsed parsed = cli_parse(command, options, &common, argc, argv, &files);
    if (parsed != CLI_GO) return parsed == CLI_HELP_SHOWN ? 0 : 2;
    if (files != 1) return cli_refuse(command, "one network file is wanted");
    int isa = ioa_isa_from_name(isa_name);
    if (isa < 0) return cli_refuse(command, "--isa wants auto, portable, avx2 or avx512, not '%s'", isa_name);
    if (!schedule_path && ioa_bundle_probe(argv[0])) schedule_path = argv[0];
    ioa_error error = {0};
    ioa_plan_options plan;
    if (plan_name && ioa_plan_options_parse(plan_name, &plan, &error) != IOA_OK) return cli_fail(command, &error);
    char note[CLI_NOTE] = "";
    cli_busy *busy = cli_busy_begin(common.quiet, seconds * 1.05); /* the limits of the machine come on top */
    cli_busy_step(busy, -1.0, "measuring");
    ioa_network *network = NULL;
    ioa_archive *archive = NULL;
    const uint32_t *order = NULL;
    report r = {0};
    ioa_status status = ioa_network_read(argv[0], &network, &error);
    if (status == IOA_OK && schedule_path) {
        status = cli_open_archive(schedule_path, network, &archive, &error);
        if (status == IOA_OK) order = cli_pick_schedule(archive, schedule_path, memory, (ioa_isa)isa, note)->order;
    }
    ioa_measure_options wanted = {.batch = (uint32_t)batch, .threads = (uint32_t)threads, .repeats = (uint32_t)repeats, .seconds = seconds,
                                  .isa = (ioa_isa)isa, .seed = seed};
    if (plan_name) wanted.plan = &plan;
    if (plan_name && !isa) wanted.isa = plan.isa;
    r.scheduled = order != NULL;
    if (status == IOA_OK) status = ioa_measure(network, order, &wanted, &r.measurement, &error);
    ioa_machine_detect(&r.machine);
    if (status == IOA_OK)
        status = ioa_limits_report(&r.machine, wanted.isa, &r.measurement, seconds / 20, &r.limits, &error);
    cli_busy_end(busy);
    if (status == IOA_OK) cli_show_note(command, &common, note);
    int code = status == IOA_OK ? print(&common, &r) : cli_fail(command, &error);
    if (code == 0 && !r.measurement.exactness.within) {
        fprintf(stderr, "ioanneal bench: outputs are further from float64 than the error bound allows\n");
        code = 1;
    }
    ioa_measurement_clear(&r.measurement);
    ioa_archive_destroy(archive);
    ioa_network_destroy(network);
    return code;
}

const cli_command cli_bench = {
    .name = "bench",
    .summary = "measure inference times and speedups on this machine",
    .usage = "NET.h5 [--schedule ARCHIVE.h5] [--batch B] | BUNDLE.h5",
    .examples = "  ioanneal bench net.h5 --schedule best.h5 --batch 128\n  ioanneal bench net.h5 --batch 1 --json\n",
    .run = run,
};
