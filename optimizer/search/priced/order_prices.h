/* Prices of memory (priced.h) for an order, found by walking along it: the same prices, bit for bit, as an ioa_priced finds
 * for that order, from 20 bytes per neuron instead of 24 per connection. Each call is two walks, O(W). */
#ifndef IOA_SEARCH_ORDER_PRICES_H
#define IOA_SEARCH_ORDER_PRICES_H

#include "optimizer/search/priced/graph.h"

typedef struct ioa_order_prices {
    const ioa_graph *g;
    uint64_t slots;
    uint32_t chunk, chunks;
    int64_t *start;      /* [chunks + 1] label of each chunk's first step; the last: of the end */
    int64_t *open, *area; /* [chunks + 1] slots used */
    uint32_t *last;      /* [N] rank of the last access walked over, or UINT32_MAX */
    int64_t *late, *first; /* [N] see priced.h: gaps after completion; label of the last incoming connection */
} ioa_order_prices;

/* `graph` must outlive it. IOA_ERR_NOMEM. Cleared by ioa_order_prices_clear, which an all-zero one is allowed for. */
ioa_status ioa_order_prices_make(const ioa_graph *graph, uint64_t memory, ioa_order_prices *prices, ioa_error *error);
void ioa_order_prices_clear(ioa_order_prices *prices);

/* Prices [chunks] for an order [W] from scratch. At most `adjustments`; fewer if they no longer help. */
void ioa_order_prices_first(ioa_order_prices *prices, const uint32_t *order, uint32_t adjustments, uint32_t *price);

/* One adjustment, as ioa_priced_settle makes it. Returns the energy of the order at the prices there were. */
int64_t ioa_order_prices_adjust(ioa_order_prices *prices, const uint32_t *order, int64_t rate, uint32_t *price);

/* Labels of the chunks for given prices, into prices->start. */
void ioa_order_prices_number(ioa_order_prices *prices, const uint32_t *price);

/* Label of a step, after ioa_order_prices_number. */
static inline int64_t ioa_order_prices_label(const ioa_order_prices *p, const uint32_t *price, uint32_t rank)
{
    const uint32_t c = rank / p->chunk;
    return p->start[c] + (int64_t)(rank - c * p->chunk) * price[c];
}

#endif
