/* What this machine can do at best, measured, and how close a kernel came to it. */
#ifndef IOA_CORE_LIMITS_H
#define IOA_CORE_LIMITS_H

#include "core/measure.h"

/* Of one core; 0: could not be measured. */
typedef struct ioa_limits {
    double fma_gflops;        /* multiply-adds on registers */
    double fma_memory_gflops; /* with one operand from L1 each */
    double l1_gbps;           /* reading; GB = 1e9 bytes */
    double l2_gbps;
    double l3_gbps;
    double dram_gbps;
    double fetch_gbps;        /* straight-line instructions from L2; 0 where no code can be made */
} ioa_limits;

/* About `seconds` in all (<= 0: half a second), from buffers sized by the machine's caches. IOA_ERR_NOMEM. */
ioa_status ioa_limits_measure(const ioa_machine *machine, ioa_isa isa, double seconds, ioa_limits *limits,
                              ioa_error *error);

/* The resource that alone would take longest for the work of one pass: "fma", "load-ports", "fetch", "l2", "l3" or
 * "dram", each at its measured rate; *share is that time over `seconds`, the measured time of the pass by one thread
 * (of several, times their number). Where values and streams come from is judged by what fits into which cache, so
 * shares are estimates; NULL if nothing could be measured. */
const char *ioa_limits_judge(const ioa_limits *limits, const ioa_machine *machine, const ioa_work *work,
                             double seconds, double *share);

/* Limits and judgement together. */
typedef struct ioa_limit_report {
    ioa_limits limits;
    char binding[16]; /* "" if nothing could be judged */
    double share;
} ioa_limit_report;

/* Measures the machine for about `seconds` and judges a measurement by it. IOA_ERR_NOMEM. */
ioa_status ioa_limits_report(const ioa_machine *machine, ioa_isa isa, const ioa_measurement *measurement, double seconds,
                             ioa_limit_report *report, ioa_error *error);

#endif
