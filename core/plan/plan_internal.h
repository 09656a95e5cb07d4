/* What a plan is made of; for the files that make plans. */
#ifndef IOA_CORE_PLAN_INTERNAL_H
#define IOA_CORE_PLAN_INTERNAL_H

#include "core/compile/compile.h"
#include "core/kernel/kernel.h"
#include "core/model/plan_steps.h"
#include "core/plan/baseline.h"
#include "core/plan/plan_groups.h"

#include <ioanneal/plan.h>

struct ioa_plan {
    ioa_plan_options options; /* with the instruction set, tile and group that were chosen for 0 and AUTO */
    const ioa_kernel *kernel;
    ioa_baseline *baseline; /* layout CSR; owned, as everything here */
    ioa_code *code;         /* layout COMPILED */
    size_t baseline_scratch;
    uint32_t inputs, outputs;
    uint64_t connections; /* executed */
    /* The other layouts: */
    uint32_t slots; /* values of T floats in the scratch */
    uint32_t constants;
    uint64_t runs;
    uint64_t value_loads;  /* of a pass over a stream of groups or SELL: sources; SELL: those that are loaded one by one */
    uint64_t piece_loads;  /* SELL: pieces of sixteen values */
    uint64_t narrow_loads; /* of a pass over a stream: what heads say, offsets and weights; SELL: registers of weights and the like */
    uint64_t stored, continued;         /* of a pass over a stream: results and partial sums; those taken up again */
    ioa_quads quads; /* of a stream of runs or wide groups */
    size_t stream_bytes;
    void *stream;               /* the runs and then their connections, or groups, or SELL */
    uint32_t *input_offsets;    /* [inputs], IOA_NO_SLOT for one nobody reads */
    uint32_t *output_offsets;   /* [outputs] */
    uint32_t *constant_offsets; /* [constants] */
    float *constant_values;     /* [constants] */
};

static inline bool ioa_layout_is_shared(ioa_layout layout)
{
    return layout == IOA_LAYOUT_SHARED_ROWS || layout == IOA_LAYOUT_SHARED_SORTED;
}

/* Destinations of a group of these layouts. */
static inline uint32_t ioa_plan_group_size(const ioa_plan_options *o)
{
    return o->group > 1 ? o->group : IOA_GROUP;
}

/* Where a slot's values begin, in units of offsets. Every 4 KiB of slots are moved on by a cache line: neurons whose
 * numbers differ by a power of two would otherwise share a few sets of L1, which then holds 12 of them and not hundreds. */
static inline uint64_t ioa_slot_offset(uint64_t slot, uint32_t tile)
{
    return tile == 1 ? slot : slot * (tile / 2) + slot * tile / 1024 * (64 / IOA_OFFSET_BYTES(16));
}

/* Fills everything that follows from the steps; `g` is empty for a stream of runs. On failure the plan can be destroyed.
 * IOA_ERR_NOMEM, IOA_ERR_INPUT if the values need more than offsets can reach. */
ioa_status ioa_plan_build_stream(const ioa_network *network, const ioa_plan_steps *steps, const ioa_grouping *g,
                                 ioa_plan *plan, ioa_error *error);

#endif
