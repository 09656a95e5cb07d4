/* Arrays of NumPy (numpy.lib.format, versions 1 to 3). */
#ifndef IOA_IO_IMPORT_NPY_H
#define IOA_IO_IMPORT_NPY_H

#include "io/import/import_tensors.h"

/* Reads the header of an array in memory; `tensor` borrows the bytes. `name` is for texts and becomes the tensor's.
 * IOA_ERR_INPUT for anything but plain numbers whose bytes are all there. */
ioa_status ioa_npy_parse(const char *path, const char *name, const ioa_bytes *bytes, ioa_tensor *tensor,
                         ioa_error *error);

/* The same for a 0-dimensional string (|S or <U), as scipy.sparse stores its format; cut to `size`. */
ioa_status ioa_npy_text(const char *path, const char *name, const ioa_bytes *bytes, char *text, size_t size,
                        ioa_error *error);

#endif
