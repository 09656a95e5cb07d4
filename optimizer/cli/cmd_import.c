#include "core/model/network.h"
#include "io/archive/network_file.h"
#include "io/base/atomic_file.h"
#include "io/import/import.h"
#include "optimizer/cli/cli.h"
#include "optimizer/cli/progress.h"
#include "optimizer/cli/terminal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MOST_LAYERS 4096

static void print_layer(const ioa_import_layer *layer, uint32_t index, cJSON *array)
{
    double density = (double)layer->connections / ((double)layer->rows * (double)layer->columns);
    const char *orientation = layer->orientation == IOA_OUT_IN ? "out-in" : "in-out";
    if (array) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "name", layer->name);
        cli_json_count(json, "outputs", layer->rows);
        cli_json_count(json, "inputs", layer->columns);
        cJSON_AddStringToObject(json, "layout", orientation);
        cli_json_count(json, "connections", layer->connections);
        cJSON_AddNumberToObject(json, "density", density);
        cli_json_count(json, "dead_neurons", layer->dead);
        cJSON_AddStringToObject(json, "activation", layer->activation);
        cJSON_AddItemToArray(array, json);
        return;
    }
    char text[32];
    printf("  layer %-3" PRIu32 " %s%s%" PRIu32 " -> %" PRIu32 "  (file layout %s)  %s connections, density %.4g %%, %s",
           index, layer->name, layer->name[0] ? "  " : "", layer->columns, layer->rows, orientation, cli_grouped(layer->connections, text), 100.0 * density,
           layer->activation);
    if (layer->dead) printf(", %" PRIu32 " outputs read by nobody", layer->dead);
    putchar('\n');
}

static int print_report(const cli_common *common, const char *path, const ioa_network *network,
                        const ioa_import_report *report)
{
    cJSON *json = NULL, *array = NULL;
    char text[4][32];
    if (common->json) {
        json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "file", path);
        cJSON_AddStringToObject(json, "format", report->format);
        cli_json_count(json, "neurons", network->a.neurons);
        cli_json_count(json, "connections", network->connections);
        if (report->warning[0]) cJSON_AddStringToObject(json, "warning", report->warning);
        array = cJSON_AddArrayToObject(json, "layers");
    } else
        printf("%s: %s neurons, %s connections, %s inputs, %s outputs (from %s)\n", path,
               cli_grouped(network->a.neurons, text[0]), cli_grouped(network->connections, text[1]),
               cli_grouped(network->a.inputs, text[2]), cli_grouped(network->a.outputs, text[3]), report->format);
    if (report->warning[0] && !common->quiet) fprintf(stderr, "ioanneal import: %snote:%s %s\n", cli_color_of(stderr, CLI_YELLOW), cli_color_of(stderr, CLI_PLAIN),
                report->warning);
    for (uint32_t l = 0; l < report->count; l++) print_layer(&report->layers[l], l + 1, array);
    return json ? cli_print_json(json) : cli_finish_output();
}

typedef struct reading {
    cli_busy *busy;
    char **files;
    int count;
} reading;

static void on_file(void *context, uint32_t file)
{
    const reading *r = context;
    cli_busy_step(r->busy, r->count > 1 ? (double)file / r->count : -1.0, "reading %s", r->files[file]);
}

static int run(const cli_command *command, int argc, char **argv)
{
    const char *output = NULL, *layout = NULL, *bias = NULL;
    double bias_value = 0.0;
    cli_common common = {0};
    ioa_import_options o = {.prune = 1.0};
    const cli_option options[] = {
        {CLI_TEXT, 'o', "output", "NET.h5", &output, "network file to write (required)", 0, 0},
        {CLI_TEXT, 0, "format", "NAME", &o.format, "one of those below (default: by extension)", 0, 0},
        {CLI_TEXT, 0, "layout", "L", &layout, "out-in: rows are outputs; in-out: rows are inputs (default: the format's own)", 0, 0},
        {CLI_TEXT, 0, "bias", "F1,F2,..", &bias, "bias files, one per layer (.mtx, .npy vectors)", 0, 0},
        {CLI_REAL, 0, "bias-value", "X", &bias_value, "bias where neither the file nor --bias gives one (default 0)", 0, 0},
        {CLI_TEXT, 0, "activation", "A[,B,..]", &o.activation,
         "for all layers, or one per layer, NAME[:PARAM] (default: the file's, or relu, the last identity)", 0, 0},
        {CLI_TEXT, 0, "model", "MODEL.json", &o.model, "Keras: the model's JSON, which knows the activations", 0, 0},
        {CLI_TEXT, 0, "tensors", "W1,W2,..", &o.tensors, "npz, safetensors: the weights, in order of the layers", 0, 0},
        {CLI_REAL, 0, "prune", "DENSITY", &o.prune, "keep each layer's largest weights, up to this density", 1e-12, 1},
        {CLI_TEXT, 0, "name", "NAME", &o.name, "name of the network (default: from the file)", 0, 0},
        {CLI_END, 0, NULL, NULL, NULL, NULL, 0, 0},
    };
    int files;
    cli_parsed parsed = cli_parse(command, options, &common, argc, argv, &files);
    if (parsed != CLI_GO) return parsed == CLI_HELP_SHOWN ? 0 : 2;
    if (files < 1) return cli_refuse(command, "weight files are wanted, one per layer in order");
    if (!output) return cli_refuse(command, "-o NET.h5 is needed");
    if (layout && strcmp(layout, "out-in") != 0 && strcmp(layout, "in-out") != 0)
        return cli_refuse(command, "--layout wants out-in or in-out, not '%s'", layout);
    o.orientation_given = layout != NULL;
    o.orientation = layout && strcmp(layout, "in-out") == 0 ? IOA_IN_OUT : IOA_OUT_IN;
    o.bias_value = (float)bias_value;

    ioa_error error = {0};
    ioa_network *network = NULL;
    ioa_import_report report = {0};
    char *bias_copy = bias ? strdup(bias) : NULL, **parts = calloc(MOST_LAYERS, sizeof *parts);
    ioa_status status = IOA_OK;
    if (!parts || (bias && !bias_copy)) status = ioa_fail(&error, IOA_ERR_NOMEM, "out of memory");
    if (status == IOA_OK && bias) {
        int count = cli_split(bias_copy, parts, MOST_LAYERS);
        if (count < 0) status = ioa_fail(&error, IOA_ERR_INPUT, "--bias lists more than %d files", MOST_LAYERS);
        o.bias = (const char *const *)parts;
        o.bias_count = (uint32_t)(count < 0 ? 0 : count);
    }
    if (status == IOA_OK) status = ioa_file_distinct(output, (const char *const *)argv, (size_t)files, &error);
    if (status == IOA_OK) status = ioa_file_distinct(output, o.bias, o.bias_count, &error);
    if (status == IOA_OK) status = ioa_file_distinct(output, &o.model, 1, &error);
    if (status == IOA_OK) status = ioa_file_writable(output, &error);
    reading r = {cli_busy_begin(common.quiet, 0.0), argv, files};
    o.reading = on_file;
    o.context = &r;
    if (status == IOA_OK)
        status = ioa_import((const char *const *)argv, (uint32_t)files, &o, &network, &report, &error);
    cli_busy_step(r.busy, -1.0, "writing %s", output);
    if (status == IOA_OK) status = ioa_network_write(network, output, &error);
    cli_busy_end(r.busy);
    int code = status == IOA_OK ? print_report(&common, output, network, &report) : cli_fail(command, &error);
    ioa_import_report_clear(&report);
    ioa_network_destroy(network);
    free(bias_copy);
    free(parts);
    return code;
}

static void notes(void)
{
    cli_help_section("formats");
    for (uint32_t i = 0; ioa_import_format_name(i); i++)
        cli_help_entry(ioa_import_format_name(i), ioa_import_format_summary(i));
}

const cli_command cli_import = {
    .name = "import",
    .summary = "turn weight files into a network file",
    .usage = "FILE... -o NET.h5 [options]",
    .examples = "  ioanneal import fc1.mtx fc2.mtx fc3.mtx --bias b1.mtx,b2.mtx,b3.mtx -o net.h5\n"
                "  ioanneal import l1.mtx l2.mtx --layout in-out --bias-value -0.3 --activation clipped_relu:32 -o net.h5\n"
                "  ioanneal import weights.h5 --model model.json --prune 0.1 -o net.h5\n"
                "  ioanneal import model.onnx -o net.h5\n"
                "  ioanneal import mlp.npz --activation sigmoid,sigmoid,identity -o net.h5\n"
                "  ioanneal import conv1.smtx conv2.smtx --activation relu,identity -o ffn.h5\n",
    .notes = notes,
    .run = run,
};
