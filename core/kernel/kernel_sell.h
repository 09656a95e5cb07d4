/* Single samples, sixteen rows at a time. Included by core/kernel/kernel_impl.h only. */
#ifndef IOA_CORE_KERNEL_SELL_H
#define IOA_CORE_KERNEL_SELL_H

#define SELL_PARTS ((int)IOA_SELL_ROWS / LANES)
#define SELL_CHAINS (VEC_BYTES == 64 ? 4 : 2) /* sums that are taken in turn: one would wait for its own additions */

/* What of a stream comes next. */
typedef struct sell_cursor {
    const uint16_t *place;
    const float *reg;
} sell_cursor;

INLINE void prefetch_next(const sell_cursor *at, bool ahead)
{
    if (ahead) __builtin_prefetch((const char *)at->reg + PREFETCH_BYTES);
}

/* sum += the next weights * x, or where they come last sum += x */
INLINE void add_part(vec sum[SELL_PARTS], const vec x[SELL_PARTS], sell_cursor *at, bool uniform, bool ahead)
{
    if (uniform) {
        UNROLL
        for (int i = 0; i < SELL_PARTS; i++) sum[i] += x[i];
        return;
    }
    prefetch_next(at, ahead);
    UNROLL
    for (int i = 0; i < SELL_PARTS; i++) sum[i] += load(at->reg + i * LANES) * x[i];
    at->reg += IOA_SELL_ROWS;
}

INLINE void add_shared_one(vec sum[SELL_PARTS], const float *value, sell_cursor *at, bool uniform, bool ahead)
{
    vec x[SELL_PARTS];
    UNROLL
    for (int i = 0; i < SELL_PARTS; i++) x[i] = splat(*value);
    add_part(sum, x, at, uniform, ahead);
}

/* Sources that feed all rows. */
INLINE void add_shared(uint32_t count, const float *values, sell_cursor *at, bool uniform, bool ahead,
                       vec sum[SELL_CHAINS][SELL_PARTS])
{
    for (; count >= 4; count -= 4, at->place += 4) {
        uint64_t four = load_narrow(at->place);
        UNROLL
        for (int c = 0; c < 4; c++) add_shared_one(sum[c % SELL_CHAINS], values + (uint16_t)(four >> 16 * c), at, uniform, ahead);
    }
    for (; count; count--, at->place++) add_shared_one(sum[0], values + *at->place, at, uniform, ahead);
}

#if VEC_BYTES == 64
/* Sources by shuffles: sixteen at once of two registers; rows without a connection here take 0. */
INLINE void add_near_one(vec *sum, uint32_t pieces, __m512i lane, const float *values, sell_cursor *at, bool uniform, bool ahead)
{
    const float *low = values + (size_t)(uint16_t)pieces * 2, *high = values + (size_t)(pieces >> 16) * 2;
    const __mmask16 rows = _mm512_test_epi32_mask(lane, _mm512_set1_epi32(IOA_SELL_TAKEN));
    vec x = (vec)_mm512_maskz_permutex2var_ps(rows, _mm512_load_ps(low), lane, _mm512_load_ps(high));
    add_part(sum, &x, at, uniform, ahead);
}

INLINE __m512i next_lanes(sell_cursor *at, bool ahead)
{
    prefetch_next(at, ahead);
    __m512i lane = _mm512_load_si512(at->reg);
    at->reg += IOA_SELL_ROWS;
    return lane;
}

INLINE void add_near(uint32_t count, const float *values, sell_cursor *at, bool uniform, bool ahead,
                     vec sum[SELL_CHAINS][SELL_PARTS])
{
    for (; count >= 4; count -= 4, at->place += 8) {
        const __m512i lane = next_lanes(at, ahead);
        if (ahead) __builtin_prefetch((const char *)at->place + PREFETCH_BYTES / 8);
        const uint64_t two[2] = {load_narrow(at->place), load_narrow(at->place + 4)};
        UNROLL
        for (int k = 0; k < 4; k++) {
            const uint32_t pieces = (uint32_t)(two[k / 2] >> k % 2 * 32);
            add_near_one(sum[k], pieces, _mm512_srli_epi32(lane, 8 * (unsigned)k), values, at, uniform, ahead);
        }
    }
    if (!count) return;
    for (__m512i lane = next_lanes(at, ahead); count; count--, at->place += 2, lane = _mm512_srli_epi32(lane, 8)) {
        uint32_t pieces;
        memcpy(&pieces, at->place, sizeof pieces);
        add_near_one(sum[0], pieces, lane, values, at, uniform, ahead);
    }
}
#endif

INLINE void one_chunk(const ioa_sell_chunk *chunk, float *destination, const float *values, sell_cursor *at, bool uniform,
                      bool ahead)
{
    const bool chains = chunk->shared >= 4 || chunk->near >= 4;
    const float *bias = at->reg, *scale = bias + IOA_SELL_ROWS;
    vec sum[SELL_CHAINS][SELL_PARTS];
    prefetch_next(at, ahead);
    UNROLL
    for (int i = 0; i < SELL_PARTS; i++) sum[0][i] = uniform ? (vec){0} : load(bias + i * LANES);
    UNROLL
    for (int c = 1; c < SELL_CHAINS; c++)
        UNROLL
        for (int i = 0; i < SELL_PARTS; i++) sum[c][i] = (vec){0};
    at->reg += uniform ? 2 * IOA_SELL_ROWS : IOA_SELL_ROWS;
    add_shared(chunk->shared, values, at, uniform, ahead, sum);
#if VEC_BYTES == 64
    add_near(chunk->near, values, at, uniform, ahead, sum);
#endif
    for (uint32_t left = chunk->columns; left; left--, at->place += IOA_SELL_ROWS) {
        vec x[SELL_PARTS];
        if (ahead) __builtin_prefetch((const char *)at->place + PREFETCH_BYTES / 2);
        UNROLL
        for (int i = 0; i < SELL_PARTS; i++) x[i] = collect(values, at->place + i * LANES);
        add_part(sum[0], x, at, uniform, ahead);
    }
    if (chains)
        UNROLL
        for (int i = 0; i < SELL_PARTS; i++) {
            if (SELL_CHAINS == 4) sum[1][i] += sum[2 % SELL_CHAINS][i] + sum[3 % SELL_CHAINS][i];
            sum[0][i] += sum[1][i];
        }
    if (uniform)
        UNROLL
        for (int i = 0; i < SELL_PARTS; i++) sum[0][i] = load(bias + i * LANES) + load(scale + i * LANES) * sum[0][i];
    finish(destination, sum[0], SELL_PARTS, chunk->activation, chunk->param);
}

INLINE void all_chunks(const ioa_sell *stream, float *values, bool ahead)
{
    const char *start = (const char *)stream;
    const ioa_sell_chunk *chunk = (const ioa_sell_chunk *)(stream + 1), *end = chunk + stream->chunks;
    float *destination = values + stream->destination;
    sell_cursor at = {(const uint16_t *)(const void *)(start + stream->places),
                      (const float *)(const void *)(start + stream->registers)};
    for (; chunk < end; chunk++, destination += IOA_SELL_ROWS)
        if (chunk->uniform) one_chunk(chunk, destination, values, &at, true, ahead);
        else one_chunk(chunk, destination, values, &at, false, ahead);
}

static void kernel_sell(const ioa_sell *stream, float *values, bool ahead)
{
    if (ahead) all_chunks(stream, values, true);
    else all_chunks(stream, values, false);
}

#endif
