/* What one phase of loads can collect of a priced layer, for the phase bound. */
#ifndef IOA_CORE_BOUNDS_COLLECT_H
#define IOA_CORE_BOUNDS_COLLECT_H

#include <stdint.h>

/* Facts of a priced layer, all rounded upwards. */
typedef struct ioa_collector {
    uint32_t n, m;
    double mean;         /* price collected per pair of a rectangle, imbalance of the sums included */
    double norm;         /* of what is left when the mean is taken off */
    double dearest;      /* largest price */
    const double *row;    /* [n + 1] row[x]: the most that all connections of x sources are worth */
    const double *column; /* [m + 1] the same for destinations */
    uint64_t slots;      /* C */
    uint64_t evaluations; /* so far */
} ioa_collector;

/* At least the price of the connections of any phase of x source loads and y destination loads with
 * source_cost x + destination_cost y <= budget that starts beside `resident` (C, or 0: at the very start) neurons. */
double ioa_collect(ioa_collector *c, uint64_t budget, uint64_t source_cost, uint64_t destination_cost,
                   uint64_t resident);

#endif
