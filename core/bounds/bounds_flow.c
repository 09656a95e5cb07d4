/* Dinic's algorithm on the graph in which every vertex is split into an entrance and an exit. */
#include "core/bounds/bounds_flow.h"

#include "core/base/mem.h"

#include <stdbool.h>
#include <string.h>

#define UNLIMITED UINT32_MAX
#define SOURCE 0u
#define SINK 1u

typedef struct residual {
    uint32_t nodes;     /* 2 + 2 vertices: source, sink, entrances and exits in turn */
    uint64_t arcs;      /* arc a and its reverse a ^ 1 */
    uint64_t *first;    /* [nodes + 1] into `leaving` */
    uint32_t *leaving;  /* [arcs] arcs by the node they leave */
    uint32_t *to, *left; /* [arcs] end and remaining capacity */
    uint32_t *depth, *path, *queue; /* [nodes] */
    uint64_t *cursor;   /* [nodes] */
} residual;

static uint32_t entrance(uint32_t v)
{
    return 2 + 2 * v;
}

static uint32_t exit_of(uint32_t v)
{
    return 3 + 2 * v;
}

static void add_arc(residual *r, uint32_t from, uint32_t to, uint32_t capacity)
{
    r->to[r->arcs] = to;
    r->left[r->arcs++] = capacity;
    r->to[r->arcs] = from;
    r->left[r->arcs++] = 0;
}

static bool build(residual *r, const ioa_flow_graph *g)
{
    uint64_t connections = g->offsets[g->vertices], arcs = 2 * (connections + g->vertices + g->starts + g->ends);
    r->nodes = 2 + 2 * g->vertices;
    r->first = ioa_alloc_zero((uint64_t)r->nodes + 1, sizeof *r->first);
    r->leaving = ioa_alloc(arcs, sizeof *r->leaving);
    r->to = ioa_alloc(arcs, sizeof *r->to);
    r->left = ioa_alloc(arcs, sizeof *r->left);
    r->depth = ioa_alloc(r->nodes, sizeof *r->depth);
    r->path = ioa_alloc(r->nodes, sizeof *r->path);
    r->queue = ioa_alloc(r->nodes, sizeof *r->queue);
    r->cursor = ioa_alloc(r->nodes, sizeof *r->cursor);
    if (!r->first || !r->leaving || !r->to || !r->left || !r->depth || !r->path || !r->queue || !r->cursor)
        return false;
    for (uint32_t v = 0; v < g->vertices; v++) {
        add_arc(r, entrance(v), exit_of(v), g->capacity[v]);
        if (v < g->starts) add_arc(r, SOURCE, entrance(v), g->capacity[v]);
        if (v >= g->vertices - g->ends) add_arc(r, exit_of(v), SINK, g->capacity[v]);
        for (uint64_t e = g->offsets[v]; e < g->offsets[v + 1]; e++)
            add_arc(r, exit_of(g->sources[e]), entrance(v), UNLIMITED);
    }
    for (uint64_t a = 0; a < r->arcs; a++) r->first[r->to[a ^ 1] + 1]++;
    for (uint32_t n = 0; n < r->nodes; n++) r->first[n + 1] += r->first[n];
    memcpy(r->cursor, r->first, r->nodes * sizeof *r->cursor);
    for (uint64_t a = 0; a < r->arcs; a++) r->leaving[r->cursor[r->to[a ^ 1]]++] = (uint32_t)a;
    return true;
}

static bool spend(uint64_t *work, uint64_t steps)
{
    *work -= steps < *work ? steps : *work;
    return *work > 0;
}

/* Breadth-first depths from the source; false if the sink is out of reach or the work runs out. */
static bool find_depths(residual *r, uint64_t *work)
{
    memset(r->depth, 0xff, r->nodes * sizeof *r->depth);
    uint32_t filled = 0;
    r->queue[filled++] = SOURCE;
    r->depth[SOURCE] = 0;
    for (uint32_t at = 0; at < filled; at++) {
        uint32_t node = r->queue[at];
        if (!spend(work, r->first[node + 1] - r->first[node] + 1)) return false;
        for (uint64_t i = r->first[node]; i < r->first[node + 1]; i++) {
            uint32_t arc = r->leaving[i], next = r->to[arc];
            if (!r->left[arc] || r->depth[next] != UINT32_MAX) continue;
            r->depth[next] = r->depth[node] + 1;
            r->queue[filled++] = next;
        }
    }
    return r->depth[SINK] != UINT32_MAX;
}

/* Sends what fits along the path of `length` arcs. */
static uint32_t push(residual *r, uint32_t length)
{
    uint32_t amount = UNLIMITED;
    for (uint32_t i = 0; i < length; i++)
        if (r->left[r->path[i]] < amount) amount = r->left[r->path[i]];
    for (uint32_t i = 0; i < length; i++) {
        uint32_t arc = r->path[i];
        if (r->left[arc] != UNLIMITED) r->left[arc] -= amount;
        if (r->left[arc ^ 1] != UNLIMITED) r->left[arc ^ 1] += amount;
    }
    return amount;
}

/* All shortest augmenting paths of one set of depths; 0 once the work has run out. */
static uint64_t augment(residual *r, uint64_t *work)
{
    uint64_t sent = 0;
    uint32_t length = 0, node = SOURCE;
    memcpy(r->cursor, r->first, r->nodes * sizeof *r->cursor);
    while (spend(work, 1)) {
        if (node == SINK) {
            sent += push(r, length);
            length = 0;
            node = SOURCE;
            continue;
        }
        if (r->cursor[node] < r->first[node + 1]) {
            uint32_t arc = r->leaving[r->cursor[node]], next = r->to[arc];
            if (r->left[arc] && r->depth[next] == r->depth[node] + 1) {
                r->path[length++] = arc;
                node = next;
            } else
                r->cursor[node]++;
            continue;
        }
        if (node == SOURCE) break;
        node = r->to[r->path[--length] ^ 1]; /* a dead end: back, and past it */
        r->cursor[node]++;
    }
    return sent;
}

ioa_status ioa_flow_vertices(const ioa_flow_graph *graph, uint64_t *work, uint64_t *flow, ioa_error *error)
{
    residual r = {0};
    ioa_status status = IOA_OK;
    if (build(&r, graph)) {
        uint64_t total = 0;
        spend(work, r.arcs);
        while (find_depths(&r, work)) total += augment(&r, work);
        *flow = total;
    } else
        status = ioa_fail_nomem(error, "the flow of the wavefront bound", graph->offsets[graph->vertices], 32);
    void *const arrays[] = {r.first, r.leaving, r.to, r.left, r.depth, r.path, r.queue, r.cursor};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) ioa_free(arrays[i]);
    return status;
}
