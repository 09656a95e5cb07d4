/* What may interrupt a search: signals, deadlines, the time for a checkpoint; and what is told while it runs. */
#include "optimizer/mpi/job_watch.h"

#include "core/base/clock.h"
#include "optimizer/mpi/comm.h"
#include "optimizer/mpi/stop.h"

#include <stdarg.h>
#include <stdio.h>

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

static double patience(const ioa_watch *w)
{
    double own = PATIENCE * w->longest, allowed = w->s->job->hang_timeout;
    return (own > allowed ? own : allowed) + (w->s->rank == 0 ? 0.0 : 2.0); /* so that one speaks for all, as a rule */
}

/* A signal may reach the verifier alone. */
static bool hear_bell(ioa_watch *w)
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

void ioa_watch_hear_bound(ioa_watch *w, bool wait)
{
    int waiting = 1;
    if (w->bound || w->s->verifier == 0) return;
    if (!wait) MPI_Iprobe(w->s->verifier, IOA_TAG_BOUND, w->s->world, &waiting, MPI_STATUS_IGNORE);
    if (waiting) ioa_comm_await_bytes(w->s->world, w->s->verifier, IOA_TAG_BOUND, &w->bound, sizeof w->bound);
}

static unsigned wish(void *context)
{
    ioa_watch *w = context;
    ioa_seat *s = w->s;
    double took = ioa_clock() - w->round_began;
    if (took > w->longest) w->longest = took;
    ioa_watchdog_set(patience(w));
    s->rounds++;
    unsigned wishes = ioa_stop_signalled() ? IOA_WISH_STOP : 0;
    if (s->rank == 0) {
        ioa_watch_hear_bound(w, false);
        if (hear_bell(w) || ioa_seat_must_stop(s, w->longest + s->keeper.longest)) wishes |= IOA_WISH_STOP;
        if (ioa_keeper_due(&s->keeper)) wishes |= IOA_WISH_CHECKPOINT;
    }
    if ((wishes & IOA_WISH_STOP) && s->job->checkpoint_path) wishes |= IOA_WISH_CHECKPOINT;
    return wishes;
}

static void after_round(void *context, uint64_t best, uint32_t replica, bool improved, const ioa_trace *trace)
{
    ioa_watch *w = context;
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
    ioa_watch *w = context;
    ioa_watchdog_set(DISK_PATIENCE * w->s->job->hang_timeout);
    ioa_status status = ioa_seat_checkpoint(w->s, w->index, w->start, w->start_total, w->tempering,
                                            ioa_tempering_stopped(w->tempering), error);
    ioa_watchdog_set(patience(w));
    w->round_began = ioa_clock();
    return status;
}

ioa_tempering_events ioa_watch_events(ioa_watch *w)
{
    w->round_began = ioa_clock();
    return (ioa_tempering_events){.context = w, .wish = wish, .round = after_round,
                                  .checkpoint = w->s->job->checkpoint_path ? write_checkpoint : NULL};
}
