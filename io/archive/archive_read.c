#include "io/archive/archive.h"

#include "core/base/mem.h"
#include "io/archive/archive_schema.h"
#include "io/archive/bundle.h"
#include "io/h5/h5.h"

#include <inttypes.h>
#include <string.h>

#define MAX_ITEMS 10000u /* 0000 .. 9999 */

/* Reads the attributes of `group` that `fields` [count] describe into `object`, which was zeroed before. */
static ioa_status read_fields(const ioa_h5 *h5, const char *group, const ioa_field *fields, size_t count, void *object,
                              ioa_error *error)
{
    for (size_t i = 0; i < count; i++) {
        const ioa_field *f = &fields[i];
        char *at = (char *)object + f->offset;
        if (f->optional && !ioa_h5_has_attribute(h5, group, f->name)) continue;
        ioa_status status = f->text ? ioa_h5_get_text(h5, group, f->name, at, f->text, error)
                                    : ioa_h5_get(h5, group, f->name, f->kind, f->count, at, error);
        if (status != IOA_OK) return status;
    }
    return IOA_OK;
}

static bool is_hash(const char *text)
{
    return strlen(text) == IOA_HASH_TEXT - 1 && strspn(text, "0123456789abcdef") == IOA_HASH_TEXT - 1;
}

static ioa_status read_network(const ioa_h5 *h5, ioa_archive *a, ioa_error *error)
{
    if (!ioa_h5_exists(h5, "network")) return ioa_fail(error, IOA_ERR_INPUT, "%s: network: is missing", h5->path);
    ioa_status status = read_fields(h5, "network", ioa_archive_fields, ioa_archive_field_count, a, error);
    if (status == IOA_OK && ioa_h5_has_attribute(h5, "network", "name"))
        status = ioa_h5_get_text(h5, "network", "name", a->network_name, sizeof a->network_name, error);
    if (status == IOA_OK)
        status = ioa_h5_get_text(h5, "network", "topology_sha256", a->topology_sha256, IOA_HASH_TEXT, error);
    if (status == IOA_OK)
        status = ioa_h5_get_text(h5, "network", "weights_sha256", a->weights_sha256, IOA_HASH_TEXT, error);
    if (status != IOA_OK) return status;
    if (!is_hash(a->topology_sha256) || !is_hash(a->weights_sha256))
        return ioa_fail(error, IOA_ERR_INPUT, "%s: network: a hash is not 64 hexadecimal digits", h5->path);
    if (a->neurons == 0 || a->neurons > UINT32_MAX || a->connections > UINT32_MAX || a->inputs > a->neurons ||
        a->outputs > a->neurons)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: network: impossible sizes", h5->path);
    return IOA_OK;
}

typedef struct reading {
    const ioa_h5 *h5;
    const char *group;
    void *target;
    bool measured; /* of columns */
} reading;

static ioa_status read_column(const char *name, void *context, ioa_error *error)
{
    reading *r = context;
    char path[IOA_ARCHIVE_NAME];
    ioa_h5_kind kind;
    unsigned rank;
    uint64_t shape[IOA_H5_MAX_RANK];
    if (strlen(name) >= sizeof((ioa_column *)0)->name)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: column \"%.40s..\" has too long a name", r->h5->path, r->group,
                        name);
    ioa_archive_name(path, "%s/%s", r->group, name);
    ioa_status status = ioa_h5_describe(r->h5, path, &kind, &rank, shape, error);
    if (status != IOA_OK) return status;
    if (shape[1] == 0 || shape[1] > UINT32_MAX)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: impossible shape", r->h5->path, path);
    bool whole = kind != IOA_H5_F64;
    void *values;
    status = ioa_h5_read(r->h5, path, whole ? IOA_H5_U64 : IOA_H5_F64, rank, shape, &values, error);
    if (status != IOA_OK) return status;
    ioa_column *column;
    status = ioa_schedule_add_column(r->target, name, whole, 0, (uint32_t)shape[1], &column, error);
    if (status != IOA_OK) {
        ioa_free(values);
        return ioa_fail_prefix(error, status, "%s", r->h5->path);
    }
    ioa_free(column->real); /* made for 0 rows */
    ioa_free(column->whole);
    column->measured = r->measured;
    column->rows = shape[0];
    column->real = whole ? NULL : values;
    column->whole = whole ? values : NULL;
    return IOA_OK;
}

static ioa_status read_times(const ioa_h5 *h5, const char *group, ioa_measured *m, ioa_error *error)
{
    char name[IOA_ARCHIVE_NAME];
    uint64_t repeats = IOA_H5_ANY; /* the first decides, the others must agree */
    for (size_t i = 0; i < ioa_measured_time_count; i++) {
        const ioa_field *f = &ioa_measured_times[i];
        void *values;
        ioa_archive_name(name, "%s/%s", group, f->name);
        if (f->optional && !ioa_h5_exists(h5, name)) continue;
        ioa_status status = ioa_h5_read(h5, name, IOA_H5_F64, 1, &repeats, &values, error);
        if (status != IOA_OK) return status;
        memcpy((char *)m + f->offset, &values, sizeof values);
        if (repeats > UINT32_MAX) return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: is too long", h5->path, name);
    }
    m->measurement.repeats = (uint32_t)repeats;
    return IOA_OK;
}

static ioa_status read_candidates(const ioa_h5 *h5, const char *group, ioa_measurement *m, ioa_error *error)
{
    char name[IOA_ARCHIVE_NAME], *names = NULL;
    double *seconds = NULL;
    void *values;
    uint64_t count = IOA_H5_ANY, found = 0;
    if (!ioa_h5_has_attribute(h5, group, "candidates")) return IOA_OK;
    ioa_archive_name(name, "%s/seconds_candidates", group);
    ioa_status status = ioa_h5_read(h5, name, IOA_H5_F64, 1, &count, &values, error);
    if (status != IOA_OK) return status;
    seconds = values;
    status = ioa_h5_get_string(h5, group, "candidates", &names, error);
    if (status == IOA_OK && count <= UINT32_MAX) m->candidates = ioa_alloc_zero(count, sizeof *m->candidates);
    if (status == IOA_OK && !m->candidates) status = ioa_fail_nomem(error, "the candidates", count, sizeof *m->candidates);
    for (char *at = names; status == IOA_OK && at; found++) {
        size_t length = strcspn(at, " ");
        if (found == count || length == 0 || length >= IOA_PLAN_NAME) break;
        memcpy(m->candidates[found].name, at, length);
        m->candidates[found].seconds = seconds[found];
        at = at[length] ? at + length + 1 : NULL;
        if (!at && found + 1 == count) m->candidate_count = (uint32_t)count;
    }
    if (status == IOA_OK && (m->candidate_count == 0 || m->candidate_count != count))
        status = ioa_fail(error, IOA_ERR_INPUT, "%s: %s: candidates do not match seconds_candidates", h5->path, group);
    ioa_free(names);
    ioa_free(seconds);
    return status;
}

static ioa_status read_measured(const ioa_h5 *h5, const char *schedule, ioa_schedule *s, ioa_error *error)
{
    char group[IOA_ARCHIVE_NAME];
    for (unsigned i = 0; i < MAX_ITEMS; i++) {
        ioa_measured *m;
        ioa_archive_name(group, "%s/measured/%04u", schedule, i);
        if (!ioa_h5_exists(h5, group)) return IOA_OK;
        ioa_status status = ioa_schedule_add_measured(s, &m, error);
        if (status == IOA_OK) status = read_fields(h5, group, ioa_measured_fields, ioa_measured_field_count, m, error);
        if (status == IOA_OK) status = read_times(h5, group, m, error);
        if (status == IOA_OK) status = read_candidates(h5, group, &m->measurement, error);
        if (status != IOA_OK) return status;
    }
    return IOA_OK;
}

/* Derived values must follow from what they are derived from: they are what people read. */
static ioa_status check_derived(const ioa_h5 *h5, const char *group, const ioa_schedule *s, ioa_error *error)
{
    uint64_t total;
    int64_t excess;
    ioa_status status = ioa_h5_get(h5, group, "total", IOA_H5_U64, 0, &total, error);
    if (status == IOA_OK) status = ioa_h5_get(h5, group, "excess", IOA_H5_I64, 0, &excess, error);
    if (status != IOA_OK) return status;
    if (total != s->io.reads + s->io.writes)
        return ioa_fail(error, IOA_ERR_CHECK,
                        "%s: %s: total %" PRIu64 " is not the sum of reads %" PRIu64 " and writes %" PRIu64, h5->path,
                        group, total, s->io.reads, s->io.writes);
    if (excess != (int64_t)(total - s->lower_bound))
        return ioa_fail(error, IOA_ERR_CHECK,
                        "%s: %s: excess %" PRId64 " is not total %" PRIu64 " less lower_bound %" PRIu64, h5->path,
                        group, excess, total, s->lower_bound);
    return IOA_OK;
}

static ioa_status read_policy(const ioa_h5 *h5, const char *group, ioa_schedule *s, ioa_error *error)
{
    char text[32];
    ioa_status status = ioa_h5_get_text(h5, group, "policy", text, sizeof text, error);
    if (status != IOA_OK) return status;
    int policy = ioa_policy_from_name(text);
    if (policy < 0)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: unknown policy \"%s\"", h5->path, group, text);
    s->policy = (ioa_policy)policy;
    if (s->memory < IOA_MEMORY_MIN)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: memory %" PRIu64 " is less than %u", h5->path, group, s->memory,
                        IOA_MEMORY_MIN);
    return IOA_OK;
}

/* Of a search over several memories at once; otherwise there is the one level. */
static ioa_status read_levels(const ioa_h5 *h5, const char *group, ioa_schedule *s, ioa_error *error)
{
    char levels[IOA_LEVELS_TEXT];
    uint64_t transfers[2 * IOA_MOST_LEVELS];
    ioa_error problem;
    s->objective = ioa_objective_single(s->memory, s->policy);
    s->level_io[0] = s->io;
    s->weighted_total = s->io.reads + s->io.writes;
    s->weighted_baseline = s->baseline_total;
    if (!ioa_h5_has_attribute(h5, group, "levels")) return IOA_OK;
    ioa_status status = ioa_h5_get_text(h5, group, "levels", levels, sizeof levels, error);
    if (status != IOA_OK) return status;
    if (ioa_objective_parse(levels, s->policy, &s->objective, &problem) != IOA_OK)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: levels: %s", h5->path, group, problem.text);
    status = ioa_h5_get(h5, group, "level_io", IOA_H5_U64, (uint64_t)2 * s->objective.count, transfers, error);
    if (status == IOA_OK) status = ioa_h5_get(h5, group, "weighted_total", IOA_H5_U64, 0, &s->weighted_total, error);
    if (status == IOA_OK) status = ioa_h5_get(h5, group, "weighted_baseline", IOA_H5_U64, 0, &s->weighted_baseline, error);
    if (status != IOA_OK) return status;
    for (uint32_t i = 0; i < s->objective.count; i++) s->level_io[i] = (ioa_io){transfers[2 * i], transfers[2 * i + 1]};
    const ioa_level *first = &s->objective.level[0];
    if (first->memory != s->memory || first->policy != s->policy || s->level_io[0].reads != s->io.reads ||
        s->level_io[0].writes != s->io.writes || ioa_objective_total(&s->objective, s->level_io) != s->weighted_total)
        return ioa_fail(error, IOA_ERR_CHECK, "%s: %s: levels, level_io and weighted_total contradict each other", h5->path,
                        group);
    return IOA_OK;
}

ioa_status ioa_archive_get_schedule(const ioa_h5 *h5, const char *group, uint64_t connections, ioa_schedule *s,
                                    ioa_error *error)
{
    char name[IOA_ARCHIVE_NAME];
    void *order;
    ioa_status status = read_fields(h5, group, ioa_schedule_fields, ioa_schedule_field_count, s, error);
    if (status == IOA_OK) status = read_policy(h5, group, s, error);
    if (status == IOA_OK) status = check_derived(h5, group, s, error);
    if (status == IOA_OK) status = read_levels(h5, group, s, error);
    if (status != IOA_OK) return status;
    ioa_archive_name(name, "%s/order", group);
    status = ioa_h5_read(h5, name, IOA_H5_U32, 1, &connections, &order, error);
    if (status != IOA_OK) return status;
    s->order = order;
    ioa_archive_name(name, "%s/trace", group);
    reading r = {h5, name, s, false};
    if (ioa_h5_exists(h5, name)) status = ioa_h5_each_member(h5, name, read_column, &r, error);
    ioa_archive_name(name, "%s/measured/search", group);
    r.measured = true;
    if (status == IOA_OK && ioa_h5_exists(h5, name)) status = ioa_h5_each_member(h5, name, read_column, &r, error);
    return status == IOA_OK ? read_measured(h5, group, s, error) : status;
}

static ioa_status read_fact(const char *name, void *context, ioa_error *error)
{
    reading *r = context;
    char *value;
    ioa_status status = ioa_h5_get_string(r->h5, r->group, name, &value, error);
    if (status != IOA_OK) return status;
    status = ioa_archive_add_fact(r->target, name, value, error);
    ioa_free(value);
    return status == IOA_OK ? status : ioa_fail_prefix(error, status, "%s", r->h5->path);
}

static ioa_status read_archive(const ioa_h5 *h5, ioa_archive *a, ioa_error *error)
{
    char group[IOA_ARCHIVE_NAME];
    ioa_status status = read_network(h5, a, error);
    for (unsigned i = 0; i < MAX_ITEMS && status == IOA_OK; i++) {
        ioa_schedule *s;
        ioa_archive_name(group, "schedules/%04u", i);
        if (!ioa_h5_exists(h5, group)) break;
        status = ioa_archive_add_schedule(a, &s, error);
        if (status == IOA_OK) status = ioa_archive_get_schedule(h5, group, a->connections, s, error);
    }
    if (status != IOA_OK) return status;
    if (a->count == 0) return ioa_fail(error, IOA_ERR_INPUT, "%s: schedules/0000: is missing", h5->path);
    reading r = {h5, "provenance", a, false};
    return ioa_h5_exists(h5, "provenance") ? ioa_h5_each_attribute(h5, "provenance", read_fact, &r, error) : IOA_OK;
}

/* In a bundle the root says which network is there. */
static ioa_status check_bundle(const ioa_h5 *h5, const ioa_archive *a, ioa_error *error)
{
    char topology[IOA_HASH_TEXT];
    if (!ioa_h5_has_attribute(h5, "/", "topology_sha256")) return IOA_OK;
    ioa_status status = ioa_h5_get_text(h5, "/", "topology_sha256", topology, sizeof topology, error);
    if (status != IOA_OK || strcmp(topology, a->topology_sha256) == 0) return status;
    return ioa_fail(error, IOA_ERR_INPUT, "%s: network: topology_sha256 is %s, but the network of this bundle has %s",
                    h5->path, a->topology_sha256, topology);
}

ioa_status ioa_archive_read(const char *path, ioa_archive **archive, ioa_error *error)
{
    ioa_h5 h5;
    ioa_archive *a = NULL;
    ioa_status status = ioa_h5_open(path, &h5, error);
    if (status != IOA_OK) return status;
    status = ioa_h5_check_part(&h5, IOA_ARCHIVE_SCHEMA, IOA_ARCHIVE_MAJOR, error);
    if (status == IOA_OK) {
        a = ioa_alloc_zero(1, sizeof *a);
        status = a ? read_archive(&h5, a, error) : ioa_fail_nomem(error, "an archive", 1, sizeof *a);
        if (status == IOA_OK) status = check_bundle(&h5, a, error);
    }
    ioa_h5_end(&h5, status, error);
    if (status == IOA_OK)
        *archive = a;
    else
        ioa_archive_destroy(a);
    return status;
}

bool ioa_archive_probe(const char *path)
{
    return ioa_h5_probe(path, IOA_ARCHIVE_SCHEMA) || ioa_bundle_probe(path);
}
