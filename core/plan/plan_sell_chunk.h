/* Chunks of up to sixteen rows: what of their connections goes where, and how they are written (core/kernel/kernel.h). */
#ifndef IOA_CORE_PLAN_SELL_CHUNK_H
#define IOA_CORE_PLAN_SELL_CHUNK_H

#include "core/model/plan_steps.h"
#include "core/plan/plan_sell_near.h"

/* A row of the matrix. */
typedef struct ioa_sell_row {
    uint64_t from;  /* its first step; */
    uint32_t count; /* the others follow */
    uint32_t neuron;
    uint32_t key; /* what rows are sorted by */
} ioa_sell_row;

/* A chunk, but for what ioa_sell_drafter knows of the last one. */
typedef struct ioa_sell_draft {
    ioa_sell_chunk shape;
    const ioa_sell_row *row; /* [rows], borrowed */
    uint32_t rows;
    uint64_t entries; /* connections from sources that do not feed all rows */
} ioa_sell_draft;

typedef struct ioa_sell_feed ioa_sell_feed;

typedef struct ioa_sell_drafter {
    const ioa_network *network; /* borrowed, as the next three */
    const ioa_plan_steps *steps;
    const uint32_t *slot; /* [N] */
    uint32_t zero;        /* slot of a 0 */
    ioa_sell_feed *feeds; /* [N] owned, as the next ones */
    ioa_sell_entry *entries;
    ioa_sell_near_finder *finder; /* NULL: no near columns */
    const ioa_sell_near *near;    /* of the last chunk; of the finder */
    uint32_t chunk;
} ioa_sell_drafter;

/* `slot` is filled while chunks are made; all slots are below `slots`. `near`: find connections for shuffles. On failure there is
 * nothing to be closed. IOA_ERR_NOMEM. */
ioa_status ioa_sell_drafter_open(const ioa_network *network, const ioa_plan_steps *steps, const uint32_t *slot, uint32_t zero,
                                 uint32_t slots, bool near, ioa_sell_drafter *drafter, ioa_error *error);
void ioa_sell_drafter_close(ioa_sell_drafter *drafter);

/* Makes a chunk of 1 to 16 rows whose sources have slots. */
void ioa_sell_draft_make(ioa_sell_drafter *drafter, const ioa_sell_row *row, uint32_t rows, ioa_sell_draft *draft);

/* What it takes: places, and registers. */
size_t ioa_sell_draft_places(const ioa_sell_draft *draft);
size_t ioa_sell_draft_registers(const ioa_sell_draft *draft);

/* Writes the last chunk made, over zeros. */
void ioa_sell_draft_write(const ioa_sell_drafter *drafter, const ioa_sell_draft *draft, uint16_t *place,
                          float (*reg)[IOA_SELL_ROWS]);

#endif
