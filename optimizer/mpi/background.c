#include "optimizer/mpi/background.h"

#include <signal.h>
#include <sys/resource.h>

#define LOWEST_PRIORITY 19

static void *run(void *pointer)
{
    ioa_background *b = pointer;
    (void)setpriority(PRIO_PROCESS, 0, LOWEST_PRIORITY); /* on Linux of this thread alone; elsewhere it goes on as it is */
    b->work(b->context);
    atomic_store(&b->done, true);
    return NULL;
}

void ioa_background_begin(ioa_background *b, void (*work)(void *context), void *context)
{
    sigset_t all, before;
    b->work = work;
    b->context = context;
    atomic_store(&b->done, false);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the thread that looks at them */
    b->begun = pthread_create(&b->thread, NULL, run, b) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!b->begun) work(context);
}

bool ioa_background_busy(ioa_background *b)
{
    if (!b->begun) return false;
    if (!atomic_load(&b->done)) return true;
    pthread_join(b->thread, NULL);
    b->begun = false;
    return false;
}
