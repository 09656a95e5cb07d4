/* Importers: the table of formats, options, and the assembly of layers into a network. */
#include "io/import.h"

#include "core/mem.h"
#include "io/import_format.h"

#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const ioa_import_format *const formats[] = {&ioa_import_mtx, &ioa_import_smtx};
enum { FORMATS = sizeof formats / sizeof formats[0] };

#define LEAKY_SLOPE 0.01f

typedef struct activation {
    uint8_t code;
    float param;
} activation;

/* Everything an import holds while it runs. */
typedef struct import {
    const char *const *files;
    uint32_t count; /* layers = weight files */
    const ioa_import_options *options;
    const ioa_import_format *format;
    ioa_orientation orientation;
    ioa_matrix *layers;      /* [count], [out, in] once read */
    activation *activations; /* [count] */
    ioa_network_arrays arrays;
} import;

const char *ioa_import_format_name(uint32_t index)
{
    return index < FORMATS ? formats[index]->name : NULL;
}

static ioa_status find_format(import *im, ioa_error *error)
{
    const char *wanted = im->options->format, *path = im->files[0];
    size_t length = strlen(path);
    for (uint32_t i = 0; i < FORMATS; i++) {
        size_t tail = strlen(formats[i]->extension);
        if (wanted ? strcmp(wanted, formats[i]->name) == 0
                   : length > tail && strcmp(path + length - tail, formats[i]->extension) == 0) {
            im->format = formats[i];
            return IOA_OK;
        }
    }
    if (wanted) return ioa_fail(error, IOA_ERR_INPUT, "unknown format \"%s\"; there are mtx and smtx", wanted);
    return ioa_fail(error, IOA_ERR_INPUT, "%s: the format cannot be told from the name; there are mtx and smtx", path);
}

/* One NAME[:PARAM] of `length` bytes. */
static ioa_status parse_activation(const char *text, size_t length, activation *result, ioa_error *error)
{
    char name[64];
    if (length >= sizeof name) length = sizeof name - 1;
    memcpy(name, text, length);
    name[length] = '\0';
    char *colon = strchr(name, ':');
    if (colon) *colon = '\0';
    int code = ioa_activation_from_name(name);
    if (code < 0) return ioa_fail(error, IOA_ERR_INPUT, "unknown activation \"%s\"", name);
    *result = (activation){.code = (uint8_t)code};
    bool takes = code == IOA_ACT_LEAKY_RELU || code == IOA_ACT_CLIPPED_RELU;
    if (colon && !takes) return ioa_fail(error, IOA_ERR_INPUT, "activation %s takes no parameter", name);
    if (!colon && code == IOA_ACT_CLIPPED_RELU)
        return ioa_fail(error, IOA_ERR_INPUT, "activation clipped_relu needs its upper end, as in clipped_relu:32");
    if (!colon && code == IOA_ACT_LEAKY_RELU) result->param = LEAKY_SLOPE;
    if (!colon) return IOA_OK;

    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!plain) return ioa_fail_nomem(error, "a locale", 1, 1);
    locale_t saved = uselocale(plain);
    char *end;
    result->param = strtof(colon + 1, &end);
    uselocale(saved);
    freelocale(plain);
    if (end == colon + 1 || *end || !isfinite(result->param))
        return ioa_fail(error, IOA_ERR_INPUT, "activation %s: \"%s\" is not a number", name, colon + 1);
    return IOA_OK;
}

static ioa_status parse_activations(import *im, ioa_error *error)
{
    const char *list = im->options->activation;
    if (!list) {
        for (uint32_t l = 0; l < im->count; l++)
            im->activations[l].code = l + 1 < im->count ? IOA_ACT_RELU : IOA_ACT_IDENTITY;
        return IOA_OK;
    }
    uint32_t given = 1;
    for (const char *c = list; *c; c++) given += *c == ',';
    if (given != 1 && given != im->count)
        return ioa_fail(error, IOA_ERR_INPUT, "%" PRIu32 " activations are given for %" PRIu32 " layers", given, im->count);
    for (uint32_t l = 0; l < im->count; l++) {
        size_t length = strcspn(list, ",");
        ioa_status status = parse_activation(list, length, &im->activations[l], error);
        if (status != IOA_OK) return status;
        if (given > 1) list += length + (list[length] == ',');
    }
    return IOA_OK;
}

static ioa_status check_options(import *im, ioa_error *error)
{
    const ioa_import_options *o = im->options;
    if (im->count == 0) return ioa_fail(error, IOA_ERR_INPUT, "there is no weight file to import");
    if (o->bias_count != 0 && o->bias_count != im->count)
        return ioa_fail(error, IOA_ERR_INPUT, "%" PRIu32 " bias files are given for %" PRIu32 " layers", o->bias_count,
                        im->count);
    if (!isfinite(o->bias_value)) return ioa_fail(error, IOA_ERR_INPUT, "the bias value is not finite");
    if (!(o->prune >= 0 && o->prune <= 1))
        return ioa_fail(error, IOA_ERR_INPUT, "a density to prune to must be above 0 and at most 1");
    ioa_status status = find_format(im, error);
    if (status != IOA_OK) return status;
    im->orientation = o->orientation_given ? o->orientation : im->format->orientation;
    return parse_activations(im, error);
}

/* To the wanted density: connections / (rows x columns). What is sparser stays as it is. */
static ioa_status prune_layer(const import *im, ioa_matrix *m, ioa_error *error)
{
    double density = im->options->prune;
    if (density == 0 || density == 1) return IOA_OK;
    double wanted = floor(density * (double)m->rows * (double)m->columns + 0.5);
    return wanted >= (double)m->count ? IOA_OK : ioa_matrix_prune(m, (uint64_t)wanted, error);
}

static ioa_status read_layer(import *im, uint32_t l, ioa_error *error)
{
    ioa_matrix *m = &im->layers[l];
    ioa_status status = im->format->read(im->files[l], m, error);
    if (status != IOA_OK) return status;
    if (im->orientation == IOA_IN_OUT) ioa_matrix_transpose(m);
    if (l > 0 && m->columns != im->layers[l - 1].rows)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: layer %" PRIu32 " has %" PRIu32 " inputs, but the layer before it has %"
                        PRIu32 " outputs (read as [%s]; is the orientation right?)", im->files[l], l + 1, m->columns,
                        im->layers[l - 1].rows, im->orientation == IOA_OUT_IN ? "out, in" : "in, out");
    if (!m->value) status = ioa_matrix_invent_values(m, l, error);
    return status == IOA_OK ? prune_layer(im, m, error) : status;
}

static ioa_status allocate_arrays(import *im, ioa_error *error)
{
    ioa_network_arrays *a = &im->arrays;
    uint64_t neurons = im->layers[0].columns, connections = 0;
    bool params = false;
    for (uint32_t l = 0; l < im->count; l++) {
        neurons += im->layers[l].rows;
        connections += im->layers[l].count;
        params = params || im->activations[l].param != 0 || im->activations[l].code == IOA_ACT_CLIPPED_RELU;
    }
    if (neurons > UINT32_MAX || connections > UINT32_MAX)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: the layers have %" PRIu64 " neurons and %" PRIu64
                        " connections together; the most is 2^32 - 1", im->files[0], neurons, connections);
    a->neurons = (uint32_t)neurons;
    a->inputs = im->layers[0].columns;
    a->outputs = im->layers[im->count - 1].rows;
    a->layers = im->count + 1;
    a->indptr = ioa_alloc_zero(neurons + 1, sizeof *a->indptr);
    a->indices = ioa_alloc(connections, sizeof *a->indices);
    a->weights = ioa_alloc(connections, sizeof *a->weights);
    a->bias = ioa_alloc_zero(neurons, sizeof *a->bias);
    a->activation = ioa_alloc_zero(neurons, sizeof *a->activation);
    a->param = params ? ioa_alloc_zero(neurons, sizeof *a->param) : NULL;
    a->input_ids = ioa_alloc(a->inputs, sizeof *a->input_ids);
    a->output_ids = ioa_alloc(a->outputs, sizeof *a->output_ids);
    a->layer_offsets = ioa_alloc((uint64_t)a->layers + 1, sizeof *a->layer_offsets);
    bool complete = a->indptr && a->indices && a->weights && a->bias && a->activation && (a->param || !params) &&
                    a->input_ids && a->output_ids && a->layer_offsets;
    return complete ? IOA_OK : ioa_fail_nomem(error, "the network", connections, 8);
}

static ioa_status fail_duplicate(const import *im, uint32_t l, uint64_t entry, ioa_error *error)
{
    const ioa_matrix *m = &im->layers[l];
    bool turned = im->orientation == IOA_IN_OUT;
    uint32_t row = turned ? m->column[entry] : m->row[entry], column = turned ? m->row[entry] : m->column[entry];
    uint64_t line = im->format->line_of ? im->format->line_of(im->files[l], entry) : 0;
    char where[40] = "";
    if (line) snprintf(where, sizeof where, "line %" PRIu64 ": ", line);
    return ioa_fail(error, IOA_ERR_INPUT, "%s: %sthe entry in row %" PRIu32 ", column %" PRIu32
                    " (from 0) was given before", im->files[l], where, row, column);
}

/* Places layer l: its neurons are first .. first + rows - 1, its sources the layer before. */
static ioa_status place_layer(import *im, uint32_t l, uint32_t first, uint64_t connections, ioa_error *error)
{
    ioa_network_arrays *a = &im->arrays;
    ioa_matrix *m = &im->layers[l];
    uint64_t duplicate;
    ioa_status status = ioa_matrix_to_rows(m, (int64_t)connections, first - m->columns, a->indptr + first + 1,
                                           a->indices + connections, a->weights + connections, &duplicate, error);
    if (status != IOA_OK) return status;
    if (duplicate != UINT64_MAX) return fail_duplicate(im, l, duplicate, error);
    float *bias = NULL;
    if (im->options->bias_count) {
        status = ioa_import_vector(im->options->bias[l], m->rows, &bias, error);
        if (status != IOA_OK) return status;
    }
    for (uint32_t i = 0; i < m->rows; i++) {
        a->bias[first + i] = bias ? bias[i] : im->options->bias_value;
        a->activation[first + i] = im->activations[l].code;
        if (a->param) a->param[first + i] = im->activations[l].param;
    }
    ioa_free(bias);
    a->layer_offsets[l + 1] = first;
    return IOA_OK;
}

static ioa_status name_network(import *im, ioa_error *error)
{
    const char *name = im->options->name, *path = im->files[0];
    if (!name) {
        const char *slash = strrchr(path, '/');
        name = slash ? slash + 1 : path;
    }
    size_t length = strlen(name), tail = strlen(im->format->extension);
    if (!im->options->name && length > tail && strcmp(name + length - tail, im->format->extension) == 0) length -= tail;
    char *copy = ioa_alloc(length + 1, 1);
    if (!copy) return ioa_fail_nomem(error, "a name", length + 1, 1);
    memcpy(copy, name, length);
    copy[length] = '\0';
    im->arrays.name = copy;
    return IOA_OK;
}

static ioa_status assemble(import *im, ioa_error *error)
{
    ioa_network_arrays *a = &im->arrays;
    ioa_status status = allocate_arrays(im, error);
    if (status != IOA_OK) return status;
    uint64_t connections = 0;
    uint32_t first = a->inputs;
    a->layer_offsets[0] = 0;
    for (uint32_t l = 0; l < im->count && status == IOA_OK; l++) {
        status = place_layer(im, l, first, connections, error);
        connections += im->layers[l].count;
        first += im->layers[l].rows;
    }
    if (status != IOA_OK) return status;
    a->layer_offsets[a->layers] = a->neurons;
    for (uint32_t i = 0; i < a->inputs; i++) a->input_ids[i] = i;
    for (uint32_t i = 0; i < a->outputs; i++) a->output_ids[i] = a->neurons - a->outputs + i;
    return name_network(im, error);
}

/* Neurons of each layer that the next one does not read. */
static ioa_status count_dead(const import *im, ioa_import_layer *layers, ioa_error *error)
{
    for (uint32_t l = 0; l + 1 < im->count; l++) {
        const ioa_matrix *next = &im->layers[l + 1];
        bool *read = ioa_alloc_zero(next->columns, sizeof *read);
        if (!read) return ioa_fail_nomem(error, "the report", next->columns, 1);
        for (uint64_t i = 0; i < next->count; i++) read[next->column[i]] = true;
        for (uint32_t c = 0; c < next->columns; c++) layers[l].dead += !read[c];
        ioa_free(read);
    }
    return IOA_OK;
}

static ioa_status make_report(const import *im, ioa_import_report *report, ioa_error *error)
{
    ioa_import_report r = {.count = im->count};
    snprintf(r.format, sizeof r.format, "%s", im->format->name);
    r.layers = ioa_alloc_zero(im->count, sizeof *r.layers);
    if (!r.layers) return ioa_fail_nomem(error, "the report", im->count, sizeof *r.layers);
    for (uint32_t l = 0; l < im->count; l++) {
        const ioa_matrix *m = &im->layers[l];
        const activation *act = &im->activations[l];
        ioa_import_layer *layer = &r.layers[l];
        layer->rows = m->rows;
        layer->columns = m->columns;
        layer->orientation = im->orientation;
        layer->connections = m->count;
        if (act->code == IOA_ACT_LEAKY_RELU || act->code == IOA_ACT_CLIPPED_RELU)
            snprintf(layer->activation, sizeof layer->activation, "%s:%g", ioa_activation_name(act->code),
                     (double)act->param);
        else
            snprintf(layer->activation, sizeof layer->activation, "%s", ioa_activation_name(act->code));
    }
    ioa_status status = count_dead(im, r.layers, error);
    if (status == IOA_OK)
        *report = r;
    else
        ioa_import_report_clear(&r);
    return status;
}

ioa_status ioa_import(const char *const *files, uint32_t count, const ioa_import_options *options,
                      ioa_network **network, ioa_import_report *report, ioa_error *error)
{
    import im = {.files = files, .count = count, .options = options};
    ioa_import_report found = {0};
    ioa_status status = IOA_OK;
    im.layers = ioa_alloc_zero(count, sizeof *im.layers);
    im.activations = ioa_alloc_zero(count, sizeof *im.activations);
    if (!im.layers || !im.activations) status = ioa_fail_nomem(error, "an import", count, sizeof *im.layers);
    if (status == IOA_OK) status = check_options(&im, error);
    for (uint32_t l = 0; l < count && status == IOA_OK; l++) status = read_layer(&im, l, error);
    if (status == IOA_OK) status = assemble(&im, error);
    if (status == IOA_OK && report) status = make_report(&im, &found, error);
    if (status == IOA_OK) {
        status = ioa_network_create(&im.arrays, network, error);
        if (status != IOA_OK) ioa_fail_prefix(error, status, "%s", files[0]);
    }
    if (status == IOA_OK && report)
        *report = found;
    else
        ioa_import_report_clear(&found);
    for (uint32_t l = 0; l < count && im.layers; l++) ioa_matrix_clear(&im.layers[l]);
    ioa_free(im.layers);
    ioa_free(im.activations);
    ioa_network_arrays_free(&im.arrays);
    return status;
}

void ioa_import_report_clear(ioa_import_report *report)
{
    ioa_free(report->layers);
    *report = (ioa_import_report){0};
}
