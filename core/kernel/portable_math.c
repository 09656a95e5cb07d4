#include "core/kernel/portable_math.h"

#include <math.h>

#define LOG2 0.69314718055994531
#define LOG2_HIGH 0x1.62e42fee00000p-1 /* the first 32 bits of log 2: exact products with small integers */
#define LOG2_LOW 0x1.a39ef35793c76p-33

/* log x = e log 2 + 2 atanh((m - 1) / (m + 1)) for x = m 2^e with m in [1/sqrt 2, sqrt 2). */
double ioa_portable_log(double x)
{
    int exponent;
    double m = frexp(x, &exponent);
    if (m < 0.70710678118654752) {
        m *= 2.0;
        exponent--;
    }
    double s = (m - 1.0) / (m + 1.0), square = s * s, sum = 0.0;
    for (int k = 27; k >= 1; k -= 2) sum = sum * square + 1.0 / k;
    return exponent * LOG2 + 2.0 * s * sum;
}

/* exp x = 2^k exp r with |r| <= log 2 / 2, exp r by its series to the 14th power. */
double ioa_portable_exp(double x)
{
    if (x < -700.0) return 0.0;
    double k = floor(x / LOG2 + 0.5), r = (x - k * LOG2_HIGH) - k * LOG2_LOW, sum = 1.0;
    for (int n = 14; n >= 1; n--) sum = sum * r / n + 1.0;
    return ldexp(sum, (int)k);
}
