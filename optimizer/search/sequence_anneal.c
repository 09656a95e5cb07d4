/* Moves of short runs of blocks. What such a sequence is made of are chains of blocks that hand sources on to each other,
 * depth by depth, and what can still be gained is where one depth passes into the next: a chain of the next depth that
 * needs none of the last blocks of this one can be handled before them, so that the memory carries values across twice.
 * Most moves only tear chains apart. The links they cut and make are known at once, and tell which moves are worth
 * being counted. */
#include "optimizer/search/sequence.h"

#include "core/mem.h"
#include "core/portable_math.h"
#include "core/rng.h"

#include <stdlib.h>
#include <string.h>

#define HOT 1.0 /* temperatures in I/Os: low, since the start is good */
#define COLD 0.3
#define REACH 60     /* positions a run may go */
#define LONGEST 12   /* run */
#define LONG_REACH 64 /* the same of long runs: a chain's other end comes first */
#define RECOUNTS 16  /* times the whole sequence is counted on the way */
#define HOPES 4      /* of these, if nothing is gained */
#define ASK_EVERY 256 /* moves, whether to stop */

typedef struct walk {
    ioa_sequence *s;
    ioa_pcg32 rng;
    int64_t slack; /* sources by which links may become weaker */
    uint32_t *old; /* [2 LONG_REACH] */
} walk;

/* Run [begin, end) goes `shift` positions to the left or right, reversed or not. */
typedef struct move {
    uint32_t begin, end, shift;
    bool right, reversed;
} move;

/* Sources that the blocks at two positions have in common. */
static int64_t link(ioa_sequence *s, int64_t left, int64_t right)
{
    const ioa_blocks *b = s->b;
    if (left < 0 || right < 0 || left >= b->count || right >= b->count) return 0;
    uint32_t x = s->at[left], y = s->at[right];
    int64_t common = 0;
    for (uint32_t i = b->in_begin[x]; i < b->in_begin[x + 1]; i++) {
        uint32_t class = b->in[i];
        for (uint32_t j = b->reader_begin[class]; j < b->reader_begin[class + 1]; j++)
            if (b->reader[j] == y) {
                common += b->size[class];
                break;
            }
        s->work += b->reader_begin[class + 1] - b->reader_begin[class];
    }
    return common;
}

static int by_strength(const void *left, const void *right)
{
    int64_t x = *(const int64_t *)left, y = *(const int64_t *)right;
    return (x > y) - (x < y);
}

/* Median of the links there are; -1 if memory is out. */
static int64_t strength(ioa_sequence *s)
{
    uint32_t n = s->b->count, links = 0;
    int64_t *all = ioa_alloc(n, sizeof *all), median = 0;
    if (!all) return -1;
    for (uint32_t i = 1; i < n; i++)
        if ((all[links] = link(s, (int64_t)i - 1, i)) > 0) links++;
    qsort(all, links, sizeof *all, by_strength);
    if (links) median = all[links / 2];
    ioa_free(all);
    return median;
}

/* How far a block may go before it meets one that depends on it, or it depends on; `m->shift` becomes less. A block that
 * feeds one of its own run or is fed by it keeps the run from being reversed. */
static void respect_dependencies(ioa_sequence *s, move *m, uint32_t block)
{
    const ioa_blocks *b = s->b;
    for (uint32_t i = b->out_begin[block]; i < b->out_begin[block + 1]; i++) {
        uint32_t class = b->out[i];
        for (uint32_t j = b->reader_begin[class]; j < b->reader_begin[class + 1]; j++) {
            uint32_t reader = s->position[b->reader[j]];
            if (reader < m->end) m->reversed = false;
            else if (m->right && reader < m->end + m->shift) m->shift = reader - m->end;
        }
        s->work += b->reader_begin[class + 1] - b->reader_begin[class];
    }
    for (uint32_t i = b->in_begin[block]; !m->right && i < b->in_begin[block + 1]; i++) {
        uint32_t producer = b->producer[b->in[i]];
        if (producer == IOA_SEQUENCE_NONE || s->position[producer] >= m->begin) continue;
        if (s->position[producer] + m->shift >= m->begin) m->shift = m->begin - 1 - s->position[producer];
    }
    s->work += b->in_begin[block + 1] - b->in_begin[block];
}

/* Single blocks half of the time; short runs; now and then long ones. */
static move draw(walk *w)
{
    ioa_sequence *s = w->s;
    uint32_t n = s->b->count, kind = ioa_pcg32_below(&w->rng, 20), length = 1;
    double u = ioa_pcg32_double(&w->rng);
    move m = {.begin = ioa_pcg32_below(&w->rng, n), .shift = 1 + (uint32_t)(u * u * REACH)};
    if (kind < 2) {
        length = 1 + ioa_pcg32_below(&w->rng, LONG_REACH);
        m.shift = 1 + ioa_pcg32_below(&w->rng, LONG_REACH);
    } else if (kind < 6)
        length = 2 + ioa_pcg32_below(&w->rng, 3);
    else if (kind < 11)
        length = 1 + ioa_pcg32_below(&w->rng, LONGEST);
    m.end = length < n - m.begin ? m.begin + length : n;
    m.right = ioa_pcg32_below(&w->rng, 2);
    m.reversed = m.end - m.begin > 1 && ioa_pcg32_below(&w->rng, 4) == 0;
    uint32_t room = m.right ? n - m.end : m.begin;
    if (m.shift > room) m.shift = room;
    for (uint32_t i = m.begin; i < m.end && (m.shift || m.reversed); i++) respect_dependencies(s, &m, s->at[i]);
    return m;
}

/* By how much links get weaker. */
static int64_t links_lost(ioa_sequence *s, const move *m)
{
    int64_t begin = m->begin, end = m->end, shift = m->shift;
    int64_t first = m->reversed ? end - 1 : begin, last = m->reversed ? begin : end - 1;
    if (!shift) return link(s, begin - 1, begin) + link(s, end - 1, end) - link(s, begin - 1, first) - link(s, last, end);
    int64_t before = link(s, begin - 1, begin) + link(s, end - 1, end), closed = link(s, begin - 1, end);
    int64_t left = m->right ? end + shift - 1 : begin - shift - 1; /* the run goes between this position and the next */
    return before + link(s, left, left + 1) - closed - link(s, left, first) - link(s, last, left + 1);
}

/* Carries the move out; what was there is in w->old. Returns where it begins. */
static uint32_t apply(walk *w, const move *m, uint32_t *count)
{
    ioa_sequence *s = w->s;
    uint32_t from = m->right ? m->begin : m->begin - m->shift, length = m->end - m->begin;
    uint32_t run = m->right ? from + m->shift : from, rest = m->right ? from : from + length; /* where they go */
    *count = length + m->shift;
    memcpy(w->old, s->at + from, *count * sizeof *w->old);
    const uint32_t *old_run = w->old + (m->begin - from), *old_rest = w->old + (m->right ? length : 0);
    memcpy(s->at + rest, old_rest, m->shift * sizeof *s->at);
    for (uint32_t i = 0; i < length; i++) s->at[run + i] = old_run[m->reversed ? length - 1 - i : i];
    for (uint32_t i = from; i < from + *count; i++) s->position[s->at[i]] = i;
    return from;
}

static void attempt(walk *w, double temperature)
{
    ioa_sequence *s = w->s;
    move m = draw(w);
    double u = ioa_pcg32_double(&w->rng);
    s->work++;
    if (!m.shift && !m.reversed) return;
    int64_t limit = (int64_t)(-temperature * ioa_portable_log(u > 0.0 ? u : 0x1p-53)); /* rise that is accepted */
    if (links_lost(s, &m) > limit + w->slack) return;
    uint32_t count, from = apply(w, &m, &count);
    if (ioa_sequence_try(s, from, from + count - 1, limit) <= limit) {
        ioa_sequence_keep(s);
        return;
    }
    memcpy(s->at + from, w->old, count * sizeof *s->at);
    for (uint32_t i = from; i < from + count; i++) s->position[s->at[i]] = i;
}

ioa_status ioa_sequence_anneal(ioa_sequence *s, ioa_construct_limits *limits, ioa_error *error)
{
    uint32_t n = s->b->count, *best = ioa_alloc_copy(s->at, n, sizeof *best);
    walk w = {.s = s, .rng = ioa_rng_keyed(0, IOA_RNG_CONSTRUCT, n, s->capacity), .slack = strength(s)};
    w.slack -= w.slack / 8; /* nearly one link */
    w.old = ioa_alloc(2 * LONG_REACH, sizeof *w.old);
    ioa_status status = best && w.old && w.slack >= 0 ? IOA_OK : ioa_fail_nomem(error, "a sequence of blocks", n, sizeof *best);
    int64_t start = s->total, least = start;
    uint64_t begin = s->work;
    if (n < 2) limits->work = 0; /* nothing to move */
    for (uint64_t part = 0; status == IOA_OK && part < (least < start ? RECOUNTS : HOPES) && !limits->stopped; part++) {
        uint64_t end = begin + limits->work / RECOUNTS * (part + 1);
        for (uint32_t moves = 1; s->work < end; moves++) {
            double progress = (double)(s->work - begin) / (double)limits->work;
            attempt(&w, HOT + (COLD - HOT) * progress);
            if (moves % ASK_EVERY == 0 && ioa_construct_told_to_stop(limits)) break;
        }
        ioa_sequence_count(s);
        if (s->total >= least) continue;
        least = s->total;
        memcpy(best, s->at, n * sizeof *best);
    }
    if (status == IOA_OK) {
        memcpy(s->at, best, n * sizeof *best);
        ioa_sequence_count(s);
    }
    ioa_free(best);
    ioa_free(w.old);
    return status;
}
