/* Where a unit would find many of its sources in fast memory.
 *
 * Time is cut into bins of about half an interval. The sources of the unit mark the bins in which they are resident, without
 * the loads that are there for this unit alone, so that where it is now counts no more than any other place. A bin is then
 * drawn by how many sources the unit would meet there, the better ones much more likely. */
#include "optimizer/search/interval/interval_internal.h"

enum {
    MOST_SOURCES = 32, /* of a row: a sample of a longer one */
    MOST_READERS = 4096,  /* of all of them; sources that would make it more are left out */
    READERS_TOUCHED = 64, /* take as long as one element that a move touches */
    MOST_HELD = 64,       /* bins marked of a value that is held, the last ones */
    LEVELS = 6,           /* numbers of sources told apart, from the largest down */
    STEEPNESS = 4         /* a source more makes a bin 2^4 times as likely; 2^1 and 2^2 came out worse, 2^3 alike */
};

typedef struct marks {
    uint32_t *count; /* by bins */
    uint32_t *list;  /* bins with a count */
    uint32_t listed;
    int32_t shift, least, most; /* bins */
} marks;

static inline void mark(marks *m, int32_t bin)
{
    if (bin < m->least || bin > m->most) return;
    if (m->count[bin]++ == 0) m->list[m->listed++] = (uint32_t)bin;
}

/* Bins in which u is resident, each once. `own` is the key of the unit, `met` the end of a residency loaded as it closes. */
static void mark_source(const ioa_interval_state *s, marks *m, uint32_t u, uint64_t own, int32_t met)
{
    const ioa_interval_problem *p = s->problem;
    const int64_t first = p->out_offsets[u], stop = p->out_offsets[u + 1];
    const int32_t born = ioa_iv_born(s, u);
    int32_t last = -1;
    if (born >= 0) mark(m, last = ioa_iv_tick(born) >> m->shift);
    for (int64_t at = first; at < stop; at++) {
        const int32_t e = s->end[at], bin = ioa_iv_tick(e) >> m->shift;
        if (bin == last) continue;
        if (e == met && (s->key[at] & ~UINT64_C(1)) == own && (at + 1 == stop || s->end[at + 1] != e)) continue;
        if (!(s->key[at] & 1) || last < 0) last = bin - 1;
        if (bin - last > MOST_HELD) last = bin - MOST_HELD;
        while (last < bin) mark(m, ++last);
    }
}

/* Ticks between which v may close, by its hidden sources and its readers. */
static void limits(const ioa_interval_state *s, uint32_t v, int32_t *least, int32_t *most)
{
    const ioa_interval_problem *p = s->problem;
    uint32_t length;
    const uint32_t *row = ioa_iv_row(p, v, &length);
    *least = 0;
    *most = s->ticks - 1;
    for (uint32_t i = 0; i < length; i++) {
        if (!ioa_iv_hidden(p, row[i])) continue;
        const int32_t close = s->close[p->unit_of[row[i]]];
        if (close > *least) *least = close;
    }
    for (uint32_t m = p->member_offsets[v]; m < p->member_offsets[v + 1]; m++) {
        const int64_t first = p->out_offsets[p->members[m]];
        if (first == p->out_offsets[p->members[m] + 1]) continue;
        if (ioa_iv_close(s->key[first]) < *most) *most = ioa_iv_close(s->key[first]);
    }
}

static uint32_t score(const marks *m, uint32_t bin)
{
    return m->count[bin] + (bin > 0 ? m->count[bin - 1] : 0);
}

static uint64_t weight(uint32_t score, uint32_t best)
{
    const uint32_t below = best - score;
    return below < LEVELS ? UINT64_C(1) << STEEPNESS * (LEVELS - 1 - below) : 1;
}

/* What bins weigh together, and the most sources met in one. */
static uint64_t weigh(const marks *m, uint32_t *best)
{
    uint64_t sum = 0;
    *best = 0;
    for (uint32_t i = 0; i < m->listed; i++) {
        const uint32_t here = score(m, m->list[i]);
        if (here > *best) *best = here;
    }
    for (uint32_t i = 0; i < m->listed; i++) sum += weight(score(m, m->list[i]), *best);
    return sum;
}

static int32_t draw(const marks *m, uint64_t sum, uint32_t best, ioa_pcg32 *rng)
{
    const uint64_t high = (sum >> 16) * ioa_pcg32_next(rng) >> 16, low = (sum & 0xffff) * ioa_pcg32_next(rng) >> 32;
    uint64_t left = high + low; /* below sum, which has up to 50 bits */
    uint32_t i = 0;
    for (;; i++) {
        const uint64_t w = weight(score(m, m->list[i]), best);
        if (left < w) return (int32_t)m->list[i];
        left -= w;
    }
}

/* What the marks of many sources begin with, which on large networks is not in cache. */
static void expect(const ioa_interval_state *s, const uint32_t *row, uint32_t count, uint32_t from, uint32_t sample)
{
    enum { READERS = 32 }; /* few have more */
    const int64_t *offsets = s->problem->out_offsets;
    for (uint32_t i = 0; i < sample; i++) __builtin_prefetch(offsets + row[(from + i) % count]);
    for (uint32_t i = 0; i < sample; i++) {
        const int64_t first = offsets[row[(from + i) % count]], end = offsets[row[(from + i) % count] + 1];
        const int64_t stop = end < first + READERS ? end : first + READERS;
        for (int64_t at = first; at < stop; at += 16) __builtin_prefetch(s->end + at);
        for (int64_t at = first; at < stop; at += 8) __builtin_prefetch(s->key + at);
    }
}

static void mark_sources(ioa_interval_state *s, marks *m, uint32_t v, ioa_pcg32 *rng)
{
    const ioa_interval_problem *p = s->problem;
    const uint64_t own = ioa_iv_key(s->open[v], s->close[v]);
    const int32_t met = ioa_iv_met(s->close[v]);
    uint32_t count, readers = 0;
    const uint32_t *row = ioa_iv_row(p, v, &count);
    const uint32_t sample = count < MOST_SOURCES ? count : MOST_SOURCES;
    const uint32_t from = count > sample ? ioa_pcg32_below(rng, count) : 0;
    expect(s, row, count, from, sample);
    for (uint32_t i = 0; i < sample; i++) {
        const uint32_t u = row[(from + i) % count];
        const int64_t more = p->out_offsets[u + 1] - p->out_offsets[u];
        if (readers + more > MOST_READERS) continue;
        readers += (uint32_t)more;
        mark_source(s, m, u, own, met);
    }
    s->touched += readers / READERS_TOUCHED + 1;
}

int32_t ioa_iv_gather(ioa_interval_state *s, uint32_t v, int32_t length, ioa_pcg32 *rng)
{
    int32_t least, most, close = -1;
    uint32_t best;
    limits(s, v, &least, &most);
    marks m = { .count = s->bins, .list = s->bins + s->ticks };
    while (length >> (m.shift + 2)) m.shift++;
    m.least = least >> m.shift;
    m.most = most >> m.shift;
    mark_sources(s, &m, v, rng);
    const uint64_t sum = weigh(&m, &best);
    if (sum) {
        const int32_t bin = draw(&m, sum, best, rng);
        close = ((bin + 1) << m.shift) - 1 - (int32_t)ioa_pcg32_below(rng, 1u << m.shift);
        close = close < least ? least : close > most ? most : close;
    }
    for (uint32_t i = 0; i < m.listed; i++) m.count[m.list[i]] = 0;
    return close;
}
