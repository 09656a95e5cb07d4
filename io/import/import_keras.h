/* What the readers of the two layouts of Keras share: import_keras.c (Keras 2), import_keras3.c. */
#ifndef IOA_IO_IMPORT_KERAS_H
#define IOA_IO_IMPORT_KERAS_H

#include "io/h5/h5.h"
#include "io/import/import_keras_model.h"

typedef struct ioa_keras_reader {
    ioa_h5 h5;
    ioa_model *model;
    const char *root;      /* Keras 2: group of the layers, "" or "model_weights" */
    ioa_keras_model *json; /* or NULL; owned */
    uint64_t elements;     /* of all kernels so far: a file may name one dataset many times */
} ioa_keras_reader;

/* Appends a dense layer from its datasets; `bias` may be NULL. `name` is for texts; `json_name` is the layer's in the JSON,
 * or NULL: whichever is next there. */
ioa_status ioa_keras_read_dense(ioa_keras_reader *r, const char *name, const char *json_name, const char *kernel,
                                const char *bias, ioa_error *error);

/* True if the open file has the layout of Keras 3. */
bool ioa_keras3_probe(const ioa_keras_reader *r);

/* Appends all layers of a file in that layout. */
ioa_status ioa_keras3_read_layers(ioa_keras_reader *r, ioa_error *error);

/* Reads a file of either layout. `shown` is its name in texts; `json` [length] the model's JSON, or NULL: as the options or
 * the file say. All of them are borrowed, `shown` for as long as the model lives. */
ioa_status ioa_keras_read_weights(const char *path, const char *shown, const char *json, size_t length, ioa_model *model,
                                  ioa_error *error);

#endif
