/* Importers: files people have, turned into networks. One table of formats (io/import/import.c), one file per format. */
#ifndef IOA_IO_IMPORT_H
#define IOA_IO_IMPORT_H

#include <ioanneal/network.h>
#include <stdbool.h>

typedef enum ioa_orientation { IOA_OUT_IN = 0, IOA_IN_OUT = 1 } ioa_orientation; /* what a row of a weight file is */

typedef struct ioa_import_options {
    const char *format;          /* name from the table, or NULL: by extension */
    ioa_orientation orientation; /* rows are destinations (OUT_IN) or sources (IN_OUT) */
    bool orientation_given;      /* false: the format's own default; formats that fix theirs refuse another */
    const char *const *bias;     /* [bias_count] one file per layer (.mtx, .npy), or none */
    uint32_t bias_count;
    float bias_value;            /* used where neither the file nor a bias file gives one */
    const char *activation;      /* "relu" for all layers, or a comma list, one per layer; NAME[:PARAM]; NULL: what the
                                    file says, else relu for hidden layers and identity for the last */
    const char *model;           /* Keras: JSON of the model, for the activations; or NULL */
    const char *tensors;         /* npz, safetensors: comma list of the weight tensors in order of the layers, or NULL:
                                    all matrices, by name */
    double prune;                /* keep the largest weights of each layer until connections / (rows x columns) is this, to
                                    the nearest connection; 0 or 1: keep all */
    const char *name;            /* network name, or NULL: from the first file */
    void (*reading)(void *context, uint32_t file); /* told before each file is read, or NULL */
    void *context;
} ioa_import_options;

/* What was found, per layer, to be shown to the user: orientation is the likeliest silent error. */
typedef struct ioa_import_layer {
    uint32_t rows, columns;  /* of the weights as a matrix [out, in] */
    ioa_orientation orientation; /* of the file */
    char name[96];           /* in the file; "" if a file is a layer */
    uint64_t connections;
    uint32_t dead;           /* outputs of the layer that no later layer reads */
    char activation[48];
} ioa_import_layer;

typedef struct ioa_import_report {
    ioa_import_layer *layers; /* owned; release with ioa_import_report_clear */
    uint32_t count;
    char format[16];
    char warning[512]; /* "", or what the user should know */
} ioa_import_report;

/* An activation as people write it. */
typedef struct ioa_import_activation {
    uint8_t code; /* ioa_activation */
    float param;
} ioa_import_activation;

/* NAME[:PARAM], `length` bytes of it. leaky_relu has 0.01 unless told otherwise, clipped_relu wants its upper end.
 * IOA_ERR_INPUT. */
ioa_status ioa_import_parse_activation(const char *text, size_t length, ioa_import_activation *activation, ioa_error *error);

/* The index-th format, for --help: its name ("mtx"), NULL behind the last one, and one line on what it holds. */
const char *ioa_import_format_name(uint32_t index);
const char *ioa_import_format_summary(uint32_t index);

/* Reads `files` [count], each one layer or several, in order. Layer l's outputs are layer l+1's inputs; sizes must
 * match. */
ioa_status ioa_import(const char *const *files, uint32_t count, const ioa_import_options *options,
                      ioa_network **network, ioa_import_report *report, ioa_error *error);
void ioa_import_report_clear(ioa_import_report *report);

#endif
