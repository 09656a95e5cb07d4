#include "optimizer/search/tempering/stages.h"

#define TIMED_ROUNDS 4     /* the same for any plan */
#define TRIAL_SHARE 0.12   /* of the plan */
#define LEAST_TRIAL 8      /* rounds of a part; with fewer an annealing says nothing */
#define UNKNOWN UINT64_MAX

/* With fewer replicas than kinds the kinds take turns. */
static uint64_t parts(const ioa_stages *s)
{
    return (s->kinds + s->replicas - 1) / s->replicas;
}

static uint64_t usual_trial(const ioa_stages *s, uint64_t planned)
{
    if (s->kinds < 2 || planned <= TIMED_ROUNDS) return 0;
    uint64_t each = (uint64_t)((double)(planned - TIMED_ROUNDS) * TRIAL_SHARE / (double)parts(s));
    return each < LEAST_TRIAL ? 0 : each * parts(s);
}

ioa_stages ioa_stages_make(uint32_t kinds, uint32_t replicas, uint64_t planned, uint64_t trial)
{
    ioa_stages s = {.kinds = kinds, .replicas = replicas, .trial = trial, .planned = planned};
    for (int k = 0; k < IOA_STAGES_MOST_KINDS; k++) s.cheapest[k] = INT64_MAX;
    if (kinds < 2) s.trial = 0;
    if (planned && s.trial == UNKNOWN) s.trial = usual_trial(&s, planned);
    if (s.trial != UNKNOWN) s.trial -= s.trial % parts(&s);
    return s;
}

uint64_t ioa_stages_trial_end(const ioa_stages *s)
{
    return s->trial == UNKNOWN ? UNKNOWN : s->trial ? TIMED_ROUNDS + s->trial : 0;
}

bool ioa_stages_want_plan(const ioa_stages *s, uint64_t done)
{
    if (s->planned) return false;
    return s->trial == UNKNOWN ? done == TIMED_ROUNDS : done == ioa_stages_trial_end(s) + TIMED_ROUNDS;
}

void ioa_stages_plan(ioa_stages *s, uint64_t rounds)
{
    if (s->trial == UNKNOWN) s->trial = usual_trial(s, rounds);
    else s->planned = rounds;
    if (s->trial == 0) s->planned = rounds;
}

/* Part of the trial a round belongs to; the first timed rounds belong to the first. */
static uint64_t part_of(const ioa_stages *s, uint64_t round)
{
    return round < TIMED_ROUNDS || !s->trial || s->trial == UNKNOWN ? 0 : (round - TIMED_ROUNDS) / (s->trial / parts(s));
}

ioa_stage ioa_stages_at(const ioa_stages *s, uint64_t round)
{
    ioa_stage stage = {.trial = s->trial && round < ioa_stages_trial_end(s)};
    uint64_t first = TIMED_ROUNDS, rounds = 0;
    if (stage.trial && s->trial != UNKNOWN) {
        rounds = s->trial / parts(s);
        first += part_of(s, round) * rounds;
        stage.begins = round == first && first > TIMED_ROUNDS;
    } else if (!stage.trial) {
        uint64_t end = ioa_stages_trial_end(s);
        first += end;
        rounds = s->planned > first ? s->planned - first : 0;
        stage.begins = end && round == end;
    }
    if (round < first || rounds == 0) return stage;
    stage.rounds = (double)rounds;
    stage.progress = (double)(round + 1 - first) / (double)rounds;
    return stage;
}

static uint32_t winner(const ioa_stages *s)
{
    uint32_t best = 0;
    for (uint32_t k = 1; k < s->kinds; k++)
        if (s->cheapest[k] < s->cheapest[best]) best = k;
    return best;
}

uint32_t ioa_stages_kind(const ioa_stages *s, uint64_t round, uint32_t replica)
{
    if (s->trial && round >= ioa_stages_trial_end(s)) return winner(s);
    return (uint32_t)((part_of(s, round) * s->replicas + replica) % s->kinds);
}

uint32_t ioa_stages_side_by_side(const ioa_stages *s, uint64_t round)
{
    if (s->trial && round >= ioa_stages_trial_end(s)) return 1;
    return s->kinds < s->replicas ? s->kinds : s->replicas;
}

uint64_t ioa_stages_first_change(const ioa_stages *s)
{
    return s->trial == 0 || s->trial == UNKNOWN ? UINT64_MAX : TIMED_ROUNDS + s->trial / parts(s);
}

void ioa_stages_report(ioa_stages *s, uint64_t round, uint32_t replica, int64_t total)
{
    if (!s->trial || round >= ioa_stages_trial_end(s)) return;
    int64_t *cheapest = &s->cheapest[ioa_stages_kind(s, round, replica)];
    if (total < *cheapest) *cheapest = total;
}

bool ioa_stages_valid(const ioa_stages *s, uint64_t rounds)
{
    if (s->trial != UNKNOWN && (s->trial > UINT64_MAX / 2 || s->trial % parts(s))) return false;
    if (s->trial == UNKNOWN) return s->planned == 0 && rounds < TIMED_ROUNDS;
    if (s->planned == 0) return rounds < ioa_stages_trial_end(s) + TIMED_ROUNDS;
    return s->kinds > 1 || s->trial == 0;
}
