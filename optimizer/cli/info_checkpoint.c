/* `ioanneal info` of a checkpoint: how far the search is. */
#include "optimizer/cli/cli.h"

#include "io/checkpoint/checkpoint.h"

#include <inttypes.h>
#include <stdlib.h>

/* Seconds the search under way will still take at the pace it has had; negative if the plan is not known yet. */
static double time_left(const ioa_checkpoint_summary *s)
{
    if (!s->planned || !s->rounds || s->planned < s->rounds) return -1.0;
    return s->elapsed * (double)(s->planned - s->rounds) / (double)s->rounds;
}

/* The memory size under way: the one after those that are done. */
static uint64_t memory_under_way(const ioa_checkpoint_summary *s)
{
    const char *text = s->memories;
    for (uint64_t i = 0; *text && i < s->done_count; text++) i += *text == ',';
    return strtoull(text, NULL, 10);
}

static cJSON *to_json(const ioa_checkpoint_summary *s)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "kind", "checkpoint");
    cJSON_AddStringToObject(json, "memories", s->memories);
    cJSON_AddStringToObject(json, "policy", s->policy);
    cJSON_AddStringToObject(json, "method", s->method);
    cJSON_AddStringToObject(json, "seed", s->seed);
    cJSON_AddStringToObject(json, "replicas", s->replicas);
    cJSON_AddStringToObject(json, "host", s->owner.host);
    cJSON_AddStringToObject(json, "slurm_job_id", s->owner.job);
    cli_json_count(json, "slurm_restart_count", s->owner.restart);
    cJSON_AddNumberToObject(json, "seconds", s->job_elapsed);
    cJSON *done = cJSON_AddArrayToObject(json, "done");
    for (uint64_t i = 0; i < s->done_count; i++) {
        cJSON *size = cJSON_CreateObject();
        cli_json_count(size, "memory", s->done[i].memory);
        cli_json_count(size, "total", s->done[i].total);
        cli_json_count(size, "excess", s->done[i].total - s->done[i].lower_bound);
        cJSON_AddItemToArray(done, size);
    }
    if (!s->searching) return json;
    cJSON *search = cJSON_AddObjectToObject(json, "search");
    cli_json_count(search, "memory", memory_under_way(s));
    cli_json_count(search, "rounds", s->rounds);
    cli_json_count(search, "planned_rounds", s->planned);
    cli_json_count(search, "start_total", s->start_total);
    cli_json_count(search, "total", s->best_total);
    cli_json_count(search, "lower_bound", s->lower_bound);
    cli_json_count(search, "excess", s->best_total - s->lower_bound);
    cJSON_AddNumberToObject(search, "seconds", s->elapsed);
    if (time_left(s) >= 0.0) cJSON_AddNumberToObject(search, "seconds_left", time_left(s));
    return json;
}

static void print(const char *path, const ioa_checkpoint_summary *s)
{
    char text[2][32];
    printf("%s: checkpoint of a search for M = %s, %s, %s, seed %s, %s replicas; %.0f s so far\n", path, s->memories, s->policy,
           s->method, s->seed, s->replicas, s->job_elapsed);
    printf("  written by process %" PRIu64 " on %s", s->owner.pid, s->owner.host);
    if (s->owner.job[0]) printf(", SLURM job %s, restarts %" PRIu64, s->owner.job, s->owner.restart);
    printf("\n");
    for (uint64_t i = 0; i < s->done_count; i++)
        printf("  M = %" PRIu64 ": done, excess %s\n", s->done[i].memory,
               cli_grouped(s->done[i].total - s->done[i].lower_bound, text[0]));
    if (!s->searching) return;
    printf("  M = %" PRIu64 ": round %" PRIu64, memory_under_way(s), s->rounds);
    if (s->planned) printf(" of %" PRIu64, s->planned);
    printf(", best excess %s (start %s), %.0f s", cli_grouped(s->best_total - s->lower_bound, text[0]),
           cli_grouped(s->start_total - s->lower_bound, text[1]), s->elapsed);
    if (time_left(s) >= 0.0) printf(", about %.0f s left", time_left(s));
    printf("\n");
}

ioa_status cli_show_checkpoint(const char *path, bool as_json, cJSON **json, ioa_error *error)
{
    ioa_checkpoint_summary summary;
    ioa_status status = ioa_checkpoint_summarize(path, &summary, error);
    if (status != IOA_OK) return status;
    if (as_json)
        *json = to_json(&summary);
    else
        print(path, &summary);
    ioa_checkpoint_summary_free(&summary);
    return IOA_OK;
}
