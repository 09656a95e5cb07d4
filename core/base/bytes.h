/* A growing buffer of bytes. When memory is out, `failed` is set and further bytes are dropped: writers check once, at
 * the end. Start from {0}; release `data` with ioa_free. */
#ifndef IOA_CORE_BYTES_H
#define IOA_CORE_BYTES_H

#include <ioanneal/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ioa_bytes {
    unsigned char *data;
    size_t length, room;
    bool failed;
} ioa_bytes;

void ioa_bytes_add(ioa_bytes *bytes, const void *data, size_t count);
void ioa_bytes_byte(ioa_bytes *bytes, unsigned value);
void ioa_bytes_u32(ioa_bytes *bytes, uint32_t value); /* little-endian, as the next one */
void ioa_bytes_u64(ioa_bytes *bytes, uint64_t value);

/* Appends text without its NUL; a single piece has at most 1023 characters. */
void ioa_bytes_print(ioa_bytes *bytes, const char *format, ...) IOA_PRINTF(2, 3);

#endif
