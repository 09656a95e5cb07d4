#include "optimizer/search/tempering/stagnation.h"

#define LEAST_ROUNDS 20  /* per round trip of patience that must pass at any rate .. */
#define MOST_ROUNDS 100  /* .. and that are enough even if nothing goes round */
#define LEAST_CYCLE 100  /* rounds */

ioa_verdict_on_search ioa_stagnation_judge(ioa_stagnation *s, uint64_t rounds, bool improved, bool cold, uint64_t best,
                                           uint64_t trips, uint64_t patience)
{
    if (improved || !cold) {
        s->since = rounds;
        s->trips = trips;
        return IOA_GO_ON;
    }
    uint64_t quiet = rounds - s->since;
    if (patience == 0 || quiet < LEAST_ROUNDS * patience) return IOA_GO_ON;
    if (trips - s->trips < patience && quiet < MOST_ROUNDS * patience) return IOA_GO_ON;
    s->over = s->reheats && best >= s->cycle_best;
    return s->over ? IOA_GIVE_UP : IOA_REHEAT;
}

void ioa_stagnation_reheat(ioa_stagnation *s, uint64_t rounds, uint64_t planned, uint64_t best, uint64_t trips)
{
    uint64_t length = s->since - s->cycle;
    if (length < LEAST_CYCLE) length = LEAST_CYCLE;
    if (length > planned - rounds) length = planned - rounds;
    *s = (ioa_stagnation){.since = rounds, .trips = trips, .cycle = rounds, .cycle_end = rounds + length,
                          .cycle_best = best, .lowest = UINT64_MAX, .reheats = s->reheats + 1};
}
