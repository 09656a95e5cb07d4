#include "io/import/import_bytes.h"

#include "core/base/mem.h"
#include "io/import/import_file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

ioa_status ioa_bytes_load(const char *path, ioa_bytes *bytes, ioa_error *error)
{
    FILE *file;
    uint64_t size;
    ioa_status status = ioa_import_file_open(path, &file, &size, error);
    if (status != IOA_OK) return status;
    unsigned char *data = ioa_alloc(size, 1);
    if (!data)
        status = ioa_fail_nomem(error, path, size, 1);
    else if (fread(data, 1, size, file) != size)
        status = ioa_fail(error, IOA_ERR_SYSTEM, "%s: cannot be read", path);
    fclose(file);
    if (status == IOA_OK)
        *bytes = (ioa_bytes){data, size};
    else
        ioa_free(data);
    return status;
}

uint16_t ioa_load_u16(const unsigned char *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

uint32_t ioa_load_u32(const unsigned char *at)
{
    return ioa_load_u16(at) | (uint32_t)ioa_load_u16(at + 2) << 16;
}

uint64_t ioa_load_u64(const unsigned char *at)
{
    return ioa_load_u32(at) | (uint64_t)ioa_load_u32(at + 4) << 32;
}

static uint64_t bits_of(ioa_number number, const unsigned char *at)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < number.size; i++) bits |= (uint64_t)at[number.big ? number.size - 1u - i : i] << (8 * i);
    return bits;
}

static double half(uint64_t bits)
{
    double fraction = (double)(bits & 0x3ff), sign = bits >> 15 ? -1 : 1;
    int exponent = (int)(bits >> 10 & 0x1f);
    if (exponent == 31) return fraction != 0 ? (double)NAN : sign * (double)INFINITY;
    return sign * (exponent ? ldexp(fraction + 1024, exponent - 25) : ldexp(fraction, -24));
}

static double single(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return (double)value;
}

double ioa_number_real(ioa_number number, const unsigned char *at)
{
    uint64_t bits = bits_of(number, at), sign = UINT64_C(1) << (8 * number.size - 1);
    double value;
    switch (number.kind) {
    case 'u': return (double)bits;
    case 'i': return bits & sign ? -(double)((~bits & (sign | (sign - 1))) + 1) : (double)bits;
    case 'b': return single((uint32_t)bits << 16);
    default: break;
    }
    if (number.size == 2) return half(bits);
    if (number.size == 4) return single((uint32_t)bits);
    memcpy(&value, &bits, sizeof value);
    return value;
}

bool ioa_number_whole(ioa_number number, const unsigned char *at, uint64_t *value)
{
    if (number.kind != 'i' && number.kind != 'u') return false;
    uint64_t bits = bits_of(number, at);
    if (number.kind == 'i' && bits >> (8 * number.size - 1)) return false;
    *value = bits;
    return true;
}
