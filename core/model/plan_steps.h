/* First half of making a plan: which connections are executed, in which sequence, and what became of the rest. */
#ifndef IOA_CORE_PLAN_STEPS_H
#define IOA_CORE_PLAN_STEPS_H

#include <ioanneal/plan.h>
#include <stdbool.h>

/* All arrays owned; release with ioa_plan_steps_clear. */
typedef struct ioa_plan_steps {
    uint64_t count;
    uint32_t *edges;        /* [count] connections in execution order */
    uint32_t *destinations; /* [W] destination of every connection of the network */
    uint32_t *incoming;     /* [N] executed incoming connections */
    uint32_t *outgoing;     /* [N] executed outgoing connections */
    float *bias;            /* [N] with the contributions of folded constants */
    bool *constant;         /* [N] the value is known beforehand */
    float *value;           /* [N] where constant */
} ioa_plan_steps;

/* Without `prune` (layout ORDER only) every connection is kept, and only neurons without incoming connections are
 * constants. With it constants (neurons that no input reaches) are folded into the biases of their destinations and
 * neurons from which no output can be reached are dropped. `order` as in ioa_plan_create. IOA_ERR_NOMEM. */
ioa_status ioa_plan_steps_make(const ioa_network *network, const uint32_t *order, ioa_layout layout, bool prune,
                               ioa_plan_steps *steps, ioa_error *error);

void ioa_plan_steps_clear(ioa_plan_steps *steps);

#endif
