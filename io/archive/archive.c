/* Archives in memory: building, releasing, comparing. */
#include "io/archive/archive.h"

#include "core/base/mem.h"
#include "io/archive/network_file.h"
#include "io/h5/h5.h"

#include <stdio.h>
#include <string.h>

/* Appends a zeroed element to `*items` [*count]. The block doubles when the count reaches a power of two. */
static ioa_status append(void *items, uint32_t *count, size_t size, const char *what, ioa_error *error)
{
    char *list;
    memcpy(&list, items, sizeof list);
    if ((*count & (*count - 1)) == 0) { /* 0 included */
        uint64_t room = *count ? 2 * (uint64_t)*count : 1;
        char *grown = ioa_alloc(room, size);
        if (!grown) return ioa_fail_nomem(error, what, room, size);
        if (*count) memcpy(grown, list, *count * size);
        ioa_free(list);
        list = grown;
        memcpy(items, &list, sizeof list);
    }
    memset(list + *count * size, 0, size);
    ++*count;
    return IOA_OK;
}

static void clear_schedule(ioa_schedule *s)
{
    for (uint32_t i = 0; i < s->columns; i++) {
        ioa_free(s->trace[i].real);
        ioa_free(s->trace[i].whole);
    }
    for (uint32_t i = 0; i < s->measurements; i++) ioa_measurement_clear(&s->measured[i].measurement);
    ioa_free(s->trace);
    ioa_free(s->measured);
    ioa_free(s->order);
}

void ioa_archive_destroy(ioa_archive *archive)
{
    if (!archive) return;
    for (uint32_t i = 0; i < archive->count; i++) clear_schedule(&archive->schedules[i]);
    for (uint32_t i = 0; i < archive->facts; i++) ioa_free(archive->provenance[i].value);
    ioa_free(archive->schedules);
    ioa_free(archive->provenance);
    ioa_free(archive);
}

ioa_status ioa_archive_create(const ioa_network *network, ioa_archive **archive, ioa_error *error)
{
    const ioa_network_arrays *view = ioa_network_view(network);
    ioa_archive *a = ioa_alloc_zero(1, sizeof *a);
    if (!a) return ioa_fail_nomem(error, "an archive", 1, sizeof *a);
    snprintf(a->network_name, sizeof a->network_name, "%s", view->name ? view->name : "");
    a->neurons = view->neurons;
    a->connections = ioa_network_connections(network);
    a->inputs = view->inputs;
    a->outputs = view->outputs;
    ioa_status status = ioa_network_topology_hash(network, a->topology_sha256, error);
    if (status == IOA_OK) status = ioa_network_weights_hash(network, a->weights_sha256, error);
    if (status == IOA_OK)
        *archive = a;
    else
        ioa_archive_destroy(a);
    return status;
}

ioa_status ioa_archive_like(const ioa_archive *other, ioa_archive **archive, ioa_error *error)
{
    ioa_archive *a = ioa_alloc_copy(other, 1, sizeof *a);
    if (!a) return ioa_fail_nomem(error, "an archive", 1, sizeof *a);
    a->schedules = NULL;
    a->provenance = NULL;
    a->count = a->facts = 0;
    *archive = a;
    return IOA_OK;
}

ioa_status ioa_archive_add_schedule(ioa_archive *archive, ioa_schedule **schedule, ioa_error *error)
{
    ioa_status status = append(&archive->schedules, &archive->count, sizeof *archive->schedules, "a schedule", error);
    if (status == IOA_OK) *schedule = &archive->schedules[archive->count - 1];
    return status;
}

ioa_status ioa_schedule_add_column(ioa_schedule *schedule, const char *name, bool whole, uint64_t rows, uint32_t width,
                                   ioa_column **column, ioa_error *error)
{
    ioa_column c = {.rows = rows, .width = width};
    if (strlen(name) >= sizeof c.name || !name[0] || strchr(name, '/') || name[0] == '.')
        return ioa_fail(error, IOA_ERR_INPUT, "trace column \"%s\": impossible name", name);
    memcpy(c.name, name, strlen(name) + 1);
    if (width == 0 || rows > UINT64_MAX / width)
        return ioa_fail(error, IOA_ERR_INPUT, "trace column \"%s\": impossible size", name);
    ioa_status status = append(&schedule->trace, &schedule->columns, sizeof c, "a trace", error);
    if (status != IOA_OK) return status;
    void *values = ioa_alloc_zero(rows * width, sizeof(uint64_t));
    if (!values) {
        schedule->columns--; /* the element stays unused */
        return ioa_fail_nomem(error, "a trace", rows * width, sizeof(uint64_t));
    }
    if (whole)
        c.whole = values;
    else
        c.real = values;
    *column = &schedule->trace[schedule->columns - 1];
    **column = c;
    return IOA_OK;
}

ioa_status ioa_schedule_add_measured(ioa_schedule *schedule, ioa_measured **measured, ioa_error *error)
{
    ioa_status status =
        append(&schedule->measured, &schedule->measurements, sizeof *schedule->measured, "a measurement", error);
    if (status == IOA_OK) *measured = &schedule->measured[schedule->measurements - 1];
    return status;
}

ioa_status ioa_archive_add_fact(ioa_archive *archive, const char *key, const char *value, ioa_error *error)
{
    ioa_fact fact = {0};
    if (strlen(key) >= sizeof fact.key || !key[0])
        return ioa_fail(error, IOA_ERR_INPUT, "provenance \"%s\": the name is empty or too long", key);
    memcpy(fact.key, key, strlen(key) + 1);
    ioa_status status = append(&archive->provenance, &archive->facts, sizeof fact, "provenance", error);
    if (status != IOA_OK) return status;
    fact.value = ioa_alloc_copy(value, strlen(value) + 1, 1);
    if (!fact.value) {
        archive->facts--;
        return ioa_fail_nomem(error, "provenance", strlen(value) + 1, 1);
    }
    archive->provenance[archive->facts - 1] = fact;
    return IOA_OK;
}

/* A name for a message, with the blank before it; nothing where there is none. */
static void quote(const char *name, char text[80])
{
    text[0] = '\0';
    if (name && *name) snprintf(text, 80, " \"%.70s\"", name);
}

ioa_status ioa_archive_matches(const ioa_archive *archive, const ioa_network *network, const char *path,
                               ioa_error *error)
{
    char hash[IOA_HASH_TEXT];
    ioa_status status = ioa_network_topology_hash(network, hash, error);
    if (status != IOA_OK) return status;
    if (strcmp(hash, archive->topology_sha256) == 0) {
        /* Orders are as long as the archive says; whoever walks through them by the network must not leave them. */
        if (archive->connections == ioa_network_connections(network)) return IOA_OK;
        return ioa_fail(error, IOA_ERR_INPUT, "%s: network: connections do not agree with topology_sha256", path);
    }
    char names[2][80];
    quote(archive->network_name, names[0]);
    quote(ioa_network_view(network)->name, names[1]);
    return ioa_fail(error, IOA_ERR_INPUT,
                    "%s: belongs to another topology: the archive is for a network%s with topology_sha256 %s, "
                    "the network%s has %s; weights may change, connections may not",
                    path, names[0], archive->topology_sha256, names[1], hash);
}

ioa_status ioa_archive_fits(const ioa_archive *archive, const ioa_network *network, const char *path, ioa_error *error)
{
    ioa_status status = ioa_archive_matches(archive, network, path, error);
    for (uint32_t i = 0; status == IOA_OK && i < archive->count; i++) {
        status = ioa_order_check(network, archive->schedules[i].order, error);
        if (status != IOA_OK) ioa_fail_prefix(error, status, "%s: schedules/%04u", path, (unsigned)i);
    }
    return status;
}

/* How far two memory sizes are apart, as a ratio of at least 1. */
static double distance(uint64_t a, uint64_t b)
{
    return a > b ? (double)a / (double)b : (double)b / (double)a;
}

const ioa_schedule *ioa_archive_nearest(const ioa_archive *archive, uint64_t memory, ioa_policy policy)
{
    const ioa_schedule *best = NULL;
    for (uint32_t i = 0; i < archive->count; i++) {
        const ioa_schedule *s = &archive->schedules[i];
        if (!best) {
            best = s;
            continue;
        }
        bool same = s->policy == policy, best_same = best->policy == policy;
        double far = distance(s->memory, memory), best_far = distance(best->memory, memory);
        if (same != best_same ? same : far != best_far ? far < best_far : s->memory < best->memory) best = s;
    }
    return best;
}
