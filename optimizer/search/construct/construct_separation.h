/* Plays of the game of first accesses (core/bounds/bounds.h, F) for networks that have no cheap one, by beam search. */
#ifndef IOA_SEARCH_CONSTRUCT_SEPARATION_H
#define IOA_SEARCH_CONSTRUCT_SEPARATION_H

#include "core/bounds/separation.h"

typedef struct ioa_separation_beam {
    const ioa_separation *game;
    uint32_t width;  /* states kept of every number of touched neurons, the most promising ones */
    uint32_t weight; /* of cost, against slots in use */
    ioa_separation_visit *visit;  /* is shown the plays that come out, until it is content */
    bool (*stop)(void *context);  /* looked at now and then: ends the search */
    void *context;                /* of both */
} ioa_separation_beam;

/* Deterministic unless stopped. IOA_ERR_NOMEM. */
ioa_status ioa_separation_beam_search(const ioa_separation_beam *beam, ioa_error *error);

#endif
