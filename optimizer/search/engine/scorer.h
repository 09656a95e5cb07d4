/* The exact cost of orders, many of one network: the I/O of one memory, or the weighted sum over several levels. */
#ifndef IOA_SEARCH_SCORER_H
#define IOA_SEARCH_SCORER_H

#include "core/model/objective.h"

typedef struct ioa_scorer ioa_scorer; /* used by one thread at a time */

/* The network must outlive the scorer. As ioa_simulator_create. */
ioa_status ioa_scorer_create(const ioa_network *network, const ioa_objective *objective, ioa_scorer **scorer,
                             ioa_error *error);
void ioa_scorer_destroy(ioa_scorer *scorer); /* NULL is allowed */

/* Total of a legal order [W] (ioa_objective_total). Cannot fail. */
uint64_t ioa_scorer_total(ioa_scorer *scorer, const uint32_t *order);

/* Takes an order [W] out of `bytes`, from any address, into `order`. IOA_ERR_INPUT unless it is legal and costs what is
 * claimed. */
ioa_status ioa_scorer_take(ioa_scorer *scorer, const void *bytes, uint64_t claimed, uint32_t *order, ioa_error *error);

#endif
