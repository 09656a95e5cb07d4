/* From an order of connections to intervals: any constructive order can start the coarse level. */
#include "optimizer/search/interval/interval.h"

#include "core/base/mem.h"

#include <string.h>

/* Opens each neuron at its first incoming connection and closes it at its last. Time is the number of neurons
 * completed so far, so that one neuron closes per tick. */
static void read_times(const ioa_network *network, const uint32_t *order, const uint32_t *destinations,
                       uint32_t *missing, ioa_intervals *made)
{
    const int64_t *indptr = network->a.indptr;
    for (uint32_t v = 0; v < network->a.neurons; v++) missing[v] = (uint32_t)(indptr[v + 1] - indptr[v]);
    int32_t now = 0;
    for (uint64_t t = 0; t < network->connections; t++) {
        uint32_t v = destinations[order[t]];
        if ((int64_t)missing[v] == indptr[v + 1] - indptr[v]) made->open[v] = now;
        if (--missing[v] == 0) made->close[v] = now++;
    }
    made->ticks = now > 0 ? now : 1;
}

/* Twins share an interval: it spans those of all of them, and ends no earlier than those of its sources. Raising one
 * end may ask for raising others further on, hence the loop until nothing changes: seldom more than twice. */
static void unite(const ioa_interval_problem *p, ioa_intervals *made)
{
    const ioa_network_arrays *a = &p->network->a;
    for (uint32_t i = 0; i < p->units; i++) {
        uint32_t first = p->members[p->member_offsets[i]];
        for (uint32_t m = p->member_offsets[i]; m < p->member_offsets[i + 1]; m++) {
            uint32_t v = p->members[m];
            if (made->open[v] < made->open[first]) made->open[first] = made->open[v];
            if (made->close[v] > made->close[first]) made->close[first] = made->close[v];
        }
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t i = 0; i < p->units; i++) {
            uint32_t first = p->members[p->member_offsets[i]];
            for (int64_t e = a->indptr[first]; e < a->indptr[first + 1]; e++) {
                uint32_t unit = p->unit_of[a->indices[e]];
                if (unit == UINT32_MAX) continue;
                int32_t close = made->close[p->members[p->member_offsets[unit]]];
                if (close <= made->close[first]) continue;
                made->close[first] = close;
                changed = true;
            }
        }
    }
    for (uint32_t i = 0; i < p->units; i++) {
        uint32_t first = p->members[p->member_offsets[i]];
        for (uint32_t m = p->member_offsets[i]; m < p->member_offsets[i + 1]; m++) {
            made->open[p->members[m]] = made->open[first];
            made->close[p->members[m]] = made->close[first];
        }
    }
}

ioa_status ioa_intervals_from_order(const ioa_interval_problem *problem, const uint32_t *order, ioa_intervals *intervals,
                                    ioa_error *error)
{
    uint64_t n = problem->neurons, w = problem->connections;
    ioa_intervals made;
    ioa_status status = ioa_intervals_create(problem->neurons, &made, error);
    if (status != IOA_OK) return status;
    uint32_t *owned, *missing = ioa_alloc(n, sizeof *missing);
    const uint32_t *destinations = ioa_network_borrow_destinations(problem->network, &owned);
    if (missing && destinations) {
        memset(made.open, 0, n * sizeof *made.open);
        memset(made.close, 0, n * sizeof *made.close);
        read_times(problem->network, order, destinations, missing, &made);
        unite(problem, &made);
        *intervals = made;
    } else {
        ioa_intervals_destroy(&made);
        status = ioa_fail_nomem(error, "intervals", w, sizeof *destinations);
    }
    ioa_free(missing);
    ioa_free(owned);
    return status;
}
