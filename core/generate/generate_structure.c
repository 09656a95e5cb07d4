/* Networks with hidden structure, DAGs with skips, and what hides a structure: a permutation. */
#include "core/generate/generate.h"

#include "core/base/mem.h"
#include "core/generate/generate_builder.h"
#include "core/model/network.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

ioa_status ioa_generate_community(uint32_t width, uint32_t layers, uint32_t communities, double inside, double outside,
                                  const ioa_generate_common *common, ioa_network **network, ioa_error *error)
{
    if (width == 0 || layers < 2 || communities == 0 || communities > width || (uint64_t)width * layers > INT32_MAX)
        return ioa_fail(error, IOA_ERR_INPUT, "communities need layers >= 2 and 1 <= communities <= width");
    if (!(inside > 0.0 && inside <= 1.0 && outside >= 0.0 && outside <= 1.0))
        return ioa_fail(error, IOA_ERR_INPUT, "densities %g and %g are not in (0, 1] and [0, 1]", inside, outside);
    double share = 1.0 / communities, fan_in = width * (inside * share + outside * (1.0 - share));
    double expected = fan_in * width * (layers - 1.0);
    if (expected > 4.2e9) return ioa_fail(error, IOA_ERR_INPUT, "about %.3g connections are too many", expected);
    ioa_builder b;
    uint64_t room = (uint64_t)(expected + 6.0 * sqrt(expected));
    ioa_status status = ioa_builder_start(&b, width * layers, width, width, layers, room, error);
    if (status != IOA_OK) return status;
    for (uint32_t i = 0; i < width; i++) {
        b.a.input_ids[i] = i;
        b.a.output_ids[i] = width * (layers - 1) + i;
        ioa_builder_end_row(&b);
    }
    bool complete = true;
    for (uint32_t l = 0; l <= layers; l++) b.a.layer_offsets[l] = (int64_t)width * l;
    for (uint32_t l = 1; complete && l < layers; l++) {
        uint64_t first = (uint64_t)width * (l - 1);
        for (uint32_t i = 0; complete && i < width; i++) {
            uint64_t group = (uint64_t)i * communities / width;
            uint64_t low = first + (group * width + communities - 1) / communities;
            uint64_t high = first + ((group + 1) * width + communities - 1) / communities;
            ioa_pcg32 rng = ioa_rng_keyed(common->seed, IOA_RNG_GENERATE, l, i);
            complete = ioa_builder_random_cells(&b, first, low, outside, fan_in, &rng) &&
                       ioa_builder_random_cells(&b, low, high, inside, fan_in, &rng) &&
                       ioa_builder_random_cells(&b, high, first + width, outside, fan_in, &rng);
            ioa_builder_end_row(&b);
        }
        ioa_builder_neurons(&b, common->seed, width * l, width * (l + 1), l + 1 < layers ? common->hidden : common->last);
    }
    return ioa_builder_finish(&b, complete, network, error);
}

static int ascending(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

ioa_status ioa_generate_dag(uint32_t inputs, uint32_t neurons, uint32_t outputs, uint32_t fan_in, uint32_t reach,
                            const ioa_generate_common *common, ioa_network **network, ioa_error *error)
{
    if (inputs == 0 || outputs == 0 || outputs > neurons || fan_in == 0 || (uint64_t)inputs + neurons > INT32_MAX)
        return ioa_fail(error, IOA_ERR_INPUT, "a DAG needs inputs, fan-in and outputs >= 1, and outputs <= neurons");
    if ((uint64_t)fan_in * neurons > UINT32_MAX)
        return ioa_fail(error, IOA_ERR_INPUT, "%" PRIu64 " connections are too many", (uint64_t)fan_in * neurons);
    uint32_t total = inputs + neurons;
    ioa_builder b;
    ioa_status status = ioa_builder_start(&b, total, inputs, outputs, 0, (uint64_t)fan_in * neurons, error);
    if (status != IOA_OK) return status;
    for (uint32_t i = 0; i < inputs; i++) {
        b.a.input_ids[i] = i;
        ioa_builder_end_row(&b);
    }
    for (uint32_t i = 0; i < outputs; i++) b.a.output_ids[i] = total - outputs + i;
    uint32_t *drawn = ioa_alloc(fan_in, sizeof *drawn);
    bool complete = drawn != NULL;
    for (uint32_t v = inputs; complete && v < total; v++) {
        uint32_t span = reach && reach < v ? reach : v, wanted = fan_in < span ? fan_in : span;
        ioa_pcg32 rng = ioa_rng_keyed(common->seed, IOA_RNG_GENERATE, 1, v);
        for (uint32_t i = 0; i < wanted; i++) drawn[i] = v - span + ioa_pcg32_below(&rng, span);
        qsort(drawn, wanted, sizeof *drawn, ascending);
        for (uint32_t i = 0; complete && i < wanted; i++) /* what was drawn twice counts once */
            if (i == 0 || drawn[i] != drawn[i - 1])
                complete = ioa_builder_add(&b, drawn[i], ioa_builder_weight(&rng, wanted));
        ioa_builder_end_row(&b);
    }
    if (complete) {
        ioa_builder_neurons(&b, common->seed, inputs, total - outputs, common->hidden);
        ioa_builder_neurons(&b, common->seed, total - outputs, total, common->last);
    }
    ioa_free(drawn);
    return ioa_builder_finish(&b, complete, network, error);
}

/* ---- permutation ---- */

typedef struct link {
    uint32_t source;
    float weight;
} link;

static int by_source(const void *left, const void *right)
{
    uint32_t a = ((const link *)left)->source, b = ((const link *)right)->source;
    return (a > b) - (a < b);
}

/* place[v] = new id of v: shuffled within each layer, or, without layers, unchanged. */
static void shuffle(const ioa_network_arrays *a, uint64_t seed, uint32_t *place)
{
    for (uint32_t v = 0; v < a->neurons; v++) place[v] = v;
    for (uint32_t l = 0; l < a->layers; l++) {
        ioa_pcg32 rng = ioa_rng_keyed(seed, IOA_RNG_GENERATE, UINT64_MAX - 1, l);
        uint32_t first = (uint32_t)a->layer_offsets[l], count = (uint32_t)(a->layer_offsets[l + 1] - a->layer_offsets[l]);
        for (uint32_t i = count; i > 1; i--) {
            uint32_t j = ioa_pcg32_below(&rng, i), kept = place[first + i - 1];
            place[first + i - 1] = place[first + j];
            place[first + j] = kept;
        }
    }
}

static bool permute_rows(const ioa_network_arrays *from, const uint32_t *place, const uint32_t *origin, link *row,
                         ioa_builder *b)
{
    for (uint32_t v = 0; v < from->neurons; v++) {
        uint32_t old = origin[v];
        uint64_t length = 0;
        for (int64_t e = from->indptr[old]; e < from->indptr[old + 1]; e++)
            row[length++] = (link){place[from->indices[e]], from->weights[e]};
        qsort(row, length, sizeof *row, by_source);
        for (uint64_t i = 0; i < length; i++)
            if (!ioa_builder_add(b, row[i].source, row[i].weight)) return false;
        ioa_builder_end_row(b);
        b->a.bias[v] = from->bias[old];
        b->a.activation[v] = from->activation[old];
    }
    return true;
}

ioa_status ioa_network_permute(const ioa_network *network, uint64_t seed, ioa_network **permuted, ioa_error *error)
{
    const ioa_network_arrays *a = &network->a;
    if (a->param) return ioa_fail(error, IOA_ERR_INPUT, "networks with activation parameters cannot be permuted");
    ioa_builder b;
    ioa_status status =
        ioa_builder_start(&b, a->neurons, a->inputs, a->outputs, a->layers, network->connections, error);
    if (status != IOA_OK) return status;
    uint64_t widest = 1;
    for (uint32_t v = 0; v < a->neurons; v++)
        if ((uint64_t)(a->indptr[v + 1] - a->indptr[v]) > widest) widest = (uint64_t)(a->indptr[v + 1] - a->indptr[v]);
    uint32_t *place = ioa_alloc(a->neurons, sizeof *place), *origin = ioa_alloc(a->neurons, sizeof *origin);
    link *row = ioa_alloc(widest, sizeof *row);
    bool complete = place && origin && row;
    if (complete) {
        shuffle(a, seed, place);
        for (uint32_t v = 0; v < a->neurons; v++) origin[place[v]] = v;
        for (uint32_t i = 0; i < a->inputs; i++) b.a.input_ids[i] = place[a->input_ids[i]];
        for (uint32_t i = 0; i < a->outputs; i++) b.a.output_ids[i] = place[a->output_ids[i]];
        if (a->layers) memcpy(b.a.layer_offsets, a->layer_offsets, ((size_t)a->layers + 1) * sizeof *a->layer_offsets);
        complete = permute_rows(a, place, origin, row, &b);
    }
    ioa_free(place);
    ioa_free(origin);
    ioa_free(row);
    return ioa_builder_finish(&b, complete, permuted, error);
}

ioa_status ioa_network_parametrize(const ioa_network *network, float hidden, float last, ioa_network **made,
                                   ioa_error *error)
{
    ioa_network_arrays a = network->a; /* borrowed, but for the parameters */
    a.param = ioa_alloc_zero(a.neurons, sizeof *a.param);
    if (!a.param) return ioa_fail_nomem(error, "activation parameters", a.neurons, sizeof *a.param);
    for (uint32_t v = 0; v < a.neurons; v++)
        if (ioa_activation_takes_param(a.activation[v])) a.param[v] = network->is_output[v] ? last : hidden;
    ioa_status status = ioa_network_create_copy(&a, made, error);
    ioa_free(a.param);
    return status;
}
