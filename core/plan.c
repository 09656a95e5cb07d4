#include <ioanneal/plan.h>

#include "core/kernel.h"
#include "core/mem.h"
#include "core/network.h"
#include "core/parallel.h"
#include "core/plan_groups.h"
#include "core/plan_sell.h"
#include "core/plan_steps.h"
#include "core/work.h"

#include <inttypes.h>
#include <string.h>

#define STAYS_IN_L2 (2u << 20) /* a longer stream is prefetched; a server's L2 is 1 or 2 MiB */

struct ioa_plan {
    const ioa_kernel *kernel;
    ioa_isa isa;
    ioa_layout layout;
    uint32_t tile, panel;
    uint32_t inputs, outputs;
    uint32_t slots; /* values of T floats in the scratch */
    uint32_t constants;
    uint64_t runs, connections;
    size_t stream_bytes;
    void *stream;               /* ioa_run and ioa_step */
    uint32_t *input_offsets;    /* [inputs], IOA_NO_SLOT for one nobody reads */
    uint32_t *output_offsets;   /* [outputs] */
    uint32_t *constant_offsets; /* [constants] */
    float *constant_values;     /* [constants] */
};

static const char *const layout_names[IOA_LAYOUT_COUNT] = {
    [IOA_LAYOUT_ORDER] = "order",
    [IOA_LAYOUT_ROWS] = "rows",
    [IOA_LAYOUT_SORTED] = "sorted",
    [IOA_LAYOUT_SHARED_ROWS] = "shared-rows",
    [IOA_LAYOUT_SHARED_SORTED] = "shared-sorted",
    [IOA_LAYOUT_SELL] = "sell",
};

const char *ioa_layout_name(ioa_layout layout)
{
    return (unsigned)layout < IOA_LAYOUT_COUNT ? layout_names[layout] : "unknown";
}

static bool is_shared(ioa_layout layout)
{
    return layout == IOA_LAYOUT_SHARED_ROWS || layout == IOA_LAYOUT_SHARED_SORTED;
}

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

static void assign_ends(const ioa_network *n, const ioa_plan_steps *s, slot_pool *pool, ioa_plan *p)
{
    const ioa_network_arrays *a = &n->a;
    memset(pool->of, 0xff, a->neurons * sizeof *pool->of);
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
    uint64_t scale;    /* slot to offset */
    unsigned char *stream;
} writer;

static bool takes_param(unsigned activation)
{
    return activation == IOA_ACT_LEAKY_RELU || activation == IOA_ACT_CLIPPED_RELU;
}

/* Writes the run that starts at step t; returns the step after it. */
static uint64_t write_run(writer *w, uint64_t t)
{
    const ioa_network *n = w->network;
    const ioa_plan_steps *s = w->steps;
    uint32_t v = s->destinations[s->edges[t]], count = 0;
    if (w->pool->of[v] == IOA_NO_SLOT) w->pool->of[v] = take_slot(w->pool);
    ioa_run *run = (ioa_run *)(void *)w->stream;
    ioa_step *step = (ioa_step *)(run + 1);
    bool first = w->missing[v] == s->incoming[v];
    for (; t < s->count && s->destinations[s->edges[t]] == v; t++, count++) {
        uint32_t e = s->edges[t], u = n->a.indices[e];
        step[count] = (ioa_step){(uint32_t)(w->pool->of[u] * w->scale), n->a.weights[e]};
        if (--w->uses[u] == 0 && !n->is_output[u] && !s->constant[u]) w->pool->freed[w->pool->depth++] = w->pool->of[u];
    }
    bool last = (w->missing[v] -= count) == 0, param = last && takes_param(n->a.activation[v]);
    *run = (ioa_run){.destination = (uint32_t)(w->pool->of[v] * w->scale), .count = count,
                     .flags = (uint8_t)((first ? IOA_RUN_FIRST : 0) | (last ? IOA_RUN_LAST : 0) |
                                        (param ? IOA_RUN_PARAM : 0)),
                     .activation = n->a.activation[v], .bias = s->bias[v]};
    if (last && !w->uses[v] && !n->is_output[v]) w->pool->freed[w->pool->depth++] = w->pool->of[v]; /* nobody's */
    if (param) step[count++] = (ioa_step){0, n->a.param ? n->a.param[v] : 0.0f};
    w->stream = (unsigned char *)(step + count);
    return t;
}

/* A block of a group: its destinations take their slots before its sources give theirs back. */
static void write_block(writer *w, const ioa_grouping *g, const ioa_group_block *block)
{
    const ioa_network *n = w->network;
    for (uint32_t k = 0; k < IOA_GROUP && block->first && block->members[k] != IOA_NO_SLOT; k++)
        w->pool->of[block->members[k]] = take_slot(w->pool);
    w->stream = ioa_group_write(n, w->steps, g, block, w->pool->of, w->scale, w->stream);
    for (uint64_t i = block->from; i < block->to; i++) {
        uint32_t u = n->a.indices[g->edges[i]];
        if (--w->uses[u] == 0 && !n->is_output[u] && !w->steps->constant[u])
            w->pool->freed[w->pool->depth++] = w->pool->of[u];
    }
    for (uint32_t k = 0; k < IOA_GROUP && block->last && block->members[k] != IOA_NO_SLOT; k++) {
        uint32_t v = block->members[k];
        if (!w->uses[v] && !n->is_output[v]) w->pool->freed[w->pool->depth++] = w->pool->of[v]; /* nobody's */
    }
}

static void count_runs(const ioa_network *n, const ioa_plan_steps *s, ioa_plan *p)
{
    uint64_t units = s->count;
    for (uint64_t t = 0; t < s->count; t++)
        p->runs += t == 0 || s->destinations[s->edges[t]] != s->destinations[s->edges[t - 1]];
    for (uint32_t v = 0; v < n->a.neurons; v++) units += s->incoming[v] && takes_param(n->a.activation[v]);
    p->stream_bytes = (size_t)(units * sizeof(ioa_step) + p->runs * sizeof(ioa_run));
}

static ioa_status write_stream(const ioa_network *n, const ioa_plan_steps *s, const ioa_grouping *g, ioa_plan *p,
                               ioa_error *error)
{
    uint32_t neurons = n->a.neurons;
    ioa_status status = IOA_OK;
    slot_pool pool = {ioa_alloc(neurons, sizeof *pool.of), ioa_alloc(neurons, sizeof *pool.freed), 0, 0};
    writer w = {n, s, &pool, ioa_alloc_copy(s->incoming, neurons, sizeof *w.missing),
                ioa_alloc_copy(s->outgoing, neurons, sizeof *w.uses), p->tile == 1 ? 1 : p->tile / 2, p->stream};
    if (!pool.of || !pool.freed || !w.missing || !w.uses) {
        status = ioa_fail_nomem(error, "a plan", neurons, 4 * sizeof *pool.of);
        goto out;
    }
    assign_ends(n, s, &pool, p);
    for (uint64_t b = 0; b < g->count; b++) write_block(&w, g, &g->blocks[b]);
    for (uint64_t t = 0; !g->blocks && t < s->count;) t = write_run(&w, t);
    if (pool.used * w.scale >= IOA_NO_SLOT) { /* offsets may have wrapped: the stream is thrown away */
        status = ioa_fail(error, IOA_ERR_INPUT,
                          "%" PRIu32 " live values in tiles of %" PRIu32 " floats exceed 32 GiB; use a smaller tile",
                          pool.used, p->tile);
        goto out;
    }
    p->slots = pool.used;
    for (uint32_t i = 0; i < p->inputs; i++)
        if (p->input_offsets[i] != IOA_NO_SLOT) p->input_offsets[i] *= (uint32_t)w.scale;
    for (uint32_t i = 0; i < p->constants; i++) p->constant_offsets[i] *= (uint32_t)w.scale;
    for (uint32_t i = 0; i < p->outputs; i++)
        p->output_offsets[i] = pool.of[n->a.output_ids[i]] * (uint32_t)w.scale;
out:
    ioa_free(pool.of);
    ioa_free(pool.freed);
    ioa_free(w.missing);
    ioa_free(w.uses);
    return status;
}

/* Layout SELL brings slots of its own; offsets are slots. */
static ioa_status build_sell(const ioa_network *n, const ioa_plan_steps *s, ioa_plan *p, ioa_error *error)
{
    ioa_sell_stream sell;
    ioa_status status = ioa_sell_make(n, s, &sell, error);
    if (status != IOA_OK) return status;
    for (uint32_t v = 0; v < n->a.neurons; v++)
        if (s->constant[v] && sell.slot[v] != IOA_NO_SLOT) {
            p->constant_values[p->constants] = s->value[v];
            p->constant_offsets[p->constants++] = sell.slot[v];
        }
    p->constant_values[p->constants] = 0.0f;
    p->constant_offsets[p->constants++] = sell.slots - 1;
    for (uint32_t i = 0; i < p->inputs; i++) p->input_offsets[i] = sell.slot[n->a.input_ids[i]];
    for (uint32_t i = 0; i < p->outputs; i++) p->output_offsets[i] = sell.slot[n->a.output_ids[i]];
    p->slots = sell.slots;
    p->runs = sell.chunks;
    p->stream_bytes = sell.bytes;
    p->stream = sell.stream;
    sell.stream = NULL;
    ioa_sell_clear(&sell);
    return IOA_OK;
}

/* `g` is empty for a stream of runs. */
static ioa_status build(const ioa_network *n, const ioa_plan_steps *s, const ioa_grouping *g, ioa_plan *p,
                        ioa_error *error)
{
    uint64_t constants = 1; /* a zero for layout SELL */
    for (uint32_t v = 0; v < n->a.neurons; v++)
        constants += s->constant[v] && (s->outgoing[v] || n->is_output[v]);
    p->inputs = n->a.inputs;
    p->outputs = n->a.outputs;
    p->input_offsets = ioa_alloc(p->inputs, sizeof *p->input_offsets);
    p->output_offsets = ioa_alloc(p->outputs, sizeof *p->output_offsets);
    p->constant_offsets = ioa_alloc(constants, sizeof *p->constant_offsets);
    p->constant_values = ioa_alloc(constants, sizeof *p->constant_values);
    if (!p->input_offsets || !p->output_offsets || !p->constant_offsets || !p->constant_values)
        return ioa_fail_nomem(error, "a plan", p->inputs + p->outputs + constants, 2 * sizeof *p->constant_values);
    if (p->layout == IOA_LAYOUT_SELL) return build_sell(n, s, p, error);
    if (g->blocks) {
        p->runs = g->count;
        p->stream_bytes = g->stream_bytes;
    } else
        count_runs(n, s, p);
    p->stream = ioa_alloc(p->stream_bytes, 1);
    if (!p->stream) return ioa_fail_nomem(error, "a plan", p->stream_bytes, 1);
    return write_stream(n, s, g, p, error);
}

/* The steps of whole rows, panel by panel: runs then continue partial sums. */
static ioa_status resequence(const ioa_network *n, uint32_t panel, ioa_plan_steps *steps, ioa_error *error)
{
    ioa_grouping panels;
    ioa_status status = ioa_grouping_make(n, steps, 1, panel, &panels, error);
    if (status != IOA_OK) return status;
    memcpy(steps->edges, panels.edges, steps->count * sizeof *steps->edges);
    ioa_grouping_clear(&panels);
    return IOA_OK;
}

ioa_status ioa_plan_create(const ioa_network *network, const uint32_t *order, const ioa_plan_options *options,
                           ioa_plan **plan, ioa_error *error)
{
    ioa_plan_options o = options ? *options : (ioa_plan_options){0};
    uint32_t tile = o.tile ? o.tile : 64;
    if (tile != 1 && tile != 16 && tile != 32 && tile != 64 && tile != 128)
        return ioa_fail(error, IOA_ERR_INPUT, "a batch tile of %" PRIu32 " is not 1, 16, 32, 64 or 128", tile);
    if ((unsigned)o.layout >= IOA_LAYOUT_COUNT)
        return ioa_fail(error, IOA_ERR_INPUT, "unknown plan layout %d", (int)o.layout);
    if (is_shared(o.layout) && tile == 1)
        return ioa_fail(error, IOA_ERR_INPUT, "layout %s wants a batch tile of 16 or more", ioa_layout_name(o.layout));
    if (o.layout == IOA_LAYOUT_SELL && tile != 1)
        return ioa_fail(error, IOA_ERR_INPUT, "layout sell wants a batch tile of 1");
    const ioa_kernel *kernel = ioa_kernel_for(o.isa);
    if (!kernel)
        return ioa_fail(error, IOA_ERR_INPUT, "instruction set %s is not available here", ioa_isa_name(o.isa));

    ioa_plan_steps steps = {0};
    ioa_grouping grouping = {0};
    ioa_layout rows = o.layout == IOA_LAYOUT_SHARED_ROWS     ? IOA_LAYOUT_ROWS
                      : o.layout >= IOA_LAYOUT_SHARED_SORTED ? IOA_LAYOUT_SORTED
                                                             : o.layout;
    ioa_status status = ioa_plan_steps_make(network, order, rows, rows != IOA_LAYOUT_ORDER, &steps, error);
    if (status == IOA_OK && is_shared(o.layout))
        status = ioa_grouping_make(network, &steps, IOA_GROUP, o.panel, &grouping, error);
    else if (status == IOA_OK && o.panel && rows != IOA_LAYOUT_ORDER && o.layout != IOA_LAYOUT_SELL)
        status = resequence(network, o.panel, &steps, error);
    if (status != IOA_OK) {
        ioa_plan_steps_clear(&steps);
        return status;
    }
    ioa_plan *p = ioa_alloc_zero(1, sizeof *p);
    if (p) {
        p->kernel = kernel;
        p->isa = o.isa == IOA_ISA_AUTO ? ioa_isa_best() : o.isa;
        p->layout = o.layout;
        p->tile = tile;
        p->panel = o.panel;
        p->connections = steps.count;
        status = build(network, &steps, &grouping, p, error);
    } else
        status = ioa_fail_nomem(error, "a plan", 1, sizeof *p);
    ioa_plan_steps_clear(&steps);
    ioa_grouping_clear(&grouping);
    if (status == IOA_OK) *plan = p;
    else ioa_plan_destroy(p);
    return status;
}

void ioa_plan_destroy(ioa_plan *plan)
{
    if (!plan) return;
    ioa_free(plan->stream);
    ioa_free(plan->input_offsets);
    ioa_free(plan->output_offsets);
    ioa_free(plan->constant_offsets);
    ioa_free(plan->constant_values);
    ioa_free(plan);
}

size_t ioa_plan_scratch_bytes(const ioa_plan *plan)
{
    return ((size_t)plan->slots * plan->tile * sizeof(float) + 63) / 64 * 64;
}

static void set_constants(const ioa_plan *p, float *values)
{
    size_t unit = IOA_OFFSET_BYTES(p->tile) / sizeof(float);
    for (uint32_t i = 0; i < p->constants; i++)
        for (uint32_t b = 0; b < p->tile; b++) values[p->constant_offsets[i] * unit + b] = p->constant_values[i];
}

void ioa_plan_run(const ioa_plan *plan, const float *x, float *y, size_t batch, void *scratch)
{
    float *values = scratch;
    const char *stream = plan->stream, *end = stream + plan->stream_bytes;
    set_constants(plan, values); /* nothing overwrites them */
    for (size_t b = 0; b < batch; b += plan->tile) {
        uint32_t rows = batch - b < plan->tile ? (uint32_t)(batch - b) : plan->tile;
        uint32_t width = ioa_kernel_width(plan->tile, rows);
        plan->kernel->pack(x + b * plan->inputs, plan->inputs, rows, plan->input_offsets, values, plan->tile, width);
        if (is_shared(plan->layout)) plan->kernel->groups(stream, end, values, width);
        else if (plan->layout == IOA_LAYOUT_SELL) plan->kernel->sell(stream, end, values);
        else plan->kernel->run(stream, end, values, plan->tile, width, plan->stream_bytes > STAYS_IN_L2);
        plan->kernel->unpack(y + b * plan->outputs, plan->outputs, rows, plan->output_offsets, values, plan->tile);
    }
}

typedef struct threaded_run {
    const ioa_plan *plan;
    const float *x;
    float *y;
    size_t batch;
    unsigned char *scratch;
} threaded_run;

static void run_tiles(const void *context, uint32_t thread, size_t first, size_t last)
{
    const threaded_run *r = context;
    size_t from = first * r->plan->tile, to = last * r->plan->tile < r->batch ? last * r->plan->tile : r->batch;
    ioa_plan_run(r->plan, r->x + from * r->plan->inputs, r->y + from * r->plan->outputs, to - from,
                 r->scratch + thread * ioa_plan_scratch_bytes(r->plan));
}

void ioa_plan_run_threads(const ioa_plan *plan, const float *x, float *y, size_t batch, uint32_t threads, void *scratch)
{
    const threaded_run run = {plan, x, y, batch, scratch};
    ioa_parallel(threads, (batch + plan->tile - 1) / plan->tile, run_tiles, &run);
}

uint32_t ioa_plan_tile(const ioa_plan *plan)
{
    return plan->tile;
}

ioa_isa ioa_plan_isa(const ioa_plan *plan)
{
    return plan->isa;
}

uint64_t ioa_plan_runs(const ioa_plan *plan)
{
    return plan->runs;
}

/* Columns of the batch that one pass over the stream computes (core/kernel_impl.h). */
static uint32_t pass_columns(const ioa_plan *p)
{
    uint32_t wide = is_shared(p->layout) ? (p->isa == IOA_ISA_AVX512 ? 64 : p->isa == IOA_ISA_AVX2 ? 16 : 8)
                                         : (p->isa == IOA_ISA_AVX512 ? 128 : p->isa == IOA_ISA_AVX2 ? 64 : 32);
    return p->tile < wide ? p->tile : wide;
}

/* Sources are loaded once per group; a weight takes a load per pass, whatever its width. */
ioa_work ioa_plan_work(const ioa_plan *plan, size_t batch)
{
    double tiles = (double)((batch + plan->tile - 1) / plan->tile), count = (double)plan->connections;
    double passes = tiles * plan->tile / pass_columns(plan), sources = count;
    double vector = plan->isa == IOA_ISA_AVX512 ? 64 : plan->isa == IOA_ISA_AVX2 ? 32 : 16;
    if (is_shared(plan->layout))
        sources = (double)(plan->stream_bytes - plan->runs * sizeof(ioa_group)) / 4 - count;
    double value_bytes = sources * plan->tile * sizeof(float) * tiles;
    return (ioa_work){.flops = 2 * count * (double)batch,
                      .load_bytes = (plan->tile == 1 ? sources * vector * tiles : value_bytes) + count * vector * passes,
                      .value_bytes = value_bytes,
                      .value_set = (double)ioa_plan_scratch_bytes(plan),
                      .stream_bytes = (double)plan->stream_bytes * passes,
                      .stream_set = (double)plan->stream_bytes,
                      .panelled = plan->panel != 0};
}

uint64_t ioa_plan_connections(const ioa_plan *plan)
{
    return plan->connections;
}

size_t ioa_plan_bytes(const ioa_plan *plan)
{
    return sizeof *plan + plan->stream_bytes + (plan->inputs + plan->outputs + 2 * (size_t)plan->constants) * 4;
}
