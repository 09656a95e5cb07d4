/* Memory that the ranks of a node share (MPI-3 windows), and the network in it: read from the file by one rank per node,
 * straight into the window, chunk by chunk; the others map it and cannot write to it.
 *
 * Ranks are of one node if MPI says so (MPI_COMM_TYPE_SHARED). IOANNEAL_RANKS_PER_NODE=n cuts nodes into groups of at
 * most n ranks, as if they were nodes of their own: for tests of several nodes on one machine, and for machines whose
 * shared memory is too small; where a window cannot be had, every rank becomes a node of its own. */
#ifndef IOA_MPI_NODE_H
#define IOA_MPI_NODE_H

#include <ioanneal/network.h>
#include <mpi.h>
#include <stdbool.h>

typedef struct ioa_node {
    MPI_Comm everyone; /* borrowed */
    MPI_Comm mates;    /* ranks of this node; rank 0 of it leads */
    MPI_Comm leaders;  /* one rank per node; MPI_COMM_NULL on the others */
    int rank;          /* in mates */
    int index;         /* of this node */
    int nodes;
    bool apart;        /* shared memory was short, so that every rank is a node of its own */
} ioa_node;

/* Memory of a node. Written by anyone until it is sealed. */
typedef struct ioa_node_window {
    MPI_Win window;
    void *base; /* the same memory on all ranks of the node, aligned to 64 bytes */
    uint64_t bytes;
    bool open, sealed;
} ioa_node_window;

/* All of these are collective over `everyone`. */

void ioa_node_open(MPI_Comm everyone, ioa_node *node);
void ioa_node_close(ioa_node *node); /* an all-zero one is allowed */

/* `bytes` of memory on each node, not cleared. IOA_ERR_NOMEM on all ranks or none. If only shared memory is short, the
 * nodes are cut up (see above) and it is tried again: so the first window to be made should be the largest. */
ioa_status ioa_node_window_create(ioa_node *node, uint64_t bytes, ioa_node_window *window, ioa_error *error);
void ioa_node_window_destroy(ioa_node_window *window); /* an all-zero one is allowed */

/* Makes what any rank of the node has written visible to all of them. */
void ioa_node_window_sync(const ioa_node *node, const ioa_node_window *window);

/* From the node with that index to all others. */
void ioa_node_window_broadcast(const ioa_node *node, const ioa_node_window *window, int index);

/* From now on no rank can write to it by mistake. */
void ioa_node_window_seal(ioa_node_window *window);

/* Reads a network file, rules and hashes checked once per node and once. `window` holds the network and must outlive it. */
ioa_status ioa_node_read_network(ioa_node *node, const char *path, ioa_node_window *window, ioa_network **network,
                                 ioa_error *error);

#endif
