#include "optimizer/mpi/parcel.h"

#include "core/base/mem.h"
#include "optimizer/mpi/comm.h"

#include <stdio.h>
#include <string.h>

enum { TAG_PARCEL = 200 };
#define TIMES 4

static void list_times(ioa_measurement *m, double **times[TIMES])
{
    times[0] = &m->schedule;
    times[1] = &m->layered;
    times[2] = &m->csr;
    times[3] = &m->mkl;
}

void ioa_parcel_send(MPI_Comm comm, int to, uint64_t connections, const ioa_schedule *s)
{
    ioa_comm_send_bytes(comm, to, TAG_PARCEL, s, sizeof *s);
    ioa_comm_send_bytes(comm, to, TAG_PARCEL, s->order, connections * sizeof *s->order);
    for (uint32_t i = 0; i < s->columns; i++) {
        const ioa_column *c = &s->trace[i];
        ioa_comm_send_bytes(comm, to, TAG_PARCEL, c, sizeof *c);
        ioa_comm_send_bytes(comm, to, TAG_PARCEL, c->whole ? (const void *)c->whole : c->real, c->rows * c->width * 8);
    }
    for (uint32_t i = 0; i < s->measurements; i++) {
        ioa_measured *m = &s->measured[i];
        double **times[TIMES];
        list_times(&m->measurement, times);
        ioa_comm_send_bytes(comm, to, TAG_PARCEL, m, sizeof *m);
        for (int k = 0; k < TIMES; k++)
            if (*times[k]) ioa_comm_send_bytes(comm, to, TAG_PARCEL, *times[k], m->measurement.repeats * sizeof **times[k]);
        ioa_comm_send_bytes(comm, to, TAG_PARCEL, m->measurement.candidates,
                            m->measurement.candidate_count * sizeof *m->measurement.candidates);
    }
}

static void need(MPI_Comm comm, ioa_status status, const ioa_error *error)
{
    if (status == IOA_OK) return;
    fprintf(stderr, "ioanneal optimize: %s\n", error->text);
    MPI_Abort(comm, 3);
}

static void receive_column(MPI_Comm comm, int from, ioa_schedule *s)
{
    ioa_column head, *column = NULL;
    ioa_error error = {0};
    ioa_comm_receive_bytes(comm, from, TAG_PARCEL, &head, sizeof head);
    need(comm, ioa_schedule_add_column(s, head.name, head.whole != NULL, head.rows, head.width, &column, &error), &error);
    column->measured = head.measured;
    void *values = head.whole ? (void *)column->whole : column->real;
    ioa_comm_receive_bytes(comm, from, TAG_PARCEL, values, head.rows * head.width * 8);
}

static void receive_measured(MPI_Comm comm, int from, ioa_schedule *s)
{
    ioa_measured *m = NULL;
    ioa_error error = {0};
    double **times[TIMES];
    need(comm, ioa_schedule_add_measured(s, &m, &error), &error);
    ioa_comm_receive_bytes(comm, from, TAG_PARCEL, m, sizeof *m);
    list_times(&m->measurement, times);
    uint64_t repeats = m->measurement.repeats;
    for (int k = 0; k < TIMES; k++) {
        if (!*times[k]) continue; /* the sender's pointer */
        *times[k] = ioa_alloc(repeats, sizeof **times[k]);
        if (!*times[k]) need(comm, ioa_fail_nomem(&error, "measured times", repeats, sizeof **times[k]), &error);
        ioa_comm_receive_bytes(comm, from, TAG_PARCEL, *times[k], repeats * sizeof **times[k]);
    }
    ioa_measurement *made = &m->measurement;
    made->candidates = ioa_alloc(made->candidate_count, sizeof *made->candidates);
    if (!made->candidates) need(comm, ioa_fail_nomem(&error, "measured times", made->candidate_count, 64), &error);
    ioa_comm_receive_bytes(comm, from, TAG_PARCEL, made->candidates, made->candidate_count * sizeof *made->candidates);
}

void ioa_parcel_receive(MPI_Comm comm, int from, ioa_archive *archive)
{
    ioa_schedule *s = NULL, head;
    ioa_error error = {0};
    need(comm, ioa_archive_add_schedule(archive, &s, &error), &error);
    ioa_comm_receive_bytes(comm, from, TAG_PARCEL, &head, sizeof head);
    *s = head;
    s->trace = NULL;
    s->measured = NULL;
    s->columns = s->measurements = 0;
    s->order = ioa_alloc(archive->connections, sizeof *s->order);
    if (!s->order) need(comm, ioa_fail_nomem(&error, "a schedule", archive->connections, sizeof *s->order), &error);
    ioa_comm_receive_bytes(comm, from, TAG_PARCEL, s->order, archive->connections * sizeof *s->order);
    for (uint32_t i = 0; i < head.columns; i++) receive_column(comm, from, s);
    for (uint32_t i = 0; i < head.measurements; i++) receive_measured(comm, from, s);
}
