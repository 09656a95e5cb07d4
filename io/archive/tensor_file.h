/* Batches of input and output vectors: float32 [rows, columns] datasets in HDF5. */
#ifndef IOA_IO_TENSOR_FILE_H
#define IOA_IO_TENSOR_FILE_H

#include <ioanneal/status.h>
#include <stdint.h>

/* Reads dataset `name` ("/x"), which must have two dimensions and `columns` columns (0: any). `values` [rows,
 * columns] is released with ioa_free. */
ioa_status ioa_tensor_read(const char *path, const char *name, uint64_t columns, float **values, uint64_t *rows,
                           uint64_t *found_columns, ioa_error *error);

/* Writes one dataset into a fresh file, atomically. */
ioa_status ioa_tensor_write(const char *path, const char *name, const float *values, uint64_t rows, uint64_t columns,
                            ioa_error *error);

#endif
