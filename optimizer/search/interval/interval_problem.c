/* What all states of one search share: units of twins, and for each source the units it feeds. */
#include "optimizer/search/interval/interval_internal.h"

#include "core/base/mem.h"

#include <string.h>

#define MEMORY_MAX (UINT64_C(1) << 24)



static uint64_t hash_row(const uint32_t *row, uint64_t length)
{
    uint64_t h = length;
    for (uint64_t i = 0; i < length; i++) {
        h = (h ^ row[i]) * UINT64_C(0x9E3779B97F4A7C15);
        h ^= h >> 29;
    }
    return h;
}

/* First destination with the same row, for each destination, by open addressing. leader [N], table [size]. */
static void find_twins(const ioa_network_arrays *a, uint32_t *leader, uint32_t *table, uint64_t size)
{
    for (uint64_t i = 0; i < size; i++) table[i] = IOA_IV_NONE;
    for (uint32_t v = 0; v < a->neurons; v++) {
        const uint32_t *row = a->indices + a->indptr[v];
        uint64_t length = (uint64_t)(a->indptr[v + 1] - a->indptr[v]);
        leader[v] = length ? v : IOA_IV_NONE;
        if (!length) continue;
        uint64_t at = hash_row(row, length) & (size - 1);
        for (;; at = (at + 1) & (size - 1)) {
            uint32_t w = table[at];
            if (w == IOA_IV_NONE) {
                table[at] = v;
                break;
            }
            if ((uint64_t)(a->indptr[w + 1] - a->indptr[w]) != length) continue;
            if (memcmp(a->indices + a->indptr[w], row, length * sizeof *row)) continue;
            leader[v] = w;
            break;
        }
    }
}

/* Splits sets of twins into units of equal size within the limit. Fills unit_of, members; counts units. */
static void make_units(ioa_interval_problem *p, const uint32_t *leader, uint32_t *size, uint32_t *piece)
{
    uint32_t n = p->neurons, limit = (uint32_t)(p->slots - p->slots / 4); /* a unit must leave room for held values */
    for (uint32_t v = 0; v < n; v++) size[v] = 0;
    for (uint32_t v = 0; v < n; v++)
        if (leader[v] != IOA_IV_NONE) size[leader[v]]++;
    /* piece[leader]: unit being filled; the twins come by id, so a unit's members do too */
    uint32_t *left = p->members; /* room in the unit being filled, by leader: borrowed until members are known */
    for (uint32_t v = 0; v < n; v++) left[v] = 0;
    for (uint32_t v = 0; v < n; v++) {
        uint32_t l = leader[v];
        p->unit_of[v] = IOA_IV_NONE;
        if (l == IOA_IV_NONE) continue;
        if (!left[l]) {
            uint32_t pieces = (size[l] + limit - 1) / limit;
            left[l] = (size[l] + pieces - 1) / pieces;
            size[l] -= left[l];
            piece[l] = p->units++;
        }
        left[l]--;
        p->unit_of[v] = piece[l];
    }
}

/* Members by unit, and the widths. */
static void collect(ioa_interval_problem *p)
{
    const ioa_network_arrays *a = &p->network->a;
    for (uint32_t i = 0; i <= p->units; i++) p->member_offsets[i] = 0;
    for (uint32_t v = 0; v < p->neurons; v++)
        if (ioa_iv_hidden(p, v)) p->member_offsets[p->unit_of[v] + 1]++;
    for (uint32_t i = 0; i < p->units; i++) p->member_offsets[i + 1] += p->member_offsets[i];
    for (uint32_t v = 0; v < p->neurons; v++)
        if (ioa_iv_hidden(p, v)) p->members[p->member_offsets[p->unit_of[v]]++] = v;
    for (uint32_t i = p->units; i > 0; i--) p->member_offsets[i] = p->member_offsets[i - 1];
    p->member_offsets[0] = 0;
    for (uint32_t i = 0; i < p->units; i++) {
        uint32_t v = p->members[p->member_offsets[i]], length = (uint32_t)(a->indptr[v + 1] - a->indptr[v]);
        if (length > p->max_in) p->max_in = length;
        p->pairs += length;
    }
}

static void transpose(ioa_interval_problem *p)
{
    int64_t *at = p->out_offsets;
    for (uint32_t u = 0; u <= p->neurons; u++) at[u] = 0;
    for (uint32_t i = 0; i < p->units; i++) {
        uint32_t length;
        const uint32_t *row = ioa_iv_row(p, i, &length);
        for (uint32_t j = 0; j < length; j++) at[row[j] + 1]++;
    }
    for (uint32_t u = 0; u < p->neurons; u++) {
        if ((uint64_t)at[u + 1] > p->max_out) p->max_out = (uint32_t)at[u + 1];
        at[u + 1] += at[u];
    }
    for (uint32_t i = 0; i < p->units; i++) {
        uint32_t length;
        const uint32_t *row = ioa_iv_row(p, i, &length);
        for (uint32_t j = 0; j < length; j++) p->out_unit[at[row[j]]++] = i;
    }
    for (uint32_t u = p->neurons; u > 0; u--) at[u] = at[u - 1];
    at[0] = 0;
}

static ioa_status build(ioa_interval_problem *p, bool merge, ioa_error *error)
{
    const ioa_network_arrays *a = &p->network->a;
    uint32_t n = p->neurons;
    uint64_t size = 4;
    while (merge && size < 2 * (uint64_t)n) size *= 2;
    uint32_t *leader = ioa_alloc(n, sizeof *leader), *table = ioa_alloc(size, sizeof *table);
    uint32_t *counts = ioa_alloc(n, sizeof *counts), *piece = ioa_alloc(n, sizeof *piece);
    ioa_status status = IOA_OK;
    p->unit_of = ioa_alloc(n, sizeof *p->unit_of);
    p->members = ioa_alloc(n, sizeof *p->members);
    p->member_offsets = ioa_alloc((uint64_t)n + 1, sizeof *p->member_offsets);
    p->out_offsets = ioa_alloc((uint64_t)n + 1, sizeof *p->out_offsets);
    if (!leader || !table || !counts || !piece || !p->unit_of || !p->members || !p->member_offsets || !p->out_offsets) {
        status = ioa_fail_nomem(error, "units", n, 48);
        goto done;
    }
    if (merge) find_twins(a, leader, table, size);
    else
        for (uint32_t v = 0; v < n; v++) leader[v] = a->indptr[v + 1] > a->indptr[v] ? v : IOA_IV_NONE;
    make_units(p, leader, counts, piece);
    collect(p);
    p->out_unit = ioa_alloc(p->pairs, sizeof *p->out_unit);
    if (p->out_unit) transpose(p);
    else status = ioa_fail_nomem(error, "pairs", p->pairs, sizeof *p->out_unit);
done:
    ioa_free(leader);
    ioa_free(table);
    ioa_free(counts);
    ioa_free(piece);
    return status;
}

ioa_status ioa_interval_problem_create(const ioa_network *network, uint64_t memory, bool merge,
                                       ioa_interval_problem **problem, ioa_error *error)
{
    if (memory < 3 || memory > MEMORY_MAX)
        return ioa_fail(error, IOA_ERR_INPUT, "memory must be 3 to %llu", (unsigned long long)MEMORY_MAX);
    ioa_interval_problem *p = ioa_alloc_zero(1, sizeof *p);
    if (!p) return ioa_fail_nomem(error, "problem", 1, sizeof *p);
    p->network = network;
    p->neurons = network->a.neurons;
    p->connections = network->connections;
    p->memory = memory;
    p->slots = (int32_t)(memory - 2);
    ioa_status status = build(p, merge, error);
    if (status == IOA_OK) *problem = p;
    else ioa_interval_problem_destroy(p);
    return status;
}

void ioa_interval_problem_destroy(ioa_interval_problem *problem)
{
    if (!problem) return;
    ioa_free(problem->unit_of);
    ioa_free(problem->member_offsets);
    ioa_free(problem->members);
    ioa_free(problem->out_offsets);
    ioa_free(problem->out_unit);
    ioa_free(problem);
}

ioa_status ioa_intervals_create(uint32_t neurons, ioa_intervals *intervals, ioa_error *error)
{
    ioa_intervals made = { .ticks = 1 };
    made.open = ioa_alloc_zero(neurons, sizeof *made.open);
    made.close = ioa_alloc_zero(neurons, sizeof *made.close);
    if (!made.open || !made.close) {
        ioa_intervals_destroy(&made);
        return ioa_fail_nomem(error, "intervals", neurons, 2 * sizeof *made.open);
    }
    *intervals = made;
    return IOA_OK;
}

void ioa_intervals_destroy(ioa_intervals *intervals)
{
    ioa_free(intervals->open);
    ioa_free(intervals->close);
    *intervals = (ioa_intervals){ 0 };
}
