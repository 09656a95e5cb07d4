/* safetensors (Hugging Face): u64 length of a JSON header, the header, raw little-endian row-major data. Matrices are
 * [out, in] unless the user says otherwise, as PyTorch stores nn.Linear. */
#include "io/import/import_tensors.h"

#include "core/base/mem.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MAX_HEADER (UINT64_C(64) << 20)

typedef struct content {
    const char *path;
    const unsigned char *data; /* behind the header */
    uint64_t size, claimed;    /* bytes there are, and all tensors together so far */
} content;

static bool whole(const cJSON *json, uint64_t *value)
{
    double number = cJSON_IsNumber(json) ? json->valuedouble : -1;
    if (!(number >= 0 && number < 9007199254740992.0 && number == floor(number))) return false;
    *value = (uint64_t)number;
    return true;
}

static bool parse_type(const char *name, ioa_number *number)
{
    static const struct {
        const char *name;
        ioa_number number;
    } known[] = {{"F32", {'f', 4, false}}, {"F16", {'f', 2, false}}, {"BF16", {'b', 2, false}}, {"F64", {'f', 8, false}},
                 {"I8", {'i', 1, false}},  {"I16", {'i', 2, false}}, {"I32", {'i', 4, false}},  {"I64", {'i', 8, false}},
                 {"U8", {'u', 1, false}},  {"U16", {'u', 2, false}}, {"U32", {'u', 4, false}},  {"U64", {'u', 8, false}},
                 {"BOOL", {'u', 1, false}}};
    for (size_t i = 0; name && i < sizeof known / sizeof known[0]; i++)
        if (strcmp(name, known[i].name) == 0) {
            *number = known[i].number;
            return true;
        }
    return false;
}

static bool parse_shape(const cJSON *array, ioa_tensor *t)
{
    const cJSON *length;
    if (!cJSON_IsArray(array)) return false;
    t->count = 1;
    cJSON_ArrayForEach(length, array)
    {
        uint64_t n;
        if (t->rank == 32 || !whole(length, &n) || (n && t->count > UINT64_MAX / 16 / n)) return false;
        if (t->rank < 2) t->shape[t->rank] = n;
        t->count *= n;
        t->rank++;
    }
    return true;
}

static ioa_status parse_tensor(content *c, const cJSON *entry, ioa_tensor *tensor, ioa_error *error)
{
    const cJSON *offsets = cJSON_GetObjectItemCaseSensitive(entry, "data_offsets");
    const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "dtype"));
    ioa_tensor t = {0};
    uint64_t begin, end;
    if (snprintf(t.name, sizeof t.name, "%s", entry->string) >= (int)sizeof t.name)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: %.40s..: has too long a name", c->path, entry->string);
    if (!parse_type(type, &t.number))
        return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: has type \"%.20s\", which is not supported", c->path, t.name,
                        type ? type : "");
    if (!parse_shape(cJSON_GetObjectItemCaseSensitive(entry, "shape"), &t))
        return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: has an impossible shape", c->path, t.name);
    if (!whole(cJSON_GetArrayItem(offsets, 0), &begin) || !whole(cJSON_GetArrayItem(offsets, 1), &end) || begin > end ||
        end > c->size || (end - begin) / t.number.size != t.count || (end - begin) % t.number.size != 0)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: its place in the file does not fit its shape or the file: damaged or"
                        " truncated", c->path, t.name);
    if (end - begin > c->size - c->claimed)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: overlaps another tensor", c->path, t.name);
    c->claimed += end - begin;
    t.data = c->data + begin;
    *tensor = t;
    return IOA_OK;
}

static ioa_status parse(content *c, const cJSON *json, ioa_model *model, ioa_error *error)
{
    uint64_t count = 0;
    const cJSON *entry;
    if (!cJSON_IsObject(json)) return ioa_fail(error, IOA_ERR_INPUT, "%s: has no readable JSON header", c->path);
    cJSON_ArrayForEach(entry, json) count++;
    ioa_tensor *tensors = ioa_alloc(count, sizeof *tensors);
    if (!tensors) return ioa_fail_nomem(error, c->path, count, sizeof *tensors);
    ioa_status status = IOA_OK;
    count = 0;
    cJSON_ArrayForEach(entry, json)
    {
        if (strcmp(entry->string, "__metadata__") == 0) continue;
        status = parse_tensor(c, entry, &tensors[count++], error);
        if (status != IOA_OK) break;
    }
    if (status == IOA_OK) status = ioa_tensors_to_layers(tensors, count, IOA_OUT_IN, c->path, model, error);
    ioa_free(tensors);
    return status;
}

static ioa_status read_model(const char *path, ioa_model *model, ioa_error *error)
{
    ioa_bytes bytes = {0};
    ioa_status status = ioa_bytes_load(path, &bytes, error);
    if (status != IOA_OK) return status;
    uint64_t length = bytes.size >= 8 ? ioa_load_u64(bytes.data) : UINT64_MAX;
    if (length > MAX_HEADER || length > bytes.size - 8) {
        status = ioa_fail(error, IOA_ERR_INPUT, "%s: is truncated, or not a safetensors file", path);
    } else {
        content c = {.path = path, .data = bytes.data + 8 + length, .size = bytes.size - 8 - length};
        cJSON *json = cJSON_ParseWithLength((const char *)bytes.data + 8, length);
        status = parse(&c, json, model, error);
        cJSON_Delete(json);
    }
    ioa_free(bytes.data);
    return status;
}

const ioa_import_format ioa_import_safetensors = {
    .name = "safetensors", .summary = ".safetensors: matrices and vectors, [out, in]", .extension = ".safetensors", .orientation = IOA_OUT_IN, .read_model = read_model};
