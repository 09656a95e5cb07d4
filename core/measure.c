#include "core/measure.h"

#include "core/baseline.h"
#include "core/baseline_mkl.h"
#include "core/compile.h"
#include "core/mem.h"
#include "core/network.h"
#include "core/parallel.h"
#include "core/reference.h"
#include "core/rng.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WINDOW 400e-6                  /* a timed window is at least that long */
#define LAYER_WISE_BYTES (1u << 30)    /* no layer-wise baseline whose activations need more */
#define COMPILED_CONNECTIONS 2000000u  /* longer schedules are not tried compiled: fetching the code would bind */
#define FIELD 4                        /* contenders: schedule, layered, CSR, MKL */
#define ROUNDS 11                      /* of a comparison of two candidates, fewer if one is clearly faster: */
#define CLEAR 1.25                     /* by this ratio, twice */
#define LONG_ROWS 16u                  /* connections per neuron from which on panels are tried */
#define LONG_CODE 70000u               /* connections whose code may not stay in L2: about 14 bytes each */
#define REFERENCE_WORK UINT64_C(50000000) /* connections times samples of the exactness check */

void ioa_measurement_clear(ioa_measurement *measurement)
{
    ioa_free(measurement->schedule);
    ioa_free(measurement->layered);
    ioa_free(measurement->csr);
    ioa_free(measurement->mkl);
    memset(measurement, 0, sizeof *measurement);
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

ioa_quartiles ioa_quartiles_of(double *values, uint32_t count)
{
    double q[3];
    qsort(values, count, sizeof *values, compare_doubles);
    for (int i = 0; i < 3; i++) {
        double at = 0.25 * (i + 1) * (count - 1);
        uint32_t below = (uint32_t)at, above = below + 1 < count ? below + 1 : below;
        q[i] = values[below] + (at - below) * (values[above] - values[below]);
    }
    return (ioa_quartiles){q[0], q[1], q[2]};
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Something that can be timed: one of a plan, compiled code, a baseline and MKL, with its scratch. */
typedef struct contender {
    ioa_plan *plan;
    ioa_code *code;
    ioa_baseline *baseline;
    ioa_mkl *mkl; /* with activations of its own */
    void *scratch;        /* one for each thread, */
    size_t scratch_bytes; /* each of that size */
    ioa_layout layout;                     /* of the plan, */
    uint32_t panel;                        /* and its panels */
    ioa_code_options code_options;         /* of the code */
    ioa_baseline_options baseline_options; /* of the baseline */
} contender;

typedef struct job {
    const ioa_network *network;
    const uint32_t *order;
    ioa_isa isa;
    uint32_t batch, threads;
    float *x, *y;
    double deadline; /* of the present phase */
} job;

static void dismiss(contender *c)
{
    ioa_plan_destroy(c->plan);
    ioa_code_destroy(c->code);
    ioa_baseline_destroy(c->baseline);
    ioa_mkl_destroy(c->mkl);
    ioa_free(c->scratch);
    memset(c, 0, sizeof *c);
}

static ioa_status with_scratch(const job *j, contender *c, size_t bytes, ioa_status status, ioa_error *error)
{
    if (status == IOA_OK) {
        c->scratch_bytes = (bytes + 63) / 64 * 64;
        c->scratch = ioa_alloc_zero(j->threads, c->scratch_bytes); /* touched now, not while timed */
        if (!c->scratch) status = ioa_fail_nomem(error, "activations", j->threads, c->scratch_bytes);
    }
    if (status != IOA_OK) dismiss(c);
    return status;
}

static ioa_status make_plan(const job *j, const uint32_t *order, ioa_layout layout, uint32_t tile, uint32_t panel,
                            contender *c, ioa_error *error)
{
    ioa_plan_options options = {.isa = j->isa, .layout = layout, .tile = tile, .panel = panel};
    *c = (contender){.layout = layout, .panel = panel};
    ioa_status status = ioa_plan_create(j->network, order, &options, &c->plan, error);
    return with_scratch(j, c, status == IOA_OK ? ioa_plan_scratch_bytes(c->plan) : 0, status, error);
}

static ioa_status make_code(const job *j, const uint32_t *order, ioa_code_options options, contender *c,
                            ioa_error *error)
{
    *c = (contender){.code_options = options};
    ioa_status status = ioa_code_create(j->network, order, &options, &c->code, error);
    return with_scratch(j, c, status == IOA_OK ? ioa_code_scratch_bytes(c->code) : 0, status, error);
}

static ioa_status make_baseline(const job *j, uint32_t block, bool layer_wise, contender *c, ioa_error *error)
{
    *c = (contender){.baseline_options = {j->isa, block, j->batch, layer_wise}};
    ioa_status status = ioa_baseline_create(j->network, &c->baseline_options, &c->baseline, error);
    return with_scratch(j, c, ioa_baseline_scratch_bytes(j->network, &c->baseline_options), status, error);
}

static bool exists(const contender *c)
{
    return c->plan || c->code || c->baseline || c->mkl;
}

/* Samples that a thread takes at least. */
static size_t step_of(const contender *c)
{
    if (c->plan) return ioa_plan_tile(c->plan);
    if (c->baseline) return c->baseline_options.block;
    return (size_t)ioa_code_tile(c->code_options.isa) * (c->code_options.group ? c->code_options.group : 1);
}

typedef struct inference {
    const job *j;
    const contender *c;
    size_t batch;
} inference;

static void infer_share(const void *context, uint32_t thread, size_t first, size_t last)
{
    const inference *i = context;
    const contender *c = i->c;
    size_t step = step_of(c), from = first * step, to = last * step < i->batch ? last * step : i->batch;
    const float *x = i->j->x + from * i->j->network->a.inputs;
    float *y = i->j->y + from * i->j->network->a.outputs;
    void *scratch = (unsigned char *)c->scratch + thread * c->scratch_bytes;
    if (c->plan) ioa_plan_run(c->plan, x, y, to - from, scratch);
    else if (c->code) ioa_code_run(c->code, x, y, to - from, scratch);
    else ioa_baseline_run(c->baseline, x, y, to - from, scratch);
}

static void infer(const job *j, const contender *c, size_t batch)
{
    const inference i = {j, c, batch};
    if (c->mkl) {
        ioa_mkl_run(c->mkl, j->x, j->y, batch);
        return;
    }
    ioa_parallel(j->threads, (batch + step_of(c) - 1) / step_of(c), infer_share, &i);
}

static void pass(const job *j, const contender *c)
{
    infer(j, c, j->batch);
}

/* Seconds per pass over `passes` of them. */
static double timed(const job *j, const contender *c, uint32_t passes)
{
    double start = now();
    for (uint32_t i = 0; i < passes; i++) pass(j, c);
    return (now() - start) / passes;
}

/* Seconds of a pass when everything is where it will be. */
static double warm(const job *j, const contender *c)
{
    pass(j, c);
    return timed(j, c, 1);
}

static uint32_t passes_for(double seconds)
{
    double passes = ceil(WINDOW / fmax(seconds, 1e-9));
    return (uint32_t)fmin(fmax(passes, 1), 10000);
}

/* Keeps the faster of the two in *best and dismisses the other. The median of the ratios of neighbouring windows
 * decides: a machine that changes its speed from window to window would let the least of them decide by luck. */
static void challenge(const job *j, contender *best, contender *challenger)
{
    if (!exists(best)) {
        *best = *challenger;
        return;
    }
    double ratios[ROUNDS], low = INFINITY, high = 0;
    uint32_t rounds = 0, passes[2];
    passes[0] = passes_for(warm(j, best));
    passes[1] = passes_for(warm(j, challenger));
    while (rounds < ROUNDS && (rounds == 0 || now() < j->deadline)) {
        double ratio = timed(j, challenger, passes[1]) / timed(j, best, passes[0]);
        ratios[rounds++] = ratio;
        low = fmin(low, ratio);
        high = fmax(high, ratio);
        if (rounds >= 2 && (low > CLEAR || high < 1 / CLEAR)) break;
    }
    if (ioa_quartiles_of(ratios, rounds).median < 1) {
        contender former = *best;
        *best = *challenger;
        *challenger = former;
    }
    dismiss(challenger);
}

/* Tiles worth trying for a batch, the likely best first; returns their number. */
static uint32_t tiles_for(uint32_t batch, uint32_t tiles[5])
{
    uint32_t count = 0;
    if (batch > 32) tiles[count++] = 64;
    if (batch > 16) tiles[count++] = 32;
    if (batch > 64) tiles[count++] = 128;
    if (batch == 1) tiles[count++] = 1;
    tiles[count++] = 16;
    if (batch > 1 && batch <= 4) tiles[count++] = 1;
    return count;
}

static bool tiles_have(const uint32_t *tiles, uint32_t count, uint32_t tile)
{
    for (uint32_t t = 0; t < count; t++)
        if (tiles[t] == tile) return true;
    return false;
}

static ioa_status try_plan(const job *j, ioa_layout layout, uint32_t tile, uint32_t panel, contender *best,
                           ioa_error *error)
{
    contender challenger;
    if (best->plan && now() > j->deadline) return IOA_OK;
    ioa_status status = make_plan(j, j->order, layout, tile, panel, &challenger, error);
    if (status == IOA_OK) challenge(j, best, &challenger);
    return status == IOA_ERR_INPUT && best->plan ? IOA_OK : status; /* a tile too wide for the network */
}

static bool ignores_order(ioa_layout layout)
{
    return layout == IOA_LAYOUT_SORTED || layout == IOA_LAYOUT_SHARED_SORTED || layout == IOA_LAYOUT_SELL;
}

/* Layouts that load shared sources once, and panels where rows are long. */
static ioa_status try_reuse(const job *j, uint32_t tile, contender *best, ioa_error *error)
{
    static const struct {
        ioa_layout layout;
        uint32_t bytes; /* of a panel's values */
    } kinds[] = {{IOA_LAYOUT_SHARED_ROWS, 0},      {IOA_LAYOUT_SHARED_SORTED, 0}, {IOA_LAYOUT_SHARED_SORTED, 131072},
                 {IOA_LAYOUT_SHARED_ROWS, 131072}, {IOA_LAYOUT_ROWS, 32768},      {IOA_LAYOUT_ROWS, 131072},
                 {IOA_LAYOUT_SORTED, 131072}};
    bool long_rows = j->network->connections / j->network->a.neurons >= LONG_ROWS;
    ioa_status status = IOA_OK;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && status == IOA_OK; i++)
        if (!kinds[i].bytes || long_rows)
            status = try_plan(j, kinds[i].layout, tile, kinds[i].bytes / (uint32_t)sizeof(float) / tile, best, error);
    return status;
}

/* The order compiled: in one piece, and in segments for long code (cut where a tile's registers would all be spilled
 * anyway costs a few per cent of I/O). Narrow batches waste most of a 16-wide tile and stay with the plans. */
static ioa_status try_compiled(const job *j, contender *best, ioa_error *error)
{
    static const ioa_code_options options[] = {
        {.segment = 0, .group = 1, .prune = true}, {.segment = 2000, .group = 4, .prune = true},
        {.segment = 0, .group = 1, .prune = true, .as_ordered = true}, {.segment = 3000, .group = 2, .prune = true},
        {.segment = 8000, .group = 8, .prune = true}, {.segment = 0, .group = 1, .prune = true, .ahead = true},
        {.segment = 2000, .group = 4, .prune = true, .ahead = true}};
    ioa_status status = IOA_OK;
    if (!ioa_code_available(j->isa) || j->batch <= ioa_code_tile(j->isa) / 2 ||
        j->network->connections > COMPILED_CONNECTIONS)
        return IOA_OK;
    for (size_t i = 0; i < sizeof options / sizeof *options && status == IOA_OK && now() < j->deadline; i++) {
        contender challenger;
        if (options[i].segment >= j->network->connections || (options[i].segment && j->batch <= ioa_code_tile(j->isa)) ||
            (options[i].ahead && j->network->connections < LONG_CODE))
            continue;
        ioa_code_options o = options[i];
        o.isa = j->isa;
        status = make_code(j, j->order, o, &challenger, error);
        if (status == IOA_OK) challenge(j, best, &challenger);
    }
    return status == IOA_ERR_NOMEM ? status : IOA_OK; /* a system that forbids it still has the plans */
}

/* The fastest way to run the order: tiles are compared under SORTED, then the layouts that follow the order at
 * neighbouring tiles, then compiled code. */
static ioa_status choose_plan(const job *j, contender *best, ioa_error *error)
{
    uint32_t tiles[5], count = tiles_for(j->batch, tiles);
    ioa_status status = IOA_OK;
    for (uint32_t t = 0; t < count && (status == IOA_OK || status == IOA_ERR_INPUT); t++)
        status = try_plan(j, IOA_LAYOUT_SORTED, tiles[t], 0, best, error); /* too wide for the network? a narrower one */
    uint32_t tile = best->plan ? ioa_plan_tile(best->plan) : 0;
    if (status == IOA_OK && tiles_have(tiles, count, 1)) status = try_plan(j, IOA_LAYOUT_SELL, 1, 0, best, error);
    for (uint32_t t = 0; t < count && status == IOA_OK; t++) {
        if (tiles[t] * 2 < tile || tiles[t] > tile * 2) continue;
        if (tiles[t] > 1) status = try_reuse(j, tiles[t], best, error);
        if (status == IOA_OK) status = try_plan(j, IOA_LAYOUT_ROWS, tiles[t], 0, best, error);
        if (status == IOA_OK) status = try_plan(j, IOA_LAYOUT_ORDER, tiles[t], 0, best, error);
    }
    if (status == IOA_OK) status = try_compiled(j, best, error);
    return status;
}

static ioa_status choose_baseline(const job *j, contender *best, ioa_error *error)
{
    uint32_t tiles[5], count = tiles_for(j->batch, tiles);
    ioa_status status = IOA_OK;
    for (uint32_t t = 0; t < 2 * count && status == IOA_OK; t++) {
        bool layer_wise = t % 2;
        ioa_baseline_options o = {j->isa, tiles[t / 2], j->batch, layer_wise};
        if (best->baseline && now() > j->deadline) break;
        if (layer_wise && (o.block == 1 || !j->network->a.layers ||
                           ioa_baseline_scratch_bytes(j->network, &o) > LAYER_WISE_BYTES))
            continue;
        contender challenger;
        status = make_baseline(j, o.block, layer_wise, &challenger, error);
        if (status == IOA_OK) challenge(j, best, &challenger);
        else if (status == IOA_ERR_INPUT && best->baseline) status = IOA_OK;
    }
    return status;
}

/* The best of MKL's ways, where it is built in, the network is layered and one thread is measured. */
static ioa_status choose_mkl(const job *j, contender *best, ioa_error *error)
{
    static const uint32_t tiles[] = {0, 64, 16, 128};
    for (size_t t = 0; ioa_mkl_built_in() && j->threads == 1 && t < sizeof tiles / sizeof *tiles; t++) {
        contender challenger = {0};
        if (tiles[t] && tiles[t] >= j->batch) continue;
        ioa_status status = ioa_mkl_create(j->network, j->batch, tiles[t], &challenger.mkl, error);
        if (status == IOA_ERR_INPUT) return IOA_OK;
        if (status != IOA_OK) return status;
        challenge(j, best, &challenger);
    }
    return IOA_OK;
}

/* ---- exactness ---- */

static void fill_inputs(float *x, uint64_t count, ioa_pcg32 *rng, double low, double high)
{
    for (uint64_t i = 0; i < count; i++) x[i] = (float)(low + (high - low) * ioa_pcg32_double(rng));
}

static void compare(const float *y, const double *exact, const double *bound, uint64_t count, ioa_measurement *out)
{
    out->within_bound = true;
    for (uint64_t i = 0; i < count; i++) {
        double off = fabs((double)y[i] - exact[i]), scale = fmax(1, fabs(exact[i]));
        if (!(off <= bound[i])) out->within_bound = false; /* NaN included */
        out->max_abs_error = fmax(out->max_abs_error, isnan(off) ? INFINITY : off);
        out->max_rel_error = fmax(out->max_rel_error, isnan(off) ? INFINITY : off / scale);
        out->error_bound = fmax(out->error_bound, bound[i] / scale);
    }
}

/* Compares the schedule's plan with the reference. Inputs whose outputs are all zero prove nothing, so other ranges
 * are tried then. The samples are the first of the job's batch, which is free at this point. */
static ioa_status check_exactness(const job *j, const contender *c, ioa_pcg32 *rng, ioa_measurement *out,
                                  ioa_error *error)
{
    static const double ranges[][2] = {{-1, 1}, {0, 1}, {0, 10}, {-10, 10}, {0, 1000}};
    const ioa_network_arrays *a = &j->network->a;
    uint64_t samples = REFERENCE_WORK / (j->network->connections + a->neurons);
    samples = samples < 2 ? 2 : samples > 64 ? 64 : samples;
    if (samples > j->batch) samples = j->batch;
    uint64_t count = samples * a->outputs;
    double *exact = ioa_alloc(count, sizeof *exact), *bound = ioa_alloc(count, sizeof *bound);
    ioa_status status = IOA_OK;
    out->all_zero = true;
    if (!exact || !bound) status = ioa_fail_nomem(error, "the exactness check", count, 2 * sizeof *exact);
    for (size_t r = 0; r < sizeof ranges / sizeof *ranges && out->all_zero && status == IOA_OK; r++) {
        fill_inputs(j->x, samples * a->inputs, rng, ranges[r][0], ranges[r][1]);
        status = ioa_reference_run(j->network, j->x, samples, exact, bound, error);
        for (uint64_t i = 0; i < count && status == IOA_OK; i++) out->all_zero = out->all_zero && exact[i] == 0;
    }
    if (status == IOA_OK) {
        infer(j, c, samples);
        compare(j->y, exact, bound, count, out);
    }
    ioa_free(exact);
    ioa_free(bound);
    return status;
}

/* ---- the timing itself ---- */

static ioa_quartiles ratio(const double *slow, const double *fast, uint32_t count, double *work)
{
    for (uint32_t i = 0; i < count; i++) work[i] = slow[i] / fast[i];
    return ioa_quartiles_of(work, count);
}

/* Runs all contenders interleaved, each repetition starting with another one; fills `times` and returns the number
 * of repetitions. Without a plan of its own the second one is the first one again. */
static uint32_t interleave(const job *j, const contender *field, uint32_t wanted, double *times[FIELD])
{
    uint32_t passes[FIELD], done = 0;
    for (int i = 0; i < FIELD; i++) {
        if (!exists(&field[i])) continue;
        passes[i] = passes_for(warm(j, &field[i]));
    }
    while (done < wanted && (done < 3 || now() < j->deadline)) {
        for (uint32_t i = 0; i < FIELD; i++) {
            uint32_t who = (i + done) % FIELD;
            if (!exists(&field[who])) continue;
            times[who][done] = timed(j, &field[who], passes[who]);
        }
        done++;
    }
    if (!exists(&field[1])) memcpy(times[1], times[0], done * sizeof *times[1]);
    return done;
}

static void summarize(const job *j, double *work, ioa_measurement *out)
{
    uint32_t count = out->repeats;
    out->speedup_order = ratio(out->layered, out->schedule, count, work);
    out->speedup_kernel = ratio(out->csr, out->layered, count, work);
    out->speedup_csr = ratio(out->csr, out->schedule, count, work);
    if (out->mkl) out->speedup_mkl = ratio(out->mkl, out->schedule, count, work);
    memcpy(work, out->schedule, count * sizeof *work);
    double seconds = ioa_quartiles_of(work, count).median;
    out->gflops = 2e-9 * (double)j->network->connections * j->batch / seconds;
}

/* The same kind of plan in layered order; nothing if the plan ignores the order. */
static ioa_status make_layered(const job *j, const contender *schedule, contender *layered, ioa_error *error)
{
    if (schedule->code) return make_code(j, NULL, schedule->code_options, layered, error);
    if (ignores_order(schedule->layout)) return IOA_OK;
    return make_plan(j, NULL, schedule->layout, ioa_plan_tile(schedule->plan), schedule->panel, layered, error);
}

static void describe(const job *j, const contender field[FIELD], ioa_measurement *m)
{
    const contender *s = &field[0];
    const ioa_baseline_options *o = &field[2].baseline_options;
    m->work = s->plan ? ioa_plan_work(s->plan, j->batch) : ioa_code_work(s->code, j->batch);
    m->tile = s->plan ? ioa_plan_tile(s->plan) : ioa_code_tile(j->isa);
    int used = 0;
    if (s->plan) used = snprintf(m->kernel, sizeof m->kernel, "run-%s/%s", ioa_isa_name(j->isa), ioa_layout_name(s->layout));
    else snprintf(m->kernel, sizeof m->kernel, "compiled-%s/%" PRIu64 "x%" PRIu32 "%s%s", ioa_isa_name(j->isa),
                  s->code_options.segment, s->code_options.group, s->code_options.ahead ? "/ahead" : "",
                  s->code_options.as_ordered ? "/as-ordered" : "");
    if (s->panel) snprintf(m->kernel + used, sizeof m->kernel - (size_t)used, "/%" PRIu32, s->panel);
    snprintf(m->baseline, sizeof m->baseline, "csr-%s/%" PRIu32 "%s", ioa_isa_name(j->isa), o->block,
             o->layer_wise ? "/layers" : "");
}

static ioa_status measure(job *j, const ioa_measure_options *o, contender field[FIELD], ioa_measurement *out,
                          ioa_error *error)
{
    ioa_pcg32 rng = ioa_rng_keyed(o->seed, IOA_RNG_VERIFY, 0, o->batch);
    double start = now(), seconds = o->seconds > 0 ? o->seconds : 10;
    uint32_t wanted = o->repeats ? o->repeats : 101;
    fill_inputs(j->x, (uint64_t)j->batch * j->network->a.inputs, &rng, -1, 1);

    j->deadline = start + 0.4 * seconds;
    ioa_status status = choose_plan(j, &field[0], error);
    j->deadline = start + 0.6 * seconds;
    if (status == IOA_OK) status = choose_baseline(j, &field[2], error);
    if (status == IOA_OK) status = choose_mkl(j, &field[3], error);
    if (status == IOA_OK) status = check_exactness(j, &field[0], &rng, out, error);
    if (status == IOA_OK) status = make_layered(j, &field[0], &field[1], error);
    if (status != IOA_OK) return status;

    double *times[FIELD], *work = ioa_alloc(wanted, sizeof *work);
    for (int i = 0; i < FIELD; i++) times[i] = ioa_alloc(wanted, sizeof *times[i]);
    out->schedule = times[0];
    out->layered = times[1];
    out->csr = times[2];
    out->mkl = times[3];
    if (work && times[0] && times[1] && times[2] && times[3]) {
        j->deadline = start + seconds;
        out->repeats = interleave(j, field, wanted, times);
        if (!exists(&field[3])) {
            ioa_free(out->mkl);
            out->mkl = NULL;
        }
        summarize(j, work, out);
    } else
        status = ioa_fail_nomem(error, "measured times", wanted, 4 * sizeof *work);
    ioa_free(work);
    return status;
}

ioa_status ioa_measure(const ioa_network *network, const uint32_t *order, const ioa_measure_options *options,
                       ioa_measurement *out, ioa_error *error)
{
    const ioa_network_arrays *a = &network->a;
    if (options->threads > IOA_MOST_THREADS)
        return ioa_fail(error, IOA_ERR_INPUT, "more than %u threads cannot be measured", IOA_MOST_THREADS);
    if (options->batch == 0) return ioa_fail(error, IOA_ERR_INPUT, "a batch of 0 cannot be measured");
    ioa_isa isa = options->isa == IOA_ISA_AUTO ? ioa_isa_best() : options->isa;
    uint32_t threads = options->threads ? options->threads : 1;
    job j = {network, order, isa, options->batch, threads, NULL, NULL, 0};
    contender field[FIELD] = {0}; 
    ioa_measurement m = {.batch = options->batch, .threads = threads};
    ioa_status status = IOA_OK;
    j.x = ioa_alloc((uint64_t)a->inputs * options->batch, sizeof *j.x);
    j.y = ioa_alloc((uint64_t)a->outputs * options->batch, sizeof *j.y);
    if (j.x && j.y) status = measure(&j, options, field, &m, error);
    else status = ioa_fail_nomem(error, "a batch", ((uint64_t)a->inputs + a->outputs) * options->batch, sizeof *j.x);
    if (status == IOA_OK) {
        describe(&j, field, &m);
        *out = m;
    } else
        ioa_measurement_clear(&m);
    for (int i = 0; i < FIELD; i++) dismiss(&field[i]);
    ioa_free(j.x);
    ioa_free(j.y);
    return status;
}
