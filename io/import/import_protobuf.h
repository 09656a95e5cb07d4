/* Protocol Buffers on the wire (protobuf.dev, "Encoding"), as far as reading ONNX takes it: fields one by one, nothing
 * copied. */
#ifndef IOA_IO_IMPORT_PROTOBUF_H
#define IOA_IO_IMPORT_PROTOBUF_H

#include <stdbool.h>
#include <stdint.h>

/* A stretch of bytes: a message, a string, packed numbers. Borrowed. */
typedef struct ioa_span {
    const unsigned char *data;
    uint64_t size;
} ioa_span;

typedef enum ioa_wire { IOA_WIRE_VARINT = 0, IOA_WIRE_64 = 1, IOA_WIRE_BYTES = 2, IOA_WIRE_32 = 5 } ioa_wire;

typedef struct ioa_field_value {
    uint32_t number;
    ioa_wire wire;
    uint64_t value; /* of a varint */
    ioa_span bytes; /* of everything else; 8 or 4 bytes for numbers of fixed size */
} ioa_field_value;

/* Takes the next field off the front of `message`; false at its end, and if it is damaged, which sets *damaged. */
bool ioa_proto_next(ioa_span *message, ioa_field_value *field, bool *damaged);

/* Takes a varint off the front. */
bool ioa_proto_varint(ioa_span *bytes, uint64_t *value);

bool ioa_span_is(ioa_span span, const char *text);
bool ioa_span_equal(ioa_span a, ioa_span b);

/* The span as text for messages, cut to `size` and without control characters; returns `text`. */
const char *ioa_span_text(ioa_span span, char *text, uint64_t size);

#endif
