#include "io/archive/archive.h"

#include "core/base/mem.h"
#include "io/archive/archive_schema.h"
#include "io/archive/bundle.h"
#include "io/h5/h5.h"

#include <string.h>

static ioa_status write_network(const ioa_h5 *h5, const ioa_archive *a, ioa_error *error)
{
    ioa_status status = ioa_h5_put_group(h5, "network", error);
    if (status == IOA_OK) status = ioa_h5_put_text(h5, "network", "name", a->network_name, error);
    for (size_t i = 0; i < ioa_archive_field_count && status == IOA_OK; i++) {
        const ioa_field *f = &ioa_archive_fields[i];
        status = ioa_h5_put(h5, "network", f->name, f->kind, 0, (const char *)a + f->offset, error);
    }
    if (status == IOA_OK) status = ioa_h5_put_text(h5, "network", "topology_sha256", a->topology_sha256, error);
    if (status == IOA_OK) status = ioa_h5_put_text(h5, "network", "weights_sha256", a->weights_sha256, error);
    return status;
}

/* What repeats into trace/, what was measured into measured/search/, a group that is there only if anything was. */
static ioa_status write_trace(const ioa_h5 *h5, const char *group, const ioa_schedule *s, bool measured, ioa_error *error)
{
    char name[IOA_ARCHIVE_NAME];
    const char *folder = measured ? "measured/search" : "trace";
    bool made = false;
    ioa_status status = IOA_OK;
    for (uint32_t i = 0; i <= s->columns && status == IOA_OK; i++) {
        if (!made && (!measured || (i < s->columns && s->trace[i].measured))) {
            ioa_archive_name(name, "%s/%s", group, folder);
            status = ioa_h5_put_group(h5, name, error);
            made = true;
        }
        if (i == s->columns || s->trace[i].measured != measured || status != IOA_OK) continue;
        const ioa_column *c = &s->trace[i];
        uint64_t shape[2] = {c->rows, c->width};
        ioa_archive_name(name, "%s/%s/%s", group, folder, c->name);
        status = ioa_h5_write(h5, name, c->whole ? IOA_H5_U64 : IOA_H5_F64, c->width > 1 ? 2 : 1, shape,
                              c->whole ? (const void *)c->whole : c->real, error);
    }
    return status;
}

/* Names as one text, times as a dataset. */
static ioa_status write_candidates(const ioa_h5 *h5, const char *group, const ioa_measurement *m, ioa_error *error)
{
    char name[IOA_ARCHIVE_NAME];
    uint64_t count = m->candidate_count;
    if (count == 0) return IOA_OK;
    char *names = ioa_alloc(count, IOA_PLAN_NAME), *end = names;
    double *seconds = ioa_alloc(count, sizeof *seconds);
    ioa_status status = names && seconds ? IOA_OK : ioa_fail_nomem(error, "the candidates", count, IOA_PLAN_NAME);
    for (uint64_t i = 0; i < count && status == IOA_OK; i++) {
        size_t length = strlen(m->candidates[i].name);
        memcpy(end, m->candidates[i].name, length);
        end[length] = i + 1 < count ? ' ' : '\0';
        end += length + 1;
        seconds[i] = m->candidates[i].seconds;
    }
    if (status == IOA_OK) status = ioa_h5_put_text(h5, group, "candidates", names, error);
    ioa_archive_name(name, "%s/seconds_candidates", group);
    if (status == IOA_OK) status = ioa_h5_write(h5, name, IOA_H5_F64, 1, &count, seconds, error);
    ioa_free(names);
    ioa_free(seconds);
    return status;
}

static ioa_status write_measured(const ioa_h5 *h5, const char *group, const ioa_measured *m, ioa_error *error)
{
    char name[IOA_ARCHIVE_NAME];
    uint64_t repeats = m->measurement.repeats;
    ioa_status status = ioa_h5_put_group(h5, group, error);
    for (size_t i = 0; i < ioa_measured_field_count && status == IOA_OK; i++) {
        const ioa_field *f = &ioa_measured_fields[i];
        const char *at = (const char *)m + f->offset;
        status = f->text ? ioa_h5_put_text(h5, group, f->name, at, error)
                         : ioa_h5_put(h5, group, f->name, f->kind, f->count, at, error);
    }
    for (size_t i = 0; i < ioa_measured_time_count && status == IOA_OK; i++) {
        double *values;
        memcpy(&values, (const char *)m + ioa_measured_times[i].offset, sizeof values);
        if (!values) continue;
        ioa_archive_name(name, "%s/%s", group, ioa_measured_times[i].name);
        status = ioa_h5_write(h5, name, IOA_H5_F64, 1, &repeats, values, error);
    }
    return status == IOA_OK ? write_candidates(h5, group, &m->measurement, error) : status;
}

/* Of a search over several memories at once. */
static ioa_status write_levels(const ioa_h5 *h5, const char *group, const ioa_schedule *s, ioa_error *error)
{
    char levels[IOA_LEVELS_TEXT];
    uint64_t transfers[2 * IOA_MOST_LEVELS];
    ioa_objective_name(&s->objective, levels);
    for (uint32_t i = 0; i < s->objective.count; i++) {
        transfers[2 * i] = s->level_io[i].reads;
        transfers[2 * i + 1] = s->level_io[i].writes;
    }
    ioa_status status = ioa_h5_put_text(h5, group, "levels", levels, error);
    if (status == IOA_OK)
        status = ioa_h5_put(h5, group, "level_io", IOA_H5_U64, (uint64_t)2 * s->objective.count, transfers, error);
    if (status == IOA_OK) status = ioa_h5_put(h5, group, "weighted_total", IOA_H5_U64, 0, &s->weighted_total, error);
    if (status == IOA_OK)
        status = ioa_h5_put(h5, group, "weighted_baseline", IOA_H5_U64, 0, &s->weighted_baseline, error);
    return status;
}

ioa_status ioa_archive_put_schedule(const ioa_h5 *h5, const char *group, const ioa_archive *a, const ioa_schedule *s,
                                    ioa_error *error)
{
    char name[IOA_ARCHIVE_NAME];
    uint64_t total = s->io.reads + s->io.writes;
    int64_t excess = (int64_t)(total - s->lower_bound);
    ioa_status status = ioa_h5_put_group(h5, group, error);
    for (size_t i = 0; i < ioa_schedule_field_count && status == IOA_OK; i++) {
        const ioa_field *f = &ioa_schedule_fields[i];
        const char *at = (const char *)s + f->offset;
        status = f->text ? ioa_h5_put_text(h5, group, f->name, at, error)
                         : ioa_h5_put(h5, group, f->name, f->kind, 0, at, error);
    }
    if (status == IOA_OK) status = ioa_h5_put_text(h5, group, "policy", ioa_policy_name(s->policy), error);
    if (status == IOA_OK) status = ioa_h5_put(h5, group, "total", IOA_H5_U64, 0, &total, error);
    if (status == IOA_OK) status = ioa_h5_put(h5, group, "excess", IOA_H5_I64, 0, &excess, error);
    if (status == IOA_OK && s->objective.count > 1) status = write_levels(h5, group, s, error);
    ioa_archive_name(name, "%s/order", group);
    if (status == IOA_OK) status = ioa_h5_write(h5, name, IOA_H5_U32, 1, &a->connections, s->order, error);
    if (status == IOA_OK) status = write_trace(h5, group, s, false, error);
    ioa_archive_name(name, "%s/measured", group);
    if (status == IOA_OK) status = ioa_h5_put_group(h5, name, error);
    if (status == IOA_OK) status = write_trace(h5, group, s, true, error);
    for (uint32_t i = 0; i < s->measurements && status == IOA_OK; i++) {
        ioa_archive_name(name, "%s/measured/%04u", group, (unsigned)i);
        status = write_measured(h5, name, &s->measured[i], error);
    }
    return status;
}

ioa_status ioa_archive_put(const ioa_h5 *h5, const ioa_archive *a, ioa_error *error)
{
    char name[IOA_ARCHIVE_NAME];
    ioa_status status = write_network(h5, a, error);
    if (status == IOA_OK) status = ioa_h5_put_group(h5, "schedules", error);
    for (uint32_t i = 0; i < a->count && status == IOA_OK; i++) {
        ioa_archive_name(name, "schedules/%04u", (unsigned)i);
        status = ioa_archive_put_schedule(h5, name, a, &a->schedules[i], error);
    }
    if (status == IOA_OK) status = ioa_h5_put_group(h5, "provenance", error);
    for (uint32_t i = 0; i < a->facts && status == IOA_OK; i++)
        status = ioa_h5_put_text(h5, "provenance", a->provenance[i].key, a->provenance[i].value, error);
    return status;
}

static ioa_status write_archive(const ioa_h5 *h5, const void *content, ioa_error *error)
{
    ioa_status status = ioa_h5_put_text(h5, "/", "schema_name", IOA_ARCHIVE_SCHEMA, error);
    if (status == IOA_OK) status = ioa_h5_put_text(h5, "/", "schema_version", IOA_ARCHIVE_VERSION, error);
    return status == IOA_OK ? ioa_archive_put(h5, content, error) : status;
}

/* What would otherwise surface as an unreadable error of the HDF5 library, or not at all. */
ioa_status ioa_archive_check_content(const ioa_archive *a, const char *path, ioa_error *error)
{
    if (a->count == 0) return ioa_fail(error, IOA_ERR_INPUT, "%s: the archive has no schedule to write", path);
    for (uint32_t i = 0; i < a->count; i++) {
        if (!a->schedules[i].order)
            return ioa_fail(error, IOA_ERR_INPUT, "%s: schedule %u has no order", path, (unsigned)i);
        if ((unsigned)a->schedules[i].policy >= IOA_POLICY_COUNT)
            return ioa_fail(error, IOA_ERR_INPUT, "%s: schedule %u has no policy", path, (unsigned)i);
    }
    for (uint32_t i = 0; i < a->facts; i++)
        for (uint32_t j = 0; j < i; j++)
            if (strcmp(a->provenance[i].key, a->provenance[j].key) == 0)
                return ioa_fail(error, IOA_ERR_INPUT, "%s: provenance has \"%s\" twice", path, a->provenance[i].key);
    return IOA_OK;
}

ioa_status ioa_archive_write(const ioa_archive *archive, const char *path, ioa_error *error)
{
    ioa_status status = ioa_archive_check_content(archive, path, error);
    return status == IOA_OK ? ioa_h5_write_file(path, write_archive, archive, error) : status;
}
