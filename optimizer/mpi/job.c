#include "optimizer/mpi/job.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/model/network.h"
#include "io/base/atomic_file.h"
#include "optimizer/mpi/comm.h"
#include "optimizer/mpi/parcel.h"
#include "optimizer/mpi/seat.h"
#include "optimizer/mpi/stop.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { TAG_SUMMARY = 100 };

#define END_PATIENCE 10.0 /* times --hang-timeout the verification of a result may take */

void ioa_job_library(char *text, size_t size)
{
    char version[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int length = 0;
    MPI_Get_library_version(version, &length);
    snprintf(text, size, "%.*s", (int)strcspn(version, ",\n"), version);
}

static bool is_verifier(const ioa_seat *s)
{
    return s->rank == s->verifier;
}

static bool is_worker(const ioa_seat *s)
{
    return s->rank < s->workers;
}

/* ---- setting up ---- */

/* Room for what the provenance says of every memory size: brackets, and an object each. */
static size_t speed_room(const ioa_seat *s)
{
    return (size_t)s->job->memory_count * IOA_SEAT_SPEED + 3;
}

static ioa_status begin_speed(ioa_seat *s, ioa_error *error)
{
    s->speed = ioa_alloc(speed_room(s), 1);
    if (!s->speed) return ioa_fail_nomem(error, "the provenance", speed_room(s), 1);
    strcpy(s->speed, "[");
    return IOA_OK;
}

/* Nothing that is written may take the place of what is read, or of something else that is written. */
static ioa_status check_files(const ioa_job *job, ioa_error *error)
{
    ioa_status status = ioa_file_distinct(job->archive_path, &job->network_path, 1, error);
    if (status == IOA_OK && job->checkpoint_path)
        status = ioa_checkpoint_distinct(job->checkpoint_path, job->archive_path, error);
    if (status == IOA_OK && job->checkpoint_path)
        status = ioa_checkpoint_distinct(job->checkpoint_path, job->network_path, error);
    return status == IOA_OK ? ioa_file_writable(job->archive_path, error) : status;
}

static ioa_status share_network(ioa_seat *s, ioa_error *error)
{
    ioa_status status = IOA_OK;
    if (s->rank == 0) {
        ioa_atomic_sweep(s->job->archive_path);
        status = check_files(s->job, error);
    }
    status = ioa_comm_agree(s->world, status, true, error);
    ioa_node_open(s->world, &s->node);
    if (status == IOA_OK) status = ioa_node_read_network(&s->node, s->job->network_path, &s->storage, &s->network, error);
    if (status != IOA_OK) return status;
    uint64_t w = s->network->connections;
    if (is_worker(s)) {
        ioa_node_open(s->team, &s->squad);
        status = ioa_node_window_create(&s->squad, w * sizeof *s->order, &s->start, error);
    }
    s->order = ioa_alloc(w, sizeof *s->order);
    if (!s->order) status = ioa_fail_nomem(error, "the order", w, sizeof *s->order);
    if (status == IOA_OK && is_verifier(s)) status = ioa_archive_create(s->network, &s->archive, error);
    if (status == IOA_OK && is_verifier(s)) status = begin_speed(s, error);
    if (status == IOA_OK && is_worker(s)) status = ioa_graph_create(s->network, &s->graph, error);
    return ioa_comm_agree(s->world, status, false, error);
}

/* Exchange pays where rounds are cheap; a large network needs the proposals in few replicas. A function of the
 * network alone: the number of ranks must not change results. */
static uint64_t default_replicas(uint64_t connections)
{
    return connections <= 2000 ? 4 : 2;
}

/* ---- one memory size, all ranks ---- */

/* On the verifier: from the final order to a schedule of the archive. */
static ioa_status conclude(ioa_seat *s, const ioa_result_config *result, const ioa_candidates *seen, const ioa_trace *trace,
                           ioa_summary *summary, ioa_error *error)
{
    ioa_status status = ioa_result_add(s->archive, s->network, s->order, result, trace, summary, error);
    if (status != IOA_OK) return status;
    if (seen->refused && summary->verified) {
        summary->verified = false;
        s->archive->schedules[s->archive->count - 1].verified = 0;
        snprintf(summary->reason, sizeof summary->reason, "an earlier best did not hold: %.400s", seen->reason);
    }
    s->unverified = s->unverified || !summary->verified;
    return IOA_OK;
}

/* The verifier's part while the workers search, and the way of the final order to it. */
static ioa_status collect(ioa_seat *s, ioa_result_config *result, int owner, ioa_trace *trace, ioa_error *error)
{
    if (s->verifier == 0) return IOA_OK; /* one rank: it is all here */
    struct {
        ioa_result_config result;
        uint64_t end;
        int64_t owner;
    } facts = {*result, s->end, owner};
    MPI_Bcast(&facts, sizeof facts, MPI_BYTE, 0, s->world);
    facts.result.method = result->method; /* pointers do not travel; the bound is known to the verifier alone */
    facts.result.certified = result->certified;
    *result = facts.result;
    s->end = facts.end;
    ioa_courier sender = {.world = s->world, .verifier = s->verifier, .count = s->network->connections};
    if (is_verifier(s)) {
        ioa_verifier_receive_final(s->world, (int)facts.owner, s->network->connections, s->order);
        if (ioa_verifier_receive_trace(s->world, trace, error) == IOA_OK) return IOA_OK;
        fprintf(stderr, "ioanneal optimize: %s\n", error->text);
        MPI_Abort(s->world, 3); /* the sender waits */
    }
    if (s->rank == facts.owner) ioa_courier_send_final(&sender, s->order);
    if (s->rank == 0) ioa_courier_send_trace(s->world, s->verifier, trace);
    return IOA_OK;
}

/* Verification, and what rank 0 is told about it. */
static ioa_status finish_memory(ioa_seat *s, ioa_result_config *result, int owner, const ioa_candidates *seen,
                                ioa_trace *trace, ioa_error *error)
{
    ioa_summary summary = {0};
    if (!is_verifier(s)) ioa_watchdog_set(END_PATIENCE * s->job->hang_timeout + s->job->timing_seconds);
    ioa_status status = collect(s, result, owner, trace, error);
    if (status == IOA_OK && is_verifier(s)) status = conclude(s, result, seen, trace, &summary, error);
    status = ioa_comm_agree(s->world, status, true, error); /* all others sleep while the verifier times */
    ioa_watchdog_set(0.0);
    if (status == IOA_OK && s->verifier != 0) {
        if (is_verifier(s)) MPI_Send(&summary, sizeof summary, MPI_BYTE, 0, TAG_SUMMARY, s->world);
        if (s->rank == 0)
            MPI_Recv(&summary, sizeof summary, MPI_BYTE, s->verifier, TAG_SUMMARY, s->world, MPI_STATUS_IGNORE);
    }
    if (status == IOA_OK && s->events->finished) s->events->finished(s->events->context, &summary);
    return status;
}

/* Between two memory sizes: the finished one goes into the checkpoint, and the job may stop here. */
static ioa_status step_on(ioa_seat *s, int index, const ioa_result_config *result, ioa_error *error)
{
    int stop = s->stopping || ioa_stop_signalled() || (s->rank == 0 && ioa_seat_must_stop(s, 0.0)), agreed;
    MPI_Allreduce(&stop, &agreed, 1, MPI_INT, MPI_MAX, s->world);
    s->stopping = agreed;
    if (!s->job->checkpoint_path || index + 1 == s->job->memory_count) return IOA_OK;
    s->paused = s->stopping;
    ioa_keeper *k = &s->keeper;
    if (s->rank == 0) k->start_totals[index] = result->start_total;
    if (is_verifier(s) && s->verifier != 0)
        ioa_parcel_send(s->world, 0, s->network->connections, &s->archive->schedules[index]);
    if (s->rank == 0 && s->verifier != 0) ioa_parcel_receive(s->world, s->verifier, k->schedules);
    ioa_status status = IOA_OK;
    if (is_worker(s)) status = ioa_seat_checkpoint(s, index + 1, NULL, 0, NULL, s->paused, error);
    return ioa_comm_agree(s->world, status, true, error);
}

/* Wall-clock facts for the provenance: an object of a list. */
static void note_speed(ioa_seat *s, const ioa_result_config *result, const ioa_trace *trace)
{
    double times[3] = {s->annealing, s->slowest, s->exchanging}, whole;
    MPI_Bcast(times, 3, MPI_DOUBLE, 0, s->world);
    whole = times[0] + times[2];
    if (!is_verifier(s) || whole <= 0.0) return;
    size_t used = strlen(s->speed), room = speed_room(s);
    uint64_t before = s->keeper.searching && s->archive->count == s->keeper.finished + 1 ? s->keeper.rounds : 0;
    double proposals = trace->rows ? (double)trace->proposals[trace->rows - 1] : 0.0;
    if (before && trace->rows) proposals -= (double)trace->proposals[ioa_trace_row(trace, before - 1)]; /* of earlier runs */
    char repeat[96];
    int length = snprintf(repeat, sizeof repeat, "--rounds %" PRIu64 " --trial-rounds %" PRIu64, result->planned, result->trial);
    if (s->end) snprintf(repeat + length, sizeof repeat - (size_t)length, " --stop-round %" PRIu64, s->end);
    snprintf(s->speed + used, room - used,
             "%s{\"memory\":%" PRIu64 ",\"seconds\":%.3f,\"proposals_per_second\":%.0f,\"communication_share\":%.4f,"
             "\"imbalance\":%.4f,\"repeat\":\"%s\"}", used > 1 ? "," : "", result->objective.level[0].memory, whole, proposals / whole,
             times[2] / whole, times[1] > 0.0 ? 1.0 - times[0] / times[1] : 0.0, repeat);
}

static ioa_status handle_memory(ioa_seat *s, int index, ioa_error *error)
{
    const ioa_job *job = s->job;
    ioa_result_config result = {.objective = job->objectives[index], .seed = job->seed, .replicas = s->replicas,
                                .method = job->method_name, .batch = (uint32_t)job->batch,
                                .timing_seconds = job->timing_seconds};
    ioa_trace trace = {.replicas = (uint32_t)s->replicas};
    ioa_candidates seen = {0};
    int owner = 0;
    ioa_status status = is_worker(s) ? ioa_seat_search(s, index, &result, &trace, &owner, error)
                                     : ioa_verifier_serve(s->world, s->workers, s->network, &result, s->order, &seen,
                                                          &result.certified, error);
    status = ioa_comm_agree(s->world, status, true, error);
    int ends[2] = {s->stopping, s->paused};
    MPI_Bcast(ends, 2, MPI_INT, 0, s->world);
    s->stopping = ends[0];
    s->paused = ends[1];
    if (status == IOA_OK && !s->paused) status = finish_memory(s, &result, owner, &seen, &trace, error);
    if (status == IOA_OK && !s->paused) note_speed(s, &result, &trace);
    if (status == IOA_OK && !s->paused) status = step_on(s, index, &result, error);
    ioa_trace_clear(&trace);
    return status;
}

/* ---- the whole job ---- */

/* What earlier runs finished goes to the verifier, and to the user as if it had been found now. */
static void take_over(ioa_seat *s)
{
    ioa_keeper *k = &s->keeper;
    if (s->verifier == 0 && k->schedules) { /* one rank needs but one copy */
        ioa_archive_destroy(s->archive);
        s->archive = k->schedules;
        k->borrowed = true;
    }
    for (uint64_t i = 0; i < k->finished; i++) {
        if (s->rank == 0 && s->verifier != 0)
            ioa_parcel_send(s->world, s->verifier, s->network->connections, &k->schedules->schedules[i]);
        if (is_verifier(s) && s->verifier != 0) ioa_parcel_receive(s->world, 0, s->archive);
        if (is_verifier(s)) s->unverified = s->unverified || !s->archive->schedules[i].verified;
        if (!s->events->finished) continue;
        ioa_summary summary;
        ioa_result_summarize(&k->schedules->schedules[i], k->start_totals[i], &summary);
        s->events->finished(s->events->context, &summary);
    }
    if (!k->resumed) return;
    s->began -= k->job_elapsed;
    if (k->searching)
        ioa_seat_note(s, "resumed: memory size %" PRIu64 " of %d, %" PRIu64 " rounds done", k->finished + 1,
                      s->job->memory_count, k->rounds);
    else
        ioa_seat_note(s, "resumed: %" PRIu64 " of %d memory sizes done", k->finished, s->job->memory_count);
}

static void describe(const ioa_seat *s, char *text, size_t size)
{
    const ioa_job *job = s->job;
    char levels[IOA_LEVELS_TEXT];
    ioa_objective_name(&job->objectives[0], levels);
    snprintf(text, size,
             "{\"method\":\"%s\",\"engine\":\"%s\",\"levels\":\"%s\",\"policy\":\"%s\",\"seed\":%" PRIu64 ",\"replicas\":%" PRIu64
             ",\"segments\":%" PRIu64 ",\"rounds\":%" PRIu64 ",\"seconds\":%g,\"proposals\":%" PRIu64
             ",\"cold\":%g,\"hot\":%g,\"groups\":%" PRIu64 ",\"adapt\":%u,\"patience\":%" PRIu64 ",\"batch\":%" PRIu64
             ",\"timing_seconds\":%g}",
             job->method_name, job->engine->name, job->objectives[0].count > 1 ? levels : "",
             ioa_policy_name(job->objectives[0].level[0].policy), job->seed, s->replicas, job->segments, job->rounds,
             job->seconds, job->proposals, job->cold, job->hot, job->groups, job->adapt, job->patience, job->batch,
             job->timing_seconds);
}

/* On the verifier: the archive on disk. */
static ioa_status deliver(ioa_seat *s, ioa_error *error)
{
    char config[1024], text[64];
    describe(s, config, sizeof config);
    ioa_status status =
        ioa_result_provenance(s->archive, s->job->command_line, config, s->ranks, ioa_clock() - s->began, error);
    snprintf(text, sizeof text, "memory size %" PRIu64 ", round %" PRIu64, s->keeper.finished + 1, s->keeper.rounds);
    if (status == IOA_OK && s->keeper.resumed) status = ioa_archive_add_fact(s->archive, "resumed_at", text, error);
    strcat(s->speed, "]");
    if (status == IOA_OK) status = ioa_archive_add_fact(s->archive, "search", s->speed, error);
    if (status == IOA_OK && s->stopping) status = ioa_archive_add_fact(s->archive, "stopped_early", "yes", error);
    return status == IOA_OK ? ioa_archive_write(s->archive, s->job->archive_path, error) : status;
}

static void say_how_it_ended(const ioa_seat *s)
{
    const char *reason = s->reason ? s->reason : "a signal";
    if (s->paused)
        ioa_seat_note(s, "stopped early (%s); go on with --checkpoint %s --resume", reason, s->job->checkpoint_path);
    else if (s->stopping)
        ioa_seat_note(s, "stopped early (%s); the archive holds what was found until then", reason);
}

static ioa_status end(ioa_seat *s, ioa_error *error)
{
    ioa_status status = IOA_OK;
    if (!s->paused && is_verifier(s)) status = deliver(s, error);
    status = ioa_comm_agree(s->world, status, true, error);
    if (status != IOA_OK) return status;
    if (s->rank == 0 && !s->paused && s->job->checkpoint_path) { /* it has served */
        ioa_error problem = {0};
        if (ioa_checkpoint_remove(s->job->checkpoint_path, &s->keeper.owner, &problem) != IOA_OK)
            ioa_seat_note(s, "%s", problem.text);
    }
    say_how_it_ended(s);
    return IOA_OK;
}

static ioa_status run(ioa_seat *s, ioa_error *error)
{
    ioa_status status = share_network(s, error);
    if (status != IOA_OK) return status;
    if (s->node.apart) ioa_seat_note(s, "shared memory (/dev/shm) is short: every rank holds the network by itself");
    s->replicas = s->job->replicas ? s->job->replicas : default_replicas(s->network->connections);
    status = ioa_keeper_open(&s->keeper, s->job, s->network, s->replicas, s->world, s->events->note, s->events->context,
                             error);
    if (status != IOA_OK) return status;
    if (s->events->began)
        s->events->began(s->events->context, s->network, s->ranks, s->verifier != 0, (uint32_t)s->replicas);
    take_over(s);
    for (int i = (int)s->keeper.finished; status == IOA_OK && !s->stopping && i < s->job->memory_count; i++)
        status = handle_memory(s, i, error);
    if (status == IOA_OK) status = end(s, error);
    if (status != IOA_OK) return status;
    if (s->unverified) ioa_fail(error, IOA_ERR_CHECK, "a result could not be verified; it is archived as such");
    return ioa_comm_agree(s->world, s->unverified && !s->paused ? IOA_ERR_CHECK : IOA_OK, false, error);
}

ioa_status ioa_job_run(const ioa_job *job, const ioa_job_events *events, bool *paused)
{
    static const ioa_job_events silent = {0};
    int provided;
    double began = ioa_clock();
    ioa_stop_listen();
    MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
    ioa_seat s = {.job = job, .world = MPI_COMM_WORLD, .team = MPI_COMM_NULL, .began = ioa_clock(),
                  .deadline = ioa_stop_deadline(began, job->deadline, job->end_margin)};
    MPI_Comm_rank(s.world, &s.rank);
    MPI_Comm_size(s.world, &s.ranks);
    ioa_watchdog_prepare(s.rank);
    s.workers = s.ranks > 1 ? s.ranks - 1 : 1;
    s.verifier = s.ranks > 1 ? s.ranks - 1 : 0;
    s.events = s.rank == 0 ? events : &silent;
    MPI_Comm_split(s.world, is_worker(&s) ? 0 : MPI_UNDEFINED, s.rank, &s.team);
    ioa_error error = {0};
    ioa_status status = run(&s, &error);
    if (status != IOA_OK && s.events->failed) s.events->failed(s.events->context, &error);
    *paused = status == IOA_OK && s.paused;
    ioa_keeper_close(&s.keeper);
    ioa_archive_destroy(s.archive);
    ioa_graph_destroy(s.graph);
    ioa_network_destroy(s.network);
    ioa_free(s.order);
    ioa_free(s.speed);
    if (is_worker(&s)) {
        ioa_node_window_destroy(&s.start);
        ioa_node_close(&s.squad);
        MPI_Comm_free(&s.team);
    }
    ioa_node_window_destroy(&s.storage);
    ioa_node_close(&s.node);
    MPI_Finalize();
    return status;
}
