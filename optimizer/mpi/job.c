#include "optimizer/mpi/job.h"

#include "core/mem.h"
#include "core/network.h"
#include "io/atomic_file.h"
#include "io/network_file.h"
#include "optimizer/mpi/verifier.h"
#include "optimizer/search/construct.h"
#include "optimizer/search/tempering.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { TAG_SUMMARY = 100 };

#define INITIAL_SPREAD 1.5 /* of the ladder; it adapts */

/* One rank's view of the job. */
typedef struct seat {
    const ioa_job *job;
    const ioa_job_events *events; /* members are NULL on other ranks than 0 */
    MPI_Comm world;
    MPI_Comm team; /* workers only; MPI_COMM_NULL on the verifier */
    int rank, ranks, workers;
    int verifier;         /* rank of the verifier; with one rank, rank 0 itself */
    ioa_network *network; /* owned */
    ioa_archive *archive; /* owned; on the verifier only */
    ioa_graph *graph;     /* owned; on workers only */
    uint32_t *order;      /* [W] start order, later the best; owned */
    uint64_t replicas;    /* K */
    double began;         /* of the job */
    bool unverified;      /* a result failed verification; on the verifier only */
} seat;

static bool is_verifier(const seat *s)
{
    return s->rank == s->verifier;
}

static bool is_worker(const seat *s)
{
    return s->rank < s->workers;
}

/* ---- setting up ---- */

static ioa_status share_network(seat *s, ioa_error *error)
{
    ioa_status status = IOA_OK;
    if (s->rank == 0) {
        status = ioa_file_writable(s->job->archive_path, error);
        if (status == IOA_OK) status = ioa_network_read(s->job->network_path, &s->network, error);
    }
    status = ioa_comm_agree(s->world, status, true, error);
    if (status == IOA_OK) status = ioa_comm_share_network(s->world, &s->network, error);
    if (status == IOA_OK) {
        s->order = ioa_alloc(s->network->connections, sizeof *s->order);
        if (!s->order) status = ioa_fail_nomem(error, "the order", s->network->connections, sizeof *s->order);
    }
    if (status == IOA_OK && is_verifier(s)) status = ioa_archive_create(s->network, &s->archive, error);
    if (status == IOA_OK && is_worker(s)) status = ioa_graph_create(s->network, &s->graph, error);
    return ioa_comm_agree(s->world, status, false, error);
}

/* Exchange pays where rounds are cheap; a large network needs the proposals in few replicas. A function of the
 * network alone: the number of ranks must not change results. */
static uint64_t default_replicas(uint64_t connections)
{
    return connections <= 20000 ? 4 : 2;
}

/* ---- constructive orders ---- */

#define MOST_CONSTRUCTORS 64

static bool wanted(const seat *s, unsigned index)
{
    const ioa_constructor *constructor = ioa_constructor_at(index);
    if (s->job->method == IOA_METHOD_PAPER) return index == 0; /* the paper starts from the layered order */
    return index == 0 || !constructor->affordable || constructor->affordable(s->network, 0);
}

/* Workers share the candidates; the one with the lowest total is handed to all of them. */
static ioa_status construct(seat *s, uint64_t memory, uint64_t *start_total, ioa_error *error)
{
    uint64_t totals[MOST_CONSTRUCTORS];
    uint32_t *mine = NULL, *best = s->order;
    ioa_status status = IOA_OK;
    unsigned count = 0, chosen = 0, turn = 0;
    int own_best = -1;
    memset(totals, 0xff, sizeof totals);
    mine = ioa_alloc(s->network->connections, sizeof *mine);
    if (!mine) status = ioa_fail_nomem(error, "a constructive order", s->network->connections, sizeof *mine);
    for (; count < MOST_CONSTRUCTORS && ioa_constructor_at(count); count++) {
        if (!wanted(s, count) || (int)(turn++ % (unsigned)s->workers) != s->rank || status != IOA_OK) continue;
        ioa_io io;
        status = ioa_constructor_at(count)->build(s->network, memory, mine, error);
        if (status == IOA_OK) status = ioa_memory_count(s->network, mine, memory, s->job->policy, &io, error);
        if (status != IOA_OK) continue;
        totals[count] = io.reads + io.writes;
        if (own_best >= 0 && totals[own_best] <= totals[count]) continue;
        own_best = (int)count;
        memcpy(best, mine, s->network->connections * sizeof *best);
    }
    ioa_free(mine);
    status = ioa_comm_agree(s->team, status, false, error);
    if (status != IOA_OK) return status;
    uint64_t all[MOST_CONSTRUCTORS];
    MPI_Allreduce(totals, all, (int)count, MPI_UINT64_T, MPI_MIN, s->team);
    for (unsigned i = 1; i < count; i++)
        if (all[i] < all[chosen]) chosen = i;
    int owner = own_best == (int)chosen ? s->rank : 0, agreed;
    MPI_Allreduce(&owner, &agreed, 1, MPI_INT, MPI_MAX, s->team);
    ioa_comm_broadcast_u32(s->team, agreed, s->order, s->network->connections);
    *start_total = all[chosen];
    for (unsigned i = 0; i < count; i++)
        if (s->events->constructed && all[i] != UINT64_MAX)
            s->events->constructed(s->events->context, ioa_constructor_at(i)->name, memory, all[i], i == chosen);
    return IOA_OK;
}

/* ---- the search on a worker ---- */

typedef struct watch {
    seat *s;
    ioa_courier *courier;
    const ioa_tempering *tempering;
    uint64_t memory, offered; /* total of the last order offered */
    double began, limit;
} watch;

static void after_round(void *context, uint64_t best, uint32_t replica, bool improved, const ioa_trace *trace)
{
    watch *w = context;
    (void)improved;
    uint32_t owner_replica, owner;
    ioa_tempering_best(w->tempering, &owner_replica, &owner);
    if (best < w->offered && (int)owner == w->s->rank) {
        ioa_courier_offer(w->courier, w->tempering, replica, best);
        w->offered = best;
    }
    if (w->s->events->round)
        w->s->events->round(w->s->events->context, w->memory, trace, ioa_clock() - w->began, w->limit);
}

static ioa_tempering_config search_config(const seat *s, int index, double began)
{
    const ioa_job *job = s->job;
    double share = job->seconds * (index + 1) / job->memory_count - (began - s->began);
    ioa_tempering_config config = {.engine = job->engine,
                                   .seed = job->seed,
                                   .replicas = (uint32_t)s->replicas,
                                   .rounds = job->rounds,
                                   .proposals = job->proposals,
                                   .seconds = job->seconds > 0.0 ? (share > 1e-3 ? share : 1e-3) : 0.0,
                                   .began = began,
                                   .stop = job->stop,
                                   .spread = job->method == IOA_METHOD_ANNEAL ? 1.0 : INITIAL_SPREAD};
    return config;
}

/* Constructs, tempers, and leaves the best order in s->order of its owner. All workers return the same status. */
static ioa_status search(seat *s, int index, ioa_result_config *result, ioa_trace *trace, int *owner, ioa_error *error)
{
    uint64_t memory = s->job->memories[index];
    double began = ioa_clock();
    bool searching = s->job->method != IOA_METHOD_CONSTRUCT && s->network->connections > 1;
    ioa_problem problem = {.network = s->network, .memory = memory, .policy = s->job->policy, .graph = s->graph,
                           .cold = s->job->cold, .hot = s->job->hot};
    ioa_tempering_config config = search_config(s, index, began);
    ioa_transport transport = ioa_comm_transport(&s->team);
    ioa_tempering *tempering = NULL;
    ioa_courier courier = {0};
    uint32_t *start = NULL;
    int courier_to = s->verifier == s->rank ? -1 : s->verifier;
    *owner = 0;
    ioa_status status = construct(s, memory, &result->start_total, error);
    if (status == IOA_OK) {
        start = ioa_alloc_copy(s->order, s->network->connections, sizeof *start);
        if (!start) status = ioa_fail_nomem(error, "the start order", s->network->connections, sizeof *start);
    }
    result->claimed_total = problem.start_total = result->start_total;
    problem.start = start;
    if (status == IOA_OK && searching)
        status = ioa_tempering_create(&problem, &config, &transport, &tempering, error);
    if (status == IOA_OK) status = ioa_courier_create(s->world, courier_to, s->network->connections, &courier, error);
    status = ioa_comm_agree(s->world, status, false, error); /* the verifier agrees too: ioa_verifier_serve */
    bool serving = status == IOA_OK;
    if (status == IOA_OK && searching) {
        watch w = {.s = s, .courier = &courier, .tempering = tempering, .memory = memory,
                   .offered = problem.start_total, .began = began, .limit = config.seconds};
        ioa_tempering_events events = {.context = &w, .round = after_round};
        status = ioa_tempering_run(tempering, &events, error);
    }
    if (serving) ioa_courier_finish(&courier);
    if (status == IOA_OK && searching) {
        uint32_t replica, worker;
        uint64_t best = ioa_tempering_best(tempering, &replica, &worker);
        *owner = (int)worker;
        if (best < problem.start_total) {
            result->claimed_total = best;
            if (*owner == s->rank) ioa_tempering_best_order(tempering, replica, s->order);
        } else
            *owner = 0; /* every worker has the start order */
        result->planned = ioa_tempering_planned(tempering);
        if (s->rank == 0) status = ioa_trace_copy(ioa_tempering_trace(tempering), trace, error);
    }
    ioa_courier_destroy(&courier);
    ioa_tempering_destroy(tempering);
    ioa_free(start);
    return status;
}

/* ---- one memory size, all ranks ---- */

static void describe(const seat *s, const ioa_result_config *r, char *text, size_t size)
{
    const ioa_job *job = s->job;
    snprintf(text, size,
             "{\"method\":\"%s\",\"engine\":\"%s\",\"policy\":\"%s\",\"seed\":%" PRIu64 ",\"replicas\":%" PRIu64
             ",\"rounds\":%" PRIu64 ",\"seconds\":%g,\"proposals\":%" PRIu64 ",\"cold\":%g,\"hot\":%g,\"batch\":%" PRIu32
             ",\"timing_seconds\":%g}",
             job->method_name, job->engine->name, ioa_policy_name(job->policy), job->seed, s->replicas, job->rounds,
             job->seconds, job->proposals, job->cold, job->hot, r->batch, job->timing_seconds);
}

/* On the verifier: everything from the final order to the archive on disk. */
static ioa_status conclude(seat *s, const ioa_result_config *result, const ioa_candidates *seen,
                           const ioa_trace *trace, bool last, ioa_summary *summary, ioa_error *error)
{
    ioa_status status = ioa_result_add(s->archive, s->network, s->order, result, trace, summary, error);
    if (status != IOA_OK) return status;
    if (seen->refused && summary->verified) {
        summary->verified = false;
        s->archive->schedules[s->archive->count - 1].verified = 0;
        snprintf(summary->reason, sizeof summary->reason, "an earlier best did not hold: %.400s", seen->reason);
    }
    s->unverified = s->unverified || !summary->verified;
    if (!last) return IOA_OK;
    char config[1024];
    describe(s, result, config, sizeof config);
    status = ioa_result_provenance(s->archive, s->job->command_line, config, s->ranks, ioa_clock() - s->began, error);
    return status == IOA_OK ? ioa_archive_write(s->archive, s->job->archive_path, error) : status;
}

/* The verifier's part while the workers search, and the way of the final order to it. */
static ioa_status collect(seat *s, ioa_result_config *result, int owner, ioa_trace *trace, ioa_error *error)
{
    (void)error;
    if (s->verifier == 0) return IOA_OK; /* one rank: it is all here */
    struct {
        uint64_t start, claimed, planned;
        int64_t owner;
    } facts = {result->start_total, result->claimed_total, result->planned, owner};
    MPI_Bcast(&facts, sizeof facts, MPI_BYTE, 0, s->world);
    result->start_total = facts.start;
    result->claimed_total = facts.claimed;
    result->planned = facts.planned;
    ioa_courier sender = {.world = s->world, .verifier = s->verifier, .count = s->network->connections};
    if (is_verifier(s)) {
        ioa_verifier_receive_final(s->world, (int)facts.owner, s->network->connections, s->order);
        if (ioa_verifier_receive_trace(s->world, trace, error) != IOA_OK) MPI_Abort(s->world, 3);
        return IOA_OK;
    }
    if (s->rank == facts.owner) ioa_courier_send_final(&sender, s->order);
    if (s->rank == 0) ioa_courier_send_trace(s->world, s->verifier, trace);
    return IOA_OK;
}

static ioa_status handle_memory(seat *s, int index, ioa_error *error)
{
    const ioa_job *job = s->job;
    ioa_result_config result = {.memory = job->memories[index], .policy = job->policy, .seed = job->seed,
                                .replicas = s->replicas, .method = job->method_name, .batch = (uint32_t)job->batch,
                                .timing_seconds = job->timing_seconds};
    ioa_trace trace = {.replicas = (uint32_t)s->replicas};
    ioa_candidates seen = {0};
    ioa_summary summary = {0};
    int owner = 0;
    ioa_status status = is_worker(s) ? search(s, index, &result, &trace, &owner, error)
                                     : ioa_verifier_serve(s->world, s->workers, s->network, result.memory,
                                                          result.policy, job->seed, &seen, error);
    status = ioa_comm_agree(s->world, status, true, error);
    if (status == IOA_OK) status = collect(s, &result, owner, &trace, error);
    if (status == IOA_OK && is_verifier(s))
        status = conclude(s, &result, &seen, &trace, index + 1 == job->memory_count, &summary, error);
    status = ioa_comm_agree(s->world, status, true, error); /* all others sleep while the verifier times */
    if (status == IOA_OK && s->verifier != 0) {
        if (is_verifier(s)) MPI_Send(&summary, sizeof summary, MPI_BYTE, 0, TAG_SUMMARY, s->world);
        if (s->rank == 0)
            MPI_Recv(&summary, sizeof summary, MPI_BYTE, s->verifier, TAG_SUMMARY, s->world, MPI_STATUS_IGNORE);
    }
    if (status == IOA_OK && s->events->finished) s->events->finished(s->events->context, &summary);
    ioa_trace_clear(&trace);
    return status;
}

static ioa_status run(seat *s, ioa_error *error)
{
    ioa_status status = share_network(s, error);
    if (status != IOA_OK) return status;
    s->replicas = s->job->replicas ? s->job->replicas : default_replicas(s->network->connections);
    if (s->events->began)
        s->events->began(s->events->context, s->network, s->ranks, s->verifier != 0, (uint32_t)s->replicas);
    MPI_Comm_split(s->world, is_worker(s) ? 0 : MPI_UNDEFINED, s->rank, &s->team);
    for (int i = 0; status == IOA_OK && i < s->job->memory_count; i++) status = handle_memory(s, i, error);
    if (s->team != MPI_COMM_NULL) MPI_Comm_free(&s->team);
    if (status != IOA_OK) return status;
    if (s->unverified) ioa_fail(error, IOA_ERR_CHECK, "a result could not be verified; it is archived as such");
    return ioa_comm_agree(s->world, s->unverified ? IOA_ERR_CHECK : IOA_OK, false, error);
}

ioa_status ioa_job_run(const ioa_job *job, const ioa_job_events *events)
{
    static const ioa_job_events silent = {0};
    int provided;
    MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
    seat s = {.job = job, .world = MPI_COMM_WORLD, .team = MPI_COMM_NULL, .began = ioa_clock()};
    MPI_Comm_rank(s.world, &s.rank);
    MPI_Comm_size(s.world, &s.ranks);
    s.workers = s.ranks > 1 ? s.ranks - 1 : 1;
    s.verifier = s.ranks > 1 ? s.ranks - 1 : 0;
    s.events = s.rank == 0 ? events : &silent;
    ioa_error error = {0};
    ioa_status status = run(&s, &error);
    if (status != IOA_OK && s.events->failed) s.events->failed(s.events->context, &error);
    ioa_archive_destroy(s.archive);
    ioa_graph_destroy(s.graph);
    ioa_network_destroy(s.network);
    ioa_free(s.order);
    MPI_Finalize();
    return status;
}
