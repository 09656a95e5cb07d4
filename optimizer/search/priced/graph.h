/* Topology in the form the order-level search needs; shared, read-only, by all replicas of one network. */
#ifndef IOA_SEARCH_GRAPH_H
#define IOA_SEARCH_GRAPH_H

#include "core/model/network.h"
#include <stdint.h>

typedef struct ioa_graph {
    uint32_t N, W;              /* neurons, connections */
    const int64_t *indptr;      /* [N + 1] borrowed from the network */
    const uint32_t *src;        /* [W] borrowed: source of each connection */
    const uint32_t *dst;        /* [W] destination of each connection; borrowed if the network keeps them */
    uint32_t *own_dst;          /* the same if it does not */
    int64_t *base;              /* [N + 1] where a neuron's accesses start: incoming connections, then outgoing ones */
    uint8_t *flags;             /* [N] IOA_NEURON_* */
    int64_t lonely;             /* outputs without any connection: 1 read + 1 write each */
    int64_t lower;              /* LB */
} ioa_graph;

enum {
    IOA_NEURON_OUTPUT = 1,
    IOA_NEURON_SPILLS = 2,   /* computed, read again, not an output: its first absence after completion costs a write */
    IOA_NEURON_CONST_OUT = 4 /* constant output with outgoing connections: dirty at its first load */
};

/* Builds the shared topology; `network` must outlive it. 9 bytes per neuron, and 4 per connection if the network does not keep its destinations.
 * [out] *graph: owned by the caller, freed by ioa_graph_destroy.
 * IOA_ERR_INPUT for 2^31 connections or more, IOA_ERR_NOMEM. */
ioa_status ioa_graph_create(const ioa_network *network, ioa_graph **graph, ioa_error *error);
void ioa_graph_destroy(ioa_graph *graph); /* NULL is allowed */

static inline int64_t ioa_graph_incoming(const ioa_graph *g, uint32_t x) { return g->indptr[x + 1] - g->indptr[x]; }
static inline int64_t ioa_graph_degree(const ioa_graph *g, uint32_t x) { return g->base[x + 1] - g->base[x]; }

#endif
