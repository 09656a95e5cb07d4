/* A small layer over the HDF5 C library: named reads with every claim of the file checked before memory is
 * obtained, named writes with one fixed layout, one clear line per error, and no output of the library's own.
 *
 * Objects are named by their path from the root ("connections/data"). HDF5 keeps global state: functions of io must
 * not run in two threads at once. */
#ifndef IOA_IO_H5_H
#define IOA_IO_H5_H

#include "io/h5/h5_sink.h"

#include <hdf5.h>
#include <ioanneal/status.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct ioa_h5 {
    hid_t file;
    const char *path; /* for texts; borrowed from the caller while the file is open */
    uint64_t bytes;   /* size of a file opened for reading */
    H5E_auto2_t print; /* the caller's error printing, restored at close */
    void *print_data;
    ioa_h5_sink *sink; /* of a file being written; owned */
} ioa_h5;

/* Element types of ours. Files may hold other integer or floating types as long as the values fit. */
typedef enum ioa_h5_kind {
    IOA_H5_U8,
    IOA_H5_U32,
    IOA_H5_I64,
    IOA_H5_U64,
    IOA_H5_F32,
    IOA_H5_F64,
    IOA_H5_KINDS
} ioa_h5_kind;

#define IOA_H5_ANY UINT64_MAX /* a dimension that may have any length */
#define IOA_H5_MAX_RANK 2

/* For the main functions of programs of ours, before anything else of HDF5: keeps the library from tidying up at exit.
 * After meeting damaged files HDF5 1.10 ends that by printing "infinite loop closing library". Programs that use
 * the library decide for themselves. */
void ioa_h5_program_start(void);

/* "HDF5 1.10.8", the library at run time; `text` [size]. */
void ioa_h5_library(char *text, size_t size);

/* Opens for reading, without locks. `path` is borrowed. IOA_ERR_INPUT for files that are missing, not HDF5,
 * truncated or damaged; IOA_ERR_SYSTEM where the system refuses. */
ioa_status ioa_h5_open(const char *path, ioa_h5 *h5, ioa_error *error);

/* Starts a new file in the existing empty file `path`; `shown` is its name in texts. Both are borrowed. */
ioa_status ioa_h5_create(const char *path, const char *shown, ioa_h5 *h5, ioa_error *error);

/* IOA_ERR_SYSTEM if anything could not be written so far; every dataset written ends with it. */
ioa_status ioa_h5_check_written(const ioa_h5 *h5, const char *name, ioa_error *error);

/* Closes; for a written file only IOA_OK means that everything was handed to the system. */
ioa_status ioa_h5_close(ioa_h5 *h5, ioa_error *error);

/* Closes a file that was read and returns `status`; texts quoted from the file lose their control characters, so that
 * an error stays one line. */
ioa_status ioa_h5_end(ioa_h5 *h5, ioa_status status, ioa_error *error);

/* Error text for the last failed HDF5 call: "file: name: what (the library's reason)". Call it before any other call
 * of HDF5. IOA_ERR_SYSTEM if the operating system gave a reason, `status` otherwise. */
ioa_status ioa_h5_fail(const ioa_h5 *h5, ioa_error *error, ioa_status status, const char *name, const char *what);

#define IOA_H5_BUNDLE "ioanneal-bundle" /* schema_name of files that are network and archive in one */

/* Refuses a file whose root attributes are not schema_name = `name` and schema_version = "MAJOR.x"; _part also takes
 * a bundle, where `name` is one of its parts. */
ioa_status ioa_h5_check_part(const ioa_h5 *h5, const char *name, unsigned major, ioa_error *error);
ioa_status ioa_h5_check_schema(const ioa_h5 *h5, const char *name, unsigned major, ioa_error *error);

/* True if `path` is an HDF5 file whose root attribute schema_name is `name`. */
bool ioa_h5_probe(const char *path, const char *name);

/* ---- reading (h5_read.c) ---- */

bool ioa_h5_exists(const ioa_h5 *h5, const char *name);                            /* group or dataset */
bool ioa_h5_has_attribute(const ioa_h5 *h5, const char *name, const char *attribute);

/* Reads a dataset of `rank` dimensions. shape[i] is the length wanted, or IOA_H5_ANY and then filled in.
 * *values is released with ioa_free. */
ioa_status ioa_h5_read(const ioa_h5 *h5, const char *name, ioa_h5_kind kind, unsigned rank, uint64_t *shape,
                       void **values, ioa_error *error);

/* In two steps, for memory of the caller's: the length of a vector, which the bytes stored for it bear out, and its
 * values, [length]. Compressed chunks are unpacked one at a time, straight to where they belong. */
ioa_status ioa_h5_length(const ioa_h5 *h5, const char *name, uint64_t *length, ioa_error *error);
ioa_status ioa_h5_read_into(const ioa_h5 *h5, const char *name, ioa_h5_kind kind, uint64_t length, void *values,
                            ioa_error *error);

/* Kind the dataset's values fit into without loss: IOA_H5_U64 for unsigned integers, IOA_H5_F64 for floating types;
 * its rank and shape. */
ioa_status ioa_h5_describe(const ioa_h5 *h5, const char *name, ioa_h5_kind *kind, unsigned *rank,
                           uint64_t shape[IOA_H5_MAX_RANK], ioa_error *error);

/* If the dataset has an enumeration type: checks that the names known to `code_of` stand for the codes it gives. */
ioa_status ioa_h5_check_enum(const ioa_h5 *h5, const char *name, int (*code_of)(const char *), ioa_error *error);

/* Scalar attributes. Text is copied into `text` [size] (longer is an error) or into an ioa_alloc'ed string. */
ioa_status ioa_h5_get_text(const ioa_h5 *h5, const char *name, const char *attribute, char *text, size_t size,
                           ioa_error *error);
ioa_status ioa_h5_get_string(const ioa_h5 *h5, const char *name, const char *attribute, char **text, ioa_error *error);
ioa_status ioa_h5_get(const ioa_h5 *h5, const char *name, const char *attribute, ioa_h5_kind kind, uint64_t count,
                      void *values, ioa_error *error);

/* A vector of texts; one without elements may have any type. Release *texts [*count] with ioa_h5_free_texts. */
ioa_status ioa_h5_get_texts(const ioa_h5 *h5, const char *name, const char *attribute, char ***texts, uint64_t *count,
                            ioa_error *error);
void ioa_h5_free_texts(char **texts, uint64_t count);

/* Names of the attributes or the members of a group, in order of name: `visit` is called for each until it fails. */
typedef ioa_status (*ioa_h5_visit)(const char *name, void *context, ioa_error *error);
ioa_status ioa_h5_each_attribute(const ioa_h5 *h5, const char *name, ioa_h5_visit visit, void *context,
                                 ioa_error *error);
ioa_status ioa_h5_each_member(const ioa_h5 *h5, const char *name, ioa_h5_visit visit, void *context, ioa_error *error);

/* ---- writing (h5_write.c) ---- */

ioa_status ioa_h5_put_group(const ioa_h5 *h5, const char *name, ioa_error *error);

/* Chunked, shuffled, deflated and with checksums; datasets without elements are stored contiguously. */
ioa_status ioa_h5_write(const ioa_h5 *h5, const char *name, ioa_h5_kind kind, unsigned rank, const uint64_t *shape,
                        const void *values, ioa_error *error);

/* The same for uint8 codes below `count`, typed as an enumeration of `name_of(code)`. */
ioa_status ioa_h5_write_enum(const ioa_h5 *h5, const char *name, const char *(*name_of)(unsigned), unsigned count,
                             uint64_t length, const uint8_t *values, ioa_error *error);

/* Bytes that hardly shrink: uint8 [count] with checksums, not deflated. */
ioa_status ioa_h5_write_bytes(const ioa_h5 *h5, const char *name, uint64_t count, const void *bytes, ioa_error *error);

ioa_status ioa_h5_put_text(const ioa_h5 *h5, const char *name, const char *attribute, const char *text,
                           ioa_error *error);
/* count 0: a scalar; else a vector of `count`. */
ioa_status ioa_h5_put(const ioa_h5 *h5, const char *name, const char *attribute, ioa_h5_kind kind, uint64_t count,
                      const void *values, ioa_error *error);

/* Writes a whole file atomically (io/base/atomic_file.h): `fill` writes `content` into it. */
typedef ioa_status (*ioa_h5_fill)(const ioa_h5 *h5, const void *content, ioa_error *error);
ioa_status ioa_h5_write_file(const char *path, ioa_h5_fill fill, const void *content, ioa_error *error);

/* ---- shared by the h5_*.c files ---- */

size_t ioa_h5_size(ioa_h5_kind kind);
hid_t ioa_h5_native(ioa_h5_kind kind); /* borrowed, predefined */

/* Walks every global heap (where HDF5 keeps strings, without checksums) of an open file; false if one is damaged in
 * a way that would lead the HDF5 library outside of its buffers. */
bool ioa_h5_heaps_sound(int fd, uint64_t bytes);

#endif
