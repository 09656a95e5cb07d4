/* Medians with their spread. */
#ifndef IOA_CORE_QUARTILES_H
#define IOA_CORE_QUARTILES_H

#include <stdint.h>

typedef struct ioa_quartiles {
    double q1, median, q3;
} ioa_quartiles;

/* First quartile, median and third quartile of `count` >= 1 values, interpolated linearly; sorts `values`. */
ioa_quartiles ioa_quartiles_of(double *values, uint32_t count);

#endif
