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

/* ORDER keeps every connection in the order's sequence; only neurons without incoming connections are constants.
 * ROWS and SORTED fold constants (neurons that no input reaches) into the biases of their destinations and drop
 * neurons from which no output can be reached. `order` as in ioa_plan_create. IOA_ERR_NOMEM. */
ioa_status ioa_plan_steps_make(const ioa_network *network, const uint32_t *order, ioa_layout layout,
                               ioa_plan_steps *steps, ioa_error *error);

void ioa_plan_steps_clear(ioa_plan_steps *steps);

#endif
