/* The attributes of archives as tables, shared by their reader and writer: one line per attribute. */
#ifndef IOA_IO_ARCHIVE_SCHEMA_H
#define IOA_IO_ARCHIVE_SCHEMA_H

#include "io/archive/archive.h"
#include "io/h5/h5.h"

#include <stddef.h>

#define IOA_ARCHIVE_SCHEMA "ioanneal-archive"
#define IOA_ARCHIVE_VERSION "1.0"
#define IOA_ARCHIVE_MAJOR 1u
#define IOA_ARCHIVE_NAME 128 /* bytes of the longest object name */

typedef struct ioa_field {
    const char *name;
    size_t offset;    /* in the structure the table belongs to */
    size_t text;      /* size of a text member, or 0 for a number */
    ioa_h5_kind kind; /* of a number */
    uint64_t count;   /* 0: a scalar; else a vector */
    bool optional;    /* absent: stays 0 or empty */
} ioa_field;

extern const ioa_field ioa_archive_fields[];  /* of ioa_archive, attributes of /network */
extern const size_t ioa_archive_field_count;
extern const ioa_field ioa_schedule_fields[]; /* of ioa_schedule */
extern const size_t ioa_schedule_field_count;
extern const ioa_field ioa_measured_fields[]; /* of ioa_measured */
extern const size_t ioa_measured_field_count;
extern const ioa_field ioa_measured_times[];  /* of ioa_measured: double *, datasets [repeats] */
extern const size_t ioa_measured_time_count;

/* Name of an object in the file, like sprintf; `name` is [IOA_ARCHIVE_NAME]. */
void ioa_archive_name(char *name, const char *format, ...) IOA_PRINTF(2, 3);

/* One schedule as a group of an HDF5 file; `s` was zeroed before it is read into. */
ioa_status ioa_archive_put_schedule(const ioa_h5 *h5, const char *group, const ioa_archive *a, const ioa_schedule *s,
                                    ioa_error *error);
ioa_status ioa_archive_get_schedule(const ioa_h5 *h5, const char *group, uint64_t connections, ioa_schedule *s,
                                    ioa_error *error);

#endif
