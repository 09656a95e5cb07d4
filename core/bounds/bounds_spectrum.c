#include "core/bounds/bounds_spectrum.h"

#include "core/base/mem.h"
#include "core/bounds/bounds_internal.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define MOST_ORDER 4096u /* two matrices of 128 MiB */
#define PANEL 48u        /* rows eliminated together, so that they stay in the cache */

static const double margins[] = {1.002, 1.006, 1.03, 1.3}; /* on the square of the estimate */

/* The products of the rows of P (or of its transpose, if that has fewer), exact, and what else E E^T takes. */
typedef struct gram {
    uint32_t order, longer; /* rows and columns of P */
    double mean;
    const double *sums;     /* [order] of the rows */
    const double *products; /* [order * order] upper triangle */
} gram;

double ioa_priced_layer_gram_limit(const ioa_priced_layer *l)
{
    double longest = l->n <= l->m ? l->m : l->n; /* never more terms than the longer side has neurons */
    double limit = floor(sqrt(0x1p52 / longest));
    return limit < 0x1p20 ? limit : 0x1p20;
}

/* The matrix E E^T or E^T E of the shorter side times x, by the connections; `other` is scratch of the longer side. */
static void apply(const ioa_priced_layer *l, const double *x, double *other, double *y)
{
    uint32_t k = l->n <= l->m ? l->n : l->m, longer = l->n <= l->m ? l->m : l->n;
    bool rows = l->n <= l->m;
    double sum = 0.0, other_sum = 0.0;
    for (uint32_t i = 0; i < k; i++) sum += x[i];
    for (uint32_t i = 0; i < longer; i++) other[i] = -l->mean * sum;
    for (uint32_t v = 0; v < l->m; v++)
        for (uint64_t e = l->offsets[v]; e < l->offsets[v + 1]; e++) {
            if (rows) other[v] += l->price[e] * x[l->sources[e]];
            else other[l->sources[e]] += l->price[e] * x[v];
        }
    for (uint32_t i = 0; i < longer; i++) other_sum += other[i];
    for (uint32_t i = 0; i < k; i++) y[i] = -l->mean * other_sum;
    for (uint32_t v = 0; v < l->m; v++)
        for (uint64_t e = l->offsets[v]; e < l->offsets[v + 1]; e++) {
            if (rows) y[l->sources[e]] += l->price[e] * other[v];
            else y[v] += l->price[e] * other[l->sources[e]];
        }
}

/* Estimate, from below, of the largest eigenvalue. */
static double estimate(const ioa_priced_layer *l, uint32_t iterations, double *x, double *y, double *other)
{
    uint32_t k = l->n <= l->m ? l->n : l->m;
    uint32_t seed = 1;
    double value = 0.0;
    for (uint32_t i = 0; i < k; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = (double)(seed >> 8) * 0x1p-24 - 0.5;
    }
    for (uint32_t round = 0; round < iterations; round++) {
        double norm = 0.0;
        for (uint32_t i = 0; i < k; i++) norm += x[i] * x[i];
        norm = sqrt(norm);
        if (!(norm > 0.0)) return value;
        for (uint32_t i = 0; i < k; i++) x[i] /= norm;
        apply(l, x, other, y);
        value = 0.0;
        for (uint32_t i = 0; i < k; i++) value += x[i] * y[i];
        memcpy(x, y, k * sizeof *x);
    }
    return value;
}

ioa_status ioa_priced_layer_estimate(const ioa_priced_layer *l, uint32_t iterations, uint64_t *work, double *norm,
                                     ioa_error *error)
{
    uint32_t k = l->n <= l->m ? l->n : l->m, longer = l->n <= l->m ? l->m : l->n;
    *norm = INFINITY;
    if (!ioa_work_spend(work, (uint64_t)iterations * 2 * l->connections)) return IOA_OK;
    double *x = ioa_alloc(k, sizeof *x), *y = ioa_alloc(k, sizeof *y), *other = ioa_alloc(longer, sizeof *other);
    ioa_status status = IOA_OK;
    if (x && y && other) *norm = sqrt(estimate(l, iterations, x, y, other) * margins[0]);
    else status = ioa_fail_nomem(error, "the spectral certificate", longer, sizeof *other);
    ioa_free(x);
    ioa_free(y);
    ioa_free(other);
    return status;
}

/* Upper triangle of the Gram matrix of the prices of the shorter side, k x k: exact. */
static void add_row(double *products, uint32_t k, const uint32_t *ids, const double *prices, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        for (uint64_t j = i; j < count; j++) products[(uint64_t)ids[i] * k + ids[j]] += prices[i] * prices[j];
}

static bool make_gram(const ioa_priced_layer *l, uint32_t k, double *products)
{
    memset(products, 0, (uint64_t)k * k * sizeof *products);
    if (l->n <= l->m) {
        for (uint32_t v = 0; v < l->m; v++) /* sources ascend within a destination */
            add_row(products, k, l->sources + l->offsets[v], l->price + l->offsets[v],
                    l->offsets[v + 1] - l->offsets[v]);
        return true;
    }
    uint64_t *first = ioa_alloc_zero((uint64_t)l->n + 1, sizeof *first);
    uint32_t *columns = ioa_alloc(l->connections, sizeof *columns);
    double *prices = ioa_alloc(l->connections, sizeof *prices);
    bool complete = first && columns && prices;
    if (complete) {
        for (uint64_t e = 0; e < l->connections; e++) first[l->sources[e] + 1]++;
        for (uint32_t u = 0; u < l->n; u++) first[u + 1] += first[u];
        for (uint32_t v = 0; v < l->m; v++)
            for (uint64_t e = l->offsets[v]; e < l->offsets[v + 1]; e++) {
                uint64_t at = first[l->sources[e]]++;
                columns[at] = v;
                prices[at] = l->price[e];
            }
        for (uint32_t u = 0; u < l->n; u++) { /* the cursors have moved to the ends of their rows */
            uint64_t start = u ? first[u - 1] : 0;
            add_row(products, k, columns + start, prices + start, first[u] - start);
        }
    }
    ioa_free(first);
    ioa_free(columns);
    ioa_free(prices);
    return complete;
}

static void eliminate(double *restrict row, const double *restrict pivot, uint32_t from, uint32_t k)
{
    double factor = pivot[from];
    for (uint32_t j = from; j < k; j++) row[j] -= factor * pivot[j];
}

/* Factors the upper triangle in place, row i becoming row i of R with A = R^T R; false if a pivot is not positive. */
static bool factor(double *a, uint32_t k)
{
    for (uint32_t start = 0; start < k; start += PANEL) {
        uint32_t end = start + PANEL < k ? start + PANEL : k;
        for (uint32_t i = start; i < end; i++) {
            double *row = a + (uint64_t)i * k;
            for (uint32_t p = start; p < i; p++) eliminate(row, a + (uint64_t)p * k, i, k);
            if (!(row[i] > 0.0)) return false;
            double root = sqrt(row[i]);
            for (uint32_t j = i; j < k; j++) row[j] /= root;
            row[i] = root;
        }
        for (uint32_t i = end; i < k; i++)
            for (uint32_t p = start; p < end; p++) eliminate(a + (uint64_t)i * k, a + (uint64_t)p * k, i, k);
    }
    return true;
}

/* square I - E E^T from the exact Gram matrix; returns the largest magnitude that went into an entry. */
static double shifted(const gram *g, double square, double *a)
{
    double constant = g->mean * g->mean * g->longer, largest = square;
    for (uint32_t i = 0; i < g->order; i++)
        for (uint32_t j = i; j < g->order; j++) {
            uint64_t at = (uint64_t)i * g->order + j;
            double cross = g->mean * (g->sums[i] + g->sums[j]), sum = g->products[at] + cross + constant;
            if (sum > largest) largest = sum;
            a[at] = (i == j ? square : 0.0) - (g->products[at] - cross + constant);
        }
    return largest + square;
}

static ioa_status certify(const gram *g, double estimated, uint64_t *work, double *norm, ioa_error *error)
{
    uint64_t order = g->order, cubic = order * order * (order / 24 + 2); /* eight multiply-adds count as one step */
    *norm = INFINITY;
    if (order > MOST_ORDER || !(estimated < INFINITY) || !ioa_work_spend(work, cubic)) return IOA_OK;
    double *a = ioa_alloc(order * order, sizeof *a);
    if (!a) return ioa_fail_nomem(error, "the spectral certificate", order * order, sizeof *a);
    for (size_t i = 0; i < sizeof margins / sizeof *margins; i++) {
        if (i && !ioa_work_spend(work, cubic)) break;
        double square = estimated * estimated * margins[i] + g->mean * g->mean;
        double largest = shifted(g, square, a), trace = 0.0;
        for (uint64_t j = 0; j < order; j++) trace += a[j * order + j];
        if (!factor(a, g->order)) continue;
        /* Twice the theorem's term, and twice the roundings of an entry over a matrix of order x order of them. */
        double n = g->order, unit = DBL_EPSILON / 2;
        double slack = 2.0 * (n + 2.0) * unit * fabs(trace) + 16.0 * n * unit * largest;
        *norm = sqrt(square + slack) * (1.0 + 0x1p-40);
        break;
    }
    ioa_free(a);
    return IOA_OK;
}

ioa_status ioa_priced_layer_norm(const ioa_priced_layer *l, double estimated, uint64_t *work, double *norm,
                                 ioa_error *error)
{
    gram g = {.order = l->n <= l->m ? l->n : l->m, .longer = l->n <= l->m ? l->m : l->n, .mean = l->mean,
                  .sums = l->n <= l->m ? l->row : l->column};
    *norm = INFINITY;
    uint64_t squares = 0, order = g.order;
    for (uint32_t v = 0; v < l->m; v++) {
        uint64_t size = l->offsets[v + 1] - l->offsets[v];
        squares += l->n <= l->m ? size * size : size * 8;
    }
    if (l->n > l->m) squares += l->connections * (l->connections / l->n + 1) * 2;
    if (order > MOST_ORDER || !ioa_work_spend(work, squares)) return IOA_OK;
    double *products = ioa_alloc(order * order, sizeof *products);
    g.products = products;
    ioa_status status = products && make_gram(l, g.order, products)
                            ? certify(&g, estimated, work, norm, error)
                            : ioa_fail_nomem(error, "the spectral certificate", order * order, sizeof *products);
    ioa_free(products);
    return status;
}
