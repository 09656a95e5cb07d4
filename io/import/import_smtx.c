/* The Deep Learning Matrix Collection's .smtx (T. Gale, M. Zaharia, C. Young, E. Elsen, "Sparse GPU Kernels for Deep
 * Learning", SC 2020): a line "rows, columns, entries", a line of row offsets, a line of columns, 0-based, without
 * values. */
#include "io/import/import_format.h"

#include "core/base/mem.h"
#include "io/import/import_text.h"

#include <inttypes.h>

typedef struct header {
    uint64_t rows, columns, entries;
} header;

static ioa_status end_of_line(ioa_text *text, ioa_error *error)
{
    return ioa_text_token(text, true) ? ioa_text_fail(text, error, "\"%.40s\" is too much", text->token) : IOA_OK;
}

static ioa_status read_header(ioa_text *text, header *h, ioa_error *error)
{
    ioa_status status = ioa_text_whole(text, true, UINT32_MAX, "the number of rows", &h->rows, error);
    if (status == IOA_OK) status = ioa_text_whole(text, true, UINT32_MAX, "the number of columns", &h->columns, error);
    if (status == IOA_OK) status = ioa_text_whole(text, true, UINT32_MAX, "the number of entries", &h->entries, error);
    if (status == IOA_OK) status = end_of_line(text, error);
    if (status != IOA_OK) return status;
    /* Every offset and every column takes a digit and a separator. */
    if (h->entries + h->rows > text->bytes / 2)
        return ioa_text_fail(text, error, "%" PRIu64 " rows and %" PRIu64 " entries are announced, which a file of %"
                             PRIu64 " bytes cannot hold", h->rows, h->entries, text->bytes);
    return ioa_matrix_check_size(text->path, h->rows, h->columns, text->bytes, error);
}

/* Fills m->row from the offsets as they pass by. */
static ioa_status read_offsets(ioa_text *text, const header *h, ioa_matrix *m, ioa_error *error)
{
    uint64_t previous = 0;
    for (uint64_t r = 0; r <= h->rows; r++) {
        uint64_t offset;
        ioa_status status = ioa_text_whole(text, true, h->entries, "a row offset", &offset, error);
        if (status != IOA_OK) return status;
        if (r == 0 && offset != 0) return ioa_text_fail(text, error, "row offsets must start with 0");
        if (offset < previous) return ioa_text_fail(text, error, "row offsets decrease at row %" PRIu64, r);
        for (uint64_t i = previous; i < offset; i++) m->row[i] = (uint32_t)(r - 1);
        previous = offset;
    }
    if (previous != h->entries)
        return ioa_text_fail(text, error, "row offsets end at %" PRIu64 " instead of %" PRIu64, previous, h->entries);
    return end_of_line(text, error);
}

static ioa_status read_columns(ioa_text *text, const header *h, ioa_matrix *m, ioa_error *error)
{
    for (uint64_t i = 0; i < h->entries; i++) {
        uint64_t column;
        ioa_status status = ioa_text_whole(text, true, UINT32_MAX, "a column", &column, error);
        if (status != IOA_OK) return status;
        if (column >= h->columns)
            return ioa_text_fail(text, error, "column %" PRIu64 " of entry %" PRIu64 " is not below %" PRIu64, column, i,
                                 h->columns);
        m->column[i] = (uint32_t)column;
    }
    m->count = h->entries;
    return end_of_line(text, error);
}

static ioa_status read_body(ioa_text *text, const header *h, ioa_matrix *m, ioa_error *error)
{
    if (!ioa_text_next_line(text)) return ioa_text_fail(text, error, "the line of row offsets is missing");
    ioa_status status = read_offsets(text, h, m, error);
    if (status != IOA_OK) return status;
    bool more = ioa_text_next_line(text); /* matrices without entries may lack the line of columns */
    if (!more && h->entries) return ioa_text_fail(text, error, "the line of columns is missing");
    status = read_columns(text, h, m, error);
    while (status == IOA_OK && ioa_text_next_line(text)) status = end_of_line(text, error);
    return status;
}

static ioa_status read_weights(const char *path, ioa_matrix *matrix, ioa_error *error)
{
    ioa_text text;
    header h;
    ioa_matrix m = {0};
    ioa_status status = ioa_text_open(path, &text, error);
    if (status != IOA_OK) return status;
    status = read_header(&text, &h, error);
    if (status == IOA_OK) status = ioa_matrix_allocate(&m, h.entries, false, path, error);
    if (status == IOA_OK) {
        m.rows = (uint32_t)h.rows;
        m.columns = (uint32_t)h.columns;
        status = read_body(&text, &h, &m, error);
    }
    if (status == IOA_OK && ferror(text.file)) status = ioa_fail(error, IOA_ERR_SYSTEM, "%s: cannot be read", path);
    ioa_text_close(&text);
    if (status == IOA_OK)
        *matrix = m;
    else
        ioa_matrix_clear(&m);
    return status;
}

const ioa_import_format ioa_import_smtx = {
    .name = "smtx", .summary = ".smtx, Deep Learning Matrix Collection: a pattern per file, [out, in]", .extension = ".smtx", .orientation = IOA_OUT_IN, .read = read_weights};
