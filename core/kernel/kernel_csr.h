/* The baseline: CSR rows, weights and indices in arrays of their own. Included by core/kernel/kernel_impl.h only. */
#ifndef IOA_CORE_KERNEL_CSR_H
#define IOA_CORE_KERNEL_CSR_H

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
                                       (__m512)collect_by(values, csr->indices + e, 1), sums);
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

#endif
