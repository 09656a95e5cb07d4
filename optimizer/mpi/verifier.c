#include "optimizer/mpi/verifier.h"

#include "core/bounds.h"
#include "core/network.h"
#include "optimizer/mpi/stop.h"
#include "optimizer/verify/verify.h"

#include <stdio.h>
#include <string.h>

#define CHOOSING_SHARE 0.1 /* of the time of the final timing: it is for checking, not for claims */

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
    uint32_t *order; /* [W] newest candidate not yet looked at */
    uint64_t total;  /* of `order`; UINT64_MAX: none */
    ioa_plan_options plan; /* once chosen: inference is checked by it */
    bool chosen;
} desk;

static void take_candidate(desk *d, int from, ioa_candidates *seen)
{
    uint64_t total;
    MPI_Recv(&total, 1, MPI_UINT64_T, from, TAG_TOTAL, d->world, MPI_STATUS_IGNORE);
    /* The newest takes the place of one not yet looked at: bests are sent as they fall, so it is the better one but for
     * two that crossed. The last word has the final order. */
    ioa_comm_receive(d->world, from, TAG_ORDER, d->order, d->network->connections);
    d->total = total;
    seen->received++;
}

static ioa_status examine(desk *d, const ioa_result_config *config, ioa_candidates *seen, ioa_error *error)
{
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
        seen->confirmed++;
        return IOA_OK;
    }
    if (seen->refused++ == 0) snprintf(seen->reason, sizeof seen->reason, "%s", verdict.reason);
    return IOA_OK;
}

static void ring(MPI_Comm world, int stop)
{
    MPI_Send(&stop, 1, MPI_INT, 0, IOA_TAG_BELL, world);
}

/* What no order can cost less than, while the workers have nothing better to show yet. */
static uint64_t certify(MPI_Comm world, const ioa_network *network, const ioa_objective *objective)
{
    ioa_certificate certificate = {0};
    uint64_t bound = network->bounds.lower;
    if (ioa_certified_bound(network, objective->level[0].memory, &certificate, NULL) == IOA_OK) bound += certificate.excess;
    ioa_certificate_free(&certificate);
    uint64_t shown = ioa_result_bound(objective, network->bounds.lower, bound);
    MPI_Send(&shown, 1, MPI_UINT64_T, 0, IOA_TAG_BOUND, world);
    return bound;
}

ioa_status ioa_verifier_serve(MPI_Comm world, int workers, const ioa_network *network, const ioa_result_config *config,
                              uint32_t *order, ioa_candidates *seen, uint64_t *bound, ioa_error *error)
{
    *seen = (ioa_candidates){0};
    desk d = {.world = world, .network = network, .order = order, .total = UINT64_MAX};
    ioa_status status = ioa_comm_agree(world, IOA_OK, true, error); /* if the workers fail, nobody will send */
    bool serving = status == IOA_OK, rung = false;
    if (serving) *bound = certify(world, network, &config->objective);
    for (int finished = 0; serving && finished < workers;) {
        int waiting;
        if (!rung && ioa_stop_signalled()) ring(world, rung = true);
        MPI_Status envelope;
        MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, world, &waiting, &envelope);
        if (waiting && envelope.MPI_TAG == TAG_TOTAL) {
            take_candidate(&d, envelope.MPI_SOURCE, seen);
        } else if (waiting && envelope.MPI_TAG == TAG_FINISHED) {
            MPI_Recv(NULL, 0, MPI_BYTE, envelope.MPI_SOURCE, TAG_FINISHED, world, MPI_STATUS_IGNORE);
            finished++;
        } else if (d.total != UINT64_MAX) {
            ioa_error problem = {0};
            if (examine(&d, config, seen, &problem) != IOA_OK && seen->refused++ == 0)
                snprintf(seen->reason, sizeof seen->reason, "%s", problem.text);
            d.total = UINT64_MAX;
        } else
            ioa_comm_nap();
    }
    if (serving && !rung) ring(world, false);
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
