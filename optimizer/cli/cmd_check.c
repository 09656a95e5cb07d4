#include "optimizer/cli/cli.h"

#include "core/base/mem.h"
#include "core/bounds/bounds.h"
#include "core/model/network.h"
#include "core/model/order.h"
#include "io/archive/archive.h"
#include "io/archive/bundle.h"
#include "io/archive/network_file.h"
#include "optimizer/cli/progress.h"
#include "optimizer/cli/terminal.h"
#include "optimizer/verify/verify.h"

#include <inttypes.h>
#include <string.h>

/* Stored figures that follow from network and order; the first that does not hold is put into `reason`. */
static ioa_status check_figures(const ioa_network *network, const ioa_schedule *s, char *reason, size_t size,
                                ioa_error *error)
{
    uint32_t *order = ioa_alloc(network->connections, sizeof *order);
    if (!order) return ioa_fail_nomem(error, "the layered order", network->connections, sizeof *order);
    ioa_order_layered(network, order);
    ioa_io layered[IOA_MOST_LEVELS];
    uint64_t weighted;
    ioa_certificate certificate = {0};
    ioa_status status = ioa_objective_count(network, order, &s->objective, layered, &weighted, error);
    ioa_free(order);
    if (status == IOA_OK && s->certified_bound)
        status = ioa_certified_bound(network, s->memory, &certificate, error);
    uint64_t certified = s->certified_bound ? network->bounds.lower + certificate.excess : 0;
    ioa_certificate_free(&certificate);
    if (status != IOA_OK) return status;
    const struct {
        const char *name;
        uint64_t stored, found;
    } figures[] = {{"lower_bound", s->lower_bound, network->bounds.lower},
                   {"upper_bound", s->upper_bound, network->bounds.upper},
                   {"baseline_total", s->baseline_total, layered[0].reads + layered[0].writes},
                   {"weighted_baseline", s->weighted_baseline, weighted}};
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        if (!reason[0] && figures[i].stored != figures[i].found)
            snprintf(reason, size, "%s is stored as %" PRIu64 " but is %" PRIu64, figures[i].name, figures[i].stored,
                     figures[i].found);
    if (!reason[0] && s->certified_bound > certified) /* less is no lie: another version may have proven less */
        snprintf(reason, size, "certified_bound is stored as %" PRIu64 ", but only %" PRIu64 " can be certified",
                 s->certified_bound, certified);
    return IOA_OK;
}

static void print_verdict(const ioa_schedule *s, uint32_t index, const ioa_verdict *v, const char *reason, bool passed,
                          cJSON *array)
{
    uint64_t excess = s->io.reads + s->io.writes - s->lower_bound;
    if (array) {
        cJSON *json = cJSON_CreateObject();
        cli_json_count(json, "schedule", index);
        cli_json_count(json, "memory", s->memory);
        cJSON_AddStringToObject(json, "policy", ioa_policy_name(s->policy));
        cli_json_count(json, "total", s->io.reads + s->io.writes);
        cli_json_count(json, "excess", excess);
        cJSON_AddBoolToObject(json, "legal", v->legal);
        cJSON_AddBoolToObject(json, "recounted", v->recounted);
        cJSON_AddBoolToObject(json, "exact", v->exact);
        cJSON_AddStringToObject(json, "kernel", v->plan);
        cJSON_AddNumberToObject(json, "max_abs_error", v->exactness.max_abs_error);
        cJSON_AddNumberToObject(json, "max_rel_error", v->exactness.max_rel_error);
        cJSON_AddNumberToObject(json, "error_bound", v->exactness.error_bound);
        cli_json_count(json, "depth", v->exactness.depth);
        cli_json_count(json, "fan_in", v->exactness.fan_in);
        cJSON_AddNumberToObject(json, "nonzero", v->exactness.nonzero);
        cJSON_AddBoolToObject(json, "passed", passed);
        cJSON_AddStringToObject(json, "reason", reason);
        cJSON_AddItemToArray(array, json);
        return;
    }
    char text[2][32];
    printf("  schedule %04" PRIu32 ": M = %" PRIu64 " %s, excess %s: ", index, s->memory, ioa_policy_name(s->policy),
           cli_grouped(excess, text[0]));
    if (!passed) {
        printf("%sFAILED%s, %s\n", cli_color_of(stdout, CLI_RED), cli_color_of(stdout, CLI_PLAIN), reason);
        return;
    }
    printf("%spassed%s; legal, recounted%s, outputs within %.2g of float64%s (bound %.2g for depth %" PRIu32
           " and fan-in %" PRIu32 "; %s)\n", cli_color_of(stdout, CLI_GREEN), cli_color_of(stdout, CLI_PLAIN),
           v->reference ? " twice" : "", v->exactness.max_rel_error,
           v->exactness.nonzero == 0.0 ? ", but all are 0: that proves little" : "", v->exactness.error_bound,
           v->exactness.depth, v->exactness.fan_in, v->plan);
}

/* Inference is checked by the plan it would use here. */
static ioa_status verify(const ioa_network *network, const ioa_schedule *s, const cli_plan *wanted, uint64_t seed,
                         ioa_verdict *verdict, ioa_error *error)
{
    const ioa_claim claim = {&s->objective, s->weighted_total, s->level_io};
    ioa_plan_options plan;
    bool legal = ioa_order_check(network, s->order, NULL) == IOA_OK; /* else nothing may be timed */
    ioa_status status = legal ? cli_choose_plan(network, s, wanted, &plan, error) : IOA_OK;
    if (status != IOA_OK) return status;
    return ioa_verify(network, s->order, &claim, legal ? &plan : NULL, seed, verdict, error);
}

static int run(const cli_command *command, int argc, char **argv)
{
    const char *network_path = NULL;
    uint64_t seed = 1, batch = 128;
    cli_plan wanted = {.seconds = 1.0};
    cli_common common = {0};
    const cli_option options[] = {
        {CLI_TEXT, 'n', "network", "NET.h5", &network_path, "the network the archive belongs to (a bundle brings its own)", 0, 0},
        {CLI_COUNT, 0, "seed", "N", &seed, "of the random inputs (default 1)", 0, 0},
        {CLI_TEXT, 0, "plan", "NAME", &wanted.name, "check inference by this plan (default: the one measured best)", 0, 0},
        {CLI_COUNT, 'b', "batch", "B", &batch, "samples per pass that plans are for (default 128)", 1, 1e6},
        {CLI_REAL, 0, "seconds", "T", &wanted.seconds, "for measuring plans where the archive has none of here (default 1)", 0.001, 1e6},
        {CLI_END, 0, NULL, NULL, NULL, NULL, 0, 0},
    };
    int files;
    cli_parsed parsed = cli_parse(command, options, &common, argc, argv, &files);
    if (parsed != CLI_GO) return parsed == CLI_HELP_SHOWN ? 0 : 2;
    if (files != 1) return cli_refuse(command, "one archive file is wanted");
    if (!network_path && !ioa_bundle_probe(argv[0])) return cli_refuse(command, "--network NET.h5 is needed");
    if (!network_path) network_path = argv[0];
    wanted.batch = (uint32_t)batch;
    ioa_error error = {0};
    ioa_network *network = NULL;
    ioa_archive *archive = NULL;
    cJSON *json = NULL, *array = NULL;
    bool all_passed = true;
    cli_busy *busy = cli_busy_begin(common.quiet, 0.0);
    cli_busy_step(busy, -1.0, "reading %s", network_path);
    ioa_status status = ioa_network_read(network_path, &network, &error);
    if (status == IOA_OK) status = ioa_archive_read(argv[0], &archive, &error);
    if (status == IOA_OK) status = ioa_archive_matches(archive, network, argv[0], &error);
    if (status == IOA_OK && common.json) {
        json = cJSON_CreateObject();
        array = cJSON_AddArrayToObject(json, "schedules");
    }
    cli_busy_hide(busy);
    if (status == IOA_OK && !json && network_path == argv[0])
        printf("%s: network and schedules belong together, hashes agree\n", argv[0]);
    else if (status == IOA_OK && !json)
        printf("%s: belongs to %s, hashes agree\n", argv[0], network_path);
    for (uint32_t i = 0; status == IOA_OK && i < archive->count; i++) {
        const ioa_schedule *s = &archive->schedules[i];
        ioa_verdict verdict;
        char reason[sizeof verdict.reason];
        cli_busy_step(busy, (double)i / archive->count, "checking schedule %" PRIu32 " of %" PRIu32 ", M = %" PRIu64, i + 1,
                      archive->count, s->memory);
        status = verify(network, s, &wanted, seed, &verdict, &error);
        if (status != IOA_OK) break;
        memcpy(reason, verdict.reason, sizeof reason);
        status = check_figures(network, s, reason, sizeof reason, &error);
        bool passed = ioa_verdict_passed(&verdict) && !reason[0];
        all_passed = all_passed && passed;
        cli_busy_hide(busy);
        if (status == IOA_OK) print_verdict(s, i, &verdict, reason, passed, array);
    }
    cli_busy_end(busy);
    int code;
    if (status != IOA_OK) {
        cJSON_Delete(json);
        code = cli_fail(command, &error);
    } else {
        if (json) cJSON_AddBoolToObject(json, "passed", all_passed);
        code = json ? cli_print_json(json) : cli_finish_output();
        if (code == 0 && !all_passed) code = 1;
    }
    ioa_archive_destroy(archive);
    ioa_network_destroy(network);
    return code;
}

const cli_command cli_check = {
    .name = "check",
    .summary = "verify an archive: hashes, legality, recount, exactness",
    .usage = "ARCHIVE.h5 --network NET.h5 | BUNDLE.h5",
    .examples = "  ioanneal check best.h5 --network net.h5\n  ioanneal check bundle.h5\n",
    .run = run,
};
