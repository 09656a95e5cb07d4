/* Subcommands whose names are reserved: they say what they do not do yet. */
#include "optimizer/cli/cli.h"

static int run(const cli_command *command, int argc, char **argv)
{
    cli_common common = {0};
    const char *output = NULL;
    const cli_option options[] = {{CLI_TEXT, 'o', "output", "FILE", &output, "file to write", 0, 0},
                                  {CLI_END, 0, NULL, NULL, NULL, NULL, 0, 0}};
    int files;
    cli_parsed parsed = cli_parse(command, options, &common, argc, argv, &files);
    if (parsed != CLI_GO) return parsed == CLI_HELP_SHOWN ? 0 : 2;
    return cli_refuse(command, "not part of this version: it cannot %s yet; nothing was written", command->summary);
}

#define LATER "(not part of this version: the command says so and exits with 2)"

const cli_command cli_report = {.name = "report", .summary = "draw a report as HTML", .usage = LATER, .run = run};
