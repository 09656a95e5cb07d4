#include "optimizer/report/sweep.h"

#include "core/base/mem.h"
#include "core/base/parallel.h"
#include "core/bounds/bounds.h"
#include "core/model/network.h"
#include "core/model/order.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LARGE 300000u /* connections */
#define MOST_SIZES 32 /* powers of two: no network has more neurons than 2^32 */

/* What the threads share. A task is one memory size, for the bound or for an order. */
typedef struct work {
    const report_sweep_config *config;
    report_sweep *sweep;
    const uint32_t *layered; /* [W] */
    atomic_uint next;
    atomic_uint_fast64_t enough; /* from this memory size on nothing is proven beyond the compulsory: no need to try */
    uint32_t tasks, done;
    pthread_mutex_t lock;    /* for what follows, `done` and the callback */
    ioa_status status;
    ioa_error error;
} work;

void report_sweep_clear(report_sweep *sweep)
{
    ioa_free(sweep->memory);
    ioa_free(sweep->layered);
    ioa_free(sweep->certified);
    ioa_free(sweep->order);
    *sweep = (report_sweep){0};
}

static ioa_status count(const report_sweep_config *c, const uint32_t *order, uint64_t memory, uint64_t *total, ioa_error *error)
{
    ioa_io io;
    ioa_status status = ioa_memory_count(c->network, order, memory, c->policy, &io, error);
    if (status == IOA_OK) *total = io.reads + io.writes;
    return status;
}

static ioa_status bound(const report_sweep_config *c, uint64_t memory, uint64_t *total, ioa_error *error)
{
    ioa_certificate certificate = {0};
    ioa_status status = ioa_certified_bound(c->network, memory, &certificate, error);
    if (status == IOA_OK) *total = c->network->bounds.lower + certificate.excess;
    ioa_certificate_free(&certificate);
    return status;
}

static ioa_status perform(work *w, uint32_t task, ioa_error *error)
{
    report_sweep *s = w->sweep;
    uint32_t kind = task / s->count, at = task % s->count; /* the bounds, which take longest, come first */
    if (kind == 0) {
        uint64_t lower = w->config->network->bounds.lower;
        s->certified[at] = lower;
        if (s->memory[at] >= atomic_load(&w->enough)) return IOA_OK;
        ioa_status status = bound(w->config, s->memory[at], &s->certified[at], error);
        if (status == IOA_OK && s->certified[at] == lower) atomic_store(&w->enough, s->memory[at]);
        return status;
    }
    if (kind == 1) return count(w->config, w->layered, s->memory[at], &s->layered[at], error);
    uint32_t order = kind - 2;
    return count(w->config, w->config->orders[order], s->memory[at], &s->order[(uint64_t)order * s->count + at], error);
}

static void labour(const void *context, uint32_t thread, size_t first, size_t last)
{
    work *w = (work *)(uintptr_t)context;
    (void)thread;
    (void)first;
    (void)last;
    for (uint32_t task; (task = atomic_fetch_add(&w->next, 1)) < w->tasks;) {
        ioa_error error = {0};
        ioa_status status = perform(w, task, &error);
        pthread_mutex_lock(&w->lock);
        if (status != IOA_OK && w->status == IOA_OK) {
            w->status = status;
            w->error = error;
        }
        bool stop = w->status != IOA_OK;
        if (w->config->progress) w->config->progress(w->config->context, (double)++w->done / w->tasks);
        pthread_mutex_unlock(&w->lock);
        if (stop) return;
    }
}

static int ascending(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

/* From a quarter of the smallest size to the first power of two that holds all neurons; large networks, where a size takes
 * seconds, get powers of four. */
static ioa_status choose_sizes(const report_sweep_config *c, report_sweep *s, ioa_error *error)
{
    s->memory = ioa_alloc(c->size_count + (uint64_t)MOST_SIZES, sizeof *s->memory);
    if (!s->memory) return ioa_fail_nomem(error, "memory sizes", c->size_count, sizeof *s->memory);
    uint64_t all = (uint64_t)c->network->a.neurons + 1, least = all, power = 4;
    uint64_t step = c->network->connections > LARGE ? 4 : 2;
    for (uint32_t i = 0; i < c->size_count; i++) {
        if (c->sizes[i] < least) least = c->sizes[i];
        s->memory[s->count++] = c->sizes[i];
    }
    while (power * 4 <= least) power *= 2;
    for (uint32_t n = 0; n < MOST_SIZES; n++, power *= step) {
        s->memory[s->count++] = power;
        if (power >= all) break;
    }
    qsort(s->memory, s->count, sizeof *s->memory, ascending);
    uint32_t kept = 1;
    for (uint32_t i = 1; i < s->count; i++)
        if (s->memory[i] != s->memory[kept - 1]) s->memory[kept++] = s->memory[i];
    s->count = kept;
    return IOA_OK;
}

/* Which sizes were left out, because nothing was proven for a smaller one, depends on the threads; what is shown must not.
 * What no order does with M slots none does with fewer: a bound that is larger further on holds here too. */
static void carry_bounds(report_sweep *s, uint64_t lower)
{
    uint32_t first = 0;
    while (first < s->count && s->certified[first] > lower) first++;
    for (uint32_t i = first; i < s->count; i++) s->certified[i] = lower;
    for (uint32_t i = s->count; i-- > 1;)
        if (s->certified[i - 1] < s->certified[i]) s->certified[i - 1] = s->certified[i];
}

/* Beyond the first size at which the layered order needs no more than it must, there is nothing to see. */
static void cut(const report_sweep_config *c, report_sweep *s)
{
    uint64_t most = 0;
    for (uint32_t i = 0; i < c->size_count; i++)
        if (c->sizes[i] > most) most = c->sizes[i];
    for (uint32_t i = 0; i + 1 < s->count; i++) {
        if (s->layered[i] > c->network->bounds.lower || s->memory[i] < most) continue;
        for (uint32_t order = 1; order < c->order_count; order++)
            memmove(s->order + (uint64_t)order * (i + 1), s->order + (uint64_t)order * s->count, (i + 1) * sizeof *s->order);
        s->count = i + 1;
    }
}

ioa_status report_sweep_run(const report_sweep_config *config, report_sweep *sweep, ioa_error *error)
{
    *sweep = (report_sweep){0};
    work w = {.config = config, .sweep = sweep};
    atomic_init(&w.enough, UINT64_MAX);
    uint32_t *layered = ioa_alloc(config->network->connections, sizeof *layered);
    ioa_status status = layered ? choose_sizes(config, sweep, error)
                                : ioa_fail_nomem(error, "the layered order", config->network->connections, sizeof *layered);
    if (status == IOA_OK) {
        sweep->layered = ioa_alloc_zero(sweep->count, sizeof *sweep->layered);
        sweep->certified = ioa_alloc_zero(sweep->count, sizeof *sweep->certified);
        sweep->order = ioa_alloc_zero((uint64_t)sweep->count * config->order_count, sizeof *sweep->order);
        if (!sweep->layered || !sweep->certified || !sweep->order)
            status = ioa_fail_nomem(error, "the sweep", sweep->count, sizeof *sweep->layered);
    }
    if (status == IOA_OK) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        ioa_order_layered(config->network, layered);
        w.layered = layered;
        w.tasks = sweep->count * (2 + config->order_count);
        uint32_t threads = cores < 1 ? 1 : (uint32_t)cores;
        if (threads > w.tasks) threads = w.tasks;
        if (threads > IOA_MOST_THREADS) threads = IOA_MOST_THREADS;
        pthread_mutex_init(&w.lock, NULL);
        ioa_parallel(threads, threads, labour, &w);
        pthread_mutex_destroy(&w.lock);
        status = w.status;
        if (status != IOA_OK && error) *error = w.error;
    }
    ioa_free(layered);
    if (status != IOA_OK) {
        report_sweep_clear(sweep);
        return status;
    }
    carry_bounds(sweep, config->network->bounds.lower);
    cut(config, sweep);
    return IOA_OK;
}
