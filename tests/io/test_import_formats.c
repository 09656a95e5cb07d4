/* The formats of whole models, and one network in all of them. What each refuses: test_import_refusals.c. */
#include "tests/io/fixture.h"
#include "tests/support/import_samples.h"

#include "core/base/mem.h"
#include "core/base/rng.h"
#include "core/model/network.h"
#include "io/import/import.h"
#include "io/import/import_bytes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUTATIONS 2000u

/* HDF5 itself loses blocks when it meets damage; see test_damage.c. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libhdf5";
}

/* HDF5 asks for impossible sizes when it meets damage, and copes with getting nothing. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static ioa_status import_sample_file(const import_sample *sample, const char *path, ioa_network **network,
                                     ioa_import_report *report, ioa_error *error)
{
    const char *files[] = {path};
    ioa_import_options options = {.prune = 1, .name = "same"};
    if (sample->turned && !sample->whole) options.orientation_given = true; /* as out-in */
    return ioa_import(files, 1, &options, network, report, error);
}

static void test_all_equal(void **state)
{
    (void)state;
    static const float weights[] = {1, -2, 0.5f, 3, 1.5f, -4, 2}, bias[] = {0, 0, 0, 0.25f, -1, 0, 0.125f};
    static const uint32_t indices[] = {0, 2, 0, 1, 4, 3, 4};
    const import_sample *sample;
    for (unsigned i = 0; (sample = import_sample_at(i)) != NULL; i++) {
        ioa_network *n;
        ioa_import_report report;
        const char *path = scratch(sample->name);
        assert_true(import_sample_write(i, path));
        assert_ok(import_sample_file(sample, path, &n, &report, error));
        unsigned layers = sample->whole ? 2 : 1;
        assert_int_equal(report.count, layers);
        assert_int_equal(n->connections, sample->whole ? 7 : 4);
        assert_memory_equal(n->a.indices, indices, n->connections * sizeof *indices);
        if (!strstr(sample->name, "smtx")) assert_memory_equal(n->a.weights, weights, n->connections * sizeof *weights);
        if (sample->whole) {
            assert_memory_equal(n->a.bias, bias, sizeof bias);
            assert_true(n->a.activation[3] == IOA_ACT_RELU && n->a.activation[6] == IOA_ACT_IDENTITY);
        }
        ioa_import_report_clear(&report);
        ioa_network_destroy(n);
    }
}

static void test_numbers(void **state)
{
    (void)state;
    static const struct {
        ioa_number number;
        unsigned char bytes[8];
        double value;
    } known[] = {
        {{'f', 2, false}, {0x00, 0x3c}, 1},
        {{'f', 2, false}, {0x01, 0x00}, 0x1p-24},
        {{'f', 2, false}, {0xff, 0xfb}, -65504},
        {{'f', 2, true}, {0x35, 0x55}, 0x1.554p-2},
        {{'b', 2, false}, {0x49, 0x40}, 3.140625},
        {{'f', 4, true}, {0x3f, 0x80, 0, 0}, 1},
        {{'f', 8, false}, {0, 0, 0, 0, 0, 0, 0xf8, 0xbf}, -1.5},
        {{'i', 1, false}, {0xff}, -1},
        {{'i', 2, true}, {0x80, 0x00}, -32768},
        {{'i', 8, false}, {0, 0, 0, 0, 0, 0, 0, 0x80}, -0x1p63},
        {{'u', 4, false}, {0xff, 0xff, 0xff, 0xff}, 4294967295.0},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        assert_true(ioa_number_real(known[i].number, known[i].bytes) == known[i].value);
    static const unsigned char infinite[] = {0x00, 0x7c}, none[] = {0x01, 0x7c};
    assert_true(isinf(ioa_number_real((ioa_number){'f', 2, false}, infinite)));
    assert_true(isnan(ioa_number_real((ioa_number){'f', 2, false}, none)));
    uint64_t whole;
    assert_true(ioa_number_whole((ioa_number){'i', 2, true}, (const unsigned char[]){1, 2}, &whole) && whole == 258);
    assert_false(ioa_number_whole((ioa_number){'i', 1, false}, (const unsigned char[]){0x80}, &whole));
}

/* Sizes of .tsv files are only the largest indices; the neighbours' sizes hold. */
static void test_tsv_sizes(void **state)
{
    (void)state;
    const char *files[] = {scratch("a.tsv"), scratch("b.tsv"), scratch("n6-l3.tsv")};
    ioa_import_options options = {.prune = 1};
    ioa_network *n;
    write_text(files[0], "1\t1\t1\n\n2\t3\t2\n");
    write_text(files[1], "5\t1\t3\n");
    write_text(files[2], "1\t2\t4\n");
    assert_ok(ioa_import(files, 3, &options, &n, NULL, error));
    static const int64_t offsets[] = {0, 2, 7, 13, 19};
    assert_int_equal(n->a.layers, 4);
    assert_memory_equal(n->a.layer_offsets, offsets, sizeof offsets);
    ioa_network_destroy(n);
    n = NULL;
    write_text(files[0], "1\t1\t1\n1\t1\t2\n");
    assert_fails(ioa_import(files, 1, &options, &n, NULL, error), IOA_ERR_INPUT, "line 2: the entry in row 0, column 0");
    write_text(files[0], "1\t1\n");
    assert_fails(ioa_import(files, 1, &options, &n, NULL, error), IOA_ERR_INPUT, "line 1: a value is missing");
    write_text(files[0], "0\t1\t1\n");
    assert_fails(ioa_import(files, 1, &options, &n, NULL, error), IOA_ERR_INPUT, "count from 1");
    write_text(files[0], "4000000000\t1\t1\n");
    assert_fails(ioa_import(files, 1, &options, &n, NULL, error), IOA_ERR_INPUT, "out of proportion");
    write_text(files[0], "\n\n");
    assert_fails(ioa_import(files, 1, &options, &n, NULL, error), IOA_ERR_INPUT, "0 x 0");
}

/* Damage of a file gives an error in one line or a network that obeys the rules; the asan build watches. */
static void mutate(unsigned index, const import_sample *sample)
{
    size_t size;
    ioa_pcg32 rng = ioa_rng_keyed(17, IOA_RNG_TEST, index, 0);
    assert_true(import_sample_write(index, scratch("good")));
    unsigned char *bytes = read_bytes(scratch("good"), &size), *copy = malloc(size);
    const char *dot = strrchr(sample->name, '.');
    char name[32];
    snprintf(name, sizeof name, "damaged%s", dot);
    bool keras = strcmp(dot, ".h5") == 0 || strcmp(dot, ".keras") == 0;
    unsigned count = keras ? MUTATIONS / 8 : MUTATIONS; /* those start a process each */
    for (unsigned i = 0; i < count; i++) {
        static const unsigned char telling[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
        size_t length = i % 8 == 0 ? ioa_pcg32_below(&rng, (uint32_t)size) : size;
        unsigned changes = i % 8 == 0 ? 0 : 1 + ioa_pcg32_below(&rng, 3);
        memcpy(copy, bytes, size);
        for (unsigned c = 0; c < changes; c++) {
            size_t at = ioa_pcg32_below(&rng, (uint32_t)size);
            copy[at] = i % 2 ? (unsigned char)ioa_pcg32_below(&rng, 256) : telling[ioa_pcg32_below(&rng, 5)];
        }
        write_bytes(scratch(name), copy, length);
        ioa_network *n = NULL;
        ioa_error error = {0};
        ioa_status status = import_sample_file(sample, scratch(name), &n, NULL, &error);
        if (status == IOA_OK)
            ioa_network_destroy(n);
        else
            assert_true(status == IOA_ERR_INPUT && error.text[0] && !strchr(error.text, '\n') && n == NULL);
    }
    free(bytes);
    free(copy);
}

static void test_mutated(void **state)
{
    (void)state;
    const import_sample *sample;
    for (unsigned i = 0; (sample = import_sample_at(i)) != NULL; i++) mutate(i, sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_equal), cmocka_unit_test(test_numbers),        cmocka_unit_test(test_tsv_sizes),
        cmocka_unit_test(test_mutated),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
