/* Tensors of ONNX: initializers and constants (onnx.proto, TensorProto). */
#ifndef IOA_IO_IMPORT_ONNX_TENSOR_H
#define IOA_IO_IMPORT_ONNX_TENSOR_H

#include "io/import/import_protobuf.h"

#include <ioanneal/status.h>

typedef struct ioa_onnx_tensor {
    ioa_span name;
    ioa_span message; /* TensorProto */
    uint64_t shape[2];
    unsigned rank;
    uint64_t count;   /* product of all lengths */
    uint64_t type;    /* TensorProto.DataType */
    bool outside;     /* its data is in another file */
    bool used;
} ioa_onnx_tensor;

/* Reads everything but the values. False if the message is damaged. */
bool ioa_onnx_tensor_parse(ioa_span message, ioa_onnx_tensor *tensor);

/* The values as float32, row-major, [count]; released with ioa_free. IOA_ERR_INPUT if they are not all there or of a type
 * that is no floating-point number. */
ioa_status ioa_onnx_tensor_values(const ioa_onnx_tensor *tensor, const char *path, float **values, ioa_error *error);

#endif
