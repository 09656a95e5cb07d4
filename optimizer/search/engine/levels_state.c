/* Flat form of a replica: head, best order unless it is kept elsewhere, then the interval state or the order and the prices. */
#include "optimizer/search/engine/levels.h"

#include "core/base/mem.h"

#include <string.h>

typedef struct head {
    uint64_t fine; /* 0: coarse */
    uint64_t total, best_total;
    double scale;
} head;

static const uint32_t *prices_of(const ioa_levels_replica *r, uint32_t *count)
{
    if (!ioa_levels_in_segments(r)) return ioa_priced_prices(r->priced, count);
    *count = r->shared->desk->prices.chunks;
    return r->price;
}

static uint64_t saved_before(const ioa_levels_replica *r) /* the levels' own form */
{
    return sizeof(head) + (r->best ? r->problem->network->connections * sizeof *r->best : 0);
}

uint64_t ioa_levels_bytes(const void *state)
{
    const ioa_levels_replica *r = state;
    uint64_t order = r->problem->network->connections * sizeof *r->order;
    uint32_t prices = 0;
    if (!r->fine) return saved_before(r) + ioa_interval_state_bytes(r->interval);
    (void)prices_of(r, &prices);
    return saved_before(r) + order + prices * sizeof(uint32_t);
}

void ioa_levels_save(const void *state, void *bytes)
{
    const ioa_levels_replica *r = state;
    const head h = {r->fine, r->total, r->best_total, r->scale};
    size_t order = r->problem->network->connections * sizeof *r->order;
    unsigned char *to = bytes;
    uint32_t prices;
    memcpy(to, &h, sizeof h);
    if (r->best) memcpy(to + sizeof h, r->best, order);
    to += saved_before(r);
    if (!r->fine) {
        ioa_interval_state_save(r->interval, to);
        return;
    }
    memcpy(to, r->order, order); /* a round ends settled: order and prices are all there is */
    const uint32_t *price = prices_of(r, &prices);
    memcpy(to + order, price, prices * sizeof *price);
}

static ioa_status load_fine(ioa_levels_replica *r, const unsigned char *bytes, uint64_t left, const head *h, ioa_error *error)
{
    uint64_t order = r->problem->network->connections * sizeof *r->order;
    ioa_status status = left < order ? ioa_fail(error, IOA_ERR_INPUT, "a replica's state is too short")
                                     : ioa_scorer_take(r->shared->desk->scorer, bytes, h->total, r->order, error);
    if (status != IOA_OK) return status;
    ioa_levels_forget(r);
    r->fine = true;
    status = ioa_levels_in_segments(r) ? ioa_levels_allocate_prices(r, error)
                            : ioa_priced_create(r->problem->graph, r->order, r->problem->memory, &r->priced, error);
    if (status != IOA_OK) return status;
    uint32_t count;
    (void)prices_of(r, &count);
    if (left != order + count * sizeof(uint32_t)) return ioa_fail(error, IOA_ERR_INPUT, "a replica's state has the wrong length");
    uint32_t *prices = ioa_alloc_copy(bytes + order, count, sizeof *prices); /* aligned */
    if (!prices) return ioa_fail_nomem(error, "prices", count, sizeof *prices);
    for (uint32_t i = 0; i < count; i++)
        if (prices[i] == 0 || prices[i] > UINT32_C(1) << 31) status = ioa_fail(error, IOA_ERR_INPUT, "an impossible price");
    if (status == IOA_OK && ioa_levels_in_segments(r)) memcpy(r->price, prices, count * sizeof *prices);
    if (status == IOA_OK && !ioa_levels_in_segments(r)) {
        ioa_priced_set_prices(r->priced, prices);
        ioa_priced_set_order(r->priced, r->order);
    }
    ioa_free(prices);
    return status;
}

ioa_status ioa_levels_load(void *state, const void *bytes, uint64_t count, ioa_error *error)
{
    ioa_levels_replica *r = state;
    const uint64_t expected = saved_before(r);
    head h;
    if (count < expected) return ioa_fail(error, IOA_ERR_INPUT, "a replica's state is too short");
    memcpy(&h, bytes, sizeof h);
    double takeover = r->takeover;
    if (h.fine > 1 || (h.fine ? takeover >= 1.0 : !r->interval) || !(h.scale >= 0.0))
        return ioa_fail(error, IOA_ERR_INPUT, "a replica's state is of another engine");
    const unsigned char *from = (const unsigned char *)bytes + sizeof h;
    ioa_status status = IOA_OK;
    if (r->best) status = ioa_scorer_take(r->shared->desk->scorer, from, h.best_total, r->best, error);
    if (status != IOA_OK) return status;
    from = (const unsigned char *)bytes + expected;
    if (h.fine)
        status = load_fine(r, from, count - expected, &h, error);
    else if (count != expected + ioa_interval_state_bytes(r->interval))
        status = ioa_fail(error, IOA_ERR_INPUT, "a replica's state has the wrong length");
    else
        status = ioa_interval_state_load(r->interval, from, error);
    if (status == IOA_OK && !h.fine) status = ioa_interval_order(r->interval, r->order, error);
    r->total = h.total;
    r->best_total = h.best_total;
    r->scale = h.scale;
    return status;
}
