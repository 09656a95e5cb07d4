/* The kernels, written once and compiled per instruction set. The including file defines KERNEL_TABLE, the name of
 * its ioa_kernel. */
#include "core/kernel.h"
#include "core/kernel_math.h"
#include "core/kernel_vec.h"

/* Registers bound the columns of one pass (PASS) and the number of independent accumulators per column (CHAINS by
 * tile): a chain advances once per FMA latency, so narrow tiles need several to keep the units busy. */
#if VEC_BYTES == 64
#define PASS 128u
#define CHAINS(tile) ((tile) <= 32 ? 4 : 2)
#elif VEC_BYTES == 32
#define PASS 64u
#define CHAINS(tile) ((tile) <= 16 ? 4 : (tile) <= 32 ? 2 : 1)
#else
#define PASS 32u
#define CHAINS(tile) ((tile) <= 16 ? 2 : 1)
#endif

/* Streams that do not stay in L2 are fetched this far ahead; the hardware's own prefetch of a single stream reached
 * only half the speed. In L2 it would cost a few per cent. */
#define PREFETCH_BYTES 4096

/* Value at a premultiplied offset of 8-byte units. */
INLINE float *at(float *values, uint32_t offset)
{
    return values + (size_t)offset * 2;
}

/* Finishes `vectors` accumulators of a neuron: activation, then the store. */
INLINE void finish(float *destination, vec *sum, int vectors, unsigned activation, float param)
{
    if (activation == IOA_ACT_RELU || activation == IOA_ACT_CLIPPED_RELU)
        UNROLL
        for (int i = 0; i < vectors; i++) sum[i] = positive(sum[i]);
    if (activation == IOA_ACT_CLIPPED_RELU)
        UNROLL
        for (int i = 0; i < vectors; i++) sum[i] = at_most(sum[i], splat(param));
    UNROLL
    for (int i = 0; i < vectors; i++) store(destination + i * LANES, sum[i]);
    if (activation > IOA_ACT_RELU && activation != IOA_ACT_CLIPPED_RELU)
        activate_row(activation, param, destination, (uint32_t)vectors * LANES);
}

/* sum += weight * values at an offset */
INLINE void add_product(vec *sum, vec weight, const float *source, int vectors)
{
    UNROLL
    for (int i = 0; i < vectors; i++) sum[i] += weight * load(source + i * LANES);
}

/* Four connections, added to as many chains as there are. */
INLINE void add_sources(vec sum[4][8], const float *weight, const float *const source[4], int vectors, int chains)
{
    vec weights = load_four(weight);
    add_product(sum[0], FOURTH(weights, 0), source[0], vectors);
    add_product(sum[1 % chains], FOURTH(weights, 1), source[1], vectors);
    add_product(sum[2 % chains], FOURTH(weights, 2), source[2], vectors);
    add_product(sum[3 % chains], FOURTH(weights, 3), source[3], vectors);
}

INLINE void add_quad(vec sum[4][8], const ioa_quad *quad, const float *values, int vectors, int chains)
{
    uint32_t offset[4];
    load_pair(quad->source, offset);
    load_pair(quad->source + 2, offset + 2);
    const float *const source[4] = {values + (size_t)offset[0] * 2, values + (size_t)offset[1] * 2,
                                    values + (size_t)offset[2] * 2, values + (size_t)offset[3] * 2};
    add_sources(sum, quad->weight, source, vectors, chains);
}

INLINE void add_narrow(vec sum[4][8], const ioa_narrow_quad *quad, const float *values, int vectors, int chains)
{
    size_t bytes[4];
    load_narrow(quad->source, bytes);
    const float *const source[4] = {values + bytes[0] / 4, values + bytes[1] / 4, values + bytes[2] / 4, values + bytes[3] / 4};
    add_sources(sum, quad->weight, source, vectors, chains);
}

/* One run; returns what follows it. `vectors`, `chains`, `narrow` and `ahead` (prefetch the stream) are constants in every
 * use. */
INLINE const void *one_run(const ioa_run *run, float *values, int vectors, int chains, bool narrow, bool ahead)
{
    const size_t bytes = narrow ? sizeof(ioa_narrow_quad) : sizeof(ioa_quad);
    const char *quad = (const char *)(run + 1), *last = quad + run->count / 4 * bytes;
    const ioa_step *step = (const ioa_step *)(const void *)last, *end = step + run->count % 4;
    float *destination = at(values, run->destination);
    vec sum[4][8];
    if (run->flags & IOA_RUN_FIRST)
        UNROLL
        for (int i = 0; i < vectors; i++) sum[0][i] = splat(run->bias);
    else
        UNROLL
        for (int i = 0; i < vectors; i++) sum[0][i] = load(destination + i * LANES);
    UNROLL
    for (int c = 1; c < chains; c++)
        UNROLL
        for (int i = 0; i < vectors; i++) sum[c][i] = (vec){0};
    for (; quad < last; quad += bytes) {
        if (ahead) __builtin_prefetch(quad + PREFETCH_BYTES);
        if (narrow) add_narrow(sum, (const ioa_narrow_quad *)(const void *)quad, values, vectors, chains);
        else add_quad(sum, (const ioa_quad *)(const void *)quad, values, vectors, chains);
    }
    for (; step < end; step++) add_product(sum[0], splat(step->weight), at(values, step->source), vectors);
    UNROLL
    for (int c = 1; c < chains; c++)
        UNROLL
        for (int i = 0; i < vectors; i++) sum[0][i] += sum[c][i];
    unsigned activation = run->flags & IOA_RUN_LAST ? run->activation : (unsigned)IOA_ACT_IDENTITY;
    finish(destination, sum[0], vectors, activation, run->flags & IOA_RUN_PARAM ? end->weight : 0.0f);
    return end + !!(run->flags & IOA_RUN_PARAM);
}

#define DEFINE_RUNS_AS(name, width, chains, narrow, ahead)                                                                 \
    static void name(const void *stream, const void *end, float *values)                                                  \
    {                                                                                                                     \
        while (stream < end) stream = one_run((const ioa_run *)stream, values, (width) / LANES, chains, narrow, ahead);   \
    }
#define DEFINE_RUNS(width, chains)                                             \
    DEFINE_RUNS_AS(runs_##width##_##chains, width, chains, false, false)       \
    DEFINE_RUNS_AS(runs_##width##_##chains##_ahead, width, chains, false, true) \
    DEFINE_RUNS_AS(narrow_##width##_##chains, width, chains, true, false)      \
    DEFINE_RUNS_AS(narrow_##width##_##chains##_ahead, width, chains, true, true)

typedef void runs_function(const void *stream, const void *end, float *values);

/* The functions by width (16, 32, 64, 128) for one number of chains. */
#define ROW_AS(kind, suffix_16, suffix_32, suffix_64, suffix_128)                               \
    {                                                                                           \
        {kind##_##suffix_16, kind##_##suffix_32, kind##_##suffix_64, kind##_##suffix_128},      \
        {kind##_##suffix_16##_ahead, kind##_##suffix_32##_ahead, kind##_##suffix_64##_ahead, kind##_##suffix_128##_ahead} \
    }
#define ROW(suffix_16, suffix_32, suffix_64, suffix_128)                        \
    {                                                                           \
        ROW_AS(runs, suffix_16, suffix_32, suffix_64, suffix_128),              \
        ROW_AS(narrow, suffix_16, suffix_32, suffix_64, suffix_128)             \
    }

/* [tile 16, 32, 64, 128][narrow][ahead][width 16, 32, 64, 128]; widths past a pass or a tile repeat the widest. */
#if VEC_BYTES == 64
DEFINE_RUNS(16, 4)
DEFINE_RUNS(32, 4)
DEFINE_RUNS(16, 2)
DEFINE_RUNS(32, 2)
DEFINE_RUNS(64, 2)
DEFINE_RUNS(128, 2)
static runs_function *const runs_table[4][2][2][4] = {ROW(16_4, 16_4, 16_4, 16_4), ROW(16_4, 32_4, 32_4, 32_4),
                                                   ROW(16_2, 32_2, 64_2, 64_2), ROW(16_2, 32_2, 64_2, 128_2)};
#elif VEC_BYTES == 32
DEFINE_RUNS(16, 4)
DEFINE_RUNS(16, 2)
DEFINE_RUNS(32, 2)
DEFINE_RUNS(16, 1)
DEFINE_RUNS(32, 1)
DEFINE_RUNS(64, 1)
static runs_function *const runs_table[4][2][2][4] = {ROW(16_4, 16_4, 16_4, 16_4), ROW(16_2, 32_2, 32_2, 32_2),
                                                   ROW(16_1, 32_1, 64_1, 64_1), ROW(16_1, 32_1, 64_1, 64_1)};
#else
DEFINE_RUNS(16, 2)
DEFINE_RUNS(16, 1)
DEFINE_RUNS(32, 1)
static runs_function *const runs_table[4][2][2][4] = {ROW(16_2, 16_2, 16_2, 16_2), ROW(16_1, 32_1, 32_1, 32_1),
                                                   ROW(16_1, 32_1, 32_1, 32_1), ROW(16_1, 32_1, 32_1, 32_1)};
#endif

/* Place of 16, 32, 64, 128 in the table. */
static int place(uint32_t columns)
{
    return columns <= 16 ? 0 : columns <= 32 ? 1 : columns <= 64 ? 2 : 3;
}

/* Tile 1: a run is a dot product. The steps are taken as they are, weights and offsets interleaved. */
INLINE float dot_steps(const ioa_step *step, const ioa_step *end, const float *values, float start)
{
    float sum = start;
#if VEC_BYTES == 64
    const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
    __m512 sums = _mm512_setzero_ps();
    if (end - step >= 16) {
        for (; end - step >= 16; step += 16) {
            __m512i low = _mm512_loadu_si512(step), high = _mm512_loadu_si512(step + 8);
            __m512 source = _mm512_i32gather_ps(_mm512_permutex2var_epi32(low, even, high), values, 4);
            sums = _mm512_fmadd_ps(_mm512_castsi512_ps(_mm512_permutex2var_epi32(low, odd, high)), source, sums);
        }
        sum += _mm512_reduce_add_ps(sums);
    }
#endif
    float part[4] = {0};
    for (; end - step >= 4; step += 4)
        UNROLL
        for (int i = 0; i < 4; i++) part[i] += step[i].weight * values[step[i].source];
    for (; step < end; step++) sum += step->weight * values[step->source];
    return sum + ((part[0] + part[1]) + (part[2] + part[3]));
}

/* Activation of one value. The row is stored as a whole: a vector load after a scalar store would stall. */
INLINE float activate_single(unsigned activation, float param, float x)
{
    if (activation == IOA_ACT_IDENTITY) return x;
    if (activation == IOA_ACT_RELU) return x < 0.0f ? 0.0f : x;
    _Alignas(VEC_BYTES) float row[LANES];
    store(row, splat(x));
    activate_row(activation, param, row, LANES);
    return row[0];
}

static void runs_single(const void *stream, const void *end, float *values)
{
    while (stream < end) {
        const ioa_run *run = stream;
        const ioa_step *step = (const ioa_step *)(run + 1), *last = step + run->count;
        float *destination = values + run->destination;
        float sum = dot_steps(step, last, values, run->flags & IOA_RUN_FIRST ? run->bias : *destination);
        float param = run->flags & IOA_RUN_PARAM ? last->weight : 0.0f;
        *destination = run->flags & IOA_RUN_LAST ? activate_single(run->activation, param, sum) : sum;
        stream = last + !!(run->flags & IOA_RUN_PARAM);
    }
}

static void kernel_run(const void *stream, const void *end, float *values, uint32_t tile, uint32_t width, bool narrow,
                       bool ahead)
{
    if (tile == 1) {
        runs_single(stream, end, values);
        return;
    }
    runs_function *runs = runs_table[place(tile)][narrow][ahead][place(width)];
    for (uint32_t column = 0; column < width; column += PASS) runs(stream, end, values + column);
}

#include "core/kernel_groups.h"

/* ---- single samples, sixteen rows at a time ---- */

/* LANES values by 16-bit index. */
INLINE vec gather(const float *values, const uint16_t *source)
{
#if VEC_BYTES == 64
    __m512i index = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)source));
    return (vec)_mm512_i32gather_ps(index, values, 4);
#elif VEC_BYTES == 32
    __m256i index = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)source));
    return (vec)_mm256_i32gather_ps(values, index, 4);
#else
    vec x;
    for (int i = 0; i < LANES; i++) x[i] = values[source[i]];
    return x;
#endif
}

#define SELL_PARTS ((int)IOA_SELL_ROWS / LANES)

static void kernel_sell(const void *stream, const void *end, float *values)
{
    while (stream < end) {
        const ioa_sell *chunk = stream;
        const ioa_sell_column *column = (const ioa_sell_column *)(const void *)(chunk + 1);
        const ioa_sell_column *last = column + chunk->columns;
        vec sum[SELL_PARTS];
        UNROLL
        for (int i = 0; i < SELL_PARTS; i++) sum[i] = load_unaligned(chunk->bias + i * LANES);
        for (; column < last; column++) {
            __builtin_prefetch((const char *)column + PREFETCH_BYTES);
            __builtin_prefetch((const char *)column + PREFETCH_BYTES + 64);
            UNROLL
            for (int i = 0; i < SELL_PARTS; i++)
                sum[i] += load_unaligned(column->weight + i * LANES) * gather(values, column->source + i * LANES);
        }
        finish(values + chunk->destination, sum, SELL_PARTS, chunk->activation, chunk->param);
        stream = last;
    }
}

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

#define PACK_AHEAD 64 /* columns; rows a power of two apart crowd into few sets of L1, where others push them out */

/* LANES columns of LANES rows of x. */
INLINE void pack_square(const float *x, size_t stride, const uint32_t *offsets, float *values)
{
    vec square[LANES];
    UNROLL
    for (int r = 0; r < LANES; r++) __builtin_prefetch(x + (size_t)r * stride + PACK_AHEAD);
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
        for (size_t s = 0; s < stride; s++) y[s] = values[offsets[s]];
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

/* ---- the baseline: CSR rows, weights and indices in arrays of their own ---- */

INLINE void csr_row(const ioa_csr *csr, uint32_t v, float *values, size_t stride, int vectors, int chains)
{
    int64_t e = csr->indptr[v], end = csr->indptr[v + 1];
    vec sum[4][8];
    UNROLL
    for (int c = 0; c < chains; c++)
        UNROLL
        for (int i = 0; i < vectors; i++) sum[c][i] = c ? (vec){0} : splat(csr->bias[v]);
    for (; end - e >= chains; e += chains)
        UNROLL
        for (int c = 0; c < chains; c++)
            UNROLL
            for (int i = 0; i < vectors; i++)
                sum[c][i] += csr->weights[e + c] * load(values + csr->indices[e + c] * stride + i * LANES);
    if (chains > 1)
        for (; e < end; e++)
            UNROLL
            for (int i = 0; i < vectors; i++)
                sum[0][i] += csr->weights[e] * load(values + csr->indices[e] * stride + i * LANES);
    UNROLL
    for (int c = 1; c < chains; c++)
        UNROLL
        for (int i = 0; i < vectors; i++) sum[0][i] += sum[c][i];
    finish(values + v * stride, sum[0], vectors, csr->activation[v], csr->param ? csr->param[v] : 0.0f);
}

static void csr_single(const ioa_csr *csr, uint32_t first, uint32_t last, float *values)
{
    for (uint32_t v = first; v < last; v++) {
        if (csr->skip[v]) continue;
        int64_t e = csr->indptr[v], end = csr->indptr[v + 1];
        float sum = csr->bias[v];
#if VEC_BYTES == 64
        if (end - e >= 16) {
            __m512 sums = _mm512_setzero_ps();
            for (; end - e >= 16; e += 16)
                sums = _mm512_fmadd_ps(_mm512_loadu_ps(csr->weights + e),
                                       _mm512_i32gather_ps(_mm512_loadu_si512(csr->indices + e), values, 4), sums);
            sum += _mm512_reduce_add_ps(sums);
        }
#endif
        float part[4] = {0};
        for (; end - e >= 4; e += 4)
            UNROLL
            for (int i = 0; i < 4; i++) part[i] += csr->weights[e + i] * values[csr->indices[e + i]];
        for (; e < end; e++) sum += csr->weights[e] * values[csr->indices[e]];
        sum += (part[0] + part[1]) + (part[2] + part[3]);
        values[v] = activate_single(csr->activation[v], csr->param ? csr->param[v] : 0.0f, sum);
    }
}

#define DEFINE_ROWS(width)                                                                                       \
    static void rows_##width(const ioa_csr *csr, uint32_t first, uint32_t last, float *values, size_t stride)    \
    {                                                                                                            \
        for (uint32_t v = first; v < last; v++)                                                                  \
            if (!csr->skip[v]) csr_row(csr, v, values, stride, (width) / LANES, CHAINS(width));                  \
    }

DEFINE_ROWS(16)
DEFINE_ROWS(32)
#if VEC_BYTES >= 32
DEFINE_ROWS(64)
#endif
#if VEC_BYTES >= 64
DEFINE_ROWS(128)
#endif

static void kernel_rows(const ioa_csr *csr, uint32_t first, uint32_t last, float *values, size_t stride,
                        uint32_t width)
{
    if (width == 1) {
        csr_single(csr, first, last, values);
        return;
    }
    for (uint32_t column = 0; column < width; column += PASS) {
        uint32_t pass = width - column < PASS ? width - column : PASS;
        if (pass == 16) rows_16(csr, first, last, values + column, stride);
        else if (pass == 32) rows_32(csr, first, last, values + column, stride);
#if VEC_BYTES >= 32
        else if (pass == 64) rows_64(csr, first, last, values + column, stride);
#endif
#if VEC_BYTES >= 64
        else rows_128(csr, first, last, values + column, stride);
#endif
    }
}

/* ---- probes of the machine ---- */

#define PROBE_CHAINS 8 /* hide the latency of a multiply-add on two units */

/* One loop each: their accumulators together would not fit 16 registers. */
static void probe_read(const float *data, size_t floats, uint64_t repeats)
{
    ivec bits[PROBE_CHAINS] = {{0}};
    for (uint64_t r = 0; r < repeats; r++) {
        __asm__ volatile("" ::: "memory"); /* every round reads again */
        for (size_t i = 0; i < floats; i += PROBE_CHAINS * LANES)
            UNROLL
            for (int c = 0; c < PROBE_CHAINS; c++) bits[c] |= (ivec)load(data + i + (size_t)c * LANES);
    }
    for (int c = 0; c < PROBE_CHAINS; c++) { /* keeps the work from being thrown away */
        volatile int32_t sink = bits[c][0];
        (void)sink;
    }
}

INLINE void probe_fma(const float *data, size_t floats, uint64_t repeats, bool memory)
{
    vec sum[PROBE_CHAINS] = {{0}}, x = load(data), y = load(data + LANES);
    for (uint64_t r = 0; r < repeats; r++) {
        __asm__ volatile("" ::: "memory");
        for (size_t i = 0; i < floats; i += PROBE_CHAINS * LANES)
            UNROLL
            for (int c = 0; c < PROBE_CHAINS; c++) sum[c] += x * (memory ? load(data + i + (size_t)c * LANES) : y);
    }
    for (int c = 0; c < PROBE_CHAINS; c++) {
        volatile float sink = sum[c][0];
        (void)sink;
    }
}

static uint64_t power_below(uint64_t x)
{
    while (x & (x - 1)) x &= x - 1;
    return x;
}

/* Line i of a walk over all lines, pages apart, as no prefetcher expects. */
INLINE uint64_t scattered(uint64_t i, uint64_t lines)
{
    uint64_t line = i * 0x9e3779b1u & (lines - 1); /* an odd factor permutes, and so does what follows */
    return line ^ line >> 7;
}

static void probe_lines(float *data, uint64_t lines, uint64_t repeats)
{
    ivec bits[PROBE_CHAINS] = {{0}};
    vec x = splat(1);
    for (uint64_t r = 0; r < repeats; r++) {
        __asm__ volatile("" ::: "memory");
        for (uint64_t i = 0; i < lines; i += 4) {
            float *written = data + scattered(i + 3, lines) * 16;
            UNROLL
            for (uint64_t k = 0; k < 3; k++) {
                const float *read = data + scattered(i + k, lines) * 16;
                UNROLL
                for (int c = 0; c < 16 / LANES; c++) bits[(int)k * 2 + c % 2] |= (ivec)load(read + c * LANES);
            }
            UNROLL
            for (int c = 0; c < 16 / LANES; c++) store(written + c * LANES, x);
        }
    }
    for (int c = 0; c < PROBE_CHAINS; c++) {
        volatile int32_t sink = bits[c][0];
        (void)sink;
    }
}

static void probe_write(float *data, size_t floats, uint64_t repeats)
{
    for (uint64_t r = 0; r < repeats; r++) {
        vec x = splat((float)r);
        for (size_t i = 0; i < floats; i += 4 * LANES)
            UNROLL
            for (size_t c = 0; c < 4; c++) store(data + i + c * LANES, x);
        __asm__ volatile("" ::: "memory"); /* every round writes again */
    }
}

static double kernel_probe(ioa_probe probe, float *data, size_t floats, uint64_t repeats)
{
    uint64_t lines = power_below(floats / 16);
    switch (probe) {
    case IOA_PROBE_READ: probe_read(data, floats, repeats); break;
    case IOA_PROBE_LINES: probe_lines(data, lines, repeats); return (double)repeats * (double)lines * 64;
    case IOA_PROBE_WRITE: probe_write(data, floats, repeats); break;
    case IOA_PROBE_FMA_MEMORY: probe_fma(data, floats, repeats, true); break;
    default: probe_fma(data, floats, repeats, false); break;
    }
    return (double)repeats * (double)floats * (probe == IOA_PROBE_READ || probe == IOA_PROBE_WRITE ? 4 : 2);
}

const ioa_kernel KERNEL_TABLE = {kernel_run, kernel_groups, kernel_wide, kernel_sell, kernel_pack, kernel_unpack, kernel_rows, kernel_probe, activate_row};
