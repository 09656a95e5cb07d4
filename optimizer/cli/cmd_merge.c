#include "optimizer/cli/cli.h"

#include "core/network.h"
#include "io/archive.h"
#include "io/atomic_file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A verified schedule beats one that is not; then the lower total wins; then the earlier file. */
static bool beats(const ioa_schedule *a, const ioa_schedule *b)
{
    if (a->verified != b->verified) return a->verified;
    return a->weighted_total < b->weighted_total;
}

/* Equal memory and policy, or the same levels. */
static bool same_objective(const ioa_schedule *a, const ioa_schedule *b)
{
    char levels[2][IOA_LEVELS_TEXT];
    ioa_objective_name(&a->objective, levels[0]);
    ioa_objective_name(&b->objective, levels[1]);
    return strcmp(levels[0], levels[1]) == 0;
}

/* Moves the schedules of `from` that are better than what `into` has for the same objective. */
static ioa_status take_over(ioa_archive *into, ioa_archive *from, ioa_error *error)
{
    for (uint32_t i = 0; i < from->count; i++) {
        ioa_schedule *candidate = &from->schedules[i], *place = NULL;
        for (uint32_t j = 0; j < into->count; j++)
            if (same_objective(&into->schedules[j], candidate))
                place = &into->schedules[j];
        if (place && !beats(candidate, place)) continue;
        if (!place) {
            ioa_status status = ioa_archive_add_schedule(into, &place, error);
            if (status != IOA_OK) return status;
        }
        ioa_schedule old = *place; /* the loser goes back and is freed with its archive */
        *place = *candidate;
        *candidate = old;
    }
    return IOA_OK;
}

static int by_memory(const void *left, const void *right)
{
    const ioa_schedule *a = left, *b = right;
    if (a->policy != b->policy) return a->policy < b->policy ? -1 : 1;
    if (a->memory != b->memory) return a->memory < b->memory ? -1 : 1;
    return a->objective.count < b->objective.count ? -1 : a->objective.count > b->objective.count;
}

static int run(const cli_command *command, int argc, char **argv)
{
    const char *output = NULL;
    cli_common common = {0};
    const cli_option options[] = {
        {CLI_TEXT, 'o', "output", "ARCHIVE.h5", &output, "archive to write (required)", 0, 0},
        {CLI_END, 0, NULL, NULL, NULL, NULL, 0, 0},
    };
    int files;
    cli_parsed parsed = cli_parse(command, options, &common, argc, argv, &files);
    if (parsed != CLI_GO) return parsed == CLI_HELP_SHOWN ? 0 : 2;
    if (files < 1) return cli_refuse(command, "archive files are wanted");
    if (!output) return cli_refuse(command, "-o ARCHIVE.h5 is needed");
    ioa_error error = {0};
    ioa_archive *merged = NULL;
    ioa_status status = ioa_file_writable(output, &error);
    if (status == IOA_OK) status = ioa_archive_read(argv[0], &merged, &error);
    for (int i = 1; status == IOA_OK && i < files; i++) {
        ioa_archive *next = NULL;
        status = ioa_archive_read(argv[i], &next, &error);
        if (status == IOA_OK && strcmp(next->topology_sha256, merged->topology_sha256) != 0)
            status = ioa_fail(&error, IOA_ERR_INPUT, "%s: belongs to topology %.12s.., but %s to %.12s..", argv[i],
                              next->topology_sha256, argv[0], merged->topology_sha256);
        if (status == IOA_OK) status = take_over(merged, next, &error);
        ioa_archive_destroy(next);
    }
    if (status == IOA_OK) {
        if (merged->count) qsort(merged->schedules, merged->count, sizeof *merged->schedules, by_memory);
        status = ioa_archive_write(merged, output, &error);
    }
    int code;
    if (status != IOA_OK) {
        code = cli_fail(command, &error);
    } else if (common.json) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "archive", output);
        cli_json_count(json, "schedules", merged->count);
        code = cli_print_json(json);
    } else {
        printf("%s: %" PRIu32 " schedules\n", output, merged->count);
        code = cli_finish_output();
    }
    ioa_archive_destroy(merged);
    return code;
}

const cli_command cli_merge = {
    .name = "merge",
    .summary = "best verified schedule per memory size and policy",
    .usage = "A.h5 B.h5 ... -o ARCHIVE.h5",
    .examples = "  ioanneal merge run-*.h5 -o best.h5\n",
    .run = run,
};
