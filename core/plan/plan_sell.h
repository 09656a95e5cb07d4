/* Streams for single samples: sixteen rows at a time, their connections transposed (SELL), with 16-bit indices. */
#ifndef IOA_CORE_PLAN_SELL_H
#define IOA_CORE_PLAN_SELL_H

#include "core/kernel/kernel.h"
#include "core/model/plan_steps.h"

typedef struct ioa_sell_stream {
    void *stream; /* owned, as the next one */
    uint32_t *slot; /* [N] place of a value, IOA_NO_SLOT where it is not needed */
    uint32_t slots; /* values in all */
    uint32_t zero, first; /* the place of one that is 0, and of the first chunk's */
    size_t bytes;
    uint64_t chunks;
    uint64_t shared, near, columns; /* of all chunks: shared sources, columns of both kinds, */
    uint64_t registers;             /* and registers of weights and all else */
} ioa_sell_stream;

/* Inputs are in one piece, in their sequence, from slot 0 on. `steps` hold whole rows (layouts ROWS and SORTED); up to sixteen rows in
 * sequence share a chunk if they do not depend on each other and have the same activation. Sources that feed all of them are loaded
 * once. `near`: for kernels that find sources by shuffles. `sort`: rows of one length whose sources are near each other stand together.
 * IOA_ERR_INPUT for more than 65,536 values; IOA_ERR_NOMEM. */
ioa_status ioa_sell_make(const ioa_network *network, const ioa_plan_steps *steps, bool near, bool sort, ioa_sell_stream *sell,
                         ioa_error *error);

/* Puts rows that share sources together, sixteen at a time. IOA_ERR_NOMEM. */
ioa_status ioa_sell_bring_together(const ioa_network *network, ioa_plan_steps *steps, ioa_error *error);

void ioa_sell_clear(ioa_sell_stream *sell);

#endif
