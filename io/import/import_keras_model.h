/* The JSON of a Keras model (to_json, or the attribute model_config): which activation follows which dense layer. */
#ifndef IOA_IO_IMPORT_KERAS_MODEL_H
#define IOA_IO_IMPORT_KERAS_MODEL_H

#include "io/import/import_format.h"

typedef struct ioa_keras_model ioa_keras_model;

/* `path` names the file in texts; it and `warn`, which takes warnings, stay borrowed. IOA_ERR_INPUT for layers that are
 * no part of a chain of dense layers. */
ioa_status ioa_keras_model_parse(const char *text, size_t length, const char *path, ioa_model *warn,
                                 ioa_keras_model **model, ioa_error *error);
ioa_status ioa_keras_model_load(const char *path, ioa_model *warn, ioa_keras_model **model, ioa_error *error);
void ioa_keras_model_destroy(ioa_keras_model *model); /* NULL is allowed */

/* Activation of the dense layer `name` (NULL: whichever is next), layers of activation behind it included; layers are asked for in their
 * sequence. IOA_ERR_INPUT if the model has no such layer next. */
ioa_status ioa_keras_model_dense(ioa_keras_model *model, const char *name, char *activation, size_t size,
                                 ioa_error *error);

/* IOA_ERR_INPUT if dense layers of the model were never asked for. */
ioa_status ioa_keras_model_finish(ioa_keras_model *model, ioa_error *error);

#endif
