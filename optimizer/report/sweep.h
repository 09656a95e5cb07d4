/* I/O against the size of the fast memory: counted for the layered order and for given orders, bounded from below. */
#ifndef IOA_REPORT_SWEEP_H
#define IOA_REPORT_SWEEP_H

#include <ioanneal/memory.h>
#include <ioanneal/network.h>

typedef struct report_sweep {
    uint32_t count;       /* memory sizes */
    uint64_t *memory;     /* [count] ascending */
    uint64_t *layered;    /* [count] reads + writes of the layered order */
    uint64_t *certified;  /* [count] no order needs less (core/bounds/bounds.h) */
    uint64_t *order;      /* [orders * count] reads + writes of each order, order by order */
} report_sweep;

typedef struct report_sweep_config {
    const ioa_network *network;
    ioa_policy policy;
    const uint64_t *sizes;         /* [size_count] that must be among them */
    uint32_t size_count;
    const uint32_t *const *orders; /* [order_count], each [W] and legal */
    uint32_t order_count;
    void (*progress)(void *context, double share); /* from one thread at a time; may be NULL */
    void *context;
} report_sweep_config;

/* Sizes: powers of two (or four, on large networks) around those that must be there, up to the first that holds the
 * whole network. All cores work. On failure nothing is left. IOA_ERR_NOMEM. */
ioa_status report_sweep_run(const report_sweep_config *config, report_sweep *sweep, ioa_error *error);

void report_sweep_clear(report_sweep *sweep);

#endif
