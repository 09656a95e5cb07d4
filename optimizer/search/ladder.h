/* The ladder: one temperature per rung, swaps between neighbours, and its adaptation.
 *
 * Rung 0 is the coldest. Temperatures are relative: the search multiplies all of them by a base that falls as it goes
 * on, so that a ladder is a narrow window of temperatures that moves from hot to cold. Swaps are even/odd (non-reversible): round r tries the pairs (i, i + 1) with i of the parity
 * of r. The ladder follows Syed, Bouchard-Cote, Deligiannidis, Doucet, "Non-reversible parallel tempering: a scalable
 * highly parallel MCMC scheme", 2021: r_i is the mean rejection probability of pair i, Lambda = sum r_i the
 * communication barrier, and temperatures are re-spaced to equal steps of the cumulated r. */
#ifndef IOA_SEARCH_LADDER_H
#define IOA_SEARCH_LADDER_H

#include <ioanneal/status.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct ioa_ladder {
    uint32_t rungs;        /* K >= 1 */
    double *temperature;   /* [K] ascending from 1; owned */
    double *acceptance;    /* [K] sum of acceptance probabilities of pair (i, i + 1) since the last adaptation; owned */
    uint64_t *attempts;    /* [K] swaps tried since the last adaptation; owned */
    double *spaced;        /* [K] workspace of the adaptation; owned */
    uint64_t next_adaptation; /* round after which the ladder is re-spaced; doubles each time */
} ioa_ladder;

/* Geometric ladder from 1 to `spread` >= 1. */
ioa_status ioa_ladder_create(uint32_t rungs, double spread, ioa_ladder *ladder, ioa_error *error);
void ioa_ladder_destroy(ioa_ladder *ladder);

/* Probability that two replicas exchange their temperatures: min(1, exp((1/T_b - 1/T_a) (E_b - E_a))). */
double ioa_swap_probability(int64_t energy_a, double temperature_a, int64_t energy_b, double temperature_b);

/* Does the swaps of round `round` at temperatures base * temperature[] (a base of 0 stands for a tiny one). energy [K] is by replica; rung_of [K] (replica -> rung) and replica_at [K]
 * (rung -> replica) are updated. `swap` [K] (may be NULL) receives 1 / 0 / -1 (not tried) per pair and
 * `probability` [K] (may be NULL) with what probability, or -1. Every rank computes this alike: uniforms are keyed by (seed, round, pair). */
void ioa_ladder_swap(ioa_ladder *ladder, double base, uint64_t seed, uint64_t round, const int64_t *energy,
                     uint32_t *rung_of, uint32_t *replica_at, double *swap, double *probability);

/* Re-spaces the temperatures if `round` is due, and narrows or widens the whole so that about every second swap is
 * accepted: energies of large networks spread so little that a fixed ladder would need hundreds of rungs. */
void ioa_ladder_adapt(ioa_ladder *ladder, uint64_t round);

/* Lambda from the sums collected so far; 0 if nothing was tried. */
double ioa_ladder_barrier(const ioa_ladder *ladder);

#endif
