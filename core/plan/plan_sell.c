#include "core/plan/plan_sell.h"

#include "core/base/mem.h"
#include "core/model/network.h"
#include "core/plan/plan_groups.h"

#include <string.h>

#define MOST_SLOTS 65536u

typedef struct chunk {
    uint64_t from[IOA_SELL_ROWS];  /* first step of a row */
    uint32_t count[IOA_SELL_ROWS]; /* its steps */
    uint32_t neuron[IOA_SELL_ROWS];
    uint32_t rows, shared, columns;
} chunk;

/* A neuron as a source of the chunk in hand. */
typedef struct feed {
    uint32_t chunk, rows; /* how many rows of that chunk it feeds */
    uint32_t place;       /* among the shared sources */
} feed;

typedef struct maker {
    const ioa_network *network;
    const ioa_plan_steps *steps;
    ioa_sell_stream *out;
    feed *feeds; /* [N] */
    uint32_t chunk;
} maker;

/* Of a neuron whose activation has one. */
static float param_of(const ioa_network *n, uint32_t v)
{
    return n->a.param && ioa_activation_takes_param(n->a.activation[v]) ? n->a.param[v] : 0.0f;
}

static feed *feed_of(const maker *m, uint64_t step)
{
    return &m->feeds[m->network->a.indices[m->steps->edges[step]]];
}

static bool reads_one_of(const ioa_network *n, const ioa_plan_steps *s, const chunk *c, uint64_t from, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t r = 0; r < c->rows; r++)
            if (n->a.indices[s->edges[from + i]] == c->neuron[r]) return true;
    return false;
}

/* Finds the sources that feed all rows, and numbers them as the first row has them. */
static void find_shared(maker *m, chunk *c)
{
    m->chunk++;
    for (uint32_t r = 0; r < c->rows; r++)
        for (uint32_t k = 0; k < c->count[r]; k++) {
            feed *f = feed_of(m, c->from[r] + k);
            if (f->chunk != m->chunk) *f = (feed){.chunk = m->chunk};
            f->rows++;
        }
    for (uint32_t k = 0; k < c->count[0]; k++) {
        feed *f = feed_of(m, c->from[0] + k);
        if (f->rows == c->rows) f->place = c->shared++;
    }
    c->columns -= c->shared;
}

/* Collects the chunk that starts at step t; returns the step after it. */
static uint64_t collect(maker *m, uint64_t t, chunk *c)
{
    const ioa_network *n = m->network;
    const ioa_plan_steps *s = m->steps;
    *c = (chunk){.rows = 0};
    while (t < s->count && c->rows < IOA_SELL_ROWS) {
        uint32_t v = s->destinations[s->edges[t]], count = s->incoming[v];
        if (c->rows && (n->a.activation[v] != n->a.activation[c->neuron[0]] ||
                        param_of(n, v) != param_of(n, c->neuron[0]) || reads_one_of(n, s, c, t, count)))
            break;
        c->from[c->rows] = t;
        c->count[c->rows] = count;
        c->neuron[c->rows++] = v;
        if (count > c->columns) c->columns = count;
        t += count;
    }
    find_shared(m, c);
    return t;
}

static size_t chunk_bytes(const chunk *c)
{
    return sizeof(ioa_sell) + c->shared * sizeof(ioa_sell_shared) + c->columns * sizeof(ioa_sell_column);
}

static void *write_chunk(const maker *m, const chunk *c, void *stream)
{
    const ioa_network *n = m->network;
    const uint32_t *slot = m->out->slot;
    ioa_sell *head = stream;
    ioa_sell_shared *shared = (ioa_sell_shared *)(void *)(head + 1);
    ioa_sell_column *column = (ioa_sell_column *)(void *)(shared + c->shared);
    memset(stream, 0, chunk_bytes(c));
    *head = (ioa_sell){.destination = slot[c->neuron[0]], .shared = c->shared, .columns = c->columns,
                       .activation = n->a.activation[c->neuron[0]], .param = param_of(n, c->neuron[0])};
    for (uint32_t k = 0; k < c->columns; k++)
        for (uint32_t r = 0; r < IOA_SELL_ROWS; r++) column[k].source[r] = (uint16_t)(m->out->slots - 1);
    for (uint32_t r = 0; r < c->rows; r++) {
        uint32_t at = 0;
        head->bias[r] = m->steps->bias[c->neuron[r]];
        for (uint32_t k = 0; k < c->count[r]; k++) {
            uint32_t e = m->steps->edges[c->from[r] + k];
            const feed *f = feed_of(m, c->from[r] + k);
            if (f->rows == c->rows) {
                shared[f->place].source = slot[n->a.indices[e]];
                shared[f->place].weight[r] = n->a.weights[e];
            } else {
                column[at].source[r] = (uint16_t)slot[n->a.indices[e]];
                column[at++].weight[r] = n->a.weights[e];
            }
        }
    }
    return column + c->columns;
}

/* Chunks first, sixteen aligned places each; then constants, all inputs in their sequence, and the zero. */
static uint64_t place_values(maker *m)
{
    const ioa_network *n = m->network;
    const ioa_plan_steps *s = m->steps;
    ioa_sell_stream *sell = m->out;
    uint64_t used = 0;
    chunk c;
    memset(sell->slot, 0xff, n->a.neurons * sizeof *sell->slot);
    for (uint64_t t = 0; t < s->count;) {
        t = collect(m, t, &c);
        for (uint32_t r = 0; r < c.rows; r++) sell->slot[c.neuron[r]] = (uint32_t)used + r;
        used += IOA_SELL_ROWS;
        sell->bytes += chunk_bytes(&c);
        sell->shared += c.shared;
        sell->columns += c.columns;
        sell->chunks++;
    }
    for (uint32_t v = 0; v < n->a.neurons; v++)
        if (s->constant[v] && (s->outgoing[v] || n->is_output[v])) sell->slot[v] = (uint32_t)used++;
    for (uint32_t i = 0; i < n->a.inputs; i++) sell->slot[n->a.input_ids[i]] = (uint32_t)used++;
    return used + 1;
}

ioa_status ioa_sell_make(const ioa_network *network, const ioa_plan_steps *steps, ioa_sell_stream *sell,
                         ioa_error *error)
{
    ioa_status status = IOA_OK;
    maker m = {network, steps, sell, ioa_alloc_zero(network->a.neurons, sizeof *m.feeds), 0};
    memset(sell, 0, sizeof *sell);
    sell->slot = ioa_alloc(network->a.neurons, sizeof *sell->slot);
    if (!sell->slot || !m.feeds) {
        status = ioa_fail_nomem(error, "a plan", network->a.neurons, sizeof *sell->slot + sizeof *m.feeds);
        goto out;
    }
    uint64_t slots = place_values(&m);
    if (slots > MOST_SLOTS)
        status = ioa_fail(error, IOA_ERR_INPUT, "layout sell takes at most %u values", MOST_SLOTS);
    sell->slots = (uint32_t)slots;
    if (status == IOA_OK) {
        sell->stream = ioa_alloc(sell->bytes, 1);
        if (!sell->stream) status = ioa_fail_nomem(error, "a plan", sell->bytes, 1);
    }
    void *stream = sell->stream;
    for (uint64_t t = 0; status == IOA_OK && t < steps->count;) {
        chunk c;
        t = collect(&m, t, &c);
        stream = write_chunk(&m, &c, stream);
    }
out:
    ioa_free(m.feeds);
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
