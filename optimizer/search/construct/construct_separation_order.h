/* From plays of the game of first accesses (core/bounds/bounds.h, F) to orders: the best one, and some that are nearly as good. */
#ifndef IOA_SEARCH_CONSTRUCT_SEPARATION_ORDER_H
#define IOA_SEARCH_CONSTRUCT_SEPARATION_ORDER_H

#include "core/bounds/separation.h"
#include "optimizer/search/construct/construct.h"

#define IOA_PLAYED_KEPT 8u

typedef struct ioa_played {
    const ioa_network *network;
    uint64_t memory;
    uint64_t excess;  /* of `order` under MIN */
    uint32_t *order;  /* [W] the caller's: the best so far */
    uint32_t *kept;   /* [IOA_PLAYED_KEPT][W] the best orders of plays, of different spilled neurons, in no sequence */
    ioa_set kept_spilled[IOA_PLAYED_KEPT];
    uint64_t kept_excess[IOA_PLAYED_KEPT];
    uint32_t kept_count;
    uint64_t plays;   /* that became orders */
    uint32_t in_vain; /* plays since the best was lowered; the caller may set it to 0 */
    bool *present;     /* [N] scratch: reached, and not absent */
    bool *done;        /* [W] */
    uint32_t *missing; /* [N] incoming connections to be handled */
    uint32_t *next;    /* [W], `at` of them filled */
    uint64_t at;
    ioa_construct_limits *limits; /* or NULL */
    ioa_status status; /* the first thing that failed; after it nothing is tried */
    ioa_error *error;
} ioa_played;

/* Looks for plays, shows them to ioa_played_visit, and leaves in `status` what failed; may change the game's weights. */
typedef void ioa_played_search(ioa_played *played, ioa_separation *game, const void *how);

/* The best order [W] of the plays that `search` finds, told `how`; never worse than the layered one, which it is for networks
 * without a game. IOA_ERR_NOMEM. */
ioa_status ioa_played_construct(const ioa_network *network, uint64_t memory, ioa_played_search *search, const void *how,
                                ioa_construct_limits *limits, uint32_t *order, ioa_error *error);

/* Counts a legal order [W], `played->order` or another one that becomes it if it is better. Gives its excess, UINT64_MAX where
 * counting failed. */
uint64_t ioa_played_offer(ioa_played *played, const uint32_t *order);

/* Visits a play, if it may cost less than the best order; `played` is an ioa_played. Has enough (true) of plays where
 * something failed, nothing is left to gain, or 200 plays brought nothing. */
bool ioa_played_visit(const ioa_separation_moves *moves, void *played);

bool ioa_played_told_to_stop(void *played); /* by its limits */

#endif
