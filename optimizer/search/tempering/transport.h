/* What the tempering loop needs from whoever runs it. MPI fills this in (optimizer/mpi/), a single process needs
 * nothing but ioa_transport_solo; the loop itself is the same. */
#ifndef IOA_SEARCH_TRANSPORT_H
#define IOA_SEARCH_TRANSPORT_H

#include <ioanneal/status.h>
#include <stdint.h>

typedef struct ioa_transport {
    void *context;
    uint32_t rank; /* of this worker */
    uint32_t size; /* workers, >= 1 */
    /* Every worker contributes `count` numbers and receives size * count, worker by worker. Collective. */
    ioa_status (*gather)(void *context, const int64_t *mine, uint32_t count, int64_t *all, ioa_error *error);
    /* The same, but worker 0 alone receives; elsewhere `all` is NULL, and the call need not wait for the others. Collective. */
    void (*collect)(void *context, const int64_t *mine, uint32_t count, int64_t *all);
    /* Worker `from` gives its bytes to all others. Collective. */
    void (*share)(void *context, uint32_t from, void *bytes, uint64_t count);
    /* Moves bytes between two different workers, which both call it: read on `from`, filled in on `to`. */
    void (*hand)(void *context, uint32_t from, uint32_t to, void *bytes, uint64_t count);
} ioa_transport;

/* A worker alone. */
ioa_transport ioa_transport_solo(void);

#endif
