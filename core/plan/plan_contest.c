#include "core/plan/plan_contest.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/parallel.h"
#include "core/base/quartiles.h"
#include "core/base/rng.h"
#include "core/compile/work.h"
#include "core/model/network.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#define WINDOW 400e-6 /* a timed window is at least that long */
#define COLD_PASSES 8 /* windows of fewer passes start with as many that are not timed: what others left in the caches (code
                         above all, three times as slow from memory) would count, and L3 takes several passes to settle */
#define ROUNDS 11     /* of a comparison of candidates, fewer if one is clearly faster: */
#define CLEAR 1.25    /* by this ratio, twice */
#define FEWEST 5      /* even past the deadline, as one round would leave it to chance, where passes are */
#define SHORT 0.01    /* seconds at most */
#define PACKING_ROUNDS 15

ioa_status ioa_contest_open(ioa_contest *c, const ioa_network *network, const uint32_t *order,
                            const ioa_plan_choice *choice, uint64_t seed, ioa_error *error)
{
    const ioa_network_arrays *a = &network->a;
    if (choice->threads > IOA_MOST_THREADS)
        return ioa_fail(error, IOA_ERR_INPUT, "more than %u threads cannot be measured", IOA_MOST_THREADS);
    if (choice->batch == 0) return ioa_fail(error, IOA_ERR_INPUT, "a batch of 0 cannot be measured");
    if (!ioa_isa_available(choice->isa))
        return ioa_fail(error, IOA_ERR_INPUT, "instruction set %s is not available here", ioa_isa_name(choice->isa));
    uint64_t inputs = (uint64_t)a->inputs * choice->batch, outputs = (uint64_t)a->outputs * choice->batch;
    c->network = network;
    c->order = order;
    c->isa = choice->isa == IOA_ISA_AUTO ? ioa_isa_best() : choice->isa;
    c->batch = choice->batch;
    c->threads = choice->threads ? choice->threads : 1;
    c->x = ioa_alloc(inputs, sizeof *c->x);
    c->y = ioa_alloc(outputs, sizeof *c->y);
    if (!c->x || !c->y) {
        ioa_contest_close(c);
        return ioa_fail_nomem(error, "a batch", inputs + outputs, sizeof *c->x);
    }
    ioa_pcg32 rng = ioa_rng_keyed(seed, IOA_RNG_VERIFY, 0, c->batch);
    for (uint64_t i = 0; i < inputs; i++) c->x[i] = (float)(2 * ioa_pcg32_double(&rng) - 1);
    return IOA_OK;
}

void ioa_contest_close(ioa_contest *c)
{
    ioa_free(c->x);
    ioa_free(c->y);
    memset(c, 0, sizeof *c);
}

void ioa_contest_dismiss(ioa_contender *c)
{
    ioa_plan_destroy(c->plan);
    ioa_mkl_destroy(c->mkl);
    ioa_free(c->scratch);
    memset(c, 0, sizeof *c);
}

bool ioa_contender_exists(const ioa_contender *c)
{
    return c->plan || c->mkl || c->function;
}

ioa_status ioa_contest_plan(const ioa_contest *contest, const uint32_t *order, const ioa_plan_options *options,
                            ioa_contender *c, ioa_error *error)
{
    *c = (ioa_contender){0};
    ioa_status status = ioa_plan_create(contest->network, order, options, &c->plan, error);
    if (status != IOA_OK) return status;
    c->scratch = ioa_alloc_zero(contest->threads, ioa_plan_scratch_bytes(c->plan)); /* touched now, not while timed */
    if (c->scratch) return IOA_OK;
    status = ioa_fail_nomem(error, "activations", contest->threads, ioa_plan_scratch_bytes(c->plan));
    ioa_contest_dismiss(c);
    return status;
}

static double time_passes(const ioa_contest *contest, const ioa_contender *c, uint32_t passes)
{
    double start = ioa_clock();
    for (uint32_t i = 0; i < passes; i++) {
        if (c->function) c->function(contest->x, contest->y, contest->batch);
        else if (c->mkl) ioa_mkl_run(c->mkl, contest->x, contest->y, contest->batch);
        else ioa_plan_run_threads(c->plan, contest->x, contest->y, contest->batch, contest->threads, c->scratch);
    }
    return (ioa_clock() - start) / passes;
}

double ioa_contest_time(const ioa_contest *contest, const ioa_contender *c, uint32_t passes)
{
    if (passes < COLD_PASSES) time_passes(contest, c, passes);
    return time_passes(contest, c, passes);
}

double ioa_contest_warm(const ioa_contest *contest, const ioa_contender *c)
{
    time_passes(contest, c, 1);
    return time_passes(contest, c, 1);
}

uint32_t ioa_contest_passes(double seconds)
{
    double passes = ceil(WINDOW / fmax(seconds, 1e-9));
    return (uint32_t)fmin(fmax(passes, 1), 10000);
}

double ioa_contest_packing(const ioa_contest *contest, const ioa_contender *c)
{
    double shares[PACKING_ROUNDS];
    if (!c->plan || contest->threads > 1 || !ioa_plan_pack(c->plan, contest->x, contest->y, contest->batch, c->scratch))
        return 0;
    uint32_t passes = ioa_contest_passes(ioa_contest_warm(contest, c)), rounds = 0;
    for (; rounds < PACKING_ROUNDS && (rounds < 3 || ioa_clock() < contest->deadline); rounds++) {
        double whole = ioa_contest_time(contest, c, passes), start = ioa_clock();
        for (uint32_t k = 0; k < passes; k++) ioa_plan_pack(c->plan, contest->x, contest->y, contest->batch, c->scratch);
        shares[rounds] = (ioa_clock() - start) / passes / whole;
    }
    return ioa_quartiles_of(shares, rounds).median;
}

static void note(ioa_contest *contest, const ioa_contender *c, double seconds)
{
    ioa_plan_options options;
    ioa_candidate candidate = {.seconds = seconds};
    uint32_t i = 0;
    if (!c->plan) return; /* others are competitors, no candidates */
    ioa_plan_describe(c->plan, &options);
    ioa_plan_options_name(&options, candidate.name);
    while (i < contest->tried_count && strcmp(contest->tried[i].name, candidate.name) != 0) i++;
    if (i == IOA_MOST_CANDIDATES) return; /* far more than there are */
    if (i == contest->tried_count) contest->tried_count++;
    contest->tried[i] = candidate;
}

/* Whether one of them was faster than each of the others by CLEAR, round by round. */
static bool is_decided(double times[IOA_MOST_FINALISTS][ROUNDS], uint32_t count, uint32_t rounds)
{
    for (uint32_t k = 0; k < count; k++) {
        double least = INFINITY;
        for (uint32_t other = 0; other < count; other++)
            for (uint32_t r = 0; r < rounds && other != k; r++) least = fmin(least, times[other][r] / times[k][r]);
        if (least > CLEAR) return true;
    }
    return false;
}

uint32_t ioa_contest_play_off(ioa_contest *contest, const ioa_contender *finalists, uint32_t count)
{
    double times[IOA_MOST_FINALISTS][ROUNDS], ratios[ROUNDS], longest = 0, least = INFINITY;
    uint32_t passes[IOA_MOST_FINALISTS], rounds = 0, winner = 0;
    assert(count <= IOA_MOST_FINALISTS);
    for (uint32_t k = 0; k < count; k++) {
        double seconds = ioa_contest_warm(contest, &finalists[k]);
        passes[k] = ioa_contest_passes(seconds);
        longest = fmax(longest, seconds);
    }
    const uint32_t fewest = longest <= SHORT ? FEWEST : 1;
    while (rounds < ROUNDS && (rounds < fewest || ioa_clock() < contest->deadline)) {
        for (uint32_t k = 0; k < count; k++) {
            uint32_t who = (k + rounds) % count;
            times[who][rounds] = ioa_contest_time(contest, &finalists[who], passes[who]);
        }
        rounds++;
        if (rounds >= 2 && is_decided(times, count, rounds)) break;
    }
    for (uint32_t k = 0; k < count; k++) { /* against the first, round by round */
        for (uint32_t r = 0; r < rounds; r++) ratios[r] = times[k][r] / times[0][r];
        double ratio = ioa_quartiles_of(ratios, rounds).median;
        if (ratio < least) {
            least = ratio;
            winner = k;
        }
        note(contest, &finalists[k], ioa_quartiles_of(times[k], rounds).median);
    }
    return winner;
}

void ioa_contest_challenge(ioa_contest *contest, ioa_contender *best, ioa_contender *challenger)
{
    if (!ioa_contender_exists(best)) {
        *best = *challenger;
        *challenger = (ioa_contender){0};
        if (best->plan) note(contest, best, ioa_contest_warm(contest, best));
        return;
    }
    ioa_contender both[2] = {*best, *challenger};
    uint32_t winner = ioa_contest_play_off(contest, both, 2);
    *best = both[winner];
    *challenger = both[1 - winner];
    ioa_contest_dismiss(challenger);
}
