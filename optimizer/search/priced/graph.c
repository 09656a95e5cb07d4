#include "optimizer/search/priced/graph.h"

#include "core/base/mem.h"

void ioa_graph_destroy(ioa_graph *g)
{
    if (!g) return;
    ioa_free(g->own_dst);
    ioa_free(g->base);
    ioa_free(g->flags);
    ioa_free(g);
}

static void fill(ioa_graph *g, const ioa_network *network)
{
    for (uint32_t e = 0; e < g->W; e++) g->base[g->src[e] + 1]++;
    for (uint32_t i = 0; i < network->a.outputs; i++) g->flags[network->a.output_ids[i]] |= IOA_NEURON_OUTPUT;
    for (uint32_t v = 0; v < g->N; v++) {
        const int64_t in = ioa_graph_incoming(g, v), out = g->base[v + 1];
        const int is_output = g->flags[v] & IOA_NEURON_OUTPUT;
        if (in > 0 && out > 0 && !is_output) g->flags[v] |= IOA_NEURON_SPILLS;
        if (in == 0 && out > 0 && is_output) g->flags[v] |= IOA_NEURON_CONST_OUT;
        g->base[v + 1] = g->base[v] + in + out;
    }
    g->lonely = (int64_t)network->bounds.lone_outputs;
    g->lower = (int64_t)network->bounds.lower;
}

ioa_status ioa_graph_create(const ioa_network *network, ioa_graph **graph, ioa_error *error)
{
    if (network->connections >= INT32_MAX)
        return ioa_fail(error, IOA_ERR_INPUT, "order search: 2^31 connections or more are not supported");
    ioa_graph *g = ioa_alloc_zero(1, sizeof *g);
    if (!g) return ioa_fail_nomem(error, "search graph", 1, sizeof *g);
    g->N = network->a.neurons;
    g->W = (uint32_t)network->connections;
    g->indptr = network->a.indptr;
    g->src = network->a.indices;
    g->dst = ioa_network_borrow_destinations(network, &g->own_dst);
    g->base = ioa_alloc_zero((uint64_t)g->N + 1, sizeof *g->base);
    g->flags = ioa_alloc_zero(g->N, 1);
    if (!g->dst || !g->base || !g->flags) {
        ioa_graph_destroy(g);
        return ioa_fail_nomem(error, "search graph", network->connections, sizeof *g->dst);
    }
    fill(g, network);
    *graph = g;
    return IOA_OK;
}
