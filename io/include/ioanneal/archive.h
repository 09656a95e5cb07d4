/* Schedule archives for deployment: open the file, pick the order made for a memory size, build a plan from it
 * (ioanneal/plan.h). Archives are written by the ioanneal program (io/FORMAT.md, "Schedule archive").
 *
 *     ioa_network_read(network_path, &network, &error)
 *     ioa_archive_open(archive_path, network, &archive, &error)
 *     ioa_fast_memory_here(IOA_ISA_AUTO, 0, &here)
 *     ioa_archive_pick_here(archive, &here, &schedule, warning, sizeof warning)       or _pick, or _at
 *     ioa_plan_create(network, schedule.order, NULL, &plan, &error)
 *     ioa_archive_close(archive)     the plan keeps no reference to it */
#ifndef IOANNEAL_ARCHIVE_H
#define IOANNEAL_ARCHIVE_H

#include <ioanneal/memory.h>
#include <ioanneal/network.h>
#include <ioanneal/plan.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct ioa_archive ioa_archive; /* immutable once open; any number of threads may read it */

/* One schedule of an archive. The counts are the archive's claims: ioa_memory_count recounts them. */
typedef struct ioa_schedule_view {
    uint64_t memory;      /* M, slots of fast memory */
    ioa_policy policy;
    ioa_io io;            /* reads and writes of this order */
    uint64_t lower_bound; /* of any order */
    int verified;         /* 1: recounted and its inference checked when the archive was written */
    uint64_t connections; /* W */
    const uint32_t *order; /* [W], legal for the archive's network; borrowed until the archive is closed */
    const char *measured_isa; /* instruction set of the last measurement stored ("avx512"), or NULL; borrowed likewise */
} ioa_schedule_view;

/* Opens an archive that belongs to `network`, whose weights may have changed since: a schedule belongs to a topology.
 * Everything is read into memory and every order is checked to be legal; the file is closed again.
 * [in]  path     borrowed during the call
 * [in]  network  borrowed during the call
 * [out] archive  owned by the caller, who releases it with ioa_archive_close; untouched on failure
 * IOA_ERR_INPUT if the file is missing, damaged, foreign, or belongs to another topology; IOA_ERR_SYSTEM; IOA_ERR_NOMEM.
 * Not to be called by two threads at once (the HDF5 library is not thread-safe). */
ioa_status ioa_archive_open(const char *path, const ioa_network *network, ioa_archive **archive, ioa_error *error);
void ioa_archive_close(ioa_archive *archive); /* NULL is allowed */

/* Number of schedules, at least 1. */
uint32_t ioa_archive_schedules(const ioa_archive *archive);

/* Schedule number `index` < ioa_archive_schedules, in the file's sequence. */
void ioa_archive_at(const ioa_archive *archive, uint32_t index, ioa_schedule_view *schedule);

/* The schedule for `memory` (at least 1) and `policy`; without one, that of the nearest memory size by ratio (the
 * smaller of two equally near), those of the same policy first. Any order may run with any memory. */
void ioa_archive_pick(const ioa_archive *archive, uint64_t memory, ioa_policy policy, ioa_schedule_view *schedule);

/* What the fast memories of a processor hold, in values of the model: tiles of floats, one per neuron. A register holds a
 * tile of its own width, a cache of X bytes X / (4 T) tiles of T floats. 0: unknown. */
typedef struct ioa_fast_memory {
    ioa_isa isa;        /* never AUTO */
    uint64_t registers; /* 16 or 32 */
    uint64_t l1, l2;    /* of one core */
} ioa_fast_memory;

/* Those of this processor, for an instruction set (AUTO: the best) and a tile of T floats (0: 64, as plans have). */
void ioa_fast_memory_here(ioa_isa isa, uint32_t tile, ioa_fast_memory *memory);

/* Does the schedule suit a processor? 1 if its M is within a factor of 2 of what some memory of it holds, and does not exceed
 * the registers where these are the nearest; 0 otherwise, and if it was measured with instructions the processor does not
 * have. `warning` [size] then says so in one line, for the user; it is "" with 1. Results are right in any case: what
 * may be missing is speed. */
int ioa_schedule_suits(const ioa_schedule_view *schedule, const ioa_fast_memory *memory, char *warning, size_t size);

/* Picks the schedule for a processor: for policy MIN, with the M nearest to its registers, as in ioa_archive_pick.
 * Returns what ioa_schedule_suits says of it. */
int ioa_archive_pick_here(const ioa_archive *archive, const ioa_fast_memory *memory, ioa_schedule_view *schedule,
                          char *warning, size_t size);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
