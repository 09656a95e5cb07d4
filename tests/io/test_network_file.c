#include "tests/io/fixture.h"

#include "core/base/mem.h"
#include "core/model/network.h"
#include "io/archive/network_file.h"
#include "io/base/hash.h"
#include "io/h5/h5.h"
#include "tests/support/random_network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void round_trip(const ioa_network *network)
{
    ioa_network *copy;
    char one[65], two[65];
    assert_ok(ioa_network_write(network, scratch("n.h5"), error));
    assert_ok(ioa_network_read(scratch("n.h5"), &copy, error));
    assert_true(same_network(network, copy));
    assert_ok(ioa_network_topology_hash(network, one, error));
    assert_ok(ioa_network_topology_hash(copy, two, error));
    assert_string_equal(one, two);
    ioa_network_destroy(copy);
    assert_true(ioa_network_probe(scratch("n.h5")));
    assert_false(ioa_archive_probe(scratch("n.h5")));
}

static void test_round_trips(void **state)
{
    (void)state;
    static const uint32_t widths[] = {40, 300, 7, 3};
    for (uint64_t seed = 0; seed < 20; seed++) {
        ioa_network *network = sample_network(seed);
        round_trip(network);
        ioa_network_destroy(network);
    }
    static const double densities[] = {0, 0.05, 1};
    for (unsigned i = 0; i < 3; i++) {
        ioa_network *network = ioa_test_random_mlp(7, widths, 4, densities[i], IOA_ACT_RELU);
        assert_non_null(network);
        round_trip(network);
        ioa_network_destroy(network);
    }
    assert_int_equal(scratch_files(), 1); /* no temporary files left */
}

/* One input, one output, nothing or one connection between them; a name and parameters. */
static ioa_network *tiny(bool connected, const char *name)
{
    int64_t indptr[] = {0, 0, connected}, offsets[] = {0, 1, 2};
    uint32_t indices[] = {0}, in[] = {0}, out[] = {1};
    float weights[] = {0.5f}, bias[] = {0, -1}, param[] = {0, 32};
    uint8_t activation[] = {IOA_ACT_IDENTITY, IOA_ACT_CLIPPED_RELU};
    char text[64];
    snprintf(text, sizeof text, "%s", name);
    ioa_network_arrays a = {2, 1, 1, 2, indptr, indices, weights, bias, activation, param, in, out, offsets, text};
    ioa_network *network;
    assert_ok(ioa_network_create_copy(&a, &network, error));
    return network;
}

static void test_smallest(void **state)
{
    (void)state;
    for (int connected = 0; connected < 2; connected++) {
        ioa_network *network = tiny(connected, "smallest \xc3\xa4");
        round_trip(network);
        ioa_network_destroy(network);
    }
    ioa_network *empty_name = tiny(true, "");
    round_trip(empty_name);
    ioa_network_destroy(empty_name);
}

/* More connections than a chunk holds. */
static void test_many_chunks(void **state)
{
    (void)state;
    static const uint32_t widths[] = {500, 400, 10};
    ioa_network *network = ioa_test_random_mlp(3, widths, 3, 0.8, IOA_ACT_GELU);
    assert_true(network->connections > 2 * 65536);
    round_trip(network);
    ioa_network_destroy(network);
}

/* Values computed by another implementation of SHA-256 over the bytes FORMAT.md lists. */
static void test_known_hashes(void **state)
{
    (void)state;
    char text[65];
    ioa_hash hash;
    assert_ok(ioa_hash_begin(&hash, error));
    ioa_hash_add(&hash, "abc", 3); /* FIPS 180-4, example 1 */
    assert_ok(ioa_hash_end(&hash, text, error));
    assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    ioa_network *network = tiny(true, "x");
    assert_ok(ioa_network_topology_hash(network, text, error));
    assert_string_equal(text, "e2ce0046e08e8b40587c06d6281d7970e29e05fa0e2f912b70b3d1c41e6549b0");
    assert_ok(ioa_network_weights_hash(network, text, error));
    assert_string_equal(text, "b0a39798f2f7155f2d0eb6cc2545b9aab7617b2679cc37023c0336be6756d8ae");
    ioa_network_destroy(network);
}

static void test_equal_bytes(void **state)
{
    (void)state;
    ioa_network *network = sample_network(5), *copy;
    size_t one, two;
    assert_ok(ioa_network_write(network, scratch("a.h5"), error));
    assert_ok(ioa_network_read(scratch("a.h5"), &copy, error));
    assert_ok(ioa_network_write(copy, scratch("b.h5"), error));
    unsigned char *a = read_bytes(scratch("a.h5"), &one), *b = read_bytes(scratch("b.h5"), &two);
    assert_int_equal(one, two);
    assert_memory_equal(a, b, one);
    free(a);
    free(b);
    ioa_network_destroy(network);
    ioa_network_destroy(copy);
}

static void test_not_networks(void **state)
{
    (void)state;
    ioa_network *network = sample_network(1), *none = NULL;
    assert_fails(ioa_network_read(scratch("missing.h5"), &none, error), IOA_ERR_INPUT, "no such file");
    assert_fails(ioa_network_read(scratch(""), &none, error), IOA_ERR_INPUT, "not a regular file");
    write_text(scratch("t.h5"), "");
    assert_fails(ioa_network_read(scratch("t.h5"), &none, error), IOA_ERR_INPUT, "is empty");
    write_text(scratch("t.h5"), "%%MatrixMarket matrix");
    assert_fails(ioa_network_read(scratch("t.h5"), &none, error), IOA_ERR_INPUT, "not an HDF5 file");
    ioa_archive *archive = sample_archive(network);
    assert_ok(ioa_archive_write(archive, scratch("t.h5"), error));
    assert_fails(ioa_network_read(scratch("t.h5"), &none, error), IOA_ERR_INPUT, "ioanneal-archive");
    hid_t file = H5Fcreate(scratch("t.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    assert_fails(ioa_network_read(scratch("t.h5"), &none, error), IOA_ERR_INPUT, "not one of ioanneal");
    assert_int_equal(ioa_network_read(scratch("t.h5"), &none, NULL), IOA_ERR_INPUT);
    assert_null(none);
    ioa_archive_destroy(archive);
    ioa_network_destroy(network);
}

/* Replaces one object of a good file by another; the reader must name it. */
typedef struct change {
    const char *name;          /* dataset to delete, or attribute of "/" with a leading '@' */
    const char *text;          /* new attribute text */
    hid_t type;                /* new dataset: type, or 0 for none */
    hsize_t length;
    double fill;
    const char *part;          /* of the error text */
} change;

static void apply(const char *path, const change *c)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(file >= 0);
    if (c->name[0] == '@') {
        H5Adelete(file, c->name + 1);
        if (c->text) {
            hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
            H5Tset_size(type, strlen(c->text) + 1); /* a fixed-length text for once */
            hid_t id = H5Acreate2(file, c->name + 1, type, space, H5P_DEFAULT, H5P_DEFAULT);
            assert_true(H5Awrite(id, type, c->text) >= 0);
            H5Aclose(id);
            H5Sclose(space);
            H5Tclose(type);
        }
    } else {
        H5Ldelete(file, c->name, H5P_DEFAULT);
        if (c->type) {
            double *values = malloc((size_t)c->length * sizeof *values);
            for (hsize_t i = 0; i < c->length; i++) values[i] = c->fill;
            hid_t space = H5Screate_simple(1, &c->length, NULL);
            hid_t id = H5Dcreate2(file, c->name, c->type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
            assert_true(H5Dwrite(id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
            H5Dclose(id);
            H5Sclose(space);
            free(values);
        }
    }
    assert_true(H5Fclose(file) >= 0);
}

static void test_changed_files(void **state)
{
    (void)state;
    ioa_network *network = sample_network(2), *none = NULL;
    hsize_t n = network->a.neurons, w = network->connections;
    const change changes[] = {
        {"@schema_version", "2.0", 0, 0, 0, "schema_version \"2.0\""},
        {"@schema_version", "one", 0, 0, 0, "schema_version"},
        {"@schema_name", "other", 0, 0, 0, "\"other\""},
        {"@topology_sha256", NULL, 0, 0, 0, "topology_sha256 is missing"},
        {"@topology_sha256", "00", 0, 0, 0, "altered or damaged"},
        {"@weights_sha256", "00", 0, 0, 0, "altered or damaged"},
        {"connections/data", NULL, 0, 0, 0, "connections/data: is missing"},
        {"connections/data", NULL, H5T_IEEE_F32LE, w - 1, 0.5, "connections/data: has length"},
        {"connections/data", NULL, H5T_STD_I32LE, w, 1, "holds integers"},
        {"connections/data", NULL, H5T_IEEE_F32LE, w, 0.25, "weights_sha256"},
        {"connections/indices", NULL, H5T_STD_I64LE, w, -1, "connections/indices: element 0 is out of range"},
        {"connections/indices", NULL, H5T_STD_U64LE, w, 4294967296.0, "element 0 is out of range"},
        {"connections/indices", NULL, H5T_STD_U8LE, w, 0, "connections/indices"},
        {"connections/indptr", NULL, H5T_STD_I64LE, 1, 0, "connections/indptr: has length 1"},
        {"connections/indptr", NULL, H5T_STD_I64LE, n + 1, -5, "connections/indptr"},
        {"connections/indptr", NULL, H5T_STD_I64LE, n + 2, 0, "shape"},
        {"neurons/activation", NULL, H5T_STD_U8LE, n, 99, "unknown activation 99"},
        {"neurons/activation", NULL, H5T_STD_I16LE, n, 256, "neurons/activation: element 0 is out of range"},
        {"neurons/bias", NULL, H5T_IEEE_F64LE, n, 1e300, "not finite"},
        {"neurons/inputs", NULL, H5T_STD_U32LE, 0, 0, "neurons/inputs is empty"},
        {"neurons/inputs", NULL, H5T_STD_U32LE, 2, 4000000, "neurons/inputs"},
        {"neurons/outputs", NULL, 0, 0, 0, "neurons/outputs: is missing"},
        {"neurons", NULL, H5T_STD_U8LE, 4, 0, "neurons/bias: "},
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        assert_ok(ioa_network_write(network, scratch("c.h5"), error));
        apply(scratch("c.h5"), &changes[i]);
        assert_fails(ioa_network_read(scratch("c.h5"), &none, error), IOA_ERR_INPUT, changes[i].part);
        assert_null(none);
    }
    ioa_network_destroy(network);
}

/* Other integer types, plain codes and fixed-length texts are fine as long as the values are. */
static void test_other_types(void **state)
{
    (void)state;
    ioa_network *network = tiny(true, "x"), *copy;
    const change changes[] = {
        {"connections/indices", NULL, H5T_STD_I16BE, 1, 0, NULL},
        {"neurons/inputs", NULL, H5T_STD_I64LE, 1, 0, NULL},
        {"neurons/outputs", NULL, H5T_STD_U8LE, 1, 1, NULL},
        {"connections/data", NULL, H5T_IEEE_F64BE, 1, 0.5, NULL},
        {"@schema_version", "1.7", 0, 0, 0, NULL},
        {"@name", "x", 0, 0, 0, NULL},
    };
    assert_ok(ioa_network_write(network, scratch("c.h5"), error));
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) apply(scratch("c.h5"), &changes[i]);
    assert_ok(ioa_network_read(scratch("c.h5"), &copy, error));
    assert_true(same_network(network, copy));
    ioa_network_destroy(copy);
    ioa_network_destroy(network);
}

/* A header that claims 2^40 elements must not lead to an allocation of that size. */
static void test_lying_shape(void **state)
{
    (void)state;
    ioa_network *network = tiny(true, "x"), *none = NULL;
    for (int chunked = 0; chunked < 2; chunked++) {
        assert_ok(ioa_network_write(network, scratch("c.h5"), error));
        hid_t file = H5Fopen(scratch("c.h5"), H5F_ACC_RDWR, H5P_DEFAULT);
        H5Ldelete(file, "connections/indptr", H5P_DEFAULT);
        hsize_t length = UINT64_C(1) << 31, chunk = 1024;
        hid_t space = H5Screate_simple(1, &length, NULL), list = H5Pcreate(H5P_DATASET_CREATE);
        if (chunked) {
            H5Pset_chunk(list, 1, &chunk);
            H5Pset_deflate(list, 1);
        }
        hid_t id = H5Dcreate2(file, "connections/indptr", H5T_STD_I64LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
        assert_true(id >= 0);
        H5Dclose(id);
        H5Pclose(list);
        H5Sclose(space);
        H5Fclose(file);
        assert_fails(ioa_network_read(scratch("c.h5"), &none, error), IOA_ERR_INPUT, "connections/indptr: claims");
    }
    ioa_network_destroy(network);
}

static void test_unwritable(void **state)
{
    (void)state;
    scratch_clear();
    ioa_network *network = sample_network(3);
    assert_fails(ioa_network_write(network, scratch("no/such/n.h5"), error), IOA_ERR_INPUT, "cannot be written");
    assert_fails(ioa_network_write(network, scratch(""), error), IOA_ERR_INPUT, "is a folder");
    assert_fails(ioa_network_write(network, "", error), IOA_ERR_INPUT, "empty");
    assert_int_equal(scratch_files(), 0);
    ioa_network_destroy(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips),   cmocka_unit_test(test_smallest),  cmocka_unit_test(test_many_chunks),
        cmocka_unit_test(test_known_hashes),  cmocka_unit_test(test_equal_bytes), cmocka_unit_test(test_not_networks),
        cmocka_unit_test(test_changed_files), cmocka_unit_test(test_other_types), cmocka_unit_test(test_lying_shape),
        cmocka_unit_test(test_unwritable),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
