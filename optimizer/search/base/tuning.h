/* What proposals are made of: how many of each kind of move, how far those go that keep to a window, and how many there are
 * in a round.
 *
 * A tuning belongs to a rung, is frozen while a round lasts, and is adapted between rounds from what the moves of that
 * rung did: kinds by a bandit whose reward is the energy gained by accepted moves per element touched, so that nothing
 * depends on clocks; windows by acceptance; how many there are by what a proposal of the rung costs, so that all rungs need
 * about the same time for a round, since the slowest one is waited for by all. Every kind keeps a share, and kinds without a window stay a part of the
 * proposals, so that a rung is never left with short moves alone. */
#ifndef IOA_SEARCH_TUNING_H
#define IOA_SEARCH_TUNING_H

#include <stdbool.h>
#include <stdint.h>

#define IOA_MOVES 32      /* most kinds of moves of an engine */
#define IOA_LEVELS 3      /* sets of moves of which a replica uses one at a time */
#define IOA_SHARES 1024   /* shares of a level add up to this */
#define IOA_GAIN_ONE 4096 /* units of one I/O gained */
#define IOA_EFFORT_ONE 1024 /* as many proposals as the engine says */

/* One row of an engine's table of moves; a row without a name ends the table. */
typedef struct ioa_move {
    const char *name;
    unsigned level;
    uint32_t share; /* to begin with, of IOA_SHARES */
    bool windowed;  /* reaches as far as the window of its level allows */
} ioa_move;

/* The window of a level, in the units of its moves. */
typedef struct ioa_window {
    uint32_t begin, least, most; /* least == most: it is not adapted */
    double target;               /* acceptance of the windowed moves at which it stays as it is */
    uint32_t proposed, accepted; /* what a proposal and an acceptance cost beside the elements touched, in such elements */
} ioa_window;

/* What moves of one kind did in one round. */
typedef struct ioa_move_counts {
    uint64_t proposed, accepted;
    uint64_t touched; /* elements whose cost was looked at */
    uint64_t gained;  /* by accepted moves that lower the energy, in 1 / IOA_GAIN_ONE I/O */
} ioa_move_counts;

static inline void ioa_move_counts_add(ioa_move_counts *sum, const ioa_move_counts *counts, unsigned kinds)
{
    for (unsigned i = 0; i < kinds; i++) {
        sum[i].proposed += counts[i].proposed;
        sum[i].accepted += counts[i].accepted;
        sum[i].touched += counts[i].touched;
        sum[i].gained += counts[i].gained;
    }
}

typedef struct ioa_tuning {
    uint32_t share[IOA_MOVES];  /* of IOA_SHARES per level */
    uint64_t effort[IOA_LEVELS]; /* proposals of a round, in 1 / IOA_EFFORT_ONE of what the engine says */
    double window[IOA_LEVELS];
    double reward[IOA_MOVES];   /* moving mean of I/Os gained per element touched; negative: not known yet */
} ioa_tuning;

/* What a search begins with. */
void ioa_tuning_begin(const ioa_move *moves, const ioa_window *windows, ioa_tuning *tuning);

/* What is adapted. */
enum { IOA_ADAPT_SHARES = 1, IOA_ADAPT_WINDOWS = 2 };

/* After a round with `counts` [IOA_MOVES]; kinds of which nothing was proposed keep what is known of them. Arithmetic that
 * is the same on every machine. */
void ioa_tuning_adapt(const ioa_move *moves, const ioa_window *windows, const ioa_move_counts *counts, unsigned adapt,
                      ioa_tuning *tuning);

/* What a round of a level costs a rung by the counts [IOA_MOVES] of its moves, in elements, if its effort is
 * IOA_EFFORT_ONE; 0 if there were no such moves. */
double ioa_tuning_cost(const ioa_move *moves, const ioa_window *windows, const ioa_move_counts *counts, unsigned level,
                       const ioa_tuning *tuning);

/* Brings the effort nearer to where a round costs as much as `target`, if at IOA_EFFORT_ONE it costs `cost` > 0. */
void ioa_tuning_balance(double cost, double target, unsigned level, ioa_tuning *tuning);

/* `proposals` of a level for the rung. */
uint64_t ioa_tuning_proposals(const ioa_tuning *tuning, unsigned level, uint64_t proposals);

/* Whether it could be the outcome of the functions above: shares that add up, windows within their limits. */
bool ioa_tuning_valid(const ioa_move *moves, const ioa_window *windows, const ioa_tuning *tuning);

/* Whole units of a level's window. */
uint32_t ioa_tuning_window(const ioa_tuning *tuning, unsigned level);

#endif
