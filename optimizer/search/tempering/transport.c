#include "optimizer/search/tempering/transport.h"

#include <string.h>

static ioa_status solo_gather(void *context, const int64_t *mine, uint32_t count, int64_t *all, ioa_error *error)
{
    (void)context;
    (void)error;
    memcpy(all, mine, count * sizeof *all);
    return IOA_OK;
}

static void solo_collect(void *context, const int64_t *mine, uint32_t count, int64_t *all)
{
    (void)solo_gather(context, mine, count, all, NULL);
}

/* A worker alone has what it shares, and hands nothing to itself. */
static void solo_share(void *context, uint32_t from, void *bytes, uint64_t count)
{
    (void)context;
    (void)from;
    (void)bytes;
    (void)count;
}

static void solo_hand(void *context, uint32_t from, uint32_t to, void *bytes, uint64_t count)
{
    (void)to;
    solo_share(context, from, bytes, count);
}

ioa_transport ioa_transport_solo(void)
{
    return (ioa_transport){.rank = 0, .size = 1, .gather = solo_gather, .collect = solo_collect,
                           .share = solo_share, .hand = solo_hand};
}
