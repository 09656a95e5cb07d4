#include "core/generate/generate_builder.h"

#include "core/base/mem.h"
#include "core/kernel/portable_math.h"
#include "core/model/network.h"

#include <math.h>

ioa_status ioa_builder_start(ioa_builder *builder, uint32_t neurons, uint32_t inputs, uint32_t outputs,
                             uint32_t layers, uint64_t connections, ioa_error *error)
{
    *builder = (ioa_builder){.capacity = connections + 64};
    ioa_network_arrays *a = &builder->a;
    *a = (ioa_network_arrays){.neurons = neurons, .inputs = inputs, .outputs = outputs, .layers = layers};
    a->indptr = ioa_alloc((uint64_t)neurons + 1, sizeof *a->indptr);
    a->indices = ioa_alloc(builder->capacity, sizeof *a->indices);
    a->weights = ioa_alloc(builder->capacity, sizeof *a->weights);
    a->bias = ioa_alloc_zero(neurons, sizeof *a->bias);
    a->activation = ioa_alloc_zero(neurons, sizeof *a->activation);
    a->input_ids = ioa_alloc(inputs, sizeof *a->input_ids);
    a->output_ids = ioa_alloc(outputs, sizeof *a->output_ids);
    a->layer_offsets = layers ? ioa_alloc((uint64_t)layers + 1, sizeof *a->layer_offsets) : NULL;
    if (a->indptr && a->indices && a->weights && a->bias && a->activation && a->input_ids && a->output_ids &&
        (!layers || a->layer_offsets)) {
        a->indptr[0] = 0;
        return IOA_OK;
    }
    ioa_network_arrays_free(a);
    return ioa_fail_nomem(error, "the network", builder->capacity, sizeof *a->indices + sizeof *a->weights);
}

bool ioa_builder_add(ioa_builder *builder, uint32_t source, float weight)
{
    if (builder->used == builder->capacity) {
        uint64_t capacity = builder->capacity + builder->capacity / 4 + 64;
        uint32_t *indices = ioa_alloc_larger(builder->a.indices, builder->used, capacity, sizeof *indices);
        if (!indices) return false;
        builder->a.indices = indices;
        float *weights = ioa_alloc_larger(builder->a.weights, builder->used, capacity, sizeof *weights);
        if (!weights) return false;
        builder->a.weights = weights;
        builder->capacity = capacity;
    }
    builder->a.indices[builder->used] = source;
    builder->a.weights[builder->used++] = weight;
    return true;
}

ioa_status ioa_builder_finish(ioa_builder *builder, bool complete, ioa_network **network, ioa_error *error)
{
    ioa_status status = complete ? ioa_network_create(&builder->a, network, error)
                                 : ioa_fail_nomem(error, "the network's connections", builder->capacity, 10);
    ioa_network_arrays_free(&builder->a); /* empty if the network took them */
    return status;
}

float ioa_builder_weight(ioa_pcg32 *rng, double fan_in)
{
    return (float)((2.0 * ioa_pcg32_double(rng) - 1.0) * sqrt(3.0 / (fan_in > 1.0 ? fan_in : 1.0)));
}

bool ioa_builder_random_cells(ioa_builder *b, uint64_t first, uint64_t last, double density, double fan_in,
                              ioa_pcg32 *rng)
{
    if (density <= 0.0) return true;
    double log_absent = density < 1.0 ? ioa_portable_log(1.0 - density) : 0.0;
    for (uint64_t at = first;; at++) {
        if (density < 1.0) {
            double skip = ioa_portable_log(1.0 - ioa_pcg32_double(rng)) / log_absent;
            if (skip >= (double)(last - first)) return true;
            at += (uint64_t)skip;
        }
        if (at >= last) return true;
        if (!ioa_builder_add(b, (uint32_t)at, ioa_builder_weight(rng, fan_in))) return false;
    }
}

void ioa_builder_neurons(ioa_builder *builder, uint64_t seed, uint32_t first, uint32_t last, ioa_activation activation)
{
    for (uint32_t v = first; v < last; v++) {
        ioa_pcg32 rng = ioa_rng_keyed(seed, IOA_RNG_GENERATE, UINT64_MAX, v);
        builder->a.bias[v] = (float)(0.2 * ioa_pcg32_double(&rng) - 0.1);
        builder->a.activation[v] = (uint8_t)activation;
    }
}
