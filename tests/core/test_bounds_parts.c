/* The parts of the certified bound, each against something slower that is obviously right. */
#include "core/base/mem.h"
#include "core/base/rng.h"
#include "core/bounds/bounds_collect.h"
#include "core/bounds/bounds_flow.h"
#include "core/bounds/bounds_internal.h"
#include "core/bounds/bounds_spectrum.h"
#include "tests/support/unit.h"

#include <math.h>
#include <string.h>

#define MOST 5u /* neurons on a side of the tiny layers */

typedef struct tiny {
    ioa_priced_layer layer;
    uint64_t offsets[MOST + 1];
    uint32_t sources[MOST * MOST];
    double price[MOST * MOST], row[MOST], column[MOST], table[MOST][MOST];
    double sorted_row[MOST + 1], sorted_column[MOST + 1], dearest;
} tiny;

static void running_largest(const double *values, uint32_t count, double *sums)
{
    bool used[MOST] = {false};
    sums[0] = 0.0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t best = count;
        for (uint32_t j = 0; j < count; j++)
            if (!used[j] && (best == count || values[j] > values[best])) best = j;
        used[best] = true;
        sums[i + 1] = sums[i] + values[best];
    }
}

/* A random layer; every neuron has a connection. */
static void draw_tiny(tiny *t, ioa_pcg32 *rng)
{
    *t = (tiny){0};
    ioa_priced_layer *l = &t->layer;
    l->n = 1 + ioa_pcg32_below(rng, MOST);
    l->m = 1 + ioa_pcg32_below(rng, MOST);
    uint32_t density = 30 + ioa_pcg32_below(rng, 71), range = 1 + ioa_pcg32_below(rng, 1000);
    for (uint32_t u = 0; u < l->n; u++)
        for (uint32_t v = 0; v < l->m; v++)
            if (ioa_pcg32_below(rng, 100) < density || u == v || u % l->m == v || v % l->n == u)
                t->table[u][v] = 1 + ioa_pcg32_below(rng, range);
    for (uint32_t v = 0; v < l->m; v++) {
        for (uint32_t u = 0; u < l->n; u++) {
            double price = t->table[u][v];
            if (price == 0.0) continue;
            t->sources[l->connections] = u;
            t->price[l->connections++] = price;
            t->row[u] += price;
            t->column[v] += price;
            l->total += price;
            if (price > t->dearest) t->dearest = price;
        }
        t->offsets[v + 1] = l->connections;
    }
    l->offsets = t->offsets;
    l->sources = t->sources;
    l->price = t->price;
    l->row = t->row;
    l->column = t->column;
    l->mean = l->total / ((double)l->n * l->m);
    running_largest(t->row, l->n, t->sorted_row);
    running_largest(t->column, l->m, t->sorted_column);
}

static double certified_norm(const ioa_priced_layer *layer)
{
    uint64_t work = 1000000000;
    double norm;
    assert_int_equal(ioa_priced_layer_estimate(layer, 100, &work, &norm, NULL), IOA_OK);
    assert_int_equal(ioa_priced_layer_norm(layer, norm, &work, &norm, NULL), IOA_OK);
    return norm;
}

static void certified_norms_are_above_every_quotient(void **state)
{
    (void)state;
    ioa_pcg32 rng = ioa_rng_keyed(1, IOA_RNG_TEST, 31, 0);
    for (int round = 0; round < 2000; round++) {
        tiny t;
        draw_tiny(&t, &rng);
        double norm = certified_norm(&t.layer), frobenius = 0.0;
        assert_true(norm < INFINITY);
        for (uint32_t u = 0; u < t.layer.n; u++)
            for (uint32_t v = 0; v < t.layer.m; v++) frobenius += pow(t.table[u][v] - t.layer.mean, 2);
        assert_true(norm <= 1.2 * sqrt(frobenius) + 1.01 * t.layer.mean);
        double y[MOST];
        for (uint32_t v = 0; v < t.layer.m; v++) y[v] = ioa_pcg32_double(&rng) - 0.5;
        for (int power = 0; power < 60; power++) { /* towards the top singular vector */
            double x[MOST] = {0}, length = 0.0, image = 0.0;
            for (uint32_t v = 0; v < t.layer.m; v++) length += y[v] * y[v];
            for (uint32_t u = 0; u < t.layer.n; u++)
                for (uint32_t v = 0; v < t.layer.m; v++) x[u] += (t.table[u][v] - t.layer.mean) * y[v];
            for (uint32_t u = 0; u < t.layer.n; u++) image += x[u] * x[u];
            assert_true(image <= norm * norm * length * (1.0 + 1e-12));
            if (!(image > 0.0)) break;
            for (uint32_t v = 0; v < t.layer.m; v++) {
                y[v] = 0.0;
                for (uint32_t u = 0; u < t.layer.n; u++) y[v] += (t.table[u][v] - t.layer.mean) * x[u] / sqrt(image);
            }
        }
    }
}

/* The dearest shape of at most the given sizes, by trying all sets: each source is in X, in A or in neither. */
static double dearest_shape(const tiny *t, uint64_t budget, const uint64_t cost[2], uint64_t resident)
{
    uint32_t n = t->layer.n, m = t->layer.m;
    double best = 0.0;
    for (uint32_t x = 0; x < 1u << n; x++)
        for (uint32_t y = 0; y < 1u << m; y++) {
            uint64_t paid = cost[0] * (uint64_t)__builtin_popcount(x) + cost[1] * (uint64_t)__builtin_popcount(y);
            if (paid > budget) continue;
            for (uint32_t a = 0; a < 1u << n; a++)
                for (uint32_t b = 0; b < 1u << m; b++) {
                    if (a & x || b & y || (uint64_t)(__builtin_popcount(a) + __builtin_popcount(b)) > resident)
                        continue;
                    double price = 0.0;
                    for (uint32_t u = 0; u < n; u++)
                        for (uint32_t v = 0; v < m; v++) {
                            uint32_t us = 1u << u, vs = 1u << v;
                            if ((us & x && vs & (b | y)) || (us & a && vs & y)) price += t->table[u][v];
                        }
                    if (price > best) best = price;
                }
        }
    return best;
}

static void no_shape_is_dearer_than_its_bound(void **state)
{
    (void)state;
    static const uint64_t costs[][2] = {{1, 1}, {1, 2}, {2, 3}, {2, 1}};
    ioa_pcg32 rng = ioa_rng_keyed(2, IOA_RNG_TEST, 31, 0);
    uint32_t close = 0, compared = 0;
    for (int round = 0; round < 150; round++) {
        tiny t;
        draw_tiny(&t, &rng);
        const ioa_priced_layer *l = &t.layer;
        if (l->n + l->m > 8) continue;
        double rows = 0.0, columns = 0.0; /* largest deviations upwards */
        for (uint32_t u = 0; u < l->n; u++) rows = fmax(rows, t.row[u] - l->total / l->n);
        for (uint32_t v = 0; v < l->m; v++) columns = fmax(columns, t.column[v] - l->total / l->m);
        ioa_collector c = {.n = l->n, .m = l->m, .mean = (l->mean + columns / l->n + rows / l->m) * (1.0 + 1e-9),
                           .norm = certified_norm(l), .dearest = t.dearest, .row = t.sorted_row,
                           .column = t.sorted_column, .slots = 1000};
        const uint64_t *cost = costs[round % 4];
        for (uint64_t budget = 0; budget < 8; budget += 1 + budget / 4)
            for (uint64_t resident = 0; resident < 5; resident += 2) {
                double bound = ioa_collect(&c, budget, cost[0], cost[1], resident);
                double price = dearest_shape(&t, budget, cost, resident);
                assert_true(price <= bound);
                compared++;
                close += price > 0.0 && price > 0.8 * bound;
            }
    }
    assert_true(compared > 300);
    assert_true(close * 5 > compared); /* and the bound is not idle either */
}

/* Max flow against the least set of vertices that meets all paths, by trying all sets. */
static void flows_equal_least_cuts(void **state)
{
    (void)state;
    ioa_pcg32 rng = ioa_rng_keyed(3, IOA_RNG_TEST, 31, 0);
    for (int round = 0; round < 2000; round++) {
        uint32_t n = 2 + ioa_pcg32_below(&rng, 9), starts = 1 + ioa_pcg32_below(&rng, n - 1);
        uint32_t ends = 1 + ioa_pcg32_below(&rng, n - starts);
        uint8_t capacity[16];
        uint64_t offsets[17] = {0};
        uint32_t sources[256], density = 10 + ioa_pcg32_below(&rng, 90);
        for (uint32_t v = 0; v < n; v++) {
            capacity[v] = (uint8_t)ioa_pcg32_below(&rng, 3);
            offsets[v + 1] = offsets[v];
            for (uint32_t u = 0; v >= starts && u < v && u < n - ends; u++)
                if (ioa_pcg32_below(&rng, 100) < density) sources[offsets[v + 1]++] = u;
        }
        uint32_t least = UINT32_MAX;
        for (uint32_t cut = 0; cut < 1u << n; cut++) {
            uint32_t reached = 0, price = 0;
            for (uint32_t v = 0; v < n; v++) {
                if (cut >> v & 1) {
                    price += capacity[v];
                    continue;
                }
                if (v < starts) reached |= 1u << v;
                for (uint64_t e = offsets[v]; e < offsets[v + 1]; e++)
                    if (reached >> sources[e] & 1) reached |= 1u << v;
            }
            if (reached >> (n - ends) == 0 && price < least) least = price;
        }
        ioa_flow_graph graph = {n, starts, ends, capacity, offsets, sources};
        uint64_t flow = 0, work = 1000000;
        assert_int_equal(ioa_flow_vertices(&graph, &work, &flow, NULL), IOA_OK);
        assert_int_equal(flow, least);
        for (work = 1; work < 60; work += 7) { /* whatever the work allows is a flow too */
            uint64_t left = work, part = 0;
            assert_int_equal(ioa_flow_vertices(&graph, &left, &part, NULL), IOA_OK);
            assert_true(part <= flow);
        }
    }
}

/* Unions of ancestor sets with many equal ones, against all choices of k of them. */
static void unions_are_exact_for_groups(void **state)
{
    (void)state;
    ioa_pcg32 rng = ioa_rng_keyed(4, IOA_RNG_TEST, 31, 0);
    for (int round = 0; round < 300; round++) {
        uint32_t uppers = 1 + ioa_pcg32_below(&rng, 10), kinds = 1 + ioa_pcg32_below(&rng, 6);
        uint64_t kind[6], sets[10], all = 0;
        uint32_t least[11] = {0}, truth[11];
        for (uint32_t i = 0; i < kinds; i++)
            kind[i] = (uint64_t)ioa_pcg32_next(&rng) & ioa_pcg32_next(&rng) & 0xffff0000ffffu;
        for (uint32_t i = 0; i < uppers; i++) all |= sets[i] = kind[ioa_pcg32_below(&rng, kinds)];
        memset(truth, 0xff, sizeof truth);
        for (uint32_t chosen = 0; chosen < 1u << uppers; chosen++) {
            uint64_t together = 0;
            for (uint32_t i = 0; i < uppers; i++)
                if (chosen >> i & 1) together |= sets[i];
            uint32_t size = (uint32_t)__builtin_popcountll(together), k = (uint32_t)__builtin_popcount(chosen);
            if (size < truth[k]) truth[k] = size;
        }
        ioa_reach reach = {.sets = sets, .words = 1, .uppers = uppers,
                           .ancestors = (uint32_t)__builtin_popcountll(all)};
        uint64_t work = 1000000;
        assert_int_equal(ioa_bounds_unions(&reach, &work, least, NULL), IOA_OK);
        for (uint32_t k = 1; k <= uppers; k++) {
            assert_true(least[k] <= truth[k]);
            assert_true(least[k] >= least[k - 1]);
        }
        assert_int_equal(least[1], truth[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certified_norms_are_above_every_quotient),
        cmocka_unit_test(no_shape_is_dearer_than_its_bound),
        cmocka_unit_test(flows_equal_least_cuts),
        cmocka_unit_test(unions_are_exact_for_groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
