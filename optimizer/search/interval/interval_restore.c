/* Flat bytes back into a state, trusting nothing; and the slow check of everything derived. */
#include "optimizer/search/interval/interval_internal.h"

#include "core/base/mem.h"

#include <stdlib.h>
#include <string.h>

static int compare_keys(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Intervals in range and in topological order; keys equal to what the intervals say, held bits aside. */
static bool intervals_hold(const ioa_interval_state *s, const int32_t *open, const int32_t *close)
{
    const ioa_interval_problem *p = s->problem;
    for (uint32_t v = 0; v < p->units; v++) {
        uint32_t length;
        const uint32_t *row = ioa_iv_row(p, v, &length);
        if (open[v] < 0 || open[v] > close[v] || close[v] >= s->ticks) return false;
        for (uint32_t i = 0; i < length; i++)
            if (ioa_iv_hidden(p, row[i]) && close[p->unit_of[row[i]]] > close[v]) return false;
    }
    return true;
}

static bool keys_hold(const ioa_interval_state *s, const int32_t *open, const int32_t *close, const uint64_t *keys)
{
    const ioa_interval_problem *p = s->problem;
    for (uint32_t u = 0; u < p->neurons; u++) {
        int64_t first = p->out_offsets[u], count = p->out_offsets[u + 1] - first;
        for (int64_t i = 0; i < count; i++) {
            uint32_t v = p->out_unit[first + i];
            s->spare[i] = ioa_iv_key(open[v], close[v]);
        }
        if (count > 1) qsort(s->spare, (size_t)count, sizeof *s->spare, compare_keys);
        int32_t e = ioa_iv_hidden(p, u) ? ioa_iv_closed(close[p->unit_of[u]]) : -1;
        for (int64_t i = 0; i < count; i++) {
            uint64_t key = keys[first + i];
            if ((key & ~UINT64_C(1)) != s->spare[i]) return false;
            if (e < 0 && (key & 1)) return false; /* nothing to hold before the first load */
            if (ioa_iv_open(key) > ioa_iv_tick(e)) e = ioa_iv_met(key & 1 ? ioa_iv_open(key) : ioa_iv_close(key));
        }
    }
    return true;
}

static bool lists_hold(const ioa_interval_state *s, const int32_t *close, const uint32_t *head, const uint32_t *next,
                       const uint32_t *prev)
{
    const ioa_interval_problem *p = s->problem;
    uint64_t seen = 0;
    for (int32_t t = 0; t < s->ticks; t++) {
        uint32_t before = IOA_IV_NONE;
        for (uint32_t v = head[t]; v != IOA_IV_NONE; before = v, v = next[v]) {
            if (v >= p->units || close[v] != t || prev[v] != before) return false;
            if (++seen > p->units) return false;
        }
    }
    return seen == p->units;
}

ioa_status ioa_interval_state_load(ioa_interval_state *s, const void *bytes, ioa_error *error)
{
    uint64_t n = s->problem->units, w = s->problem->pairs, total = ioa_interval_state_bytes(s);
    unsigned char *copy = ioa_alloc_copy(bytes, total, 1); /* aligned */
    if (!copy) return ioa_fail_nomem(error, "state", total, 1);
    const uint64_t *keys = (const void *)copy;
    const int32_t *open = (const void *)(copy + w * sizeof *keys), *close = open + n;
    const uint32_t *next = (const void *)(close + n), *prev = next + n, *head = prev + n;
    ioa_iv_pressure pressure;
    memcpy(&pressure, head + s->ticks, sizeof pressure);
    bool good = ioa_iv_pressure_valid(&pressure) && intervals_hold(s, open, close) && keys_hold(s, open, close, keys) && lists_hold(s, close, head, next, prev);
    if (good) {
        memcpy(s->key, keys, w * sizeof *keys);
        memcpy(s->open, open, n * sizeof *open);
        memcpy(s->close, close, n * sizeof *close);
        ioa_iv_rebuild(s);
        memcpy(s->next, next, n * sizeof *next);
        memcpy(s->prev, prev, n * sizeof *prev);
        memcpy(s->head, head, (size_t)s->ticks * sizeof *head);
        s->pressure = pressure;
    }
    ioa_free(copy);
    return good ? IOA_OK : ioa_fail(error, IOA_ERR_INPUT, "not a state of this network and memory");
}

ioa_status ioa_interval_state_check(const ioa_interval_state *s, ioa_error *error)
{
    const ioa_interval_problem *p = s->problem;
    if (!intervals_hold(s, s->open, s->close)) return ioa_fail(error, IOA_ERR_CHECK, "intervals break the rules");
    if (!keys_hold(s, s->open, s->close, s->key)) return ioa_fail(error, IOA_ERR_CHECK, "keys differ from the intervals");
    if (!lists_hold(s, s->close, s->head, s->next, s->prev)) return ioa_fail(error, IOA_ERR_CHECK, "lists are broken");
    ioa_intervals same;
    ioa_interval_state *fresh = NULL;
    ioa_status status = ioa_interval_extract(s, &same, error);
    if (status != IOA_OK) return status;
    status = ioa_interval_state_create(p, &same, &fresh, error);
    ioa_intervals_destroy(&same);
    if (status != IOA_OK) return status;
    memcpy(fresh->key, s->key, p->pairs * sizeof *s->key);
    fresh->prices = s->prices;
    ioa_iv_rebuild(fresh);
    const char *what = NULL;
    if (memcmp(fresh->loads, s->loads, p->neurons * sizeof *s->loads)) what = "loads";
    else if (memcmp(fresh->end, s->end, p->pairs * sizeof *s->end)) what = "residency ends";
    else if (memcmp(fresh->occupied, s->occupied, 2 * (size_t)s->ticks * sizeof *s->occupied)) what = "occupied slots";
    else if (memcmp(fresh->opened, s->opened, (size_t)s->ticks * sizeof *s->opened)) what = "open destinations";
    else if (fresh->io != s->io) what = "I/O";
    else if (fresh->energy != s->energy) what = "energy";
    ioa_interval_state_destroy(fresh);
    return what ? ioa_fail(error, IOA_ERR_CHECK, "%s differ from a recount", what) : IOA_OK;
}
