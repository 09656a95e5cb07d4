#include "optimizer/search/construct/construct_separation_order.h"

#include "core/base/mem.h"
#include "core/model/network.h"
#include "core/model/order.h"

#include <ioanneal/memory.h>
#include <string.h>

#define IN_VAIN 200u /* plays: their ends are much alike */

/* Handles every connection that can be handled while those present stay. */
static void handle(ioa_played *p)
{
    const ioa_network_arrays *a = &p->network->a;
    for (uint32_t v = 0; v < a->neurons; v++) { /* ids ascend along connections: one pass sees what it completes */
        if (!p->present[v]) continue;
        for (int64_t e = a->indptr[v]; e < a->indptr[v + 1]; e++) {
            uint32_t u = a->indices[e];
            if (p->done[e] || !p->present[u] || p->missing[u]) continue;
            p->done[e] = true;
            p->missing[v]--;
            p->next[p->at++] = (uint32_t)e;
        }
    }
}

static void send_away(ioa_played *p, const ioa_separation_moves *moves, const ioa_set *absent)
{
    for (uint32_t j = 0; j < moves->count; j++)
        if (ioa_set_has(absent, j)) p->present[moves->neuron[j]] = false;
}

/* What the neurons present at a first access can do is done before those are loaded again that are present at the next. */
static void follow(ioa_played *p, const ioa_separation_moves *moves)
{
    for (uint32_t i = 0; i < moves->count; i++) {
        p->present[moves->first[i]] = true;
        send_away(p, moves, &moves->absent[i]);
        handle(p);
        for (uint32_t j = 0; j <= i; j++) p->present[moves->first[j]] = true;
        ioa_set both = i + 1 < moves->count ? ioa_set_both(&moves->absent[i], &moves->absent[i + 1]) : (ioa_set){{0}};
        send_away(p, moves, &both);
        handle(p);
        for (uint32_t j = 0; j <= i; j++) p->present[moves->first[j]] = true;
    }
}

uint64_t ioa_played_offer(ioa_played *p, const uint32_t *order)
{
    ioa_io io;
    p->status = ioa_memory_count(p->network, order, p->memory, IOA_POLICY_MIN, &io, p->error);
    if (p->status != IOA_OK) return UINT64_MAX;
    uint64_t excess = io.reads + io.writes - p->network->bounds.lower;
    if (excess >= p->excess) return excess;
    p->excess = excess;
    if (order != p->order) memcpy(p->order, order, p->network->connections * sizeof *order);
    return excess;
}

/* Orders of plays that spill the same neurons are much alike: the best one stands for all. */
static void keep(ioa_played *p, const ioa_separation_moves *moves, uint64_t excess)
{
    uint64_t w = p->network->connections;
    uint32_t at = p->kept_count;
    ioa_set spilled = {{0}};
    for (uint32_t i = 0; i < moves->count; i++)
        for (uint32_t k = 0; k < IOA_SEPARATION_WORDS; k++) spilled.w[k] |= moves->absent[i].w[k];
    for (uint32_t i = 0; i < p->kept_count && at == p->kept_count; i++)
        if (memcmp(&p->kept_spilled[i], &spilled, sizeof spilled) == 0) at = i;
    if (at == IOA_PLAYED_KEPT)
        for (uint32_t i = at = 0; i < p->kept_count; i++)
            if (p->kept_excess[i] > p->kept_excess[at]) at = i;
    if (at == p->kept_count)
        p->kept_count++;
    else if (p->kept_excess[at] <= excess)
        return;
    p->kept_excess[at] = excess;
    p->kept_spilled[at] = spilled;
    memcpy(p->kept + at * w, p->next, w * sizeof *p->kept);
}

/* What a play costs as an order: MIN evicts the neuron farthest from its next access, not the one that is cheapest. */
bool ioa_played_visit(const ioa_separation_moves *moves, void *played)
{
    ioa_played *p = played;
    const ioa_network *network = p->network;
    const ioa_network_arrays *a = &network->a;
    if (moves->cost >= p->excess || p->in_vain == IN_VAIN) return p->in_vain == IN_VAIN;
    memset(p->present, 0, a->neurons * sizeof *p->present);
    memset(p->done, 0, network->connections * sizeof *p->done);
    for (uint32_t v = 0; v < a->neurons; v++) p->missing[v] = (uint32_t)(a->indptr[v + 1] - a->indptr[v]);
    p->at = 0;
    follow(p, moves);
    p->plays++;
    uint64_t before = p->excess, excess = ioa_played_offer(p, p->next);
    if (p->status == IOA_OK) keep(p, moves, excess);
    p->in_vain = p->excess < before ? 0 : p->in_vain + 1;
    return p->status != IOA_OK || p->excess == 0;
}

bool ioa_played_told_to_stop(void *played)
{
    const ioa_played *p = played;
    return ioa_construct_told_to_stop(p->limits);
}

/* Begins with the layered order. `status` tells whether it worked; to be destroyed in either case. */
static void create(const ioa_network *network, uint64_t memory, ioa_construct_limits *limits, uint32_t *order,
                   ioa_error *error, ioa_played *p)
{
    uint64_t n = network->a.neurons, w = network->connections;
    *p = (ioa_played){.network = network, .memory = memory, .excess = UINT64_MAX, .order = order, .limits = limits,
                      .error = error};
    ioa_order_layered(network, order);
    ioa_played_offer(p, order);
    p->present = ioa_alloc(n, sizeof *p->present);
    p->done = ioa_alloc(w, sizeof *p->done);
    p->missing = ioa_alloc(n, sizeof *p->missing);
    p->next = ioa_alloc(w, sizeof *p->next);
    p->kept = ioa_alloc(IOA_PLAYED_KEPT * w, sizeof *p->kept);
    if (p->status == IOA_OK && (!p->present || !p->done || !p->missing || !p->next || !p->kept))
        p->status = ioa_fail_nomem(error, "the order of first accesses", w, sizeof *order);
}

static void destroy(ioa_played *p)
{
    ioa_free(p->present);
    ioa_free(p->done);
    ioa_free(p->missing);
    ioa_free(p->next);
    ioa_free(p->kept);
}

ioa_status ioa_played_construct(const ioa_network *network, uint64_t memory, ioa_played_search *search, const void *how,
                                ioa_construct_limits *limits, uint32_t *order, ioa_error *error)
{
    ioa_status status = IOA_OK;
    ioa_separation *game = ioa_alloc(1, sizeof *game);
    if (!game) return ioa_fail_nomem(error, "the game of first accesses", 1, sizeof *game);
    if (ioa_separation_create(network, memory, game)) {
        ioa_played p;
        create(network, memory, limits, order, error, &p);
        if (p.status == IOA_OK) search(&p, game, how);
        destroy(&p);
        status = p.status;
    } else
        ioa_order_layered(network, order);
    ioa_free(game);
    return status;
}
