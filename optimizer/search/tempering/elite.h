/* The elite: the best orders a search has seen that are not alike. Who is in it is decided here, from totals and sketches
 * alone and alike on every worker; the orders themselves stay with whoever calls. */
#ifndef IOA_SEARCH_ELITE_H
#define IOA_SEARCH_ELITE_H

#include <stdbool.h>
#include <stdint.h>

#define IOA_ELITE_MOST 16
#define IOA_SKETCH 16 /* numbers */

/* What is left of an order for comparing it: of its pairs of neighbouring connections, sixteen minima of hashes. The
 * share of equal numbers estimates the share of pairs that two orders have in common (MinHash). */
typedef struct ioa_sketch {
    uint64_t least[IOA_SKETCH];
} ioa_sketch;

ioa_sketch ioa_sketch_of(const uint32_t *order, uint64_t count); /* O(count) */

typedef struct ioa_elite_entry {
    uint64_t total; /* exact I/O */
    ioa_sketch sketch;
} ioa_elite_entry;

typedef struct ioa_elite {
    uint32_t capacity, count;
    ioa_elite_entry entry[IOA_ELITE_MOST]; /* [count] in no sequence: an entry stays in its place until it is replaced */
} ioa_elite;

/* As many places as orders of `connections` fit into 256 MiB, 16 at most: a function of the network alone. */
uint32_t ioa_elite_capacity(uint64_t connections);

/* Offers an order. The place it takes, whose order it replaces if there is one; -1 if it is not taken: something like it
 * is there already and no worse, or the elite is full and better. */
int ioa_elite_offer(ioa_elite *elite, uint64_t total, const ioa_sketch *sketch);

/* Place of the entry that is the n-th best; of equal ones the earlier place first. n < count. */
uint32_t ioa_elite_ranked(const ioa_elite *elite, uint32_t n);

#endif
