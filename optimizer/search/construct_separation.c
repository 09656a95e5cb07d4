/* Orders of small networks from the game of first accesses (core/bounds.h, E). Where the game costs nothing, the order
 * has no excess; elsewhere it is a start. */
#include "core/mem.h"
#include "core/network.h"
#include "core/order.h"
#include "core/separation.h"
#include "optimizer/search/construct.h"

#include <string.h>

#define WORK UINT64_C(8000000) /* states tried: some tenths of a second */

/* Handles every connection as soon as both its ends have been reached and its source is complete. */
static uint64_t handle(const ioa_network *network, const bool *reached, uint32_t *missing, bool *done, uint32_t *order,
                       uint64_t at)
{
    const ioa_network_arrays *a = &network->a;
    for (uint32_t v = 0; v < a->neurons; v++) { /* ids ascend along connections: one pass sees what it completes */
        if (!reached[v]) continue;
        for (int64_t e = a->indptr[v]; e < a->indptr[v + 1]; e++) {
            uint32_t u = a->indices[e];
            if (done[e] || !reached[u] || missing[u]) continue;
            done[e] = true;
            missing[v]--;
            order[at++] = (uint32_t)e;
        }
    }
    return at;
}

ioa_status ioa_construct_separation(const ioa_network *network, uint64_t memory, uint32_t *order, ioa_error *error)
{
    const ioa_network_arrays *a = &network->a;
    uint32_t first[IOA_SEPARATION_NEURONS], count;
    ioa_status status = ioa_separation_play(network, memory, WORK, first, &count, error);
    if (status != IOA_OK) return status;
    ioa_order_layered(network, order);
    if (count == 0) return IOA_OK;
    bool *reached = ioa_alloc_zero(a->neurons, sizeof *reached);
    bool *done = ioa_alloc_zero(network->connections, sizeof *done);
    uint32_t *missing = ioa_alloc(a->neurons, sizeof *missing); /* incoming connections to be handled */
    if (reached && done && missing) {
        uint64_t at = 0;
        for (uint32_t v = 0; v < a->neurons; v++) missing[v] = (uint32_t)(a->indptr[v + 1] - a->indptr[v]);
        for (uint32_t i = 0; i < count; i++) {
            reached[first[i]] = true;
            at = handle(network, reached, missing, done, order, at);
        }
    } else
        status = ioa_fail_nomem(error, "the order of first accesses", a->neurons, sizeof *missing);
    ioa_free(reached);
    ioa_free(done);
    ioa_free(missing);
    return status;
}

bool ioa_construct_separation_affordable(const ioa_network *network, uint64_t memory)
{
    (void)memory;
    return network->bounds.active_neurons <= IOA_SEPARATION_NEURONS;
}
