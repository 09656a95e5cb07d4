/* Memory runs out at every allocation of every path that reads or writes a file: an error, nothing leaked (the asan build
 * watches), no file lost or left behind. cJSON and zlib draw from the same allocator here; HDF5 and libcrypto keep theirs. */
#include "tests/io/fixture.h"
#include "tests/support/failing_memory.h"
#include "tests/support/import_samples.h"

#include "core/base/mem.h"
#include "io/archive/bundle.h"
#include "io/archive/network_file.h"
#include "io/archive/tensor_file.h"
#include "io/checkpoint/checkpoint.h"
#include "io/import/import.h"

#include <cjson/cJSON.h>
#include <ioanneal/archive.h>
#include <stdio.h>
#include <string.h>

static ioa_network *network;
static ioa_archive *archive;

/* ---- reading ---- */

static ioa_status read_network(void *name, ioa_error *error)
{
    ioa_network *n = NULL;
    ioa_status status = ioa_network_read(scratch(name), &n, error);
    assert_true((status == IOA_OK) == (n != NULL));
    ioa_network_destroy(n);
    return status;
}

static ioa_status read_archive(void *name, ioa_error *error)
{
    ioa_archive *a = NULL;
    ioa_status status = ioa_archive_read(scratch(name), &a, error);
    assert_true((status == IOA_OK) == (a != NULL));
    ioa_archive_destroy(a);
    return status;
}

static ioa_status open_archive(void *name, ioa_error *error)
{
    ioa_archive *a = NULL;
    ioa_status status = ioa_archive_open(scratch(name), network, &a, error);
    assert_true((status == IOA_OK) == (a != NULL));
    ioa_archive_close(a);
    return status;
}

static ioa_status read_tensor(void *name, ioa_error *error)
{
    float *x = NULL;
    uint64_t rows, columns;
    ioa_status status = ioa_tensor_read(scratch(name), "/x", 0, &x, &rows, &columns, error);
    assert_true((status == IOA_OK) == (x != NULL));
    ioa_free(x);
    return status;
}

static const ioa_fact_pair facts[] = {{"seed", "7"}};

static ioa_status read_checkpoint(void *name, ioa_error *error)
{
    ioa_checkpoint_file *file = NULL;
    ioa_archive *finished = NULL;
    uint64_t round;
    void *bytes = NULL;
    ioa_status status = ioa_checkpoint_open(scratch(name), false, facts, 1, &file, error);
    if (status == IOA_OK) status = ioa_checkpoint_get(file, &(ioa_value){"round", IOA_VALUE_U64, 1, &round}, error);
    for (uint32_t k = 0; status == IOA_OK && k < ioa_checkpoint_replicas(file); k++) {
        uint64_t count;
        status = ioa_checkpoint_get_replica(file, k, &bytes, &count, error);
        if (status == IOA_OK) ioa_free(bytes);
    }
    if (status == IOA_OK) status = ioa_archive_create(network, &finished, error);
    if (status == IOA_OK) status = ioa_checkpoint_get_finished(file, finished, error);
    if (status == IOA_OK) assert_int_equal(finished->count, 2);
    ioa_archive_destroy(finished);
    ioa_checkpoint_close(file);
    return status;
}

/* ---- writing ---- */

static ioa_status write_network(void *name, ioa_error *error)
{
    return ioa_network_write(network, scratch(name), error);
}

static ioa_status write_archive(void *name, ioa_error *error)
{
    return ioa_archive_write(archive, scratch(name), error);
}

static ioa_status write_bundle(void *name, ioa_error *error)
{
    return ioa_bundle_write(network, archive, scratch(name), error);
}

static ioa_status write_tensor(void *name, ioa_error *error)
{
    static const float values[6] = {1, 2, 3, 4, 5, 6};
    return ioa_tensor_write(scratch(name), "/x", values, 2, 3, error);
}

static ioa_status give_replica(void *context, uint32_t replica, const void **bytes, uint64_t *count, ioa_error *error)
{
    (void)context, (void)error;
    *bytes = "replica";
    *count = 3 + replica;
    return IOA_OK;
}

static ioa_status write_checkpoint(void *name, ioa_error *error)
{
    uint64_t round = 7;
    const ioa_value value = {"round", IOA_VALUE_U64, 1, &round};
    const ioa_checkpoint c = {.facts = facts, .fact_count = 1, .values = &value, .value_count = 1, .finished = archive,
                              .owner = {.host = "n1", .began = 5}, .replicas = 2, .replica = give_replica};
    return ioa_checkpoint_write(&c, scratch(name), error);
}

/* Building an archive, as the search does. */
static ioa_status build_archive(void *unused, ioa_error *error)
{
    (void)unused;
    ioa_archive *a = NULL;
    ioa_schedule *s;
    ioa_column *column;
    ioa_measured *measured;
    ioa_status status = ioa_archive_create(network, &a, error);
    for (unsigned i = 0; i < 3 && status == IOA_OK; i++) {
        status = ioa_archive_add_schedule(a, &s, error);
        if (status == IOA_OK) status = ioa_schedule_add_column(s, "best", i & 1, 5, 2, &column, error);
        if (status == IOA_OK) status = ioa_schedule_add_measured(s, &measured, error);
        if (status == IOA_OK) status = ioa_archive_add_fact(a, "key", "value", error);
    }
    ioa_archive_destroy(a);
    return status;
}

static void test_files(void **state)
{
    (void)state;
    static const struct {
        ioa_test_work write; /* or NULL: the file is there already */
        ioa_test_work read[3];
        const char *name;
        unsigned outcomes;
    } files[] = {
        {write_network, {read_network}, "n.h5", IOA_TEST_NOMEM},
        {write_archive, {read_archive, open_archive}, "a.h5", IOA_TEST_NOMEM},
        {write_bundle, {read_network, read_archive, open_archive}, "b.h5", IOA_TEST_NOMEM},
        {write_tensor, {read_tensor}, "x.h5", IOA_TEST_NOMEM},
        /* Whoever cannot tell whose checkpoint is there replaces it. */
        {write_checkpoint, {read_checkpoint}, "c.ckpt", IOA_TEST_OR_OK},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        void *name = (void *)files[i].name;
        ioa_error error;
        ioa_test_fail_each_allocation(files[i].write, name, files[i].outcomes | IOA_TEST_OR_SYSTEM);
        assert_int_equal(files[i].write(name, &error), IOA_OK);
        unsigned there = scratch_files();
        for (unsigned k = 0; k < 3 && files[i].read[k]; k++) ioa_test_fail_each_allocation(files[i].read[k], name, IOA_TEST_NOMEM);
        ioa_test_fail_each_allocation(files[i].write, name, files[i].outcomes | IOA_TEST_OR_SYSTEM);
        assert_int_equal(scratch_files(), there); /* no temporary files */
        assert_int_equal(files[i].read[0](name, &error), IOA_OK);
    }
    ioa_test_fail_each_allocation(build_archive, NULL, IOA_TEST_NOMEM);
}

/* ---- importing ---- */

typedef struct importing {
    const char *file;
    ioa_import_options options;
} importing;

static ioa_status import(void *context, ioa_error *error)
{
    const importing *i = context;
    ioa_network *n = NULL;
    ioa_import_report report = {0};
    ioa_status status = ioa_import(&i->file, 1, &i->options, &n, &report, error);
    assert_true((status == IOA_OK) == (n != NULL));
    ioa_network_destroy(n);
    ioa_import_report_clear(&report);
    return status;
}

static void test_every_format(void **state)
{
    (void)state;
    const import_sample *sample;
    for (unsigned i = 0; (sample = import_sample_at(i)) != NULL; i++) {
        importing plain = {scratch(sample->name), {.prune = 1, .orientation_given = sample->turned && !sample->whole}};
        assert_true(import_sample_write(i, plain.file));
        bool json = strstr(sample->name, "safetensors") || strstr(sample->name, ".h5") || strstr(sample->name, ".keras");
        assert_true(ioa_test_fail_each_allocation(import, &plain, json ? IOA_TEST_OR_INPUT : IOA_TEST_NOMEM) > 10);
    }
}

static void test_options(void **state)
{
    (void)state;
    write_text(scratch("w.mtx"), "%%MatrixMarket matrix coordinate real general\n2 3 3\n1 1 1\n2 1 2\n2 3 -3\n");
    write_text(scratch("b.mtx"), "%%MatrixMarket matrix array real general\n2 1\n1\n2\n");
    static const unsigned char vector[] = "\x93NUMPY\1\0\x76\0{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
    unsigned char npy[136] = {0};
    memset(npy, ' ', 128);
    memcpy(npy, vector, sizeof vector - 1);
    write_bytes(scratch("b.npy"), npy, sizeof npy);
    write_text(scratch("m.json"), "{\"config\": [{\"class_name\": \"Dense\", \"config\": {\"name\": \"dense1\", \"activation\": \"relu\"}},"
                                  "{\"class_name\": \"Dense\", \"config\": {\"name\": \"dense2\", \"activation\": \"linear\"}}]}");
    const char *bias[] = {scratch("b.mtx"), scratch("b.npy")};
    for (unsigned i = 0; i < 2; i++) {
        importing pruned = {scratch("w.mtx"), {.prune = 0.3, .activation = "clipped_relu:6", .bias = &bias[i], .bias_count = 1}};
        ioa_test_fail_each_allocation(import, &pruned, IOA_TEST_NOMEM);
    }
    const import_sample *sample;
    for (unsigned i = 0; (sample = import_sample_at(i)) != NULL; i++) {
        importing with_model = {scratch(sample->name), {.prune = 0.5, .model = scratch("m.json")}};
        if (strcmp(sample->name, "model.h5") != 0) continue;
        assert_true(import_sample_write(i, with_model.file));
        ioa_test_fail_each_allocation(import, &with_model, IOA_TEST_OR_INPUT);
    }
}

static void *json_alloc(size_t size)
{
    return ioa_alloc(1, size);
}

static int setup(void **state)
{
    if (fixture_setup(state) != 0) return -1;
    cJSON_Hooks hooks = {json_alloc, ioa_free};
    cJSON_InitHooks(&hooks);
    network = sample_network(1);
    archive = sample_archive(network);
    return 0;
}

static int teardown(void **state)
{
    ioa_archive_destroy(archive);
    ioa_network_destroy(network);
    cJSON_InitHooks(NULL);
    return fixture_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files), cmocka_unit_test(test_every_format), cmocka_unit_test(test_options),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
