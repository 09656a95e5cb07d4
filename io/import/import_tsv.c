/* Sparse DNN Graph Challenge .tsv (J. Kepner et al., "Sparse Deep Neural Network Graph Challenge", HPEC 2019): lines
 * "row TAB column TAB value", 1-based, [in, out] (Y = Y W). Sizes are not in the file: they are the largest indices,
 * at least N where the file is named nN-.. as the Challenge's are. */
#include "io/import/import_format.h"

#include "core/base/mem.h"
#include "io/import/import_text.h"

#include <inttypes.h>
#include <string.h>

#define SHORTEST 5u /* bytes of "1 1 1" */

/* Moves to the first line from the current one on that is not blank. */
static bool at_content(ioa_text *text, bool first)
{
    if (first) {
        int c = ioa_text_peek(text);
        if (c != '\n' && c != -1) return true;
    }
    while (ioa_text_next_line(text)) {
        int c = ioa_text_peek(text);
        if (c != '\n' && c != -1) return true;
    }
    return false;
}

static ioa_status read_entries(ioa_text *text, uint64_t room, ioa_matrix *m, ioa_error *error)
{
    for (bool more = at_content(text, true); more; more = at_content(text, false)) {
        uint64_t row, column;
        float value;
        ioa_status status = ioa_text_whole(text, false, UINT32_MAX, "the row", &row, error);
        if (status == IOA_OK) status = ioa_text_whole(text, false, UINT32_MAX, "the column", &column, error);
        if (status == IOA_OK) status = ioa_text_real(text, &value, error);
        if (status != IOA_OK) return status;
        if (ioa_text_token(text, false)) return ioa_text_fail(text, error, "\"%.40s\" is too much", text->token);
        if (row == 0 || column == 0) return ioa_text_fail(text, error, "rows and columns count from 1");
        if (m->count == room) return ioa_text_fail(text, error, "the file grew while it was read, or is too large");
        if (row > m->rows) m->rows = (uint32_t)row;
        if (column > m->columns) m->columns = (uint32_t)column;
        m->row[m->count] = (uint32_t)(row - 1);
        m->column[m->count] = (uint32_t)(column - 1);
        m->value[m->count++] = value;
    }
    return ferror(text->file) ? ioa_fail(error, IOA_ERR_SYSTEM, "%s: cannot be read", text->path) : IOA_OK;
}

/* N of a name nN-..; 0 if it has another form. */
static uint32_t named_size(const char *path)
{
    const char *slash = strrchr(path, '/'), *c = slash ? slash + 1 : path;
    uint32_t size = 0;
    if (*c++ != 'n') return 0;
    for (; *c >= '0' && *c <= '9' && size < 100000000; c++) size = size * 10 + (uint32_t)(*c - '0');
    return *c == '-' ? size : 0;
}

static ioa_status read_weights(const char *path, ioa_matrix *matrix, ioa_error *error)
{
    ioa_text text;
    ioa_matrix m = {0};
    ioa_status status = ioa_text_open(path, &text, error);
    if (status != IOA_OK) return status;
    uint64_t room = text.bytes / SHORTEST + 1, bytes = text.bytes;
    if (room > UINT32_MAX) room = UINT32_MAX;
    status = ioa_matrix_allocate(&m, room, true, path, error);
    if (status == IOA_OK) status = read_entries(&text, room, &m, error);
    ioa_text_close(&text);
    uint32_t least = named_size(path);
    if (m.rows < least) m.rows = least;
    if (m.columns < least) m.columns = least;
    if (status == IOA_OK) status = ioa_matrix_check_size(path, m.rows, m.columns, bytes, error);
    if (status == IOA_OK)
        *matrix = m;
    else
        ioa_matrix_clear(&m);
    return status;
}

static uint64_t line_of(const char *path, uint64_t entry)
{
    ioa_text text;
    uint64_t line = 0;
    if (ioa_text_open(path, &text, NULL) != IOA_OK) return 0;
    bool there = at_content(&text, true);
    for (uint64_t i = 0; i < entry && there; i++) there = at_content(&text, false);
    if (there) line = text.line;
    ioa_text_close(&text);
    return line;
}

const ioa_import_format ioa_import_tsv = {.name = "tsv", .summary = ".tsv, Graph Challenge: a layer per file, [in, out]", .extension = ".tsv", .orientation = IOA_IN_OUT,
                                          .read = read_weights, .line_of = line_of, .open = true};
