#include "core/base/bytes.h"

#include "core/base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void ioa_bytes_add(ioa_bytes *bytes, const void *data, size_t count)
{
    if (bytes->failed) return;
    if (count > bytes->room - bytes->length) {
        size_t room = bytes->room * 2 + count + 4096;
        unsigned char *grown = ioa_alloc_larger(bytes->data, bytes->length, room, 1);
        if (!grown) {
            bytes->failed = true;
            return;
        }
        bytes->data = grown;
        bytes->room = room;
    }
    if (count) memcpy(bytes->data + bytes->length, data, count);
    bytes->length += count;
}

void ioa_bytes_byte(ioa_bytes *bytes, unsigned value)
{
    unsigned char byte = (unsigned char)value;
    ioa_bytes_add(bytes, &byte, 1);
}

void ioa_bytes_u32(ioa_bytes *bytes, uint32_t value)
{
    unsigned char data[4] = {(unsigned char)value, (unsigned char)(value >> 8), (unsigned char)(value >> 16),
                             (unsigned char)(value >> 24)};
    ioa_bytes_add(bytes, data, sizeof data);
}

void ioa_bytes_u64(ioa_bytes *bytes, uint64_t value)
{
    ioa_bytes_u32(bytes, (uint32_t)value);
    ioa_bytes_u32(bytes, (uint32_t)(value >> 32));
}

void ioa_bytes_print(ioa_bytes *bytes, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof text) bytes->failed = true; /* a bug, not a lack of memory */
    else ioa_bytes_add(bytes, text, (size_t)length);
}
