/* Matrices of importers: sizes, pruning, invented weights, conversion to CSR. */
#include "io/import/import_format.h"

#include "core/base/mem.h"
#include "core/base/rng.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FREE_NEURONS (UINT64_C(1) << 20) /* a file may claim this many whatever its size */
#define NEURONS_PER_BYTE 16u
#define PATTERN_SEED UINT64_C(0x736d7478) /* "smtx" */

void ioa_matrix_clear(ioa_matrix *matrix)
{
    ioa_free(matrix->row);
    ioa_free(matrix->column);
    ioa_free(matrix->value);
    *matrix = (ioa_matrix){0};
}

ioa_status ioa_matrix_allocate(ioa_matrix *matrix, uint64_t count, bool values, const char *path, ioa_error *error)
{
    matrix->row = ioa_alloc(count, sizeof *matrix->row);
    matrix->column = ioa_alloc(count, sizeof *matrix->column);
    matrix->value = values ? ioa_alloc(count, sizeof *matrix->value) : NULL;
    if (matrix->row && matrix->column && (matrix->value || !values)) return IOA_OK;
    ioa_matrix_clear(matrix);
    return ioa_fail_nomem(error, path, count, sizeof *matrix->row + sizeof *matrix->column + sizeof *matrix->value);
}

ioa_status ioa_matrix_check_size(const char *path, uint64_t rows, uint64_t columns, uint64_t bytes, ioa_error *error)
{
    if (rows == 0 || columns == 0)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: is %" PRIu64 " x %" PRIu64 ": a layer needs inputs and outputs", path,
                        rows, columns);
    uint64_t limit = FREE_NEURONS + bytes * NEURONS_PER_BYTE;
    if (rows > UINT32_MAX || columns > UINT32_MAX || rows > limit || columns > limit)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: claims to be %" PRIu64 " x %" PRIu64 ", out of proportion to its %"
                        PRIu64 " bytes", path, rows, columns, bytes);
    return IOA_OK;
}

ioa_status ioa_matrix_from_dense(ioa_matrix *matrix, uint64_t rows, uint64_t columns, const float *values,
                                 const char *path, const char *name, ioa_error *error)
{
    uint64_t count = 0, total = rows * columns;
    for (uint64_t i = 0; i < total; i++) {
        if (!isfinite(values[i]))
            return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: the value in row %" PRIu64 ", column %" PRIu64
                            " (from 0) is not a finite float32", path, name, i / columns, i % columns);
        count += values[i] != 0;
    }
    if (rows == 0 || columns == 0 || rows > UINT32_MAX || columns > UINT32_MAX || count > UINT32_MAX)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: is %" PRIu64 " x %" PRIu64 ", impossible for a layer", path, name,
                        rows, columns);
    ioa_matrix m = {.rows = (uint32_t)rows, .columns = (uint32_t)columns};
    ioa_status status = ioa_matrix_allocate(&m, count, true, path, error);
    if (status != IOA_OK) return status;
    for (uint64_t i = 0; i < total; i++) {
        if (values[i] == 0) continue;
        m.row[m.count] = (uint32_t)(i / columns);
        m.column[m.count] = (uint32_t)(i % columns);
        m.value[m.count++] = values[i];
    }
    *matrix = m;
    return IOA_OK;
}

void ioa_text_clean(char *text)
{
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127) *c = '?';
}

ioa_status ioa_model_add(ioa_model *model, const char *path, const char *name, ioa_model_layer **layer,
                         ioa_error *error)
{
    if ((model->count & (model->count - 1)) == 0) { /* full at powers of two */
        uint64_t room = model->count ? 2 * (uint64_t)model->count : 1;
        ioa_model_layer *grown = ioa_alloc_zero(room, sizeof *grown);
        if (!grown) return ioa_fail_nomem(error, "layers", room, sizeof *grown);
        if (model->count) memcpy(grown, model->layers, model->count * sizeof *grown);
        ioa_free(model->layers);
        model->layers = grown;
    }
    *layer = &model->layers[model->count++];
    (*layer)->path = path;
    snprintf((*layer)->name, sizeof (*layer)->name, "%s", name);
    ioa_text_clean((*layer)->name);
    return IOA_OK;
}

void ioa_model_warn(ioa_model *model, const char *format, ...)
{
    size_t at = strlen(model->warning);
    if (at && at + 2 < sizeof model->warning) {
        memcpy(model->warning + at, "; ", 3);
        at += 2;
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(model->warning + at, sizeof model->warning - at, format, arguments);
    va_end(arguments);
}

void ioa_model_clear(ioa_model *model)
{
    for (uint32_t l = 0; l < model->count; l++) {
        ioa_matrix_clear(&model->layers[l].weights);
        ioa_free(model->layers[l].bias);
    }
    ioa_free(model->layers);
    model->layers = NULL;
    model->count = 0;
}

void ioa_matrix_transpose(ioa_matrix *matrix)
{
    ioa_matrix t = *matrix;
    matrix->rows = t.columns;
    matrix->columns = t.rows;
    matrix->row = t.column;
    matrix->column = t.row;
}

/* Orders like the magnitude. */
static uint32_t magnitude_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits & UINT32_C(0x7fffffff);
}

/* The magnitude of rank `keep` from above by two passes of 16 bits; *ties: how many entries equal to it belong to the
 * `keep` largest. */
static void find_threshold(const ioa_matrix *m, uint64_t keep, uint64_t *counts, uint32_t *threshold, uint64_t *ties)
{
    uint64_t left = keep;
    uint32_t high = 0;
    for (int shift = 16; shift >= 0; shift -= 16) {
        memset(counts, 0, 65536 * sizeof *counts);
        for (uint64_t i = 0; i < m->count; i++) {
            uint32_t bits = magnitude_bits(m->value[i]);
            if (shift == 16 || bits >> 16 == high) counts[(bits >> shift) & 0xffff]++;
        }
        uint32_t digit = 0xffff;
        while (digit > 0 && counts[digit] < left) left -= counts[digit--];
        if (shift == 16)
            high = digit;
        else
            *threshold = high << 16 | digit;
    }
    *ties = left;
}

ioa_status ioa_matrix_prune(ioa_matrix *matrix, uint64_t keep, ioa_error *error)
{
    if (keep >= matrix->count) return IOA_OK;
    uint32_t threshold = UINT32_MAX;
    uint64_t ties = 0, kept = 0, *counts = ioa_alloc(65536, sizeof *counts);
    if (!counts) return ioa_fail_nomem(error, "pruning", 65536, sizeof *counts);
    if (keep > 0) find_threshold(matrix, keep, counts, &threshold, &ties);
    ioa_free(counts);
    for (uint64_t i = 0; i < matrix->count; i++) {
        uint32_t bits = magnitude_bits(matrix->value[i]);
        if (bits < threshold || (bits == threshold && ties == 0)) continue;
        if (bits == threshold) ties--;
        matrix->row[kept] = matrix->row[i];
        matrix->column[kept] = matrix->column[i];
        matrix->value[kept++] = matrix->value[i];
    }
    matrix->count = kept;
    return IOA_OK;
}

ioa_status ioa_matrix_invent_values(ioa_matrix *matrix, uint64_t layer, ioa_error *error)
{
    uint32_t *fan_in = ioa_alloc_zero(matrix->rows, sizeof *fan_in);
    float *value = ioa_alloc(matrix->count, sizeof *value);
    if (!fan_in || !value) {
        ioa_free(fan_in);
        ioa_free(value);
        return ioa_fail_nomem(error, "weights", matrix->count, sizeof *value);
    }
    ioa_pcg32 rng = ioa_rng_keyed(PATTERN_SEED, IOA_RNG_GENERATE, layer, 0);
    for (uint64_t i = 0; i < matrix->count; i++) fan_in[matrix->row[i]]++;
    for (uint64_t i = 0; i < matrix->count; i++)
        value[i] = (float)((2 * ioa_pcg32_double(&rng) - 1) / sqrt((double)fan_in[matrix->row[i]]));
    ioa_free(fan_in);
    matrix->value = value;
    return IOA_OK;
}

/* Stable counting sort of the entries `from` [count] (NULL: 0, 1, ..) by key; `offsets` [keys + 1] is scratch and
 * keeps the ends of the keys' ranges in offsets[0 .. keys - 1]. */
static void sort_by(const uint32_t *key, uint32_t keys, uint64_t count, const uint32_t *from, uint32_t *to,
                    uint64_t *offsets)
{
    memset(offsets, 0, ((size_t)keys + 1) * sizeof *offsets);
    for (uint64_t i = 0; i < count; i++) offsets[key[i] + 1]++;
    for (uint32_t k = 0; k < keys; k++) offsets[k + 1] += offsets[k];
    for (uint64_t i = 0; i < count; i++) {
        uint32_t entry = from ? from[i] : (uint32_t)i;
        to[offsets[key[entry]]++] = entry;
    }
}

ioa_status ioa_matrix_to_rows(const ioa_matrix *matrix, int64_t base, uint32_t first_source, int64_t *ends,
                              uint32_t *indices, float *weights, uint64_t *duplicate, ioa_error *error)
{
    uint32_t most = matrix->rows > matrix->columns ? matrix->rows : matrix->columns;
    uint32_t *by_column = ioa_alloc(matrix->count, sizeof *by_column);
    uint32_t *by_row = ioa_alloc(matrix->count, sizeof *by_row);
    uint64_t *offsets = ioa_alloc((uint64_t)most + 1, sizeof *offsets);
    ioa_status status = IOA_OK;
    *duplicate = UINT64_MAX;
    if (!by_column || !by_row || !offsets) {
        status = ioa_fail_nomem(error, "sorting a layer", matrix->count, 2 * sizeof *by_row);
        goto out;
    }
    sort_by(matrix->column, matrix->columns, matrix->count, NULL, by_column, offsets);
    sort_by(matrix->row, matrix->rows, matrix->count, by_column, by_row, offsets);
    for (uint32_t r = 0; r < matrix->rows; r++) ends[r] = base + (int64_t)offsets[r];
    for (uint64_t i = 0; i < matrix->count; i++) {
        uint32_t entry = by_row[i];
        indices[i] = first_source + matrix->column[entry];
        weights[i] = matrix->value[entry];
        if (i > 0 && matrix->row[by_row[i - 1]] == matrix->row[entry] && indices[i - 1] == indices[i] &&
            entry < *duplicate)
            *duplicate = entry; /* the sort is stable: the later one */
    }
out:
    ioa_free(by_column);
    ioa_free(by_row);
    ioa_free(offsets);
    return status;
}
