/* A state's life: made from intervals, copied, flattened, checked. */
#include "optimizer/search/interval/interval_internal.h"

#include "core/base/mem.h"

#include <stdlib.h>
#include <string.h>

static int compare_keys(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Everything that follows from intervals and decisions. Logs nothing. */
void ioa_iv_rebuild(ioa_interval_state *s)
{
    const ioa_interval_problem *p = s->problem;
    memset(s->occupied, 0, 2 * (size_t)s->ticks * sizeof *s->occupied);
    memset(s->opened, 0, (size_t)s->ticks * sizeof *s->opened);
    for (int32_t t = 0; t < s->ticks; t++) s->head[t] = IOA_IV_NONE;
    for (uint32_t v = p->units; v-- > 0;) {
        uint32_t *head = &s->head[s->close[v]];
        int32_t weight = ioa_iv_weight(p, v);
        s->next[v] = *head;
        s->prev[v] = IOA_IV_NONE;
        if (*head != IOA_IV_NONE) s->prev[*head] = v;
        *head = v;
        for (int32_t t = s->open[v]; t <= s->close[v]; t++) {
            s->opened[t] += weight;
            s->occupied[2 * t] += weight;
            s->occupied[2 * t + 1] += weight;
        }
    }
    s->io = 0;
    for (uint32_t u = 0; u < p->neurons; u++) {
        s->loads[u] = 0;
        if (p->out_offsets[u] == p->out_offsets[u + 1]) continue;
        int32_t e = ioa_iv_born(s, u);
        for (int64_t at = p->out_offsets[u]; at < p->out_offsets[u + 1]; at++) {
            int32_t open = ioa_iv_open(s->key[at]);
            if (open > ioa_iv_tick(e) && (s->key[at] & 1)) {
                for (int32_t t = e; t <= 2 * open; t++) s->occupied[t]++;
                e = ioa_iv_met(open);
            } else if (open > ioa_iv_tick(e)) {
                e = ioa_iv_met(ioa_iv_close(s->key[at]));
                s->loads[u]++;
            }
            s->end[at] = e;
        }
        s->io += ioa_iv_cost(p, u, s->loads[u]);
    }
    s->energy = s->io * IOA_INTERVAL_ONE + ioa_iv_overflow_energy(s, &s->prices);
    s->range_count = s->touch_count = s->flip_count = 0;
}

static bool allocate(ioa_interval_state *s)
{
    const ioa_interval_problem *p = s->problem;
    uint64_t n = p->neurons, units = p->units, w = p->pairs, ticks = (uint64_t)s->ticks;
    uint32_t heaviest = 0;
    for (uint32_t v = 0; v < p->units; v++)
        if ((uint32_t)ioa_iv_weight(p, v) > heaviest) heaviest = (uint32_t)ioa_iv_weight(p, v);
    s->touch_capacity = 2 * (p->max_in + heaviest);
    s->range_capacity = s->flip_capacity = 1024;
    return (s->open = ioa_alloc(units, sizeof *s->open)) && (s->close = ioa_alloc(units, sizeof *s->close)) &&
           (s->key = ioa_alloc(w, sizeof *s->key)) && (s->end = ioa_alloc(w, sizeof *s->end)) &&
           (s->loads = ioa_alloc(n, sizeof *s->loads)) && (s->occupied = ioa_alloc(2 * ticks, sizeof *s->occupied)) &&
           (s->opened = ioa_alloc(ticks, sizeof *s->opened)) && (s->head = ioa_alloc(ticks, sizeof *s->head)) &&
           (s->next = ioa_alloc(units, sizeof *s->next)) && (s->prev = ioa_alloc(units, sizeof *s->prev)) &&
           (s->mark = ioa_alloc_zero(n, sizeof *s->mark)) &&
           (s->ranges = ioa_alloc(s->range_capacity, sizeof *s->ranges)) &&
           (s->touches = ioa_alloc(s->touch_capacity, sizeof *s->touches)) &&
           (s->flips = ioa_alloc(s->flip_capacity, sizeof *s->flips)) &&
           (s->spare = ioa_alloc(p->max_out, sizeof *s->spare)) &&
           (s->bins = ioa_alloc_zero(2 * ticks, sizeof *s->bins));
}

/* Sorted keys from the intervals, all decisions "load": unit by unit in the sequence of their keys. `keyed` [U] is
 * scratch. */
static void fill_keys(ioa_interval_state *s, uint64_t (*keyed)[2])
{
    const ioa_interval_problem *p = s->problem;
    for (uint32_t v = 0; v < p->units; v++) {
        keyed[v][0] = ioa_iv_key(s->open[v], s->close[v]);
        keyed[v][1] = v;
    }
    qsort(keyed, p->units, sizeof *keyed, compare_keys);
    memset(s->loads, 0, p->neurons * sizeof *s->loads); /* keys so far */
    for (uint32_t i = 0; i < p->units; i++) {
        uint32_t length;
        const uint32_t *row = ioa_iv_row(p, (uint32_t)keyed[i][1], &length);
        for (uint32_t j = 0; j < length; j++) s->key[p->out_offsets[row[j]] + s->loads[row[j]]++] = keyed[i][0];
    }
}

ioa_status ioa_interval_state_create(const ioa_interval_problem *problem, const ioa_intervals *start,
                                     ioa_interval_state **state, ioa_error *error)
{
    ioa_interval_state *s = ioa_alloc_zero(1, sizeof *s);
    if (!s) return ioa_fail_nomem(error, "state", 1, sizeof *s);
    s->problem = problem;
    s->ticks = start->ticks;
    ioa_interval_tune(s, NULL, 0);
    uint64_t (*keyed)[2] = ioa_alloc(problem->units, sizeof *keyed);
    if (!allocate(s) || !keyed) {
        ioa_free(keyed);
        ioa_interval_state_destroy(s);
        return ioa_fail_nomem(error, "state", problem->connections, 12);
    }
    for (uint32_t v = 0; v < problem->units; v++) {
        s->open[v] = start->open[problem->members[problem->member_offsets[v]]];
        s->close[v] = start->close[problem->members[problem->member_offsets[v]]];
    }
    s->pressure = ioa_iv_pressure_none;
    s->prices = ioa_iv_prices_at(0.4, s->pressure);
    fill_keys(s, keyed);
    ioa_free(keyed);
    ioa_iv_rebuild(s);
    for (uint32_t u = 0; u < problem->neurons; u++) { /* retain what fits, source by source */
        int64_t price = 0, first = problem->out_offsets[u];
        int32_t count = (int32_t)(problem->out_offsets[u + 1] - first);
        if (count) (void)ioa_iv_plan(s, u, s->key + first, count, &price);
        s->range_count = 0;
    }
    ioa_iv_rebuild(s);
    *state = s;
    return IOA_OK;
}

void ioa_interval_state_destroy(ioa_interval_state *s)
{
    if (!s) return;
    void *const owned[] = { s->open, s->close, s->key,  s->end,    s->loads,   s->occupied, s->opened, s->head,
                            s->next, s->prev,  s->mark, s->ranges, s->touches, s->flips,    s->spare, s->bins };
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) ioa_free(owned[i]);
    ioa_free(s);
}

int64_t ioa_interval_energy(const ioa_interval_state *state, double temperature)
{
    ioa_iv_prices prices = ioa_iv_prices_at(temperature, ioa_iv_pressure_none);
    return state->io * IOA_INTERVAL_ONE + ioa_iv_overflow_energy(state, &prices);
}

int64_t ioa_interval_io(const ioa_interval_state *state) { return state->io; }

int64_t ioa_interval_overflow(const ioa_interval_state *state)
{
    int64_t sum = 0;
    for (int32_t t = 0; t < 2 * state->ticks; t++)
        if (state->occupied[t] > state->problem->slots) sum += state->occupied[t] - state->problem->slots;
    return sum;
}

ioa_status ioa_interval_extract(const ioa_interval_state *state, ioa_intervals *intervals, ioa_error *error)
{
    uint32_t n = state->problem->neurons;
    ioa_status status = ioa_intervals_create(n, intervals, error);
    if (status != IOA_OK) return status;
    intervals->ticks = state->ticks;
    for (uint32_t v = 0; v < n; v++) {
        if (!ioa_iv_hidden(state->problem, v)) continue;
        intervals->open[v] = state->open[state->problem->unit_of[v]];
        intervals->close[v] = state->close[state->problem->unit_of[v]];
    }
    return IOA_OK;
}

/* Flat form: intervals, keys with their decisions, and the lists' order (which moves depend on). */
uint64_t ioa_interval_state_bytes(const ioa_interval_state *s)
{
    return (uint64_t)s->problem->units * (2 * sizeof *s->open + 2 * sizeof *s->next) +
           s->problem->pairs * sizeof *s->key + (uint64_t)s->ticks * sizeof *s->head + sizeof s->pressure;
}

static unsigned char *put(unsigned char *to, const void *from, uint64_t bytes)
{
    if (bytes) memcpy(to, from, bytes);
    return to + bytes;
}

void ioa_interval_state_save(const ioa_interval_state *s, void *bytes)
{
    uint64_t n = s->problem->units;
    unsigned char *to = bytes;
    to = put(to, s->key, s->problem->pairs * sizeof *s->key);
    to = put(to, s->open, n * sizeof *s->open);
    to = put(to, s->close, n * sizeof *s->close);
    to = put(to, s->next, n * sizeof *s->next);
    to = put(to, s->prev, n * sizeof *s->prev);
    to = put(to, s->head, (uint64_t)s->ticks * sizeof *s->head);
    (void)put(to, &s->pressure, sizeof s->pressure);
}
