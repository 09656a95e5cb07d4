#include "optimizer/cli/info_schedule.h"

#include "core/base/mem.h"
#include "core/bounds/bounds.h"
#include "core/model/network.h"
#include "core/model/order.h"
#include "io/archive/bundle.h"
#include "io/archive/network_file.h"
#include "io/checkpoint/checkpoint.h"
#include "optimizer/cli/input.h"
#include "optimizer/cli/progress.h"
#include "optimizer/cli/terminal.h"

#include <inttypes.h>
#include <string.h>

/* Layered baselines shown for a network: the register files of AVX2 and AVX-512, and two sizes beyond. */
static const uint64_t shown_memories[] = {16, 32, 100, 1000};

static ioa_status certify(const ioa_network *network, uint64_t memory, uint64_t bound_work, uint64_t *excess, ioa_error *error)
{
    ioa_certificate certificate = {0};
    ioa_status status = bound_work ? ioa_certified_bound_within(network, memory, bound_work, &certificate, error)
                                   : ioa_certified_bound(network, memory, &certificate, error);
    *excess = certificate.excess;
    ioa_certificate_free(&certificate);
    return status;
}

static ioa_status baselines(const ioa_network *network, uint64_t bound_work, cJSON *array, cli_busy *busy, ioa_error *error)
{
    uint32_t *order = ioa_alloc(network->connections, sizeof *order);
    if (!order) return ioa_fail_nomem(error, "the layered order", network->connections, sizeof *order);
    ioa_order_layered(network, order);
    uint64_t lower = network->bounds.lower;
    ioa_status status = IOA_OK;
    char text[3][32];
    for (size_t i = 0; status == IOA_OK && i < sizeof shown_memories / sizeof *shown_memories; i++) {
        ioa_io io;
        cli_busy_step(busy, (double)i / (double)(sizeof shown_memories / sizeof *shown_memories),
                      "layered order and certified bound, M = %" PRIu64, shown_memories[i]);
        status = ioa_memory_count(network, order, shown_memories[i], IOA_POLICY_MIN, &io, error);
        if (status != IOA_OK) break;
        uint64_t total = io.reads + io.writes;
        uint64_t certified;
        status = certify(network, shown_memories[i], bound_work, &certified, error);
        if (status != IOA_OK) break;
        certified += lower;
        cli_busy_hide(busy);
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

typedef struct depth {
    bool brief;          /* without baselines, which have to be counted */
    uint64_t bound_work; /* for the bounds of small networks; 0: the default */
} depth;

static ioa_status show_network(const char *path, bool as_json, depth how, cJSON **json, cli_busy *busy, ioa_error *error)
{
    cli_busy_step(busy, -1.0, "reading %s", path);
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
        if (!how.brief) array = cJSON_AddArrayToObject(*json, "layered");
    } else {
        char shown[256];
        printf("%s: network%s%s\n", path, a->name ? " " : "", cli_shown(a->name ? a->name : "", shown, sizeof shown));
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
        printf("  topology %s\n%s", topology, how.brief ? "" : "  layered order under min:\n");
    }
    if (!how.brief) status = baselines(network, how.bound_work, array, busy, error);
out:
    ioa_network_destroy(network);
    return status;
}

/* Of the provenance, what one wants to know first; the report has all of it. */
static bool is_shown(const char *key)
{
    static const char *const keys[] = {"command", "date", "host", "ranks", "revision", "slurm_job_id", "version", "wall_seconds"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(key, keys[i]) == 0) return true;
    return false;
}

static ioa_status show_archive(const char *path, bool as_json, cJSON **json, cli_busy *busy, ioa_error *error)
{
    cli_busy_step(busy, -1.0, "reading %s", path);
    ioa_archive *archive = NULL;
    ioa_status status = cli_read_archive(path, &archive, error);
    if (status != IOA_OK) return status;
    cJSON *array = NULL;
    char text[2][32], shown[4096];
    const char *space = archive->network_name[0] ? " " : "";
    if (as_json) {
        *json = cJSON_CreateObject();
        cJSON_AddStringToObject(*json, "kind", "archive");
        cJSON_AddStringToObject(*json, "network", archive->network_name);
        cli_json_count(*json, "neurons", archive->neurons);
        cli_json_count(*json, "connections", archive->connections);
        cJSON_AddStringToObject(*json, "topology_sha256", archive->topology_sha256);
        array = cJSON_AddArrayToObject(*json, "schedules");
    } else {
        printf("%s: schedule archive for network %s%s(%s neurons, %s connections)\n  topology %s\n", path,
               cli_shown(archive->network_name, shown, sizeof shown), space, cli_grouped(archive->neurons, text[0]),
               cli_grouped(archive->connections, text[1]), archive->topology_sha256);
        for (uint32_t i = 0; i < archive->facts; i++)
            if (is_shown(archive->provenance[i].key))
                printf("  %s: %s\n", archive->provenance[i].key, cli_shown(archive->provenance[i].value, shown, sizeof shown));
    }
    for (uint32_t i = 0; i < archive->count; i++) cli_info_schedule(&archive->schedules[i], i, array);
    ioa_archive_destroy(archive);
    return IOA_OK;
}

/* Network and archive; as JSON, the archive with the network in it. */
static ioa_status show_bundle(const char *path, bool as_json, depth how, cJSON **json, cli_busy *busy, ioa_error *error)
{
    cJSON *network = NULL;
    ioa_status status = show_network(path, as_json, how, &network, busy, error);
    if (status == IOA_OK) status = show_archive(path, as_json, json, busy, error);
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
    depth how = {0};
    const cli_option options[] = {
        {CLI_FLAG, 0, "brief", NULL, &how.brief, "of networks: without the baselines, which take time on large ones", 0, 0},
        {CLI_COUNT, 0, "bound-work", "N", &how.bound_work,
         "states to try for bounds of networks of up to 128 neurons (default 100M; minutes and gigabytes at 10G)", 1, 1e15},
        {CLI_END, 0, NULL, NULL, NULL, NULL, 0, 0},
    };
    int files;
    cli_parsed parsed = cli_parse(command, options, &common, argc, argv, &files);
    if (parsed != CLI_GO) return parsed == CLI_HELP_SHOWN ? 0 : 2;
    if (files != 1) return cli_refuse(command, "one network or archive file, a bundle or a checkpoint is wanted");
    ioa_error error = {0};
    cJSON *json = NULL;
    cli_busy *busy = cli_busy_begin(common.quiet, 0.0);
    /* A network unless it says that it is an archive: its reader then explains what is wrong with the rest. */
    ioa_status status = ioa_bundle_probe(argv[0])       ? show_bundle(argv[0], common.json, how, &json, busy, &error)
                        : ioa_archive_probe(argv[0])    ? show_archive(argv[0], common.json, &json, busy, &error)
                        : ioa_checkpoint_probe(argv[0]) ? cli_show_checkpoint(argv[0], common.json, &json, &error)
                                                        : show_network(argv[0], common.json, how, &json, busy, &error);
    cli_busy_end(busy);
    if (status != IOA_OK) {
        cJSON_Delete(json);
        return cli_fail(command, &error);
    }
    return json ? cli_print_json(json) : cli_finish_output();
}

const cli_command cli_info = {
    .name = "info",
    .summary = "show a network, an archive or a checkpoint",
    .usage = "NET | ARCHIVE | BUNDLE | CHECKPOINT",
    .examples = "  ioanneal info net.h5\n  ioanneal info best.h5 --json\n  ioanneal info best.ckpt\n  ioanneal info small.h5 --bound-work 10G\n",
    .run = run,
};
