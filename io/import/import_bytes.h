/* Binary files as bytes in memory, and numbers in them. */
#ifndef IOA_IO_IMPORT_BYTES_H
#define IOA_IO_IMPORT_BYTES_H

#include <ioanneal/status.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct ioa_bytes {
    unsigned char *data; /* [size]; owned */
    uint64_t size;
} ioa_bytes;

/* Reads a whole file. IOA_ERR_INPUT if missing, a folder, empty; IOA_ERR_SYSTEM. Released with ioa_free(data). */
ioa_status ioa_bytes_load(const char *path, ioa_bytes *bytes, ioa_error *error);

uint16_t ioa_load_u16(const unsigned char *at); /* little-endian, unaligned */
uint32_t ioa_load_u32(const unsigned char *at);
uint64_t ioa_load_u64(const unsigned char *at);

/* How a number is stored. */
typedef struct ioa_number {
    char kind;     /* 'f' IEEE 754 binary16, 32, 64; 'b' bfloat16; 'i', 'u' integers */
    uint8_t size;  /* bytes */
    bool big;      /* big-endian */
} ioa_number;

/* Integers beyond 2^53 lose digits here. */
double ioa_number_real(ioa_number number, const unsigned char *at);

/* False for floating kinds and negative values. */
bool ioa_number_whole(ioa_number number, const unsigned char *at, uint64_t *value);

#endif
