#include "optimizer/search/sequence.h"

#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

/* The blocks that read each neuron, in the sequence of its connections, each once. */
typedef struct readers {
    uint64_t *begin; /* [N + 1] */
    uint32_t *block; /* [begin[N]] */
} readers;

typedef struct alike {
    uint32_t producer, neuron;
    uint64_t hash; /* of the readers */
} alike;

static uint64_t list_readers(const ioa_partition *p, const uint32_t *block_of, uint32_t *seen, readers *r)
{
    uint32_t n = p->network->a.neurons;
    uint64_t at = 0;
    memset(seen, 0xff, p->blocks * sizeof *seen);
    for (uint32_t u = 0; u < n; u++) {
        r->begin[u] = at;
        for (int64_t o = p->out[u]; o < p->out[u + 1]; o++) {
            uint32_t block = block_of[p->out_neurons[o]];
            if (seen[block] == u) continue;
            seen[block] = u;
            if (r->block) r->block[at] = block;
            at++;
        }
    }
    r->begin[n] = at;
    return at;
}

static int by_likeness(const void *left, const void *right)
{
    const alike *x = left, *y = right;
    if (x->producer != y->producer) return x->producer < y->producer ? -1 : 1;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    return x->neuron < y->neuron ? -1 : x->neuron > y->neuron;
}

static bool same_readers(const readers *r, uint32_t u, uint32_t v)
{
    uint64_t count = r->begin[u + 1] - r->begin[u];
    return count == r->begin[v + 1] - r->begin[v] &&
           memcmp(r->block + r->begin[u], r->block + r->begin[v], count * sizeof *r->block) == 0;
}

/* Sorted by producer, so that a producer's classes follow each other. Returns the neurons that are read. */
static uint32_t sort_neurons(const ioa_blocks *b, const uint32_t *block_of, const readers *r, alike *sorted)
{
    uint32_t count = 0;
    for (uint32_t u = 0; u < b->network->a.neurons; u++) {
        if (r->begin[u] == r->begin[u + 1]) continue;
        alike *x = &sorted[count++];
        *x = (alike){block_of[u], u, 1};
        for (uint64_t i = r->begin[u]; i < r->begin[u + 1]; i++)
            x->hash = (x->hash ^ r->block[i]) * UINT64_C(0x9e3779b97f4a7c15), x->hash ^= x->hash >> 29;
    }
    qsort(sorted, count, sizeof *sorted, by_likeness);
    return count;
}

static uint64_t number_classes(ioa_blocks *b, const readers *r, const alike *sorted, uint32_t count)
{
    uint64_t listed = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t u = sorted[i].neuron;
        bool first = i == 0 || sorted[i].producer != sorted[i - 1].producer || !same_readers(r, sorted[i - 1].neuron, u);
        if (first) {
            listed += r->begin[u + 1] - r->begin[u];
            b->classes++;
        }
        b->class_of[u] = b->classes - 1;
        b->rank[u] = first ? 0 : b->rank[sorted[i - 1].neuron] + 1;
    }
    return listed;
}

static void fill_classes(ioa_blocks *b, const readers *r, const alike *sorted, uint32_t count)
{
    uint32_t at = 0, produced = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t u = sorted[i].neuron, class = b->class_of[u];
        b->size[class] = b->rank[u] + 1;
        if (b->rank[u]) continue;
        b->producer[class] = sorted[i].producer;
        if (sorted[i].producer != IOA_SEQUENCE_NONE) {
            b->out_begin[sorted[i].producer + 1]++;
            b->out[produced++] = class;
        }
        b->reader_begin[class] = at;
        for (uint64_t j = r->begin[u]; j < r->begin[u + 1]; j++) {
            b->reader[at++] = r->block[j];
            b->in_begin[r->block[j] + 1]++;
        }
    }
    b->reader_begin[b->classes] = at;
    for (uint32_t block = 0; block < b->count; block++) {
        b->out_begin[block + 1] += b->out_begin[block];
        b->in_begin[block + 1] += b->in_begin[block];
    }
    for (uint32_t class = 0; class < b->classes; class++)
        for (uint32_t i = b->reader_begin[class]; i < b->reader_begin[class + 1]; i++)
            b->in[b->in_begin[b->reader[i]]++] = class;
    memmove(b->in_begin + 1, b->in_begin, b->count * sizeof *b->in_begin); /* each ended at the beginning of the next */
    b->in_begin[0] = 0;
}

static bool take_blocks(const ioa_partition *p, ioa_blocks *b, uint32_t *block_of)
{
    b->member_begin = ioa_alloc((uint64_t)p->blocks + 1, sizeof *b->member_begin);
    b->member = ioa_alloc_copy(p->sequence, p->placed, sizeof *b->member);
    if (!b->member_begin || !b->member) return false;
    memset(block_of, 0xff, p->network->a.neurons * sizeof *block_of);
    b->member_begin[0] = 0;
    for (uint32_t block = 0; block < b->count; block++) {
        b->member_begin[block + 1] = p->block_end[block];
        for (uint32_t i = b->member_begin[block]; i < p->block_end[block]; i++) block_of[p->sequence[i]] = block;
    }
    return true;
}

static bool take_classes(const ioa_partition *p, ioa_blocks *b, const uint32_t *block_of)
{
    uint64_t n = p->network->a.neurons;
    readers r = {ioa_alloc(n + 1, sizeof *r.begin), NULL};
    uint32_t *seen = ioa_alloc((uint64_t)p->blocks + 1, sizeof *seen), count = 0;
    alike *sorted = NULL;
    uint64_t listed = 0;
    b->class_of = ioa_alloc(n, sizeof *b->class_of);
    b->rank = ioa_alloc(n, sizeof *b->rank);
    bool complete = r.begin && seen && b->class_of && b->rank;
    if (complete) complete = (r.block = ioa_alloc(list_readers(p, block_of, seen, &r), sizeof *r.block)) != NULL;
    if (complete) complete = (sorted = ioa_alloc(n, sizeof *sorted)) != NULL;
    if (complete) {
        list_readers(p, block_of, seen, &r);
        count = sort_neurons(b, block_of, &r, sorted);
        listed = number_classes(b, &r, sorted, count);
        b->size = ioa_alloc(b->classes, sizeof *b->size);
        b->producer = ioa_alloc(b->classes, sizeof *b->producer);
        b->reader_begin = ioa_alloc((uint64_t)b->classes + 1, sizeof *b->reader_begin);
        b->reader = ioa_alloc(listed, sizeof *b->reader);
        b->in_begin = ioa_alloc_zero((uint64_t)b->count + 1, sizeof *b->in_begin);
        b->in = ioa_alloc(listed, sizeof *b->in);
        b->out_begin = ioa_alloc_zero((uint64_t)b->count + 1, sizeof *b->out_begin);
        b->out = ioa_alloc(b->classes, sizeof *b->out);
        complete = b->size && b->producer && b->reader_begin && b->reader && b->in_begin && b->in && b->out_begin && b->out;
    }
    if (complete) fill_classes(b, &r, sorted, count);
    ioa_free(r.begin);
    ioa_free(r.block);
    ioa_free(seen);
    ioa_free(sorted);
    return complete;
}

ioa_status ioa_blocks_create(const ioa_partition *p, ioa_blocks *b, ioa_error *error)
{
    uint32_t *block_of = ioa_alloc(p->network->a.neurons, sizeof *block_of);
    *b = (ioa_blocks){.network = p->network, .count = p->blocks};
    bool complete = block_of && take_blocks(p, b, block_of) && take_classes(p, b, block_of);
    ioa_free(block_of);
    if (complete) return IOA_OK;
    ioa_blocks_destroy(b);
    return ioa_fail_nomem(error, "blocks and classes", p->network->connections, sizeof *b->in);
}

void ioa_blocks_destroy(ioa_blocks *b)
{
    void *const arrays[] = {b->member_begin, b->member,   b->class_of, b->rank,      b->size, b->producer, b->reader_begin,
                            b->reader,       b->in_begin, b->in,       b->out_begin, b->out};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) ioa_free(arrays[i]);
    *b = (ioa_blocks){0};
}
