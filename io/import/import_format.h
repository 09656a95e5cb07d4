/* What the import_*.c files share: a format's reader fills layers, import.c assembles them into a network. */
#ifndef IOA_IO_IMPORT_FORMAT_H
#define IOA_IO_IMPORT_FORMAT_H

#include "core/model/network.h"
#include "io/import/import.h"

/* A weight matrix as triplets, as the file orients it. Rows and columns are 0-based. */
typedef struct ioa_matrix {
    uint32_t rows, columns;
    uint64_t count;
    uint32_t *row;    /* [count], owned, as the next two */
    uint32_t *column; /* [count] */
    float *value;     /* [count], or NULL: a pattern without values */
} ioa_matrix;

void ioa_matrix_clear(ioa_matrix *matrix);
ioa_status ioa_matrix_allocate(ioa_matrix *matrix, uint64_t count, bool values, const char *path, ioa_error *error);

/* Refuses sizes that no file of `bytes` bytes would honestly claim: neurons beyond a million need a file to match. */
ioa_status ioa_matrix_check_size(const char *path, uint64_t rows, uint64_t columns, uint64_t bytes, ioa_error *error);

/* Takes the nonzero values of a dense matrix [rows, columns], row-major: zeros are pruned connections. Refuses values
 * that are not finite; `name` is the matrix in texts. */
ioa_status ioa_matrix_from_dense(ioa_matrix *matrix, uint64_t rows, uint64_t columns, const float *values,
                                 const char *path, const char *name, ioa_error *error);

/* Replaces control characters: texts that quote a file must stay one line. */
void ioa_text_clean(char *text);

/* One layer as its file describes it. */
typedef struct ioa_model_layer {
    const char *path;            /* borrowed */
    char name[96];               /* in the file, for texts; "": the file is the layer */
    ioa_matrix weights;          /* as the file orients them, until import.c turns them to [out, in]; owned */
    ioa_orientation orientation; /* of the file; overridden by the user's unless `oriented` */
    bool oriented;               /* the format itself fixes the orientation */
    bool open;                   /* rows and columns are only the largest indices seen; neighbours may widen them */
    float *bias;                 /* [biases], or NULL: the file has none; owned */
    uint64_t biases;
    char activation[48];         /* NAME[:PARAM], or "": the file does not say */
} ioa_model_layer;

/* What the files of one import hold. */
typedef struct ioa_model {
    ioa_model_layer *layers; /* [count]; owned */
    uint32_t count;
    char warning[512];                 /* "", or what the user should know; several joined by "; " */
    const ioa_import_options *options; /* borrowed */
} ioa_model;

/* Appends a cleared layer (its orientation is the format's to set) and lends it until the next call. */
ioa_status ioa_model_add(ioa_model *model, const char *path, const char *name, ioa_model_layer **layer,
                         ioa_error *error);
void ioa_model_warn(ioa_model *model, const char *format, ...) IOA_PRINTF(2, 3);
void ioa_model_clear(ioa_model *model);

typedef struct ioa_import_format {
    const char *name;
    const char *extension;       /* with the dot */
    const char *summary;         /* one line for --help: extension, layout, what a file holds */
    ioa_orientation orientation; /* the format's own */
    /* One of the two: a file is one matrix, or a file appends its layers to the model. */
    ioa_status (*read)(const char *path, ioa_matrix *matrix, ioa_error *error);
    ioa_status (*read_model)(const char *path, ioa_model *model, ioa_error *error);
    /* Line of the file that holds triplet `entry`, for texts; NULL or 0 if unknown. */
    uint64_t (*line_of)(const char *path, uint64_t entry);
    bool open; /* the sizes of a matrix are only the largest indices seen */
} ioa_import_format;

extern const ioa_import_format ioa_import_mtx;
extern const ioa_import_format ioa_import_smtx;
extern const ioa_import_format ioa_import_tsv;
extern const ioa_import_format ioa_import_keras;
extern const ioa_import_format ioa_import_keras3;
extern const ioa_import_format ioa_import_npy;
extern const ioa_import_format ioa_import_npz;
extern const ioa_import_format ioa_import_safetensors;
extern const ioa_import_format ioa_import_onnx;

/* Reads a vector of `length` from a MatrixMarket or .npy file of shape 1 x length or length x 1 (or length). *values
 * with ioa_free. */
ioa_status ioa_import_vector(const char *path, uint64_t length, float **values, ioa_error *error);
ioa_status ioa_import_mtx_vector(const char *path, uint64_t length, float **values, ioa_error *error);
ioa_status ioa_import_npy_vector(const char *path, uint64_t length, float **values, ioa_error *error);

/* ---- import_build.c ---- */

/* Keeps the `keep` entries of largest magnitude in their sequence; of equal ones the first. */
ioa_status ioa_matrix_prune(ioa_matrix *matrix, uint64_t keep, ioa_error *error);

/* Transposes in place: rows become columns. */
void ioa_matrix_transpose(ioa_matrix *matrix);

/* Weights for a pattern in [out, in] orientation: uniform in (-1, 1) / sqrt(fan-in), a function of layer, entry
 * number and fan-in. */
ioa_status ioa_matrix_invent_values(ioa_matrix *matrix, uint64_t layer, ioa_error *error);

/* Writes the matrix ([out, in]) as CSR rows: offsets [rows] are the row ends, relative to `base`; sources get
 * `first_source` added. Finds duplicates: *duplicate is then the later entry's number, else UINT64_MAX. */
ioa_status ioa_matrix_to_rows(const ioa_matrix *matrix, int64_t base, uint32_t first_source, int64_t *ends,
                              uint32_t *indices, float *weights, uint64_t *duplicate, ioa_error *error);

#endif
