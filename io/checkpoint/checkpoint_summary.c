/* Looking at a checkpoint without reading what is large in it. */
#include "io/checkpoint/checkpoint_file.h"

#include "core/base/mem.h"
#include "io/archive/archive_schema.h"
#include "io/h5/h5.h"

#include <string.h>

bool ioa_checkpoint_probe(const char *path)
{
    return ioa_h5_probe(path, IOA_CHECKPOINT_SCHEMA);
}

void ioa_checkpoint_summary_free(ioa_checkpoint_summary *s)
{
    ioa_free(s->memories);
    ioa_free(s->policy);
    ioa_free(s->method);
    ioa_free(s->seed);
    ioa_free(s->replicas);
    ioa_free(s->done);
    *s = (ioa_checkpoint_summary){0};
}

static ioa_status get_value(const ioa_h5 *h5, const char *name, ioa_h5_kind kind, void *value, ioa_error *error)
{
    char path[IOA_ARCHIVE_NAME];
    void *values;
    uint64_t one = 1;
    ioa_archive_name(path, "values/%s", name);
    ioa_status status = ioa_h5_read(h5, path, kind, 1, &one, &values, error);
    if (status != IOA_OK) return status;
    memcpy(value, values, ioa_h5_size(kind));
    ioa_free(values);
    return IOA_OK;
}

static ioa_status read_configuration(const ioa_h5 *h5, ioa_checkpoint_summary *s, ioa_error *error)
{
    const struct {
        const char *key;
        char **text;
    } wanted[] = {{"memories", &s->memories}, {"policy", &s->policy}, {"method", &s->method}, {"seed", &s->seed},
                  {"replicas", &s->replicas}};
    if (!ioa_h5_exists(h5, "configuration"))
        return ioa_fail(error, IOA_ERR_INPUT, "%s: configuration: is missing", h5->path);
    ioa_status status = IOA_OK;
    for (size_t i = 0; status == IOA_OK && i < sizeof wanted / sizeof *wanted; i++)
        status = ioa_h5_get_string(h5, "configuration", wanted[i].key, wanted[i].text, error);
    return status;
}

static ioa_status read_done(const ioa_h5 *h5, ioa_checkpoint_summary *s, ioa_error *error)
{
    char group[IOA_ARCHIVE_NAME];
    uint64_t count = 0;
    for (;; count++) { /* as many as there are, whatever is claimed */
        ioa_archive_name(group, "finished/%04u", (unsigned)count);
        if (!ioa_h5_exists(h5, group)) break;
    }
    s->done = ioa_alloc_zero(count, sizeof *s->done);
    if (!s->done) return ioa_fail_nomem(error, "the sizes that are done", count, sizeof *s->done);
    ioa_status status = IOA_OK;
    for (; status == IOA_OK && s->done_count < count; s->done_count++) {
        ioa_checkpoint_size *size = &s->done[s->done_count];
        ioa_archive_name(group, "finished/%04u", (unsigned)s->done_count);
        status = ioa_h5_get(h5, group, "memory", IOA_H5_U64, 0, &size->memory, error);
        if (status == IOA_OK) status = ioa_h5_get(h5, group, "total", IOA_H5_U64, 0, &size->total, error);
        if (status == IOA_OK) status = ioa_h5_get(h5, group, "lower_bound", IOA_H5_U64, 0, &size->lower_bound, error);
        if (status == IOA_OK && size->total < size->lower_bound)
            status = ioa_fail(error, IOA_ERR_INPUT, "%s: %s: costs less than its lower bound", h5->path, group);
    }
    return status;
}

static ioa_status read_search(const ioa_h5 *h5, ioa_checkpoint_summary *s, ioa_error *error)
{
    ioa_status status = get_value(h5, "rounds", IOA_H5_U64, &s->rounds, error);
    if (status == IOA_OK) status = get_value(h5, "planned", IOA_H5_U64, &s->planned, error);
    if (status == IOA_OK) status = get_value(h5, "start_total", IOA_H5_U64, &s->start_total, error);
    if (status == IOA_OK) status = get_value(h5, "best_total", IOA_H5_U64, &s->best_total, error);
    if (status == IOA_OK) status = get_value(h5, "lower_bound", IOA_H5_U64, &s->lower_bound, error);
    if (status == IOA_OK) status = get_value(h5, "elapsed", IOA_H5_F64, &s->elapsed, error);
    if (status == IOA_OK && (s->best_total < s->lower_bound || s->start_total < s->best_total || !(s->elapsed >= 0.0)))
        status = ioa_fail(error, IOA_ERR_INPUT, "%s: values: those of the search are impossible", h5->path);
    return status;
}

ioa_status ioa_checkpoint_summarize(const char *path, ioa_checkpoint_summary *s, ioa_error *error)
{
    ioa_h5 h5;
    uint64_t searching = 0;
    *s = (ioa_checkpoint_summary){0};
    ioa_status status = ioa_h5_open(path, &h5, error);
    if (status != IOA_OK) return status;
    status = ioa_h5_check_schema(&h5, IOA_CHECKPOINT_SCHEMA, IOA_CHECKPOINT_MAJOR, error);
    if (status == IOA_OK) status = read_configuration(&h5, s, error);
    if (status == IOA_OK) status = ioa_checkpoint_get_owner(&h5, &s->owner, error);
    if (status == IOA_OK) status = get_value(&h5, "job_elapsed", IOA_H5_F64, &s->job_elapsed, error);
    if (status == IOA_OK) status = get_value(&h5, "searching", IOA_H5_U64, &searching, error);
    if (status == IOA_OK) status = read_done(&h5, s, error);
    s->searching = searching;
    if (status == IOA_OK && searching) status = read_search(&h5, s, error);
    status = ioa_h5_end(&h5, status, error);
    if (status != IOA_OK) ioa_checkpoint_summary_free(s);
    return status;
}
