/* Progress on standard error: one line that is rewritten on a terminal, with a bar and the time left; plain lines now
 * and then in a job log.
 *
 * Work that knows its rounds shows them itself (cli_progress). Work that does not is watched by a thread of its own
 * (cli_busy), which stays silent for two seconds. */
#ifndef IOA_CLI_PROGRESS_H
#define IOA_CLI_PROGRESS_H

#include <stdbool.h>

typedef struct cli_progress {
    double next;  /* seconds at which to show something again */
    double every; /* plain lines: pause between two, growing up to half a minute */
    bool open;    /* the terminal line has no newline yet */
} cli_progress;

/* `share` of the work done, in [0, 1], or negative if unknown; `seconds` since it began. `more` (or NULL) follows the
 * text. On a terminal, parts between commas are left out from the end where they do not fit: a line never wraps. */
void cli_progress_show(cli_progress *progress, const char *text, const char *more, double share, double seconds);

/* Whether cli_progress_show would show something now. */
bool cli_progress_due(const cli_progress *progress, double seconds);

/* Leaves the last state standing. */
void cli_progress_end(cli_progress *progress);

typedef struct cli_busy cli_busy;

/* Starts watching; NULL, which the functions below take, if `quiet` or if there is no thread to be had. `seconds`: how
 * long it will take, or 0 if that is not known. */
cli_busy *cli_busy_begin(bool quiet, double seconds);

/* What is being done now, as printf would say it, and the share done, negative if unknown. */
void cli_busy_step(cli_busy *busy, double share, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The work begins anew: the time shown counts from now, and another two seconds are silent. */
void cli_busy_restart(cli_busy *busy);

/* Takes the line off a terminal until the next look: for results that are printed meanwhile. */
void cli_busy_hide(cli_busy *busy);

/* Ends the watch; its line disappears from a terminal. */
void cli_busy_end(cli_busy *busy);

#endif
