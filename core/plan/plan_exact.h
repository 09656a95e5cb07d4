/* Inference of a plan against float64: the one check behind `verified`, `ioanneal check` and measurements. */
#ifndef IOA_CORE_PLAN_EXACT_H
#define IOA_CORE_PLAN_EXACT_H

#include <ioanneal/plan.h>
#include <stdbool.h>

typedef struct ioa_exactness {
    bool within;          /* every single output lies within its own bound (core/model/reference.h) */
    double max_abs_error; /* infinite where an output is not a number */
    double max_rel_error; /* the same over max(1, |reference|) */
    double error_bound;   /* largest bound on the absolute error, over max(1, |reference|) */
    double nonzero;       /* share of the outputs looked at that are not 0; at 0 the rest says little */
    uint64_t wrong, count; /* outputs beyond their bounds, and in all */
    uint32_t depth;       /* connections on the longest way through the network: what the bound grows with, */
    uint32_t fan_in;      /* and the most connections into one neuron */
} ioa_exactness;

/* Runs `samples` (at least 1) random inputs, keyed by `seed`. Inputs come from [-1, 1); where they leave samples whose
 * outputs are all 0, wider ranges are tried, and the one that leaves fewest is taken. IOA_ERR_NOMEM. */
ioa_status ioa_exactness_check(const ioa_network *network, const ioa_plan *plan, uint32_t samples, uint64_t seed,
                               ioa_exactness *out, ioa_error *error);

/* As many samples, up to `most`, as take the reference about a second. */
uint32_t ioa_exactness_samples(const ioa_network *network, uint32_t most);

#endif
