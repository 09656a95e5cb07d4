#include "optimizer/verify/verify.h"

#include "core/model/memory_reference.h"
#include "core/model/network.h"

#include <inttypes.h>
#include <ioanneal/plan.h>
#include <stdio.h>
#include <string.h>

/* The reference simulator looks at every slot in every step; beyond this many looks (about ten seconds) the fast
 * simulator alone recounts. Tests hold the two against each other. */
#define REFERENCE_LOOKS 4.0e9

#define SAMPLES 8u /* vectors compared, fewer of very large networks */

bool ioa_verdict_passed(const ioa_verdict *verdict)
{
    return verdict->legal && verdict->recounted && verdict->exact;
}

static void give_reason(ioa_verdict *verdict, const char *text)
{
    if (!verdict->reason[0]) snprintf(verdict->reason, sizeof verdict->reason, "%s", text);
}

/* By the slow simulator too, where that takes no more than seconds. */
static ioa_status recount_slowly(const ioa_network *network, const uint32_t *order, const ioa_level *level,
                                 const ioa_io *found, ioa_verdict *verdict, bool *agree, ioa_error *error)
{
    uint64_t slots = level->memory < network->a.neurons ? level->memory : network->a.neurons;
    ioa_io slow;
    *agree = true;
    verdict->reference = verdict->reference && 3.0 * (double)network->connections * (double)slots <= REFERENCE_LOOKS;
    if (!verdict->reference) return IOA_OK;
    ioa_status status = ioa_memory_count_reference(network, order, level->memory, level->policy, &slow, error);
    if (status != IOA_OK) return status;
    *agree = slow.reads == found->reads && slow.writes == found->writes;
    if (!*agree) give_reason(verdict, "the two simulators disagree");
    return IOA_OK;
}

static ioa_status recount(const ioa_network *network, const uint32_t *order, const ioa_claim *claim,
                          ioa_verdict *verdict, ioa_error *error)
{
    const ioa_objective *o = claim->objective;
    uint64_t total;
    bool good = true;
    char text[256];
    ioa_status status = ioa_objective_count(network, order, o, verdict->io, &total, error);
    verdict->reference = true;
    for (uint32_t i = 0; i < o->count && status == IOA_OK && good; i++) {
        const ioa_io *found = &verdict->io[i], *said = claim->io ? &claim->io[i] : found;
        status = recount_slowly(network, order, &o->level[i], found, verdict, &good, error);
        if (status != IOA_OK || (found->reads == said->reads && found->writes == said->writes)) continue;
        good = false;
        snprintf(text, sizeof text,
                 "recounted %" PRIu64 " reads and %" PRIu64 " writes at M = %" PRIu64 ", but %" PRIu64 " and %" PRIu64
                 " are claimed", found->reads, found->writes, o->level[i].memory, said->reads, said->writes);
        give_reason(verdict, text);
    }
    if (status != IOA_OK) return status;
    if (good && total != claim->total) {
        good = false;
        snprintf(text, sizeof text, "recounted %" PRIu64 " I/Os, but %" PRIu64 " are claimed", total, claim->total);
        give_reason(verdict, text);
    }
    verdict->recounted = good;
    return IOA_OK;
}

/* One plan; the verdict keeps what it finds. */
static ioa_status check_plan(const ioa_network *network, const uint32_t *order, const ioa_plan_options *options,
                             uint64_t seed, ioa_verdict *verdict, ioa_error *error)
{
    ioa_plan *plan = NULL;
    ioa_plan_options full;
    char text[256];
    ioa_status status = ioa_plan_create(network, order, options, &plan, error);
    if (status != IOA_OK) return status;
    status = ioa_exactness_check(network, plan, ioa_exactness_samples(network, SAMPLES), seed, &verdict->exactness, error);
    ioa_plan_describe(plan, &full);
    ioa_plan_options_name(&full, verdict->plan);
    ioa_plan_destroy(plan);
    const ioa_exactness *e = &verdict->exactness;
    if (status != IOA_OK || e->within) return status;
    verdict->exact = false;
    snprintf(text, sizeof text, "inference is off by up to %.3g on %" PRIu64 " of %" PRIu64 " outputs (%s)",
             e->max_abs_error, e->wrong, e->count, verdict->plan);
    give_reason(verdict, text);
    return IOA_OK;
}

static ioa_status check_inference(const ioa_network *network, const uint32_t *order, const ioa_plan_options *plan,
                                  uint64_t seed, ioa_verdict *verdict, ioa_error *error)
{
    const ioa_plan_options steps = {.layout = IOA_LAYOUT_ORDER, .tile = 16};
    verdict->exact = true;
    ioa_status status = check_plan(network, order, &steps, seed, verdict, error);
    if (status != IOA_OK || !verdict->exact || !plan) return status;
    status = check_plan(network, order, plan, seed, verdict, error);
    return status == IOA_ERR_INPUT || status == IOA_ERR_SYSTEM ? IOA_OK : status; /* this machine cannot run it */
}

ioa_status ioa_verify(const ioa_network *network, const uint32_t *order, const ioa_claim *claim,
                      const ioa_plan_options *plan, uint64_t seed, ioa_verdict *verdict, ioa_error *error)
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
    status = recount(network, order, claim, verdict, error);
    if (status == IOA_OK) status = check_inference(network, order, plan, seed, verdict, error);
    return status;
}
