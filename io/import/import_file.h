/* Files to be imported, as far as all formats that are read byte by byte treat them alike. */
#ifndef IOA_IO_IMPORT_FILE_H
#define IOA_IO_IMPORT_FILE_H

#include <ioanneal/status.h>
#include <stdint.h>
#include <stdio.h>

/* Opens a file for reading; [out] *bytes: its size, which what it claims to hold is checked against. Closed by the
 * caller. IOA_ERR_INPUT if missing, a folder, empty; IOA_ERR_SYSTEM. */
ioa_status ioa_import_file_open(const char *path, FILE **file, uint64_t *bytes, ioa_error *error);

#endif
