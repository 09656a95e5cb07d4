/* Blocks of similar destinations, depth by depth: destinations of equal depth are cut into blocks of M - 2, or into blocks
 * of twins (partition.h). */
#include "optimizer/search/construct/construct.h"
#include "optimizer/search/construct/partition.h"

#include "core/base/mem.h"
#include "core/model/depth.h"

/* Cuts the candidates, `count` of them, into blocks of at most `size`; with `twins` a block takes only destinations
 * that need no further source. The first of a block is the one closest to the block before, so that sources resident
 * at the change are used. */
static void cut(ioa_partition *p, uint32_t count, uint32_t size, bool twins)
{
    uint32_t end = p->placed + count;
    while (p->placed < end && !ioa_partition_stopped(p)) {
        uint32_t first = ioa_partition_cheapest(p), stop = end - p->placed < size ? end : p->placed + size;
        ioa_partition_forget(p);
        ioa_partition_place(p, first);
        if (twins) stop = p->placed - 1 + ioa_partition_share(1 + ioa_partition_twins(p), size);
        while (p->placed < stop) ioa_partition_place(p, ioa_partition_cheapest(p));
        ioa_partition_close(p);
    }
    p->touched_count = 0;
}

/* Depth by depth: all sources of a depth are complete before its first destination. */
static bool cut_by_depth(ioa_partition *p, uint32_t size, bool twins)
{
    uint32_t n = p->network->a.neurons;
    uint32_t *depth = ioa_alloc(n, sizeof *depth), *by_depth = ioa_alloc(n, sizeof *by_depth), *begin = NULL;
    bool complete = depth && by_depth;
    if (complete) {
        uint32_t deepest = ioa_network_depths(p->network, depth);
        begin = ioa_alloc((uint64_t)deepest + 2, sizeof *begin);
        complete = begin != NULL;
        if (complete) ioa_neurons_by_depth(depth, n, deepest, by_depth, begin);
        for (uint32_t d = 1; complete && d <= deepest && !ioa_partition_stopped(p); d++) {
            for (uint32_t i = begin[d + 1]; i-- > begin[d];) /* backwards, so that lists begin with the lowest id */
                ioa_partition_admit(p, by_depth[i]);
            p->lowest = 0;
            for (uint32_t i = p->blocks > 1 ? p->block_end[p->blocks - 2] : 0; i < p->placed; i++)
                ioa_partition_arrive(p, p->sequence[i]); /* what was completed last is still resident */
            cut(p, begin[d + 1] - begin[d], size, twins);
        }
    }
    ioa_free(depth);
    ioa_free(by_depth);
    ioa_free(begin);
    return complete;
}

static ioa_status construct(const ioa_network *network, uint64_t memory, bool twins, ioa_construct_limits *limits,
                            uint32_t *order, ioa_error *error)
{
    uint32_t size = ioa_partition_size(network, memory);
    ioa_partition p;
    ioa_status status = ioa_partition_create(network, size, &p, error);
    if (status == IOA_OK) status = ioa_partition_limit(&p, limits, error);
    if (status == IOA_OK && !cut_by_depth(&p, size, twins))
        status = ioa_fail_nomem(error, "the depths", network->a.neurons, 8);
    if (status == IOA_OK && !ioa_partition_stopped(&p)) status = ioa_partition_order(&p, order, error);
    ioa_partition_destroy(&p);
    return status;
}

ioa_status ioa_construct_blocks(const ioa_network *network, uint64_t memory, uint32_t *order, ioa_error *error)
{
    return construct(network, memory, false, NULL, order, error);
}

ioa_status ioa_construct_twins(const ioa_network *network, uint64_t memory, uint32_t *order, ioa_error *error)
{
    return construct(network, memory, true, NULL, order, error);
}

ioa_status ioa_construct_blocks_within(const ioa_network *network, uint64_t memory, ioa_construct_limits *limits,
                                       uint32_t *order, ioa_error *error)
{
    return construct(network, memory, false, limits, order, error);
}

ioa_status ioa_construct_twins_within(const ioa_network *network, uint64_t memory, ioa_construct_limits *limits,
                                      uint32_t *order, ioa_error *error)
{
    return construct(network, memory, true, limits, order, error);
}
