#include "io/import/import_keras_model.h"

#include "core/base/mem.h"
#include "io/import/import_bytes.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define NAME 96

struct ioa_keras_model {
    const char *path; /* borrowed */
    ioa_model *warn;  /* borrowed */
    cJSON *json;      /* owned */
    const cJSON *next; /* layer */
};

/* A layer without its wrapper (PruneLowMagnitude and other wrappers hold the layer as config.layer). */
typedef struct layer {
    const char *class, *name; /* name: of the outermost */
    const cJSON *config;
} layer;

static const char *text_of(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
    return text ? text : "";
}

static layer open_layer(const cJSON *json)
{
    const cJSON *config = cJSON_GetObjectItemCaseSensitive(json, "config");
    layer l = {text_of(json, "class_name"), text_of(config, "name"), config};
    const cJSON *inner = cJSON_GetObjectItemCaseSensitive(config, "layer");
    if (cJSON_IsObject(inner)) {
        l.class = text_of(inner, "class_name");
        l.config = cJSON_GetObjectItemCaseSensitive(inner, "config");
    }
    return l;
}

static bool among(const char *name, const char *const *names)
{
    while (*names && strcmp(name, *names) != 0) names++;
    return *names != NULL;
}

/* Merging layers are where a chain stops being one. */
static ioa_status check_class(const ioa_keras_model *m, const layer *l, ioa_error *error)
{
    static const char *const known[] = {"Dense", "QDense", "InputLayer", "Activation", "QActivation", "ReLU", "LeakyReLU",
                                        "Softmax", "Dropout", "GaussianDropout", "GaussianNoise", "AlphaDropout", "Flatten",
                                        "ActivityRegularization", NULL};
    if (among(l->class, known)) return IOA_OK;
    return ioa_fail(error, IOA_ERR_INPUT, "%s: layer %.60s is of class %.40s; chains of dense layers can be imported",
                    m->path, l->name, l->class);
}

/* How many values a call reads, and the layer of the first. Keras 2 has [[name, node, tensor, {}], ..], Keras 3
 * {"args": [{"class_name": "__keras_tensor__", "config": {"keras_history": [name, node, tensor]}}, ..], "kwargs": {..}}. */
static int call_sources(const cJSON *call, const char **first)
{
    const cJSON *args = cJSON_IsArray(call) ? call : cJSON_GetObjectItemCaseSensitive(call, "args");
    const cJSON *arg = cJSON_GetArrayItem(args, 0);
    if (cJSON_IsObject(arg)) {
        const cJSON *config = cJSON_GetObjectItemCaseSensitive(arg, "config");
        arg = cJSON_GetObjectItemCaseSensitive(config, "keras_history");
    }
    const char *name = cJSON_GetStringValue(cJSON_GetArrayItem(arg, 0));
    if (!name) return 2; /* a list of values, or a call of a kind that is not known */
    *first = name;
    return cJSON_GetArraySize(args);
}

/* The same of a layer: 0 in models that call each layer on the one before it. */
static int sources(const cJSON *json, const char **first)
{
    const cJSON *nodes = cJSON_GetObjectItemCaseSensitive(json, "inbound_nodes");
    if (!cJSON_IsArray(nodes) || cJSON_GetArraySize(nodes) == 0) return 0;
    return cJSON_GetArraySize(nodes) > 1 ? 2 : call_sources(cJSON_GetArrayItem(nodes, 0), first);
}

static ioa_status check_chain(const ioa_keras_model *m, const cJSON *layers, ioa_error *error)
{
    const cJSON *json;
    const char *before = NULL;
    int inputs = 0;
    cJSON_ArrayForEach(json, layers)
    {
        layer l = open_layer(json);
        ioa_status status = check_class(m, &l, error);
        if (status != IOA_OK) return status;
        inputs += strcmp(l.class, "InputLayer") == 0;
        const char *from = "";
        int reads = sources(json, &from);
        if (reads > 1 || inputs > 1 || (reads == 1 && before && strcmp(from, before) != 0))
            return ioa_fail(error, IOA_ERR_INPUT, "%s: layer %.60s does not just follow the one before it; only chains of"
                            " layers can be imported", m->path, l.name);
        before = l.name;
    }
    return IOA_OK;
}

ioa_status ioa_keras_model_parse(const char *text, size_t length, const char *path, ioa_model *warn,
                                 ioa_keras_model **model, ioa_error *error)
{
    ioa_keras_model *m = ioa_alloc_zero(1, sizeof *m);
    if (!m) return ioa_fail_nomem(error, "a model", 1, sizeof *m);
    *m = (ioa_keras_model){.path = path, .warn = warn, .json = cJSON_ParseWithLength(text, length)};
    const cJSON *config = cJSON_GetObjectItemCaseSensitive(m->json, "config");
    const cJSON *layers = cJSON_IsArray(config) ? config : cJSON_GetObjectItemCaseSensitive(config, "layers");
    ioa_status status = IOA_OK;
    if (!cJSON_IsArray(layers))
        status = ioa_fail(error, IOA_ERR_INPUT, "%s: holds no readable JSON of a Keras model", path);
    else
        status = check_chain(m, layers, error);
    m->next = status == IOA_OK ? layers->child : NULL;
    if (status == IOA_OK)
        *model = m;
    else
        ioa_keras_model_destroy(m);
    return status;
}

ioa_status ioa_keras_model_load(const char *path, ioa_model *warn, ioa_keras_model **model, ioa_error *error)
{
    ioa_bytes bytes = {0};
    ioa_status status = ioa_bytes_load(path, &bytes, error);
    if (status != IOA_OK) return status;
    status = ioa_keras_model_parse((const char *)bytes.data, bytes.size, path, warn, model, error);
    ioa_free(bytes.data);
    return status;
}

void ioa_keras_model_destroy(ioa_keras_model *model)
{
    if (!model) return;
    cJSON_Delete(model->json);
    ioa_free(model);
}

static bool is_dense(const layer *l)
{
    return strcmp(l->class, "Dense") == 0 || strcmp(l->class, "QDense") == 0;
}

static double number_of(const cJSON *config, const char *key, double fallback)
{
    const cJSON *json = cJSON_GetObjectItemCaseSensitive(config, key);
    return cJSON_IsNumber(json) ? json->valuedouble : fallback;
}

static ioa_status translate(const ioa_keras_model *m, const char *layer_name, const char *name, char *text, size_t size,
                            ioa_error *error)
{
    static const char *const same[] = {"relu", "sigmoid", "tanh", "softmax", "gelu", "silu", "sin", "cos", NULL};
    static const char *const others[][2] = {{"linear", ""}, {"swish", "silu"}, {"leaky_relu", "leaky_relu:0.2"},
                                            {"relu6", "clipped_relu:6"}, {"", ""}};
    if (among(name, same)) {
        snprintf(text, size, "%s", name);
        return IOA_OK;
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (strcmp(name, others[i][0]) == 0) {
            snprintf(text, size, "%s", others[i][1]);
            return IOA_OK;
        }
    return ioa_fail(error, IOA_ERR_INPUT, "%s: layer %.60s: activation %.40s is not known; --activation sets it", m->path,
                    layer_name, name);
}

/* What one layer does to its values: a name, or "" for nothing. */
static ioa_status activation_of(const ioa_keras_model *m, const layer *l, char *text, size_t size, ioa_error *error)
{
    double most = number_of(l->config, "max_value", NAN), slope = number_of(l->config, "negative_slope", 0);
    text[0] = '\0';
    if (strcmp(l->class, "Softmax") == 0) {
        snprintf(text, size, "softmax");
    } else if (strcmp(l->class, "LeakyReLU") == 0) {
        snprintf(text, size, "leaky_relu:%.9g", number_of(l->config, "alpha", number_of(l->config, "negative_slope", 0.3)));
    } else if (strcmp(l->class, "ReLU") == 0) {
        if (number_of(l->config, "threshold", 0) != 0 || (slope != 0 && most == most))
            return ioa_fail(error, IOA_ERR_INPUT, "%s: layer %.60s is a ReLU of a kind that is not known", m->path, l->name);
        if (most == most)
            snprintf(text, size, "clipped_relu:%.9g", most);
        else if (slope != 0)
            snprintf(text, size, "leaky_relu:%.9g", slope);
        else
            snprintf(text, size, "relu");
    } else if (is_dense(l) || strcmp(l->class, "Activation") == 0 || strcmp(l->class, "QActivation") == 0) {
        const cJSON *activation = cJSON_GetObjectItemCaseSensitive(l->config, "activation");
        bool named = !activation || cJSON_IsNull(activation) || cJSON_IsString(activation);
        return translate(m, l->name, named ? text_of(l->config, "activation") : "of its own", text, size, error);
    }
    return IOA_OK;
}

ioa_status ioa_keras_model_dense(ioa_keras_model *model, const char *name, char *activation, size_t size,
                                 ioa_error *error)
{
    const cJSON *at = model->next;
    layer l = {"", "", NULL};
    for (; at; at = at->next)
        if (l = open_layer(at), is_dense(&l)) break;
    if (!at || (name && strcmp(l.name, name) != 0))
        return ioa_fail(error, IOA_ERR_INPUT, "%s: the model's next dense layer is \"%.60s\", but the weights have %.60s",
                        model->path, at ? l.name : "", name ? name : "one more");
    const char *dense = l.name;
    char text[48] = "", more[48];
    ioa_status status = activation_of(model, &l, text, sizeof text, error);
    for (at = at->next; at && status == IOA_OK; at = at->next) {
        l = open_layer(at);
        if (is_dense(&l)) break;
        status = activation_of(model, &l, more, sizeof more, error);
        if (status == IOA_OK && more[0] && text[0])
            status = ioa_fail(error, IOA_ERR_INPUT, "%s: layer %.60s: a second activation follows %s", model->path, l.name,
                              text);
        if (more[0]) memcpy(text, more, sizeof text);
    }
    if (status != IOA_OK) return status;
    model->next = at;
    if (strcmp(text, "softmax") == 0) {
        if (at)
            return ioa_fail(error, IOA_ERR_INPUT, "%s: layer %.60s: a softmax is possible only at the end", model->path,
                            dense);
        ioa_model_warn(model->warn, "the softmax at the end is left out: outputs are its arguments");
        text[0] = '\0';
    }
    snprintf(activation, size, "%s", text[0] ? text : "identity");
    return IOA_OK;
}

ioa_status ioa_keras_model_finish(ioa_keras_model *model, ioa_error *error)
{
    for (const cJSON *at = model->next; at; at = at->next) {
        layer l = open_layer(at);
        if (is_dense(&l))
            return ioa_fail(error, IOA_ERR_INPUT, "%s: dense layer %.60s has no weights in the file", model->path, l.name);
    }
    return IOA_OK;
}
