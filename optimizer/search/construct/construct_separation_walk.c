#include "optimizer/search/construct/construct_separation_walk.h"

#include "core/base/rng.h"
#include "core/model/network.h"

#include <string.h>

#define NEVER UINT16_MAX
#define NOBODY UINT32_MAX
#define EXCESS 4u          /* cost of a transfer, against that of a near miss */
#define NO_INPUT 20u       /* near misses where no input is in fast memory */
#define REACH 40u          /* steps that connections are shifted by, at most */
#define RUN 8u             /* connections shifted together, at most */
#define ASK 1024u          /* steps between two looks at the stop flag */
/* Probabilities that a step may cost 1, 2, 3 more: exp(-d / 0.16), times 2^32. Steps that cost 4 more, one transfer,
 * are not worth a number. */
#define ONE_MORE 8291237u
#define TWO_MORE 16006u
#define THREE_MORE 31u

bool ioa_small_create(const ioa_network *network, const ioa_separation *game, ioa_small *small)
{
    const ioa_network_arrays *a = &network->a;
    if (network->connections > IOA_SMALL_CONNECTIONS) return false;
    memset(small, 0, sizeof *small);
    small->neurons = game->count;
    small->slots = game->slots < game->count ? game->slots : game->count;
    small->connections = (uint32_t)network->connections;
    for (uint32_t i = 0; i < game->count; i++) {
        uint32_t v = game->neuron[i];
        small->output[i] = network->is_output[v];
        for (int64_t e = a->indptr[v]; e < a->indptr[v + 1]; e++) {
            uint32_t from = 0;
            while (game->neuron[from] != a->indices[e]) from++;
            small->source[e] = (uint8_t)from;
            small->destination[e] = (uint8_t)i;
            small->computed[i] = true;
        }
    }
    return true;
}

static void find_next(ioa_small *s, const uint32_t *order)
{
    uint16_t nearest[IOA_SEPARATION_NEURONS];
    memset(nearest, 0xff, sizeof nearest);
    for (uint32_t t = s->connections; t-- > 0;) {
        uint8_t u = s->source[order[t]], v = s->destination[order[t]];
        s->next_source[t] = nearest[u];
        s->next_destination[t] = nearest[v];
        nearest[u] = nearest[v] = (uint16_t)t;
    }
}

typedef struct fast_memory {
    uint32_t count;
    uint8_t list[IOA_SEPARATION_NEURONS];
    uint16_t next[IOA_SEPARATION_NEURONS];
    bool resident[IOA_SEPARATION_NEURONS], seen[IOA_SEPARATION_NEURONS], dirty[IOA_SEPARATION_NEURONS];
    bool written[IOA_SEPARATION_NEURONS];
    uint32_t excess, near_misses;
} fast_memory;

/* A write is excess unless it is the first one of an output: that one cannot be saved. */
static void write_back(const ioa_small *s, fast_memory *m, uint8_t x)
{
    m->excess += !s->output[x] || m->written[x];
    m->written[x] = true;
    m->dirty[x] = false;
}

static void drop(fast_memory *m, uint32_t at)
{
    m->resident[m->list[at]] = false;
    m->list[at] = m->list[--m->count];
}

/* Belady's victim, ties as in core/model/memory.c. u and v are needed now, so they are never the farthest. */
static uint32_t victim(const fast_memory *m)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < m->count; i++) {
        uint8_t x = m->list[i], y = m->list[best];
        if (m->next[x] < m->next[y]) continue;
        if (m->next[x] > m->next[y] || m->dirty[x] < m->dirty[y] || (m->dirty[x] == m->dirty[y] && x < y)) best = i;
    }
    return best;
}

static uint32_t near_misses(const ioa_small *s, const fast_memory *m, uint32_t now)
{
    uint32_t farthest = NOBODY, n = 0;
    for (uint32_t i = 0; i < m->count; i++) {
        uint8_t x = m->list[i];
        if (!s->computed[x] && !m->dirty[x] && m->next[x] > now && (farthest == NOBODY || m->next[x] > farthest))
            farthest = m->next[x];
    }
    if (farthest == NOBODY) return NO_INPUT;
    for (uint32_t i = 0; i < m->count; i++) n += m->next[m->list[i]] > farthest;
    return n;
}

static void load(const ioa_small *s, fast_memory *m, uint8_t x, uint32_t now)
{
    m->excess += m->seen[x];
    if (m->count == s->slots) {
        uint32_t at = victim(m);
        if (m->dirty[m->list[at]]) {
            m->near_misses += near_misses(s, m, now);
            write_back(s, m, m->list[at]);
        }
        drop(m, at);
    }
    m->dirty[x] = s->output[x] && !s->computed[x] && !m->seen[x];
    m->seen[x] = m->resident[x] = true;
    m->next[x] = (uint16_t)now;
    m->list[m->count++] = x;
}

static void finish(const ioa_small *s, fast_memory *m, uint8_t x, uint16_t next)
{
    m->next[x] = next;
    if (next != NEVER) return;
    uint32_t at = 0;
    while (m->list[at] != x) at++;
    drop(m, at);
    if (m->dirty[x] && s->output[x]) write_back(s, m, x);
}

uint32_t ioa_small_cost(ioa_small *s, const uint32_t *order, uint32_t limit, uint32_t *excess)
{
    fast_memory m = {0};
    find_next(s, order);
    for (uint32_t t = 0; t < s->connections && EXCESS * m.excess + m.near_misses <= limit; t++) {
        uint8_t u = s->source[order[t]], v = s->destination[order[t]];
        if (!m.resident[u]) load(s, &m, u, t);
        if (!m.resident[v]) load(s, &m, v, t);
        m.dirty[v] = true;
        finish(s, &m, u, s->next_source[t]);
        finish(s, &m, v, s->next_destination[t]);
    }
    if (excess) *excess = m.excess;
    return EXCESS * m.excess + m.near_misses;
}

/* Whether a run cannot change places with the connection next to it, on the left or on the right. */
static bool is_held(const ioa_small *s, const uint32_t *run, uint32_t length, uint32_t other, bool left)
{
    for (uint32_t k = 0; k < length; k++)
        if (left ? s->destination[other] == s->source[run[k]] : s->source[other] == s->destination[run[k]]) return true;
    return false;
}

/* Shifts the run of `length` connections from step `i` on, by at most `by` steps, as far as it can go. */
static void shift(const ioa_small *s, uint32_t *order, uint32_t i, uint32_t length, uint32_t by, bool left)
{
    uint32_t run[RUN];
    memcpy(run, order + i, length * sizeof *run);
    for (; by > 0 && (left ? i > 0 : i + length < s->connections); by--) {
        uint32_t other = left ? order[i - 1] : order[i + length];
        if (is_held(s, run, length, other, left)) break;
        if (left) order[--i + length] = other;
        else order[i++] = other;
    }
    memcpy(order + i, run, length * sizeof *run);
}

static uint32_t allowance(ioa_pcg32 *rng)
{
    uint32_t r = ioa_pcg32_next(rng);
    return (uint32_t)(r < ONE_MORE) + (uint32_t)(r < TWO_MORE) + (uint32_t)(r < THREE_MORE);
}

uint32_t ioa_small_walk(ioa_small *s, uint64_t seed, uint64_t steps, bool (*stop)(void *context), void *context,
                        uint32_t *order)
{
    uint32_t now[IOA_SMALL_CONNECTIONS], next[IOA_SMALL_CONNECTIONS], best, excess, w = s->connections;
    ioa_pcg32 rng = ioa_rng_keyed(seed, IOA_RNG_CONSTRUCT, w, s->slots);
    memcpy(now, order, w * sizeof *now);
    uint32_t cost = ioa_small_cost(s, order, UINT32_MAX, &best);
    for (uint64_t step = 0; step < steps && best > 0; step++) {
        if (step % ASK == 0 && stop(context)) break;
        uint32_t length = ioa_pcg32_below(&rng, 4) ? 1u : 1u + ioa_pcg32_below(&rng, RUN);
        if (length > w) continue;
        memcpy(next, now, w * sizeof *next);
        uint32_t by = 1 + ioa_pcg32_below(&rng, REACH), at = ioa_pcg32_below(&rng, w - length + 1);
        shift(s, next, at, length, by, ioa_pcg32_below(&rng, 2));
        uint32_t limit = cost + allowance(&rng), c = ioa_small_cost(s, next, limit, &excess);
        if (c > limit) continue;
        cost = c;
        memcpy(now, next, w * sizeof *now);
        if (excess >= best) continue;
        best = excess;
        memcpy(order, now, w * sizeof *now);
    }
    return best;
}
