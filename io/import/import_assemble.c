#include "io/import/import_assemble.h"

#include "core/base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static ioa_status allocate_arrays(const ioa_import_work *im, ioa_network_arrays *a, ioa_error *error)
{
    const ioa_model_layer *layers = im->model.layers;
    uint64_t neurons = layers[0].weights.columns, connections = 0;
    bool params = false;
    for (uint32_t l = 0; l < im->model.count; l++) {
        neurons += layers[l].weights.rows;
        connections += layers[l].weights.count;
        params = params || im->activations[l].param != 0 || im->activations[l].code == IOA_ACT_CLIPPED_RELU;
    }
    if (neurons > UINT32_MAX || connections > UINT32_MAX)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: the layers have %" PRIu64 " neurons and %" PRIu64
                        " connections together; the most is 2^32 - 1", im->files[0], neurons, connections);
    a->neurons = (uint32_t)neurons;
    a->inputs = layers[0].weights.columns;
    a->outputs = layers[im->model.count - 1].weights.rows;
    a->layers = im->model.count + 1;
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

static ioa_status fail_duplicate(const ioa_import_work *im, const ioa_model_layer *layer, uint64_t entry,
                                 ioa_error *error)
{
    const ioa_matrix *m = &layer->weights;
    bool turned = layer->orientation == IOA_IN_OUT;
    uint32_t row = turned ? m->column[entry] : m->row[entry], column = turned ? m->row[entry] : m->column[entry];
    uint64_t line = im->format->line_of ? im->format->line_of(layer->path, entry) : 0;
    char where[40] = "";
    if (line) snprintf(where, sizeof where, "line %" PRIu64 ": ", line);
    return ioa_fail(error, IOA_ERR_INPUT, "%s: %s%s%sthe entry in row %" PRIu32 ", column %" PRIu32
                    " (from 0) was given before", layer->path, layer->name, layer->name[0] ? ": " : "", where, row,
                    column);
}

static ioa_status read_bias(const ioa_import_work *im, uint32_t l, float **bias, ioa_error *error)
{
    const ioa_model_layer *layer = &im->model.layers[l];
    const ioa_import_options *o = im->model.options;
    uint32_t rows = layer->weights.rows;
    if (o->bias_count && layer->bias)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: holds biases itself; leave the bias files out", layer->path);
    if (o->bias_count) return ioa_import_vector(o->bias[l], rows, bias, error);
    if (!layer->bias) return IOA_OK;
    if (layer->biases != rows)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: has %" PRIu32 " outputs but %" PRIu64
                        " biases (read as [%s]; is the orientation right?)", layer->path, layer->name, rows,
                        layer->biases, layer->orientation == IOA_OUT_IN ? "out, in" : "in, out");
    *bias = ioa_alloc_copy(layer->bias, rows, sizeof **bias);
    return *bias ? IOA_OK : ioa_fail_nomem(error, "a bias", rows, sizeof **bias);
}

/* Places layer l: its neurons are first .. first + rows - 1, its sources the layer before. */
static ioa_status place_layer(const ioa_import_work *im, uint32_t l, uint32_t first, uint64_t connections,
                              ioa_network_arrays *a, ioa_error *error)
{
    const ioa_model_layer *layer = &im->model.layers[l];
    const ioa_matrix *m = &layer->weights;
    uint64_t duplicate;
    ioa_status status = ioa_matrix_to_rows(m, (int64_t)connections, first - m->columns, a->indptr + first + 1,
                                           a->indices + connections, a->weights + connections, &duplicate, error);
    if (status != IOA_OK) return status;
    if (duplicate != UINT64_MAX) return fail_duplicate(im, layer, duplicate, error);
    float *bias = NULL;
    status = read_bias(im, l, &bias, error);
    if (status != IOA_OK) return status;
    for (uint32_t i = 0; i < m->rows; i++) {
        a->bias[first + i] = bias ? bias[i] : im->model.options->bias_value;
        a->activation[first + i] = im->activations[l].code;
        if (a->param) a->param[first + i] = im->activations[l].param;
    }
    ioa_free(bias);
    a->layer_offsets[l + 1] = first;
    return IOA_OK;
}

static ioa_status name_network(const ioa_import_work *im, ioa_network_arrays *a, ioa_error *error)
{
    const char *given = im->model.options->name, *name = given, *path = im->files[0];
    if (!name) {
        const char *slash = strrchr(path, '/');
        name = slash ? slash + 1 : path;
    }
    size_t length = strlen(name), tail = strlen(im->format->extension);
    if (!given && length > tail && strcmp(name + length - tail, im->format->extension) == 0) length -= tail;
    char *copy = ioa_alloc(length + 1, 1);
    if (!copy) return ioa_fail_nomem(error, "a name", length + 1, 1);
    memcpy(copy, name, length);
    copy[length] = '\0';
    a->name = copy;
    return IOA_OK;
}

static ioa_status fill_arrays(const ioa_import_work *im, ioa_network_arrays *a, ioa_error *error)
{
    ioa_status status = allocate_arrays(im, a, error);
    if (status != IOA_OK) return status;
    uint64_t connections = 0;
    uint32_t first = a->inputs;
    a->layer_offsets[0] = 0;
    for (uint32_t l = 0; l < im->model.count && status == IOA_OK; l++) {
        status = place_layer(im, l, first, connections, a, error);
        connections += im->model.layers[l].weights.count;
        first += im->model.layers[l].weights.rows;
    }
    if (status != IOA_OK) return status;
    a->layer_offsets[a->layers] = a->neurons;
    for (uint32_t i = 0; i < a->inputs; i++) a->input_ids[i] = i;
    for (uint32_t i = 0; i < a->outputs; i++) a->output_ids[i] = a->neurons - a->outputs + i;
    return name_network(im, a, error);
}

/* Neurons of each layer that the next one does not read. */
static ioa_status count_dead(const ioa_import_work *im, ioa_import_layer *layers, ioa_error *error)
{
    for (uint32_t l = 0; l + 1 < im->model.count; l++) {
        const ioa_matrix *next = &im->model.layers[l + 1].weights;
        bool *read = ioa_alloc_zero(next->columns, sizeof *read);
        if (!read) return ioa_fail_nomem(error, "the report", next->columns, 1);
        for (uint64_t i = 0; i < next->count; i++) read[next->column[i]] = true;
        for (uint32_t c = 0; c < next->columns; c++) layers[l].dead += !read[c];
        ioa_free(read);
    }
    return IOA_OK;
}

static void describe_layer(const ioa_import_work *im, uint32_t l, ioa_import_layer *layer)
{
    const ioa_model_layer *from = &im->model.layers[l];
    const ioa_import_activation *act = &im->activations[l];
    layer->rows = from->weights.rows;
    layer->columns = from->weights.columns;
    layer->orientation = from->orientation;
    layer->connections = from->weights.count;
    snprintf(layer->name, sizeof layer->name, "%s", from->name);
    if (act->code == IOA_ACT_LEAKY_RELU || act->code == IOA_ACT_CLIPPED_RELU)
        snprintf(layer->activation, sizeof layer->activation, "%s:%g", ioa_activation_name(act->code), (double)act->param);
    else
        snprintf(layer->activation, sizeof layer->activation, "%s", ioa_activation_name(act->code));
}

static ioa_status make_report(const ioa_import_work *im, ioa_import_report *report, ioa_error *error)
{
    ioa_import_report r = {.count = im->model.count};
    snprintf(r.format, sizeof r.format, "%s", im->format->name);
    snprintf(r.warning, sizeof r.warning, "%s", im->model.warning);
    ioa_text_clean(r.warning);
    r.layers = ioa_alloc_zero(r.count, sizeof *r.layers);
    if (!r.layers) return ioa_fail_nomem(error, "the report", r.count, sizeof *r.layers);
    for (uint32_t l = 0; l < r.count; l++) describe_layer(im, l, &r.layers[l]);
    ioa_status status = count_dead(im, r.layers, error);
    if (status == IOA_OK)
        *report = r;
    else
        ioa_import_report_clear(&r);
    return status;
}

ioa_status ioa_import_assemble(const ioa_import_work *im, ioa_network **network, ioa_import_report *report,
                               ioa_error *error)
{
    ioa_network_arrays arrays = {0};
    ioa_import_report found = {0};
    uint32_t given = im->model.options->bias_count;
    if (im->model.count == 0) return ioa_fail(error, IOA_ERR_INPUT, "%s: holds no layer", im->files[0]);
    if (given != 0 && given != im->model.count)
        return ioa_fail(error, IOA_ERR_INPUT, "%" PRIu32 " bias files are given for %" PRIu32 " layers", given,
                        im->model.count);
    ioa_status status = fill_arrays(im, &arrays, error);
    if (status == IOA_OK && report) status = make_report(im, &found, error);
    if (status == IOA_OK) {
        status = ioa_network_create(&arrays, network, error);
        if (status != IOA_OK) ioa_fail_prefix(error, status, "%s", im->files[0]);
    }
    if (status == IOA_OK && report)
        *report = found;
    else
        ioa_import_report_clear(&found);
    ioa_network_arrays_free(&arrays);
    return status;
}

ioa_status ioa_import_vector(const char *path, uint64_t length, float **values, ioa_error *error)
{
    size_t end = strlen(path);
    bool npy = end > 4 && strcmp(path + end - 4, ".npy") == 0;
    return npy ? ioa_import_npy_vector(path, length, values, error) : ioa_import_mtx_vector(path, length, values, error);
}

void ioa_import_report_clear(ioa_import_report *report)
{
    ioa_free(report->layers);
    *report = (ioa_import_report){0};
}
