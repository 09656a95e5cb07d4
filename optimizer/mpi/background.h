/* Work that takes only the processor time others leave over: a thread of the lowest priority, one piece of work at a time.
 * For the verifier, which may share the cores of a node with workers. */
#ifndef IOA_MPI_BACKGROUND_H
#define IOA_MPI_BACKGROUND_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

typedef struct ioa_background {
    pthread_t thread;
    void (*work)(void *context);
    void *context;
    bool begun; /* and not yet waited for */
    atomic_bool done;
} ioa_background; /* all-zero: nothing to do */

/* Begins `work`, which calls nothing of MPI; nothing else may be under way. Where no thread can be had it is done before
 * this returns. */
void ioa_background_begin(ioa_background *background, void (*work)(void *context), void *context);

/* Whether it still goes on; once it does not, what it has written can be read. */
bool ioa_background_busy(ioa_background *background);

#endif
