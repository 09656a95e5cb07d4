#include "io/h5/h5_rehearse.h"

#include "core/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECONDS 20u               /* of processor time, and one more for each .. */
#define BYTES_PER_SECOND 1000000u /* .. of the file: damaged files can lead the library in circles */

/* The child's part: never returns, prints nothing, runs no exit handlers. */
static void rehearse(const char *path, ioa_status (*read_file)(void *context, ioa_error *error), void *context, int to)
{
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
    struct rlimit none = {0, 0};
    struct stat info = {0};
    stat(path, &info);
    rlim_t seconds = SECONDS + (rlim_t)info.st_size / BYTES_PER_SECOND;
    struct rlimit time = {seconds, seconds};
    setrlimit(RLIMIT_CORE, &none);
    setrlimit(RLIMIT_CPU, &time);
    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++) signal(fatal[i], SIG_DFL);
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0) {
        dup2(nowhere, STDOUT_FILENO);
        dup2(nowhere, STDERR_FILENO);
    }
    ioa_mem_fail_at(0); /* tests of failing memory are about the caller */
    ioa_error error = {0};
    error.status = read_file(context, &error);
    const char *at = (const char *)&error;
    for (size_t left = sizeof error; left > 0;) { /* smaller than any pipe */
        ssize_t wrote = write(to, at, left);
        if (wrote < 0 && errno != EINTR) break;
        if (wrote > 0) at += wrote, left -= (size_t)wrote;
    }
    for (;;) kill(getpid(), SIGKILL); /* the answer tells how it went, so that nothing of the process needs to end well */
}

/* All of the child's answer, or false. */
static bool receive(int from, ioa_error *answer)
{
    char *at = (char *)answer;
    size_t left = sizeof *answer;
    while (left > 0) {
        ssize_t got = read(from, at, left);
        if (got == 0 || (got < 0 && errno != EINTR)) return false;
        if (got > 0) at += got, left -= (size_t)got;
    }
    return true;
}

ioa_status ioa_h5_rehearse(const char *path, ioa_status (*read_file)(void *context, ioa_error *error), void *context,
                           ioa_error *error)
{
    int ends[2];
    if (pipe(ends) != 0) return ioa_fail(error, IOA_ERR_SYSTEM, "%s: no pipe: %s", path, strerror(errno));
    pid_t child = fork();
    if (child < 0) {
        int code = errno;
        close(ends[0]);
        close(ends[1]);
        return ioa_fail(error, IOA_ERR_SYSTEM, "%s: no child process to read it: %s", path, strerror(code));
    }
    if (child == 0) rehearse(path, read_file, context, ends[1]);
    close(ends[1]);
    ioa_error answer;
    bool complete = receive(ends[0], &answer);
    close(ends[0]);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) continue;
    if (!complete) return ioa_fail(error, IOA_ERR_INPUT, "%s: is damaged (the HDF5 library cannot read it)", path);
    answer.text[sizeof answer.text - 1] = '\0';
    return answer.status == IOA_OK ? IOA_OK : ioa_fail(error, answer.status, "%s", answer.text);
}
