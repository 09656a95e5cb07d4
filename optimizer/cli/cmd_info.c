#include "optimizer/cli/cli.h"

#include "core/bounds.h"
#include "core/mem.h"
#include "core/network.h"
#include "core/order.h"
#include "io/archive.h"
#include "io/bundle.h"
#include "io/network_file.h"

#include <inttypes.h>
#include <string.h>

/* Layered baselines shown for a network: the register files of AVX2 and AVX-512, and two sizes beyond. */
static const uint64_t shown_memories[] = {16, 32, 100, 1000};

static ioa_status baselines(const ioa_network *network, cJSON *array, ioa_error *error)
{
    uint32_t *order = ioa_alloc(network->connections, sizeof *order);
    if (!order) return ioa_fail_nomem(error, "the layered order", network->connections, sizeof *order);
    ioa_order_layered(network, order);
    uint64_t lower = network->bounds.lower;
    ioa_status status = IOA_OK;
    char text[3][32];
    for (size_t i = 0; status == IOA_OK && i < sizeof shown_memories / sizeof *shown_memories; i++) {
        ioa_io io;
        status = ioa_memory_count(network, order, shown_memories[i], IOA_POLICY_MIN, &io, error);
        if (status != IOA_OK) break;
        uint64_t total = io.reads + io.writes;
        ioa_certificate certificate = {0};
        status = ioa_certified_bound(network, shown_memories[i], &certificate, error);
        if (status != IOA_OK) break;
        uint64_t certified = lower + certificate.excess;
        ioa_certificate_free(&certificate);
        if (array) {
            cJSON *json = cJSON_CreateObject();
            cli_json_count(json, "memory", shown_memories[i]);
            cJSON_AddStringToObject(json, "policy", "min");
            cli_json_count(json, "total", total);
            cli_json_count(json, "excess", total - lower);
            cli_json_count(json, "certified_bound", certified);
            cJSON_AddItemToArray(array, json);
        } else
            printf("    M = %-6" PRIu64 " total %-14s excess %-12s certified bound %s\n", shown_memories[i],
                   cli_grouped(total, text[0]), cli_grouped(total - lower, text[1]), cli_grouped(certified, text[2]));
    }
    ioa_free(order);
    return status;
}

static ioa_status show_network(const char *path, bool as_json, cJSON **json, ioa_error *error)
{
    ioa_network *network = NULL;
    char topology[IOA_NETWORK_HASH_TEXT], text[6][32];
    ioa_status status = ioa_network_read(path, &network, error);
    if (status == IOA_OK) status = ioa_network_topology_hash(network, topology, error);
    if (status != IOA_OK) goto out;
    const ioa_network_arrays *a = &network->a;
    ioa_bounds b = network->bounds;
    cJSON *array = NULL;
    if (as_json) {
        *json = cJSON_CreateObject();
        cJSON_AddStringToObject(*json, "kind", "network");
        cJSON_AddStringToObject(*json, "name", a->name ? a->name : "");
        cli_json_count(*json, "neurons", a->neurons);
        cli_json_count(*json, "connections", network->connections);
        cli_json_count(*json, "inputs", a->inputs);
        cli_json_count(*json, "outputs", a->outputs);
        cli_json_count(*json, "active_neurons", b.active_neurons);
        cli_json_count(*json, "lower_bound", b.lower);
        cli_json_count(*json, "upper_bound", b.upper);
        cJSON_AddStringToObject(*json, "topology_sha256", topology);
        array = cJSON_AddArrayToObject(*json, "layered");
    } else {
        printf("%s: network%s%s\n", path, a->name ? " " : "", a->name ? a->name : "");
        printf("  neurons %s (%s active), connections %s, inputs %s, outputs %s\n", cli_grouped(a->neurons, text[0]),
               cli_grouped(b.active_neurons, text[1]), cli_grouped(network->connections, text[2]),
               cli_grouped(a->inputs, text[3]), cli_grouped(a->outputs, text[4]));
        if (a->layers) {
            printf("  layers  ");
            for (uint32_t l = 0; l < a->layers; l++) {
                if (l == 12 && a->layers > 14) {
                    printf(" - ..");
                    l = a->layers - 2;
                }
                printf("%s%" PRId64, l ? " - " : "", a->layer_offsets[l + 1] - a->layer_offsets[l]);
            }
            printf("\n");
        }
        printf("  lower bound %s I/Os, upper bound of the layered order %s\n", cli_grouped(b.lower, text[0]),
               cli_grouped(b.upper, text[1]));
        printf("  topology %s\n  layered order under min:\n", topology);
    }
    status = baselines(network, array, error);
out:
    ioa_network_destroy(network);
    return status;
}

static void show_measured(const ioa_measured *m, cJSON *array)
{
    const ioa_measurement *x = &m->measurement;
    if (array) {
        cJSON *json = cJSON_CreateObject();
        cli_json_count(json, "batch", x->batch);
        cli_json_count(json, "threads", x->threads);
        cJSON_AddStringToObject(json, "kernel", x->kernel);
        cJSON_AddNumberToObject(json, "gflops", x->gflops);
        cJSON_AddNumberToObject(json, "speedup_order", x->speedup_order.median);
        cJSON_AddNumberToObject(json, "speedup_vs_csr", x->speedup_csr.median);
        cJSON_AddStringToObject(json, "cpu", m->machine.cpu);
        cJSON_AddItemToArray(array, json);
        return;
    }
    printf("    measured, batch %" PRIu32 " on %s: %s, %.1f GF/s; against layered order %.2fx [%.2f, %.2f], "
           "against layer-wise CSR %.2fx [%.2f, %.2f]\n",
           x->batch, m->machine.cpu, x->kernel, x->gflops, x->speedup_order.median, x->speedup_order.q1,
           x->speedup_order.q3, x->speedup_csr.median, x->speedup_csr.q1, x->speedup_csr.q3);
}

static void show_schedule(const ioa_schedule *s, uint32_t index, cJSON *array)
{
    uint64_t total = s->io.reads + s->io.writes, excess = total - s->lower_bound,
             baseline = s->baseline_total - s->lower_bound;
    char levels[IOA_LEVELS_TEXT];
    if (array) {
        cJSON *json = cJSON_CreateObject();
        cli_json_count(json, "memory", s->memory);
        cJSON_AddStringToObject(json, "policy", ioa_policy_name(s->policy));
        cJSON_AddStringToObject(json, "method", s->method);
        cli_json_count(json, "reads", s->io.reads);
        cli_json_count(json, "writes", s->io.writes);
        cli_json_count(json, "total", total);
        cli_json_count(json, "lower_bound", s->lower_bound);
        cli_json_count(json, "upper_bound", s->upper_bound);
        cli_json_count(json, "excess", excess);
        if (s->objective.count > 1) {
            ioa_objective_name(&s->objective, levels);
            cJSON_AddStringToObject(json, "levels", levels);
            cli_json_count(json, "weighted_total", s->weighted_total);
            cli_json_count(json, "weighted_baseline", s->weighted_baseline);
        }
        if (s->certified_bound) cli_json_count(json, "certified_bound", s->certified_bound);
        cli_json_count(json, "baseline_total", s->baseline_total);
        cli_json_count(json, "seed", s->seed);
        cli_json_count(json, "rounds", s->rounds);
        cli_json_count(json, "replicas", s->replicas);
        cJSON_AddBoolToObject(json, "verified", s->verified);
        cJSON *measured = cJSON_AddArrayToObject(json, "measured");
        for (uint32_t i = 0; i < s->measurements; i++) show_measured(&s->measured[i], measured);
        cJSON_AddItemToArray(array, json);
        return;
    }
    char text[4][32];
    printf("  schedule %04" PRIu32 ": M = %" PRIu64 " %s, excess %s (layered %s, %.1f %% less), total %s, %s, %s\n", index,
           s->memory, ioa_policy_name(s->policy), cli_grouped(excess, text[0]), cli_grouped(baseline, text[1]),
           baseline ? 100.0 * ((double)baseline - (double)excess) / (double)baseline : 0.0, cli_grouped(total, text[2]),
           s->method, s->verified ? "verified" : "NOT verified");
    if (s->certified_bound)
        printf("    certified bound %s: at most %s I/Os more than any order needs\n", cli_grouped(s->certified_bound, text[0]),
               cli_grouped(total - s->certified_bound, text[1]));
    if (s->objective.count > 1) {
        ioa_objective_name(&s->objective, levels);
        printf("    levels %s: %s I/Os weighted, layered %s\n", levels, cli_grouped(s->weighted_total, text[0]),
               cli_grouped(s->weighted_baseline, text[1]));
    }
    for (uint32_t i = 0; i < s->measurements; i++) show_measured(&s->measured[i], NULL);
}

static ioa_status show_archive(const char *path, bool as_json, cJSON **json, ioa_error *error)
{
    ioa_archive *archive = NULL;
    ioa_status status = ioa_archive_read(path, &archive, error);
    if (status != IOA_OK) return status;
    cJSON *array = NULL;
    char text[2][32];
    if (as_json) {
        *json = cJSON_CreateObject();
        cJSON_AddStringToObject(*json, "kind", "archive");
        cJSON_AddStringToObject(*json, "network", archive->network_name);
        cli_json_count(*json, "neurons", archive->neurons);
        cli_json_count(*json, "connections", archive->connections);
        cJSON_AddStringToObject(*json, "topology_sha256", archive->topology_sha256);
        array = cJSON_AddArrayToObject(*json, "schedules");
    } else {
        printf("%s: schedule archive for network %s (%s neurons, %s connections)\n  topology %s\n", path,
               archive->network_name, cli_grouped(archive->neurons, text[0]), cli_grouped(archive->connections, text[1]),
               archive->topology_sha256);
        for (uint32_t i = 0; i < archive->facts; i++)
            if (strcmp(archive->provenance[i].key, "command") == 0 || strcmp(archive->provenance[i].key, "date") == 0)
                printf("  %s: %s\n", archive->provenance[i].key, archive->provenance[i].value);
    }
    for (uint32_t i = 0; i < archive->count; i++) show_schedule(&archive->schedules[i], i, array);
    ioa_archive_destroy(archive);
    return IOA_OK;
}

/* Network and archive; as JSON, the archive with the network in it. */
static ioa_status show_bundle(const char *path, bool as_json, cJSON **json, ioa_error *error)
{
    cJSON *network = NULL;
    ioa_status status = show_network(path, as_json, &network, error);
    if (status == IOA_OK) status = show_archive(path, as_json, json, error);
    if (status != IOA_OK || !as_json) {
        cJSON_Delete(network);
        return status;
    }
    cJSON_ReplaceItemInObject(*json, "kind", cJSON_CreateString("bundle"));
    cJSON_AddItemToObject(*json, "contents", network);
    return IOA_OK;
}

static int run(const cli_command *command, int argc, char **argv)
{
    cli_common common = {0};
    const cli_option options[] = {{CLI_END, 0, NULL, NULL, NULL, NULL, 0, 0}};
    int files;
    cli_parsed parsed = cli_parse(command, options, &common, argc, argv, &files);
    if (parsed != CLI_GO) return parsed == CLI_HELP_SHOWN ? 0 : 2;
    if (files != 1) return cli_refuse(command, "one network or archive file, or a bundle, is wanted");
    ioa_error error = {0};
    cJSON *json = NULL;
    /* A network unless it says that it is an archive: its reader then explains what is wrong with the rest. */
    ioa_status status = ioa_bundle_probe(argv[0])    ? show_bundle(argv[0], common.json, &json, &error)
                        : ioa_archive_probe(argv[0]) ? show_archive(argv[0], common.json, &json, &error)
                                                     : show_network(argv[0], common.json, &json, &error);
    if (status != IOA_OK) {
        cJSON_Delete(json);
        return cli_fail(command, &error);
    }
    return json ? cli_print_json(json) : cli_finish_output();
}

const cli_command cli_info = {
    .name = "info",
    .summary = "show what a network or archive file holds",
    .usage = "NET.h5 | ARCHIVE.h5 | BUNDLE.h5",
    .examples = "  ioanneal info net.h5\n  ioanneal info best.h5 --json\n",
    .run = run,
};
