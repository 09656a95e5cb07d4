/* Parts of the certified bound; core/bounds/bounds.h holds the proofs. */
#ifndef IOA_CORE_BOUNDS_INTERNAL_H
#define IOA_CORE_BOUNDS_INTERNAL_H

#include "core/model/network.h"

#include <stdbool.h>
#include <stdint.h>

#define IOA_NO_LEVEL UINT32_MAX

/* Neurons with a connection by level; every connection goes to a higher level. */
typedef struct ioa_levels {
    uint32_t count;
    uint32_t *level;   /* [N] IOA_NO_LEVEL without connections */
    uint32_t *members; /* [N] neurons by level, ids ascending */
    uint32_t *place;   /* [N] position in `members` */
    uint32_t *offsets; /* [count + 1] into `members` */
    bool *is_source;   /* [N] has outgoing connections */
} ioa_levels;

/* What is known of the neighbourhoods between a level and the next: any k neurons of the upper one have together at
 * least least_sources[k] sources in the lower one, 0 <= k <= uppers. */
typedef struct ioa_neighbourhood {
    uint32_t *least_sources; /* [uppers + 1], or NULL: nothing is known */
    uint32_t uppers;
} ioa_neighbourhood;

/* How an absent live neuron is charged; a "cheap" one is an input, a constant, or an output that is also a source.
 * Each pays for an excess of its own kind (core/bounds/bounds.h, C and D). */
typedef enum ioa_front_charge {
    IOA_FRONT_ALONE,  /* 2, cheap 1: nothing else may be counted in the interval */
    IOA_FRONT_UNIT,   /* 1, cheap 1: adds to S + T - n - m of the layers without cheap sources */
    IOA_FRONT_BESIDE, /* 1, cheap 0: adds to S + T - n - m of all its layers */
    IOA_FRONT_CHARGES
} ioa_front_charge;

typedef struct ioa_wavefront {
    uint64_t excess[IOA_FRONT_CHARGES];
} ioa_wavefront;

/* True for neurons whose way to slow memory may be free. */
bool ioa_bounds_cheap(const ioa_network *network, const ioa_levels *levels, uint32_t neuron);

/* Wavefront bounds of the intervals from level `first` to first + 1, .., last: out[j] for the interval that ends at
 * level first + 1 + j. `neighbourhoods` [levels - 1] by lower level. Zeroes from where `*work` runs out. */
ioa_status ioa_bounds_wavefronts(const ioa_network *network, const ioa_levels *levels,
                                 const ioa_neighbourhood *neighbourhoods, uint32_t first, uint32_t last,
                                 uint64_t memory, uint64_t *work, ioa_wavefront *out, ioa_error *error);

/* Which neurons of a lower level are ancestors of which of an upper one. */
typedef struct ioa_reach {
    const uint64_t *sets; /* [uppers * words] sets of the lower level */
    uint64_t words;
    uint32_t uppers;
    uint32_t ancestors;   /* neurons of the lower level in at least one set */
} ioa_reach;

/* Raises least[k], 0 <= k <= uppers, by trying unions of a few different sets exhaustively, as far as the work goes.
 * `least` must be sound and ascend; so it stays. */
ioa_status ioa_bounds_unions(const ioa_reach *reach, uint64_t *work, uint32_t *least, ioa_error *error);

/* One layer of connections: from neurons of a level to neurons of the next. */
typedef struct ioa_phase {
    uint64_t alone;  /* (S - n) + 2 (T - m) is at least this */
    uint64_t beside; /* (S - n) + (T - m) is at least this */
} ioa_phase;

/* Phase bound of the layer from level `lower`; also says what its spectrum proves of neighbourhoods (an array that the
 * caller frees, or NULL). */
ioa_status ioa_bounds_phase(const ioa_network *network, const ioa_levels *levels, uint32_t lower, uint64_t memory,
                            uint64_t *work, ioa_phase *out, ioa_neighbourhood *neighbourhood, ioa_error *error);

/* Separation bound of the whole network (core/bounds/bounds.h, E and F), if it is small: starts from what is `known` already,
 * and raises *excess as far as the work goes. `*work` is 0 afterwards if it ran out. `patient`: spends all of it even
 * where the beginning is not promising. */
ioa_status ioa_bounds_separation(const ioa_network *network, uint64_t memory, uint64_t known, bool patient,
                                 uint64_t *work, uint64_t *excess, ioa_error *error);

/* True and counted down if `*work` allows `steps` more. */
static inline bool ioa_work_spend(uint64_t *work, uint64_t steps)
{
    if (*work < steps) {
        *work = 0;
        return false;
    }
    *work -= steps;
    return true;
}

#endif
