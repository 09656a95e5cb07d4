#include "core/plan_sell.h"

#include "core/mem.h"
#include "core/network.h"

#include <string.h>

#define MOST_SLOTS 65536u

typedef struct chunk {
    uint64_t from[IOA_SELL_ROWS];  /* first step of a row */
    uint32_t count[IOA_SELL_ROWS]; /* its steps */
    uint32_t neuron[IOA_SELL_ROWS];
    uint32_t rows, columns;
} chunk;

static float param_of(const ioa_network *n, uint32_t v)
{
    return n->a.param ? n->a.param[v] : 0.0f;
}

static bool reads_one_of(const ioa_network *n, const ioa_plan_steps *s, const chunk *c, uint64_t from, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t r = 0; r < c->rows; r++)
            if (n->a.indices[s->edges[from + i]] == c->neuron[r]) return true;
    return false;
}

/* Collects the chunk that starts at step t; returns the step after it. */
static uint64_t collect(const ioa_network *n, const ioa_plan_steps *s, uint64_t t, chunk *c)
{
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
    return t;
}

static size_t chunk_bytes(const chunk *c)
{
    return sizeof(ioa_sell) + (size_t)c->columns * sizeof(ioa_sell_column);
}

static void *write_chunk(const ioa_network *n, const ioa_plan_steps *s, const ioa_sell_stream *sell, const chunk *c,
                         void *stream)
{
    ioa_sell *head = stream;
    ioa_sell_column *column = (ioa_sell_column *)(void *)(head + 1);
    *head = (ioa_sell){.destination = sell->slot[c->neuron[0]], .columns = c->columns,
                       .activation = n->a.activation[c->neuron[0]], .param = param_of(n, c->neuron[0])};
    for (uint32_t r = 0; r < c->rows; r++) head->bias[r] = s->bias[c->neuron[r]];
    for (uint32_t k = 0; k < c->columns; k++)
        for (uint32_t r = 0; r < IOA_SELL_ROWS; r++) {
            bool real = r < c->rows && k < c->count[r];
            uint32_t e = real ? s->edges[c->from[r] + k] : 0;
            column[k].source[r] = (uint16_t)(real ? sell->slot[n->a.indices[e]] : sell->slots - 1);
            column[k].weight[r] = real ? n->a.weights[e] : 0.0f;
        }
    return column + c->columns;
}

/* Chunks first, sixteen aligned places each; then constants, inputs, and the zero. */
static uint64_t place_values(const ioa_network *n, const ioa_plan_steps *s, ioa_sell_stream *sell)
{
    uint64_t used = 0;
    chunk c;
    memset(sell->slot, 0xff, n->a.neurons * sizeof *sell->slot);
    for (uint64_t t = 0; t < s->count;) {
        t = collect(n, s, t, &c);
        for (uint32_t r = 0; r < c.rows; r++) sell->slot[c.neuron[r]] = (uint32_t)used + r;
        used += IOA_SELL_ROWS;
        sell->bytes += chunk_bytes(&c);
        sell->chunks++;
    }
    for (uint32_t v = 0; v < n->a.neurons; v++)
        if ((s->constant[v] && (s->outgoing[v] || n->is_output[v])) || (n->is_input[v] && s->outgoing[v]))
            sell->slot[v] = (uint32_t)used++;
    return used + 1;
}

ioa_status ioa_sell_make(const ioa_network *network, const ioa_plan_steps *steps, ioa_sell_stream *sell,
                         ioa_error *error)
{
    ioa_status status = IOA_OK;
    memset(sell, 0, sizeof *sell);
    sell->slot = ioa_alloc(network->a.neurons, sizeof *sell->slot);
    if (!sell->slot) return ioa_fail_nomem(error, "a plan", network->a.neurons, sizeof *sell->slot);
    uint64_t slots = place_values(network, steps, sell);
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
        t = collect(network, steps, t, &c);
        stream = write_chunk(network, steps, sell, &c, stream);
    }
    if (status != IOA_OK) ioa_sell_clear(sell);
    return status;
}

void ioa_sell_clear(ioa_sell_stream *sell)
{
    ioa_free(sell->stream);
    ioa_free(sell->slot);
    memset(sell, 0, sizeof *sell);
}
