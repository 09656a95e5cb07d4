#include "optimizer/search/diagnose.h"

/* Negative where nothing was tried: between two groups of rungs. */
static double mean_probability(const ioa_trace *t, uint64_t from, uint64_t to, uint32_t pair)
{
    double sum = 0.0;
    uint64_t tried = 0;
    for (uint64_t r = from; r < to; r++) {
        double p = t->probability[r * t->replicas + pair];
        if (p < 0.0) continue;
        sum += p;
        tried++;
    }
    return tried ? sum / (double)tried : -1.0;
}

ioa_diagnosis ioa_diagnose(const ioa_trace *t, uint64_t rounds)
{
    static const double least = 1e-6; /* a pair that never swaps: as good as no round trips */
    ioa_diagnosis d = {0};
    if (t->replicas < 2 || rounds == 0) return d;
    uint64_t from = rounds > IOA_DIAGNOSE_WINDOW ? rounds - IOA_DIAGNOSE_WINDOW : 0;
    double sum = 0.0, odds = 0.0;
    uint32_t pairs = 0, joined = 0; /* of all; of the group so far */
    d.swap_least = 1.0;
    for (uint32_t pair = 0; pair < t->replicas; pair++) { /* behind the last rung nothing is tried */
        double p = mean_probability(t, from, rounds, pair);
        if (p < 0.0) {
            if (joined) d.trips_expected += 1.0 / (2.0 + 2.0 * odds);
            odds = 0.0;
            joined = 0;
            continue;
        }
        sum += p;
        odds += (1.0 - p) / (p > least ? p : least);
        if (p < d.swap_least) d.swap_least = p;
        pairs++;
        joined++;
    }
    if (pairs == 0) return (ioa_diagnosis){0};
    d.barrier = pairs - sum;
    d.swap_mean = sum / pairs;
    uint64_t trips = t->round_trips[rounds - 1] - (from ? t->round_trips[from - 1] : 0);
    d.trips_share = (double)trips / ((double)(rounds - from) * d.trips_expected);
    return d;
}

double ioa_diagnose_correlation(const ioa_trace *t, uint32_t rung)
{
    uint64_t from = t->rounds / 2;
    if (t->rounds - from < 3) return 0.0;
    double mean = 0.0, square = 0.0, product = 0.0;
    for (uint64_t r = from; r < t->rounds; r++) mean += (double)t->energy[r * t->replicas + rung];
    mean /= (double)(t->rounds - from);
    for (uint64_t r = from; r < t->rounds; r++) {
        double here = (double)t->energy[r * t->replicas + rung] - mean;
        square += here * here;
        if (r > from) product += here * ((double)t->energy[(r - 1) * t->replicas + rung] - mean);
    }
    return square > 0.0 ? product / square : 0.0;
}
