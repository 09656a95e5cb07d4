/* Measured times of inference: what `ioanneal bench` prints and what archives keep under measured/. */
#ifndef IOA_CORE_MEASURE_H
#define IOA_CORE_MEASURE_H

#include <ioanneal/network.h>
#include <ioanneal/plan.h>
#include <stdint.h>

typedef struct ioa_quartiles {
    double q1, median, q3;
} ioa_quartiles;

/* The machine as data; filled by io/machine.h or invented by a test. */
typedef struct ioa_machine {
    char cpu[128];      /* model name */
    uint64_t l1d_bytes; /* of one core; 0 if unknown, as all sizes here */
    uint64_t l2_bytes;
    uint64_t l3_bytes;
    uint32_t cores;
    uint64_t memory_bytes; /* of the node */
} ioa_machine;

/* One measurement. Competitors are interleaved: repetition i times each of them once, one after the other, so that a
 * machine that changes its speed changes it for all; speedups are ratios within a repetition. Seconds per pass over
 * the whole batch. */
typedef struct ioa_measurement {
    uint32_t batch;
    uint32_t threads;
    uint32_t repeats;
    uint32_t tile;       /* T of the chosen plan */
    char kernel[64];     /* chosen plan, for example "run-avx512/rows" */
    double *schedule;    /* [repeats] best plan for the schedule's order; owned, as the next ones */
    double *layered;     /* [repeats] the same kind of plan in layered order */
    double *csr;         /* [repeats] layer-wise CSR baseline */
    double *mkl;         /* [repeats], or NULL where not built in */
    double max_abs_error; /* of the schedule's plan against the float64 reference */
    double max_rel_error; /* the same over max(1, |reference|) */
    double error_bound;   /* what max_rel_error was allowed to be */
    double gflops;        /* 2 W batch / median schedule seconds / 1e9 */
    ioa_quartiles speedup_order;  /* layered / schedule: the order's share */
    ioa_quartiles speedup_kernel; /* csr / layered: the kernel's share */
    ioa_quartiles speedup_csr;    /* csr / schedule: the whole */
    ioa_quartiles speedup_mkl;    /* mkl / schedule; all 0 where not built in */
} ioa_measurement;

void ioa_measurement_clear(ioa_measurement *measurement); /* frees the arrays, zeroes the rest */

#endif
