/* Plans of every instruction set, layout and tile against the float64 reference. */
#include "core/base/mem.h"
#include "core/compile/compile.h"
#include "core/compile/work.h"
#include "core/generate/generate.h"
#include "core/kernel/kernel.h"
#include "core/model/network.h"
#include "core/model/order.h"
#include "core/model/reference.h"
#include "tests/support/failing_memory.h"
#include "tests/support/random_network.h"

#include <ioanneal/plan.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const uint32_t tiles[] = {1, 8, 16, 32, 64, 128};
static const size_t batches[] = {1, 7, 16, 64, 100, 129};
#define COUNT(array) (sizeof(array) / sizeof *(array))
#define MAX_BATCH 129

/* A batch with its reference. */
typedef struct expected {
    const ioa_network *network;
    float *x;
    double *y, *bound;
} expected;

static expected expect(const ioa_network *network, uint64_t seed)
{
    ioa_pcg32 rng = ioa_rng_keyed(seed, IOA_RNG_TEST, 3, 0);
    uint64_t outputs = ioa_network_view(network)->outputs;
    expected e = {network, ioa_test_random_floats(&rng, (uint64_t)MAX_BATCH * ioa_network_view(network)->inputs),
                  ioa_alloc(MAX_BATCH * outputs, sizeof *e.y), ioa_alloc(MAX_BATCH * outputs, sizeof *e.bound)};
    assert_true(e.x && e.y && e.bound);
    assert_int_equal(ioa_reference_run(network, e.x, MAX_BATCH, e.y, e.bound, NULL), IOA_OK);
    return e;
}

static void release(expected *e)
{
    ioa_free(e->x);
    ioa_free(e->y);
    ioa_free(e->bound);
}

static float *run(const ioa_plan *plan, const expected *e, size_t batch)
{
    size_t outputs = ioa_network_view(e->network)->outputs;
    float *y = ioa_alloc((batch + 1) * outputs, sizeof *y);
    void *scratch = ioa_alloc(ioa_plan_scratch_bytes(plan), 1);
    assert_true(y && scratch);
    memset(scratch, 0xff, ioa_plan_scratch_bytes(plan)); /* NaN: a plan must not read what it did not write */
    for (size_t i = 0; i < outputs; i++) y[batch * outputs + i] = 12345.0f;
    ioa_plan_run(plan, e->x, y, batch, scratch);
    for (size_t i = 0; i < outputs; i++) assert_true(y[batch * outputs + i] == 12345.0f);
    ioa_free(scratch);
    return y;
}

static void check_plan(const ioa_plan *plan, const expected *e, size_t batch)
{
    size_t outputs = ioa_network_view(e->network)->outputs;
    float *y = run(plan, e, batch);
    for (size_t i = 0; i < batch * outputs; i++)
        if (!(fabs((double)y[i] - e->y[i]) <= e->bound[i] || (fabs(e->y[i]) > 1e37 && !(fabs((double)y[i]) < 1e37))))
            fail_msg("output %zu of sample %zu: %.9g instead of %.9g +- %.3g (%s, tile %u, batch %zu)", i % outputs,
                     i / outputs, (double)y[i], e->y[i], e->bound[i], ioa_isa_name(ioa_plan_isa(plan)),
                     ioa_plan_tile(plan), batch);
    ioa_free(y);
}

static void check_all_batches(const ioa_network *network, const uint32_t *order, ioa_plan_options options,
                              const expected *e)
{
    ioa_plan *plan = NULL;
    assert_int_equal(ioa_plan_create(network, order, &options, &plan, NULL), IOA_OK);
    for (size_t b = 0; b < COUNT(batches); b++) check_plan(plan, e, batches[b]);
    ioa_plan_destroy(plan);
}

static bool is_shared(ioa_layout layout)
{
    return layout == IOA_LAYOUT_SHARED_ROWS || layout == IOA_LAYOUT_SHARED_SORTED;
}

/* Groups are for wide tiles, SELL for single samples. */
static bool fits(ioa_plan_options options)
{
    if (options.layout == IOA_LAYOUT_COMPILED)
        return ioa_code_available(options.isa) && options.tile == ioa_code_tile(options.isa);
    if (options.tile == 8) return false;
    return options.tile == 1 ? !is_shared(options.layout) : options.layout != IOA_LAYOUT_SELL;
}

static bool has_layers(const ioa_network *network)
{
    return ioa_network_view(network)->layers > 0;
}

/* Every instruction set x layout x tile x batch for one network, in file order and in random legal orders. */
static void check_network(const ioa_network *network, uint64_t seed, int orders)
{
    assert_non_null(network);
    ioa_pcg32 rng = ioa_rng_keyed(seed, IOA_RNG_TEST, 4, 0);
    expected e = expect(network, seed);
    for (int o = 0; o <= orders; o++) {
        uint32_t *order = o ? ioa_test_random_order(network, &rng) : NULL;
        if (o) assert_int_equal(ioa_order_check(network, order, NULL), IOA_OK);
        for (int isa = IOA_ISA_PORTABLE; isa < IOA_ISA_COUNT; isa++) {
            if (!ioa_isa_available((ioa_isa)isa)) continue;
            for (int layout = 0; layout < IOA_LAYOUT_COUNT; layout++)
                for (size_t t = 0; t < COUNT(tiles); t++) {
                    ioa_plan_options options = {.isa = (ioa_isa)isa, .layout = (ioa_layout)layout, .tile = tiles[t]};
                    if (!fits(options)) continue;
                    check_all_batches(network, order, options, &e);
                    options.panel = 5;
                    options.group = layout == IOA_LAYOUT_COMPILED || (layout == IOA_LAYOUT_CSR && has_layers(network)) ? 3 : 0;
                    if (layout == IOA_LAYOUT_COMPILED) options.segment = 40;
                    if (layout == IOA_LAYOUT_CSR && tiles[t] == 1) options.group = 1;
                    if (layout != IOA_LAYOUT_ORDER && tiles[t] != 32) check_all_batches(network, order, options, &e);
                    options.group = tiles[t] == 16 ? 16 : 8; /* wide groups */
                    if (layout == IOA_LAYOUT_SELL) options.group = 16;
                    if ((is_shared(options.layout) && tiles[t] <= 32) || layout == IOA_LAYOUT_SELL) check_all_batches(network, order, options, &e);
                    options.group = 0;
                    if (layout == IOA_LAYOUT_ORDER || layout >= IOA_LAYOUT_SELL || tiles[t] != 32) continue;
                    options.hot = 7;
                    check_all_batches(network, order, options, &e);
                    options.panel = 0;
                    check_all_batches(network, order, options, &e);
                }
        }
        ioa_free(order);
    }
    release(&e);
}

static void test_random_dags(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 6; seed++) {
        ioa_test_dag_params params = ioa_test_dag_defaults();
        if (seed % 2) params.reach = 12;
        params.fan_in = seed < 3 ? 3 : 9;
        params.constants = 0.1 * (double)seed;
        ioa_network *network = ioa_test_random_dag(seed, params);
        check_network(network, seed, 2);
        ioa_network_destroy(network);
    }
}

static void test_large_fan_in(void **state)
{
    (void)state;
    ioa_test_dag_params params = {.neurons = 300, .inputs = 37, .outputs = 19, .fan_in = 60, .reach = 150,
                                  .activation = IOA_TEST_MIXED_ACTIVATIONS};
    ioa_network *network = ioa_test_random_dag(11, params);
    check_network(network, 11, 1);
    ioa_network_destroy(network);
}

static void test_mlp(void **state)
{
    (void)state;
    const uint32_t layers[] = {33, 50, 47, 18};
    ioa_network *network = ioa_test_random_mlp(5, layers, 4, 0.2, IOA_ACT_RELU);
    check_network(network, 5, 1);
    ioa_network_destroy(network);
}

/* Rows with the same sources, and a few of their own; communities of 10 and of 21 fill groups of 8 and 16 in part. */
static void test_wide_groups(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        const ioa_generate_common common = {.seed = 40 + (uint64_t)i, .hidden = i < 2 ? IOA_ACT_RELU : IOA_ACT_GELU};
        ioa_network *network = NULL;
        assert_int_equal(ioa_generate_community(i % 2 ? 40 : 63, 4, i % 2 ? 4 : 3, 1, i < 2 ? 0.03 : 0, &common, &network, NULL),
                         IOA_OK);
        expected e = expect(network, 40);
        for (int isa = IOA_ISA_PORTABLE; isa < IOA_ISA_COUNT; isa++)
            for (uint32_t shape = 0; shape < 12 && ioa_isa_available((ioa_isa)isa); shape++) {
                const uint32_t tile = shape % 2 ? 16 : 32, group = shape % 4 == 3 ? 16 : 8;
                check_all_batches(network, NULL,
                                  (ioa_plan_options){.isa = (ioa_isa)isa, .layout = IOA_LAYOUT_SHARED_SORTED, .tile = tile,
                                                     .group = group, .panel = shape / 4 == 1 ? 13 : 0,
                                                     .hot = shape / 4 == 2 ? 9 : 0},
                                  &e);
                if (shape < 2)
                    check_all_batches(network, NULL, (ioa_plan_options){.isa = (ioa_isa)isa, .layout = IOA_LAYOUT_SELL, .tile = 1,
                                                                        .group = 16 * shape}, &e);
            }
        release(&e);
        ioa_network_destroy(network);
    }
}

/* A copy of a network with one weight for every row; consumes it. */
static ioa_network *with_equal_weights(ioa_network *network)
{
    ioa_network_arrays arrays = *ioa_network_view(network);
    float *weights = ioa_alloc(network->connections, sizeof *weights);
    ioa_network *equal = NULL;
    assert_non_null(weights);
    for (uint32_t v = 0; v < arrays.neurons; v++)
        for (int64_t e = arrays.indptr[v]; e < arrays.indptr[v + 1]; e++) weights[e] = 0.25f + 0.01f * (float)(v % 7);
    arrays.weights = weights;
    assert_int_equal(ioa_network_create_copy(&arrays, &equal, NULL), IOA_OK);
    ioa_network_destroy(network);
    ioa_free(weights);
    return equal;
}

static ioa_plan *sell_plan(const ioa_network *network, int isa, uint32_t group)
{
    const ioa_plan_options options = {.isa = (ioa_isa)isa, .layout = IOA_LAYOUT_SELL, .tile = 1, .group = group};
    ioa_plan *plan = NULL;
    assert_int_equal(ioa_plan_create(network, NULL, &options, &plan, NULL), IOA_OK);
    return plan;
}

/* Rows of single samples with sources by shuffles, and rows with one weight for all their connections, which is stored once. */
static void test_sell(void **state)
{
    (void)state;
    const uint32_t layers[] = {70, 90, 100, 40};
    const double densities[] = {0.02, 0.1, 0.5};
    for (size_t d = 0; d < COUNT(densities); d++)
        for (int isa = IOA_ISA_PORTABLE; isa < IOA_ISA_COUNT; isa++) {
            if (!ioa_isa_available((ioa_isa)isa)) continue;
            size_t bytes[2] = {0};
            for (int equal = 0; equal < 2; equal++) {
                ioa_network *network = ioa_test_random_mlp(80 + d, layers, 4, densities[d], IOA_ACT_RELU);
                if (equal) network = with_equal_weights(network);
                expected e = expect(network, 80 + d);
                for (uint32_t group = 0; group <= 16; group += 16) {
                    ioa_plan *plan = sell_plan(network, isa, group);
                    check_plan(plan, &e, 5);
                    bytes[equal] = ioa_plan_bytes(plan);
                    if (isa == IOA_ISA_AVX512 && densities[d] > 0.2) /* fewer loads than connections */
                        assert_true(ioa_plan_work(plan, 1).load_bytes < 0.5 * 64 * (double)ioa_plan_connections(plan));
                    ioa_plan_destroy(plan);
                }
                release(&e);
                ioa_network_destroy(network);
            }
            if (densities[d] > 0.2) assert_true(2 * bytes[1] < bytes[0]);
        }
}

/* What is no number reaches the outputs that depend on it, and no others: lanes without a connection read nothing. */
static void test_sell_keeps_apart(void **state)
{
    (void)state;
    const uint32_t layers[] = {40, 60, 50};
    for (int equal = 0; equal < 2; equal++) {
        ioa_network *network = ioa_test_random_mlp(90, layers, 3, 0.08, IOA_ACT_IDENTITY);
        if (equal) network = with_equal_weights(network);
        const ioa_network_arrays *a = ioa_network_view(network);
        expected e = expect(network, 90), spoilt = e;
        bool reached[150] = {false};
        reached[a->input_ids[0]] = true; /* lanes without a connection point to the first value of a piece */
        for (uint32_t v = 0; v < a->neurons; v++)
            for (int64_t k = a->indptr[v]; k < a->indptr[v + 1]; k++) reached[v] |= reached[a->indices[k]];
        spoilt.x = ioa_alloc_copy(e.x, a->inputs, sizeof *e.x);
        assert_non_null(spoilt.x);
        spoilt.x[0] = NAN;
        for (int isa = IOA_ISA_PORTABLE; isa < IOA_ISA_COUNT; isa++) {
            if (!ioa_isa_available((ioa_isa)isa)) continue;
            ioa_plan *plan = sell_plan(network, isa, 0);
            float *y = run(plan, &e, 1), *z = run(plan, &spoilt, 1);
            uint32_t kept = 0;
            for (uint32_t s = 0; s < a->outputs; s++) {
                kept += !reached[a->output_ids[s]];
                if (reached[a->output_ids[s]]) assert_true(isnan(z[s]));
                else assert_true(z[s] == y[s]);
            }
            assert_true(kept > 0 && kept < a->outputs);
            ioa_free(y);
            ioa_free(z);
            ioa_plan_destroy(plan);
        }
        ioa_free(spoilt.x);
        release(&e);
        ioa_network_destroy(network);
    }
}

/* Eight rows, every two of which share a source, and each with one of its own: one round of pairs, one of single connections, and
 * nothing loaded twice. */
static void test_pairs(void **state)
{
    (void)state;
    enum { ROWS = 8, PAIRS = 28, SOURCES = PAIRS + ROWS };
    int64_t indptr[SOURCES + ROWS + 1] = {0};
    uint32_t indices[ROWS * ROWS], in[SOURCES], out[ROWS], count = 0;
    float weights[ROWS * ROWS], bias[SOURCES + ROWS] = {0};
    uint8_t activation[SOURCES + ROWS] = {0};
    for (uint32_t i = 0; i < SOURCES; i++) in[i] = i;
    for (uint32_t r = 0; r < ROWS; r++) {
        for (uint32_t a = 0, pair = 0; a < ROWS; a++)
            for (uint32_t b = a + 1; b < ROWS; b++, pair++)
                if (a == r || b == r) indices[count++] = pair;
        indices[count++] = PAIRS + r;
        out[r] = SOURCES + r;
        bias[out[r]] = (float)r;
        activation[out[r]] = r % 3 == 0 ? IOA_ACT_TANH : r % 3 == 1 ? IOA_ACT_RELU : IOA_ACT_IDENTITY;
        indptr[out[r] + 1] = count;
    }
    for (uint32_t e = 0; e < count; e++) weights[e] = 1.0f / (float)(e + 1);
    ioa_network_arrays arrays = {.neurons = SOURCES + ROWS, .inputs = SOURCES, .outputs = ROWS, .indptr = indptr, .indices = indices,
                                 .weights = weights, .bias = bias, .activation = activation, .input_ids = in, .output_ids = out};
    ioa_network *network = NULL;
    ioa_plan *plan = NULL;
    assert_int_equal(ioa_network_create_copy(&arrays, &network, NULL), IOA_OK);
    expected e = expect(network, 51);
    const ioa_plan_options options = {.isa = IOA_ISA_PORTABLE, .layout = IOA_LAYOUT_SHARED_SORTED, .tile = 16, .group = 8};
    assert_int_equal(ioa_plan_create(network, NULL, &options, &plan, NULL), IOA_OK);
    check_plan(plan, &e, 16);
    const ioa_work work = ioa_plan_work(plan, 16); /* 4 passes of 4 columns: 7 + 2 offsets, 14 + 2 weights, and the head's */
    assert_true(work.value_bytes == SOURCES * 16 * sizeof(float));
    assert_true(work.load_bytes == SOURCES * 16 * sizeof(float) + (9 + 16 + 7 + 2 * ROWS) * 16 * 4);
    ioa_plan_destroy(plan);
    release(&e);
    ioa_network_destroy(network);
}

/* Rows as dense as those that pairs are for, by panels and hot; and what is not a number stays with the rows that read it, though
 * rows that share a group take turns. */
static void test_dense_rows(void **state)
{
    (void)state;
    const uint32_t layers[] = {200, 75, 48, 16};
    ioa_network *network = ioa_test_random_mlp(61, layers, 4, 0.3, IOA_ACT_GELU);
    expected e = expect(network, 61);
    for (int isa = IOA_ISA_PORTABLE; isa < IOA_ISA_COUNT; isa++)
        for (uint32_t shape = 0; shape < 12 && ioa_isa_available((ioa_isa)isa); shape++) {
            const ioa_plan_options options = {.isa = (ioa_isa)isa, .tile = shape % 3 ? 16 : 32, .group = shape % 3 == 2 ? 16 : 8,
                                              .layout = shape < 9 ? IOA_LAYOUT_SHARED_SORTED : IOA_LAYOUT_SHARED_ROWS,
                                              .panel = shape / 3 == 1 ? 90 : 0, .hot = shape / 3 == 2 ? 30 : 0};
            check_all_batches(network, NULL, options, &e);
            ioa_plan *plan = NULL;
            assert_int_equal(ioa_plan_create(network, NULL, &options, &plan, NULL), IOA_OK);
            const ioa_work work = ioa_plan_work(plan, 32);
            if (!options.panel && !options.hot)
                assert_true(work.value_bytes < 0.9 * (double)ioa_plan_connections(plan) * 32 * sizeof(float));
            ioa_plan_destroy(plan);
        }
    release(&e);
    ioa_network_destroy(network);
    const uint32_t two[] = {200, 75};
    network = ioa_test_random_mlp(62, two, 2, 0.3, IOA_ACT_RELU);
    e = expect(network, 62);
    const ioa_network_arrays *a = ioa_network_view(network);
    for (uint32_t i = 0; i < a->inputs; i++) e.x[i] = i == 7 ? INFINITY : e.x[i];
    for (uint32_t group = 8; group <= 16; group += 8) {
        const ioa_plan_options options = {.layout = IOA_LAYOUT_SHARED_SORTED, .tile = 16, .group = group};
        ioa_plan *plan = NULL;
        assert_int_equal(ioa_plan_create(network, NULL, &options, &plan, NULL), IOA_OK);
        float *y = run(plan, &e, 1);
        uint32_t infinite = 0;
        for (uint32_t i = 0; i < a->outputs; i++) {
            bool reads = false;
            for (int64_t k = a->indptr[a->output_ids[i]]; k < a->indptr[a->output_ids[i] + 1]; k++)
                reads = reads || a->indices[k] == a->input_ids[7];
            assert_true(reads || isfinite(y[i]));
            infinite += isfinite(y[i]) ? 0 : 1;
        }
        assert_true(infinite > 0); /* not all of them: ReLU makes 0 of what is below */
        ioa_free(y);
        ioa_plan_destroy(plan);
    }
    release(&e);
    ioa_network_destroy(network);
}

/* The same for wide groups: by offsets of 16 bits in units of 8 and of 64 bytes, and of 32 bits. */
static void test_far_groups(void **state)
{
    (void)state;
    for (uint32_t reach = 0; reach < 3; reach++) {
        const uint32_t layers[] = {reach == 0 ? 3000 : reach == 1 ? 9000 : 36000, 8, 3};
        ioa_network *network = ioa_test_random_mlp(63, layers, 3, 0.4, IOA_ACT_RELU);
        expected e = expect(network, 63);
        for (int isa = IOA_ISA_PORTABLE; isa < IOA_ISA_COUNT; isa++) {
            if (!ioa_isa_available((ioa_isa)isa)) continue;
            ioa_plan *plan = NULL;
            const ioa_plan_options options = {.isa = (ioa_isa)isa, .layout = IOA_LAYOUT_SHARED_SORTED, .tile = 32, .group = 8};
            assert_int_equal(ioa_plan_create(network, NULL, &options, &plan, NULL), IOA_OK);
            const size_t bytes = ioa_plan_scratch_bytes(plan);
            assert_int_equal((bytes > IOA_NEAR_BYTES) + (bytes > IOA_NARROW_BYTES), reach);
            check_plan(plan, &e, 33);
            ioa_plan_destroy(plan);
        }
        release(&e);
        ioa_network_destroy(network);
    }
}

/* Values beyond the reach of narrow offsets (4 MiB), and within: plans of the first take 2 bytes more per connection. */
static void test_far_values(void **state)
{
    (void)state;
    const uint32_t layers[] = {12000, 8, 3};
    ioa_network *network = ioa_test_random_mlp(60, layers, 3, 0.9, IOA_ACT_RELU);
    expected e = expect(network, 60);
    for (int isa = IOA_ISA_PORTABLE; isa < IOA_ISA_COUNT; isa++) {
        size_t bytes[2] = {0};
        for (int far = 0; far < 2 && ioa_isa_available((ioa_isa)isa); far++) {
            ioa_plan *plan = NULL;
            const ioa_plan_options options = {.isa = (ioa_isa)isa, .layout = IOA_LAYOUT_SORTED, .tile = far ? 128 : 64};
            assert_int_equal(ioa_plan_create(network, NULL, &options, &plan, NULL), IOA_OK);
            assert_true((ioa_plan_scratch_bytes(plan) > IOA_NARROW_BYTES) == far);
            bytes[far] = ioa_plan_bytes(plan);
            check_plan(plan, &e, 33);
            ioa_plan_destroy(plan);
        }
        assert_true(bytes[0] < bytes[1] || !ioa_isa_available((ioa_isa)isa));
    }
    release(&e);
    ioa_network_destroy(network);
}

/* What the limits are judged by: every load of a head, a quad and a step, all lanes of a register, and panels by their size. */
static void test_work(void **state)
{
    (void)state;
    const uint32_t layers[] = {11, 40};
    ioa_network *network = ioa_test_random_mlp(70, layers, 2, 1.0, IOA_ACT_RELU); /* rows of 11: two quads and three steps */
    ioa_plan_options options = {.isa = IOA_ISA_PORTABLE, .layout = IOA_LAYOUT_SORTED, .tile = 32};
    ioa_plan *plan = NULL;
    assert_int_equal(ioa_plan_create(network, NULL, &options, &plan, NULL), IOA_OK);
    assert_int_equal(ioa_plan_connections(plan), 440);
    for (uint32_t batch = 1; batch <= 48; batch += 47) { /* one sample in 16 columns; 48 in 48, of which a pass takes 32 */
        const ioa_work work = ioa_plan_work(plan, batch);
        const double columns = batch == 1 ? 16 : 48, passes = batch == 1 ? 1 : 2;
        assert_true(work.flops == 2.0 * 440 * batch && work.lane_flops == 2 * 440 * columns);
        assert_true(work.load_bytes == 440 * columns * sizeof(float) + 40 * (5 + 2 * 2 + 3 * 2) * 16 * passes);
        assert_true(work.panel_set == 0 && !work.lines);
    }
    ioa_plan_destroy(plan);
    options.panel = 5;
    options.tile = 16;
    assert_int_equal(ioa_plan_create(network, NULL, &options, &plan, NULL), IOA_OK);
    const ioa_work work = ioa_plan_work(plan, 16);
    assert_true(work.panel_set == 5 * 64 && work.lines);
    ioa_plan_destroy(plan);
    options = (ioa_plan_options){.isa = IOA_ISA_PORTABLE, .layout = IOA_LAYOUT_SELL, .tile = 1};
    assert_int_equal(ioa_plan_create(network, NULL, &options, &plan, NULL), IOA_OK);
    assert_int_equal(ioa_plan_runs(plan), 3); /* 16, 16 and 8 rows with all sources in common: each loaded once, beside 16 weights */
    assert_true(ioa_plan_work(plan, 2).load_bytes == 2 * (3 * 11 + (3 + 3 * 11) * 4 + 40) * 16); /* and all outputs for y */
    ioa_plan_destroy(plan);
    ioa_network_destroy(network);
}

/* Twins are found wherever they are: groups of four come out full, and hold each source once. */
static void test_twins(void **state)
{
    (void)state;
    enum { ROWS = 400, KINDS = 100, SOURCES = 3 };
    int64_t indptr[KINDS * SOURCES + ROWS + 1] = {0};
    static uint32_t indices[ROWS * SOURCES], in[KINDS * SOURCES], out[ROWS];
    static float weights[ROWS * SOURCES], bias[KINDS * SOURCES + ROWS];
    static uint8_t activation[KINDS * SOURCES + ROWS];
    for (uint32_t i = 0; i < KINDS * SOURCES; i++) in[i] = i;
    for (uint32_t r = 0; r < ROWS; r++) { /* row r reads the sources of kind r mod KINDS: twins are 100 rows apart */
        for (uint32_t k = 0; k < SOURCES; k++) indices[r * SOURCES + k] = r % KINDS * SOURCES + k;
        for (uint32_t k = 0; k < SOURCES; k++) weights[r * SOURCES + k] = 1.0f / (float)(r + k + 1);
        out[r] = KINDS * SOURCES + r;
        indptr[out[r] + 1] = (int64_t)(r + 1) * SOURCES;
    }
    ioa_network_arrays arrays = {.neurons = KINDS * SOURCES + ROWS, .inputs = KINDS * SOURCES, .outputs = ROWS, .indptr = indptr,
                                 .indices = indices, .weights = weights, .bias = bias, .activation = activation, .input_ids = in,
                                 .output_ids = out};
    ioa_network *network = NULL;
    ioa_plan *plan = NULL;
    assert_int_equal(ioa_network_create_copy(&arrays, &network, NULL), IOA_OK);
    expected e = expect(network, 50);
    const ioa_plan_options options = {.layout = IOA_LAYOUT_SHARED_SORTED, .tile = 16};
    assert_int_equal(ioa_plan_create(network, NULL, &options, &plan, NULL), IOA_OK);
    assert_int_equal(ioa_plan_runs(plan), KINDS);
    check_plan(plan, &e, 7);
    const ioa_work work = ioa_plan_work(plan, 16);
    assert_true(work.value_bytes == KINDS * SOURCES * 16 * sizeof(float)); /* each source once */
    assert_true(work.write_bytes == ROWS * 16 * sizeof(float));
    assert_true(work.packed_bytes == (KINDS * SOURCES + ROWS) * 16 * sizeof(float));
    ioa_plan_destroy(plan);
    for (uint32_t panel = 0; panel < 200; panel += 100) { /* sources 99 and 199 end panels: the rows of 33 and 66 go on after them */
        const ioa_plan_options rows = {.layout = IOA_LAYOUT_SORTED, .tile = 16, .panel = panel};
        assert_int_equal(ioa_plan_create(network, NULL, &rows, &plan, NULL), IOA_OK);
        const uint32_t stored = ROWS + (panel ? 2 * ROWS / KINDS : 0);
        assert_true(ioa_plan_work(plan, 16).write_bytes == stored * 16 * sizeof(float));
        assert_int_equal(ioa_plan_runs(plan), stored);
        ioa_plan_destroy(plan);
    }
    release(&e);
    ioa_network_destroy(network);
}

static void test_every_activation(void **state)
{
    (void)state;
    for (int activation = 0; activation < IOA_ACT_COUNT; activation++) {
        ioa_test_dag_params params = {.neurons = 30, .inputs = 5, .outputs = 6, .fan_in = 3, .inner_outputs = true,
                                      .activation = activation};
        ioa_network *network = ioa_test_random_dag(100 + (uint64_t)activation, params);
        check_network(network, 100 + (uint64_t)activation, 0);
        ioa_network_destroy(network);
    }
}

static void test_single_connection(void **state)
{
    (void)state;
    int64_t indptr[] = {0, 0, 1};
    uint32_t indices[] = {0}, in[] = {0}, out[] = {1};
    float weights[] = {-2.5f}, bias[] = {0, 0.75f};
    uint8_t activation[] = {IOA_ACT_IDENTITY, IOA_ACT_ABS};
    ioa_network_arrays arrays = {.neurons = 2, .inputs = 1, .outputs = 1, .indptr = indptr, .indices = indices,
                                 .weights = weights, .bias = bias, .activation = activation, .input_ids = in,
                                 .output_ids = out};
    ioa_network *network = NULL;
    assert_int_equal(ioa_network_create_copy(&arrays, &network, NULL), IOA_OK);
    check_network(network, 1, 1);
    ioa_network_destroy(network);
}

/* No connection at all; an isolated output; a constant output that feeds another output. */
static void test_constant_outputs(void **state)
{
    (void)state;
    int64_t none[] = {0, 0, 0, 0, 0}, some[] = {0, 0, 0, 0, 2};
    uint32_t indices[] = {0, 1}, in[] = {0}, out[] = {3, 1, 2};
    float weights[] = {0.5f, -3.0f}, bias[] = {0, 0.75f, -2.0f, 0.25f};
    uint8_t activation[] = {IOA_ACT_IDENTITY, IOA_ACT_SIGMOID, IOA_ACT_SQUARE, IOA_ACT_TANH};
    ioa_network_arrays arrays = {.neurons = 4, .inputs = 1, .outputs = 3, .indptr = none, .indices = indices,
                                 .weights = weights, .bias = bias, .activation = activation, .input_ids = in,
                                 .output_ids = out};
    for (int connected = 0; connected < 2; connected++) {
        ioa_network *network = NULL;
        arrays.indptr = connected ? some : none;
        assert_int_equal(ioa_network_create_copy(&arrays, &network, NULL), IOA_OK);
        check_network(network, 2, connected);
        ioa_network_destroy(network);
    }
}

/* Bit for bit the same whether a batch comes at once or in pieces. */
static void test_batch_splitting(void **state)
{
    (void)state;
    ioa_network *network = ioa_test_random_dag(21, ioa_test_dag_defaults());
    assert_non_null(network);
    expected e = expect(network, 21);
    size_t inputs = ioa_network_view(network)->inputs, outputs = ioa_network_view(network)->outputs;
    for (int isa = IOA_ISA_PORTABLE; isa < IOA_ISA_COUNT; isa++)
        for (size_t t = 0; t < COUNT(tiles) && ioa_isa_available((ioa_isa)isa); t++) {
            ioa_plan_options options = {.isa = (ioa_isa)isa, .layout = IOA_LAYOUT_SORTED, .tile = tiles[t]};
            if (!fits(options)) continue;
            ioa_plan *plan = NULL;
            assert_int_equal(ioa_plan_create(network, NULL, &options, &plan, NULL), IOA_OK);
            float *whole = run(plan, &e, MAX_BATCH);
            for (size_t from = 0, piece = 1; from < MAX_BATCH; from += piece, piece += 5) {
                if (piece > MAX_BATCH - from) piece = MAX_BATCH - from;
                expected part = {network, e.x + from * inputs, NULL, NULL};
                float *y = run(plan, &part, piece);
                assert_memory_equal(y, whole + from * outputs, piece * outputs * sizeof *y);
                ioa_free(y);
            }
            ioa_free(whole);
            ioa_plan_destroy(plan);
        }
    release(&e);
    ioa_network_destroy(network);
}

/* Any number of threads gives the same bits. */
static void test_threads(void **state)
{
    (void)state;
    ioa_network *network = ioa_test_random_dag(22, ioa_test_dag_defaults());
    assert_non_null(network);
    expected e = expect(network, 22);
    size_t outputs = ioa_network_view(network)->outputs;
    static const uint32_t counts[] = {1, 2, 3, 9, 1000};
    for (size_t t = 0; t < COUNT(tiles); t++) {
        ioa_plan_options options = {.layout = IOA_LAYOUT_ROWS, .tile = tiles[t]};
        if (tiles[t] == 8 && !ioa_code_available(IOA_ISA_AUTO)) continue;
        if (tiles[t] == 8) options = (ioa_plan_options){.layout = IOA_LAYOUT_COMPILED, .segment = 40, .group = 3};
        ioa_plan *plan = NULL;
        assert_int_equal(ioa_plan_create(network, NULL, &options, &plan, NULL), IOA_OK);
        float *single = run(plan, &e, MAX_BATCH);
        for (size_t c = 0; c < COUNT(counts); c++) {
            float *y = ioa_alloc_zero(MAX_BATCH * outputs, sizeof *y);
            void *scratch = ioa_alloc(counts[c], ioa_plan_scratch_bytes(plan));
            assert_true(y && scratch);
            ioa_plan_run_threads(plan, e.x, y, MAX_BATCH, counts[c], scratch);
            assert_memory_equal(y, single, MAX_BATCH * outputs * sizeof *y);
            ioa_free(y);
            ioa_free(scratch);
        }
        ioa_free(single);
        ioa_plan_destroy(plan);
    }
    release(&e);
    ioa_network_destroy(network);
}

/* ROWS and SORTED leave out what no output needs, and values share slots. */
static void test_dead_neurons_and_slots(void **state)
{
    (void)state;
    const uint32_t layers[] = {20, 20, 20, 20, 20, 20, 20, 20, 1};
    ioa_network *network = ioa_test_random_mlp(3, layers, 9, 0.1, IOA_ACT_TANH);
    assert_non_null(network);
    ioa_plan *all = NULL, *needed = NULL;
    ioa_plan_options options = {.isa = IOA_ISA_AUTO, .layout = IOA_LAYOUT_ORDER, .tile = 16};
    assert_int_equal(ioa_plan_create(network, NULL, &options, &all, NULL), IOA_OK);
    options.layout = IOA_LAYOUT_SORTED;
    assert_int_equal(ioa_plan_create(network, NULL, &options, &needed, NULL), IOA_OK);
    assert_true(ioa_plan_runs(needed) < ioa_plan_runs(all));
    assert_true(ioa_plan_bytes(needed) < ioa_plan_bytes(all));
    assert_true(ioa_plan_scratch_bytes(all) < 100u * 16 * sizeof(float)); /* 161 neurons */
    ioa_plan_destroy(all);
    ioa_plan_destroy(needed);
    ioa_network_destroy(network);
}

static void test_refusals(void **state)
{
    (void)state;
    ioa_network *network = ioa_test_random_dag(1, ioa_test_dag_defaults());
    ioa_plan *plan = NULL;
    ioa_error error;
    ioa_plan_options options = {.isa = IOA_ISA_AUTO, .layout = IOA_LAYOUT_ORDER, .tile = 48};
    assert_int_equal(ioa_plan_create(network, NULL, &options, &plan, &error), IOA_ERR_INPUT);
    assert_non_null(strstr(error.text, "48"));
    options = (ioa_plan_options){.isa = IOA_ISA_COUNT, .layout = IOA_LAYOUT_ORDER, .tile = 16};
    assert_int_equal(ioa_plan_create(network, NULL, &options, &plan, &error), IOA_ERR_INPUT);
    options = (ioa_plan_options){.isa = IOA_ISA_AUTO, .layout = IOA_LAYOUT_COUNT, .tile = 16};
    assert_int_equal(ioa_plan_create(network, NULL, &options, &plan, &error), IOA_ERR_INPUT);
    options = (ioa_plan_options){.layout = IOA_LAYOUT_SHARED_ROWS, .tile = 32, .group = 16};
    assert_int_equal(ioa_plan_create(network, NULL, &options, &plan, &error), IOA_ERR_INPUT);
    assert_non_null(strstr(error.text, "groups of 8"));
    assert_null(plan);
    assert_int_equal(ioa_plan_create(network, NULL, NULL, &plan, &error), IOA_OK);
    assert_int_equal(ioa_plan_tile(plan), 64);
    ioa_plan_destroy(plan);
    ioa_plan_destroy(NULL);
    ioa_network_destroy(network);
    assert_int_equal(ioa_isa_from_name("avx2"), IOA_ISA_AVX2);
    assert_int_equal(ioa_isa_from_name("mmx"), -1);
    assert_true(ioa_isa_available(ioa_isa_best()));
}

static void test_names(void **state)
{
    (void)state;
    static const char *const names[] = {"avx512/shared-rows/tile64/panel128", "portable/order/tile1", "avx2/sorted/tile32/panel9/hot256",
                                        "avx512/compiled/tile16/group4/segment2000/ahead/as-ordered", "auto/csr/tile32/group2",
                                        "avx2/compiled/tile8/group1/segment50", "auto/sell",
                                        "avx512/shared-sorted/tile16/panel64/group16"};
    static const char *const bad[] = {"", "avx512", "avx512/", "avx1024/rows", "avx2/diagonal/tile16", "avx2/rows/tile",
                                      "avx2/rows/tile16x", "avx2/rows/tile99999999999", "avx2/rows//tile16", "rows/avx2",
                                      "avx512/compiled/tile16/group4/segment2000/ahead/as-ordered/and/so/on/and/on"};
    for (size_t i = 0; i < COUNT(names); i++) {
        ioa_plan_options options;
        char name[IOA_PLAN_NAME];
        assert_int_equal(ioa_plan_options_parse(names[i], &options, NULL), IOA_OK);
        ioa_plan_options_name(&options, name);
        assert_string_equal(name, names[i]);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        ioa_plan_options options;
        ioa_error error;
        assert_int_equal(ioa_plan_options_parse(bad[i], &options, &error), IOA_ERR_INPUT);
        assert_non_null(strstr(error.text, "is no plan"));
    }
}

/* Whatever is chosen is exact, can be described, named, and made again. */
static void test_choice(void **state)
{
    (void)state;
    const uint32_t layers[] = {30, 50, 40, 9}, sizes[] = {1, 5, 16, 129};
    ioa_network *network = ioa_test_random_mlp(5, layers, 4, 0.2, IOA_ACT_RELU);
    expected e = expect(network, 5);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        const ioa_plan_choice choice = {.batch = sizes[i], .threads = i == 3 ? 2 : 1, .seconds = 0.02};
        ioa_plan *plan = NULL, *again = NULL;
        ioa_plan_options options, same;
        char name[IOA_PLAN_NAME];
        assert_int_equal(ioa_plan_choose(network, NULL, &choice, &plan, NULL), IOA_OK);
        check_plan(plan, &e, sizes[i]);
        ioa_plan_describe(plan, &options);
        ioa_plan_options_name(&options, name);
        assert_int_equal(ioa_plan_options_parse(name, &same, NULL), IOA_OK);
        assert_int_equal(ioa_plan_create(network, NULL, &same, &again, NULL), IOA_OK);
        check_plan(again, &e, sizes[i]);
        ioa_plan_destroy(plan);
        ioa_plan_destroy(again);
    }
    const ioa_plan_choice none = {.batch = 0};
    ioa_plan *plan = NULL;
    assert_int_equal(ioa_plan_choose(network, NULL, &none, &plan, NULL), IOA_ERR_INPUT);
    release(&e);
    ioa_network_destroy(network);
}

typedef struct planning {
    const ioa_network *network;
    ioa_plan_options options;
} planning;

static ioa_status make_plan(void *context, ioa_error *error)
{
    const planning *p = context;
    ioa_plan *plan = NULL;
    ioa_status status = ioa_plan_create(p->network, NULL, &p->options, &plan, error);
    assert_true((status == IOA_OK) == (plan != NULL));
    ioa_plan_destroy(plan);
    return status;
}

static void test_allocation_failures(void **state)
{
    (void)state;
    ioa_network *network = ioa_test_random_dag(8, ioa_test_dag_defaults());
    for (int layout = 0; layout < IOA_LAYOUT_COUNT; layout++) {
        planning p = {network, {.isa = IOA_ISA_AUTO, .layout = (ioa_layout)layout,
                                .tile = layout == IOA_LAYOUT_SELL ? 1 : layout == IOA_LAYOUT_COMPILED ? 0 : 16,
                                .group = layout == IOA_LAYOUT_SELL ? 16 : 0}};
        if (layout == IOA_LAYOUT_COMPILED && !ioa_code_available(IOA_ISA_AUTO)) continue;
        assert_true(ioa_test_fail_each_allocation(make_plan, &p, IOA_TEST_NOMEM) > 9);
        if (!is_shared(p.options.layout)) continue;
        p.options.group = 8; /* made panel by panel: more groups than rows */
        p.options.panel = 1;
        assert_true(ioa_test_fail_each_allocation(make_plan, &p, IOA_TEST_NOMEM) > 14);
    }
    ioa_network_destroy(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_dags),         cmocka_unit_test(test_large_fan_in),
        cmocka_unit_test(test_mlp),                 cmocka_unit_test(test_every_activation),
        cmocka_unit_test(test_wide_groups),         cmocka_unit_test(test_work),
        cmocka_unit_test(test_sell),                cmocka_unit_test(test_sell_keeps_apart),
        cmocka_unit_test(test_pairs),               cmocka_unit_test(test_dense_rows), cmocka_unit_test(test_far_groups),
        cmocka_unit_test(test_twins),               cmocka_unit_test(test_far_values),
        cmocka_unit_test(test_single_connection),   cmocka_unit_test(test_constant_outputs),
        cmocka_unit_test(test_batch_splitting),     cmocka_unit_test(test_threads), cmocka_unit_test(test_dead_neurons_and_slots),
        cmocka_unit_test(test_names),               cmocka_unit_test(test_choice),
        cmocka_unit_test(test_refusals),            cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
