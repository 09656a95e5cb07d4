/* A sparse feed-forward network: a DAG of neurons in topological order.
 *
 * Neurons have ids 0..N-1 and every connection goes from a lower id (source) to a higher one (destination).
 * Connection e is position e of a CSR matrix whose rows are destinations and whose sources ascend within a row.
 *     value(v) = act_v(bias_v + sum over incoming (u, v) of weight * value(u))
 * An input neuron's value is given; a non-input neuron without incoming connections is the constant act(bias). */
#ifndef IOANNEAL_NETWORK_H
#define IOANNEAL_NETWORK_H

#include <ioanneal/status.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* Codes as stored in network files; the numbers never change. `p` is the neuron's activation parameter. */
typedef enum ioa_activation {
    IOA_ACT_IDENTITY = 0,
    IOA_ACT_RELU = 1,
    IOA_ACT_GELU = 2,      /* x/2 (1 + erf(x / sqrt 2)) */
    IOA_ACT_GELU_TANH = 3, /* x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) */
    IOA_ACT_SIGMOID = 4,
    IOA_ACT_TANH = 5,
    IOA_ACT_SILU = 6,         /* x * sigmoid(x) */
    IOA_ACT_LEAKY_RELU = 7,   /* x < 0 ? p x : x */
    IOA_ACT_CLIPPED_RELU = 8, /* min(max(x, 0), p) */
    IOA_ACT_STEP = 9,         /* x > 0 ? 1 : 0 */
    IOA_ACT_SIN = 10,         /* sin(x), radians */
    IOA_ACT_COS = 11,         /* cos(x), radians */
    IOA_ACT_GAUSSIAN = 12,    /* exp(-x^2 / 2) */
    IOA_ACT_ABS = 13,
    IOA_ACT_NEGATE = 14,
    IOA_ACT_SQUARE = 15,
    IOA_ACT_COUNT
} ioa_activation;

/* File name of an activation ("relu"); NULL for an unknown code. */
const char *ioa_activation_name(unsigned code);

/* Code of a name, or -1. */
int ioa_activation_from_name(const char *name);

typedef struct ioa_network ioa_network; /* immutable once created; any number of threads may read it */

/* Arrays that describe a network. Lengths: N = neurons, W = indptr[N]. */
typedef struct ioa_network_arrays {
    uint32_t neurons;      /* N */
    uint32_t inputs;       /* I, at least 1 */
    uint32_t outputs;      /* S, at least 1 */
    uint32_t layers;       /* L, or 0 if no layers are known */
    int64_t *indptr;       /* [N + 1] row offsets, rows = destinations */
    uint32_t *indices;     /* [W] sources, strictly ascending within a row */
    float *weights;        /* [W] */
    float *bias;           /* [N] */
    uint8_t *activation;   /* [N] ioa_activation */
    float *param;          /* [N], or NULL: 0 for every neuron */
    uint32_t *input_ids;   /* [I] neuron of input vector component i */
    uint32_t *output_ids;  /* [S] neuron of output vector component i */
    int64_t *layer_offsets; /* [L + 1] neuron id ranges of the layers, or NULL if L = 0 */
    char *name;            /* NUL-terminated UTF-8, or NULL */
} ioa_network_arrays;

/* Validates `arrays` and takes them over. Every pointer must come from ioa_alloc (core/base/mem.h); use
 * ioa_network_create_copy for arrays of your own. On failure the arrays still belong to the caller.
 * IOA_ERR_INPUT for anything that breaks the rules above: rows out of order, ids out of order or out of range,
 * inputs with incoming connections, outputs that are also inputs, ids listed twice, values that are not finite. */
ioa_status ioa_network_create(ioa_network_arrays *arrays, ioa_network **network, ioa_error *error);

/* The same with copies of the caller's arrays. */
ioa_status ioa_network_create_copy(const ioa_network_arrays *arrays, ioa_network **network, ioa_error *error);

void ioa_network_destroy(ioa_network *network); /* NULL is allowed */

/* The network's own arrays, borrowed until it is destroyed; not to be written. */
const ioa_network_arrays *ioa_network_view(const ioa_network *network);

uint64_t ioa_network_connections(const ioa_network *network); /* W < 2^32 */

/* Compulsory and 2-optimal I/O counts (the paper, theorem 1; derivation in core/model/network.c). */
typedef struct ioa_bounds {
    uint64_t active_neurons; /* N_a: neurons with a connection, plus outputs without one */
    uint64_t active_inputs;  /* I_a: neurons with outgoing but no incoming connections that are not outputs */
    uint64_t lone_outputs;   /* outputs without any connection: 1 read + 1 write each */
    uint64_t lower;          /* LB = W + N_a + S */
    uint64_t upper;          /* UB = 2 (W + N_a - I_a), reached at worst by the layered order */
} ioa_bounds;

ioa_bounds ioa_network_bounds(const ioa_network *network);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
