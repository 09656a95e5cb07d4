#include "core/plan/plan_sell_chunk.h"

#include "core/base/mem.h"
#include "core/model/network.h"

#include <string.h>

/* A neuron as a source of the chunk in hand. */
struct ioa_sell_feed {
    uint32_t chunk, rows; /* how many rows of that chunk it feeds */
    uint32_t place;       /* among the shared sources */
};

/* Connections of a chunk at most. */
static uint64_t most_entries(const ioa_network *n, const ioa_plan_steps *s)
{
    uint64_t most = 0;
    for (uint32_t v = 0; v < n->a.neurons; v++)
        if (s->incoming[v] > most) most = s->incoming[v];
    return most * IOA_SELL_ROWS < s->count ? most * IOA_SELL_ROWS : s->count;
}

ioa_status ioa_sell_drafter_open(const ioa_network *network, const ioa_plan_steps *steps, const uint32_t *slot, uint32_t zero,
                                 uint32_t slots, bool near, ioa_sell_drafter *drafter, ioa_error *error)
{
    const uint64_t entries = most_entries(network, steps);
    ioa_sell_drafter d = {.network = network, .steps = steps, .slot = slot, .zero = zero,
                          .feeds = ioa_alloc_zero(network->a.neurons, sizeof *d.feeds),
                          .entries = ioa_alloc(entries, sizeof *d.entries)};
    ioa_status status = IOA_OK;
    if (!d.feeds || !d.entries) status = ioa_fail_nomem(error, "a plan", network->a.neurons + entries, sizeof *d.feeds);
    if (status == IOA_OK && near) status = ioa_sell_near_create(entries, slots, &d.finder, error);
    if (status == IOA_OK) *drafter = d;
    else ioa_sell_drafter_close(&d);
    return status;
}

void ioa_sell_drafter_close(ioa_sell_drafter *d)
{
    ioa_free(d->feeds);
    ioa_free(d->entries);
    ioa_sell_near_destroy(d->finder);
    memset(d, 0, sizeof *d);
}

static uint32_t source_of(const ioa_sell_drafter *d, uint64_t step)
{
    return d->network->a.indices[d->steps->edges[step]];
}

static float weight_of(const ioa_sell_drafter *d, uint64_t step)
{
    return d->network->a.weights[d->steps->edges[step]];
}

static ioa_sell_feed *feed_of(const ioa_sell_drafter *d, uint64_t step)
{
    return &d->feeds[source_of(d, step)];
}

/* Finds the sources that feed all rows, numbers them as the first row has them, and lists the other connections. */
static void find_shared(ioa_sell_drafter *d, ioa_sell_draft *c)
{
    d->chunk++;
    for (uint32_t r = 0; r < c->rows; r++)
        for (uint32_t k = 0; k < c->row[r].count; k++) {
            ioa_sell_feed *f = feed_of(d, c->row[r].from + k);
            if (f->chunk != d->chunk) *f = (ioa_sell_feed){.chunk = d->chunk};
            f->rows++;
        }
    for (uint32_t k = 0; k < c->row[0].count; k++) {
        ioa_sell_feed *f = feed_of(d, c->row[0].from + k);
        if (f->rows == c->rows) f->place = c->shape.shared++;
    }
    for (uint32_t r = 0; r < c->rows; r++)
        for (uint32_t k = 0; k < c->row[r].count; k++) {
            const uint64_t step = c->row[r].from + k;
            if (feed_of(d, step)->rows < c->rows)
                d->entries[c->entries++] = (ioa_sell_entry){d->slot[source_of(d, step)], d->steps->edges[step], r};
        }
}

/* Every row has one weight: sums of sources then take a multiplication each. */
static bool is_uniform(const ioa_sell_drafter *d, const ioa_sell_draft *c)
{
    for (uint32_t r = 0; r < c->rows; r++)
        for (uint32_t k = 1; k < c->row[r].count; k++)
            if (weight_of(d, c->row[r].from + k) != weight_of(d, c->row[r].from)) return false;
    return true;
}

/* Of a neuron whose activation has one. */
static float param_of(const ioa_network *n, uint32_t v)
{
    return n->a.param && ioa_activation_takes_param(n->a.activation[v]) ? n->a.param[v] : 0.0f;
}

void ioa_sell_draft_make(ioa_sell_drafter *d, const ioa_sell_row *row, uint32_t rows, ioa_sell_draft *c)
{
    const uint32_t first = row[0].neuron;
    uint32_t left[IOA_SELL_ROWS] = {0};
    uint64_t taken = 0;
    *c = (ioa_sell_draft){.shape = {.activation = d->network->a.activation[first], .param = param_of(d->network, first)},
                          .row = row, .rows = rows};
    ioa_sell_chunk *s = &c->shape;
    find_shared(d, c);
    if (d->finder) s->near = ioa_sell_near_find(d->finder, d->entries, c->entries, &d->near);
    for (uint32_t k = 0; k < s->near; k++) taken += (uint32_t)__builtin_popcount(d->near[k].rows);
    for (uint64_t i = taken; i < c->entries; i++)
        if (++left[d->entries[i].row] > s->columns) s->columns = left[d->entries[i].row];
    s->uniform = (uint64_t)s->shared + s->near + s->columns > 2 && is_uniform(d, c);
}

size_t ioa_sell_draft_places(const ioa_sell_draft *c)
{
    return c->shape.shared + 2 * (size_t)c->shape.near + (size_t)c->shape.columns * IOA_SELL_ROWS;
}

/* Registers of lanes. */
static size_t lanes_of(const ioa_sell_chunk *s)
{
    return ((size_t)s->near + 3) / 4;
}

size_t ioa_sell_draft_registers(const ioa_sell_draft *c)
{
    const ioa_sell_chunk *s = &c->shape;
    return 1 + lanes_of(s) + (s->uniform ? 1 : (size_t)s->shared + s->near + s->columns);
}

static void write_shared(const ioa_sell_drafter *d, const ioa_sell_draft *c, uint16_t *place, float (*weight)[IOA_SELL_ROWS])
{
    for (uint32_t r = 0; r < c->rows; r++)
        for (uint32_t k = 0; k < c->row[r].count; k++) {
            const uint64_t step = c->row[r].from + k;
            const ioa_sell_feed *f = feed_of(d, step);
            if (f->rows < c->rows) continue;
            place[f->place] = (uint16_t)d->slot[source_of(d, step)];
            if (!c->shape.uniform) weight[f->place][r] = weight_of(d, step);
        }
}

/* The connections of near columns; returns how many there are. */
static uint64_t write_near(const ioa_sell_drafter *d, const ioa_sell_chunk *s, uint16_t *piece, float (*reg)[IOA_SELL_ROWS])
{
    uint64_t i = 0;
    for (uint32_t k = 0; k < s->near; k++) {
        const ioa_sell_near *near = &d->near[k];
        float *lanes = reg[k / 4 * (s->uniform ? 1 : 5)], *weight = reg[k / 4 * 5 + 1 + k % 4];
        memcpy(piece + 2 * (size_t)k, near->piece, sizeof near->piece);
        for (uint32_t r = 0; r < IOA_SELL_ROWS; r++) {
            if (!(near->rows >> r & 1)) continue;
            const ioa_sell_entry *e = &d->entries[i++];
            const uint32_t from = e->slot - near->piece[0] * 2u; /* below 16: it is in the first piece */
            const uint32_t lane = from < IOA_SELL_ROWS ? from : IOA_SELL_ROWS + e->slot % IOA_SELL_ROWS;
            ((unsigned char *)&lanes[r])[k % 4] = (unsigned char)(IOA_SELL_TAKEN | lane);
            if (!s->uniform) weight[r] = d->network->a.weights[e->edge];
        }
    }
    return i;
}

void ioa_sell_draft_write(const ioa_sell_drafter *d, const ioa_sell_draft *c, uint16_t *place, float (*reg)[IOA_SELL_ROWS])
{
    const ioa_sell_chunk *s = &c->shape;
    uint16_t *piece = place + s->shared, *source = piece + 2 * (size_t)s->near;
    float(*weight)[IOA_SELL_ROWS] = reg + 1;
    uint32_t used[IOA_SELL_ROWS] = {0};
    for (uint32_t r = 0; r < c->rows; r++) reg[0][r] = d->steps->bias[c->row[r].neuron];
    for (uint32_t r = 0; r < c->rows && s->uniform; r++) reg[1][r] = weight_of(d, c->row[r].from);
    write_shared(d, c, place, weight);
    weight += s->uniform ? 1 : s->shared;
    uint64_t i = write_near(d, s, piece, weight);
    weight += lanes_of(s) + (s->uniform ? 0 : s->near);
    for (size_t k = 0; k < (size_t)s->columns * IOA_SELL_ROWS; k++) source[k] = (uint16_t)d->zero;
    for (; i < c->entries; i++) {
        const ioa_sell_entry *e = &d->entries[i];
        const size_t k = used[e->row]++;
        source[k * IOA_SELL_ROWS + e->row] = (uint16_t)e->slot;
        if (!s->uniform) weight[k][e->row] = d->network->a.weights[e->edge];
    }
}
