/* Random networks and random legal orders for tests.
 *
 * Everything is a pure function of the seed (streams of ioa_rng_keyed with purpose IOA_RNG_TEST). Values stay near
 * magnitude 1: weights are scaled by 1 / sqrt(fan-in). The functions return NULL only if memory is out or the
 * parameters break a rule of <ioanneal/network.h>; a test may assert that they do not. */
#ifndef IOA_TESTS_SUPPORT_RANDOM_NETWORK_H
#define IOA_TESTS_SUPPORT_RANDOM_NETWORK_H

#include "core/base/rng.h"

#include <ioanneal/network.h>
#include <stdbool.h>

#define IOA_TEST_MIXED_ACTIVATIONS (-1)

/* Shape of a random DAG. Start from ioa_test_dag_defaults and change what matters to the test. */
typedef struct ioa_test_dag_params {
    uint32_t neurons;    /* N >= inputs + outputs */
    uint32_t inputs;     /* I >= 1 */
    uint32_t outputs;    /* S >= 1 */
    uint32_t fan_in;     /* incoming connections of a neuron: uniform in 1 .. 2 fan_in - 1, as far as sources exist */
    uint32_t reach;      /* sources are drawn from the `reach` ids before the neuron; 0: from all (long skips) */
    double constants;    /* share of the non-input neurons that get no incoming connection; outputs may be among them */
    double isolated;     /* share of the non-input neurons that nobody may read and that read nobody */
    bool scatter_inputs; /* input ids anywhere instead of 0 .. I-1 */
    bool inner_outputs;  /* outputs anywhere (with outgoing connections too) instead of the last ids */
    int activation;      /* ioa_activation for every neuron, or IOA_TEST_MIXED_ACTIVATIONS */
} ioa_test_dag_params;

/* 60 neurons, 7 inputs, 5 outputs, fan-in 4, everything else mixed in: scattered inputs, inner outputs, 10 %
 * constants, 5 % isolated neurons, all activations. */
ioa_test_dag_params ioa_test_dag_defaults(void);

/* A random DAG. Input and output vectors list their neurons in random sequence. The caller destroys it. */
ioa_network *ioa_test_random_dag(uint64_t seed, ioa_test_dag_params params);

/* A layered perceptron: layers [count] holds the widths (input first, output last), each possible connection exists
 * with probability `density`. Layer offsets are set. The caller destroys it. */
ioa_network *ioa_test_random_mlp(uint64_t seed, const uint32_t *layers, uint32_t count, double density,
                                 int activation);

/* A random legal order: every step draws uniformly among the connections whose source is complete. [W], released
 * with ioa_free. */
uint32_t *ioa_test_random_order(const ioa_network *network, ioa_pcg32 *rng);

/* Standard uniform values in (-1, 1), [count], released with ioa_free. */
float *ioa_test_random_floats(ioa_pcg32 *rng, uint64_t count);

#endif
