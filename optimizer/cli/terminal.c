#include "optimizer/cli/terminal.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* mpirun gives its processes a terminal for standard output even if a file is what stands behind it. */
static bool launched(const FILE *stream)
{
    if (stream != stdout) return false;
    static const char *const names[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (getenv(names[i])) return true;
    return false;
}

int cli_columns(FILE *stream)
{
    struct winsize size = {0};
    int fd = fileno(stream);
    if (fd < 0 || !isatty(fd) || launched(stream)) return 0;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    const char *text = getenv("COLUMNS");
    long columns = text ? strtol(text, NULL, 10) : 0;
    return columns > 0 && columns < 10000 ? (int)columns : 80;
}

const char *cli_color_of(FILE *stream, cli_color color)
{
    static const char *const codes[] = {"\033[0m", "\033[1m", "\033[32m", "\033[33m", "\033[31m"};
    const char *unwanted = getenv("NO_COLOR"), *kind = getenv("TERM");
    if ((unwanted && *unwanted) || !kind || strcmp(kind, "dumb") == 0 || !isatty(fileno(stream)) || launched(stream))
        return "";
    return codes[color];
}
