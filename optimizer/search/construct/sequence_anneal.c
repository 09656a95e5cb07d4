/* Most moves only tear chains apart. The links they cut and make are known at once, and tell which moves are worth being
 * counted.
 *
 * Every stage cools down once and has more work than all before it, so that little is spent where a long annealing
 * brings no more than a short one. */
#include "optimizer/search/construct/sequence.h"

#include "core/base/mem.h"
#include "core/kernel/portable_math.h"

#include <stdlib.h>
#include <string.h>

#define HOT 3.0 /* temperatures in I/Os */
#define COLD 0.4
#define RECOUNTS 16   /* times the whole sequence is counted in a stage */
#define LITTLE 400    /* a stage that takes less than this part of the excess away is the last one */
#define ASK_EVERY 256 /* moves, whether to stop */

typedef struct walk {
    ioa_sequence *s;
    ioa_pcg32 rng;
    int64_t strong; /* sources of nearly a whole link; links may become weaker by as many */
    uint32_t *old;  /* [blocks] */
} walk;

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
        if ((all[links] = ioa_sequence_link(s, (int64_t)i - 1, i)) > 0) links++;
    qsort(all, links, sizeof *all, by_strength);
    if (links) median = all[links / 2];
    ioa_free(all);
    return median;
}

static void attempt(walk *w, double temperature)
{
    ioa_sequence *s = w->s;
    ioa_sequence_move m = ioa_sequence_draw(s, &w->rng, w->strong > 0 ? w->strong : 1);
    double u = ioa_pcg32_double(&w->rng);
    s->work++;
    if (!m.shift && !m.reversed) return;
    int64_t limit = (int64_t)(-temperature * ioa_portable_log(u > 0.0 ? u : 0x1p-53)); /* rise that is accepted */
    if (ioa_sequence_links_lost(s, &m) > limit + w->strong) return;
    uint32_t count, from = ioa_sequence_apply(s, &m, w->old, &count);
    if (ioa_sequence_try(s, from, from + count - 1, limit) <= limit) {
        ioa_sequence_keep(s);
        return;
    }
    memcpy(s->at + from, w->old, count * sizeof *s->at);
    ioa_sequence_moved(s, from, from + count - 1);
}

/* Cools down with `work` elements touched. `best` [blocks] becomes the best sequence that was recounted, `*least` what it
 * costs. */
static void cool(walk *w, uint64_t work, ioa_construct_limits *limits, uint32_t *best, int64_t *least)
{
    ioa_sequence *s = w->s;
    uint64_t begin = s->work;
    for (uint64_t part = 0; part < RECOUNTS && !limits->stopped; part++) {
        uint64_t end = begin + work / RECOUNTS * (part + 1);
        for (uint32_t moves = 1; s->work < end; moves++) {
            double progress = (double)(s->work - begin) / (double)work;
            attempt(w, HOT + (COLD - HOT) * progress);
            if (moves % ASK_EVERY == 0 && ioa_construct_told_to_stop(limits)) break;
        }
        ioa_sequence_count(s);
        if (s->total >= *least) continue;
        *least = s->total;
        memcpy(best, s->at, s->b->count * sizeof *best);
    }
}

ioa_status ioa_sequence_anneal(ioa_sequence *s, ioa_construct_limits *limits, ioa_error *error)
{
    static const uint64_t eighths[] = {1, 2, 5}; /* of the work: stages */
    uint32_t n = s->b->count, *best = ioa_alloc_copy(s->at, n, sizeof *best);
    walk w = {.s = s, .rng = ioa_rng_keyed(0, IOA_RNG_CONSTRUCT, n, s->capacity), .strong = strength(s)};
    w.strong -= w.strong / 8;
    w.old = ioa_alloc(n, sizeof *w.old);
    ioa_status status = best && w.old && w.strong >= 0 ? IOA_OK : ioa_fail_nomem(error, "a sequence of blocks", n, sizeof *best);
    int64_t least = s->total, before = INT64_MAX;
    bool movable = status == IOA_OK && n > 1;
    for (unsigned stage = 0; movable && stage < sizeof eighths / sizeof *eighths && !limits->stopped; stage++) {
        if (stage && before - least < before / LITTLE) break;
        before = least;
        cool(&w, limits->work / 8 * eighths[stage], limits, best, &least);
        memcpy(s->at, best, n * sizeof *best);
        ioa_sequence_count(s);
    }
    ioa_free(best);
    ioa_free(w.old);
    return status;
}
