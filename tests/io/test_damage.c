/* Damaged files and failing memory: an error or, where damage touches nothing of meaning, success; never a crash or a
 * leak (the asan build watches). */
#include "tests/io/fixture.h"

#include "core/mem.h"
#include "core/rng.h"
#include "io/import.h"
#include "io/network_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLIPS 3000u

/* HDF5 itself loses blocks when it meets damage; ours stay watched by their own call stacks and the other tests. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libhdf5";
}

/* Reads whatever `path` is as both kinds; a file that still loads must hold what was written. */
static void read_both(const char *path, const ioa_network *network)
{
    ioa_error error = {0};
    ioa_network *n = NULL;
    ioa_archive *a = NULL;
    ioa_status status = ioa_network_read(path, &n, &error);
    if (status == IOA_OK) { /* the name alone carries no checksum */
        const ioa_network_arrays *x = ioa_network_view(n), *y = ioa_network_view(network);
        assert_true(x->neurons == y->neurons && x->inputs == y->inputs && x->outputs == y->outputs);
    } else {
        assert_true(error.text[0] && n == NULL && !strchr(error.text, '\n'));
    }
    ioa_network_destroy(n);
    memset(&error, 0, sizeof error);
    status = ioa_archive_read(path, &a, &error);
    if (status != IOA_OK) assert_true(error.text[0] && a == NULL && !strchr(error.text, '\n'));
    ioa_archive_destroy(a);
    ioa_archive_probe(path);
}

static void write_kind(int archive, const ioa_network *network)
{
    if (!archive) {
        assert_ok(ioa_network_write(network, scratch("good.h5"), error));
        return;
    }
    ioa_archive *a = sample_archive(network);
    assert_ok(ioa_archive_write(a, scratch("good.h5"), error));
    ioa_archive_destroy(a);
}

static void test_truncated(void **state)
{
    (void)state;
    ioa_network *network = sample_network(1);
    for (int kind = 0; kind < 2; kind++) {
        size_t size;
        write_kind(kind, network);
        unsigned char *bytes = read_bytes(scratch("good.h5"), &size);
        for (size_t length = 0; length < size; length += length < 600 ? 1 : 23) {
            ioa_network *n = NULL;
            ioa_archive *a = NULL;
            ioa_error error = {0};
            write_bytes(scratch("cut.h5"), bytes, length);
            assert_int_equal(ioa_network_read(scratch("cut.h5"), &n, &error), IOA_ERR_INPUT);
            assert_int_equal(ioa_archive_read(scratch("cut.h5"), &a, &error), IOA_ERR_INPUT);
            assert_true(strstr(error.text, "truncated") || strstr(error.text, "not an HDF5 file") ||
                        strstr(error.text, "is empty"));
        }
        free(bytes);
    }
    ioa_network_destroy(network);
}

static void test_flipped(void **state)
{
    (void)state;
    ioa_network *network = sample_network(1);
    ioa_pcg32 rng = ioa_rng_keyed(11, IOA_RNG_TEST, 0, 0);
    for (int kind = 0; kind < 2; kind++) {
        size_t size;
        write_kind(kind, network);
        unsigned char *bytes = read_bytes(scratch("good.h5"), &size);
        for (unsigned i = 0; i < FLIPS; i++) {
            /* One byte, and now and then a burst. */
            size_t at = ioa_pcg32_below(&rng, (uint32_t)size), length = i % 10 == 9 ? 16 : 1;
            unsigned char saved[16];
            if (at + length > size) at = size - length;
            memcpy(saved, bytes + at, length);
            for (size_t k = 0; k < length; k++) bytes[at + k] ^= (unsigned char)(1 + ioa_pcg32_below(&rng, 255));
            write_bytes(scratch("flip.h5"), bytes, size);
            read_both(scratch("flip.h5"), network);
            memcpy(bytes + at, saved, length);
        }
        free(bytes);
    }
    ioa_network_destroy(network);
}

/* Every byte of the string heaps takes a few telling values. */
static void test_flipped_strings(void **state)
{
    (void)state;
    static const unsigned char values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    ioa_network *network = sample_network(1);
    for (int kind = 0; kind < 2; kind++) {
        size_t size;
        write_kind(kind, network);
        unsigned char *bytes = read_bytes(scratch("good.h5"), &size);
        for (size_t heap = 0; heap + 4 < size; heap++) {
            if (memcmp(bytes + heap, "GCOL", 4) != 0) continue;
            for (size_t at = heap; at < heap + 900 && at < size; at++)
                for (size_t v = 0; v < sizeof values; v++) {
                    unsigned char saved = bytes[at];
                    bytes[at] = values[v];
                    write_bytes(scratch("flip.h5"), bytes, size);
                    read_both(scratch("flip.h5"), network);
                    bytes[at] = saved;
                }
        }
        free(bytes);
    }
    ioa_network_destroy(network);
}

static ioa_status load_network(ioa_error *error)
{
    ioa_network *n;
    ioa_status status = ioa_network_read(scratch("n.h5"), &n, error);
    if (status == IOA_OK) ioa_network_destroy(n);
    return status;
}

static ioa_status load_archive(ioa_error *error)
{
    ioa_archive *a;
    ioa_status status = ioa_archive_read(scratch("a.h5"), &a, error);
    if (status == IOA_OK) ioa_archive_destroy(a);
    return status;
}

static ioa_status load_import(ioa_error *error)
{
    const char *files[] = {scratch("w.mtx")}, *bias[] = {scratch("b.mtx")};
    ioa_import_options options = {.prune = 0.3, .activation = "clipped_relu:6"};
    ioa_import_report report;
    ioa_network *n;
    options.bias = bias;
    options.bias_count = 1;
    ioa_status status = ioa_import(files, 1, &options, &n, &report, error);
    if (status == IOA_OK) {
        ioa_network_destroy(n);
        ioa_import_report_clear(&report);
    }
    return status;
}

static ioa_status load_pattern(ioa_error *error)
{
    const char *files[] = {scratch("v.smtx")};
    ioa_import_options options = {.prune = 1};
    ioa_network *n;
    ioa_status status = ioa_import(files, 1, &options, &n, NULL, error);
    if (status == IOA_OK) ioa_network_destroy(n);
    return status;
}

static ioa_status save_network(ioa_error *error)
{
    ioa_network *network = NULL;
    ioa_status status = ioa_network_read(scratch("n.h5"), &network, error);
    if (status == IOA_OK) status = ioa_network_write(network, scratch("out.h5"), error);
    ioa_network_destroy(network);
    return status;
}

static void test_failing_memory(void **state)
{
    (void)state;
    static const struct {
        ioa_status (*run)(ioa_error *error);
        bool reading;
    } paths[] = {{load_network, true}, {load_archive, true}, {load_import, true}, {load_pattern, true}, {save_network, false}};
    scratch_clear();
    ioa_network *network = sample_network(1);
    ioa_archive *archive = sample_archive(network);
    assert_ok(ioa_network_write(network, scratch("n.h5"), error));
    assert_ok(ioa_archive_write(archive, scratch("a.h5"), error));
    write_text(scratch("w.mtx"), "%%MatrixMarket matrix coordinate real general\n2 3 3\n1 1 1\n2 1 2\n2 3 -3\n");
    write_text(scratch("b.mtx"), "%%MatrixMarket matrix array real general\n2 1\n1\n2\n");
    write_text(scratch("v.smtx"), "2, 2, 2\n0 1 2\n0 1\n");
    for (size_t p = 0; p < sizeof paths / sizeof paths[0]; p++) {
        assert_ok(paths[p].run(error));
        ioa_error failure = {0};
        ioa_mem_fail_at(0);
        assert_int_equal(paths[p].run(&failure), IOA_OK);
        uint64_t allocations = ioa_mem_fail_at(0);
        assert_true(allocations > 3);
        for (uint64_t n = 1; n <= allocations; n++) {
            ioa_mem_fail_at(n);
            ioa_status status = paths[p].run(&failure);
            ioa_mem_fail_at(0);
            if (paths[p].reading)
                assert_int_equal(status, IOA_ERR_NOMEM);
            else
                assert_true(status == IOA_ERR_NOMEM || status == IOA_ERR_SYSTEM);
        }
    }
    assert_int_equal(scratch_files(), 6); /* the five and out.h5: no temporary files */
    ioa_archive_destroy(archive);
    ioa_network_destroy(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_flipped),
        cmocka_unit_test(test_flipped_strings),
        cmocka_unit_test(test_failing_memory),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
