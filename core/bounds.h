/* Certified lower bounds on the excess of any evaluation order. (proof below) */
#ifndef IOA_CORE_BOUNDS_H
#define IOA_CORE_BOUNDS_H

#include <ioanneal/network.h>

/* Which argument gave a figure. */
typedef enum ioa_bound_kind {
    IOA_BOUND_COMPULSORY = 0, /* nothing beyond LB is known */
    IOA_BOUND_PHASES,         /* B: loads per phase */
    IOA_BOUND_WAVEFRONT,      /* C: live neurons at a first completion */
    IOA_BOUND_BOTH,           /* D: both at once */
    IOA_BOUND_KIND_COUNT
} ioa_bound_kind;

/* The certified excess is the sum over intervals of layers, lowest first. */
typedef struct ioa_bound_interval {
    uint32_t first, last; /* connections from level `first` up to level `last` */
    ioa_bound_kind kind;
    uint64_t excess;
} ioa_bound_interval;

typedef struct ioa_certificate {
    uint64_t excess;      /* reads + writes >= LB + excess, for any order and policy */
    ioa_bound_kind kind;  /* the one all intervals with a positive figure share, else IOA_BOUND_BOTH */
    int truncated;        /* 1 if the work limit cut the search: more may be provable */
    uint32_t levels;      /* of the network: its layers, or depths of neurons where it has no usable layers */
    uint32_t count;       /* intervals */
    ioa_bound_interval *intervals; /* [count] owned; ioa_certificate_free */
} ioa_certificate;

const char *ioa_bound_kind_name(ioa_bound_kind kind); /* "compulsory", "phases", "wavefront", "phases+wavefront" */

/* Certifies what it can for `memory` slots within a fixed amount of work (seconds, not minutes; the same result on
 * every machine). IOA_ERR_INPUT if memory < 3; IOA_ERR_NOMEM. */
ioa_status ioa_certified_bound(const ioa_network *network, uint64_t memory, ioa_certificate *out, ioa_error *error);

void ioa_certificate_free(ioa_certificate *certificate); /* zeroes it; a zeroed one is allowed */

#endif
