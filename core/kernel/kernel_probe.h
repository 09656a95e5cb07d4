/* What the machine can do at best: loops for core/measure/measure.h. Included by core/kernel/kernel_impl.h only. */
#ifndef IOA_CORE_KERNEL_PROBE_H
#define IOA_CORE_KERNEL_PROBE_H

#define PROBE_CHAINS 8 /* loads that follow each other */
#define PROBE_SUMS 12  /* 8 just hide the latency of a multiply-add on two units: every delay of one would count */

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

/* Returns the multiply-adds of a round, lane by lane. */
INLINE size_t probe_fma(const float *data, size_t floats, uint64_t repeats, bool memory)
{
    const size_t step = PROBE_SUMS * LANES, round = floats / step * step;
    vec sum[PROBE_SUMS] = {{0}}, x = load(data), y = load(data + LANES);
    for (uint64_t r = 0; r < repeats; r++) {
        __asm__ volatile("" ::: "memory");
        for (size_t i = 0; i < round; i += step)
            UNROLL
            for (int c = 0; c < PROBE_SUMS; c++) sum[c] += x * (memory ? load(data + i + (size_t)c * LANES) : y);
    }
    for (int c = 0; c < PROBE_SUMS; c++) {
        volatile float sink = sum[c][0];
        (void)sink;
    }
    return round;
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
    case IOA_PROBE_FMA_MEMORY: return 2 * (double)repeats * (double)probe_fma(data, floats, repeats, true);
    default: return 2 * (double)repeats * (double)probe_fma(data, floats, repeats, false);
    }
    return (double)repeats * (double)floats * 4;
}

#endif
