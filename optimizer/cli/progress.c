#include "optimizer/cli/progress.h"

#include "optimizer/cli/terminal.h"

#include <stdio.h>
#include <string.h>

#define BAR 20        /* columns of a bar where there is room */
#define LEAST_BAR 8   /* narrower ones are left out */

/* Shortens "a, b, c" to whole parts, or if need be to a part of a, until it has `room` characters. */
static void fit(char *text, int room)
{
    while ((int)strlen(text) > room) {
        char *comma = text, *last = NULL;
        while ((comma = strstr(comma + 1, ", ")) != NULL) last = comma;
        text[last ? last - text : room] = '\0';
    }
}

/* One line of at most columns - 1 characters: the last column would make some terminals wrap. */
static void show_bar(int columns, const char *text, const char *more, double share, double seconds)
{
    char line[400], tail[40] = "", bar[BAR + 1];
    int room = columns > 1 ? columns - 1 : 1;
    if (share > 0.0)
        snprintf(tail, sizeof tail, ", %.0f s left", share < 1.0 ? seconds / share - seconds : 0.0);
    else if (share < 0.0)
        snprintf(tail, sizeof tail, ", %.0f s", seconds);
    int ends = (int)strlen(tail);
    snprintf(line, sizeof line, "%s%s", text, more ? more : "");
    if (ends > room / 2) ends = tail[0] = '\0';
    fit(line, room - ends);
    int full = room - (int)strlen(line) - ends - 3; /* brackets and a blank */
    full = full > BAR ? BAR : full;
    fputs("\r\033[K", stderr);
    if (share >= 0.0 && full >= LEAST_BAR) {
        memset(bar, '.', (size_t)full);
        memset(bar, '#', (size_t)(full * (share < 1.0 ? share : 1.0)));
        bar[full] = '\0';
        fprintf(stderr, "[%s] ", bar);
    }
    fprintf(stderr, "%s%s", line, tail);
    fflush(stderr);
}

bool cli_progress_due(const cli_progress *progress, double seconds)
{
    return seconds + 1e-9 >= progress->next || progress->next - seconds >= 60.0; /* a clock that began anew */
}

void cli_progress_show(cli_progress *progress, const char *text, const char *more, double share, double seconds)
{
    if (!cli_progress_due(progress, seconds)) return;
    int columns = cli_columns(stderr);
    if (columns > 0) {
        show_bar(columns, text, more, share, seconds);
        progress->open = true;
        progress->next = seconds + 0.2;
        return;
    }
    fprintf(stderr, "%s%s, %.1f s\n", text, more ? more : "", seconds);
    progress->every = progress->every < 1.0 ? 2.0 : progress->every < 20.0 ? progress->every * 1.5 : 30.0;
    progress->next = seconds + progress->every;
}

void cli_progress_end(cli_progress *progress)
{
    if (progress->open) fputc('\n', stderr);
    *progress = (cli_progress){0};
}
