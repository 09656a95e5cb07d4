/* Whole schedules on their way between ranks: order, trace, measurements. */
#ifndef IOA_MPI_PARCEL_H
#define IOA_MPI_PARCEL_H

#include "io/archive/archive.h"

#include <mpi.h>

void ioa_parcel_send(MPI_Comm comm, int to, uint64_t connections, const ioa_schedule *schedule);

/* Appends the schedule to the archive. Without memory the job is aborted: the sender waits. */
void ioa_parcel_receive(MPI_Comm comm, int from, ioa_archive *archive);

#endif
