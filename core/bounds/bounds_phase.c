/* Phase bounds of one layer of connections (core/bounds/bounds.h, B). */
#include "core/base/mem.h"
#include "core/bounds/bounds_collect.h"
#include "core/bounds/bounds_internal.h"
#include "core/bounds/bounds_spectrum.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BALANCING_ROUNDS 60
#define EVALUATION_STEPS 16u /* work charged per evaluated shape */

typedef struct layer {
    ioa_priced_layer p;
    double *scale_row, *scale_column;      /* [n], [m] */
    double *target_row, *target_column;    /* [n], [m] wanted sums of the prices, the largest 1 */
    double *collected_row, *collected_column; /* [n + 1], [m + 1] see ioa_collector */
    uint32_t uppers;                       /* members of the upper level, unconnected ones included */
    uint64_t longest_row, longest_column;
} layer;

static void release(layer *l)
{
    void *const arrays[] = {l->p.offsets,   l->p.sources,   l->p.price,       l->p.row,
                            l->p.column,    l->scale_row,   l->scale_column,  l->target_row,
                            l->target_column, l->collected_row, l->collected_column};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) ioa_free(arrays[i]);
}

/* The connections from level `lower` to the next; neurons without one are left out. */
static ioa_status extract(const ioa_network *network, const ioa_levels *levels, uint32_t lower, layer *l,
                          ioa_error *error)
{
    const ioa_network_arrays *a = &network->a;
    uint32_t first = levels->offsets[lower], middle = levels->offsets[lower + 1], end = levels->offsets[lower + 2];
    uint64_t most = 0;
    ioa_status status = IOA_OK;
    for (uint32_t i = middle; i < end; i++)
        most += (uint64_t)(a->indptr[levels->members[i] + 1] - a->indptr[levels->members[i]]);
    uint32_t *number = ioa_alloc((uint64_t)middle - first, sizeof *number);
    l->p.offsets = ioa_alloc_zero((uint64_t)end - middle + 1, sizeof *l->p.offsets);
    l->p.sources = ioa_alloc(most, sizeof *l->p.sources);
    if (!number || !l->p.offsets || !l->p.sources) {
        status = ioa_fail_nomem(error, "a layer of the phase bound", most, sizeof *l->p.sources);
        goto out;
    }
    l->uppers = end - middle;
    memset(number, 0xff, ((size_t)middle - first) * sizeof *number);
    for (int pass = 0; pass < 2; pass++) { /* mark the sources, then number them and copy */
        for (uint32_t i = middle; i < end; i++) {
            uint64_t before = l->p.connections;
            for (int64_t e = a->indptr[levels->members[i]]; e < a->indptr[levels->members[i] + 1]; e++) {
                uint32_t u = a->indices[e];
                if (levels->level[u] != lower) continue;
                if (pass) l->p.sources[l->p.connections++] = number[levels->place[u] - first];
                else number[levels->place[u] - first] = 0;
            }
            if (l->p.connections > before) l->p.offsets[++l->p.m] = l->p.connections;
        }
        for (uint32_t i = 0; !pass && i < middle - first; i++)
            if (number[i] == 0) number[i] = l->p.n++;
    }
    uint64_t n = l->p.n, m = l->p.m;
    l->p.price = ioa_alloc(l->p.connections, sizeof *l->p.price);
    l->p.row = ioa_alloc(n, sizeof *l->p.row);
    l->p.column = ioa_alloc(m, sizeof *l->p.column);
    l->scale_row = ioa_alloc(n, sizeof *l->scale_row);
    l->scale_column = ioa_alloc(m, sizeof *l->scale_column);
    l->target_row = ioa_alloc(n, sizeof *l->target_row);
    l->target_column = ioa_alloc(m, sizeof *l->target_column);
    l->collected_row = ioa_alloc(n + 1, sizeof *l->collected_row);
    l->collected_column = ioa_alloc(m + 1, sizeof *l->collected_column);
    if (!l->p.price || !l->p.row || !l->p.column || !l->scale_row || !l->scale_column || !l->target_row ||
        !l->target_column || !l->collected_row || !l->collected_column)
        status = ioa_fail_nomem(error, "a layer of the phase bound", l->p.connections + 3 * (n + m), sizeof(double));
out:
    ioa_free(number);
    return status;
}

/* ---- prices ---- */

/* Wanted sums: equal ones, except for neurons of less than `share` of the mean degree, who get less in proportion.
 * Without that exception the few connections of such neurons would become so dear that they alone make the norm.
 * False if there are no exceptions. */
static bool set_targets(layer *l, double share)
{
    ioa_priced_layer *p = &l->p;
    double per_row = share * (double)p->connections / p->n, per_column = share * (double)p->connections / p->m;
    double rows = 0.0, columns = 0.0;
    bool excepted = false;
    memset(l->target_row, 0, p->n * sizeof *l->target_row);
    for (uint64_t e = 0; e < p->connections; e++) l->target_row[p->sources[e]] += 1.0;
    for (uint32_t u = 0; u < p->n; u++) {
        l->target_row[u] = l->target_row[u] < per_row ? l->target_row[u] / per_row : 1.0;
        excepted = excepted || l->target_row[u] < 1.0;
        rows += l->target_row[u];
    }
    for (uint32_t v = 0; v < p->m; v++) {
        double degree = (double)(p->offsets[v + 1] - p->offsets[v]);
        l->target_column[v] = degree < per_column ? degree / per_column : 1.0;
        excepted = excepted || l->target_column[v] < 1.0;
        columns += l->target_column[v];
    }
    for (uint32_t v = 0; v < p->m; v++) l->target_column[v] *= rows / columns;
    return excepted;
}

/* Scales that give the prices the wanted sums (Sinkhorn and Knopp), as far as the connections allow. Any prices prove
 * something; balanced ones prove most. */
static void balance(layer *l)
{
    ioa_priced_layer *p = &l->p;
    for (uint32_t v = 0; v < p->m; v++) l->scale_column[v] = 1.0;
    for (int round = 0; round < BALANCING_ROUNDS; round++) {
        memset(l->scale_row, 0, p->n * sizeof *l->scale_row);
        for (uint32_t v = 0; v < p->m; v++)
            for (uint64_t e = p->offsets[v]; e < p->offsets[v + 1]; e++)
                l->scale_row[p->sources[e]] += l->scale_column[v];
        for (uint32_t u = 0; u < p->n; u++) l->scale_row[u] = l->target_row[u] / l->scale_row[u];
        for (uint32_t v = 0; v < p->m; v++) {
            double sum = 0.0;
            for (uint64_t e = p->offsets[v]; e < p->offsets[v + 1]; e++) sum += l->scale_row[p->sources[e]];
            l->scale_column[v] = l->target_column[v] / sum;
        }
    }
}

/* Whole prices from the scales, and their sums. */
static void set_prices(layer *l)
{
    ioa_priced_layer *p = &l->p;
    double limit = ioa_priced_layer_gram_limit(p), dearest = 0.0;
    memset(p->row, 0, p->n * sizeof *p->row);
    memset(p->column, 0, p->m * sizeof *p->column);
    p->total = 0.0;
    for (uint32_t v = 0; v < p->m; v++)
        for (uint64_t e = p->offsets[v]; e < p->offsets[v + 1]; e++) {
            double price = l->scale_row[p->sources[e]] * l->scale_column[v];
            if (price > dearest) dearest = price;
        }
    for (uint32_t v = 0; v < p->m; v++)
        for (uint64_t e = p->offsets[v]; e < p->offsets[v + 1]; e++) {
            double price = floor(l->scale_row[p->sources[e]] * l->scale_column[v] / dearest * limit);
            p->price[e] = price;
            p->row[p->sources[e]] += price;
            p->column[v] += price;
            p->total += price;
        }
    p->mean = p->total / ((double)p->n * p->m);
}

static int descending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

/* sums[x]: the x largest of `values` added up. Whole numbers below 2^53: exact. */
static void largest_sums(const double *values, uint32_t count, double *sums)
{
    sums[0] = 0.0;
    memcpy(sums + 1, values, count * sizeof *sums);
    qsort(sums + 1, count, sizeof *sums, descending);
    for (uint32_t i = 0; i < count; i++) sums[i + 1] += sums[i];
}

/* Largest deviation of a sum from the mean one. */
static double deviation(const double *sums, uint32_t count, double mean, double sign)
{
    double most = 0.0;
    for (uint32_t i = 0; i < count; i++)
        if (sign * (sums[i] - mean) > most) most = sign * (sums[i] - mean);
    return most;
}

/* What the linear terms of imbalanced sums add per pair of a rectangle, rounding included. */
static double imbalance(const ioa_priced_layer *p, double sign)
{
    double row = p->total / p->n, column = p->total / p->m;
    return (deviation(p->column, p->m, column, sign) / p->n + deviation(p->row, p->n, row, sign) / p->m) *
               (1.0 + 0x1p-30) +
           p->mean * 0x1p-30;
}

static ioa_collector collector_of(layer *l, double norm, uint64_t slots)
{
    const ioa_priced_layer *p = &l->p;
    double dearest = 0.0;
    for (uint64_t e = 0; e < p->connections; e++)
        if (p->price[e] > dearest) dearest = p->price[e];
    largest_sums(p->row, p->n, l->collected_row);
    largest_sums(p->column, p->m, l->collected_column);
    return (ioa_collector){.n = p->n, .m = p->m, .mean = p->mean + imbalance(p, 1.0), .norm = norm, .dearest = dearest,
                           .row = l->collected_row, .column = l->collected_column, .slots = slots};
}

/* ---- the bound ---- */

/* Least Q such that phases of total cost Q can collect everything, for phases of cost `span`: a first one of any
 * cost r that starts with nothing resident, and j full ones. Any j with j full < total gives a valid Q: see
 * core/bounds/bounds.h. */
static uint64_t least_cost(ioa_collector *c, double total, uint64_t span, const uint64_t cost[2])
{
    uint64_t overhang = (cost[0] > cost[1] ? cost[0] : cost[1]) - 1;
    double full = ioa_collect(c, span + overhang, cost[0], cost[1], c->slots);
    uint64_t most = (uint64_t)((total - 1.0) / full), best = 0;
    while (most > 0 && !((double)most * full < total)) most--;
    for (uint64_t back = 0; back <= most && back < 40; back = back < 4 ? back + 1 : back * 3 / 2) {
        uint64_t j = most - back;
        double need = (total - (double)j * full) * (1.0 - 0x1p-30);
        if (j > 0 && !((double)j * full < total)) continue;
        /* low costs too little, high is not known to */
        uint64_t low = 0, high = cost[0] * c->n + cost[1] * c->m;
        if (ioa_collect(c, high + overhang, cost[0], cost[1], 0) < need) low = high;
        while (low + 1 < high) {
            uint64_t middle = low + (high - low) / 2;
            if (ioa_collect(c, middle + overhang, cost[0], cost[1], 0) < need) low = middle;
            else high = middle;
        }
        uint64_t q = j * span + low + 1;
        if (q > best) best = q;
    }
    return best;
}

/* Turns cost[0] S + cost[1] T >= q into excess; per extra load a source costs 1 and a destination `weight`. */
static uint64_t excess_from(uint64_t q, const uint64_t cost[2], uint64_t n, uint64_t m, uint64_t weight)
{
    uint64_t compulsory = cost[0] * n + cost[1] * m;
    if (q <= compulsory) return 0;
    /* the cheapest way to close the gap */
    uint64_t by_sources = (q - compulsory + cost[0] - 1) / cost[0];
    uint64_t by_destinations = (weight * (q - compulsory) + cost[1] - 1) / cost[1];
    return by_sources < by_destinations ? by_sources : by_destinations;
}

static void raise(ioa_phase *out, uint64_t q, const uint64_t cost[2], const ioa_priced_layer *p)
{
    uint64_t alone = excess_from(q, cost, p->n, p->m, 2), beside = excess_from(q, cost, p->n, p->m, 1);
    if (alone > out->alone) out->alone = alone;
    if (beside > out->beside) out->beside = beside;
}

/* Looks for the span that proves most, for each ratio of costs. */
static void bound_phases(ioa_collector *c, const ioa_priced_layer *p, bool thorough, uint64_t *work, ioa_phase *out)
{
    static const uint64_t ratios[][2] = {{1, 1}, {1, 2}, {2, 3}, {2, 1}};
    *out = (ioa_phase){0};
    for (size_t i = 0; i < (thorough ? sizeof ratios / sizeof *ratios : 1); i++) {
        uint64_t best = 0, best_span = 0, to = (uint64_t)p->n + p->m;
        for (uint64_t span = c->slots / 2 + 1; span < to; span += span / (thorough ? 5 : 2) + 1) {
            uint64_t before = c->evaluations, q = least_cost(c, p->total, span, ratios[i]);
            if (!ioa_work_spend(work, (c->evaluations - before) * EVALUATION_STEPS)) return;
            if (q > best) {
                best = q;
                best_span = span;
            }
        }
        for (uint64_t step = best_span / 12 + 1; thorough && best && step > 0; step /= 2) {
            uint64_t centre = best_span;
            for (int side = 0; side < 2; side++) {
                uint64_t span = side ? centre + step : centre > step ? centre - step : 1, before = c->evaluations;
                uint64_t q = least_cost(c, p->total, span, ratios[i]);
                if (!ioa_work_spend(work, (c->evaluations - before) * EVALUATION_STEPS)) return;
                if (q > best) {
                    best = q;
                    best_span = span;
                }
            }
        }
        raise(out, best, ratios[i], p);
    }
}

/* Expander mixing: k destinations and z sources without a connection between them satisfy
 * (mean' z k)^2 <= norm^2 z (1 - z/n) k (1 - k/m), so that z is small and all other sources are neighbours. */
static ioa_status bound_neighbourhoods(const layer *l, double norm, ioa_neighbourhood *out, ioa_error *error)
{
    const ioa_priced_layer *p = &l->p;
    double mean = p->mean - imbalance(p, -1.0);
    out->uppers = l->uppers;
    if (!(mean > 0.0) || !(norm < INFINITY)) return IOA_OK;
    out->least_sources = ioa_alloc_zero((uint64_t)l->uppers + 1, sizeof *out->least_sources);
    if (!out->least_sources)
        return ioa_fail_nomem(error, "neighbourhoods", l->uppers, sizeof *out->least_sources);
    for (uint32_t k = 1; k <= p->m; k++) {
        double left = 1.0 - (double)k / p->m, square = norm * norm;
        double z = square * left / (mean * mean * k + square * left / p->n) * (1.0 + 0x1p-30) + 0x1p-20;
        if (z < p->n) out->least_sources[l->uppers - p->m + k] = p->n - (uint32_t)z;
    }
    return IOA_OK;
}

static const double shares[] = {0.0, 0.5, 0.75, 0.9, 1.05};

static void price(layer *l)
{
    balance(l);
    set_prices(l);
}

/* The share of set_targets that promises most, by estimated norms: nothing is proven here. Negative if none
 * promises anything. */
static ioa_status choose_share(layer *l, uint64_t slots, uint64_t *work, double *share, ioa_error *error)
{
    uint64_t most = 0;
    double tightest = 0.7; /* of the trivial norm: below, neighbourhoods at least are worth a certificate */
    *share = -1.0;
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        if (!ioa_work_spend(work, l->p.connections * (2 * BALANCING_ROUNDS + 8))) break;
        double norm;
        ioa_phase phase;
        if (!set_targets(l, shares[i]) && i > 0) continue; /* the same as before */
        price(l);
        ioa_status status = ioa_priced_layer_estimate(&l->p, 40, work, &norm, error);
        if (status != IOA_OK) return status;
        if (!(norm < INFINITY)) break;
        ioa_collector collector = collector_of(l, norm, slots);
        bound_phases(&collector, &l->p, false, work, &phase);
        double relative = norm / (l->p.mean * sqrt((double)l->p.n * l->p.m));
        if (phase.beside > most || (most == 0 && relative < tightest)) {
            most = phase.beside;
            tightest = relative;
            *share = shares[i];
        }
    }
    return IOA_OK;
}

ioa_status ioa_bounds_phase(const ioa_network *network, const ioa_levels *levels, uint32_t lower, uint64_t memory,
                            uint64_t *work, ioa_phase *out, ioa_neighbourhood *neighbourhood, ioa_error *error)
{
    *out = (ioa_phase){0};
    layer l = {0};
    double norm = INFINITY, share = -1.0;
    ioa_status status = extract(network, levels, lower, &l, error);
    if (status != IOA_OK || l.p.connections == 0) goto out;
    status = choose_share(&l, memory - 1, work, &share, error);
    if (status != IOA_OK || share < 0.0) goto out;
    set_targets(&l, share);
    price(&l);
    status = ioa_priced_layer_estimate(&l.p, 160, work, &norm, error);
    if (status != IOA_OK || !(norm < INFINITY)) goto out;
    status = ioa_priced_layer_norm(&l.p, norm, work, &norm, error);
    if (status != IOA_OK || !(norm < INFINITY)) goto out;
    status = bound_neighbourhoods(&l, norm, neighbourhood, error);
    if (status != IOA_OK) goto out;
    ioa_collector collector = collector_of(&l, norm, memory - 1);
    bound_phases(&collector, &l.p, true, work, out);
out:
    release(&l);
    return status;
}
