/* The search on a worker: constructive orders, tempering, and what may interrupt it. */
#include "optimizer/mpi/seat.h"

#include "core/bounds.h"
#include "core/clock.h"
#include "core/mem.h"
#include "core/network.h"
#include "core/separation.h"
#include "optimizer/search/scorer.h"
#include "optimizer/mpi/comm.h"
#include "optimizer/mpi/stop.h"
#include "optimizer/search/construct.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define INITIAL_SPREAD 1.5 /* of the ladder; it adapts */
#define PATIENCE 20.0      /* rounds of this rank the others may take for one of theirs, if that is more than allowed */
#define ROUNDING 0.1       /* seconds in which the ranks may see a deadline apart from each other */
#define BEGIN_PATIENCE 10.0 /* times --hang-timeout the others may take until their rounds begin */
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

/* Constructing and preparing have no rounds; whoever waits for others then has more patience. */
static void watch_beginning(const ioa_seat *s)
{
    ioa_watchdog_set(BEGIN_PATIENCE * s->job->hang_timeout);
}

/* Before the search every worker looks for itself, and then all agree (stop_before). To look is to make progress. */
static bool told_to_stop(void *context)
{
    const ioa_seat *s = context;
    watch_beginning(s);
    return ioa_stop_signalled() || ioa_clock() >= s->deadline;
}

static ioa_status build(ioa_seat *s, const ioa_constructor *constructor, uint64_t memory, ioa_construct_limits *limits,
                        ioa_error *error)
{
    if (!constructor->build_within) return constructor->build(s->network, memory, s->order, error);
    return constructor->build_within(s->network, memory, limits, s->order, error);
}

/* What a worker's constructors may spend. A worker alone has all of them, and need not make the greedy order twice; without
 * room for it, it does. */
static ioa_construct_limits limits_of(ioa_seat *s)
{
    const bool keep = s->workers == 1 && ioa_construct_greedy_affordable(s->network, 0);
    return (ioa_construct_limits){.work = ioa_construct_work(s->network), .stop = told_to_stop, .context = s,
                                  .greedy = keep ? ioa_alloc(s->network->connections, sizeof(uint32_t)) : NULL};
}

/* If any rank was told to stop, the search does not begin: with a checkpoint, constructing and preparing start afresh next
 * time, since the start has to be the one an uninterrupted run has; without, the best order so far is the result. */
static void stop_before(ioa_seat *s, bool stopped)
{
    int mine = stopped, any;
    MPI_Allreduce(&mine, &any, 1, MPI_INT, MPI_MAX, s->team);
    if (!any) return;
    if (s->rank == 0 && !ioa_seat_must_stop(s, ROUNDING)) s->reason = "a signal";
    s->stopping = true;
    s->paused = s->job->checkpoint_path != NULL;
}

/* What a candidate counts as. Where the constructive order is the result, and under other policies, what it costs. */
static ioa_status judge(const ioa_seat *s, const ioa_objective *objective, uint64_t total, uint64_t *judged, ioa_error *error)
{
    const ioa_method method = s->job->method;
    uint64_t handicap = 0, lower = ioa_objective_shared(objective, s->network->bounds.lower);
    ioa_status status = IOA_OK;
    if (objective->level[0].policy == IOA_POLICY_MIN && (method == IOA_METHOD_TEMPERING || method == IOA_METHOD_ANNEAL))
        status = ioa_construct_handicap(s->network, s->order, total - lower, &handicap, error);
    *judged = total + handicap;
    return status;
}

/* Workers share the candidates; the one that counts least goes to the start order of every node. */
static ioa_status construct(ioa_seat *s, const ioa_objective *objective, uint64_t *start_total, ioa_error *error)
{
    uint64_t totals[MOST_CONSTRUCTORS], judged[MOST_CONSTRUCTORS], w = s->network->connections;
    uint32_t *best = NULL;
    ioa_scorer *scorer = NULL;
    unsigned count = 0, chosen = 0, turn = 0;
    int own_best = -1;
    ioa_construct_limits limits = limits_of(s);
    memset(totals, 0xff, sizeof totals);
    memset(judged, 0xff, sizeof judged);
    ioa_status status = ioa_scorer_create(s->network, objective, &scorer, error);
    for (; count < MOST_CONSTRUCTORS && ioa_constructor_at(count); count++) {
        if (!wanted(s, count) || (int)(turn++ % (unsigned)s->workers) != s->rank || status != IOA_OK) continue;
        if (count > 0 && ioa_construct_told_to_stop(&limits)) continue; /* the first costs nothing, and something must be left */
        status = build(s, ioa_constructor_at(count), objective->level[0].memory, &limits, error);
        if (status != IOA_OK || limits.stopped) continue;
        totals[count] = ioa_scorer_total(scorer, s->order);
        status = judge(s, objective, totals[count], &judged[count], error);
        if (status != IOA_OK || (own_best >= 0 && judged[own_best] <= judged[count])) continue;
        own_best = (int)count;
        if (!best) best = ioa_alloc(w, sizeof *best);
        if (best) memcpy(best, s->order, w * sizeof *best);
        else status = ioa_fail_nomem(error, "a constructive order", w, sizeof *best);
    }
    ioa_scorer_destroy(scorer);
    status = ioa_comm_agree(s->team, status, true, error);
    if (status == IOA_OK) stop_before(s, limits.stopped);
    if (status == IOA_OK) {
        uint64_t all[MOST_CONSTRUCTORS], counted[MOST_CONSTRUCTORS];
        MPI_Allreduce(totals, all, (int)count, MPI_UINT64_T, MPI_MIN, s->team);
        MPI_Allreduce(judged, counted, (int)count, MPI_UINT64_T, MPI_MIN, s->team);
        for (unsigned i = 1; i < count; i++)
            if (counted[i] < counted[chosen]) chosen = i;
        int node = own_best == (int)chosen ? s->squad.index : -1, agreed;
        if (node >= 0) memcpy(s->start.base, best, w * sizeof *best);
        MPI_Allreduce(&node, &agreed, 1, MPI_INT, MPI_MAX, s->team);
        ioa_node_window_broadcast(&s->squad, &s->start, agreed);
        *start_total = all[chosen];
        for (unsigned i = 0; i < count; i++)
            if (s->events->constructed && all[i] != UINT64_MAX)
                s->events->constructed(s->events->context, ioa_constructor_at(i)->name, objective, all[i], i == chosen);
    }
    ioa_free(limits.greedy);
    ioa_free(best);
    return status;
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
    MPI_Recv(&value, sizeof value, MPI_BYTE, w->s->verifier, IOA_TAG_BELL, w->s->world, MPI_STATUS_IGNORE);
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
    if (waiting) ioa_comm_await_bytes(w->s->world, w->s->verifier, IOA_TAG_BOUND, &w->bound, sizeof w->bound);
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

/* ---- the search ---- */

/* On small networks the search may meet the certified bound, where it ends. Everybody waits for it, half a second, so
 * that the search ends at the same round with any number of ranks. */
static ioa_status aim_at_bound(watch *w, ioa_result_config *result, ioa_error *error)
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
    if (s->rank == 0) hear_bound(w, true);
    status = ioa_comm_agree(s->team, status, true, error);
    if (status != IOA_OK) return status;
    MPI_Bcast(&w->bound, 1, MPI_UINT64_T, 0, s->team);
    ioa_tempering_aim(w->tempering, w->bound);
    return IOA_OK;
}

static bool under_way(const ioa_seat *s, int index)
{
    return s->keeper.searching && s->keeper.finished == (uint64_t)index;
}

/* The order the search begins with, in s->start. */
static ioa_status find_start(ioa_seat *s, int index, uint64_t *start_total, ioa_error *error)
{
    const ioa_objective *objective = &s->job->objectives[index];
    if (!under_way(s, index)) return construct(s, objective, start_total, error);
    ioa_status status = ioa_keeper_restore_start(&s->keeper, s->team, objective, s->start.base, start_total, error);
    if (status == IOA_OK) ioa_node_window_broadcast(&s->squad, &s->start, 0); /* rank 0 is of the first node */
    return status;
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
    double began = ioa_clock() - (under_way(s, index) ? s->keeper.search_elapsed : 0.0);
    MPI_Comm mates = gather_crew(s);
    const ioa_crew crew = ioa_comm_crew(&mates);
    const ioa_objective *objective = &s->job->objectives[index];
    ioa_interrupt interrupt = {.stop = told_to_stop, .context = s};
    ioa_problem problem = {.network = s->network, .objective = *objective, .memory = objective->level[0].memory,
                           .graph = s->graph, .crew = &crew, .segments = ioa_seat_segments(s, objective->level[0].memory),
                           .interrupt = &interrupt, .cold = s->job->cold, .hot = s->job->hot};
    ioa_tempering_config config = search_config(s, index, began);
    ioa_transport transport = ioa_comm_transport(&s->team);
    ioa_tempering *tempering = NULL;
    ioa_courier courier = {0};
    const uint32_t *start = s->start.base;
    *owner = 0;
    watch_beginning(s);
    ioa_status status = find_start(s, index, &result->start_total, error);
    searching = searching && !s->stopping;
    result->claimed_total = problem.start_total = result->start_total;
    problem.start = start;
    if (status == IOA_OK && searching)
        status = ioa_tempering_create(&problem, &config, &transport, &tempering, error);
    status = ioa_comm_agree(s->team, interrupt.stopped ? IOA_OK : status, true, error);
    if (status == IOA_OK && searching) stop_before(s, interrupt.stopped);
    searching = searching && !s->stopping;
    if (status == IOA_OK && searching && under_way(s, index))
        status = ioa_keeper_restore(&s->keeper, s->team, tempering, error);
    if (status == IOA_OK)
        courier = ioa_courier_of(s->world, s->verifier == s->rank ? -1 : s->verifier, s->network->connections, s->order);
    status = ioa_comm_agree(s->world, status, true, error); /* the verifier agrees too: ioa_verifier_serve */
    bool serving = status == IOA_OK;
    watch w = {.s = s, .courier = &courier, .tempering = tempering, .index = index, .objective = &s->job->objectives[index],
               .offered = problem.start_total, .start = start, .start_total = problem.start_total, .limit = config.seconds};
    if (status == IOA_OK && searching) status = aim_at_bound(&w, result, error);
    if (status == IOA_OK && searching) status = run_search(&w, error);
    ioa_watchdog_set(0.0);
    if (serving) ioa_courier_finish(&courier);
    if (serving && s->rank == 0) hear_bound(&w, true);
    if (serving && s->rank == 0 && s->verifier != 0 && !w.bell_heard) {
        int value;
        ioa_comm_await_bytes(s->world, s->verifier, IOA_TAG_BELL, &value, sizeof value);
    }
    if (status == IOA_OK && searching && !s->paused) status = take_result(s, tempering, result, trace, owner, error);
    if (status == IOA_OK && *owner == s->rank && result->claimed_total == result->start_total)
        memcpy(s->order, start, s->network->connections * sizeof *s->order);
    ioa_tempering_destroy(tempering);
    MPI_Comm_free(&mates);
    return status;
}
