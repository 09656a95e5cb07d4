/* SHA-256 of a stream of bytes, in lower-case hexadecimal (FIPS 180-4, computed by libcrypto). */
#ifndef IOA_IO_HASH_H
#define IOA_IO_HASH_H

#include <ioanneal/status.h>
#include <stdbool.h>
#include <stdint.h>

#define IOA_SHA256_TEXT 65 /* 64 hexadecimal digits and NUL */

typedef struct ioa_hash {
    void *context; /* owned between begin and end */
    bool failed;   /* sticky; reported by ioa_hash_end */
} ioa_hash;

/* Starts a hash. On failure nothing has to be released. IOA_ERR_SYSTEM if libcrypto refuses. */
ioa_status ioa_hash_begin(ioa_hash *hash, ioa_error *error);
void ioa_hash_add(ioa_hash *hash, const void *data, uint64_t bytes);

/* Ends the hash, releases it and writes `text` [65]; also releases it on failure. */
ioa_status ioa_hash_end(ioa_hash *hash, char *text, ioa_error *error);

#endif
