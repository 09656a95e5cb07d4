/* The search on a worker, from its start to its result. What it begins with: job_start.c; what may interrupt it:
 * job_watch.c. */
#include "optimizer/mpi/job_watch.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/bounds/bounds.h"
#include "core/bounds/separation.h"
#include "core/model/network.h"
#include "optimizer/mpi/comm.h"
#include "optimizer/mpi/stop.h"

#include <string.h>

#define INITIAL_SPREAD 1.5 /* of the ladder; it adapts */

static ioa_tempering_config search_config(const ioa_seat *s, int index, double began)
{
    const ioa_job *job = s->job;
    uint64_t lower = ioa_objective_shared(&job->objectives[index], s->network->bounds.lower);
    double share = job->seconds * (index + 1) / job->memory_count - (began - s->began);
    bool alone = job->method == IOA_METHOD_ANNEAL; /* a ladder of one rung for every replica */
    ioa_tempering_config config = {.engine = job->engine,
                                   .seed = job->seed,
                                   .replicas = (uint32_t)s->replicas,
                                   .rounds = job->rounds,
                                   .trial = job->trial,
                                   .proposals = job->proposals,
                                   .seconds = job->seconds > 0.0 ? (share > 1e-3 ? share : 1e-3) : 0.0,
                                   .began = began,
                                   .stop = job->stop,
                                   .groups = (uint32_t)(alone ? s->replicas : job->groups),
                                   .adapt = job->adapt,
                                   .patience = job->patience,
                                   .target = job->target < UINT64_MAX ? lower + job->target : 0,
                                   .spread = alone ? 1.0 : INITIAL_SPREAD};
    return config;
}

/* On small networks the search may meet the certified bound, where it ends. Everybody waits for it, some seconds at most, so
 * that the search ends at the same round with any number of ranks. */
static ioa_status aim_at_bound(ioa_watch *w, ioa_result_config *result, ioa_error *error)
{
    const ioa_seat *s = w->s;
    ioa_status status = IOA_OK;
    if (s->network->bounds.active_neurons > IOA_SEPARATION_NEURONS) return IOA_OK;
    if (s->rank == 0 && s->verifier == 0) { /* nobody else computes it */
        ioa_certificate certificate = {0};
        status = ioa_certified_bound(s->network, w->objective->level[0].memory, &certificate, error);
        result->certified = s->network->bounds.lower + certificate.excess;
        w->bound = ioa_result_bound(w->objective, s->network->bounds.lower, result->certified);
        ioa_certificate_free(&certificate);
    }
    if (s->rank == 0) ioa_watch_hear_bound(w, true);
    status = ioa_comm_agree(s->team, status, true, error);
    if (status != IOA_OK) return status;
    MPI_Bcast(&w->bound, 1, MPI_UINT64_T, 0, s->team);
    ioa_tempering_aim(w->tempering, w->bound);
    return IOA_OK;
}

static void take_times(ioa_seat *s, const ioa_tempering *tempering)
{
    double own[2], sums[2];
    ioa_tempering_times(tempering, &own[0], &own[1]);
    MPI_Allreduce(own, sums, 2, MPI_DOUBLE, MPI_SUM, s->team);
    MPI_Allreduce(own, &s->slowest, 1, MPI_DOUBLE, MPI_MAX, s->team);
    s->annealing = sums[0] / s->workers;
    s->exchanging = sums[1] / s->workers;
}

static ioa_status run_search(ioa_watch *w, ioa_error *error)
{
    ioa_tempering_events events = ioa_watch_events(w);
    ioa_status status = ioa_tempering_run(w->tempering, &events, error);
    ioa_watchdog_set(0.0);
    if (status == IOA_OK) take_times(w->s, w->tempering);
    w->s->stopping = w->s->stopping || ioa_tempering_stopped(w->tempering);
    w->s->paused = w->s->stopping && w->s->job->checkpoint_path;
    return status;
}

static ioa_status take_result(ioa_seat *s, const ioa_tempering *tempering, ioa_result_config *result, ioa_trace *trace,
                              int *owner, ioa_error *error)
{
    uint32_t replica, worker;
    uint64_t best = ioa_tempering_best(tempering, &replica, &worker);
    if (best < result->start_total) { /* else it is the start order */
        *owner = (int)worker;
        result->claimed_total = best;
        if (*owner == s->rank) ioa_tempering_best_order(tempering, replica, s->order);
    }
    result->planned = ioa_tempering_planned(tempering);
    result->trial = ioa_tempering_trial(tempering);
    const ioa_elite *elite = ioa_tempering_elite(tempering);
    result->elite_count = elite->count;
    for (uint32_t i = 0; i < elite->count; i++) result->elite[i] = elite->entry[ioa_elite_ranked(elite, i)].total;
    s->end = ioa_tempering_end(tempering);
    return s->rank == 0 ? ioa_trace_copy(ioa_tempering_trace(tempering), trace, error) : IOA_OK;
}

uint32_t ioa_seat_segments(const ioa_seat *s, uint64_t memory)
{
    uint64_t w = s->network->connections, segments = s->job->segments;
    if (!s->job->engine->assist) return 1;
    if (segments == 0) return ioa_segments_default(w, memory);
    return (uint32_t)(segments < w ? segments : w > 0 ? w : 1);
}

/* The workers that help the one with a replica: those left over when every replica has its worker. Rungs are given about
 * the same work (tuning.h), and the first worker keeps the books besides, so that it is helped first. */
static MPI_Comm gather_crew(const ioa_seat *s)
{
    MPI_Comm mates;
    bool spare = (uint64_t)s->workers > s->replicas && s->job->engine->assist;
    MPI_Comm_split(s->team, spare ? s->rank % (int)s->replicas : s->rank, s->rank, &mates);
    return mates;
}

ioa_status ioa_seat_search(ioa_seat *s, int index, ioa_result_config *result, ioa_trace *trace, int *owner,
                           ioa_error *error)
{
    bool searching = s->job->method != IOA_METHOD_CONSTRUCT && s->network->connections > 1;
    double began = ioa_clock() - (ioa_seat_under_way(s, index) ? s->keeper.search_elapsed : 0.0);
    MPI_Comm mates = gather_crew(s);
    const ioa_crew crew = ioa_comm_crew(&mates);
    const ioa_objective *objective = &s->job->objectives[index];
    ioa_interrupt interrupt = {.stop = ioa_seat_told_to_stop, .context = s};
    ioa_problem problem = {.network = s->network, .objective = *objective, .memory = objective->level[0].memory,
                           .graph = s->graph, .crew = &crew, .segments = ioa_seat_segments(s, objective->level[0].memory),
                           .interrupt = &interrupt, .cold = s->job->cold, .hot = s->job->hot};
    ioa_tempering_config config = search_config(s, index, began);
    ioa_transport transport = ioa_comm_transport(&s->team);
    ioa_tempering *tempering = NULL;
    ioa_courier courier = {0};
    const uint32_t *start = s->start.base;
    *owner = 0;
    ioa_seat_told_to_stop(s); /* for the watchdog */
    ioa_status status = ioa_seat_find_start(s, index, &result->start_total, error);
    searching = searching && !s->stopping;
    result->claimed_total = problem.start_total = result->start_total;
    problem.start = start;
    problem.aside = s->aside;
    problem.aside_total = s->aside_total;
    if (status == IOA_OK && searching)
        status = ioa_tempering_create(&problem, &config, &transport, &tempering, error);
    status = ioa_comm_agree(s->team, interrupt.stopped ? IOA_OK : status, true, error);
    if (status == IOA_OK && searching) ioa_seat_stop_before(s, interrupt.stopped);
    searching = searching && !s->stopping;
    if (status == IOA_OK && searching && ioa_seat_under_way(s, index))
        status = ioa_keeper_restore(&s->keeper, s->team, tempering, error);
    if (status == IOA_OK)
        courier = ioa_courier_of(s->world, s->verifier == s->rank ? -1 : s->verifier, s->network->connections, s->order);
    status = ioa_comm_agree(s->world, status, true, error); /* the verifier agrees too: ioa_verifier_serve */
    bool serving = status == IOA_OK;
    ioa_watch w = {.s = s, .courier = &courier, .tempering = tempering, .index = index, .objective = &s->job->objectives[index],
               .offered = problem.start_total, .start = start, .start_total = problem.start_total, .limit = config.seconds};
    if (status == IOA_OK && searching) status = aim_at_bound(&w, result, error);
    if (status == IOA_OK && searching) status = run_search(&w, error);
    ioa_watchdog_set(0.0);
    if (serving) ioa_courier_finish(&courier);
    if (serving && s->rank == 0) ioa_watch_hear_bound(&w, true);
    if (serving && s->rank == 0 && s->verifier != 0 && !w.bell_heard) {
        int value;
        ioa_comm_await_bytes(s->world, s->verifier, IOA_TAG_BELL, &value, sizeof value);
    }
    if (status == IOA_OK && searching && !s->paused) status = take_result(s, tempering, result, trace, owner, error);
    const bool aside = !searching && s->aside; /* stopped before the first round: the cheapest order there is */
    if (aside) result->claimed_total = s->aside_total;
    if (status == IOA_OK && *owner == s->rank && (aside || result->claimed_total == result->start_total))
        memcpy(s->order, aside ? s->aside : start, s->network->connections * sizeof *s->order);
    ioa_tempering_destroy(tempering);
    ioa_free(s->aside);
    s->aside = NULL;
    MPI_Comm_free(&mates);
    return status;
}
