/* What a search begins with: the best constructive order, or the one of the checkpoint. */
#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/model/network.h"
#include "optimizer/mpi/comm.h"
#include "optimizer/mpi/seat.h"
#include "optimizer/mpi/stop.h"
#include "optimizer/search/construct/construct.h"
#include "optimizer/search/engine/scorer.h"

#include <string.h>

#define ROUNDING 0.1        /* seconds in which the ranks may see a deadline apart from each other */
#define BEGIN_PATIENCE 10.0 /* times --hang-timeout the others may take until their rounds begin, since constructing and
                               preparing have none */

#define MOST_CONSTRUCTORS 64

static bool wanted(const ioa_seat *s, unsigned index, uint64_t memory)
{
    const ioa_constructor *constructor = ioa_constructor_at(index);
    if (s->job->method == IOA_METHOD_PAPER) return index == 0; /* the paper starts from the layered order */
    return index == 0 || !constructor->affordable || constructor->affordable(s->network, memory);
}

bool ioa_seat_told_to_stop(void *context)
{
    const ioa_seat *s = context;
    ioa_watchdog_set(BEGIN_PATIENCE * s->job->hang_timeout);
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
    return (ioa_construct_limits){.work = ioa_construct_work(s->network), .stop = ioa_seat_told_to_stop, .context = s,
                                  .greedy = keep ? ioa_alloc(s->network->connections, sizeof(uint32_t)) : NULL};
}

void ioa_seat_stop_before(ioa_seat *s, bool stopped)
{
    int mine = stopped, any;
    MPI_Allreduce(&mine, &any, 1, MPI_INT, MPI_MAX, s->team);
    if (!any) return;
    if (s->rank == 0 && !ioa_seat_must_stop(s, ROUNDING)) s->reason = "a signal";
    s->stopping = true;
    s->paused = s->job->checkpoint_path != NULL;
}

/* Without a search there is nothing to start from aside. */
static bool is_aside(const ioa_seat *s, unsigned index)
{
    return ioa_constructor_at(index)->aside && s->job->method != IOA_METHOD_CONSTRUCT;
}

/* What a candidate counts as when the start is chosen. Under other policies than MIN, and where there is no search, what it
 * costs. */
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

/* The best order that is better than the start, one that no search starts from or that counts more than it costs, goes to every
 * worker: networks that have one are small. `mine` [W]: the best one of this worker, of total totals[own], or NULL. */
static ioa_status share_aside(ioa_seat *s, const uint64_t *totals, unsigned count, uint64_t start_total, const uint32_t *mine,
                              int own, ioa_error *error)
{
    unsigned chosen = count;
    for (unsigned i = 0; i < count; i++)
        if (totals[i] < start_total && (chosen == count || totals[i] < totals[chosen])) chosen = i;
    if (chosen == count) return IOA_OK;
    uint64_t w = s->network->connections;
    s->aside = ioa_alloc(w, sizeof *s->aside);
    ioa_status status = s->aside ? IOA_OK : ioa_fail_nomem(error, "a constructive order", w, sizeof *s->aside);
    status = ioa_comm_agree(s->team, status, true, error);
    if (status != IOA_OK) return status;
    int from = own == (int)chosen ? s->rank : -1, agreed;
    if (from >= 0) memcpy(s->aside, mine, w * sizeof *mine);
    MPI_Allreduce(&from, &agreed, 1, MPI_INT, MPI_MAX, s->team);
    MPI_Bcast(s->aside, (int)w, MPI_UINT32_T, agreed, s->team);
    s->aside_total = totals[chosen];
    return IOA_OK;
}

/* Keeps an order [W] of this worker if it is the best so far by these totals. */
static ioa_status keep_best(const ioa_seat *s, const uint64_t *totals, unsigned index, int *own, uint32_t **best,
                            ioa_error *error)
{
    uint64_t w = s->network->connections;
    if (*own >= 0 && totals[*own] <= totals[index]) return IOA_OK;
    *own = (int)index;
    if (!*best) *best = ioa_alloc(w, sizeof **best);
    if (!*best) return ioa_fail_nomem(error, "a constructive order", w, sizeof **best);
    memcpy(*best, s->order, w * sizeof **best);
    return IOA_OK;
}

/* Workers share the candidates; the one that counts least goes to the start order of every node. */
static ioa_status construct(ioa_seat *s, const ioa_objective *objective, uint64_t *start_total, ioa_error *error)
{
    uint64_t totals[MOST_CONSTRUCTORS], judged[MOST_CONSTRUCTORS], w = s->network->connections;
    uint32_t *best[2] = {NULL, NULL}; /* to start from, and aside */
    ioa_scorer *scorer = NULL;
    unsigned count = 0, chosen = 0, turn = 0;
    int own_best[2] = {-1, -1};
    ioa_construct_limits limits = limits_of(s);
    memset(totals, 0xff, sizeof totals);
    memset(judged, 0xff, sizeof judged);
    ioa_status status = ioa_scorer_create(s->network, objective, &scorer, error);
    for (; count < MOST_CONSTRUCTORS && ioa_constructor_at(count); count++) {
        if (!wanted(s, count, objective->level[0].memory) || (int)(turn++ % (unsigned)s->workers) != s->rank || status != IOA_OK) continue;
        if (count > 0 && ioa_construct_told_to_stop(&limits)) continue; /* the first costs nothing, and something must be left */
        status = build(s, ioa_constructor_at(count), objective->level[0].memory, &limits, error);
        if (status != IOA_OK || limits.stopped) continue;
        totals[count] = ioa_scorer_total(scorer, s->order);
        uint64_t counts;
        status = judge(s, objective, totals[count], &counts, error);
        bool aside = is_aside(s, count), handicapped = counts > totals[count];
        if (!aside) judged[count] = counts; /* else nothing starts from it */
        if (status == IOA_OK && !aside) status = keep_best(s, judged, count, &own_best[0], &best[0], error);
        if (status == IOA_OK && (aside || handicapped)) status = keep_best(s, totals, count, &own_best[1], &best[1], error);
    }
    ioa_scorer_destroy(scorer);
    status = ioa_comm_agree(s->team, status, true, error);
    if (status == IOA_OK) ioa_seat_stop_before(s, limits.stopped);
    if (status == IOA_OK) {
        uint64_t all[MOST_CONSTRUCTORS], counted[MOST_CONSTRUCTORS];
        MPI_Allreduce(totals, all, (int)count, MPI_UINT64_T, MPI_MIN, s->team);
        MPI_Allreduce(judged, counted, (int)count, MPI_UINT64_T, MPI_MIN, s->team);
        for (unsigned i = 1; i < count; i++)
            if (counted[i] < counted[chosen]) chosen = i;
        int node = own_best[0] == (int)chosen ? s->squad.index : -1, agreed;
        if (node >= 0) memcpy(s->start.base, best[0], w * sizeof *best[0]);
        MPI_Allreduce(&node, &agreed, 1, MPI_INT, MPI_MAX, s->team);
        ioa_node_window_broadcast(&s->squad, &s->start, agreed);
        *start_total = all[chosen];
        status = share_aside(s, all, count, *start_total, best[1], own_best[1], error);
        for (unsigned i = 0; i < count; i++)
            if (s->events->constructed && all[i] != UINT64_MAX)
                s->events->constructed(s->events->context, ioa_constructor_at(i)->name, objective, all[i], i == chosen);
    }
    ioa_free(limits.greedy);
    ioa_free(best[0]);
    ioa_free(best[1]);
    return status;
}

bool ioa_seat_under_way(const ioa_seat *s, int index)
{
    return s->keeper.searching && s->keeper.finished == (uint64_t)index;
}

ioa_status ioa_seat_find_start(ioa_seat *s, int index, uint64_t *start_total, ioa_error *error)
{
    const ioa_objective *objective = &s->job->objectives[index];
    if (!ioa_seat_under_way(s, index)) return construct(s, objective, start_total, error);
    ioa_status status = ioa_keeper_restore_start(&s->keeper, s->team, objective, s->start.base, start_total, error);
    if (status == IOA_OK) ioa_node_window_broadcast(&s->squad, &s->start, 0); /* rank 0 is of the first node */
    return status;
}
