#include "tests/io/fixture.h"

#include "core/model/network.h"
#include "io/import/import.h"

#include <math.h>
#include <string.h>

#define COORDINATE "%%MatrixMarket matrix coordinate real general\n"

static ioa_status import_text(const char *name, const char *text, const ioa_import_options *options,
                              ioa_network **network, ioa_error *error)
{
    const char *files[] = {scratch(name)};
    write_text(files[0], text);
    return ioa_import(files, 1, options, network, NULL, error);
}

static const ioa_import_options plain = {.prune = 1};

static void test_coordinate(void **state)
{
    (void)state;
    ioa_network *n;
    assert_ok(import_text("w.mtx", "%%matrixmarket MATRIX Coordinate Real General\r\n% remark\r\n\r\n2 3 3\r\n2 3 1.5\r\n"
                          "% another\r\n1 1 -2e-1\r\n\r\n2 1 +4\r\n\r\n", &plain, &n, error));
    const ioa_network_arrays *a = &n->a;
    static const int64_t indptr[] = {0, 0, 0, 0, 1, 3}, offsets[] = {0, 3, 5};
    static const uint32_t indices[] = {0, 0, 2};
    static const float weights[] = {-0.2f, 4, 1.5f};
    assert_true(a->neurons == 5 && a->inputs == 3 && a->outputs == 2 && a->layers == 2);
    assert_memory_equal(a->indptr, indptr, sizeof indptr);
    assert_memory_equal(a->indices, indices, sizeof indices);
    assert_memory_equal(a->weights, weights, sizeof weights);
    assert_memory_equal(a->layer_offsets, offsets, sizeof offsets);
    assert_string_equal(a->name, "w");
    assert_int_equal(a->activation[4], IOA_ACT_IDENTITY);
    ioa_network_destroy(n);
}

static void test_orientation(void **state)
{
    (void)state;
    ioa_import_options options = {.prune = 1, .orientation = IOA_IN_OUT, .orientation_given = true, .name = "turned",
                                  .activation = "leaky_relu:0.25", .bias_value = 2};
    ioa_network *n;
    assert_ok(import_text("w.mtx", COORDINATE "2 3 2\n1 3 5\n2 1 6\n", &options, &n, error));
    assert_true(n->a.inputs == 2 && n->a.outputs == 3 && n->a.param[4] == 0.25f && n->a.bias[2] == 2);
    assert_true(n->a.indptr[3] == 1 && n->a.indices[0] == 1 && n->a.weights[0] == 6 && n->a.param[0] == 0);
    assert_string_equal(n->a.name, "turned");
    ioa_network_destroy(n);
}

static void test_kinds(void **state)
{
    (void)state;
    ioa_network *n;
    assert_ok(import_text("w.mtx", "%%MatrixMarket matrix coordinate integer symmetric\n2 2 2\n1 1 7\n2 1 9\n", &plain, &n,
                          error));
    assert_int_equal(n->connections, 3);
    assert_true(n->a.weights[1] == 9 && n->a.weights[2] == 9);
    ioa_network_destroy(n);
    assert_ok(import_text("w.mtx", "%%MatrixMarket matrix array real general\n2 2\n1\n0\n% x\n3 4\n", &plain, &n, error));
    assert_int_equal(n->connections, 3); /* a zero of a dense matrix is no connection */
    assert_true(n->a.weights[0] == 1 && n->a.weights[1] == 3 && n->a.weights[2] == 4);
    ioa_network_destroy(n);
    assert_ok(import_text("w.mtx", "%%MatrixMarket matrix coordinate pattern general\n2 2 2\n1 1\n2 2\n", &plain, &n, error));
    assert_true(n->connections == 2 && fabsf(n->a.weights[0]) <= 1 && n->a.weights[0] != n->a.weights[1]);
    ioa_network_destroy(n);
    assert_ok(import_text("w.mtx", COORDINATE "2 2 0\n", &plain, &n, error));
    assert_int_equal(n->connections, 0);
    ioa_network_destroy(n);
}

static void test_smtx(void **state)
{
    (void)state;
    ioa_network *n, *again;
    assert_ok(import_text("w.smtx", "3, 4, 5\n0 2 2 5 \n0 3 3 1 2\n", &plain, &n, error));
    assert_ok(import_text("w.smtx", "3, 4, 5\n0 2 2 5 \n0 3 3 1 2\n", &plain, &again, error));
    assert_true(same_network(n, again)); /* invented weights are always the same */
    static const uint32_t indices[] = {0, 3, 1, 2, 3};
    assert_memory_equal(n->a.indices, indices, sizeof indices);
    for (unsigned i = 0; i < 2; i++) assert_true(fabsf(n->a.weights[i]) <= (float)sqrt(0.5));
    ioa_network_destroy(n);
    ioa_network_destroy(again);
    assert_ok(import_text("w.smtx", "2, 2, 0\n0 0 0\n\n", &plain, &n, error));
    ioa_network_destroy(n);
    assert_ok(import_text("w.smtx", "2, 2, 0\n0 0 0", &plain, &n, error));
    ioa_network_destroy(n);
}

static void test_bad_files(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *part;
    } bad[] = {
        {"w.mtx", "", "is empty"},
        {"w.mtx", "hello\n", "line 1: does not start with %%MatrixMarket"},
        {"w.mtx", "%%MatrixMarket matrix coordinate complex general\n1 1 1\n", "\"complex\""},
        {"w.mtx", "%%MatrixMarket vector coordinate real general\n", "\"vector\""},
        {"w.mtx", "%%MatrixMarket matrix array pattern general\n1 1\n", "pattern"},
        {"w.mtx", "%%MatrixMarket matrix coordinate real hermitian\n", "\"hermitian\""},
        {"w.mtx", COORDINATE, "line of sizes is missing"},
        {"w.mtx", COORDINATE "2 2\n", "line 2: the number of entries is missing"},
        {"w.mtx", COORDINATE "0 2 0\n", "0 x 2"},
        {"w.mtx", COORDINATE "2 2 1000000000\n1 1 1\n", "line 2: 1000000000 entries"},
        {"w.mtx", COORDINATE "2 2 18446744073709551616\n", "too large"},
        {"w.mtx", COORDINATE "4000000000 4000000000 1\n1 1 1\n", "out of proportion"},
        {"w.mtx", COORDINATE "2 2 2\n1 1 1\n", "after 1 of 2 entries"},
        {"w.mtx", COORDINATE "2 2 1\n1 1 1\n2 2 2\n", "line 4: there is more"},
        {"w.mtx", COORDINATE "2 2 1\n3 1 1\n", "line 3: the row 3 is greater than 2"},
        {"w.mtx", COORDINATE "2 2 1\n0 1 1\n", "count from 1"},
        {"w.mtx", COORDINATE "2 2 1\n-1 1 1\n", "not a whole number"},
        {"w.mtx", COORDINATE "2 2 1\n1 1\n\n\n\n\n", "line 3: a value is missing"},
        {"w.mtx", COORDINATE "2 2 1\n1 1 1,5\n", "\"1,5\" is not a number"},
        {"w.mtx", COORDINATE "2 2 1\n1 1 nan\n", "not a finite"},
        {"w.mtx", COORDINATE "2 2 1\n1 1 1e99\n", "not a finite"},
        {"w.mtx", COORDINATE "2 2 1\n1 1 1 1\n", "too much"},
        {"w.mtx", COORDINATE "2 2 3\n1 1 1\n2 2 5\n%\n1 1 2\n", "line 6: the entry in row 0, column 0"},
        {"w.mtx", "%%MatrixMarket matrix coordinate real symmetric\n2 2 1\n1 2 1\n", "lower triangle"},
        {"w.mtx", "%%MatrixMarket matrix coordinate real symmetric\n2 3 1\n1 2 1\n", "square"},
        {"w.mtx", "%%MatrixMarket matrix array real general\n2 2\n1\n2\n3\n", "before all 4 values"},
        {"w.smtx", "2, 2\n0 1 1\n0\n", "number of entries is missing"},
        {"w.smtx", "2, 2, 99\n0 1 99\n0\n", "cannot hold"},
        {"w.smtx", "2, 2, 1\n0 1\n0\n", "line 2: a row offset is missing"},
        {"w.smtx", "2, 2, 1\n1 1 1\n0\n", "start with 0"},
        {"w.smtx", "2, 2, 2\n0 2 1\n0 1\n", "decrease"},
        {"w.smtx", "2, 2, 2\n0 1 1\n0 1\n", "end at 1"},
        {"w.smtx", "2, 2, 2\n0 1 2\n0 2\n", "column 2 of entry 1"},
        {"w.smtx", "2, 2, 2\n0 1 2 2\n0 1\n", "too much"},
        {"w.smtx", "2, 2, 2\n0 1 2    \n", "line of columns is missing"},
        {"w.smtx", "2, 2, 2\n0 2 2\n1 1\n", "was given before"},
        {"w.xyz", "?", "cannot be told"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ioa_network *none = NULL;
        assert_fails(import_text(bad[i].name, bad[i].text, &plain, &none, error), IOA_ERR_INPUT, bad[i].part);
        assert_null(none);
    }
    const char *missing[] = {scratch("missing.mtx")};
    ioa_network *none = NULL;
    assert_fails(ioa_import(missing, 1, &plain, &none, NULL, error), IOA_ERR_INPUT, "no such file");
    assert_fails(ioa_import(missing, 0, &plain, &none, NULL, error), IOA_ERR_INPUT, "no weight file");
}

static void test_bad_options(void **state)
{
    (void)state;
    static const char good[] = COORDINATE "2 2 1\n1 1 1\n";
    static const struct {
        ioa_import_options options;
        const char *part;
    } bad[] = {
        {{.prune = 1, .format = "jpeg"}, "\"jpeg\""},
        {{.prune = 1, .activation = "relu,relu"}, "2 activations are given for 1 layers"},
        {{.prune = 1, .activation = "rellu"}, "\"rellu\""},
        {{.prune = 1, .activation = ""}, "\"\""},
        {{.prune = 1, .activation = "relu:3"}, "takes no parameter"},
        {{.prune = 1, .activation = "clipped_relu"}, "clipped_relu:32"},
        {{.prune = 1, .activation = "clipped_relu:"}, "is not a number"},
        {{.prune = 1, .activation = "clipped_relu:1x"}, "is not a number"},
        {{.prune = 1.5}, "density"},
        {{.prune = NAN}, "density"},
        {{.prune = 1, .bias_value = INFINITY}, "bias value"},
        {{.prune = 1, .bias_count = 2}, "2 bias files"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ioa_network *none = NULL;
        assert_fails(import_text("w.mtx", good, &bad[i].options, &none, error), IOA_ERR_INPUT, bad[i].part);
    }
}

static void test_layers(void **state)
{
    (void)state;
    const char *files[] = {scratch("a.mtx"), scratch("b.mtx")}, *bias[] = {scratch("p.mtx"), scratch("q.mtx")};
    ioa_import_options options = {.prune = 1, .bias = bias, .bias_count = 2};
    ioa_import_report report;
    ioa_network *n;
    write_text(files[0], COORDINATE "2 3 2\n1 1 1\n2 2 2\n");
    write_text(files[1], COORDINATE "1 2 1\n1 1 3\n");
    write_text(bias[0], COORDINATE "1 2 1\n1 2 0.5\n");
    write_text(bias[1], "%%MatrixMarket matrix array real general\n1 1\n-1\n");
    assert_ok(ioa_import(files, 2, &options, &n, &report, error));
    static const float want[] = {0, 0, 0, 0, 0.5f, -1};
    assert_memory_equal(n->a.bias, want, sizeof want);
    assert_true(n->a.activation[3] == IOA_ACT_RELU && n->a.activation[5] == IOA_ACT_IDENTITY && !n->a.param);
    assert_true(report.count == 2 && report.layers[0].dead == 1 && report.layers[1].connections == 1);
    assert_string_equal(report.layers[0].activation, "relu");
    assert_string_equal(report.format, "mtx");
    ioa_import_report_clear(&report);
    ioa_network_destroy(n);

    n = NULL;
    write_text(bias[0], COORDINATE "1 3 1\n1 2 0.5\n");
    assert_fails(ioa_import(files, 2, &options, &n, &report, error), IOA_ERR_INPUT, "p.mtx: is 1 x 3");
    write_text(bias[0], COORDINATE "2 1 2\n1 1 1\n1 1 2\n");
    assert_fails(ioa_import(files, 2, &options, &n, &report, error), IOA_ERR_INPUT, "p.mtx: line 4");
    write_text(files[1], COORDINATE "2 1 1\n1 1 3\n");
    assert_fails(ioa_import(files, 2, &options, &n, &report, error), IOA_ERR_INPUT, "is the orientation right?");
}

static void test_prune(void **state)
{
    (void)state;
    ioa_import_options options = {.prune = 0.5};
    ioa_network *n;
    assert_ok(import_text("w.mtx", "%%MatrixMarket matrix array real general\n2 4\n1\n-2\n-2\n2\n1e-20\n3\n-3\n2\n", &options,
                          &n, error));
    /* 4 of 8: 3, -3 and, of the twos, the first two in the file: (1, 0) and (0, 1) */
    static const uint32_t indices[] = {1, 3, 0, 2};
    static const float weights[] = {-2, -3, -2, 3};
    assert_int_equal(n->connections, 4);
    assert_memory_equal(n->a.indices, indices, sizeof indices);
    assert_memory_equal(n->a.weights, weights, sizeof weights);
    ioa_network_destroy(n);
    assert_ok(import_text("w.mtx", COORDINATE "2 4 1\n1 1 1\n", &options, &n, error)); /* sparser already */
    assert_int_equal(n->connections, 1);
    ioa_network_destroy(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_coordinate), cmocka_unit_test(test_orientation), cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_smtx),       cmocka_unit_test(test_bad_files),   cmocka_unit_test(test_bad_options),
        cmocka_unit_test(test_layers),     cmocka_unit_test(test_prune),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
