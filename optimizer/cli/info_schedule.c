#include "optimizer/cli/info_schedule.h"

#include "optimizer/cli/terminal.h"

#include <inttypes.h>
#include <string.h>

static const ioa_column *find_column(const ioa_schedule *s, const char *name)
{
    for (uint32_t i = 0; i < s->columns; i++)
        if (strcmp(s->trace[i].name, name) == 0 && s->trace[i].width == 1 && s->trace[i].rows) return &s->trace[i];
    return NULL;
}

/* The last value of a column of whole numbers; false if the trace has none. */
static bool last_of(const ioa_schedule *s, const char *name, uint64_t *value)
{
    const ioa_column *column = find_column(s, name);
    if (!column || !column->whole) return false;
    *value = column->whole[column->rows - 1];
    return true;
}

static void add_ratio(cJSON *json, const char *name, const ioa_quartiles *q)
{
    if (q->median <= 0.0) return; /* not measured */
    cJSON *ratio = cJSON_AddObjectToObject(json, name);
    cJSON_AddNumberToObject(ratio, "median", q->median);
    cJSON_AddNumberToObject(ratio, "q1", q->q1);
    cJSON_AddNumberToObject(ratio, "q3", q->q3);
}

static void add_measured(const ioa_measured *m, cJSON *array)
{
    const ioa_measurement *x = &m->measurement;
    cJSON *json = cJSON_CreateObject(), *spread;
    cli_json_count(json, "batch", x->batch);
    cli_json_count(json, "threads", x->threads);
    cJSON_AddStringToObject(json, "kernel", x->kernel);
    cJSON_AddNumberToObject(json, "gflops", x->gflops);
    cJSON_AddNumberToObject(json, "speedup_order", x->speedup_order.median);
    cJSON_AddNumberToObject(json, "speedup_kernel", x->speedup_kernel.median);
    cJSON_AddNumberToObject(json, "speedup_vs_csr", x->speedup_csr.median);
    if (x->speedup_mkl.median > 0.0) cJSON_AddNumberToObject(json, "speedup_vs_mkl", x->speedup_mkl.median);
    spread = cJSON_AddObjectToObject(json, "spread");
    add_ratio(spread, "speedup_order", &x->speedup_order);
    add_ratio(spread, "speedup_kernel", &x->speedup_kernel);
    add_ratio(spread, "speedup_vs_csr", &x->speedup_csr);
    add_ratio(spread, "speedup_vs_mkl", &x->speedup_mkl);
    cli_json_count(json, "repeats", x->repeats);
    cJSON_AddNumberToObject(json, "max_abs_error", x->exactness.max_abs_error);
    cJSON_AddStringToObject(json, "cpu", m->machine.cpu);
    cJSON_AddStringToObject(json, "date", m->date);
    cJSON_AddItemToArray(array, json);
}

static void add_schedule(const ioa_schedule *s, cJSON *array)
{
    uint64_t total = s->io.reads + s->io.writes, value;
    cJSON *json = cJSON_CreateObject();
    cli_json_count(json, "memory", s->memory);
    cJSON_AddStringToObject(json, "policy", ioa_policy_name(s->policy));
    cJSON_AddStringToObject(json, "method", s->method);
    cli_json_count(json, "reads", s->io.reads);
    cli_json_count(json, "writes", s->io.writes);
    cli_json_count(json, "total", total);
    cli_json_count(json, "lower_bound", s->lower_bound);
    cli_json_count(json, "upper_bound", s->upper_bound);
    cli_json_count(json, "excess", total - s->lower_bound);
    if (s->objective.count > 1) {
        char levels[IOA_LEVELS_TEXT];
        ioa_objective_name(&s->objective, levels);
        cJSON_AddStringToObject(json, "levels", levels);
        cli_json_count(json, "weighted_total", s->weighted_total);
        cli_json_count(json, "weighted_baseline", s->weighted_baseline);
    }
    if (s->certified_bound) cli_json_count(json, "certified_bound", s->certified_bound);
    cli_json_count(json, "baseline_total", s->baseline_total);
    cli_json_count(json, "seed", s->seed);
    cli_json_count(json, "rounds", s->rounds);
    cli_json_count(json, "planned_rounds", s->planned_rounds);
    cli_json_count(json, "replicas", s->replicas);
    if (last_of(s, "proposals", &value)) cli_json_count(json, "proposals", value);
    if (last_of(s, "round_trips", &value)) cli_json_count(json, "round_trips", value);
    cJSON_AddBoolToObject(json, "verified", s->verified);
    cJSON *measured = cJSON_AddArrayToObject(json, "measured");
    for (uint32_t i = 0; i < s->measurements; i++) add_measured(&s->measured[i], measured);
    cJSON_AddItemToArray(array, json);
}

static void print_ratio(const char *name, const ioa_quartiles *q, const char *note)
{
    if (q->median > 0.0) printf("      %-19s %.3fx  [%.3f, %.3f]%s\n", name, q->median, q->q1, q->q3, note);
}

static void print_measured(const ioa_measured *m)
{
    const ioa_measurement *x = &m->measurement;
    char cpu[sizeof m->machine.cpu], kernel[sizeof x->kernel];
    printf("    measured, batch %" PRIu32 ", %" PRIu32 " thread%s on %s: %s, %.1f GF/s, error %.1e\n", x->batch, x->threads,
           x->threads == 1 ? "" : "s", m->machine.cpu[0] ? cli_shown(m->machine.cpu, cpu, sizeof cpu) : "an unknown processor",
           cli_shown(x->kernel, kernel, sizeof kernel), x->gflops, x->exactness.max_abs_error);
    print_ratio("the order's share", &x->speedup_order, x->speedup_order.q1 <= 1.02 ? "  no clear gain from the order itself"
                : "");
    print_ratio("the kernel's share", &x->speedup_kernel, "");
    print_ratio("against CSR", &x->speedup_csr, "");
    print_ratio("against MKL", &x->speedup_mkl, "");
}

static void print_search(const ioa_schedule *s)
{
    char text[32], method[sizeof s->method];
    uint64_t value;
    printf("    %s, seed %" PRIu64, s->method[0] ? cli_shown(s->method, method, sizeof method) : "method not recorded",
           s->seed);
    if (s->replicas) printf(", %" PRIu64 " replica%s", s->replicas, s->replicas == 1 ? "" : "s");
    printf(", %s round%s", cli_grouped(s->rounds, text), s->rounds == 1 ? "" : "s");
    if (s->planned_rounds > s->rounds) printf(" of %s planned", cli_grouped(s->planned_rounds, text));
    if (last_of(s, "proposals", &value)) printf(", %s proposals", cli_grouped(value, text));
    if (last_of(s, "round_trips", &value)) printf(", %s round trips", cli_grouped(value, text));
    printf("\n");
}

void cli_info_schedule(const ioa_schedule *s, uint32_t index, cJSON *array)
{
    if (array) {
        add_schedule(s, array);
        return;
    }
    uint64_t total = s->io.reads + s->io.writes, excess = total - s->lower_bound, baseline = s->baseline_total - s->lower_bound;
    char text[3][32];
    printf("  schedule %04" PRIu32 ": M = %" PRIu64 " %s, excess %s (layered %s, %.1f %% less), %s%s%s\n", index, s->memory,
           ioa_policy_name(s->policy), cli_grouped(excess, text[0]), cli_grouped(baseline, text[1]),
           baseline ? 100.0 * ((double)baseline - (double)excess) / (double)baseline : 0.0, 
           cli_color_of(stdout, s->verified ? CLI_GREEN : CLI_RED), s->verified ? "verified" : "NOT verified",
           cli_color_of(stdout, CLI_PLAIN));
    printf("    total %s: %s reads, %s writes", cli_grouped(total, text[0]), cli_grouped(s->io.reads, text[1]),
           cli_grouped(s->io.writes, text[2]));
    if (s->certified_bound)
        printf("; certified bound %s, at most %s above it", cli_grouped(s->certified_bound, text[0]),
               cli_grouped(total - s->certified_bound, text[1]));
    printf("\n");
    if (s->objective.count > 1) {
        char levels[IOA_LEVELS_TEXT];
        ioa_objective_name(&s->objective, levels);
        printf("    levels %s: %s I/Os weighted, layered %s\n", levels, cli_grouped(s->weighted_total, text[0]),
               cli_grouped(s->weighted_baseline, text[1]));
    }
    print_search(s);
    for (uint32_t i = 0; i < s->measurements; i++) print_measured(&s->measured[i]);
    if (s->measurements == 0) printf("    not measured: 'ioanneal bench' does that\n");
}
