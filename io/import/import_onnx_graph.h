/* The graph of an ONNX model (onnx.proto, GraphProto), indexed for walking along it. */
#ifndef IOA_IO_IMPORT_ONNX_GRAPH_H
#define IOA_IO_IMPORT_ONNX_GRAPH_H

#include "io/import/import_onnx_tensor.h"

#define IOA_ONNX_INPUTS 4 /* inputs of a node that are kept; nodes we know have at most three */

typedef struct ioa_onnx_node {
    ioa_span name, type, output;
    ioa_span input[IOA_ONNX_INPUTS];
    unsigned inputs; /* all of them */
    ioa_span message;
} ioa_onnx_node;

typedef struct ioa_onnx_graph {
    const char *path;         /* borrowed; spans borrow the file's bytes */
    ioa_onnx_node *nodes;     /* [node_count], owned */
    uint64_t node_count;
    ioa_onnx_tensor *tensors; /* [tensor_count], owned: initializers, and the values of Constant nodes */
    uint64_t tensor_count;
    ioa_span input;           /* the one graph input that is no initializer */
    ioa_span output;
} ioa_onnx_graph;

/* Parses a model; on failure nothing has to be released. */
ioa_status ioa_onnx_graph_parse(ioa_span model, const char *path, ioa_onnx_graph *graph, ioa_error *error);
void ioa_onnx_graph_clear(ioa_onnx_graph *graph);

ioa_onnx_tensor *ioa_onnx_find_tensor(const ioa_onnx_graph *graph, ioa_span name); /* or NULL */
const ioa_onnx_node *ioa_onnx_find_producer(const ioa_onnx_graph *graph, ioa_span name); /* or NULL */

/* Attributes of a node: false if it has none of this name and type. */
bool ioa_onnx_attribute_real(const ioa_onnx_node *node, const char *name, double *value);
bool ioa_onnx_attribute_whole(const ioa_onnx_node *node, const char *name, int64_t *value);
bool ioa_onnx_attribute_bytes(const ioa_onnx_node *node, const char *name, uint32_t field, ioa_span *value);

#endif
