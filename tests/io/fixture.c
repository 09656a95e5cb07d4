#include "tests/io/fixture.h"

#include "core/base/mem.h"
#include "core/model/network.h"
#include "io/h5/h5.h"
#include "tests/support/random_network.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[512];

static char *next_buffer(void)
{
    static char buffers[8][1024];
    static unsigned next;
    return buffers[next++ % 8];
}

int fixture_setup(void **state)
{
    (void)state;
    ioa_h5_program_start();
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/ioanneal-test-XXXXXX", base && *base ? base : "/tmp");
    return mkdtemp(folder) ? 0 : -1;
}

static unsigned visit(bool remove)
{
    DIR *dir = opendir(folder);
    unsigned count = 0;
    if (!dir) return 0;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        count++;
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (remove && unlink(path) != 0) rmdir(path);
    }
    closedir(dir);
    return count;
}

unsigned scratch_files(void)
{
    return visit(false);
}

void scratch_clear(void)
{
    visit(true);
}

int fixture_teardown(void **state)
{
    (void)state;
    scratch_clear();
    /* Every handle of HDF5 must have been given back, on the paths of failure too. */
    if (H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL) != 0) return -1;
    return rmdir(folder);
}

const char *scratch(const char *name)
{
    char *path = next_buffer();
    snprintf(path, 1024, "%s/%s", folder, name);
    return path;
}

unsigned char *read_bytes(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    unsigned char *bytes = malloc(*size + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *size, file), *size);
    fclose(file);
    return bytes;
}

void write_bytes(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

void write_text(const char *path, const char *text)
{
    write_bytes(path, text, strlen(text));
}

const char *shared(const char *name)
{
    const char *base = getenv("IOA_SHARED");
    char *path = next_buffer();
    snprintf(path, 1024, "%s/%s", base && *base ? base : IOA_SHARED_DEFAULT, name);
    if (access(path, R_OK) != 0) {
        print_message("skipped: %s is not there (set IOA_SHARED)\n", path);
        skip();
    }
    return path;
}

outerspace_files shared_outerspace(void)
{
    return (outerspace_files){
        {shared("data/outerspace_mlp/fc1_weight.mtx"), shared("data/outerspace_mlp/fc2_weight.mtx"),
         shared("data/outerspace_mlp/fc3_weight.mtx")},
        {shared("data/outerspace_mlp/fc1_bias.mtx"), shared("data/outerspace_mlp/fc2_bias.mtx"),
         shared("data/outerspace_mlp/fc3_bias.mtx")}};
}

bool same_network(const ioa_network *one, const ioa_network *two)
{
    const ioa_network_arrays *a = &one->a, *b = &two->a;
    if (a->neurons != b->neurons || one->connections != two->connections || a->inputs != b->inputs ||
        a->outputs != b->outputs || a->layers != b->layers || !a->param != !b->param || !a->name != !b->name)
        return false;
    size_t n = a->neurons, w = one->connections;
    return memcmp(a->indptr, b->indptr, (n + 1) * sizeof *a->indptr) == 0 &&
           memcmp(a->indices, b->indices, w * sizeof *a->indices) == 0 &&
           memcmp(a->weights, b->weights, w * sizeof *a->weights) == 0 &&
           memcmp(a->bias, b->bias, n * sizeof *a->bias) == 0 && memcmp(a->activation, b->activation, n) == 0 &&
           (!a->param || memcmp(a->param, b->param, n * sizeof *a->param) == 0) &&
           memcmp(a->input_ids, b->input_ids, a->inputs * sizeof *a->input_ids) == 0 &&
           memcmp(a->output_ids, b->output_ids, a->outputs * sizeof *a->output_ids) == 0 &&
           (!a->layers || memcmp(a->layer_offsets, b->layer_offsets, (a->layers + 1) * sizeof *a->layer_offsets) == 0) &&
           (!a->name || strcmp(a->name, b->name) == 0);
}

ioa_network *sample_network(uint64_t seed)
{
    ioa_network *network = ioa_test_random_dag(seed, ioa_test_dag_defaults());
    assert_non_null(network);
    return network;
}

static void fill_measured(ioa_schedule *schedule)
{
    ioa_measured *m;
    assert_ok(ioa_schedule_add_measured(schedule, &m, error));
    m->measurement.batch = 128;
    m->measurement.threads = 2;
    m->measurement.repeats = 5;
    m->measurement.tile = 64;
    strcpy(m->measurement.kernel, "portable/order/tile64");
    m->measurement.schedule = ioa_alloc_zero(5, sizeof(double));
    m->measurement.layered = ioa_alloc_zero(5, sizeof(double));
    m->measurement.csr = ioa_alloc_zero(5, sizeof(double));
    for (unsigned i = 0; i < 5; i++) m->measurement.schedule[i] = 0.5 + i;
    m->measurement.exactness.max_abs_error = 1e-6;
    m->measurement.candidates = ioa_alloc_zero(2, sizeof *m->measurement.candidates);
    m->measurement.candidate_count = 2;
    strcpy(m->measurement.candidates[0].name, "portable/order/tile64");
    strcpy(m->measurement.candidates[1].name, "portable/csr/tile16");
    m->measurement.candidates[0].seconds = 0.25;
    m->measurement.candidates[1].seconds = 0.375;
    strcpy(m->limits.binding, "fma");
    m->limits.share = 0.5;
    m->limits.limits.fma_gflops = 100;
    m->measurement.speedup_csr = (ioa_quartiles){1.25, 1.5, 1.75};
    strcpy(m->machine.cpu, "invented processor");
    m->machine.l2_bytes = 1 << 20;
    strcpy(m->isa, "portable");
    strcpy(m->date, "2001-02-03T04:05:06Z");
}

ioa_archive *sample_archive(const ioa_network *network)
{
    ioa_archive *archive;
    assert_ok(ioa_archive_create(network, &archive, error));
    for (unsigned i = 0; i < 2; i++) {
        ioa_schedule *s;
        ioa_column *column;
        assert_ok(ioa_archive_add_schedule(archive, &s, error));
        s->memory = 8 + i;
        s->policy = i ? IOA_POLICY_LRU : IOA_POLICY_MIN;
        s->lower_bound = ioa_network_bounds(network).lower;
        s->upper_bound = ioa_network_bounds(network).upper;
        s->io = (ioa_io){s->lower_bound, 17 + i};
        s->baseline_total = s->upper_bound;
        strcpy(s->method, "tempering");
        s->seed = UINT64_MAX - i;
        s->rounds = 3;
        s->planned_rounds = 5;
        s->trial_rounds = 2;
        s->replicas = 4;
        s->verified = 1;
        s->order = ioa_alloc(archive->connections, sizeof *s->order);
        for (uint64_t t = 0; t < archive->connections; t++) s->order[t] = (uint32_t)t;
        assert_ok(ioa_schedule_add_column(s, "best", true, 3, 1, &column, error));
        for (unsigned k = 0; k < 3; k++) column->whole[k] = UINT64_MAX - k;
        assert_ok(ioa_schedule_add_column(s, "energies", false, 3, 4, &column, error));
        for (unsigned k = 0; k < 12; k++) column->real[k] = 0.1 * k;
        if (i == 0) fill_measured(s);
    }
    assert_ok(ioa_archive_add_fact(archive, "command", "ioanneal optimize \"a b\"", error));
    assert_ok(ioa_archive_add_fact(archive, "date", "2001-02-03T04:05:06Z", error));
    return archive;
}
