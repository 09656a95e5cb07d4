/* Orders of small networks from the game of first accesses (core/bounds.h, F). Where the game costs nothing, the order
 * has no excess; elsewhere the best play of a beam search is taken. */
#include "core/mem.h"
#include "core/network.h"
#include "core/order.h"
#include "optimizer/search/construct.h"
#include "optimizer/search/construct_separation.h"
#include "optimizer/search/construct_separation_walk.h"

#include <ioanneal/memory.h>
#include <string.h>

#define WORK UINT64_C(8000000) /* states tried for a play without cost: some tenths of a second */
#define NARROW 64u             /* widths of beams: some tenths of a second, */
#define WIDE 1024u             /* and some seconds at 100 neurons */
#define PLAYS_IN_VAIN 200u     /* looked at since one was better: their ends are much alike */
#define POLISHED 8u            /* orders of plays that a walk starts from: the best ones, */
#define WORSE 1u               /* by no more excess than this */
#define WALK UINT64_C(4000000) /* steps times connections of a walk, narrow, */
#define LONG_WALK UINT64_C(80000000) /* and wide: some tenths of a second */
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
    uint32_t *plays; /* [POLISHED][W] the best orders of plays, no two alike */
    uint64_t play_excess[POLISHED];
    uint32_t kept;   /* of plays */
    ioa_construct_limits *limits; /* or NULL */
    ioa_status status;
    ioa_error *error;
} best;

/* Gives the excess of the order. */
static uint64_t keep_if_better(best *b, const uint32_t *order)
{
    const ioa_network *network = b->p.network;
    ioa_io io;
    b->status = ioa_memory_count(network, order, b->memory, IOA_POLICY_MIN, &io, b->error);
    if (b->status != IOA_OK) return UINT64_MAX;
    uint64_t excess = io.reads + io.writes - network->bounds.lower;
    if (excess >= b->excess) return excess;
    b->excess = excess;
    if (order != b->order) memcpy(b->order, order, network->connections * sizeof *order);
    return excess;
}

static void remember(best *b, const uint32_t *order, uint64_t excess)
{
    uint64_t w = b->p.network->connections;
    uint32_t at = 0;
    for (uint32_t i = 0; i < b->kept; i++) {
        if (b->play_excess[i] == excess && memcmp(b->plays + i * w, order, w * sizeof *order) == 0) return;
        if (b->play_excess[i] > b->play_excess[at]) at = i;
    }
    if (b->kept < POLISHED) at = b->kept++;
    else if (b->play_excess[at] <= excess) return;
    b->play_excess[at] = excess;
    memcpy(b->plays + at * w, order, w * sizeof *order);
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
    uint64_t excess = keep_if_better(b, b->p.order);
    if (b->status == IOA_OK) remember(b, b->p.order, excess);
    b->in_vain = b->excess < before ? 0 : b->in_vain + 1;
    return b->status != IOA_OK || b->excess == 0;
}

static bool is_told_to_stop(void *context)
{
    const best *b = context;
    return ioa_construct_told_to_stop(b->limits);
}

static void polish(best *b, const ioa_separation *game, uint64_t work)
{
    uint64_t w = b->p.network->connections, most = b->excess + WORSE;
    ioa_small *small = ioa_alloc(1, sizeof *small);
    if (!small) {
        b->status = ioa_fail_nomem(b->error, "the walk from the plays", 1, sizeof *small);
        return;
    }
    bool able = ioa_small_create(b->p.network, game, small);
    for (uint32_t i = 0; able && b->status == IOA_OK && i < b->kept && b->excess > 0; i++) {
        if (b->play_excess[i] > most) continue;
        ioa_small_walk(small, i, work / w, is_told_to_stop, b, b->plays + i * w);
        keep_if_better(b, b->plays + i * w);
    }
    ioa_free(small);
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
        if (b->status == IOA_OK && b->excess) polish(b, game, wide ? LONG_WALK : WALK);
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
    b.plays = ioa_alloc(POLISHED * network->connections, sizeof *order);
    if (!b.p.present || !b.p.done || !b.p.missing || !b.p.order || !b.plays)
        b.status = ioa_fail_nomem(error, "the order of first accesses", network->connections, sizeof *order);
    if (b.status == IOA_OK) search(&b, wide);
    ioa_free(b.p.present);
    ioa_free(b.p.done);
    ioa_free(b.p.missing);
    ioa_free(b.p.order);
    ioa_free(b.plays);
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
