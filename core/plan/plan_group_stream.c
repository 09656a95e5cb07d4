/* What the kernels read of a group (core/kernel/kernel.h). */
#include "core/model/network.h"
#include "core/plan/plan_groups.h"
#include "core/plan/plan_internal.h"

#include <string.h>

/* One source of a block: which members it feeds, and their weights. */
typedef struct feed {
    uint32_t source;
    unsigned mask;
    float weights[IOA_WIDE];
} feed;

typedef struct walk {
    const ioa_network_arrays *a;
    const ioa_plan_steps *steps;
    const ioa_grouping *grouping;
    const ioa_group_block *block;
    const uint32_t *members;
    uint32_t count; /* of members */
    uint64_t at;
} walk;

static walk start(const ioa_network *network, const ioa_plan_steps *steps, const ioa_grouping *grouping,
                  const ioa_group_block *block)
{
    return (walk){&network->a, steps, grouping, block, ioa_group_members(grouping, block),
                  ioa_group_member_count(grouping, block), block->from};
}

/* The next source; false after the last one. */
static bool next_source(walk *w, feed *f)
{
    if (w->at == w->block->to) return false;
    *f = (feed){.source = w->a->indices[w->grouping->edges[w->at]]};
    for (; w->at < w->block->to && w->a->indices[w->grouping->edges[w->at]] == f->source; w->at++) {
        uint32_t e = w->grouping->edges[w->at], k = 0;
        while (w->members[k] != w->steps->destinations[e]) k++;
        f->weights[k] = w->a->weights[e];
        f->mask |= 1u << k;
    }
    return true;
}

/* In a wide group: does the source feed all members? Groups that are mostly empty would multiply by zeros. */
static bool feeds_all(const walk *w, const feed *f)
{
    return f->mask == (1u << w->count) - 1 && 2 * w->count > w->grouping->size;
}

void ioa_group_count(const ioa_network *network, const ioa_plan_steps *steps, ioa_grouping *grouping,
                     const ioa_group_block *block)
{
    walk w = start(network, steps, grouping, block);
    bool wide = grouping->size > IOA_GROUP;
    size_t bytes = wide ? sizeof(ioa_wide) : sizeof(ioa_group);
    for (feed f; next_source(&w, &f);) {
        uint32_t fed = (uint32_t)__builtin_popcount(f.mask), size = grouping->size;
        bool all = wide ? feeds_all(&w, &f) : fed == size;
        bytes += !wide ? 4 + 4 * fed : all ? 4 + 4 * size : sizeof(ioa_step) * fed;
        grouping->value_loads += wide && !all ? fed : 1;
        grouping->narrow_loads += all ? 1 + size / 4 : wide ? 2 * fed : 1 + fed;
    }
    grouping->narrow_loads += 2 + (wide ? 1 : (1u << IOA_GROUP) - 1) + (wide ? 4 : 3) * w.count; /* the head: flags, numbers of
        sources, and of a member its place, bias, activation and single connections */
    grouping->stream_bytes += (bytes + 7) / 8 * 8;
}

/* What both kinds of heads say of the members. */
#define DESCRIBE(head, w, slot, tile)                                                                       \
    for (uint32_t k = 0; k < (w).count; k++) {                                                              \
        uint32_t v = (w).members[k];                                                                        \
        (head)->destination[k] = (uint32_t)ioa_slot_offset((slot)[v], tile);                                \
        (head)->bias[k] = (w).steps->bias[v];                                                               \
        (head)->activation[k] = (w).a->activation[v];                                                       \
        (head)->param[k] = (w).a->param ? (w).a->param[v] : 0.0f;                                           \
    }                                                                                                       \
    (head)->members = (uint8_t)(w).count;                                                                   \
    (head)->flags = (uint8_t)(((w).block->first ? IOA_RUN_FIRST : 0) | ((w).block->last ? IOA_RUN_LAST : 0))

static uint32_t *write_four(const walk *begin, const uint32_t *slot, uint32_t tile, void *stream)
{
    ioa_group *head = stream;
    *head = (ioa_group){0};
    DESCRIBE(head, *begin, slot, tile);
    uint32_t *word = (uint32_t *)(void *)(head + 1);
    for (unsigned mask = 1; mask < 1u << IOA_GROUP; mask++) {
        walk w = *begin;
        for (feed f; next_source(&w, &f);) {
            if (f.mask != mask) continue;
            head->count[mask]++;
            *word++ = (uint32_t)ioa_slot_offset(slot[f.source], tile);
            for (unsigned k = 0; k < IOA_GROUP; k++)
                if (mask >> k & 1) memcpy(word++, &f.weights[k], sizeof *word);
        }
    }
    return word;
}

static uint32_t *write_wide(const walk *begin, const uint32_t *slot, uint32_t tile, void *stream)
{
    const uint32_t size = begin->grouping->size;
    ioa_wide *head = stream;
    *head = (ioa_wide){0};
    DESCRIBE(head, *begin, slot, tile);
    uint32_t *word = (uint32_t *)(void *)(head + 1);
    walk w = *begin;
    for (feed f; next_source(&w, &f);) {
        if (!feeds_all(&w, &f)) continue;
        head->shared++;
        *word++ = (uint32_t)ioa_slot_offset(slot[f.source], tile);
        memcpy(word, f.weights, size * sizeof *word);
        word += size;
    }
    ioa_step *step = (ioa_step *)(void *)word;
    for (uint32_t k = 0; k < begin->count; k++) {
        w = *begin;
        for (feed f; next_source(&w, &f);) {
            if (feeds_all(&w, &f) || !(f.mask >> k & 1)) continue;
            head->single[k]++;
            *step++ = (ioa_step){(uint32_t)ioa_slot_offset(slot[f.source], tile), f.weights[k]};
        }
    }
    return (uint32_t *)(void *)step;
}

void *ioa_group_write(const ioa_network *network, const ioa_plan_steps *steps, const ioa_grouping *grouping,
                      const ioa_group_block *block, const uint32_t *slot, uint32_t tile, void *stream)
{
    const walk begin = start(network, steps, grouping, block);
    uint32_t *end = grouping->size > IOA_GROUP ? write_wide(&begin, slot, tile, stream) : write_four(&begin, slot, tile, stream);
    if ((uintptr_t)end % 8) *end++ = 0;
    return end;
}
