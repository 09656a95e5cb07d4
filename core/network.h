/* Inside of a network, for core, io and optimizer; see <ioanneal/network.h> for the rules it obeys. */
#ifndef IOA_CORE_NETWORK_H
#define IOA_CORE_NETWORK_H

#include <ioanneal/network.h>
#include <stdbool.h>

struct ioa_network {
    ioa_network_arrays a; /* owned */
    uint64_t connections; /* W = a.indptr[N] */
    bool *is_input;       /* [N] owned */
    bool *is_output;      /* [N] owned */
    ioa_bounds bounds;
};

/* Destination of each connection, [W]: fills `destinations` from the row offsets. */
void ioa_network_destinations(const ioa_network *network, uint32_t *destinations);

/* Transposed pattern: the outgoing connections of each neuron, destinations ascending.
 * offsets [N + 1], edges [W] (connection ids), destinations [W]; any of the last two may be NULL.
 * Arrays come from the caller. */
void ioa_network_outgoing(const ioa_network *network, int64_t *offsets, uint32_t *edges, uint32_t *destinations);

/* Releases arrays that were never handed to ioa_network_create, and zeroes them. */
void ioa_network_arrays_free(ioa_network_arrays *arrays);

#endif
