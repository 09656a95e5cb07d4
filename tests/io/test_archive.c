#include "tests/io/fixture.h"

#include "core/base/mem.h"
#include "core/model/network.h"
#include "io/archive/network_file.h"
#include "io/h5/h5.h"

#include <stdlib.h>
#include <string.h>

static void compare_schedules(const ioa_schedule *a, const ioa_schedule *b, uint64_t connections)
{
    assert_true(a->memory == b->memory && a->policy == b->policy && a->seed == b->seed && a->rounds == b->rounds &&
                a->planned_rounds == b->planned_rounds && a->trial_rounds == b->trial_rounds);
    assert_true(a->io.reads == b->io.reads && a->io.writes == b->io.writes && a->verified == b->verified);
    assert_true(a->lower_bound == b->lower_bound && a->upper_bound == b->upper_bound);
    assert_true(a->baseline_total == b->baseline_total && a->replicas == b->replicas);
    assert_string_equal(a->method, b->method);
    assert_memory_equal(a->order, b->order, connections * sizeof *a->order);
    assert_int_equal(a->columns, b->columns); /* "best" and "energies" are in order of name */
    for (uint32_t i = 0; i < a->columns; i++) {
        const ioa_column *x = &a->trace[i], *y = &b->trace[i];
        assert_string_equal(x->name, y->name);
        assert_true(x->rows == y->rows && x->width == y->width && !x->real == !y->real);
        assert_memory_equal(x->real ? (void *)x->real : x->whole, y->real ? (void *)y->real : y->whole,
                            x->rows * x->width * 8);
    }
    assert_int_equal(a->measurements, b->measurements);
    for (uint32_t i = 0; i < a->measurements; i++) {
        const ioa_measured *x = &a->measured[i], *y = &b->measured[i];
        assert_true(x->measurement.repeats == y->measurement.repeats && x->measurement.batch == y->measurement.batch);
        assert_memory_equal(x->measurement.schedule, y->measurement.schedule, x->measurement.repeats * 8);
        assert_null(y->measurement.mkl);
        assert_true(x->measurement.speedup_csr.q3 == y->measurement.speedup_csr.q3);
        assert_true(x->measurement.exactness.max_abs_error == y->measurement.exactness.max_abs_error);
        assert_int_equal(x->measurement.candidate_count, y->measurement.candidate_count);
        for (uint32_t k = 0; k < x->measurement.candidate_count; k++) {
            assert_string_equal(x->measurement.candidates[k].name, y->measurement.candidates[k].name);
            assert_true(x->measurement.candidates[k].seconds == y->measurement.candidates[k].seconds);
        }
        assert_string_equal(x->limits.binding, y->limits.binding);
        assert_true(x->limits.share == y->limits.share && x->limits.limits.fma_gflops == y->limits.limits.fma_gflops);
        assert_string_equal(x->measurement.kernel, y->measurement.kernel);
        assert_string_equal(x->machine.cpu, y->machine.cpu);
        assert_true(x->machine.l2_bytes == y->machine.l2_bytes);
        assert_string_equal(x->date, y->date);
    }
}

static void test_round_trip(void **state)
{
    (void)state;
    ioa_network *network = sample_network(1);
    ioa_archive *a = sample_archive(network), *b;
    assert_ok(ioa_archive_write(a, scratch("a.h5"), error));
    assert_ok(ioa_archive_read(scratch("a.h5"), &b, error));
    assert_string_equal(a->topology_sha256, b->topology_sha256);
    assert_string_equal(a->weights_sha256, b->weights_sha256);
    assert_string_equal(a->network_name, b->network_name);
    assert_true(a->neurons == b->neurons && a->connections == b->connections && a->inputs == b->inputs);
    assert_int_equal(b->count, 2);
    for (unsigned i = 0; i < 2; i++) compare_schedules(&a->schedules[i], &b->schedules[i], a->connections);
    assert_int_equal(b->facts, 2);
    assert_string_equal(b->provenance[0].key, "command");
    assert_string_equal(b->provenance[0].value, "ioanneal optimize \"a b\"");
    assert_ok(ioa_archive_matches(b, network, "a.h5", error));
    assert_true(ioa_archive_probe(scratch("a.h5")));
    assert_false(ioa_network_probe(scratch("a.h5")));

    size_t one, two;
    assert_ok(ioa_archive_write(b, scratch("b.h5"), error));
    unsigned char *x = read_bytes(scratch("a.h5"), &one), *y = read_bytes(scratch("b.h5"), &two);
    assert_int_equal(one, two);
    assert_memory_equal(x, y, one);
    free(x);
    free(y);
    assert_int_equal(scratch_files(), 2);
    ioa_archive_destroy(a);
    ioa_archive_destroy(b);
    ioa_network_destroy(network);
}

static void test_other_topology(void **state)
{
    (void)state;
    ioa_network *network = sample_network(1), *other = sample_network(2), *none = NULL;
    ioa_archive *archive = sample_archive(network), *missing = NULL;
    assert_fails(ioa_archive_matches(archive, other, "x.h5", error), IOA_ERR_INPUT, "another topology");
    archive->connections--; /* shorter orders under the right hash */
    assert_fails(ioa_archive_matches(archive, network, "x.h5", error), IOA_ERR_INPUT, "do not agree with topology_sha256");
    archive->connections++;
    assert_ok(ioa_network_write(network, scratch("n.h5"), error));
    assert_fails(ioa_archive_read(scratch("n.h5"), &missing, error), IOA_ERR_INPUT, "an ioanneal-archive was expected");
    assert_fails(ioa_archive_read(scratch("nothing"), &missing, error), IOA_ERR_INPUT, "no such file");
    (void)none;
    ioa_archive_destroy(archive);
    ioa_network_destroy(network);
    ioa_network_destroy(other);
}

/* Retraining keeps schedules valid. */
static void test_other_weights(void **state)
{
    (void)state;
    ioa_network *network = sample_network(1), *retrained;
    ioa_archive *archive = sample_archive(network);
    network->a.weights[0] += 1;
    assert_ok(ioa_network_create_copy(&network->a, &retrained, error));
    assert_ok(ioa_archive_matches(archive, retrained, "x.h5", error));
    ioa_archive_destroy(archive);
    ioa_network_destroy(network);
    ioa_network_destroy(retrained);
}

static void set_number(const char *path, const char *group, const char *attribute, hid_t type, int64_t value)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), space = H5Screate(H5S_SCALAR);
    H5Adelete_by_name(file, group, attribute, H5P_DEFAULT);
    hid_t id = H5Acreate_by_name(file, group, attribute, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Awrite(id, H5T_NATIVE_INT64, &value) >= 0);
    H5Aclose(id);
    H5Sclose(space);
    H5Fclose(file);
}

static void test_changed(void **state)
{
    (void)state;
    static const struct {
        const char *group, *attribute;
        int64_t value;
        ioa_status status;
        const char *part;
    } changes[] = {
        {"schedules/0000", "total", 1, IOA_ERR_CHECK, "schedules/0000: total 1 is not"},
        {"schedules/0001", "excess", -1, IOA_ERR_CHECK, "schedules/0001: excess -1 is not"},
        {"schedules/0000", "memory", 2, IOA_ERR_INPUT, "memory 2"},
        {"schedules/0000", "memory", -2, IOA_ERR_INPUT, "memory is out of range"},
        {"schedules/0000", "policy", 2, IOA_ERR_INPUT, "policy is not a text"},
        {"schedules/0000", "verified", 256, IOA_ERR_INPUT, "verified is out of range"},
        {"network", "connections", 1, IOA_ERR_INPUT, "schedules/0000/order: has length"},
        {"network", "topology_sha256", 1, IOA_ERR_INPUT, "topology_sha256 is not a text"},
        {"schedules/0000/measured/0000", "batch", INT64_C(1) << 40, IOA_ERR_INPUT, "batch is out of range"},
        {"provenance", "number", 7, IOA_ERR_INPUT, "number is not a text"},
        {"/", "schema_version", 1, IOA_ERR_INPUT, "schema_version is not a text"},
    };
    ioa_network *network = sample_network(1);
    ioa_archive *archive = sample_archive(network), *none = NULL;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        assert_ok(ioa_archive_write(archive, scratch("a.h5"), error));
        set_number(scratch("a.h5"), changes[i].group, changes[i].attribute, H5T_STD_I64LE, changes[i].value);
        assert_fails(ioa_archive_read(scratch("a.h5"), &none, error), changes[i].status, changes[i].part);
        assert_null(none);
    }
    ioa_archive_destroy(archive);
    ioa_network_destroy(network);
}

static void test_refused_to_write(void **state)
{
    (void)state;
    scratch_clear();
    ioa_network *network = sample_network(1);
    ioa_archive *archive;
    ioa_schedule *schedule;
    ioa_column *column;
    assert_ok(ioa_archive_create(network, &archive, error));
    assert_fails(ioa_archive_write(archive, scratch("a.h5"), error), IOA_ERR_INPUT, "no schedule");
    assert_ok(ioa_archive_add_schedule(archive, &schedule, error));
    assert_fails(ioa_archive_write(archive, scratch("a.h5"), error), IOA_ERR_INPUT, "no order");
    assert_fails(ioa_schedule_add_column(schedule, "a/b", true, 1, 1, &column, error), IOA_ERR_INPUT, "impossible name");
    assert_fails(ioa_archive_add_fact(archive, "", "x", error), IOA_ERR_INPUT, "empty");
    assert_int_equal(scratch_files(), 0);
    ioa_archive_destroy(archive);
    ioa_archive_destroy(NULL);
    ioa_network_destroy(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_other_topology), cmocka_unit_test(test_other_weights),
        cmocka_unit_test(test_changed),    cmocka_unit_test(test_refused_to_write),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
