#include "core/base/quartiles.h"

#include <stdlib.h>

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

ioa_quartiles ioa_quartiles_of(double *values, uint32_t count)
{
    double q[3];
    qsort(values, count, sizeof *values, compare_doubles);
    for (int i = 0; i < 3; i++) {
        double at = 0.25 * (i + 1) * (count - 1);
        uint32_t below = (uint32_t)at, above = below + 1 < count ? below + 1 : below;
        q[i] = values[below] + (at - below) * (values[above] - values[below]);
    }
    return (ioa_quartiles){q[0], q[1], q[2]};
}
