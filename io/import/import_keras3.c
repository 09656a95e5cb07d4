/* Keras 3. Weights (save_weights, or model.weights.h5 in a .keras file) are groups layers/CLASS, CLASS_1, ..: the classes in
 * snake case, counted in the model's sequence, each with a group vars of numbered arrays; of a dense layer 0 is the kernel
 * [in, out], 1 the bias. Newer versions note the layer's own name as an attribute of vars. A .keras file is a zip archive
 * of those weights, of the model's JSON (config.json) and of metadata. */
#include "io/import/import_keras.h"

#include "core/base/mem.h"
#include "io/import/import_zip.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_LAYERS 65536u
#define NAME 96

static const char *const roots[] = {"layers", "_layer_checkpoint_dependencies"}; /* the latter before 3.0 was done */

static const char *root_of(const ioa_keras_reader *r)
{
    for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++)
        if (ioa_h5_exists(&r->h5, roots[i])) return roots[i];
    return NULL;
}

bool ioa_keras3_probe(const ioa_keras_reader *r)
{
    return root_of(r) != NULL;
}

typedef struct listing {
    const ioa_keras_reader *r;
    const char *root;
    uint32_t dense; /* layers found; their groups must be dense, dense_1, .. */
    bool *seen;     /* [MOST_LAYERS] by number; owned */
} listing;

/* Number of a dense layer's group: 0 for "dense", N for "dense_N"; -1 for others. */
static int64_t number_of(const char *name)
{
    if (strncmp(name, "dense", 5) != 0) return -1;
    if (name[5] == '\0') return 0;
    char *end;
    if (name[5] != '_' || name[6] < '1' || name[6] > '9' || strlen(name) > 12) return -1;
    long number = strtol(name + 6, &end, 10);
    return *end == '\0' && number < (long)MOST_LAYERS ? number : -1;
}

static ioa_status visit(const char *name, void *context, ioa_error *error)
{
    listing *l = context;
    const char *path = l->r->h5.path;
    char inner[3][256];
    static const char *const parts[] = {"layers", "vars/0", "vars/2"};
    for (int i = 0; i < 3; i++)
        if ((size_t)snprintf(inner[i], sizeof inner[i], "%s/%.150s/%s", l->root, name, parts[i]) >= sizeof inner[i]) break;
    if (ioa_h5_exists(&l->r->h5, inner[0]))
        return ioa_fail(error, IOA_ERR_INPUT, "%s: %.60s: is a model within the model; only chains of layers can be imported",
                        path, name);
    if (!ioa_h5_exists(&l->r->h5, inner[1])) return IOA_OK; /* an activation, dropout, the input */
    int64_t number = number_of(name);
    if (number < 0 || ioa_h5_exists(&l->r->h5, inner[2]))
        return ioa_fail(error, IOA_ERR_INPUT, "%s: %.60s: only dense layers (kernel, bias) can be imported", path, name);
    l->seen[number] = true;
    l->dense++;
    return IOA_OK;
}

static ioa_status read_layer(ioa_keras_reader *r, const char *root, uint32_t number, ioa_error *error)
{
    char group[NAME], vars[NAME], kernel[NAME], bias[NAME], own[NAME] = "";
    snprintf(group, sizeof group, number ? "dense_%" PRIu32 : "dense", number);
    snprintf(vars, sizeof vars, "%.40s/%.20s/vars", root, group);
    snprintf(kernel, sizeof kernel, "%.80s/0", vars);
    snprintf(bias, sizeof bias, "%.80s/1", vars);
    bool named = ioa_h5_has_attribute(&r->h5, vars, "name");
    ioa_status status = named ? ioa_h5_get_text(&r->h5, vars, "name", own, sizeof own, error) : IOA_OK;
    if (status != IOA_OK) return status;
    return ioa_keras_read_dense(r, named ? own : group, named ? own : NULL, kernel,
                                ioa_h5_exists(&r->h5, bias) ? bias : NULL, error);
}

ioa_status ioa_keras3_read_layers(ioa_keras_reader *r, ioa_error *error)
{
    listing l = {.r = r, .root = root_of(r), .seen = ioa_alloc_zero(MOST_LAYERS, sizeof *l.seen)};
    if (!l.seen) return ioa_fail_nomem(error, "a list of layers", MOST_LAYERS, sizeof *l.seen);
    ioa_status status = ioa_h5_each_member(&r->h5, l.root, visit, &l, error);
    if (status == IOA_OK && l.dense == 0)
        status = ioa_fail(error, IOA_ERR_INPUT, "%s: %s: holds no layer with weights", r->h5.path, l.root);
    for (uint32_t i = 0; i < l.dense && status == IOA_OK; i++)
        status = l.seen[i] ? read_layer(r, l.root, i, error)
                           : ioa_fail(error, IOA_ERR_INPUT, "%s: %s: dense layer %" PRIu32 " of %" PRIu32 " is missing",
                                      r->h5.path, l.root, i + 1, l.dense);
    if (status == IOA_OK && !r->json && !r->model->options->activation)
        ioa_model_warn(r->model, "the file does not tell the activations; --model config.json does, or --activation");
    ioa_free(l.seen);
    return status;
}

/* ---- .keras ---- */

typedef struct package {
    ioa_bytes file, json, weights; /* owned */
} package;

static ioa_status unpack(const char *path, package *p, ioa_error *error)
{
    ioa_zip zip;
    ioa_status status = ioa_bytes_load(path, &p->file, error);
    if (status == IOA_OK) status = ioa_zip_open(path, &p->file, &zip, error);
    while (status == IOA_OK && zip.left) {
        ioa_zip_member member;
        status = ioa_zip_next(&zip, &member, error);
        if (status != IOA_OK) break;
        ioa_bytes *to = strcmp(member.name, "config.json") == 0        ? &p->json
                        : strcmp(member.name, "model.weights.h5") == 0 ? &p->weights
                                                                       : NULL;
        if (to && !to->data) status = ioa_zip_read(&zip, &member, to, error);
    }
    if (status == IOA_OK && (!p->json.data || !p->weights.data))
        status = ioa_fail(error, IOA_ERR_INPUT, "%s: %s: is missing; this is no model of Keras 3", path,
                          p->json.data ? "model.weights.h5" : "config.json");
    return status;
}

/* A file of its own for the HDF5 library, removed when it has been read. */
static ioa_status store(const ioa_bytes *bytes, char *path, size_t size, ioa_error *error)
{
    const char *folder = getenv("TMPDIR");
    if ((size_t)snprintf(path, size, "%s/ioanneal-XXXXXX", folder && *folder ? folder : "/tmp") >= size)
        return ioa_fail(error, IOA_ERR_SYSTEM, "TMPDIR is too long");
    int fd = mkstemp(path);
    bool good = fd >= 0;
    for (uint64_t at = 0; good && at < bytes->size;) {
        ssize_t wrote = write(fd, bytes->data + at, bytes->size - at);
        if (wrote < 0 && errno == EINTR) continue;
        good = wrote > 0;
        if (good) at += (uint64_t)wrote;
    }
    int code = errno;
    if (fd >= 0 && close(fd) != 0 && good) good = false, code = errno;
    if (good) return IOA_OK;
    if (fd >= 0) unlink(path);
    return ioa_fail(error, IOA_ERR_SYSTEM, "%s: cannot be written: %s", path, strerror(code));
}

/* What is wrong with the temporary file is wrong with the one in the archive. */
static void rename_in_text(const char *path, const char *shown, ioa_error *error)
{
    size_t length = strlen(path);
    if (!error || strncmp(error->text, path, length) != 0) return;
    char rest[IOA_ERROR_TEXT];
    snprintf(rest, sizeof rest, "%s", error->text + length);
    snprintf(error->text, sizeof error->text, "%.400s: model.weights.h5%.600s", shown, rest);
}

static ioa_status read_package(const char *path, ioa_model *model, ioa_error *error)
{
    package p = {.file = {0}, .json = {0}, .weights = {0}};
    char weights[1024] = "";
    const ioa_import_options *o = model->options;
    ioa_status status = unpack(path, &p, error);
    if (status == IOA_OK) status = store(&p.weights, weights, sizeof weights, error);
    if (status == IOA_OK) {
        bool own = !o->model && !o->activation; /* the user's word on activations goes first */
        status = ioa_keras_read_weights(weights, path, own ? (const char *)p.json.data : NULL, p.json.size, model, error);
        if (status != IOA_OK) rename_in_text(weights, path, error);
        unlink(weights);
    }
    ioa_free(p.file.data);
    ioa_free(p.json.data);
    ioa_free(p.weights.data);
    return status;
}

const ioa_import_format ioa_import_keras3 = {
    .name = "keras3", .summary = ".keras, Keras 3: a model with its activations", .extension = ".keras",
    .orientation = IOA_IN_OUT, .read_model = read_package};
