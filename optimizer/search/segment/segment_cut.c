/* Where the segments of a round lie, and what their neurons see outside. */
#include "optimizer/search/segment/segment.h"

#include "core/base/mem.h"

#include <string.h>

#define NEVER UINT32_MAX
#define LENGTH 30000 /* connections per segment, by default: what a core's own cache holds */
#define MEMORIES 50  /* least length in slots: what is kept across borders must not matter */
#define WHOLE 400000 /* up to it one segment is fast enough, and its prices follow it more closely */

uint32_t ioa_segments_default(uint64_t connections, uint64_t memory)
{
    uint64_t length = memory < LENGTH / MEMORIES ? LENGTH : memory > connections ? connections : MEMORIES * memory;
    return connections <= WHOLE || length >= connections ? 1 : (uint32_t)((connections + length - 1) / length);
}

void ioa_segments_clear(ioa_segments *s)
{
    ioa_free(s->cut);
    ioa_free(s->offset);
    ioa_free(s->before);
    ioa_free(s->behind);
    *s = (ioa_segments){0};
}

/* Cuts at multiples of `chunk`, so that prices belong to one segment; empty segments are left out. */
static void place_cuts(ioa_segments *s, uint64_t connections, uint64_t chunk, uint64_t segments, bool shifted)
{
    s->count = 0;
    s->cut[0] = 0;
    for (uint64_t i = 1; i <= segments; i++) {
        uint64_t at = ioa_segments_end(connections, i, segments, shifted) / chunk * chunk;
        if (at > s->cut[s->count] && at < connections) s->cut[++s->count] = (uint32_t)at;
    }
    s->cut[++s->count] = (uint32_t)connections;
}

/* Distinct neurons of each segment. */
static void count_neurons(ioa_segments *s, const ioa_graph *g, const uint32_t *order, uint32_t *seen)
{
    s->offset[0] = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        uint64_t count = 0;
        for (uint32_t t = s->cut[i]; t < s->cut[i + 1]; t++) {
            const uint32_t ends[2] = {g->src[order[t]], g->dst[order[t]]};
            for (int k = 0; k < 2; k++) {
                count += seen[ends[k]] != i;
                seen[ends[k]] = i;
            }
        }
        s->offset[i + 1] = s->offset[i] + count;
    }
}

static uint32_t encode(int64_t labels)
{
    const int64_t units = labels >> IOA_SEGMENT_UNIT;
    return units < IOA_SEGMENT_FAR ? (uint32_t)units : IOA_SEGMENT_FAR;
}

/* Forwards: the accesses before each segment. last [N]: rank of the last access so far. */
static void look_back(ioa_segments *s, const ioa_order_prices *p, const uint32_t *price, const uint32_t *order,
                      uint32_t *last, uint32_t *seen)
{
    const ioa_graph *g = p->g;
    memset(last, 0xff, g->N * sizeof *last);
    for (uint32_t i = 0; i < s->count; i++) {
        uint64_t at = s->offset[i];
        const int64_t begin = p->start[s->cut[i] / p->chunk];
        for (uint32_t t = s->cut[i]; t < s->cut[i + 1]; t++) {
            const uint32_t ends[2] = {g->src[order[t]], g->dst[order[t]]};
            for (int k = 0; k < 2; k++) {
                const uint32_t x = ends[k];
                if (seen[x] != i)
                    s->before[at++] =
                        last[x] == NEVER ? IOA_SEGMENT_NONE : encode(begin - ioa_order_prices_label(p, price, last[x]));
                seen[x] = i;
                last[x] = t;
            }
        }
    }
}

/* Backwards: those behind. next [N]: rank << 1 | outgoing. */
static void look_ahead(ioa_segments *s, const ioa_order_prices *p, const uint32_t *price, const uint32_t *order,
                       uint32_t *next, uint32_t *seen)
{
    const ioa_graph *g = p->g;
    memset(next, 0xff, g->N * sizeof *next);
    for (uint32_t i = s->count; i-- > 0;) {
        uint64_t at = s->offset[i];
        const uint32_t end = s->cut[i + 1];
        const int64_t stop = end < g->W ? p->start[end / p->chunk] : p->start[p->chunks];
        for (uint32_t t = s->cut[i]; t < end; t++) {
            const uint32_t ends[2] = {g->src[order[t]], g->dst[order[t]]};
            for (int k = 0; k < 2; k++) {
                const uint32_t x = ends[k];
                if (seen[x] != i)
                    s->behind[at++] =
                        next[x] == NEVER ? IOA_SEGMENT_NONE
                                         : encode(ioa_order_prices_label(p, price, next[x] >> 1) - stop) |
                                               (next[x] & 1 ? IOA_SEGMENT_OUTGOING : 0);
                seen[x] = i;
            }
        }
        for (uint32_t t = end; t-- > s->cut[i];) {
            next[g->dst[order[t]]] = t << 1;
            next[g->src[order[t]]] = t << 1 | 1;
        }
    }
}

static bool make_room(ioa_segments *s, uint64_t distances)
{
    if (distances <= s->room) return true;
    ioa_free(s->before);
    ioa_free(s->behind);
    s->before = ioa_alloc(distances, sizeof *s->before);
    s->behind = ioa_alloc(distances, sizeof *s->behind);
    s->room = s->before && s->behind ? distances : 0;
    return s->room > 0;
}

ioa_status ioa_segments_cut(ioa_segments *s, ioa_order_prices *prices, const uint32_t *price, const uint32_t *order,
                            uint32_t segments, bool shifted, uint32_t *local, ioa_error *error)
{
    const ioa_graph *g = prices->g;
    if (!s->cut) s->cut = ioa_alloc(segments + UINT64_C(2), sizeof *s->cut);
    if (!s->offset) s->offset = ioa_alloc(segments + UINT64_C(2), sizeof *s->offset);
    if (!s->cut || !s->offset) return ioa_fail_nomem(error, "segments", segments, sizeof *s->offset);
    place_cuts(s, g->W, prices->chunk, segments, shifted);
    count_neurons(s, g, order, local);
    memset(local, 0xff, g->N * sizeof *local);
    if (!make_room(s, s->offset[s->count])) return ioa_fail_nomem(error, "segments", s->offset[s->count], 8);
    ioa_order_prices_number(prices, price);
    look_back(s, prices, price, order, prices->last, local);
    memset(local, 0xff, g->N * sizeof *local);
    look_ahead(s, prices, price, order, prices->last, local);
    memset(local, 0xff, g->N * sizeof *local);
    return IOA_OK;
}
