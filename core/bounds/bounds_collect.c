#include "core/bounds/bounds_collect.h"

#include <math.h>

#define UPWARDS (1.0 + 0x1p-30) /* dwarfs the rounding of the few operations of an evaluation */
#define TOLERANCE (1.0 + 0x1p-12)

static double least(double a, double b)
{
    return a < b ? a : b;
}

static uint64_t least_count(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* 1 - part / whole, for part <= whole. */
static double rest(double part, double whole)
{
    return part < whole ? 1.0 - part / whole : 0.0;
}

/* The price of X x (B u Y) and A x Y, |X| = x, |Y| = y, |A| = a, |B| = b, collected by at most `source_loads`
 * and `destination_loads` loads, `loads` together; a neuron may be loaded more than once. See core/bounds/bounds.h, B. */
static double shape_price(const ioa_collector *c, double x, double y, double a, double b, double source_loads,
                          double destination_loads, double loads)
{
    double n = c->n, m = c->m, area = x * (b + y) + a * y;
    /* Squared Frobenius norm of the shape with the constant vectors projected out; all of it plus twice the product
     * of its two singular values is the square of its nuclear norm. The subtraction's rounding is given back. */
    double whole = x * rest(x, n) * (b + y) * rest(b + y, m) + a * rest(a, n) * y * rest(y, m);
    double common = 2.0 * (x * a / n) * y * rest(b + y, m);
    double frobenius = whole > common ? whole - common : 0.0;
    double product = sqrt(x * a * rest(x + a, n)) * sqrt(b * y * rest(b + y, m));
    double nuclear = sqrt(frobenius + 2.0 * product + whole * 0x1p-40);
    double spectral = c->mean * area + c->norm * nuclear;

    /* Everything that X or Y touches, and what their loads collect: each meets at most C - 1 residents. */
    double most = c->dearest * (double)(c->slots - 1), rows = c->row[(uint64_t)x], columns = c->column[(uint64_t)y];
    double by_loads = least(rows, most * source_loads) + least(columns, most * destination_loads);
    double beside = c->mean * (x * b) + c->norm * sqrt(x * rest(x, n) * b * rest(b, m));
    double before = c->mean * (a * y) + c->norm * sqrt(a * rest(a, n) * y * rest(y, m));
    double price = least(spectral, by_loads);
    price = least(price, beside + columns);
    price = least(price, before + rows);
    price = least(price, least(c->dearest * area, most * loads));
    return price;
}

typedef struct ranges {
    uint64_t y1, y2, a1, a2;
} ranges;

typedef struct phase_limits {
    uint64_t budget, source_cost, destination_cost, resident;
} phase_limits;

/* No phase with y1 <= y <= y2 and a1 <= a <= a2 collects more: each range is taken at its widest. */
static double bound_ranges(const ioa_collector *c, const phase_limits *p, ranges r)
{
    uint64_t sources = (p->budget - p->destination_cost * r.y1) / p->source_cost;
    uint64_t x = least_count(sources, c->n), y = least_count(r.y2, c->m);
    uint64_t a = least_count(r.a2, c->n - x), b = least_count(p->resident - r.a1, c->m - y);
    /* How many loads a phase has changes with y in one direction only. */
    uint64_t few = r.y1 + sources, many = r.y2 + (p->budget - p->destination_cost * r.y2) / p->source_cost;
    uint64_t loads = p->source_cost < p->destination_cost ? few : many;
    return shape_price(c, (double)x, (double)y, (double)a, (double)b, (double)sources, (double)r.y2, (double)loads);
}

double ioa_collect(ioa_collector *c, uint64_t budget, uint64_t source_cost, uint64_t destination_cost,
                   uint64_t resident)
{
    const phase_limits p = {budget, source_cost, destination_cost, resident};
    ranges stack[160]; /* depth first: at most one range waits per halving */
    uint32_t waiting = 0;
    double best = 0.0;
    stack[waiting++] = (ranges){0, budget / destination_cost, 0, resident};
    while (waiting) {
        ranges r = stack[--waiting];
        c->evaluations++;
        double bound = bound_ranges(c, &p, r);
        if (bound <= best * TOLERANCE) continue;
        uint64_t high = r.y2 - r.y1, wide = r.a2 - r.a1;
        if (high == 0 && wide == 0) {
            best = bound;
            continue;
        }
        ranges lower = r, upper = r;
        if (high >= wide) {
            lower.y2 = r.y1 + high / 2;
            upper.y1 = lower.y2 + 1;
        } else {
            lower.a2 = r.a1 + wide / 2;
            upper.a1 = lower.a2 + 1;
        }
        /* A corner of each half: an actual phase, which tells which half to open first. */
        double low = bound_ranges(c, &p, (ranges){lower.y1, lower.y1, lower.a1, lower.a1});
        double up = bound_ranges(c, &p, (ranges){upper.y2, upper.y2, upper.a2, upper.a2});
        if (low > best) best = low;
        if (up > best) best = up;
        stack[waiting++] = low > up ? upper : lower;
        stack[waiting++] = low > up ? lower : upper;
    }
    return best * TOLERANCE * UPWARDS;
}
