/* Progress on standard error: one line that is rewritten on a terminal, with a bar and the time left; plain lines now
 * and then in a job log. */
#ifndef IOA_CLI_PROGRESS_H
#define IOA_CLI_PROGRESS_H

#include <stdbool.h>

typedef struct cli_progress {
    double next;  /* seconds at which to show something again */
    double every; /* plain lines: pause between two, growing up to half a minute */
    bool open;    /* the terminal line has no newline yet */
} cli_progress;

/* `share` of the work done, in [0, 1], or negative if unknown; `seconds` since it began. */
void cli_progress_show(cli_progress *progress, const char *text, double share, double seconds);

void cli_progress_end(cli_progress *progress);

#endif
