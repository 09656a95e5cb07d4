/* Every activation of every instruction set over its whole range, against libm in float64. */
#include "core/base/mem.h"
#include "core/model/reference.h"

#include <ioanneal/plan.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define POINTS 20000
#define PARAM 0.3f

/* x -> act(x): one input, one output, weight 1. */
static ioa_network *single(unsigned code)
{
    int64_t indptr[] = {0, 0, 1};
    uint32_t indices[] = {0}, in[] = {0}, out[] = {1};
    float weights[] = {1}, bias[] = {0, 0}, param[] = {0, PARAM};
    uint8_t activation[] = {IOA_ACT_IDENTITY, (uint8_t)code};
    ioa_network_arrays arrays = {.neurons = 2, .inputs = 1, .outputs = 1, .indptr = indptr, .indices = indices,
                                 .weights = weights, .bias = bias, .activation = activation, .param = param,
                                 .input_ids = in, .output_ids = out};
    ioa_network *network = NULL;
    assert_int_equal(ioa_network_create_copy(&arrays, &network, NULL), IOA_OK);
    return network;
}

static void apply(unsigned code, ioa_isa isa, uint32_t tile, const float *x, float *y, size_t count)
{
    ioa_network *network = single(code);
    ioa_plan_options options = {.isa = isa, .layout = IOA_LAYOUT_ORDER, .tile = tile};
    ioa_plan *plan = NULL;
    assert_int_equal(ioa_plan_create(network, NULL, &options, &plan, NULL), IOA_OK);
    void *scratch = ioa_alloc(ioa_plan_scratch_bytes(plan), 1);
    assert_non_null(scratch);
    ioa_plan_run(plan, x, y, count, scratch);
    ioa_free(scratch);
    ioa_plan_destroy(plan);
    ioa_network_destroy(network);
}

/* Sweeps both signs: a dense linear part around 0 and a geometric part from 1e-20 to 1e5. */
static void fill(float *x)
{
    for (int i = 0; i < POINTS / 2; i++) x[i] = (float)(24.0 * i / (POINTS / 2) - 12.0);
    for (int i = POINTS / 2; i < POINTS; i++) {
        double exponent = -20.0 + 25.0 * (i - POINTS / 2) / (POINTS / 2);
        x[i] = (float)((i % 2 ? -1 : 1) * pow(10, exponent));
    }
}

static void test_accuracy(void **state)
{
    (void)state;
    static float x[POINTS], y[POINTS];
    const uint32_t tiles[] = {1, 16, 64, 128};
    fill(x);
    for (int isa = IOA_ISA_PORTABLE; isa < IOA_ISA_COUNT; isa++)
        for (unsigned code = 0; code < IOA_ACT_COUNT; code++)
            for (int t = 0; t < 4 && ioa_isa_available((ioa_isa)isa); t++) {
                apply(code, (ioa_isa)isa, tiles[t], x, y, POINTS);
                for (int i = 0; i < POINTS; i++) {
                    double exact = ioa_reference_activation(code, (double)x[i], (double)PARAM);
                    double allowed =
                        IOA_ACTIVATION_ERROR * (fabs(exact) + fmin(fabs((double)x[i]), 1)) + (double)FLT_MIN;
                    if (!(fabs((double)y[i] - exact) <= allowed))
                        fail_msg("%s(%.9g) = %.9g instead of %.9g (%s, tile %u)", ioa_activation_name(code),
                                 (double)x[i], (double)y[i], exact, ioa_isa_name((ioa_isa)isa), tiles[t]);
                }
            }
}

/* NaN stays NaN (step: a comparison, 0); infinities go to their limits where the definition has one. */
static void test_special_values(void **state)
{
    (void)state;
    const float x[3] = {NAN, INFINITY, -INFINITY};
    float y[3];
    for (int isa = IOA_ISA_PORTABLE; isa < IOA_ISA_COUNT; isa++)
        for (unsigned code = 0; code < IOA_ACT_COUNT; code++)
            for (uint32_t tile = 1; tile <= 16 && ioa_isa_available((ioa_isa)isa); tile += 15) {
                apply(code, (ioa_isa)isa, tile, x, y, 3);
                if (code == IOA_ACT_STEP) assert_true(y[0] == 0.0f);
                else if (!isnan(y[0])) fail_msg("%s(NaN) = %g", ioa_activation_name(code), (double)y[0]);
                for (int i = 1; i < 3; i++) {
                    double exact = ioa_reference_activation(code, (double)x[i], (double)PARAM);
                    if (isnan(exact)) continue; /* infinity times 0: either answer will do */
                    if (!(y[i] == (float)exact))
                        fail_msg("%s(%g) = %g instead of %g (%s)", ioa_activation_name(code), (double)x[i],
                                 (double)y[i], exact, ioa_isa_name((ioa_isa)isa));
                }
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_accuracy), cmocka_unit_test(test_special_values)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
