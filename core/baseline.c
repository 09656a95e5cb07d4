#include "core/baseline.h"

#include "core/kernel.h"
#include "core/mem.h"
#include "core/network.h"

#include <inttypes.h>

struct ioa_baseline {
    const ioa_kernel *kernel;
    const ioa_network *network;
    ioa_baseline_options options;
    ioa_csr csr;
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
    *b = (ioa_baseline){.kernel = kernel, .network = network, .options = *options, .stride = columns(options)};
    b->unit = block == 1 ? 1 : (uint32_t)(b->stride / 2);
    b->skip = ioa_alloc_zero(a->neurons, sizeof *b->skip);
    b->input_offsets = ioa_alloc(a->inputs, sizeof *b->input_offsets);
    b->output_offsets = ioa_alloc(a->outputs, sizeof *b->output_offsets);
    if (!b->skip || !b->input_offsets || !b->output_offsets) {
        ioa_baseline_destroy(b);
        return ioa_fail_nomem(error, "the baseline", a->neurons, sizeof *b->skip);
    }
    for (uint32_t i = 0; i < a->inputs; i++) {
        b->skip[a->input_ids[i]] = 1;
        b->input_offsets[i] = a->input_ids[i] * b->unit;
    }
    for (uint32_t s = 0; s < a->outputs; s++) b->output_offsets[s] = a->output_ids[s] * b->unit;
    b->csr = (ioa_csr){a->indptr, a->indices, a->weights, a->bias, a->activation, a->param, b->skip};
    *baseline = b;
    return IOA_OK;
}

void ioa_baseline_destroy(ioa_baseline *baseline)
{
    if (!baseline) return;
    ioa_free(baseline->skip);
    ioa_free(baseline->input_offsets);
    ioa_free(baseline->output_offsets);
    ioa_free(baseline);
}

static void run_tiled(const ioa_baseline *b, const float *x, float *y, size_t batch, float *values)
{
    const ioa_network_arrays *a = &b->network->a;
    uint32_t block = b->options.block;
    for (size_t from = 0; from < batch; from += block) {
        uint32_t rows = batch - from < block ? (uint32_t)(batch - from) : block;
        uint32_t width = ioa_kernel_width(block, rows);
        b->kernel->pack(x + from * a->inputs, a->inputs, rows, b->input_offsets, values, block, width);
        b->kernel->rows(&b->csr, 0, a->neurons, values, b->stride, width);
        b->kernel->unpack(y + from * a->outputs, a->outputs, rows, b->output_offsets, values, block);
    }
}

static void run_layers(const ioa_baseline *b, const float *x, float *y, size_t batch, float *values)
{
    const ioa_network_arrays *a = &b->network->a;
    uint32_t block = b->options.block;
    for (size_t from = 0; from < batch; from += block) {
        uint32_t rows = batch - from < block ? (uint32_t)(batch - from) : block;
        b->kernel->pack(x + from * a->inputs, a->inputs, rows, b->input_offsets, values + from, block, block);
    }
    for (uint32_t l = 0; l < a->layers; l++)
        for (size_t from = 0; from < batch; from += block)
            b->kernel->rows(&b->csr, (uint32_t)a->layer_offsets[l], (uint32_t)a->layer_offsets[l + 1], values + from,
                            b->stride, ioa_kernel_width(block, batch - from));
    for (size_t from = 0; from < batch; from += block) {
        uint32_t rows = batch - from < block ? (uint32_t)(batch - from) : block;
        b->kernel->unpack(y + from * a->outputs, a->outputs, rows, b->output_offsets, values + from, block);
    }
}

void ioa_baseline_run(const ioa_baseline *baseline, const float *x, float *y, size_t batch, void *scratch)
{
    if (baseline->options.layer_wise) run_layers(baseline, x, y, batch, scratch);
    else run_tiled(baseline, x, y, batch, scratch);
}
