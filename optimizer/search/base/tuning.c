#include "optimizer/search/base/tuning.h"

#include <math.h>

#define MEMORY 0.75    /* weight of the past in a reward */
#define STRENGTH_LEAST 0.25 /* a share moves between this and .. */
#define STRENGTH_MOST 4.0   /* .. this times what it was to begin with */
#define EFFORT_LEAST (IOA_EFFORT_ONE / 2)
#define EFFORT_MOST (IOA_EFFORT_ONE * 2)

static unsigned count_moves(const ioa_move *moves)
{
    unsigned count = 0;
    while (count < IOA_MOVES && moves[count].name) count++;
    return count;
}

void ioa_tuning_begin(const ioa_move *moves, const ioa_window *windows, ioa_tuning *tuning)
{
    unsigned count = count_moves(moves);
    *tuning = (ioa_tuning){0};
    for (unsigned i = 0; i < IOA_MOVES; i++) {
        tuning->share[i] = i < count ? moves[i].share : 0;
        tuning->reward[i] = -1.0;
    }
    for (unsigned level = 0; level < IOA_LEVELS; level++) {
        tuning->window[level] = windows[level].begin;
        tuning->effort[level] = IOA_EFFORT_ONE;
    }
}

uint32_t ioa_tuning_window(const ioa_tuning *tuning, unsigned level)
{
    return (uint32_t)(tuning->window[level] + 0.5);
}

/* Shares of a level from its rewards: the square root of how a kind compares with the mean, within limits. Largest
 * remainders make them add up. */
static void share_out(const ioa_move *moves, unsigned count, unsigned level, ioa_tuning *t)
{
    double weight[IOA_MOVES] = {0}, mean = 0.0, sum = 0.0, base = 0.0, rest[IOA_MOVES];
    for (unsigned i = 0; i < count; i++) {
        if (moves[i].level != level) continue;
        if (t->reward[i] < 0.0) return; /* not all are known yet */
        mean += moves[i].share * t->reward[i];
        base += moves[i].share;
    }
    if (!(mean > 0.0)) return;
    mean /= base;
    for (unsigned i = 0; i < count; i++) {
        if (moves[i].level != level) continue;
        double factor = sqrt(t->reward[i] / mean);
        factor = factor < STRENGTH_LEAST ? STRENGTH_LEAST : factor > STRENGTH_MOST ? STRENGTH_MOST : factor;
        sum += weight[i] = moves[i].share * factor;
    }
    uint32_t given = 0;
    for (unsigned i = 0; i < count; i++) {
        rest[i] = -1.0;
        if (moves[i].level != level) continue;
        double exact = weight[i] / sum * IOA_SHARES;
        t->share[i] = (uint32_t)exact;
        rest[i] = exact - t->share[i];
        given += t->share[i];
    }
    for (; given < IOA_SHARES; given++) {
        unsigned best = 0;
        for (unsigned i = 1; i < count; i++)
            if (rest[i] > rest[best]) best = i;
        t->share[best]++;
        rest[best] = -1.0;
    }
}

void ioa_tuning_adapt(const ioa_move *moves, const ioa_window *windows, const ioa_move_counts *counts, unsigned adapt,
                      ioa_tuning *t)
{
    unsigned count = count_moves(moves);
    for (unsigned level = 0; level < IOA_LEVELS; level++) {
        const ioa_window *w = &windows[level];
        uint64_t proposed = 0, accepted = 0, all = 0;
        for (unsigned i = 0; i < count; i++) {
            if (moves[i].level != level) continue;
            all += counts[i].proposed;
            if (moves[i].windowed) {
                proposed += counts[i].proposed;
                accepted += counts[i].accepted;
            }
            if (!counts[i].proposed) continue;
            double now = (double)counts[i].gained / (IOA_GAIN_ONE * (double)(counts[i].touched + counts[i].proposed));
            t->reward[i] = t->reward[i] < 0.0 ? now : MEMORY * t->reward[i] + (1.0 - MEMORY) * now;
        }
        if (all && (adapt & IOA_ADAPT_SHARES)) share_out(moves, count, level, t);
        if (!proposed || !(adapt & IOA_ADAPT_WINDOWS) || w->least == w->most) continue;
        double wanted = t->window[level] * (1.0 - w->target + (double)accepted / (double)proposed);
        t->window[level] = wanted < w->least ? w->least : wanted > w->most ? w->most : wanted;
    }
}

double ioa_tuning_cost(const ioa_move *moves, const ioa_window *windows, const ioa_move_counts *counts, unsigned level,
                       const ioa_tuning *t)
{
    uint64_t work = 0;
    for (unsigned i = 0, count = count_moves(moves); i < count; i++)
        if (moves[i].level == level)
            work += counts[i].touched + windows[level].proposed * counts[i].proposed + windows[level].accepted * counts[i].accepted;
    return (double)work * IOA_EFFORT_ONE / (double)t->effort[level];
}

void ioa_tuning_balance(double cost, double target, unsigned level, ioa_tuning *t)
{
    double wanted = target / cost * IOA_EFFORT_ONE; /* costs vary from round to round: half-way there */
    double next = ((double)t->effort[level] + wanted) / 2.0 + 0.5;
    t->effort[level] = next < EFFORT_LEAST ? EFFORT_LEAST : next > EFFORT_MOST ? EFFORT_MOST : (uint64_t)next;
}

uint64_t ioa_tuning_proposals(const ioa_tuning *tuning, unsigned level, uint64_t proposals)
{
    uint64_t whole = proposals / IOA_EFFORT_ONE, rest = proposals % IOA_EFFORT_ONE, effort = tuning->effort[level];
    uint64_t scaled = whole * effort + rest * effort / IOA_EFFORT_ONE;
    return scaled ? scaled : proposals > 0;
}

bool ioa_tuning_valid(const ioa_move *moves, const ioa_window *windows, const ioa_tuning *t)
{
    unsigned count = count_moves(moves);
    uint64_t sum[IOA_LEVELS] = {0};
    bool used[IOA_LEVELS] = {false};
    for (unsigned i = 0; i < IOA_MOVES; i++) {
        if (i >= count && t->share[i]) return false;
        if (!(t->reward[i] >= -1.0)) return false;
        if (i >= count) continue;
        sum[moves[i].level] += t->share[i];
        used[moves[i].level] = true;
    }
    for (unsigned level = 0; level < IOA_LEVELS; level++) {
        if (used[level] && sum[level] != IOA_SHARES) return false;
        if (!(t->window[level] >= windows[level].least && t->window[level] <= windows[level].most)) return false;
        if (t->effort[level] < EFFORT_LEAST || t->effort[level] > EFFORT_MOST) return false;
    }
    return true;
}
