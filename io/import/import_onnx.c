/* ONNX models that are chains of dense layers: MatMul [in, out] or Gemm, Add of a bias, an activation, again and again
 * from the model's input to its output. Anything that is not such a chain is refused. */
#include "io/import/import_bytes.h"
#include "io/import/import_format.h"
#include "io/import/import_onnx_graph.h"

#include "core/base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A walk along the chain. */
typedef struct walk {
    ioa_onnx_graph graph;
    ioa_model *model;
    ioa_span value;          /* what the next node reads */
    ioa_model_layer *layer;  /* the last one so far, or NULL */
    bool softmax;            /* met */
} walk;

static ioa_status refuse(const walk *w, const ioa_onnx_node *node, const char *what, ioa_error *error)
{
    char type[40], name[80];
    ioa_span_text(node->type, type, sizeof type);
    ioa_span_text(node->name.size ? node->name : node->output, name, sizeof name);
    return ioa_fail(error, IOA_ERR_INPUT, "%s: node %s (%s): %s", w->graph.path, name, type, what);
}

/* ---- weights ---- */

/* The tensor behind `name`, looking through one Transpose and through Identity. */
static ioa_onnx_tensor *weights_of(const walk *w, ioa_span name, bool *turned)
{
    *turned = false;
    for (int depth = 0; depth < 4; depth++) {
        ioa_onnx_tensor *tensor = ioa_onnx_find_tensor(&w->graph, name);
        if (tensor) return tensor;
        const ioa_onnx_node *node = ioa_onnx_find_producer(&w->graph, name);
        if (!node || node->inputs != 1) return NULL;
        if (ioa_span_is(node->type, "Transpose"))
            *turned = !*turned; /* of a matrix; perm can only be 1, 0 */
        else if (!ioa_span_is(node->type, "Identity"))
            return NULL;
        name = node->input[0];
    }
    return NULL;
}

/* Appends a layer for `tensor`, whose rows are outputs if `orientation` says so. */
static ioa_status add_layer(walk *w, const ioa_onnx_node *node, ioa_onnx_tensor *tensor, ioa_orientation orientation,
                            double scale, ioa_error *error)
{
    char name[96];
    float *values;
    if (tensor->rank != 2) return refuse(w, node, "its weights are not a matrix", error);
    if (tensor->used) return refuse(w, node, "its weights are those of another layer too", error);
    tensor->used = true;
    ioa_status status = ioa_model_add(w->model, w->graph.path, ioa_span_text(tensor->name, name, sizeof name), &w->layer,
                                      error);
    if (status != IOA_OK) return status;
    w->layer->orientation = orientation;
    w->layer->oriented = true;
    status = ioa_onnx_tensor_values(tensor, w->graph.path, &values, error);
    if (status != IOA_OK) return status;
    for (uint64_t i = 0; scale != 1 && i < tensor->count; i++) values[i] = (float)(scale * (double)values[i]);
    status = ioa_matrix_from_dense(&w->layer->weights, tensor->shape[0], tensor->shape[1], values, w->graph.path, name, error);
    ioa_free(values);
    return status;
}

static uint32_t outputs_of(const ioa_model_layer *layer)
{
    return layer->orientation == IOA_IN_OUT ? layer->weights.columns : layer->weights.rows;
}

/* Adds scale x tensor, a vector of all outputs or one value, to the layer's bias. */
static ioa_status add_bias(walk *w, const ioa_onnx_node *node, ioa_onnx_tensor *tensor, double scale, ioa_error *error)
{
    uint32_t outputs = outputs_of(w->layer);
    float *values;
    if (tensor->count != 1 && tensor->count != outputs)
        return refuse(w, node, "adds something that is no bias of the layer before it", error);
    ioa_status status = ioa_onnx_tensor_values(tensor, w->graph.path, &values, error);
    if (status != IOA_OK) return status;
    if (!w->layer->bias) {
        w->layer->bias = ioa_alloc_zero(outputs, sizeof *w->layer->bias);
        w->layer->biases = outputs;
    }
    if (!w->layer->bias) status = ioa_fail_nomem(error, "a bias", outputs, sizeof *w->layer->bias);
    for (uint32_t i = 0; i < outputs && status == IOA_OK; i++)
        w->layer->bias[i] += (float)(scale * (double)values[tensor->count == 1 ? 0 : i]);
    ioa_free(values);
    return status;
}

static ioa_status take_matmul(walk *w, const ioa_onnx_node *node, ioa_error *error)
{
    bool turned;
    if (node->inputs != 2 || !ioa_span_equal(node->input[0], w->value))
        return refuse(w, node, "weights must be its second input", error);
    ioa_onnx_tensor *tensor = weights_of(w, node->input[1], &turned);
    if (!tensor) return refuse(w, node, "its weights are not in the file", error);
    return add_layer(w, node, tensor, turned ? IOA_OUT_IN : IOA_IN_OUT, 1, error);
}

static ioa_status take_gemm(walk *w, const ioa_onnx_node *node, ioa_error *error)
{
    bool turned, ignored;
    int64_t trans_a = 0, trans_b = 0;
    double alpha = 1, beta = 1;
    ioa_onnx_attribute_whole(node, "transA", &trans_a);
    ioa_onnx_attribute_whole(node, "transB", &trans_b);
    ioa_onnx_attribute_real(node, "alpha", &alpha);
    ioa_onnx_attribute_real(node, "beta", &beta);
    if (node->inputs < 2 || node->inputs > 3 || trans_a || !ioa_span_equal(node->input[0], w->value))
        return refuse(w, node, "weights must be its second input, and transA 0", error);
    ioa_onnx_tensor *tensor = weights_of(w, node->input[1], &turned);
    ioa_onnx_tensor *bias = node->inputs == 3 && node->input[2].size ? weights_of(w, node->input[2], &ignored) : NULL;
    if (!tensor || (node->inputs == 3 && node->input[2].size && !bias))
        return refuse(w, node, "its weights are not in the file", error);
    ioa_status status = add_layer(w, node, tensor, turned != (trans_b != 0) ? IOA_OUT_IN : IOA_IN_OUT, alpha, error);
    return status == IOA_OK && bias ? add_bias(w, node, bias, beta, error) : status;
}

static ioa_status take_add(walk *w, const ioa_onnx_node *node, ioa_error *error)
{
    bool ignored;
    if (node->inputs != 2) return refuse(w, node, "has not two inputs", error);
    ioa_span other = node->input[ioa_span_equal(node->input[0], w->value) ? 1 : 0];
    ioa_onnx_tensor *bias = weights_of(w, other, &ignored);
    if (!bias) return refuse(w, node, "joins two paths; only chains of layers can be imported", error);
    if (!w->layer || w->layer->activation[0] || w->softmax)
        return refuse(w, node, "a bias must follow right behind its weights", error);
    return add_bias(w, node, bias, 1, error);
}

/* ---- activations ---- */

/* Bounds of a Clip: inputs since version 11, attributes before. */
static ioa_status clip_bound(const walk *w, const ioa_onnx_node *node, unsigned input, const char *attribute,
                             double *bound, bool *given, ioa_error *error)
{
    bool ignored;
    *given = ioa_onnx_attribute_real(node, attribute, bound);
    if (node->inputs <= input || node->input[input].size == 0) return IOA_OK;
    ioa_onnx_tensor *tensor = weights_of(w, node->input[input], &ignored);
    if (!tensor || tensor->count != 1) return refuse(w, node, "its bounds are not in the file", error);
    float *value;
    ioa_status status = ioa_onnx_tensor_values(tensor, w->graph.path, &value, error);
    if (status != IOA_OK) return status;
    *bound = (double)value[0];
    *given = true;
    ioa_free(value);
    return IOA_OK;
}

/* relu, and clipped_relu right behind a relu or from 0. */
static ioa_status take_clip(walk *w, const ioa_onnx_node *node, ioa_error *error)
{
    double low = 0, high = 0;
    bool has_low, has_high;
    ioa_status status = clip_bound(w, node, 1, "min", &low, &has_low, error);
    if (status == IOA_OK) status = clip_bound(w, node, 2, "max", &high, &has_high, error);
    if (status != IOA_OK) return status;
    bool behind = w->layer && strcmp(w->layer->activation, "relu") == 0 && (!has_low || low <= 0);
    if (!w->layer || !(behind || (has_low && low == 0 && !w->layer->activation[0])) || (has_high && !(high >= 0)))
        return refuse(w, node, "is no clipped relu (from 0 to a positive value)", error);
    if (has_high)
        snprintf(w->layer->activation, sizeof w->layer->activation, "clipped_relu:%.9g", high);
    else
        snprintf(w->layer->activation, sizeof w->layer->activation, "relu");
    return IOA_OK;
}

/* Name for a node of this type; "" for one that is no activation. */
static void name_activation(const ioa_onnx_node *node, char *text, size_t size)
{
    static const char *const known[][2] = {{"Relu", "relu"}, {"Sigmoid", "sigmoid"}, {"Tanh", "tanh"}, {"Abs", "abs"},
                                           {"Neg", "negate"}, {"Sin", "sin"}, {"Cos", "cos"}};
    double slope = 0.01;
    ioa_span approximate;
    text[0] = '\0';
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (ioa_span_is(node->type, known[i][0])) snprintf(text, size, "%s", known[i][1]);
    if (ioa_span_is(node->type, "LeakyRelu")) {
        ioa_onnx_attribute_real(node, "alpha", &slope);
        snprintf(text, size, "leaky_relu:%.9g", slope);
    } else if (ioa_span_is(node->type, "Gelu")) {
        bool tanh = ioa_onnx_attribute_bytes(node, "approximate", 4, &approximate) && ioa_span_is(approximate, "tanh");
        snprintf(text, size, tanh ? "gelu_tanh" : "gelu");
    }
}

static ioa_status take_activation(walk *w, const ioa_onnx_node *node, ioa_error *error)
{
    char text[48];
    name_activation(node, text, sizeof text);
    if (!text[0]) return refuse(w, node, "operations of this type cannot be imported", error);
    if (!w->layer || node->inputs != 1) return refuse(w, node, "stands before the first layer", error);
    if (w->layer->activation[0] || w->softmax) return refuse(w, node, "a second activation of one layer", error);
    memcpy(w->layer->activation, text, sizeof text);
    return IOA_OK;
}

/* ---- the walk ---- */

static bool among(ioa_span type, const char *const *names)
{
    while (*names && !ioa_span_is(type, *names)) names++;
    return *names != NULL;
}

static ioa_status take_node(walk *w, const ioa_onnx_node *node, ioa_error *error)
{
    static const char *const nothing[] = {"Identity", "Dropout", "Flatten", "Reshape", "Cast", "Squeeze", "Unsqueeze", NULL};
    static const char *const softmax[] = {"Softmax", "LogSoftmax", NULL};
    if (among(node->type, nothing)) return IOA_OK;
    if (w->softmax) return refuse(w, node, "follows a softmax, which is possible only at the end", error);
    if (among(node->type, softmax)) {
        w->softmax = true;
        return w->layer ? IOA_OK : refuse(w, node, "stands before the first layer", error);
    }
    if (ioa_span_is(node->type, "MatMul")) return take_matmul(w, node, error);
    if (ioa_span_is(node->type, "Gemm")) return take_gemm(w, node, error);
    if (ioa_span_is(node->type, "Add")) return take_add(w, node, error);
    if (ioa_span_is(node->type, "Clip")) return take_clip(w, node, error);
    return take_activation(w, node, error);
}

/* The one node that reads the current value. */
static ioa_status next_node(const walk *w, const ioa_onnx_node **node, ioa_error *error)
{
    char name[80];
    unsigned found = 0;
    for (uint64_t i = 0; i < w->graph.node_count; i++) {
        const ioa_onnx_node *n = &w->graph.nodes[i];
        for (unsigned k = 0; k < n->inputs && k < IOA_ONNX_INPUTS; k++)
            if (ioa_span_equal(n->input[k], w->value)) {
                *node = n;
                found++;
            }
    }
    if (found == 1) return IOA_OK;
    return ioa_fail(error, IOA_ERR_INPUT, "%s: value %s is read %u times; in a chain of layers it is read once",
                    w->graph.path, ioa_span_text(w->value, name, sizeof name), found);
}

static ioa_status follow(walk *w, ioa_error *error)
{
    ioa_status status = IOA_OK;
    w->value = w->graph.input;
    for (uint64_t steps = 0; status == IOA_OK && !ioa_span_equal(w->value, w->graph.output); steps++) {
        const ioa_onnx_node *node = NULL;
        if (steps > w->graph.node_count) /* only a damaged file goes in circles */
            return ioa_fail(error, IOA_ERR_INPUT, "%s: its output is never reached", w->graph.path);
        status = next_node(w, &node, error);
        if (status == IOA_OK) status = take_node(w, node, error);
        if (status == IOA_OK) w->value = node->output;
    }
    if (status == IOA_OK && !w->layer) return ioa_fail(error, IOA_ERR_INPUT, "%s: holds no dense layer", w->graph.path);
    return status;
}

static ioa_status read_model(const char *path, ioa_model *model, ioa_error *error)
{
    ioa_bytes bytes = {0};
    walk w = {.model = model};
    uint32_t before = model->count;
    ioa_status status = ioa_bytes_load(path, &bytes, error);
    if (status != IOA_OK) return status;
    status = ioa_onnx_graph_parse((ioa_span){bytes.data, bytes.size}, path, &w.graph, error);
    if (status == IOA_OK) {
        status = follow(&w, error);
        ioa_onnx_graph_clear(&w.graph);
    }
    for (uint32_t l = before; l < model->count; l++) /* the graph says everything */
        if (!model->layers[l].activation[0]) strcpy(model->layers[l].activation, "identity");
    if (w.softmax) ioa_model_warn(model, "the softmax at the end is left out: outputs are its arguments");
    ioa_free(bytes.data);
    return status;
}

const ioa_import_format ioa_import_onnx = {
    .name = "onnx", .summary = ".onnx: chains of MatMul or Gemm, Add, activation", .extension = ".onnx", .orientation = IOA_IN_OUT, .read_model = read_model};
