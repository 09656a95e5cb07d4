/* Wide groups: which sources of a block serve two members at once, and the stream of it. */
#include "core/base/mem.h"
#include "core/plan/plan_group_stream.h"
#include "core/plan/plan_internal.h"

#include <string.h>

/* Per cent of the slots of all rounds of pairs that are filled at least. An empty one costs a load and two multiply-adds, where a
 * filled one saves a load. Measured: 95 is as good as 90 and 98, and 5 to 15 per cent faster than 80. */
#define FULL 95u
#define PAIRS_AT_MOST (IOA_WIDE * (IOA_WIDE - 1) / 2)
#define NOBODY UINT32_MAX

/* A source that serves two members at once, if there is a round for it. */
typedef struct pairing {
    uint32_t feed, slot; /* of a round */
    uint32_t round;
} pairing;

struct ioa_wide_work {
    uint32_t slot_of[IOA_WIDE][IOA_WIDE]; /* of a round, by its two members */
    ioa_feed *feeds;                      /* [sources + 1], the last for one that is passed over; masks
                                             without what pairs have */
    pairing *pairings;                    /* [sources * size / 2] */
    uint32_t *slots;                      /* [rounds][pairs of a round] feed, or NOBODY */
    uint32_t count, shared, pairing_count, rounds, singles;
    uint32_t left[IOA_WIDE];              /* connections of a member that are not in pairs */
    uint32_t filled[PAIRS_AT_MOST];
};

static unsigned one_of(uint32_t size, uint32_t slot)
{
    return ioa_wide_one(size, slot / (size / 2), slot % (size / 2));
}

static unsigned other_of(uint32_t size, uint32_t slot)
{
    return ioa_wide_other(size, slot / (size / 2), slot % (size / 2));
}

struct ioa_wide_work *ioa_wide_work_make(uint64_t sources, uint32_t size)
{
    struct ioa_wide_work *work = ioa_alloc_zero(1, sizeof *work);
    if (!work) return NULL;
    for (unsigned slot = 0; slot < ioa_wide_pairs(size); slot++) {
        unsigned one = one_of(size, slot), other = other_of(size, slot);
        work->slot_of[one][other] = work->slot_of[other][one] = slot;
    }
    work->feeds = ioa_alloc(sources + 1, sizeof *work->feeds);
    work->pairings = ioa_alloc(sources * (size / 2), sizeof *work->pairings);
    work->slots = ioa_alloc(sources * (size / 2) * 100 / FULL, sizeof *work->slots);
    if (work->feeds && work->pairings && work->slots) return work;
    ioa_wide_work_free(work);
    return NULL;
}

void ioa_wide_work_free(struct ioa_wide_work *work)
{
    if (!work) return;
    ioa_free(work->feeds);
    ioa_free(work->pairings);
    ioa_free(work->slots);
    ioa_free(work);
}

/* The sources, those that feed all members first. Groups that are mostly empty have none: they would multiply by zeros. */
static void gather(struct ioa_wide_work *work, const ioa_feed_walk *begin)
{
    const unsigned all = 2 * begin->count > begin->grouping->size ? (1u << begin->count) - 1 : 0;
    work->count = work->shared = 0;
    memset(work->left, 0, sizeof work->left);
    for (int others = 0; others < 2; others++) {
        ioa_feed_walk w = *begin;
        for (ioa_feed *f = &work->feeds[work->count]; ioa_feed_next(&w, f);) {
            if ((f->mask != all) != others) continue;
            for (uint32_t k = 0; k < begin->count && others; k++) work->left[k] += f->mask >> k & 1;
            f = &work->feeds[++work->count];
        }
        if (!others) work->shared = work->count;
    }
}

/* The two members among `mask` whose slot is filled least, and of those the two with most connections left: rounds come out full,
 * and what is left to the members equally much. */
static uint32_t choose_pair(const struct ioa_wide_work *work, unsigned mask, unsigned *pair)
{
    uint32_t best = NOBODY;
    for (unsigned rest = mask; rest; rest &= rest - 1) {
        unsigned one = (unsigned)__builtin_ctz(rest);
        for (unsigned others = rest & (rest - 1); others; others &= others - 1) {
            unsigned other = (unsigned)__builtin_ctz(others), was_one = (unsigned)__builtin_ctz(*pair);
            unsigned was_other = (unsigned)__builtin_ctz(*pair & (*pair - 1));
            uint32_t slot = work->slot_of[one][other];
            if (best != NOBODY && work->filled[slot] > work->filled[best]) continue;
            if (best != NOBODY && work->filled[slot] == work->filled[best] &&
                work->left[one] + work->left[other] <= work->left[was_one] + work->left[was_other])
                continue;
            best = slot;
            *pair = 1u << one | 1u << other;
        }
    }
    return best;
}

/* Sources with two members first: they have no choice. */
static void make_pairings(struct ioa_wide_work *work, uint32_t size)
{
    work->pairing_count = 0;
    memset(work->filled, 0, sizeof work->filled);
    for (uint32_t members = 2; members <= size; members++)
        for (uint32_t i = work->shared; i < work->count; i++) {
            unsigned mask = work->feeds[i].mask, pair = 3;
            if ((uint32_t)__builtin_popcount(mask) != members) continue;
            for (; mask & (mask - 1); mask &= ~pair) {
                uint32_t slot = choose_pair(work, mask, &pair);
                work->pairings[work->pairing_count++] = (pairing){i, slot, work->filled[slot]++};
                for (unsigned rest = pair; rest; rest &= rest - 1) work->left[__builtin_ctz(rest)]--;
            }
        }
}

/* As many rounds as are full enough. */
static uint32_t count_rounds(const struct ioa_wide_work *work, uint32_t pairs)
{
    for (uint32_t rounds = 1;; rounds++) {
        uint64_t filled = 0;
        for (uint32_t i = 0; i < pairs; i++) filled += work->filled[i] < rounds ? work->filled[i] : rounds;
        if (filled * 100 < (uint64_t)rounds * pairs * FULL) return rounds - 1;
    }
}

/* Fills the rounds; pairings beyond them are single connections again. */
static void arrange(struct ioa_wide_work *work, const ioa_feed_walk *begin)
{
    const uint32_t size = begin->grouping->size, pairs = ioa_wide_pairs(size);
    gather(work, begin);
    make_pairings(work, size);
    work->rounds = count_rounds(work, pairs);
    memset(work->slots, 0xff, (size_t)work->rounds * pairs * sizeof *work->slots);
    for (const pairing *p = work->pairings; p < work->pairings + work->pairing_count; p++) {
        const unsigned one = one_of(size, p->slot), other = other_of(size, p->slot);
        if (p->round < work->rounds) {
            work->slots[p->round * pairs + p->slot] = p->feed;
            work->feeds[p->feed].mask &= ~(1u << one | 1u << other);
        } else {
            work->left[one]++;
            work->left[other]++;
        }
    }
    work->singles = 0;
    for (uint32_t k = 0; k < begin->count; k++)
        if (work->left[k] > work->singles) work->singles = work->left[k];
}

void ioa_wide_count(const ioa_feed_walk *begin, ioa_grouping *g)
{
    struct ioa_wide_work *work = g->work;
    const uint32_t size = g->size, pairs = ioa_wide_pairs(size);
    arrange(work, begin);
    const uint64_t of_pairs = (uint64_t)work->rounds * pairs / 4, of_singles = (uint64_t)work->singles * size / 4;
    g->value_loads += work->shared + 4 * (of_pairs + of_singles);
    g->narrow_loads += work->shared * (1 + size / 4) + 3 * of_pairs + 2 * of_singles + /* weights come in fours */
                       7 + 2 * begin->count; /* the head, and of a member its place and bias */
    g->quads += of_pairs + of_singles;
    g->stream_bytes += (sizeof(ioa_wide) + IOA_WIDE_ARRAYS(size) + work->shared * (1 + size) * sizeof(float) +
                        of_pairs * sizeof(ioa_pairs) + of_singles * sizeof(ioa_quad) + 7) / 8 * 8;
}

/* The head, what it says of the members, and the sources that feed all of them. */
static char *write_head(const struct ioa_wide_work *work, const ioa_feed_walk *begin, const ioa_places *places, char *to)
{
    const uint32_t size = begin->grouping->size;
    const ioa_group_block *b = begin->block;
    ioa_wide head = {.shared = work->shared, .rounds = work->rounds, .singles = work->singles, .first = b->first,
                     .members = (uint8_t)begin->count};
    uint32_t destination[IOA_WIDE] = {0};
    float bias[IOA_WIDE] = {0}, param[IOA_WIDE] = {0};
    uint8_t activation[IOA_WIDE] = {0};
    for (uint32_t k = 0; k < begin->count; k++) {
        uint32_t v = begin->members[k];
        destination[k] = (uint32_t)ioa_slot_offset(places->slot[v], places->tile);
        bias[k] = begin->steps->bias[v];
        param[k] = begin->a->param ? begin->a->param[v] : 0.0f;
        activation[k] = begin->a->activation[v];
        if (!(b->last >> k & 1) || activation[k] == IOA_ACT_IDENTITY) continue;
        const bool clipped = activation[k] == IOA_ACT_CLIPPED_RELU;
        *(clipped || activation[k] == IOA_ACT_RELU ? &head.relu : &head.others) |= (uint16_t)(1u << k);
        head.clipped |= (uint16_t)((unsigned)clipped << k);
    }
    memcpy(to, &head, sizeof head);
    to += sizeof head;
    const struct {
        const void *from;
        size_t bytes;
    } arrays[] = {{destination, size * sizeof *destination}, {bias, size * sizeof *bias}, {param, size * sizeof *param},
                  {activation, size * sizeof *activation}};
    for (int i = 0; i < 4; to += arrays[i++].bytes) memcpy(to, arrays[i].from, arrays[i].bytes);
    for (const ioa_feed *f = work->feeds; f < work->feeds + work->shared; f++, to += (1 + size) * sizeof(float)) {
        const uint32_t offset = (uint32_t)ioa_slot_offset(places->slot[f->source], places->tile);
        memcpy(to, &offset, sizeof offset);
        memcpy(to + sizeof offset, f->weights, size * sizeof *f->weights);
    }
    return to;
}

static char *write_pairs(const struct ioa_wide_work *work, uint32_t size, const ioa_places *places, char *to)
{
    const uint32_t slots = work->rounds * ioa_wide_pairs(size), zero = (uint32_t)ioa_slot_offset(places->zero, places->tile);
    ioa_pairs pairs;
    for (uint32_t i = 0; i < slots; i++) {
        const uint32_t slot = i % ioa_wide_pairs(size);
        const ioa_feed *f = work->slots[i] == NOBODY ? NULL : &work->feeds[work->slots[i]];
        pairs.source[i % 4] = f ? (uint32_t)ioa_slot_offset(places->slot[f->source], places->tile) : zero;
        pairs.weight[i % 4 * 2] = f ? f->weights[one_of(size, slot)] : 0.0f;
        pairs.weight[i % 4 * 2 + 1] = f ? f->weights[other_of(size, slot)] : 0.0f;
        if (i % 4 < 3) continue;
        memcpy(to, &pairs, sizeof pairs);
        to += sizeof pairs;
    }
    return to;
}

static char *write_singles(const struct ioa_wide_work *work, uint32_t size, const ioa_places *places, char *to)
{
    const uint32_t zero = (uint32_t)ioa_slot_offset(places->zero, places->tile);
    uint32_t next[IOA_WIDE];
    ioa_quad quad;
    for (uint32_t k = 0; k < size; k++) next[k] = work->shared;
    for (uint64_t i = 0; i < (uint64_t)work->singles * size; i++) {
        const uint32_t k = (uint32_t)(i % size);
        while (next[k] < work->count && !(work->feeds[next[k]].mask >> k & 1)) next[k]++;
        const ioa_feed *f = next[k] < work->count ? &work->feeds[next[k]++] : NULL;
        quad.source[k % 4] = f ? (uint32_t)ioa_slot_offset(places->slot[f->source], places->tile) : zero;
        quad.weight[k % 4] = f ? f->weights[k] : 0.0f;
        if (k % 4 < 3) continue;
        memcpy(to, &quad, sizeof quad);
        to += sizeof quad;
    }
    return to;
}

void *ioa_wide_write(const ioa_feed_walk *begin, const ioa_places *places, void *stream)
{
    struct ioa_wide_work *work = begin->grouping->work;
    arrange(work, begin);
    char *to = write_head(work, begin, places, stream);
    to = write_pairs(work, begin->grouping->size, places, to);
    to = write_singles(work, begin->grouping->size, places, to);
    if ((uintptr_t)to % 8) {
        memset(to, 0, 4);
        to += 4;
    }
    return to;
}

/* Moves `count` quads or pairs of `weights` floats each down, as narrow ones. */
static void narrow(char **to, const char **from, uint64_t count, uint32_t weights, uint32_t unit)
{
    for (; count; count--) {
        uint32_t wide[4];
        uint16_t source[4];
        memcpy(wide, *from, sizeof wide);
        for (int k = 0; k < 4; k++) source[k] = (uint16_t)(wide[k] / unit);
        memcpy(*to, source, sizeof source);
        memmove(*to + sizeof source, *from + sizeof wide, weights * sizeof(float));
        *to += sizeof source + weights * sizeof(float);
        *from += sizeof wide + weights * sizeof(float);
    }
}

size_t ioa_wide_narrow(void *stream, size_t bytes, uint32_t size, ioa_quads quads)
{
    const uint32_t unit = (quads == IOA_QUADS_NEAR ? 8 : 64) / IOA_OFFSET_BYTES(16);
    const char *from = stream, *end = from + bytes;
    char *to = stream;
    while (from < end) {
        ioa_wide head;
        memcpy(&head, from, sizeof head);
        size_t before = sizeof head + IOA_WIDE_ARRAYS(size) + head.shared * (size_t)(1 + size) * sizeof(float);
        memmove(to, from, before);
        to += before;
        from += before;
        narrow(&to, &from, (uint64_t)head.rounds * ioa_wide_pairs(size) / 4, 8, unit);
        narrow(&to, &from, (uint64_t)head.singles * size / 4, 4, unit);
        from += (uintptr_t)from % 8;
        if ((uintptr_t)to % 8) {
            memset(to, 0, 4);
            to += 4;
        }
    }
    return (size_t)(to - (char *)stream);
}
