#include "optimizer/search/construct/sequence.h"

#include "core/base/mem.h"

#include <string.h>

#define NEVER UINT32_MAX
#define LOOK_BACK 256 /* positions whose decisions are counted anew because of what comes later */
#define STRIDE 8      /* positions; more where snapshots would take more than 4 bytes per connection */
#define HOPELESS 64   /* I/Os above the limit that later blocks do not make good */

/* ---- what is resident, by the position of its next reader ---- */

static uint64_t bit(uint32_t position)
{
    return UINT64_C(1) << position % 64;
}

static void await(ioa_sequence *s, uint32_t class, uint32_t position)
{
    s->state[class].next = position;
    s->awaited[position / 64] |= bit(position);
    if (position / 64 > s->top) s->top = position / 64;
}

/* Farthest position that something resident waits for; 0 if there is none. */
static uint32_t farthest(ioa_sequence *s)
{
    while (s->top && !s->awaited[s->top]) s->top--;
    uint64_t word = s->awaited[s->top];
    return word ? s->top * 64 + 63 - (uint32_t)__builtin_clzll(word) : 0;
}

/* First reader at `from` or later. */
static uint32_t next_reader(const ioa_sequence *s, uint32_t class, uint32_t from)
{
    const ioa_blocks *b = s->b;
    uint32_t nearest = NEVER;
    for (uint32_t i = b->reader_begin[class]; i < b->reader_begin[class + 1]; i++) {
        uint32_t position = s->position[b->reader[i]];
        if (position < from) position = NEVER;
        if (position < nearest) nearest = position;
    }
    return nearest;
}

/* Evicts `gone` neurons of a class, clean ones first. Every one has to be loaded again. Returns the I/O. */
static uint32_t drop(ioa_sequence *s, ioa_sequence_class *x, uint32_t gone)
{
    uint32_t clean = x->resident - x->dirty, writes = gone > clean ? gone - clean : 0;
    x->resident -= gone;
    x->dirty -= writes;
    s->held -= gone;
    return gone + writes;
}

/* Evicts what is read last until `most` are held. */
static uint32_t evict(ioa_sequence *s, uint32_t most, uint32_t *nearest)
{
    const ioa_blocks *b = s->b;
    uint32_t cost = 0;
    while (s->held > most) {
        uint32_t position = farthest(s), block = s->at[position];
        bool left = false;
        if (position < *nearest) *nearest = position;
        for (uint32_t i = b->in_begin[block]; i < b->in_begin[block + 1] && !left; i++) {
            ioa_sequence_class *x = &s->state[b->in[i]];
            if (!x->resident || x->next != position) continue;
            uint32_t surplus = s->held - most;
            left = surplus < x->resident;
            cost += drop(s, x, left ? surplus : x->resident);
        }
        if (!left) s->awaited[position / 64] &= ~bit(position);
    }
    return cost;
}

/* ---- block by block ---- */

/* Its sources are resident now; what nobody reads later goes. */
static void read_sources(ioa_sequence *s, uint32_t position)
{
    const ioa_blocks *b = s->b;
    uint32_t block = s->at[position];
    s->awaited[position / 64] &= ~bit(position);
    for (uint32_t i = b->in_begin[block]; i < b->in_begin[block + 1]; i++) {
        ioa_sequence_class *x = &s->state[b->in[i]];
        uint32_t later = next_reader(s, b->in[i], position + 1);
        x->before = x->resident;
        s->held -= x->resident;
        x->resident = later == NEVER ? 0 : b->size[b->in[i]];
        s->held += x->resident;
        if (later == NEVER) x->dirty = 0;
        else await(s, b->in[i], later);
    }
}

/* Its members are there, until `most` are held. What would be evicted at once, since nothing is read later, is not even
 * put into the lists. */
static uint32_t produce(ioa_sequence *s, uint32_t block, uint32_t most, uint32_t *nearest)
{
    const ioa_blocks *b = s->b;
    uint32_t last = farthest(s), cost = 0;
    for (uint32_t i = b->out_begin[block]; i < b->out_begin[block + 1]; i++) {
        ioa_blocks_share share = b->out[i];
        ioa_sequence_class *x = &s->state[share.class];
        if (s->held >= most && x->first > last) {
            cost += 2 * share.neurons;
            if (x->first < *nearest) *nearest = x->first;
            continue;
        }
        if (x->first > last) last = x->first;
        if (!x->resident) await(s, share.class, x->first);
        x->resident += share.neurons;
        x->dirty += share.neurons;
        s->held += share.neurons;
    }
    return cost + evict(s, most, nearest);
}

/* Sources of a block stream past what stays resident: some are loaded, and none of them stays in a slot that the others
 * had before it. */
static bool needs_a_slot(const ioa_sequence *s, uint32_t block)
{
    const ioa_blocks *b = s->b;
    bool loaded = false;
    for (uint32_t i = b->in_begin[block]; i < b->in_begin[block + 1]; i++) {
        const ioa_sequence_class *x = &s->state[b->in[i]];
        if (x->resident > x->before) return false;
        if (x->before < b->size[b->in[i]]) loaded = true;
    }
    return loaded;
}

/* What is held when a block begins leaves room for its members, and for a source if none is resident. */
static uint32_t step(ioa_sequence *s, uint32_t position, uint32_t *nearest)
{
    const ioa_blocks *b = s->b;
    uint32_t block = s->at[position], next = position + 1, most = s->capacity - ioa_blocks_members(b, block);
    *nearest = NEVER;
    read_sources(s, position);
    uint32_t cost = evict(s, most, nearest);
    if (s->held == most && most && needs_a_slot(s, block)) cost += evict(s, most - 1, nearest);
    most = 0;
    if (next < b->count) most = s->capacity - ioa_blocks_members(b, s->at[next]);
    cost += produce(s, block, most, nearest);
    if (next < b->count && s->held == most && !(s->awaited[next / 64] & bit(next))) cost += evict(s, most - 1, nearest);
    s->work += (b->in_begin[block + 1] - b->in_begin[block] + b->out_begin[block + 1] - b->out_begin[block]) / 2 + 1;
    return cost;
}

void ioa_sequence_rewind(ioa_sequence *s)
{
    for (uint32_t class = 0; class < s->b->classes; class++) s->state[class].resident = s->state[class].dirty = 0;
    memset(s->awaited, 0, (s->b->count / 64 + 1) * sizeof *s->awaited);
    s->held = s->top = 0;
}

uint32_t ioa_sequence_step(ioa_sequence *s, uint32_t position)
{
    uint32_t nearest;
    return step(s, position, &nearest);
}

/* ---- snapshots ---- */

/* The classes of which some are resident, by their next readers; with `entry` NULL they are forgotten instead. */
static uint32_t gather(ioa_sequence *s, uint32_t position, ioa_sequence_entry *entry)
{
    const ioa_blocks *b = s->b;
    uint32_t count = 0;
    for (uint32_t word = position / 64; word <= s->top; word++) {
        for (uint64_t left = s->awaited[word]; left; left &= left - 1) {
            uint32_t at = word * 64 + (uint32_t)__builtin_ctzll(left), block = s->at[at];
            for (uint32_t i = b->in_begin[block]; i < b->in_begin[block + 1]; i++) {
                ioa_sequence_class *x = &s->state[b->in[i]];
                if (!x->resident || x->next != at) continue;
                if (entry) entry[count++] = (ioa_sequence_entry){b->in[i], x->resident, x->dirty};
                else x->resident = x->dirty = 0;
            }
        }
        if (!entry) s->awaited[word] = 0;
    }
    return count;
}

static void restore(ioa_sequence *s, const ioa_sequence_snapshot *snapshot, uint32_t position)
{
    s->held = s->top = 0;
    for (uint32_t i = 0; i < snapshot->count; i++) {
        ioa_sequence_entry x = snapshot->entry[i];
        s->state[x.class].resident = x.resident;
        s->state[x.class].dirty = x.dirty;
        s->held += x.resident;
        await(s, x.class, next_reader(s, x.class, position));
    }
}

static bool same(const ioa_sequence_snapshot *x, const ioa_sequence_snapshot *y)
{
    return x->count == y->count && (x->count == 0 || memcmp(x->entry, y->entry, x->count * sizeof *x->entry) == 0);
}

/* ---- counting ---- */

/* From snapshot `from` on; to the end if `last` is NEVER, else until nothing changes any more. */
static int64_t count_from(ioa_sequence *s, uint32_t from, uint32_t last, int64_t limit)
{
    uint32_t n = s->b->count, position = from * s->stride, snapshot = from;
    int64_t change = 0;
    s->tried_from = from;
    restore(s, &s->kept[from], position);
    for (; position < n; position++) {
        if (position % s->stride == 0 && position > from * s->stride) {
            snapshot++;
            s->tried[snapshot].count = gather(s, position, s->tried[snapshot].entry);
            if (last != NEVER && position > last && (change > limit || same(&s->kept[snapshot], &s->tried[snapshot]))) break;
        }
        s->tried_cost[position] = step(s, position, &s->tried_floor[position]);
        change += (int64_t)s->tried_cost[position] - (int64_t)s->cost[position];
    }
    gather(s, position, NULL);
    s->tried_to = position;
    return s->tried_change = change;
}

void ioa_sequence_keep(ioa_sequence *s)
{
    for (uint32_t k = s->tried_from + 1; k * (uint64_t)s->stride < s->tried_to; k++) {
        ioa_sequence_snapshot kept = s->kept[k];
        s->kept[k] = s->tried[k];
        s->tried[k] = kept;
    }
    uint32_t begin = s->tried_from * s->stride, count = s->tried_to - begin;
    memcpy(s->cost + begin, s->tried_cost + begin, count * sizeof *s->cost);
    memcpy(s->floor + begin, s->tried_floor + begin, count * sizeof *s->floor);
    s->total += s->tried_change;
}

void ioa_sequence_count(ioa_sequence *s)
{
    for (uint32_t i = 0; i < s->b->count; i++) s->position[s->at[i]] = i;
    for (uint32_t class = 0; class < s->b->classes; class++) s->state[class].first = next_reader(s, class, 0);
    count_from(s, 0, NEVER, 0);
    ioa_sequence_keep(s);
}

void ioa_sequence_moved(ioa_sequence *s, uint32_t first, uint32_t last)
{
    const ioa_blocks *b = s->b;
    for (uint32_t position = first; position <= last; position++) s->position[s->at[position]] = position;
    for (uint32_t position = first; position <= last; position++) {
        uint32_t block = s->at[position];
        for (uint32_t i = b->in_begin[block]; i < b->in_begin[block + 1]; i++)
            s->state[b->in[i]].first = next_reader(s, b->in[i], 0);
    }
}

int64_t ioa_sequence_try(ioa_sequence *s, uint32_t first, uint32_t last, int64_t limit)
{
    uint32_t from = first ? first - 1 : 0; /* the room made before the first block depends on it */
    /* Evictions among what blocks between the two read may go another way; all others had the same choice. */
    for (uint32_t i = from > LOOK_BACK ? from - LOOK_BACK : 0; i < from; i++)
        if (s->floor[i] >= first && s->floor[i] <= last) from = i;
    s->work += LOOK_BACK / 8;
    return count_from(s, from / s->stride, last, limit + HOPELESS);
}

static bool allocate(ioa_sequence *s)
{
    uint64_t n = s->b->count, classes = s->b->classes, most = s->capacity < classes ? s->capacity : classes;
    uint64_t stride = 6 * n * most / (s->b->network->connections + 1) + 1;
    s->stride = stride < STRIDE ? STRIDE : stride > n ? (uint32_t)n + 1 : (uint32_t)stride;
    uint64_t snapshots = n / s->stride + 1;
    uint32_t **const by_block[] = {&s->at, &s->position, &s->cost, &s->floor, &s->tried_cost, &s->tried_floor};
    bool complete = true;
    for (size_t i = 0; i < sizeof by_block / sizeof *by_block; i++)
        complete = (*by_block[i] = ioa_alloc_zero(n + 1, sizeof **by_block[i])) != NULL && complete;
    s->state = ioa_alloc_zero(classes + 1, sizeof *s->state);
    s->awaited = ioa_alloc_zero(n / 64 + 1, sizeof *s->awaited);
    s->kept = ioa_alloc_zero(snapshots, sizeof *s->kept);
    s->tried = ioa_alloc_zero(snapshots, sizeof *s->tried);
    s->entries = ioa_alloc(2 * snapshots * most, sizeof *s->entries);
    if (!complete || !s->state || !s->awaited || !s->kept || !s->tried || !s->entries) return false;
    for (uint64_t k = 0; k < snapshots; k++) {
        s->kept[k].entry = s->entries + 2 * k * most;
        s->tried[k].entry = s->entries + (2 * k + 1) * most;
    }
    return true;
}

ioa_status ioa_sequence_create(const ioa_blocks *b, uint32_t capacity, ioa_sequence *s, ioa_error *error)
{
    *s = (ioa_sequence){.b = b, .capacity = capacity};
    if (!allocate(s)) {
        ioa_sequence_destroy(s);
        return ioa_fail_nomem(error, "a sequence of blocks", b->count, 1);
    }
    for (uint32_t i = 0; i < b->count; i++) s->at[i] = i;
    ioa_sequence_count(s);
    return IOA_OK;
}

void ioa_sequence_destroy(ioa_sequence *s)
{
    void *const arrays[] = {s->at,         s->position,    s->state, s->awaited, s->cost,   s->floor,
                            s->tried_cost, s->tried_floor, s->kept,  s->tried, s->entries};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) ioa_free(arrays[i]);
    *s = (ioa_sequence){0};
}
