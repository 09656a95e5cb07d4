/* What the importers of whole models refuse, and with which words. */
#include "tests/io/fixture.h"
#include "tests/support/import_samples.h"

#include "core/model/network.h"
#include "io/archive/network_file.h"
#include "io/import/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ioa_status run(const char *path, const ioa_import_options *options, ioa_error *error)
{
    const char *files[] = {path};
    ioa_network *n = NULL;
    ioa_status status = ioa_import(files, 1, options, &n, NULL, error);
    ioa_network_destroy(n);
    return status;
}

static const ioa_import_options plain = {.prune = 1};

/* Path of a sample, freshly written, with the first `from` in it replaced by `to` of the same length. */
static const char *changed(const char *name, const void *from, const void *to, size_t length)
{
    const import_sample *sample;
    unsigned i = 0;
    while ((sample = import_sample_at(i)) != NULL && strcmp(sample->name, name) != 0) i++;
    assert_non_null(sample);
    const char *path = scratch(name);
    assert_true(import_sample_write(i, path));
    if (!length) return path;
    size_t size, at = 0;
    unsigned char *bytes = read_bytes(path, &size);
    while (at + length <= size && memcmp(bytes + at, from, length) != 0) at++;
    assert_true(at + length <= size);
    memcpy(bytes + at, to, length);
    write_bytes(path, bytes, size);
    free(bytes);
    return path;
}

static const char *text_changed(const char *name, const char *from, const char *to)
{
    assert_int_equal(strlen(from), strlen(to));
    return changed(name, from, to, strlen(from));
}

static void test_npz(void **state)
{
    (void)state;
    assert_fails(run(text_changed("stored.npz", "(3, 2)", "(9, 2)"), &plain, error), IOA_ERR_INPUT, "checksum");
    assert_fails(run(text_changed("layer.npy", "(3, 2)", "(9, 2)"), &plain, error), IOA_ERR_INPUT, "claims 18 values");
    assert_fails(run(text_changed("layer.npy", "(3, 2)", "(3, 2;"), &plain, error), IOA_ERR_INPUT, "unreadable header");
    assert_fails(run(text_changed("layer.npy", "(3, 2)", "(6,  )"), &plain, error), IOA_ERR_INPUT, "1 dimensions");
    assert_fails(run(text_changed("layer.npy", "<f4", "|O8"), &plain, error), IOA_ERR_INPUT, "type \"|O8\"");
    assert_fails(run(text_changed("layer.npy", "NUMPY", "NUMPI"), &plain, error), IOA_ERR_INPUT, "not a NumPy array");
    write_text(scratch("x.npz"), "no archive at all");
    assert_fails(run(scratch("x.npz"), &plain, error), IOA_ERR_INPUT, "not a zip archive");
    ioa_import_options listed = {.prune = 1, .tensors = "W2"};
    assert_ok(run(changed("deflated.npz", NULL, NULL, 0), &listed, error));
    listed.tensors = "W2,W9";
    assert_fails(run(scratch("deflated.npz"), &listed, error), IOA_ERR_INPUT, "W9: there is no such tensor");
    listed.tensors = "W2,W2";
    assert_fails(run(scratch("deflated.npz"), &listed, error), IOA_ERR_INPUT, "listed twice");
    listed.tensors = "b1";
    assert_fails(run(scratch("deflated.npz"), &listed, error), IOA_ERR_INPUT, "not a matrix");
    ioa_import_options turned = {.prune = 1, .orientation_given = true};
    assert_fails(run(scratch("deflated.npz"), &turned, error), IOA_ERR_INPUT, "is the orientation right?");
    listed = (ioa_import_options){.prune = 1, .tensors = "W1"};
    assert_fails(run(changed("coordinate.mtx", NULL, NULL, 0), &listed, error), IOA_ERR_INPUT, "not for mtx");
}

static void test_safetensors(void **state)
{
    (void)state;
    static const char name[] = "model.safetensors";
    assert_ok(run(changed(name, NULL, NULL, 0), &plain, error));
    assert_fails(run(text_changed(name, "[24,32]", "[24,99]"), &plain, error), IOA_ERR_INPUT, "its place in the file");
    assert_fails(run(text_changed(name, "[40,44]", "[4x,44]"), &plain, error), IOA_ERR_INPUT, "JSON");
    assert_fails(run(text_changed(name, "\"F16\"", "\"F8X\""), &plain, error), IOA_ERR_INPUT, "type \"F8X\"");
    assert_fails(run(text_changed(name, "[2,2]", "[2,-]"), &plain, error), IOA_ERR_INPUT, "JSON");
    assert_fails(run(text_changed(name, "fc2.weight", "fc1.weight"), &plain, error), IOA_ERR_INPUT, "there twice");
    assert_fails(run(text_changed(name, "fc2.bias", "scale_of"), &plain, error), IOA_ERR_INPUT, "scale_of: is neither");
    write_bytes(scratch("x.safetensors"), "\xff\xff\xff\xff\xff\xff\xff\x7f{}", 10);
    assert_fails(run(scratch("x.safetensors"), &plain, error), IOA_ERR_INPUT, "not a safetensors file");
}

static void test_onnx(void **state)
{
    (void)state;
    static const char name[] = "model.onnx";
    ioa_import_options turned = {.prune = 1, .orientation_given = true};
    assert_fails(run(changed(name, NULL, NULL, 0), &turned, error), IOA_ERR_INPUT, "fixes the layout");
    assert_fails(run(text_changed(name, "\4Relu", "\4Sqrt"), &plain, error), IOA_ERR_INPUT, "(Sqrt): operations of this type");
    assert_ok(run(text_changed(name, "Softmax", "Flatten"), &plain, error));
    assert_fails(run(text_changed(name, "\2W2\x0a", "\2W1\x0a"), &plain, error), IOA_ERR_INPUT, "another layer too");
    assert_fails(run(text_changed(name, "\1a\x12\1b", "\1x\x12\1b"), &plain, error), IOA_ERR_INPUT, "read 2 times");
    assert_fails(run(text_changed(name, "\1a\x12\1b", "\1a\x12\1q"), &plain, error), IOA_ERR_INPUT, "read 0 times");
    assert_fails(run(text_changed(name, "\2b1\x0a\1a", "\2b9\x0a\1a"), &plain, error), IOA_ERR_INPUT, "joins two paths");
    write_text(scratch("x.onnx"), "\x3a\x7f");
    assert_fails(run(scratch("x.onnx"), &plain, error), IOA_ERR_INPUT, "not an ONNX model");
}

static void test_keras(void **state)
{
    (void)state;
    static const char name[] = "model.h5";
    char path[1024], json[1024];
    snprintf(path, sizeof path, "%s", changed(name, NULL, NULL, 0));
    snprintf(json, sizeof json, "%s", scratch("m.json"));
    ioa_import_options o = {.prune = 1, .orientation_given = true};
    assert_fails(run(path, &o, error), IOA_ERR_INPUT, "fixes the layout");
    static const struct {
        const char *json, *part;
    } models[] = {
        {"{", "no readable JSON"},
        {"{\"config\": [{\"class_name\": \"Conv2D\", \"config\": {\"name\": \"c\"}}]}", "layer c is of class Conv2D"},
        {"{\"config\": [{\"class_name\": \"Dense\", \"config\": {\"name\": \"other\"}}]}", "next dense layer is \"other\""},
        {"{\"config\": [{\"class_name\": \"Dense\", \"config\": {\"name\": \"dense1\", \"activation\": \"selu\"}}]}", "selu"},
        {"{\"config\": [{\"class_name\": \"Dense\", \"config\": {\"name\": \"dense1\", \"activation\": \"softmax\"}},"
         " {\"class_name\": \"Dense\", \"config\": {\"name\": \"dense2\"}}]}", "only at the end"},
        {"{\"config\": [{\"class_name\": \"Dense\", \"config\": {\"name\": \"dense1\", \"activation\": \"tanh\"}},"
         " {\"class_name\": \"ReLU\", \"config\": {\"name\": \"r\"}}, {\"class_name\": \"Dense\", \"config\": {\"name\":"
         " \"dense2\"}}]}", "second activation"},
        {"{\"config\": [{\"class_name\": \"Dense\", \"config\": {\"name\": \"dense1\"}}, {\"class_name\": \"Dense\","
         " \"config\": {\"name\": \"dense2\"}}, {\"class_name\": \"Dense\", \"config\": {\"name\": \"dense3\"}}]}",
         "dense3 has no weights"},
    };
    o = (ioa_import_options){.prune = 1, .model = json};
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        write_text(json, models[i].json);
        assert_fails(run(path, &o, error), IOA_ERR_INPUT, models[i].part);
    }
    o.activation = "relu";
    assert_fails(run(path, &o, error), IOA_ERR_INPUT, "not from both");
    ioa_network *n = sample_network(1);
    assert_ok(ioa_network_write(n, scratch("n.h5"), error));
    assert_fails(run(scratch("n.h5"), &plain, error), IOA_ERR_INPUT, "an ioanneal file already");
    ioa_network_destroy(n);
    const char *bias[] = {scratch("b.mtx"), scratch("b.mtx")};
    o = (ioa_import_options){.prune = 1, .bias = bias, .bias_count = 2};
    assert_fails(run(path, &o, error), IOA_ERR_INPUT, "holds biases itself");
}

static void test_keras3(void **state)
{
    (void)state;
    static const char name[] = "model.keras", weights[] = "three.weights.h5";
    assert_ok(run(changed(name, NULL, NULL, 0), &plain, error));
    assert_int_equal(rename(changed("stored.npz", NULL, NULL, 0), scratch("x.keras")), 0);
    assert_fails(run(scratch("x.keras"), &plain, error), IOA_ERR_INPUT, "config.json: is missing");
    assert_fails(run(text_changed(name, "softmax", "softmix"), &plain, error), IOA_ERR_INPUT, "checksum");
    static const struct {
        const char *json, *part;
    } models[] = {
        {"{\"config\": [{\"class_name\": \"Dense\", \"config\": {\"name\": \"second\"}}]}", "next dense layer is \"second\""},
        {"{\"config\": [{\"class_name\": \"Dense\", \"config\": {\"name\": \"first\", \"activation\": {\"class_name\": \"function\"}}}]}",
         "activation of its own is not known"},
        {"{\"config\": {\"layers\": [{\"class_name\": \"Dense\", \"config\": {\"name\": \"first\"}}, {\"class_name\": \"Dense\", \"config\":"
         " {\"name\": \"dense\"}, \"inbound_nodes\": [{\"args\": [{\"config\": {\"keras_history\": [\"other\", 0, 0]}}]}]}]}}",
         "does not just follow"},
        {"{\"config\": {\"layers\": [{\"class_name\": \"Dense\", \"config\": {\"name\": \"first\"}}, {\"class_name\": \"Dense\", \"config\":"
         " {\"name\": \"dense\"}, \"inbound_nodes\": [{\"args\": [[{\"config\": {\"keras_history\": [\"first\", 0, 0]}}]]}]}]}}",
         "does not just follow"},
    };
    char json[1024];
    snprintf(json, sizeof json, "%s", scratch("m.json"));
    ioa_import_options o = {.prune = 1, .model = json};
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        write_text(json, models[i].json);
        assert_fails(run(changed(name, NULL, NULL, 0), &o, error), IOA_ERR_INPUT, models[i].part);
        assert_fails(run(changed(weights, NULL, NULL, 0), &o, error), IOA_ERR_INPUT, models[i].part);
    }
    write_text(scratch("x.keras"), "no archive at all");
    assert_fails(run(scratch("x.keras"), &plain, error), IOA_ERR_INPUT, "not a zip archive");
    ioa_import_options listed = {.prune = 1, .activation = "tanh,identity"}; /* the user's word goes first */
    ioa_network *n = NULL;
    const char *files[] = {changed(name, NULL, NULL, 0)};
    assert_ok(ioa_import(files, 1, &listed, &n, NULL, error));
    assert_int_equal(n->a.activation[3], IOA_ACT_TANH);
    ioa_network_destroy(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_npz),
        cmocka_unit_test(test_safetensors),
        cmocka_unit_test(test_onnx),
        cmocka_unit_test(test_keras),
        cmocka_unit_test(test_keras3),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
