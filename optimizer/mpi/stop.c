#include "optimizer/mpi/stop.h"

#include "core/base/clock.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* Signal handlers can reach nothing but globals. */
static volatile sig_atomic_t signalled;
static char last_words[256];
static volatile sig_atomic_t last_words_length;

static void on_signal(int number)
{
    (void)number;
    signalled = 1;
}

static void on_alarm(int number)
{
    (void)number;
    ssize_t written = write(STDERR_FILENO, last_words, (size_t)last_words_length);
    (void)written;
    _exit(3);
}

static void handle(int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

void ioa_stop_listen(void)
{
    handle(SIGUSR1, on_signal);
    handle(SIGTERM, on_signal);
}

bool ioa_stop_signalled(void)
{
    return signalled;
}

double ioa_stop_deadline(double began, double seconds, double margin)
{
    double deadline = seconds > 0.0 ? began + seconds : INFINITY;
    const char *end = getenv("SLURM_JOB_END_TIME"); /* seconds since 1970 */
    double slurm = end ? strtod(end, NULL) : 0.0;
    if (slurm <= 0.0) return deadline;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    double left = slurm - (double)now.tv_sec - margin;
    return fmin(deadline, ioa_clock() + left);
}

void ioa_watchdog_prepare(int rank)
{
    int length = snprintf(last_words, sizeof last_words,
                          "ioanneal optimize: rank %d: no progress within --hang-timeout: another rank hangs or is gone; "
                          "the run is given up\n", rank);
    last_words_length = length;
    handle(SIGALRM, on_alarm);
}

void ioa_watchdog_set(double seconds)
{
    double whole = floor(seconds);
    struct itimerval timer = {.it_value = {.tv_sec = (time_t)whole, .tv_usec = (suseconds_t)((seconds - whole) * 1e6)}};
    setitimer(ITIMER_REAL, &timer, NULL);
}
