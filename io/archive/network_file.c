/* Hashes and writing; reading is network_read.c. */
#include "io/archive/network_schema.h"

#include "core/base/mem.h"
#include "core/model/network.h"
#include "io/archive/bundle.h"
#include "io/base/hash.h"
#include "io/h5/h5.h"

#include <inttypes.h>
#include <string.h>

/* ---- hashes ---- */

ioa_status ioa_network_hash_topology(const ioa_network_arrays *a, char *text, ioa_error *error)
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

ioa_status ioa_network_hash_weights(const ioa_network_arrays *a, bool with_param, char *text, ioa_error *error)
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
    return ioa_network_hash_topology(&network->a, text, error);
}

ioa_status ioa_network_weights_hash(const ioa_network *network, char *text, ioa_error *error)
{
    return ioa_network_hash_weights(&network->a, true, text, error);
}

/* ---- writing ---- */

static ioa_status write_root(const ioa_h5 *h5, const ioa_network_arrays *a, ioa_error *error)
{
    char hash[IOA_SHA256_TEXT];
    ioa_status status = a->name ? ioa_h5_put_text(h5, "/", "name", a->name, error) : IOA_OK;
    if (status == IOA_OK) status = ioa_network_hash_topology(a, hash, error);
    if (status == IOA_OK) status = ioa_h5_put_text(h5, "/", "topology_sha256", hash, error);
    if (status == IOA_OK) status = ioa_network_hash_weights(a, true, hash, error);
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
    ioa_status status = ioa_h5_put_text(h5, "/", "schema_name", IOA_NETWORK_SCHEMA, error);
    if (status == IOA_OK) status = ioa_h5_put_text(h5, "/", "schema_version", IOA_NETWORK_VERSION, error);
    return status == IOA_OK ? ioa_network_put(h5, content, error) : status;
}

ioa_status ioa_network_write(const ioa_network *network, const char *path, ioa_error *error)
{
    return ioa_h5_write_file(path, write_network, network, error);
}
