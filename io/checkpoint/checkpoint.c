#include "io/checkpoint/checkpoint.h"

#include "core/base/mem.h"
#include "io/archive/archive_schema.h"
#include "io/checkpoint/checkpoint_file.h"
#include "io/h5/h5.h"

#include <inttypes.h>
#include <string.h>

#define MOST_REPLICAS 10000000u

static ioa_h5_kind kind_of(ioa_value_type type)
{
    static const ioa_h5_kind kinds[] = {[IOA_VALUE_U32] = IOA_H5_U32, [IOA_VALUE_U64] = IOA_H5_U64,
                                        [IOA_VALUE_I64] = IOA_H5_I64, [IOA_VALUE_F64] = IOA_H5_F64};
    return kinds[type];
}

size_t ioa_value_size(ioa_value_type type)
{
    return ioa_h5_size(kind_of(type));
}

/* ---- writing ---- */

static ioa_status write_owner(const ioa_h5 *h5, const ioa_owner *o, ioa_error *error)
{
    ioa_status status = ioa_h5_put_group(h5, "owner", error);
    if (status == IOA_OK) status = ioa_h5_put_text(h5, "owner", "host", o->host, error);
    if (status == IOA_OK) status = ioa_h5_put_text(h5, "owner", "slurm_job_id", o->job, error);
    if (status == IOA_OK) status = ioa_h5_put(h5, "owner", "slurm_restart_count", IOA_H5_U64, 0, &o->restart, error);
    if (status == IOA_OK) status = ioa_h5_put(h5, "owner", "pid", IOA_H5_U64, 0, &o->pid, error);
    if (status == IOA_OK) status = ioa_h5_put(h5, "owner", "began", IOA_H5_I64, 0, &o->began, error);
    return status;
}

static ioa_status write_values(const ioa_h5 *h5, const ioa_checkpoint *c, ioa_error *error)
{
    char name[IOA_ARCHIVE_NAME];
    ioa_status status = ioa_h5_put_group(h5, "values", error);
    for (size_t i = 0; status == IOA_OK && i < c->value_count; i++) {
        const ioa_value *v = &c->values[i];
        ioa_archive_name(name, "values/%s", v->name);
        status = ioa_h5_write(h5, name, kind_of(v->type), 1, &v->count, v->values, error);
    }
    return status;
}

static ioa_status write_finished(const ioa_h5 *h5, const ioa_archive *a, ioa_error *error)
{
    char name[IOA_ARCHIVE_NAME];
    ioa_status status = ioa_h5_put_group(h5, "finished", error);
    for (uint32_t i = 0; status == IOA_OK && a && i < a->count; i++) {
        ioa_archive_name(name, "finished/%04u", (unsigned)i);
        status = ioa_archive_put_schedule(h5, name, a, &a->schedules[i], error);
    }
    return status;
}

/* Every state is asked for, whatever has failed: whoever sends them counts on it. */
static ioa_status write_replicas(const ioa_h5 *h5, const ioa_checkpoint *c, ioa_status status, ioa_error *error)
{
    char name[IOA_ARCHIVE_NAME];
    if (status == IOA_OK) status = ioa_h5_put_group(h5, "replicas", error);
    if (status == IOA_OK) status = ioa_h5_put(h5, "replicas", "count", IOA_H5_U32, 0, &c->replicas, error);
    for (uint32_t k = 0; k < c->replicas; k++) {
        const void *bytes = NULL;
        uint64_t count = 0;
        ioa_status given = c->replica(c->context, k, &bytes, &count, status == IOA_OK ? error : NULL);
        if (status == IOA_OK) status = given;
        if (status != IOA_OK) continue;
        ioa_archive_name(name, "replicas/%06" PRIu32, k);
        status = ioa_h5_write_bytes(h5, name, count, bytes, error);
    }
    return status;
}

static ioa_status fill(const ioa_h5 *h5, const ioa_checkpoint *c, ioa_error *error)
{
    ioa_status status = ioa_h5_put_text(h5, "/", "schema_name", IOA_CHECKPOINT_SCHEMA, error);
    if (status == IOA_OK) status = ioa_h5_put_text(h5, "/", "schema_version", IOA_CHECKPOINT_VERSION, error);
    if (status == IOA_OK) status = ioa_h5_put_group(h5, "configuration", error);
    for (size_t i = 0; status == IOA_OK && i < c->fact_count; i++)
        status = ioa_h5_put_text(h5, "configuration", c->facts[i].key, c->facts[i].value, error);
    if (status == IOA_OK) status = write_owner(h5, &c->owner, error);
    if (status == IOA_OK) status = write_values(h5, c, error);
    if (status == IOA_OK) status = write_finished(h5, c->finished, error);
    return write_replicas(h5, c, status, error);
}

static void ask_for_nothing(const ioa_checkpoint *c)
{
    const void *bytes;
    uint64_t count;
    for (uint32_t k = 0; k < c->replicas; k++) (void)c->replica(c->context, k, &bytes, &count, NULL);
}

ioa_status ioa_checkpoint_write(const ioa_checkpoint *c, const char *path, ioa_error *error)
{
    ioa_atomic_file file;
    ioa_h5 h5;
    ioa_status status = ioa_checkpoint_owned(path, &c->owner, error);
    if (status == IOA_OK) status = ioa_atomic_begin(path, &file, error);
    if (status != IOA_OK) {
        ask_for_nothing(c);
        return status;
    }
    status = ioa_h5_create(file.temp, path, &h5, error);
    if (status == IOA_OK) {
        status = fill(&h5, c, error);
        ioa_status closed = ioa_h5_close(&h5, status == IOA_OK ? error : NULL);
        if (status == IOA_OK) status = closed;
    } else
        ask_for_nothing(c);
    if (status == IOA_OK) status = ioa_checkpoint_owned(path, &c->owner, error);
    if (status == IOA_OK) return ioa_checkpoint_commit(&file, error);
    ioa_atomic_abort(&file);
    return status;
}

/* ---- reading ---- */

struct ioa_checkpoint_file {
    ioa_h5 h5;
    char *path; /* owned; h5 borrows it */
    uint32_t replicas;
};

void ioa_checkpoint_close(ioa_checkpoint_file *file)
{
    if (!file) return;
    ioa_h5_close(&file->h5, NULL);
    ioa_free(file->path);
    ioa_free(file);
}

ioa_status ioa_checkpoint_get_owner(const ioa_h5 *h5, ioa_owner *o, ioa_error *error)
{
    *o = (ioa_owner){0};
    if (!ioa_h5_exists(h5, "owner")) return ioa_fail(error, IOA_ERR_INPUT, "%s: owner: is missing", h5->path);
    ioa_status status = ioa_h5_get_text(h5, "owner", "host", o->host, sizeof o->host, error);
    if (status == IOA_OK) status = ioa_h5_get_text(h5, "owner", "slurm_job_id", o->job, sizeof o->job, error);
    if (status == IOA_OK) status = ioa_h5_get(h5, "owner", "slurm_restart_count", IOA_H5_U64, 0, &o->restart, error);
    if (status == IOA_OK) status = ioa_h5_get(h5, "owner", "pid", IOA_H5_U64, 0, &o->pid, error);
    if (status == IOA_OK) status = ioa_h5_get(h5, "owner", "began", IOA_H5_I64, 0, &o->began, error);
    return status;
}

bool ioa_checkpoint_read_owner(const char *path, ioa_owner *owner)
{
    ioa_h5 h5;
    if (ioa_h5_open(path, &h5, NULL) != IOA_OK) return false;
    bool known = ioa_h5_check_schema(&h5, IOA_CHECKPOINT_SCHEMA, IOA_CHECKPOINT_MAJOR, NULL) == IOA_OK &&
                 ioa_checkpoint_get_owner(&h5, owner, NULL) == IOA_OK;
    ioa_h5_close(&h5, NULL);
    return known;
}

static ioa_status check_facts(const ioa_h5 *h5, const ioa_fact_pair *facts, size_t count, ioa_error *error)
{
    if (!ioa_h5_exists(h5, "configuration"))
        return ioa_fail(error, IOA_ERR_INPUT, "%s: configuration: is missing", h5->path);
    for (size_t i = 0; i < count; i++) {
        char *found;
        ioa_status status = ioa_h5_get_string(h5, "configuration", facts[i].key, &found, error);
        if (status != IOA_OK) return status;
        bool same = strcmp(found, facts[i].value) == 0;
        if (!same)
            status = ioa_fail(error, IOA_ERR_INPUT, "%s: belongs to another run: %s is %.200s there, here it is %.200s",
                              h5->path, facts[i].key, found, facts[i].value);
        ioa_free(found);
        if (!same) return status;
    }
    return IOA_OK;
}

typedef struct reading {
    const ioa_h5 *h5;
    uint32_t members;
} reading;

/* Reading is checking: every chunk has a checksum. */
static ioa_status check_value(const char *name, void *context, ioa_error *error)
{
    reading *r = context;
    char path[IOA_ARCHIVE_NAME];
    ioa_h5_kind kind;
    unsigned rank;
    uint64_t shape[IOA_H5_MAX_RANK];
    void *values;
    ioa_archive_name(path, "values/%s", name);
    ioa_status status = ioa_h5_describe(r->h5, path, &kind, &rank, shape, error);
    if (status == IOA_OK) status = ioa_h5_read(r->h5, path, kind, rank, shape, &values, error);
    if (status == IOA_OK) ioa_free(values);
    return status;
}

static ioa_status check_replicas(ioa_checkpoint_file *file, ioa_error *error)
{
    const ioa_h5 *h5 = &file->h5;
    if (!ioa_h5_exists(h5, "replicas")) return ioa_fail(error, IOA_ERR_INPUT, "%s: replicas: is missing", h5->path);
    ioa_status status = ioa_h5_get(h5, "replicas", "count", IOA_H5_U32, 0, &file->replicas, error);
    if (status == IOA_OK && file->replicas > MOST_REPLICAS)
        status = ioa_fail(error, IOA_ERR_INPUT, "%s: replicas: impossible count %" PRIu32, h5->path, file->replicas);
    for (uint32_t k = 0; status == IOA_OK && k < file->replicas; k++) {
        void *bytes;
        uint64_t count;
        status = ioa_checkpoint_get_replica(file, k, &bytes, &count, error);
        if (status == IOA_OK) ioa_free(bytes);
    }
    return status;
}

static ioa_status check_content(ioa_checkpoint_file *file, const ioa_fact_pair *facts, size_t count, ioa_error *error)
{
    const ioa_h5 *h5 = &file->h5;
    reading r = {.h5 = h5};
    ioa_owner owner;
    ioa_status status = ioa_h5_check_schema(h5, IOA_CHECKPOINT_SCHEMA, IOA_CHECKPOINT_MAJOR, error);
    if (status == IOA_OK) status = check_facts(h5, facts, count, error);
    if (status == IOA_OK) status = ioa_checkpoint_get_owner(h5, &owner, error);
    if (status == IOA_OK && (!ioa_h5_exists(h5, "values") || !ioa_h5_exists(h5, "finished")))
        status = ioa_fail(error, IOA_ERR_INPUT, "%s: values or finished: is missing", h5->path);
    if (status == IOA_OK) status = ioa_h5_each_member(h5, "values", check_value, &r, error);
    return status == IOA_OK ? check_replicas(file, error) : status;
}

ioa_status ioa_checkpoint_open(const char *path, bool previous, const ioa_fact_pair *facts, size_t count,
                               ioa_checkpoint_file **out, ioa_error *error)
{
    ioa_checkpoint_file *file = ioa_alloc_zero(1, sizeof *file);
    if (!file) return ioa_fail_nomem(error, "a checkpoint", 1, sizeof *file);
    file->h5.file = H5I_INVALID_HID;
    file->path = previous ? ioa_checkpoint_previous(path) : ioa_alloc_copy(path, strlen(path) + 1, 1);
    ioa_status status =
        file->path ? ioa_h5_open(file->path, &file->h5, error) : ioa_fail_nomem(error, "a file name", strlen(path), 1);
    if (status != IOA_OK) {
        file->h5.file = H5I_INVALID_HID;
        ioa_checkpoint_close(file);
        return status;
    }
    status = check_content(file, facts, count, error);
    if (status == IOA_OK) {
        *out = file;
        return status;
    }
    ioa_h5_end(&file->h5, status, error);
    ioa_free(file->path);
    ioa_free(file);
    return status;
}

uint32_t ioa_checkpoint_replicas(const ioa_checkpoint_file *file)
{
    return file->replicas;
}

ioa_status ioa_checkpoint_get(const ioa_checkpoint_file *file, const ioa_value *value, ioa_error *error)
{
    char name[IOA_ARCHIVE_NAME];
    void *values;
    uint64_t count = value->count;
    ioa_archive_name(name, "values/%s", value->name);
    ioa_status status = ioa_h5_read(&file->h5, name, kind_of(value->type), 1, &count, &values, error);
    if (status != IOA_OK) return status;
    if (count) memcpy(value->values, values, count * ioa_value_size(value->type));
    ioa_free(values);
    return IOA_OK;
}

ioa_status ioa_checkpoint_get_replica(const ioa_checkpoint_file *file, uint32_t replica, void **bytes, uint64_t *count,
                                      ioa_error *error)
{
    char name[IOA_ARCHIVE_NAME];
    ioa_archive_name(name, "replicas/%06" PRIu32, replica);
    *count = IOA_H5_ANY;
    return ioa_h5_read(&file->h5, name, IOA_H5_U8, 1, count, bytes, error);
}

ioa_status ioa_checkpoint_get_finished(const ioa_checkpoint_file *file, ioa_archive *archive, ioa_error *error)
{
    char group[IOA_ARCHIVE_NAME];
    ioa_status status = IOA_OK;
    for (unsigned i = 0; status == IOA_OK; i++) {
        ioa_schedule *schedule;
        ioa_archive_name(group, "finished/%04u", i);
        if (!ioa_h5_exists(&file->h5, group)) break;
        status = ioa_archive_add_schedule(archive, &schedule, error);
        if (status == IOA_OK)
            status = ioa_archive_get_schedule(&file->h5, group, archive->connections, schedule, error);
    }
    return status;
}
