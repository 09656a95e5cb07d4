#include "optimizer/search/tempering/ladder.h"

#include "core/base/mem.h"
#include "core/base/rng.h"
#include "core/kernel/portable_math.h"

#include <string.h>

#define FIRST_ADAPTATION 8 /* rounds; fewer give rejection rates that are mostly noise */
#define LEAST_SPREAD 1.01
#define MOST_SPREAD 16.0
#define LEAST_BASE 1e-12 /* stands for 0 */

uint32_t ioa_ladder_first(const ioa_ladder *ladder, uint32_t group)
{
    uint32_t each = ladder->rungs / ladder->groups, more = ladder->rungs % ladder->groups;
    return group * each + (group < more ? group : more);
}

void ioa_ladder_place(const ioa_ladder *ladder, uint32_t *rung_of, uint32_t *replica_at)
{
    for (uint32_t k = 0; k < ladder->rungs; k++) {
        uint32_t rung = ioa_ladder_first(ladder, k % ladder->groups) + k / ladder->groups;
        rung_of[k] = rung;
        replica_at[rung] = k;
    }
}

void ioa_ladder_regroup(ioa_ladder *l, uint32_t groups, double spread, uint64_t round)
{
    double span = ioa_portable_log(spread);
    l->groups = groups < l->rungs ? groups : l->rungs;
    l->next_adaptation = round + FIRST_ADAPTATION;
    for (uint32_t g = 0; g < l->groups; g++) {
        uint32_t first = ioa_ladder_first(l, g), last = ioa_ladder_first(l, g + 1) - 1;
        for (uint32_t i = first; i <= last; i++)
            l->temperature[i] = i == first ? 1.0 : ioa_portable_exp(span * (i - first) / (last - first));
    }
    memset(l->acceptance, 0, l->rungs * sizeof *l->acceptance);
    memset(l->attempts, 0, l->rungs * sizeof *l->attempts);
}

ioa_status ioa_ladder_create(uint32_t rungs, uint32_t groups, double spread, ioa_ladder *ladder, ioa_error *error)
{
    if (rungs == 0 || !(spread >= 1.0))
        return ioa_fail(error, IOA_ERR_INPUT, "a ladder needs replicas and a spread of at least 1, not %g", spread);
    ioa_ladder l = {.rungs = rungs};
    l.temperature = ioa_alloc(rungs, sizeof *l.temperature);
    l.acceptance = ioa_alloc_zero(rungs, sizeof *l.acceptance);
    l.attempts = ioa_alloc_zero(rungs, sizeof *l.attempts);
    l.spaced = ioa_alloc(rungs, sizeof *l.spaced);
    if (!l.temperature || !l.acceptance || !l.attempts || !l.spaced) {
        ioa_ladder_destroy(&l);
        return ioa_fail_nomem(error, "the ladder", rungs, 24);
    }
    ioa_ladder_regroup(&l, groups, spread, 0);
    *ladder = l;
    return IOA_OK;
}

void ioa_ladder_destroy(ioa_ladder *ladder)
{
    ioa_free(ladder->temperature);
    ioa_free(ladder->acceptance);
    ioa_free(ladder->attempts);
    ioa_free(ladder->spaced);
    memset(ladder, 0, sizeof *ladder);
}

double ioa_swap_probability(int64_t energy_a, double temperature_a, int64_t energy_b, double temperature_b)
{
    double exponent = (1.0 / temperature_b - 1.0 / temperature_a) * (double)(energy_b - energy_a);
    return exponent >= 0.0 ? 1.0 : ioa_portable_exp(exponent);
}

/* Whether rungs i and i + 1 are of one group. */
static bool same_group(const ioa_ladder *ladder, uint32_t i)
{
    for (uint32_t g = 1; g < ladder->groups; g++)
        if (ioa_ladder_first(ladder, g) == i + 1) return false;
    return true;
}

void ioa_ladder_swap(ioa_ladder *ladder, const double *temperature, uint64_t seed, uint64_t round,
                     const int64_t *energy, uint32_t *rung_of, uint32_t *replica_at, double *swapped,
                     double *probability)
{
    for (uint32_t i = 0; i < ladder->rungs; i++) {
        if (swapped) swapped[i] = -1.0;
        if (probability) probability[i] = -1.0;
    }
    for (uint32_t i = (uint32_t)(round & 1); i + 1 < ladder->rungs; i += 2) {
        if (!same_group(ladder, i)) continue;
        uint32_t a = replica_at[i], b = replica_at[i + 1];
        double t = temperature[i] > LEAST_BASE ? temperature[i] : LEAST_BASE * ladder->temperature[i];
        double u = temperature[i + 1] > LEAST_BASE ? temperature[i + 1] : LEAST_BASE * ladder->temperature[i + 1];
        double p = ioa_swap_probability(energy[a], t, energy[b], u);
        ladder->acceptance[i] += p;
        ladder->attempts[i]++;
        ioa_pcg32 rng = ioa_rng_keyed(seed, IOA_RNG_SWAP, round, i);
        bool swap = ioa_pcg32_double(&rng) < p;
        if (swapped) swapped[i] = swap;
        if (probability) probability[i] = p;
        if (!swap) continue;
        replica_at[i] = b;
        replica_at[i + 1] = a;
        rung_of[a] = i + 1;
        rung_of[b] = i;
    }
}

static double rejection(const ioa_ladder *ladder, uint32_t pair)
{
    return ladder->attempts[pair] ? 1.0 - ladder->acceptance[pair] / (double)ladder->attempts[pair] : 0.0;
}

double ioa_ladder_barrier(const ioa_ladder *ladder)
{
    double sum = 0.0;
    for (uint32_t i = 0; i + 1 < ladder->rungs; i++) sum += rejection(ladder, i);
    return sum;
}

/* The rungs first .. last of a group. Piecewise linear in 1 / T between the old rungs, which is monotone by
 * construction. Each pair counts at least a little, so that a stretch without rejections keeps some rungs. */
static void respace(ioa_ladder *ladder, uint32_t first, uint32_t last)
{
    static const double least = 0.02;
    uint32_t pairs = last - first, pair = first;
    double total = 0.0, reached = 0.0, step = rejection(ladder, first) + least;
    for (uint32_t i = first; i < last; i++) total += rejection(ladder, i) + least;
    for (uint32_t k = 1; k < pairs; k++) {
        double target = total * k / pairs;
        while (reached + step < target && pair + 1 < last) {
            reached += step;
            step = rejection(ladder, ++pair) + least;
        }
        double share = (target - reached) / step, low = 1.0 / ladder->temperature[pair],
               high = 1.0 / ladder->temperature[pair + 1];
        ladder->spaced[first + k] = 1.0 / (low + (high - low) * (share < 1.0 ? share : 1.0));
    }
    for (uint32_t k = 1; k < pairs; k++) ladder->temperature[first + k] = ladder->spaced[first + k];
}

/* Widens or narrows a group's ladder by a power of its spread. */
static void stretch(ioa_ladder *ladder, uint32_t first, uint32_t last)
{
    double rejected = 0.0, top = ladder->temperature[last];
    for (uint32_t i = first; i < last; i++) rejected += rejection(ladder, i);
    double accepted = 1.0 - rejected / (last - first), power = accepted < 0.3 ? 0.6 : accepted > 0.7 ? 1.5 : 1.0;
    double wanted = ioa_portable_exp(ioa_portable_log(top) * power);
    if (wanted < LEAST_SPREAD || wanted > MOST_SPREAD || top <= 1.0) return;
    for (uint32_t k = first + 1; k <= last; k++)
        ladder->temperature[k] = ioa_portable_exp(ioa_portable_log(ladder->temperature[k]) * power);
}

void ioa_ladder_adapt(ioa_ladder *ladder, uint64_t round)
{
    if (round < ladder->next_adaptation || ladder->rungs < 2) return;
    ladder->next_adaptation += ladder->next_adaptation / 2;
    for (uint32_t g = 0; g < ladder->groups; g++) {
        uint32_t first = ioa_ladder_first(ladder, g), last = ioa_ladder_first(ladder, g + 1) - 1;
        if (last > first) {
            respace(ladder, first, last);
            stretch(ladder, first, last);
        }
    }
    memset(ladder->acceptance, 0, ladder->rungs * sizeof *ladder->acceptance);
    memset(ladder->attempts, 0, ladder->rungs * sizeof *ladder->attempts);
}
