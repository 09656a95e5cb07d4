/* Orders of small networks with few evictions, from the game of first accesses (core/bounds/bounds.h, F) in which none but
 * neurons that cost one transfer may be spilled: plays are looked for with a small budget, which sees all ways, and by a
 * beam, which sees the promising ones. MIN does not keep to a play; a walk under its own count mends what it loses. */
#include "core/base/mem.h"
#include "core/model/network.h"
#include "optimizer/search/construct/construct.h"
#include "optimizer/search/construct/construct_separation.h"
#include "optimizer/search/construct/construct_separation_order.h"
#include "optimizer/search/construct/construct_separation_walk.h"

#define MOST_BUDGET 8u  /* of plays that are looked for in all ways */
#define STATES_PARTS 3u /* as many budgets may use up their share of the states; others are refuted sooner */
#define WEIGHT 4u       /* of cost against slots in use: matters little */
#define WIDER 4u        /* a beam than the one before */

/* What may be spent: tenths of a second, and some seconds at 100 neurons. */
typedef struct effort {
    uint64_t states; /* tried for a budget */
    uint32_t narrow, wide; /* widths of beams */
    uint64_t walk;   /* steps times connections, of the walks from all orders */
} effort;
static const effort brief = {1000000, 64, 64, 10000000}, thorough = {17000000, 64, 1024, 300000000};

static bool goes_on(ioa_played *p)
{
    return p->status == IOA_OK && p->excess > 0 && !ioa_played_told_to_stop(p);
}

/* Whether plays were shown. */
static bool try_beam(ioa_played *p, const ioa_separation *game, uint32_t width)
{
    uint64_t before = p->plays;
    ioa_separation_beam beam = {game, width, WEIGHT, ioa_played_visit, ioa_played_told_to_stop, p};
    p->in_vain = 0;
    ioa_status status = ioa_separation_beam_search(&beam, p->error);
    if (p->status == IOA_OK) p->status = status;
    return p->plays > before;
}

/* From the least budget on that has a play. */
static bool try_budgets(ioa_played *p, const ioa_separation *game, uint64_t states)
{
    uint64_t before = p->plays, rest = STATES_PARTS * states;
    p->in_vain = 0;
    for (uint64_t budget = 1; budget <= MOST_BUDGET && rest && p->plays == before && goes_on(p); budget++) {
        uint64_t share = rest < states ? rest : states, work = share;
        ioa_status status = ioa_separation_play(game, budget, &work, ioa_played_visit, p, p->error);
        if (p->status == IOA_OK) p->status = status;
        rest -= share - work;
    }
    return p->plays > before;
}

/* Where a narrow beam gets nowhere, few evictions of these neurons do not suffice, and the other ways are long: a wider one
 * is tried once, and more if that gets through. */
static void play(ioa_played *p, const ioa_separation *game, const effort *e)
{
    if (try_beam(p, game, e->narrow) && try_budgets(p, game, e->states)) return;
    for (uint32_t width = WIDER * e->narrow; width <= e->wide && goes_on(p); width *= WIDER)
        if (!try_beam(p, game, width)) return;
}

static void walk(ioa_played *p, const ioa_separation *game, uint64_t work)
{
    uint64_t w = p->network->connections;
    ioa_small *small = ioa_alloc(1, sizeof *small);
    if (!small) {
        p->status = ioa_fail_nomem(p->error, "the walk from the plays", 1, sizeof *small);
        return;
    }
    bool able = ioa_small_create(p->network, game, small);
    for (uint32_t i = 0; able && i < p->kept_count && p->status == IOA_OK && p->excess; i++) {
        ioa_small_walk(small, i, work / w / p->kept_count, ioa_played_told_to_stop, p, p->kept + i * w);
        ioa_played_offer(p, p->kept + i * w);
    }
    ioa_free(small);
}

static void search(ioa_played *p, ioa_separation *game, const void *how)
{
    const effort *e = how;
    ioa_separation_keep_dear(game);
    play(p, game, e);
    if (p->status == IOA_OK) walk(p, game, e->walk);
}

ioa_status ioa_construct_spills(const ioa_network *network, uint64_t memory, uint32_t *order, ioa_error *error)
{
    return ioa_played_construct(network, memory, search, &brief, NULL, order, error);
}

ioa_status ioa_construct_spills_within(const ioa_network *network, uint64_t memory, ioa_construct_limits *limits,
                                       uint32_t *order, ioa_error *error)
{
    ioa_status status = ioa_played_construct(network, memory, search, &thorough, limits, order, error);
    ioa_construct_told_to_stop(limits);
    return status;
}
