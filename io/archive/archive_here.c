/* Which schedule of an archive suits a processor. The processor is data: ioa_fast_memory_here alone asks for it. */
#include "io/archive/archive.h"
#include "io/base/machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TILE 64u   /* of plans, unless the caller chooses another */
#define FACTOR 2.0 /* a schedule for half or twice the values still suits */

void ioa_fast_memory_here(ioa_isa isa, uint32_t tile, ioa_fast_memory *memory)
{
    ioa_machine machine;
    uint64_t bytes = 4 * (uint64_t)(tile ? tile : TILE);
    ioa_machine_detect(&machine);
    *memory = (ioa_fast_memory){.isa = isa == IOA_ISA_AUTO ? ioa_isa_best() : isa,
                                .registers = ioa_isa_registers(isa),
                                .l1 = machine.l1d_bytes / bytes,
                                .l2 = machine.l2_bytes / bytes};
}

/* At least 1; infinite for a memory that is not known. */
static double ratio(uint64_t wanted, uint64_t held)
{
    if (held == 0) return 1e300;
    return wanted > held ? (double)wanted / (double)held : (double)held / (double)wanted;
}

static int size_suits(uint64_t wanted, const ioa_fast_memory *memory)
{
    double registers = ratio(wanted, memory->registers), l1 = ratio(wanted, memory->l1), l2 = ratio(wanted, memory->l2);
    if (registers <= l1 && registers <= l2) return wanted <= memory->registers && registers <= FACTOR;
    return (l1 < l2 ? l1 : l2) <= FACTOR;
}

int ioa_schedule_suits(const ioa_schedule_view *schedule, const ioa_fast_memory *memory, char *warning, size_t size)
{
    const char *isa = ioa_isa_name(memory->isa);
    int measured = schedule->measured_isa ? ioa_isa_from_name(schedule->measured_isa) : -1;
    if (size) warning[0] = '\0';
    if (!size_suits(schedule->memory, memory)) {
        char caches[80] = "";
        if (memory->l1) snprintf(caches, sizeof caches, ", L1 %" PRIu64 ", L2 %" PRIu64, memory->l1, memory->l2);
        snprintf(warning, size, "the schedule is for M = %" PRIu64 "; of this processor the registers (%s) hold %" PRIu64
                 " values%s: a search with --memory %" PRIu64 " would suit it better", schedule->memory, isa,
                 memory->registers, caches, memory->registers);
        return 0;
    }
    if (measured <= (int)memory->isa) return 1; /* the values of ioa_isa ascend */
    snprintf(warning, size, "the schedule was measured with %s; with %s here its speedups may differ: 'ioanneal bench' tells",
             schedule->measured_isa, isa);
    return 0;
}

int ioa_archive_pick_here(const ioa_archive *archive, const ioa_fast_memory *memory, ioa_schedule_view *schedule,
                          char *warning, size_t size)
{
    ioa_archive_pick(archive, memory->registers, IOA_POLICY_MIN, schedule);
    return ioa_schedule_suits(schedule, memory, warning, size);
}
