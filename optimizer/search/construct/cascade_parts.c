#include "optimizer/search/construct/cascade_parts.h"

#include "core/base/mem.h"
#include "core/model/depth.h"

#define LONGEST 64 /* depths of a pass: the work of finding it grows with them */
#define NONE UINT32_MAX

typedef struct parts {
    const ioa_network_arrays *a;
    uint32_t *begin, *neuron;  /* [depths + 1], [N] neurons by depth, ascending within one */
    uint32_t *parent, *joined; /* [N] a tree of each component; the joining in which it was made */
    uint32_t joining;          /* others are forgotten */
    uint32_t *count;           /* [N] of a root; zero between uses */
    uint32_t *number;          /* [N] part of a root */
} parts;

static uint32_t root(parts *p, uint32_t v)
{
    if (p->joined[v] != p->joining) {
        p->joined[v] = p->joining;
        p->parent[v] = v;
    }
    while (p->parent[v] != v) v = p->parent[v] = p->parent[p->parent[v]];
    return v;
}

static void join(parts *p, uint32_t depth)
{
    for (uint32_t i = p->begin[depth]; i < p->begin[depth + 1]; i++) {
        uint32_t v = p->neuron[i];
        for (int64_t e = p->a->indptr[v]; e < p->a->indptr[v + 1]; e++) {
            uint32_t x = root(p, v), y = root(p, p->a->indices[e]);
            if (x < y) p->parent[y] = x;
            else p->parent[x] = y;
        }
    }
}

/* Has no component more than `most` neurons at a depth? */
static bool fits(parts *p, uint32_t depth, uint32_t most)
{
    bool all = true;
    for (uint32_t i = p->begin[depth]; i < p->begin[depth + 1]; i++) all &= ++p->count[root(p, p->neuron[i])] <= most;
    for (uint32_t i = p->begin[depth]; i < p->begin[depth + 1]; i++) p->count[root(p, p->neuron[i])] = 0;
    return all;
}

/* The last depth of the pass that begins with `first`; its components are joined. */
static uint32_t join_pass(parts *p, uint32_t first, uint32_t deepest, uint32_t most)
{
    uint32_t last = first;
    p->joining++;
    for (join(p, first); last < deepest && last - first + 1 < LONGEST; last++) {
        bool all = true;
        join(p, last + 1);
        for (uint32_t d = first; d <= last && all; d++) all = fits(p, d, most);
        if (all) continue;
        p->joining++; /* without the depth that was too much */
        for (uint32_t d = first; d <= last; d++) join(p, d);
        break;
    }
    return last;
}

/* Returns the number of the next part. `*largest`: neurons of the largest one. */
static uint32_t number_parts(parts *p, uint32_t first, uint32_t last, uint32_t begin, uint32_t *part, uint32_t *largest)
{
    uint32_t next = begin;
    *largest = 0;
    for (uint32_t i = p->begin[first]; i < p->begin[last + 1]; i++) {
        uint32_t r = root(p, p->neuron[i]);
        if (p->number[r] == NONE || p->number[r] < begin) p->number[r] = next++;
        part[p->neuron[i]] = p->number[r];
        if (++p->count[r] > *largest) *largest = p->count[r];
    }
    for (uint32_t i = p->begin[first]; i < p->begin[last + 1]; i++) p->count[root(p, p->neuron[i])] = 0;
    return next;
}

ioa_status ioa_cascade_parts(const ioa_network *network, const uint32_t *depth, uint32_t deepest, uint32_t most,
                             uint32_t *part, uint64_t *divided, ioa_error *error)
{
    uint64_t n = network->a.neurons;
    parts p = {.a = &network->a};
    p.parent = ioa_alloc(n, sizeof *p.parent);
    p.joined = ioa_alloc_zero(n, sizeof *p.joined);
    p.count = ioa_alloc_zero(n, sizeof *p.count);
    p.number = ioa_alloc(n, sizeof *p.number);
    p.begin = ioa_alloc((uint64_t)deepest + 2, sizeof *p.begin);
    p.neuron = ioa_alloc(n, sizeof *p.neuron);
    bool complete = p.parent && p.joined && p.count && p.number && p.begin && p.neuron;
    if (complete) ioa_neurons_by_depth(depth, network->a.neurons, deepest, p.neuron, p.begin);
    for (uint64_t v = 0; complete && v < n; v++) p.number[v] = NONE;
    *divided = 0;
    for (uint32_t first = 1, last, begin = 0, largest; complete && first <= deepest; first = last + 1) {
        last = join_pass(&p, first, deepest, most);
        begin = number_parts(&p, first, last, begin, part, &largest);
        uint32_t neurons = p.begin[last + 1] - p.begin[first];
        if (last > first && largest <= neurons / 2) *divided += neurons;
    }
    void *const arrays[] = {p.begin, p.neuron, p.parent, p.joined, p.count, p.number};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) ioa_free(arrays[i]);
    return complete ? IOA_OK : ioa_fail_nomem(error, "parts of a network", n, 6 * sizeof *part);
}
