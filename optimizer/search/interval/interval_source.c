/* How one source meets its destinations: loads, residencies held on, and what a change of one interval does to them.
 *
 * A source walks its destinations by deadline. `e` is the last tick of its present residency. A destination with
 * open <= e was served; else the residency is extended to open (held), or u is loaded anew at close. After a change the
 * walk differs from the old one only until both have the same e: usually a few destinations, however many there are. */
#include "optimizer/search/interval/interval_internal.h"

#include "core/base/mem.h"

#include <string.h>

static bool worth_holding(const ioa_interval_state *s, int32_t e, int32_t open)
{
    return e >= 0 && ioa_iv_hold(s, e, 2 * open, IOA_INTERVAL_ONE) < IOA_INTERVAL_ONE;
}

static int32_t last_open(const uint64_t *keys, int32_t count)
{
    int32_t last = 0;
    for (int32_t i = 0; i < count; i++) {
        int32_t open = ioa_iv_open(keys[i]);
        if (open > last) last = open;
    }
    return last;
}

int32_t ioa_iv_plan(ioa_interval_state *s, uint32_t u, uint64_t *keys, int32_t count, int64_t *price)
{
    uint32_t log = s->range_count;
    int32_t born = ioa_iv_born(s, u), e = born, loads = 0;
    int64_t held = 0;
    for (int32_t i = 0; i < count; i++) {
        int32_t open = ioa_iv_open(keys[i]);
        keys[i] &= ~UINT64_C(1);
        if (open <= ioa_iv_tick(e)) continue;
        if (worth_holding(s, e, open)) {
            keys[i] |= 1;
            held += ioa_iv_occupy(s, e, 2 * open, 1);
            e = ioa_iv_met(open);
        } else {
            loads++;
            e = ioa_iv_met(ioa_iv_close(keys[i]));
        }
    }
    if (born >= 0 && ioa_iv_cost(s->problem, u, loads) > 1) { /* holding on to a hidden value through all of its uses */
        int64_t instead = held + (int64_t)ioa_iv_cost(s->problem, u, loads) * IOA_INTERVAL_ONE;
        int32_t last = last_open(keys, count);
        ioa_iv_undo_ranges(s, log);
        if (ioa_iv_hold(s, born, 2 * last, instead) < instead) {
            for (int32_t i = 0; i < count; i++) keys[i] |= 1;
            *price += ioa_iv_occupy(s, born, 2 * last, 1);
            return 0;
        }
        e = born; /* put the first plan back */
        for (int32_t i = 0; i < count; i++) {
            int32_t open = ioa_iv_open(keys[i]);
            if (open <= ioa_iv_tick(e)) continue;
            if (keys[i] & 1) {
                (void)ioa_iv_occupy(s, e, 2 * open, 1);
                e = ioa_iv_met(open);
            } else {
                e = ioa_iv_met(ioa_iv_close(keys[i]));
            }
        }
    }
    *price += held;
    return loads;
}

int64_t ioa_iv_release(ioa_interval_state *s, uint32_t u, int32_t born)
{
    const ioa_interval_problem *p = s->problem;
    int64_t at = p->out_offsets[u], stop = p->out_offsets[u + 1], change = 0;
    int32_t e = born;
    for (; at < stop; at++) {
        uint64_t key = s->key[at];
        int32_t open = ioa_iv_open(key);
        if (open <= ioa_iv_tick(e)) continue;
        if (key & 1) {
            change += ioa_iv_occupy(s, e, 2 * open, -1);
            e = ioa_iv_met(open);
        } else {
            e = ioa_iv_met(ioa_iv_close(key));
        }
    }
    return change;
}

void ioa_iv_ends(ioa_interval_state *s, uint32_t u, int32_t from, int32_t upto)
{
    const ioa_interval_problem *p = s->problem;
    int64_t first = p->out_offsets[u], stop = p->out_offsets[u + 1], at = first + from;
    int32_t e = from > 0 ? s->end[at - 1] : ioa_iv_born(s, u);
    for (; at < stop; at++) {
        uint64_t key = s->key[at];
        int32_t open = ioa_iv_open(key);
        if (open > ioa_iv_tick(e)) e = key & 1 ? ioa_iv_met(open) : ioa_iv_met(ioa_iv_close(key));
        if (at - first >= upto && s->end[at] == e) return; /* from here on nothing is new */
        s->end[at] = e;
    }
}

/* Without branches: which half a search goes on in cannot be foretold. */
static inline int32_t halve(const uint64_t *keys, int32_t from, int32_t count, uint64_t key)
{
    int32_t half = count / 2, probe = half > 0 ? half - 1 : 0;
    return keys[from + probe] < key ? from + half : from;
}

IOA_IV_WIDE void ioa_iv_find(const ioa_interval_state *s, ioa_iv_place *places, uint32_t count, uint64_t old, uint64_t new)
{
    const ioa_interval_problem *p = s->problem;
    const uint64_t *keys[IOA_IV_FLIGHT];
    int32_t left[IOA_IV_FLIGHT], most = 1;
    for (uint32_t i = 0; i < count; i++) {
        const int64_t *offset = p->out_offsets + places[i].source;
        keys[i] = s->key + offset[0];
        left[i] = (int32_t)(offset[1] - offset[0]);
        if (left[i] > most) most = left[i];
        places[i].remove = places[i].insert = 0;
    }
    for (; most > 1; most -= most / 2)
        for (uint32_t i = 0; i < count; i++) {
            places[i].remove = halve(keys[i], places[i].remove, left[i], old);
            places[i].insert = halve(keys[i], places[i].insert, left[i], new);
            left[i] -= left[i] / 2;
        }
    for (uint32_t i = 0; i < count; i++) { /* the first key that is not below, held bits aside */
        places[i].remove += keys[i][places[i].remove] < old;
        places[i].insert += keys[i][places[i].insert] < new;
        const int32_t from = places[i].remove < places[i].insert ? places[i].remove : places[i].insert;
        __builtin_prefetch(s->end + (keys[i] - s->key) + (from > 0 ? from - 1 : 0));
    }
}

static void log_flip(ioa_interval_state *s, uint32_t where)
{
    if (s->flip_count == s->flip_capacity) {
        uint32_t capacity = 2 * s->flip_capacity;
        uint32_t *more = ioa_alloc(capacity, sizeof *more);
        if (!more) {
            s->out_of_memory = true;
            return;
        }
        memcpy(more, s->flips, s->flip_count * sizeof *more);
        ioa_free(s->flips);
        s->flips = more;
        s->flip_capacity = capacity;
    }
    s->flips[s->flip_count++] = where;
}

typedef struct walk {
    int32_t at;           /* next old destination */
    int32_t old_e, new_e; /* residency ends in the old and in the new walk */
    int32_t loads;        /* new minus old */
    int64_t change;       /* of energy, occupancy only */
} walk;

/* The inserted destination, in the new walk. */
static void meet_inserted(ioa_interval_state *s, walk *w, ioa_iv_touch *touch)
{
    int32_t open = ioa_iv_open(touch->key);
    if (open <= ioa_iv_tick(w->new_e)) return;
    if (worth_holding(s, w->new_e, open)) {
        touch->key |= 1;
        w->change += ioa_iv_occupy(s, w->new_e, 2 * open, 1);
        w->new_e = ioa_iv_met(open);
    } else {
        w->loads++;
        w->new_e = ioa_iv_met(ioa_iv_close(touch->key));
    }
}

/* Destination w->at in both walks; in the new one only if it is not the removed one. */
static void meet_old(ioa_interval_state *s, walk *w, uint64_t key, const ioa_iv_touch *touch)
{
    int32_t open = ioa_iv_open(key), close = ioa_iv_close(key), before = w->old_e;
    if (open > ioa_iv_tick(w->old_e)) {
        if (key & 1) {
            w->change += ioa_iv_occupy(s, w->old_e, 2 * open, -1);
            w->old_e = ioa_iv_met(open);
        } else {
            w->loads--;
            w->old_e = ioa_iv_met(close);
        }
    }
    if (w->at == touch->remove || open <= ioa_iv_tick(w->new_e)) return;
    /* decisions are kept where the situation is the same, and made anew where it changed */
    bool held = w->new_e == before && open > ioa_iv_tick(before) ? (key & 1) : worth_holding(s, w->new_e, open);
    if (held) {
        w->change += ioa_iv_occupy(s, w->new_e, 2 * open, 1);
        w->new_e = ioa_iv_met(open);
    } else {
        w->loads++;
        w->new_e = ioa_iv_met(close);
    }
    if (held != (key & 1)) {
        bool removed = touch->remove >= 0 && touch->remove < w->at, inserted = touch->insert >= 0 && touch->insert <= w->at;
        log_flip(s, (uint32_t)(w->at - removed + inserted));
    }
}

/* A hidden neuron that pays few loads: would it rather stay from its close to its last use? */
static int64_t try_all(ioa_interval_state *s, ioa_iv_touch *touch, int32_t born0, uint32_t log, int64_t change)
{
    const ioa_interval_problem *p = s->problem;
    uint32_t u = touch->source;
    int64_t first = p->out_offsets[u];
    int32_t count = (int32_t)(p->out_offsets[u + 1] - first), born = ioa_iv_born(s, u), last = 0;
    int64_t cost = (int64_t)ioa_iv_cost(p, u, touch->loads) * IOA_INTERVAL_ONE;
    for (int32_t i = 0; i < count; i++) {
        int32_t open = ioa_iv_open(s->key[first + i]);
        if (i != touch->remove && open > last) last = open;
    }
    if (touch->insert >= 0 && ioa_iv_open(touch->key) > last) last = ioa_iv_open(touch->key);
    if (ioa_iv_hold(s, born, 2 * last, cost) >= cost) return change;
    ioa_iv_undo_ranges(s, log);
    change = ioa_iv_release(s, u, born0);
    change += ioa_iv_occupy(s, born, 2 * last, 1);
    touch->all = true;
    touch->loads = 0;
    return change;
}

IOA_IV_WIDE int64_t ioa_iv_propose(ioa_interval_state *s, const ioa_iv_place *place, uint64_t new)
{
    const ioa_interval_problem *p = s->problem;
    const uint32_t u = place->source;
    const int32_t born0 = place->born0;
    const uint64_t *keys = s->key + p->out_offsets[u];
    const int32_t *ends = s->end + p->out_offsets[u];
    int32_t count = (int32_t)(p->out_offsets[u + 1] - p->out_offsets[u]);
    uint32_t log = s->range_count;
    ioa_iv_touch touch = {
        .source = u, .remove = place->remove, .insert = place->insert, .flips = s->flip_count, .key = new
    };
    walk w = { .old_e = born0, .new_e = ioa_iv_born(s, u) };
    touch.moved = w.old_e != w.new_e;
    int32_t removing = touch.remove, inserting = touch.insert; /* -1 once it is behind us */
    for (;;) {
        if (w.old_e == w.new_e) { /* nothing to do before the next change */
            int32_t to = removing < 0 ? inserting : inserting < 0 ? removing : removing < inserting ? removing : inserting;
            if (to < 0) break;
            if (to > w.at) {
                w.at = to;
                w.old_e = w.new_e = ends[to - 1];
            }
        }
        if (w.at == inserting) {
            meet_inserted(s, &w, &touch);
            inserting = -1;
            continue;
        }
        if (w.at == count) break;
        meet_old(s, &w, keys[w.at], &touch);
        if (w.at == removing) removing = -1;
        w.at++;
    }
    int64_t change = w.change;
    touch.loads = s->loads[u] + w.loads;
    if (touch.loads > 0 && touch.loads <= 3 && ioa_iv_hidden(p, u) && ioa_iv_cost(p, u, touch.loads) > 1)
        change = try_all(s, &touch, born0, log, change);
    touch.flip_count = s->flip_count - touch.flips;
    change += (int64_t)(ioa_iv_cost(p, u, touch.loads) - ioa_iv_cost(p, u, s->loads[u])) * IOA_INTERVAL_ONE;
    if (s->touch_count < s->touch_capacity) s->touches[s->touch_count++] = touch;
    else s->out_of_memory = true;
    return change;
}

void ioa_iv_apply(ioa_interval_state *s, const ioa_iv_touch *touch)
{
    const ioa_interval_problem *p = s->problem;
    uint32_t u = touch->source;
    uint64_t *keys = s->key + p->out_offsets[u];
    int32_t count = (int32_t)(p->out_offsets[u + 1] - p->out_offsets[u]), from = 0, upto = 0;
    if (touch->insert >= 0) {
        int32_t out = touch->remove, in = touch->insert;
        from = touch->moved ? 0 : out < in ? out : in;
        upto = (out < in ? in : out) + 1;
        if (out < in) {
            memmove(keys + out, keys + out + 1, (size_t)(in - out - 1) * sizeof *keys);
            keys[in - 1] = touch->key;
        } else {
            memmove(keys + in + 1, keys + in, (size_t)(out - in) * sizeof *keys);
            keys[in] = touch->key;
        }
    }
    for (uint32_t i = 0; i < touch->flip_count; i++) {
        int32_t flip = (int32_t)s->flips[touch->flips + i];
        keys[flip] ^= 1;
        if (flip >= upto) upto = flip + 1;
    }
    if (touch->all) {
        for (int32_t i = 0; i < count; i++) keys[i] |= 1;
        from = 0;
        upto = count;
    }
    s->io += ioa_iv_cost(p, u, touch->loads) - ioa_iv_cost(p, u, s->loads[u]);
    s->loads[u] = touch->loads;
    ioa_iv_ends(s, u, from, upto);
}
