#include "io/import/import_tensors.h"

#include "core/base/mem.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

ioa_status ioa_tensor_values(const ioa_tensor *tensor, const char *path, float **values, ioa_error *error)
{
    float *out = ioa_alloc(tensor->count, sizeof *out);
    if (!out) return ioa_fail_nomem(error, path, tensor->count, sizeof *out);
    uint64_t columns = tensor->rank == 2 ? tensor->shape[1] : 1, rows = tensor->rank == 2 ? tensor->shape[0] : 0;
    for (uint64_t i = 0; i < tensor->count; i++) {
        uint64_t at = tensor->fortran && rows ? i % columns * rows + i / columns : i;
        out[i] = (float)ioa_number_real(tensor->number, tensor->data + at * tensor->number.size);
    }
    *values = out;
    return IOA_OK;
}

#define MOST_TENSORS 4096u

/* Like strcmp, but runs of digits compare as numbers: W2 before W10. */
static int compare_names(const char *a, const char *b)
{
    for (;;) {
        size_t x = strspn(a, "0123456789"), y = strspn(b, "0123456789");
        if (x && y) {
            while (x > 1 && *a == '0') a++, x--;
            while (y > 1 && *b == '0') b++, y--;
            if (x != y) return x < y ? -1 : 1;
            int order = strncmp(a, b, x);
            if (order) return order;
            a += x;
            b += y;
        } else {
            if (*a != *b) return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
            if (!*a) return 0;
            a++;
            b++;
        }
    }
}

static int by_name(const void *left, const void *right)
{
    const ioa_tensor *a = left, *b = right;
    int order = compare_names(a->name, b->name);
    return order ? order : strcmp(a->name, b->name);
}

static ioa_tensor *find(ioa_tensor *tensors, uint64_t count, const char *name, size_t length)
{
    for (uint64_t i = 0; i < count; i++)
        if (strlen(tensors[i].name) == length && memcmp(tensors[i].name, name, length) == 0) return &tensors[i];
    return NULL;
}

/* The unused vector whose name comes from `name` by replacing the last `from`. */
static ioa_tensor *renamed(ioa_tensor *tensors, uint64_t count, const char *name, const char *from, const char *to)
{
    char other[IOA_TENSOR_NAME + 8];
    const char *last = NULL;
    for (const char *c = name; (c = strstr(c, from)) != NULL; c++) last = c;
    if (!last) return NULL;
    int length = snprintf(other, sizeof other, "%.*s%s%s", (int)(last - name), name, to, last + strlen(from));
    ioa_tensor *found = find(tensors, count, other, (size_t)length);
    return found && found->rank == 1 && !found->used ? found : NULL;
}

static ioa_tensor *bias_by_name(ioa_tensor *tensors, uint64_t count, const char *name)
{
    static const char *const pairs[][2] = {{"weight", "bias"}, {"kernel", "bias"}, {"W", "b"}, {"w", "b"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        ioa_tensor *found = renamed(tensors, count, name, pairs[i][0], pairs[i][1]);
        if (found) return found;
    }
    return NULL;
}

static ioa_status add_layer(ioa_tensor *weights, ioa_tensor *bias, ioa_orientation orientation, const char *path,
                            ioa_model *model, ioa_error *error)
{
    ioa_model_layer *layer;
    float *values = NULL;
    weights->used = true;
    ioa_status status = ioa_model_add(model, path, weights->name, &layer, error);
    if (status == IOA_OK) status = ioa_tensor_values(weights, path, &values, error);
    if (status != IOA_OK) return status;
    layer->orientation = orientation;
    status = ioa_matrix_from_dense(&layer->weights, weights->shape[0], weights->shape[1], values, path, weights->name,
                                   error);
    ioa_free(values);
    if (status != IOA_OK || !bias) return status;
    bias->used = true;
    layer->biases = bias->count;
    return ioa_tensor_values(bias, path, &layer->bias, error);
}

/* Weights by the user's list; everything that is not asked for may be there. */
static ioa_status listed(ioa_tensor *tensors, uint64_t count, ioa_orientation orientation, const char *path,
                         ioa_model *model, ioa_error *error)
{
    ioa_status status = IOA_OK;
    for (const char *at = model->options->tensors; at && status == IOA_OK;) {
        size_t length = strcspn(at, ",");
        ioa_tensor *weights = find(tensors, count, at, length);
        if (!weights || weights->rank != 2 || weights->used)
            return ioa_fail(error, IOA_ERR_INPUT, "%s: %.*s: %s", path, (int)length, at,
                            !weights ? "there is no such tensor" : weights->used ? "is listed twice" : "is not a matrix");
        status = add_layer(weights, bias_by_name(tensors, count, weights->name), orientation, path, model, error);
        at = at[length] ? at + length + 1 : NULL;
    }
    return status;
}

static bool any_bias_by_name(ioa_tensor *tensors, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        if (tensors[i].rank == 2 && bias_by_name(tensors, count, tensors[i].name)) return true;
    return false;
}

static ioa_status all_of_them(ioa_tensor *tensors, uint64_t count, ioa_orientation orientation, const char *path,
                              ioa_model *model, ioa_error *error)
{
    bool named = any_bias_by_name(tensors, count);
    uint64_t next = 0;
    ioa_status status = IOA_OK;
    for (uint64_t i = 0; i < count && status == IOA_OK; i++) {
        if (tensors[i].rank != 2) continue;
        ioa_tensor *bias = NULL;
        if (named) {
            bias = bias_by_name(tensors, count, tensors[i].name);
        } else {
            while (next < count && tensors[next].rank != 1) next++;
            if (next < count) bias = &tensors[next++];
        }
        status = add_layer(&tensors[i], bias, orientation, path, model, error);
    }
    for (uint64_t i = 0; i < count && status == IOA_OK; i++)
        if (!tensors[i].used)
            status = ioa_fail(error, IOA_ERR_INPUT, "%s: %s: is neither the weights nor the bias of a layer (%u dimensions);"
                              " list the weights to import with --tensors", path, tensors[i].name, tensors[i].rank);
    return status;
}

ioa_status ioa_tensors_to_layers(ioa_tensor *tensors, uint64_t count, ioa_orientation orientation, const char *path,
                                 ioa_model *model, ioa_error *error)
{
    uint64_t matrices = 0;
    /* Names are matched pairwise; nothing real has so many layers. */
    if (count > MOST_TENSORS) return ioa_fail(error, IOA_ERR_INPUT, "%s: holds %" PRIu64 " tensors", path, count);
    if (count) qsort(tensors, count, sizeof *tensors, by_name);
    for (uint64_t i = 0; i < count; i++) {
        matrices += tensors[i].rank == 2;
        if (i > 0 && strcmp(tensors[i - 1].name, tensors[i].name) == 0)
            return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: is there twice", path, tensors[i].name);
    }
    if (matrices == 0) return ioa_fail(error, IOA_ERR_INPUT, "%s: holds no matrix of weights", path);
    return model->options->tensors ? listed(tensors, count, orientation, path, model, error)
                                   : all_of_them(tensors, count, orientation, path, model, error);
}
