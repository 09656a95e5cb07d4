#include "core/bounds/separation.h"

#include "core/bounds/bounds_internal.h"
#include "core/model/network.h"

#include <string.h>

#define NONE UINT32_MAX

/* Where neuron `id` stands among those with connections, or would. */
static uint32_t place_of(const ioa_separation *game, uint32_t id)
{
    uint32_t low = 0, high = game->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (game->neuron[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void take_part(ioa_separation *game, uint32_t id)
{
    uint32_t at = place_of(game, id);
    if (at < game->count && game->neuron[at] == id) return;
    memmove(game->neuron + at + 1, game->neuron + at, (game->count - at) * sizeof *game->neuron);
    game->neuron[at] = id;
    game->count++;
}

static void connect(ioa_separation *game, uint32_t v, uint32_t partner, bool outgoing)
{
    uint32_t i = game->degree[v]++;
    if (i >= IOA_SEPARATION_DEGREE) return;
    game->partner[v][i] = (uint8_t)partner;
    game->outgoing[v] |= (uint32_t)outgoing << i;
}

/* A connection waits for its destination, its source and the ancestors of that. */
static void find_waits(ioa_separation *game, uint32_t v)
{
    uint32_t known = game->degree[v] < IOA_SEPARATION_DEGREE ? game->degree[v] : IOA_SEPARATION_DEGREE;
    for (uint32_t i = 0; i < known; i++) {
        uint32_t partner = game->partner[v][i];
        bool outgoing = game->outgoing[v] >> i & 1;
        ioa_set by = game->ancestors[outgoing ? v : partner];
        ioa_set_add(&by, outgoing ? partner : v);
        for (uint32_t u = ioa_set_next(&by, 0); u < IOA_SEPARATION_NEURONS; u = ioa_set_next(&by, u + 1))
            game->waits[v][u] |= UINT32_C(1) << i;
    }
}

bool ioa_separation_create(const ioa_network *network, uint64_t memory, ioa_separation *game)
{
    const ioa_network_arrays *a = &network->a;
    memset(game, 0, sizeof *game);
    if (network->connections == 0 ||
        network->bounds.active_neurons - network->bounds.lone_outputs > IOA_SEPARATION_NEURONS)
        return false;
    game->slots = memory - 1 < IOA_SEPARATION_NEURONS ? (uint32_t)(memory - 1) : IOA_SEPARATION_NEURONS;
    for (uint32_t v = 0; v < a->neurons; v++) {
        if (a->indptr[v + 1] > a->indptr[v]) take_part(game, v);
        for (int64_t e = a->indptr[v]; e < a->indptr[v + 1]; e++) take_part(game, a->indices[e]);
    }
    /* Ids ascend along connections: the ancestors of sources are known when a destination comes. */
    ioa_set source = {{0}};
    for (uint32_t i = 0; i < game->count; i++) {
        uint32_t v = game->neuron[i];
        ioa_set_add(&game->all, i);
        ioa_set_add(&game->need[i], i);
        for (int64_t e = a->indptr[v]; e < a->indptr[v + 1]; e++) {
            uint32_t from = place_of(game, a->indices[e]);
            ioa_set_add(&source, from);
            for (uint32_t w = 0; w < IOA_SEPARATION_WORDS; w++) game->need[i].w[w] |= game->need[from].w[w];
        }
    }
    /* So far `need` holds ancestors only; destinations are added after, so that they are not inherited. */
    memcpy(game->ancestors, game->need, sizeof game->ancestors);
    for (uint32_t i = 0; i < game->count; i++) {
        uint32_t v = game->neuron[i];
        for (int64_t e = a->indptr[v]; e < a->indptr[v + 1]; e++) {
            uint32_t from = place_of(game, a->indices[e]);
            ioa_set_add(&game->need[from], i);
            ioa_set_add(&game->destinations[from], i);
            connect(game, from, i, true);
            connect(game, i, from, false);
        }
    }
    for (uint32_t i = 0; i < game->count; i++) {
        uint32_t v = game->neuron[i];
        bool computed = a->indptr[v + 1] > a->indptr[v];
        game->weight[i] = !computed || (network->is_output[v] && ioa_set_has(&source, i)) ? 1 : 2;
        for (uint32_t j = 0; j < game->count; j++) {
            if (ioa_set_has(&game->need[j], i)) ioa_set_add(&game->dependents[i], j);
            if (ioa_set_has(&game->ancestors[j], i)) ioa_set_add(&game->descendants[i], j);
        }
        find_waits(game, i);
    }
    return true;
}

void ioa_separation_keep_dear(ioa_separation *game)
{
    for (uint32_t i = 0; i < game->count; i++)
        if (game->weight[i] > 1) game->weight[i] = IOA_SEPARATION_NEVER;
}

/* Whether connection i of v is formed: its destination, its source and the ancestors of that are within `touched`. */
static bool formed(const ioa_separation *game, uint32_t v, uint32_t i, const ioa_set *touched)
{
    uint32_t partner = game->partner[v][i];
    bool outgoing = game->outgoing[v] >> i & 1;
    return ioa_set_has(touched, outgoing ? partner : v) &&
           ioa_set_within(&game->ancestors[outgoing ? v : partner], touched);
}

static void untie(ioa_separation_state *s, uint32_t at)
{
    s->ties--;
    memmove(&s->tie[at], &s->tie[at + 1], (s->ties - at) * sizeof *s->tie);
    s->tie[s->ties] = (ioa_separation_tie){0, 0};
}

/* Takes back those whose open connections wait for v. */
static void bring_back(const ioa_separation *game, ioa_separation_state *s, uint32_t v)
{
    for (uint32_t k = 0; k < s->ties;) {
        uint32_t x = s->tie[k].neuron;
        if (s->tie[k].open & game->waits[x][v] || x == v) {
            ioa_set_drop(&s->spilled, x);
            untie(s, k);
        } else
            k++;
    }
}

ioa_separation_state ioa_separation_remove(const ioa_separation *game, const ioa_separation_state *s, uint32_t v)
{
    ioa_separation_state t = *s;
    ioa_set_drop(&t.touched, v);
    for (uint32_t i = 0; i < IOA_SEPARATION_WORDS; i++) t.live.w[i] |= t.touched.w[i] & game->dependents[v].w[i];
    bring_back(game, &t, v);
    ioa_set_drop(&t.live, v);
    ioa_set_drop(&t.spilled, v);
    ioa_set_drop(&t.paid, v);
    return t;
}

uint32_t ioa_separation_price(const ioa_separation *game, const ioa_separation_state *s, uint32_t v)
{
    return ioa_set_has(&s->paid, v) ? 1 : game->weight[v];
}

/* Sources of formed connections with an end that is not `kept`. */
static ioa_set settled(const ioa_separation *game, const ioa_set *touched, const ioa_set *kept)
{
    ioa_set found = {{0}};
    for (uint32_t c = ioa_set_next(touched, 0); c < IOA_SEPARATION_NEURONS; c = ioa_set_next(touched, c + 1)) {
        ioa_set to = ioa_set_both(&game->destinations[c], touched);
        if (ioa_set_empty(&to) || !ioa_set_within(&game->ancestors[c], touched)) continue;
        if (!ioa_set_has(kept, c) || !ioa_set_within(&to, kept)) ioa_set_add(&found, c);
    }
    return found;
}

void ioa_separation_spill(const ioa_separation *game, ioa_separation_state *s, uint32_t v, bool returns)
{
    ioa_set_add(&s->spilled, v);
    ioa_set_add(&s->paid, v);
    if (!returns || game->degree[v] > IOA_SEPARATION_DEGREE || s->ties == IOA_SEPARATION_TIES) return;
    ioa_set kept; /* those that may have an access to come */
    for (uint32_t w = 0; w < IOA_SEPARATION_WORDS; w++) kept.w[w] = s->live.w[w] | s->spilled.w[w];
    ioa_set done = settled(game, &s->touched, &kept);
    uint32_t open = 0, at = s->ties;
    for (uint32_t i = 0; i < game->degree[v]; i++) {
        if (!formed(game, v, i, &s->touched)) continue;
        uint32_t partner = game->partner[v][i];
        ioa_set after = ioa_set_both(&game->descendants[game->outgoing[v] >> i & 1 ? partner : v], &done);
        if (!ioa_set_has(&kept, partner) || !ioa_set_empty(&after)) open |= UINT32_C(1) << i;
    }
    if (!open) return;
    for (; at > 0 && s->tie[at - 1].neuron > v; at--) s->tie[at] = s->tie[at - 1];
    s->tie[at] = (ioa_separation_tie){v, open};
    s->ties++;
}

uint32_t ioa_separation_occupied(const ioa_separation_state *before)
{
    ioa_set resident = ioa_set_minus(&before->live, &before->spilled);
    return ioa_set_size(&resident) + 1;
}

/* Newly present neurons with those they may take the place of (core/bounds/bounds.h, E and F). */
typedef struct places {
    uint32_t risen[IOA_SEPARATION_NEURONS], gone[IOA_SEPARATION_NEURONS];
    ioa_set fits[IOA_SEPARATION_NEURONS]; /* by index in risen: those gone, by neuron */
    uint32_t partner[IOA_SEPARATION_NEURONS];
} places;

/* Finds a place for the i-th of the risen, moving others where that helps (Hall's theorem, by augmenting paths). */
static bool match(places *p, uint32_t i, uint32_t n, bool *seen)
{
    for (uint32_t j = 0; j < n; j++) {
        if (seen[j] || !ioa_set_has(&p->fits[i], p->gone[j])) continue;
        seen[j] = true;
        if (p->partner[j] != NONE && !match(p, p->partner[j], n, seen)) continue;
        p->partner[j] = i;
        return true;
    }
    return false;
}

static uint32_t list(const ioa_set *s, uint32_t *members)
{
    uint32_t n = 0;
    for (uint32_t v = ioa_set_next(s, 0); v < IOA_SEPARATION_NEURONS; v = ioa_set_next(s, v + 1)) members[n++] = v;
    return n;
}

/* What must be untouched for y to be wanted: its need; or, if it is tied, whatever brings it back. */
static ioa_set wanted_by(const ioa_separation *game, const ioa_separation_state *s, uint32_t y)
{
    ioa_set by = {{0}};
    for (uint32_t k = 0; k < s->ties; k++) {
        if (s->tie[k].neuron != y) continue;
        for (uint32_t open = s->tie[k].open; open; open &= open - 1) {
            uint32_t i = (uint32_t)__builtin_ctz(open), partner = game->partner[y][i];
            bool outgoing = game->outgoing[y] >> i & 1;
            const ioa_set *ancestors = &game->ancestors[outgoing ? y : partner];
            for (uint32_t w = 0; w < IOA_SEPARATION_WORDS; w++) by.w[w] |= ancestors->w[w];
            ioa_set_add(&by, outgoing ? partner : y);
        }
        return by;
    }
    return game->need[y];
}

bool ioa_separation_safe(const ioa_separation *game, const ioa_separation_state *s, const ioa_separation_state *after,
                         uint32_t left)
{
    ioa_set up = ioa_set_minus(&after->live, &after->spilled), down = ioa_set_minus(&s->live, &s->spilled);
    up = ioa_set_minus(&up, &down);
    if (ioa_set_empty(&up)) return true;
    down = ioa_set_minus(&down, &after->touched);
    if (ioa_set_size(&up) > ioa_set_size(&down)) return false;
    places p;
    uint32_t rises = list(&up, p.risen), n = list(&down, p.gone);
    for (uint32_t i = 0; i < rises; i++) {
        uint32_t price = ioa_separation_price(game, s, p.risen[i]);
        p.fits[i] = wanted_by(game, s, p.risen[i]);
        for (uint32_t j = 0; j < n; j++) {
            uint32_t other = ioa_separation_price(game, s, p.gone[j]);
            if (price > other && other <= left) ioa_set_drop(&p.fits[i], p.gone[j]);
        }
    }
    for (uint32_t j = 0; j < n; j++) p.partner[j] = NONE;
    for (uint32_t i = 0; i < rises; i++) {
        bool seen[IOA_SEPARATION_NEURONS] = {false};
        if (!match(&p, i, n, seen)) return false;
    }
    return true;
}

static bool spend(uint64_t *work)
{
    return *work && (*work)--;
}

/* Who is present after the removal of v, of those who were not before. */
static ioa_set joining(const ioa_separation *game, const ioa_separation_state *s, uint32_t v)
{
    ioa_set present = ioa_set_minus(&s->live, &s->spilled), join;
    if (s->ties) { /* some of the spilled may return */
        ioa_separation_state t = ioa_separation_remove(game, s, v);
        join = ioa_set_minus(&t.live, &t.spilled);
    } else {
        ioa_set dependents = ioa_set_both(&s->touched, &game->dependents[v]);
        join = ioa_set_minus(&dependents, &s->spilled);
        ioa_set_drop(&join, v);
    }
    return ioa_set_minus(&join, &present);
}

uint32_t ioa_separation_least_moves(const ioa_separation *game, const ioa_separation_state *s, uint32_t *moves)
{
    ioa_set present = ioa_set_minus(&s->live, &s->spilled), joins[IOA_SEPARATION_NEURONS];
    uint32_t n = 0, free = game->slots > ioa_set_size(&present) ? game->slots - ioa_set_size(&present) : 0;
    for (uint32_t v = ioa_set_next(&s->touched, 0); v < IOA_SEPARATION_NEURONS; v = ioa_set_next(&s->touched, v + 1)) {
        ioa_set join = joining(game, s, v);
        if (!ioa_set_has(&present, v)) ioa_set_add(&join, v);
        if (ioa_set_size(&join) > free) continue;
        bool least = true;
        for (uint32_t i = 0; i < n && least; i++) least = !ioa_set_within(&joins[i], &join);
        if (!least) continue;
        uint32_t kept = 0;
        for (uint32_t i = 0; i < n; i++) {
            if (ioa_set_within(&join, &joins[i])) continue;
            joins[kept] = joins[i];
            moves[kept++] = moves[i];
        }
        n = kept;
        joins[n] = join;
        moves[n++] = v;
    }
    return n;
}

/* Whether as many stay present after the removal of v, or fewer; nothing else can be safe by itself. */
static bool is_quiet(const ioa_separation *game, const ioa_separation_state *s, uint32_t v)
{
    ioa_set join = joining(game, s, v);
    return ioa_set_size(&join) <= (uint32_t)(ioa_set_has(&s->live, v) && !ioa_set_has(&s->spilled, v));
}

/* One safe step from *s, a removal of one of `from`. */
static bool step(const ioa_separation *game, ioa_separation_state *s, const ioa_set *from, uint32_t left,
                 uint32_t *removed, uint64_t *work)
{
    ioa_set some = ioa_set_both(&s->touched, from);
    for (uint32_t v = ioa_set_next(&some, 0); v < IOA_SEPARATION_NEURONS; v = ioa_set_next(&some, v + 1)) {
        if (!spend(work)) return false;
        if (!is_quiet(game, s, v)) continue;
        ioa_separation_state t = ioa_separation_remove(game, s, v);
        if (ioa_separation_occupied(&t) > game->slots || !ioa_separation_safe(game, s, &t, left)) continue;
        *s = t;
        *removed = v;
        return true;
    }
    return false;
}

/* Adds those whose removal brings back fewer now that v is removed and `join` have come back. */
static void widen(const ioa_separation *game, ioa_set *from, uint32_t v, const ioa_set *join)
{
    for (uint32_t w = 0; w < IOA_SEPARATION_WORDS; w++) from->w[w] |= game->need[v].w[w];
    for (uint32_t y = ioa_set_next(join, 0); y < IOA_SEPARATION_NEURONS; y = ioa_set_next(join, y + 1))
        for (uint32_t w = 0; w < IOA_SEPARATION_WORDS; w++) from->w[w] |= game->need[y].w[w];
}

/* One step that is not safe by itself, and safe ones after it that it made possible, until all of them together are.
 * More neurons present than before are seldom won back; trying costs more than the states it saves. */
static uint32_t detour(const ioa_separation *game, ioa_separation_state *s, uint32_t left, uint32_t *removed,
                       uint64_t *work)
{
    uint32_t moves[IOA_SEPARATION_NEURONS], count = ioa_separation_least_moves(game, s, moves);
    for (uint32_t i = 0; i < count; i++) {
        if (!spend(work)) return 0;
        if (!is_quiet(game, s, moves[i])) continue;
        ioa_separation_state t = ioa_separation_remove(game, s, moves[i]);
        ioa_set from = {{0}}, join = joining(game, s, moves[i]);
        uint32_t n = 0;
        widen(game, &from, moves[i], &join);
        removed[n++] = moves[i];
        for (;;) {
            ioa_separation_state before = t;
            if (!step(game, &t, &from, left, &removed[n], work)) break;
            join = joining(game, &before, removed[n]);
            widen(game, &from, removed[n], &join);
            n++;
            if (!ioa_separation_safe(game, s, &t, left)) continue;
            *s = t;
            return n;
        }
    }
    return 0;
}

uint32_t ioa_separation_descend(const ioa_separation *game, ioa_separation_state *s, uint32_t left, uint32_t *removed,
                                uint64_t *work)
{
    uint32_t scratch[IOA_SEPARATION_NEURONS], n = 0, more;
    uint32_t *list_of = removed ? removed : scratch;
    do {
        while (step(game, s, &game->all, left, &list_of[n], work)) n++;
        more = detour(game, s, left, list_of + n, work);
        n += more;
    } while (more && *work);
    return n;
}
