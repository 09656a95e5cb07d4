/* Networks made from a seed: identical on every machine, since all randomness is integer or plain IEEE arithmetic.
 *
 * Weights are uniform with variance 1 / (mean fan-in), biases uniform in [-0.1, 0.1), so that values keep their
 * magnitude through the layers. Each function gives out a network the caller destroys; IOA_ERR_INPUT for impossible
 * parameters, IOA_ERR_NOMEM. */
#ifndef IOA_CORE_GENERATE_H
#define IOA_CORE_GENERATE_H

#include <ioanneal/network.h>

typedef struct ioa_generate_common {
    uint64_t seed;
    ioa_activation hidden; /* of hidden neurons */
    ioa_activation last;   /* of outputs */
} ioa_generate_common;

/* Layers of widths [count >= 2], each possible connection between neighbours present with probability `density`
 * in (0, 1]. O(W) time: absent connections are skipped over geometrically. */
ioa_status ioa_generate_mlp(const uint32_t *widths, uint32_t count, double density, const ioa_generate_common *common,
                            ioa_network **network, ioa_error *error);

/* Compact growth (the paper, section on I/O-optimal networks): the network grows neuron by neuron beside a resident
 * set of at most memory - 1 neurons, itself included. A new neuron draws `fan_in` distinct sources from the resident
 * set and joins it; to make room one of these sources, chosen at random, is retired and never used again. The layered
 * order costs exactly LB under MIN with `memory` slots or more, and more than LB with fewer as soon as the set was
 * once full of neurons in use. Inputs enter the set evenly spread over the growth. Neurons that
 * never become a source are the outputs.
 * neurons: non-input neurons, at least 1; inputs >= 1; memory >= 3; 1 <= fan_in; fewer sources are drawn while the
 * resident set is smaller. */
ioa_status ioa_generate_compact_growth(uint32_t inputs, uint32_t neurons, uint32_t memory, uint32_t fan_in,
                                       const ioa_generate_common *common, ioa_network **network, ioa_error *error);

/* RadiX-Net (Robinett and Kepner, "RadiX-Net: Structured Sparse Matrices for Deep Neural Networks", 2019): `layers`
 * layers of connections between layers of width = product of the radices [count]; layer l has radix r = radices[l mod
 * count] and place value p = product of the radices before it, and joins neuron i to i + j p (mod width), 0 <= j < r. */
ioa_status ioa_generate_radixnet(const uint32_t *radices, uint32_t count, uint32_t layers,
                                 const ioa_generate_common *common, ioa_network **network, ioa_error *error);

/* Layers of equal width whose neurons form `communities` groups: connections within a group have density `inside` in
 * (0, 1], those between groups `outside` in [0, 1]. */
ioa_status ioa_generate_community(uint32_t width, uint32_t layers, uint32_t communities, double inside, double outside,
                                  const ioa_generate_common *common, ioa_network **network, ioa_error *error);

/* A DAG with skips: each of `neurons` neurons behind the inputs draws `fan_in` sources (fewer if some are drawn twice)
 * among the `reach` ids before it, or among all if `reach` is 0. The last `outputs` neurons are the outputs. */
ioa_status ioa_generate_dag(uint32_t inputs, uint32_t neurons, uint32_t outputs, uint32_t fan_in, uint32_t reach,
                            const ioa_generate_common *common, ioa_network **network, ioa_error *error);

/* The same network with the neurons of each layer renumbered at random, which hides any structure in the ids; inputs
 * and outputs keep their places in the vectors, so it computes the same function. Without layers it is a copy.
 * IOA_ERR_INPUT for networks with activation parameters. */
ioa_status ioa_network_permute(const ioa_network *network, uint64_t seed, ioa_network **permuted, ioa_error *error);

/* The same network with parameters for activations that take one: `last` for those of outputs, `hidden` for the others. */
ioa_status ioa_network_parametrize(const ioa_network *network, float hidden, float last, ioa_network **made,
                                   ioa_error *error);

#endif
