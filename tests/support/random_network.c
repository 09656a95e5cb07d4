#include "tests/support/random_network.h"

#include "core/base/mem.h"
#include "core/model/network.h"

#include <math.h>
#include <string.h>

typedef enum role { ROLE_PLAIN, ROLE_INPUT, ROLE_CONSTANT, ROLE_ISOLATED } role;

ioa_test_dag_params ioa_test_dag_defaults(void)
{
    return (ioa_test_dag_params){.neurons = 60, .inputs = 7, .outputs = 5, .fan_in = 4, .reach = 0, .constants = 0.1,
                                 .isolated = 0.05, .scatter_inputs = true, .inner_outputs = true,
                                 .activation = IOA_TEST_MIXED_ACTIVATIONS};
}

static float uniform(ioa_pcg32 *rng)
{
    return (float)(2.0 * ioa_pcg32_double(rng) - 1.0);
}

static bool chance(ioa_pcg32 *rng, double probability)
{
    return ioa_pcg32_double(rng) < probability;
}

static void shuffle(ioa_pcg32 *rng, uint32_t *items, uint32_t count)
{
    for (uint32_t i = count; i > 1; i--) {
        uint32_t j = ioa_pcg32_below(rng, i), swapped = items[i - 1];
        items[i - 1] = items[j];
        items[j] = swapped;
    }
}

float *ioa_test_random_floats(ioa_pcg32 *rng, uint64_t count)
{
    float *values = ioa_alloc(count, sizeof *values);
    for (uint64_t i = 0; values && i < count; i++) values[i] = uniform(rng);
    return values;
}

/* Arrays of a network with room for `connections`; false if memory is out. */
static bool allocate(ioa_network_arrays *a, uint32_t neurons, uint32_t inputs, uint32_t outputs, uint64_t connections)
{
    *a = (ioa_network_arrays){.neurons = neurons, .inputs = inputs, .outputs = outputs};
    a->indptr = ioa_alloc_zero((uint64_t)neurons + 1, sizeof *a->indptr);
    a->indices = ioa_alloc(connections, sizeof *a->indices);
    a->weights = ioa_alloc(connections, sizeof *a->weights);
    a->bias = ioa_alloc_zero(neurons, sizeof *a->bias);
    a->activation = ioa_alloc_zero(neurons, sizeof *a->activation);
    a->param = ioa_alloc_zero(neurons, sizeof *a->param);
    a->input_ids = ioa_alloc(inputs, sizeof *a->input_ids);
    a->output_ids = ioa_alloc(outputs, sizeof *a->output_ids);
    return a->indptr && a->indices && a->weights && a->bias && a->activation && a->param && a->input_ids &&
           a->output_ids;
}

static ioa_network *finish(ioa_network_arrays *a)
{
    ioa_network *network = NULL;
    if (ioa_network_create(a, &network, NULL) != IOA_OK) ioa_network_arrays_free(a);
    return network;
}

static void draw_neuron(ioa_pcg32 *rng, ioa_network_arrays *a, uint32_t v, int activation)
{
    a->bias[v] = 0.5f * uniform(rng);
    a->param[v] = (float)(0.1 + ioa_pcg32_double(rng));
    a->activation[v] = (uint8_t)(activation >= 0 ? (uint32_t)activation : ioa_pcg32_below(rng, IOA_ACT_COUNT));
}

static void draw_weights(ioa_pcg32 *rng, ioa_network_arrays *a, uint32_t v)
{
    int64_t first = a->indptr[v], last = a->indptr[v + 1];
    float scale = 1.2f / sqrtf((float)(last - first));
    for (int64_t e = first; e < last; e++) a->weights[e] = scale * uniform(rng);
}

/* Gives each neuron a role and lists inputs and outputs. Outputs may be constants or isolated: both must work. */
static void draw_roles(ioa_pcg32 *rng, const ioa_test_dag_params *p, ioa_network_arrays *a, uint8_t *roles,
                       uint32_t *ids)
{
    uint32_t n = p->neurons;
    for (uint32_t v = 0; v < n; v++) ids[v] = v;
    if (p->scatter_inputs) shuffle(rng, ids, n - (p->inner_outputs ? 0 : p->outputs));
    memset(roles, ROLE_PLAIN, n);
    for (uint32_t i = 0; i < p->inputs; i++) roles[ids[i]] = ROLE_INPUT;
    memcpy(a->input_ids, ids, p->inputs * sizeof *ids);
    if (p->inner_outputs) shuffle(rng, ids + p->inputs, n - p->inputs);
    memcpy(a->output_ids, ids + n - p->outputs, p->outputs * sizeof *ids);
    shuffle(rng, a->input_ids, p->inputs);
    shuffle(rng, a->output_ids, p->outputs);
    for (uint32_t v = 0; v < n; v++)
        if (roles[v] == ROLE_PLAIN) {
            if (chance(rng, p->constants)) roles[v] = ROLE_CONSTANT;
            else if (chance(rng, p->isolated)) roles[v] = ROLE_ISOLATED;
        }
}

/* Appends the sources of v: `wanted` of the allowed ids below it, ascending, by selection sampling. */
static uint64_t draw_sources(ioa_pcg32 *rng, const ioa_test_dag_params *p, const uint8_t *roles, uint32_t v,
                             uint32_t *indices, uint64_t at)
{
    uint32_t first = p->reach && p->reach < v ? v - p->reach : 0, left = 0;
    for (uint32_t u = first; u < v; u++) left += roles[u] != ROLE_ISOLATED;
    uint32_t wanted = 1 + ioa_pcg32_below(rng, 2 * p->fan_in - 1);
    if (wanted > left) wanted = left;
    for (uint32_t u = first; u < v && wanted; u++) {
        if (roles[u] == ROLE_ISOLATED) continue;
        if (ioa_pcg32_below(rng, left--) < wanted) {
            indices[at++] = u;
            wanted--;
        }
    }
    return at;
}

ioa_network *ioa_test_random_dag(uint64_t seed, ioa_test_dag_params params)
{
    uint32_t n = params.neurons;
    ioa_pcg32 rng = ioa_rng_keyed(seed, IOA_RNG_TEST, 1, n);
    ioa_network_arrays a;
    ioa_network *network = NULL;
    uint8_t *roles = ioa_alloc(n, sizeof *roles);
    uint32_t *ids = ioa_alloc(n, sizeof *ids);
    bool ready = allocate(&a, n, params.inputs, params.outputs, (uint64_t)n * 2 * params.fan_in);
    if (ready && roles && ids && n >= params.inputs + params.outputs && params.fan_in) {
        uint64_t at = 0;
        draw_roles(&rng, &params, &a, roles, ids);
        for (uint32_t v = 0; v < n; v++) {
            if (roles[v] == ROLE_PLAIN) at = draw_sources(&rng, &params, roles, v, a.indices, at);
            a.indptr[v + 1] = (int64_t)at;
            draw_neuron(&rng, &a, v, params.activation);
            draw_weights(&rng, &a, v);
        }
        network = finish(&a);
    } else
        ioa_network_arrays_free(&a);
    ioa_free(roles);
    ioa_free(ids);
    return network;
}

ioa_network *ioa_test_random_mlp(uint64_t seed, const uint32_t *layers, uint32_t count, double density, int activation)
{
    ioa_pcg32 rng = ioa_rng_keyed(seed, IOA_RNG_TEST, 2, count);
    uint64_t neurons = layers[0], possible = 0;
    for (uint32_t l = 1; l < count; l++) {
        neurons += layers[l];
        possible += (uint64_t)layers[l - 1] * layers[l];
    }
    ioa_network_arrays a;
    bool ready = allocate(&a, (uint32_t)neurons, layers[0], layers[count - 1], possible);
    a.layers = count;
    a.layer_offsets = ioa_alloc_zero((uint64_t)count + 1, sizeof *a.layer_offsets);
    if (!ready || !a.layer_offsets) {
        ioa_network_arrays_free(&a);
        return NULL;
    }
    uint32_t v = 0, previous = 0; /* next neuron; first neuron of the layer before */
    uint64_t at = 0;
    for (uint32_t l = 0; l < count; l++) {
        uint32_t first = v;
        for (uint32_t i = 0; i < layers[l]; i++, v++) {
            for (uint32_t u = previous; l && u < first; u++)
                if (chance(&rng, density)) a.indices[at++] = u;
            a.indptr[v + 1] = (int64_t)at;
            draw_neuron(&rng, &a, v, activation);
            draw_weights(&rng, &a, v);
        }
        previous = first;
        a.layer_offsets[l + 1] = v;
    }
    for (uint32_t i = 0; i < a.inputs; i++) a.input_ids[i] = i;
    for (uint32_t i = 0; i < a.outputs; i++) a.output_ids[i] = a.neurons - a.outputs + i;
    return finish(&a);
}

uint32_t *ioa_test_random_order(const ioa_network *network, ioa_pcg32 *rng)
{
    const ioa_network_arrays *view = ioa_network_view(network);
    uint64_t w = ioa_network_connections(network), n = view->neurons, ready = 0;
    uint32_t *order = ioa_alloc(w, sizeof *order);
    uint32_t *pool = ioa_alloc(w, sizeof *pool), *edges = ioa_alloc(w, sizeof *edges);
    uint32_t *destinations = ioa_alloc(w, sizeof *destinations), *missing = ioa_alloc(n, sizeof *missing);
    int64_t *outgoing = ioa_alloc(n + 1, sizeof *outgoing);
    if (!order || !pool || !edges || !destinations || !missing || !outgoing) {
        ioa_free(order);
        order = NULL;
        goto out;
    }
    ioa_network_outgoing(network, outgoing, edges, NULL);
    ioa_network_destinations(network, destinations);
    for (uint64_t v = 0; v < n; v++) {
        missing[v] = (uint32_t)(view->indptr[v + 1] - view->indptr[v]);
        for (int64_t i = outgoing[v]; !missing[v] && i < outgoing[v + 1]; i++) pool[ready++] = edges[i];
    }
    for (uint64_t t = 0; t < w; t++) { /* the pool never runs dry in a DAG */
        uint32_t at = ioa_pcg32_below(rng, (uint32_t)ready), v = destinations[pool[at]];
        order[t] = pool[at];
        pool[at] = pool[--ready];
        if (--missing[v] == 0)
            for (int64_t i = outgoing[v]; i < outgoing[v + 1]; i++) pool[ready++] = edges[i];
    }
out:
    ioa_free(pool);
    ioa_free(edges);
    ioa_free(destinations);
    ioa_free(missing);
    ioa_free(outgoing);
    return order;
}
