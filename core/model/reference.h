/* The slow, obvious inference that every plan is checked against: float64, neuron by neuron, libm activations. */
#ifndef IOA_CORE_REFERENCE_H
#define IOA_CORE_REFERENCE_H

#include <ioanneal/network.h>
#include <stddef.h>

/* What a float32 activation may be off, for a given argument x: IOA_ACTIVATION_ERROR * (|act(x)| + min(|x|, 1)). */
#define IOA_ACTIVATION_ERROR 0x1p-20

/* act(x) of one neuron; `activation` is an ioa_activation. */
double ioa_reference_activation(unsigned activation, double x, double param);

/* y = network(x) in float64. x [batch, I] float32, y [batch, S], both row-major.
 *
 * `bound` [batch, S], or NULL: how far a float32 evaluation may be from y, in ANY order of connections, with or
 * without fused multiply-add, with partial sums spilled and reloaded as float32. It is a running forward error bound
 * (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., sections 3.1 and 3.3). With E(u) the bound of a
 * source, u = 2^-24, n the fan-in and gamma_k = k u / (1 - k u), the sum s = bias + sum w value(u) of a neuron is off
 * by at most
 *     D = sum |w| E(u) + gamma_{n+1} (|bias| + sum |w| (|value(u)| + E(u))),
 * since each of the n + 1 terms passes at most one product rounding and n additions. The activation adds its own
 * error and carries D on with its largest slope on [s - D, s + D] or a bound of it:
 *     E = slope * D + IOA_ACTIVATION_ERROR * (|act(s)| + min(|s| + D, 1)).
 * A step whose jump lies within D of s may be off by 1. The bound is sound, not tight: it grows with
 * sum |w| per layer, so for very deep networks it may say little.
 *
 * IOA_ERR_NOMEM (16 bytes per neuron). */
ioa_status ioa_reference_run(const ioa_network *network, const float *x, size_t batch, double *y, double *bound,
                             ioa_error *error);

#endif
