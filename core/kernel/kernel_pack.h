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

/* Where the square begins that comes at `from`, a multiple of LANES. The last columns of a row are moved together with some
 * before them, twice, rather than one by one. Of two neighbours the second comes first: taken in order, every load reads ahead
 * along its row, and what sixteen rows have ahead pushes values and each other out of L1 (5 to 45 % slower, by turns). Where rows
 * come from far away, in order: reading ahead is what makes them come in time (twice as fast). */
INLINE size_t square_at(size_t from, size_t stride, bool far)
{
    size_t s = !far && (from ^ LANES) < stride ? from ^ LANES : from;
    return stride - s < LANES ? stride - LANES : s;
}

/* LANES columns of LANES rows of x. */
INLINE void pack_square(const float *x, size_t stride, const uint32_t *offsets, float *values)
{
    vec square[LANES];
    load_transposed(square, x, stride);
    UNROLL
    for (int c = 0; c < LANES; c += 2) {
        uint32_t pair[2];
        load_pair(offsets + c, pair);
        store(at(values, pair[0]), square[c]);
        store(at(values, pair[1]), square[c + 1]);
    }
}

/* Fewer columns or rows; apart, so that the square above stays in registers. */
static __attribute__((noinline)) void pack_part(const float *x, size_t stride, uint32_t rows, size_t columns, const uint32_t *offsets, float *values)
{
    vec square[LANES];
    load_square(square, x, stride, rows, columns);
    for (size_t c = 0; c < columns; c++) store(at(values, offsets[c]), square[c]);
}

static void kernel_pack(const float *x, size_t stride, uint32_t rows, const uint32_t *offsets, float *values,
                        uint32_t tile, uint32_t width, bool far)
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
                size_t i = square_at(from, stride, far);
                pack_square(strip + i, stride, offsets + i, values + b);
            }
        } else
            for (size_t i = 0; i < stride; i += LANES)
                pack_part(b < rows ? x + b * stride + i : x, stride, b < rows ? rows - b : 0,
                          stride - i < LANES ? stride - i : LANES, offsets + i, values + b);
    }
}

#define WAY_BYTES 4096u     /* of L1: lines that are so far apart want the same places */
#define CROWDED_BLOCK 128u  /* columns that one strip of rows writes before the next one does, where rows are */

/* Whether LANES rows of a square are, but for a line or two, in the same places of L1. */
INLINE bool is_crowded(size_t stride)
{
    size_t apart = stride * sizeof(float) % WAY_BYTES;
    return apart < 8 || apart > WAY_BYTES - 8;
}

/* LANES rows of LANES columns of y. */
INLINE void unpack_square(float *y, size_t stride, const uint32_t *offsets, const float *values)
{
    vec square[LANES];
    UNROLL
    for (int c = 0; c < LANES; c += 2) {
        uint32_t pair[2];
        load_pair(offsets + c, pair);
        square[c] = load(values + (size_t)pair[0] * 2);
        square[c + 1] = load(values + (size_t)pair[1] * 2);
        KEEP(square[c]);
        KEEP(square[c + 1]);
    }
    transpose(square);
    UNROLL
    for (size_t r = 0; r < LANES; r++) store_unaligned(y + r * stride, square[r]);
}

/* Up to STRIP rows of LANES columns of y. */
INLINE void unpack_strip(float *y, size_t stride, uint32_t rows, const uint32_t *offsets, const float *values)
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
static __attribute__((noinline)) void unpack_strips(float *y, size_t stride, uint32_t rows, const uint32_t *offsets,
                                                    const float *values, bool far)
{
    for (size_t block = 0; block < stride; block += CROWDED_BLOCK)
        for (uint32_t b = 0; b < rows; b += STRIP)
            for (size_t from = block; from < stride && from < block + CROWDED_BLOCK; from += LANES) {
                size_t s = square_at(from, stride, far);
                float *to = y + b * stride + s;
                if (rows - b >= STRIP) unpack_strip(to, stride, STRIP, offsets + s, values + b);
                else unpack_strip(to, stride, rows - b, offsets + s, values + b);
            }
}

static void kernel_unpack(float *y, size_t stride, uint32_t rows, const uint32_t *offsets, const float *values,
                          uint32_t tile, bool far)
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
    uint32_t b = 0;
    for (; !is_crowded(stride) && b + LANES <= rows; b += LANES)
        for (size_t from = 0; from < stride; from += LANES) {
            size_t s = square_at(from, stride, far);
            unpack_square(y + b * stride + s, stride, offsets + s, values + b);
        }
    unpack_strips(y + b * stride, stride, rows - b, offsets, values + b, far);
}

#endif
