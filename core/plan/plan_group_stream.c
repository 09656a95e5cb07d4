#include "core/plan/plan_group_stream.h"

#include "core/plan/plan_internal.h"

#include <string.h>

ioa_feed_walk ioa_feed_start(const ioa_network *network, const ioa_plan_steps *steps, const ioa_grouping *grouping,
                             const ioa_group_block *block)
{
    return (ioa_feed_walk){&network->a, steps, grouping, block, ioa_group_members(grouping, block),
                           ioa_group_member_count(grouping, block), block->from};
}

bool ioa_feed_next(ioa_feed_walk *w, ioa_feed *f)
{
    if (w->at == w->block->to) return false;
    *f = (ioa_feed){.source = w->a->indices[w->grouping->edges[w->at]]};
    for (; w->at < w->block->to && w->a->indices[w->grouping->edges[w->at]] == f->source; w->at++) {
        uint32_t e = w->grouping->edges[w->at], k = 0;
        while (w->members[k] != w->steps->destinations[e]) k++;
        f->weights[k] = w->a->weights[e];
        f->mask |= 1u << k;
    }
    return true;
}

static void count_four(const ioa_feed_walk *begin, ioa_grouping *grouping)
{
    ioa_feed_walk w = *begin;
    size_t bytes = sizeof(ioa_group);
    for (ioa_feed f; ioa_feed_next(&w, &f);) {
        uint32_t fed = (uint32_t)__builtin_popcount(f.mask);
        bytes += 4 + 4 * fed;
        grouping->value_loads++;
        grouping->narrow_loads += fed == IOA_GROUP ? 2 : 1 + fed;
    }
    grouping->narrow_loads += 2 + (1u << IOA_GROUP) - 1 + 3 * w.count; /* the head: flags, numbers of sources, and of a member its
                                                                          place, bias and activation */
    grouping->stream_bytes += (bytes + 7) / 8 * 8;
}

static uint32_t *write_four(const ioa_feed_walk *begin, const ioa_places *places, void *stream)
{
    ioa_group *head = stream;
    *head = (ioa_group){.members = (uint8_t)begin->count,
                        .flags = (uint8_t)((begin->block->first ? IOA_RUN_FIRST : 0) | (begin->block->last ? IOA_RUN_LAST : 0))};
    for (uint32_t k = 0; k < begin->count; k++) {
        uint32_t v = begin->members[k];
        head->destination[k] = (uint32_t)ioa_slot_offset(places->slot[v], places->tile);
        head->bias[k] = begin->steps->bias[v];
        head->activation[k] = begin->a->activation[v];
        head->param[k] = begin->a->param ? begin->a->param[v] : 0.0f;
    }
    uint32_t *word = (uint32_t *)(void *)(head + 1);
    for (unsigned mask = 1; mask < 1u << IOA_GROUP; mask++) {
        ioa_feed_walk w = *begin;
        for (ioa_feed f; ioa_feed_next(&w, &f);) {
            if (f.mask != mask) continue;
            head->count[mask]++;
            *word++ = (uint32_t)ioa_slot_offset(places->slot[f.source], places->tile);
            for (unsigned k = 0; k < IOA_GROUP; k++)
                if (mask >> k & 1) memcpy(word++, &f.weights[k], sizeof *word);
        }
    }
    if ((uintptr_t)word % 8) *word++ = 0;
    return word;
}

void ioa_group_count(const ioa_network *network, const ioa_plan_steps *steps, ioa_grouping *grouping,
                     const ioa_group_block *block)
{
    const ioa_feed_walk begin = ioa_feed_start(network, steps, grouping, block);
    if (grouping->size > IOA_GROUP) ioa_wide_count(&begin, grouping);
    else count_four(&begin, grouping);
}

void *ioa_group_write(const ioa_network *network, const ioa_plan_steps *steps, const ioa_grouping *grouping,
                      const ioa_group_block *block, const ioa_places *places, void *stream)
{
    const ioa_feed_walk begin = ioa_feed_start(network, steps, grouping, block);
    return grouping->size > IOA_GROUP ? ioa_wide_write(&begin, places, stream) : write_four(&begin, places, stream);
}
