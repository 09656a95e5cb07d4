#include "core/model/order.h"

#include "core/base/mem.h"
#include "core/model/network.h"

#include <inttypes.h>

void ioa_order_layered(const ioa_network *network, uint32_t *order)
{
    for (uint64_t t = 0; t < network->connections; t++) order[t] = (uint32_t)t;
}

static ioa_status check_steps(const ioa_network *n, const uint32_t *order, const uint32_t *destinations,
                              uint32_t *missing, uint64_t *done, ioa_error *error)
{
    const uint32_t *sources = n->a.indices;
    for (uint64_t t = 0; t < n->connections; t++) {
        uint32_t e = order[t];
        if (e >= n->connections)
            return ioa_fail(error, IOA_ERR_INPUT, "step %" PRIu64 ": connection %" PRIu32 " does not exist", t, e);
        if (done[e / 64] >> e % 64 & 1)
            return ioa_fail(error, IOA_ERR_INPUT, "step %" PRIu64 ": connection %" PRIu32 " was handled before", t, e);
        if (missing[sources[e]])
            return ioa_fail(error, IOA_ERR_INPUT,
                            "step %" PRIu64 ": connection %" PRIu32 " uses neuron %" PRIu32
                            " while %" PRIu32 " of its incoming connections are still to come",
                            t, e, sources[e], missing[sources[e]]);
        done[e / 64] |= UINT64_C(1) << e % 64;
        missing[destinations[e]]--;
    }
    return IOA_OK;
}

ioa_status ioa_order_check(const ioa_network *network, const uint32_t *order, ioa_error *error)
{
    const int64_t *indptr = network->a.indptr;
    uint64_t w = network->connections, neurons = network->a.neurons;
    ioa_status status;
    uint32_t *missing = ioa_alloc(neurons, sizeof *missing);
    uint32_t *owned;
    const uint32_t *destinations = ioa_network_borrow_destinations(network, &owned);
    uint64_t *done = ioa_alloc_zero(w / 64 + 1, sizeof *done); /* bit set */
    if (missing && destinations && done) {
        for (uint64_t v = 0; v < neurons; v++) missing[v] = (uint32_t)(indptr[v + 1] - indptr[v]);
        status = check_steps(network, order, destinations, missing, done, error);
    } else
        status = ioa_fail_nomem(error, "checking an order", w, sizeof *destinations);
    ioa_free(missing);
    ioa_free(owned);
    ioa_free(done);
    return status;
}
