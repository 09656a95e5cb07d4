/* Inside of the samples: import_samples.c and import_samples_keras.c. */
#ifndef IOA_TESTS_SUPPORT_IMPORT_SAMPLES_PARTS_H
#define IOA_TESTS_SUPPORT_IMPORT_SAMPLES_PARTS_H

#include "tests/support/import_samples.h"

#include <stddef.h>
#include <stdint.h>

typedef struct buffer {
    unsigned char bytes[32768];
    size_t size;
} buffer;

typedef struct zip {
    buffer *out;
    buffer directory;
    unsigned members;
    bool deflate;
} zip;

void zip_add_bytes(zip *z, const char *name, const void *bytes, size_t size);
void zip_end(zip *z);

/* The sample in the layouts of Keras, by the HDF5 library; false if it cannot be written. */
bool write_keras2(const char *path);
bool write_keras3_weights(const char *path);
bool write_keras3(const char *path);

#endif
