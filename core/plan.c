#include <ioanneal/plan.h>

#include "core/kernel.h"
#include "core/mem.h"
#include "core/network.h"
#include "core/plan_steps.h"

#include <inttypes.h>
#include <string.h>

#define STAYS_IN_L2 (2u << 20) /* a longer stream is prefetched; a server's L2 is 1 or 2 MiB */

struct ioa_plan {
    const ioa_kernel *kernel;
    ioa_isa isa;
    ioa_layout layout;
    uint32_t tile;
    uint32_t inputs, outputs;
    uint32_t slots; /* values of T floats in the scratch */
    uint32_t constants;
    uint64_t runs;
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
};

const char *ioa_layout_name(ioa_layout layout)
{
    return (unsigned)layout < IOA_LAYOUT_COUNT ? layout_names[layout] : "unknown";
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

/* Walks the steps run by run; called twice: without a stream it only counts bytes, runs and slots. */
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

static void count_runs(const ioa_network *n, const ioa_plan_steps *s, ioa_plan *p)
{
    uint64_t units = s->count;
    for (uint64_t t = 0; t < s->count; t++)
        p->runs += t == 0 || s->destinations[s->edges[t]] != s->destinations[s->edges[t - 1]];
    for (uint32_t v = 0; v < n->a.neurons; v++) units += s->incoming[v] && takes_param(n->a.activation[v]);
    p->stream_bytes = (size_t)(units * sizeof(ioa_step) + p->runs * sizeof(ioa_run));
}

static ioa_status write_stream(const ioa_network *n, const ioa_plan_steps *s, ioa_plan *p, ioa_error *error)
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
    for (uint64_t t = 0; t < s->count;) t = write_run(&w, t);
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

static ioa_status build(const ioa_network *n, const ioa_plan_steps *s, ioa_plan *p, ioa_error *error)
{
    uint64_t constants = 0;
    for (uint32_t v = 0; v < n->a.neurons; v++)
        constants += s->constant[v] && (s->outgoing[v] || n->is_output[v]);
    count_runs(n, s, p);
    p->inputs = n->a.inputs;
    p->outputs = n->a.outputs;
    p->stream = ioa_alloc(p->stream_bytes, 1);
    p->input_offsets = ioa_alloc(p->inputs, sizeof *p->input_offsets);
    p->output_offsets = ioa_alloc(p->outputs, sizeof *p->output_offsets);
    p->constant_offsets = ioa_alloc(constants, sizeof *p->constant_offsets);
    p->constant_values = ioa_alloc(constants, sizeof *p->constant_values);
    if (!p->stream || !p->input_offsets || !p->output_offsets || !p->constant_offsets || !p->constant_values)
        return ioa_fail_nomem(error, "a plan", p->stream_bytes, 1);
    return write_stream(n, s, p, error);
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
    const ioa_kernel *kernel = ioa_kernel_for(o.isa);
    if (!kernel)
        return ioa_fail(error, IOA_ERR_INPUT, "instruction set %s is not available here", ioa_isa_name(o.isa));

    ioa_plan_steps steps = {0};
    ioa_status status = ioa_plan_steps_make(network, order, o.layout, o.layout != IOA_LAYOUT_ORDER, &steps, error);
    if (status != IOA_OK) return status;
    ioa_plan *p = ioa_alloc_zero(1, sizeof *p);
    if (p) {
        p->kernel = kernel;
        p->isa = o.isa == IOA_ISA_AUTO ? ioa_isa_best() : o.isa;
        p->layout = o.layout;
        p->tile = tile;
        status = build(network, &steps, p, error);
    } else
        status = ioa_fail_nomem(error, "a plan", 1, sizeof *p);
    ioa_plan_steps_clear(&steps);
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
        plan->kernel->run(stream, end, values, plan->tile, width, plan->stream_bytes > STAYS_IN_L2);
        plan->kernel->unpack(y + b * plan->outputs, plan->outputs, rows, plan->output_offsets, values, plan->tile);
    }
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

size_t ioa_plan_bytes(const ioa_plan *plan)
{
    return sizeof *plan + plan->stream_bytes + (plan->inputs + plan->outputs + 2 * (size_t)plan->constants) * 4;
}
