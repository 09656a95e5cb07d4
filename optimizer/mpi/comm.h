/* The few collective patterns the job uses, over any communicator. All of them abort the job on an MPI failure, as
 * Open MPI does by itself; what can fail here is our own memory. */
#ifndef IOA_MPI_COMM_H
#define IOA_MPI_COMM_H

#include "optimizer/search/segment/segment.h"
#include "optimizer/search/tempering/transport.h"

#include <mpi.h>
#include <stdbool.h>

/* The worst status of all ranks, with the text of the lowest rank that has it. Collective. With `patient` the ranks
 * sleep between looks, so that one of them may time something while the others wait. */
ioa_status ioa_comm_agree(MPI_Comm comm, ioa_status mine, bool patient, ioa_error *error);

/* One rank's bytes to all, and from one rank to another: any number of them, blocking. */
void ioa_comm_broadcast_bytes(MPI_Comm comm, int root, void *data, uint64_t bytes);
void ioa_comm_send_bytes(MPI_Comm comm, int to, int tag, const void *data, uint64_t bytes);
void ioa_comm_receive_bytes(MPI_Comm comm, int from, int tag, void *data, uint64_t bytes);

/* The same as ioa_comm_receive_bytes for a few bytes, sleeping until they come. */
void ioa_comm_await_bytes(MPI_Comm comm, int from, int tag, void *data, int bytes);

/* Messages of any number of uint32, cut into pieces MPI can count. At most IOA_COMM_PIECES pieces are under way. */
#define IOA_COMM_PIECES 16
int ioa_comm_start_send(MPI_Comm comm, int to, int tag, const uint32_t *values, uint64_t count,
                        MPI_Request requests[IOA_COMM_PIECES]); /* number of requests */
void ioa_comm_receive(MPI_Comm comm, int from, int tag, uint32_t *values, uint64_t count);

/* The ranks of a communicator as a crew for one replica; `comm` must outlive it. */
ioa_crew ioa_comm_crew(MPI_Comm *comm);

/* Transport for the tempering loop; `comm` must outlive it. */
ioa_transport ioa_comm_transport(MPI_Comm *comm);

/* A short sleep between two looks at a message queue. */
void ioa_comm_nap(void);

#endif
