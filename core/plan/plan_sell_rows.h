/* The rows of single samples, in the sequence in which chunks of sixteen are made of them. */
#ifndef IOA_CORE_PLAN_SELL_ROWS_H
#define IOA_CORE_PLAN_SELL_ROWS_H

#include "core/plan/plan_sell_chunk.h"

typedef struct ioa_sell_rows {
    const ioa_network *network; /* borrowed, as the next two */
    const ioa_plan_steps *steps;
    const uint32_t *slot; /* [N] IOA_NO_SLOT where a value has none yet */
    ioa_sell_row *row;    /* [count] owned, as the next one */
    uint32_t *pieces;     /* how many connections of the chunk in hand come from a piece of sixteen slots */
    uint64_t count;
    uint64_t sorted; /* rows up to here are */
    bool sort;
} ioa_sell_rows;

/* The rows of the steps, as these have them. `sort`: rows of one length that do not depend on each other are moved, so that those
 * whose sources are near each other stand together. All slots will be below `slots`. On failure there is nothing to be closed.
 * IOA_ERR_NOMEM. */
ioa_status ioa_sell_rows_open(const ioa_network *network, const ioa_plan_steps *steps, const uint32_t *slot, uint32_t slots,
                              bool sort, ioa_sell_rows *rows, ioa_error *error);
void ioa_sell_rows_close(ioa_sell_rows *rows);

/* All sources of a row have slots. */
bool ioa_sell_rows_ready(const ioa_sell_rows *rows, uint64_t at);

/* How many rows from `at` on, which is ready, make a chunk: they are ready as well, and have the same activation. */
uint32_t ioa_sell_rows_chunk(ioa_sell_rows *rows, uint64_t at);

#endif
