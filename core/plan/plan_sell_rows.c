#include "core/plan/plan_sell_rows.h"

#include "core/base/mem.h"
#include "core/model/network.h"

#include <stdlib.h>
#include <string.h>

#define CANDIDATES 256u /* rows that are looked at for the next place in a chunk; */
#define LONG_ROW 256u   /* none for longer rows: they have sources everywhere */

ioa_status ioa_sell_rows_open(const ioa_network *network, const ioa_plan_steps *steps, const uint32_t *slot, uint32_t slots,
                              bool sort, ioa_sell_rows *rows, ioa_error *error)
{
    ioa_sell_rows r = {.network = network, .steps = steps, .slot = slot, .sort = sort,
                       .row = ioa_alloc(network->a.neurons, sizeof *r.row),
                       .pieces = ioa_alloc_zero(slots / IOA_SELL_ROWS + UINT64_C(1), sizeof *r.pieces)};
    if (!r.row || !r.pieces) {
        ioa_sell_rows_close(&r);
        return ioa_fail_nomem(error, "a plan", network->a.neurons, sizeof *r.row);
    }
    for (uint64_t t = 0; t < steps->count;) {
        const uint32_t v = steps->destinations[steps->edges[t]];
        r.row[r.count++] = (ioa_sell_row){t, steps->incoming[v], v, 0};
        t += steps->incoming[v];
    }
    *rows = r;
    return IOA_OK;
}

void ioa_sell_rows_close(ioa_sell_rows *r)
{
    ioa_free(r->row);
    ioa_free(r->pieces);
    memset(r, 0, sizeof *r);
}

static uint32_t source_slot(const ioa_sell_rows *r, uint64_t step)
{
    return r->slot[r->network->a.indices[r->steps->edges[step]]];
}

bool ioa_sell_rows_ready(const ioa_sell_rows *r, uint64_t at)
{
    for (uint32_t k = 0; k < r->row[at].count; k++)
        if (source_slot(r, r->row[at].from + k) == IOA_NO_SLOT) return false;
    return true;
}

static int compare_rows(const void *left, const void *right)
{
    const ioa_sell_row *a = left, *b = right;
    if (a->key != b->key) return a->key < b->key ? -1 : 1;
    return a->from < b->from ? -1 : a->from > b->from;
}

static void count_pieces(ioa_sell_rows *r, const ioa_sell_row *row, bool add)
{
    for (uint32_t k = 0; k < row->count; k++) r->pieces[source_slot(r, row->from + k) / IOA_SELL_ROWS] += add ? 1u : UINT32_MAX;
}

/* Of the next rows before `end`, the one that has most connections from pieces that the chunk takes most from. */
static uint64_t most_alike(const ioa_sell_rows *r, uint64_t from, uint64_t end)
{
    uint64_t best = from, most = 0;
    for (uint64_t i = from; i < end && i - from < CANDIDATES; i++) {
        uint64_t score = 0;
        for (uint32_t k = 0; k < r->row[i].count; k++) score += r->pieces[source_slot(r, r->row[i].from + k) / IOA_SELL_ROWS];
        if (score > most) {
            most = score;
            best = i;
        }
    }
    return best;
}

/* Puts rows from `from` to `end` together, sixteen at a time, that take from the same pieces. The first chunk begins at `at`, perhaps
 * with rows before `from`. */
static void bring_together(ioa_sell_rows *r, uint64_t at, uint64_t from, uint64_t end)
{
    for (; at < end; at += IOA_SELL_ROWS) {
        const uint64_t last = end - at < IOA_SELL_ROWS ? end : at + IOA_SELL_ROWS;
        uint64_t counted = at;
        for (uint64_t i = from > at ? from : at + 1; i < last; i++) {
            for (; counted < i; counted++) count_pieces(r, &r->row[counted], true);
            const uint64_t best = most_alike(r, i, end);
            const ioa_sell_row next = r->row[best];
            memmove(r->row + i + 1, r->row + i, (best - i) * sizeof next);
            r->row[i] = next;
        }
        while (counted > at) count_pieces(r, &r->row[--counted], false);
    }
}

/* Sorts the rows from `at` on that have equally many connections, as far as they are ready, by the first of their sources; then
 * likes are brought together, in a chunk that has `begun` rows before them and those after it. Returns the row after them. */
static uint64_t sort_stretch(ioa_sell_rows *r, uint64_t at, uint32_t begun)
{
    const uint32_t count = r->row[at].count;
    uint64_t end = at;
    for (; end < r->count && r->row[end].count == count && ioa_sell_rows_ready(r, end); end++) {
        ioa_sell_row *row = &r->row[end];
        row->key = UINT32_MAX;
        for (uint32_t k = 0; k < count; k++)
            if (source_slot(r, row->from + k) < row->key) row->key = source_slot(r, row->from + k);
    }
    qsort(r->row + at, end - at, sizeof *r->row, compare_rows);
    if (count > 1 && count <= LONG_ROW) bring_together(r, at - begun, at, end);
    return end;
}

uint32_t ioa_sell_rows_chunk(ioa_sell_rows *r, uint64_t at)
{
    const ioa_network_arrays *a = &r->network->a;
    uint32_t rows = 0, first = 0;
    for (; rows < IOA_SELL_ROWS && at + rows < r->count && ioa_sell_rows_ready(r, at + rows); rows++) {
        if (r->sort && at + rows >= r->sorted) r->sorted = sort_stretch(r, at + rows, rows);
        const uint32_t v = r->row[at + rows].neuron;
        if (rows == 0) first = v;
        if (a->activation[v] != a->activation[first] ||
            (a->param && ioa_activation_takes_param(a->activation[v]) && a->param[v] != a->param[first]))
            break;
    }
    return rows;
}
