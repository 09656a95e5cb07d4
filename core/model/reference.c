#include "core/model/reference.h"

#include "core/base/mem.h"
#include "core/model/network.h"

#include <float.h>
#include <math.h>

double ioa_reference_activation(unsigned activation, double x, double param)
{
    switch (activation) {
    case IOA_ACT_RELU: return x < 0 ? 0 : x;
    case IOA_ACT_GELU: return 0.5 * x * erfc(-x / sqrt(2.0));
    case IOA_ACT_GELU_TANH: return 0.5 * x * (1 + tanh(sqrt(2 / acos(-1.0)) * (x + 0.044715 * x * x * x)));
    case IOA_ACT_SIGMOID: return 1 / (1 + exp(-x));
    case IOA_ACT_TANH: return tanh(x);
    case IOA_ACT_SILU: return x / (1 + exp(-x));
    case IOA_ACT_LEAKY_RELU: return x < 0 ? param * x : x;
    case IOA_ACT_CLIPPED_RELU: return x < 0 ? fmin(0, param) : x > param ? param : x;
    case IOA_ACT_STEP: return x > 0 ? 1 : 0;
    case IOA_ACT_SIN: return sin(x);
    case IOA_ACT_COS: return cos(x);
    case IOA_ACT_GAUSSIAN: return exp(-0.5 * x * x);
    case IOA_ACT_ABS: return fabs(x);
    case IOA_ACT_NEGATE: return -x;
    case IOA_ACT_SQUARE: return x * x;
    default: return x;
    }
}

/* Bound of |act(s') - act(s)| for |s' - s| <= d. */
static double carried_error(unsigned activation, double s, double param, double d)
{
    switch (activation) {
    case IOA_ACT_GELU:
    case IOA_ACT_GELU_TANH: return 1.13 * d;
    case IOA_ACT_SILU: return 1.1 * d;
    case IOA_ACT_SIGMOID: return 0.25 * d;
    case IOA_ACT_GAUSSIAN: return 0.607 * d; /* slope at 1: exp(-1/2) */
    case IOA_ACT_LEAKY_RELU: return fmax(1, fabs(param)) * d;
    case IOA_ACT_STEP: return fabs(s) <= d ? 1 : 0;
    case IOA_ACT_SQUARE: return (2 * fabs(s) + d) * d;
    default: return d; /* slope at most 1 */
    }
}

typedef struct running {
    double *value; /* [N] */
    double *error; /* [N] */
} running;

static void evaluate(const ioa_network_arrays *a, uint32_t v, running *r)
{
    int64_t first = a->indptr[v], last = a->indptr[v + 1];
    double s = a->bias[v], carried = 0, magnitude = fabs(s), param = a->param ? (double)a->param[v] : 0;
    for (int64_t e = first; e < last; e++) {
        double w = a->weights[e], value = r->value[a->indices[e]], error = r->error[a->indices[e]];
        s += w * value;
        carried += fabs(w) * error;
        magnitude += fabs(w) * (fabs(value) + error);
    }
    double terms = (double)(last - first) + 1, gamma = terms * 0x1p-24 / (1 - fmin(terms * 0x1p-24, 0.5));
    double d = carried + gamma * magnitude + terms * FLT_MIN; /* the last for results below the normal range */
    r->value[v] = ioa_reference_activation(a->activation[v], s, param);
    r->error[v] = carried_error(a->activation[v], s, param, d) +
                  IOA_ACTIVATION_ERROR * (fabs(r->value[v]) + fmin(fabs(s) + d, 1)) + FLT_MIN;
}

ioa_status ioa_reference_run(const ioa_network *network, const float *x, size_t batch, double *y, double *bound,
                             ioa_error *error)
{
    const ioa_network_arrays *a = &network->a;
    running r = {ioa_alloc(a->neurons, sizeof *r.value), ioa_alloc(a->neurons, sizeof *r.error)};
    ioa_status status = IOA_OK;
    if (!r.value || !r.error) {
        status = ioa_fail_nomem(error, "the reference run", a->neurons, 2 * sizeof *r.value);
        goto out;
    }
    for (size_t b = 0; b < batch; b++) {
        for (uint32_t i = 0; i < a->inputs; i++) {
            r.value[a->input_ids[i]] = (double)x[b * a->inputs + i];
            r.error[a->input_ids[i]] = 0;
        }
        for (uint32_t v = 0; v < a->neurons; v++)
            if (!network->is_input[v]) evaluate(a, v, &r);
        for (uint32_t s = 0; s < a->outputs; s++) {
            y[b * a->outputs + s] = r.value[a->output_ids[s]];
            if (bound) bound[b * a->outputs + s] = r.error[a->output_ids[s]];
        }
    }
out:
    ioa_free(r.value);
    ioa_free(r.error);
    return status;
}
