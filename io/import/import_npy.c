#include "io/import/import_npy.h"

#include "core/base/mem.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MAX_RANK 32u

/* What the header's dictionary says. */
typedef struct header {
    char descr[32];
    bool fortran;
    unsigned rank;
    uint64_t shape[2], count;
    unsigned seen; /* bits: descr, fortran_order, shape */
} header;

typedef struct cursor {
    const char *at, *end;
} cursor;

static char skip_blanks(cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\t')) c->at++;
    return c->at < c->end ? *c->at : '\0';
}

static bool take(cursor *c, char wanted)
{
    if (skip_blanks(c) != wanted) return false;
    c->at++;
    return true;
}

static bool take_word(cursor *c, const char *word)
{
    size_t length = strlen(word);
    skip_blanks(c);
    if ((size_t)(c->end - c->at) < length || memcmp(c->at, word, length) != 0) return false;
    c->at += length;
    return true;
}

static bool take_text(cursor *c, char *text, size_t size)
{
    char quote = skip_blanks(c);
    if (quote != '\'' && quote != '"') return false;
    c->at++;
    size_t length = 0;
    while (c->at < c->end && *c->at != quote && length + 1 < size) text[length++] = *c->at++;
    text[length] = '\0';
    return c->at < c->end && *c->at++ == quote;
}

static bool take_whole(cursor *c, uint64_t *value)
{
    char first = skip_blanks(c);
    if (first < '0' || first > '9') return false;
    *value = 0;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++) {
        if (*value > UINT64_MAX / 16) return false;
        *value = *value * 10 + (uint64_t)(*c->at - '0');
    }
    if (c->at < c->end && *c->at == 'L') c->at++; /* Python 2 */
    return true;
}

/* "(3, 4)", "(3,)", "()" */
static bool take_shape(cursor *c, header *h)
{
    if (!take(c, '(')) return false;
    h->rank = 0;
    h->count = 1;
    while (skip_blanks(c) != ')') {
        uint64_t length;
        if (h->rank == MAX_RANK || !take_whole(c, &length)) return false;
        if (length && h->count > UINT64_MAX / 16 / length) return false;
        if (h->rank < 2) h->shape[h->rank] = length;
        h->count *= length;
        h->rank++;
        if (!take(c, ',') && skip_blanks(c) != ')') return false;
    }
    return take(c, ')');
}

static bool take_entry(cursor *c, header *h)
{
    char key[32];
    if (!take_text(c, key, sizeof key) || !take(c, ':')) return false;
    if (strcmp(key, "descr") == 0) {
        h->seen |= 1;
        return take_text(c, h->descr, sizeof h->descr);
    }
    if (strcmp(key, "fortran_order") == 0) {
        h->seen |= 2;
        h->fortran = take_word(c, "True");
        return h->fortran || take_word(c, "False");
    }
    h->seen |= 4;
    return strcmp(key, "shape") == 0 && take_shape(c, h);
}

/* Finds the dictionary and the data behind it. */
static ioa_status read_header(const char *path, const char *name, const ioa_bytes *bytes, header *h,
                              const unsigned char **data, uint64_t *size, ioa_error *error)
{
    if (bytes->size < 10 || memcmp(bytes->data, "\x93NUMPY", 6) != 0)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: is not a NumPy array", path, name);
    unsigned version = bytes->data[6];
    uint64_t start = version == 1 ? 10 : 12, length = version == 1 ? ioa_load_u16(bytes->data + 8) : 0;
    if (version != 1 && bytes->size >= 12) length = ioa_load_u32(bytes->data + 8);
    if (version < 1 || version > 3)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: is a NumPy array of version %u; 1 to 3 are read", path, name, version);
    if (bytes->size < start || length > bytes->size - start)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: is truncated", path, name);
    cursor c = {(const char *)bytes->data + start, (const char *)bytes->data + start + length};
    *h = (header){0};
    bool good = take(&c, '{');
    while (good && skip_blanks(&c) != '}') {
        good = take_entry(&c, h);
        if (good && !take(&c, ',')) good = skip_blanks(&c) == '}';
    }
    if (!good || h->seen != 7)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: has an unreadable header, or holds other things than plain numbers",
                        path, name);
    *data = bytes->data + start + length;
    *size = bytes->size - start - length;
    return IOA_OK;
}

static bool parse_number(const char *descr, ioa_number *number)
{
    static const char *const known[] = {"f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"};
    if (!descr[0] || !strchr("<>|=", descr[0])) return false;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(descr + 1, known[i]) == 0) {
            char kind = known[i][0];
            *number = (ioa_number){kind == 'b' ? 'u' : kind, (uint8_t)(known[i][1] - '0'), descr[0] == '>'};
            return true;
        }
    return false;
}

ioa_status ioa_npy_parse(const char *path, const char *name, const ioa_bytes *bytes, ioa_tensor *tensor,
                         ioa_error *error)
{
    header h;
    uint64_t size;
    ioa_tensor t = {0};
    ioa_status status = read_header(path, name, bytes, &h, &t.data, &size, error);
    if (status != IOA_OK) return status;
    if (!parse_number(h.descr, &t.number))
        return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: holds values of type \"%s\", not real numbers", path, name, h.descr);
    if (h.count > size / t.number.size)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: claims %" PRIu64 " values, but holds %" PRIu64 " bytes: truncated",
                        path, name, h.count, size);
    if (snprintf(t.name, sizeof t.name, "%s", name) >= (int)sizeof t.name)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: %.40s..: has too long a name", path, name);
    t.rank = h.rank;
    t.shape[0] = h.shape[0];
    t.shape[1] = h.shape[1];
    t.count = h.count;
    t.fortran = h.fortran;
    *tensor = t;
    return IOA_OK;
}

ioa_status ioa_npy_text(const char *path, const char *name, const ioa_bytes *bytes, char *text, size_t size,
                        ioa_error *error)
{
    header h;
    uint64_t left, length = 0;
    const unsigned char *data;
    ioa_status status = read_header(path, name, bytes, &h, &data, &left, error);
    if (status != IOA_OK) return status;
    bool wide = h.descr[0] == '<' && h.descr[1] == 'U', narrow = h.descr[0] == '|' && h.descr[1] == 'S';
    if (h.rank != 0 || (!wide && !narrow))
        return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: is not a text", path, name);
    for (uint64_t at = 0; at < left && length + 1 < size && data[at]; at += wide ? 4 : 1) text[length++] = (char)data[at];
    text[length] = '\0';
    return IOA_OK;
}

ioa_status ioa_import_npy_vector(const char *path, uint64_t length, float **values, ioa_error *error)
{
    ioa_bytes bytes = {0};
    ioa_tensor t;
    ioa_status status = ioa_bytes_load(path, &bytes, error);
    if (status != IOA_OK) return status;
    status = ioa_npy_parse(path, "bias", &bytes, &t, error);
    bool flat = status == IOA_OK && (t.rank == 1 || (t.rank == 2 && (t.shape[0] == 1 || t.shape[1] == 1)));
    if (status == IOA_OK && (!flat || t.count != length))
        status = ioa_fail(error, IOA_ERR_INPUT, "%s: holds %" PRIu64 " values in %u dimensions; a bias for %" PRIu64
                          " neurons must be a vector of %" PRIu64, path, t.count, t.rank, length, length);
    if (status == IOA_OK) status = ioa_tensor_values(&t, path, values, error);
    ioa_free(bytes.data);
    return status;
}

static ioa_status read_model(const char *path, ioa_model *model, ioa_error *error)
{
    ioa_bytes bytes = {0};
    ioa_tensor t;
    ioa_status status = ioa_bytes_load(path, &bytes, error);
    if (status != IOA_OK) return status;
    status = ioa_npy_parse(path, "array", &bytes, &t, error);
    if (status == IOA_OK && t.rank != 2)
        status = ioa_fail(error, IOA_ERR_INPUT, "%s: has %u dimensions; the weights of a layer are a matrix", path, t.rank);
    if (status == IOA_OK) status = ioa_tensors_to_layers(&t, 1, IOA_IN_OUT, path, model, error);
    ioa_free(bytes.data);
    return status;
}

const ioa_import_format ioa_import_npy = {
    .name = "npy", .summary = ".npy, NumPy: a matrix per file, [in, out]", .extension = ".npy", .orientation = IOA_IN_OUT, .read_model = read_model};
