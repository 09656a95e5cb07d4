/* The sample as Keras stores it: kernels are [in, out]. */
#include "tests/support/import_samples_parts.h"

#include <hdf5.h>
#include <stdio.h>
#include <string.h>

static const float w1[6] = {1, 0.5f, 0, 3, -2, 0}, w2[4] = {0, -4, 1.5f, 2}, b1[2] = {0.25f, -1}, b2[2] = {0, 0.125f};

/* ---- Keras 2 ---- */

static void names_attribute(hid_t group, const char *attribute, hsize_t count, size_t size, const char *names)
{
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate_simple(1, &count, NULL);
    H5Tset_size(type, size);
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    hid_t id = H5Acreate2(group, attribute, type, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(id, type, names);
    H5Aclose(id);
    H5Sclose(space);
    H5Tclose(type);
}

static void keras_layer(hid_t file, const char *name, hsize_t inputs, const float *kernel, const float *bias)
{
    hid_t group = H5Gcreate2(file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hsize_t shape[2] = {inputs, 2}, length = 2;
    char names[2][16] = {{0}};
    snprintf(names[0], sizeof names[0], "%.6s/kernel:0", name);
    snprintf(names[1], sizeof names[1], "%.6s/bias:0", name);
    names_attribute(group, "weight_names", 2, sizeof names[0], names[0]);
    hid_t inner = H5Gcreate2(group, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    for (int i = 0; i < 2; i++) {
        hid_t space = i ? H5Screate_simple(1, &length, NULL) : H5Screate_simple(2, shape, NULL);
        hid_t set = H5Dcreate2(inner, i ? "bias:0" : "kernel:0", H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, i ? bias : kernel);
        H5Dclose(set);
        H5Sclose(space);
    }
    H5Gclose(inner);
    H5Gclose(group);
}

static void text_attribute(hid_t file, const char *name, const char *text)
{
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, H5T_VARIABLE);
    hid_t id = H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(id, type, &text);
    H5Aclose(id);
    H5Sclose(space);
    H5Tclose(type);
}

bool write_keras2(const char *path)
{
    static const char model[] =
        "{\"class_name\": \"Sequential\", \"config\": {\"layers\": ["
        "{\"class_name\": \"Dense\", \"config\": {\"name\": \"dense1\", \"activation\": \"linear\"}},"
        "{\"class_name\": \"Activation\", \"config\": {\"name\": \"act\", \"activation\": \"relu\"}},"
        "{\"class_name\": \"Dense\", \"config\": {\"name\": \"dense2\", \"activation\": \"softmax\"}}]}}";
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    if (file < 0) return false;
    names_attribute(file, "layer_names", 3, 8, "dense1\0\0act\0\0\0\0\0dense2\0");
    text_attribute(file, "model_config", model);
    keras_layer(file, "dense1", 3, w1, b1);
    keras_layer(file, "dense2", 2, w2, b2);
    hid_t group = H5Gcreate2(file, "act", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hsize_t none = 0;
    hid_t space = H5Screate_simple(1, &none, NULL);
    hid_t id = H5Acreate2(group, "weight_names", H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Aclose(id);
    H5Sclose(space);
    H5Gclose(group);
    return H5Fclose(file) >= 0;
}

/* ---- Keras 3 ---- */

static void keras3_layer(hid_t layers, const char *group, const char *own, hsize_t inputs, const float *kernel, const float *bias)
{
    hid_t layer = H5Gcreate2(layers, group, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t vars = H5Gcreate2(layer, "vars", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hsize_t shape[2] = {inputs, 2}, length = 2;
    text_attribute(vars, "name", own);
    for (int i = 0; i < 2 && kernel; i++) {
        hid_t space = i ? H5Screate_simple(1, &length, NULL) : H5Screate_simple(2, shape, NULL);
        hid_t set = H5Dcreate2(vars, i ? "1" : "0", H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, i ? bias : kernel);
        H5Dclose(set);
        H5Sclose(space);
    }
    H5Gclose(vars);
    H5Gclose(layer);
}

bool write_keras3_weights(const char *path)
{
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    if (file < 0) return false;
    hid_t layers = H5Gcreate2(file, "layers", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    keras3_layer(layers, "dense", "first", 3, w1, b1);
    keras3_layer(layers, "dropout", "dropout", 0, NULL, NULL);
    keras3_layer(layers, "dense_1", "dense", 2, w2, b2);
    H5Gclose(layers);
    return H5Fclose(file) >= 0;
}

bool write_keras3(const char *path)
{
    static const char model[] =
        "{\"module\": \"keras\", \"class_name\": \"Functional\", \"config\": {\"layers\": ["
        "{\"class_name\": \"InputLayer\", \"config\": {\"name\": \"x\"}, \"inbound_nodes\": []},"
        "{\"class_name\": \"Dense\", \"config\": {\"name\": \"first\", \"activation\": \"relu\"}, \"inbound_nodes\": [{\"args\":"
        " [{\"class_name\": \"__keras_tensor__\", \"config\": {\"keras_history\": [\"x\", 0, 0]}}], \"kwargs\": {}}]},"
        "{\"class_name\": \"Dense\", \"config\": {\"name\": \"dense\", \"activation\": \"softmax\"}, \"inbound_nodes\": [{\"args\":"
        " [{\"class_name\": \"__keras_tensor__\", \"config\": {\"keras_history\": [\"first\", 0, 0]}}], \"kwargs\": {}}]}]}}";
    static buffer weights, out;
    if (!write_keras3_weights(path)) return false;
    FILE *file = fopen(path, "rb");
    if (!file) return false;
    weights.size = fread(weights.bytes, 1, sizeof weights.bytes, file);
    fclose(file);
    zip z = {.out = &out};
    out.size = 0;
    zip_add_bytes(&z, "metadata.json", "{\"keras_version\": \"3.15.1\"}", 27);
    zip_add_bytes(&z, "config.json", model, sizeof model - 1);
    zip_add_bytes(&z, "model.weights.h5", weights.bytes, weights.size);
    zip_end(&z);
    if (!(file = fopen(path, "wb"))) return false;
    bool good = fwrite(out.bytes, 1, out.size, file) == out.size;
    return fclose(file) == 0 && good;
}
