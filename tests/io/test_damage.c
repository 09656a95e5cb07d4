/* Damaged files: an error or, where damage touches nothing of meaning, success; never a crash or a
 * leak (the asan build watches). */
#include "tests/io/fixture.h"

#include "core/base/rng.h"
#include "io/archive/network_file.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_flipped),
        cmocka_unit_test(test_flipped_strings),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
