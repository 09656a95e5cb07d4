/* Inside of a priced order; see priced.h for what it means. */
#ifndef IOA_SEARCH_PRICED_STATE_H
#define IOA_SEARCH_PRICED_STATE_H

#include "optimizer/search/priced/priced.h"

#define IOA_PRICED_FLOOR (1u << 10) /* smallest price of a border: leaves room for ten insertions in one place */
#define IOA_PRICED_CEILING (1u << 31)
#define IOA_PRICED_PATIENCE 40        /* settle when W / this many connections have moved ... */
#define IOA_PRICED_WORK 2             /* ... and W / this many changes were weighed, so that settling stays cheap */
#define IOA_PRICED_WIDEST 8192        /* neurons with more connections move them one by one */
#define IOA_PRICED_SCAN 8             /* accesses summed up in a row that cost as much as one change weighed */
#define IOA_PRICED_RATE 19661         /* 0.3: how fast prices follow the slots used */

/* A bundle: accesses of one neuron that move together. Arrays hold up to IOA_PRICED_WIDEST entries. */
typedef struct ioa_bundle {
    uint32_t *moved;  /* connections */
    uint32_t *anchor; /* the connection each one is put next to */
    int64_t *label;   /* new labels */
    int64_t *old;     /* labels before */
    uint32_t *list;   /* the neuron's new list of accesses */
    int64_t count;
} ioa_bundle;

struct ioa_priced {
    const ioa_graph *g;
    uint32_t movable;    /* connections below it have their place in the order; those above stand outside of the part
                            that is annealed, and only have labels (priced_part.c). W for a whole order */
    int64_t low, high;   /* labels of a part lie strictly between them */
    uint64_t slots;      /* C = M - 1, at most N */
    bool part;           /* prices are given and stay */
    int64_t *label;      /* [W + 1] time of each connection in prices; entry W is unused */
    uint32_t *next;      /* [W + 1] the order as a ring through connection W, a sentinel */
    uint32_t *prev;
    uint32_t *access;    /* [2 W] from g->base[x]: incoming, then outgoing connections of x by label */
    int64_t *late;       /* [N] sum of min(1, price) over the gaps that end at an outgoing connection */
    uint32_t chunk;      /* steps that share a price */
    uint32_t chunks;
    uint32_t *price;     /* [chunks] of one border, label units */
    int64_t *start;      /* [chunks + 1] label of the chunk's first step when last renumbered */
    uint64_t *inverse;   /* [chunks] 2^64 / price when last renumbered */
    int64_t *open;       /* [chunks + 1] scratch of the occupancy count */
    int64_t *area;       /* [chunks + 1] */
    int64_t border;      /* mean price of a border when last renumbered */
    int64_t energy;
    uint64_t moved;      /* connections moved since the last settle */
    uint64_t work;       /* changes weighed since the last settle */
    uint64_t touched;    /* changes weighed by the present proposal */
    uint32_t share[IOA_PRICED_MOVE_COUNT]; /* of IOA_SHARES proposals */
    uint32_t window;     /* of NEAR moves */
    uint32_t log_table[257]; /* log2(1 + i / 256) in 1/65536 */
    ioa_bundle bundle;
    ioa_priced_stats stats;
};

static inline int64_t ioa_min64(int64_t a, int64_t b) { return a < b ? a : b; }

/* First position in list[count], ascending by label, whose label is not below `label`. */
static inline int64_t ioa_priced_find(const ioa_priced *p, const uint32_t *list, int64_t count, int64_t label)
{
    int64_t low = 0;
    while (count > 0) {
        const int64_t half = count / 2;
        if (p->label[list[low + half]] < label) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low;
}

/* Cost of neuron x with its accesses in `list` (its own, or a proposed one), from scratch. [out] *late. */
int64_t ioa_priced_neuron(const ioa_priced *p, uint32_t x, const uint32_t *list, int64_t *late);

/* Change of x's cost if its access e gets `label` (which must be legal, and no other access of x may have it). */
int64_t ioa_priced_weigh(const ioa_priced *p, uint32_t x, uint32_t e, int64_t label);

/* Moves e in x's list to where `label` belongs. p->label[e] is still the old one. Energy is the caller's business. */
void ioa_priced_place(ioa_priced *p, uint32_t x, uint32_t e, int64_t label);

/* Whether connection e may stand at `label`: after all incoming connections of its source, before all outgoing ones
 * of its destination. O(1). */
bool ioa_priced_allowed(const ioa_priced *p, uint32_t e, int64_t label);

/* Label halfway between connection f and its neighbour (before or after it). False if there is no room. */
bool ioa_priced_beside(const ioa_priced *p, uint32_t f, bool after, int64_t *label);

/* Puts e next to f in the ring. */
void ioa_priced_relink(ioa_priced *p, uint32_t e, uint32_t f, bool after);

/* Prices: priced_prices.c. Both give every connection the label of its rank and count the costs anew. */
void ioa_priced_renumber(ioa_priced *p);

/* Also measures the slots used and moves the prices by `rate` (1/65536) times the relative excess. The new prices act
 * from the next renumbering on, which saves a pass. Returns the mean occupancy of C - 2 slots in 1/65536. */
int64_t ioa_priced_adjust(ioa_priced *p, int64_t rate);

/* Installs an order and finds prices for it: a uniform guess, then adjustments while the bound still rises. */
void ioa_priced_first_prices(ioa_priced *p, const uint32_t *order);

/* Steps that share a price, for so many slots and connections. */
uint32_t ioa_priced_chunk(uint64_t slots, uint64_t connections);

/* One adjustment of prices [chunks] from the slots found used: `open` and `area` as ioa_priced_mark leaves them, C slots.
 * Returns the mean occupancy as ioa_priced_adjust does. */
int64_t ioa_priced_follow(uint32_t *price, uint32_t chunks, uint32_t chunk, uint64_t connections, uint64_t slots,
                          const int64_t *open, const int64_t *area, int64_t rate);

/* A quarter octave of gaps by their length in steps per I/O saved, and the price at which the shortest ones fill the slots. */
typedef struct ioa_gap_histogram {
    int64_t area[256];
} ioa_gap_histogram;
void ioa_gap_histogram_add(ioa_gap_histogram *histogram, int64_t steps, bool outgoing);
uint32_t ioa_gap_histogram_price(const ioa_gap_histogram *histogram, uint64_t slots, uint64_t connections);

/* Cost of the accesses after completion of a neuron that must be written once if it is ever absent. */
static inline int64_t ioa_priced_spill(int64_t late, int64_t span) { return ioa_min64(late + IOA_PRICED_ONE, span); }

/* Tables and arrays of a state whose graph, chunk and chunks are set. False: memory is out. */
bool ioa_priced_allocate(ioa_priced *p);

#endif
