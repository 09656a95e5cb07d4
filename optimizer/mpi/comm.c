#include "optimizer/mpi/comm.h"

#include <string.h>
#include <time.h>

enum { TAG_HAND = 400, TAG_SEGMENT };
#define PIECE (UINT64_C(1) << 28) /* elements per message: IOA_COMM_PIECES of them hold 2^32 */

void ioa_comm_nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void finish(MPI_Request *request, bool patient)
{
    int done = 0;
    while (patient && !done) {
        MPI_Test(request, &done, MPI_STATUS_IGNORE);
        if (!done) ioa_comm_nap();
    }
    if (!done) MPI_Wait(request, MPI_STATUS_IGNORE);
}

ioa_status ioa_comm_agree(MPI_Comm comm, ioa_status mine, bool patient, ioa_error *error)
{
    struct {
        int status, rank;
    } own = {(int)mine, 0}, worst;
    MPI_Comm_rank(comm, &own.rank);
    MPI_Request request;
    MPI_Iallreduce(&own, &worst, 1, MPI_2INT, MPI_MAXLOC, comm, &request); /* ties: the lowest rank */
    finish(&request, patient);
    if (worst.status == IOA_OK) return IOA_OK;
    char text[IOA_ERROR_TEXT] = "";
    if (own.rank == worst.rank && error) memcpy(text, error->text, sizeof text);
    MPI_Bcast(text, sizeof text, MPI_CHAR, worst.rank, comm);
    text[sizeof text - 1] = '\0';
    return ioa_fail(error, (ioa_status)worst.status, "%s", text);
}

void ioa_comm_broadcast_bytes(MPI_Comm comm, int root, void *data, uint64_t bytes)
{
    for (uint64_t at = 0; at < bytes; at += PIECE)
        MPI_Bcast((char *)data + at, (int)(bytes - at < PIECE ? bytes - at : PIECE), MPI_BYTE, root, comm);
}

void ioa_comm_send_bytes(MPI_Comm comm, int to, int tag, const void *data, uint64_t bytes)
{
    for (uint64_t at = 0; at < bytes; at += PIECE)
        MPI_Send((const char *)data + at, (int)(bytes - at < PIECE ? bytes - at : PIECE), MPI_BYTE, to, tag, comm);
}

void ioa_comm_receive_bytes(MPI_Comm comm, int from, int tag, void *data, uint64_t bytes)
{
    for (uint64_t at = 0; at < bytes; at += PIECE)
        MPI_Recv((char *)data + at, (int)(bytes - at < PIECE ? bytes - at : PIECE), MPI_BYTE, from, tag, comm,
                 MPI_STATUS_IGNORE);
}

void ioa_comm_await_bytes(MPI_Comm comm, int from, int tag, void *data, int bytes)
{
    MPI_Request request;
    MPI_Irecv(data, bytes, MPI_BYTE, from, tag, comm, &request);
    finish(&request, true);
}

int ioa_comm_start_send(MPI_Comm comm, int to, int tag, const uint32_t *values, uint64_t count,
                        MPI_Request requests[IOA_COMM_PIECES])
{
    int pieces = 0;
    for (uint64_t at = 0; at < count; at += PIECE)
        MPI_Isend(values + at, (int)(count - at < PIECE ? count - at : PIECE), MPI_UINT32_T, to, tag, comm,
                  &requests[pieces++]);
    return pieces;
}

void ioa_comm_receive(MPI_Comm comm, int from, int tag, uint32_t *values, uint64_t count)
{
    for (uint64_t at = 0; at < count; at += PIECE)
        MPI_Recv(values + at, (int)(count - at < PIECE ? count - at : PIECE), MPI_UINT32_T, from, tag, comm,
                 MPI_STATUS_IGNORE);
}

static ioa_status gather(void *context, const int64_t *mine, uint32_t count, int64_t *all, ioa_error *error)
{
    (void)error;
    MPI_Allgather(mine, (int)count, MPI_INT64_T, all, (int)count, MPI_INT64_T, *(MPI_Comm *)context);
    return IOA_OK;
}

static void collect(void *context, const int64_t *mine, uint32_t count, int64_t *all)
{
    MPI_Gather(mine, (int)count, MPI_INT64_T, all, (int)count, MPI_INT64_T, 0, *(MPI_Comm *)context);
}

static void share(void *context, uint32_t from, void *bytes, uint64_t count)
{
    for (uint64_t at = 0; at < count; at += PIECE)
        MPI_Bcast((char *)bytes + at, (int)(count - at < PIECE ? count - at : PIECE), MPI_BYTE, (int)from, *(MPI_Comm *)context);
}

static void hand(void *context, uint32_t from, uint32_t to, void *bytes, uint64_t count)
{
    MPI_Comm comm = *(MPI_Comm *)context;
    int rank;
    MPI_Comm_rank(comm, &rank);
    if (rank == (int)from)
        ioa_comm_send_bytes(comm, (int)to, TAG_HAND, bytes, count);
    else
        ioa_comm_receive_bytes(comm, (int)from, TAG_HAND, bytes, count);
}

ioa_transport ioa_comm_transport(MPI_Comm *comm)
{
    int rank, size;
    MPI_Comm_rank(*comm, &rank);
    MPI_Comm_size(*comm, &size);
    return (ioa_transport){.context = comm, .rank = (uint32_t)rank, .size = (uint32_t)size, .gather = gather,
                           .collect = collect, .share = share, .hand = hand};
}

static void send_segment(void *context, uint32_t to, const void *data, uint64_t bytes)
{
    ioa_comm_send_bytes(*(MPI_Comm *)context, (int)to, TAG_SEGMENT, data, bytes);
}

static void receive_segment(void *context, uint32_t from, void *data, uint64_t bytes)
{
    ioa_comm_receive_bytes(*(MPI_Comm *)context, (int)from, TAG_SEGMENT, data, bytes);
}

ioa_crew ioa_comm_crew(MPI_Comm *comm)
{
    int rank, size;
    MPI_Comm_rank(*comm, &rank);
    MPI_Comm_size(*comm, &size);
    return (ioa_crew){.context = comm, .rank = (uint32_t)rank, .size = (uint32_t)size, .send = send_segment,
                      .receive = receive_segment};
}
