/* Groups of destinations: accumulators of all of them in registers, every shared source loaded once. Included by
 * core/kernel/kernel_impl.h only. */
#ifndef IOA_CORE_KERNEL_GROUPS_H
#define IOA_CORE_KERNEL_GROUPS_H

/* Columns of one pass: four destinations' accumulators and a source must fit the registers. */
#if VEC_BYTES == 64
#define GROUP_PASS 64u
#elif VEC_BYTES == 32
#define GROUP_PASS 16u
#else
#define GROUP_PASS 8u
#endif

/* Starting values of a member: its bias or its partial sum. */
INLINE void start_member(vec *sum, int vectors, bool first, float bias, const float *partial)
{
    UNROLL
    for (int i = 0; i < vectors; i++) sum[i] = first ? splat(bias) : load(partial + i * LANES);
}

/* sum += weight * x */
INLINE void add_values(vec *sum, vec weight, const vec *x, int vectors)
{
    UNROLL
    for (int i = 0; i < vectors; i++) sum[i] += weight * x[i];
}

/* sum[0 .. 3] += four weights times x */
INLINE void add_four(vec sum[][4], const float *weights, const vec *x, int vectors)
{
    vec four = load_four(weights);
    add_values(sum[0], FOURTH(four, 0), x, vectors);
    add_values(sum[1], FOURTH(four, 1), x, vectors);
    add_values(sum[2], FOURTH(four, 2), x, vectors);
    add_values(sum[3], FOURTH(four, 3), x, vectors);
}

/* ---- four destinations, sources by the set they feed ---- */

/* The sources that feed exactly the destinations of `mask`; `mask`, `vectors` and `ahead` are constants in every use. */
INLINE const uint32_t *group_bucket(const uint32_t *word, uint32_t count, const float *values, vec sum[4][4],
                                    int vectors, unsigned mask, bool ahead)
{
    for (; count; count--) {
        if (ahead) __builtin_prefetch((const char *)word + PREFETCH_BYTES);
        const float *source = values + (size_t)*word++ * 2;
        vec x[4];
        UNROLL
        for (int i = 0; i < vectors; i++) x[i] = load(source + i * LANES);
        if (mask == 15) {
            add_four(sum, (const float *)(const void *)word, x, vectors);
            word += 4;
            continue;
        }
        UNROLL
        for (unsigned k = 0; k < 4; k++)
            if (mask >> k & 1) {
                float weight;
                memcpy(&weight, word++, sizeof weight);
                add_values(sum[k], splat(weight), x, vectors);
            }
    }
    return word;
}

INLINE const void *one_group(const ioa_group *group, float *values, int vectors, bool ahead)
{
    vec sum[4][4];
    bool first = group->flags & IOA_RUN_FIRST;
    UNROLL
    for (unsigned k = 0; k < 4; k++)
        start_member(sum[k], vectors, first || k >= group->members, group->bias[k], at(values, group->destination[k]));
    const uint32_t *word = (const uint32_t *)(const void *)(group + 1);
    UNROLL
    for (unsigned mask = 1; mask < 16; mask++)
        word = group_bucket(word, group->count[mask], values, sum, vectors, mask, ahead);
    UNROLL
    for (unsigned k = 0; k < 4; k++)
        if (k < group->members)
            finish(at(values, group->destination[k]), sum[k], vectors,
                   group->flags & IOA_RUN_LAST ? group->activation[k] : (unsigned)IOA_ACT_IDENTITY, group->param[k]);
    size_t words = (size_t)(word - (const uint32_t *)(const void *)group);
    return (const uint32_t *)(const void *)group + (words + 1) / 2 * 2;
}

#define DEFINE_GROUPS(width)                                                                                           \
    static void groups_##width(const void *stream, const void *end, float *values, bool ahead)                         \
    {                                                                                                                  \
        if (ahead)                                                                                                     \
            while (stream < end) stream = one_group((const ioa_group *)stream, values, (int)((width) / LANES), true);  \
        else                                                                                                           \
            while (stream < end) stream = one_group((const ioa_group *)stream, values, (int)((width) / LANES), false); \
    }

#if VEC_BYTES == 64
DEFINE_GROUPS(64)
DEFINE_GROUPS(32)
#endif
#if VEC_BYTES >= 32
DEFINE_GROUPS(16)
#else
DEFINE_GROUPS(8)
#endif

static void kernel_groups(const void *stream, const void *end, float *values, uint32_t width, bool ahead)
{
    for (uint32_t column = 0; column < width; column += GROUP_PASS) {
#if VEC_BYTES == 64
        if (width - column >= 64) groups_64(stream, end, values + column, ahead);
        else if (width - column >= 32) groups_32(stream, end, values + column, ahead);
        else groups_16(stream, end, values + column, ahead);
#elif VEC_BYTES == 32
        groups_16(stream, end, values + column, ahead);
#else
        groups_8(stream, end, values + column, ahead);
#endif
    }
}

/* ---- eight or sixteen destinations, sources that feed all of them and others ---- */

/* Members [from, from + members) of a wide group of `size`; `size`, `members`, `vectors` and `ahead` are constants in every use. */
INLINE const void *wide_part(const ioa_wide *group, float *values, unsigned size, unsigned from, unsigned members, int vectors,
                             bool ahead)
{
    vec sum[16][4];
    bool first = group->flags & IOA_RUN_FIRST;
    const uint32_t *word = (const uint32_t *)(const void *)(group + 1);
    UNROLL
    for (unsigned k = 0; k < members; k++)
        start_member(sum[k], vectors, first || from + k >= group->members, group->bias[from + k],
                     at(values, group->destination[from + k]));
    for (uint32_t count = group->shared; count; count--, word += size + 1) {
        if (ahead) __builtin_prefetch((const char *)word + PREFETCH_BYTES);
        const float *source = values + (size_t)*word * 2, *weights = (const float *)(const void *)(word + 1) + from;
        vec x[4];
        UNROLL
        for (int i = 0; i < vectors; i++) x[i] = load(source + i * LANES);
        UNROLL
        for (unsigned k = 0; k < members; k += 4) add_four(sum + k, weights + k, x, vectors);
    }
    const ioa_step *step = (const ioa_step *)(const void *)word;
    for (unsigned k = 0; k < from; k++) step += group->single[k];
    UNROLL
    for (unsigned k = 0; k < members; k++)
        for (uint32_t count = group->single[from + k]; count; count--, step++)
            add_product(sum[k], splat(step->weight), at(values, step->source), vectors);
    UNROLL
    for (unsigned k = 0; k < members; k++)
        if (from + k < group->members)
            finish(at(values, group->destination[from + k]), sum[k], vectors,
                   group->flags & IOA_RUN_LAST ? group->activation[from + k] : (unsigned)IOA_ACT_IDENTITY,
                   group->param[from + k]);
    return step;
}

/* The members of a part: as many as fit the registers. */
#if VEC_BYTES == 64
#define WIDE_PART(size) (size)
#else
#define WIDE_PART(size) 8u
#endif

INLINE const void *one_wide(const ioa_wide *group, float *values, unsigned size, int vectors, bool ahead)
{
    const void *next = group;
    UNROLL
    for (unsigned from = 0; from < size; from += WIDE_PART(size))
        next = wide_part(group, values, size, from, WIDE_PART(size), vectors, ahead);
    return (const char *)next + (uintptr_t)next % 8;
}

#define DEFINE_WIDE(name, size, vectors)                                                               \
    static void name(const void *stream, const void *end, float *values, bool ahead)                   \
    {                                                                                                  \
        if (ahead)                                                                                     \
            while (stream < end) stream = one_wide((const ioa_wide *)stream, values, size, vectors, true);  \
        else                                                                                           \
            while (stream < end) stream = one_wide((const ioa_wide *)stream, values, size, vectors, false); \
    }

DEFINE_WIDE(wide_8, 8, 1)
DEFINE_WIDE(wide_16, 16, 1)
#if VEC_BYTES == 64
DEFINE_WIDE(wide_8_32, 8, 2)
#endif

static void kernel_wide(const void *stream, const void *end, float *values, unsigned size, uint32_t width, bool ahead)
{
    for (uint32_t column = 0; column < width; column += LANES) {
#if VEC_BYTES == 64
        if (size == 8 && width - column >= 32) {
            wide_8_32(stream, end, values + column, ahead);
            column += LANES;
            continue;
        }
#endif
        if (size == 8) wide_8(stream, end, values + column, ahead);
        else wide_16(stream, end, values + column, ahead);
    }
}

#endif
