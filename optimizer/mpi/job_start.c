/* What a search begins with: the best constructive order, or the one of the checkpoint. */
#include "core/clock.h"
#include "core/mem.h"
#include "core/network.h"
#include "optimizer/mpi/comm.h"
#include "optimizer/mpi/seat.h"
#include "optimizer/mpi/stop.h"
#include "optimizer/search/construct.h"
#include "optimizer/search/scorer.h"

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

/* Workers share the candidates; the one with the lowest total goes to the start order of every node. */
static ioa_status construct(ioa_seat *s, const ioa_objective *objective, uint64_t *start_total, ioa_error *error)
{
    uint64_t totals[MOST_CONSTRUCTORS], w = s->network->connections;
    uint32_t *best = NULL;
    ioa_scorer *scorer = NULL;
    unsigned count = 0, chosen = 0, turn = 0;
    int own_best = -1;
    ioa_construct_limits limits = limits_of(s);
    memset(totals, 0xff, sizeof totals);
    ioa_status status = ioa_scorer_create(s->network, objective, &scorer, error);
    for (; count < MOST_CONSTRUCTORS && ioa_constructor_at(count); count++) {
        if (!wanted(s, count, objective->level[0].memory) || (int)(turn++ % (unsigned)s->workers) != s->rank || status != IOA_OK) continue;
        if (count > 0 && ioa_construct_told_to_stop(&limits)) continue; /* the first costs nothing, and something must be left */
        status = build(s, ioa_constructor_at(count), objective->level[0].memory, &limits, error);
        if (status != IOA_OK || limits.stopped) continue;
        totals[count] = ioa_scorer_total(scorer, s->order);
        if (own_best >= 0 && totals[own_best] <= totals[count]) continue;
        own_best = (int)count;
        if (!best) best = ioa_alloc(w, sizeof *best);
        if (best) memcpy(best, s->order, w * sizeof *best);
        else status = ioa_fail_nomem(error, "a constructive order", w, sizeof *best);
    }
    ioa_scorer_destroy(scorer);
    status = ioa_comm_agree(s->team, status, true, error);
    if (status == IOA_OK) ioa_seat_stop_before(s, limits.stopped);
    if (status == IOA_OK) {
        uint64_t all[MOST_CONSTRUCTORS];
        MPI_Allreduce(totals, all, (int)count, MPI_UINT64_T, MPI_MIN, s->team);
        for (unsigned i = 1; i < count; i++)
            if (all[i] < all[chosen]) chosen = i;
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
