/* Inside of an exactly counted order; see exact.h for what it means. */
#ifndef IOA_SEARCH_EXACT_STATE_H
#define IOA_SEARCH_EXACT_STATE_H

#include "optimizer/search/exact/exact.h"

#define IOA_EXACT_NONE UINT32_MAX

/* One step of the order; node W is the sentinel before the first and after the last, node W + 1 stands for what is
 * behind a part: it is later than every step, and in no list. An access is named 2 * node + side,
 * side 0 the source's and side 1 the destination's, in the sequence LRU sees them. 64 bytes: a cache line. */
typedef struct ioa_exact_node {
    int64_t label;       /* time; 0 for the sentinel */
    uint32_t connection;
    uint32_t next, prev; /* ring of the order */
    uint32_t neuron[2];  /* source, destination */
    uint32_t before[2];  /* access of the same neuron before this one, or NONE */
    uint32_t after[2];   /* ... and behind it */
    uint32_t bound;      /* after the step: the access behind which residents were accessed last */
    uint32_t residents;  /* after the step */
    uint32_t gone[2];    /* step in which the bound passed this access, or NONE */
    uint32_t flags;      /* bit side: the neuron was absent though accessed before; above: stamp of the last move */
} ioa_exact_node;

#define IOA_EXACT_STAMP 4u /* one, in flags */

typedef struct ioa_exact_counted { /* a step counted anew, as it was */
    uint32_t node, bound, residents, absent;
} ioa_exact_counted;

typedef struct ioa_exact_passed { /* a changed entry of `gone`, as it was */
    uint32_t access, step;
} ioa_exact_passed;

typedef struct ioa_exact_placed { /* a moved step, as it was */
    uint32_t node, prev;
    int64_t label;
} ioa_exact_placed;

typedef struct ioa_exact_event { /* a step whose outcome may differ */
    int64_t label;
    uint32_t node;
} ioa_exact_event;

#define IOA_EXACT_EVENTS 24 /* at most, per moved step */

struct ioa_exact {
    const ioa_graph *g;
    uint32_t slots; /* C = M - 1, at most N, at least 2 */
    ioa_exact_part part;    /* of a whole order: all of it moves, nothing is outside */
    ioa_exact_node *nodes;  /* [W + 2]; first .. first + movable - 1 are the steps that move */
    uint32_t *access;       /* [2 W] from g->base[x]: nodes of the incoming, then of the outgoing connections of x by label */
    uint32_t *absences;     /* [N] gaps that end at an outgoing connection and in which the neuron is absent */
    uint32_t *fill;         /* [2 N] scratch of laying out; all zero between */
    uint32_t *order;        /* [W] scratch of settling */
    int64_t spacing;        /* of labels when laid out */
    int64_t excess;
    uint64_t moved;         /* connections moved since laid out */
    uint32_t stamp;         /* of the current move, in units of IOA_EXACT_STAMP */
    /* the current move */
    ioa_exact_placed placed[IOA_EXACT_MOST];
    uint32_t placed_count;
    ioa_exact_event events[IOA_EXACT_MOST * IOA_EXACT_EVENTS];
    uint32_t event_count;
    ioa_exact_counted *counted; /* [journal] */
    ioa_exact_passed *passed;   /* [journal] */
    uint32_t counted_count, passed_count, journal;
    int64_t change;
    uint32_t members[IOA_EXACT_MOST]; /* scratch of proposals */
    uint32_t *seen;     /* [N] scratch of the greedy rule: 0 or 1 + number of a neuron in the window; all zero between */
    uint32_t region;    /* node around which proposals are drawn now */
    uint32_t region_left;
    uint32_t share[IOA_EXACT_MOVE_COUNT]; /* of IOA_SHARES */
    ioa_exact_stats stats;
};

/* What follows the last access of a neuron in the order. */
static inline uint32_t ioa_exact_tail(const ioa_exact *x, uint32_t neuron)
{
    return x->part.later && x->part.later[neuron] ? 2 * (x->g->W + 1) : IOA_EXACT_NONE;
}

static inline bool ioa_exact_inside(const ioa_exact *x, uint32_t access) /* an access of the order, not NONE */
{
    return access < 2 * x->g->W;
}

/* Whether a step may move: node - first, as an unsigned number, is below movable. */
static inline bool ioa_exact_moves(const ioa_exact *x, uint32_t node)
{
    return node - x->part.first < x->part.movable;
}

static inline ioa_exact_node *ioa_exact_at(const ioa_exact *x, uint32_t access) { return &x->nodes[access >> 1]; }

/* Accesses in the sequence of time. */
static inline int64_t ioa_exact_time(const ioa_exact *x, uint32_t access)
{
    return 2 * x->nodes[access >> 1].label + (access & 1);
}

static inline bool ioa_exact_moving(const ioa_exact *x, uint32_t node)
{
    return (x->nodes[node].flags & ~3u) == x->stamp;
}

/* C = M - 1, at most N, at least 2. */
uint32_t ioa_exact_slots(const ioa_graph *graph, uint64_t memory);

/* Lays out `order` and counts it. */
void ioa_exact_lay_out(ioa_exact *x, const uint32_t *order);

/* The step `t` after a state: moves the state past it, says which of its neurons were absent though accessed before
 * (bits), and keeps in `gone` what the bound passes. With `journal`, what `gone` was is noted. */
uint32_t ioa_exact_step(ioa_exact *x, uint32_t t, uint32_t *bound, uint32_t *residents, bool journal);

/* ---- a move: begin, mark all its steps, place each of them, then count, then accept or undo; exact_move.c ---- */
void ioa_exact_begin(ioa_exact *x);
static inline void ioa_exact_mark(ioa_exact *x, uint32_t node)
{
    x->nodes[node].flags = (x->nodes[node].flags & 3u) | x->stamp;
}
/* Puts a marked step behind `prev` (not itself) with a label between that and its next one's. */
void ioa_exact_place(ioa_exact *x, uint32_t node, uint32_t prev, int64_t label);
/* A label halfway behind `prev`; false if there is no room. */
bool ioa_exact_room(const ioa_exact *x, uint32_t prev, int64_t *label);
/* Whether connection's step may stand at `label`, other moving steps aside. O(1). */
bool ioa_exact_allowed(const ioa_exact *x, uint32_t node, int64_t label);
/* Whether a placed step stands where it may. O(1). */
bool ioa_exact_legal(const ioa_exact *x, uint32_t node);
/* Counts the placed move, x->change; false (given up) above `limit` or if it takes too long. */
bool ioa_exact_count(ioa_exact *x, int64_t limit);
void ioa_exact_undo(ioa_exact *x);

/* ---- parts of proposals; exact_propose.c ---- */

/* A random step. */
uint32_t ioa_exact_draw(ioa_exact *x, ioa_pcg32 *rng);
/* Places the first `count` of x->members, all marked, one after the other behind `prev`, which is none of them. False,
 * with nothing placed, where one of them may not stand. */
bool ioa_exact_stack(ioa_exact *x, uint32_t prev, uint32_t count);
/* Counts what has been placed and keeps it, or takes it back. */
bool ioa_exact_decide(ioa_exact *x, ioa_exact_move kind, int64_t threshold);
/* RUN, RESIDENCY and WHOLE: exact_bundle.c */
bool ioa_exact_propose_bundle(ioa_exact *x, ioa_exact_move kind, int64_t threshold, ioa_pcg32 *rng);

static inline bool ioa_exact_absent(const ioa_exact *x, uint32_t access)
{
    return x->nodes[access >> 1].flags >> (access & 1) & 1u;
}

/* A window of consecutive steps in another sequence, into x->members; returns how many. exact_repair.c */
uint32_t ioa_exact_repair(ioa_exact *x, uint32_t first, uint32_t count, ioa_pcg32 *rng);

/* First position in list[count] (nodes, ascending by label) whose label is not below `label`. */
static inline int64_t ioa_exact_find(const ioa_exact *x, const uint32_t *list, int64_t count, int64_t label)
{
    int64_t low = 0;
    while (count > 0) {
        const int64_t half = count / 2;
        if (x->nodes[list[low + half]].label < label) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low;
}

#endif
