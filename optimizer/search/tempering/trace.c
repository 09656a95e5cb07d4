#include "optimizer/search/tempering/trace.h"

#include "core/base/mem.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *name;
    ioa_value_type type;
    uint32_t wide; /* values per row and rung; 0: one value per row */
    size_t offset;
} columns[IOA_TRACE_COLUMNS] = {
    {"round", IOA_VALUE_U64, 0, offsetof(ioa_trace, round)},
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
        values[i] = (ioa_value){columns[i].name, columns[i].type, trace->rows * width(trace, i), get(trace, i)};
}

void ioa_trace_clear(ioa_trace *trace)
{
    for (int i = 0; i < IOA_TRACE_COLUMNS; i++) ioa_free(get(trace, i));
    memset(trace, 0, sizeof *trace);
}

uint64_t ioa_trace_most_rows(uint32_t replicas)
{
    uint64_t most = (UINT64_C(1) << 18) / replicas;
    return most < 512 ? 512 : most;
}

ioa_status ioa_trace_reserve(ioa_trace *t, uint64_t rows, ioa_error *error)
{
    if (rows <= t->capacity) return IOA_OK;
    uint64_t wanted = rows < 64 ? 64 : rows + rows / 2;
    for (int i = 0; i < IOA_TRACE_COLUMNS; i++) {
        size_t used = t->rows * width(t, i) * element(i);
        void *larger = ioa_alloc(wanted * width(t, i), element(i)), *old = get(t, i);
        if (!larger) return ioa_fail_nomem(error, "the trace", wanted, 140 * t->replicas);
        if (used) memcpy(larger, old, used);
        ioa_free(old);
        set(t, i, larger);
    }
    t->capacity = wanted;
    return IOA_OK;
}

static bool is_kept(uint64_t round, uint64_t stride)
{
    return round / 2 % stride == 0;
}

/* Rows after `rounds` rounds: what is kept of all but the last, and the last. */
static uint64_t count_rows(uint64_t rounds, uint64_t stride)
{
    if (rounds == 0) return 0;
    uint64_t before = rounds - 1, rest = before % (2 * stride);
    return before / (2 * stride) * 2 + (rest < 2 ? rest : 2) + 1;
}

/* Drops the rows that are not kept. */
static void thin(ioa_trace *t)
{
    uint64_t to = 0;
    for (uint64_t from = 0; from < t->rows; from++) {
        if (!is_kept(t->round[from], t->stride)) continue;
        for (int i = 0; i < IOA_TRACE_COLUMNS && to != from; i++) {
            size_t bytes = width(t, i) * element(i);
            char *values = get(t, i);
            memcpy(values + to * bytes, values + from * bytes, bytes);
        }
        to++;
    }
    t->rows = to;
}

uint64_t ioa_trace_next(ioa_trace *t)
{
    uint64_t stride = t->stride ? t->stride : 1;
    while (count_rows(t->rounds + 1, stride) > ioa_trace_most_rows(t->replicas)) stride *= 2;
    bool last_goes = t->rows && !is_kept(t->round[t->rows - 1], stride);
    if (stride != t->stride) {
        t->stride = stride;
        thin(t);
    } else if (last_goes)
        t->rows--;
    t->round[t->rows] = t->rounds++;
    return t->rows++;
}

ioa_status ioa_trace_resize(ioa_trace *t, uint64_t rounds, ioa_error *error)
{
    uint64_t stride = 1, row = 0;
    while (count_rows(rounds, stride) > ioa_trace_most_rows(t->replicas)) stride *= 2;
    ioa_status status = ioa_trace_reserve(t, count_rows(rounds, stride), error);
    if (status != IOA_OK) return status;
    t->rounds = rounds;
    t->rows = count_rows(rounds, stride);
    t->stride = stride;
    for (uint64_t pair = 0; row + 1 < t->rows; pair += stride)
        for (uint64_t r = 2 * pair; r < 2 * pair + 2 && row + 1 < t->rows; r++) t->round[row++] = r;
    if (rounds) t->round[row] = rounds - 1;
    return IOA_OK;
}

uint64_t ioa_trace_row(const ioa_trace *t, uint64_t round)
{
    uint64_t low = 0, high = t->rows;
    while (low + 1 < high) {
        uint64_t middle = low + (high - low) / 2;
        if (t->round[middle] <= round) low = middle;
        else high = middle;
    }
    return low;
}

ioa_status ioa_trace_copy(const ioa_trace *from, ioa_trace *to, ioa_error *error)
{
    ioa_trace_clear(to);
    to->replicas = from->replicas;
    ioa_status status = ioa_trace_reserve(to, from->rows, error);
    if (status != IOA_OK) return status;
    for (int i = 0; i < IOA_TRACE_COLUMNS && from->rows; i++)
        memcpy(get(to, i), get(from, i), from->rows * width(from, i) * element(i));
    to->rounds = from->rounds;
    to->rows = from->rows;
    to->stride = from->stride;
    return IOA_OK;
}
