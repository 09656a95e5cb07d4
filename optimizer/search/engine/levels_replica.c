/* A replica: coarse at first or fine from the beginning, with the best order it has seen. */
#include "optimizer/search/engine/levels.h"

#include "core/base/mem.h"

#include <string.h>

void ioa_levels_destroy(void *state)
{
    ioa_levels_replica *r = state;
    if (!r) return;
    ioa_interval_state_destroy(r->interval);
    ioa_priced_destroy(r->priced);
    ioa_free(r->price);
    ioa_free(r->order);
    ioa_free(r->best);
    ioa_free(r);
}

/* First prices take some walks along the order: fewer on large networks, where later rounds have to go on with it. */
static uint32_t first_adjustments(uint64_t connections)
{
    uint64_t affordable = UINT64_C(240000000) / connections;
    return affordable > 60 ? 60 : affordable < 6 ? 6 : (uint32_t)affordable;
}

void ioa_levels_forget(ioa_levels_replica *r)
{
    ioa_interval_state_destroy(r->interval);
    ioa_priced_destroy(r->priced);
    r->interval = NULL;
    r->priced = NULL;
    r->fine = false;
}

ioa_status ioa_levels_allocate_prices(ioa_levels_replica *r, ioa_error *error)
{
    uint64_t count = r->shared->desk->prices.chunks;
    if (!r->price) r->price = ioa_alloc(count, sizeof *r->price);
    return r->price ? IOA_OK : ioa_fail_nomem(error, "prices", count, sizeof *r->price);
}

/* From the coarse level to the fine one, at the present order. */
ioa_status ioa_levels_take_over(ioa_levels_replica *r, ioa_error *error)
{
    ioa_levels_forget(r);
    r->fine = true;
    ioa_status status;
    if (ioa_levels_in_segments(r)) {
        ioa_order_prices *prices = &r->shared->desk->prices;
        status = ioa_levels_allocate_prices(r, error);
        if (status != IOA_OK) return status;
        ioa_order_prices_first(prices, r->order, first_adjustments(r->problem->network->connections), r->price);
        r->scale = ioa_priced_hot(r->problem->graph, ioa_order_prices_adjust(prices, r->order, 0, r->price));
        return IOA_OK;
    }
    status = ioa_priced_create(r->problem->graph, r->order, r->problem->memory, &r->priced, error);
    if (status != IOA_OK) return status;
    double cold;
    ioa_priced_suggest(r->priced, &r->scale, &cold);
    return IOA_OK;
}

/* Begins (again) at the start. */
ioa_status ioa_levels_turn(void *state, uint32_t kind, ioa_error *error)
{
    ioa_levels_replica *r = state;
    ioa_levels_forget(r);
    r->takeover = (kind == 0) == r->shared->fine_first ? 0.0 : r->shared->takeover;
    r->scale = 0.0;
    r->total = r->problem->start_total;
    memcpy(r->order, r->problem->start, r->problem->network->connections * sizeof *r->order);
    return r->takeover > 0.0 ? ioa_interval_state_create(r->shared->problem, &r->shared->start, &r->interval, error)
                             : ioa_levels_take_over(r, error);
}

ioa_status ioa_levels_create(const ioa_problem *problem, const void *pointer, uint32_t kind, void **state, ioa_error *error)
{
    uint64_t w = problem->network->connections;
    ioa_levels_replica *r = ioa_alloc_zero(1, sizeof *r);
    if (!r) return ioa_fail_nomem(error, "a replica", 1, sizeof *r);
    r->problem = problem;
    r->shared = pointer;
    r->best_total = problem->start_total;
    r->order = ioa_alloc(w, sizeof *r->order);
    if (!problem->best_elsewhere) r->best = ioa_alloc_copy(problem->start, w, sizeof *r->best);
    ioa_status status = r->order && (r->best || problem->best_elsewhere)
                            ? IOA_OK
                            : ioa_fail_nomem(error, "a replica", w, 2 * sizeof *r->order);
    if (status == IOA_OK) status = ioa_levels_turn(r, kind, error);
    if (status == IOA_OK)
        *state = r;
    else
        ioa_levels_destroy(r);
    return status;
}

void ioa_levels_count(ioa_levels_replica *r)
{
    r->total = ioa_scorer_total(r->shared->desk->scorer, r->order);
    if (r->total >= r->best_total) return;
    r->best_total = r->total;
    if (r->best) memcpy(r->best, r->order, r->problem->network->connections * sizeof *r->best);
}

/* The coarse level cannot take up an order as it is; it only remembers it. */
ioa_status ioa_levels_restart(void *state, const uint32_t *order, ioa_error *error)
{
    (void)error;
    ioa_levels_replica *r = state;
    memcpy(r->order, order, r->problem->network->connections * sizeof *r->order);
    ioa_levels_count(r);
    if (r->priced) ioa_priced_set_order(r->priced, r->order);
    return IOA_OK;
}
