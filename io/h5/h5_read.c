/* Reading side of io/h5/h5.h: nothing is allocated on the word of the file alone. */
#include "io/h5/h5.h"

#include "core/base/mem.h"

#include <inttypes.h>
#include <string.h>

#define SLAB 65536u                        /* elements converted at a time */
#define MAX_CHUNK (UINT64_C(256) << 20)    /* bytes of a chunk the library may be made to allocate */
#define DEFLATE_RATIO UINT64_C(1032)       /* the most deflate can shrink anything */

typedef struct dataset {
    const ioa_h5 *h5;
    const char *name;
    hid_t id, type, space;
    H5T_class_t class; /* of the elements; the base type's for enumerations */
    size_t size;       /* of an element in the file, bytes */
    bool is_signed;
    unsigned rank;
    uint64_t shape[IOA_H5_MAX_RANK];
    uint64_t count;
} dataset;

static ioa_status bad(const dataset *d, ioa_error *error, const char *what)
{
    return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: %s", d->h5->path, d->name, what);
}

bool ioa_h5_exists(const ioa_h5 *h5, const char *name)
{
    char part[256];
    if (strlen(name) >= sizeof part) return false;
    /* H5Lexists wants every group on the way to exist. External links are followed nowhere. */
    for (const char *slash = name; slash;) {
        slash = strchr(slash + 1, '/');
        size_t length = slash ? (size_t)(slash - name) : strlen(name);
        memcpy(part, name, length);
        part[length] = '\0';
        H5L_info_t info;
        htri_t there = H5Lexists(h5->file, part, H5P_DEFAULT);
        if (there < 0) return true; /* damaged: whoever opens it says so, optional things must not just vanish */
        if (there == 0 || H5Lget_info(h5->file, part, &info, H5P_DEFAULT) < 0 || info.type != H5L_TYPE_HARD)
            return false;
    }
    return true;
}

static void close_dataset(dataset *d)
{
    if (d->space >= 0) H5Sclose(d->space);
    if (d->type >= 0) H5Tclose(d->type);
    if (d->id >= 0) H5Dclose(d->id);
}

static ioa_status inspect_type(dataset *d, ioa_error *error)
{
    d->type = H5Dget_type(d->id);
    if (d->type < 0) return ioa_h5_fail(d->h5, error, IOA_ERR_INPUT, d->name, "has no readable type");
    d->class = H5Tget_class(d->type);
    hid_t base = d->class == H5T_ENUM ? H5Tget_super(d->type) : H5Tcopy(d->type);
    if (base < 0) return ioa_h5_fail(d->h5, error, IOA_ERR_INPUT, d->name, "has no readable type");
    d->class = H5Tget_class(base);
    d->size = H5Tget_size(base);
    d->is_signed = d->class == H5T_INTEGER && H5Tget_sign(base) == H5T_SGN_2;
    H5Tclose(base);
    bool number = (d->class == H5T_INTEGER || d->class == H5T_FLOAT) && d->size >= 1 && d->size <= 8;
    return number ? IOA_OK : bad(d, error, "does not hold plain numbers");
}

static ioa_status inspect_shape(dataset *d, ioa_error *error)
{
    hsize_t length[H5S_MAX_RANK];
    d->space = H5Dget_space(d->id);
    int rank = d->space < 0 ? -1 : H5Sget_simple_extent_dims(d->space, length, NULL);
    if (rank < 0) return ioa_h5_fail(d->h5, error, IOA_ERR_INPUT, d->name, "has no readable shape");
    if (rank == 0 || rank > IOA_H5_MAX_RANK)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: has %d dimensions", d->h5->path, d->name, rank);
    d->rank = (unsigned)rank;
    d->count = 1;
    for (unsigned i = 0; i < d->rank; i++) {
        d->shape[i] = length[i];
        if (length[i] && d->count > UINT64_MAX / 8 / length[i]) return bad(d, error, "has an impossible shape");
        d->count *= length[i];
    }
    return IOA_OK;
}

/* The bytes in the file bound what its shape may claim: nothing shrinks more than 1032 times. */
static ioa_status inspect_storage(dataset *d, ioa_error *error)
{
    uint64_t stored = H5Dget_storage_size(d->id), claimed = d->count * d->size;
    hid_t list = H5Dget_create_plist(d->id);
    if (list < 0) return ioa_h5_fail(d->h5, error, IOA_ERR_INPUT, d->name, "has no readable layout");
    H5D_layout_t layout = H5Pget_layout(list);
    int filters = H5Pget_nfilters(list), elsewhere = H5Pget_external_count(list);
    hsize_t chunk[H5S_MAX_RANK];
    uint64_t chunk_bytes = 0;
    if (layout == H5D_CHUNKED) {
        int rank = H5Pget_chunk(list, H5S_MAX_RANK, chunk);
        chunk_bytes = rank == (int)d->rank ? d->size : UINT64_MAX;
        for (unsigned i = 0; i < d->rank && chunk_bytes <= MAX_CHUNK; i++) chunk_bytes *= chunk[i];
    }
    H5Pclose(list);
    if (elsewhere != 0 || (layout != H5D_COMPACT && layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED))
        return bad(d, error, "keeps its data outside of this file");
    if (chunk_bytes > MAX_CHUNK) return bad(d, error, "is stored in impossibly large chunks");
    if (stored > d->h5->bytes) return bad(d, error, "claims more storage than the file has: truncated or damaged");
    uint64_t ratio = filters > 0 ? DEFLATE_RATIO : 1;
    if (claimed / ratio > stored)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: claims %" PRIu64 " elements, which %" PRIu64
                        " stored bytes cannot hold: incomplete or damaged", d->h5->path, d->name, d->count, stored);
    return IOA_OK;
}

static ioa_status open_dataset(const ioa_h5 *h5, const char *name, dataset *d, ioa_error *error)
{
    *d = (dataset){.h5 = h5, .name = name, .id = H5I_INVALID_HID, .type = H5I_INVALID_HID, .space = H5I_INVALID_HID};
    if (!ioa_h5_exists(h5, name)) return bad(d, error, "is missing");
    H5O_info_t info;
    if (H5Oget_info_by_name(h5->file, name, &info, H5P_DEFAULT) < 0)
        return ioa_h5_fail(h5, error, IOA_ERR_INPUT, name, "cannot be opened");
    if (info.type != H5O_TYPE_DATASET) return bad(d, error, "is not a dataset");
    d->id = H5Dopen2(h5->file, name, H5P_DEFAULT);
    if (d->id < 0) return ioa_h5_fail(h5, error, IOA_ERR_INPUT, name, "cannot be opened");
    ioa_status status = inspect_type(d, error);
    if (status == IOA_OK) status = inspect_shape(d, error);
    if (status == IOA_OK) status = inspect_storage(d, error);
    return status;
}

static bool is_float(ioa_h5_kind kind)
{
    return kind == IOA_H5_F32 || kind == IOA_H5_F64;
}

/* Can every value of the file's type be represented in `kind`? */
static bool fits_by_type(const dataset *d, ioa_h5_kind kind)
{
    size_t size = ioa_h5_size(kind);
    if (is_float(kind)) return d->class == H5T_FLOAT && d->size <= size;
    if (d->class != H5T_INTEGER) return false;
    bool target_signed = kind == IOA_H5_I64;
    if (d->is_signed) return target_signed && d->size <= size;
    return d->size <= size - (target_signed ? 1 : 0);
}

/* Stores one value, or says that it does not fit. */
static bool store(ioa_h5_kind kind, bool negative, uint64_t value, void *values, uint64_t at)
{
    static const uint64_t most[IOA_H5_KINDS] = {
        [IOA_H5_U8] = UINT8_MAX, [IOA_H5_U32] = UINT32_MAX, [IOA_H5_I64] = INT64_MAX, [IOA_H5_U64] = UINT64_MAX};
    if (negative ? kind != IOA_H5_I64 : value > most[kind]) return false;
    switch (kind) {
    case IOA_H5_U8: ((uint8_t *)values)[at] = (uint8_t)value; break;
    case IOA_H5_U32: ((uint32_t *)values)[at] = (uint32_t)value; break;
    case IOA_H5_I64: ((int64_t *)values)[at] = (int64_t)value; break;
    default: ((uint64_t *)values)[at] = value; break;
    }
    return true;
}

/* Reads integers of a type wider than `kind` in slabs of the first dimension and checks each. */
static ioa_status read_checked(const dataset *d, ioa_h5_kind kind, void *values, ioa_error *error)
{
    uint64_t width = d->rank == 2 ? d->shape[1] : 1;
    uint64_t rows = width && width < SLAB ? SLAB / width : 1;
    uint64_t *slab = ioa_alloc(rows * width, sizeof *slab);
    if (!slab) return ioa_fail_nomem(error, d->name, rows * width, sizeof *slab);
    ioa_status status = IOA_OK;
    hid_t type = ioa_h5_native(d->is_signed ? IOA_H5_I64 : IOA_H5_U64);
    for (uint64_t row = 0; row < d->shape[0] && status == IOA_OK; row += rows) {
        hsize_t start[2] = {row, 0}, length[2] = {d->shape[0] - row < rows ? d->shape[0] - row : rows, width};
        hid_t memory = H5Screate_simple((int)d->rank, length, NULL);
        if (memory < 0 || H5Sselect_hyperslab(d->space, H5S_SELECT_SET, start, NULL, length, NULL) < 0 ||
            H5Dread(d->id, type, memory, d->space, H5P_DEFAULT, slab) < 0)
            status = ioa_h5_fail(d->h5, error, IOA_ERR_INPUT, d->name, "cannot be read");
        if (memory >= 0) H5Sclose(memory);
        for (uint64_t i = 0; i < length[0] * width && status == IOA_OK; i++)
            if (!store(kind, d->is_signed && slab[i] >> 63, slab[i], values, row * width + i))
                status = ioa_fail(error, IOA_ERR_INPUT, "%s: %s: element %" PRIu64 " is out of range", d->h5->path,
                                  d->name, row * width + i);
    }
    ioa_free(slab);
    return status;
}

static ioa_status read_values(const dataset *d, ioa_h5_kind kind, void *values, ioa_error *error)
{
    if (d->count == 0) return IOA_OK;
    bool direct = fits_by_type(d, kind) || (is_float(kind) && d->class == H5T_FLOAT);
    if (!direct && d->class != H5T_INTEGER) return bad(d, error, "holds floating-point numbers, not integers");
    if (!direct && is_float(kind)) return bad(d, error, "holds integers, not floating-point numbers");
    if (!direct) return read_checked(d, kind, values, error);
    /* Enumerations are read as their codes: the native form of an 8-bit one needs no conversion. */
    bool codes = H5Tget_class(d->type) == H5T_ENUM && d->size == 1 && kind == IOA_H5_U8;
    hid_t memory = codes ? H5Tcopy(d->type) : H5Tcopy(ioa_h5_native(kind));
    ioa_status status = IOA_OK;
    if (memory < 0 || H5Dread(d->id, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
        status = ioa_h5_fail(d->h5, error, IOA_ERR_INPUT, d->name, "cannot be read");
    if (memory >= 0) H5Tclose(memory);
    return status;
}

/* Opens a dataset of the wanted shape; d->shape says what it is. To be closed whatever comes of it. */
static ioa_status open_shaped(const ioa_h5 *h5, const char *name, unsigned rank, const uint64_t *shape, dataset *d,
                              ioa_error *error)
{
    ioa_status status = open_dataset(h5, name, d, error);
    if (status != IOA_OK) return status;
    if (d->rank != rank)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: has %u dimension%s instead of %u", h5->path, name, d->rank,
                        d->rank == 1 ? "" : "s", rank);
    for (unsigned i = 0; i < rank; i++) {
        if (shape[i] == IOA_H5_ANY || shape[i] == d->shape[i]) continue;
        if (rank == 1)
            return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: has length %" PRIu64 " instead of %" PRIu64, h5->path, name,
                            d->shape[i], shape[i]);
        return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: has %" PRIu64 " %s instead of %" PRIu64, h5->path, name, d->shape[i],
                        i == 0 ? "rows" : "columns", shape[i]);
    }
    return IOA_OK;
}

ioa_status ioa_h5_read(const ioa_h5 *h5, const char *name, ioa_h5_kind kind, unsigned rank, uint64_t *shape,
                       void **values, ioa_error *error)
{
    dataset d;
    void *buffer = NULL;
    ioa_status status = open_shaped(h5, name, rank, shape, &d, error);
    if (status != IOA_OK) goto out;
    buffer = ioa_alloc(d.count, ioa_h5_size(kind));
    status = buffer ? read_values(&d, kind, buffer, error) : ioa_fail_nomem(error, name, d.count, ioa_h5_size(kind));
    if (status != IOA_OK) goto out;
    for (unsigned i = 0; i < rank; i++) shape[i] = d.shape[i];
    *values = buffer;
    buffer = NULL;
out:
    ioa_free(buffer);
    close_dataset(&d);
    return status;
}

ioa_status ioa_h5_read_into(const ioa_h5 *h5, const char *name, ioa_h5_kind kind, uint64_t length, void *values,
                            ioa_error *error)
{
    dataset d;
    ioa_status status = open_shaped(h5, name, 1, &length, &d, error);
    if (status == IOA_OK) status = read_values(&d, kind, values, error);
    close_dataset(&d);
    return status;
}

ioa_status ioa_h5_length(const ioa_h5 *h5, const char *name, uint64_t *length, ioa_error *error)
{
    dataset d;
    *length = IOA_H5_ANY;
    ioa_status status = open_shaped(h5, name, 1, length, &d, error);
    if (status == IOA_OK) *length = d.count;
    close_dataset(&d);
    return status;
}

ioa_status ioa_h5_describe(const ioa_h5 *h5, const char *name, ioa_h5_kind *kind, unsigned *rank,
                           uint64_t shape[IOA_H5_MAX_RANK], ioa_error *error)
{
    dataset d;
    ioa_status status = open_dataset(h5, name, &d, error);
    if (status == IOA_OK) {
        *kind = d.class == H5T_FLOAT ? IOA_H5_F64 : d.is_signed ? IOA_H5_I64 : IOA_H5_U64;
        *rank = d.rank;
        for (unsigned i = 0; i < IOA_H5_MAX_RANK; i++) shape[i] = i < d.rank ? d.shape[i] : 1;
    }
    close_dataset(&d);
    return status;
}

/* One member of the enumeration `type`: fine if unknown or if name and code agree. */
static bool member_agrees(hid_t type, unsigned member, int (*code_of)(const char *))
{
    char *name = H5Tget_member_name(type, member);
    uint8_t code = 0;
    bool good = name && H5Tget_member_value(type, member, &code) >= 0;
    if (good) {
        int known = code_of(name);
        good = known < 0 || known == code;
    }
    H5free_memory(name);
    return good;
}

ioa_status ioa_h5_check_enum(const ioa_h5 *h5, const char *name, int (*code_of)(const char *), ioa_error *error)
{
    dataset d;
    ioa_status status = open_dataset(h5, name, &d, error);
    if (status == IOA_OK && H5Tget_class(d.type) == H5T_ENUM) {
        int members = H5Tget_nmembers(d.type);
        if (d.size != 1) status = bad(&d, error, "is an enumeration of other than 8 bits");
        for (int i = 0; i < members && status == IOA_OK; i++)
            if (!member_agrees(d.type, (unsigned)i, code_of))
                status = bad(&d, error, "its enumeration gives a known name another code");
    }
    close_dataset(&d);
    return status;
}
