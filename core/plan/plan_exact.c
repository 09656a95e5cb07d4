#include "core/plan/plan_exact.h"

#include "core/base/mem.h"
#include "core/base/rng.h"
#include "core/model/depth.h"
#include "core/model/network.h"
#include "core/model/reference.h"

#include <math.h>

#define REFERENCE_WORK UINT64_C(50000000) /* connections times samples */

static const struct {
    double low, high;
} ranges[] = {{-1, 1}, {0, 1}, {0, 10}, {-100, 100}, {0, 1000}};

typedef struct arrays {
    float *x, *y;
    double *exact, *bound, *other_exact, *other_bound;
    uint32_t *depth; /* [N] */
    void *scratch;
} arrays;

uint32_t ioa_exactness_samples(const ioa_network *network, uint32_t most)
{
    uint64_t samples = REFERENCE_WORK / (network->connections + network->a.neurons);
    return samples < 2 ? 2 : samples > most ? most : (uint32_t)samples;
}

static void compare(const float *y, const double *exact, const double *bound, ioa_exactness *out)
{
    uint64_t nonzero = 0;
    for (uint64_t i = 0; i < out->count; i++) {
        double off = fabs((double)y[i] - exact[i]), scale = fmax(1, fabs(exact[i]));
        nonzero += exact[i] != 0.0;
        out->wrong += !(off <= bound[i]); /* not-a-number included */
        out->max_abs_error = fmax(out->max_abs_error, isnan(off) ? INFINITY : off);
        out->max_rel_error = fmax(out->max_rel_error, isnan(off) ? INFINITY : off / scale);
        out->error_bound = fmax(out->error_bound, bound[i] / scale);
    }
    out->nonzero = (double)nonzero / (double)out->count;
    out->within = out->wrong == 0;
}

static void measure_network(const ioa_network *n, uint32_t *depth, ioa_exactness *out)
{
    out->depth = ioa_network_depths(n, depth);
    for (uint32_t v = 0; v < n->a.neurons; v++) {
        int64_t fan_in = n->a.indptr[v + 1] - n->a.indptr[v];
        if (fan_in > out->fan_in) out->fan_in = (uint32_t)fan_in;
    }
}

static void fill(float *x, uint64_t count, uint64_t seed, size_t kind)
{
    ioa_pcg32 rng = ioa_rng_keyed(seed, IOA_RNG_VERIFY, kind, 0);
    for (uint64_t i = 0; i < count; i++)
        x[i] = (float)(ranges[kind].low + (ranges[kind].high - ranges[kind].low) * ioa_pcg32_double(&rng));
}

/* Samples with an output that is not 0. */
static uint32_t live_samples(const double *exact, uint32_t samples, uint32_t outputs)
{
    uint32_t live = 0;
    for (uint32_t b = 0; b < samples; b++) {
        bool any = false;
        for (uint32_t s = 0; s < outputs; s++) any = any || exact[(uint64_t)b * outputs + s] != 0.0;
        live += any;
    }
    return live;
}

/* Finds the range of inputs, and leaves x, exact and bound for it. */
static ioa_status find_inputs(const ioa_network *n, uint32_t samples, uint64_t seed, arrays *a, ioa_error *error)
{
    uint32_t most = 0;
    size_t best = 0;
    for (size_t kind = 0; kind < sizeof ranges / sizeof *ranges && (kind == 0 || most < samples); kind++) {
        fill(a->x, (uint64_t)samples * n->a.inputs, seed, kind);
        ioa_status status = ioa_reference_run(n, a->x, samples, a->other_exact, a->other_bound, error);
        if (status != IOA_OK) return status;
        uint32_t live = live_samples(a->other_exact, samples, n->a.outputs);
        if (kind && live <= most) continue;
        best = kind;
        most = live;
        double *exact = a->exact, *bound = a->bound;
        a->exact = a->other_exact;
        a->bound = a->other_bound;
        a->other_exact = exact;
        a->other_bound = bound;
    }
    fill(a->x, (uint64_t)samples * n->a.inputs, seed, best);
    return IOA_OK;
}

ioa_status ioa_exactness_check(const ioa_network *network, const ioa_plan *plan, uint32_t samples, uint64_t seed,
                               ioa_exactness *out, ioa_error *error)
{
    uint64_t inputs = (uint64_t)samples * network->a.inputs, outputs = (uint64_t)samples * network->a.outputs;
    arrays a = {ioa_alloc(inputs, sizeof *a.x),
                ioa_alloc(outputs, sizeof *a.y),
                ioa_alloc(outputs, sizeof *a.exact),
                ioa_alloc(outputs, sizeof *a.bound),
                ioa_alloc(outputs, sizeof *a.other_exact),
                ioa_alloc(outputs, sizeof *a.other_bound),
                ioa_alloc(network->a.neurons, sizeof *a.depth),
                ioa_alloc(ioa_plan_scratch_bytes(plan), 1)};
    ioa_exactness e = {.count = outputs};
    ioa_status status = IOA_OK;
    if (!a.x || !a.y || !a.exact || !a.bound || !a.other_exact || !a.other_bound || !a.depth || !a.scratch)
        status = ioa_fail_nomem(error, "verification of inference", inputs + 5 * outputs, sizeof *a.exact);
    if (status == IOA_OK) status = find_inputs(network, samples, seed, &a, error);
    if (status == IOA_OK) {
        measure_network(network, a.depth, &e);
        ioa_plan_run(plan, a.x, a.y, samples, a.scratch);
        compare(a.y, a.exact, a.bound, &e);
        *out = e;
    }
    ioa_free(a.x);
    ioa_free(a.y);
    ioa_free(a.exact);
    ioa_free(a.bound);
    ioa_free(a.other_exact);
    ioa_free(a.other_bound);
    ioa_free(a.depth);
    ioa_free(a.scratch);
    return status;
}
