/* The least cost of the games of first accesses (core/bounds/bounds.h, E and F): iterative deepening over what may be spent. */
#include "core/base/mem.h"
#include "core/bounds/bounds_internal.h"
#include "core/bounds/separation.h"

#include <ioanneal/memory.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_STATES (UINT64_C(1) << 19)  /* remembered, whatever the work: some 60 MiB */
#define MOST_STATES (UINT64_C(1) << 25)   /* some 4 GiB */
#define WORK_PER_STATE UINT64_C(100)      /* of more work, this much for every state: it seldom needs so little */
#define NODES_PER_STATE UINT64_C(1) /* may wait: where a step has so many ways, budgets are not refuted */
#define TRIAL_WORK UINT64_C(400000000000) /* by neurons squared, for the first budget: where it does not do, more seldom would */
#define BLOCK_STATES (UINT64_C(1) << 14)  /* are allocated at a time */

typedef struct node {
    ioa_separation_state state;
    uint32_t cost;
    uint32_t rank;  /* promising ones first: it matters where a way through exists */
    uint32_t index; /* ties, so that every machine sees the same sequence */
    uint32_t removed; /* the neuron whose removal led here */
} node;

/* What tells states apart: the rest follows from it. */
typedef struct key {
    ioa_set touched, spilled, paid;
    ioa_separation_tie tie[IOA_SEPARATION_TIES];
} key;

typedef struct memory_of {
    key key;
    uint32_t cost; /* least so far */
} memory_of;

typedef struct search {
    const ioa_separation *game;
    bool returning; /* absent neurons have to come back: game F */
    bool proving;   /* no way may be left out */
    ioa_separation_visit *visit; /* of plays found, or NULL: the first one is enough */
    void *context;
    uint32_t budget;
    uint64_t *work;
    node *nodes;
    uint64_t count, room;
    memory_of **blocks; /* [MOST_STATES / BLOCK_STATES], those needed so far are there */
    uint64_t allocated, met, most;
    uint32_t *slot;     /* open addressing: state + 1, or 0 */
    uint64_t slots;
    bool nomem;
    uint32_t play[IOA_SEPARATION_NEURONS + 1]; /* removals on the way to the current node */
    ioa_set absent[IOA_SEPARATION_NEURONS + 1]; /* the spilled after each of them */
} search;

static uint64_t hash(const key *k)
{
    const uint32_t *tie = &k->tie[0].neuron;
    uint64_t h = 0;
    for (uint32_t i = 0; i < IOA_SEPARATION_WORDS; i++) {
        h = (h ^ k->touched.w[i]) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 29;
        h = (h ^ k->spilled.w[i]) * UINT64_C(0xbf58476d1ce4e5b9);
        h ^= h >> 32;
        h = (h ^ k->paid.w[i]) * UINT64_C(0x94d049bb133111eb);
        h ^= h >> 31;
    }
    for (uint32_t i = 0; i < 2 * IOA_SEPARATION_TIES && tie[i + 1]; i += 2) {
        h = (h ^ tie[i] ^ (uint64_t)tie[i + 1] << 32) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 29;
    }
    return h;
}

static memory_of *stored(const search *s, uint64_t index)
{
    return &s->blocks[index / BLOCK_STATES][index % BLOCK_STATES];
}

/* The slot of a state, or the free one it belongs into. */
static uint32_t *find(const search *s, const key *k)
{
    uint64_t at = hash(k) & (s->slots - 1);
    while (s->slot[at] && memcmp(&stored(s, s->slot[at] - 1)->key, k, sizeof *k) != 0) at = (at + 1) & (s->slots - 1);
    return &s->slot[at];
}

static bool enlarge(search *s)
{
    uint64_t slots = s->slots ? 2 * s->slots : 256;
    uint32_t *slot = ioa_alloc_zero(slots, sizeof *slot);
    if (!slot) return false;
    ioa_free(s->slot);
    s->slot = slot;
    s->slots = slots;
    for (uint64_t i = 0; i < s->met; i++) *find(s, &stored(s, i)->key) = (uint32_t)i + 1;
    return true;
}

static bool make_room(search *s)
{
    if (2 * s->met >= s->slots && !enlarge(s)) return false;
    if (s->met < s->allocated) return true;
    memory_of *block = ioa_alloc(BLOCK_STATES, sizeof *block);
    if (!block) return false;
    s->blocks[s->allocated / BLOCK_STATES] = block;
    s->allocated += BLOCK_STATES;
    return true;
}

/* True if the state is new, or cheaper than before. Uses up the work if there are too many states. */
static bool remember(search *s, const ioa_separation_state *state, uint32_t cost)
{
    key k = {.touched = state->touched, .spilled = state->spilled};
    if (s->returning) { /* otherwise the spilled never return, and there are no ties */
        k.paid = state->paid;
        memcpy(k.tie, state->tie, sizeof k.tie);
    }
    if (!make_room(s)) {
        s->nomem = true;
        return false;
    }
    uint32_t *slot = find(s, &k);
    if (*slot) {
        memory_of *m = stored(s, *slot - 1);
        bool cheaper = cost < m->cost;
        if (cheaper) m->cost = cost;
        return cheaper;
    }
    if (s->met == s->most) {
        *s->work = 0;
        return false;
    }
    *stored(s, s->met++) = (memory_of){k, cost};
    *slot = (uint32_t)s->met;
    return true;
}

static bool push(search *s, const ioa_separation_state *state, uint32_t removed, uint32_t cost)
{
    if (s->count == NODES_PER_STATE * s->most) return false;
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

/* What is being spilled at one moment. */
typedef struct overflow {
    uint32_t removed;
    bool returns; /* those spilled */
    ioa_set from; /* whom to choose from */
} overflow;

/* All ways to let `excessive` of overflow->from, from neuron `least` on, be absent. False where the work or the memory
 * does not do. */
static bool spill(search *s, const overflow *over, const ioa_separation_state *state, uint32_t excessive, uint32_t least,
                  uint32_t cost)
{
    if (excessive == 0) return push(s, state, over->removed, cost);
    for (uint32_t x = ioa_set_next(&over->from, least); x < IOA_SEPARATION_NEURONS; x = ioa_set_next(&over->from, x + 1)) {
        uint32_t sum = cost + ioa_separation_price(s->game, state, x);
        if (!ioa_work_spend(s->work, 1)) return false;
        if (sum + excessive - 1 > s->budget) continue;
        ioa_separation_state t = *state;
        ioa_separation_spill(s->game, &t, x, over->returns);
        if (!spill(s, over, &t, excessive - 1, x + 1, sum)) return false;
    }
    return true;
}

/* One more than need be, the present ones alone or with a served one beside them; none of them has to return. */
static bool overspill(search *s, overflow *over, const ioa_separation_state *state, uint32_t excessive, uint32_t cost)
{
    over->returns = false;
    if (cost + excessive + 1 > s->budget) return true;
    if (!spill(s, over, state, excessive + 1, 0, cost)) return false;
    ioa_set served = ioa_set_minus(&state->touched, &state->live);
    served = ioa_set_minus(&served, &state->spilled);
    for (uint32_t z = ioa_set_next(&served, 0); z < IOA_SEPARATION_NEURONS; z = ioa_set_next(&served, z + 1)) {
        uint32_t sum = cost + ioa_separation_price(s->game, state, z);
        if (!ioa_work_spend(s->work, 1)) return false;
        if (sum + excessive > s->budget) continue;
        ioa_separation_state t = *state;
        ioa_separation_spill(s->game, &t, z, false);
        if (!spill(s, over, &t, excessive, 0, sum)) return false;
    }
    return true;
}

static bool expand(search *s, const node *n)
{
    uint64_t begin = s->count;
    const ioa_separation_state state = n->state; /* nodes move as they grow */
    uint32_t cost = n->cost, moves[IOA_SEPARATION_NEURONS], count = ioa_separation_least_moves(s->game, &state, moves);
    for (uint32_t i = 0; i < count; i++) {
        ioa_separation_state t = ioa_separation_remove(s->game, &state, moves[i]);
        if (!ioa_work_spend(s->work, 1) || !push(s, &t, moves[i], cost)) return false;
    }
    for (uint32_t v = ioa_set_next(&state.touched, 0); v < IOA_SEPARATION_NEURONS && cost < s->budget;
         v = ioa_set_next(&state.touched, v + 1)) {
        if (!ioa_work_spend(s->work, 1)) return false;
        ioa_separation_state t = ioa_separation_remove(s->game, &state, v);
        uint32_t occupied = ioa_separation_occupied(&t);
        if (occupied <= s->game->slots || cost + occupied - s->game->slots > s->budget) continue;
        uint32_t excessive = occupied - s->game->slots;
        overflow over = {v, s->returning, ioa_set_minus(&t.live, &t.spilled)};
        if (!spill(s, &over, &t, excessive, 0, cost)) return false;
        if (s->returning && s->proving && !overspill(s, &over, &t, excessive, cost)) return false;
    }
    if (s->count > begin) qsort(s->nodes + begin, s->count - begin, sizeof *s->nodes, compare);
    return true;
}

typedef enum outcome { REFUTED, FOUND, GIVEN_UP } outcome;

/* Safe steps, written down from `played` on; gives their number. */
static uint32_t descend(search *s, ioa_separation_state *state, uint32_t cost, uint32_t played)
{
    ioa_separation_state before = *state;
    uint32_t n = ioa_separation_descend(s->game, state, s->budget - cost, s->play + played, s->work);
    for (uint32_t i = 0; i < n; i++) {
        before = ioa_separation_remove(s->game, &before, s->play[played + i]);
        s->absent[played + i] = before.spilled;
    }
    return n;
}

/* Shows a play that is complete. */
static bool is_enough(const search *s, uint32_t cost)
{
    if (!s->visit) return true;
    ioa_separation_moves moves = {.count = s->game->count, .cost = cost};
    for (uint32_t i = 0; i < s->game->count; i++) {
        moves.first[i] = s->game->neuron[s->play[s->game->count - 1 - i]];
        moves.absent[i] = s->absent[s->game->count - 1 - i];
        moves.neuron[i] = s->game->neuron[i];
    }
    return s->visit(&moves, s->context);
}

/* Depth first, with all siblings of the way on one stack. */
static outcome explore(search *s)
{
    uint64_t next[IOA_SEPARATION_NEURONS + 2], end[IOA_SEPARATION_NEURONS + 2];
    uint32_t length[IOA_SEPARATION_NEURONS + 2] = {0}, depth = 0; /* of the play before each depth */
    const ioa_separation_state start = {.touched = s->game->all};
    s->count = s->met = 0;
    if (s->slots) memset(s->slot, 0, s->slots * sizeof *s->slot);
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
        if (depth > 0) {
            s->absent[played] = n.state.spilled;
            s->play[played++] = n.removed;
        }
        played += descend(s, &n.state, n.cost, played);
        if (ioa_set_empty(&n.state.touched)) {
            if (is_enough(s, n.cost)) return FOUND;
            continue;
        }
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
static outcome deepen(search *s, bool trial, uint64_t *excess)
{
    uint64_t first = trial ? TRIAL_WORK / ((uint64_t)s->game->count * s->game->count) : *s->work;
    uint64_t rest = *s->work > first ? *s->work - first : 0;
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

static ioa_status begin(search *s, ioa_error *error)
{
    uint64_t most = *s->work / WORK_PER_STATE;
    s->most = most < LEAST_STATES ? LEAST_STATES : most > MOST_STATES ? MOST_STATES : most;
    s->blocks = ioa_alloc_zero(MOST_STATES / BLOCK_STATES, sizeof *s->blocks);
    if (s->blocks) return IOA_OK;
    return ioa_fail_nomem(error, "the game of first accesses", MOST_STATES / BLOCK_STATES, sizeof *s->blocks);
}

static ioa_status finish(search *s, ioa_error *error)
{
    for (uint64_t i = 0; s->blocks && i < s->allocated / BLOCK_STATES; i++) ioa_free(s->blocks[i]);
    ioa_free(s->blocks);
    ioa_free(s->slot);
    ioa_free(s->nodes);
    return s->nomem ? ioa_fail_nomem(error, "the game of first accesses", s->met, sizeof(memory_of)) : IOA_OK;
}

ioa_status ioa_bounds_separation(const ioa_network *network, uint64_t memory, uint64_t known, bool patient,
                                 uint64_t *work, uint64_t *excess, ioa_error *error)
{
    *excess = known;
    ioa_separation *game = ioa_alloc(1, sizeof *game);
    if (!game) return ioa_fail_nomem(error, "the game of first accesses", 1, sizeof *game);
    search s = {.game = game, .work = work, .proving = true};
    ioa_status status = IOA_OK;
    if (ioa_separation_create(network, memory, game)) {
        status = begin(&s, error);
        /* Where no neuron returns there are far fewer states; what that refutes is refuted. */
        if (status == IOA_OK && deepen(&s, !patient, excess) == FOUND && *excess) {
            s.returning = true;
            deepen(&s, false, excess);
        }
        if (status == IOA_OK) status = finish(&s, error);
    }
    ioa_free(game);
    return status;
}

ioa_status ioa_separation_play(const ioa_separation *game, uint64_t budget, uint64_t *work, ioa_separation_visit *visit,
                               void *context, ioa_error *error)
{
    search s = {.game = game, .work = work, .returning = true, .visit = visit, .context = context};
    ioa_status status = begin(&s, error);
    s.budget = budget < IOA_SEPARATION_NEVER ? (uint32_t)budget : IOA_SEPARATION_NEVER - 1;
    if (status == IOA_OK) explore(&s);
    ioa_status end = finish(&s, error);
    return status == IOA_OK ? end : status;
}
