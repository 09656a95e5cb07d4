/* Members of a ZIP archive in memory (APPNOTE.TXT 6.3.10): stored and deflated, with the 64-bit extensions. */
#ifndef IOA_IO_IMPORT_ZIP_H
#define IOA_IO_IMPORT_ZIP_H

#include "io/import/import_bytes.h"

typedef struct ioa_zip {
    const char *path;      /* borrowed, as the bytes */
    const ioa_bytes *file;
    uint64_t directory;    /* offset of the next entry of the central directory */
    uint64_t left;         /* entries from there on */
    uint64_t packed;       /* bytes of the members met so far */
} ioa_zip;

typedef struct ioa_zip_member {
    char name[192];
    unsigned method, flags;
    uint32_t crc;
    uint64_t packed, size; /* bytes in the file, bytes unpacked */
    uint64_t header;       /* offset of the local header */
} ioa_zip_member;

/* Finds the central directory; `file` and `path` stay borrowed. */
ioa_status ioa_zip_open(const char *path, const ioa_bytes *file, ioa_zip *zip, ioa_error *error);

/* Fills in the next member; the caller stops when zip->left is 0. */
ioa_status ioa_zip_next(ioa_zip *zip, ioa_zip_member *member, ioa_error *error);

/* Unpacks and verifies the checksum. content->data is released with ioa_free. */
ioa_status ioa_zip_read(const ioa_zip *zip, const ioa_zip_member *member, ioa_bytes *content, ioa_error *error);

#endif
