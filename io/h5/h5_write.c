/* Writing side of io/h5/h5.h. The layout is a function of type and shape alone, no times are recorded. */
#include "io/h5/h5.h"

#include "io/base/atomic_file.h"

#include <string.h>

#define CHUNK_ELEMENTS 65536u
#define CHUNK_BYTES (1u << 20) /* of plain bytes */
#define DEFLATE_LEVEL 4u

size_t ioa_h5_size(ioa_h5_kind kind)
{
    static const size_t sizes[IOA_H5_KINDS] = {[IOA_H5_U8] = 1,  [IOA_H5_U32] = 4, [IOA_H5_I64] = 8,
                                               [IOA_H5_U64] = 8, [IOA_H5_F32] = 4, [IOA_H5_F64] = 8};
    return sizes[kind];
}

hid_t ioa_h5_native(ioa_h5_kind kind)
{
    switch (kind) {
    case IOA_H5_U8: return H5T_NATIVE_UINT8;
    case IOA_H5_U32: return H5T_NATIVE_UINT32;
    case IOA_H5_I64: return H5T_NATIVE_INT64;
    case IOA_H5_U64: return H5T_NATIVE_UINT64;
    case IOA_H5_F32: return H5T_NATIVE_FLOAT;
    default: return H5T_NATIVE_DOUBLE;
    }
}

static hid_t file_type(ioa_h5_kind kind)
{
    switch (kind) {
    case IOA_H5_U8: return H5T_STD_U8LE;
    case IOA_H5_U32: return H5T_STD_U32LE;
    case IOA_H5_I64: return H5T_STD_I64LE;
    case IOA_H5_U64: return H5T_STD_U64LE;
    case IOA_H5_F32: return H5T_IEEE_F32LE;
    default: return H5T_IEEE_F64LE;
    }
}

static ioa_status failed(const ioa_h5 *h5, const char *name, ioa_error *error)
{
    return ioa_h5_fail(h5, error, IOA_ERR_SYSTEM, name, "cannot be written");
}

ioa_status ioa_h5_put_group(const ioa_h5 *h5, const char *name, ioa_error *error)
{
    ioa_status status = IOA_OK;
    hid_t list = H5Pcreate(H5P_GROUP_CREATE), group = H5I_INVALID_HID;
    if (list >= 0) {
        H5Pset_obj_track_times(list, 0);
        H5Pset_attr_phase_change(list, UINT16_MAX, 0);
        group = H5Gcreate2(h5->file, name, H5P_DEFAULT, list, H5P_DEFAULT);
    }
    if (group < 0) status = failed(h5, name, error);
    if (group >= 0) H5Gclose(group);
    if (list >= 0) H5Pclose(list);
    return status;
}

/* Whole rows per chunk where there are two dimensions. */
static hid_t dataset_list(unsigned rank, const uint64_t *length)
{
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    if (list < 0) return list;
    H5Pset_obj_track_times(list, 0);
    uint64_t count = length[0] * (rank == 2 ? length[1] : 1);
    if (count == 0) return list;
    hsize_t chunk[IOA_H5_MAX_RANK] = {0};
    chunk[rank - 1] = length[rank - 1] < CHUNK_ELEMENTS ? length[rank - 1] : CHUNK_ELEMENTS;
    if (rank == 2) {
        hsize_t rows = CHUNK_ELEMENTS / chunk[1];
        chunk[0] = length[0] < rows ? length[0] : rows;
    }
    H5Pset_chunk(list, (int)rank, chunk);
    H5Pset_shuffle(list);
    H5Pset_deflate(list, DEFLATE_LEVEL);
    H5Pset_fletcher32(list);
    return list;
}

static hid_t bytes_list(hsize_t length)
{
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    if (list < 0) return list;
    H5Pset_obj_track_times(list, 0);
    if (length == 0) return list;
    hsize_t chunk = length < CHUNK_BYTES ? length : CHUNK_BYTES;
    H5Pset_chunk(list, 1, &chunk);
    H5Pset_fletcher32(list);
    return list;
}

/* `list` is closed. */
static ioa_status write_typed(const ioa_h5 *h5, const char *name, hid_t stored, hid_t memory, unsigned rank,
                              const uint64_t *shape, hid_t list, const void *values, ioa_error *error)
{
    hsize_t length[IOA_H5_MAX_RANK] = {0};
    uint64_t count = 1;
    for (unsigned i = 0; i < rank; i++) count *= length[i] = shape[i];
    ioa_status status = IOA_OK;
    hid_t id = H5I_INVALID_HID, space = H5Screate_simple((int)rank, length, NULL);
    if (space >= 0 && list >= 0) id = H5Dcreate2(h5->file, name, stored, space, H5P_DEFAULT, list, H5P_DEFAULT);
    if (id < 0 || (count && H5Dwrite(id, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0))
        status = failed(h5, name, error);
    if (id >= 0 && H5Dclose(id) < 0 && status == IOA_OK) status = failed(h5, name, error);
    if (list >= 0) H5Pclose(list);
    if (space >= 0) H5Sclose(space);
    return status == IOA_OK ? ioa_h5_check_written(h5, name, error) : status;
}

ioa_status ioa_h5_write(const ioa_h5 *h5, const char *name, ioa_h5_kind kind, unsigned rank, const uint64_t *shape,
                        const void *values, ioa_error *error)
{
    return write_typed(h5, name, file_type(kind), ioa_h5_native(kind), rank, shape, dataset_list(rank, shape), values, error);
}

ioa_status ioa_h5_write_bytes(const ioa_h5 *h5, const char *name, uint64_t count, const void *bytes, ioa_error *error)
{
    return write_typed(h5, name, H5T_STD_U8LE, H5T_NATIVE_UINT8, 1, &count, bytes_list(count), bytes, error);
}

ioa_status ioa_h5_write_enum(const ioa_h5 *h5, const char *name, const char *(*name_of)(unsigned), unsigned count,
                             uint64_t length, const uint8_t *values, ioa_error *error)
{
    hid_t type = H5Tenum_create(H5T_STD_U8LE);
    for (unsigned code = 0; code < count && type >= 0; code++) {
        uint8_t value = (uint8_t)code;
        H5Tenum_insert(type, name_of(code), &value);
    }
    ioa_status status = write_typed(h5, name, type, type, 1, &length, dataset_list(1, &length), values, error);
    if (type >= 0) H5Tclose(type);
    return status;
}

static ioa_status put(const ioa_h5 *h5, const char *name, const char *attribute, hid_t stored, hid_t memory,
                      uint64_t count, const void *values, ioa_error *error)
{
    hsize_t length = count;
    ioa_status status = IOA_OK;
    hid_t space = count ? H5Screate_simple(1, &length, NULL) : H5Screate(H5S_SCALAR), id = H5I_INVALID_HID;
    if (space >= 0)
        id = H5Acreate_by_name(h5->file, name, attribute, stored, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (id < 0 || H5Awrite(id, memory, values) < 0) status = failed(h5, attribute, error);
    if (id >= 0) H5Aclose(id);
    if (space >= 0) H5Sclose(space);
    return status;
}

ioa_status ioa_h5_put(const ioa_h5 *h5, const char *name, const char *attribute, ioa_h5_kind kind, uint64_t count,
                      const void *values, ioa_error *error)
{
    return put(h5, name, attribute, file_type(kind), ioa_h5_native(kind), count, values, error);
}

ioa_status ioa_h5_put_text(const ioa_h5 *h5, const char *name, const char *attribute, const char *text,
                           ioa_error *error)
{
    /* Variable length: what h5py reads as str. */
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    ioa_status status = put(h5, name, attribute, type, type, 0, &text, error);
    H5Tclose(type);
    return status;
}

ioa_status ioa_h5_write_file(const char *path, ioa_h5_fill fill, const void *content, ioa_error *error)
{
    ioa_atomic_file file;
    ioa_h5 h5;
    ioa_status status = ioa_atomic_begin(path, &file, error);
    if (status != IOA_OK) return status;
    status = ioa_h5_create(file.temp, path, &h5, error);
    if (status == IOA_OK) {
        status = fill(&h5, content, error);
        ioa_status closed = ioa_h5_close(&h5, status == IOA_OK ? error : NULL);
        if (status == IOA_OK) status = closed;
    }
    if (status == IOA_OK) return ioa_atomic_commit(&file, error);
    ioa_atomic_abort(&file);
    return status;
}
