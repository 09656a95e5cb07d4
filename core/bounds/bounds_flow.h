/* Maximum flow through vertices with capacities, for the wavefront bound. */
#ifndef IOA_CORE_BOUNDS_FLOW_H
#define IOA_CORE_BOUNDS_FLOW_H

#include <ioanneal/status.h>
#include <stdint.h>

/* A graph of vertices 0 .. vertices - 1. Every unit of flow enters at one of the first `starts` vertices, leaves at
 * one of the last `ends`, and a vertex lets capacity[v] units through. */
typedef struct ioa_flow_graph {
    uint32_t vertices, starts, ends;
    const uint8_t *capacity; /* [vertices] */
    const uint64_t *offsets; /* [vertices + 1] connections into a vertex, in `sources` */
    const uint32_t *sources; /* [offsets[vertices]] */
} ioa_flow_graph;

/* A flow that respects all capacities; the largest one, unless `*work` (steps still allowed, counted down) runs out
 * first. By duality no set of vertices that meets every path from start to end has less capacity than this. */
ioa_status ioa_flow_vertices(const ioa_flow_graph *graph, uint64_t *work, uint64_t *flow, ioa_error *error);

#endif
