/* Files that hold named arrays and nothing about layers (npz, safetensors): matrices are the weights of the layers in
 * the sequence of their names, vectors their biases. */
#ifndef IOA_IO_IMPORT_TENSORS_H
#define IOA_IO_IMPORT_TENSORS_H

#include "io/import/import_bytes.h"
#include "io/import/import_format.h"

#define IOA_TENSOR_NAME 192

typedef struct ioa_tensor {
    char name[IOA_TENSOR_NAME];
    unsigned rank;             /* true rank; shape holds the first two lengths */
    uint64_t shape[2];
    uint64_t count;            /* product of all lengths */
    ioa_number number;
    bool fortran;              /* columns are contiguous */
    const unsigned char *data; /* [count x number.size]; borrowed */
    bool used;
} ioa_tensor;

/* The values in row-major sequence, [count]; released with ioa_free. */
ioa_status ioa_tensor_values(const ioa_tensor *tensor, const char *path, float **values, ioa_error *error);

/* Appends the layers. Sorts `tensors`. Names decide the sequence, with numbers in them counting as numbers, unless
 * model->options->tensors lists the weights. A bias belongs to the weights whose name becomes its own by
 * weight -> bias, kernel -> bias or W -> b; where no name does that, the vectors follow the sequence of the matrices.
 * IOA_ERR_INPUT for tensors that are neither. */
ioa_status ioa_tensors_to_layers(ioa_tensor *tensors, uint64_t count, ioa_orientation orientation, const char *path,
                                 ioa_model *model, ioa_error *error);

#endif
