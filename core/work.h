/* The work of an inference, as the machine sees it: for judging which of its limits binds. */
#ifndef IOA_CORE_WORK_H
#define IOA_CORE_WORK_H

#include "core/compile.h"

#include <ioanneal/plan.h>
#include <stdbool.h>

/* What one pass over the batch asks of the machine. */
typedef struct ioa_work {
    double flops;                    /* executed, in the lanes that hold samples */
    double load_bytes;               /* load instructions times the width of a register */
    double value_bytes, value_set;   /* values read, and the bytes they live in */
    double stream_bytes, stream_set; /* weights and indices, likewise */
    double fetch_bytes;              /* instructions from beyond L1; 0 but for compiled code */
    bool panelled;                   /* panels keep the values in L1 */
} ioa_work;

ioa_work ioa_plan_work(const ioa_plan *plan, size_t batch);
ioa_work ioa_code_work(const ioa_code *code, size_t batch);

#endif
