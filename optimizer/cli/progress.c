#include "optimizer/cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BAR 20

static void show_bar(const char *text, double share, double seconds)
{
    char bar[BAR + 1];
    if (share < 0.0) {
        fprintf(stderr, "\r\033[K%s", text);
        return;
    }
    int full = (int)(BAR * (share < 1.0 ? share : 1.0));
    memset(bar, '.', BAR);
    memset(bar, '#', (size_t)full);
    bar[BAR] = '\0';
    double left = share > 0.0 ? seconds / share - seconds : 0.0;
    fprintf(stderr, "\r\033[K[%s] %s, %.0f s left", bar, text, left > 0.0 ? left : 0.0);
}

void cli_progress_show(cli_progress *progress, const char *text, double share, double seconds)
{
    if (seconds + 1e-9 < progress->next && progress->next - seconds < 60.0) return;
    if (isatty(STDERR_FILENO)) {
        show_bar(text, share, seconds);
        progress->open = true;
        progress->next = seconds + 0.2;
        return;
    }
    fprintf(stderr, "%s, %.1f s\n", text, seconds);
    progress->every = progress->every < 1.0 ? 2.0 : progress->every < 20.0 ? progress->every * 1.5 : 30.0;
    progress->next = seconds + progress->every;
}

void cli_progress_end(cli_progress *progress)
{
    if (progress->open) fputc('\n', stderr);
    *progress = (cli_progress){0};
}
