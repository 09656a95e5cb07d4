#include "core/separation.h"

#include "core/bounds_internal.h"
#include "core/network.h"

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
    for (uint32_t i = 0; i < game->count; i++) {
        uint32_t v = game->neuron[i];
        for (int64_t e = a->indptr[v]; e < a->indptr[v + 1]; e++)
            ioa_set_add(&game->need[place_of(game, a->indices[e])], i);
    }
    for (uint32_t i = 0; i < game->count; i++) {
        uint32_t v = game->neuron[i];
        bool computed = a->indptr[v + 1] > a->indptr[v];
        game->weight[i] = !computed || (network->is_output[v] && ioa_set_has(&source, i)) ? 1 : 2;
        for (uint32_t j = 0; j < game->count; j++)
            if (ioa_set_has(&game->need[j], i)) ioa_set_add(&game->dependents[i], j);
    }
    return true;
}

ioa_separation_state ioa_separation_remove(const ioa_separation *game, const ioa_separation_state *s, uint32_t v)
{
    ioa_separation_state t = *s;
    ioa_set_drop(&t.touched, v);
    for (uint32_t i = 0; i < IOA_SEPARATION_WORDS; i++) t.live.w[i] |= t.touched.w[i] & game->dependents[v].w[i];
    ioa_set_drop(&t.live, v);
    ioa_set_drop(&t.spilled, v);
    return t;
}

uint32_t ioa_separation_occupied(const ioa_separation_state *before)
{
    ioa_set resident = ioa_set_minus(&before->live, &before->spilled);
    return ioa_set_size(&resident) + 1;
}

/* Finds a partner for the i-th of the newly live, moving others where that helps (Hall's theorem, by augmenting paths). */
static bool match(const ioa_separation *game, const uint32_t *risen, uint32_t i, const uint32_t *gone, uint32_t n,
                  uint32_t *partner, bool *seen)
{
    for (uint32_t j = 0; j < n; j++) {
        if (seen[j] || !ioa_set_has(&game->need[risen[i]], gone[j])) continue;
        if (game->weight[risen[i]] > game->weight[gone[j]]) continue;
        seen[j] = true;
        if (partner[j] != NONE && !match(game, risen, partner[j], gone, n, partner, seen)) continue;
        partner[j] = i;
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

bool ioa_separation_safe(const ioa_separation *game, const ioa_separation_state *s, const ioa_separation_state *after)
{
    ioa_set up = ioa_set_minus(&after->live, &s->live), down = ioa_set_minus(&s->live, &s->spilled);
    if (ioa_set_empty(&up)) return true;
    down = ioa_set_minus(&down, &after->touched);
    if (ioa_set_size(&up) > ioa_set_size(&down)) return false;
    uint32_t risen[IOA_SEPARATION_NEURONS], gone[IOA_SEPARATION_NEURONS], partner[IOA_SEPARATION_NEURONS];
    uint32_t rises = list(&up, risen), n = list(&down, gone);
    for (uint32_t j = 0; j < n; j++) partner[j] = NONE;
    for (uint32_t i = 0; i < rises; i++) {
        bool seen[IOA_SEPARATION_NEURONS] = {false};
        if (!match(game, risen, i, gone, n, partner, seen)) return false;
    }
    return true;
}

static bool spend(uint64_t *work)
{
    return *work && (*work)--;
}

/* One safe step from *s. */
static bool step(const ioa_separation *game, ioa_separation_state *s, uint32_t *removed, uint64_t *work)
{
    for (uint32_t v = ioa_set_next(&s->touched, 0); v < IOA_SEPARATION_NEURONS; v = ioa_set_next(&s->touched, v + 1)) {
        if (!spend(work)) return false;
        ioa_separation_state t = ioa_separation_remove(game, s, v);
        if (ioa_separation_occupied(&t) > game->slots || !ioa_separation_safe(game, s, &t)) continue;
        *s = t;
        *removed = v;
        return true;
    }
    return false;
}

/* One step that is not safe by itself, and safe ones after it, until all of them together are. */
static uint32_t detour(const ioa_separation *game, ioa_separation_state *s, uint32_t *removed, uint64_t *work)
{
    uint32_t before = ioa_separation_occupied(s);
    for (uint32_t v = ioa_set_next(&s->touched, 0); v < IOA_SEPARATION_NEURONS; v = ioa_set_next(&s->touched, v + 1)) {
        if (!spend(work)) return 0;
        ioa_separation_state t = ioa_separation_remove(game, s, v);
        /* More live neurons than before are seldom won back; trying costs more than the states it saves. */
        if (ioa_separation_occupied(&t) > game->slots || ioa_separation_occupied(&t) > before) continue;
        uint32_t n = 0;
        removed[n++] = v;
        while (step(game, &t, &removed[n], work)) {
            n++;
            if (!ioa_separation_safe(game, s, &t)) continue;
            *s = t;
            return n;
        }
    }
    return 0;
}

uint32_t ioa_separation_descend(const ioa_separation *game, ioa_separation_state *s, uint32_t *removed, uint64_t *work)
{
    uint32_t scratch[IOA_SEPARATION_NEURONS], n = 0, more;
    uint32_t *list_of = removed ? removed : scratch;
    do {
        while (step(game, s, &list_of[n], work)) n++;
        more = detour(game, s, list_of + n, work);
        n += more;
    } while (more && *work);
    return n;
}
