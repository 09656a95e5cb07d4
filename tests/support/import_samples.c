#include "tests/support/import_samples_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

static const float w1[2][3] = {{1, 0, -2}, {0.5f, 3, 0}}, w1_turned[3][2] = {{1, 0.5f}, {0, 3}, {-2, 0}};
static const float w2[2][2] = {{0, 1.5f}, {-4, 2}}, w2_turned[2][2] = {{0, -4}, {1.5f, 2}};
static const float b1[2] = {0.25f, -1}, b2[2] = {0, 0.125f};

static void put(buffer *b, const void *data, size_t size)
{
    memcpy(b->bytes + b->size, data, size);
    b->size += size;
}

static void put_number(buffer *b, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++) b->bytes[b->size++] = (unsigned char)(value >> (8 * i));
}

static void put_text(buffer *b, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    put(b, text, (size_t)length);
}

/* ---- text formats ---- */

static void build_mtx(buffer *b)
{
    put_text(b, "%%%%MatrixMarket matrix coordinate real general\n%% remark\n2 3 4\n1 1 1\n1 3 -2\n2 1 0.5\n2 2 3\n");
}

static void build_array(buffer *b)
{
    put_text(b, "%%%%MatrixMarket matrix array real general\n2 3\n1\n0.5\n0\n3\n-2\n0\n");
}

static void build_tsv(buffer *b)
{
    put_text(b, "1\t1\t1\n1\t2\t0.5\n2\t2\t3\n3\t1\t-2\n");
}

static void build_smtx(buffer *b)
{
    put_text(b, "2, 3, 4\n0 2 4 \n0 2 0 1 \n");
}

/* ---- NumPy ---- */

static void build_array_of(buffer *b, const char *descr, const char *shape, const void *data, size_t size)
{
    char header[128];
    int length = snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", descr, shape);
    while ((10 + length + 1) % 16) header[length++] = ' ';
    header[length++] = '\n';
    put(b, "\x93NUMPY\1\0", 8);
    put_number(b, (uint64_t)length, 2);
    put(b, header, (size_t)length);
    put(b, data, size);
}

void zip_add_bytes(zip *z, const char *name, const void *bytes, size_t size)
{
    unsigned char packed[4096];
    uLongf length = 0;
    uint64_t crc = crc32(0, bytes, (uInt)size), start = z->out->size;
    if (z->deflate) { /* raw deflate: zlib's stream without its header and checksum */
        length = sizeof packed;
        compress(packed, &length, bytes, size);
        length -= 6;
    }
    for (int central = 0; central < 2; central++) {
        buffer *b = central ? &z->directory : z->out;
        put(b, central ? "PK\1\2\24\0\24\0" : "PK\3\4\24\0", central ? 8 : 6);
        put_number(b, 0, 2);
        put_number(b, z->deflate ? 8 : 0, 2);
        put_number(b, 0, 4);
        put_number(b, crc, 4);
        put_number(b, z->deflate ? length : size, 4);
        put_number(b, size, 4);
        put_number(b, strlen(name), 2);
        put_number(b, 0, 2);
        if (central) {
            put_number(b, 0, 6);
            put_number(b, 0, 4);
            put_number(b, start, 4);
        }
        put(b, name, strlen(name));
    }
    put(z->out, z->deflate ? packed + 2 : (const unsigned char *)bytes, z->deflate ? length : size);
    z->members++;
}

static void zip_add(zip *z, const char *name, const char *descr, const char *shape, const void *data, size_t size)
{
    static buffer content;
    content.size = 0;
    build_array_of(&content, descr, shape, data, size);
    zip_add_bytes(z, name, content.bytes, content.size);
}

void zip_end(zip *z)
{
    uint64_t start = z->out->size;
    put(z->out, z->directory.bytes, z->directory.size);
    put(z->out, "PK\5\6\0\0\0\0", 8);
    put_number(z->out, z->members, 2);
    put_number(z->out, z->members, 2);
    put_number(z->out, z->directory.size, 4);
    put_number(z->out, start, 4);
    put_number(z->out, 0, 2);
}

static void build_npy(buffer *b)
{
    build_array_of(b, "<f4", "(3, 2)", w1_turned, sizeof w1_turned);
}

static void build_dense_npz(buffer *b, bool deflate)
{
    zip z = {.out = b, .deflate = deflate};
    double wide[2] = {0, 0.125};
    zip_add(&z, "b2.npy", "<f8", "(2,)", wide, sizeof wide);
    zip_add(&z, "W1.npy", "<f4", "(3, 2)", w1_turned, sizeof w1_turned);
    zip_add(&z, "W2.npy", "<f4", "(2, 2)", w2_turned, sizeof w2_turned);
    zip_add(&z, "b1.npy", "<f4", "(2,)", b1, sizeof b1);
    zip_end(&z);
}

static void build_stored_npz(buffer *b)
{
    build_dense_npz(b, false);
}

static void build_deflated_npz(buffer *b)
{
    build_dense_npz(b, true);
}

/* scipy.sparse.save_npz of the first layer's weights [out, in] */
static void build_sparse_npz(buffer *b, const char *format)
{
    zip z = {.out = b, .deflate = true};
    static const int32_t rows[4] = {0, 0, 1, 1}, columns[4] = {0, 2, 0, 1}, row_ends[3] = {0, 2, 4};
    static const int32_t csc_rows[4] = {0, 1, 1, 0}, column_ends[4] = {0, 2, 3, 4};
    static const float values[4] = {1, -2, 0.5f, 3}, csc_values[4] = {1, 0.5f, 3, -2};
    static const int64_t shape[2] = {2, 3};
    bool coo = strcmp(format, "coo") == 0, csc = strcmp(format, "csc") == 0;
    if (coo) {
        zip_add(&z, "row.npy", "<i4", "(4,)", rows, sizeof rows);
        zip_add(&z, "col.npy", "<i4", "(4,)", columns, sizeof columns);
    } else if (csc) {
        zip_add(&z, "indices.npy", "<i4", "(4,)", csc_rows, sizeof csc_rows);
        zip_add(&z, "indptr.npy", "<i4", "(4,)", column_ends, sizeof column_ends);
    } else {
        zip_add(&z, "indices.npy", "<i4", "(4,)", columns, sizeof columns);
        zip_add(&z, "indptr.npy", "<i4", "(3,)", row_ends, sizeof row_ends);
    }
    zip_add(&z, "format.npy", "|S3", "()", format, 3);
    zip_add(&z, "shape.npy", "<i8", "(2,)", shape, sizeof shape);
    zip_add(&z, "data.npy", "<f4", "(4,)", csc ? csc_values : values, sizeof values);
    zip_end(&z);
}

static void build_csr_npz(buffer *b)
{
    build_sparse_npz(b, "csr");
}

static void build_csc_npz(buffer *b)
{
    build_sparse_npz(b, "csc");
}

static void build_coo_npz(buffer *b)
{
    build_sparse_npz(b, "coo");
}

/* ---- safetensors: one matrix as F32, one as F16, one bias as BF16 ---- */

static void build_safetensors(buffer *b)
{
    static const char header[] =
        "{\"__metadata__\":{\"format\":\"pt\"},\"fc1.weight\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
        "\"fc2.weight\":{\"dtype\":\"F16\",\"shape\":[2,2],\"data_offsets\":[24,32]},"
        "\"fc1.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[32,40]},"
        "\"fc2.bias\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[40,44]}}  ";
    static const uint16_t halves[4] = {0, 0x3e00, 0xc400, 0x4000}, brains[2] = {0, 0x3e00};
    put_number(b, sizeof header - 1, 8);
    put(b, header, sizeof header - 1);
    put(b, w1, sizeof w1);
    put(b, halves, sizeof halves);
    put(b, b1, sizeof b1);
    put(b, brains, sizeof brains);
}

/* ---- ONNX ---- */

static void put_varint(buffer *b, uint64_t value)
{
    for (; value > 0x7f; value >>= 7) put_number(b, (value & 0x7f) | 0x80, 1);
    put_number(b, value, 1);
}

static void put_bytes(buffer *b, unsigned field, const void *data, size_t size)
{
    put_varint(b, field << 3 | 2);
    put_varint(b, size);
    put(b, data, size);
}

static void put_string(buffer *b, unsigned field, const char *text)
{
    put_bytes(b, field, text, strlen(text));
}

static void put_whole(buffer *b, unsigned field, uint64_t value)
{
    put_varint(b, field << 3);
    put_varint(b, value);
}

/* An initializer; `field` is 4 (float_data) or 9 (raw_data). */
static void put_tensor(buffer *graph, const char *name, unsigned field, uint64_t rows, uint64_t columns, const float *values)
{
    buffer t = {.size = 0};
    if (rows) put_whole(&t, 1, rows);
    put_whole(&t, 1, columns);
    put_whole(&t, 2, 1);
    put_bytes(&t, field, values, (rows ? rows : 1) * columns * sizeof *values);
    put_string(&t, 8, name);
    put_bytes(graph, 5, t.bytes, t.size);
}

static void put_node(buffer *graph, const char *type, const char *one, const char *two, const char *three,
                     const char *output, const char *flag)
{
    buffer n = {.size = 0}, attribute = {.size = 0};
    put_string(&n, 1, one);
    if (two) put_string(&n, 1, two);
    if (three) put_string(&n, 1, three);
    put_string(&n, 2, output);
    put_string(&n, 4, type);
    if (flag) {
        put_string(&attribute, 1, flag);
        put_whole(&attribute, 3, 1);
        put_whole(&attribute, 20, 2);
        put_bytes(&n, 5, attribute.bytes, attribute.size);
    }
    put_bytes(graph, 1, n.bytes, n.size);
}

static void put_value(buffer *graph, unsigned field, const char *name)
{
    buffer v = {.size = 0};
    put_string(&v, 1, name);
    put_bytes(graph, field, v.bytes, v.size);
}

static void build_onnx(buffer *b)
{
    static buffer graph;
    graph.size = 0;
    put_node(&graph, "MatMul", "x", "W1", NULL, "a", NULL);
    put_node(&graph, "Add", "b1", "a", NULL, "b", NULL);
    put_node(&graph, "Relu", "b", NULL, NULL, "c", NULL);
    put_node(&graph, "Gemm", "c", "W2", "b2", "d", "transB");
    put_node(&graph, "Softmax", "d", NULL, NULL, "y", NULL);
    put_tensor(&graph, "W1", 4, 3, 2, &w1_turned[0][0]);
    put_tensor(&graph, "b1", 9, 0, 2, b1);
    put_tensor(&graph, "W2", 9, 2, 2, &w2[0][0]);
    put_tensor(&graph, "b2", 4, 0, 2, b2);
    put_value(&graph, 11, "x");
    put_value(&graph, 11, "W1");
    put_value(&graph, 12, "y");
    put_whole(b, 1, 7);
    put_string(b, 2, "by hand");
    put_bytes(b, 7, graph.bytes, graph.size);
}

/* ---- the list ---- */

static const struct {
    import_sample sample;
    void (*build)(buffer *b);
    bool (*write)(const char *path); /* or this: by the HDF5 library */
} samples[] = {
    {{"coordinate.mtx", false, true}, build_mtx, NULL},
    {{"array.mtx", false, true}, build_array, NULL},
    {{"pattern.smtx", false, true}, build_smtx, NULL},
    {{"layer.tsv", false, false}, build_tsv, NULL},
    {{"layer.npy", false, false}, build_npy, NULL},
    {{"stored.npz", true, false}, build_stored_npz, NULL},
    {{"deflated.npz", true, false}, build_deflated_npz, NULL},
    {{"csr.npz", false, true}, build_csr_npz, NULL},
    {{"csc.npz", false, true}, build_csc_npz, NULL},
    {{"coo.npz", false, true}, build_coo_npz, NULL},
    {{"model.safetensors", true, true}, build_safetensors, NULL},
    {{"model.onnx", true, false}, build_onnx, NULL},
    {{"model.h5", true, false}, NULL, write_keras2},
    {{"three.weights.h5", true, false}, NULL, write_keras3_weights},
    {{"model.keras", true, false}, NULL, write_keras3},
};

const import_sample *import_sample_at(unsigned index)
{
    return index < sizeof samples / sizeof samples[0] ? &samples[index].sample : NULL;
}

bool import_sample_write(unsigned index, const char *path)
{
    static buffer b;
    if (samples[index].write) return samples[index].write(path);
    b.size = 0;
    samples[index].build(&b);
    FILE *file = fopen(path, "wb");
    if (!file) return false;
    bool good = fwrite(b.bytes, 1, b.size, file) == b.size;
    return fclose(file) == 0 && good;
}
