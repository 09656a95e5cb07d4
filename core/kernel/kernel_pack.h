/* Between the rows of a batch and the tiles that kernels work on: squares are transposed in registers. Included by core/kernel/kernel_impl.h only. */
#ifndef IOA_CORE_KERNEL_PACK_H
#define IOA_CORE_KERNEL_PACK_H

/* LANES inputs of LANES samples, transposed; samples from `rows` on are 0. */
INLINE void load_square(vec square[LANES], const float *x, size_t stride, uint32_t rows, size_t columns)
{
    for (uint32_t r = 0; r < LANES; r++) {
        square[r] = (vec){0};
        if (r >= rows) continue;
        if (columns >= LANES) square[r] = load_unaligned(x + r * stride);
        else memcpy(&square[r], x + r * stride, columns * sizeof(float));
    }
    transpose(square);
}

/* The last columns of a row are moved together with some before them, twice, rather than one by one. */
INLINE size_t last_full(size_t from, size_t stride)
{
    return stride - from < LANES && stride > LANES ? stride - LANES : from;
}

/* LANES columns of LANES rows of x. */
INLINE void pack_square(const float *x, size_t stride, const uint32_t *offsets, float *values)
{
    vec square[LANES];
    load_transposed(square, x, stride);
    UNROLL
    for (int c = 0; c < LANES; c++) store(at(values, offsets[c]), square[c]);
}

/* Fewer columns or rows; apart, so that the square above stays in registers. */
static __attribute__((noinline)) void pack_part(const float *x, size_t stride, uint32_t rows, size_t columns, const uint32_t *offsets, float *values)
{
    vec square[LANES];
    load_square(square, x, stride, rows, columns);
    for (size_t c = 0; c < columns; c++) store(at(values, offsets[c]), square[c]);
}

static void kernel_pack(const float *x, size_t stride, uint32_t rows, const uint32_t *offsets, float *values,
                        uint32_t tile, uint32_t width)
{
    if (tile == 1) {
        for (size_t i = 0; i < stride; i++)
            if (offsets[i] != IOA_NO_SLOT) values[offsets[i]] = x[i];
        return;
    }
    for (uint32_t b = 0; b < width; b += LANES) {
        if (stride >= LANES && b + LANES <= rows) {
            const float *strip = x + b * stride;
            for (size_t from = 0; from < stride; from += LANES) {
                size_t i = last_full(from, stride);
                pack_square(strip + i, stride, offsets + i, values + b);
            }
        } else
            for (size_t i = 0; i < stride; i += LANES)
                pack_part(b < rows ? x + b * stride + i : x, stride, b < rows ? rows - b : 0,
                          stride - i < LANES ? stride - i : LANES, offsets + i, values + b);
    }
}

#define UNPACK_BLOCK 256u /* columns that one strip of rows writes before the next one does */

/* Up to STRIP rows of LANES columns of y. */
INLINE void unpack_square(float *y, size_t stride, uint32_t rows, const uint32_t *offsets, const float *values)
{
    const float *column[LANES];
    vec strip[STRIP];
    UNROLL
    for (int c = 0; c < LANES; c++) column[c] = values + (size_t)offsets[c] * 2;
    load_strip(strip, column);
    UNROLL
    for (uint32_t r = 0; r < STRIP; r++)
        if (r < rows) store_unaligned(y + r * stride, strip[r]);
}

/* Fewer columns than LANES. */
static void unpack_part(float *y, size_t stride, uint32_t rows, const uint32_t *offsets, const float *values)
{
    for (uint32_t r = 0; r < rows; r++)
        for (size_t c = 0; c < stride; c++) y[r * stride + c] = values[(size_t)offsets[c] * 2 + r];
}

/* Strips of few rows: lines that wait to be written, of rows a power of two apart, all want the same places in L1. */
static void kernel_unpack(float *y, size_t stride, uint32_t rows, const uint32_t *offsets, const float *values,
                          uint32_t tile)
{
    if (tile == 1) {
        size_t s = 0;
        for (; stride - s >= LANES; s += LANES) store_unaligned(y + s, collect_wide(values, offsets + s));
        for (; s < stride; s++) y[s] = values[offsets[s]];
        return;
    }
    if (stride < LANES) {
        unpack_part(y, stride, rows, offsets, values);
        return;
    }
    for (size_t block = 0; block < stride; block += UNPACK_BLOCK)
        for (uint32_t b = 0; b < rows; b += STRIP)
            for (size_t from = block; from < stride && from < block + UNPACK_BLOCK; from += LANES) {
                size_t s = last_full(from, stride);
                float *to = y + b * stride + s;
                if (rows - b >= STRIP) unpack_square(to, stride, STRIP, offsets + s, values + b);
                else unpack_square(to, stride, rows - b, offsets + s, values + b);
            }
}

#endif
