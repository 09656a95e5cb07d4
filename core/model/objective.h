/* What a search minimizes: the I/O of one fast memory, or a weighted sum over several.
 *
 * A register file evicts as the compiler says (MIN), a cache by itself (LRU), and a value of a batch tile of T floats is a
 * value of the model at each of them: with T = 64, for example, 8 fit the registers of AVX-512, about 190 a first-level
 * cache. A sum with weights from measured bandwidths stands for time where one memory alone cannot. Weights are counted in
 * thousandths, so that totals are integers and the same on every machine. */
#ifndef IOA_CORE_OBJECTIVE_H
#define IOA_CORE_OBJECTIVE_H

#include <ioanneal/memory.h>

#define IOA_MOST_LEVELS 8u
#define IOA_WEIGHT_ONE 1000u
#define IOA_LEVELS_TEXT 256 /* bytes of ioa_objective_name, NUL included */

typedef struct ioa_level {
    uint64_t memory; /* M */
    ioa_policy policy;
    uint32_t weight; /* thousandths, at least 1 */
} ioa_level;

typedef struct ioa_objective {
    uint32_t count; /* of levels, at least 1 */
    ioa_level level[IOA_MOST_LEVELS];
} ioa_objective;

/* One memory, weight 1: totals are I/Os. */
ioa_objective ioa_objective_single(uint64_t memory, ioa_policy policy);

/* "32:1.0,190:0.3": memory and weight per level, the first under `first`, later ones under LRU; a third part names
 * another policy, as in "32:1,190:0.3:min". IOA_ERR_INPUT. */
ioa_status ioa_objective_parse(const char *text, ioa_policy first, ioa_objective *objective, ioa_error *error);

/* The way back, every part of every level: "32:1.000:min,190:0.300:lru". */
void ioa_objective_name(const ioa_objective *objective, char text[IOA_LEVELS_TEXT]);

/* Weighted sum of the levels' reads + writes, rounded to whole I/Os; of one level with weight 1: exactly its I/O. */
uint64_t ioa_objective_total(const ioa_objective *objective, const ioa_io *io);

/* The same of a figure that all levels share, such as the compulsory I/O. */
uint64_t ioa_objective_shared(const ioa_objective *objective, uint64_t figure);

/* Counts `order` at every level: io [count] (or NULL), and the total. As ioa_memory_count. */
ioa_status ioa_objective_count(const ioa_network *network, const uint32_t *order, const ioa_objective *objective,
                               ioa_io *io, uint64_t *total, ioa_error *error);

#endif
