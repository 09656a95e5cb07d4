/* The files of every released version of the formats (tests/io/golden, made once by make.sh there) are read for ever, and
 * every number in them is what an independent reader found when they were made (expected.txt, by dump.py). */
#include "tests/io/fixture.h"

#include "core/base/mem.h"
#include "core/model/network.h"
#include "io/archive/bundle.h"
#include "io/archive/network_file.h"
#include "io/archive/tensor_file.h"

#include <dirent.h>
#include <inttypes.h>
#include <ioanneal/plan.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *expected;   /* text of expected.txt */
static char file[1024];  /* whose lines are looked up now: "# net.h5" .. "#" */
static unsigned checked; /* lines */

static const char *golden(const char *version, const char *name)
{
    static char paths[4][1024];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s/%s", IOA_GOLDEN, version, name);
    return path;
}

/* What stands behind "name = " or "name [shape] = " in the lines of `file`. */
static const char *line_of(const char *name)
{
    size_t length = strlen(name);
    const char *at = strstr(expected, file);
    assert_non_null(at);
    while ((at = strchr(at, '\n')) != NULL && *++at && *at != '#') {
        if (strncmp(at, name, length) != 0 || at[length] != ' ') continue;
        checked++;
        return strstr(at, "= ") + 2;
    }
    fail_msg("%s has no line %s", file, name);
    return NULL;
}

static void expect_text(const char *name, const char *value)
{
    const char *line = line_of(name);
    size_t length = strcspn(line, "\n");
    if (strlen(value) != length || strncmp(line, value, length) != 0) fail_msg("%s: \"%s\" is not \"%.*s\"", name, value, (int)length, line);
}

typedef enum type { U8, U32, I64, U64, F32, F64 } type;

/* Compares bit for bit: the hexadecimal text holds all of them. */
static void expect_numbers(const char *name, type kind, uint64_t count, const void *values)
{
    const char *at = line_of(name);
    for (uint64_t i = 0; i < count; i++) {
        char *end;
        bool same = false;
        switch (kind) {
        case U8: same = ((const uint8_t *)values)[i] == strtoul(at, &end, 10); break;
        case U32: same = ((const uint32_t *)values)[i] == strtoul(at, &end, 10); break;
        case I64: same = ((const int64_t *)values)[i] == strtoll(at, &end, 10); break;
        case U64: same = ((const uint64_t *)values)[i] == strtoull(at, &end, 10); break;
        case F32: same = ((const float *)values)[i] == strtof(at, &end); break;
        case F64: same = ((const double *)values)[i] == strtod(at, &end); break;
        }
        if (!same || end == at) fail_msg("%s: element %" PRIu64 " differs", name, i);
        at = end + (*end == ' ');
    }
    assert_int_equal(*at, '\n'); /* no more of them */
}

static void expect_number(const char *group, const char *name, type kind, const void *value, uint64_t count)
{
    char path[400];
    snprintf(path, sizeof path, "%s@%s", group, name);
    expect_numbers(path, kind, count, value);
}

static void expect_group_text(const char *group, const char *name, const char *value)
{
    char path[400];
    snprintf(path, sizeof path, "%s@%s", group, name);
    expect_text(path, value);
}

static void check_network(const ioa_network *n)
{
    const ioa_network_arrays *a = ioa_network_view(n);
    char hash[IOA_NETWORK_HASH_TEXT];
    snprintf(file, sizeof file, "# net.h5\n");
    expect_text("@name", a->name);
    assert_ok(ioa_network_topology_hash(n, hash, error));
    expect_text("@topology_sha256", hash);
    assert_ok(ioa_network_weights_hash(n, hash, error));
    expect_text("@weights_sha256", hash);
    expect_numbers("connections/data", F32, n->connections, a->weights);
    expect_numbers("connections/indices", U32, n->connections, a->indices);
    expect_numbers("connections/indptr", I64, a->neurons + 1, a->indptr);
    expect_numbers("layers/offsets", I64, a->layers + 1, a->layer_offsets);
    expect_numbers("neurons/activation", U8, a->neurons, a->activation);
    expect_numbers("neurons/activation_param", F32, a->neurons, a->param);
    expect_numbers("neurons/bias", F32, a->neurons, a->bias);
    expect_numbers("neurons/inputs", U32, a->inputs, a->input_ids);
    expect_numbers("neurons/outputs", U32, a->outputs, a->output_ids);
}

static void check_measured(const char *group, const ioa_measured *m)
{
    const ioa_measurement *x = &m->measurement;
    char name[240];
    const struct {
        const char *name;
        type kind;
        const void *value;
        uint64_t count;
    } numbers[] = {
        {"batch", U32, &x->batch, 1}, {"threads", U32, &x->threads, 1}, {"tile", U32, &x->tile, 1},
        {"cores", U32, &m->machine.cores, 1}, {"max_abs_error", F64, &x->exactness.max_abs_error, 1},
        {"max_rel_error", F64, &x->exactness.max_rel_error, 1}, {"error_bound", F64, &x->exactness.error_bound, 1}, {"gflops", F64, &x->gflops, 1},
        {"speedup_order", F64, &x->speedup_order, 3}, {"speedup_kernel", F64, &x->speedup_kernel, 3},
        {"speedup_csr", F64, &x->speedup_csr, 3}, {"speedup_mkl", F64, &x->speedup_mkl, 3},
        {"l1d_bytes", U64, &m->machine.l1d_bytes, 1}, {"l2_bytes", U64, &m->machine.l2_bytes, 1},
        {"l3_bytes", U64, &m->machine.l3_bytes, 1}, {"memory_bytes", U64, &m->machine.memory_bytes, 1},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        expect_number(group, numbers[i].name, numbers[i].kind, numbers[i].value, numbers[i].count);
    expect_group_text(group, "kernel", x->kernel);
    expect_group_text(group, "cpu", m->machine.cpu);
    expect_group_text(group, "isa", m->isa);
    expect_group_text(group, "compiler", m->compiler);
    expect_group_text(group, "flags", m->flags);
    expect_group_text(group, "date", m->date);
    const struct {
        const char *name;
        const double *seconds;
    } times[] = {{"seconds_schedule", x->schedule}, {"seconds_layered", x->layered}, {"seconds_csr", x->csr}};
    for (size_t i = 0; i < 3; i++) {
        assert_non_null(times[i].seconds);
        snprintf(name, sizeof name, "%s/%s", group, times[i].name);
        expect_numbers(name, F64, x->repeats, times[i].seconds);
    }
    assert_null(x->mkl);
}

static void check_schedule(const char *group, const ioa_schedule *s, const ioa_network *network)
{
    uint64_t total = s->io.reads + s->io.writes;
    int64_t excess = (int64_t)(total - s->lower_bound);
    char name[200];
    const struct {
        const char *name;
        type kind;
        const void *value;
    } numbers[] = {
        {"memory", U64, &s->memory}, {"reads", U64, &s->io.reads}, {"writes", U64, &s->io.writes}, {"total", U64, &total},
        {"lower_bound", U64, &s->lower_bound}, {"upper_bound", U64, &s->upper_bound}, {"excess", I64, &excess},
        {"certified_bound", U64, &s->certified_bound}, {"baseline_total", U64, &s->baseline_total}, {"seed", U64, &s->seed},
        {"rounds", U64, &s->rounds}, {"planned_rounds", U64, &s->planned_rounds}, {"replicas", U64, &s->replicas},
        {"verified", U8, &s->verified},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        expect_number(group, numbers[i].name, numbers[i].kind, numbers[i].value, 1);
    expect_group_text(group, "policy", ioa_policy_name(s->policy));
    expect_group_text(group, "method", s->method);
    snprintf(name, sizeof name, "%s/order", group);
    expect_numbers(name, U32, ioa_network_connections(network), s->order);
    for (uint32_t c = 0; c < s->columns; c++) {
        const ioa_column *column = &s->trace[c];
        snprintf(name, sizeof name, "%s/trace/%s", group, column->name);
        expect_numbers(name, column->whole ? U64 : F64, column->rows * column->width,
                       column->whole ? (const void *)column->whole : column->real);
    }
    for (uint32_t i = 0; i < s->measurements; i++) {
        snprintf(name, sizeof name, "%s/measured/%04u", group, (unsigned)i);
        check_measured(name, &s->measured[i]);
    }
    ioa_io counted; /* and it is still true */
    assert_ok(ioa_order_check(network, s->order, error));
    assert_ok(ioa_memory_count(network, s->order, s->memory, s->policy, &counted, error));
    assert_true(counted.reads == s->io.reads && counted.writes == s->io.writes);
}

static void check_archive(const ioa_archive *a, const ioa_network *network)
{
    snprintf(file, sizeof file, "# archive.h5\n");
    assert_ok(ioa_archive_matches(a, network, "golden", error));
    expect_text("network@name", a->network_name);
    expect_text("network@topology_sha256", a->topology_sha256);
    expect_text("network@weights_sha256", a->weights_sha256);
    expect_number("network", "neurons", U64, &a->neurons, 1);
    expect_number("network", "connections", U64, &a->connections, 1);
    expect_number("network", "inputs", U64, &a->inputs, 1);
    expect_number("network", "outputs", U64, &a->outputs, 1);
    for (uint32_t i = 0; i < a->facts; i++) expect_group_text("provenance", a->provenance[i].key, a->provenance[i].value);
    for (uint32_t i = 0; i < a->count; i++) {
        char group[40];
        snprintf(group, sizeof group, "schedules/%04u", (unsigned)i);
        check_schedule(group, &a->schedules[i], network);
    }
}

/* Lines of a file of expected.txt, but those of the schema, which are judged when the file is opened. */
static unsigned lines_in(const char *name)
{
    unsigned lines = 0;
    snprintf(file, sizeof file, "# %s\n", name);
    for (const char *at = strstr(expected, file); (at = strchr(at, '\n')) != NULL && *++at && *at != '#';)
        lines += strncmp(at, "@schema_", 8) != 0 && strncmp(at, "connections@", 12) != 0;
    return lines;
}

static void check_inference(const char *version, const ioa_network *network, const ioa_archive *archive)
{
    float *x, *stored, y[64];
    uint64_t rows, columns;
    ioa_plan *plan;
    assert_ok(ioa_tensor_read(golden(version, "x.h5"), "/x", network->a.inputs, &x, &rows, &columns, error));
    snprintf(file, sizeof file, "# x.h5\n");
    expect_numbers("x", F32, rows * columns, x);
    assert_ok(ioa_tensor_read(golden(version, "y.h5"), "/y", network->a.outputs, &stored, &rows, &columns, error));
    snprintf(file, sizeof file, "# y.h5\n");
    expect_numbers("y", F32, rows * columns, stored);
    assert_true(rows * columns <= 64);
    for (uint32_t i = 0; i < archive->count; i++) {
        assert_ok(ioa_plan_create(network, archive->schedules[i].order, NULL, &plan, error));
        void *scratch_memory = ioa_alloc(1, ioa_plan_scratch_bytes(plan));
        assert_non_null(scratch_memory);
        ioa_plan_run(plan, x, y, rows, scratch_memory);
        for (uint64_t k = 0; k < rows * columns; k++) assert_true(fabsf(y[k] - stored[k]) < 1e-6f); /* sums may be rounded otherwise */
        ioa_free(scratch_memory);
        ioa_plan_destroy(plan);
    }
    ioa_free(x);
    ioa_free(stored);
}

static void check_version(const char *version)
{
    size_t size;
    ioa_network *network, *bundled;
    ioa_archive *archive, *packed;
    expected = (char *)read_bytes(golden(version, "expected.txt"), &size);
    expected[size] = '\0';
    unsigned wanted = lines_in("net.h5") + lines_in("archive.h5");
    assert_ok(ioa_network_read(golden(version, "net.h5"), &network, error));
    assert_ok(ioa_archive_read(golden(version, "archive.h5"), &archive, error));
    checked = 0;
    check_network(network);
    check_archive(archive, network);
    assert_int_equal(checked, wanted); /* nothing was forgotten */
    assert_true(wanted > 100);
    assert_true(ioa_bundle_probe(golden(version, "bundle.h5")));
    assert_ok(ioa_network_read(golden(version, "bundle.h5"), &bundled, error));
    assert_ok(ioa_archive_read(golden(version, "bundle.h5"), &packed, error));
    checked = 0;
    check_network(bundled);
    check_archive(packed, bundled);
    assert_int_equal(checked, wanted);
    check_inference(version, bundled, packed);
    ioa_archive_destroy(packed);
    ioa_archive_destroy(archive);
    ioa_network_destroy(bundled);
    ioa_network_destroy(network);
    free(expected);
}

static void test_every_version(void **state)
{
    (void)state;
    DIR *folder = opendir(IOA_GOLDEN);
    unsigned versions = 0;
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] < '0' || entry->d_name[0] > '9') continue;
        check_version(entry->d_name);
        versions++;
    }
    closedir(folder);
    assert_true(versions >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_version)};
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
