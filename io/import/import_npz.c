/* NumPy's .npz: a zip archive of arrays. Either named dense matrices and vectors (numpy.savez), or one sparse matrix
 * as scipy.sparse.save_npz stores it (csr, csc, coo). */
#include "io/import/import_npy.h"
#include "io/import/import_zip.h"

#include "core/base/mem.h"

#include <inttypes.h>
#include <string.h>

typedef struct archive {
    const char *path;
    ioa_bytes file;
    ioa_bytes *contents;  /* [count], unpacked members; owned */
    char (*names)[IOA_TENSOR_NAME]; /* [count], without ".npy"; owned */
    ioa_tensor *tensors;  /* [count]; owned */
    uint64_t count;
} archive;

static void clear(archive *z)
{
    for (uint64_t i = 0; i < z->count; i++) ioa_free(z->contents[i].data);
    ioa_free(z->contents);
    ioa_free(z->names);
    ioa_free(z->tensors);
    ioa_free(z->file.data);
}

static ioa_status unpack(archive *z, ioa_error *error)
{
    ioa_zip zip;
    ioa_status status = ioa_zip_open(z->path, &z->file, &zip, error);
    if (status != IOA_OK) return status;
    z->contents = ioa_alloc_zero(zip.left, sizeof *z->contents);
    z->names = ioa_alloc_zero(zip.left, sizeof *z->names);
    z->tensors = ioa_alloc_zero(zip.left, sizeof *z->tensors);
    if (!z->contents || !z->names || !z->tensors) return ioa_fail_nomem(error, z->path, zip.left, sizeof *z->tensors);
    while (status == IOA_OK && zip.left) {
        ioa_zip_member member;
        status = ioa_zip_next(&zip, &member, error);
        size_t length = status == IOA_OK ? strlen(member.name) : 0;
        if (length < 4 || strcmp(member.name + length - 4, ".npy") != 0) continue; /* not an array */
        status = ioa_zip_read(&zip, &member, &z->contents[z->count], error);
        if (status == IOA_OK) memcpy(z->names[z->count++], member.name, length - 4);
    }
    return status;
}

static const ioa_bytes *content(const archive *z, const char *name)
{
    for (uint64_t i = 0; i < z->count; i++)
        if (strcmp(z->names[i], name) == 0) return &z->contents[i];
    return NULL;
}

/* ---- scipy.sparse ---- */

static ioa_status vector(const archive *z, const char *name, ioa_tensor *t, ioa_error *error)
{
    const ioa_bytes *bytes = content(z, name);
    if (!bytes) return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: is missing from the sparse matrix", z->path, name);
    ioa_status status = ioa_npy_parse(z->path, name, bytes, t, error);
    if (status != IOA_OK || t->rank == 1) return status;
    return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: has %u dimensions instead of 1", z->path, name, t->rank);
}

static ioa_status whole(const archive *z, const ioa_tensor *t, uint64_t i, uint64_t below, uint64_t *value,
                        ioa_error *error)
{
    if (ioa_number_whole(t->number, t->data + i * t->number.size, value) && *value < below) return IOA_OK;
    return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: element %" PRIu64 " is no whole number below %" PRIu64, z->path, t->name,
                    i, below);
}

static ioa_status read_indices(const archive *z, const ioa_tensor *t, uint32_t below, uint32_t *to, uint64_t count,
                               ioa_error *error)
{
    if (t->count != count)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: has %" PRIu64 " elements instead of %" PRIu64, z->path, t->name,
                        t->count, count);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t value;
        ioa_status status = whole(z, t, i, below, &value, error);
        if (status != IOA_OK) return status;
        to[i] = (uint32_t)value;
    }
    return IOA_OK;
}

/* Offsets into the entries, expanded: to[i] = the line (row or column) of entry i. */
static ioa_status expand(const archive *z, const ioa_tensor *t, uint32_t lines, uint32_t *to, uint64_t count,
                         ioa_error *error)
{
    uint64_t previous = 0, offset = 0;
    if (t->count != (uint64_t)lines + 1)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: indptr: has %" PRIu64 " elements instead of %" PRIu64, z->path, t->count,
                        (uint64_t)lines + 1);
    for (uint64_t l = 0; l <= lines; l++) {
        ioa_status status = whole(z, t, l, count + 1, &offset, error);
        if (status != IOA_OK) return status;
        if (offset < previous || (l == 0 && offset != 0))
            return ioa_fail(error, IOA_ERR_INPUT, "%s: indptr: decreases at element %" PRIu64 " or does not start with 0",
                            z->path, l);
        for (uint64_t i = previous; i < offset; i++) to[i] = (uint32_t)(l - 1);
        previous = offset;
    }
    if (offset == count) return IOA_OK;
    return ioa_fail(error, IOA_ERR_INPUT, "%s: indptr: ends at %" PRIu64 " instead of %" PRIu64, z->path, offset, count);
}

static ioa_status read_places(const archive *z, const char *format, ioa_matrix *m, uint64_t count, ioa_error *error)
{
    ioa_tensor one, two;
    bool coo = strcmp(format, "coo") == 0, csc = strcmp(format, "csc") == 0;
    if (!coo && !csc && strcmp(format, "csr") != 0)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: is a sparse matrix of format %s; save it as csr, csc or coo", z->path,
                        format);
    ioa_status status = vector(z, coo ? "row" : "indptr", &one, error);
    if (status == IOA_OK) status = vector(z, coo ? "col" : "indices", &two, error);
    if (status != IOA_OK) return status;
    uint32_t *lines = csc ? m->column : m->row, *others = csc ? m->row : m->column;
    uint32_t most_lines = csc ? m->columns : m->rows, most_others = csc ? m->rows : m->columns;
    status = coo ? read_indices(z, &one, most_lines, lines, count, error) : expand(z, &one, most_lines, lines, count, error);
    if (status == IOA_OK) status = read_indices(z, &two, most_others, others, count, error);
    return status;
}

static ioa_status fill_sparse(const archive *z, const char *format, const ioa_tensor *data, ioa_matrix *m,
                              ioa_error *error)
{
    uint64_t count = data->count;
    ioa_status status = ioa_matrix_allocate(m, count, true, z->path, error);
    if (status == IOA_OK) status = read_places(z, format, m, count, error);
    for (uint64_t i = 0; i < count && status == IOA_OK; i++) {
        m->value[i] = (float)ioa_number_real(data->number, data->data + i * data->number.size);
        if (!(m->value[i] - m->value[i] == 0))
            status = ioa_fail(error, IOA_ERR_INPUT, "%s: data: element %" PRIu64 " is not a finite float32", z->path, i);
    }
    m->count = count;
    return status;
}

static ioa_status read_sparse(const archive *z, ioa_model *model, ioa_error *error)
{
    char format[16];
    ioa_tensor shape, data;
    ioa_model_layer *layer;
    uint64_t rows, columns;
    ioa_status status = ioa_npy_text(z->path, "format", content(z, "format"), format, sizeof format, error);
    if (status == IOA_OK) status = vector(z, "shape", &shape, error);
    if (status == IOA_OK) status = vector(z, "data", &data, error);
    if (status == IOA_OK && (shape.count != 2 || data.count > UINT32_MAX))
        status = ioa_fail(error, IOA_ERR_INPUT, "%s: shape: is not that of a matrix, or too large", z->path);
    if (status == IOA_OK) status = whole(z, &shape, 0, UINT64_C(1) << 32, &rows, error);
    if (status == IOA_OK) status = whole(z, &shape, 1, UINT64_C(1) << 32, &columns, error);
    if (status == IOA_OK) status = ioa_matrix_check_size(z->path, rows, columns, z->file.size, error);
    if (status == IOA_OK) status = ioa_model_add(model, z->path, "", &layer, error);
    if (status != IOA_OK) return status;
    layer->orientation = IOA_IN_OUT;
    layer->weights.rows = (uint32_t)rows;
    layer->weights.columns = (uint32_t)columns;
    return fill_sparse(z, format, &data, &layer->weights, error);
}

/* ---- dense arrays ---- */

static ioa_status read_dense(archive *z, ioa_model *model, ioa_error *error)
{
    uint64_t count = 0;
    ioa_status status = IOA_OK;
    for (uint64_t i = 0; i < z->count && status == IOA_OK; i++) {
        status = ioa_npy_parse(z->path, z->names[i], &z->contents[i], &z->tensors[count], error);
        if (status == IOA_OK) count++;
        /* With a list of tensors the file may hold anything else. */
        if (status == IOA_ERR_INPUT && model->options->tensors) status = IOA_OK;
    }
    return status == IOA_OK ? ioa_tensors_to_layers(z->tensors, count, IOA_IN_OUT, z->path, model, error) : status;
}

static ioa_status read_model(const char *path, ioa_model *model, ioa_error *error)
{
    archive z = {.path = path};
    ioa_status status = ioa_bytes_load(path, &z.file, error);
    if (status == IOA_OK) status = unpack(&z, error);
    if (status == IOA_OK) {
        bool sparse = content(&z, "format") && content(&z, "shape") && content(&z, "data");
        status = sparse ? read_sparse(&z, model, error) : read_dense(&z, model, error);
    }
    clear(&z);
    return status;
}

const ioa_import_format ioa_import_npz = {
    .name = "npz", .summary = ".npz, NumPy: matrices and vectors, or one scipy.sparse matrix, [in, out]", .extension = ".npz", .orientation = IOA_IN_OUT, .read_model = read_model};
