/* MatrixMarket (R. Boisvert, R. Pozo, K. Remington, "The Matrix Market Exchange Formats", NISTIR 5935, 1996):
 * coordinate and array; real, integer, pattern; general, symmetric, skew-symmetric. */
#include "io/import/import_format.h"

#include "core/base/mem.h"
#include "io/import/import_text.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

typedef struct header {
    bool coordinate, pattern;
    bool symmetric; /* only the lower triangle is stored */
    bool skew;
    uint64_t rows, columns, entries;
} header;

/* Position of the next token among `words` (case does not matter), or -1. */
static int choose(ioa_text *text, const char *const *words)
{
    if (!ioa_text_token(text, false)) return -1;
    for (int i = 0; words[i]; i++)
        if (strcasecmp(text->token, words[i]) == 0) return i;
    return -1;
}

static ioa_status read_banner(ioa_text *text, header *h, ioa_error *error)
{
    static const char *const formats[] = {"coordinate", "array", NULL};
    static const char *const fields[] = {"real", "integer", "pattern", "double", NULL};
    static const char *const symmetries[] = {"general", "symmetric", "skew-symmetric", NULL};
    if (!ioa_text_token(text, false) || strcasecmp(text->token, "%%MatrixMarket") != 0)
        return ioa_text_fail(text, error, "does not start with %%%%MatrixMarket");
    if (!ioa_text_token(text, false) || strcasecmp(text->token, "matrix") != 0)
        return ioa_text_fail(text, error, "holds \"%.40s\" instead of a matrix", text->token);
    int format = choose(text, formats);
    if (format < 0) return ioa_text_fail(text, error, "unknown storage \"%.40s\"", text->token);
    int field = choose(text, fields);
    if (field < 0) return ioa_text_fail(text, error, "values of type \"%.40s\" are not supported", text->token);
    int symmetry = choose(text, symmetries);
    if (symmetry < 0) return ioa_text_fail(text, error, "symmetry \"%.40s\" is not supported", text->token);
    *h = (header){.coordinate = format == 0, .pattern = field == 2, .symmetric = symmetry > 0, .skew = symmetry == 2};
    if (h->pattern && (!h->coordinate || h->skew))
        return ioa_text_fail(text, error, "a pattern must be coordinate and general or symmetric");
    return IOA_OK;
}

/* Moves to the next line that is neither blank nor a comment; false at the end of the file. */
static bool next_content(ioa_text *text)
{
    while (ioa_text_next_line(text)) {
        int c = ioa_text_peek(text);
        if (c != '\n' && c != '%' && c != -1) return true;
    }
    return false;
}

static ioa_status end_of_line(ioa_text *text, ioa_error *error)
{
    return ioa_text_token(text, false) ? ioa_text_fail(text, error, "\"%.40s\" is too much", text->token) : IOA_OK;
}

static ioa_status read_header(ioa_text *text, header *h, ioa_error *error)
{
    ioa_status status = read_banner(text, h, error);
    if (status != IOA_OK) return status;
    if (!next_content(text)) return ioa_text_fail(text, error, "the line of sizes is missing");
    status = ioa_text_whole(text, false, UINT32_MAX, "the number of rows", &h->rows, error);
    if (status == IOA_OK) status = ioa_text_whole(text, false, UINT32_MAX, "the number of columns", &h->columns, error);
    if (status == IOA_OK && h->coordinate)
        status = ioa_text_whole(text, false, UINT64_MAX, "the number of entries", &h->entries, error);
    if (status == IOA_OK) status = end_of_line(text, error);
    if (status != IOA_OK) return status;
    uint64_t n = h->rows;
    if (h->symmetric && n != h->columns) return ioa_text_fail(text, error, "a symmetric matrix must be square");
    if (!h->coordinate) h->entries = !h->symmetric ? n * h->columns : h->skew ? n * (n - (n > 0)) / 2 : n * (n + 1) / 2;
    if (h->entries > UINT32_MAX) return ioa_text_fail(text, error, "more than 2^32 - 1 entries");
    /* The shortest entry is "1 1", "1 1 1" or "1", and a line end. */
    uint64_t shortest = !h->coordinate ? 2 : h->pattern ? 4 : 6;
    if (h->entries > (text->bytes + 1) / shortest)
        return ioa_text_fail(text, error, "%" PRIu64 " entries are announced, which a file of %" PRIu64
                             " bytes cannot hold", h->entries, text->bytes);
    return ioa_matrix_check_size(text->path, h->rows, h->columns, text->bytes, error);
}

static void add(ioa_matrix *m, uint64_t row, uint64_t column, float value)
{
    m->row[m->count] = (uint32_t)row;
    m->column[m->count] = (uint32_t)column;
    if (m->value) m->value[m->count] = value;
    m->count++;
}

static ioa_status read_coordinate(ioa_text *text, const header *h, ioa_matrix *m, ioa_error *error)
{
    for (uint64_t i = 0; i < h->entries; i++) {
        uint64_t row = 0, column = 0;
        float value = 0;
        if (!next_content(text))
            return ioa_text_fail(text, error, "the file ends after %" PRIu64 " of %" PRIu64 " entries", i, h->entries);
        ioa_status status = ioa_text_whole(text, false, h->rows, "the row", &row, error);
        if (status == IOA_OK) status = ioa_text_whole(text, false, h->columns, "the column", &column, error);
        if (status == IOA_OK && !h->pattern) status = ioa_text_real(text, &value, error);
        if (status == IOA_OK) status = end_of_line(text, error);
        if (status != IOA_OK) return status;
        if (row == 0 || column == 0) return ioa_text_fail(text, error, "rows and columns count from 1");
        if (h->symmetric && (h->skew ? column >= row : column > row))
            return ioa_text_fail(text, error, "a symmetric matrix stores its lower triangle only");
        add(m, row - 1, column - 1, value);
    }
    if (next_content(text))
        return ioa_text_fail(text, error, "there is more after the %" PRIu64 " announced entries", h->entries);
    return IOA_OK;
}

/* Column by column; symmetric ones from the diagonal (or below it) down. Zeros are no connections. */
static ioa_status read_array(ioa_text *text, const header *h, bool zeros, ioa_matrix *m, ioa_error *error)
{
    for (uint64_t column = 0; column < h->columns; column++)
        for (uint64_t row = !h->symmetric ? 0 : h->skew ? column + 1 : column; row < h->rows; row++) {
            float value = 0;
            /* Values usually stand one to a line, but the format only asks for blanks between them. */
            int c = ioa_text_peek(text);
            if ((c == '\n' || c == '%' || c == -1) && !next_content(text))
                return ioa_text_fail(text, error, "the file ends before all %" PRIu64 " values", h->entries);
            ioa_status status = ioa_text_real(text, &value, error);
            if (status != IOA_OK) return status;
            if (value != 0 || zeros) add(m, row, column, value);
        }
    ioa_status status = end_of_line(text, error);
    if (status == IOA_OK && next_content(text))
        return ioa_text_fail(text, error, "there is more after the %" PRIu64 " announced values", h->entries);
    return status;
}

/* Adds the other triangle behind the stored entries. */
static void mirror(const header *h, ioa_matrix *m)
{
    uint64_t stored = m->count;
    for (uint64_t i = 0; i < stored; i++)
        if (m->row[i] != m->column[i])
            add(m, m->column[i], m->row[i], !m->value ? 0 : h->skew ? -m->value[i] : m->value[i]);
}

static ioa_status read_matrix(const char *path, bool zeros, ioa_matrix *matrix, ioa_error *error)
{
    ioa_text text;
    header h;
    ioa_matrix m = {0};
    ioa_status status = ioa_text_open(path, &text, error);
    if (status != IOA_OK) return status;
    status = read_header(&text, &h, error);
    if (status == IOA_OK) status = ioa_matrix_allocate(&m, h.symmetric ? 2 * h.entries : h.entries, !h.pattern, path, error);
    if (status == IOA_OK) {
        m.rows = (uint32_t)h.rows;
        m.columns = (uint32_t)h.columns;
        status = h.coordinate ? read_coordinate(&text, &h, &m, error) : read_array(&text, &h, zeros, &m, error);
    }
    if (status == IOA_OK && ferror(text.file)) status = ioa_fail(error, IOA_ERR_SYSTEM, "%s: cannot be read", path);
    if (status == IOA_OK && h.symmetric) mirror(&h, &m);
    ioa_text_close(&text);
    if (status == IOA_OK)
        *matrix = m;
    else
        ioa_matrix_clear(&m);
    return status;
}

static ioa_status read_weights(const char *path, ioa_matrix *matrix, ioa_error *error)
{
    return read_matrix(path, false, matrix, error);
}

static uint64_t line_of(const char *path, uint64_t entry)
{
    ioa_text text;
    header h;
    uint64_t line = 0;
    if (ioa_text_open(path, &text, NULL) != IOA_OK) return 0;
    if (read_header(&text, &h, NULL) == IOA_OK && h.coordinate && entry < h.entries) {
        bool there = true;
        for (uint64_t i = 0; i <= entry && there; i++) there = next_content(&text);
        if (there) line = text.line;
    }
    ioa_text_close(&text);
    return line;
}

const ioa_import_format ioa_import_mtx = {
    .name = "mtx", .summary = ".mtx, MatrixMarket: a layer per file, [out, in]", .extension = ".mtx", .orientation = IOA_OUT_IN, .read = read_weights, .line_of = line_of};

ioa_status ioa_import_mtx_vector(const char *path, uint64_t length, float **values, ioa_error *error)
{
    ioa_matrix m;
    ioa_status status = read_matrix(path, true, &m, error);
    if (status != IOA_OK) return status;
    bool *seen = NULL;
    float *vector = NULL;
    if (!m.value || !((m.rows == 1 && m.columns == length) || (m.columns == 1 && m.rows == length))) {
        status = ioa_fail(error, IOA_ERR_INPUT, "%s: is %" PRIu32 " x %" PRIu32 "%s; a bias for %" PRIu64
                          " neurons must be 1 x %" PRIu64 " or %" PRIu64 " x 1 with values", path, m.rows, m.columns,
                          m.value ? "" : " without values", length, length, length);
        goto out;
    }
    seen = ioa_alloc_zero(length, sizeof *seen);
    vector = ioa_alloc_zero(length, sizeof *vector);
    if (!seen || !vector) {
        status = ioa_fail_nomem(error, "a bias", length, sizeof *vector);
        goto out;
    }
    for (uint64_t i = 0; i < m.count && status == IOA_OK; i++) {
        uint32_t at = m.rows == 1 ? m.column[i] : m.row[i];
        if (seen[at])
            status = ioa_fail(error, IOA_ERR_INPUT, "%s: line %" PRIu64 ": the entry was given before", path,
                              line_of(path, i));
        seen[at] = true;
        vector[at] = m.value[i];
    }
    if (status != IOA_OK) goto out;
    *values = vector;
    vector = NULL;
out:
    ioa_free(seen);
    ioa_free(vector);
    ioa_matrix_clear(&m);
    return status;
}
