/* How well the replicas mix, from the trace alone: the same numbers live, in the archive and after a resumption. */
#ifndef IOA_SEARCH_DIAGNOSE_H
#define IOA_SEARCH_DIAGNOSE_H

#include "optimizer/search/tempering/trace.h"

#define IOA_DIAGNOSE_WINDOW 64 /* rows that count */
#define IOA_DIAGNOSE_SPREAD 2.0

typedef struct ioa_diagnosis {
    double barrier;   /* Lambda: sum of the mean rejection probabilities of the pairs */
    double swap_least, swap_mean; /* mean acceptance probability, of the worst pair and over all pairs */
    double trips_expected; /* round trips per round of all replicas, even/odd swaps: 1 / (2 + 2 sum r / (1 - r)) (Syed,
                            * Bouchard-Cote, Deligiannidis, Doucet 2021), summed over groups of rungs that swap among themselves */
    double rungs_wanted;   /* of a ladder whose hottest rung is IOA_DIAGNOSE_SPREAD times as hot as its coldest one: 1 + 2 Lambda,
                            * with Lambda per unit of log T as measured; 0 without swaps */
    double trips_share;    /* measured / expected since the beginning of the window; 0 where none is expected */
} ioa_diagnosis;

/* Over the last IOA_DIAGNOSE_WINDOW of the first `rows` rows. All zero with fewer than two replicas. O(window K). */
ioa_diagnosis ioa_diagnose(const ioa_trace *trace, uint64_t rows);

/* Lag-1 autocorrelation of the energy of a rung over the second half of the rounds: near 1, rounds are too short to
 * change anything. 0 where the energy does not vary. */
double ioa_diagnose_correlation(const ioa_trace *trace, uint32_t rung);

/* Of the last IOA_DIAGNOSE_WINDOW rounds before the last: the share of the time spent on messages and on waiting, and how
 * much less than the slowest worker the mean one had to do. Measured: not the same twice. */
typedef struct ioa_time_shares {
    double exchanging, imbalance;
} ioa_time_shares;

ioa_time_shares ioa_diagnose_times(const ioa_trace *trace);

#endif
