#include "optimizer/report/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TO_IN, FROM_OUT, FROM_ERR, PIPES };

typedef struct process {
    pid_t id;
    int end[PIPES]; /* ours, -1 once closed */
} process;

static void close_end(int *end)
{
    if (*end >= 0) close(*end);
    *end = -1;
}

/* The three pipes: pipes[i][0] is read, pipes[i][1] written. Programs we start later must not inherit them. */
static bool make_pipes(int pipes[PIPES][2])
{
    for (int i = 0; i < PIPES; i++) pipes[i][0] = pipes[i][1] = -1;
    for (int i = 0; i < PIPES; i++) {
        if (pipe(pipes[i]) != 0) return false;
        for (int j = 0; j < 2; j++)
            if (fcntl(pipes[i][j], F_SETFD, FD_CLOEXEC) != 0) return false;
    }
    return true;
}

static int spawn(int pipes[PIPES][2], char *const arguments[], pid_t *id)
{
    /* An environment of our own: the user's might name start-up files, fonts or another locale. */
    static char locale[] = "LC_ALL=C.UTF-8";
    char path[4096];
    const char *folders = getenv("PATH");
    int used = snprintf(path, sizeof path, "PATH=%s", folders ? folders : "/usr/bin:/bin");
    if (used < 0 || (size_t)used >= sizeof path) snprintf(path, sizeof path, "PATH=/usr/bin:/bin");
    char *environment[] = {locale, path, NULL};
    posix_spawn_file_actions_t actions;
    int code = posix_spawn_file_actions_init(&actions);
    if (code != 0) return code;
    for (int i = 0; code == 0 && i < PIPES; i++)
        code = posix_spawn_file_actions_adddup2(&actions, pipes[i][i == TO_IN ? 0 : 1], i);
    if (code == 0) code = posix_spawnp(id, arguments[0], &actions, NULL, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

static ioa_status start(char *const arguments[], process *p, ioa_error *error)
{
    int pipes[PIPES][2];
    int code = make_pipes(pipes) ? 0 : errno;
    bool ours = code != 0;
    if (code == 0) code = spawn(pipes, arguments, &p->id);
    for (int i = 0; i < PIPES; i++) {
        int kept = i == TO_IN ? 1 : 0;
        p->end[i] = code == 0 ? pipes[i][kept] : -1;
        if (code != 0) close_end(&pipes[i][kept]);
        close_end(&pipes[i][1 - kept]);
    }
    if (code == 0) return IOA_OK;
    if (ours || code == ENOMEM || code == EAGAIN)
        return ioa_fail(error, IOA_ERR_SYSTEM, "gnuplot cannot be started: %s", strerror(code));
    return ioa_fail(error, IOA_ERR_SYSTEM,
                    "gnuplot, which draws the plots, cannot be started (%s); install it: apt-get install gnuplot-nox",
                    strerror(code));
}

/* Reads what is there; closes at the end. */
static void take(int *end, report_text *into)
{
    char bytes[16384];
    ssize_t got = read(*end, bytes, sizeof bytes);
    if (got > 0) report_bytes(into, bytes, (size_t)got);
    else if (got == 0 || errno != EINTR) close_end(end);
}

/* Writes what fits; closes when all is written, or when nobody reads. */
static void give(int *end, const report_text *from, size_t *done)
{
    size_t left = from->length - *done;
    ssize_t gone = left ? write(*end, from->data + *done, left < 4096 ? left : 4096) : 0;
    if (gone > 0) *done += (size_t)gone;
    if (*done == from->length || (gone < 0 && errno != EINTR && errno != EAGAIN)) close_end(end);
}

/* Feeds and reads at once: neither side ever waits for the other with a full pipe. */
static void exchange(process *p, const report_text *script, report_text *output, report_text *complaints)
{
    size_t done = 0;
    fcntl(p->end[TO_IN], F_SETFL, O_NONBLOCK);
    while (p->end[FROM_OUT] >= 0 || p->end[FROM_ERR] >= 0) {
        struct pollfd wait[PIPES];
        for (int i = 0; i < PIPES; i++) wait[i] = (struct pollfd){.fd = p->end[i], .events = i == TO_IN ? POLLOUT : POLLIN};
        if (poll(wait, PIPES, -1) < 0 && errno != EINTR) break;
        if (p->end[TO_IN] >= 0 && wait[TO_IN].revents) give(&p->end[TO_IN], script, &done);
        if (p->end[FROM_OUT] >= 0 && wait[FROM_OUT].revents) take(&p->end[FROM_OUT], output);
        if (p->end[FROM_ERR] >= 0 && wait[FROM_ERR].revents) take(&p->end[FROM_ERR], complaints);
    }
    for (int i = 0; i < PIPES; i++) close_end(&p->end[i]);
}

/* The first line that says something. gnuplot repeats the offending line of the script first; ours hold only numbers. */
static void first_line(const report_text *complaints, char *line, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < complaints->length && used + 1 < size; i++) {
        char c = complaints->data[i];
        if (c == '\n' && used) break;
        if (c >= ' ' && c <= '~' && (used || c != ' ')) line[used++] = c;
    }
    line[used] = '\0';
}

static ioa_status run(char *const arguments[], const report_text *script, report_text *output, ioa_error *error)
{
    process p;
    report_text complaints = {0};
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    ioa_status status = start(arguments, &p, error);
    if (status != IOA_OK) return status;
    sigaction(SIGPIPE, &ignore, &before);
    exchange(&p, script, output, &complaints);
    sigaction(SIGPIPE, &before, NULL);
    int state = 0;
    pid_t ended;
    do ended = waitpid(p.id, &state, 0);
    while (ended < 0 && errno == EINTR);
    if (ended != p.id || !WIFEXITED(state) || WEXITSTATUS(state) != 0) {
        char line[200] = "";
        first_line(&complaints, line, sizeof line);
        status = ioa_fail(error, IOA_ERR_SYSTEM, "gnuplot failed%s%s", line[0] ? ": " : "", line);
    }
    report_text_clear(&complaints);
    return status == IOA_OK ? report_text_check(output, error) : status;
}

static char program[] = "gnuplot", no_start_up_files[] = "-d", version[] = "--version", standard_input[] = "-";

ioa_status report_gnuplot_find(ioa_error *error)
{
    char *const arguments[] = {program, version, NULL};
    report_text nothing = {0}, output = {0};
    ioa_status status = run(arguments, &nothing, &output, error);
    report_text_clear(&output);
    return status;
}

ioa_status report_gnuplot_run(const report_text *script, report_text *output, ioa_error *error)
{
    char *const arguments[] = {program, no_start_up_files, standard_input, NULL};
    return run(arguments, script, output, error);
}
