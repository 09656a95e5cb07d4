/* Inside of a network, for core, io and optimizer; see <ioanneal/network.h> for the rules it obeys. */
#ifndef IOA_CORE_NETWORK_H
#define IOA_CORE_NETWORK_H

#include <ioanneal/network.h>
#include <stdbool.h>

struct ioa_network {
    ioa_network_arrays a;   /* owned, unless `borrowed` */
    uint64_t connections;   /* W = a.indptr[N] */
    bool *is_input;         /* [N] likewise */
    bool *is_output;        /* [N] likewise */
    uint32_t *destinations; /* [W] likewise; of each connection. NULL: nobody keeps them, use ioa_network_destinations */
    ioa_bounds bounds;
    bool borrowed;          /* the arrays are somebody else's: memory that processes of a node share, for example */
};

/* Memory of the caller's for a whole network: everything ioa_network points to. */
typedef struct ioa_network_memory {
    ioa_network_arrays a;
    bool *is_input, *is_output; /* [N] */
    uint32_t *destinations;     /* [W] */
} ioa_network_memory;

/* A network in memory of the caller's, which must outlive it: `memory->a` is filled in and is validated as by
 * ioa_network_create, the rest is filled here. On failure nothing is kept. */
ioa_status ioa_network_create_in(const ioa_network_memory *memory, ioa_network **network, ioa_error *error);

/* The same where another process has done that: nothing is looked at. */
ioa_status ioa_network_map(const ioa_network_memory *memory, ioa_bounds bounds, ioa_network **network, ioa_error *error);

/* Keeps the destinations with the network from now on: 4 bytes per connection, once instead of once per user. */
ioa_status ioa_network_keep_destinations(ioa_network *network, ioa_error *error);

/* The destinations for as long as the network lives: those it keeps, or a copy in *owned (NULL otherwise), to be
 * released by ioa_free. NULL if memory is out. */
const uint32_t *ioa_network_borrow_destinations(const ioa_network *network, uint32_t **owned);

/* Destination of each connection, [W]: fills `destinations` from the row offsets. */
void ioa_network_destinations(const ioa_network *network, uint32_t *destinations);

/* Transposed pattern: the outgoing connections of each neuron, destinations ascending.
 * offsets [N + 1], edges [W] (connection ids), destinations [W]; any of the last two may be NULL.
 * Arrays come from the caller. */
void ioa_network_outgoing(const ioa_network *network, int64_t *offsets, uint32_t *edges, uint32_t *destinations);

/* Has the activation a parameter? */
static inline bool ioa_activation_takes_param(unsigned activation)
{
    return activation == IOA_ACT_LEAKY_RELU || activation == IOA_ACT_CLIPPED_RELU;
}

/* Releases arrays that were never handed to ioa_network_create, and zeroes them. */
void ioa_network_arrays_free(ioa_network_arrays *arrays);

#endif
