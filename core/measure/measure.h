/* Measured times of inference: what `ioanneal bench` prints and what archives keep under measured/. */
#ifndef IOA_CORE_MEASURE_H
#define IOA_CORE_MEASURE_H

#include "core/base/quartiles.h"
#include "core/compile/work.h"
#include "core/plan/plan_contest.h"
#include "core/plan/plan_exact.h"

#include <ioanneal/network.h>
#include <ioanneal/plan.h>
#include <stdbool.h>
#include <stdint.h>

/* The machine as data; filled by io/base/machine.h or invented by a test. */
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
    char kernel[IOA_PLAN_NAME];   /* chosen plan, as named by ioa_plan_options_name */
    char baseline[IOA_PLAN_NAME]; /* the best plain CSR, likewise */
    ioa_candidate *candidates; /* [candidate_count] what the plan was chosen among, and their times; owned */
    uint32_t candidate_count;
    double *schedule;    /* [repeats] best plan for the schedule's order; owned, as the next ones */
    double *layered;     /* [repeats] the same kind of plan in layered order */
    double *csr;         /* [repeats] layer-wise CSR baseline */
    double *mkl;         /* [repeats], or NULL where not built in */
    ioa_exactness exactness; /* of the schedule's plan */
    ioa_work work;        /* of the schedule's plan */
    double packing;       /* of the schedule's time, what packing and unpacking take (ioa_contest_packing); 0: not known */
    double gflops;        /* 2 W batch / median schedule seconds / 1e9 */
    ioa_quartiles speedup_order;  /* layered / schedule: the order's share */
    ioa_quartiles speedup_kernel; /* csr / layered: the kernel's share */
    ioa_quartiles speedup_csr;    /* csr / schedule: the whole */
    ioa_quartiles speedup_mkl;    /* mkl / schedule; all 0 where not built in */
} ioa_measurement;

typedef struct ioa_measure_options {
    uint32_t batch;   /* samples per pass, at least 1 */
    uint32_t threads; /* of every competitor, each with batch tiles of its own; 0: 1 */
    uint32_t repeats; /* of the interleaved timing; 0: as many as `seconds` allow, 5 to 101 */
    double seconds;   /* for everything; <= 0: 10. Kept to as far as single passes allow: candidates not yet tried are
                         left out and repetitions cut to 3 */
    ioa_isa isa;      /* of plans and baseline; AUTO: the best */
    const ioa_plan_options *plan; /* measure this plan; NULL: choose one */
    uint64_t seed;    /* of the inputs */
} ioa_measure_options;

/* Measures inference of a network on this machine.
 *
 * A plan is chosen as by ioa_plan_choose. Then it, the same kind of plan in layered order, the best plain CSR, and MKL
 * where it is built in, run interleaved. If plain CSR comes out faster after all, it is the plan: an order never makes
 * inference slower. Where the plan ignores the order, it and the one in layered order are one, timed once, and the
 * order's share is exactly 1; likewise the plan and the baseline where the plan is plain CSR. A plan that is given is
 * measured as it is.
 * Exactness is that of the plan in the end, on a small batch.
 * `order` [W] is a legal order, or NULL: layered. On success *out is filled (any former content is overwritten, not
 * freed); release it with ioa_measurement_clear. IOA_ERR_INPUT for impossible options; IOA_ERR_NOMEM. */
ioa_status ioa_measure(const ioa_network *network, const uint32_t *order, const ioa_measure_options *options,
                       ioa_measurement *out, ioa_error *error);

void ioa_measurement_clear(ioa_measurement *measurement); /* frees the arrays, zeroes the rest */

#endif
