/* Which connections of a chunk of rows find their sources by shuffles: sixteen at once, from two pieces of sixteen values each. */
#ifndef IOA_CORE_PLAN_SELL_NEAR_H
#define IOA_CORE_PLAN_SELL_NEAR_H

#include "core/kernel/kernel.h"

/* A connection of a chunk. */
typedef struct ioa_sell_entry {
    uint32_t slot; /* of its source */
    uint32_t edge;
    uint32_t row; /* in the chunk */
} ioa_sell_entry;

typedef struct ioa_sell_near {
    uint16_t piece[2]; /* where they begin, in units of 8 bytes; aligned to 64 bytes */
    uint16_t rows;     /* bit r: row r has a connection here */
} ioa_sell_near;

typedef struct ioa_sell_near_finder ioa_sell_near_finder;

/* For chunks of at most `entries` connections with slots below `slots`. IOA_ERR_NOMEM. */
ioa_status ioa_sell_near_create(uint64_t entries, uint32_t slots, ioa_sell_near_finder **finder, ioa_error *error);
void ioa_sell_near_destroy(ioa_sell_near_finder *finder); /* NULL is allowed */

/* Takes `count` entries, row after row, and finds the columns of the kind that shuffles which make the chunk cheapest: two pieces
 * each, and at most one connection of every row from them. Returns their number; columns[] (borrowed, until the next call) has
 * their pieces and rows. The entries come back with those of these columns in front, column by column and by row, the others
 * behind them, row after row. */
uint32_t ioa_sell_near_find(ioa_sell_near_finder *finder, ioa_sell_entry *entries, uint64_t count, const ioa_sell_near **columns);

#endif
