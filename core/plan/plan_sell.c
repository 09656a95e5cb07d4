#include "core/plan/plan_sell.h"

#include "core/base/mem.h"
#include "core/model/network.h"
#include "core/plan/plan_groups.h"
#include "core/plan/plan_sell_rows.h"

#include <stdlib.h>
#include <string.h>

#define MOST_SLOTS 65536u

/* A chunk whose values have no slots yet. */
typedef struct waiting {
    ioa_sell_draft draft;
    size_t place, reg; /* where its parts are written aside */
} waiting;

/* What the streams have in places and registers. */
typedef struct parts {
    uint16_t *place;
    float (*reg)[IOA_SELL_ROWS];
    size_t places, registers;         /* used */
    size_t place_room, register_room; /* that there is memory for */
} parts;

typedef struct maker {
    const ioa_network *network;
    const ioa_plan_steps *steps;
    ioa_sell_stream *out;
    ioa_sell_drafter drafter;
    ioa_sell_rows rows;
    waiting *waiting; /* [N] chunks, */
    uint64_t waiting_count;
    parts aside, placed;    /* theirs, and those of the others: */
    ioa_sell_chunk *chunks; /* [N] */
} maker;

/* Twice the memory, or more. */
static bool grow(void **data, size_t used, size_t more, size_t size, size_t *room)
{
    if (used + more <= *room) return true;
    void *larger = ioa_alloc_larger(*data, used, 2 * (used + more), size);
    if (!larger) return false;
    *data = larger;
    *room = 2 * (used + more);
    return true;
}

static void free_parts(parts *p)
{
    ioa_free(p->place);
    ioa_free(p->reg);
}

static ioa_status make_room(parts *p, size_t places, size_t registers, ioa_error *error)
{
    void *place = p->place, *reg = p->reg;
    const bool done = grow(&place, p->places, places, sizeof *p->place, &p->place_room) &&
                      grow(&reg, p->registers, registers, sizeof *p->reg, &p->register_room);
    p->place = place;
    p->reg = reg;
    return done ? IOA_OK : ioa_fail_nomem(error, "a plan", p->registers + registers, 2 * sizeof *p->reg);
}

/* Writes a chunk where those are whose values have no slots yet. */
static ioa_status put_aside(maker *m, const ioa_sell_draft *draft, ioa_error *error)
{
    const size_t places = ioa_sell_draft_places(draft), registers = ioa_sell_draft_registers(draft);
    parts *p = &m->aside;
    ioa_status status = make_room(p, places, registers, error);
    if (status != IOA_OK) return status;
    memset(p->place + p->places, 0, places * sizeof *p->place);
    memset(p->reg + p->registers, 0, registers * sizeof *p->reg);
    ioa_sell_draft_write(&m->drafter, draft, p->place + p->places, p->reg + p->registers);
    m->waiting[m->waiting_count++] = (waiting){*draft, p->places, p->registers};
    p->places += places;
    p->registers += registers;
    m->out->shared += draft->shape.shared;
    m->out->near += draft->shape.near;
    m->out->columns += draft->shape.columns;
    return IOA_OK;
}

static int compare_shapes(const void *left, const void *right)
{
    const waiting *a = left, *b = right;
    int differ = memcmp(&a->draft.shape, &b->draft.shape, sizeof a->draft.shape);
    return differ ? differ : a->reg < b->reg ? -1 : a->reg > b->reg;
}

/* Gives the values of the chunks that wait their slots, chunks of one shape together: the processor then foresees how often
 * loops are gone through. */
static ioa_status place_chunks(maker *m, uint64_t *used, ioa_error *error)
{
    parts *p = &m->placed;
    qsort(m->waiting, m->waiting_count, sizeof *m->waiting, compare_shapes);
    ioa_status status = make_room(p, m->aside.places, m->aside.registers, error);
    for (uint64_t i = 0; i < m->waiting_count && status == IOA_OK; i++) {
        const ioa_sell_draft *d = &m->waiting[i].draft;
        const size_t places = ioa_sell_draft_places(d), registers = ioa_sell_draft_registers(d);
        m->chunks[m->out->chunks++] = d->shape;
        memcpy(p->place + p->places, m->aside.place + m->waiting[i].place, places * sizeof *p->place);
        memcpy(p->reg + p->registers, m->aside.reg + m->waiting[i].reg, registers * sizeof *p->reg);
        p->places += places;
        p->registers += registers;
        for (uint32_t r = 0; r < d->rows; r++) m->out->slot[d->row[r].neuron] = (uint32_t)*used + r;
        *used += IOA_SELL_ROWS;
        if (*used > MOST_SLOTS) status = ioa_fail(error, IOA_ERR_INPUT, "layout sell takes at most %u values", MOST_SLOTS);
    }
    m->waiting_count = m->aside.places = m->aside.registers = 0;
    return status;
}

static uint64_t aligned(uint64_t slot)
{
    return (slot + IOA_SELL_ROWS - 1) / IOA_SELL_ROWS * IOA_SELL_ROWS;
}

/* All inputs in their sequence, the zero, chunks of sixteen aligned places each, then constants. */
static ioa_status place_values(maker *m, ioa_error *error)
{
    const ioa_network *n = m->network;
    ioa_sell_stream *sell = m->out;
    ioa_status status = IOA_OK;
    uint64_t used = aligned(n->a.inputs + UINT64_C(1));
    if (used > MOST_SLOTS) return ioa_fail(error, IOA_ERR_INPUT, "layout sell takes at most %u values", MOST_SLOTS);
    for (uint32_t i = 0; i < n->a.inputs; i++) sell->slot[n->a.input_ids[i]] = i;
    sell->first = (uint32_t)used;
    for (uint64_t at = 0; at < m->rows.count && status == IOA_OK;) {
        ioa_sell_draft draft;
        if (!ioa_sell_rows_ready(&m->rows, at)) status = place_chunks(m, &used, error);
        if (status != IOA_OK) break;
        const uint32_t rows = ioa_sell_rows_chunk(&m->rows, at);
        ioa_sell_draft_make(&m->drafter, m->rows.row + at, rows, &draft);
        status = put_aside(m, &draft, error);
        at += draft.rows;
    }
    if (status == IOA_OK) status = place_chunks(m, &used, error);
    if (status != IOA_OK) return status;
    for (uint32_t v = 0; v < n->a.neurons; v++)
        if (m->steps->constant[v] && (m->steps->outgoing[v] || n->is_output[v])) sell->slot[v] = (uint32_t)used++;
    if (used > MOST_SLOTS) return ioa_fail(error, IOA_ERR_INPUT, "layout sell takes at most %u values", MOST_SLOTS);
    sell->slots = (uint32_t)aligned(used); /* pieces are read as a whole */
    return IOA_OK;
}

static size_t to_line(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

static ioa_status write_stream(maker *m, ioa_error *error)
{
    ioa_sell_stream *sell = m->out;
    const parts *p = &m->placed;
    const size_t chunk_bytes = sell->chunks * sizeof *m->chunks, place_bytes = p->places * sizeof *p->place;
    const size_t places = to_line(sizeof(ioa_sell) + chunk_bytes);
    const size_t registers = to_line(places + place_bytes + sizeof(uint64_t)); /* four places are read at once */
    sell->registers = p->registers;
    sell->bytes = registers + p->registers * sizeof *p->reg;
    char *stream = ioa_alloc_zero(sell->bytes, 1);
    if (!stream) return ioa_fail_nomem(error, "a plan", sell->bytes, 1);
    const ioa_sell head = {.chunks = sell->chunks, .places = places, .registers = registers, .destination = sell->first};
    memcpy(stream, &head, sizeof head);
    memcpy(stream + sizeof head, m->chunks, chunk_bytes);
    if (p->places) memcpy(stream + places, p->place, place_bytes);
    if (p->registers) memcpy(stream + registers, p->reg, p->registers * sizeof *p->reg);
    sell->stream = stream;
    return IOA_OK;
}

ioa_status ioa_sell_make(const ioa_network *network, const ioa_plan_steps *steps, bool near, bool sort, ioa_sell_stream *sell,
                         ioa_error *error)
{
    const uint64_t neurons = network->a.neurons;
    maker m = {.network = network, .steps = steps, .out = sell};
    ioa_status status = IOA_OK;
    memset(sell, 0, sizeof *sell);
    sell->slot = ioa_alloc(neurons, sizeof *sell->slot);
    sell->zero = network->a.inputs;
    m.waiting = ioa_alloc(neurons, sizeof *m.waiting);
    m.chunks = ioa_alloc(neurons, sizeof *m.chunks);
    if (!sell->slot || !m.waiting || !m.chunks) {
        status = ioa_fail_nomem(error, "a plan", neurons, sizeof *m.waiting + sizeof *m.chunks);
        goto out;
    }
    memset(sell->slot, 0xff, neurons * sizeof *sell->slot);
    status = ioa_sell_rows_open(network, steps, sell->slot, MOST_SLOTS, sort, &m.rows, error);
    if (status == IOA_OK)
        status = ioa_sell_drafter_open(network, steps, sell->slot, sell->zero, MOST_SLOTS, near, &m.drafter, error);
    if (status == IOA_OK) status = place_values(&m, error);
    if (status == IOA_OK) status = write_stream(&m, error);
out:
    ioa_sell_drafter_close(&m.drafter);
    ioa_sell_rows_close(&m.rows);
    ioa_free(m.waiting);
    ioa_free(m.chunks);
    free_parts(&m.aside);
    free_parts(&m.placed);
    if (status != IOA_OK) ioa_sell_clear(sell);
    return status;
}

void ioa_sell_clear(ioa_sell_stream *sell)
{
    ioa_free(sell->stream);
    ioa_free(sell->slot);
    memset(sell, 0, sizeof *sell);
}

ioa_status ioa_sell_bring_together(const ioa_network *network, ioa_plan_steps *steps, ioa_error *error)
{
    ioa_grouping g = {0};
    uint64_t *first = ioa_alloc(network->a.neurons, sizeof *first), at = 0; /* [N] step of a row */
    uint32_t *edges = ioa_alloc(steps->count, sizeof *edges);
    ioa_status status = IOA_OK;
    if (!first || !edges) status = ioa_fail_nomem(error, "a plan", steps->count, sizeof *edges);
    if (status == IOA_OK) status = ioa_grouping_make(network, steps, IOA_SELL_ROWS, 0, 0, false, &g, error);
    if (status != IOA_OK) goto out;
    for (uint64_t t = steps->count; t-- > 0;) first[steps->destinations[steps->edges[t]]] = t;
    for (uint64_t b = 0; b < g.count; b++)
        for (uint32_t k = 0; g.blocks[b].first && k < ioa_group_member_count(&g, &g.blocks[b]); k++) {
            uint32_t v = ioa_group_members(&g, &g.blocks[b])[k];
            memcpy(edges + at, steps->edges + first[v], steps->incoming[v] * sizeof *edges);
            at += steps->incoming[v];
        }
    memcpy(steps->edges, edges, at * sizeof *edges);
out:
    ioa_grouping_clear(&g);
    ioa_free(first);
    ioa_free(edges);
    return status;
}
