#include "optimizer/cli/cli.h"

#include "core/base/mem.h"
#include "io/archive/archive.h"
#include "io/archive/bundle.h"
#include "io/archive/network_file.h"
#include "io/base/atomic_file.h"
#include "optimizer/cli/input.h"
#include "optimizer/cli/progress.h"
#include "optimizer/report/report.h"

#include <inttypes.h>
#include <string.h>

static void show_progress(void *context, double share)
{
    cli_busy_step(context, share, "I/O against memory");
}

static ioa_status read_archives(char **paths, int count, ioa_archive **archives, ioa_report_source *sources, ioa_error *error)
{
    for (int i = 0; i < count; i++) {
        ioa_status status = cli_read_archive(paths[i], &archives[i], error);
        if (status != IOA_OK) return status;
        sources[i] = (ioa_report_source){paths[i], archives[i]};
        if (strcmp(archives[i]->topology_sha256, archives[0]->topology_sha256) != 0)
            return ioa_fail(error, IOA_ERR_INPUT, "%s: belongs to topology %.12s.., but %s to %.12s..", paths[i],
                            archives[i]->topology_sha256, paths[0], archives[0]->topology_sha256);
    }
    return IOA_OK;
}

/* The network, of the option or of a bundle, and whether the orders may be counted on it. */
static ioa_status read_network(const char *path, const ioa_report_source *sources, int count, ioa_network **network,
                               ioa_error *error)
{
    ioa_status status = ioa_network_read(path, network, error);
    for (int i = 0; status == IOA_OK && i < count; i++) {
        status = ioa_archive_matches(sources[i].archive, *network, sources[i].path, error);
        for (uint32_t j = 0; status == IOA_OK && j < sources[i].archive->count; j++) {
            status = ioa_order_check(*network, sources[i].archive->schedules[j].order, error);
            if (status != IOA_OK) ioa_fail_prefix(error, status, "%s: schedule %04" PRIu32, sources[i].path, j);
        }
    }
    return status;
}

static int print_result(const cli_common *common, const char *path, const ioa_report_facts *facts)
{
    if (common->json) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "report", path);
        cli_json_count(json, "schedules", facts->schedules);
        cli_json_count(json, "figures", facts->figures);
        cli_json_count(json, "bytes", facts->bytes);
        return cli_print_json(json);
    }
    printf("%s: %" PRIu32 " schedule%s, %" PRIu32 " figure%s, %.0f kB\n", path, facts->schedules,
           facts->schedules == 1 ? "" : "s", facts->figures, facts->figures == 1 ? "" : "s", (double)facts->bytes / 1000.0);
    return cli_finish_output();
}

static ioa_status make(char **paths, int count, const char *network_path, const char *output, const cli_common *common,
                       ioa_report_facts *facts, ioa_error *error)
{
    cli_busy *busy = cli_busy_begin(common->quiet, 0.0);
    ioa_network *network = NULL;
    ioa_archive **archives = ioa_alloc_zero((uint64_t)count, sizeof *archives);
    ioa_report_source *sources = ioa_alloc_zero((uint64_t)count, sizeof *sources);
    ioa_status status = archives && sources ? IOA_OK : ioa_fail_nomem(error, "archives", (uint64_t)count, sizeof *sources);
    cli_busy_step(busy, -1.0, "reading %s", paths[0]);
    if (status == IOA_OK) status = ioa_file_distinct(output, (const char *const *)paths, (size_t)count, error);
    if (status == IOA_OK && network_path) status = ioa_file_distinct(output, &network_path, 1, error);
    if (status == IOA_OK) status = ioa_file_writable(output, error);
    if (status == IOA_OK) status = read_archives(paths, count, archives, sources, error);
    for (int i = 0; status == IOA_OK && !network_path && i < count; i++)
        if (ioa_bundle_probe(paths[i])) network_path = paths[i];
    if (status == IOA_OK && network_path) status = read_network(network_path, sources, count, &network, error);
    if (status == IOA_OK) {
        ioa_report_options options = {.sources = sources, .count = (uint32_t)count, .network = network,
                                      .progress = show_progress, .context = busy};
        status = ioa_report_write(&options, output, facts, error);
    }
    cli_busy_end(busy);
    for (int i = 0; archives && i < count; i++) ioa_archive_destroy(archives[i]);
    ioa_network_destroy(network);
    ioa_free(archives);
    ioa_free(sources);
    return status;
}

static int run(const cli_command *command, int argc, char **argv)
{
    const char *output = NULL, *network_path = NULL;
    cli_common common = {0};
    const cli_option options[] = {
        {CLI_TEXT, 'o', "output", "REPORT.html", &output, "page to write (required)", 0, 0},
        {CLI_TEXT, 'n', "network", "NET.h5", &network_path, "for curves at all M and along the order (a bundle brings its own)",
         0, 0},
        {CLI_END, 0, NULL, NULL, NULL, NULL, 0, 0},
    };
    int files;
    cli_parsed parsed = cli_parse(command, options, &common, argc, argv, &files);
    if (parsed != CLI_GO) return parsed == CLI_HELP_SHOWN ? 0 : 2;
    if (files < 1) return cli_refuse(command, "archive files, or bundles, are wanted");
    if (!output) return cli_refuse(command, "-o REPORT.html is needed");
    ioa_error error = {0};
    ioa_report_facts facts = {0};
    if (make(argv, files, network_path, output, &common, &facts, &error) != IOA_OK) return cli_fail(command, &error);
    return print_result(&common, output, &facts);
}

const cli_command cli_report = {
    .name = "report",
    .summary = "one HTML page with plots about schedule archives",
    .usage = "ARCHIVE.h5.. -o REPORT.html [--network NET.h5] | BUNDLE.h5 -o REPORT.html",
    .examples = "  ioanneal report best.h5 -o report.html\n"
                "  ioanneal report best.h5 --network net.h5 -o report.html\n"
                "  ioanneal report tempering.h5 paper.h5 --network net.h5 -o compared.html\n",
    .run = run,
};
