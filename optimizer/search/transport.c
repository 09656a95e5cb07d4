#include "optimizer/search/transport.h"

#include <string.h>

static ioa_status solo_gather(void *context, const int64_t *mine, uint32_t count, int64_t *all, ioa_error *error)
{
    (void)context;
    (void)error;
    memcpy(all, mine, count * sizeof *all);
    return IOA_OK;
}

ioa_transport ioa_transport_solo(void)
{
    return (ioa_transport){.rank = 0, .size = 1, .gather = solo_gather};
}
