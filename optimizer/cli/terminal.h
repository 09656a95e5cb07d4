/* What stands at the other end of a stream: how wide it is, and whether it wants colours. */
#ifndef IOA_CLI_TERMINAL_H
#define IOA_CLI_TERMINAL_H

#include <stdio.h>

/* Columns of the terminal behind `stream` (or what COLUMNS says, or 80); 0 if it is no terminal. */
int cli_columns(FILE *stream);

typedef enum cli_color { CLI_PLAIN, CLI_BOLD, CLI_GREEN, CLI_YELLOW, CLI_RED } cli_color;

/* The sequence that switches to a colour, CLI_PLAIN back again; "" unless `stream` is a terminal that knows colours and
 * NO_COLOR (no-color.org) is unset or empty. */
const char *cli_color_of(FILE *stream, cli_color color);

#endif
