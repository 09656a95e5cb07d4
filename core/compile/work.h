/* The work of an inference, as the machine sees it: for judging which of its limits binds. */
#ifndef IOA_CORE_WORK_H
#define IOA_CORE_WORK_H

#include "core/compile/compile.h"

#include <ioanneal/plan.h>
#include <stdbool.h>

/* What one pass over the batch asks of the machine: first x is packed into batch tiles, then they are computed, then y
 * is unpacked. */
typedef struct ioa_work {
    double flops;                    /* executed, in the lanes that hold samples */
    double lane_flops;               /* the same in all lanes, which keep the units as busy where they hold none; 0: as flops */
    double load_bytes;               /* load instructions times the width of a register */
    double operand_share;            /* of the loads, those that are operands of multiply-adds in lanes that hold samples: what load
                                        ports leave of the rate of such multiply-adds; 0: not known, but for compiled code */
    double write_bytes;              /* store instructions likewise; 0 where they are few beside the loads */
    double value_bytes, value_set;   /* values read, and the bytes they live in */
    double stream_bytes, stream_set; /* weights and indices, and code that is fetched with them, likewise */
    double fetch_bytes;              /* instructions from beyond L1; 0 but for compiled code */
    double tile_set;                 /* of value_set, what one tile takes; 0: all */
    double packed_bytes;             /* x and y: packed and unpacked; 0: used as they are */
    double panel_set;                /* of tile_set, what a panel goes through again and again; 0: there are no panels */
    bool lines;                      /* values are read and written a line here, a line there */
} ioa_work;

ioa_work ioa_plan_work(const ioa_plan *plan, size_t batch);
ioa_work ioa_code_work(const ioa_code *code, size_t batch);

/* What of ioa_plan_run is not the computing: x is packed into the scratch, and what the scratch has unpacked into y. To see
 * how long that takes. False, and nothing done, for plans of one sample and plain CSR. */
bool ioa_plan_pack(const ioa_plan *plan, const float *x, float *y, size_t batch, void *scratch);

#endif
