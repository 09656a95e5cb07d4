#include "io/import/import_protobuf.h"

#include <string.h>

bool ioa_proto_varint(ioa_span *bytes, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 64 && bytes->size; shift += 7) {
        unsigned char byte = *bytes->data++;
        bytes->size--;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) return true;
    }
    return false;
}

static bool take(ioa_span *message, uint64_t size, ioa_span *bytes)
{
    if (size > message->size) return false;
    *bytes = (ioa_span){message->data, size};
    message->data += size;
    message->size -= size;
    return true;
}

bool ioa_proto_next(ioa_span *message, ioa_field_value *field, bool *damaged)
{
    uint64_t key, size;
    if (message->size == 0) return false;
    *field = (ioa_field_value){0};
    bool good = ioa_proto_varint(message, &key) && key >> 3 != 0 && key >> 3 <= UINT32_MAX;
    if (good) {
        field->number = (uint32_t)(key >> 3);
        field->wire = (ioa_wire)(key & 7);
        switch (key & 7) {
        case IOA_WIRE_VARINT: good = ioa_proto_varint(message, &field->value); break;
        case IOA_WIRE_64: good = take(message, 8, &field->bytes); break;
        case IOA_WIRE_32: good = take(message, 4, &field->bytes); break;
        case IOA_WIRE_BYTES: good = ioa_proto_varint(message, &size) && take(message, size, &field->bytes); break;
        default: good = false; /* groups are no part of ONNX */
        }
    }
    if (!good) *damaged = true;
    return good;
}

bool ioa_span_is(ioa_span span, const char *text)
{
    return span.size == strlen(text) && (span.size == 0 || memcmp(span.data, text, span.size) == 0);
}

bool ioa_span_equal(ioa_span a, ioa_span b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

const char *ioa_span_text(ioa_span span, char *text, uint64_t size)
{
    uint64_t length = span.size < size - 1 ? span.size : size - 1;
    if (length) memcpy(text, span.data, length);
    text[length] = '\0';
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127) *c = '?';
    return text;
}
