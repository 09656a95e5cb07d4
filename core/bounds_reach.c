/* Expander mixing for reachability: how few ancestors k neurons can share (core/bounds.h, C). */
#include "core/bounds_internal.h"
#include "core/bounds_spectrum.h"
#include "core/mem.h"

#include <math.h>
#include <string.h>

#define ITERATIONS 100u /* of the power method, which only steers */

static uint32_t count_common(const uint64_t *a, const uint64_t *b, uint64_t words)
{
    uint32_t count = 0;
    for (uint64_t w = 0; w < words; w++) count += (uint32_t)__builtin_popcountll(a[w] & b[w]);
    return count;
}

/* Largest singular value of E by the power method, from the upper triangle. */
static double estimate(const ioa_gram *g, double *x, double *y)
{
    uint32_t k = g->order, seed = 1;
    double value = 0.0;
    for (uint32_t i = 0; i < k; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = (double)(seed >> 8) * 0x1p-24 - 0.5;
    }
    for (uint32_t round = 0; round < ITERATIONS; round++) {
        double norm = 0.0, sum = 0.0, weighted = 0.0;
        for (uint32_t i = 0; i < k; i++) norm += x[i] * x[i];
        norm = sqrt(norm);
        if (!(norm > 0.0)) break;
        for (uint32_t i = 0; i < k; i++) {
            x[i] /= norm;
            sum += x[i];
            weighted += g->sums[i] * x[i];
        }
        for (uint32_t i = 0; i < k; i++)
            y[i] = (g->mean * g->longer * sum - weighted) * g->mean - g->mean * g->sums[i] * sum;
        for (uint32_t i = 0; i < k; i++) {
            const double *row = g->products + (uint64_t)i * k;
            double product = row[i] * x[i];
            for (uint32_t j = i + 1; j < k; j++) {
                product += row[j] * x[j];
                y[j] += row[j] * x[i];
            }
            y[i] += product;
        }
        value = 0.0;
        for (uint32_t i = 0; i < k; i++) value += x[i] * y[i];
        memcpy(x, y, k * sizeof *x);
    }
    return value > 0.0 ? sqrt(value) : 0.0;
}

/* k neurons and z of `ancestors` neurons that none of them has satisfy mean' z k <= norm sqrt(z (1 - z/n) k (1 - k/m)). */
static void raise_least(const ioa_gram *g, double norm, double mean, uint32_t *least)
{
    double n = g->longer, m = g->order, square = norm * norm;
    for (uint32_t k = 1; k <= g->order; k++) {
        double left = 1.0 - k / m;
        double z = square * left / (mean * mean * k + square * left / n) * (1.0 + 0x1p-30) + 0x1p-20;
        if (z < n && g->longer - (uint32_t)z > least[k]) least[k] = g->longer - (uint32_t)z;
        if (least[k] < least[k - 1]) least[k] = least[k - 1];
    }
}

ioa_status ioa_bounds_reach(const ioa_reach *r, uint64_t *work, uint32_t *least, ioa_error *error)
{
    uint64_t order = r->uppers, pairs = order * order;
    if (order > 4096 || !ioa_work_spend(work, pairs * (r->words / 2 + 1) + pairs * ITERATIONS / 4)) return IOA_OK;
    ioa_status status = IOA_OK;
    double *products = ioa_alloc(pairs, sizeof *products), *sums = ioa_alloc(order, sizeof *sums);
    double *x = ioa_alloc(order, sizeof *x), *y = ioa_alloc(order, sizeof *y), total = 0.0, norm;
    if (!products || !sums || !x || !y) {
        status = ioa_fail_nomem(error, "the reachability of the wavefront bound", pairs, sizeof *products);
        goto out;
    }
    for (uint64_t i = 0; i < order; i++) {
        const uint64_t *set = r->sets + i * r->words;
        for (uint64_t j = i; j < order; j++)
            products[i * order + j] = count_common(set, r->sets + j * r->words, r->words);
        sums[i] = products[i * order + i];
        total += sums[i];
    }
    ioa_gram g = {.order = r->uppers, .longer = r->ancestors, .mean = total / ((double)r->uppers * r->ancestors),
                  .sums = sums, .products = products};
    /* What the sums of rows and columns lack of their means at most takes off the mean of a rectangle. */
    double upper_lack = 0.0, lower_lack = total / r->ancestors - r->least_served;
    for (uint64_t i = 0; i < order; i++)
        if (total / r->uppers - sums[i] > upper_lack) upper_lack = total / r->uppers - sums[i];
    if (lower_lack < 0.0) lower_lack = 0.0;
    double mean = (g.mean - upper_lack / r->ancestors - lower_lack / r->uppers) - g.mean * 0x1p-30;
    if (!(mean > 0.0)) goto out;
    status = ioa_gram_norm(&g, estimate(&g, x, y), work, &norm, error);
    if (status == IOA_OK && norm < INFINITY) raise_least(&g, norm, mean, least);
out:
    ioa_free(products);
    ioa_free(sums);
    ioa_free(x);
    ioa_free(y);
    return status;
}
