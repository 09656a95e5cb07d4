/* Measured times of inference: what `ioanneal bench` prints and what archives keep under measured/. */
#ifndef IOA_CORE_MEASURE_H
#define IOA_CORE_MEASURE_H

#include "core/work.h"

#include <ioanneal/network.h>
#include <ioanneal/plan.h>
#include <stdbool.h>
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
    char kernel[64];     /* chosen plan: "run-avx512/rows", "run-avx512/shared-rows/128" (panel) or "compiled-avx512/2000x4" (segment x group) */
    char baseline[64];   /* chosen baseline, for example "csr-avx512/64/layers" */
    double *schedule;    /* [repeats] best plan for the schedule's order; owned, as the next ones */
    double *layered;     /* [repeats] the same kind of plan in layered order */
    double *csr;         /* [repeats] layer-wise CSR baseline */
    double *mkl;         /* [repeats], or NULL where not built in */
    double max_abs_error; /* of the schedule's plan against the float64 reference */
    double max_rel_error; /* the same over max(1, |reference|) */
    double error_bound;   /* what max_rel_error was allowed to be: the largest bound of core/reference.h, likewise */
    bool within_bound;    /* every single output lay within its own bound */
    bool all_zero;        /* every output of the reference was 0 whatever the inputs: the check above proves nothing */
    ioa_work work;        /* of the schedule's plan */
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
    uint64_t seed;    /* of the inputs */
} ioa_measure_options;

/* Measures inference of a network on this machine.
 *
 * Candidates are plans of all layouts and of the tiles that suit the batch, SORTED (which needs no order) among them,
 * so that a schedule is never slower than none, and the order compiled (core/compile.h); a short interleaved timing
 * picks one for the schedule. Then the schedule's plan, the same kind of plan in layered order, and the best of
 * several CSR baselines run interleaved.
 * If the chosen layout is SORTED, SHARED_SORTED or SELL, which ignore the order, the two plans are one, timed once, and the order's share
 * is exactly 1.
 * Exactness is checked on a small batch against ioa_reference_run.
 * `order` [W] is a legal order, or NULL: layered. On success *out is filled (any former content is overwritten, not
 * freed); release it with ioa_measurement_clear. IOA_ERR_INPUT for impossible options; IOA_ERR_NOMEM. */
ioa_status ioa_measure(const ioa_network *network, const uint32_t *order, const ioa_measure_options *options,
                       ioa_measurement *out, ioa_error *error);

/* First quartile, median and third quartile of `count` >= 1 values, interpolated linearly; sorts `values`. */
ioa_quartiles ioa_quartiles_of(double *values, uint32_t count);

void ioa_measurement_clear(ioa_measurement *measurement); /* frees the arrays, zeroes the rest */

#endif
