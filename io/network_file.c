#include "io/network_file.h"

#include "core/mem.h"
#include "core/network.h"
#include "io/archive.h"
#include "io/bundle.h"
#include "io/h5.h"
#include "io/hash.h"

#include <inttypes.h>
#include <string.h>

#define SCHEMA "ioanneal-network"
#define VERSION "1.0"
#define MAJOR 1u

/* ---- hashes ---- */

static ioa_status topology_hash(const ioa_network_arrays *a, char *text, ioa_error *error)
{
    uint64_t w = (uint64_t)a->indptr[a->neurons], sizes[4] = {a->neurons, w, a->inputs, a->outputs};
    ioa_hash hash;
    ioa_status status = ioa_hash_begin(&hash, error);
    if (status != IOA_OK) return status;
    ioa_hash_add(&hash, sizes, sizeof sizes);
    ioa_hash_add(&hash, a->indptr, ((uint64_t)a->neurons + 1) * sizeof *a->indptr);
    ioa_hash_add(&hash, a->indices, w * sizeof *a->indices);
    ioa_hash_add(&hash, a->input_ids, (uint64_t)a->inputs * sizeof *a->input_ids);
    ioa_hash_add(&hash, a->output_ids, (uint64_t)a->outputs * sizeof *a->output_ids);
    return ioa_hash_end(&hash, text, error);
}

static ioa_status weights_hash(const ioa_network_arrays *a, bool with_param, char *text, ioa_error *error)
{
    uint64_t w = (uint64_t)a->indptr[a->neurons];
    ioa_hash hash;
    ioa_status status = ioa_hash_begin(&hash, error);
    if (status != IOA_OK) return status;
    ioa_hash_add(&hash, a->weights, w * sizeof *a->weights);
    ioa_hash_add(&hash, a->bias, (uint64_t)a->neurons * sizeof *a->bias);
    ioa_hash_add(&hash, a->activation, (uint64_t)a->neurons * sizeof *a->activation);
    if (with_param && a->param) ioa_hash_add(&hash, a->param, (uint64_t)a->neurons * sizeof *a->param);
    return ioa_hash_end(&hash, text, error);
}

ioa_status ioa_network_topology_hash(const ioa_network *network, char *text, ioa_error *error)
{
    return topology_hash(&network->a, text, error);
}

ioa_status ioa_network_weights_hash(const ioa_network *network, char *text, ioa_error *error)
{
    return weights_hash(&network->a, true, text, error);
}

/* ---- reading ---- */

/* Reads a vector whose length must be below 2^32. */
static ioa_status read_ids(const ioa_h5 *h5, const char *name, uint32_t **ids, uint32_t *count, ioa_error *error)
{
    uint64_t length = IOA_H5_ANY;
    void *values;
    ioa_status status = ioa_h5_read(h5, name, IOA_H5_U32, 1, &length, &values, error);
    if (status != IOA_OK) return status;
    *ids = values; /* owned by the arrays from here on, whatever its length */
    if (length > UINT32_MAX) return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: is too long", h5->path, name);
    *count = (uint32_t)length;
    return IOA_OK;
}

static ioa_status read_vector(const ioa_h5 *h5, const char *name, ioa_h5_kind kind, uint64_t length, void **values,
                              ioa_error *error)
{
    return ioa_h5_read(h5, name, kind, 1, &length, values, error);
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

static ioa_status read_connections(const ioa_h5 *h5, ioa_network_arrays *a, ioa_error *error)
{
    uint64_t rows = IOA_H5_ANY, w = IOA_H5_ANY;
    void *values;
    ioa_status status = ioa_h5_read(h5, "connections/indptr", IOA_H5_I64, 1, &rows, &values, error);
    if (status != IOA_OK) return status;
    a->indptr = values;
    if (rows < 2 || rows - 1 > UINT32_MAX)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: connections/indptr: has length %" PRIu64 ", impossible for a network",
                        h5->path, rows);
    a->neurons = (uint32_t)(rows - 1);
    status = check_encoding(h5, a->neurons, error);
    if (status != IOA_OK) return status;
    status = ioa_h5_read(h5, "connections/indices", IOA_H5_U32, 1, &w, &values, error);
    if (status != IOA_OK) return status;
    a->indices = values;
    if (a->indptr[a->neurons] != (int64_t)w)
        return ioa_fail(error, IOA_ERR_INPUT,
                        "%s: connections/indptr: ends at %" PRId64 ", but there are %" PRIu64 " connections", h5->path,
                        a->indptr[a->neurons], w);
    status = read_vector(h5, "connections/data", IOA_H5_F32, w, &values, error);
    if (status == IOA_OK) a->weights = values;
    return status;
}

static ioa_status read_neurons(const ioa_h5 *h5, ioa_network_arrays *a, ioa_error *error)
{
    void *values;
    ioa_status status = read_vector(h5, "neurons/bias", IOA_H5_F32, a->neurons, &values, error);
    if (status != IOA_OK) return status;
    a->bias = values;
    status = ioa_h5_check_enum(h5, "neurons/activation", ioa_activation_from_name, error);
    if (status != IOA_OK) return status;
    status = read_vector(h5, "neurons/activation", IOA_H5_U8, a->neurons, &values, error);
    if (status != IOA_OK) return status;
    a->activation = values;
    if (ioa_h5_exists(h5, "neurons/activation_param")) {
        status = read_vector(h5, "neurons/activation_param", IOA_H5_F32, a->neurons, &values, error);
        if (status != IOA_OK) return status;
        a->param = values;
    }
    status = read_ids(h5, "neurons/inputs", &a->input_ids, &a->inputs, error);
    if (status == IOA_OK) status = read_ids(h5, "neurons/outputs", &a->output_ids, &a->outputs, error);
    return status;
}

static ioa_status read_rest(const ioa_h5 *h5, ioa_network_arrays *a, ioa_error *error)
{
    ioa_status status = IOA_OK;
    if (ioa_h5_exists(h5, "layers/offsets")) {
        uint64_t length = IOA_H5_ANY;
        void *values;
        status = ioa_h5_read(h5, "layers/offsets", IOA_H5_I64, 1, &length, &values, error);
        if (status != IOA_OK) return status;
        a->layer_offsets = values;
        if (length < 2 || length - 1 > UINT32_MAX)
            return ioa_fail(error, IOA_ERR_INPUT, "%s: layers/offsets: has length %" PRIu64, h5->path, length);
        a->layers = (uint32_t)(length - 1);
    }
    if (ioa_h5_has_attribute(h5, "/", "name")) status = ioa_h5_get_string(h5, "/", "name", &a->name, error);
    return status;
}

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
    if (status == IOA_OK) status = topology_hash(a, computed, error);
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
        status = weights_hash(a, false, computed, error);
        if (status != IOA_OK || strcmp(stored, computed) == 0) return status;
    }
    if (status == IOA_OK) status = weights_hash(a, true, computed, error);
    if (status != IOA_OK || strcmp(stored, computed) == 0) return status;
    return fail_hash(h5, error, "weights_sha256", stored, computed);
}

static ioa_status read_network(const ioa_h5 *h5, ioa_network **network, ioa_error *error)
{
    ioa_network_arrays a = {0};
    ioa_network *n = NULL;
    ioa_status status = read_connections(h5, &a, error);
    if (status == IOA_OK) status = read_neurons(h5, &a, error);
    if (status == IOA_OK) status = read_rest(h5, &a, error);
    if (status != IOA_OK) goto out;
    status = ioa_network_create(&a, &n, error);
    if (status != IOA_OK) {
        ioa_fail_prefix(error, status, "%s", h5->path);
        goto out;
    }
    /* Rules first: their texts say more than a wrong hash. */
    status = check_topology_hash(h5, &n->a, error);
    if (status == IOA_OK) status = check_weights_hash(h5, &n->a, error);
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
    ioa_h5 h5;
    ioa_status status = ioa_h5_open(path, &h5, error);
    if (status != IOA_OK) return status;
    status = ioa_h5_check_part(&h5, SCHEMA, MAJOR, error);
    if (status == IOA_OK) status = read_network(&h5, network, error);
    return ioa_h5_end(&h5, status, error);
}

bool ioa_network_probe(const char *path)
{
    return ioa_h5_probe(path, SCHEMA) || ioa_bundle_probe(path);
}

/* ---- writing ---- */

static ioa_status write_root(const ioa_h5 *h5, const ioa_network_arrays *a, ioa_error *error)
{
    char hash[IOA_SHA256_TEXT];
    ioa_status status = a->name ? ioa_h5_put_text(h5, "/", "name", a->name, error) : IOA_OK;
    if (status == IOA_OK) status = topology_hash(a, hash, error);
    if (status == IOA_OK) status = ioa_h5_put_text(h5, "/", "topology_sha256", hash, error);
    if (status == IOA_OK) status = weights_hash(a, true, hash, error);
    if (status == IOA_OK) status = ioa_h5_put_text(h5, "/", "weights_sha256", hash, error);
    return status;
}

static ioa_status write_connections(const ioa_h5 *h5, const ioa_network_arrays *a, ioa_error *error)
{
    uint64_t rows = (uint64_t)a->neurons + 1, w = (uint64_t)a->indptr[a->neurons];
    int64_t shape[2] = {a->neurons, a->neurons};
    ioa_status status = ioa_h5_put_group(h5, "connections", error);
    if (status == IOA_OK) status = ioa_h5_put_text(h5, "connections", "encoding-type", "csr_matrix", error);
    if (status == IOA_OK) status = ioa_h5_put_text(h5, "connections", "encoding-version", "0.1.0", error);
    if (status == IOA_OK) status = ioa_h5_put(h5, "connections", "shape", IOA_H5_I64, 2, shape, error);
    if (status == IOA_OK) status = ioa_h5_write(h5, "connections/data", IOA_H5_F32, 1, &w, a->weights, error);
    if (status == IOA_OK) status = ioa_h5_write(h5, "connections/indices", IOA_H5_U32, 1, &w, a->indices, error);
    if (status == IOA_OK) status = ioa_h5_write(h5, "connections/indptr", IOA_H5_I64, 1, &rows, a->indptr, error);
    return status;
}

static ioa_status write_neurons(const ioa_h5 *h5, const ioa_network_arrays *a, ioa_error *error)
{
    uint64_t n = a->neurons, inputs = a->inputs, outputs = a->outputs, offsets = (uint64_t)a->layers + 1;
    ioa_status status = ioa_h5_put_group(h5, "neurons", error);
    if (status == IOA_OK) status = ioa_h5_write(h5, "neurons/bias", IOA_H5_F32, 1, &n, a->bias, error);
    if (status == IOA_OK)
        status = ioa_h5_write_enum(h5, "neurons/activation", ioa_activation_name, IOA_ACT_COUNT, n, a->activation, error);
    if (status == IOA_OK && a->param)
        status = ioa_h5_write(h5, "neurons/activation_param", IOA_H5_F32, 1, &n, a->param, error);
    if (status == IOA_OK) status = ioa_h5_write(h5, "neurons/inputs", IOA_H5_U32, 1, &inputs, a->input_ids, error);
    if (status == IOA_OK) status = ioa_h5_write(h5, "neurons/outputs", IOA_H5_U32, 1, &outputs, a->output_ids, error);
    if (status != IOA_OK || a->layers == 0) return status;
    status = ioa_h5_put_group(h5, "layers", error);
    if (status == IOA_OK) status = ioa_h5_write(h5, "layers/offsets", IOA_H5_I64, 1, &offsets, a->layer_offsets, error);
    return status;
}

ioa_status ioa_network_put(const ioa_h5 *h5, const ioa_network *network, ioa_error *error)
{
    ioa_status status = write_root(h5, &network->a, error);
    if (status == IOA_OK) status = write_connections(h5, &network->a, error);
    if (status == IOA_OK) status = write_neurons(h5, &network->a, error);
    return status;
}

static ioa_status write_network(const ioa_h5 *h5, const void *content, ioa_error *error)
{
    ioa_status status = ioa_h5_put_text(h5, "/", "schema_name", SCHEMA, error);
    if (status == IOA_OK) status = ioa_h5_put_text(h5, "/", "schema_version", VERSION, error);
    return status == IOA_OK ? ioa_network_put(h5, content, error) : status;
}

ioa_status ioa_network_write(const ioa_network *network, const char *path, ioa_error *error)
{
    return ioa_h5_write_file(path, write_network, network, error);
}
