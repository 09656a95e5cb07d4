/* The elite's orders: each is kept by one worker; they travel when they are taken in and when replicas restart. */
#include "optimizer/search/tempering/tempering_internal.h"

#include "core/base/mem.h"

#include <string.h>

#define TAKEN_AT_ONCE 4 /* orders per survey: they travel */
#define STUCK 1e-6      /* probability of changing places with the colder neighbour .. */
#define STUCK_SURVEYS 2 /* .. at so many surveys in a row */

uint32_t ioa_tempering_keeper(const ioa_tempering *t, uint32_t place)
{
    return (t->config.replicas + place) % t->transport.size;
}

ioa_status ioa_tempering_elite_room(ioa_tempering *t, uint32_t place, ioa_error *error)
{
    uint64_t w = t->problem->network->connections;
    if (t->elite_order[place]) return IOA_OK;
    t->elite_order[place] = ioa_alloc(w, sizeof **t->elite_order);
    return t->elite_order[place] ? IOA_OK : ioa_fail_nomem(error, "an order of the elite", w, sizeof **t->elite_order);
}

/* A failure of any worker becomes one of all. */
static ioa_status agree(ioa_tempering *t, ioa_status mine, ioa_error *error)
{
    int64_t own = mine;
    ioa_error text = {0};
    t->transport.gather(t->transport.context, &own, 1, t->all, NULL);
    for (uint32_t r = 0; r < t->transport.size; r++) {
        if (t->all[r] == IOA_OK) continue;
        if (error) text = *error;
        int64_t status = t->all[r];
        t->transport.share(t->transport.context, r, text.text, sizeof text.text);
        return ioa_fail(error, (ioa_status)status, "%s", text.text);
    }
    return IOA_OK;
}

/* The best order of a replica takes a place of the elite. */
static void carry(ioa_tempering *t, uint32_t replica, uint32_t place)
{
    uint64_t bytes = t->problem->network->connections * sizeof *t->order;
    uint32_t from = replica % t->transport.size, to = ioa_tempering_keeper(t, place), me = t->transport.rank;
    if (me == from) t->config.engine->best_order(ioa_tempering_state(t, replica), from == to ? t->elite_order[place] : t->order);
    if (from != to && (me == from || me == to))
        t->transport.hand(t->transport.context, from, to, me == from ? t->order : t->elite_order[place], bytes);
}

/* Offers the best order of a replica, as the last survey has it, to `elite`; the place it takes, or -1. */
static int offer(const ioa_tempering *t, uint32_t replica, ioa_elite *elite)
{
    const int64_t *survey = ioa_tempering_survey(t, replica);
    ioa_sketch sketch;
    memcpy(&sketch, survey + SURVEY_SKETCH, sizeof sketch);
    return ioa_elite_offer(elite, (uint64_t)survey[SURVEY_BEST], &sketch);
}

/* The replica with the best order that is better than the start and would be taken; `config.replicas` if there is none. */
static uint32_t find_donor(const ioa_tempering *t)
{
    uint32_t donor = t->config.replicas;
    uint64_t limit = t->problem->start_total;
    for (uint32_t k = 0; k < t->config.replicas; k++) {
        ioa_elite trial = t->elite;
        uint64_t total = (uint64_t)ioa_tempering_survey(t, k)[SURVEY_BEST];
        if (total >= limit || offer(t, k, &trial) < 0) continue;
        limit = total;
        donor = k;
    }
    return donor;
}

ioa_status ioa_tempering_take_elite(ioa_tempering *t, ioa_error *error)
{
    if (t->elite.capacity == 0) return IOA_OK;
    ioa_status status = IOA_OK;
    uint32_t donor[IOA_ELITE_MOST];
    bool taken[IOA_ELITE_MOST] = {false};
    for (int n = 0; n < TAKEN_AT_ONCE; n++) {
        uint32_t best = find_donor(t);
        if (best == t->config.replicas) break;
        int place = offer(t, best, &t->elite);
        donor[place] = best;
        taken[place] = true;
    }
    for (uint32_t i = 0; status == IOA_OK && i < IOA_ELITE_MOST; i++)
        if (taken[i] && ioa_tempering_keeper(t, i) == t->transport.rank) status = ioa_tempering_elite_room(t, i, error);
    status = agree(t, status, error);
    for (uint32_t i = 0; status == IOA_OK && i < IOA_ELITE_MOST; i++)
        if (taken[i]) carry(t, donor[i], i);
    return status;
}

/* How many replicas have a lower energy now; of equal ones the earlier one counts as lower. */
static uint32_t better(const ioa_tempering *t, uint32_t replica)
{
    uint32_t count = 0;
    for (uint32_t k = 0; k < t->config.replicas; k++)
        count += t->energy[k] < t->energy[replica] || (t->energy[k] == t->energy[replica] && k < replica);
    return count;
}

/* Replica k goes on from the n-th best order of the elite; `status` is that of this worker. */
static ioa_status restart(ioa_tempering *t, uint32_t k, uint32_t n, ioa_status status, ioa_error *error)
{
    uint64_t bytes = t->problem->network->connections * sizeof *t->order;
    uint32_t place = ioa_elite_ranked(&t->elite, n % t->elite.count), me = t->transport.rank;
    uint32_t from = ioa_tempering_keeper(t, place), to = k % t->transport.size;
    uint32_t *order = me == from ? t->elite_order[place] : t->order;
    if (from != to && (me == from || me == to)) t->transport.hand(t->transport.context, from, to, order, bytes);
    if (me == to && status == IOA_OK) status = t->config.engine->restart(ioa_tempering_state(t, k), order, error);
    return status;
}

ioa_status ioa_tempering_renew(ioa_tempering *t, bool all, ioa_error *error)
{
    uint32_t half = (t->config.replicas + 1) / 2;
    ioa_status status = IOA_OK;
    for (uint32_t k = 0; t->elite.count && k < t->config.replicas; k++) {
        uint32_t rank = better(t, k), turn = all ? rank : rank - half;
        if (!all && rank < half) continue;
        uint32_t place = ioa_elite_ranked(&t->elite, turn % t->elite.count);
        if (!all && (int64_t)t->elite.entry[place].total >= t->energy[k]) continue;
        status = restart(t, k, turn, status, error);
    }
    return agree(t, status, error);
}

/* Whether the replica at a rung is so much worse than the one at the next colder rung that they will never change places. */
static bool is_stuck(const ioa_tempering *t, uint32_t rung)
{
    for (uint32_t g = 0; g < t->ladder.groups; g++)
        if (ioa_ladder_first(&t->ladder, g) == rung) return false;
    if (!(t->heat[rung - 1] > 0.0)) return false;
    int64_t colder = t->energy[t->replica_at[rung - 1]], energy = t->energy[t->replica_at[rung]];
    return ioa_swap_probability(colder, t->heat[rung - 1], energy, t->heat[rung]) < STUCK;
}

ioa_status ioa_tempering_release(ioa_tempering *t, ioa_error *error)
{
    ioa_status status = IOA_OK;
    uint32_t released = 0;
    for (uint32_t rung = 0; rung < t->config.replicas; rung++) {
        uint32_t k = t->replica_at[rung];
        t->stuck[k] = is_stuck(t, rung) ? t->stuck[k] + 1 : 0;
        if (t->stuck[k] < STUCK_SURVEYS || t->elite.count == 0) continue;
        t->stuck[k] = 0;
        if ((int64_t)t->elite.entry[ioa_elite_ranked(&t->elite, released % t->elite.count)].total >= t->energy[k]) continue;
        status = restart(t, k, released++, status, error);
    }
    return released ? agree(t, status, error) : IOA_OK;
}
