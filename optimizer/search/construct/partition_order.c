/* From blocks to an order of connections: block by block, source by source. */
#include "optimizer/search/construct/partition.h"

#include "core/base/mem.h"

#include <string.h>

typedef struct stream {
    uint32_t *seen_in;  /* [N] last block in which the source was streamed */
    uint32_t *closed_in; /* [N] block whose member it was, as a destination */
    uint32_t *wanted_by; /* [N] the following block, if it has the source */
    uint32_t *place_of; /* [N] position of the source in `sources` while its block is laid out */
    uint32_t *sources;  /* [N] of one block */
    uint32_t *sorted;   /* [N] the same, by class */
    uint32_t *start;    /* [N + 1] where each source's connections go */
} stream;

/* Sources in the sequence in which a block meets them: those completed a moment ago, which may never need to be written;
 * others shared with the block before; the rest; those shared with the block after. */
enum { FRESH, SHARED_BEFORE, OTHER, SHARED_AFTER, CLASSES };

static int class_of(const ioa_partition *p, const stream *s, uint32_t u, uint32_t block)
{
    if (s->closed_in[u] != IOA_PARTITION_NONE && s->closed_in[u] + p->fresh >= block) return FRESH;
    if (block && (s->seen_in[u] == block - 1 || s->closed_in[u] == block - 1)) return SHARED_BEFORE;
    return s->wanted_by[u] == block + 1 ? SHARED_AFTER : OTHER;
}

static void lay_out_block(const ioa_partition *p, stream *s, uint32_t block, uint32_t *order, uint64_t *step)
{
    const ioa_network_arrays *a = &p->network->a;
    uint32_t begin = block ? p->block_end[block - 1] : 0, end = p->block_end[block], count = 0;
    uint32_t after = block + 1 < p->blocks ? p->block_end[block + 1] : end;
    for (uint32_t i = end; i < after; i++)
        for (int64_t e = a->indptr[p->sequence[i]]; e < a->indptr[p->sequence[i] + 1]; e++)
            s->wanted_by[a->indices[e]] = block + 1;
    for (uint32_t i = begin; i < end; i++)
        for (int64_t e = a->indptr[p->sequence[i]]; e < a->indptr[p->sequence[i] + 1]; e++) {
            uint32_t u = a->indices[e];
            bool known = s->place_of[u] < count && s->sources[s->place_of[u]] == u;
            if (!known) {
                s->place_of[u] = count;
                s->sources[count] = u;
                s->start[count++] = 0;
            }
            s->start[s->place_of[u]]++;
        }
    uint32_t sorted = 0;
    for (int class = 0; class < CLASSES; class++)
        for (uint32_t i = 0; i < count; i++)
            if (class_of(p, s, s->sources[i], block) == class) s->sorted[sorted++] = i;
    uint32_t offset = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t connections = s->start[s->sorted[i]];
        s->start[s->sorted[i]] = offset;
        offset += connections;
    }
    for (uint32_t i = begin; i < end; i++)
        for (int64_t e = a->indptr[p->sequence[i]]; e < a->indptr[p->sequence[i] + 1]; e++)
            order[*step + s->start[s->place_of[a->indices[e]]]++] = (uint32_t)e;
    for (uint32_t i = 0; i < count; i++) s->seen_in[s->sources[i]] = block;
    for (uint32_t i = begin; i < end; i++) s->closed_in[p->sequence[i]] = block;
    *step += offset;
}

ioa_status ioa_partition_order(const ioa_partition *p, uint32_t *order, ioa_error *error)
{
    uint64_t n = p->network->a.neurons, step = 0;
    stream s = {.seen_in = ioa_alloc(n, sizeof *s.seen_in),
                .closed_in = ioa_alloc(n, sizeof *s.closed_in),
                .wanted_by = ioa_alloc(n, sizeof *s.wanted_by),
                .place_of = ioa_alloc_zero(n, sizeof *s.place_of),
                .sources = ioa_alloc_zero(n, sizeof *s.sources),
                .sorted = ioa_alloc(n, sizeof *s.sorted),
                .start = ioa_alloc(n + 1, sizeof *s.start)};
    bool complete = s.seen_in && s.closed_in && s.wanted_by && s.place_of && s.sources && s.sorted && s.start;
    if (complete) {
        memset(s.seen_in, 0xff, n * sizeof *s.seen_in);
        memset(s.closed_in, 0xff, n * sizeof *s.closed_in);
        memset(s.wanted_by, 0xff, n * sizeof *s.wanted_by);
        for (uint32_t block = 0; block < p->blocks; block++) lay_out_block(p, &s, block, order, &step);
    }
    void *const arrays[] = {s.seen_in, s.closed_in, s.wanted_by, s.place_of, s.sources, s.sorted, s.start};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) ioa_free(arrays[i]);
    return complete ? IOA_OK : ioa_fail_nomem(error, "the block order", n, 7 * sizeof(uint32_t));
}
