#include "io/import/import_onnx_graph.h"

#include "core/base/mem.h"
#include "io/import/import_bytes.h"

#include <string.h>

#define MOST_NODES 16384u

/* Fields: ModelProto.graph, GraphProto, NodeProto, AttributeProto, ValueInfoProto.name. */
enum { MODEL_GRAPH = 7, GRAPH_NODE = 1, GRAPH_INITIALIZER = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12, GRAPH_SPARSE = 15 };
enum { NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_NAME = 3, NODE_TYPE = 4, NODE_ATTRIBUTE = 5 };
enum { ATTRIBUTE_NAME = 1, ATTRIBUTE_F = 2, ATTRIBUTE_I = 3, ATTRIBUTE_TENSOR = 5, VALUE_NAME = 1 };

static ioa_status damaged_file(const char *path, ioa_error *error)
{
    return ioa_fail(error, IOA_ERR_INPUT, "%s: is not an ONNX model, or truncated or damaged", path);
}

static bool parse_node(ioa_span message, ioa_onnx_node *node)
{
    ioa_field_value field;
    bool damaged = false;
    *node = (ioa_onnx_node){.message = message};
    bool first = true;
    while (ioa_proto_next(&message, &field, &damaged)) {
        if (field.wire != IOA_WIRE_BYTES) continue;
        if (field.number == NODE_INPUT) {
            if (node->inputs < IOA_ONNX_INPUTS) node->input[node->inputs] = field.bytes;
            node->inputs++;
        }
        if (field.number == NODE_OUTPUT && first) {
            node->output = field.bytes;
            first = false;
        }
        if (field.number == NODE_NAME) node->name = field.bytes;
        if (field.number == NODE_TYPE) node->type = field.bytes;
    }
    return !damaged;
}

static ioa_span name_of_value(ioa_span message)
{
    ioa_field_value field;
    bool damaged = false;
    while (ioa_proto_next(&message, &field, &damaged))
        if (field.number == VALUE_NAME && field.wire == IOA_WIRE_BYTES) return field.bytes;
    return (ioa_span){0};
}

/* Looks for an attribute and hands out its field `wanted`. */
static bool find_attribute(const ioa_onnx_node *node, const char *name, uint32_t wanted, ioa_field_value *value)
{
    ioa_span message = node->message;
    ioa_field_value field, part;
    bool damaged = false;
    while (ioa_proto_next(&message, &field, &damaged)) {
        if (field.number != NODE_ATTRIBUTE || field.wire != IOA_WIRE_BYTES) continue;
        ioa_span attribute = field.bytes;
        bool named = false, found = false;
        while (ioa_proto_next(&attribute, &part, &damaged)) {
            if (part.number == ATTRIBUTE_NAME && part.wire == IOA_WIRE_BYTES) named = ioa_span_is(part.bytes, name);
            if (part.number == wanted) {
                *value = part;
                found = true;
            }
        }
        if (named && found) return true;
    }
    return false;
}

bool ioa_onnx_attribute_real(const ioa_onnx_node *node, const char *name, double *value)
{
    ioa_field_value found;
    if (!find_attribute(node, name, ATTRIBUTE_F, &found) || found.wire != IOA_WIRE_32) return false;
    *value = ioa_number_real((ioa_number){'f', 4, false}, found.bytes.data);
    return true;
}

bool ioa_onnx_attribute_whole(const ioa_onnx_node *node, const char *name, int64_t *value)
{
    ioa_field_value found;
    if (!find_attribute(node, name, ATTRIBUTE_I, &found) || found.wire != IOA_WIRE_VARINT) return false;
    memcpy(value, &found.value, sizeof *value);
    return true;
}

bool ioa_onnx_attribute_bytes(const ioa_onnx_node *node, const char *name, uint32_t field, ioa_span *value)
{
    ioa_field_value found;
    if (!find_attribute(node, name, field, &found) || found.wire != IOA_WIRE_BYTES) return false;
    *value = found.bytes;
    return true;
}

ioa_onnx_tensor *ioa_onnx_find_tensor(const ioa_onnx_graph *graph, ioa_span name)
{
    for (uint64_t i = 0; i < graph->tensor_count; i++)
        if (ioa_span_equal(graph->tensors[i].name, name)) return &graph->tensors[i];
    return NULL;
}

const ioa_onnx_node *ioa_onnx_find_producer(const ioa_onnx_graph *graph, ioa_span name)
{
    for (uint64_t i = 0; i < graph->node_count; i++)
        if (ioa_span_equal(graph->nodes[i].output, name)) return &graph->nodes[i];
    return NULL;
}

/* How many nodes and tensors the graph has; false if it is damaged. */
static bool count_parts(ioa_span graph, uint64_t *nodes, uint64_t *tensors)
{
    ioa_field_value field;
    bool damaged = false;
    *nodes = *tensors = 0;
    while (ioa_proto_next(&graph, &field, &damaged)) {
        *nodes += field.number == GRAPH_NODE;
        *tensors += field.number == GRAPH_INITIALIZER || field.number == GRAPH_NODE; /* nodes may be constants */
    }
    return !damaged;
}

static bool add_node(ioa_onnx_graph *g, ioa_span message)
{
    ioa_onnx_node node;
    ioa_span value;
    if (!parse_node(message, &node)) return false;
    if (!ioa_span_is(node.type, "Constant")) {
        g->nodes[g->node_count++] = node;
        return true;
    }
    if (!ioa_onnx_attribute_bytes(&node, "value", ATTRIBUTE_TENSOR, &value)) return true; /* of another kind, unused by us */
    if (!ioa_onnx_tensor_parse(value, &g->tensors[g->tensor_count])) return false;
    g->tensors[g->tensor_count++].name = node.output;
    return true;
}

static ioa_status fill(ioa_span message, ioa_onnx_graph *g, ioa_error *error)
{
    ioa_field_value field;
    bool damaged = false;
    for (ioa_span rest = message; !damaged && ioa_proto_next(&rest, &field, &damaged);) {
        if (field.wire != IOA_WIRE_BYTES) continue;
        if (field.number == GRAPH_NODE) damaged = !add_node(g, field.bytes);
        if (field.number == GRAPH_INITIALIZER)
            damaged = !ioa_onnx_tensor_parse(field.bytes, &g->tensors[g->tensor_count++]);
        if (field.number == GRAPH_SPARSE)
            return ioa_fail(error, IOA_ERR_INPUT, "%s: holds sparse initializers, which are not supported", g->path);
    }
    if (damaged) return damaged_file(g->path, error);
    unsigned inputs = 0, outputs = 0;
    uint64_t listed = 0;
    for (ioa_span rest = message; ioa_proto_next(&rest, &field, &damaged);) {
        if (field.wire != IOA_WIRE_BYTES || (field.number != GRAPH_INPUT && field.number != GRAPH_OUTPUT)) continue;
        ioa_span name = name_of_value(field.bytes);
        if (listed++ > g->tensor_count + 2) break; /* each initializer once at most, and the true ones */
        if (field.number == GRAPH_OUTPUT) {
            g->output = name;
            outputs++;
        } else if (!ioa_onnx_find_tensor(g, name)) { /* old files list their initializers among the inputs */
            g->input = name;
            inputs++;
        }
    }
    if (inputs == 1 && outputs == 1) return IOA_OK;
    return ioa_fail(error, IOA_ERR_INPUT, "%s: the model has %u inputs and %u outputs; one of each can be imported", g->path,
                    inputs, outputs);
}

ioa_status ioa_onnx_graph_parse(ioa_span model, const char *path, ioa_onnx_graph *graph, ioa_error *error)
{
    ioa_field_value field;
    ioa_span message = {0};
    bool damaged = false;
    uint64_t nodes, tensors;
    while (ioa_proto_next(&model, &field, &damaged))
        if (field.number == MODEL_GRAPH && field.wire == IOA_WIRE_BYTES) message = field.bytes;
    if (damaged || message.size == 0 || !count_parts(message, &nodes, &tensors)) return damaged_file(path, error);
    /* Names are matched pairwise; nothing real that is a chain has so many. */
    if (nodes > MOST_NODES || tensors > 2 * MOST_NODES)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: the graph has too many nodes to be a chain of layers", path);
    ioa_onnx_graph g = {.path = path, .nodes = ioa_alloc(nodes, sizeof *g.nodes),
                        .tensors = ioa_alloc(tensors, sizeof *g.tensors)};
    ioa_status status = g.nodes && g.tensors ? fill(message, &g, error)
                                             : ioa_fail_nomem(error, path, nodes + tensors, sizeof *g.nodes);
    if (status == IOA_OK)
        *graph = g;
    else
        ioa_onnx_graph_clear(&g);
    return status;
}

void ioa_onnx_graph_clear(ioa_onnx_graph *graph)
{
    ioa_free(graph->nodes);
    ioa_free(graph->tensors);
    graph->nodes = NULL;
    graph->tensors = NULL;
}
