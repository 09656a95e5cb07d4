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

/* ---- eight or sixteen destinations, sources that feed all of them, two or one ---- */

/* One of four weights; `k` is a constant in every use. */
INLINE vec fourth(vec weights, unsigned k)
{
    return k == 0 ? FOURTH(weights, 0) : k == 1 ? FOURTH(weights, 1) : k == 2 ? FOURTH(weights, 2) : FOURTH(weights, 3);
}

/* The sources of a quad or of pairs; returns where their weights are. */
INLINE const float *wide_sources(const char *stream, ioa_quads quads, const float *values, const float *source[4])
{
    size_t bytes[4];
    if (quads == IOA_QUADS_WIDE) {
        uint32_t offset[4];
        load_pair((const uint32_t *)(const void *)stream, offset);
        load_pair((const uint32_t *)(const void *)stream + 2, offset + 2);
        UNROLL
        for (int k = 0; k < 4; k++) bytes[k] = (size_t)offset[k] * 8;
    } else split_narrow(load_narrow((const uint16_t *)(const void *)stream), quads == IOA_QUADS_NEAR, bytes);
    UNROLL
    for (int k = 0; k < 4; k++) source[k] = values + bytes[k] / sizeof *values;
    return (const float *)(const void *)(stream + (quads == IOA_QUADS_WIDE ? 16 : 8));
}

/* What a function computes of a group: members [from, from + members) of `size`, `vectors` registers wide. All of it, the kind of
 * quads, and `ahead` (prefetch the stream) are constants in every use. */
typedef struct wide_part {
    unsigned size, from, members;
    int vectors;
    ioa_quads quads;
    bool ahead;
} wide_part;

INLINE bool has_place(const wide_part *p, unsigned place)
{
    return place >= p->from && place < p->from + p->members;
}

/* The sources that feed all members; returns what follows them. */
INLINE const char *add_to_all(vec sum[][4], const wide_part *p, const char *stream, uint32_t count, const float *values)
{
    for (; count; count--, stream += (p->size + 1) * sizeof(float)) {
        if (p->ahead) __builtin_prefetch(stream + PREFETCH_BYTES);
        uint32_t offset;
        memcpy(&offset, stream, sizeof offset);
        const float *source = values + (size_t)offset * 2, *weights = (const float *)(const void *)stream + 1 + p->from;
        vec x[4];
        UNROLL
        for (int i = 0; i < p->vectors; i++) x[i] = load(source + i * LANES);
        UNROLL
        for (unsigned k = 0; k < p->members; k += 4) add_four(sum + k, weights + k, x, p->vectors);
    }
    return stream;
}

/* A round of sources that feed two members each. */
INLINE const char *add_to_pairs(vec sum[][4], const wide_part *p, const char *stream, const float *values)
{
    UNROLL
    for (unsigned matching = 0; matching < p->size - 1; matching++)
        UNROLL
        for (unsigned i = 0; i < p->size / 2; i += 4) {
            if (p->ahead) __builtin_prefetch(stream + PREFETCH_BYTES);
            const float *source[4], *weight = wide_sources(stream, p->quads, values, source);
            const vec weights[2] = {load_four(weight), load_four(weight + 4)};
            stream = (const char *)(weight + 8);
            UNROLL
            for (unsigned k = 0; k < 4; k++) {
                const unsigned one = ioa_wide_one(p->size, matching, i + k), other = ioa_wide_other(p->size, matching, i + k);
                vec x[4];
                if (!has_place(p, one) && !has_place(p, other)) continue;
                UNROLL
                for (int v = 0; v < p->vectors; v++) x[v] = load(source[k] + v * LANES);
                if (has_place(p, one)) add_values(sum[one - p->from], fourth(weights[k / 2], k % 2 * 2), x, p->vectors);
                if (has_place(p, other)) add_values(sum[other - p->from], fourth(weights[k / 2], k % 2 * 2 + 1), x, p->vectors);
            }
        }
    return stream;
}

/* One connection of every place. */
INLINE const char *add_to_each(vec sum[][4], const wide_part *p, const char *stream, const float *values)
{
    UNROLL
    for (unsigned place = 0; place < p->size; place += 4) {
        if (p->ahead) __builtin_prefetch(stream + PREFETCH_BYTES);
        const float *source[4], *weight = wide_sources(stream, p->quads, values, source);
        stream = (const char *)(weight + 4);
        if (!has_place(p, place)) continue;
        const vec weights = load_four(weight);
        UNROLL
        for (unsigned k = 0; k < 4; k++) add_product(sum[place - p->from + k], fourth(weights, k), source[k], p->vectors);
    }
    return stream;
}

/* Activations of stored values. They are calls, which leave nothing in registers: made where sums are kept, they would have the
 * compiler keep some of these in memory all along. */
static __attribute__((noinline)) void activate_places(const ioa_wide *group, unsigned size, unsigned places, float *values,
                                                      uint32_t width)
{
    const uint32_t *destination = (const uint32_t *)(const void *)(group + 1);
    const float *param = (const float *)(const void *)(destination + 2 * size);
    const uint8_t *activation = (const uint8_t *)(param + size);
    for (; places; places &= places - 1) {
        const int k = __builtin_ctz(places);
        activate_row(activation[k], param[k], at(values, destination[k]), width);
    }
}

INLINE const char *one_wide_part(const ioa_wide *group, float *values, const wide_part *p)
{
    vec sum[16][4];
    const uint32_t *destination = (const uint32_t *)(const void *)(group + 1);
    const float *bias = (const float *)(const void *)(destination + p->size), *param = bias + p->size;
    const char *next = (const char *)(group + 1) + IOA_WIDE_ARRAYS(p->size);
    const unsigned first = group->first, relu = group->relu, clipped = group->clipped, present = group->members;
    const unsigned others = group->others >> p->from & ((1u << p->members) - 1);
    UNROLL
    for (unsigned k = 0; k < p->members; k++)
        start_member(sum[k], p->vectors, (first >> (p->from + k) & 1) || p->from + k >= present, bias[p->from + k],
                     at(values, destination[p->from + k]));
    next = add_to_all(sum, p, next, group->shared, values);
    for (uint32_t left = group->rounds; left; left--) next = add_to_pairs(sum, p, next, values);
    for (uint32_t left = group->singles; left; left--) next = add_to_each(sum, p, next, values);
    UNROLL
    for (unsigned k = 0; k < p->members; k++)
        if (p->from + k < present) {
            if (relu >> (p->from + k) & 1)
                UNROLL
                for (int i = 0; i < p->vectors; i++) sum[k][i] = positive(sum[k][i]);
            if (clipped >> (p->from + k) & 1)
                UNROLL
                for (int i = 0; i < p->vectors; i++) sum[k][i] = at_most(sum[k][i], splat(param[p->from + k]));
            UNROLL
            for (int i = 0; i < p->vectors; i++) store(at(values, destination[p->from + k]) + i * LANES, sum[k][i]);
        }
    if (others) activate_places(group, p->size, others << p->from, values, (uint32_t)p->vectors * LANES);
    return next;
}

/* The members of a part: as many as fit the registers. */
#if VEC_BYTES == 64
#define WIDE_PART(size) (size)
#else
#define WIDE_PART(size) 8u
#endif

INLINE const void *one_wide(const ioa_wide *group, float *values, unsigned size, int vectors, ioa_quads quads, bool ahead)
{
    const char *next = (const char *)group;
    UNROLL
    for (unsigned from = 0; from < size; from += WIDE_PART(size)) {
        const wide_part part = {size, from, WIDE_PART(size), vectors, quads, ahead};
        next = one_wide_part(group, values, &part);
    }
    return next + (uintptr_t)next % 8;
}

#define DEFINE_WIDE_AS(name, size, vectors, quads, ahead)                                                      \
    static void name(const void *stream, const void *end, float *values)                                       \
    {                                                                                                          \
        while (stream < end) stream = one_wide((const ioa_wide *)stream, values, size, vectors, quads, ahead); \
    }
#define DEFINE_WIDE(name, size, vectors)                                       \
    DEFINE_WIDE_AS(name##_wide, size, vectors, IOA_QUADS_WIDE, false)          \
    DEFINE_WIDE_AS(name##_wide_ahead, size, vectors, IOA_QUADS_WIDE, true)     \
    DEFINE_WIDE_AS(name##_narrow, size, vectors, IOA_QUADS_NARROW, false)      \
    DEFINE_WIDE_AS(name##_narrow_ahead, size, vectors, IOA_QUADS_NARROW, true) \
    DEFINE_WIDE_AS(name##_near, size, vectors, IOA_QUADS_NEAR, false)          \
    DEFINE_WIDE_AS(name##_near_ahead, size, vectors, IOA_QUADS_NEAR, true)
#define WIDE_ROW(name) {{name##_wide, name##_wide_ahead}, {name##_narrow, name##_narrow_ahead}, {name##_near, name##_near_ahead}}

typedef void wide_function(const void *stream, const void *end, float *values);

DEFINE_WIDE(wide_8, 8, 1)
DEFINE_WIDE(wide_16, 16, 1)
#if VEC_BYTES == 64
DEFINE_WIDE(wide_8_32, 8, 2)
#define WIDE_SHAPES 3
#else
#define WIDE_SHAPES 2
#endif

/* [shape: 8 members, 16 members, 8 of two registers][quads][ahead] */
static wide_function *const wide_table[WIDE_SHAPES][IOA_QUADS_COUNT][2] = {WIDE_ROW(wide_8), WIDE_ROW(wide_16),
#if VEC_BYTES == 64
                                                                           WIDE_ROW(wide_8_32)
#endif
};

static void kernel_wide(const void *stream, const void *end, float *values, unsigned size, uint32_t width, ioa_quads quads,
                        bool ahead)
{
    for (uint32_t column = 0; column < width; column += LANES) {
        int shape = size == 16;
#if VEC_BYTES == 64
        if (size == 8 && width - column >= 32) shape = 2;
#endif
        wide_table[shape][quads][ahead](stream, end, values + column);
        if (shape == 2) column += LANES;
    }
}

#endif
