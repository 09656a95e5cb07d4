#include "optimizer/search/tempering/diagnose.h"

#include "core/kernel/portable_math.h"

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

/* log of the ratio of the temperatures of a pair, in the last of the rounds that has any. */
static double step_of(const ioa_trace *t, uint64_t from, uint64_t to, uint32_t pair)
{
    for (uint64_t r = to; r-- > from;) {
        const double *temperature = t->temperature + r * t->replicas + pair;
        if (temperature[0] > 0.0 && temperature[1] > temperature[0]) return ioa_portable_log(temperature[1] / temperature[0]);
    }
    return 0.0;
}

ioa_diagnosis ioa_diagnose(const ioa_trace *t, uint64_t rows)
{
    static const double least = 1e-6; /* a pair that never swaps: as good as no round trips */
    ioa_diagnosis d = {0};
    if (t->replicas < 2 || rows == 0) return d;
    uint64_t from = rows > IOA_DIAGNOSE_WINDOW ? rows - IOA_DIAGNOSE_WINDOW : 0;
    double sum = 0.0, odds = 0.0, span = 0.0, within = 0.0; /* within: the barrier where the span is known */
    uint32_t pairs = 0, joined = 0; /* of all; of the group so far */
    d.swap_least = 1.0;
    for (uint32_t pair = 0; pair < t->replicas; pair++) { /* behind the last rung nothing is tried */
        double p = mean_probability(t, from, rows, pair);
        if (p < 0.0) {
            if (joined) d.trips_expected += 1.0 / (2.0 + 2.0 * odds);
            odds = 0.0;
            joined = 0;
            continue;
        }
        double step = step_of(t, from, rows, pair);
        span += step;
        within += step > 0.0 ? 1.0 - p : 0.0;
        sum += p;
        odds += (1.0 - p) / (p > least ? p : least);
        if (p < d.swap_least) d.swap_least = p;
        pairs++;
        joined++;
    }
    if (pairs == 0) return (ioa_diagnosis){0};
    d.barrier = pairs - sum;
    d.rungs_wanted = span > 0.0 ? 1.0 + 2.0 * within / span * ioa_portable_log(IOA_DIAGNOSE_SPREAD) : 0.0;
    d.swap_mean = sum / pairs;
    uint64_t trips = t->round_trips[rows - 1] - (from ? t->round_trips[from - 1] : 0);
    uint64_t rounds = t->round[rows - 1] - (from ? t->round[from - 1] : UINT64_MAX); /* rows may be further apart */
    d.trips_share = (double)trips / ((double)rounds * d.trips_expected);
    return d;
}

double ioa_diagnose_correlation(const ioa_trace *t, uint32_t rung)
{
    uint64_t from = t->rows / 2, pairs = 0; /* of consecutive rounds */
    if (t->rows - from < 3) return 0.0;
    double mean = 0.0, square = 0.0, product = 0.0;
    for (uint64_t r = from; r < t->rows; r++) mean += (double)t->energy[r * t->replicas + rung];
    mean /= (double)(t->rows - from);
    for (uint64_t r = from; r < t->rows; r++) {
        double here = (double)t->energy[r * t->replicas + rung] - mean;
        square += here * here;
        if (r == from || t->round[r] != t->round[r - 1] + 1) continue;
        product += here * ((double)t->energy[(r - 1) * t->replicas + rung] - mean);
        pairs++;
    }
    if (!(square > 0.0) || pairs == 0) return 0.0;
    double correlation = product / square * (double)(t->rows - from - 1) / (double)pairs;
    return correlation > 1.0 ? 1.0 : correlation < -1.0 ? -1.0 : correlation;
}

ioa_time_shares ioa_diagnose_times(const ioa_trace *t)
{
    ioa_time_shares shares = {0};
    if (t->rows < 2) return shares;
    uint64_t last = t->rows - 1, from = last > IOA_DIAGNOSE_WINDOW ? last - IOA_DIAGNOSE_WINDOW : 0;
    double annealing = 0.0, slowest = 0.0, exchanging = 0.0;
    for (uint64_t r = from; r < last; r++) {
        annealing += t->annealing[r];
        slowest += t->slowest[r];
        exchanging += t->exchanging[r];
    }
    if (annealing + exchanging > 0.0) shares.exchanging = exchanging / (annealing + exchanging);
    if (slowest > 0.0) shares.imbalance = 1.0 - annealing / slowest;
    return shares;
}
