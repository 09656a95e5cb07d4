/* Reading networks: shapes first, then values into memory of whoever asks, rules and hashes at the end. */
#include "io/archive/network_schema.h"

#include "core/base/mem.h"
#include "core/model/network.h"
#include "io/archive/archive.h"
#include "io/archive/bundle.h"
#include "io/base/hash.h"
#include "io/h5/h5.h"

#include <inttypes.h>
#include <string.h>

struct ioa_network_reader {
    ioa_h5 h5;
    ioa_network_shape shape;
    char *name; /* owned; NULL: none */
};

/* ---- shapes ---- */

/* A vector of ids: its length must be below 2^32. */
static ioa_status shape_ids(const ioa_h5 *h5, const char *name, uint32_t *count, ioa_error *error)
{
    uint64_t length;
    ioa_status status = ioa_h5_length(h5, name, &length, error);
    if (status != IOA_OK) return status;
    if (length > UINT32_MAX) return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: is too long", h5->path, name);
    *count = (uint32_t)length;
    return IOA_OK;
}

/* The group says how to read it; a csc_matrix of the same arrays would be another network. */
static ioa_status check_encoding(const ioa_h5 *h5, uint64_t neurons, ioa_error *error)
{
    char type[32];
    int64_t shape[2];
    ioa_status status = ioa_h5_get_text(h5, "connections", "encoding-type", type, sizeof type, error);
    if (status != IOA_OK) return status;
    if (strcmp(type, "csr_matrix") != 0)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: connections: encoding-type is \"%s\" instead of \"csr_matrix\"",
                        h5->path, type);
    status = ioa_h5_get(h5, "connections", "shape", IOA_H5_I64, 2, shape, error);
    if (status != IOA_OK) return status;
    if (shape[0] != (int64_t)neurons || shape[1] != (int64_t)neurons)
        return ioa_fail(error, IOA_ERR_INPUT,
                        "%s: connections: shape is %" PRId64 " x %" PRId64 ", but indptr has rows for %" PRIu64 " neurons",
                        h5->path, shape[0], shape[1], neurons);
    return IOA_OK;
}

static ioa_status shape_connections(const ioa_h5 *h5, ioa_network_shape *shape, ioa_error *error)
{
    uint64_t rows;
    ioa_status status = ioa_h5_length(h5, "connections/indptr", &rows, error);
    if (status != IOA_OK) return status;
    if (rows < 2 || rows - 1 > UINT32_MAX)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: connections/indptr: has length %" PRIu64 ", impossible for a network",
                        h5->path, rows);
    shape->neurons = (uint32_t)(rows - 1);
    status = check_encoding(h5, shape->neurons, error);
    return status == IOA_OK ? ioa_h5_length(h5, "connections/indices", &shape->connections, error) : status;
}

static ioa_status shape_rest(ioa_network_reader *r, ioa_error *error)
{
    const ioa_h5 *h5 = &r->h5;
    ioa_network_shape *shape = &r->shape;
    uint64_t ignored; /* fill compares */
    ioa_status status = ioa_h5_length(h5, "connections/data", &ignored, error);
    if (status == IOA_OK) status = ioa_h5_length(h5, "neurons/bias", &ignored, error);
    if (status == IOA_OK) status = ioa_h5_check_enum(h5, "neurons/activation", ioa_activation_from_name, error);
    shape->param = ioa_h5_exists(h5, "neurons/activation_param");
    if (status == IOA_OK) status = shape_ids(h5, "neurons/inputs", &shape->inputs, error);
    if (status == IOA_OK) status = shape_ids(h5, "neurons/outputs", &shape->outputs, error);
    if (status == IOA_OK && ioa_h5_exists(h5, "layers/offsets")) {
        uint64_t length;
        status = ioa_h5_length(h5, "layers/offsets", &length, error);
        if (status != IOA_OK) return status;
        if (length < 2 || length - 1 > UINT32_MAX)
            return ioa_fail(error, IOA_ERR_INPUT, "%s: layers/offsets: has length %" PRIu64, h5->path, length);
        shape->layers = (uint32_t)(length - 1);
    }
    if (status == IOA_OK && ioa_h5_has_attribute(h5, "/", "name")) {
        status = ioa_h5_get_string(h5, "/", "name", &r->name, error);
        if (status == IOA_OK) shape->name_bytes = strlen(r->name) + 1;
    }
    return status;
}

ioa_status ioa_network_reader_open(const char *path, ioa_network_reader **reader, ioa_error *error)
{
    ioa_network_reader *r = ioa_alloc_zero(1, sizeof *r);
    if (!r) return ioa_fail_nomem(error, "a network file", 1, sizeof *r);
    ioa_status status = ioa_h5_open(path, &r->h5, error);
    if (status != IOA_OK) {
        ioa_free(r);
        return status;
    }
    status = ioa_h5_check_part(&r->h5, IOA_NETWORK_SCHEMA, IOA_NETWORK_MAJOR, error);
    if (status == IOA_OK) status = shape_connections(&r->h5, &r->shape, error);
    if (status == IOA_OK) status = shape_rest(r, error);
    if (status == IOA_OK)
        *reader = r;
    else
        status = ioa_network_reader_close(r, status, error);
    return status;
}

ioa_status ioa_network_reader_close(ioa_network_reader *reader, ioa_status status, ioa_error *error)
{
    status = ioa_h5_end(&reader->h5, status, error);
    ioa_free(reader->name);
    ioa_free(reader);
    return status;
}

ioa_network_shape ioa_network_reader_shape(const ioa_network_reader *reader)
{
    return reader->shape;
}

/* ---- values ---- */

size_t ioa_network_parts(const ioa_network_shape *shape, ioa_network_arrays *a, ioa_network_part parts[IOA_NETWORK_PARTS])
{
    uint64_t n = shape->neurons, w = shape->connections;
    a->neurons = shape->neurons;
    a->inputs = shape->inputs;
    a->outputs = shape->outputs;
    a->layers = shape->layers;
    const ioa_network_part list[IOA_NETWORK_PARTS] = {
        {(void **)&a->indptr, n + 1, sizeof *a->indptr, true},
        {(void **)&a->indices, w, sizeof *a->indices, true},
        {(void **)&a->weights, w, sizeof *a->weights, true},
        {(void **)&a->bias, n, sizeof *a->bias, true},
        {(void **)&a->activation, n, sizeof *a->activation, true},
        {(void **)&a->param, n, sizeof *a->param, shape->param},
        {(void **)&a->input_ids, shape->inputs, sizeof *a->input_ids, true},
        {(void **)&a->output_ids, shape->outputs, sizeof *a->output_ids, true},
        {(void **)&a->layer_offsets, (uint64_t)shape->layers + 1, sizeof *a->layer_offsets, shape->layers > 0},
        {(void **)&a->name, shape->name_bytes, 1, shape->name_bytes > 0},
    };
    size_t count = 0;
    for (size_t i = 0; i < IOA_NETWORK_PARTS; i++)
        if (list[i].present) parts[count++] = list[i];
    return count;
}

static ioa_status fill_connections(const ioa_h5 *h5, const ioa_network_shape *shape, const ioa_network_arrays *a,
                                   ioa_error *error)
{
    ioa_status status =
        ioa_h5_read_into(h5, "connections/indptr", IOA_H5_I64, shape->neurons + UINT64_C(1), a->indptr, error);
    if (status != IOA_OK) return status;
    if (a->indptr[a->neurons] != (int64_t)shape->connections)
        return ioa_fail(error, IOA_ERR_INPUT,
                        "%s: connections/indptr: ends at %" PRId64 ", but there are %" PRIu64 " connections", h5->path,
                        a->indptr[a->neurons], shape->connections);
    status = ioa_h5_read_into(h5, "connections/indices", IOA_H5_U32, shape->connections, a->indices, error);
    if (status != IOA_OK) return status;
    return ioa_h5_read_into(h5, "connections/data", IOA_H5_F32, shape->connections, a->weights, error);
}

ioa_status ioa_network_reader_fill(const ioa_network_reader *reader, const ioa_network_arrays *a, ioa_error *error)
{
    const ioa_h5 *h5 = &reader->h5;
    uint64_t n = reader->shape.neurons;
    ioa_status status = fill_connections(h5, &reader->shape, a, error);
    if (status == IOA_OK) status = ioa_h5_read_into(h5, "neurons/bias", IOA_H5_F32, n, a->bias, error);
    if (status == IOA_OK) status = ioa_h5_read_into(h5, "neurons/activation", IOA_H5_U8, n, a->activation, error);
    if (status == IOA_OK && a->param)
        status = ioa_h5_read_into(h5, "neurons/activation_param", IOA_H5_F32, n, a->param, error);
    if (status == IOA_OK) status = ioa_h5_read_into(h5, "neurons/inputs", IOA_H5_U32, a->inputs, a->input_ids, error);
    if (status == IOA_OK) status = ioa_h5_read_into(h5, "neurons/outputs", IOA_H5_U32, a->outputs, a->output_ids, error);
    if (status == IOA_OK && a->layers)
        status = ioa_h5_read_into(h5, "layers/offsets", IOA_H5_I64, (uint64_t)a->layers + 1, a->layer_offsets, error);
    if (status == IOA_OK && a->name) memcpy(a->name, reader->name, reader->shape.name_bytes);
    return status;
}

/* ---- hashes ---- */

static ioa_status fail_hash(const ioa_h5 *h5, ioa_error *error, const char *attribute, const char *stored,
                            const char *computed)
{
    return ioa_fail(error, IOA_ERR_INPUT, "%s: %s is %s, but the data has %s: the file was altered or damaged", h5->path,
                    attribute, stored, computed);
}

static ioa_status check_topology_hash(const ioa_h5 *h5, const ioa_network_arrays *a, ioa_error *error)
{
    char stored[IOA_SHA256_TEXT], computed[IOA_SHA256_TEXT];
    ioa_status status = ioa_h5_get_text(h5, "/", "topology_sha256", stored, sizeof stored, error);
    if (status == IOA_OK) status = ioa_network_hash_topology(a, computed, error);
    if (status != IOA_OK || strcmp(stored, computed) == 0) return status;
    return fail_hash(h5, error, "topology_sha256", stored, computed);
}

/* Files exist whose writer left activation_param out of the hash; they are taken as they are. The other way round,
 * a changed parameter in a file whose hash covers it is always found. */
static ioa_status check_weights_hash(const ioa_h5 *h5, const ioa_network_arrays *a, ioa_error *error)
{
    char stored[IOA_SHA256_TEXT], computed[IOA_SHA256_TEXT];
    ioa_status status = ioa_h5_get_text(h5, "/", "weights_sha256", stored, sizeof stored, error);
    if (status == IOA_OK && a->param) {
        status = ioa_network_hash_weights(a, false, computed, error);
        if (status != IOA_OK || strcmp(stored, computed) == 0) return status;
    }
    if (status == IOA_OK) status = ioa_network_hash_weights(a, true, computed, error);
    if (status != IOA_OK || strcmp(stored, computed) == 0) return status;
    return fail_hash(h5, error, "weights_sha256", stored, computed);
}

ioa_status ioa_network_reader_check(const ioa_network_reader *reader, const ioa_network *network, ioa_error *error)
{
    ioa_status status = check_topology_hash(&reader->h5, &network->a, error);
    return status == IOA_OK ? check_weights_hash(&reader->h5, &network->a, error) : status;
}

ioa_status ioa_network_reader_hashes(const ioa_network_reader *reader, char topology[IOA_NETWORK_HASH_TEXT],
                                     char weights[IOA_NETWORK_HASH_TEXT], ioa_error *error)
{
    ioa_status status =
        ioa_h5_get_text(&reader->h5, "/", "topology_sha256", topology, IOA_NETWORK_HASH_TEXT, error);
    if (status != IOA_OK) return status;
    return ioa_h5_get_text(&reader->h5, "/", "weights_sha256", weights, IOA_NETWORK_HASH_TEXT, error);
}

/* ---- both steps at once ---- */

static ioa_status read_network(const ioa_network_reader *r, ioa_network **network, ioa_error *error)
{
    ioa_network_arrays a = {0};
    ioa_network_part parts[IOA_NETWORK_PARTS];
    ioa_network *n = NULL;
    ioa_status status = IOA_OK;
    size_t count = ioa_network_parts(&r->shape, &a, parts);
    for (size_t i = 0; status == IOA_OK && i < count; i++) {
        *parts[i].array = ioa_alloc(parts[i].count, parts[i].size);
        if (!*parts[i].array) status = ioa_fail_nomem(error, "the network", parts[i].count, parts[i].size);
    }
    if (status == IOA_OK) status = ioa_network_reader_fill(r, &a, error);
    if (status != IOA_OK) goto out;
    status = ioa_network_create(&a, &n, error);
    if (status != IOA_OK) {
        ioa_fail_prefix(error, status, "%s", r->h5.path);
        goto out;
    }
    status = ioa_network_reader_check(r, n, error); /* rules came first: their texts say more than a wrong hash */
    if (status != IOA_OK) goto out;
    *network = n;
    n = NULL;
out:
    ioa_network_arrays_free(&a);
    ioa_network_destroy(n);
    return status;
}

ioa_status ioa_network_read(const char *path, ioa_network **network, ioa_error *error)
{
    ioa_network_reader *reader;
    ioa_status status = ioa_network_reader_open(path, &reader, error);
    if (status != IOA_OK) return status;
    status = read_network(reader, network, error);
    return ioa_network_reader_close(reader, status, error);
}

bool ioa_network_probe(const char *path)
{
    return ioa_h5_probe(path, IOA_NETWORK_SCHEMA) || ioa_bundle_probe(path);
}
