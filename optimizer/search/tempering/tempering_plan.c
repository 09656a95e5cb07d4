/* Where a round stands in the plan of the search, and the plan itself where it comes from a time limit. */
#include "optimizer/search/tempering/tempering_internal.h"

#include "core/base/clock.h"

#define PLAN_MARGIN 0.94   /* share of the time that is planned for: rounds do not all take the same time */
#define QUENCH_ROUNDS 25   /* one round in so many, at the end, is at temperature 0 */
#define EARLY_SURVEYS 64   /* rounds in which every 4th has a survey; later every 16th */
#define MOST_RUNGS 8       /* of a group, unless told otherwise: further ones do more as groups of their own */
#define REHEAT 0.5         /* of the temperature of the first cycle */

static uint64_t round_proposals(const ioa_tempering *t)
{
    return t->config.proposals ? t->config.proposals : t->config.engine->round_proposals(t->problem);
}

/* First round at temperature 0 of a search of `rounds` rounds. */
static uint64_t quench_from(uint64_t rounds)
{
    return rounds - rounds / QUENCH_ROUNDS;
}

/* Cycles after heating up again are short plans of their own. */
ioa_step ioa_tempering_step(const ioa_tempering *t, uint64_t round)
{
    const ioa_stagnation *s = &t->stagnation;
    ioa_step step = {.proposals = round_proposals(t), .heat = s->cycle_end ? REHEAT : 1.0};
    ioa_stage stage = ioa_stages_at(&t->stages, round);
    if (s->cycle_end) {
        stage.rounds = (double)(s->cycle_end - s->cycle);
        stage.progress = (double)(round + 1 - s->cycle) / stage.rounds;
    }
    step.quench = stage.progress > 1.0 - 1.0 / QUENCH_ROUNDS || (t->end && round >= quench_from(t->end));
    if (stage.rounds == 0.0) return step;
    step.progress = step.quench ? 1.0 : stage.progress / (1.0 - 1.0 / QUENCH_ROUNDS);
    step.sweeps = stage.rounds * (double)step.proposals / (double)t->problem->network->connections;
    return step;
}

uint32_t ioa_tempering_groups(const ioa_tempering *t, uint64_t round)
{
    uint32_t kinds = ioa_stages_side_by_side(&t->stages, round), each = (t->config.replicas + kinds - 1) / kinds;
    uint32_t groups = t->config.groups ? t->config.groups : (each + MOST_RUNGS - 1) / MOST_RUNGS;
    groups = kinds * (groups < each ? groups : each);
    return groups < t->config.replicas ? groups : t->config.replicas;
}

/* Also in the round before a quench: it starts from the elite. */
bool ioa_tempering_surveys(const ioa_tempering *t, uint64_t round)
{
    uint64_t every = round < EARLY_SURVEYS ? 4 : 16;
    if (round % every == every - 1) return true;
    if (t->end && round + 1 >= t->end) return false;
    return !ioa_tempering_step(t, round).quench && ioa_tempering_step(t, round + 1).quench;
}

/* Worker 0 turns what is left of the time limit into rounds; `began`: when the rounds of this kind did. */
static uint64_t plan(const ioa_tempering *t, uint64_t done, double began)
{
    uint64_t end = ioa_stages_trial_end(&t->stages), alike = end == UINT64_MAX || end == 0 ? done : done - end;
    double now = ioa_clock(), per_round = (now - began) / (double)alike;
    double left = t->config.seconds * PLAN_MARGIN - (now - t->config.began);
    return done + (left > 0.0 ? (uint64_t)(left / per_round) : 0) + 1;
}

/* Worker 0 sees time run out before the plan is over: the round at which to end, quench included; 0: not yet. That number
 * of rounds alone tells where the quench begins, so that the run can be repeated. */
static uint64_t find_end(const ioa_tempering *t, uint64_t done, double started)
{
    if (t->transport.rank != 0 || t->end || t->config.seconds <= 0.0) return 0;
    double now = ioa_clock(), per_round = (now - started) / (double)done;
    double left = t->config.seconds - (now - t->config.began);
    uint64_t end = done; /* short searches end without a quench */
    while (done >= QUENCH_ROUNDS && quench_from(end) < done + 1) end++; /* the round before it makes a survey for it */
    if (t->stages.planned && end >= t->stages.planned) return 0; /* the plan's own quench is here */
    return left <= per_round * (double)(end - done) ? end : 0;
}

int64_t ioa_tempering_rounds_wanted(const ioa_tempering *t, double started)
{
    uint64_t done = t->trace.rounds + 1;
    if (t->transport.rank != 0) return 0;
    uint64_t end = find_end(t, done, started);
    if (end) return -(int64_t)end;
    return ioa_stages_want_plan(&t->stages, done) ? (int64_t)plan(t, done, started + t->trial_annealed) : 0;
}

/* Where time ends it before there is a plan, one round more was planned: with both numbers the run can be repeated. */
void ioa_tempering_take_rounds(ioa_tempering *t, int64_t rounds)
{
    if (rounds < 0) t->end = (uint64_t)-rounds;
    if (rounds > 0) ioa_stages_plan(&t->stages, (uint64_t)rounds);
    if (rounds < 0 && t->stages.planned == 0) ioa_stages_plan(&t->stages, t->end + 1);
}
