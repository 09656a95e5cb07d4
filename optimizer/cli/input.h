/* What several subcommands do with the files they are given. */
#ifndef IOA_CLI_INPUT_H
#define IOA_CLI_INPUT_H

#include "io/archive/archive.h"
#include "optimizer/cli/cli.h"

#include <ioanneal/archive.h>
#include <ioanneal/plan.h>

/* Reads an archive; one that contradicts itself is bad input to all commands but `check`. */
ioa_status cli_read_archive(const char *path, ioa_archive **archive, ioa_error *error);

/* The same, for an archive that must belong to `network`, with orders that are legal for it. */
ioa_status cli_open_archive(const char *path, const ioa_network *network, ioa_archive **archive, ioa_error *error);

#define CLI_NOTE 512

/* The schedule to run here, borrowed from the archive: under MIN, nearest to `memory`, or if that is 0 to this processor's
 * registers for `isa`. `note` [CLI_NOTE] says where the latter suits no memory of the processor, else it is "". */
const ioa_schedule *cli_pick_schedule(const ioa_archive *archive, const char *path, uint64_t memory, ioa_isa isa, char *note);

/* Shows a note, once the command has done its work; nothing for "" or with -q. */
void cli_show_note(const cli_command *command, const cli_common *common, const char *note);

#endif
