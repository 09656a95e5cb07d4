/* Measurements and the baseline. Nothing here depends on how long anything takes. */
#include "core/base/mem.h"
#include "core/measure/measure.h"
#include "core/model/network.h"
#include "core/model/reference.h"
#include "core/plan/baseline.h"
#include "tests/support/failing_memory.h"
#include "tests/support/random_network.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static ioa_network *mlp(void)
{
    const uint32_t layers[] = {40, 60, 50, 21};
    ioa_network *network = ioa_test_random_mlp(4, layers, 4, 0.15, IOA_TEST_MIXED_ACTIVATIONS);
    assert_non_null(network);
    return network;
}

static void check_baseline(const ioa_network *network, ioa_baseline_options options, uint64_t seed)
{
    ioa_pcg32 rng = ioa_rng_keyed(seed, IOA_RNG_TEST, 5, 0);
    uint64_t inputs = ioa_network_view(network)->inputs, outputs = ioa_network_view(network)->outputs;
    uint64_t batch = options.batch;
    float *x = ioa_test_random_floats(&rng, batch * inputs), *y = ioa_alloc(batch * outputs, sizeof *y);
    double *exact = ioa_alloc(batch * outputs, sizeof *exact), *bound = ioa_alloc(batch * outputs, sizeof *bound);
    void *scratch = ioa_alloc(ioa_baseline_scratch_bytes(network, &options), 1);
    ioa_baseline *baseline = NULL;
    assert_true(x && y && exact && bound && scratch);
    assert_int_equal(ioa_baseline_create(network, &options, &baseline, NULL), IOA_OK);
    assert_int_equal(ioa_reference_run(network, x, batch, exact, bound, NULL), IOA_OK);
    ioa_baseline_run(baseline, x, y, batch, scratch);
    for (uint64_t i = 0; i < batch * outputs; i++)
        if (!(fabs((double)y[i] - exact[i]) <= bound[i]))
            fail_msg("%.9g instead of %.9g +- %.3g (%s, block %u)", (double)y[i], exact[i], bound[i],
                     ioa_isa_name(options.isa), options.block);
    ioa_baseline_destroy(baseline);
    ioa_free(x);
    ioa_free(y);
    ioa_free(exact);
    ioa_free(bound);
    ioa_free(scratch);
}

static void test_baseline(void **state)
{
    (void)state;
    const uint32_t blocks[] = {1, 16, 32, 64, 128}, batches[] = {1, 7, 16, 100, 129};
    ioa_network *layered = mlp(), *dag = ioa_test_random_dag(9, ioa_test_dag_defaults());
    assert_non_null(dag);
    for (int isa = IOA_ISA_PORTABLE; isa < IOA_ISA_COUNT; isa++)
        for (int k = 0; k < 5 && ioa_isa_available((ioa_isa)isa); k++)
            for (int b = 0; b < 5; b++) {
                check_baseline(dag, (ioa_baseline_options){(ioa_isa)isa, blocks[k], batches[b], false}, 9);
                check_baseline(layered, (ioa_baseline_options){(ioa_isa)isa, blocks[k], batches[b], false}, 4);
                if (blocks[k] > 1)
                    check_baseline(layered, (ioa_baseline_options){(ioa_isa)isa, blocks[k], batches[b], true}, 4);
            }
    ioa_network_destroy(layered);
    ioa_network_destroy(dag);
}

static void test_baseline_refusals(void **state)
{
    (void)state;
    ioa_network *dag = ioa_test_random_dag(9, ioa_test_dag_defaults());
    ioa_baseline *baseline = NULL;
    ioa_baseline_options options = {IOA_ISA_AUTO, 24, 10, false};
    assert_int_equal(ioa_baseline_create(dag, &options, &baseline, NULL), IOA_ERR_INPUT);
    options = (ioa_baseline_options){IOA_ISA_AUTO, 16, 10, true}; /* no layers are known */
    assert_int_equal(ioa_baseline_create(dag, &options, &baseline, NULL), IOA_ERR_INPUT);
    assert_null(baseline);
    ioa_network_destroy(dag);
}

static void test_measure(void **state)
{
    (void)state;
    ioa_network *network = mlp();
    ioa_pcg32 rng = ioa_rng_keyed(1, IOA_RNG_TEST, 6, 0);
    uint32_t *order = ioa_test_random_order(network, &rng);
    const uint32_t batches[] = {1, 3, 40, 130};
    for (int b = 0; b < 4; b++) {
        ioa_measure_options options = {.batch = batches[b], .threads = b == 3 ? 2 : 0, .repeats = 4, .seconds = 0.05,
                                       .seed = 7};
        ioa_measurement m;
        assert_int_equal(ioa_measure(network, b % 2 ? order : NULL, &options, &m, NULL), IOA_OK);
        assert_int_equal(m.batch, batches[b]);
        assert_int_equal(m.threads, b == 3 ? 2 : 1);
        assert_in_range(m.repeats, 3, 4);
        assert_true(m.schedule && m.layered && m.csr && (m.mkl != NULL) == (ioa_mkl_built_in() && b < 3)); /* of one thread */
        for (uint32_t i = 0; i < m.repeats; i++) assert_true(m.schedule[i] > 0 && m.layered[i] > 0 && m.csr[i] > 0);
        const ioa_exactness *e = &m.exactness;
        assert_true(e->within && e->nonzero > 0 && e->wrong == 0 && e->depth == 3 && e->fan_in > 0);
        assert_true(e->max_rel_error <= e->error_bound && e->error_bound < 1e-2);
        assert_true(m.speedup_csr.median >= 1); /* plain CSR is a candidate to the end */
        assert_true(m.candidate_count > 1);
        ioa_plan_options plan;
        assert_int_equal(ioa_plan_options_parse(m.kernel, &plan, NULL), IOA_OK);
        assert_int_equal(ioa_plan_options_parse(m.baseline, &plan, NULL), IOA_OK);
        assert_int_equal(plan.layout, IOA_LAYOUT_CSR);
        assert_true(m.gflops > 0);
        assert_true(m.speedup_csr.q1 <= m.speedup_csr.median && m.speedup_csr.median <= m.speedup_csr.q3);
        ioa_measurement_clear(&m);
        assert_null(m.schedule);
    }
    ioa_free(order);
    ioa_network_destroy(network);
}

/* Outputs that are zero whatever the input is are reported as such. */
static void test_all_zero(void **state)
{
    (void)state;
    int64_t indptr[] = {0, 0, 1};
    uint32_t indices[] = {0}, in[] = {0}, out[] = {1};
    float weights[] = {1}, bias[] = {0, -1e6f};
    uint8_t activation[] = {IOA_ACT_IDENTITY, IOA_ACT_RELU};
    ioa_network_arrays arrays = {.neurons = 2, .inputs = 1, .outputs = 1, .indptr = indptr, .indices = indices,
                                 .weights = weights, .bias = bias, .activation = activation, .input_ids = in,
                                 .output_ids = out};
    ioa_network *network = NULL;
    ioa_measurement m;
    ioa_measure_options options = {.batch = 8, .repeats = 3, .seconds = 0.01};
    assert_int_equal(ioa_network_create_copy(&arrays, &network, NULL), IOA_OK);
    assert_int_equal(ioa_measure(network, NULL, &options, &m, NULL), IOA_OK);
    assert_true(m.exactness.nonzero == 0);
    ioa_measurement_clear(&m);
    options.batch = 0;
    assert_int_equal(ioa_measure(network, NULL, &options, &m, NULL), IOA_ERR_INPUT);
    ioa_network_destroy(network);
}

/* A plan that is given is measured, whatever else is faster. */
static void test_given_plan(void **state)
{
    (void)state;
    ioa_network *network = mlp();
    ioa_plan_options plan = {.layout = IOA_LAYOUT_ROWS, .tile = 32, .panel = 7}, found;
    ioa_measure_options options = {.batch = 40, .repeats = 3, .seconds = 0.02, .plan = &plan};
    ioa_measurement m;
    assert_int_equal(ioa_measure(network, NULL, &options, &m, NULL), IOA_OK);
    assert_int_equal(ioa_plan_options_parse(m.kernel, &found, NULL), IOA_OK);
    assert_true(found.layout == IOA_LAYOUT_ROWS && found.tile == 32 && found.panel == 7);
    ioa_measurement_clear(&m);
    plan.tile = 5;
    assert_int_equal(ioa_measure(network, NULL, &options, &m, NULL), IOA_ERR_INPUT);
    ioa_network_destroy(network);
}

static void test_quartiles(void **state)
{
    (void)state;
    double values[] = {5, 1, 4, 2, 3}, two[] = {2, 1}, one[] = {7};
    ioa_quartiles q = ioa_quartiles_of(values, 5);
    assert_true(q.q1 == 2 && q.median == 3 && q.q3 == 4);
    q = ioa_quartiles_of(two, 2);
    assert_true(q.q1 == 1.25 && q.median == 1.5 && q.q3 == 1.75);
    q = ioa_quartiles_of(one, 1);
    assert_true(q.q1 == 7 && q.median == 7 && q.q3 == 7);
}

static ioa_status measure(void *network, ioa_error *error)
{
    ioa_measure_options options = {.batch = 20, .repeats = 3, .seconds = 0.001, .seed = 7};
    ioa_measurement m = {0};
    ioa_status status = ioa_measure(network, NULL, &options, &m, error);
    if (status == IOA_OK)
        ioa_measurement_clear(&m);
    else
        assert_null(m.schedule);
    return status;
}

static void test_allocation_failures(void **state)
{
    (void)state;
    ioa_network *network = mlp();
    ioa_test_fail_each_allocation(measure, network, IOA_TEST_NOMEM);
    ioa_network_destroy(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_baseline),  cmocka_unit_test(test_baseline_refusals),
        cmocka_unit_test(test_measure),   cmocka_unit_test(test_all_zero),
        cmocka_unit_test(test_quartiles), cmocka_unit_test(test_given_plan),
        cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
