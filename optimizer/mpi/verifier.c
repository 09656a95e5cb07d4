#include "optimizer/mpi/verifier.h"

#include "core/bounds/bounds.h"
#include "core/model/network.h"
#include "optimizer/mpi/background.h"
#include "optimizer/mpi/stop.h"
#include "optimizer/verify/verify.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define CHOOSING_SHARE 0.1 /* of the time of the final timing: it is for checking, not for claims */
#define SHORTEST_NAP 500000L /* nanoseconds between two looks for messages */
#define LONGEST_NAP 10000000L

enum { TAG_TOTAL = 1, TAG_ORDER, TAG_FINISHED, TAG_FINAL, TAG_TRACE };

/* ---- on a worker ---- */

ioa_courier ioa_courier_of(MPI_Comm world, int verifier, uint64_t count, uint32_t *copy)
{
    return (ioa_courier){.world = world, .verifier = verifier, .count = count, .copy = copy};
}

bool ioa_courier_offer(ioa_courier *courier, const ioa_tempering *tempering, uint32_t replica, uint64_t total)
{
    if (courier->verifier < 0) return true; /* nobody to tell */
    int arrived = 1;
    MPI_Testall(courier->pending, courier->requests, &arrived, MPI_STATUSES_IGNORE);
    if (!arrived) return false;
    ioa_tempering_best_order(tempering, replica, courier->copy);
    courier->total = total;
    MPI_Isend(&courier->total, 1, MPI_UINT64_T, courier->verifier, TAG_TOTAL, courier->world, courier->requests);
    courier->pending = 1 + ioa_comm_start_send(courier->world, courier->verifier, TAG_ORDER, courier->copy,
                                               courier->count, courier->requests + 1);
    return true;
}

void ioa_courier_finish(ioa_courier *courier)
{
    if (courier->verifier < 0) return;
    int arrived = 0;
    while (!arrived) {
        MPI_Testall(courier->pending, courier->requests, &arrived, MPI_STATUSES_IGNORE);
        if (!arrived) ioa_comm_nap(); /* the verifier may be busy with an earlier one */
    }
    courier->pending = 0;
    MPI_Send(NULL, 0, MPI_BYTE, courier->verifier, TAG_FINISHED, courier->world);
}

static void send_patiently(MPI_Comm world, int to, int tag, const uint32_t *values, uint64_t count)
{
    MPI_Request requests[IOA_COMM_PIECES];
    int pending = ioa_comm_start_send(world, to, tag, values, count, requests), arrived = 0;
    while (!arrived) {
        MPI_Testall(pending, requests, &arrived, MPI_STATUSES_IGNORE);
        if (!arrived) ioa_comm_nap();
    }
}

void ioa_courier_send_final(ioa_courier *courier, const uint32_t *order)
{
    send_patiently(courier->world, courier->verifier, TAG_FINAL, order, courier->count);
}

/* Columns travel as 4-byte words. */
static uint64_t words(const ioa_value *column)
{
    return ioa_value_size(column->type) / sizeof(uint32_t);
}

void ioa_courier_send_trace(MPI_Comm world, int verifier, const ioa_trace *trace)
{
    uint64_t head[3] = {trace->rounds, trace->replicas, trace->rows};
    MPI_Send(head, 3, MPI_UINT64_T, verifier, TAG_TRACE, world);
    ioa_value columns[IOA_TRACE_COLUMNS];
    ioa_trace_values(trace, columns);
    for (int i = 0; i < IOA_TRACE_COLUMNS; i++)
        send_patiently(world, verifier, TAG_TRACE, columns[i].values, columns[i].count * words(&columns[i]));
}

/* ---- on the verifier ---- */

typedef struct desk {
    MPI_Comm world;
    const ioa_network *network;
    const ioa_result_config *config;
    ioa_candidates *seen;
    uint32_t *order; /* [W] newest candidate not yet looked at, or the one under examination */
    uint64_t total;  /* of `order`; UINT64_MAX: none */
    uint64_t bound;  /* certified, on the total of any order */
    ioa_plan_options plan; /* once chosen: inference is checked by it */
    bool chosen;
} desk;

static void take_candidate(desk *d, int from)
{
    uint64_t total;
    MPI_Recv(&total, 1, MPI_UINT64_T, from, TAG_TOTAL, d->world, MPI_STATUS_IGNORE);
    /* The newest takes the place of one not yet looked at: bests are sent as they fall, so it is the better one but for
     * two that crossed. The last word has the final order. */
    ioa_comm_receive(d->world, from, TAG_ORDER, d->order, d->network->connections);
    d->total = total;
    d->seen->received++;
}

static ioa_status examine(desk *d, ioa_error *error)
{
    const ioa_result_config *config = d->config;
    const ioa_claim claim = {&config->objective, d->total, NULL};
    ioa_verdict verdict;
    if (!d->chosen && ioa_order_check(d->network, d->order, NULL) == IOA_OK) {
        ioa_status status = ioa_result_plan(d->network, d->order, config, CHOOSING_SHARE, &d->plan, error);
        if (status != IOA_OK) return status;
        d->chosen = true;
    }
    ioa_status status = ioa_verify(d->network, d->order, &claim, d->chosen ? &d->plan : NULL, config->seed, &verdict, error);
    if (status != IOA_OK) return status;
    if (ioa_verdict_passed(&verdict)) {
        d->seen->confirmed++;
        return IOA_OK;
    }
    if (d->seen->refused++ == 0) snprintf(d->seen->reason, sizeof d->seen->reason, "%s", verdict.reason);
    return IOA_OK;
}

static void examine_candidate(void *context)
{
    desk *d = context;
    ioa_error problem = {0};
    if (examine(d, &problem) != IOA_OK && d->seen->refused++ == 0)
        snprintf(d->seen->reason, sizeof d->seen->reason, "%s", problem.text);
    d->total = UINT64_MAX;
}

static void ring(MPI_Comm world, int stop)
{
    MPI_Send(&stop, sizeof stop, MPI_BYTE, 0, IOA_TAG_BELL, world);
}

/* What no order can cost less than. */
static void certify(void *context)
{
    desk *d = context;
    ioa_certificate certificate = {0};
    d->bound = d->network->bounds.lower;
    if (ioa_certified_bound(d->network, d->config->objective.level[0].memory, &certificate, NULL) == IOA_OK)
        d->bound += certificate.excess;
    ioa_certificate_free(&certificate);
}

static void show_bound(const desk *d)
{
    uint64_t shown = ioa_result_bound(&d->config->objective, d->network->bounds.lower, d->bound);
    MPI_Send(&shown, sizeof shown, MPI_BYTE, 0, IOA_TAG_BOUND, d->world);
}

/* Takes a message if there is one; true if there was. */
static bool take_message(desk *d, int *finished)
{
    int waiting;
    MPI_Status envelope;
    MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, d->world, &waiting, &envelope);
    if (!waiting || (envelope.MPI_TAG != TAG_TOTAL && envelope.MPI_TAG != TAG_FINISHED)) return false;
    if (envelope.MPI_TAG == TAG_TOTAL) {
        take_candidate(d, envelope.MPI_SOURCE);
    } else {
        MPI_Recv(NULL, 0, MPI_BYTE, envelope.MPI_SOURCE, TAG_FINISHED, d->world, MPI_STATUS_IGNORE);
        ++*finished;
    }
    return true;
}

/* The longer nothing happens, the less often it looks. */
static void nap(long *nanoseconds)
{
    nanosleep(&(struct timespec){.tv_nsec = *nanoseconds}, NULL);
    if (*nanoseconds < LONGEST_NAP) *nanoseconds += *nanoseconds / 2;
}

ioa_status ioa_verifier_serve(MPI_Comm world, int workers, const ioa_network *network, const ioa_result_config *config,
                              uint32_t *order, ioa_candidates *seen, uint64_t *bound, ioa_error *error)
{
    *seen = (ioa_candidates){0};
    desk d = {.world = world, .network = network, .config = config, .seen = seen, .order = order, .total = UINT64_MAX};
    ioa_background background = {0};
    ioa_status status = ioa_comm_agree(world, IOA_OK, true, error); /* if the workers fail, nobody will send */
    if (status != IOA_OK) return status;
    bool rung = false, certified = false;
    long length = SHORTEST_NAP;
    ioa_background_begin(&background, certify, &d);
    for (int finished = 0; finished < workers || ioa_background_busy(&background);) {
        if (!rung && ioa_stop_signalled()) ring(world, rung = true);
        if (ioa_background_busy(&background)) { /* messages wait: the desk is taken */
            nap(&length);
            continue;
        }
        if (!certified) show_bound(&d);
        certified = true;
        if (take_message(&d, &finished)) {
            length = SHORTEST_NAP;
        } else if (d.total != UINT64_MAX) {
            ioa_background_begin(&background, examine_candidate, &d);
            length = SHORTEST_NAP;
        } else
            nap(&length);
    }
    *bound = d.bound;
    if (!rung) ring(world, false);
    return status;
}

void ioa_verifier_receive_final(MPI_Comm world, int owner, uint64_t count, uint32_t *order)
{
    ioa_comm_receive(world, owner, TAG_FINAL, order, count);
}

ioa_status ioa_verifier_receive_trace(MPI_Comm world, ioa_trace *trace, ioa_error *error)
{
    uint64_t head[3];
    MPI_Recv(head, 3, MPI_UINT64_T, 0, TAG_TRACE, world, MPI_STATUS_IGNORE);
    *trace = (ioa_trace){.replicas = (uint32_t)head[1]};
    ioa_status status = ioa_trace_reserve(trace, head[2], error);
    if (status != IOA_OK) return status;
    trace->rounds = head[0];
    trace->rows = head[2];
    ioa_value columns[IOA_TRACE_COLUMNS];
    ioa_trace_values(trace, columns);
    for (int i = 0; i < IOA_TRACE_COLUMNS; i++)
        ioa_comm_receive(world, 0, TAG_TRACE, columns[i].values, columns[i].count * words(&columns[i]));
    return IOA_OK;
}
