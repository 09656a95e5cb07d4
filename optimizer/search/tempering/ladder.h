/* The ladder: one temperature per rung, swaps between neighbours, and its adaptation.
 *
 * Rung 0 is the coldest. Temperatures are relative: the search multiplies all of them by a base that falls as it goes
 * on, so that a ladder is a narrow window of temperatures that moves from hot to cold. Swaps are even/odd
 * (non-reversible): round r tries the pairs (i, i + 1) with i of the parity of r. The ladder follows Syed, Bouchard-Cote, Deligiannidis, Doucet, "Non-reversible parallel tempering: a scalable
 * highly parallel MCMC scheme", 2021: r_i is the mean rejection probability of pair i, Lambda = sum r_i the
 * communication barrier, and temperatures are re-spaced to equal steps of the cumulated r. */
#ifndef IOA_SEARCH_LADDER_H
#define IOA_SEARCH_LADDER_H

#include <ioanneal/status.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct ioa_ladder {
    uint32_t rungs;        /* K >= 1 */
    uint32_t groups;       /* G >= 1: ladders of their own, whose replicas never meet in a swap */
    double *temperature;   /* [K] ascending from 1; owned */
    double *acceptance;    /* [K] sum of acceptance probabilities of pair (i, i + 1) since the last adaptation; owned */
    uint64_t *attempts;    /* [K] swaps tried since the last adaptation; owned */
    double *spaced;        /* [K] workspace of the adaptation; owned */
    uint64_t next_adaptation; /* round after which the ladder is re-spaced; later by half each time */
} ioa_ladder;

/* Geometric ladders from 1 to `spread` >= 1, one per group. Replica k belongs to group k mod G; the rungs of a group
 * stand together, group by group, coldest first. More groups than rungs are cut down to the rungs. */
ioa_status ioa_ladder_create(uint32_t rungs, uint32_t groups, double spread, ioa_ladder *ladder, ioa_error *error);

/* Makes it a fresh ladder of so many groups at round `round`; no more groups than rungs. */
void ioa_ladder_regroup(ioa_ladder *ladder, uint32_t groups, double spread, uint64_t round);

/* First rung of a group; the one after the last group's end is the number of rungs. */
uint32_t ioa_ladder_first(const ioa_ladder *ladder, uint32_t group);

/* Puts every replica on a rung of its group, in ascending sequence. */
void ioa_ladder_place(const ioa_ladder *ladder, uint32_t *rung_of, uint32_t *replica_at);

void ioa_ladder_destroy(ioa_ladder *ladder);

/* Probability that two replicas exchange their temperatures: min(1, exp((1/T_b - 1/T_a) (E_b - E_a))). */
double ioa_swap_probability(int64_t energy_a, double temperature_a, int64_t energy_b, double temperature_b);

/* Does the swaps of round `round`. temperature [K] is by rung, in I/Os (0 stands for a tiny one), energy [K] by
 * replica; rung_of [K] (replica -> rung) and replica_at [K] (rung -> replica) are updated. `swap` [K] (may be NULL)
 * receives 1 / 0 / -1 (not tried) per pair and `probability` [K] (may be NULL) with what probability, or -1. Every rank
 * computes this alike: uniforms are keyed by (seed, round, pair). */
void ioa_ladder_swap(ioa_ladder *ladder, const double *temperature, uint64_t seed, uint64_t round,
                     const int64_t *energy, uint32_t *rung_of, uint32_t *replica_at, double *swap, double *probability);

/* Re-spaces the temperatures if `round` is due, and narrows or widens the whole so that about every second swap is
 * accepted: energies of large networks spread so little that a fixed ladder would need hundreds of rungs. */
void ioa_ladder_adapt(ioa_ladder *ladder, uint64_t round);

/* Lambda from the sums collected so far; 0 if nothing was tried. */
double ioa_ladder_barrier(const ioa_ladder *ladder);

#endif
