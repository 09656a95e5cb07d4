#include "optimizer/mpi/keeper.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/model/network.h"
#include "io/archive/network_file.h"
#include "io/base/atomic_file.h"
#include "optimizer/mpi/comm.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { TAG_STATE = 300 };
#define TEXT 1600 /* bytes of a fact: 64 memory sizes fit */

/* What a checkpoint holds beside the search itself. */
typedef struct extent {
    uint64_t finished, searching, rounds, start_total;
    double job_elapsed;
} extent;

static void list_extent(extent *e, ioa_value values[5])
{
    const ioa_value list[5] = {{"finished_sizes", IOA_VALUE_U64, 1, &e->finished},
                               {"searching", IOA_VALUE_U64, 1, &e->searching},
                               {"rounds", IOA_VALUE_U64, 1, &e->rounds},
                               {"start_total", IOA_VALUE_U64, 1, &e->start_total},
                               {"job_elapsed", IOA_VALUE_F64, 1, &e->job_elapsed}};
    memcpy(values, list, sizeof list);
}

/* ---- facts ---- */

static void list_memories(const ioa_job *job, char *text)
{
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < job->memory_count && used < TEXT; i++) {
        char name[IOA_LEVELS_TEXT];
        ioa_objective_name(&job->objectives[i], name);
        if (job->objectives[i].count > 1) used += (size_t)snprintf(text + used, TEXT - used, "%s", name);
        else used += (size_t)snprintf(text + used, TEXT - used, "%s%" PRIu64, i ? "," : "", job->objectives[i].level[0].memory);
    }
}

/* Everything that decides results; the time limit does not once the rounds are planned. */
static ioa_status collect_facts(ioa_keeper *k, uint64_t replicas, ioa_error *error)
{
    static const char *const keys[IOA_KEEPER_FACTS] = {"topology_sha256", "memories", "policy", "method",
                                                       "engine",          "seed",     "replicas", "rounds",
                                                       "proposals",       "cold",     "hot",      "trial",
                                                       "groups",          "adapt",    "patience", "target",
                                                       "segments"};
    const ioa_job *job = k->job;
    k->texts = ioa_alloc_zero(IOA_KEEPER_FACTS, TEXT);
    if (!k->texts) return ioa_fail_nomem(error, "the configuration", IOA_KEEPER_FACTS, TEXT);
    char *text[IOA_KEEPER_FACTS];
    for (int i = 0; i < IOA_KEEPER_FACTS; i++) k->facts[i] = (ioa_fact_pair){keys[i], text[i] = k->texts + i * TEXT};
    list_memories(job, text[1]);
    snprintf(text[2], TEXT, "%s", ioa_policy_name(job->objectives[0].level[0].policy));
    snprintf(text[3], TEXT, "%s", job->method_name);
    snprintf(text[4], TEXT, "%s", job->engine->name);
    snprintf(text[5], TEXT, "%" PRIu64, job->seed);
    snprintf(text[6], TEXT, "%" PRIu64, replicas);
    snprintf(text[7], TEXT, "%" PRIu64, job->rounds);
    snprintf(text[8], TEXT, "%" PRIu64, job->proposals);
    snprintf(text[9], TEXT, "%.17g", job->cold);
    snprintf(text[10], TEXT, "%.17g", job->hot);
    snprintf(text[11], TEXT, "%" PRIu64, job->trial);
    snprintf(text[12], TEXT, "%" PRIu64, job->groups);
    snprintf(text[13], TEXT, "%u", job->adapt);
    snprintf(text[14], TEXT, "%" PRIu64, job->patience);
    snprintf(text[15], TEXT, "%" PRIu64, job->target);
    snprintf(text[16], TEXT, "%" PRIu64, job->segments);
    return ioa_network_topology_hash(k->network, text[0], error);
}

/* ---- resuming ---- */

static ioa_status read_extent(ioa_keeper *k, extent *e, ioa_error *error)
{
    ioa_value values[5];
    ioa_status status = IOA_OK;
    list_extent(e, values);
    for (int i = 0; status == IOA_OK && i < 5; i++) status = ioa_checkpoint_get(k->file, &values[i], error);
    ioa_value elapsed = {"elapsed", IOA_VALUE_F64, 1, &k->search_elapsed};
    if (status == IOA_OK && e->searching) status = ioa_checkpoint_get(k->file, &elapsed, error);
    ioa_value totals = {"start_totals", IOA_VALUE_U64, e->finished, k->start_totals};
    if (status == IOA_OK && e->finished > (uint64_t)k->job->memory_count)
        status = ioa_fail(error, IOA_ERR_INPUT, "it has more memory sizes finished than there are");
    if (status == IOA_OK) status = ioa_checkpoint_get(k->file, &totals, error);
    if (status == IOA_OK) status = ioa_archive_create(k->network, &k->schedules, error);
    if (status == IOA_OK) status = ioa_checkpoint_get_finished(k->file, k->schedules, error);
    if (status == IOA_OK && k->schedules->count != e->finished)
        status = ioa_fail(error, IOA_ERR_INPUT, "the schedules in it are not those of the sizes finished");
    return status;
}

static void drop(ioa_keeper *k)
{
    ioa_checkpoint_close(k->file);
    if (!k->borrowed) ioa_archive_destroy(k->schedules);
    k->file = NULL;
    k->schedules = NULL;
}

static ioa_status open_generation(ioa_keeper *k, bool previous, extent *e, ioa_error *error)
{
    ioa_status status = ioa_checkpoint_open(k->job->checkpoint_path, previous, k->facts, IOA_KEEPER_FACTS, &k->file, error);
    if (status != IOA_OK) return status;
    status = read_extent(k, e, error);
    if (status != IOA_OK) drop(k);
    return status;
}

typedef struct listener {
    void (*note)(void *context, const char *text);
    void *context;
} listener;

static void tell(const listener *l, const char *format, const char *text)
{
    char line[IOA_ERROR_TEXT + 200];
    snprintf(line, sizeof line, format, text);
    if (l->note) l->note(l->context, line);
}

/* The newest generation that is whole and ours. */
static ioa_status open_newest(ioa_keeper *k, extent *e, const listener *l, ioa_error *error)
{
    ioa_error first = {0}, second = {0};
    if (open_generation(k, false, e, &first) == IOA_OK) return IOA_OK;
    ioa_status status = open_generation(k, true, e, &second);
    if (status != IOA_OK)
        return ioa_fail(error, IOA_ERR_INPUT, "%.480s; the previous generation: %.480s", first.text, second.text);
    tell(l, "%s; the previous generation is taken", first.text);
    return IOA_OK;
}

static ioa_status begin(ioa_keeper *k, uint64_t replicas, extent *e, const listener *l, ioa_error *error)
{
    const ioa_job *job = k->job;
    ioa_owner_self(&k->owner);
    k->start_totals = ioa_alloc_zero((uint64_t)job->memory_count, sizeof *k->start_totals);
    ioa_status status = k->start_totals ? collect_facts(k, replicas, error)
                                        : ioa_fail_nomem(error, "totals", (uint64_t)job->memory_count, 8);
    if (status == IOA_OK) status = ioa_file_writable(job->checkpoint_path, error);
    if (status != IOA_OK) return status;
    ioa_atomic_sweep(job->checkpoint_path);
    bool there = ioa_checkpoint_exists(job->checkpoint_path);
    if (there && !job->resume)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: a checkpoint is there already: add --resume to go on from it, or remove it",
                        job->checkpoint_path);
    if (there) {
        status = open_newest(k, e, l, error);
        k->resumed = status == IOA_OK;
        return status;
    }
    if (job->resume) tell(l, "%s: no checkpoint yet; the search starts afresh", job->checkpoint_path);
    return ioa_archive_create(k->network, &k->schedules, error);
}

ioa_status ioa_keeper_open(ioa_keeper *k, const ioa_job *job, const ioa_network *network, uint64_t replicas,
                           MPI_Comm world, void (*note)(void *context, const char *text), void *context,
                           ioa_error *error)
{
    int rank;
    MPI_Comm_rank(world, &rank);
    *k = (ioa_keeper){.job = job, .network = network, .last = ioa_clock()};
    if (!job->checkpoint_path) return IOA_OK;
    extent e = {0};
    const listener l = {note, context};
    ioa_status status = rank == 0 ? begin(k, replicas, &e, &l, error) : IOA_OK;
    status = ioa_comm_agree(world, status, true, error);
    if (status != IOA_OK) return status;
    struct {
        extent e;
        double search_elapsed;
        int64_t resumed;
    } all = {e, k->search_elapsed, k->resumed};
    MPI_Bcast(&all, sizeof all, MPI_BYTE, 0, world);
    k->resumed = all.resumed;
    k->searching = all.e.searching;
    k->finished = all.e.finished;
    k->rounds = all.e.rounds;
    k->job_elapsed = all.e.job_elapsed;
    k->search_elapsed = all.search_elapsed;
    return IOA_OK;
}

void ioa_keeper_close(ioa_keeper *k)
{
    drop(k);
    ioa_free(k->texts);
    ioa_free(k->start_totals);
}

ioa_status ioa_keeper_restore_start(ioa_keeper *k, MPI_Comm team, const ioa_objective *objective,
                                    uint32_t *start, uint64_t *start_total, ioa_error *error)
{
    ioa_status status = IOA_OK;
    if (k->file) {
        ioa_value total = {"start_total", IOA_VALUE_U64, 1, start_total};
        ioa_value order = {"start", IOA_VALUE_U32, k->network->connections, start};
        status = ioa_checkpoint_get(k->file, &total, error);
        if (status == IOA_OK) status = ioa_checkpoint_get(k->file, &order, error);
        if (status == IOA_OK) status = ioa_order_check(k->network, start, error);
        uint64_t counted = 0;
        if (status == IOA_OK) status = ioa_objective_count(k->network, start, objective, NULL, &counted, error);
        if (status == IOA_OK && counted != *start_total)
            status = ioa_fail(error, IOA_ERR_INPUT, "%s: the start order does not cost what is claimed",
                              k->job->checkpoint_path);
    }
    status = ioa_comm_agree(team, status, true, error);
    if (status == IOA_OK) MPI_Bcast(start_total, 1, MPI_UINT64_T, 0, team);
    return status;
}

/* One state from the file to the worker it lives on now. */
static ioa_status hand_out(ioa_keeper *k, MPI_Comm team, int rank, int size, ioa_tempering *tempering, uint32_t replica,
                           ioa_error *error)
{
    int owner = (int)(replica % (uint32_t)size);
    uint64_t count = 0;
    void *bytes = NULL;
    ioa_status status = rank == 0 ? ioa_checkpoint_get_replica(k->file, replica, &bytes, &count, error) : IOA_OK;
    MPI_Bcast(&count, 1, MPI_UINT64_T, 0, team);
    if (rank == owner && rank != 0) {
        bytes = ioa_alloc(count, 1);
        if (!bytes) status = ioa_fail_nomem(error, "a replica's state", count, 1);
    }
    status = ioa_comm_agree(team, status, false, error);
    if (status == IOA_OK && owner != 0 && rank == 0) ioa_comm_send_bytes(team, owner, TAG_STATE, bytes, count);
    if (status == IOA_OK && owner != 0 && rank == owner) ioa_comm_receive_bytes(team, 0, TAG_STATE, bytes, count);
    if (status == IOA_OK && rank == owner) status = ioa_tempering_state_load(tempering, replica, bytes, count, error);
    ioa_free(bytes);
    return ioa_comm_agree(team, status, false, error);
}

ioa_status ioa_keeper_restore(ioa_keeper *k, MPI_Comm team, ioa_tempering *tempering, ioa_error *error)
{
    int rank, size;
    MPI_Comm_rank(team, &rank);
    MPI_Comm_size(team, &size);
    ioa_status status = ioa_comm_agree(team, ioa_tempering_resize(tempering, k->rounds, error), false, error);
    if (status != IOA_OK) return status;
    ioa_value values[IOA_TEMPERING_VALUES];
    size_t count = ioa_tempering_values(tempering, values);
    for (size_t i = 0; status == IOA_OK && rank == 0 && i < count; i++)
        status = ioa_checkpoint_get(k->file, &values[i], error);
    status = ioa_comm_agree(team, status, false, error);
    for (size_t i = 0; status == IOA_OK && i < IOA_TEMPERING_SHARED; i++)
        ioa_comm_broadcast_bytes(team, 0, values[i].values, values[i].count * ioa_value_size(values[i].type));
    if (status == IOA_OK) status = ioa_comm_agree(team, ioa_tempering_restored(tempering, error), false, error);
    for (uint32_t i = 0; status == IOA_OK && i < ioa_tempering_states(tempering); i++)
        status = hand_out(k, team, rank, size, tempering, i, error);
    if (status != IOA_OK) ioa_fail_prefix(error, status, "%s", k->job->checkpoint_path);
    ioa_checkpoint_close(k->file);
    k->file = NULL;
    return status;
}

/* ---- writing ---- */

bool ioa_keeper_due(const ioa_keeper *k)
{
    return k->job->checkpoint_path && ioa_clock() - k->last >= k->job->checkpoint_every;
}

typedef struct collector {
    MPI_Comm team;
    int size;
    const ioa_tempering *tempering;
    unsigned char *buffer; /* room for the largest state */
} collector;

/* On rank 0: the next state, from wherever it lives. */
static ioa_status take(void *context, uint32_t replica, const void **bytes, uint64_t *count, ioa_error *error)
{
    (void)error;
    collector *c = context;
    int owner = (int)(replica % (uint32_t)c->size);
    if (owner == 0) {
        *count = ioa_tempering_state_bytes(c->tempering, replica);
        ioa_tempering_state_save(c->tempering, replica, c->buffer);
    } else {
        ioa_comm_receive_bytes(c->team, owner, TAG_STATE, count, sizeof *count);
        ioa_comm_receive_bytes(c->team, owner, TAG_STATE, c->buffer, *count);
    }
    *bytes = c->buffer;
    return IOA_OK;
}

static void give(const collector *c, int rank, uint32_t replicas)
{
    for (uint32_t i = (uint32_t)rank; i < replicas; i += (uint32_t)c->size) {
        uint64_t count = ioa_tempering_state_bytes(c->tempering, i);
        ioa_tempering_state_save(c->tempering, i, c->buffer);
        ioa_comm_send_bytes(c->team, 0, TAG_STATE, &count, sizeof count);
        ioa_comm_send_bytes(c->team, 0, TAG_STATE, c->buffer, count);
    }
}

static ioa_status write_file(ioa_keeper *k, extent *e, const uint32_t *start, ioa_tempering *tempering, uint32_t replicas,
                             collector *c, ioa_error *error)
{
    ioa_value values[IOA_TEMPERING_VALUES + 8];
    uint64_t last = (uint64_t)k->job->memory_count - 1, under_way = e->finished < last ? e->finished : last;
    /* For those who look at it; ioa_checkpoint_summarize. */
    uint64_t lower_bound = ioa_objective_shared(&k->job->objectives[under_way], k->network->bounds.lower);
    uint32_t *order = NULL;
    size_t count = 5;
    list_extent(e, values);
    values[count++] = (ioa_value){"start_totals", IOA_VALUE_U64, e->finished, k->start_totals};
    values[count++] = (ioa_value){"lower_bound", IOA_VALUE_U64, 1, &lower_bound};
    if (tempering) {
        memcpy(&order, &start, sizeof order); /* values are read only */
        values[count++] = (ioa_value){"start", IOA_VALUE_U32, k->network->connections, order};
        count += ioa_tempering_values(tempering, values + count);
    }
    const ioa_checkpoint checkpoint = {.facts = k->facts, .fact_count = IOA_KEEPER_FACTS, .values = values,
                                       .value_count = count, .finished = k->schedules, .owner = k->owner,
                                       .replicas = replicas, .replica = take, .context = c};
    double began = ioa_clock();
    ioa_status status = ioa_checkpoint_write(&checkpoint, k->job->checkpoint_path, error);
    k->last = ioa_clock();
    if (k->last - began > k->longest) k->longest = k->last - began;
    return status;
}

ioa_status ioa_keeper_write(ioa_keeper *k, MPI_Comm team, uint64_t finished, double elapsed, const uint32_t *start,
                            uint64_t start_total, ioa_tempering *tempering, ioa_error *error)
{
    int rank, size;
    MPI_Comm_rank(team, &rank);
    MPI_Comm_size(team, &size);
    uint32_t replicas = tempering ? ioa_tempering_states(tempering) : 0;
    uint64_t mine = 0, most;
    for (uint32_t i = (uint32_t)rank; i < replicas; i += (uint32_t)size) {
        uint64_t bytes = ioa_tempering_state_bytes(tempering, i);
        if (bytes > mine) mine = bytes;
    }
    MPI_Allreduce(&mine, &most, 1, MPI_UINT64_T, MPI_MAX, team);
    collector c = {.team = team, .size = size, .tempering = tempering, .buffer = ioa_alloc(rank == 0 ? most : mine, 1)};
    ioa_status status = c.buffer ? IOA_OK : ioa_fail_nomem(error, "a replica's state", most, 1);
    status = ioa_comm_agree(team, status, false, error);
    if (status == IOA_OK && rank == 0) {
        extent e = {.finished = finished, .searching = tempering != NULL, .start_total = start_total, .job_elapsed = elapsed,
                    .rounds = tempering ? ioa_tempering_trace(tempering)->rounds : 0};
        status = write_file(k, &e, start, tempering, replicas, &c, error);
    } else if (status == IOA_OK)
        give(&c, rank, replicas);
    ioa_free(c.buffer);
    return ioa_comm_agree(team, status, true, error);
}
