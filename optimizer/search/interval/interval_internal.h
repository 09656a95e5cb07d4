/* Inside of the interval model; see interval.h for what it means. */
#ifndef IOA_SEARCH_INTERVAL_INTERNAL_H
#define IOA_SEARCH_INTERVAL_INTERNAL_H

#include "optimizer/search/interval/interval.h"

#include <stdbool.h>

#define IOA_IV_NONE UINT32_MAX

/* Functions of long loops are compiled for AVX2 as well and chosen as the program starts: integers, equal on
 * every machine. Sanitizers cannot do with such a choice. */
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define IOA_IV_WIDE __attribute__((target_clones("default", "avx2")))
#else
#define IOA_IV_WIDE
#endif

/* A destination's interval as seen by one source: close << 32 | open << 1 | held. Sorted, this is the order in which a
 * source meets its destinations: by deadline. `held` is a decision: if the source is not resident when it comes to this
 * destination, it is because its last residency is EXTENDED to open rather than by a new load at close. Where the
 * residency covers the interval anyway the bit means nothing. */
static inline uint64_t ioa_iv_key(int32_t open, int32_t close)
{
    return (uint64_t)(uint32_t)close << 32 | (uint64_t)(uint32_t)open << 1;
}
static inline int32_t ioa_iv_open(uint64_t key) { return (int32_t)((uint32_t)key >> 1); }
static inline int32_t ioa_iv_close(uint64_t key) { return (int32_t)(key >> 32); }

typedef struct ioa_iv_prices { /* of one tick: of the d-th value too many, (2 d - 1) times this */
    int32_t held, held_most; /* any value; d counts up to held_most */
    int32_t dest, dest_most; /* added for open destinations alone: a spilled sum costs more than a source loaded again */
} ioa_iv_prices;

typedef struct ioa_iv_pressure { /* factors on the prices, steered by how much overflows */
    int32_t held, dest;
    uint32_t drawn; /* proposals since they were last steered */
} ioa_iv_pressure;

extern const ioa_iv_pressure ioa_iv_pressure_none;

typedef struct ioa_iv_range { /* an occupancy change, kept to undo it */
    int32_t first, last; /* half ticks */
    int32_t weight; /* values more, or less if negative */
    bool dests;     /* open destinations, not held values */
} ioa_iv_range;

typedef struct ioa_iv_touch { /* what a proposal does to one source */
    uint32_t source;
    int32_t remove, insert; /* positions in the old keys, or -1 */
    int32_t loads;          /* new number of loads */
    uint32_t flips, flip_count;
    bool all;               /* held from close to the last open: all bits set */
    bool moved;             /* its own close is another one */
    uint64_t key;           /* to insert, with its bit */
} ioa_iv_touch;

typedef struct ioa_iv_place { /* where a proposal meets one source */
    uint32_t source;
    int32_t born0;          /* end of its first residency before the proposal */
    int32_t remove, insert; /* as in ioa_iv_touch */
} ioa_iv_place;

typedef struct ioa_iv_change { /* a new interval for one unit */
    uint32_t unit;
    int32_t open0, close0, open1, close1;
} ioa_iv_change;

struct ioa_interval_state {
    const ioa_interval_problem *problem;
    int32_t ticks;
    int32_t *open, *close; /* [U] */
    uint64_t *key;         /* [pairs] by source, sorted */
    int32_t *end;          /* [pairs] end of the source's residency once it met this destination, in half ticks, see ioa_iv_tick */
    int32_t *loads;        /* [N] */
    int32_t *occupied;     /* [2 ticks] by half ticks: open destinations + held values */
    int32_t *opened;       /* [ticks] open destinations */
    int64_t io;            /* I/Os */
    int64_t energy;        /* at `prices` */
    ioa_iv_prices prices;
    ioa_iv_pressure pressure;
    uint32_t *head;        /* [ticks] units by close, doubly linked */
    uint32_t *next, *prev; /* [U] */
    /* workspace of a proposal */
    uint32_t *mark; /* [N] */
    uint32_t stamp;
    ioa_iv_range *ranges;
    ioa_iv_touch *touches;
    uint32_t *flips; /* position in the new keys */
    uint32_t range_count, range_capacity, touch_count, touch_capacity, flip_count, flip_capacity;
    uint64_t *spare; /* [max_out] keys */
    uint32_t *bins;  /* [2 ticks] of ioa_iv_gather: zeros, then a list */
    uint64_t touched; /* sources looked at by the present proposal */
    uint32_t share[IOA_INTERVAL_MOVE_COUNT]; /* of IOA_SHARES proposals */
    uint32_t window;  /* of slides */
    bool out_of_memory;
};

static inline bool ioa_iv_hidden(const ioa_interval_problem *p, uint32_t u) { return p->unit_of[u] != IOA_IV_NONE; }

static inline int32_t ioa_iv_weight(const ioa_interval_problem *p, uint32_t unit)
{
    return (int32_t)(p->member_offsets[unit + 1] - p->member_offsets[unit]);
}

/* Sources of a unit, ascending. */
static inline const uint32_t *ioa_iv_row(const ioa_interval_problem *p, uint32_t unit, uint32_t *length)
{
    const ioa_network_arrays *a = &p->network->a;
    uint32_t v = p->members[p->member_offsets[unit]];
    *length = (uint32_t)(a->indptr[v + 1] - a->indptr[v]);
    return a->indices + a->indptr[v];
}

/* I/Os of a source with so many loads. */
static inline int32_t ioa_iv_cost(const ioa_interval_problem *p, uint32_t u, int32_t loads)
{
    if (!ioa_iv_hidden(p, u)) return loads - 1;
    return loads ? loads + (p->network->is_output[u] ? 0 : 1) : 0;
}

/* Slots are counted in half ticks: in the first half of a tick, values held until this tick are used and leave; in the
 * second, values are loaded, of which some stay. The end e of a residency is the first half tick that holding the value
 * on would occupy. */
static inline int32_t ioa_iv_met(int32_t tick) { return 2 * tick + 1; }      /* loaded in this tick, or held until it */
static inline int32_t ioa_iv_closed(int32_t tick) { return 2 * tick + 2; }   /* counted as open until the tick is over */
static inline int32_t ioa_iv_tick(int32_t e) { return (e - 1) >> 1; }        /* last tick; -1 before the first residency */

/* The residency u has before it meets its first destination: a hidden neuron is there as it closes. */
static inline int32_t ioa_iv_born(const ioa_interval_state *s, uint32_t u)
{
    return ioa_iv_hidden(s->problem, u) ? ioa_iv_closed(s->close[s->problem->unit_of[u]]) : -1;
}

/* interval_occupancy.c: changes are logged in s->ranges, and give the change of energy. */
ioa_iv_prices ioa_iv_prices_at(double temperature, ioa_iv_pressure pressure);
bool ioa_iv_pressure_valid(const ioa_iv_pressure *pressure);
void ioa_iv_steer(ioa_interval_state *s, double temperature);   /* sets the pressure anew; reprice after it */
void ioa_iv_reprice(ioa_interval_state *s, double temperature); /* sets prices and energy */
int64_t ioa_iv_overflow_energy(const ioa_interval_state *s, const ioa_iv_prices *prices);
int64_t ioa_iv_occupy(ioa_interval_state *s, int32_t first, int32_t last, int32_t weight); /* held values, by half ticks */
int64_t ioa_iv_occupy_open(ioa_interval_state *s, int32_t first, int32_t last, int32_t weight); /* destinations, by ticks */
void ioa_iv_undo_ranges(ioa_interval_state *s, uint32_t keep);
/* Price of holding one more value over the half ticks [first, last]; stops counting at `limit`. */
int64_t ioa_iv_hold(const ioa_interval_state *s, int32_t first, int32_t last, int64_t limit);

/* interval_source.c */
/* Plans u afresh on the present occupancy, in which u itself must not be counted; sets the bits of keys[count], logs
 * the ranges held, adds their price to *price. Returns the number of loads. */
int32_t ioa_iv_plan(ioa_interval_state *s, uint32_t u, uint64_t *keys, int32_t count, int64_t *price);
/* Takes everything u holds out of the occupancy (logged); returns the change of energy. */
int64_t ioa_iv_release(ioa_interval_state *s, uint32_t u, int32_t born);
/* Ends of residency of u's keys from position `from` on; keys at `upto` and later are as they were when the ends were last
 * found, so that the walk may stop where it meets them. */
void ioa_iv_ends(ioa_interval_state *s, uint32_t u, int32_t from, int32_t upto);
/* Finds where `count` sources have the destination with key `old` and would have it with key `new`. At most IOA_IV_FLIGHT,
 * which are searched side by side: on large networks nearly every probe misses the cache, and so the misses overlap. */
#define IOA_IV_FLIGHT 16
void ioa_iv_find(const ioa_interval_state *s, ioa_iv_place *places, uint32_t count, uint64_t old, uint64_t new);
/* Proposes: the destination at `remove` of the place's source goes to `insert` with key `new` (-1: none does), and the
 * source's birth moves from born0 to its present value. Appends a touch; returns the change of energy. */
int64_t ioa_iv_propose(ioa_interval_state *s, const ioa_iv_place *place, uint64_t new);
void ioa_iv_apply(ioa_interval_state *s, const ioa_iv_touch *touch);

/* interval_gather.c: a tick for v to close at, where an interval of so many ticks meets many of its sources, drawn at
 * random; -1: none. */
int32_t ioa_iv_gather(ioa_interval_state *s, uint32_t v, int32_t length, ioa_pcg32 *rng);

/* interval_change.c: Metropolis steps. One change, or two units that exchange their intervals; false: illegal or refused. */
bool ioa_iv_try(ioa_interval_state *s, const ioa_iv_change *c, int count, int64_t temperature_q16, ioa_pcg32 *rng);
bool ioa_iv_try_plan(ioa_interval_state *s, uint32_t u, int64_t temperature_q16, ioa_pcg32 *rng); /* afresh, for source u */

/* interval_state.c */
void ioa_iv_rebuild(ioa_interval_state *s); /* occupancy, ends, lists, energies from intervals and bits */

#endif
