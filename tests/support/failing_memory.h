/* Every allocation of a piece of work fails once: what every function that obtains memory is tested with. */
#ifndef IOA_TESTS_SUPPORT_FAILING_MEMORY_H
#define IOA_TESTS_SUPPORT_FAILING_MEMORY_H

#include <ioanneal/status.h>
#include <stdint.h>

/* The work. It releases what it obtained and checks that outputs are untouched where it fails. */
typedef ioa_status (*ioa_test_work)(void *context, ioa_error *error);

/* What a failed allocation may lead to besides IOA_ERR_NOMEM. */
typedef enum ioa_test_outcome {
    IOA_TEST_NOMEM = 0,
    IOA_TEST_OR_SYSTEM = 1, /* inside of HDF5, whose drivers cannot hand a status up, it is IOA_ERR_SYSTEM */
    IOA_TEST_OR_OK = 2,     /* the work can do without */
    IOA_TEST_OR_INPUT = 4,  /* cJSON does not say whether the text or memory made it fail */
} ioa_test_outcome;

/* Repeats the work with its 1st, 2nd, .. allocation failing, alone, until it has no more of them and succeeds. Each failure
 * must be reported, in one line. `outcomes`: a sum of ioa_test_outcome. Returns the number of allocations, at least 1. */
uint64_t ioa_test_fail_each_allocation(ioa_test_work work, void *context, unsigned outcomes);

#endif
