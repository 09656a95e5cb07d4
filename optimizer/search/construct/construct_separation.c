/* Orders of small networks from the game of first accesses (core/bounds/bounds.h, F). Where the game costs nothing, the order
 * has no excess; elsewhere the best play of a beam search is taken. */
#include "core/model/network.h"
#include "optimizer/search/construct/construct.h"
#include "optimizer/search/construct/construct_separation.h"
#include "optimizer/search/construct/construct_separation_order.h"

#define WORK UINT64_C(8000000) /* states tried for a play without cost: some tenths of a second */
#define NARROW 64u             /* widths of beams: some tenths of a second, */
#define WIDE 1024u             /* and some seconds at 100 neurons */
#define WEIGHT 4u              /* of cost against slots in use: matters little */

/* `widest`: of the beams. */
static void search(ioa_played *p, ioa_separation *game, const void *widest)
{
    uint64_t work = WORK;
    ioa_status status = ioa_separation_play(game, 0, &work, ioa_played_visit, p, p->error);
    if (p->status == IOA_OK) p->status = status;
    for (uint32_t width = NARROW; p->status == IOA_OK && p->excess && width <= *(const uint32_t *)widest; width *= WIDE / NARROW) {
        p->in_vain = 0;
        ioa_separation_beam beam = {game, width, WEIGHT, ioa_played_visit, ioa_played_told_to_stop, p};
        status = ioa_separation_beam_search(&beam, p->error);
        if (p->status == IOA_OK) p->status = status;
    }
}

ioa_status ioa_construct_separation(const ioa_network *network, uint64_t memory, uint32_t *order, ioa_error *error)
{
    return ioa_played_construct(network, memory, search, &(uint32_t){NARROW}, NULL, order, error);
}

ioa_status ioa_construct_separation_within(const ioa_network *network, uint64_t memory, ioa_construct_limits *limits,
                                           uint32_t *order, ioa_error *error)
{
    ioa_status status = ioa_played_construct(network, memory, search, &(uint32_t){WIDE}, limits, order, error);
    ioa_construct_told_to_stop(limits);
    return status;
}

bool ioa_construct_separation_affordable(const ioa_network *network, uint64_t memory)
{
    (void)memory;
    return network->bounds.active_neurons <= IOA_SEPARATION_NEURONS;
}
