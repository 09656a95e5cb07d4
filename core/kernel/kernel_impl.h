/* The kernels, written once and compiled per instruction set. The including file defines KERNEL_TABLE, the name of
 * its ioa_kernel. */
#include "core/kernel/kernel.h"
#include "core/kernel/kernel_math.h"
#include "core/kernel/kernel_vec.h"

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

/* `offsets` were read for this quad before, and become the next one's. Read just before their use, they hold up the loads of
 * values; where a value is one register, that does not pay. */
INLINE void add_narrow(vec sum[4][8], const ioa_narrow_quad *quad, bool near, uint64_t *offsets, const float *values, int vectors,
                       int chains)
{
    size_t bytes[4];
    split_narrow(vectors > 1 ? *offsets : load_narrow(quad->source), near, bytes);
    if (vectors > 1) *offsets = load_narrow(quad[1].source);
    const float *const source[4] = {values + bytes[0] / 4, values + bytes[1] / 4, values + bytes[2] / 4, values + bytes[3] / 4};
    add_sources(sum, quad->weight, source, vectors, chains);
}

/* One run, whose connections are at `quad`; returns what follows them. `vectors`, `chains`, `quads` and `ahead` (prefetch
 * the stream) are constants in every use. Runs may be short, so that every instruction outside the loops counts. */
INLINE const void *one_run(const ioa_run *run, const char *quad, float *values, int vectors, int chains, ioa_quads quads,
                           bool ahead)
{
    const bool narrow = quads != IOA_QUADS_WIDE;
    const size_t bytes = narrow ? sizeof(ioa_narrow_quad) : sizeof(ioa_quad);
    const uint32_t count = run->count;
    float *destination = at(values, run->destination);
    uint64_t offsets = narrow ? load_narrow((const uint16_t *)(const void *)quad) : 0; /* or of steps, if there is no quad */
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
    for (uint32_t left = count / 4; left; left--, quad += bytes) {
        if (ahead) __builtin_prefetch(quad + PREFETCH_BYTES);
        if (narrow)
            add_narrow(sum, (const ioa_narrow_quad *)(const void *)quad, quads == IOA_QUADS_NEAR, &offsets, values, vectors, chains);
        else add_quad(sum, (const ioa_quad *)(const void *)quad, values, vectors, chains);
    }
    const ioa_step *step = (const ioa_step *)(const void *)quad;
    for (uint32_t left = count % 4; left; left--, step++)
        add_product(sum[0], splat(step->weight), at(values, step->source), vectors);
    UNROLL
    for (int c = 1; c < chains; c++)
        UNROLL
        for (int i = 0; i < vectors; i++) sum[0][i] += sum[c][i];
    /* What the head says is read before the stores, which the compiler must suppose to change it: read after them, the next run
     * would wait for this one's sum. */
    const unsigned activation = run->activation;
    if (activation > IOA_ACT_RELU) {
        const float param = run->flags & IOA_RUN_PARAM ? step++->weight : 0.0f;
        finish(destination, sum[0], vectors, activation, param);
    } else {
        if (activation == IOA_ACT_RELU)
            UNROLL
            for (int i = 0; i < vectors; i++) sum[0][i] = positive(sum[0][i]);
        UNROLL
        for (int i = 0; i < vectors; i++) store(destination + i * LANES, sum[0][i]);
    }
    return step;
}

#define DEFINE_RUNS_AS(name, width, chains, quads, ahead)                                                                 \
    static void name(const ioa_run *run, const ioa_run *end, float *values)                                               \
    {                                                                                                                     \
        for (const void *at = end; run < end; run++) at = one_run(run, at, values, (width) / LANES, chains, quads, ahead); \
    }
#define DEFINE_RUNS(width, chains)                                                        \
    DEFINE_RUNS_AS(wide_##width##_##chains, width, chains, IOA_QUADS_WIDE, false)         \
    DEFINE_RUNS_AS(wide_##width##_##chains##_ahead, width, chains, IOA_QUADS_WIDE, true)  \
    DEFINE_RUNS_AS(narrow_##width##_##chains, width, chains, IOA_QUADS_NARROW, false)     \
    DEFINE_RUNS_AS(narrow_##width##_##chains##_ahead, width, chains, IOA_QUADS_NARROW, true) \
    DEFINE_RUNS_AS(near_##width##_##chains, width, chains, IOA_QUADS_NEAR, false)         \
    DEFINE_RUNS_AS(near_##width##_##chains##_ahead, width, chains, IOA_QUADS_NEAR, true)

typedef void runs_function(const ioa_run *run, const ioa_run *end, float *values);

/* The functions by width (16, 32, 64, 128) for one number of chains. */
#define ROW_AS(kind, suffix_16, suffix_32, suffix_64, suffix_128)                               \
    {                                                                                           \
        {kind##_##suffix_16, kind##_##suffix_32, kind##_##suffix_64, kind##_##suffix_128},      \
        {kind##_##suffix_16##_ahead, kind##_##suffix_32##_ahead, kind##_##suffix_64##_ahead, kind##_##suffix_128##_ahead} \
    }
#define ROW(suffix_16, suffix_32, suffix_64, suffix_128)                        \
    {                                                                           \
        ROW_AS(wide, suffix_16, suffix_32, suffix_64, suffix_128),              \
        ROW_AS(narrow, suffix_16, suffix_32, suffix_64, suffix_128),            \
        ROW_AS(near, suffix_16, suffix_32, suffix_64, suffix_128)               \
    }

/* [tile 16, 32, 64, 128][quads][ahead][width 16, 32, 64, 128]; widths past a pass or a tile repeat the widest. */
#if VEC_BYTES == 64
DEFINE_RUNS(16, 4)
DEFINE_RUNS(32, 4)
DEFINE_RUNS(16, 2)
DEFINE_RUNS(32, 2)
DEFINE_RUNS(64, 2)
DEFINE_RUNS(128, 2)
static runs_function *const runs_table[4][IOA_QUADS_COUNT][2][4] = {ROW(16_4, 16_4, 16_4, 16_4), ROW(16_4, 32_4, 32_4, 32_4),
                                                   ROW(16_2, 32_2, 64_2, 64_2), ROW(16_2, 32_2, 64_2, 128_2)};
#elif VEC_BYTES == 32
DEFINE_RUNS(16, 4)
DEFINE_RUNS(16, 2)
DEFINE_RUNS(32, 2)
DEFINE_RUNS(16, 1)
DEFINE_RUNS(32, 1)
DEFINE_RUNS(64, 1)
static runs_function *const runs_table[4][IOA_QUADS_COUNT][2][4] = {ROW(16_4, 16_4, 16_4, 16_4), ROW(16_2, 32_2, 32_2, 32_2),
                                                   ROW(16_1, 32_1, 64_1, 64_1), ROW(16_1, 32_1, 64_1, 64_1)};
#else
DEFINE_RUNS(16, 2)
DEFINE_RUNS(16, 1)
DEFINE_RUNS(32, 1)
static runs_function *const runs_table[4][IOA_QUADS_COUNT][2][4] = {ROW(16_2, 16_2, 16_2, 16_2), ROW(16_1, 32_1, 32_1, 32_1),
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
    const __m512i odd = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
    __m512 sums = _mm512_setzero_ps();
    if (end - step >= 16) {
        for (; end - step >= 16; step += 16) {
            __m512i low = _mm512_loadu_si512(step), high = _mm512_loadu_si512(step + 8);
            __m512 source = (__m512)collect_by(values, &step->source, sizeof *step / sizeof step->source);
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

static void runs_single(const ioa_run *run, const ioa_run *end, float *values)
{
    for (const ioa_step *step = (const ioa_step *)(const void *)end; run < end; run++) {
        const ioa_step *last = step + run->count;
        float *destination = values + run->destination;
        float sum = dot_steps(step, last, values, run->flags & IOA_RUN_FIRST ? run->bias : *destination);
        const unsigned flags = run->flags; /* before the store, as above */
        float param = flags & IOA_RUN_PARAM ? last++->weight : 0.0f;
        *destination = flags & IOA_RUN_LAST ? activate_single(run->activation, param, sum) : sum;
        step = last;
    }
}

static void kernel_run(const ioa_run *runs, uint64_t count, float *values, uint32_t tile, uint32_t width, ioa_quads quads,
                       bool ahead)
{
    if (tile == 1) {
        runs_single(runs, runs + count, values);
        return;
    }
    runs_function *pass = runs_table[place(tile)][quads][ahead][place(width)];
    for (uint32_t column = 0; column < width; column += PASS) pass(runs, runs + count, values + column);
}

#include "core/kernel/kernel_csr.h"
#include "core/kernel/kernel_groups.h"
#include "core/kernel/kernel_pack.h"
#include "core/kernel/kernel_probe.h"
#include "core/kernel/kernel_sell.h"
const ioa_kernel KERNEL_TABLE = {kernel_run,    kernel_groups, kernel_wide, kernel_sell, kernel_pack,
                                 kernel_unpack, kernel_rows,   kernel_probe, activate_row};
