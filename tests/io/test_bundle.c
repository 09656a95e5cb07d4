/* Bundles: what is put in comes out through the readers of networks and of archives, and nothing else gets in. */
#include "tests/io/fixture.h"

#include "core/model/network.h"
#include "io/archive/bundle.h"
#include "io/archive/network_file.h"

#include <hdf5.h>
#include <ioanneal/archive.h>
#include <stdlib.h>
#include <string.h>

static void test_round_trip(void **state)
{
    (void)state;
    ioa_network *n = sample_network(3), *read;
    ioa_archive *a = sample_archive(n), *opened;
    assert_ok(ioa_bundle_write(n, a, scratch("b.h5"), error));
    assert_true(ioa_bundle_probe(scratch("b.h5")) && ioa_network_probe(scratch("b.h5")) && ioa_archive_probe(scratch("b.h5")));
    assert_ok(ioa_network_read(scratch("b.h5"), &read, error));
    assert_true(same_network(n, read));
    assert_ok(ioa_archive_open(scratch("b.h5"), read, &opened, error));
    assert_int_equal(opened->count, 2);
    assert_memory_equal(opened->schedules[1].order, a->schedules[1].order, a->connections * sizeof *a->schedules[1].order);
    assert_int_equal(opened->schedules[0].measurements, 1);
    assert_int_equal(opened->facts, a->facts);
    ioa_archive_close(opened);
    ioa_network_destroy(read);

    /* Packed again it is the same, byte by byte. */
    size_t one_size, two_size;
    unsigned char *one = read_bytes(scratch("b.h5"), &one_size);
    assert_ok(ioa_bundle_write(n, a, scratch("c.h5"), error));
    unsigned char *two = read_bytes(scratch("c.h5"), &two_size);
    assert_true(one_size == two_size && memcmp(one, two, one_size) == 0);
    free(one);
    free(two);
    ioa_archive_destroy(a);
    ioa_network_destroy(n);
}

static void test_refusals(void **state)
{
    (void)state;
    ioa_network *n = sample_network(3), *other = sample_network(4), *read = NULL;
    ioa_archive *a = sample_archive(n), *opened = NULL;
    assert_fails(ioa_bundle_write(other, a, scratch("no.h5"), error), IOA_ERR_INPUT, "topology");
    uint32_t *order = a->schedules[1].order, last = order[a->connections - 1];
    order[a->connections - 1] = order[0];
    assert_fails(ioa_bundle_write(n, a, scratch("no.h5"), error), IOA_ERR_INPUT, "schedule 0001");
    order[a->connections - 1] = last;
    assert_false(ioa_bundle_probe(scratch("no.h5")));
    assert_ok(ioa_network_write(n, scratch("n.h5"), error));
    assert_ok(ioa_archive_write(a, scratch("a.h5"), error));
    assert_false(ioa_bundle_probe(scratch("n.h5")) || ioa_bundle_probe(scratch("a.h5")));
    assert_fails(ioa_archive_read(scratch("n.h5"), &opened, error), IOA_ERR_INPUT, "an ioanneal-archive was expected");

    /* Network and schedules of two topologies in one file */
    assert_ok(ioa_bundle_write(n, a, scratch("b.h5"), error));
    hid_t file = H5Fopen(scratch("b.h5"), H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t group = H5Gopen2(file, "network", H5P_DEFAULT);
    hid_t id = H5Aopen(group, "topology_sha256", H5P_DEFAULT), type = H5Aget_type(id);
    const char *wrong = "0000000000000000000000000000000000000000000000000000000000000000";
    assert_true(H5Awrite(id, type, &wrong) >= 0);
    H5Tclose(type);
    H5Aclose(id);
    H5Gclose(group);
    H5Fclose(file);
    assert_fails(ioa_archive_read(scratch("b.h5"), &opened, error), IOA_ERR_INPUT, "the network of this bundle");
    assert_ok(ioa_network_read(scratch("b.h5"), &read, error));
    ioa_network_destroy(read);
    ioa_archive_destroy(a);
    ioa_network_destroy(other);
    ioa_network_destroy(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
