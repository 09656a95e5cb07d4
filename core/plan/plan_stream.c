/* The read-only stream of a plan, and where values live while it runs. */
#include "core/base/mem.h"
#include "core/model/network.h"
#include "core/plan/plan_group_stream.h"
#include "core/plan/plan_internal.h"
#include "core/plan/plan_sell.h"

#include <inttypes.h>
#include <string.h>

/* ---- slots: where values live in the scratch ----
 * A slot is free again after its value's last use, and the one freed last is taken first, while it is still in
 * cache. Constants and outputs keep theirs. */
typedef struct slot_pool {
    uint32_t *of;    /* [N] slot of a neuron, IOA_NO_SLOT if none */
    uint32_t *freed; /* [N] stack */
    uint32_t depth;
    uint32_t used; /* slots in all */
} slot_pool;

static uint32_t take_slot(slot_pool *pool)
{
    return pool->depth ? pool->freed[--pool->depth] : pool->used++;
}

static void give_slot_back(slot_pool *pool, uint32_t neuron)
{
    pool->freed[pool->depth++] = pool->of[neuron];
}

static void assign_ends(const ioa_network *n, const ioa_plan_steps *s, bool zero, slot_pool *pool, ioa_plan *p)
{
    const ioa_network_arrays *a = &n->a;
    memset(pool->of, 0xff, a->neurons * sizeof *pool->of);
    if (zero) {
        p->constant_values[p->constants] = 0.0f;
        p->constant_offsets[p->constants++] = take_slot(pool);
    }
    for (uint32_t v = 0; v < a->neurons; v++)
        if (s->constant[v] && (s->outgoing[v] || n->is_output[v])) {
            p->constant_values[p->constants] = s->value[v];
            p->constant_offsets[p->constants++] = pool->of[v] = take_slot(pool);
        }
    for (uint32_t i = 0; i < a->inputs; i++) {
        uint32_t v = a->input_ids[i];
        if (s->outgoing[v]) pool->of[v] = take_slot(pool);
        p->input_offsets[i] = pool->of[v];
    }
}

/* Walks the steps run by run. */
typedef struct writer {
    const ioa_network *network;
    const ioa_plan_steps *steps;
    slot_pool *pool;
    uint32_t *missing; /* [N] incoming connections still to come */
    uint32_t *uses;    /* [N] outgoing connections still to come */
    uint32_t tile;
    bool quads;        /* the tile's runs have them */
    uint32_t zero;     /* slot of the first constant, which is 0 for wide groups */
    uint64_t stored, continued; /* as in the plan */
    ioa_run *runs;              /* where the next head goes */
    unsigned char *stream;      /* and the next connection, or group */
} writer;

static uint32_t offset_of(const writer *w, uint32_t neuron)
{
    return (uint32_t)ioa_slot_offset(w->pool->of[neuron], w->tile);
}

/* A connection from u is done. */
static void use_source(writer *w, uint32_t u)
{
    if (--w->uses[u] == 0 && !w->network->is_output[u] && !w->steps->constant[u]) give_slot_back(w->pool, u);
}

/* Destination v is complete. Where it is nobody's, it goes at once. */
static void complete_destination(writer *w, uint32_t v)
{
    if (!w->uses[v] && !w->network->is_output[v]) give_slot_back(w->pool, v);
}

static void count_stored(writer *w, uint32_t destinations, bool first)
{
    w->stored += destinations;
    w->continued += first ? 0 : destinations;
}

/* Steps become quads as far as they go. */
static void gather_quads(ioa_step *step, uint32_t count)
{
    for (; count >= 4; count -= 4, step += 4) {
        ioa_quad quad;
        for (int k = 0; k < 4; k++) {
            quad.source[k] = step[k].source;
            quad.weight[k] = step[k].weight;
        }
        memcpy(step, &quad, sizeof quad);
    }
}

/* Writes the run that starts at step t; returns the step after it. */
static uint64_t write_run(writer *w, uint64_t t)
{
    const ioa_network *n = w->network;
    const ioa_plan_steps *s = w->steps;
    uint32_t v = s->destinations[s->edges[t]], count = 0;
    if (w->pool->of[v] == IOA_NO_SLOT) w->pool->of[v] = take_slot(w->pool);
    ioa_step *step = (ioa_step *)(void *)w->stream;
    bool first = w->missing[v] == s->incoming[v];
    for (; t < s->count && s->destinations[s->edges[t]] == v; t++, count++) {
        uint32_t e = s->edges[t], u = n->a.indices[e];
        step[count] = (ioa_step){offset_of(w, u), n->a.weights[e]};
        use_source(w, u);
    }
    count_stored(w, 1, first);
    bool last = (w->missing[v] -= count) == 0, param = last && ioa_activation_takes_param(n->a.activation[v]);
    *w->runs++ = (ioa_run){.destination = offset_of(w, v), .count = count,
                            .flags = (uint8_t)((first ? IOA_RUN_FIRST : 0) | (last ? IOA_RUN_LAST : 0) |
                                               (param ? IOA_RUN_PARAM : 0)),
                            .activation = last ? n->a.activation[v] : (uint8_t)IOA_ACT_IDENTITY, .bias = s->bias[v]};
    if (last) complete_destination(w, v);
    if (w->quads) gather_quads(step, count);
    if (param) step[count++] = (ioa_step){0, n->a.param ? n->a.param[v] : 0.0f};
    w->stream = (unsigned char *)(step + count);
    return t;
}

/* A block of a group: its destinations take their slots before its sources give theirs back. */
static void write_block(writer *w, const ioa_grouping *g, const ioa_group_block *block)
{
    const ioa_network *n = w->network;
    const uint32_t *members = ioa_group_members(g, block);
    const uint32_t count = ioa_group_member_count(g, block);
    const ioa_places places = {w->pool->of, w->zero, w->tile};
    for (uint32_t k = 0; k < count; k++) {
        const bool first = block->first >> k & 1;
        if (first) w->pool->of[members[k]] = take_slot(w->pool);
        count_stored(w, 1, first);
    }
    w->stream = ioa_group_write(n, w->steps, g, block, &places, w->stream);
    for (uint64_t i = block->from; i < block->to; i++) use_source(w, n->a.indices[g->edges[i]]);
    for (uint32_t k = 0; k < count; k++)
        if (block->last >> k & 1) complete_destination(w, members[k]);
}

static void count_runs(const ioa_network *n, const ioa_plan_steps *s, ioa_plan *p)
{
    uint64_t units = s->count;
    for (uint64_t t = 0; t < s->count; t++)
        p->runs += t == 0 || s->destinations[s->edges[t]] != s->destinations[s->edges[t - 1]];
    for (uint32_t v = 0; v < n->a.neurons; v++) units += s->incoming[v] && ioa_activation_takes_param(n->a.activation[v]);
    p->stream_bytes = (size_t)(units * sizeof(ioa_step) + p->runs * sizeof(ioa_run));
}

static ioa_status write_stream(const ioa_network *n, const ioa_plan_steps *s, const ioa_grouping *g, ioa_plan *p,
                               ioa_error *error)
{
    uint32_t neurons = n->a.neurons;
    ioa_status status = IOA_OK;
    slot_pool pool = {ioa_alloc(neurons, sizeof *pool.of), ioa_alloc(neurons, sizeof *pool.freed), 0, 0};
    writer w = {n, s, &pool, ioa_alloc_copy(s->incoming, neurons, sizeof *w.missing),
                ioa_alloc_copy(s->outgoing, neurons, sizeof *w.uses), p->options.tile, p->options.tile > 1,
                0, 0, 0, p->stream, g->blocks ? p->stream : (unsigned char *)((ioa_run *)p->stream + p->runs)};
    if (!pool.of || !pool.freed || !w.missing || !w.uses) {
        status = ioa_fail_nomem(error, "a plan", neurons, 4 * sizeof *pool.of);
        goto out;
    }
    assign_ends(n, s, g->size > IOA_GROUP, &pool, p);
    for (uint64_t b = 0; b < g->count; b++) write_block(&w, g, &g->blocks[b]);
    for (uint64_t t = 0; !g->blocks && t < s->count;) t = write_run(&w, t);
    if (ioa_slot_offset(pool.used + UINT64_C(1), w.tile) >= IOA_NO_SLOT) { /* offsets may have wrapped: the stream is thrown away */
        status = ioa_fail(error, IOA_ERR_INPUT,
                          "%" PRIu32 " live values in tiles of %" PRIu32 " floats exceed 32 GiB; use a smaller tile",
                          pool.used, p->options.tile);
        goto out;
    }
    p->slots = pool.used + 1; /* the last is nobody's */
    p->stored = w.stored;
    p->continued = w.continued;
    for (uint32_t i = 0; i < p->inputs; i++) {
        if (p->input_offsets[i] == IOA_NO_SLOT) p->input_offsets[i] = pool.used;
        p->input_offsets[i] = (uint32_t)ioa_slot_offset(p->input_offsets[i], w.tile);
    }
    for (uint32_t i = 0; i < p->constants; i++) p->constant_offsets[i] = (uint32_t)ioa_slot_offset(p->constant_offsets[i], w.tile);
    for (uint32_t i = 0; i < p->outputs; i++)
        p->output_offsets[i] = offset_of(&w, n->a.output_ids[i]);
out:
    ioa_free(pool.of);
    ioa_free(pool.freed);
    ioa_free(w.missing);
    ioa_free(w.uses);
    return status;
}

/* What a pass over the runs loads beside values: of a head place, count, flags, activation and bias, of a quad its offsets (wide
 * ones in pairs) and weights, of a step both. */
static uint64_t loads_of_runs(const ioa_plan *p)
{
    const ioa_run *runs = p->stream;
    const uint64_t quad = p->quads == IOA_QUADS_WIDE ? 3 : 2;
    uint64_t loads = 0;
    for (uint64_t r = 0; r < p->runs; r++)
        loads += 4u + !!(runs[r].flags & IOA_RUN_FIRST) + !!(runs[r].flags & IOA_RUN_PARAM) + runs[r].count / 4 * quad +
                 runs[r].count % 4 * 2;
    return loads;
}

/* Makes all quads of a stream of runs narrow ones, in place: what they are shorter by leaves the bytes past the last one. */
static void narrow_quads(ioa_plan *p, ioa_quads quads)
{
    const uint32_t unit = (quads == IOA_QUADS_NEAR ? 8 : 64) / IOA_OFFSET_BYTES(16);
    const ioa_run *run = p->stream, *end = run + p->runs;
    unsigned char *to = (unsigned char *)p->stream + p->runs * sizeof *run;
    for (const unsigned char *from = to; run < end; run++) {
        for (uint32_t i = 0; i < run->count / 4; i++, from += sizeof(ioa_quad), to += sizeof(ioa_narrow_quad)) {
            ioa_quad quad;
            ioa_narrow_quad narrow;
            memcpy(&quad, from, sizeof quad);
            for (int k = 0; k < 4; k++) {
                narrow.source[k] = (uint16_t)(quad.source[k] / unit);
                narrow.weight[k] = quad.weight[k];
            }
            memcpy(to, &narrow, sizeof narrow);
        }
        size_t rest = (run->count % 4 + !!(run->flags & IOA_RUN_PARAM)) * sizeof(ioa_step);
        memmove(to, from, rest);
        from += rest;
        to += rest;
    }
    p->stream_bytes = (size_t)(to - (unsigned char *)p->stream);
    p->quads = quads;
}

/* Layout SELL brings slots of its own; offsets are slots. */
static ioa_status build_sell(const ioa_network *n, const ioa_plan_steps *s, ioa_plan *p, ioa_error *error)
{
    ioa_sell_stream sell;
    const bool shuffles = p->options.isa == IOA_ISA_AVX512;
    ioa_status status = ioa_sell_make(n, s, shuffles, p->options.group <= 1, &sell, error);
    if (status != IOA_OK) return status;
    for (uint32_t v = 0; v < n->a.neurons; v++)
        if (s->constant[v] && sell.slot[v] != IOA_NO_SLOT) {
            p->constant_values[p->constants] = s->value[v];
            p->constant_offsets[p->constants++] = sell.slot[v];
        }
    const uint64_t parts = IOA_SELL_ROWS / (shuffles ? 16 : p->options.isa == IOA_ISA_AVX2 ? 8 : 4);
    p->constant_values[p->constants] = 0.0f;
    p->constant_offsets[p->constants++] = sell.zero;
    for (uint32_t i = 0; i < p->inputs; i++) p->input_offsets[i] = sell.slot[n->a.input_ids[i]];
    for (uint32_t i = 0; i < p->outputs; i++) p->output_offsets[i] = sell.slot[n->a.output_ids[i]];
    p->slots = sell.slots;
    p->runs = sell.chunks;
    p->value_loads = sell.shared + sell.columns * IOA_SELL_ROWS;
    p->piece_loads = 2 * sell.near;
    p->narrow_loads = sell.registers * parts + sell.near / 2; /* where four pieces are by one load; of single values: ioa_plan_work */
    p->stream_bytes = sell.bytes;
    p->stream = sell.stream;
    sell.stream = NULL;
    ioa_sell_clear(&sell);
    return IOA_OK;
}

ioa_status ioa_plan_build_stream(const ioa_network *n, const ioa_plan_steps *s, const ioa_grouping *g, ioa_plan *p,
                                 ioa_error *error)
{
    uint64_t constants = 1; /* a zero for layout SELL and wide groups */
    for (uint32_t v = 0; v < n->a.neurons; v++)
        constants += s->constant[v] && (s->outgoing[v] || n->is_output[v]);
    p->input_offsets = ioa_alloc(p->inputs, sizeof *p->input_offsets);
    p->output_offsets = ioa_alloc(p->outputs, sizeof *p->output_offsets);
    p->constant_offsets = ioa_alloc(constants, sizeof *p->constant_offsets);
    p->constant_values = ioa_alloc(constants, sizeof *p->constant_values);
    if (!p->input_offsets || !p->output_offsets || !p->constant_offsets || !p->constant_values)
        return ioa_fail_nomem(error, "a plan", p->inputs + p->outputs + constants, 2 * sizeof *p->constant_values);
    if (p->options.layout == IOA_LAYOUT_SELL) return build_sell(n, s, p, error);
    if (g->blocks) {
        p->runs = g->count;
        p->value_loads = g->value_loads;
        p->narrow_loads = g->narrow_loads;
        p->stream_bytes = g->stream_bytes;
    } else
        count_runs(n, s, p);
    p->stream = ioa_alloc(p->stream_bytes, 1);
    if (!p->stream) return ioa_fail_nomem(error, "a plan", p->stream_bytes, 1);
    ioa_status status = write_stream(n, s, g, p, error);
    const uint64_t bytes = ioa_slot_offset(p->slots, p->options.tile) * IOA_OFFSET_BYTES(16);
    const bool narrow = bytes <= IOA_NARROW_BYTES && p->options.tile > 1;
    const ioa_quads quads = !narrow ? IOA_QUADS_WIDE : bytes <= IOA_NEAR_BYTES ? IOA_QUADS_NEAR : IOA_QUADS_NARROW;
    if (status != IOA_OK) return status;
    if (g->size > IOA_GROUP) {
        p->quads = quads;
        if (narrow) p->stream_bytes = ioa_wide_narrow(p->stream, p->stream_bytes, g->size, quads);
        else p->narrow_loads += g->quads;
    } else if (!g->blocks) {
        if (narrow) narrow_quads(p, quads);
        p->narrow_loads = loads_of_runs(p);
    }
    return status;
}
