/* The clock by which things are timed. */
#ifndef IOA_CORE_CLOCK_H
#define IOA_CORE_CLOCK_H

/* Seconds since some moment in the past; never goes back. */
double ioa_clock(void);

#endif
