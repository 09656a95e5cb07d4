/* Small networks as a game of first accesses, played backwards (core/bounds/bounds.h, E and F): which neurons must be live
 * when a neuron is loaded for the first time, whatever the order of the connections. */
#ifndef IOA_CORE_SEPARATION_H
#define IOA_CORE_SEPARATION_H

#include <ioanneal/network.h>
#include <stdbool.h>

#define IOA_SEPARATION_WORDS 2u
#define IOA_SEPARATION_NEURONS (64u * IOA_SEPARATION_WORDS) /* with connections; larger networks have no game */
#define IOA_SEPARATION_TIES 8u     /* absent neurons that have to return, at a time; more of them are set free */
#define IOA_SEPARATION_DEGREE 32u  /* connections of a neuron that has to return; those with more never have to */

typedef struct ioa_set {
    uint64_t w[IOA_SEPARATION_WORDS];
} ioa_set;

#define IOA_SEPARATION_NEVER UINT8_MAX /* weight of a neuron that plays must not spill: more than any budget allows */

/* Neurons with connections are numbered 0 .. count - 1, ids ascending. */
typedef struct ioa_separation {
    uint32_t count;
    uint32_t slots;                            /* C = M - 1 */
    ioa_set all;
    uint32_t neuron[IOA_SEPARATION_NEURONS];   /* id */
    uint8_t weight[IOA_SEPARATION_NEURONS];    /* least excess of a neuron that is absent while live: 2, cheap ones 1 */
    ioa_set need[IOA_SEPARATION_NEURONS];      /* itself, its ancestors, its destinations */
    ioa_set dependents[IOA_SEPARATION_NEURONS]; /* whose need it is in */
    ioa_set ancestors[IOA_SEPARATION_NEURONS], descendants[IOA_SEPARATION_NEURONS]; /* and itself */
    ioa_set destinations[IOA_SEPARATION_NEURONS];
    uint32_t degree[IOA_SEPARATION_NEURONS];   /* connections, in and out */
    uint8_t partner[IOA_SEPARATION_NEURONS][IOA_SEPARATION_DEGREE]; /* at their other ends, as many as there is room for */
    uint32_t outgoing[IOA_SEPARATION_NEURONS]; /* bit i: connection i leads to its partner */
    /* [v][u], bit i: connection i of v dissolves when u is removed, if it was formed */
    uint32_t waits[IOA_SEPARATION_NEURONS][IOA_SEPARATION_NEURONS];
} ioa_separation;

/* A neuron that is absent, and its open connections (bits as in `outgoing`): they bring it back when they dissolve. */
typedef struct ioa_separation_tie {
    uint32_t neuron;
    uint32_t open; /* not 0 */
} ioa_separation_tie;

/* touched: had an access. live: touched, and not all they need is; every one of them has an access to come.
 * spilled: those that may be absent, and are paid for; paid: those that ever were. Spilled ones without a tie never
 * come back. Ties ascend by neuron; unused ones are zero. */
typedef struct ioa_separation_state {
    ioa_set touched, live, spilled, paid;
    uint32_t ties;
    ioa_separation_tie tie[IOA_SEPARATION_TIES];
} ioa_separation_state;

/* False if the network has no connections or too many neurons; IOA_ERR_NOMEM cannot happen. */
bool ioa_separation_create(const ioa_network *network, uint64_t memory, ioa_separation *game);

/* From now on only neurons of weight 1 may be spilled: inputs, and outputs that others read, which cost one transfer. What is
 * refuted then is not refuted for orders; but fewer states tell more of them apart, and safe steps go further. */
void ioa_separation_keep_dear(ioa_separation *game);

/* The state before the first access of `v`, one of the touched. */
ioa_separation_state ioa_separation_remove(const ioa_separation *game, const ioa_separation_state *s, uint32_t v);

/* What spilling `v` costs: 1 if it is paid for already, else its weight. */
uint32_t ioa_separation_price(const ioa_separation *game, const ioa_separation_state *s, uint32_t v);

/* Lets `v`, a touched neuron, be absent; `returns`: until a connection brings it back, else for ever. */
void ioa_separation_spill(const ioa_separation *game, ioa_separation_state *s, uint32_t v, bool returns);

/* Neurons that were in fast memory when v was loaded and `before` was the state, v itself included. */
uint32_t ioa_separation_occupied(const ioa_separation_state *before);

/* True if whoever can win from anywhere below `s`, spending at most `left`, can win by going to `after` first, at no
 * more cost. */
bool ioa_separation_safe(const ioa_separation *game, const ioa_separation_state *s, const ioa_separation_state *after,
                         uint32_t left);

/* The neurons that can be removed without an overflow, [count] at most, less those whose removal brings back another's
 * whole company: nobody needs them first. Gives their number. */
uint32_t ioa_separation_least_moves(const ioa_separation *game, const ioa_separation_state *s, uint32_t *moves);

/* Goes backwards as long as that is safe and nothing overflows, `left` as above. `removed` [count] gets the neurons in this order, or
 * is NULL; gives their number. Every state tried costs 1 of `*work`; stops where it runs out. */
uint32_t ioa_separation_descend(const ioa_separation *game, ioa_separation_state *s, uint32_t left, uint32_t *removed,
                                uint64_t *work);

/* A play of game F: neurons (ids) in the order of their first accesses, and who is absent when the i-th of them is
 * loaded, as a set of indices into `neuron`, which has the ids in ascending order. */
typedef struct ioa_separation_moves {
    uint32_t count, cost;
    uint32_t first[IOA_SEPARATION_NEURONS], neuron[IOA_SEPARATION_NEURONS];
    ioa_set absent[IOA_SEPARATION_NEURONS];
} ioa_separation_moves;

/* True: no further play is wanted. The moves are borrowed for the call. */
typedef bool ioa_separation_visit(const ioa_separation_moves *moves, void *context);

/* Shows plays that cost at most `budget`, as they are found by trying at most `*work` states, which is counted down.
 * IOA_ERR_NOMEM. */
ioa_status ioa_separation_play(const ioa_separation *game, uint64_t budget, uint64_t *work, ioa_separation_visit *visit,
                               void *context, ioa_error *error);

static inline bool ioa_set_has(const ioa_set *s, uint32_t v)
{
    return s->w[v / 64] >> v % 64 & 1;
}

static inline void ioa_set_add(ioa_set *s, uint32_t v)
{
    s->w[v / 64] |= UINT64_C(1) << v % 64;
}

static inline void ioa_set_drop(ioa_set *s, uint32_t v)
{
    s->w[v / 64] &= ~(UINT64_C(1) << v % 64);
}

static inline bool ioa_set_empty(const ioa_set *s)
{
    uint64_t any = 0;
    for (uint32_t i = 0; i < IOA_SEPARATION_WORDS; i++) any |= s->w[i];
    return any == 0;
}

static inline ioa_set ioa_set_minus(const ioa_set *a, const ioa_set *b)
{
    ioa_set r;
    for (uint32_t i = 0; i < IOA_SEPARATION_WORDS; i++) r.w[i] = a->w[i] & ~b->w[i];
    return r;
}

static inline bool ioa_set_within(const ioa_set *a, const ioa_set *b)
{
    ioa_set rest = ioa_set_minus(a, b);
    return ioa_set_empty(&rest);
}

static inline ioa_set ioa_set_both(const ioa_set *a, const ioa_set *b)
{
    ioa_set r;
    for (uint32_t i = 0; i < IOA_SEPARATION_WORDS; i++) r.w[i] = a->w[i] & b->w[i];
    return r;
}

static inline uint32_t ioa_set_size(const ioa_set *s)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < IOA_SEPARATION_WORDS; i++) { /* sums of 2, 4, 8 bits: faster than the library's function */
        uint64_t x = s->w[i] - (s->w[i] >> 1 & UINT64_C(0x5555555555555555));
        x = (x & UINT64_C(0x3333333333333333)) + (x >> 2 & UINT64_C(0x3333333333333333));
        n += (uint32_t)(((x + (x >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f)) * UINT64_C(0x0101010101010101) >> 56);
    }
    return n;
}

/* The smallest member from `v` on; IOA_SEPARATION_NEURONS if there is none. */
static inline uint32_t ioa_set_next(const ioa_set *s, uint32_t v)
{
    if (v >= IOA_SEPARATION_NEURONS) return IOA_SEPARATION_NEURONS;
    uint32_t i = v / 64;
    uint64_t bits = s->w[i] & (UINT64_MAX << v % 64);
    while (!bits && ++i < IOA_SEPARATION_WORDS) bits = s->w[i];
    return bits ? i * 64 + (uint32_t)__builtin_ctzll(bits) : IOA_SEPARATION_NEURONS;
}

#endif
