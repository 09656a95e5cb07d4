#include "optimizer/cli/input.h"

#include "optimizer/cli/terminal.h"

#include <stdio.h>

ioa_status cli_read_archive(const char *path, ioa_archive **archive, ioa_error *error)
{
    ioa_status status = ioa_archive_read(path, archive, error);
    return status == IOA_ERR_CHECK ? (error->status = IOA_ERR_INPUT) : status;
}

ioa_status cli_open_archive(const char *path, const ioa_network *network, ioa_archive **archive, ioa_error *error)
{
    ioa_archive *opened = NULL;
    ioa_status status = cli_read_archive(path, &opened, error);
    if (status == IOA_OK) status = ioa_archive_fits(opened, network, path, error);
    if (status == IOA_OK)
        *archive = opened;
    else
        ioa_archive_destroy(opened);
    return status;
}

const ioa_schedule *cli_pick_schedule(const ioa_archive *archive, const char *path, uint64_t memory, ioa_isa isa, char *note)
{
    const ioa_schedule *schedule = ioa_archive_nearest(archive, memory ? memory : ioa_isa_registers(isa), IOA_POLICY_MIN);
    note[0] = '\0';
    if (memory) return schedule; /* the user has chosen */
    ioa_fast_memory here;
    ioa_schedule_view view;
    char warning[CLI_NOTE - 128];
    ioa_fast_memory_here(isa, 0, &here);
    ioa_archive_show(archive, schedule, &view);
    if (!ioa_schedule_suits(&view, &here, warning, sizeof warning)) snprintf(note, CLI_NOTE, "%.100s: %s", path, warning);
    return schedule;
}

void cli_show_note(const cli_command *command, const cli_common *common, const char *note)
{
    if (!note[0] || common->quiet || command->silent) return;
    fprintf(stderr, "ioanneal %s: %snote:%s %s\n", command->name, cli_color_of(stderr, CLI_YELLOW),
            cli_color_of(stderr, CLI_PLAIN), note);
}
