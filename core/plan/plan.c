#include "core/base/mem.h"
#include "core/base/parallel.h"
#include "core/compile/work.h"
#include "core/model/network.h"
#include "core/plan/plan_internal.h"
#include "core/plan/plan_sell.h"

#include <inttypes.h>
#include <string.h>

#define STAYS_NEAR (4u << 20) /* bytes; a longer stream is prefetched. Measured: 3 MB are 3 per cent slower with it, 10 MB 10 to
                                 20 per cent faster */
#define SELL_STAYS_NEAR (400u << 10) /* the same for single samples, which go through a stream once: 0.5 MB are 6 per cent
                                        faster with it */

/* The steps of whole rows, panel by panel: runs then continue partial sums. */
static ioa_status resequence(const ioa_network *n, const ioa_plan_options *o, ioa_plan_steps *steps, ioa_error *error)
{
    ioa_grouping panels;
    ioa_status status = ioa_grouping_make(n, steps, 1, o->panel, o->hot, o->layout == IOA_LAYOUT_SORTED, &panels, error);
    if (status != IOA_OK) return status;
    memcpy(steps->edges, panels.edges, steps->count * sizeof *steps->edges);
    ioa_grouping_clear(&panels);
    return IOA_OK;
}

/* Plans whose sequence of steps this file makes. */
static ioa_status make_stream(const ioa_network *network, const uint32_t *order, ioa_plan *p, ioa_error *error)
{
    const ioa_plan_options *o = &p->options;
    ioa_plan_steps steps = {0};
    ioa_grouping grouping = {0};
    ioa_layout rows = o->layout == IOA_LAYOUT_SHARED_ROWS     ? IOA_LAYOUT_ROWS
                      : o->layout >= IOA_LAYOUT_SHARED_SORTED ? IOA_LAYOUT_SORTED
                                                              : o->layout;
    ioa_status status = ioa_plan_steps_make(network, order, rows, rows != IOA_LAYOUT_ORDER, &steps, error);
    if (status == IOA_OK && ioa_layout_is_shared(o->layout))
        status = ioa_grouping_make(network, &steps, ioa_plan_group_size(o), o->panel, o->hot, o->group > 1 && rows == IOA_LAYOUT_SORTED,
                                   &grouping, error);
    else if (status == IOA_OK && (o->panel || o->hot) && rows != IOA_LAYOUT_ORDER && o->layout != IOA_LAYOUT_SELL)
        status = resequence(network, o, &steps, error);
    else if (status == IOA_OK && o->layout == IOA_LAYOUT_SELL && o->group > 1)
        status = ioa_sell_bring_together(network, &steps, error);
    p->connections = steps.count;
    if (status == IOA_OK) status = ioa_plan_build_stream(network, &steps, &grouping, p, error);
    ioa_plan_steps_clear(&steps);
    ioa_grouping_clear(&grouping);
    return status;
}

static ioa_status make_baseline(const ioa_network *network, ioa_plan *p, ioa_error *error)
{
    const ioa_plan_options *o = &p->options;
    ioa_baseline_options options = {o->isa, o->tile, o->tile * o->group, o->group > 1};
    p->connections = network->connections;
    p->baseline_scratch = ioa_baseline_scratch_bytes(network, &options);
    return ioa_baseline_create(network, &options, &p->baseline, error);
}

static ioa_status make_code(const ioa_network *network, const uint32_t *order, ioa_plan *p, ioa_error *error)
{
    const ioa_plan_options *o = &p->options;
    const ioa_code_options options = {.isa = o->isa, .segment = o->segment, .group = o->group, .ahead = o->ahead,
                                      .prune = true, .as_ordered = o->as_ordered};
    ioa_status status = ioa_code_create(network, order, &options, &p->code, error);
    if (status == IOA_OK) p->connections = ioa_code_describe(p->code).products;
    return status;
}

static ioa_status check_options(const ioa_network *network, const ioa_plan_options *o, ioa_error *error)
{
    const char *name = ioa_layout_name(o->layout);
    if ((unsigned)o->layout >= IOA_LAYOUT_COUNT)
        return ioa_fail(error, IOA_ERR_INPUT, "unknown plan layout %d", (int)o->layout);
    if (!ioa_kernel_for(o->isa))
        return ioa_fail(error, IOA_ERR_INPUT, "instruction set %s is not available here", ioa_isa_name(o->isa));
    if (o->layout == IOA_LAYOUT_COMPILED) {
        if (!ioa_code_available(o->isa))
            return ioa_fail(error, IOA_ERR_INPUT, "compiled schedules need AVX2 or AVX-512");
        if (o->tile && o->tile != ioa_code_tile(o->isa))
            return ioa_fail(error, IOA_ERR_INPUT, "compiled schedules for %s have a batch tile of %" PRIu32,
                            ioa_isa_name(o->isa), ioa_code_tile(o->isa));
        return IOA_OK;
    }
    if (o->tile > 1 && o->tile != 16 && o->tile != 32 && o->tile != 64 && o->tile != 128)
        return ioa_fail(error, IOA_ERR_INPUT, "a batch tile of %" PRIu32 " is not 1, 16, 32, 64 or 128", o->tile);
    if (ioa_layout_is_shared(o->layout) && o->tile == 1)
        return ioa_fail(error, IOA_ERR_INPUT, "layout %s wants a batch tile of 16 or more", name);
    if (ioa_layout_is_shared(o->layout) && o->group > 1 &&
        ((o->group != 8 && o->group != 16) || (o->tile ? o->tile : 64) * o->group > IOA_WIDE_COLUMNS))
        return ioa_fail(error, IOA_ERR_INPUT, "layout %s takes groups of 8 with tiles of up to 32, or of 16 with tiles of 16", name);
    if (o->layout == IOA_LAYOUT_SELL && o->tile != 1)
        return ioa_fail(error, IOA_ERR_INPUT, "layout sell wants a batch tile of 1");
    if (o->layout == IOA_LAYOUT_SELL && o->group > 1 && o->group != IOA_SELL_ROWS)
        return ioa_fail(error, IOA_ERR_INPUT, "layout sell takes groups of %u", IOA_SELL_ROWS);
    if (o->layout == IOA_LAYOUT_CSR && o->group > 1 && (o->tile == 1 || !network->a.layers))
        return ioa_fail(error, IOA_ERR_INPUT, "layout csr takes groups of tiles through layers, and there are none");
    return IOA_OK;
}

/* What 0 and AUTO stand for. */
static ioa_plan_options resolve(ioa_plan_options o)
{
    if (o.isa == IOA_ISA_AUTO) o.isa = ioa_isa_best();
    if (!o.tile) o.tile = o.layout == IOA_LAYOUT_COMPILED ? ioa_code_tile(o.isa) : 64;
    if (!o.group) o.group = o.layout == IOA_LAYOUT_COMPILED && o.segment ? 8 : 1;
    return o;
}

ioa_status ioa_plan_create(const ioa_network *network, const uint32_t *order, const ioa_plan_options *options,
                           ioa_plan **plan, ioa_error *error)
{
    ioa_plan_options o = options ? *options : (ioa_plan_options){0};
    ioa_status status = check_options(network, &o, error);
    if (status != IOA_OK) return status;
    ioa_plan *p = ioa_alloc_zero(1, sizeof *p);
    if (!p) return ioa_fail_nomem(error, "a plan", 1, sizeof *p);
    p->options = resolve(o);
    p->kernel = ioa_kernel_for(o.isa);
    p->inputs = network->a.inputs;
    p->outputs = network->a.outputs;
    if (o.layout == IOA_LAYOUT_CSR) status = make_baseline(network, p, error);
    else if (o.layout == IOA_LAYOUT_COMPILED) status = make_code(network, order, p, error);
    else status = make_stream(network, order, p, error);
    if (status == IOA_OK) *plan = p;
    else ioa_plan_destroy(p);
    return status;
}

void ioa_plan_destroy(ioa_plan *plan)
{
    if (!plan) return;
    ioa_baseline_destroy(plan->baseline);
    ioa_code_destroy(plan->code);
    ioa_free(plan->stream);
    ioa_free(plan->input_offsets);
    ioa_free(plan->output_offsets);
    ioa_free(plan->constant_offsets);
    ioa_free(plan->constant_values);
    ioa_free(plan);
}

size_t ioa_plan_scratch_bytes(const ioa_plan *plan)
{
    size_t bytes = plan->baseline ? plan->baseline_scratch
                   : plan->code   ? ioa_code_scratch_bytes(plan->code)
                                  : (size_t)ioa_slot_offset(plan->slots, plan->options.tile) * IOA_OFFSET_BYTES(plan->options.tile);
    return (bytes + 63) / 64 * 64;
}

static void set_constants(const ioa_plan *p, float *values)
{
    uint32_t tile = p->options.tile;
    size_t unit = IOA_OFFSET_BYTES(tile) / sizeof(float);
    if (p->options.layout == IOA_LAYOUT_SELL) { /* they are in one piece, but for the zero, which comes last */
        memcpy(values + p->constant_offsets[0], p->constant_values, (p->constants - 1) * sizeof *values);
        values[p->constant_offsets[p->constants - 1]] = 0.0f;
        return;
    }
    for (uint32_t i = 0; i < p->constants; i++)
        for (uint32_t b = 0; b < tile; b++) values[p->constant_offsets[i] * unit + b] = p->constant_values[i];
}

static void compute_tile(const ioa_plan *plan, float *values, uint32_t width)
{
    const ioa_plan_options *o = &plan->options;
    const char *stream = plan->stream, *end = stream + plan->stream_bytes;
    const bool ahead = plan->stream_bytes > (o->layout == IOA_LAYOUT_SELL ? SELL_STAYS_NEAR : STAYS_NEAR);
    if (o->layout == IOA_LAYOUT_SELL) plan->kernel->sell(plan->stream, values, ahead);
    else if (ioa_layout_is_shared(o->layout) && o->group > 1) plan->kernel->wide(stream, end, values, o->group, width, plan->quads, ahead);
    else if (ioa_layout_is_shared(o->layout)) plan->kernel->groups(stream, end, values, width, ahead);
    else plan->kernel->run(plan->stream, plan->runs, values, o->tile, width, plan->quads, ahead);
}

static void run_stream(const ioa_plan *plan, const float *x, float *y, size_t batch, float *values, bool compute)
{
    const uint32_t tile = plan->options.tile;
    const bool far_x = ioa_is_far(batch, plan->inputs), far_y = ioa_is_far(batch, plan->outputs);
    set_constants(plan, values); /* nothing overwrites them */
    for (size_t b = 0; b < batch; b += tile) {
        uint32_t rows = batch - b < tile ? (uint32_t)(batch - b) : tile;
        uint32_t width = ioa_kernel_width(tile, rows);
        if (plan->options.layout == IOA_LAYOUT_SELL && plan->inputs) /* they are in one piece, as x */
            memcpy(values + plan->input_offsets[0], x + b * plan->inputs, plan->inputs * sizeof *x);
        else plan->kernel->pack(x + b * plan->inputs, plan->inputs, rows, plan->input_offsets, values, tile, width, far_x);
        if (compute) compute_tile(plan, values, width);
        plan->kernel->unpack(y + b * plan->outputs, plan->outputs, rows, plan->output_offsets, values, tile, far_y);
    }
}

void ioa_plan_run(const ioa_plan *plan, const float *x, float *y, size_t batch, void *scratch)
{
    if (plan->baseline) ioa_baseline_run(plan->baseline, x, y, batch, scratch);
    else if (plan->code) ioa_code_run(plan->code, x, y, batch, scratch);
    else run_stream(plan, x, y, batch, scratch, true);
}

bool ioa_plan_pack(const ioa_plan *plan, const float *x, float *y, size_t batch, void *scratch)
{
    if (plan->baseline || plan->options.tile == 1) return false;
    if (plan->code) ioa_code_pack(plan->code, x, y, batch, scratch);
    else run_stream(plan, x, y, batch, scratch, false);
    return true;
}

/* Samples that a thread takes at least: groups are cut where there are too few of them to go round. */
static size_t step_of(const ioa_plan *plan, size_t batch, uint32_t threads)
{
    size_t tile = plan->options.tile, group = plan->baseline || plan->code ? plan->options.group : 1;
    size_t share = (batch + tile * threads - 1) / (tile * threads); /* tiles of a thread */
    return tile * (group < share ? group : share ? share : 1);
}

typedef struct threaded_run {
    const ioa_plan *plan;
    const float *x;
    float *y;
    size_t batch, step;
    unsigned char *scratch;
} threaded_run;

static void run_tiles(const void *context, uint32_t thread, size_t first, size_t last)
{
    const threaded_run *r = context;
    size_t from = first * r->step, to = last * r->step < r->batch ? last * r->step : r->batch;
    ioa_plan_run(r->plan, r->x + from * r->plan->inputs, r->y + from * r->plan->outputs, to - from,
                 r->scratch + thread * ioa_plan_scratch_bytes(r->plan));
}

void ioa_plan_run_threads(const ioa_plan *plan, const float *x, float *y, size_t batch, uint32_t threads, void *scratch)
{
    const threaded_run run = {plan, x, y, batch, step_of(plan, batch, threads ? threads : 1), scratch};
    ioa_parallel(threads, (batch + run.step - 1) / run.step, run_tiles, &run);
}

uint32_t ioa_plan_tile(const ioa_plan *plan)
{
    return plan->options.tile;
}

ioa_isa ioa_plan_isa(const ioa_plan *plan)
{
    return plan->options.isa;
}

void ioa_plan_describe(const ioa_plan *plan, ioa_plan_options *options)
{
    *options = plan->options;
}

uint64_t ioa_plan_runs(const ioa_plan *plan)
{
    return plan->runs;
}

/* Columns of the batch that one pass over the stream computes (core/kernel/kernel_impl.h). */
static uint32_t pass_columns(const ioa_plan *p)
{
    const ioa_plan_options *o = &p->options;
    const bool shared = ioa_layout_is_shared(o->layout);
    uint32_t wide = o->isa == IOA_ISA_AVX512 ? 128 : o->isa == IOA_ISA_AVX2 ? 64 : 32;
    if (shared) wide = o->isa == IOA_ISA_AVX512 ? 64 : o->isa == IOA_ISA_AVX2 ? 16 : 8;
    if (shared && o->group > 1 && o->isa != IOA_ISA_AVX512) wide /= 2;
    return o->tile < wide ? o->tile : wide;
}

/* Bytes of the values that a panel, or what is consumed while hot, goes through again and again. */
static double panel_set(const ioa_plan_options *o)
{
    return (double)(o->panel > o->hot ? o->panel : o->hot) * o->tile * sizeof(float);
}

/* Columns that are computed: those of the last tile as far as the kernel goes. */
static double columns_of(uint32_t tile, size_t batch)
{
    size_t rest = batch % tile;
    return (double)(batch - rest) + (rest ? ioa_kernel_width(tile, rest) : 0);
}

/* How often the stream is gone through. */
static double passes_of(const ioa_plan *p, size_t batch)
{
    const uint32_t tile = p->options.tile, wide = pass_columns(p);
    const size_t rest = batch % tile;
    return (double)(batch / tile) * (tile / wide) + (rest ? (ioa_kernel_width(tile, rest) + wide - 1) / wide : 0);
}

/* Beside loads of whole registers, one of an offset or a weight keeps a port as busy (measured, Zen 5: 2.1 loads a cycle with one
 * offset to each register, 2.0 without). Beside single values offsets go another way (3.7 a cycle, of single values alone 2.0),
 * so that for tile 1 they do not count. The outputs of a single sample are loaded one by one, too. */
ioa_work ioa_plan_work(const ioa_plan *plan, size_t batch)
{
    if (plan->code) return ioa_code_work(plan->code, batch);
    uint32_t tile = plan->options.tile;
    double columns = columns_of(tile, batch), count = (double)plan->connections, values = count;
    double passes = passes_of(plan, batch), narrow = (double)plan->narrow_loads;
    double vector = plan->options.isa == IOA_ISA_AVX512 ? 64 : plan->options.isa == IOA_ISA_AVX2 ? 32 : 16;
    double stream = plan->baseline ? 8 * count : (double)plan->stream_bytes;
    const bool sell = plan->options.layout == IOA_LAYOUT_SELL;
    if (plan->baseline || (tile == 1 && !sell)) narrow = (tile == 1 ? sizeof(float) / vector : 2) * count;
    if (plan->value_loads || sell) values = (double)plan->value_loads;
    double row = sizeof(float) * columns, pieces = (double)plan->piece_loads * vector * columns, value_bytes = values * row + pieces;
    double unpacked = tile == 1 && !plan->baseline ? (double)plan->outputs * vector * columns : 0;
    return (ioa_work){.flops = 2 * count * (double)batch,
                      .lane_flops = 2 * count * columns,
                      .load_bytes = (tile == 1 ? values * vector * columns + pieces + unpacked : value_bytes) +
                                    narrow * vector * passes + (double)plan->continued * row,
                      .write_bytes = (double)plan->stored * row,
                      .packed_bytes = (double)(plan->inputs + plan->outputs) * (double)batch * sizeof(float),
                      .value_bytes = value_bytes,
                      .value_set = (double)ioa_plan_scratch_bytes(plan),
                      .stream_bytes = stream * passes,
                      .stream_set = stream,
                      .panel_set = panel_set(&plan->options),
                      .lines = tile * sizeof(float) == 64}; /* a value is a line, wherever it is */
}

uint64_t ioa_plan_connections(const ioa_plan *plan)
{
    return plan->connections;
}

size_t ioa_plan_bytes(const ioa_plan *plan)
{
    size_t own = sizeof *plan + plan->stream_bytes + (plan->inputs + plan->outputs + 2 * (size_t)plan->constants) * 4;
    if (plan->baseline) return own + 8 * plan->connections;
    if (plan->code) return own + ioa_code_describe(plan->code).code_bytes + ioa_code_describe(plan->code).stream_bytes;
    return own;
}
