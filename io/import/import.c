/* Importers: the table of formats, options, and reading the files of all layers. Assembly: import_assemble.c. */
#include "io/import/import_assemble.h"

#include "core/base/mem.h"
#include "core/model/network.h"

#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const ioa_import_format *const formats[] = {&ioa_import_mtx,   &ioa_import_smtx, &ioa_import_tsv,
                                                   &ioa_import_keras, &ioa_import_keras3, &ioa_import_npy,  &ioa_import_npz,
                                                   &ioa_import_safetensors, &ioa_import_onnx};
enum { FORMATS = sizeof formats / sizeof formats[0] };
#define FORMAT_NAMES "mtx, smtx, tsv, keras (.h5), keras3 (.keras), npy, npz, safetensors and onnx"

#define LEAKY_SLOPE 0.01f

const char *ioa_import_format_name(uint32_t index)
{
    return index < FORMATS ? formats[index]->name : NULL;
}

const char *ioa_import_format_summary(uint32_t index)
{
    return index < FORMATS ? formats[index]->summary : NULL;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length > tail && strcmp(text + length - tail, end) == 0;
}

static ioa_status find_format(ioa_import_work *im, ioa_error *error)
{
    const char *wanted = im->model.options->format, *path = im->files[0];
    for (uint32_t i = 0; i < FORMATS; i++)
        if (wanted ? strcmp(wanted, formats[i]->name) == 0 : ends_with(path, formats[i]->extension)) {
            im->format = formats[i];
            return IOA_OK;
        }
    if (wanted) return ioa_fail(error, IOA_ERR_INPUT, "unknown format \"%s\"; there are " FORMAT_NAMES, wanted);
    bool torch = ends_with(path, ".pt") || ends_with(path, ".pth");
    return ioa_fail(error, IOA_ERR_INPUT, "%s: the format cannot be told from the name; there are " FORMAT_NAMES "%s", path,
                    torch ? "; the Python package in io/python converts PyTorch's modules (from_torch)" : "");
}

ioa_status ioa_import_parse_activation(const char *text, size_t length, ioa_import_activation *result, ioa_error *error)
{
    char name[64];
    if (length >= sizeof name) length = sizeof name - 1;
    memcpy(name, text, length);
    name[length] = '\0';
    char *colon = strchr(name, ':');
    if (colon) *colon = '\0';
    int code = ioa_activation_from_name(name);
    if (code < 0) return ioa_fail(error, IOA_ERR_INPUT, "unknown activation \"%s\"", name);
    *result = (ioa_import_activation){.code = (uint8_t)code};
    if (colon && !ioa_activation_takes_param((unsigned)code)) return ioa_fail(error, IOA_ERR_INPUT, "activation %s takes no parameter", name);
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

/* Without a list each layer keeps what its file says; the rest are relu, the last one identity. */
static ioa_status default_activations(ioa_import_work *im, ioa_error *error)
{
    ioa_status status = IOA_OK;
    for (uint32_t l = 0; l < im->model.count && status == IOA_OK; l++) {
        const ioa_model_layer *layer = &im->model.layers[l];
        if (layer->activation[0])
            status = ioa_import_parse_activation(layer->activation, strlen(layer->activation), &im->activations[l], error);
        else
            im->activations[l].code = l + 1 < im->model.count ? IOA_ACT_RELU : IOA_ACT_IDENTITY;
    }
    return status;
}

static ioa_status parse_activations(ioa_import_work *im, ioa_error *error)
{
    const char *list = im->model.options->activation;
    uint32_t layers = im->model.count;
    im->activations = ioa_alloc_zero(layers, sizeof *im->activations);
    if (!im->activations) return ioa_fail_nomem(error, "activations", layers, sizeof *im->activations);
    if (!list) return default_activations(im, error);
    uint32_t given = 1;
    for (const char *c = list; *c; c++) given += *c == ',';
    if (given != 1 && given != layers)
        return ioa_fail(error, IOA_ERR_INPUT, "%" PRIu32 " activations are given for %" PRIu32 " layers", given, layers);
    for (uint32_t l = 0; l < layers; l++) {
        size_t length = strcspn(list, ",");
        ioa_status status = ioa_import_parse_activation(list, length, &im->activations[l], error);
        if (status != IOA_OK) return status;
        if (given > 1) list += length + (list[length] == ',');
    }
    return IOA_OK;
}

static ioa_status check_options(ioa_import_work *im, ioa_error *error)
{
    const ioa_import_options *o = im->model.options;
    if (im->files_count == 0) return ioa_fail(error, IOA_ERR_INPUT, "there is no weight file to import");
    if (!isfinite(o->bias_value)) return ioa_fail(error, IOA_ERR_INPUT, "the bias value is not finite");
    if (!(o->prune >= 0 && o->prune <= 1))
        return ioa_fail(error, IOA_ERR_INPUT, "a density to prune to must be above 0 and at most 1");
    ioa_status status = find_format(im, error);
    if (status != IOA_OK) return status;
    if (o->model && im->format != &ioa_import_keras && im->format != &ioa_import_keras3)
        return ioa_fail(error, IOA_ERR_INPUT, "a model's JSON belongs to keras files, not to %s", im->format->name);
    if (o->tensors && im->format != &ioa_import_npz && im->format != &ioa_import_safetensors)
        return ioa_fail(error, IOA_ERR_INPUT, "names of tensors are for npz and safetensors, not for %s", im->format->name);
    return IOA_OK;
}

static ioa_status read_file(ioa_import_work *im, const char *path, ioa_error *error)
{
    ioa_model_layer *layer;
    if (im->format->read_model) return im->format->read_model(path, &im->model, error);
    ioa_status status = ioa_model_add(&im->model, path, "", &layer, error);
    if (status != IOA_OK) return status;
    layer->orientation = im->format->orientation;
    layer->open = im->format->open;
    return im->format->read(path, &layer->weights, error);
}

/* To [out, in], by the user's word or the file's. */
static ioa_status orient(ioa_import_work *im, ioa_model_layer *layer, ioa_error *error)
{
    const ioa_import_options *o = im->model.options;
    if (o->orientation_given && layer->oriented && o->orientation != layer->orientation)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: the format %s fixes the layout of its weights; leave --layout out",
                        layer->path, im->format->name);
    if (o->orientation_given) layer->orientation = o->orientation;
    if (layer->orientation == IOA_IN_OUT) ioa_matrix_transpose(&layer->weights);
    return IOA_OK;
}

/* Outputs of `before` are the inputs of `layer`; where sizes are only the largest index seen, the larger one holds. */
static ioa_status join(ioa_model_layer *before, ioa_model_layer *layer, uint32_t number, ioa_error *error)
{
    uint32_t *outputs = &before->weights.rows, *inputs = &layer->weights.columns;
    if (before->open && *outputs < *inputs) *outputs = *inputs;
    if (layer->open && *inputs < *outputs) *inputs = *outputs;
    if (*outputs == *inputs) return IOA_OK;
    return ioa_fail(error, IOA_ERR_INPUT, "%s: %s%slayer %" PRIu32 " has %" PRIu32 " inputs, but the layer before it has %"
                    PRIu32 " outputs (read as [%s]; is the orientation right?)", layer->path, layer->name,
                    layer->name[0] ? ": " : "", number, *inputs, *outputs,
                    layer->orientation == IOA_OUT_IN ? "out, in" : "in, out");
}

/* To the wanted density: connections / (rows x columns). What is sparser stays as it is. */
static ioa_status prune(const ioa_import_work *im, ioa_matrix *m, ioa_error *error)
{
    double density = im->model.options->prune;
    if (density == 0 || density == 1) return IOA_OK;
    double wanted = floor(density * (double)m->rows * (double)m->columns + 0.5);
    return wanted >= (double)m->count ? IOA_OK : ioa_matrix_prune(m, (uint64_t)wanted, error);
}

static ioa_status read_layers(ioa_import_work *im, ioa_error *error)
{
    ioa_model *model = &im->model;
    ioa_status status = IOA_OK;
    for (uint32_t f = 0; f < im->files_count && status == IOA_OK; f++) {
        if (model->options->reading) model->options->reading(model->options->context, f);
        status = read_file(im, im->files[f], error);
    }
    for (uint32_t l = 0; l < model->count && status == IOA_OK; l++) status = orient(im, &model->layers[l], error);
    for (uint32_t l = 1; l < model->count && status == IOA_OK; l++)
        status = join(&model->layers[l - 1], &model->layers[l], l + 1, error);
    for (uint32_t l = 0; l < model->count && status == IOA_OK; l++) {
        ioa_matrix *m = &model->layers[l].weights;
        if (!m->value) status = ioa_matrix_invent_values(m, l, error);
        if (status == IOA_OK) status = prune(im, m, error);
    }
    return status;
}

ioa_status ioa_import(const char *const *files, uint32_t count, const ioa_import_options *options,
                      ioa_network **network, ioa_import_report *report, ioa_error *error)
{
    ioa_import_work im = {.files = files, .files_count = count, .model = {.options = options}};
    ioa_status status = check_options(&im, error);
    if (status == IOA_OK) status = read_layers(&im, error);
    if (status == IOA_OK) status = parse_activations(&im, error);
    if (status == IOA_OK) status = ioa_import_assemble(&im, network, report, error);
    if (status != IOA_OK && error) ioa_text_clean(error->text);
    ioa_model_clear(&im.model);
    ioa_free(im.activations);
    return status;
}
