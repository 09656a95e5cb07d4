#include "core/model/network.h"

#include "core/base/mem.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

void ioa_network_arrays_free(ioa_network_arrays *arrays)
{
    ioa_free(arrays->indptr);
    ioa_free(arrays->indices);
    ioa_free(arrays->weights);
    ioa_free(arrays->bias);
    ioa_free(arrays->activation);
    ioa_free(arrays->param);
    ioa_free(arrays->input_ids);
    ioa_free(arrays->output_ids);
    ioa_free(arrays->layer_offsets);
    ioa_free(arrays->name);
    memset(arrays, 0, sizeof *arrays);
}

static ioa_status check_rows(const ioa_network_arrays *a, ioa_error *error)
{
    if (a->neurons == 0) return ioa_fail(error, IOA_ERR_INPUT, "the network has no neurons");
    if (a->indptr[0] != 0) return ioa_fail(error, IOA_ERR_INPUT, "connections/indptr does not start at 0");
    if (a->indptr[a->neurons] < 0 || a->indptr[a->neurons] > (int64_t)UINT32_MAX)
        return ioa_fail(error, IOA_ERR_INPUT, "connections/indptr ends at %" PRId64 ": more than 2^32 - 1 connections",
                        a->indptr[a->neurons]);
    /* The whole of indptr first: only then is it safe to follow any of its offsets. */
    for (uint32_t v = 0; v < a->neurons; v++)
        if (a->indptr[v + 1] < a->indptr[v] || a->indptr[v + 1] > a->indptr[a->neurons])
            return ioa_fail(error, IOA_ERR_INPUT, "connections/indptr decreases at row %" PRIu32, v);
    for (uint32_t v = 0; v < a->neurons; v++)
        for (int64_t e = a->indptr[v]; e < a->indptr[v + 1]; e++) {
            uint32_t u = a->indices[e];
            if (u >= v)
                return ioa_fail(error, IOA_ERR_INPUT,
                                "connections/indices: connection %" PRId64 " goes from neuron %" PRIu32
                                " to neuron %" PRIu32 "; ids must rise along every connection (no cycles)",
                                e, u, v);
            if (e > a->indptr[v] && u <= a->indices[e - 1])
                return ioa_fail(error, IOA_ERR_INPUT,
                                "connections/indices: the sources of neuron %" PRIu32
                                " are not strictly ascending at connection %" PRId64,
                                v, e);
        }
    return IOA_OK;
}

static ioa_status check_values(const ioa_network_arrays *a, ioa_error *error)
{
    for (int64_t e = 0; e < a->indptr[a->neurons]; e++)
        if (!isfinite(a->weights[e]))
            return ioa_fail(error, IOA_ERR_INPUT, "connections/data: weight %" PRId64 " is not finite", e);
    for (uint32_t v = 0; v < a->neurons; v++) {
        if (!isfinite(a->bias[v]))
            return ioa_fail(error, IOA_ERR_INPUT, "neurons/bias: the bias of neuron %" PRIu32 " is not finite", v);
        if (a->activation[v] >= IOA_ACT_COUNT)
            return ioa_fail(error, IOA_ERR_INPUT, "neurons/activation: neuron %" PRIu32 " has unknown activation %u",
                            v, (unsigned)a->activation[v]);
        if (a->param && !isfinite(a->param[v]))
            return ioa_fail(error, IOA_ERR_INPUT,
                            "neurons/activation_param: the parameter of neuron %" PRIu32 " is not finite", v);
    }
    return IOA_OK;
}

static ioa_status mark(const ioa_network_arrays *a, const uint32_t *ids, uint32_t count, const char *what, bool *marks,
                       ioa_error *error)
{
    if (count == 0) return ioa_fail(error, IOA_ERR_INPUT, "neurons/%s is empty", what);
    for (uint32_t i = 0; i < count; i++) {
        if (ids[i] >= a->neurons)
            return ioa_fail(error, IOA_ERR_INPUT, "neurons/%s: id %" PRIu32 " is not below %" PRIu32, what, ids[i],
                            a->neurons);
        if (marks[ids[i]])
            return ioa_fail(error, IOA_ERR_INPUT, "neurons/%s lists neuron %" PRIu32 " twice", what, ids[i]);
        marks[ids[i]] = true;
    }
    return IOA_OK;
}

static ioa_status check_ends(const ioa_network *n, ioa_error *error)
{
    const ioa_network_arrays *a = &n->a;
    for (uint32_t i = 0; i < a->inputs; i++) {
        uint32_t v = a->input_ids[i];
        if (n->is_output[v])
            return ioa_fail(error, IOA_ERR_INPUT, "neuron %" PRIu32 " is an input and an output", v);
        if (a->indptr[v + 1] > a->indptr[v])
            return ioa_fail(error, IOA_ERR_INPUT, "input neuron %" PRIu32 " has incoming connections", v);
    }
    if (a->layers == 0) return IOA_OK;
    if (a->layer_offsets[0] != 0 || a->layer_offsets[a->layers] != (int64_t)a->neurons)
        return ioa_fail(error, IOA_ERR_INPUT, "layers/offsets does not run from 0 to %" PRIu32, a->neurons);
    for (uint32_t l = 0; l < a->layers; l++)
        if (a->layer_offsets[l + 1] < a->layer_offsets[l])
            return ioa_fail(error, IOA_ERR_INPUT, "layers/offsets decreases at layer %" PRIu32, l);
    return IOA_OK;
}

/* LB: every weight, every active neuron and every output must move at least once. UB: the layered order reads each
 * weight and at most one source per connection, and reads and writes each destination once; neurons that are no
 * destination of anything are covered by the per-connection term (the paper, theorem 1). */
static ioa_bounds count_bounds(const ioa_network *n, const bool *is_source)
{
    const ioa_network_arrays *a = &n->a;
    ioa_bounds b = {0};
    for (uint32_t v = 0; v < a->neurons; v++) {
        bool in = a->indptr[v + 1] > a->indptr[v], out = is_source[v];
        b.active_neurons += in || out || n->is_output[v];
        b.active_inputs += !in && out && !n->is_output[v];
        b.lone_outputs += !in && !out && n->is_output[v];
    }
    b.lower = n->connections + b.active_neurons + a->outputs;
    b.upper = 2 * (n->connections + b.active_neurons - b.active_inputs);
    return b;
}

/* Checks n->a and fills in what follows from it; n->is_input and n->is_output are cleared. */
static ioa_status complete(ioa_network *n, ioa_error *error)
{
    const ioa_network_arrays *a = &n->a;
    bool *is_source = ioa_alloc_zero(a->neurons, sizeof *is_source);
    if (!is_source) return ioa_fail_nomem(error, "the network", a->neurons, sizeof *is_source);
    n->connections = (uint64_t)a->indptr[a->neurons];
    ioa_status status = mark(a, a->input_ids, a->inputs, "inputs", n->is_input, error);
    if (status == IOA_OK) status = mark(a, a->output_ids, a->outputs, "outputs", n->is_output, error);
    if (status == IOA_OK) status = check_ends(n, error);
    if (status == IOA_OK) {
        for (uint64_t e = 0; e < n->connections; e++) is_source[a->indices[e]] = true;
        n->bounds = count_bounds(n, is_source);
    }
    ioa_free(is_source);
    return status;
}

static void release(ioa_network *n)
{
    ioa_free(n->is_input);
    ioa_free(n->is_output);
    ioa_free(n->destinations);
    ioa_free(n);
}

ioa_status ioa_network_create(ioa_network_arrays *arrays, ioa_network **network, ioa_error *error)
{
    ioa_status status = check_rows(arrays, error);
    if (status == IOA_OK) status = check_values(arrays, error);
    if (status != IOA_OK) return status;
    ioa_network *n = ioa_alloc_zero(1, sizeof *n);
    if (!n) return ioa_fail_nomem(error, "the network", 1, sizeof *n);
    n->a = *arrays;
    n->is_input = ioa_alloc_zero(arrays->neurons, sizeof *n->is_input);
    n->is_output = ioa_alloc_zero(arrays->neurons, sizeof *n->is_output);
    status = n->is_input && n->is_output ? complete(n, error)
                                         : ioa_fail_nomem(error, "the network", arrays->neurons, sizeof *n->is_input);
    if (status == IOA_OK) {
        memset(arrays, 0, sizeof *arrays); /* they are ours now */
        *network = n;
    } else
        release(n); /* the arrays stay the caller's */
    return status;
}

ioa_status ioa_network_map(const ioa_network_memory *memory, ioa_bounds bounds, ioa_network **network, ioa_error *error)
{
    ioa_network *n = ioa_alloc(1, sizeof *n);
    if (!n) return ioa_fail_nomem(error, "the network", 1, sizeof *n);
    *n = (ioa_network){.a = memory->a, .connections = (uint64_t)memory->a.indptr[memory->a.neurons],
                       .is_input = memory->is_input, .is_output = memory->is_output,
                       .destinations = memory->destinations, .bounds = bounds, .borrowed = true};
    *network = n;
    return IOA_OK;
}

ioa_status ioa_network_create_in(const ioa_network_memory *memory, ioa_network **network, ioa_error *error)
{
    ioa_status status = check_rows(&memory->a, error);
    if (status == IOA_OK) status = check_values(&memory->a, error);
    if (status != IOA_OK) return status;
    ioa_network *n = NULL;
    status = ioa_network_map(memory, (ioa_bounds){0}, &n, error);
    if (status != IOA_OK) return status;
    memset(n->is_input, 0, n->a.neurons * sizeof *n->is_input);
    memset(n->is_output, 0, n->a.neurons * sizeof *n->is_output);
    status = complete(n, error);
    if (status == IOA_OK) {
        ioa_network_destinations(n, n->destinations);
        *network = n;
    } else
        ioa_network_destroy(n);
    return status;
}

ioa_status ioa_network_create_copy(const ioa_network_arrays *arrays, ioa_network **network, ioa_error *error)
{
    ioa_status status = check_rows(arrays, error); /* before indptr[N] is believed */
    if (status != IOA_OK) return status;
    uint64_t n = arrays->neurons, w = (uint64_t)arrays->indptr[n];
    ioa_network_arrays copy = *arrays;
    copy.indptr = ioa_alloc_copy(arrays->indptr, n + 1, sizeof *copy.indptr);
    copy.indices = ioa_alloc_copy(arrays->indices, w, sizeof *copy.indices);
    copy.weights = ioa_alloc_copy(arrays->weights, w, sizeof *copy.weights);
    copy.bias = ioa_alloc_copy(arrays->bias, n, sizeof *copy.bias);
    copy.activation = ioa_alloc_copy(arrays->activation, n, sizeof *copy.activation);
    copy.param = ioa_alloc_copy(arrays->param, n, sizeof *copy.param);
    copy.input_ids = ioa_alloc_copy(arrays->input_ids, arrays->inputs, sizeof *copy.input_ids);
    copy.output_ids = ioa_alloc_copy(arrays->output_ids, arrays->outputs, sizeof *copy.output_ids);
    copy.layer_offsets =
        arrays->layers ? ioa_alloc_copy(arrays->layer_offsets, (uint64_t)arrays->layers + 1, sizeof(int64_t)) : NULL;
    copy.name = ioa_alloc_copy(arrays->name, arrays->name ? strlen(arrays->name) + 1 : 0, 1);
    bool complete = copy.indptr && copy.indices && copy.weights && copy.bias && copy.activation && copy.input_ids &&
                    copy.output_ids && !copy.param == !arrays->param && !copy.name == !arrays->name &&
                    (!arrays->layers || copy.layer_offsets);
    status = complete ? ioa_network_create(&copy, network, error)
                      : ioa_fail_nomem(error, "a copy of the network", w, sizeof *copy.indices + sizeof *copy.weights);
    if (status != IOA_OK) ioa_network_arrays_free(&copy);
    return status;
}

void ioa_network_destroy(ioa_network *network)
{
    if (!network) return;
    if (network->borrowed) {
        ioa_free(network);
        return;
    }
    ioa_network_arrays_free(&network->a);
    release(network);
}

const ioa_network_arrays *ioa_network_view(const ioa_network *network)
{
    return &network->a;
}

uint64_t ioa_network_connections(const ioa_network *network)
{
    return network->connections;
}

ioa_bounds ioa_network_bounds(const ioa_network *network)
{
    return network->bounds;
}

void ioa_network_destinations(const ioa_network *network, uint32_t *destinations)
{
    const ioa_network_arrays *a = &network->a;
    for (uint32_t v = 0; v < a->neurons; v++)
        for (int64_t e = a->indptr[v]; e < a->indptr[v + 1]; e++) destinations[e] = v;
}

ioa_status ioa_network_keep_destinations(ioa_network *network, ioa_error *error)
{
    if (network->destinations) return IOA_OK;
    uint32_t *destinations = ioa_alloc(network->connections, sizeof *destinations);
    if (!destinations) return ioa_fail_nomem(error, "the destinations", network->connections, sizeof *destinations);
    ioa_network_destinations(network, destinations);
    network->destinations = destinations;
    return IOA_OK;
}

const uint32_t *ioa_network_borrow_destinations(const ioa_network *network, uint32_t **owned)
{
    *owned = NULL;
    if (network->destinations) return network->destinations;
    *owned = ioa_alloc(network->connections, sizeof **owned);
    if (*owned) ioa_network_destinations(network, *owned);
    return *owned;
}

void ioa_network_outgoing(const ioa_network *network, int64_t *offsets, uint32_t *edges, uint32_t *destinations)
{
    const ioa_network_arrays *a = &network->a;
    memset(offsets, 0, ((size_t)a->neurons + 1) * sizeof *offsets);
    for (uint64_t e = 0; e < network->connections; e++) offsets[a->indices[e] + 1]++;
    for (uint32_t v = 0; v < a->neurons; v++) offsets[v + 1] += offsets[v];
    /* offsets[u] serves as the cursor of u and ends at the start of u + 1; shifting back restores it. */
    for (uint32_t v = 0; v < a->neurons; v++)
        for (int64_t e = a->indptr[v]; e < a->indptr[v + 1]; e++) {
            int64_t at = offsets[a->indices[e]]++;
            if (edges) edges[at] = (uint32_t)e;
            if (destinations) destinations[at] = v;
        }
    memmove(offsets + 1, offsets, (size_t)a->neurons * sizeof *offsets);
    offsets[0] = 0;
}
