/* When to heat up again, and when to give up: from the course of the search alone, in rounds and round trips.
 *
 * A search improves nothing while it is hot; that is no stagnation. It stagnates if nothing is gained for a number of
 * round trips in the last, cold part of its cooling. Then it is heated up again, from the elite, for about as long as it
 * took to come here; if that gains nothing either, it ends. */
#ifndef IOA_SEARCH_STAGNATION_H
#define IOA_SEARCH_STAGNATION_H

#include <stdbool.h>
#include <stdint.h>

typedef struct ioa_stagnation {
    uint64_t since;      /* round of the last gain, or the last one that was not cold */
    uint64_t trips;      /* round trips until then */
    uint64_t cycle;      /* round in which the present cycle of cooling began */
    uint64_t cycle_end;  /* round in which it has cooled down; 0: the first cycle, which follows the plan */
    uint64_t cycle_best; /* best total when it began */
    uint64_t lowest;     /* energy of a replica in the cold part of the cycle: a cycle that began hot gains long before it
                          * comes below the best of a trial */
    uint64_t reheats;    /* so far */
    uint64_t over;       /* 1 once it was given up */
} ioa_stagnation;

typedef enum ioa_verdict_on_search { IOA_GO_ON, IOA_REHEAT, IOA_GIVE_UP } ioa_verdict_on_search;

/* After `rounds` rounds: `best` is the best total ever, `trips` the round trips of all replicas so far, `cold` whether this was
 * the last part of the cooling. `patience` in round trips; 0: never stagnates. */
ioa_verdict_on_search ioa_stagnation_judge(ioa_stagnation *s, uint64_t rounds, bool improved, bool cold, uint64_t best,
                                           uint64_t trips, uint64_t patience);

/* Begins a cycle after `rounds` rounds, to be over at `planned` at the latest. */
void ioa_stagnation_reheat(ioa_stagnation *s, uint64_t rounds, uint64_t planned, uint64_t best, uint64_t trips);

#endif
