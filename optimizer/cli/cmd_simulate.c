#include "core/base/mem.h"
#include "core/model/network.h"
#include "core/model/order.h"
#include "io/archive/network_file.h"
#include "optimizer/cli/input.h"
#include "optimizer/cli/progress.h"
#include "optimizer/search/construct/construct.h"

#include <inttypes.h>
#include <string.h>

/* The order to simulate: constructed, or the archive's schedule for this memory and policy (if there is none, its
 * schedule for the nearest memory: an order may be simulated under any). */
static ioa_status get_order(const ioa_network *network, const char *name, const char *archive_path, uint64_t memory,
                            ioa_policy policy, uint32_t *order, ioa_error *error)
{
    if (!archive_path) {
        const ioa_constructor *constructor = ioa_constructor_find(name);
        if (constructor) return constructor->build(network, memory, order, error);
        char known[256] = "";
        for (unsigned i = 0; ioa_constructor_at(i); i++) {
            size_t used = strlen(known);
            snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", ioa_constructor_at(i)->name);
        }
        return ioa_fail(error, IOA_ERR_INPUT, "unknown order '%s': there are %s", name, known);
    }
    ioa_archive *archive = NULL;
    ioa_status status = cli_open_archive(archive_path, network, &archive, error);
    if (status == IOA_OK)
        memcpy(order, ioa_archive_nearest(archive, memory, policy)->order, network->connections * sizeof *order);
    ioa_archive_destroy(archive);
    return status;
}

static void print_counts(const ioa_network *network, uint64_t memory, ioa_policy policy, ioa_io io, cJSON *array)
{
    ioa_bounds bounds = ioa_network_bounds(network);
    uint64_t total = io.reads + io.writes;
    if (array) {
        cJSON *json = cJSON_CreateObject();
        cli_json_count(json, "memory", memory);
        cJSON_AddStringToObject(json, "policy", ioa_policy_name(policy));
        cli_json_count(json, "reads", io.reads);
        cli_json_count(json, "writes", io.writes);
        cli_json_count(json, "total", total);
        cli_json_count(json, "lower_bound", bounds.lower);
        cli_json_count(json, "upper_bound", bounds.upper);
        cli_json_count(json, "excess", total - bounds.lower);
        cJSON_AddItemToArray(array, json);
        return;
    }
    char text[6][32];
    printf("M = %-8s %-4s reads %s  writes %s  total %s  lower bound %s  excess %s\n", cli_grouped(memory, text[0]),
           ioa_policy_name(policy), cli_grouped(io.reads, text[1]), cli_grouped(io.writes, text[2]),
           cli_grouped(total, text[3]), cli_grouped(bounds.lower, text[4]),
           cli_grouped(total - bounds.lower, text[5]));
}

static int run(const cli_command *command, int argc, char **argv)
{
    cli_memory memory = {0};
    const char *order_name = NULL, *schedule = NULL;
    cli_common common = {0};
    const cli_option options[] = {
        {CLI_TEXT, 'm', "memory", "M[,M2..]", &memory.memory, "slots of fast memory, the weight's included; with several, --json gives a list of results", 0, 0},
        {CLI_BYTES, 0, "cache", "BYTES", &memory.cache, "instead of --memory: M = bytes / (4 batch)", 1, 1e18},
        {CLI_COUNT, 0, "batch", "B", &memory.batch, "floats per neuron value, for --cache", 1, 1e9},
        {CLI_TEXT, 0, "policy", "P", &memory.policy, "lru, rr or min (default min)", 0, 0},
        {CLI_TEXT, 0, "order", "NAME", &order_name, "one of those below (default layered)", 0, 0},
        {CLI_TEXT, 0, "schedule", "ARCHIVE.h5", &schedule, "the order of an archive made for this M, or the nearest", 0, 0},
        {CLI_END, 0, NULL, NULL, NULL, NULL, 0, 0},
    };
    int files, count;
    cli_parsed parsed = cli_parse(command, options, &common, argc, argv, &files);
    if (parsed != CLI_GO) return parsed == CLI_HELP_SHOWN ? 0 : 2;
    if (files != 1) return cli_refuse(command, "one network file is wanted");
    if (order_name && schedule) return cli_refuse(command, "--order and --schedule exclude each other");
    uint64_t sizes[CLI_MEMORIES];
    ioa_policy policy;
    ioa_error error = {0};
    ioa_network *network = NULL;
    uint32_t *order = NULL;
    cJSON *array = NULL;
    ioa_status status = cli_resolve_memory(&memory, 0, sizes, &count, &policy, &error);
    cli_busy *busy = cli_busy_begin(common.quiet, 0.0);
    cli_busy_step(busy, -1.0, "reading %s", argv[0]);
    if (status == IOA_OK) status = ioa_network_read(argv[0], &network, &error);
    if (status == IOA_OK) {
        order = ioa_alloc(network->connections, sizeof *order);
        if (!order) status = ioa_fail_nomem(&error, "the order", network->connections, sizeof *order);
    }
    if (common.json) array = cJSON_CreateArray();
    for (int i = 0; status == IOA_OK && i < count; i++) {
        ioa_io io;
        cli_busy_step(busy, (double)i / count, "simulating M = %" PRIu64, sizes[i]);
        status = get_order(network, order_name ? order_name : "layered", schedule, sizes[i], policy, order, &error);
        if (status == IOA_OK) status = ioa_memory_count(network, order, sizes[i], policy, &io, &error);
        cli_busy_hide(busy);
        if (status == IOA_OK) print_counts(network, sizes[i], policy, io, array);
    }
    cli_busy_end(busy);
    int code;
    if (status != IOA_OK) {
        code = cli_fail(command, &error);
        cJSON_Delete(array);
    } else if (array) /* one memory size: the object itself, several: the list */
        code = cli_print_json(count == 1 ? cJSON_DetachItemFromArray(array, 0) : array);
    else
        code = cli_finish_output();
    if (status == IOA_OK && array && count == 1) cJSON_Delete(array);
    ioa_free(order);
    ioa_network_destroy(network);
    return code;
}

static void notes(void)
{
    cli_help_section("orders");
    for (unsigned i = 0; ioa_constructor_at(i); i++)
        cli_help_entry(ioa_constructor_at(i)->name, ioa_constructor_at(i)->summary);
}

const cli_command cli_simulate = {
    .name = "simulate",
    .summary = "count the I/O of an order",
    .usage = "NET.h5 --memory M [options]",
    .examples = "  ioanneal simulate net.h5 --memory 100 --order blocks\n"
                "  ioanneal simulate net.h5 --memory 16,32,100 --schedule best.h5 --json\n"
                "  ioanneal simulate net.h5 --cache 2MiB --batch 128 --policy lru\n",
    .notes = notes,
    .run = run,
};
