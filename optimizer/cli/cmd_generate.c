#include "core/generate/generate.h"
#include "io/archive/network_file.h"
#include "io/base/atomic_file.h"
#include "io/import/import.h"
#include "optimizer/cli/cli.h"
#include "optimizer/cli/progress.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#define MOST_LAYERS 4096

typedef struct generate_options {
    const char *output, *widths, *radices, *activation, *last;
    double density, outside;
    uint64_t seed, layers, inputs, neurons, memory, fan_in, width, communities, outputs, reach;
    bool permute;
} generate_options;

static ioa_status parse_list(const char *name, const char *text, uint32_t *numbers, uint32_t *count, ioa_error *error)
{
    *count = 0;
    for (const char *at = text;;) {
        size_t length = strcspn(at, ",");
        char part[24];
        uint64_t number = 0;
        if (length < sizeof part) {
            memcpy(part, at, length);
            part[length] = '\0';
        }
        if (length >= sizeof part || !cli_number(part, &number) || number == 0 || number > INT32_MAX)
            return ioa_fail(error, IOA_ERR_INPUT, "--%s wants whole numbers such as 784,1000,10, not '%s'", name, text);
        if (*count == MOST_LAYERS)
            return ioa_fail(error, IOA_ERR_INPUT, "--%s lists more than %d numbers", name, MOST_LAYERS);
        numbers[(*count)++] = (uint32_t)number;
        if (at[length] == '\0') return IOA_OK;
        at += length + 1;
    }
}

static ioa_status make_mlp(const generate_options *o, const ioa_generate_common *common, ioa_network **network,
                           ioa_error *error)
{
    uint32_t widths[MOST_LAYERS], count;
    ioa_status status = parse_list("widths", o->widths, widths, &count, error);
    return status == IOA_OK ? ioa_generate_mlp(widths, count, o->density, common, network, error) : status;
}

static ioa_status make_community(const generate_options *o, const ioa_generate_common *common, ioa_network **network,
                                 ioa_error *error)
{
    return ioa_generate_community((uint32_t)o->width, (uint32_t)o->layers + 1, (uint32_t)o->communities, o->density,
                                  o->outside, common, network, error);
}

static ioa_status make_radixnet(const generate_options *o, const ioa_generate_common *common, ioa_network **network,
                                ioa_error *error)
{
    uint32_t radices[MOST_LAYERS], count;
    ioa_status status = parse_list("radices", o->radices, radices, &count, error);
    return status == IOA_OK ? ioa_generate_radixnet(radices, count, (uint32_t)o->layers, common, network, error) : status;
}

static ioa_status make_compact_growth(const generate_options *o, const ioa_generate_common *common,
                                      ioa_network **network, ioa_error *error)
{
    return ioa_generate_compact_growth((uint32_t)o->inputs, (uint32_t)o->neurons, (uint32_t)o->memory,
                                       (uint32_t)o->fan_in, common, network, error);
}

static ioa_status make_dag(const generate_options *o, const ioa_generate_common *common, ioa_network **network,
                           ioa_error *error)
{
    return ioa_generate_dag((uint32_t)o->inputs, (uint32_t)o->neurons, (uint32_t)o->outputs, (uint32_t)o->fan_in,
                            (uint32_t)o->reach, common, network, error);
}

/* Kinds of networks; KINDS names them in messages. */
#define KINDS "mlp, community, radixnet, compact-growth and dag"
static const struct {
    const char *name;
    ioa_status (*make)(const generate_options *o, const ioa_generate_common *common, ioa_network **network,
                       ioa_error *error);
} kinds[] = {
    {"mlp", make_mlp},
    {"community", make_community},
    {"radixnet", make_radixnet},
    {"compact-growth", make_compact_growth},
    {"dag", make_dag},
};
enum { KIND_COUNT = sizeof kinds / sizeof *kinds };

/* Its index, or KIND_COUNT. */
static size_t find_kind(const char *name)
{
    size_t kind = 0;
    while (kind < KIND_COUNT && strcmp(name, kinds[kind].name) != 0) kind++;
    return kind;
}

/* Options for some kinds alone. ROW(type, name, argument, where it goes, kinds, help, least, most) */
#define LIMITED_OPTIONS(ROW)                                                                                           \
    ROW(TEXT, "widths", "A,B,..", widths, "mlp", "neurons per layer (default 500,500,500,500)", 0, 0)                  \
    ROW(REAL, "density", "D", density, "mlp, community", "share of connections present (0.1)", 1e-12, 1)               \
    ROW(REAL, "outside", "D", outside, "community", "the same between communities (default 0.01)", 0, 1)               \
    ROW(COUNT, "width", "N", width, "community", "neurons per layer (default 512)", 1, 2e9)                            \
    ROW(COUNT, "communities", "N", communities, "community", "groups per layer (default 8)", 1, 2e9)                   \
    ROW(TEXT, "radices", "A,B,..", radices, "radixnet", "radices, their product is the width (32,32)", 0, 0)           \
    ROW(COUNT, "layers", "L", layers, "radixnet, community", "layers of connections (2)", 1, 1e6)                      \
    ROW(COUNT, "inputs", "I", inputs, "compact-growth, dag", "inputs (default 100)", 1, 2e9)                           \
    ROW(COUNT, "neurons", "N", neurons, "compact-growth, dag", "other neurons (default 1000)", 1, 2e9)                 \
    ROW(COUNT, "memory", "M", memory, "compact-growth", "memory it is optimal for (default 100)", 3, 2e9)              \
    ROW(COUNT, "fan-in", "F", fan_in, "compact-growth, dag", "sources per neuron (default 8)", 1, 2e9)                 \
    ROW(COUNT, "outputs", "S", outputs, "dag", "outputs (default 10)", 1, 2e9)                                         \
    ROW(COUNT, "reach", "N", reach, "dag", "sources among the N neurons before; 0: all (default)", 0, 2e9)

#define OPTION_ROW(type, name, argument, where, only, help, least, most)                                               \
    {CLI_##type, 0, name, argument, &o.where, only ": " help, least, most},
#define LIMIT_ROW(type, name, argument, where, only, help, least, most)                                                \
    {name, only, offsetof(generate_options, where), sizeof((generate_options){0}.where)},

static const struct limit {
    const char *name, *only;
    size_t at, size;
} limits[] = {LIMITED_OPTIONS(LIMIT_ROW)};

/* The first option that was given and is for other kinds only, or NULL. No kind's name is part of another's. */
static const struct limit *of_other_kinds(const char *kind, const generate_options *given,
                                          const generate_options *defaults)
{
    for (const struct limit *l = limits; l < limits + sizeof limits / sizeof *limits; l++)
        if (!strstr(l->only, kind) && memcmp((const char *)given + l->at, (const char *)defaults + l->at, l->size) != 0)
            return l;
    return NULL;
}

/* The network, then what is made of it. */
static ioa_status generate(const generate_options *o, size_t kind, const ioa_import_activation *hidden,
                           const ioa_import_activation *last, ioa_network **network, ioa_error *error)
{
    const ioa_generate_common shared = {.seed = o->seed, .hidden = (ioa_activation)hidden->code,
                                        .last = (ioa_activation)last->code};
    ioa_network *made = NULL, *next = NULL;
    ioa_status status = kinds[kind].make(o, &shared, &made, error);
    if (status == IOA_OK && o->permute) {
        status = ioa_network_permute(made, o->seed, &next, error);
        ioa_network_destroy(made);
        made = next;
    }
    if (status == IOA_OK && (hidden->param != 0.0f || last->param != 0.0f)) {
        next = NULL;
        status = ioa_network_parametrize(made, hidden->param, last->param, &next, error);
        ioa_network_destroy(made);
        made = next;
    }
    *network = made;
    return status;
}

static int report(const cli_common *common, const char *path, const ioa_network *network)
{
    ioa_bounds bounds = ioa_network_bounds(network);
    uint64_t w = ioa_network_connections(network);
    const ioa_network_arrays *a = ioa_network_view(network);
    if (common->json) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "file", path);
        cli_json_count(json, "neurons", a->neurons);
        cli_json_count(json, "connections", w);
        cli_json_count(json, "inputs", a->inputs);
        cli_json_count(json, "outputs", a->outputs);
        cli_json_count(json, "lower_bound", bounds.lower);
        return cli_print_json(json);
    }
    char text[4][32];
    printf("%s: %s neurons, %s connections, %s inputs, %s outputs\n", path, cli_grouped(a->neurons, text[0]),
           cli_grouped(w, text[1]), cli_grouped(a->inputs, text[2]), cli_grouped(a->outputs, text[3]));
    return cli_finish_output();
}

static int run(const cli_command *command, int argc, char **argv)
{
    generate_options o = {.density = 0.1, .seed = 1, .layers = 2, .inputs = 100, .neurons = 1000, .memory = 100,
                          .fan_in = 8, .width = 512, .communities = 8, .outputs = 10, .outside = 0.01,
                          .widths = "500,500,500,500", .radices = "32,32", .activation = "relu", .last = "identity"};
    const generate_options defaults = o;
    cli_common common = {0};
    const cli_option options[] = {
        {CLI_TEXT, 'o', "output", "NET.h5", &o.output, "network file to write (required)", 0, 0},
        {CLI_COUNT, 0, "seed", "N", &o.seed, "same seed, same network, anywhere (default 1)", 0, 0},
        LIMITED_OPTIONS(OPTION_ROW)
        {CLI_FLAG, 0, "permute", NULL, &o.permute, "renumber the neurons of each layer at random", 0, 0},
        {CLI_TEXT, 0, "activation", "NAME", &o.activation, "of hidden neurons, NAME[:PARAM] (default relu)", 0, 0},
        {CLI_TEXT, 0, "last", "NAME", &o.last, "of outputs, likewise (default identity)", 0, 0},
        {CLI_END, 0, NULL, NULL, NULL, NULL, 0, 0},
    };
    int files;
    cli_parsed parsed = cli_parse(command, options, &common, argc, argv, &files);
    if (parsed != CLI_GO) return parsed == CLI_HELP_SHOWN ? 0 : 2;
    if (files != 1) return cli_refuse(command, "one kind is wanted: there are %s", KINDS);
    if (!o.output) return cli_refuse(command, "-o NET.h5 is needed");
    size_t kind = find_kind(argv[0]);
    if (kind == KIND_COUNT) return cli_refuse(command, "unknown kind '%s': there are %s", argv[0], KINDS);
    const struct limit *stray = of_other_kinds(argv[0], &o, &defaults);
    if (stray) return cli_refuse(command, "--%s is for %s, not for %s", stray->name, stray->only, argv[0]);
    ioa_import_activation hidden, last;
    ioa_network *network = NULL;
    ioa_error error = {0};
    if (ioa_import_parse_activation(o.activation, strlen(o.activation), &hidden, &error) != IOA_OK ||
        ioa_import_parse_activation(o.last, strlen(o.last), &last, &error) != IOA_OK)
        return cli_fail(command, &error);
    cli_busy *busy = cli_busy_begin(common.quiet, 0.0);
    cli_busy_step(busy, -1.0, "generating");
    ioa_status status = ioa_file_writable(o.output, &error);
    if (status == IOA_OK) status = generate(&o, kind, &hidden, &last, &network, &error);
    cli_busy_step(busy, -1.0, "writing %s", o.output);
    if (status == IOA_OK) status = ioa_network_write(network, o.output, &error);
    cli_busy_end(busy);
    int code = status == IOA_OK ? report(&common, o.output, network) : cli_fail(command, &error);
    ioa_network_destroy(network);
    return code;
}

const cli_command cli_generate = {
    .name = "generate",
    .summary = "make a network from a seed",
    .usage = "mlp|community|radixnet|compact-growth|dag -o NET.h5 [options]",
    .examples = "  ioanneal generate mlp --widths 784,1000,1000,10 --density 0.01 --seed 7 -o net.h5\n"
                "  ioanneal generate radixnet --radices 32,32 --layers 30 --activation clipped_relu:32 -o radix.h5\n"
                "  ioanneal generate compact-growth --neurons 10k --memory 32 -o grown.h5\n"
                "  ioanneal generate community --width 4096 --communities 64 --permute -o hidden.h5\n",
    .run = run,
};
