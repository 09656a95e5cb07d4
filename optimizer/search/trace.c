#include "optimizer/search/trace.h"

#include "core/mem.h"

#include <string.h>

void ioa_trace_clear(ioa_trace *trace)
{
    ioa_free(trace->best);
    ioa_free(trace->proposals);
    ioa_free(trace->round_trips);
    ioa_free(trace->energy);
    ioa_free(trace->temperature);
    ioa_free(trace->acceptance);
    ioa_free(trace->swap);
    ioa_free(trace->replica_at);
    memset(trace, 0, sizeof *trace);
}

static bool grow(void **array, uint64_t used, uint64_t wanted, size_t size)
{
    void *larger = ioa_alloc(wanted, size);
    if (!larger) return false;
    if (used) memcpy(larger, *array, used * size);
    ioa_free(*array);
    *array = larger;
    return true;
}

ioa_status ioa_trace_reserve(ioa_trace *t, uint64_t rounds, ioa_error *error)
{
    if (rounds <= t->capacity) return IOA_OK;
    uint64_t k = t->replicas, wanted = rounds < 64 ? 64 : rounds + rounds / 2;
    struct {
        void *array;
        uint64_t width;
        size_t size;
    } columns[] = {{t->best, 1, 8},        {t->proposals, 1, 8},  {t->round_trips, 1, 8}, {t->energy, k, 8},
                   {t->temperature, k, 8}, {t->acceptance, k, 8}, {t->swap, k, 8},        {t->replica_at, k, 4}};
    bool fits = true;
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        fits = fits && grow(&columns[i].array, t->rounds * columns[i].width, wanted * columns[i].width,
                            columns[i].size);
    t->best = columns[0].array;
    t->proposals = columns[1].array;
    t->round_trips = columns[2].array;
    t->energy = columns[3].array;
    t->temperature = columns[4].array;
    t->acceptance = columns[5].array;
    t->swap = columns[6].array;
    t->replica_at = columns[7].array;
    if (!fits) return ioa_fail_nomem(error, "the trace", wanted, 40 * t->replicas);
    t->capacity = wanted;
    return IOA_OK;
}

ioa_status ioa_trace_copy(const ioa_trace *from, ioa_trace *to, ioa_error *error)
{
    ioa_trace_clear(to);
    to->replicas = from->replicas;
    ioa_status status = ioa_trace_reserve(to, from->rounds, error);
    if (status != IOA_OK || from->rounds == 0) return status;
    uint64_t narrow = from->rounds * 8, wide = narrow * from->replicas;
    memcpy(to->best, from->best, narrow);
    memcpy(to->proposals, from->proposals, narrow);
    memcpy(to->round_trips, from->round_trips, narrow);
    memcpy(to->energy, from->energy, wide);
    memcpy(to->temperature, from->temperature, wide);
    memcpy(to->acceptance, from->acceptance, wide);
    memcpy(to->swap, from->swap, wide);
    memcpy(to->replica_at, from->replica_at, wide / 2);
    to->rounds = from->rounds;
    return IOA_OK;
}
