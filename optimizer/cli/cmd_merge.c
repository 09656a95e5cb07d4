#include "core/base/build_info.h"
#include "io/base/atomic_file.h"
#include "optimizer/cli/input.h"
#include "optimizer/cli/progress.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A verified schedule beats one that is not; then the lower total wins; then the earlier file. */
static bool beats(const ioa_schedule *a, const ioa_schedule *b)
{
    if (a->verified != b->verified) return a->verified;
    return a->weighted_total < b->weighted_total;
}

/* Equal memory and policy, or the same levels. */
static bool same_objective(const ioa_schedule *a, const ioa_schedule *b)
{
    char levels[2][IOA_LEVELS_TEXT];
    ioa_objective_name(&a->objective, levels[0]);
    ioa_objective_name(&b->objective, levels[1]);
    return strcmp(levels[0], levels[1]) == 0;
}

/* Where a schedule came from. */
typedef struct origin {
    int file;   /* number of the file */
    char *told; /* what a merged archive says about the schedule, owned; NULL: the file is no merged one */
} origin;

typedef struct merging {
    ioa_archive *archive; /* what has been merged so far; owned */
    origin *origins;      /* [origin_room], of each schedule; owned */
    uint32_t origin_room;
    char **sources;       /* [files] command and date of each file's search, owned as the texts */
    char **files;         /* borrowed */
    int count;
} merging;

static const char *fact_of(const ioa_archive *archive, const char *key)
{
    for (uint32_t i = 0; i < archive->facts; i++)
        if (strcmp(archive->provenance[i].key, key) == 0) return archive->provenance[i].value;
    return "";
}

/* Of schedule `index`, which was schedule `there` of file number `file`. */
static ioa_status note_origin(merging *m, uint32_t index, const ioa_archive *from, uint32_t there, int file, ioa_error *error)
{
    if (index >= m->origin_room) {
        uint32_t room = 2 * index + 8;
        origin *grown = realloc(m->origins, room * sizeof *grown);
        if (!grown) return ioa_fail(error, IOA_ERR_NOMEM, "out of memory");
        memset(grown + m->origin_room, 0, (room - m->origin_room) * sizeof *grown);
        m->origins = grown;
        m->origin_room = room;
    }
    char key[32];
    snprintf(key, sizeof key, "schedule_%04" PRIu32, there);
    const char *told = fact_of(from, key);
    free(m->origins[index].told);
    m->origins[index] = (origin){file, *told ? strdup(told) : NULL};
    return *told && !m->origins[index].told ? ioa_fail(error, IOA_ERR_NOMEM, "out of memory") : IOA_OK;
}

/* Moves the schedules of `from`, file number `file`, that are better than what there is for the same objective. */
static ioa_status take_over(merging *m, ioa_archive *from, int file, ioa_error *error)
{
    ioa_archive *into = m->archive;
    for (uint32_t i = 0; i < from->count; i++) {
        ioa_schedule *candidate = &from->schedules[i], *place = NULL;
        for (uint32_t j = 0; j < into->count; j++)
            if (same_objective(&into->schedules[j], candidate))
                place = &into->schedules[j];
        if (place && !beats(candidate, place)) continue;
        if (!place) {
            ioa_status status = ioa_archive_add_schedule(into, &place, error);
            if (status != IOA_OK) return status;
        }
        ioa_schedule old = *place; /* the loser goes back and is freed with its archive */
        *place = *candidate;
        *candidate = old;
        ioa_status status = note_origin(m, (uint32_t)(place - into->schedules), from, i, file, error);
        if (status != IOA_OK) return status;
    }
    return IOA_OK;
}

static bool before(const ioa_schedule *a, const ioa_schedule *b)
{
    if (a->policy != b->policy) return a->policy < b->policy;
    if (a->memory != b->memory) return a->memory < b->memory;
    return a->objective.count < b->objective.count;
}

/* By policy and memory, origins with them; there are few. */
static void sort(merging *m)
{
    ioa_schedule *s = m->archive->schedules;
    for (uint32_t i = 1; i < m->archive->count; i++)
        for (uint32_t j = i; j > 0 && before(&s[j], &s[j - 1]); j--) {
            ioa_schedule schedule = s[j];
            origin moved = m->origins[j];
            s[j] = s[j - 1];
            s[j - 1] = schedule;
            m->origins[j] = m->origins[j - 1];
            m->origins[j - 1] = moved;
        }
}

/* "FILE: COMMAND, DATE" */
static char *describe(const char *path, const ioa_archive *archive)
{
    const char *command = fact_of(archive, "command"), *date = fact_of(archive, "date");
    size_t size = strlen(path) + strlen(command) + strlen(date) + 8;
    char *text = malloc(size);
    if (text) snprintf(text, size, "%s: %s, %s", path, command, date);
    return text;
}

/* Where everything came from, instead of what one of the searches said of itself; of merged archives what they say. */
static ioa_status write_provenance(merging *m, const char *command, ioa_error *error)
{
    char host[256] = "", date[32] = "";
    time_t now = time(NULL);
    struct tm utc;
    gethostname(host, sizeof host - 1);
    if (gmtime_r(&now, &utc)) strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &utc);
    const char *const facts[][2] = {{"command", command},          {"software", "ioanneal"}, {"version", IOA_VERSION},
                                    {"revision", IOA_GIT_REVISION}, {"host", host},           {"date", date}};
    ioa_status status = IOA_OK;
    for (size_t i = 0; status == IOA_OK && i < sizeof facts / sizeof facts[0]; i++)
        status = ioa_archive_add_fact(m->archive, facts[i][0], facts[i][1], error);
    for (uint32_t i = 0; status == IOA_OK && i < m->archive->count; i++) {
        char key[32];
        const origin *o = &m->origins[i];
        snprintf(key, sizeof key, "schedule_%04" PRIu32, i);
        status = ioa_archive_add_fact(m->archive, key, o->told ? o->told : m->sources[o->file], error);
    }
    return status;
}

static ioa_status merge(merging *m, cli_busy *busy, const char *command, const char *output, ioa_error *error)
{
    ioa_status status = IOA_OK;
    for (int i = 0; status == IOA_OK && i < m->count; i++) {
        ioa_archive *next = NULL;
        cli_busy_step(busy, (double)i / m->count, "reading %s", m->files[i]);
        status = cli_read_archive(m->files[i], &next, error);
        if (status == IOA_OK && m->archive && strcmp(next->topology_sha256, m->archive->topology_sha256) != 0)
            status = ioa_fail(error, IOA_ERR_INPUT, "%s: belongs to topology %.12s.., but %s to %.12s..", m->files[i],
                              next->topology_sha256, m->files[0], m->archive->topology_sha256);
        if (status == IOA_OK && !(m->sources[i] = describe(m->files[i], next)))
            status = ioa_fail(error, IOA_ERR_NOMEM, "out of memory");
        if (status == IOA_OK && !m->archive) status = ioa_archive_like(next, &m->archive, error);
        if (status == IOA_OK) status = take_over(m, next, i, error);
        ioa_archive_destroy(next);
    }
    if (status != IOA_OK) return status;
    sort(m);
    status = write_provenance(m, command, error);
    return status == IOA_OK ? ioa_archive_write(m->archive, output, error) : status;
}

static int report(const cli_common *common, const merging *m, const char *output)
{
    if (common->json) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "archive", output);
        cli_json_count(json, "schedules", m->archive->count);
        cJSON *from = cJSON_AddArrayToObject(json, "from");
        for (uint32_t i = 0; i < m->archive->count; i++)
            cJSON_AddItemToArray(from, cJSON_CreateString(m->files[m->origins[i].file]));
        return cli_print_json(json);
    }
    printf("%s: %" PRIu32 " schedule%s\n", output, m->archive->count, m->archive->count == 1 ? "" : "s");
    for (uint32_t i = 0; i < m->archive->count; i++) {
        const ioa_schedule *s = &m->archive->schedules[i];
        char text[32];
        printf("  schedule %04" PRIu32 ": M = %" PRIu64 " %s, excess %s, from %s\n", i, s->memory, ioa_policy_name(s->policy),
               cli_grouped(s->io.reads + s->io.writes - s->lower_bound, text), m->files[m->origins[i].file]);
    }
    return cli_finish_output();
}

static int run(const cli_command *command, int argc, char **argv)
{
    const char *output = NULL;
    cli_common common = {0};
    char line[4096];
    cli_join(argc, argv, line, sizeof line);
    const cli_option options[] = {
        {CLI_TEXT, 'o', "output", "ARCHIVE.h5", &output, "archive to write (required)", 0, 0},
        {CLI_END, 0, NULL, NULL, NULL, NULL, 0, 0},
    };
    int files;
    cli_parsed parsed = cli_parse(command, options, &common, argc, argv, &files);
    if (parsed != CLI_GO) return parsed == CLI_HELP_SHOWN ? 0 : 2;
    if (files < 1) return cli_refuse(command, "archive files are wanted");
    if (!output) return cli_refuse(command, "-o ARCHIVE.h5 is needed");
    ioa_error error = {0};
    merging m = {.files = argv, .count = files, .sources = calloc((size_t)files, sizeof *m.sources)};
    ioa_status status = m.sources ? ioa_file_writable(output, &error) : ioa_fail(&error, IOA_ERR_NOMEM, "out of memory");
    cli_busy *busy = cli_busy_begin(common.quiet, 0.0);
    if (status == IOA_OK) status = merge(&m, busy, line, output, &error);
    cli_busy_end(busy);
    int code = status == IOA_OK ? report(&common, &m, output) : cli_fail(command, &error);
    for (int i = 0; m.sources && i < files; i++) free(m.sources[i]);
    free(m.sources);
    for (uint32_t i = 0; i < m.origin_room; i++) free(m.origins[i].told);
    free(m.origins);
    ioa_archive_destroy(m.archive);
    return code;
}

const cli_command cli_merge = {
    .name = "merge",
    .summary = "best verified schedule per memory size and policy",
    .usage = "A.h5 B.h5 ... -o ARCHIVE.h5",
    .examples = "  ioanneal merge run-*.h5 -o best.h5\n"
                "  ioanneal merge best.h5 new.h5 -o best.h5\n",
    .run = run,
};
