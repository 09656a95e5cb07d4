/* What this machine can do at best, measured, and how close a kernel came to it. */
#ifndef IOA_CORE_LIMITS_H
#define IOA_CORE_LIMITS_H

#include "core/measure/measure.h"

/* Of one core; 0: could not be measured. GB = 1e9 bytes. */
typedef struct ioa_limits {
    double fma_gflops;        /* multiply-adds on registers */
    double fma_memory_gflops; /* with one operand from L1 each */
    double l1_gbps;           /* reading one line after the other */
    double l2_gbps;
    double l3_gbps;
    double dram_gbps;
    double fetch_gbps;        /* straight-line instructions from L2; 0 where no code can be made */
    double l2_lines_gbps;     /* lines of L2 in no order, three read and one written in turn */
    double l1_write_gbps;     /* writing one line after the other; beyond L1 a line is fetched first and written back */
    double l2_write_gbps;
    double l3_write_gbps;
    double dram_write_gbps;
} ioa_limits;

/* About `seconds` in all (<= 0: half a second), from buffers sized by the machine's caches. IOA_ERR_NOMEM. */
ioa_status ioa_limits_measure(const ioa_machine *machine, ioa_isa isa, double seconds, ioa_limits *limits,
                              ioa_error *error);

/* How close to the machine's limits a pass came that took `seconds` (of one thread; of several, times their number).
 *
 * A pass packs, computes and unpacks, one after the other, and neither part takes less than the resource of which it
 * needs most: multiply-adds ("fma"), loads and stores ("load-ports", "store-ports"), instructions beyond L1 ("fetch"),
 * and what is read and written in "l2", "l3" and "dram", instructions beyond L1 included, each at its measured rate:
 * single lines, read or written, at that of lines in no order. Multiply-adds count in all lanes of a register: a single
 * sample keeps the units as busy as sixteen.
 * *share is the sum of both parts' least times over `seconds`; the name is that of the resource with most of that
 * time. NULL if nothing could be measured.
 *
 * Where values, streams and code come from is judged by what fits into which cache: of a set that is walked through
 * evenly, a cache holds as much as has room beside what is used more often. So shares are estimates. */
const char *ioa_limits_judge(const ioa_limits *limits, const ioa_machine *machine, const ioa_work *work,
                             double seconds, double *share);

/* Limits and judgement together. */
typedef struct ioa_limit_report {
    ioa_limits limits;
    char binding[16]; /* "" if nothing could be judged */
    double share;
    double executed_gflops; /* of one core, in lanes that hold samples; without connections that no output needs */
    double memory_share;    /* of multiply-adds with a memory operand, as measured; 0: not known */
    double memory_computing; /* the same share while the plan computes, without the time packing takes; 0: not known */
    double memory_reach;    /* the most of that share that compiled code can reach, as its loads of values take their turns at
                               the load ports: operands / all loads. 0: not compiled code */
} ioa_limit_report;

/* Measures the machine for about `seconds` and judges a measurement by it. IOA_ERR_NOMEM. */
ioa_status ioa_limits_report(const ioa_machine *machine, ioa_isa isa, const ioa_measurement *measurement, double seconds,
                             ioa_limit_report *report, ioa_error *error);

#endif
