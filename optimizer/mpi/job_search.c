/* The search on a worker: constructive orders, tempering, and what may interrupt it. */
#include "optimizer/mpi/seat.h"

#include "core/mem.h"
#include "core/network.h"
#include "optimizer/mpi/comm.h"
#include "optimizer/mpi/stop.h"
#include "optimizer/search/construct.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define INITIAL_SPREAD 1.5 /* of the ladder; it adapts */
#define PATIENCE 20.0      /* rounds of this rank the others may take for one of theirs, if that is more than allowed */
#define DISK_PATIENCE 10.0 /* times --hang-timeout a checkpoint may take */

void ioa_seat_note(const ioa_seat *s, const char *format, ...)
{
    char text[IOA_ERROR_TEXT + 256];
    va_list arguments;
    if (!s->events->note) return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    s->events->note(s->events->context, text);
}

bool ioa_seat_must_stop(ioa_seat *s, double ahead)
{
    if (ioa_stop_signalled())
        s->reason = "a signal";
    else if (ioa_clock() + ahead >= s->deadline)
        s->reason = "the deadline";
    else if (s->job->pause_after && s->rounds >= s->job->pause_after)
        s->reason = "--pause-after";
    return s->reason != NULL;
}

/* ---- constructive orders ---- */

#define MOST_CONSTRUCTORS 64

static bool wanted(const ioa_seat *s, unsigned index)
{
    const ioa_constructor *constructor = ioa_constructor_at(index);
    if (s->job->method == IOA_METHOD_PAPER) return index == 0; /* the paper starts from the layered order */
    return index == 0 || !constructor->affordable || constructor->affordable(s->network, 0);
}

/* Workers share the candidates; the one with the lowest total is handed to all of them. */
static ioa_status construct(ioa_seat *s, const ioa_objective *objective, uint64_t *start_total, ioa_error *error)
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
        uint64_t total;
        status = ioa_constructor_at(count)->build(s->network, objective->level[0].memory, mine, error);
        if (status == IOA_OK) status = ioa_objective_count(s->network, mine, objective, NULL, &total, error);
        if (status != IOA_OK) continue;
        totals[count] = total;
        if (own_best >= 0 && totals[own_best] <= totals[count]) continue;
        own_best = (int)count;
        memcpy(best, mine, s->network->connections * sizeof *best);
    }
    ioa_free(mine);
    status = ioa_comm_agree(s->team, status, true, error);
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
            s->events->constructed(s->events->context, ioa_constructor_at(i)->name, objective, all[i], i == chosen);
    return IOA_OK;
}

/* ---- while the search runs ---- */

typedef struct watch {
    ioa_seat *s;
    ioa_courier *courier;
    ioa_tempering *tempering;
    int index;
    const ioa_objective *objective;
    uint64_t offered; /* total of the last order offered */
    const uint32_t *start;
    uint64_t start_total;
    double limit;      /* seconds */
    double round_began, longest; /* clock, seconds of the longest round so far */
    uint64_t bound;    /* certified, by the objective; 0: not known yet */
    bool bell_heard;   /* the verifier says so once: it must stop, or it is done */
} watch;

static double patience(const watch *w)
{
    double own = PATIENCE * w->longest, allowed = w->s->job->hang_timeout;
    return (own > allowed ? own : allowed) + (w->s->rank == 0 ? 0.0 : 2.0); /* so that one speaks for all, as a rule */
}

/* A signal may reach the verifier alone. */
static bool hear_bell(watch *w)
{
    int waiting, value;
    if (w->bell_heard || w->s->verifier == 0) return false;
    MPI_Iprobe(w->s->verifier, IOA_TAG_BELL, w->s->world, &waiting, MPI_STATUS_IGNORE);
    if (!waiting) return false;
    MPI_Recv(&value, 1, MPI_INT, w->s->verifier, IOA_TAG_BELL, w->s->world, MPI_STATUS_IGNORE);
    w->bell_heard = true;
    if (value) w->s->reason = "a signal";
    return value;
}

/* Without waiting; `wait`: it must come. */
static void hear_bound(watch *w, bool wait)
{
    int waiting = 1;
    if (w->bound || w->s->verifier == 0) return;
    if (!wait) MPI_Iprobe(w->s->verifier, IOA_TAG_BOUND, w->s->world, &waiting, MPI_STATUS_IGNORE);
    if (waiting) ioa_comm_receive_bytes(w->s->world, w->s->verifier, IOA_TAG_BOUND, &w->bound, sizeof w->bound);
}

static unsigned wish(void *context)
{
    watch *w = context;
    ioa_seat *s = w->s;
    double took = ioa_clock() - w->round_began;
    if (took > w->longest) w->longest = took;
    ioa_watchdog_set(patience(w));
    s->rounds++;
    unsigned wishes = ioa_stop_signalled() ? IOA_WISH_STOP : 0;
    if (s->rank == 0) {
        hear_bound(w, false);
        if (hear_bell(w) || ioa_seat_must_stop(s, w->longest + s->keeper.longest)) wishes |= IOA_WISH_STOP;
        if (ioa_keeper_due(&s->keeper)) wishes |= IOA_WISH_CHECKPOINT;
    }
    if ((wishes & IOA_WISH_STOP) && s->job->checkpoint_path) wishes |= IOA_WISH_CHECKPOINT;
    return wishes;
}

static void after_round(void *context, uint64_t best, uint32_t replica, bool improved, const ioa_trace *trace)
{
    watch *w = context;
    (void)improved;
    uint32_t owner_replica, owner;
    ioa_watchdog_set(patience(w));
    w->round_began = ioa_clock();
    ioa_tempering_best(w->tempering, &owner_replica, &owner);
    if (best < w->offered && (int)owner == w->s->rank) { /* a round later if the last one is still under way */
        if (ioa_courier_offer(w->courier, w->tempering, replica, best)) w->offered = best;
    }
    if (w->s->events->round)
        w->s->events->round(w->s->events->context, w->objective, trace, w->bound, ioa_tempering_elapsed(w->tempering),
                            w->limit);
}

ioa_status ioa_seat_checkpoint(ioa_seat *s, int finished, const uint32_t *start, uint64_t start_total,
                               ioa_tempering *tempering, bool last_chance, ioa_error *error)
{
    ioa_error problem = {0};
    ioa_status status = ioa_keeper_write(&s->keeper, s->team, (uint64_t)finished, ioa_clock() - s->began, start,
                                         start_total, tempering, &problem);
    if (status == IOA_OK) return IOA_OK;
    if (status == IOA_ERR_CHECK) return ioa_fail(error, IOA_ERR_SYSTEM, "%s", problem.text);
    if (last_chance) return ioa_fail(error, status, "%s", problem.text);
    ioa_seat_note(s, "%s; the search goes on with the checkpoint before", problem.text);
    return IOA_OK;
}

static ioa_status write_checkpoint(void *context, ioa_error *error)
{
    watch *w = context;
    ioa_watchdog_set(DISK_PATIENCE * w->s->job->hang_timeout);
    ioa_status status = ioa_seat_checkpoint(w->s, w->index, w->start, w->start_total, w->tempering,
                                            ioa_tempering_stopped(w->tempering), error);
    ioa_watchdog_set(patience(w));
    w->round_began = ioa_clock();
    return status;
}

static ioa_tempering_config search_config(const ioa_seat *s, int index, double began)
{
    const ioa_job *job = s->job;
    uint64_t lower = ioa_objective_shared(&job->objectives[index], s->network->bounds.lower);
    double share = job->seconds * (index + 1) / job->memory_count - (began - s->began);
    ioa_tempering_config config = {.engine = job->engine,
                                   .seed = job->seed,
                                   .replicas = (uint32_t)s->replicas,
                                   .rounds = job->rounds,
                                   .trial = job->trial,
                                   .proposals = job->proposals,
                                   .seconds = job->seconds > 0.0 ? (share > 1e-3 ? share : 1e-3) : 0.0,
                                   .began = began,
                                   .stop = job->stop,
                                   .groups = (uint32_t)job->groups,
                                   .adapt = job->adapt,
                                   .patience = job->patience,
                                   .target = job->target < UINT64_MAX ? lower + job->target : 0,
                                   .spread = job->method == IOA_METHOD_ANNEAL ? 1.0 : INITIAL_SPREAD};
    return config;
}

/* ---- the search ---- */

static bool under_way(const ioa_seat *s, int index)
{
    return s->keeper.searching && s->keeper.finished == (uint64_t)index;
}

/* The order the search begins with, in s->order and a copy. */
static ioa_status find_start(ioa_seat *s, int index, uint32_t **start, uint64_t *start_total, ioa_error *error)
{
    const ioa_objective *objective = &s->job->objectives[index];
    uint64_t w = s->network->connections;
    ioa_status status = under_way(s, index)
                            ? ioa_keeper_restore_start(&s->keeper, s->team, objective, s->order, start_total, error)
                            : construct(s, objective, start_total, error);
    if (status != IOA_OK) return status;
    *start = ioa_alloc_copy(s->order, w, sizeof **start);
    return *start ? IOA_OK : ioa_fail_nomem(error, "the start order", w, sizeof **start);
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

static ioa_status run_search(watch *w, ioa_error *error)
{
    ioa_tempering_events events = {.context = w, .wish = wish, .round = after_round,
                                   .checkpoint = w->s->job->checkpoint_path ? write_checkpoint : NULL};
    w->round_began = ioa_clock();
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
    if (best < result->start_total) { /* else every worker has the start order */
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

ioa_status ioa_seat_search(ioa_seat *s, int index, ioa_result_config *result, ioa_trace *trace, int *owner,
                           ioa_error *error)
{
    bool searching = s->job->method != IOA_METHOD_CONSTRUCT && s->network->connections > 1;
    double began = ioa_clock() - (under_way(s, index) ? s->keeper.search_elapsed : 0.0);
    ioa_problem problem = {.network = s->network, .objective = s->job->objectives[index],
                           .memory = s->job->objectives[index].level[0].memory,
                           .graph = s->graph, .cold = s->job->cold, .hot = s->job->hot};
    ioa_tempering_config config = search_config(s, index, began);
    ioa_transport transport = ioa_comm_transport(&s->team);
    ioa_tempering *tempering = NULL;
    ioa_courier courier = {0};
    uint32_t *start = NULL;
    *owner = 0;
    ioa_status status = find_start(s, index, &start, &result->start_total, error);
    result->claimed_total = problem.start_total = result->start_total;
    problem.start = start;
    if (status == IOA_OK && searching)
        status = ioa_tempering_create(&problem, &config, &transport, &tempering, error);
    status = ioa_comm_agree(s->team, status, true, error);
    if (status == IOA_OK && searching && under_way(s, index))
        status = ioa_keeper_restore(&s->keeper, s->team, tempering, error);
    if (status == IOA_OK)
        status = ioa_courier_create(s->world, s->verifier == s->rank ? -1 : s->verifier, s->network->connections, &courier,
                                    error);
    status = ioa_comm_agree(s->world, status, true, error); /* the verifier agrees too: ioa_verifier_serve */
    bool serving = status == IOA_OK;
    watch w = {.s = s, .courier = &courier, .tempering = tempering, .index = index, .objective = &s->job->objectives[index],
               .offered = problem.start_total, .start = start, .start_total = problem.start_total, .limit = config.seconds};
    if (status == IOA_OK && searching) status = run_search(&w, error);
    if (serving) ioa_courier_finish(&courier);
    if (serving && s->rank == 0 && s->verifier != 0 && !w.bell_heard)
        (void)ioa_comm_await_int(s->world, s->verifier, IOA_TAG_BELL);
    if (serving && s->rank == 0) hear_bound(&w, true);
    if (status == IOA_OK && searching && !s->paused) status = take_result(s, tempering, result, trace, owner, error);
    ioa_courier_destroy(&courier);
    ioa_tempering_destroy(tempering);
    ioa_free(start);
    return status;
}
