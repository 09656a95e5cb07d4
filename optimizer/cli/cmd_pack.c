#include "core/model/network.h"
#include "io/archive/bundle.h"
#include "io/archive/network_file.h"
#include "io/base/atomic_file.h"
#include "optimizer/cli/input.h"
#include "optimizer/cli/progress.h"

#include <inttypes.h>

static ioa_status pack(const char *archive_path, const char *network_path, const char *output, cli_busy *busy,
                       uint32_t *schedules, ioa_error *error)
{
    ioa_network *network = NULL;
    ioa_archive *archive = NULL;
    const char *const inputs[] = {network_path, archive_path};
    ioa_status status = ioa_file_distinct(output, inputs, 2, error);
    if (status == IOA_OK) status = ioa_file_writable(output, error);
    cli_busy_step(busy, 0.0, "reading %s", network_path);
    if (status == IOA_OK) status = ioa_network_read(network_path, &network, error);
    cli_busy_step(busy, 0.2, "reading %s", archive_path);
    if (status == IOA_OK) status = cli_open_archive(archive_path, network, &archive, error);
    if (status == IOA_OK) {
        *schedules = archive->count;
        cli_busy_step(busy, 0.5, "writing %s", output);
        status = ioa_bundle_write(network, archive, output, error);
    }
    ioa_archive_destroy(archive);
    ioa_network_destroy(network);
    return status;
}

static int run(const cli_command *command, int argc, char **argv)
{
    const char *network_path = NULL, *output = NULL;
    cli_common common = {0};
    const cli_option options[] = {
        {CLI_TEXT, 'n', "network", "NET.h5", &network_path, "the network the archive belongs to (required)", 0, 0},
        {CLI_TEXT, 'o', "output", "BUNDLE.h5", &output, "file to write (required)", 0, 0},
        {CLI_END, 0, NULL, NULL, NULL, NULL, 0, 0},
    };
    int files;
    cli_parsed parsed = cli_parse(command, options, &common, argc, argv, &files);
    if (parsed != CLI_GO) return parsed == CLI_HELP_SHOWN ? 0 : 2;
    if (files != 1) return cli_refuse(command, "one archive file is wanted");
    if (!network_path) return cli_refuse(command, "--network NET.h5 is needed");
    if (!output) return cli_refuse(command, "-o BUNDLE.h5 is needed");
    ioa_error error = {0};
    uint32_t schedules = 0;
    cli_busy *busy = cli_busy_begin(common.quiet, 0.0);
    ioa_status status = pack(argv[0], network_path, output, busy, &schedules, &error);
    cli_busy_end(busy);
    if (status != IOA_OK) return cli_fail(command, &error);
    if (common.json) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "bundle", output);
        cli_json_count(json, "schedules", schedules);
        return cli_print_json(json);
    }
    printf("%s: the network of %s and %" PRIu32 " schedule%s\n", output, network_path, schedules, schedules == 1 ? "" : "s");
    return cli_finish_output();
}

const cli_command cli_pack = {
    .name = "pack",
    .summary = "put a network and its schedules into one file",
    .usage = "ARCHIVE.h5 --network NET.h5 -o BUNDLE.h5",
    .examples = "  ioanneal pack best.h5 --network net.h5 -o bundle.h5\n"
                "  ioanneal run bundle.h5 --input x.h5 --output y.h5 --memory 32\n",
    .run = run,
};
