/* Schedules compiled to assembler text: assembled, loaded and held against the reference; memory instructions counted
 * in the text are the model's. NEON is assembled where an assembler for it is at hand, and run nowhere but on it. */
#include "core/base/mem.h"
#include "core/compile/compile_file.h"
#include "core/model/network.h"
#include "core/model/reference.h"
#include "tests/support/failing_memory.h"
#include "tests/support/random_network.h"

#include <dlfcn.h>
#include <ioanneal/memory.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/unit.h"

typedef void network_function(const float *x, float *y, size_t batch);
typedef void network_function_with(const float *x, float *y, size_t batch, void *scratch);

static char folder[] = "/tmp/ioa_compile_XXXXXX";

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static int shell(const char *format, const char *a, const char *b)
{
    char command[512];
    snprintf(command, sizeof command, format, a, b);
    return system(command);
}

/* Counts accesses to memory between the first segment and the C functions. */
static void count_accesses(const char *assembly, const char *name, uint64_t *reads, uint64_t *writes)
{
    char stop[64];
    snprintf(stop, sizeof stop, ".globl %s\n", name);
    const char *at = strstr(assembly, ".Lsegment0:"), *end = strstr(assembly, stop);
    assert_true(at && end && at < end);
    *reads = *writes = 0;
    while (at < end) {
        const char *line_end = strchr(at, '\n');
        size_t length = (size_t)(line_end - at);
        char line[256];
        assert_true(length < sizeof line);
        memcpy(line, at, length);
        line[length] = '\0';
        at = line_end + 1;
        char *bracket = strchr(line, '['), *comma = strchr(line, ',');
        if (!bracket || strstr(line, "lea ") || strstr(line, "prefetch") || strstr(line, "prfm")) continue;
        if (strstr(line, "str q") || (strstr(line, "vmovups") && bracket < comma)) ++*writes;
        else ++*reads;
    }
}

static void check_outputs(const ioa_network *network, network_function *run, network_function_with *run_with,
                          size_t scratch_bytes, size_t batch)
{
    ioa_pcg32 rng = ioa_rng_keyed(batch, IOA_RNG_TEST, 9, 0);
    uint64_t inputs = network->a.inputs, outputs = network->a.outputs;
    float *x = ioa_test_random_floats(&rng, batch * inputs), *y = ioa_alloc(batch * outputs + 1, sizeof *y);
    double *exact = ioa_alloc(batch * outputs, sizeof *exact), *bound = ioa_alloc(batch * outputs, sizeof *bound);
    void *scratch = ioa_alloc(scratch_bytes, 1);
    assert_true(x && y && exact && bound && scratch);
    for (uint64_t i = 0; i < batch * inputs; i += 3) x[i] *= 9.0f; /* tails of the activations */
    assert_int_equal(ioa_reference_run(network, x, batch, exact, bound, NULL), IOA_OK);
    for (int with = 0; with < 2; with++) {
        memset(y, 0x55, (batch * outputs + 1) * sizeof *y);
        memset(scratch, 0xff, scratch_bytes);
        float guard = y[batch * outputs];
        if (with) run_with(x, y, batch, scratch);
        else run(x, y, batch);
        assert_memory_equal(&guard, &y[batch * outputs], sizeof guard); /* nothing beyond the batch is written */
        for (uint64_t i = 0; i < batch * outputs; i++)
            if (!(fabs((double)y[i] - exact[i]) <= bound[i]))
                fail_msg("output %d of sample %d: %.9g instead of %.9g +- %.3g", (int)(i % outputs),
                         (int)(i / outputs), (double)y[i], exact[i], bound[i]);
    }
    ioa_free(x);
    ioa_free(y);
    ioa_free(exact);
    ioa_free(bound);
    ioa_free(scratch);
}

static void run_file(const ioa_network *network, const ioa_code_file *file)
{
    char source[128], library[128];
    static int serial; /* dlopen knows files by their names */
    snprintf(source, sizeof source, "%s/net%d.S", folder, serial);
    snprintf(library, sizeof library, "%s/net%d.so", folder, serial++);
    write_text(source, file->assembly);
    assert_int_equal(shell("cc -shared -Wl,-z,defs -o %s %s", library, source), 0);
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(handle);
    void *symbols[2] = {dlsym(handle, "net"), dlsym(handle, "net_with")};
    assert_true(symbols[0] && symbols[1]);
    network_function *run;
    network_function_with *run_with;
    memcpy(&run, &symbols[0], sizeof run);
    memcpy(&run_with, &symbols[1], sizeof run_with);
    static const size_t batches[] = {0, 1, 7, 8, 16, 17, 61};
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++)
        check_outputs(network, run, run_with, file->scratch_bytes, batches[i]);
    assert_int_equal(dlclose(handle), 0);
}

/* Any of the assemblers for AArch64; without one the text stays unread. */
static void assemble_neon(const ioa_code_file *file)
{
    char source[128], object[128];
    snprintf(source, sizeof source, "%s/neon.S", folder);
    snprintf(object, sizeof object, "%s/neon.o", folder);
    write_text(source, file->assembly);
    if (shell("command -v %s%s > /dev/null", "clang", "") == 0)
        assert_int_equal(shell("clang --target=aarch64-linux-gnu -c -o %s %s", object, source), 0);
    else if (shell("command -v %s%s > /dev/null", "aarch64-linux-gnu-gcc", "") == 0)
        assert_int_equal(shell("aarch64-linux-gnu-gcc -c -o %s %s", object, source), 0);
    else puts("skipped: no assembler for AArch64 (clang or aarch64-linux-gnu-gcc)");
}

static bool is_all_in_registers(const ioa_network *network)
{
    for (uint32_t v = 0; v < network->a.neurons; v++)
        if (network->a.activation[v] > IOA_ACT_RELU) return false;
    return true;
}

static void check_network(const ioa_network *network, const uint32_t *order, const ioa_code_options *options)
{
    for (int isa = 0; isa < IOA_CODE_ISA_COUNT; isa++) {
        ioa_code_file file;
        uint64_t reads, writes;
        ioa_io io;
        assert_int_equal(ioa_code_file_make(network, order, (ioa_code_isa)isa, options, "net", &file, NULL), IOA_OK);
        count_accesses(file.assembly, "net", &reads, &writes);
        assert_int_equal(reads, file.facts.reads + file.facts.extra_reads);
        assert_int_equal(writes, file.facts.writes + file.facts.extra_writes);
        assert_non_null(strstr(file.header, "void net(const float *x, float *y, size_t batch);"));
        if (order && !options && is_all_in_registers(network)) {
            assert_int_equal(ioa_memory_count(network, order, ioa_code_isa_memory((ioa_code_isa)isa), IOA_POLICY_MIN,
                                              &io, NULL), IOA_OK);
            assert_int_equal(reads, io.reads);
            assert_int_equal(writes, io.writes);
        }
        if (isa == IOA_CODE_NEON) assemble_neon(&file);
        if (ioa_code_isa_runs_here((ioa_code_isa)isa)) run_file(network, &file);
        ioa_code_file_clear(&file);
    }
}

static void check_all(const ioa_network *network, uint64_t seed)
{
    assert_non_null(network);
    static const ioa_code_options cut = {.segment = 60, .group = 3, .prune = true, .ahead = true};
    ioa_pcg32 rng = ioa_rng_keyed(seed, IOA_RNG_TEST, 10, 0);
    uint32_t *order = ioa_test_random_order(network, &rng);
    assert_non_null(order);
    check_network(network, order, NULL);
    check_network(network, NULL, &cut);
    ioa_free(order);
}

static void test_relu(void **state)
{
    (void)state;
    const uint32_t layers[] = {70, 60, 50, 33};
    ioa_network *network = ioa_test_random_mlp(3, layers, 4, 0.2, IOA_ACT_RELU);
    check_all(network, 3);
    ioa_network_destroy(network);
}

/* Most inputs are read by nobody: whole squares of them are left out, others lie among those that are read. */
static void test_unread_inputs(void **state)
{
    (void)state;
    static const ioa_code_options pruned = {.prune = true};
    const uint32_t layers[] = {300, 9, 20};
    ioa_network *network = ioa_test_random_mlp(6, layers, 3, 0.02, IOA_ACT_RELU);
    assert_non_null(network);
    bool read[300] = {false}, whole = false, mixed = false;
    for (uint64_t e = 0; e < ioa_network_connections(network); e++)
        if (network->a.indices[e] < 300) read[network->a.indices[e]] = true;
    for (uint32_t i = 0; i + 16 <= 300; i++) {
        uint32_t count = 0;
        for (uint32_t c = i; c < i + 16; c++) count += read[c];
        whole = whole || count == 0;
        mixed = mixed || (count > 0 && count < 16);
    }
    assert_true(whole && mixed);
    check_network(network, NULL, &pruned);
    ioa_network_destroy(network);
}

static void test_mixed(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 2; seed++) {
        ioa_test_dag_params params = ioa_test_dag_defaults();
        params.neurons = 150;
        params.reach = seed ? 30 : 0;
        ioa_network *network = ioa_test_random_dag(seed, params);
        check_all(network, seed);
        ioa_network_destroy(network);
    }
}

/* Every activation by itself. */
static void test_activations(void **state)
{
    (void)state;
    for (int activation = 0; activation < IOA_ACT_COUNT; activation++) {
        ioa_test_dag_params params = ioa_test_dag_defaults();
        params.activation = activation;
        params.constants = 0;
        ioa_network *network = ioa_test_random_dag((uint64_t)activation, params);
        check_network(network, NULL, NULL);
        ioa_network_destroy(network);
    }
}

static void test_names(void **state)
{
    (void)state;
    ioa_network *network = ioa_test_random_dag(1, ioa_test_dag_defaults());
    static const char *const bad[] = {"", "3d", "a-b", "a b", "x;y"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ioa_code_file file;
        assert_int_equal(ioa_code_file_make(network, NULL, IOA_CODE_AVX512, NULL, bad[i], &file, NULL), IOA_ERR_INPUT);
    }
    ioa_network_destroy(network);
}

static ioa_status make_code_file(void *network, ioa_error *error)
{
    ioa_code_file file;
    ioa_status status = ioa_code_file_make(network, NULL, IOA_CODE_AVX2, NULL, "net", &file, error);
    if (status == IOA_OK) ioa_code_file_clear(&file);
    return status;
}

static void test_allocation_failures(void **state)
{
    (void)state;
    ioa_network *network = ioa_test_random_dag(3, ioa_test_dag_defaults());
    ioa_test_fail_each_allocation(make_code_file, network, IOA_TEST_NOMEM);
    ioa_network_destroy(network);
}

int main(void)
{
    if (system("command -v cc > /dev/null") != 0) {
        puts("skipped: no compiler driver 'cc' to assemble with");
        return 77;
    }
    if (!mkdtemp(folder)) return 1;
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_relu), cmocka_unit_test(test_unread_inputs), cmocka_unit_test(test_mixed),
                                       cmocka_unit_test(test_activations), cmocka_unit_test(test_names),
                                       cmocka_unit_test(test_allocation_failures)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (shell("rm -rf %s%s", folder, "") != 0) return 1;
    return failed;
}
