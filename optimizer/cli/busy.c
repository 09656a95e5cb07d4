/* The watching thread of cli_busy (progress.h): it sleeps, wakes up, shows how far the main thread is. */
#include "optimizer/cli/progress.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SILENCE 2.0 /* seconds: what takes less needs no progress */
#define PAUSE 0.5   /* between two looks: rare enough not to disturb measurements */

struct cli_busy {
    pthread_t thread;
    pthread_mutex_t lock; /* of everything below */
    pthread_cond_t ended;
    bool end;
    char text[200];
    double share, planned;
    cli_progress progress;
    struct timespec began;
};

static double seconds_since(const struct timespec *began)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - began->tv_sec) + 1e-9 * (double)(now.tv_nsec - began->tv_nsec);
}

static void show(cli_busy *b)
{
    double elapsed = seconds_since(&b->began), share = b->planned > 0.0 ? elapsed / b->planned : b->share;
    if (elapsed >= SILENCE && b->text[0]) cli_progress_show(&b->progress, b->text, NULL, share < 1.0 ? share : 1.0, elapsed);
}

static void hide(cli_busy *b)
{
    if (b->progress.open) fputs("\r\033[K", stderr);
    b->progress.open = false;
}

static void *watch(void *context)
{
    cli_busy *b = context;
    pthread_mutex_lock(&b->lock);
    while (!b->end) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += (long)(PAUSE * 1e9);
        if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
        if (pthread_cond_timedwait(&b->ended, &b->lock, &until) == ETIMEDOUT && !b->end) show(b);
    }
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

static int start(cli_busy *b)
{
    pthread_condattr_t monotonic;
    sigset_t all, before;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
    sigfillset(&all); /* signals are the main thread's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&b->thread, NULL, watch, b);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

static void release(cli_busy *b)
{
    pthread_cond_destroy(&b->ended);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

cli_busy *cli_busy_begin(bool quiet, double seconds)
{
    cli_busy *b = quiet ? NULL : calloc(1, sizeof *b);
    if (!b) return NULL;
    b->share = -1.0;
    b->planned = seconds;
    clock_gettime(CLOCK_MONOTONIC, &b->began);
    if (start(b) == 0) return b;
    release(b);
    return NULL;
}

void cli_busy_step(cli_busy *busy, double share, const char *format, ...)
{
    if (!busy) return;
    va_list arguments;
    va_start(arguments, format);
    pthread_mutex_lock(&busy->lock);
    vsnprintf(busy->text, sizeof busy->text, format, arguments);
    busy->share = share;
    pthread_mutex_unlock(&busy->lock);
    va_end(arguments);
}

void cli_busy_restart(cli_busy *busy)
{
    if (!busy) return;
    pthread_mutex_lock(&busy->lock);
    hide(busy);
    busy->progress = (cli_progress){0};
    clock_gettime(CLOCK_MONOTONIC, &busy->began);
    pthread_mutex_unlock(&busy->lock);
}

void cli_busy_hide(cli_busy *busy)
{
    if (!busy) return;
    pthread_mutex_lock(&busy->lock);
    hide(busy);
    pthread_mutex_unlock(&busy->lock);
}

void cli_busy_end(cli_busy *busy)
{
    if (!busy) return;
    pthread_mutex_lock(&busy->lock);
    busy->end = true;
    pthread_cond_signal(&busy->ended);
    pthread_mutex_unlock(&busy->lock);
    pthread_join(busy->thread, NULL);
    hide(busy);
    release(busy);
}
