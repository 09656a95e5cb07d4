/* Real networks, where they are at hand: every instance loads, and imports reproduce the instances made from them. */
#include "tests/io/fixture.h"

#include "core/model/network.h"
#include "io/archive/network_file.h"
#include "io/import/import.h"

#include <stdio.h>
#include <string.h>

static void test_instances(void **state)
{
    (void)state;
    static const char *const names[] = {"bert-ffn-d01", "bert-ffn-d10", "dlmc-m90-enc0", "dlmc-m98-enc0",
                                        "mlp-500x4-d01", "mlp-500x4-d10", "outerspace", "radixnet-1024x30",
                                        "wann-biped", "wann-racer", "wann-swing"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char name[64], one[65], two[65];
        ioa_network *network, *copy;
        snprintf(name, sizeof name, "instances/%s.h5", names[i]);
        assert_ok(ioa_network_read(shared(name), &network, error));
        assert_ok(ioa_network_write(network, scratch("copy.h5"), error));
        assert_ok(ioa_network_read(scratch("copy.h5"), &copy, error));
        assert_true(same_network(network, copy));
        assert_ok(ioa_network_topology_hash(network, one, error));
        assert_ok(ioa_network_topology_hash(copy, two, error));
        assert_string_equal(one, two);
        assert_ok(ioa_network_weights_hash(network, one, error));
        assert_ok(ioa_network_weights_hash(copy, two, error));
        assert_string_equal(one, two);
        ioa_network_destroy(network);
        ioa_network_destroy(copy);
    }
}

/* Imports `files` and compares hashes with an instance; weights only if they are in the files. */
static void compare(const char *const *files, uint32_t count, const ioa_import_options *options, const char *instance,
                    bool weights)
{
    char one[65], two[65];
    ioa_network *imported, *stored;
    assert_ok(ioa_import(files, count, options, &imported, NULL, error));
    assert_ok(ioa_network_read(shared(instance), &stored, error));
    assert_ok(ioa_network_topology_hash(imported, one, error));
    assert_ok(ioa_network_topology_hash(stored, two, error));
    assert_string_equal(one, two);
    assert_ok(ioa_network_weights_hash(imported, one, error));
    assert_ok(ioa_network_weights_hash(stored, two, error));
    if (weights) assert_string_equal(one, two);
    ioa_network_destroy(imported);
    ioa_network_destroy(stored);
}

static void test_outerspace(void **state)
{
    (void)state;
    const outerspace_files o = shared_outerspace();
    ioa_import_options options = {.prune = 1, .bias = o.bias, .bias_count = 3};
    compare(o.weights, 3, &options, "instances/outerspace.h5", true);
}

static void test_radixnet(void **state)
{
    (void)state;
    static char paths[30][1024];
    const char *files[30];
    for (unsigned i = 0; i < 30; i++) {
        char name[64];
        snprintf(name, sizeof name, "data/graphchallenge_1024x30/n1024-l%u.mtx", i + 1);
        snprintf(paths[i], sizeof paths[i], "%s", shared(name));
        files[i] = paths[i];
    }
    ioa_import_options options = {.prune = 1, .orientation = IOA_IN_OUT, .orientation_given = true,
                                  .bias_value = -0.3f, .activation = "clipped_relu:32"};
    compare(files, 30, &options, "instances/radixnet-1024x30.h5", true);
}

static void test_dlmc(void **state)
{
    (void)state;
    const char *files[] = {shared("data/dlmc/magnitude_pruning_0.9/body_encoder_layer_0_ffn_conv1_fully_connected.smtx"),
                           shared("data/dlmc/magnitude_pruning_0.9/body_encoder_layer_0_ffn_conv2_fully_connected.smtx")};
    ioa_import_options options = {.prune = 1};
    compare(files, 2, &options, "instances/dlmc-m90-enc0.h5", false);

    const char *zero[] = {shared("data/dlmc/variational_dropout_0.98/body_encoder_layer_0_ffn_conv1.smtx"),
                          shared("data/dlmc/variational_dropout_0.98/body_encoder_layer_0_ffn_conv2.smtx")};
    ioa_network *network;
    assert_ok(ioa_import(zero, 2, &options, &network, NULL, error));
    assert_int_equal(ioa_network_connections(network), 0);
    ioa_network_destroy(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_instances),
        cmocka_unit_test(test_outerspace),
        cmocka_unit_test(test_radixnet),
        cmocka_unit_test(test_dlmc),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
