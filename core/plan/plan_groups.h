/* Groups: four, eight or sixteen destinations at a time, whose shared sources are loaded once for all of them. */
#ifndef IOA_CORE_PLAN_GROUPS_H
#define IOA_CORE_PLAN_GROUPS_H

#include "core/kernel/kernel.h"
#include "core/model/plan_steps.h"

typedef struct ioa_group_block ioa_group_block;

/* What becomes of the steps: blocks in the order of execution, each with the connections of one group from one panel
 * of sources. Arrays owned. */
typedef struct ioa_grouping {
    uint32_t size;     /* destinations of a group at most */
    uint32_t *members; /* [groups * size] destinations; IOA_NO_SLOT from the last member of a group on */
    uint64_t most_members; /* elements there is room for */
    ioa_group_block *blocks;
    uint64_t count;
    uint32_t *edges; /* [steps] connections, block after block, by source within a block */
    size_t stream_bytes;
    uint64_t value_loads, narrow_loads; /* of a pass: values; what heads say, offsets and weights */
    uint64_t quads;                     /* of wide groups; narrow_loads has one load of offsets for each */
    struct ioa_wide_work *work;         /* for wide groups */
} ioa_grouping;

struct ioa_group_block {
    uint32_t group;
    uint16_t first, last; /* bit k: of the blocks that member k is in */
    uint64_t from, to;    /* edges */
};

/* [size] the destinations of a block's group. */
static inline const uint32_t *ioa_group_members(const ioa_grouping *grouping, const ioa_group_block *block)
{
    return grouping->members + (uint64_t)block->group * grouping->size;
}

/* How many there are. */
static inline uint32_t ioa_group_member_count(const ioa_grouping *grouping, const ioa_group_block *block)
{
    const uint32_t *members = ioa_group_members(grouping, block);
    uint32_t count = 0;
    while (count < grouping->size && members[count] != IOA_NO_SLOT) count++;
    return count;
}

/* `steps` hold whole rows, one after the other (layouts ROWS and SORTED). Rows that do not depend on each other form
 * stretches; within one, rows with many common sources are put together, and where `panel` is not 0, all groups of
 * the stretch run over one panel of so many sources before the next. Where `hot` is not 0, stretches go in pairs: so many
 * rows of the first, then everything that the second reads of them. `size` rows make a group: IOA_GROUP, 8 or 16, or 1 where
 * only the sequence of the edges is of interest (there are no stream bytes then). Groups of 8 and 16 are made anew in every
 * panel. `by_length`: within a panel, rows (or, of IOA_GROUP, groups) with equally many connections together. IOA_ERR_NOMEM. */
ioa_status ioa_grouping_make(const ioa_network *network, const ioa_plan_steps *steps, uint32_t size, uint32_t panel,
                             uint32_t hot, bool by_length, ioa_grouping *grouping, ioa_error *error);

void ioa_grouping_clear(ioa_grouping *grouping);

#endif
