#include "core/plan/baseline_mkl.h"

#include "core/base/mem.h"
#include "core/kernel/kernel.h"
#include "core/model/network.h"

#include <string.h>

#if IOA_HAVE_MKL
#include <mkl_service.h>
#include <mkl_spblas.h>

#define CALLS 100000 /* expected of every handle: MKL may take its time to prepare */

struct ioa_mkl {
    const ioa_network *network; /* borrowed */
    const ioa_kernel *kernel;
    uint32_t layers, tile;
    size_t stride; /* floats from neuron to neuron */
    float *values;
    uint32_t *input_offsets, *output_offsets;
    sparse_matrix_t *handles; /* [layers], the first unused */
    MKL_INT *rows, *columns;  /* CSR of all layers: row offsets relative to the layer, columns to the one before */
};

bool ioa_mkl_built_in(void)
{
    return true;
}

/* Layers as MKL wants them: the first holds the inputs, and connections lead from each to the next. */
static bool is_layered(const ioa_network *n)
{
    const ioa_network_arrays *a = &n->a;
    if (a->layers < 2) return false;
    for (uint32_t l = 0; l < a->layers; l++)
        for (int64_t v = a->layer_offsets[l]; v < a->layer_offsets[l + 1]; v++) {
            if (n->is_input[v] != (l == 0)) return false;
            for (int64_t e = a->indptr[v]; e < a->indptr[v + 1]; e++)
                if (l == 0 || a->indices[e] < a->layer_offsets[l - 1] || a->indices[e] >= a->layer_offsets[l]) return false;
        }
    return true;
}

static bool make_handle(ioa_mkl *m, uint32_t l, MKL_INT columns_per_call)
{
    const ioa_network_arrays *a = &m->network->a;
    int64_t first = a->layer_offsets[l], count = a->layer_offsets[l + 1] - first, from = a->indptr[first];
    MKL_INT *rows = m->rows + first + l;
    for (int64_t v = 0; v <= count; v++) rows[v] = (MKL_INT)(a->indptr[first + v] - from);
    for (int64_t e = from; e < a->indptr[first + count]; e++)
        m->columns[e] = (MKL_INT)(a->indices[e] - a->layer_offsets[l - 1]);
    const struct matrix_descr general = {.type = SPARSE_MATRIX_TYPE_GENERAL};
    return mkl_sparse_s_create_csr(&m->handles[l], SPARSE_INDEX_BASE_ZERO, (MKL_INT)count,
                                   (MKL_INT)(first - a->layer_offsets[l - 1]), rows, rows + 1, m->columns + from,
                                   a->weights + from) == SPARSE_STATUS_SUCCESS &&
           mkl_sparse_set_mm_hint(m->handles[l], SPARSE_OPERATION_NON_TRANSPOSE, general, SPARSE_LAYOUT_ROW_MAJOR,
                                  columns_per_call, CALLS) == SPARSE_STATUS_SUCCESS &&
           mkl_sparse_optimize(m->handles[l]) == SPARSE_STATUS_SUCCESS;
}

ioa_status ioa_mkl_create(const ioa_network *network, uint32_t batch, uint32_t tile, ioa_mkl **mkl, ioa_error *error)
{
    const ioa_network_arrays *a = &network->a;
    if (!is_layered(network)) return ioa_fail(error, IOA_ERR_INPUT, "MKL is compared with on layered networks only");
    ioa_mkl *m = ioa_alloc_zero(1, sizeof *m);
    if (!m) return ioa_fail_nomem(error, "MKL's plan", 1, sizeof *m);
    *m = (ioa_mkl){.network = network, .kernel = ioa_kernel_for(IOA_ISA_AUTO), .layers = a->layers, .tile = tile,
                   .stride = tile ? tile : ((size_t)batch + 15) / 16 * 16};
    m->values = ioa_alloc_zero(a->neurons, m->stride * sizeof *m->values);
    m->input_offsets = ioa_alloc(a->inputs, sizeof *m->input_offsets);
    m->output_offsets = ioa_alloc(a->outputs, sizeof *m->output_offsets);
    m->handles = ioa_alloc_zero(a->layers, sizeof *m->handles);
    m->rows = ioa_alloc((uint64_t)a->neurons + a->layers, sizeof *m->rows);
    m->columns = ioa_alloc(network->connections, sizeof *m->columns);
    ioa_status status = IOA_OK;
    if (!m->values || !m->input_offsets || !m->output_offsets || !m->handles || !m->rows || !m->columns)
        status = ioa_fail_nomem(error, "MKL's plan", a->neurons, m->stride * sizeof *m->values);
    mkl_set_num_threads(1);
    for (uint32_t l = 1; l < a->layers && status == IOA_OK; l++)
        if (!make_handle(m, l, (MKL_INT)m->stride)) status = ioa_fail(error, IOA_ERR_SYSTEM, "MKL refuses a layer");
    if (status != IOA_OK) {
        ioa_mkl_destroy(m);
        return status;
    }
    for (uint32_t i = 0; i < a->inputs; i++) m->input_offsets[i] = a->input_ids[i] * (uint32_t)(m->stride / 2);
    for (uint32_t i = 0; i < a->outputs; i++) m->output_offsets[i] = a->output_ids[i] * (uint32_t)(m->stride / 2);
    *mkl = m;
    return IOA_OK;
}

void ioa_mkl_destroy(ioa_mkl *mkl)
{
    if (!mkl) return;
    for (uint32_t l = 1; mkl->handles && l < mkl->layers; l++)
        if (mkl->handles[l]) mkl_sparse_destroy(mkl->handles[l]);
    ioa_free(mkl->values);
    ioa_free(mkl->input_offsets);
    ioa_free(mkl->output_offsets);
    ioa_free(mkl->handles);
    ioa_free(mkl->rows);
    ioa_free(mkl->columns);
    ioa_free(mkl);
}

/* Bias goes in before the product (beta = 1), the activation after it. */
static void run_layers(ioa_mkl *m, uint32_t width)
{
    const ioa_network_arrays *a = &m->network->a;
    const struct matrix_descr general = {.type = SPARSE_MATRIX_TYPE_GENERAL};
    for (uint32_t l = 1; l < m->layers; l++) {
        int64_t first = a->layer_offsets[l], end = a->layer_offsets[l + 1];
        float *values = m->values + (size_t)first * m->stride;
        for (int64_t v = first; v < end; v++) {
            float *row = m->values + (size_t)v * m->stride;
            for (uint32_t b = 0; b < width; b++) row[b] = a->bias[v];
        }
        mkl_sparse_s_mm(SPARSE_OPERATION_NON_TRANSPOSE, 1.0f, m->handles[l], general, SPARSE_LAYOUT_ROW_MAJOR,
                        m->values + (size_t)a->layer_offsets[l - 1] * m->stride, (MKL_INT)width, (MKL_INT)m->stride, 1.0f,
                        values, (MKL_INT)m->stride);
        for (int64_t v = first; v < end; v++)
            if (a->activation[v] != IOA_ACT_IDENTITY)
                m->kernel->activate(a->activation[v], a->param ? a->param[v] : 0.0f, m->values + (size_t)v * m->stride,
                                    width);
    }
}

void ioa_mkl_run(ioa_mkl *mkl, const float *x, float *y, size_t batch)
{
    const ioa_network_arrays *a = &mkl->network->a;
    size_t step = mkl->tile ? mkl->tile : mkl->stride;
    for (size_t from = 0; from < batch; from += step) {
        size_t rows = batch - from < step ? batch - from : step, width = (rows + 15) / 16 * 16;
        for (size_t b = 0; b < width; b += 16) /* blocks of 16 columns */
            mkl->kernel->pack(x + (from + b) * a->inputs, a->inputs, rows - b < 16 ? (uint32_t)(rows - b) : 16,
                              mkl->input_offsets, mkl->values + b, 16, 16, ioa_is_far(batch, a->inputs));
        run_layers(mkl, (uint32_t)width);
        for (size_t b = 0; b < width; b += 16)
            mkl->kernel->unpack(y + (from + b) * a->outputs, a->outputs, rows - b < 16 ? (uint32_t)(rows - b) : 16,
                                mkl->output_offsets, mkl->values + b, 16, ioa_is_far(batch, a->outputs));
    }
}

#else

bool ioa_mkl_built_in(void)
{
    return false;
}

ioa_status ioa_mkl_create(const ioa_network *network, uint32_t batch, uint32_t tile, ioa_mkl **mkl, ioa_error *error)
{
    (void)network;
    (void)batch;
    (void)tile;
    (void)mkl;
    return ioa_fail(error, IOA_ERR_INPUT, "this build has no MKL to compare with");
}

void ioa_mkl_destroy(ioa_mkl *mkl)
{
    (void)mkl;
}

void ioa_mkl_run(ioa_mkl *mkl, const float *x, float *y, size_t batch)
{
    (void)mkl;
    (void)x;
    (void)y;
    (void)batch;
}

#endif
