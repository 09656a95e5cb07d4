/* Real networks, where they are at hand, do what their authors say they do: the importers got weights, biases,
 * activations and orientation right. */
#include "tests/io/fixture.h"

#include "core/base/mem.h"
#include "core/base/rng.h"
#include "core/model/network.h"
#include "io/import/import.h"

#include <ioanneal/plan.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

static float *infer(const ioa_network *network, const float *x, size_t batch)
{
    ioa_plan *plan;
    assert_ok(ioa_plan_create(network, NULL, NULL, &plan, error));
    void *work = ioa_alloc(ioa_plan_scratch_bytes(plan), 1);
    float *y = ioa_alloc(batch * network->a.outputs, sizeof *y);
    assert_true(work && y);
    ioa_plan_run(plan, x, y, batch, work);
    ioa_plan_destroy(plan);
    ioa_free(work);
    return y;
}

/* ---- MNIST's idx files ---- */

enum { IMAGES = 10000, PIXELS = 784, CLASSES = 10 };

/* The content behind a header of `skip` bytes. */
static unsigned char *read_idx(const char *path, size_t skip, size_t size)
{
    unsigned char *bytes = ioa_alloc(skip + size, 1);
    gzFile file = gzopen(path, "rb");
    assert_true(bytes && file && gzread(file, bytes, (unsigned)(skip + size)) == (int)(skip + size));
    gzclose(file);
    memmove(bytes, bytes + skip, size);
    return bytes;
}

/* Test images whose largest output is their label. */
static unsigned count_right(const ioa_network *network)
{
    unsigned char *pixels = read_idx(shared("data/outerspace_mlp/t10k-images-idx3-ubyte.gz"), 16, IMAGES * PIXELS);
    unsigned char *labels = read_idx(shared("data/outerspace_mlp/t10k-labels-idx1-ubyte.gz"), 8, IMAGES);
    assert_true(network->a.inputs == PIXELS && network->a.outputs == CLASSES);
    float *x = ioa_alloc(IMAGES * PIXELS, sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < IMAGES * PIXELS; i++) x[i] = (float)pixels[i] / 255;
    float *y = infer(network, x, IMAGES);
    unsigned right = 0;
    for (size_t i = 0; i < IMAGES; i++) {
        unsigned best = 0;
        for (unsigned c = 1; c < CLASSES; c++)
            if (y[i * CLASSES + c] > y[i * CLASSES + best]) best = c;
        right += best == labels[i];
    }
    ioa_free(pixels);
    ioa_free(labels);
    ioa_free(x);
    ioa_free(y);
    return right;
}

static void test_outerspace(void **state)
{
    (void)state;
    const outerspace_files o = shared_outerspace();
    ioa_import_options options = {.prune = 1, .bias = o.bias, .bias_count = 3};
    ioa_network *n;
    assert_ok(ioa_import(o.weights, 3, &options, &n, NULL, error));
    assert_int_equal(count_right(n), 9764);
    ioa_network_destroy(n);
}

static void test_npz(void **state)
{
    (void)state;
    const char *files[] = {shared("data/npz/mlp_784_50_100_10_sigmoid.npz")};
    ioa_import_options options = {.prune = 1, .activation = "sigmoid,sigmoid,identity"};
    ioa_network *n;
    assert_ok(ioa_import(files, 1, &options, &n, NULL, error));
    assert_int_equal(count_right(n), 9352);
    ioa_network_destroy(n);
}

/* ---- Sparse DNN Graph Challenge ---- */

enum { FEATURES = 1024, SAMPLES = 1200, LAYERS = 30, GOLDEN = 19 };

/* Rows and columns (from 1) of a pattern, with the columns of its line of sizes in *columns. Returns the entries. */
static size_t read_pattern(const char *path, unsigned (*places)[2], size_t room, unsigned sizes[3])
{
    char line[256];
    size_t count = 0;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    sizes[0] = 0;
    while (fgets(line, sizeof line, file)) {
        if (line[0] == '%') continue;
        if (!sizes[0]) {
            assert_int_equal(sscanf(line, "%u %u %u", &sizes[0], &sizes[1], &sizes[2]), 3);
            continue;
        }
        assert_true(count < room && sscanf(line, "%u %u", &places[count][0], &places[count][1]) == 2);
        count++;
    }
    fclose(file);
    return count;
}

static ioa_network *import_radixnet(void)
{
    static char paths[LAYERS][1024];
    const char *files[LAYERS];
    for (unsigned i = 0; i < LAYERS; i++) {
        char name[64];
        snprintf(name, sizeof name, "data/graphchallenge_1024x30/n1024-l%u.mtx", i + 1);
        snprintf(paths[i], sizeof paths[i], "%s", shared(name));
        files[i] = paths[i];
    }
    ioa_import_options options = {.prune = 1, .orientation = IOA_IN_OUT, .orientation_given = true,
                                  .bias_value = -0.3f, .activation = "clipped_relu:32"};
    ioa_network *n;
    assert_ok(ioa_import(files, LAYERS, &options, &n, NULL, error));
    return n;
}

static void test_radixnet(void **state)
{
    (void)state;
    static unsigned places[200000][2], golden[SAMPLES][2], sizes[3];
    size_t entries = read_pattern(shared("data/graphchallenge_1024x30/sparse-images-1024_subset.mtx"), places, 200000, sizes);
    assert_true(sizes[0] == SAMPLES && sizes[1] == FEATURES && sizes[2] == entries);
    float *x = ioa_alloc_zero((uint64_t)SAMPLES * FEATURES, sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < entries; i++) x[(places[i][0] - 1) * FEATURES + places[i][1] - 1] = 1;
    ioa_network *n = import_radixnet();
    float *y = infer(n, x, SAMPLES);
    size_t expected = read_pattern(shared("data/graphchallenge_1024x30/neuron1024-l120-categories_subset.mtx"), golden, SAMPLES,
                                   sizes);
    assert_int_equal(expected, GOLDEN);
    bool is_golden[SAMPLES] = {false};
    for (size_t i = 0; i < expected; i++) is_golden[golden[i][0] - 1] = true;
    for (size_t s = 0; s < SAMPLES; s++) {
        bool active = false;
        for (size_t f = 0; f < FEATURES; f++) active = active || y[s * FEATURES + f] != 0;
        assert_true(active == is_golden[s]);
    }
    ioa_free(x);
    ioa_free(y);
    ioa_network_destroy(n);
}

/* ---- one network as Keras and as ONNX ---- */

static void test_keras_onnx(void **state)
{
    (void)state;
    const char *keras[] = {shared("data/keras/KERAS_3layer_weights.h5")}, *onnx[] = {shared("data/onnx/three_layer_keras.onnx")};
    ioa_import_options options = {.prune = 1, .model = shared("data/keras/KERAS_3layer.json")}, plain = {.prune = 1};
    ioa_network *one, *two;
    ioa_import_report report;
    assert_ok(ioa_import(keras, 1, &options, &one, &report, error));
    assert_non_null(strstr(report.warning, "softmax"));
    ioa_import_report_clear(&report);
    assert_ok(ioa_import(onnx, 1, &plain, &two, NULL, error));
    assert_true(one->connections == 4256 && two->connections == 4256 && one->a.inputs == 16 && one->a.outputs == 5);
    assert_memory_equal(one->a.activation, two->a.activation, one->a.neurons);
    ioa_pcg32 rng = ioa_rng_keyed(1, IOA_RNG_TEST, 0, 0);
    static float x[500 * 16];
    for (size_t i = 0; i < 500 * 16; i++) x[i] = (float)(4 * ioa_pcg32_double(&rng) - 2);
    float *y = infer(one, x, 500), *z = infer(two, x, 500), difference = 0;
    for (size_t i = 0; i < 500 * 5; i++) difference = fmaxf(difference, fabsf(y[i] - z[i]));
    if (!(difference <= 1e-6f)) fail_msg("the two differ by %g", (double)difference);
    ioa_free(y);
    ioa_free(z);
    ioa_network_destroy(one);
    ioa_network_destroy(two);
    const char *pruned[] = {shared("data/keras/KERAS_3layer_70pruned_retrained_weights.h5")};
    assert_ok(ioa_import(pruned, 1, &options, &one, NULL, error));
    assert_int_equal(one->connections, 1205);
    ioa_network_destroy(one);
}

/* A layer without any connection: outputs are constants, and inference gives them. */
static void test_all_zero(void **state)
{
    (void)state;
    const char *files[] = {shared("data/dlmc/variational_dropout_0.98/body_encoder_layer_0_ffn_conv1.smtx"),
                           shared("data/dlmc/variational_dropout_0.98/body_encoder_layer_0_ffn_conv2.smtx")};
    ioa_import_options options = {.prune = 1, .bias_value = 0.5f};
    ioa_network *n;
    assert_ok(ioa_import(files, 2, &options, &n, NULL, error));
    assert_int_equal(n->connections, 0);
    float *x = ioa_alloc_zero(3 * (uint64_t)n->a.inputs, sizeof *x), *y = infer(n, x, 3);
    for (size_t i = 0; i < 3 * (size_t)n->a.outputs; i++) assert_true(y[i] == 0.5f);
    ioa_free(x);
    ioa_free(y);
    ioa_network_destroy(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outerspace),  cmocka_unit_test(test_npz),      cmocka_unit_test(test_radixnet),
        cmocka_unit_test(test_keras_onnx),  cmocka_unit_test(test_all_zero),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
