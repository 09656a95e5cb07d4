#include "io/archive/tensor_file.h"

#include "io/h5/h5.h"

ioa_status ioa_tensor_read(const char *path, const char *name, uint64_t columns, float **values, uint64_t *rows,
                           uint64_t *found_columns, ioa_error *error)
{
    ioa_h5 h5;
    ioa_status status = ioa_h5_open(path, &h5, error);
    if (status != IOA_OK) return status;
    uint64_t shape[2] = {IOA_H5_ANY, columns ? columns : IOA_H5_ANY};
    void *found;
    status = ioa_h5_read(&h5, name, IOA_H5_F32, 2, shape, &found, error);
    if (status == IOA_OK) {
        *values = found;
        *rows = shape[0];
        *found_columns = shape[1];
    }
    return ioa_h5_end(&h5, status, error);
}

typedef struct tensor {
    const char *name;
    const float *values;
    uint64_t shape[2];
} tensor;

static ioa_status fill(const ioa_h5 *h5, const void *content, ioa_error *error)
{
    const tensor *t = content;
    return ioa_h5_write(h5, t->name, IOA_H5_F32, 2, t->shape, t->values, error);
}

ioa_status ioa_tensor_write(const char *path, const char *name, const float *values, uint64_t rows, uint64_t columns,
                            ioa_error *error)
{
    tensor t = {name, values, {rows, columns}};
    return ioa_h5_write_file(path, fill, &t, error);
}
