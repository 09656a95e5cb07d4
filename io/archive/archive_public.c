/* The installed view of archives (ioanneal/archive.h) on top of io/archive/archive.h. */
#include <ioanneal/archive.h>

#include "io/archive/archive.h"

ioa_status ioa_archive_open(const char *path, const ioa_network *network, ioa_archive **archive, ioa_error *error)
{
    ioa_archive *opened = NULL;
    ioa_status status = ioa_archive_read(path, &opened, error);
    if (status == IOA_OK) status = ioa_archive_fits(opened, network, path, error);
    if (status == IOA_OK)
        *archive = opened;
    else
        ioa_archive_destroy(opened);
    return status;
}

void ioa_archive_close(ioa_archive *archive)
{
    ioa_archive_destroy(archive);
}

uint32_t ioa_archive_schedules(const ioa_archive *archive)
{
    return archive->count;
}

void ioa_archive_show(const ioa_archive *archive, const ioa_schedule *s, ioa_schedule_view *schedule)
{
    *schedule = (ioa_schedule_view){.memory = s->memory,
                                    .policy = s->policy,
                                    .io = s->io,
                                    .lower_bound = s->lower_bound,
                                    .verified = s->verified,
                                    .connections = archive->connections,
                                    .order = s->order};
    if (s->measurements && s->measured[s->measurements - 1].isa[0])
        schedule->measured_isa = s->measured[s->measurements - 1].isa;
}

void ioa_archive_at(const ioa_archive *archive, uint32_t index, ioa_schedule_view *schedule)
{
    ioa_archive_show(archive, &archive->schedules[index], schedule);
}

void ioa_archive_pick(const ioa_archive *archive, uint64_t memory, ioa_policy policy, ioa_schedule_view *schedule)
{
    ioa_archive_show(archive, ioa_archive_nearest(archive, memory, policy), schedule);
}
