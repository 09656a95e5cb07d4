/* Independent verification of an order: what stands behind `verified` in an archive and behind `ioanneal check`.
 *
 * Nothing of the search is used: legality is checked step by step, the I/O is recounted by the reference simulator
 * (core/model/memory_reference.h, and the fast one where the reference would take minutes), and inference, of the order's
 * own steps and of the optimized plan, is compared with float64, neuron by neuron. */
#ifndef IOA_VERIFY_H
#define IOA_VERIFY_H

#include "core/model/objective.h"
#include "core/plan/plan_exact.h"

#include <ioanneal/memory.h>
#include <ioanneal/network.h>
#include <stdbool.h>

typedef struct ioa_verdict {
    bool legal;      /* a permutation that respects precedence */
    bool recounted;  /* the I/O is what was claimed */
    bool exact;      /* inference within the error bound on every output, of every plan looked at */
    ioa_io io[IOA_MOST_LEVELS]; /* as recounted, level by level; 0 unless legal */
    bool reference;  /* recounted by the reference simulator too */
    ioa_exactness exactness; /* of the plan asked for, else of the one that does exactly the order's steps */
    char plan[IOA_PLAN_NAME]; /* its name */
    char reason[IOA_ERROR_TEXT];     /* the first thing that failed, or "" */
} ioa_verdict;

/* What is claimed of an order. */
typedef struct ioa_claim {
    const ioa_objective *objective;
    uint64_t total;   /* by the objective: of one memory, reads + writes */
    const ioa_io *io; /* [levels] the same apart, or NULL */
} ioa_claim;

/* All three hold. */
bool ioa_verdict_passed(const ioa_verdict *verdict);

/* Verifies `order` [W] against the I/O it claims. Inference is checked step by step in the order, and as done by `plan`
 * where that is not NULL: the optimized plan that inference will use (passed over where this machine cannot run it).
 * Inputs are random, keyed by `seed`. A failed check is not an error: the status is IOA_OK and the verdict says what
 * failed. IOA_ERR_NOMEM, IOA_ERR_INPUT (a memory < 3). */
ioa_status ioa_verify(const ioa_network *network, const uint32_t *order, const ioa_claim *claim,
                      const ioa_plan_options *plan, uint64_t seed, ioa_verdict *verdict, ioa_error *error);

#endif
