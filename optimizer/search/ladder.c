#include "optimizer/search/ladder.h"

#include "core/mem.h"
#include "core/portable_math.h"
#include "core/rng.h"

#include <string.h>

#define FIRST_ADAPTATION 8 /* rounds; fewer give rejection rates that are mostly noise */
#define LEAST_SPREAD 1.01
#define MOST_SPREAD 16.0
#define LEAST_BASE 1e-12 /* stands for 0 */

ioa_status ioa_ladder_create(uint32_t rungs, double spread, ioa_ladder *ladder, ioa_error *error)
{
    if (rungs == 0 || !(spread >= 1.0))
        return ioa_fail(error, IOA_ERR_INPUT, "a ladder needs replicas and a spread of at least 1, not %g", spread);
    ioa_ladder l = {.rungs = rungs, .next_adaptation = FIRST_ADAPTATION};
    l.temperature = ioa_alloc(rungs, sizeof *l.temperature);
    l.acceptance = ioa_alloc_zero(rungs, sizeof *l.acceptance);
    l.attempts = ioa_alloc_zero(rungs, sizeof *l.attempts);
    l.spaced = ioa_alloc(rungs, sizeof *l.spaced);
    if (!l.temperature || !l.acceptance || !l.attempts || !l.spaced) {
        ioa_ladder_destroy(&l);
        return ioa_fail_nomem(error, "the ladder", rungs, 24);
    }
    double span = ioa_portable_log(spread);
    for (uint32_t i = 0; i < rungs; i++)
        l.temperature[i] = i == 0 ? 1.0 : ioa_portable_exp(span * i / (rungs - 1));
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

void ioa_ladder_swap(ioa_ladder *ladder, double base, uint64_t seed, uint64_t round, const int64_t *energy,
                     uint32_t *rung_of, uint32_t *replica_at, double *swapped, double *probability)
{
    if (base < LEAST_BASE) base = LEAST_BASE;
    for (uint32_t i = 0; i < ladder->rungs; i++) {
        if (swapped) swapped[i] = -1.0;
        if (probability) probability[i] = -1.0;
    }
    for (uint32_t i = (uint32_t)(round & 1); i + 1 < ladder->rungs; i += 2) {
        uint32_t a = replica_at[i], b = replica_at[i + 1];
        double p = ioa_swap_probability(energy[a], base * ladder->temperature[i], energy[b],
                                        base * ladder->temperature[i + 1]);
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

/* Piecewise linear in 1 / T between the old rungs, which is monotone by construction. Each pair counts at least a
 * little, so that a stretch without rejections keeps some rungs. */
static void respace(ioa_ladder *ladder)
{
    static const double least = 0.02;
    uint32_t pairs = ladder->rungs - 1, pair = 0;
    double total = 0.0, reached = 0.0, step = rejection(ladder, 0) + least;
    for (uint32_t i = 0; i < pairs; i++) total += rejection(ladder, i) + least;
    for (uint32_t k = 1; k < pairs; k++) {
        double target = total * k / pairs;
        while (reached + step < target && pair + 1 < pairs) {
            reached += step;
            step = rejection(ladder, ++pair) + least;
        }
        double share = (target - reached) / step, low = 1.0 / ladder->temperature[pair],
               high = 1.0 / ladder->temperature[pair + 1];
        ladder->spaced[k] = 1.0 / (low + (high - low) * (share < 1.0 ? share : 1.0));
    }
    for (uint32_t k = 1; k < pairs; k++) ladder->temperature[k] = ladder->spaced[k];
}

/* Widens or narrows the ladder by a power of its spread. */
static void stretch(ioa_ladder *ladder)
{
    uint32_t pairs = ladder->rungs - 1;
    double accepted = 1.0 - ioa_ladder_barrier(ladder) / pairs, top = ladder->temperature[pairs];
    double power = accepted < 0.3 ? 0.6 : accepted > 0.7 ? 1.5 : 1.0, logarithm = ioa_portable_log(top);
    double wanted = ioa_portable_exp(logarithm * power);
    if (wanted < LEAST_SPREAD || wanted > MOST_SPREAD || top <= 1.0) return;
    for (uint32_t k = 1; k <= pairs; k++)
        ladder->temperature[k] = ioa_portable_exp(ioa_portable_log(ladder->temperature[k]) * power);
}

void ioa_ladder_adapt(ioa_ladder *ladder, uint64_t round)
{
    if (round < ladder->next_adaptation || ladder->rungs < 2) return;
    ladder->next_adaptation += ladder->next_adaptation / 2;
    if (ladder->rungs > 2) respace(ladder);
    stretch(ladder);
    memset(ladder->acceptance, 0, ladder->rungs * sizeof *ladder->acceptance);
    memset(ladder->attempts, 0, ladder->rungs * sizeof *ladder->attempts);
}
