/* Orders of small networks from the game of first accesses (core/bounds.h, F). Where the game costs nothing, the order
 * has no excess; elsewhere the best play of a beam search is taken. */
#include "core/mem.h"
#include "core/network.h"
#include "core/order.h"
#include "optimizer/search/construct.h"
#include "optimizer/search/construct_separation.h"

#include <ioanneal/memory.h>
#include <string.h>

#define WORK UINT64_C(8000000) /* states tried for a play without cost: some tenths of a second */
#define NARROW 64u             /* widths of beams: some tenths of a second, */
#define WIDE 1024u             /* and some seconds at 100 neurons */
#define PLAYS_IN_VAIN 200u     /* looked at since one was better: their ends are much alike */
#define WEIGHT 4u              /* of cost against slots in use: matters little */

typedef struct progress {
    const ioa_network *network;
    bool *present;     /* [N] reached, and not absent */
    bool *done;        /* [W] */
    uint32_t *missing; /* [N] incoming connections to be handled */
    uint32_t *order;   /* [W], `at` of them filled */
    uint64_t at;
} progress;

/* Handles every connection that can be handled while those present stay. */
static void handle(progress *p)
{
    const ioa_network_arrays *a = &p->network->a;
    for (uint32_t v = 0; v < a->neurons; v++) { /* ids ascend along connections: one pass sees what it completes */
        if (!p->present[v]) continue;
        for (int64_t e = a->indptr[v]; e < a->indptr[v + 1]; e++) {
            uint32_t u = a->indices[e];
            if (p->done[e] || !p->present[u] || p->missing[u]) continue;
            p->done[e] = true;
            p->missing[v]--;
            p->order[p->at++] = (uint32_t)e;
        }
    }
}

static void send_away(progress *p, const ioa_separation_moves *moves, const ioa_set *absent)
{
    for (uint32_t j = 0; j < moves->count; j++)
        if (ioa_set_has(absent, j)) p->present[moves->neuron[j]] = false;
}

/* What the neurons present at a first access can do is done before those are loaded again that are present at the next. */
static void follow(progress *p, const ioa_separation_moves *moves)
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

typedef struct best {
    progress p;
    uint64_t memory;
    uint64_t excess;
    uint32_t in_vain; /* plays since it was lowered */
    uint32_t *order; /* [W] the best so far */
    ioa_construct_limits *limits; /* or NULL */
    ioa_status status;
    ioa_error *error;
} best;

static void keep_if_better(best *b, const uint32_t *order)
{
    const ioa_network *network = b->p.network;
    ioa_io io;
    b->status = ioa_memory_count(network, order, b->memory, IOA_POLICY_MIN, &io, b->error);
    if (b->status != IOA_OK) return;
    uint64_t excess = io.reads + io.writes - network->bounds.lower;
    if (excess >= b->excess) return;
    b->excess = excess;
    if (order != b->order) memcpy(b->order, order, network->connections * sizeof *order);
}

/* What a play costs as an order: MIN evicts the neuron farthest from its next access, not the one that is cheapest. */
static bool try_play(const ioa_separation_moves *moves, void *context)
{
    best *b = context;
    const ioa_network *network = b->p.network;
    const ioa_network_arrays *a = &network->a;
    if (moves->cost >= b->excess || b->in_vain == PLAYS_IN_VAIN) return b->in_vain == PLAYS_IN_VAIN;
    memset(b->p.present, 0, a->neurons * sizeof *b->p.present);
    memset(b->p.done, 0, network->connections * sizeof *b->p.done);
    for (uint32_t v = 0; v < a->neurons; v++) b->p.missing[v] = (uint32_t)(a->indptr[v + 1] - a->indptr[v]);
    b->p.at = 0;
    follow(&b->p, moves);
    uint64_t before = b->excess;
    keep_if_better(b, b->p.order);
    b->in_vain = b->excess < before ? 0 : b->in_vain + 1;
    return b->status != IOA_OK || b->excess == 0;
}

static bool is_told_to_stop(void *context)
{
    const best *b = context;
    return ioa_construct_told_to_stop(b->limits);
}

static void search(best *b, bool wide)
{
    const ioa_network *network = b->p.network;
    ioa_separation *game = ioa_alloc(1, sizeof *game);
    if (!game) {
        b->status = ioa_fail_nomem(b->error, "the game of first accesses", 1, sizeof *game);
        return;
    }
    if (ioa_separation_create(network, b->memory, game)) {
        uint64_t work = WORK;
        ioa_status status = ioa_separation_play(network, b->memory, 0, &work, try_play, b, b->error);
        if (b->status == IOA_OK) b->status = status;
        uint32_t widest = wide ? WIDE : NARROW;
        for (uint32_t width = NARROW; b->status == IOA_OK && b->excess && width <= widest; width *= WIDE / NARROW) {
            b->in_vain = 0;
            ioa_separation_beam beam = {game, width, WEIGHT, try_play, is_told_to_stop, b};
            status = ioa_separation_beam_search(&beam, b->error);
            if (b->status == IOA_OK) b->status = status;
        }
    }
    ioa_free(game);
}

static ioa_status construct(const ioa_network *network, uint64_t memory, bool wide, ioa_construct_limits *limits,
                            uint32_t *order, ioa_error *error)
{
    const ioa_network_arrays *a = &network->a;
    best b = {.memory = memory, .excess = UINT64_MAX, .order = order, .limits = limits, .error = error};
    b.p.network = network;
    ioa_order_layered(network, order);
    keep_if_better(&b, order);
    b.p.present = ioa_alloc(a->neurons, sizeof *b.p.present);
    b.p.done = ioa_alloc(network->connections, sizeof *b.p.done);
    b.p.missing = ioa_alloc(a->neurons, sizeof *b.p.missing);
    b.p.order = ioa_alloc(network->connections, sizeof *order);
    if (!b.p.present || !b.p.done || !b.p.missing || !b.p.order)
        b.status = ioa_fail_nomem(error, "the order of first accesses", network->connections, sizeof *order);
    if (b.status == IOA_OK) search(&b, wide);
    ioa_free(b.p.present);
    ioa_free(b.p.done);
    ioa_free(b.p.missing);
    ioa_free(b.p.order);
    return b.status;
}

ioa_status ioa_construct_separation(const ioa_network *network, uint64_t memory, uint32_t *order, ioa_error *error)
{
    return construct(network, memory, false, NULL, order, error);
}

ioa_status ioa_construct_separation_within(const ioa_network *network, uint64_t memory, ioa_construct_limits *limits,
                                           uint32_t *order, ioa_error *error)
{
    ioa_status status = construct(network, memory, true, limits, order, error);
    ioa_construct_told_to_stop(limits);
    return status;
}

bool ioa_construct_separation_affordable(const ioa_network *network, uint64_t memory)
{
    (void)memory;
    return network->bounds.active_neurons <= IOA_SEPARATION_NEURONS;
}
