#include "optimizer/search/construct/sequence.h"

#include "core/base/mem.h"

/* Blocks whose sources are complete, the one that ends first on top. */
typedef struct ready {
    uint32_t *heap, count;
    const uint32_t *end; /* [blocks] step at which the order is done with a block */
} ready;

static void push(ready *r, uint32_t block)
{
    uint32_t at = r->count++;
    for (; at > 0 && r->end[r->heap[(at - 1) / 2]] > r->end[block]; at = (at - 1) / 2) r->heap[at] = r->heap[(at - 1) / 2];
    r->heap[at] = block;
}

static uint32_t pop(ready *r)
{
    uint32_t first = r->heap[0], last = r->heap[--r->count], at = 0;
    for (uint32_t child = 1; child < r->count; child = 2 * at + 1) {
        if (child + 1 < r->count && r->end[r->heap[child + 1]] < r->end[r->heap[child]]) child++;
        if (r->end[r->heap[child]] >= r->end[last]) break;
        r->heap[at] = r->heap[child];
        at = child;
    }
    if (r->count) r->heap[at] = last;
    return first;
}

/* A neuron of a block may be wanted before the order is done with the block: its readers then wait. */
static void sort_blocks(ioa_sequence *s, ready *r, uint32_t *pending)
{
    const ioa_blocks *b = s->b;
    uint32_t placed = 0;
    for (uint32_t block = 0; block < b->count; block++)
        for (uint32_t i = b->out_begin[block]; i < b->out_begin[block + 1]; i++)
            for (uint32_t j = b->reader_begin[b->out[i].class]; j < b->reader_begin[b->out[i].class + 1]; j++)
                pending[b->reader[j]]++;
    for (uint32_t block = 0; block < b->count; block++)
        if (!pending[block]) push(r, block);
    while (r->count) {
        uint32_t block = pop(r);
        s->at[placed++] = block;
        for (uint32_t i = b->out_begin[block]; i < b->out_begin[block + 1]; i++)
            for (uint32_t j = b->reader_begin[b->out[i].class]; j < b->reader_begin[b->out[i].class + 1]; j++)
                if (--pending[b->reader[j]] == 0) push(r, b->reader[j]);
    }
}

ioa_status ioa_sequence_follow(ioa_sequence *s, const uint32_t *order, ioa_error *error)
{
    const ioa_blocks *b = s->b;
    const ioa_network_arrays *a = &b->network->a;
    uint64_t w = b->network->connections;
    uint32_t *end = ioa_alloc_zero(b->count, sizeof *end), *step_of = ioa_alloc(w, sizeof *step_of);
    uint32_t *pending = ioa_alloc_zero(b->count, sizeof *pending);
    ready r = {ioa_alloc(b->count, sizeof *r.heap), 0, end};
    bool complete = end && step_of && pending && r.heap;
    if (complete) {
        for (uint64_t t = 0; t < w; t++) step_of[order[t]] = (uint32_t)t;
        for (uint32_t block = 0; block < b->count; block++)
            for (uint32_t i = b->member_begin[block]; i < b->member_begin[block + 1]; i++)
                for (int64_t e = a->indptr[b->member[i]]; e < a->indptr[b->member[i] + 1]; e++)
                    if (step_of[e] > end[block]) end[block] = step_of[e];
        sort_blocks(s, &r, pending);
        ioa_sequence_count(s);
    }
    ioa_free(end);
    ioa_free(step_of);
    ioa_free(pending);
    ioa_free(r.heap);
    return complete ? IOA_OK : ioa_fail_nomem(error, "the sequence of an order", w, sizeof *step_of);
}
