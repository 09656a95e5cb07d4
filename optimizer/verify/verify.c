#include "optimizer/verify/verify.h"

#include "core/mem.h"
#include "core/memory_reference.h"
#include "core/network.h"
#include "core/reference.h"
#include "core/rng.h"

#include <inttypes.h>
#include <ioanneal/plan.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* The reference simulator looks at every slot in every step; beyond this many looks (about ten seconds) the fast
 * simulator alone recounts. Tests hold the two against each other. */
#define REFERENCE_LOOKS 4.0e9

#define BATCH 8 /* vectors compared */

bool ioa_verdict_passed(const ioa_verdict *verdict)
{
    return verdict->legal && verdict->recounted && verdict->exact;
}

static void give_reason(ioa_verdict *verdict, const char *text)
{
    if (!verdict->reason[0]) snprintf(verdict->reason, sizeof verdict->reason, "%s", text);
}

static ioa_status recount(const ioa_network *network, const uint32_t *order, uint64_t memory, ioa_policy policy,
                          ioa_io claimed, ioa_verdict *verdict, ioa_error *error)
{
    ioa_status status = ioa_memory_count(network, order, memory, policy, &verdict->io, error);
    if (status != IOA_OK) return status;
    uint64_t slots = memory < network->a.neurons ? memory : network->a.neurons;
    if (3.0 * (double)network->connections * (double)slots <= REFERENCE_LOOKS) {
        ioa_io slow;
        status = ioa_memory_count_reference(network, order, memory, policy, &slow, error);
        if (status != IOA_OK) return status;
        verdict->reference = true;
        if (slow.reads != verdict->io.reads || slow.writes != verdict->io.writes) {
            give_reason(verdict, "the two simulators disagree");
            return IOA_OK;
        }
    }
    verdict->recounted = verdict->io.reads == claimed.reads && verdict->io.writes == claimed.writes;
    if (verdict->recounted) return IOA_OK;
    char text[256];
    snprintf(text, sizeof text,
             "recounted %" PRIu64 " reads and %" PRIu64 " writes, but %" PRIu64 " and %" PRIu64 " are claimed",
             verdict->io.reads, verdict->io.writes, claimed.reads, claimed.writes);
    give_reason(verdict, text);
    return IOA_OK;
}

static void compare(const float *y, const double *reference, const double *bound, uint64_t count, ioa_verdict *verdict)
{
    uint64_t nonzero = 0, bad = 0;
    for (uint64_t i = 0; i < count; i++) {
        double off = fabs((double)y[i] - reference[i]), scale = fabs(reference[i]) > 1.0 ? fabs(reference[i]) : 1.0;
        nonzero += reference[i] != 0.0;
        bad += !(off <= bound[i]); /* not-a-number counts as bad */
        if (off > verdict->max_abs_error) verdict->max_abs_error = off;
        if (off / scale > verdict->max_rel_error) verdict->max_rel_error = off / scale;
        if (bound[i] > verdict->error_bound) verdict->error_bound = bound[i];
    }
    verdict->nonzero = count ? (double)nonzero / (double)count : 0.0;
    verdict->exact = bad == 0;
    if (bad == 0) return;
    char text[256];
    snprintf(text, sizeof text, "inference is off by up to %.3g on %" PRIu64 " of %" PRIu64 " outputs",
             verdict->max_abs_error, bad, count);
    give_reason(verdict, text);
}

/* Inputs in [-1, 1) first; if nothing comes out of a network but zeros, then [0, 1), and then larger ones. */
static const struct {
    double scale, shift;
} input_kinds[] = {{2.0, -1.0}, {1.0, 0.0}, {10.0, 0.0}, {200.0, -100.0}};

static ioa_status check_inference(const ioa_network *network, const uint32_t *order, uint64_t seed,
                                  ioa_verdict *verdict, ioa_error *error)
{
    uint64_t inputs = network->a.inputs, outputs = network->a.outputs;
    ioa_plan *plan = NULL;
    ioa_plan_options options = {.layout = IOA_LAYOUT_ORDER, .tile = 16};
    ioa_status status = ioa_plan_create(network, order, &options, &plan, error);
    if (status != IOA_OK) return status;
    float *x = ioa_alloc(BATCH * inputs, sizeof *x), *y = ioa_alloc(BATCH * outputs, sizeof *y);
    double *reference = ioa_alloc(BATCH * outputs, sizeof *reference), *bound = ioa_alloc(BATCH * outputs, sizeof *bound);
    void *scratch = ioa_alloc(ioa_plan_scratch_bytes(plan), 1);
    if (!x || !y || !reference || !bound || !scratch)
        status = ioa_fail_nomem(error, "verification of inference", BATCH * (inputs + outputs), 12);
    for (size_t kind = 0; status == IOA_OK && kind < sizeof input_kinds / sizeof *input_kinds; kind++) {
        ioa_pcg32 rng = ioa_rng_keyed(seed, IOA_RNG_VERIFY, kind, 0);
        for (uint64_t i = 0; i < BATCH * inputs; i++)
            x[i] = (float)(ioa_pcg32_double(&rng) * input_kinds[kind].scale + input_kinds[kind].shift);
        status = ioa_reference_run(network, x, BATCH, reference, bound, error);
        if (status != IOA_OK) break;
        ioa_plan_run(plan, x, y, BATCH, scratch);
        compare(y, reference, bound, BATCH * outputs, verdict);
        if (!verdict->exact || verdict->nonzero > 0.0) break;
    }
    ioa_plan_destroy(plan);
    ioa_free(x);
    ioa_free(y);
    ioa_free(reference);
    ioa_free(bound);
    ioa_free(scratch);
    return status;
}

ioa_status ioa_verify(const ioa_network *network, const uint32_t *order, uint64_t memory, ioa_policy policy,
                      ioa_io claimed, uint64_t seed, ioa_verdict *verdict, ioa_error *error)
{
    memset(verdict, 0, sizeof *verdict);
    ioa_error offence = {0};
    ioa_status status = ioa_order_check(network, order, &offence);
    if (status == IOA_ERR_INPUT) {
        give_reason(verdict, offence.text);
        return IOA_OK;
    }
    if (status != IOA_OK) return ioa_fail(error, status, "%s", offence.text);
    verdict->legal = true;
    status = recount(network, order, memory, policy, claimed, verdict, error);
    if (status == IOA_OK) status = check_inference(network, order, seed, verdict, error);
    return status;
}
