#include "optimizer/search/construct/construct.h"

#include "core/base/mem.h"
#include "core/model/depth.h"
#include "core/model/network.h"
#include "core/model/order.h"

#include <string.h>

static ioa_status layered(const ioa_network *network, uint64_t memory, uint32_t *order, ioa_error *error)
{
    (void)memory;
    (void)error;
    ioa_order_layered(network, order);
    return IOA_OK;
}

static const ioa_constructor constructors[] = {
    {"layered", "neurons by id, the paper's 2-optimal order", layered, NULL, NULL, false},
    {"blocks", "blocks of destinations that share sources stay resident, each source streams past once",
     ioa_construct_blocks, NULL, ioa_construct_blocks_within, false},
    {"twins", "blocks of destinations with the same sources, each next to the one it shares most sources with",
     ioa_construct_twins, NULL, ioa_construct_twins_within, false},
    {"cascade", "blocks of twins next to what is resident, deeper as soon as nothing is shared at the same depth",
     ioa_construct_cascade, ioa_construct_cascade_affordable, ioa_construct_cascade_within, false},
    {"sequence", "the cascade's blocks in an annealed sequence", ioa_construct_sequence, ioa_construct_cascade_affordable,
     ioa_construct_sequence_within, false},
    {"greedy", "whole neurons, the one with the fewest absent sources next", ioa_construct_greedy,
     ioa_construct_greedy_affordable, ioa_construct_greedy_within, false},
    {"separation", "small networks: fewest live neurons at any time, by search", ioa_construct_separation,
     ioa_construct_separation_affordable, ioa_construct_separation_within, false},
    {"spills", "small networks: none but inputs leave early, by search; then a walk under the exact count",
     ioa_construct_spills, ioa_construct_separation_affordable, ioa_construct_spills_within, true},
};

#define HANDICAP 16 /* part of the excess */

/* Whether the destinations come in ascending depth: `depth` [N], `at` [W] scratch. */
static bool by_depth(const ioa_network_arrays *a, const uint32_t *order, const uint32_t *depth, uint32_t *at)
{
    for (uint32_t v = 0; v < a->neurons; v++)
        for (int64_t e = a->indptr[v]; e < a->indptr[v + 1]; e++) at[e] = depth[v];
    for (int64_t t = 1; t < a->indptr[a->neurons]; t++)
        if (at[order[t]] < at[order[t - 1]]) return false;
    return true;
}

ioa_status ioa_construct_handicap(const ioa_network *network, const uint32_t *order, uint64_t excess, uint64_t *handicap,
                                  ioa_error *error)
{
    const uint64_t n = network->a.neurons, w = network->connections;
    *handicap = 0;
    if (w > IOA_CONSTRUCT_DEEP) return IOA_OK;
    uint32_t *depth = ioa_alloc(n, sizeof *depth), *at = ioa_alloc(w, sizeof *at);
    const bool room = depth && at;
    if (room && ioa_network_depths(network, depth) > 1 && by_depth(&network->a, order, depth, at)) *handicap = excess / HANDICAP;
    ioa_free(depth);
    ioa_free(at);
    return room ? IOA_OK : ioa_fail_nomem(error, "the depths of an order", n + w, sizeof *depth);
}

bool ioa_construct_told_to_stop(ioa_construct_limits *limits)
{
    if (!limits) return false;
    if (!limits->stopped && limits->stop) limits->stopped = limits->stop(limits->context);
    return limits->stopped;
}

uint64_t ioa_construct_work(const ioa_network *network)
{
    return UINT64_C(1000000000) + 10 * network->connections;
}

const ioa_constructor *ioa_constructor_at(unsigned index)
{
    return index < sizeof constructors / sizeof *constructors ? &constructors[index] : NULL;
}

const ioa_constructor *ioa_constructor_find(const char *name)
{
    for (unsigned i = 0; ioa_constructor_at(i); i++)
        if (strcmp(constructors[i].name, name) == 0) return &constructors[i];
    return NULL;
}
