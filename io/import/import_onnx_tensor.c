#include "io/import/import_onnx_tensor.h"

#include "core/base/mem.h"
#include "io/import/import_bytes.h"

#include <inttypes.h>

/* Fields of TensorProto and its data types. */
enum { DIMS = 1, DATA_TYPE = 2, FLOAT_DATA = 4, INT32_DATA = 5, NAME = 8, RAW_DATA = 9, DOUBLE_DATA = 10, LOCATION = 14 };
enum { FLOAT = 1, FLOAT16 = 10, DOUBLE = 11, BFLOAT16 = 16 };

static bool add_length(ioa_onnx_tensor *t, uint64_t length)
{
    if (length > INT64_MAX || t->rank == 32 || (length && t->count > UINT64_MAX / 16 / length)) return false;
    if (t->rank < 2) t->shape[t->rank] = length;
    t->rank++;
    t->count *= length;
    return true;
}

bool ioa_onnx_tensor_parse(ioa_span message, ioa_onnx_tensor *tensor)
{
    ioa_onnx_tensor t = {.message = message, .count = 1};
    ioa_field_value field;
    bool damaged = false;
    while (!damaged && ioa_proto_next(&message, &field, &damaged)) {
        uint64_t length;
        if (field.number == DIMS && field.wire == IOA_WIRE_VARINT) damaged = !add_length(&t, field.value);
        if (field.number == DIMS && field.wire == IOA_WIRE_BYTES)
            while (!damaged && field.bytes.size)
                damaged = !ioa_proto_varint(&field.bytes, &length) || !add_length(&t, length);
        if (field.number == DATA_TYPE) t.type = field.value;
        if (field.number == NAME) t.name = field.bytes;
        if (field.number == LOCATION) t.outside = field.value == 1;
    }
    if (!damaged) *tensor = t;
    return !damaged;
}

typedef struct target {
    float *values;
    uint64_t count, filled;
} target;

/* Numbers of fixed size behind each other. */
static bool add_fixed(target *to, ioa_number number, ioa_span bytes)
{
    if (bytes.size % number.size != 0 || bytes.size / number.size > to->count - to->filled) return false;
    for (uint64_t at = 0; at < bytes.size; at += number.size)
        to->values[to->filled++] = (float)ioa_number_real(number, bytes.data + at);
    return true;
}

/* 16-bit patterns as varints, one or packed. */
static bool add_pattern(target *to, ioa_number number, uint64_t pattern)
{
    unsigned char bytes[2] = {(unsigned char)pattern, (unsigned char)(pattern >> 8)};
    return pattern <= 0xffff && add_fixed(to, number, (ioa_span){bytes, 2});
}

static bool add_field(target *to, ioa_number number, const ioa_field_value *field)
{
    uint32_t typed = number.size == 4 ? FLOAT_DATA : number.size == 8 ? DOUBLE_DATA : INT32_DATA;
    if (field->number == RAW_DATA && field->wire == IOA_WIRE_BYTES) return add_fixed(to, number, field->bytes);
    if (field->number != typed) return true;
    if (typed != INT32_DATA) return field->wire != IOA_WIRE_VARINT && add_fixed(to, number, field->bytes);
    if (field->wire == IOA_WIRE_VARINT) return add_pattern(to, number, field->value);
    ioa_span packed = field->bytes;
    uint64_t pattern;
    while (packed.size)
        if (!ioa_proto_varint(&packed, &pattern) || !add_pattern(to, number, pattern)) return false;
    return true;
}

ioa_status ioa_onnx_tensor_values(const ioa_onnx_tensor *tensor, const char *path, float **values, ioa_error *error)
{
    char name[80];
    ioa_span_text(tensor->name, name, sizeof name);
    ioa_number number = {tensor->type == BFLOAT16 ? 'b' : 'f', tensor->type == DOUBLE ? 8 : tensor->type == FLOAT ? 4 : 2,
                         false};
    if (tensor->outside)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: its data is in another file; save the model as one file", path, name);
    if (tensor->type != FLOAT && tensor->type != DOUBLE && tensor->type != FLOAT16 && tensor->type != BFLOAT16)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: is of type %" PRIu64 ", not of a floating-point one (quantized?)", path,
                        name, tensor->type);
    /* Every value takes a byte at least. */
    if (tensor->count > tensor->message.size)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: claims %" PRIu64 " values, more than it holds", path, name,
                        tensor->count);
    target to = {.values = ioa_alloc(tensor->count, sizeof *to.values), .count = tensor->count};
    if (!to.values) return ioa_fail_nomem(error, path, tensor->count, sizeof *to.values);
    ioa_span message = tensor->message;
    ioa_field_value field;
    bool damaged = false;
    while (!damaged && ioa_proto_next(&message, &field, &damaged)) damaged = !add_field(&to, number, &field);
    if (damaged || to.filled != to.count) {
        ioa_free(to.values);
        return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: does not hold the %" PRIu64 " values it claims", path, name,
                        tensor->count);
    }
    *values = to.values;
    return IOA_OK;
}
