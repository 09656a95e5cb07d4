/* What the replicas of a rank share: the coarse problem, and the intervals to begin with. */
#include "optimizer/search/engine/levels.h"

#include "core/base/mem.h"

#include <string.h>

#define MOST_SLOTS (UINT64_C(1) << 24) /* of the interval model */

void ioa_levels_shared_release(void *pointer)
{
    ioa_levels_shared *s = pointer;
    if (!s) return;
    if (s->desk) {
        ioa_scorer_destroy(s->desk->scorer);
        ioa_order_prices_clear(&s->desk->prices);
        ioa_segments_clear(&s->desk->cuts);
        ioa_free(s->desk->local);
        ioa_free(s->desk);
    }
    ioa_interval_problem_destroy(s->problem);
    ioa_intervals_destroy(&s->start);
    ioa_free(s);
}

static ioa_status desk_create(const ioa_problem *problem, ioa_levels_desk **made, ioa_error *error)
{
    uint32_t n = problem->network->a.neurons;
    ioa_levels_desk *d = *made = ioa_alloc_zero(1, sizeof *d);
    if (!d) return ioa_fail_nomem(error, "the search", 1, sizeof *d);
    ioa_status status = ioa_scorer_create(problem->network, &problem->objective, &d->scorer, error);
    if (status != IOA_OK || problem->segments < 2) return status;
    d->local = ioa_alloc(n, sizeof *d->local);
    if (!d->local) return ioa_fail_nomem(error, "segments", n, sizeof *d->local);
    memset(d->local, 0xff, n * sizeof *d->local);
    return ioa_order_prices_make(problem->graph, problem->memory, &d->prices, error);
}

/* A start under consideration: what it is made with, and the best one so far. */
typedef struct trial {
    ioa_scorer *scorer;
    ioa_interrupt *interrupt;
    uint32_t *order; /* [W] scratch */
    uint64_t best;
} trial;

/* Takes over `made` (empty afterwards) if its order is the best so far. */
static ioa_status consider(ioa_levels_shared *s, trial *t, ioa_intervals *made, ioa_error *error)
{
    ioa_interval_state *state = NULL;
    ioa_status status = ioa_interrupt_look(t->interrupt, error);
    if (status == IOA_OK) status = ioa_interval_state_create(s->problem, made, &state, error);
    if (status == IOA_OK) status = ioa_interrupt_look(t->interrupt, error);
    if (status == IOA_OK) status = ioa_interval_order(state, t->order, error);
    ioa_interval_state_destroy(state);
    if (status == IOA_OK) status = ioa_interrupt_look(t->interrupt, error);
    if (status == IOA_OK) {
        uint64_t total = ioa_scorer_total(t->scorer, t->order);
        if (total < t->best) {
            t->best = total;
            ioa_intervals old = s->start;
            s->start = *made;
            *made = old;
        }
    }
    if (made->open) ioa_intervals_destroy(made);
    return status;
}

/* Widths tried, in sixteenths of the slots. Each costs some passes over the network, so that large ones try few. */
static const int32_t many_widths[] = {0, 2, 4, 6, 9, 12, 14, 16}, some_widths[] = {0, 8, 16};

static void choose_widths(uint64_t connections, const int32_t **widths, size_t *count)
{
    *widths = connections <= 300000 ? many_widths : some_widths;
    *count = connections <= 300000 ? 8 : connections <= 3000000 ? 3 : 0;
}

/* Tries windows of several widths, and the constructive order the search was given, and keeps the best. */
static ioa_status find_start(ioa_levels_shared *s, const ioa_problem *problem, ioa_error *error)
{
    const int32_t *sixteenths;
    size_t widths;
    choose_widths(problem->network->connections, &sixteenths, &widths);
    uint64_t w = problem->network->connections;
    trial t = {.best = UINT64_MAX, .interrupt = problem->interrupt, .order = ioa_alloc(w, sizeof *t.order)};
    ioa_intervals made = {0};
    ioa_status status = t.order ? IOA_OK : ioa_fail_nomem(error, "an order", w, sizeof *t.order);
    t.scorer = s->desk->scorer;
    if (status == IOA_OK) status = ioa_intervals_from_order(s->problem, problem->start, &made, error);
    if (status == IOA_OK) status = consider(s, &t, &made, error);
    int32_t last = 0;
    for (size_t i = 0; status == IOA_OK && i < widths; i++) {
        int32_t width = (int32_t)((int64_t)s->problem->slots * sixteenths[i] / 16);
        if (width < 1) width = 1;
        if (width == last) continue;
        last = width;
        status = ioa_interrupt_look(problem->interrupt, error);
        if (status == IOA_OK) status = ioa_intervals_window(s->problem, (uint32_t)width, NULL, &made, error);
        if (status == IOA_OK) status = consider(s, &t, &made, error);
    }
    ioa_free(t.order);
    return status;
}

ioa_status ioa_levels_shared_create(const ioa_problem *problem, double takeover, void **pointer, ioa_error *error)
{
    ioa_levels_shared *s = ioa_alloc_zero(1, sizeof *s);
    if (!s) return ioa_fail_nomem(error, "the search", 1, sizeof *s);
    s->takeover = takeover;
    ioa_status status = desk_create(problem, &s->desk, error);
    if (status == IOA_OK && takeover > 0.0) {
        /* More slots than neurons never fill, and the model counts them in 24 bits. */
        uint64_t most = (uint64_t)problem->network->a.neurons + 2 < MOST_SLOTS ? problem->network->a.neurons + 2u : MOST_SLOTS;
        uint64_t memory = problem->memory < most || most < IOA_MEMORY_MIN ? problem->memory : most;
        status = ioa_interval_problem_create(problem->network, memory, true, &s->problem, error);
        if (status == IOA_OK) status = ioa_interrupt_look(problem->interrupt, error);
        if (status == IOA_OK) status = find_start(s, problem, error);
    }
    if (status == IOA_OK)
        *pointer = s;
    else
        ioa_levels_shared_release(s);
    return status;
}
