/* Keras .h5, and Keras 2 in it: weights alone (save_weights) or a whole model (save). The root, or the group /model_weights, has an
 * attribute layer_names; each layer's group an attribute weight_names; kernels are [in, out]. Activations are not among
 * the weights: they come from the model's JSON, beside the weights (attribute model_config) or in a file of its own. */
#include "io/import/import_keras.h"

#include "core/base/mem.h"
#include "io/h5/h5_rehearse.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef ioa_keras_reader reader;

/* What follows the last '/' without the ":0" of TensorFlow. */
static bool is_called(const char *name, const char *wanted)
{
    const char *slash = strrchr(name, '/'), *last = slash ? slash + 1 : name;
    size_t length = strlen(wanted);
    return strncmp(last, wanted, length) == 0 && (last[length] == '\0' || last[length] == ':');
}

/* Position of the one weight of this name; `count` if there is none. */
static uint64_t find_weight(char *const *names, uint64_t count, const char *wanted)
{
    uint64_t i = 0;
    while (i < count && !is_called(names[i], wanted)) i++;
    return i;
}

/* Pruning wrappers keep their mask and their counters beside the kernel. */
static ioa_status check_weights(const reader *r, const char *layer, char *const *names, uint64_t count, ioa_error *error)
{
    static const char *const known[] = {"kernel", "bias", "mask", "threshold", "pruning_step"};
    for (uint64_t i = 0; i < count; i++) {
        bool good = false;
        for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) good = good || is_called(names[i], known[k]);
        if (!good)
            return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: holds \"%.80s\": only dense layers (kernel, bias) can be imported",
                            r->h5.path, layer, names[i]);
    }
    if (find_weight(names, count, "kernel") < count) return IOA_OK;
    return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: has weights, but no kernel", r->h5.path, layer);
}

static ioa_status object_name(const reader *r, char *name, size_t size, const char *layer, const char *weight,
                              ioa_error *error)
{
    int length = snprintf(name, size, "%s%s%s%s%s", r->root, r->root[0] ? "/" : "", layer, weight ? "/" : "",
                          weight ? weight : "");
    if (length > 0 && (size_t)length < size) return IOA_OK;
    return ioa_fail(error, IOA_ERR_INPUT, "%s: %.60s: has an impossible name", r->h5.path, layer);
}

static ioa_status read_kernel(reader *r, const char *name, ioa_model_layer *layer, ioa_error *error)
{
    uint64_t shape[2] = {IOA_H5_ANY, IOA_H5_ANY};
    void *values;
    ioa_status status = ioa_h5_read(&r->h5, name, IOA_H5_F32, 2, shape, &values, error);
    if (status != IOA_OK) return status;
    r->elements += shape[0] * shape[1];
    if (r->elements / 1032 > r->h5.bytes)
        status = ioa_fail(error, IOA_ERR_INPUT, "%s: %s: the same weights are named again and again", r->h5.path, name);
    if (status == IOA_OK)
        status = ioa_matrix_from_dense(&layer->weights, shape[0], shape[1], values, r->h5.path, name, error);
    ioa_free(values);
    return status;
}

static ioa_status read_bias(reader *r, const char *name, ioa_model_layer *layer, ioa_error *error)
{
    uint64_t length = IOA_H5_ANY;
    void *values;
    ioa_status status = ioa_h5_read(&r->h5, name, IOA_H5_F32, 1, &length, &values, error);
    if (status != IOA_OK) return status;
    layer->bias = values;
    layer->biases = length;
    return IOA_OK;
}

ioa_status ioa_keras_read_dense(ioa_keras_reader *r, const char *name, const char *json_name, const char *kernel,
                                const char *bias, ioa_error *error)
{
    ioa_model_layer *layer;
    ioa_status status = ioa_model_add(r->model, r->h5.path, name, &layer, error);
    if (status != IOA_OK) return status;
    layer->orientation = IOA_IN_OUT;
    layer->oriented = true;
    status = read_kernel(r, kernel, layer, error);
    if (status == IOA_OK && bias) status = read_bias(r, bias, layer, error);
    if (status == IOA_OK && r->json)
        status = ioa_keras_model_dense(r->json, json_name, layer->activation, sizeof layer->activation, error);
    return status;
}

static ioa_status read_dense(reader *r, const char *name, char *const *weights, uint64_t count, ioa_error *error)
{
    char kernel_path[256], bias_path[256];
    ioa_status status = check_weights(r, name, weights, count, error);
    if (status != IOA_OK) return status;
    uint64_t kernel = find_weight(weights, count, "kernel"), bias = find_weight(weights, count, "bias");
    status = object_name(r, kernel_path, sizeof kernel_path, name, weights[kernel], error);
    if (status == IOA_OK && bias < count) status = object_name(r, bias_path, sizeof bias_path, name, weights[bias], error);
    return status == IOA_OK ? ioa_keras_read_dense(r, name, name, kernel_path, bias < count ? bias_path : NULL, error) : status;
}

/* A layer without weights. Without the model's JSON one can only hope that it is an activation, dropout or the like. */
static void pass(reader *r, const char *name)
{
    static const char *const harmless[] = {"input", "dropout", "flatten"};
    for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++)
        if (strncmp(name, harmless[i], strlen(harmless[i])) == 0) return;
    if (r->json || strstr(r->model->warning, "without weights")) return;
    ioa_model_warn(r->model, "layers without weights, such as %.60s, are left out; --model model.json tells what they do",
                   name);
}

static ioa_status read_layer(reader *r, const char *name, ioa_error *error)
{
    char path[256], **weights;
    uint64_t count;
    ioa_status status = object_name(r, path, sizeof path, name, NULL, error);
    if (status != IOA_OK) return status;
    if (!ioa_h5_exists(&r->h5, path))
        return ioa_fail(error, IOA_ERR_INPUT, "%s: %.60s: is listed, but missing", r->h5.path, path);
    status = ioa_h5_get_texts(&r->h5, path, "weight_names", &weights, &count, error);
    if (status != IOA_OK) return status;
    if (count)
        status = read_dense(r, name, weights, count, error);
    else
        pass(r, name);
    ioa_h5_free_texts(weights, count);
    return status;
}

static ioa_status read_layers(reader *r, ioa_error *error)
{
    char **names;
    uint64_t count;
    const char *root = r->root[0] ? r->root : "/";
    ioa_status status = ioa_h5_get_texts(&r->h5, root, "layer_names", &names, &count, error);
    if (status != IOA_OK) return status;
    for (uint64_t i = 0; i < count && status == IOA_OK; i++) status = read_layer(r, names[i], error);
    ioa_h5_free_texts(names, count);
    if (status == IOA_OK && r->model->count == 0)
        status = ioa_fail(error, IOA_ERR_INPUT, "%s: holds no layer with weights", r->h5.path);
    return status;
}

/* The JSON the user names goes before the one in the file, and the user's own activations before both. */
static ioa_status find_json(reader *r, ioa_error *error)
{
    const ioa_import_options *o = r->model->options;
    if (o->model && o->activation)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: activations come from a model's JSON or from a list, not from both",
                        o->model);
    if (o->activation) return IOA_OK;
    if (o->model) return ioa_keras_model_load(o->model, r->model, &r->json, error);
    if (!ioa_h5_has_attribute(&r->h5, "/", "model_config")) return IOA_OK;
    char *text;
    ioa_status status = ioa_h5_get_string(&r->h5, "/", "model_config", &text, error);
    if (status != IOA_OK) return status;
    status = ioa_keras_model_parse(text, strlen(text), r->h5.path, r->model, &r->json, error);
    ioa_free(text);
    return status;
}

static ioa_status read_open(reader *r, ioa_error *error)
{
    if (ioa_h5_has_attribute(&r->h5, "/", "schema_name")) /* a network's /layers looks like a model of Keras 3 */
        return ioa_fail(error, IOA_ERR_INPUT, "%s: is an ioanneal file already", r->h5.path);
    r->root = ioa_h5_exists(&r->h5, "model_weights") ? "model_weights" : "";
    bool keras2 = ioa_h5_has_attribute(&r->h5, r->root[0] ? r->root : "/", "layer_names");
    if (!keras2 && !ioa_keras3_probe(r))
        return ioa_fail(error, IOA_ERR_INPUT,
                        "%s: is no file of Keras (neither an attribute layer_names nor groups layers/NAME/vars)", r->h5.path);
    ioa_status status = r->json ? IOA_OK : find_json(r, error);
    if (status == IOA_OK) status = keras2 ? read_layers(r, error) : ioa_keras3_read_layers(r, error);
    if (status == IOA_OK && r->json) status = ioa_keras_model_finish(r->json, error);
    return status;
}

typedef struct file {
    const char *path, *shown, *json;
    size_t length;
    ioa_model *model;
} file;

static ioa_status read_file(void *context, ioa_error *error)
{
    file *f = context;
    reader r = {.model = f->model};
    ioa_status status = ioa_h5_open(f->path, &r.h5, error);
    if (status != IOA_OK) return status;
    r.h5.path = f->shown;
    if (f->json) status = ioa_keras_model_parse(f->json, f->length, f->shown, f->model, &r.json, error);
    if (status == IOA_OK) status = read_open(&r, error);
    ioa_keras_model_destroy(r.json);
    return ioa_h5_end(&r.h5, status, error);
}

ioa_status ioa_keras_read_weights(const char *path, const char *shown, const char *json, size_t length, ioa_model *model,
                                  ioa_error *error)
{
    file f = {path, shown, json, length, model};
    ioa_status status = ioa_h5_rehearse(path, read_file, &f, error);
    return status == IOA_OK ? read_file(&f, error) : status;
}

static ioa_status read_model(const char *path, ioa_model *model, ioa_error *error)
{
    return ioa_keras_read_weights(path, path, NULL, 0, model, error);
}

const ioa_import_format ioa_import_keras = {
    .name = "keras", .summary = ".h5, Keras 2 and 3: weights or whole models", .extension = ".h5", .orientation = IOA_IN_OUT,
    .read_model = read_model};
