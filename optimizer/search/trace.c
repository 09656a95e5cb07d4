#include "optimizer/search/trace.h"

#include "core/mem.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *name;
    ioa_value_type type;
    uint32_t wide; /* values per round and rung; 0: one value per round */
    size_t offset;
} columns[IOA_TRACE_COLUMNS] = {
    {"best", IOA_VALUE_U64, 0, offsetof(ioa_trace, best)},
    {"proposals", IOA_VALUE_U64, 0, offsetof(ioa_trace, proposals)},
    {"round_trips", IOA_VALUE_U64, 0, offsetof(ioa_trace, round_trips)},
    {"energy", IOA_VALUE_I64, 1, offsetof(ioa_trace, energy)},
    {"temperature", IOA_VALUE_F64, 1, offsetof(ioa_trace, temperature)},
    {"acceptance", IOA_VALUE_F64, 1, offsetof(ioa_trace, acceptance)},
    {"swap", IOA_VALUE_F64, 1, offsetof(ioa_trace, swap)},
    {"swap_probability", IOA_VALUE_F64, 1, offsetof(ioa_trace, probability)},
    {"replica", IOA_VALUE_U32, 1, offsetof(ioa_trace, replica_at)},
    {"window", IOA_VALUE_F64, IOA_LEVELS, offsetof(ioa_trace, window)},
    {"share", IOA_VALUE_U32, IOA_MOVES, offsetof(ioa_trace, share)},
    {"annealing", IOA_VALUE_F64, 0, offsetof(ioa_trace, annealing)},
    {"slowest", IOA_VALUE_F64, 0, offsetof(ioa_trace, slowest)},
    {"exchanging", IOA_VALUE_F64, 0, offsetof(ioa_trace, exchanging)},
};

static void *get(const ioa_trace *trace, int column)
{
    void *values;
    memcpy(&values, (const char *)trace + columns[column].offset, sizeof values);
    return values;
}

static void set(ioa_trace *trace, int column, void *values)
{
    memcpy((char *)trace + columns[column].offset, &values, sizeof values);
}

/* A table of types instead of ioa_value_size, so that the search needs no io library. */
static size_t element(int column)
{
    return columns[column].type == IOA_VALUE_U32 ? 4 : 8;
}

static uint64_t width(const ioa_trace *trace, int column)
{
    return columns[column].wide ? (uint64_t)columns[column].wide * trace->replicas : 1;
}

void ioa_trace_values(const ioa_trace *trace, ioa_value values[IOA_TRACE_COLUMNS])
{
    for (int i = 0; i < IOA_TRACE_COLUMNS; i++)
        values[i] = (ioa_value){columns[i].name, columns[i].type, trace->rounds * width(trace, i), get(trace, i)};
}

void ioa_trace_clear(ioa_trace *trace)
{
    for (int i = 0; i < IOA_TRACE_COLUMNS; i++) ioa_free(get(trace, i));
    memset(trace, 0, sizeof *trace);
}

ioa_status ioa_trace_reserve(ioa_trace *t, uint64_t rounds, ioa_error *error)
{
    if (rounds <= t->capacity) return IOA_OK;
    uint64_t wanted = rounds < 64 ? 64 : rounds + rounds / 2;
    for (int i = 0; i < IOA_TRACE_COLUMNS; i++) {
        size_t used = t->rounds * width(t, i) * element(i);
        void *larger = ioa_alloc(wanted * width(t, i), element(i)), *old = get(t, i);
        if (!larger) return ioa_fail_nomem(error, "the trace", wanted, 140 * t->replicas);
        if (used) memcpy(larger, old, used);
        ioa_free(old);
        set(t, i, larger);
    }
    t->capacity = wanted;
    return IOA_OK;
}

ioa_status ioa_trace_copy(const ioa_trace *from, ioa_trace *to, ioa_error *error)
{
    ioa_trace_clear(to);
    to->replicas = from->replicas;
    ioa_status status = ioa_trace_reserve(to, from->rounds, error);
    if (status != IOA_OK || from->rounds == 0) return status;
    for (int i = 0; i < IOA_TRACE_COLUMNS; i++)
        memcpy(get(to, i), get(from, i), from->rounds * width(from, i) * element(i));
    to->rounds = from->rounds;
    return IOA_OK;
}
