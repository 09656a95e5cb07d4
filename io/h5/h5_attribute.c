/* Attributes and listings of io/h5/h5.h. */
#include "io/h5/h5.h"

#include "core/base/mem.h"

#include <inttypes.h>
#include <string.h>

#define MAX_TEXT (UINT64_C(1) << 26) /* bytes of a string */

static ioa_status bad(const ioa_h5 *h5, const char *name, const char *attribute, ioa_error *error, const char *what)
{
    bool root = strcmp(name, "/") == 0;
    return ioa_fail(error, IOA_ERR_INPUT, "%s: %s%sattribute %s %s", h5->path, root ? "" : name, root ? "" : ": ",
                    attribute, what);
}

bool ioa_h5_has_attribute(const ioa_h5 *h5, const char *name, const char *attribute)
{
    return H5Aexists_by_name(h5->file, name, attribute, H5P_DEFAULT) > 0;
}

/* Opens an attribute that must hold one element, or `count` of them if count is not 0. */
static ioa_status open_attribute(const ioa_h5 *h5, const char *name, const char *attribute, uint64_t count, hid_t *id,
                                 ioa_error *error)
{
    htri_t there = H5Aexists_by_name(h5->file, name, attribute, H5P_DEFAULT);
    if (there < 0) return ioa_h5_fail(h5, error, IOA_ERR_INPUT, name, "is damaged");
    if (there == 0) return bad(h5, name, attribute, error, "is missing");
    *id = H5Aopen_by_name(h5->file, name, attribute, H5P_DEFAULT, H5P_DEFAULT);
    if (*id < 0) return ioa_h5_fail(h5, error, IOA_ERR_INPUT, attribute, "cannot be opened");
    hid_t space = H5Aget_space(*id);
    hssize_t points = space < 0 ? -1 : H5Sget_simple_extent_npoints(space);
    if (space >= 0) H5Sclose(space);
    if (points == (count ? (hssize_t)count : 1)) return IOA_OK;
    H5Aclose(*id);
    return bad(h5, name, attribute, error, "has the wrong number of elements");
}

/* Copy of `length` bytes as a NUL-terminated string, cut at the first NUL. */
static char *terminated(const char *from, size_t length)
{
    const char *end = memchr(from, '\0', length);
    if (end) length = (size_t)(end - from);
    char *text = ioa_alloc(length + 1, 1);
    if (!text) return NULL;
    memcpy(text, from, length);
    text[length] = '\0';
    return text;
}

static ioa_status read_variable(const ioa_h5 *h5, const char *attribute, hid_t id, hid_t type, char **text,
                                ioa_error *error)
{
    char *found = NULL;
    hid_t memory = H5Tcopy(H5T_C_S1);
    H5Tset_size(memory, H5T_VARIABLE);
    H5Tset_cset(memory, H5Tget_cset(type));
    herr_t result = H5Aread(id, memory, &found);
    ioa_status status = result < 0 ? ioa_h5_fail(h5, error, IOA_ERR_INPUT, attribute, "cannot be read") : IOA_OK;
    H5Tclose(memory);
    if (status != IOA_OK) return status;
    const char *shown = found ? found : ""; /* NULL: an empty string */
    *text = terminated(shown, strlen(shown));
    if (!*text) status = ioa_fail_nomem(error, attribute, strlen(shown) + 1, 1);
    H5free_memory(found);
    return status;
}

static ioa_status read_fixed(const ioa_h5 *h5, const char *name, const char *attribute, hid_t id, hid_t type,
                             char **text, ioa_error *error)
{
    size_t size = H5Tget_size(type);
    if (size == 0 || size > MAX_TEXT || size > h5->bytes) return bad(h5, name, attribute, error, "is too long");
    char *buffer = ioa_alloc(size, 1);
    if (!buffer) return ioa_fail_nomem(error, attribute, size, 1);
    ioa_status status = IOA_OK;
    if (H5Aread(id, type, buffer) < 0) {
        status = ioa_h5_fail(h5, error, IOA_ERR_INPUT, attribute, "cannot be read");
    } else {
        if (H5Tget_strpad(type) == H5T_STR_SPACEPAD)
            while (size > 0 && buffer[size - 1] == ' ') size--;
        *text = terminated(buffer, size);
        if (!*text) status = ioa_fail_nomem(error, attribute, size + 1, 1);
    }
    ioa_free(buffer);
    return status;
}

ioa_status ioa_h5_get_string(const ioa_h5 *h5, const char *name, const char *attribute, char **text, ioa_error *error)
{
    hid_t id = H5I_INVALID_HID;
    ioa_status status = open_attribute(h5, name, attribute, 0, &id, error);
    if (status != IOA_OK) return status;
    hid_t type = H5Aget_type(id);
    if (type < 0 || H5Tget_class(type) != H5T_STRING)
        status = bad(h5, name, attribute, error, "is not a text");
    else if (H5Tis_variable_str(type) > 0)
        status = read_variable(h5, attribute, id, type, text, error);
    else
        status = read_fixed(h5, name, attribute, id, type, text, error);
    if (type >= 0) H5Tclose(type);
    H5Aclose(id);
    return status;
}

ioa_status ioa_h5_get_text(const ioa_h5 *h5, const char *name, const char *attribute, char *text, size_t size,
                           ioa_error *error)
{
    char *found;
    ioa_status status = ioa_h5_get_string(h5, name, attribute, &found, error);
    if (status != IOA_OK) return status;
    size_t length = strlen(found);
    if (length < size)
        memcpy(text, found, length + 1);
    else
        status = bad(h5, name, attribute, error, "is too long");
    ioa_free(found);
    return status;
}

void ioa_h5_free_texts(char **texts, uint64_t count)
{
    for (uint64_t i = 0; texts && i < count; i++) ioa_free(texts[i]);
    ioa_free(texts);
}

/* Elements of fixed length lie one behind the other in `raw`; of variable length, `raw` holds pointers. */
static ioa_status copy_texts(const void *raw, bool variable, size_t size, uint64_t count, char **texts, ioa_error *error)
{
    for (uint64_t i = 0; i < count; i++) {
        const char *text = variable ? ((char *const *)raw)[i] : (const char *)raw + i * size;
        texts[i] = variable ? terminated(text ? text : "", text ? strlen(text) : 0) : terminated(text, size);
        if (!texts[i]) return ioa_fail_nomem(error, "names", count, sizeof *texts);
    }
    return IOA_OK;
}

static ioa_status read_texts(const ioa_h5 *h5, const char *name, const char *attribute, hid_t id, uint64_t count,
                             char **texts, ioa_error *error)
{
    hid_t type = H5Aget_type(id), space = H5Aget_space(id);
    bool text = type >= 0 && space >= 0 && H5Tget_class(type) == H5T_STRING;
    bool variable = text && H5Tis_variable_str(type) > 0;
    size_t size = !text ? 0 : variable ? sizeof(char *) : H5Tget_size(type);
    ioa_status status = IOA_OK;
    void *raw = NULL;
    if (!text)
        status = bad(h5, name, attribute, error, "does not hold texts");
    else if (size == 0 || size > h5->bytes || count > h5->bytes / (variable ? 1 : size))
        status = bad(h5, name, attribute, error, "is too long");
    else if (!(raw = ioa_alloc_zero(count, size)))
        status = ioa_fail_nomem(error, attribute, count, size);
    else if (H5Aread(id, type, raw) < 0)
        status = ioa_h5_fail(h5, error, IOA_ERR_INPUT, attribute, "cannot be read");
    else {
        status = copy_texts(raw, variable, size, count, texts, error);
        if (variable) H5Dvlen_reclaim(type, space, H5P_DEFAULT, raw);
    }
    ioa_free(raw);
    if (space >= 0) H5Sclose(space);
    if (type >= 0) H5Tclose(type);
    return status;
}

ioa_status ioa_h5_get_texts(const ioa_h5 *h5, const char *name, const char *attribute, char ***texts, uint64_t *count,
                            ioa_error *error)
{
    if (H5Aexists_by_name(h5->file, name, attribute, H5P_DEFAULT) <= 0)
        return bad(h5, name, attribute, error, "is missing");
    hid_t id = H5Aopen_by_name(h5->file, name, attribute, H5P_DEFAULT, H5P_DEFAULT);
    if (id < 0) return ioa_h5_fail(h5, error, IOA_ERR_INPUT, attribute, "cannot be opened");
    hid_t space = H5Aget_space(id);
    hssize_t points = space < 0 ? -1 : H5Sget_simple_extent_npoints(space);
    if (space >= 0) H5Sclose(space);
    char **found = NULL;
    ioa_status status = IOA_OK;
    if (points < 0 || (uint64_t)points > h5->bytes)
        status = bad(h5, name, attribute, error, "has an impossible number of elements");
    else if (!(found = ioa_alloc_zero((uint64_t)points, sizeof *found)))
        status = ioa_fail_nomem(error, attribute, (uint64_t)points, sizeof *found);
    else if (points > 0)
        status = read_texts(h5, name, attribute, id, (uint64_t)points, found, error);
    H5Aclose(id);
    if (status == IOA_OK) {
        *texts = found;
        *count = (uint64_t)points;
    } else if (found)
        ioa_h5_free_texts(found, (uint64_t)points);
    return status;
}

/* Integers must fit as they are: HDF5 itself would clip them silently. */
static bool integer_fits(hid_t id, hid_t type, ioa_h5_kind kind, uint64_t count)
{
    uint64_t wide[8];
    bool is_signed = H5Tget_sign(type) == H5T_SGN_2;
    if (count > sizeof wide / sizeof wide[0] || H5Tget_size(type) > 8) return false;
    if (H5Aread(id, ioa_h5_native(is_signed ? IOA_H5_I64 : IOA_H5_U64), wide) < 0) return false;
    uint64_t most = kind == IOA_H5_U8    ? UINT8_MAX
                    : kind == IOA_H5_U32 ? UINT32_MAX
                    : kind == IOA_H5_I64 ? (uint64_t)INT64_MAX
                                         : UINT64_MAX;
    for (uint64_t i = 0; i < count; i++) {
        bool negative = is_signed && wide[i] >> 63;
        if (negative ? kind != IOA_H5_I64 : wide[i] > most) return false;
    }
    return true;
}

ioa_status ioa_h5_get(const ioa_h5 *h5, const char *name, const char *attribute, ioa_h5_kind kind, uint64_t count,
                      void *values, ioa_error *error)
{
    hid_t id = H5I_INVALID_HID;
    ioa_status status = open_attribute(h5, name, attribute, count, &id, error);
    if (status != IOA_OK) return status;
    bool real = kind == IOA_H5_F32 || kind == IOA_H5_F64;
    hid_t type = H5Aget_type(id);
    H5T_class_t class = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
    if (class != H5T_INTEGER && !(real && class == H5T_FLOAT))
        status = bad(h5, name, attribute, error, real ? "is not a number" : "is not an integer");
    else if (!real && !integer_fits(id, type, kind, count ? count : 1))
        status = bad(h5, name, attribute, error, "is out of range");
    else if (H5Aread(id, ioa_h5_native(kind), values) < 0)
        status = ioa_h5_fail(h5, error, IOA_ERR_INPUT, attribute, "cannot be read");
    if (type >= 0) H5Tclose(type);
    H5Aclose(id);
    return status;
}

typedef struct walk {
    ioa_h5_visit visit;
    void *context;
    ioa_error *error;
    ioa_status status;
} walk;

static herr_t on_attribute(hid_t location, const char *name, const H5A_info_t *info, void *data)
{
    walk *w = data;
    (void)location, (void)info;
    w->status = w->visit(name, w->context, w->error);
    return w->status == IOA_OK ? 0 : 1;
}

static herr_t on_member(hid_t location, const char *name, const H5L_info_t *info, void *data)
{
    walk *w = data;
    (void)location, (void)info;
    w->status = w->visit(name, w->context, w->error);
    return w->status == IOA_OK ? 0 : 1;
}

ioa_status ioa_h5_each_attribute(const ioa_h5 *h5, const char *name, ioa_h5_visit visit, void *context,
                                 ioa_error *error)
{
    walk w = {visit, context, error, IOA_OK};
    hsize_t at = 0;
    if (H5Aiterate_by_name(h5->file, name, H5_INDEX_NAME, H5_ITER_INC, &at, on_attribute, &w, H5P_DEFAULT) < 0 &&
        w.status == IOA_OK)
        return ioa_h5_fail(h5, error, IOA_ERR_INPUT, name, "its attributes cannot be listed");
    return w.status;
}

ioa_status ioa_h5_each_member(const ioa_h5 *h5, const char *name, ioa_h5_visit visit, void *context, ioa_error *error)
{
    walk w = {visit, context, error, IOA_OK};
    hsize_t at = 0;
    if (H5Literate_by_name(h5->file, name, H5_INDEX_NAME, H5_ITER_INC, &at, on_member, &w, H5P_DEFAULT) < 0 &&
        w.status == IOA_OK)
        return ioa_h5_fail(h5, error, IOA_ERR_INPUT, name, "its members cannot be listed");
    return w.status;
}
