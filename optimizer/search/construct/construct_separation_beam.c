#include "optimizer/search/construct/construct_separation.h"

#include "core/base/mem.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX
#define MOST_SPILLED 2u       /* at one moment; more at once is never cheap */
#define CROWD 16u             /* candidates of a level before it is thinned out, in widths */
#define DESCENT_WORK UINT64_C(20000) /* tries of safe steps from one state */

/* One removal of a play; those of a play are linked from the last one, its latest, to the first. */
typedef struct removal {
    uint32_t before; /* index, or NONE */
    uint32_t neuron;
    ioa_set absent;
} removal;

typedef struct kept {
    ioa_separation_state state;
    uint32_t cost;
    uint32_t last; /* removal, or NONE */
} kept;

/* A state that has not been made yet: `parent` with `neuron` removed and `spilled` absent (NONE: no more of them). */
typedef struct candidate {
    uint32_t parent, neuron;
    uint32_t spilled[MOST_SPILLED];
    uint32_t cost, rank;
    uint64_t index; /* of equals, the one that came first */
} candidate;

typedef struct level {
    candidate *list;
    uint32_t count, room;
    uint32_t limit; /* candidates of this rank or more come too late; 0: none do */
} level;

typedef struct beam {
    const ioa_separation *game;
    uint32_t width, weight;
    level levels[IOA_SEPARATION_NEURONS + 1]; /* by touched neurons */
    kept *kept;
    uint32_t keeps, kept_room;
    removal *removals;
    uint32_t removed, removal_room;
    uint64_t candidates;
} beam;

/* Room for one more than `count`; `first`: how many there will be, as a rule. */
static bool grow(void **list, uint32_t *room, uint32_t count, uint32_t first, size_t size)
{
    if (count < *room) return true;
    uint32_t wanted = *room ? 2 * *room : first;
    void *more = ioa_alloc_larger(*list, count, wanted, size);
    if (!more) return false;
    *list = more;
    *room = wanted;
    return true;
}

static int compare(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    if (x->rank != y->rank) return (x->rank > y->rank) - (x->rank < y->rank);
    return (x->index > y->index) - (x->index < y->index);
}

static void thin_out(const beam *b, level *l)
{
    qsort(l->list, l->count, sizeof *l->list, compare);
    if (l->count <= CROWD / 2 * b->width) return;
    l->count = CROWD / 2 * b->width;
    l->limit = l->list[l->count - 1].rank; /* equals that come later rank behind */
}

static bool propose(beam *b, uint32_t touched, candidate c, uint32_t occupied)
{
    level *l = &b->levels[touched];
    c.rank = c.cost * b->weight + occupied;
    if (l->limit && c.rank >= l->limit) return true;
    if (l->count >= CROWD * b->width) thin_out(b, l);
    if (!grow((void **)&l->list, &l->room, l->count, CROWD * b->width, sizeof *l->list)) return false;
    c.index = b->candidates++;
    l->list[l->count++] = c;
    return true;
}

/* Those present who may be absent. */
static ioa_set may_spill(const ioa_separation *game, const ioa_separation_state *s)
{
    ioa_set some = ioa_set_minus(&s->live, &s->spilled);
    for (uint32_t x = ioa_set_next(&some, 0); x < IOA_SEPARATION_NEURONS; x = ioa_set_next(&some, x + 1))
        if (game->weight[x] == IOA_SEPARATION_NEVER) ioa_set_drop(&some, x);
    return some;
}

/* The moves from a kept state. */
static bool expand(beam *b, uint32_t parent)
{
    const ioa_separation *game = b->game;
    const ioa_separation_state s = b->kept[parent].state;
    uint32_t touched = ioa_set_size(&s.touched), cost = b->kept[parent].cost;
    for (uint32_t v = ioa_set_next(&s.touched, 0); v < IOA_SEPARATION_NEURONS; v = ioa_set_next(&s.touched, v + 1)) {
        ioa_separation_state t = ioa_separation_remove(game, &s, v);
        uint32_t occupied = ioa_separation_occupied(&t), over = occupied > game->slots ? occupied - game->slots : 0;
        candidate c = {parent, v, {NONE, NONE}, cost, 0, 0};
        if (over == 0 && !propose(b, touched - 1, c, occupied)) return false;
        if (over == 0 || over > MOST_SPILLED) continue;
        ioa_set present = may_spill(game, &t);
        for (uint32_t x = ioa_set_next(&present, 0); x < IOA_SEPARATION_NEURONS; x = ioa_set_next(&present, x + 1)) {
            c.spilled[0] = x;
            c.spilled[1] = NONE;
            c.cost = cost + ioa_separation_price(game, &t, x);
            if (over == 1 && !propose(b, touched - 1, c, game->slots)) return false;
            if (over == 1) continue;
            for (uint32_t y = ioa_set_next(&present, x + 1); y < IOA_SEPARATION_NEURONS; y = ioa_set_next(&present, y + 1)) {
                candidate two = c;
                two.spilled[1] = y;
                two.cost += ioa_separation_price(game, &t, y);
                if (!propose(b, touched - 1, two, game->slots)) return false;
            }
        }
    }
    return true;
}

static bool note_removal(beam *b, kept *k, uint32_t neuron)
{
    uint32_t first = 2 * IOA_SEPARATION_NEURONS * b->width;
    if (!grow((void **)&b->removals, &b->removal_room, b->removed, first, sizeof *b->removals)) return false;
    b->removals[b->removed] = (removal){k->last, neuron, k->state.spilled};
    k->last = b->removed++;
    return true;
}

/* Makes the state of a candidate, and takes the safe steps from it. */
static bool make(beam *b, const candidate *c, kept *k)
{
    uint32_t safe[IOA_SEPARATION_NEURONS];
    uint64_t work = DESCENT_WORK;
    *k = b->kept[c->parent];
    k->cost = c->cost;
    k->state = ioa_separation_remove(b->game, &k->state, c->neuron);
    for (uint32_t i = 0; i < MOST_SPILLED && c->spilled[i] != NONE; i++)
        ioa_separation_spill(b->game, &k->state, c->spilled[i], true);
    if (!note_removal(b, k, c->neuron)) return false;
    ioa_separation_state s = k->state;
    uint32_t n = ioa_separation_descend(b->game, &s, UINT32_MAX, safe, &work);
    for (uint32_t i = 0; i < n; i++) {
        k->state = ioa_separation_remove(b->game, &k->state, safe[i]);
        if (!note_removal(b, k, safe[i])) return false;
    }
    return true;
}

static bool is_known(const beam *b, const kept *k, uint32_t from)
{
    for (uint32_t i = from; i < b->keeps; i++) {
        const ioa_separation_state *s = &b->kept[i].state;
        if (memcmp(&s->touched, &k->state.touched, sizeof s->touched) == 0 &&
            memcmp(&s->spilled, &k->state.spilled, sizeof s->spilled) == 0 &&
            memcmp(&s->paid, &k->state.paid, sizeof s->paid) == 0 && memcmp(s->tie, k->state.tie, sizeof s->tie) == 0)
            return b->kept[i].cost <= k->cost;
    }
    return false;
}

static bool show(const beam *b, const kept *k, ioa_separation_visit *visit, void *context)
{
    ioa_separation_moves moves = {.cost = k->cost};
    for (uint32_t i = 0; i < b->game->count; i++) moves.neuron[i] = b->game->neuron[i];
    for (uint32_t at = k->last; at != NONE; at = b->removals[at].before) {
        moves.first[moves.count] = b->game->neuron[b->removals[at].neuron];
        moves.absent[moves.count++] = b->removals[at].absent;
    }
    return visit(&moves, context);
}

/* The best candidates of a level; false where memory is out. */
static bool advance(beam *b, level *l, const ioa_separation_beam *plan, bool *content)
{
    uint32_t from = b->keeps;
    if (l->count == 0) return true; /* and there is no list to sort */
    qsort(l->list, l->count, sizeof *l->list, compare);
    for (uint32_t i = 0; i < l->count && b->keeps - from < b->width && !*content; i++) {
        kept k;
        if (!make(b, &l->list[i], &k)) return false;
        if (ioa_set_empty(&k.state.touched)) {
            *content = show(b, &k, plan->visit, plan->context);
            continue;
        }
        if (is_known(b, &k, from)) continue;
        if (!grow((void **)&b->kept, &b->kept_room, b->keeps, 1, sizeof *b->kept)) return false;
        b->kept[b->keeps++] = k;
        if (!expand(b, b->keeps - 1)) return false;
        if (plan->stop(plan->context)) *content = true;
    }
    return true;
}

ioa_status ioa_separation_beam_search(const ioa_separation_beam *plan, ioa_error *error)
{
    beam *b = ioa_alloc_zero(1, sizeof *b);
    if (!b) return ioa_fail_nomem(error, "the beam of plays", 1, sizeof *b);
    b->game = plan->game;
    b->width = plan->width;
    b->weight = plan->weight;
    bool content = false, enough = grow((void **)&b->kept, &b->kept_room, 0, plan->game->count * b->width, sizeof *b->kept);
    if (enough) {
        b->kept[b->keeps++] = (kept){.state = {.touched = plan->game->all}, .last = NONE};
        enough = expand(b, 0);
    }
    for (uint32_t touched = plan->game->count; enough && !content && touched-- > 0;)
        enough = advance(b, &b->levels[touched], plan, &content);
    ioa_status status = enough ? IOA_OK : ioa_fail_nomem(error, "the beam of plays", b->keeps, sizeof *b->kept);
    for (uint32_t i = 0; i <= IOA_SEPARATION_NEURONS; i++) ioa_free(b->levels[i].list);
    ioa_free(b->kept);
    ioa_free(b->removals);
    ioa_free(b);
    return status;
}
