#include "optimizer/search/construct/sequence.h"

#include "core/base/mem.h"

#include <stdlib.h>
#include <string.h>

/* The blocks that read each neuron, ascending, each once. */
typedef struct readers {
    uint64_t *begin; /* [N + 1] */
    uint32_t *block; /* [begin[N]] */
} readers;

typedef struct alike {
    uint64_t hash; /* of the readers */
    uint32_t neuron;
} alike;

static int ascending(const void *left, const void *right)
{
    uint32_t x = *(const uint32_t *)left, y = *(const uint32_t *)right;
    return (x > y) - (x < y);
}

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
        if (r->block) qsort(r->block + r->begin[u], at - r->begin[u], sizeof *r->block, ascending);
    }
    r->begin[n] = at;
    return at;
}

static int by_likeness(const void *left, const void *right)
{
    const alike *x = left, *y = right;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    return x->neuron < y->neuron ? -1 : x->neuron > y->neuron;
}

static bool same_readers(const readers *r, uint32_t u, uint32_t v)
{
    uint64_t count = r->begin[u + 1] - r->begin[u];
    return count == r->begin[v + 1] - r->begin[v] &&
           memcmp(r->block + r->begin[u], r->block + r->begin[v], count * sizeof *r->block) == 0;
}

/* Returns the neurons that are read. */
static uint32_t sort_neurons(const ioa_blocks *b, const readers *r, alike *sorted)
{
    uint32_t count = 0;
    for (uint32_t u = 0; u < b->network->a.neurons; u++) {
        if (r->begin[u] == r->begin[u + 1]) continue;
        alike *x = &sorted[count++];
        *x = (alike){1, u};
        for (uint64_t i = r->begin[u]; i < r->begin[u + 1]; i++)
            x->hash = (x->hash ^ r->block[i]) * UINT64_C(0x9e3779b97f4a7c15), x->hash ^= x->hash >> 29;
    }
    qsort(sorted, count, sizeof *sorted, by_likeness);
    return count;
}

/* A class is first known by its least neuron, then by its number, in the sequence of least neurons. */
static uint64_t number_classes(ioa_blocks *b, const readers *r, const alike *sorted, uint32_t count)
{
    uint64_t listed = 0;
    memset(b->class_of, 0xff, b->network->a.neurons * sizeof *b->class_of);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t u = sorted[i].neuron;
        bool first = i == 0 || !same_readers(r, sorted[i - 1].neuron, u);
        b->class_of[u] = first ? u : b->class_of[sorted[i - 1].neuron];
    }
    for (uint32_t u = 0; u < b->network->a.neurons; u++) {
        uint32_t least = b->class_of[u];
        if (least == u) {
            listed += r->begin[u + 1] - r->begin[u];
            b->class_of[u] = b->classes++;
        } else if (least != IOA_SEQUENCE_NONE)
            b->class_of[u] = b->class_of[least];
    }
    return listed;
}

static void fill_classes(ioa_blocks *b, const readers *r)
{
    uint32_t at = 0;
    for (uint32_t u = 0; u < b->network->a.neurons; u++) {
        uint32_t class = b->class_of[u];
        if (class == IOA_SEQUENCE_NONE || b->size[class]++) continue;
        b->reader_begin[class] = at;
        for (uint64_t j = r->begin[u]; j < r->begin[u + 1]; j++) {
            b->reader[at++] = r->block[j];
            b->in_begin[r->block[j] + 1]++;
        }
    }
    b->reader_begin[b->classes] = at;
    for (uint32_t block = 0; block < b->count; block++) b->in_begin[block + 1] += b->in_begin[block];
    for (uint32_t class = 0; class < b->classes; class++)
        for (uint32_t i = b->reader_begin[class]; i < b->reader_begin[class + 1]; i++)
            b->in[b->in_begin[b->reader[i]]++] = class;
    memmove(b->in_begin + 1, b->in_begin, b->count * sizeof *b->in_begin); /* each ended at the beginning of the next */
    b->in_begin[0] = 0;
}

/* What each block produces. `place`: where a class is in `out`, [classes]. */
static void fill_shares(ioa_blocks *b, uint32_t *place)
{
    uint32_t at = 0;
    memset(place, 0xff, b->classes * sizeof *place);
    for (uint32_t block = 0; block < b->count; block++) {
        b->out_begin[block] = at;
        for (uint32_t i = b->member_begin[block]; i < b->member_begin[block + 1]; i++) {
            uint32_t class = b->class_of[b->member[i]];
            if (class == IOA_SEQUENCE_NONE) continue;
            if (place[class] == IOA_SEQUENCE_NONE || place[class] < b->out_begin[block]) {
                place[class] = at;
                b->out[at++] = (ioa_blocks_share){class, 0};
            }
            b->out[place[class]].neurons++;
        }
    }
    b->out_begin[b->count] = at;
}

/* Which blocks each block waits for, each once; `b->producer` NULL: only counted. */
static uint64_t list_producers(ioa_blocks *b, uint32_t *seen, uint32_t *fill)
{
    uint64_t pairs = 0;
    memset(seen, 0xff, b->count * sizeof *seen);
    for (uint32_t block = 0; block < b->count; block++)
        for (uint32_t i = b->out_begin[block]; i < b->out_begin[block + 1]; i++)
            for (uint32_t j = b->reader_begin[b->out[i].class]; j < b->reader_begin[b->out[i].class + 1]; j++) {
                uint32_t reader = b->reader[j];
                if (seen[reader] == block) continue;
                seen[reader] = block;
                if (b->producer) b->producer[fill[reader]++] = block;
                else b->producer_begin[reader + 1]++;
                pairs++;
            }
    return pairs;
}

static bool take_producers(ioa_blocks *b)
{
    uint32_t *seen = ioa_alloc(b->count, sizeof *seen), *fill = NULL;
    b->producer_begin = ioa_alloc_zero((uint64_t)b->count + 1, sizeof *b->producer_begin);
    if (seen && b->producer_begin) {
        uint32_t *all = ioa_alloc(list_producers(b, seen, NULL), sizeof *all);
        for (uint32_t block = 0; block < b->count; block++) b->producer_begin[block + 1] += b->producer_begin[block];
        fill = ioa_alloc_copy(b->producer_begin, b->count, sizeof *fill);
        b->producer = all;
        if (all && fill) list_producers(b, seen, fill);
    }
    bool complete = b->producer && fill;
    ioa_free(seen);
    ioa_free(fill);
    return complete;
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
    uint32_t *seen = ioa_alloc((uint64_t)p->blocks + 1, sizeof *seen), *place = NULL, count = 0;
    alike *sorted = NULL;
    uint64_t listed = 0;
    b->class_of = ioa_alloc(n, sizeof *b->class_of);
    bool complete = r.begin && seen && b->class_of;
    if (complete) complete = (r.block = ioa_alloc(list_readers(p, block_of, seen, &r), sizeof *r.block)) != NULL;
    if (complete) complete = (sorted = ioa_alloc(n, sizeof *sorted)) != NULL;
    if (complete) {
        list_readers(p, block_of, seen, &r);
        count = sort_neurons(b, &r, sorted);
        listed = number_classes(b, &r, sorted, count);
        place = ioa_alloc(b->classes, sizeof *place);
        b->size = ioa_alloc_zero(b->classes, sizeof *b->size);
        b->reader_begin = ioa_alloc((uint64_t)b->classes + 1, sizeof *b->reader_begin);
        b->reader = ioa_alloc(listed, sizeof *b->reader);
        b->in_begin = ioa_alloc_zero((uint64_t)b->count + 1, sizeof *b->in_begin);
        b->in = ioa_alloc(listed, sizeof *b->in);
        b->out_begin = ioa_alloc((uint64_t)b->count + 1, sizeof *b->out_begin);
        b->out = ioa_alloc(p->placed, sizeof *b->out);
        complete = place && b->size && b->reader_begin && b->reader && b->in_begin && b->in && b->out_begin && b->out;
    }
    if (complete) {
        fill_classes(b, &r);
        fill_shares(b, place);
        complete = take_producers(b);
    }
    ioa_free(r.begin);
    ioa_free(r.block);
    ioa_free(seen);
    ioa_free(place);
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
    void *const arrays[] = {b->member_begin, b->member, b->class_of,  b->size, b->reader_begin,   b->reader,
                            b->in_begin,     b->in,     b->out_begin, b->out,  b->producer_begin, b->producer};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) ioa_free(arrays[i]);
    *b = (ioa_blocks){0};
}
