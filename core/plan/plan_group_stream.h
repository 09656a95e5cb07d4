/* What the kernels read of groups (core/kernel/kernel.h). */
#ifndef IOA_CORE_PLAN_GROUP_STREAM_H
#define IOA_CORE_PLAN_GROUP_STREAM_H

#include "core/model/network.h"
#include "core/plan/plan_groups.h"

/* One source of a block: which members it feeds (bit k: member k), and their weights. */
typedef struct ioa_feed {
    uint32_t source;
    unsigned mask;
    float weights[IOA_WIDE];
} ioa_feed;

/* A way through the sources of a block, as they come. */
typedef struct ioa_feed_walk {
    const ioa_network_arrays *a;
    const ioa_plan_steps *steps;
    const ioa_grouping *grouping;
    const ioa_group_block *block;
    const uint32_t *members;
    uint32_t count; /* of members */
    uint64_t at;
} ioa_feed_walk;

ioa_feed_walk ioa_feed_start(const ioa_network *network, const ioa_plan_steps *steps, const ioa_grouping *grouping,
                             const ioa_group_block *block);
bool ioa_feed_next(ioa_feed_walk *walk, ioa_feed *feed); /* false after the last one */

/* Where values live. */
typedef struct ioa_places {
    const uint32_t *slot; /* [N] */
    uint32_t zero;        /* slot of a value that is 0, for wide groups */
    uint32_t tile;
} ioa_places;

/* Adds what a block takes to the grouping's bytes and loads. */
void ioa_group_count(const ioa_network *network, const ioa_plan_steps *steps, ioa_grouping *grouping,
                     const ioa_group_block *block);

/* Writes one block at `stream`; returns what follows it. */
void *ioa_group_write(const ioa_network *network, const ioa_plan_steps *steps, const ioa_grouping *grouping,
                      const ioa_group_block *block, const ioa_places *places, void *stream);

/* ---- wide groups (plan_wide.c) ---- */

/* Room for blocks of up to `sources` sources of groups of `size`; NULL without memory. */
struct ioa_wide_work *ioa_wide_work_make(uint64_t sources, uint32_t size);
void ioa_wide_work_free(struct ioa_wide_work *work); /* NULL is allowed */

/* As ioa_group_count and ioa_group_write. Written are wide quads and pairs. */
void ioa_wide_count(const ioa_feed_walk *begin, ioa_grouping *grouping);
void *ioa_wide_write(const ioa_feed_walk *begin, const ioa_places *places, void *stream);

/* Makes all quads and pairs of a stream narrow ones, in place; returns the bytes that it takes then. */
size_t ioa_wide_narrow(void *stream, size_t bytes, uint32_t size, ioa_quads quads);

#endif
