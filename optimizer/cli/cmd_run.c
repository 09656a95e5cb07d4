#include "core/base/mem.h"
#include "core/model/network.h"
#include "io/archive/bundle.h"
#include "io/archive/network_file.h"
#include "io/archive/tensor_file.h"
#include "io/base/atomic_file.h"
#include "optimizer/cli/input.h"
#include "optimizer/cli/progress.h"

#include <inttypes.h>
#include <ioanneal/plan.h>

#define MOST_ROWS 1024u /* of the batch that plans are measured with */

typedef struct run_options {
    const char *schedule, *input, *output;
    uint64_t memory, threads;
    cli_plan plan;
    ioa_isa isa;                /* that it runs with, AUTO where it is to be chosen */
    char kernel[IOA_PLAN_NAME]; /* the plan that was used */
} run_options;

/* The best plan in the schedule's order, or in layered order without one. */
static ioa_status make_plan(const ioa_network *network, const ioa_schedule *schedule, run_options *o, uint64_t rows,
                            ioa_plan **plan, ioa_error *error)
{
    ioa_plan_options options;
    o->plan.batch = rows > MOST_ROWS ? MOST_ROWS : (uint32_t)rows;
    o->plan.threads = (uint32_t)o->threads;
    ioa_status status = cli_choose_plan(network, schedule, &o->plan, &options, error);
    if (status == IOA_OK) status = ioa_plan_create(network, schedule ? schedule->order : NULL, &options, plan, error);
    if (status != IOA_OK) return status;
    ioa_plan_describe(*plan, &options);
    ioa_plan_options_name(&options, o->kernel);
    return IOA_OK;
}

/* `note` [CLI_NOTE] as of cli_pick_schedule. */
static ioa_status infer(const char *path, run_options *o, cli_busy *busy, uint64_t *rows, char *note, ioa_error *error)
{
    ioa_network *network = NULL;
    ioa_archive *archive = NULL;
    const ioa_schedule *schedule = NULL;
    ioa_plan *plan = NULL;
    float *x = NULL, *y = NULL;
    void *scratch = NULL;
    uint64_t columns;
    const char *const inputs[] = {path, o->schedule, o->input};
    ioa_status status = ioa_file_distinct(o->output, inputs, 3, error);
    if (status == IOA_OK) status = ioa_file_writable(o->output, error);
    cli_busy_step(busy, -1.0, "reading %s", path);
    if (status == IOA_OK) status = ioa_network_read(path, &network, error);
    if (status == IOA_OK && o->schedule) status = cli_open_archive(o->schedule, network, &archive, error);
    if (archive) schedule = cli_pick_schedule(archive, o->schedule, o->memory, o->isa, note);
    cli_busy_step(busy, -1.0, "reading %s", o->input);
    if (status == IOA_OK) status = ioa_tensor_read(o->input, "/x", network->a.inputs, &x, rows, &columns, error);
    cli_busy_step(busy, -1.0, "planning");
    if (status == IOA_OK) status = make_plan(network, schedule, o, *rows, &plan, error);
    if (status == IOA_OK) {
        y = ioa_alloc(*rows * network->a.outputs, sizeof *y);
        scratch = ioa_alloc(o->threads, ioa_plan_scratch_bytes(plan));
        if (!y || !scratch) status = ioa_fail_nomem(error, "the outputs", *rows * network->a.outputs, sizeof *y);
    }
    if (status == IOA_OK) {
        cli_busy_step(busy, -1.0, "inference of %" PRIu64 " samples", *rows);
        ioa_plan_run_threads(plan, x, y, *rows, (uint32_t)o->threads, scratch);
        status = ioa_tensor_write(o->output, "/y", y, *rows, network->a.outputs, error);
    }
    ioa_free(x);
    ioa_free(y);
    ioa_free(scratch);
    ioa_plan_destroy(plan);
    ioa_archive_destroy(archive);
    ioa_network_destroy(network);
    return status;
}

static int run(const cli_command *command, int argc, char **argv)
{
    run_options o = {.threads = 1, .plan.seconds = 0.5};
    cli_common common = {0};
    const cli_option options[] = {
        {CLI_TEXT, 'i', "input", "X.h5", &o.input, "dataset /x, float32 [batch, inputs] (required)", 0, 0},
        {CLI_TEXT, 'o', "output", "Y.h5", &o.output, "dataset /y, float32 [batch, outputs], is written (required)", 0, 0},
        {CLI_TEXT, 0, "schedule", "ARCHIVE.h5", &o.schedule, "evaluate in this archive's order (default: a bundle's own, else layered)", 0, 0},
        {CLI_COUNT, 'm', "memory", "M", &o.memory, "of the archive's schedules, the one nearest to M (default: to this processor's registers)", 3, 1.8e19},
        {CLI_COUNT, 't', "threads", "N", &o.threads, "the result is the same for any number (default 1)", 1, 256},
        {CLI_TEXT, 0, "plan", "NAME", &o.plan.name, "use this plan, as bench names them (default: the one measured best)", 0, 0},
        {CLI_TEXT, 0, "isa", "NAME", &o.plan.isa, "auto, portable, avx2 or avx512 (default auto)", 0, 0},
        {CLI_REAL, 0, "seconds", "T", &o.plan.seconds, "for measuring plans where the archive has none of here (default 0.5)", 0.001, 1e6},
        {CLI_END, 0, NULL, NULL, NULL, NULL, 0, 0},
    };
    int files;
    cli_parsed parsed = cli_parse(command, options, &common, argc, argv, &files);
    if (parsed != CLI_GO) return parsed == CLI_HELP_SHOWN ? 0 : 2;
    if (files != 1) return cli_refuse(command, "one network file is wanted");
    if (!o.input || !o.output) return cli_refuse(command, "--input X.h5 and --output Y.h5 are needed");
    if (!o.schedule && ioa_bundle_probe(argv[0])) o.schedule = argv[0];
    ioa_error error = {0};
    ioa_plan_options plan;
    uint64_t rows = 0;
    int isa = o.plan.isa ? ioa_isa_from_name(o.plan.isa) : IOA_ISA_AUTO;
    if (isa < 0) return cli_refuse(command, "--isa wants auto, portable, avx2 or avx512, not '%s'", o.plan.isa);
    if (o.plan.name && ioa_plan_options_parse(o.plan.name, &plan, &error) != IOA_OK) return cli_fail(command, &error);
    if (o.plan.name && isa && plan.isa && plan.isa != (ioa_isa)isa)
        return cli_refuse(command, "--plan %s is not one for --isa %s", o.plan.name, o.plan.isa);
    o.isa = o.plan.name && !isa ? plan.isa : (ioa_isa)isa;
    char note[CLI_NOTE] = "";
    cli_busy *busy = cli_busy_begin(common.quiet, 0.0);
    ioa_status status = infer(argv[0], &o, busy, &rows, note, &error);
    cli_busy_end(busy);
    if (status != IOA_OK) return cli_fail(command, &error);
    cli_show_note(command, &common, note);
    if (common.json) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "output", o.output);
        cli_json_count(json, "rows", rows);
        cJSON_AddStringToObject(json, "kernel", o.kernel);
        return cli_print_json(json);
    }
    printf("%s: %" PRIu64 " output vectors, by %s\n", o.output, rows, o.kernel);
    return cli_finish_output();
}

const cli_command cli_run = {
    .name = "run",
    .summary = "run inference on a batch of inputs",
    .usage = "NET.h5 --input X.h5 --output Y.h5 [--schedule ARCHIVE.h5]",
    .examples = "  ioanneal run net.h5 --schedule best.h5 --input x.h5 --output y.h5\n"
                "  ioanneal run bundle.h5 --input x.h5 --output y.h5 --threads 4\n",
    .run = run,
};
