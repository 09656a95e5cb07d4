/* The least cost of the game of first accesses (core/bounds.h, E): iterative deepening over what may be spent. */
#include "core/bounds_internal.h"
#include "core/mem.h"
#include "core/separation.h"

#include <ioanneal/memory.h>
#include <stdlib.h>
#include <string.h>

#define MOST_STATES (UINT64_C(1) << 19) /* remembered: at most 40 MiB, and as much while the table grows */

#define MOST_NODES (UINT64_C(1) << 19)  /* waiting: where a step has so many ways, budgets are not refuted */
#define TRIAL_WORK UINT64_C(400000000000) /* by neurons squared, for the first budget: where it does not do, more seldom would */

typedef struct node {
    ioa_separation_state state;
    uint32_t cost;
    uint32_t rank;  /* promising ones first: it matters where a way through exists */
    uint32_t index; /* ties, so that every machine sees the same sequence */
    uint32_t removed; /* the neuron whose removal led here */
} node;

typedef struct memory_of {
    ioa_set touched, spilled;
    uint32_t cost; /* least so far, plus 1; 0: free */
} memory_of;

typedef struct search {
    const ioa_separation *game;
    uint32_t budget;
    uint64_t *work;
    node *nodes;
    uint64_t count, room;
    memory_of *seen; /* open addressing */
    uint64_t met, slots;
    bool nomem;
    uint32_t play[IOA_SEPARATION_NEURONS + 1]; /* removals on the way to the current node */
} search;

static uint64_t hash(const ioa_set *touched, const ioa_set *spilled)
{
    uint64_t h = 0;
    for (uint32_t i = 0; i < IOA_SEPARATION_WORDS; i++) {
        h = (h ^ touched->w[i]) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 29;
        h = (h ^ spilled->w[i]) * UINT64_C(0xbf58476d1ce4e5b9);
        h ^= h >> 32;
    }
    return h;
}

static memory_of *find(memory_of *seen, uint64_t slots, const ioa_set *touched, const ioa_set *spilled)
{
    uint64_t at = hash(touched, spilled) & (slots - 1);
    while (seen[at].cost && (memcmp(&seen[at].touched, touched, sizeof *touched) != 0 ||
                             memcmp(&seen[at].spilled, spilled, sizeof *spilled) != 0))
        at = (at + 1) & (slots - 1);
    return &seen[at];
}

static bool enlarge(search *s)
{
    uint64_t slots = s->slots ? 2 * s->slots : 256;
    memory_of *seen = ioa_alloc_zero(slots, sizeof *seen);
    if (!seen) return false;
    for (uint64_t i = 0; i < s->slots; i++)
        if (s->seen[i].cost) *find(seen, slots, &s->seen[i].touched, &s->seen[i].spilled) = s->seen[i];
    ioa_free(s->seen);
    s->seen = seen;
    s->slots = slots;
    return true;
}

/* True if the state is new, or cheaper than before. Uses up the work if there are too many states. */
static bool remember(search *s, const ioa_separation_state *state, uint32_t cost)
{
    if (2 * s->met >= s->slots && !enlarge(s)) {
        s->nomem = true;
        return false;
    }
    memory_of *m = find(s->seen, s->slots, &state->touched, &state->spilled);
    if (m->cost && m->cost <= cost + 1) return false;
    if (!m->cost) {
        if (s->met == MOST_STATES) {
            *s->work = 0;
            return false;
        }
        s->met++;
        m->touched = state->touched;
        m->spilled = state->spilled;
    }
    m->cost = cost + 1;
    return true;
}

static bool push(search *s, const ioa_separation_state *state, uint32_t removed, uint32_t cost)
{
    if (s->count == MOST_NODES) return false;
    if (s->count == s->room) {
        uint64_t room = s->room ? 2 * s->room : 256;
        node *nodes = ioa_alloc(room, sizeof *nodes);
        if (!nodes) {
            s->nomem = true;
            return false;
        }
        if (s->count) memcpy(nodes, s->nodes, s->count * sizeof *nodes);
        ioa_free(s->nodes);
        s->nodes = nodes;
        s->room = room;
    }
    uint32_t rank = cost * 4 * IOA_SEPARATION_NEURONS + ioa_separation_occupied(state);
    s->nodes[s->count] = (node){*state, cost, rank, (uint32_t)s->count, removed};
    s->count++;
    return true;
}

static int compare(const void *a, const void *b)
{
    const node *x = a, *y = b;
    if (x->rank != y->rank) return (x->rank > y->rank) - (x->rank < y->rank);
    return (x->index > y->index) - (x->index < y->index);
}

/* All ways to let `excessive` more of the live neurons be absent, from neuron `from` on. False where the work or the
 * memory does not do. */
static bool spill(search *s, const ioa_separation_state *state, uint32_t removed, uint32_t excessive, uint32_t from,
                  uint32_t cost)
{
    if (excessive == 0) return push(s, state, removed, cost);
    ioa_set resident = ioa_set_minus(&state->live, &state->spilled);
    for (uint32_t x = ioa_set_next(&resident, from); x < IOA_SEPARATION_NEURONS; x = ioa_set_next(&resident, x + 1)) {
        uint32_t sum = cost + s->game->weight[x];
        if (*s->work == 0) return false;
        --*s->work;
        if (sum + excessive - 1 > s->budget) continue;
        ioa_separation_state t = *state;
        ioa_set_add(&t.spilled, x);
        if (!spill(s, &t, removed, excessive - 1, x + 1, sum)) return false;
    }
    return true;
}

static bool expand(search *s, const node *n)
{
    uint64_t begin = s->count;
    const ioa_separation_state state = n->state; /* nodes move as they grow */
    uint32_t cost = n->cost;
    for (uint32_t v = ioa_set_next(&state.touched, 0); v < IOA_SEPARATION_NEURONS;
         v = ioa_set_next(&state.touched, v + 1)) {
        if (*s->work == 0) return false;
        --*s->work;
        ioa_separation_state t = ioa_separation_remove(s->game, &state, v);
        uint32_t occupied = ioa_separation_occupied(&t);
        uint32_t excessive = occupied > s->game->slots ? occupied - s->game->slots : 0;
        if (cost + excessive > s->budget) continue;
        if (!spill(s, &t, v, excessive, 0, cost)) return false;
    }
    if (s->count > begin) qsort(s->nodes + begin, s->count - begin, sizeof *s->nodes, compare);
    return true;
}

typedef enum outcome { REFUTED, FOUND, GIVEN_UP } outcome;

/* Depth first, with all siblings of the way on one stack. */
static outcome explore(search *s)
{
    uint64_t next[IOA_SEPARATION_NEURONS + 2], end[IOA_SEPARATION_NEURONS + 2];
    uint32_t length[IOA_SEPARATION_NEURONS + 2] = {0}, depth = 0; /* of the play before each depth */
    const ioa_separation_state start = {.touched = s->game->all};
    s->count = s->met = 0;
    if (s->slots) memset(s->seen, 0, s->slots * sizeof *s->seen);
    if (!push(s, &start, 0, 0)) return GIVEN_UP;
    next[0] = 0;
    end[0] = 1;
    for (;;) {
        if (next[depth] == end[depth]) {
            if (depth == 0) return REFUTED;
            depth--;
            s->count = end[depth];
            continue;
        }
        node n = s->nodes[next[depth]++];
        uint32_t played = length[depth];
        if (depth > 0) s->play[played++] = n.removed;
        played += ioa_separation_descend(s->game, &n.state, s->play + played, s->work);
        if (ioa_set_empty(&n.state.touched)) return FOUND;
        if (*s->work == 0) return GIVEN_UP;
        if (remember(s, &n.state, n.cost)) {
            if (!expand(s, &n)) return GIVEN_UP;
            depth++;
            length[depth] = played;
            next[depth] = end[depth - 1];
            end[depth] = s->count;
        } else if (s->nomem || *s->work == 0)
            return GIVEN_UP;
    }
}

/* Raises *excess while budgets are refuted. */
static outcome deepen(search *s, uint64_t *excess)
{
    uint64_t trial = TRIAL_WORK / ((uint64_t)s->game->count * s->game->count);
    uint64_t rest = *s->work > trial ? *s->work - trial : 0;
    outcome end = REFUTED;
    *s->work -= rest;
    while (end == REFUTED && *excess < IOA_SEPARATION_NEURONS) {
        s->budget = (uint32_t)*excess;
        end = explore(s);
        if (end != REFUTED) break;
        ++*excess;
        *s->work += rest;
        rest = 0;
    }
    return end;
}

static ioa_status run(const ioa_network *network, uint64_t memory, uint64_t *work, uint64_t *excess, uint32_t *first,
                      uint32_t *count, ioa_error *error)
{
    *count = 0;
    ioa_separation *game = ioa_alloc(1, sizeof *game);
    if (!game) return ioa_fail_nomem(error, "the game of first accesses", 1, sizeof *game);
    search s = {.game = game, .work = work};
    ioa_status status = IOA_OK;
    if (ioa_separation_create(network, memory, game) && deepen(&s, excess) == FOUND && first) {
        *count = game->count;
        for (uint32_t i = 0; i < game->count; i++) first[i] = game->neuron[s.play[game->count - 1 - i]];
    }
    if (s.nomem) status = ioa_fail_nomem(error, "the game of first accesses", s.slots, sizeof *s.seen);
    ioa_free(s.nodes);
    ioa_free(s.seen);
    ioa_free(game);
    return status;
}

ioa_status ioa_bounds_separation(const ioa_network *network, uint64_t memory, uint64_t known, uint64_t *work,
                                 uint64_t *excess, ioa_error *error)
{
    uint32_t count;
    *excess = known;
    return run(network, memory, work, excess, NULL, &count, error);
}

ioa_status ioa_separation_play(const ioa_network *network, uint64_t memory, uint64_t work, uint32_t *first,
                               uint32_t *count, ioa_error *error)
{
    uint64_t excess = 0;
    return run(network, memory, &work, &excess, first, count, error);
}
