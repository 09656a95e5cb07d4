#include "core/plan/baseline.h"

#include "core/base/mem.h"
#include "core/kernel/kernel.h"
#include "core/model/network.h"

#include <inttypes.h>

struct ioa_baseline {
    const ioa_kernel *kernel;
    ioa_baseline_options options;
    uint32_t neurons, inputs, outputs, layers;
    ioa_csr csr; /* of the arrays below */
    int64_t *indptr;
    uint32_t *indices;
    float *weights, *bias, *param;
    uint8_t *activation;
    int64_t *layer_offsets; /* [L + 1] */
    size_t stride;            /* floats from neuron to neuron */
    uint32_t unit;            /* the same in offset units */
    uint8_t *skip;            /* [N] */
    uint32_t *input_offsets;  /* [I] */
    uint32_t *output_offsets; /* [S] */
};

/* Columns of a neuron: all of the batch, or one block. */
static size_t columns(const ioa_baseline_options *o)
{
    if (!o->layer_wise) return o->block;
    return ((size_t)o->batch + o->block - 1) / o->block * o->block;
}

size_t ioa_baseline_scratch_bytes(const ioa_network *network, const ioa_baseline_options *options)
{
    return ((size_t)network->a.neurons * columns(options) * sizeof(float) + 63) / 64 * 64;
}

static bool copy_matrix(ioa_baseline *b, const ioa_network *network)
{
    const ioa_network_arrays *a = &network->a;
    b->indptr = ioa_alloc_copy(a->indptr, (uint64_t)a->neurons + 1, sizeof *b->indptr);
    b->indices = ioa_alloc_copy(a->indices, network->connections, sizeof *b->indices);
    b->weights = ioa_alloc_copy(a->weights, network->connections, sizeof *b->weights);
    b->bias = ioa_alloc_copy(a->bias, a->neurons, sizeof *b->bias);
    b->activation = ioa_alloc_copy(a->activation, a->neurons, sizeof *b->activation);
    if (a->param) b->param = ioa_alloc_copy(a->param, a->neurons, sizeof *b->param);
    if (a->layers) b->layer_offsets = ioa_alloc_copy(a->layer_offsets, (uint64_t)a->layers + 1, sizeof *b->layer_offsets);
    return b->indptr && ((b->indices && b->weights) || !network->connections) && b->bias && b->activation &&
           (b->param || !a->param) && (b->layer_offsets || !a->layers);
}

ioa_status ioa_baseline_create(const ioa_network *network, const ioa_baseline_options *options,
                               ioa_baseline **baseline, ioa_error *error)
{
    const ioa_network_arrays *a = &network->a;
    const ioa_kernel *kernel = ioa_kernel_for(options->isa);
    uint32_t block = options->block;
    if (!kernel)
        return ioa_fail(error, IOA_ERR_INPUT, "instruction set %s is not available here", ioa_isa_name(options->isa));
    if ((block != 1 && block != 16 && block != 32 && block != 64 && block != 128) ||
        (options->layer_wise && (block == 1 || !a->layers)))
        return ioa_fail(error, IOA_ERR_INPUT, "the baseline cannot use blocks of %" PRIu32 " columns here", block);
    if (ioa_baseline_scratch_bytes(network, options) / IOA_OFFSET_BYTES(block) >= IOA_NO_SLOT)
        return ioa_fail(error, IOA_ERR_INPUT, "the baseline needs more than 32 GiB of activations");

    ioa_baseline *b = ioa_alloc_zero(1, sizeof *b);
    if (!b) return ioa_fail_nomem(error, "the baseline", 1, sizeof *b);
    *b = (ioa_baseline){.kernel = kernel, .options = *options, .neurons = a->neurons, .inputs = a->inputs,
                        .outputs = a->outputs, .layers = a->layers, .stride = columns(options)};
    b->unit = block == 1 ? 1 : (uint32_t)(b->stride / 2);
    b->skip = ioa_alloc_zero(a->neurons, sizeof *b->skip);
    b->input_offsets = ioa_alloc(a->inputs, sizeof *b->input_offsets);
    b->output_offsets = ioa_alloc(a->outputs, sizeof *b->output_offsets);
    if (!b->skip || !b->input_offsets || !b->output_offsets || !copy_matrix(b, network)) {
        ioa_baseline_destroy(b);
        return ioa_fail_nomem(error, "the baseline", network->connections, sizeof *b->weights + sizeof *b->indices);
    }
    for (uint32_t i = 0; i < a->inputs; i++) {
        b->skip[a->input_ids[i]] = 1;
        b->input_offsets[i] = a->input_ids[i] * b->unit;
    }
    for (uint32_t s = 0; s < a->outputs; s++) b->output_offsets[s] = a->output_ids[s] * b->unit;
    b->csr = (ioa_csr){b->indptr, b->indices, b->weights, b->bias, b->activation, b->param, b->skip};
    *baseline = b;
    return IOA_OK;
}

void ioa_baseline_destroy(ioa_baseline *baseline)
{
    if (!baseline) return;
    ioa_free(baseline->indptr);
    ioa_free(baseline->indices);
    ioa_free(baseline->weights);
    ioa_free(baseline->bias);
    ioa_free(baseline->activation);
    ioa_free(baseline->param);
    ioa_free(baseline->layer_offsets);
    ioa_free(baseline->skip);
    ioa_free(baseline->input_offsets);
    ioa_free(baseline->output_offsets);
    ioa_free(baseline);
}

static void run_tiled(const ioa_baseline *b, const float *x, float *y, size_t batch, float *values)
{
    uint32_t block = b->options.block;
    for (size_t from = 0; from < batch; from += block) {
        uint32_t rows = batch - from < block ? (uint32_t)(batch - from) : block;
        uint32_t width = ioa_kernel_width(block, rows);
        b->kernel->pack(x + from * b->inputs, b->inputs, rows, b->input_offsets, values, block, width,
                        ioa_is_far(batch, b->inputs));
        b->kernel->rows(&b->csr, 0, b->neurons, values, b->stride, width);
        b->kernel->unpack(y + from * b->outputs, b->outputs, rows, b->output_offsets, values, block,
                          ioa_is_far(batch, b->outputs));
    }
}

static void run_layers(const ioa_baseline *b, const float *x, float *y, size_t batch, float *values)
{
    uint32_t block = b->options.block;
    for (size_t from = 0; from < batch; from += block) {
        uint32_t rows = batch - from < block ? (uint32_t)(batch - from) : block;
        b->kernel->pack(x + from * b->inputs, b->inputs, rows, b->input_offsets, values + from, block, block,
                        ioa_is_far(batch, b->inputs));
    }
    for (uint32_t l = 0; l < b->layers; l++)
        for (size_t from = 0; from < batch; from += block)
            b->kernel->rows(&b->csr, (uint32_t)b->layer_offsets[l], (uint32_t)b->layer_offsets[l + 1], values + from,
                            b->stride, ioa_kernel_width(block, batch - from));
    for (size_t from = 0; from < batch; from += block) {
        uint32_t rows = batch - from < block ? (uint32_t)(batch - from) : block;
        b->kernel->unpack(y + from * b->outputs, b->outputs, rows, b->output_offsets, values + from, block,
                          ioa_is_far(batch, b->outputs));
    }
}

void ioa_baseline_run(const ioa_baseline *baseline, const float *x, float *y, size_t batch, void *scratch)
{
    const ioa_baseline *b = baseline;
    if (!b->options.layer_wise) {
        run_tiled(b, x, y, batch, scratch);
        return;
    }
    for (size_t from = 0; from < batch; from += b->stride)
        run_layers(b, x + from * b->inputs, y + from * b->outputs, batch - from < b->stride ? batch - from : b->stride,
                   scratch);
}
