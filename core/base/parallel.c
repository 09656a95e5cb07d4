#include "core/base/parallel.h"

#include <pthread.h>
#include <stdbool.h>

typedef struct share {
    void (*work)(const void *context, uint32_t thread, size_t first, size_t last);
    const void *context;
    uint32_t thread;
    size_t first, last;
} share;

static void *take_share(void *argument)
{
    const share *s = argument;
    s->work(s->context, s->thread, s->first, s->last);
    return NULL;
}

void ioa_parallel(uint32_t threads, size_t count,
                  void (*work)(const void *context, uint32_t thread, size_t first, size_t last), const void *context)
{
    pthread_t handles[IOA_MOST_THREADS];
    share shares[IOA_MOST_THREADS];
    bool runs[IOA_MOST_THREADS] = {false};
    if (threads > IOA_MOST_THREADS) threads = IOA_MOST_THREADS;
    if (threads > count) threads = (uint32_t)count;
    for (uint32_t i = 0; i < threads; i++) {
        shares[i] = (share){work, context, i, count * i / threads, count * (i + 1) / threads};
        runs[i] = i && pthread_create(&handles[i], NULL, take_share, &shares[i]) == 0;
    }
    for (uint32_t i = 0; i < threads; i++)
        if (!runs[i]) take_share(&shares[i]);
    for (uint32_t i = 0; i < threads; i++)
        if (runs[i]) pthread_join(handles[i], NULL);
}
