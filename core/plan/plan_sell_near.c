#include "core/plan/plan_sell_near.h"

#include "core/base/mem.h"

#include <string.h>

#define PIECE 16u
#define PIECE_UNITS (PIECE * sizeof(float) / 8)

/* Cycles of a column, measured (Zen 5): sixteen loads of single values and a multiply-add; two pieces, weights and a shuffle. */
#define SINGLE_COST 10.0
#define NEAR_COST 3.0

/* The entries that a row has in a piece: from `next` on, `left` of them. */
typedef struct cell {
    uint32_t next, left;
} cell;

struct ioa_sell_near_finder {
    uint32_t *place;         /* [pieces] of a piece among those at hand, if in[] agrees */
    uint32_t *piece;         /* [pieces] the way back */
    uint32_t *start;         /* [pieces + 1] */
    uint16_t *rows;          /* [pieces] that have something left in the piece at hand */
    cell (*cells)[IOA_SELL_ROWS]; /* [pieces] */
    ioa_sell_entry *sorted;  /* [entries] */
    uint32_t *taken;         /* [entries] of sorted, in the sequence of the columns */
    ioa_sell_near *columns;  /* [entries] */
    uint8_t *used;           /* [entries] of sorted */
    uint32_t count;          /* pieces at hand */
    uint32_t left[IOA_SELL_ROWS];
};

ioa_status ioa_sell_near_create(uint64_t entries, uint32_t slots, ioa_sell_near_finder **finder, ioa_error *error)
{
    const uint64_t pieces = slots / PIECE + 1;
    ioa_sell_near_finder *f = ioa_alloc_zero(1, sizeof *f);
    if (!f) return ioa_fail_nomem(error, "a plan", 1, sizeof *f);
    f->place = ioa_alloc_zero(pieces, sizeof *f->place);
    f->piece = ioa_alloc_zero(pieces, sizeof *f->piece);
    f->start = ioa_alloc(pieces + 1, sizeof *f->start);
    f->rows = ioa_alloc(pieces, sizeof *f->rows);
    f->cells = ioa_alloc(pieces, sizeof *f->cells);
    f->sorted = ioa_alloc(entries, sizeof *f->sorted);
    f->taken = ioa_alloc(entries, sizeof *f->taken);
    f->columns = ioa_alloc(entries, sizeof *f->columns);
    f->used = ioa_alloc(entries, 1);
    if (f->place && f->piece && f->start && f->rows && f->cells && f->sorted && f->taken && f->columns && f->used) {
        *finder = f;
        return IOA_OK;
    }
    ioa_sell_near_destroy(f);
    return ioa_fail_nomem(error, "a plan", entries + pieces, sizeof *f->sorted + sizeof *f->columns);
}

void ioa_sell_near_destroy(ioa_sell_near_finder *f)
{
    if (!f) return;
    ioa_free(f->place);
    ioa_free(f->piece);
    ioa_free(f->start);
    ioa_free(f->rows);
    ioa_free(f->cells);
    ioa_free(f->sorted);
    ioa_free(f->taken);
    ioa_free(f->columns);
    ioa_free(f->used);
    ioa_free(f);
}

/* Numbers the pieces that have sources. */
static uint32_t place_of(ioa_sell_near_finder *f, uint32_t slot)
{
    uint32_t piece = slot / PIECE, place = f->place[piece];
    if (place < f->count && f->piece[place] == piece) return place;
    f->piece[f->count] = piece;
    f->start[f->count] = 0;
    return f->place[piece] = f->count++;
}

/* Sorts the entries by piece and then by row. */
static void sort_entries(ioa_sell_near_finder *f, const ioa_sell_entry *entries, uint64_t count)
{
    uint32_t at = 0;
    f->count = 0;
    memset(f->left, 0, sizeof f->left);
    for (uint64_t i = 0; i < count; i++) f->start[place_of(f, entries[i].slot)]++;
    for (uint32_t p = 0; p < f->count; p++) {
        uint32_t here = f->start[p];
        f->start[p] = at;
        at += here;
        f->rows[p] = 0;
        memset(f->cells[p], 0, sizeof f->cells[p]);
    }
    for (uint64_t i = 0; i < count; i++) {
        uint32_t p = place_of(f, entries[i].slot), row = entries[i].row;
        cell *c = &f->cells[p][row];
        if (!c->left++) c->next = f->start[p];
        f->rows[p] |= (uint16_t)(1u << row);
        f->left[row]++;
        f->sorted[f->start[p]++] = entries[i];
    }
}

static uint32_t longest(const ioa_sell_near_finder *f)
{
    uint32_t most = 0;
    for (uint32_t r = 0; r < IOA_SELL_ROWS; r++)
        if (f->left[r] > most) most = f->left[r];
    return most;
}

/* Rows that have most left: the chunk is as long as they are. */
static uint16_t late_rows(const ioa_sell_near_finder *f, uint32_t most)
{
    uint32_t late = 0;
    for (uint32_t r = 0; r < IOA_SELL_ROWS; r++)
        if (f->left[r] && f->left[r] + 1 >= most) late |= 1u << r;
    return (uint16_t)late;
}

/* The piece that gives most rows something, and among them most that are late, beside `rows`. */
static uint32_t best_piece(const ioa_sell_near_finder *f, uint16_t rows, uint16_t late)
{
    uint32_t best = 0;
    int most = -1;
    for (uint32_t p = 0; p < f->count; p++) {
        uint32_t all = rows | f->rows[p];
        int score = __builtin_popcount(all) + __builtin_popcount(all & late);
        if (score > most) {
            most = score;
            best = p;
        }
    }
    return best;
}

/* One connection of every row that has one in either piece. Returns how many. */
static uint32_t take_column(ioa_sell_near_finder *f, uint32_t low, uint32_t high, ioa_sell_near *column, uint32_t *taken)
{
    uint32_t count = 0;
    *column = (ioa_sell_near){.piece = {(uint16_t)(f->piece[low] * PIECE_UNITS), (uint16_t)(f->piece[high] * PIECE_UNITS)},
                              .rows = f->rows[low] | f->rows[high]};
    for (uint32_t r = 0; r < IOA_SELL_ROWS; r++) {
        if (!(column->rows >> r & 1)) continue;
        const uint32_t p = f->cells[low][r].left >= f->cells[high][r].left ? low : high;
        cell *c = &f->cells[p][r];
        taken[count++] = c->next++;
        if (!--c->left) f->rows[p] &= (uint16_t)~(1u << r);
        f->left[r]--;
    }
    return count;
}

uint32_t ioa_sell_near_find(ioa_sell_near_finder *f, ioa_sell_entry *entries, uint64_t count, const ioa_sell_near **columns)
{
    sort_entries(f, entries, count);
    uint32_t found = 0, best = 0, taken = 0, kept = 0;
    double least = SINGLE_COST * longest(f);
    while (taken < count && (found + 1) * NEAR_COST < least) {
        const uint32_t most = longest(f);
        const uint16_t late = late_rows(f, most);
        const uint32_t low = best_piece(f, 0, late), high = best_piece(f, f->rows[low], late);
        taken += take_column(f, low, high, &f->columns[found++], f->taken + taken);
        const double cost = found * NEAR_COST + SINGLE_COST * longest(f);
        if (cost < least) {
            least = cost;
            best = found;
            kept = taken;
        }
    }
    *columns = f->columns;
    memset(f->used, 0, count);
    for (uint32_t i = 0; i < kept; i++) f->used[f->taken[i]] = 1;
    for (uint32_t i = 0; i < kept; i++) entries[i] = f->sorted[f->taken[i]];
    uint64_t at = kept;
    for (uint32_t r = 0; r < IOA_SELL_ROWS && at < count; r++)
        for (uint64_t i = 0; i < count; i++)
            if (!f->used[i] && f->sorted[i].row == r) entries[at++] = f->sorted[i];
    return best;
}
