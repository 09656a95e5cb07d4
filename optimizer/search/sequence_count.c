#include "optimizer/search/sequence.h"

#include "core/mem.h"

#include <string.h>

#define NEVER UINT32_MAX
#define LOOK_BACK 256 /* positions whose decisions are counted anew because of what comes later */
#define STRIDE 8      /* positions; more where snapshots would take more than 4 bytes per connection */
#define HOPELESS 64   /* I/Os above the limit that later blocks do not make good */

/* ---- lists of classes by their next reader ---- */

static void insert(ioa_sequence *s, uint32_t class, uint32_t position)
{
    s->state[class].list = position;
    s->state[class].prev = IOA_SEQUENCE_NONE;
    s->state[class].next = s->head[position];
    if (s->head[position] != IOA_SEQUENCE_NONE) s->state[s->head[position]].prev = class;
    s->head[position] = class;
    if (position > s->top) s->top = position;
}

static void withdraw(ioa_sequence *s, uint32_t class)
{
    if (s->state[class].prev != IOA_SEQUENCE_NONE) s->state[s->state[class].prev].next = s->state[class].next;
    else s->head[s->state[class].list] = s->state[class].next;
    if (s->state[class].next != IOA_SEQUENCE_NONE) s->state[s->state[class].next].prev = s->state[class].prev;
    s->state[class].list = IOA_SEQUENCE_NONE;
}

/* First reader at `from` or later. */
static uint32_t next_reader(ioa_sequence *s, uint32_t class, uint32_t from)
{
    const uint32_t *reader = s->b->reader;
    uint32_t nearest = NEVER, begin = s->state[class].readers, end = s->state[class + 1].readers;
    for (uint32_t i = begin; i < end; i++) {
        uint32_t position = s->position[reader[i]];
        if (position >= from && position < nearest) nearest = position;
    }
    s->work += (end - begin) / 4;
    return nearest;
}

static bool read_before(const ioa_sequence *s, uint32_t class, uint32_t position)
{
    const ioa_blocks *b = s->b;
    for (uint32_t i = b->reader_begin[class]; i < b->reader_begin[class + 1]; i++)
        if (s->position[b->reader[i]] < position) return true;
    return false;
}

/* Evicts what is read last until `most` are held. Returns the writes. */
static uint32_t evict(ioa_sequence *s, uint32_t most, uint32_t *nearest)
{
    uint32_t writes = 0;
    while (s->held > most) {
        while (s->head[s->top] == IOA_SEQUENCE_NONE) s->top--;
        if (s->top < *nearest) *nearest = s->top;
        uint32_t class = s->head[s->top], gone = s->held - most, clean = s->state[class].resident - s->state[class].dirty;
        if (gone > s->state[class].resident) gone = s->state[class].resident;
        if (gone > clean) {
            writes += gone - clean;
            s->state[class].dirty -= gone - clean;
        }
        s->state[class].resident -= gone;
        s->held -= gone;
        s->work++;
        if (!s->state[class].resident) withdraw(s, class);
    }
    return writes;
}

/* ---- block by block ---- */

/* Loads that are not compulsory; what nobody reads later goes. */
static uint32_t read_class(ioa_sequence *s, uint32_t class, uint32_t position)
{
    ioa_sequence_class *x = &s->state[class];
    uint32_t loads = x->size - x->resident, later = next_reader(s, class, position + 1), counted = loads;
    if (loads && x->producer == IOA_SEQUENCE_NONE && !read_before(s, class, position)) counted = 0;
    if (x->resident) withdraw(s, class);
    s->held -= x->resident;
    x->resident = 0;
    if (later == NEVER) {
        x->dirty = 0;
    } else {
        x->resident = x->size;
        s->held += x->size;
        insert(s, class, later);
    }
    return counted;
}

/* What is held when a block begins leaves room for its members, and for a source if none is resident. */
static uint32_t make_room(ioa_sequence *s, uint32_t position, uint32_t *nearest)
{
    uint32_t most = s->capacity - ioa_blocks_members(s->b, s->at[position]);
    uint32_t writes = evict(s, most, nearest);
    if (s->held == most && s->head[position] == IOA_SEQUENCE_NONE) writes += evict(s, most - 1, nearest);
    return writes;
}

static uint32_t step(ioa_sequence *s, uint32_t position, uint32_t *nearest)
{
    const ioa_blocks *b = s->b;
    uint32_t block = s->at[position], cost = 0;
    *nearest = NEVER;
    for (uint32_t i = b->in_begin[block]; i < b->in_begin[block + 1]; i++) cost += read_class(s, b->in[i], position);
    cost += evict(s, s->capacity - ioa_blocks_members(b, block), nearest);
    for (uint32_t i = b->out_begin[block]; i < b->out_begin[block + 1]; i++) {
        uint32_t class = b->out[i];
        ioa_sequence_class *x = &s->state[class];
        x->resident = x->dirty = x->size;
        s->held += x->size;
        insert(s, class, next_reader(s, class, position + 1));
    }
    s->work += b->in_begin[block + 1] - b->in_begin[block] + b->out_begin[block + 1] - b->out_begin[block] + 1;
    if (position + 1 < b->count) cost += make_room(s, position + 1, nearest);
    return cost;
}

void ioa_sequence_rewind(ioa_sequence *s)
{
    for (uint32_t class = 0; class < s->b->classes; class++)
        if (s->state[class].resident) {
            s->head[s->state[class].list] = IOA_SEQUENCE_NONE;
            s->state[class].resident = s->state[class].dirty = 0;
        }
    s->held = s->top = 0;
}

uint32_t ioa_sequence_step(ioa_sequence *s, uint32_t position)
{
    uint32_t nearest;
    return step(s, position, &nearest);
}

/* ---- snapshots ---- */

static void take(ioa_sequence *s, ioa_sequence_snapshot *snapshot, uint32_t position)
{
    uint32_t count = 0;
    for (uint32_t list = position; list <= s->top && list < s->b->count; list++)
        for (uint32_t class = s->head[list]; class != IOA_SEQUENCE_NONE; class = s->state[class].next)
            snapshot->entry[count++] = (ioa_sequence_entry){class, s->state[class].resident, s->state[class].dirty};
    snapshot->count = count;
    s->work += count;
}

static void restore(ioa_sequence *s, const ioa_sequence_snapshot *snapshot, uint32_t position)
{
    s->held = s->top = 0;
    for (uint32_t i = snapshot->count; i-- > 0;) { /* lists come back as they were, first in front */
        ioa_sequence_entry x = snapshot->entry[i];
        s->state[x.class].resident = x.resident;
        s->state[x.class].dirty = x.dirty;
        s->held += x.resident;
        insert(s, x.class, next_reader(s, x.class, position));
    }
}

static void clear(ioa_sequence *s, uint32_t position)
{
    for (uint32_t list = position; list <= s->top && list < s->b->count; list++) {
        for (uint32_t class = s->head[list]; class != IOA_SEQUENCE_NONE; class = s->state[class].next)
            s->state[class].resident = s->state[class].dirty = 0;
        s->head[list] = IOA_SEQUENCE_NONE;
    }
}

/* Is the state the one that was kept there? */
static bool rejoined(const ioa_sequence *s, const ioa_sequence_snapshot *kept, uint32_t count)
{
    if (kept->count != count) return false;
    for (uint32_t i = 0; i < count; i++) {
        ioa_sequence_entry x = kept->entry[i];
        if (s->state[x.class].resident != x.resident || s->state[x.class].dirty != x.dirty) return false;
    }
    return true;
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
            take(s, &s->tried[++snapshot], position);
            if (last != NEVER && position > last &&
                (change > limit || rejoined(s, &s->kept[snapshot], s->tried[snapshot].count)))
                break;
        }
        s->tried_cost[position] = step(s, position, &s->tried_floor[position]);
        change += (int64_t)s->tried_cost[position] - (int64_t)s->cost[position];
    }
    clear(s, position);
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
    count_from(s, 0, NEVER, 0);
    ioa_sequence_keep(s);
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
    uint32_t **const by_block[] = {&s->at, &s->position, &s->head, &s->cost, &s->floor, &s->tried_cost, &s->tried_floor};
    bool complete = true;
    for (size_t i = 0; i < sizeof by_block / sizeof *by_block; i++)
        complete = (*by_block[i] = ioa_alloc_zero(n + 1, sizeof **by_block[i])) != NULL && complete;
    s->state = ioa_alloc_zero(classes + 1, sizeof *s->state);
    s->kept = ioa_alloc_zero(snapshots, sizeof *s->kept);
    s->tried = ioa_alloc_zero(snapshots, sizeof *s->tried);
    s->entries = ioa_alloc(2 * snapshots * most, sizeof *s->entries);
    if (!complete || !s->state || !s->kept || !s->tried || !s->entries) return false;
    memset(s->head, 0xff, (n + 1) * sizeof *s->head);
    for (uint64_t class = 0; class < classes; class++)
        s->state[class] = (ioa_sequence_class){.size = s->b->size[class], .producer = s->b->producer[class],
                                               .readers = s->b->reader_begin[class]};
    s->state[classes].readers = s->b->reader_begin[classes];
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
    void *const arrays[] = {s->at,         s->position,    s->state, s->head,  s->cost,   s->floor,
                            s->tried_cost, s->tried_floor, s->kept,  s->tried, s->entries};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) ioa_free(arrays[i]);
    *s = (ioa_sequence){0};
}
