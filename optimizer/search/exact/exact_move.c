/* Moving steps, counting what changes, and taking moves back. */
#include "optimizer/search/exact/exact_state.h"

#include <string.h>

/* ---- which steps may come out differently ---- */

static void touch(ioa_exact *x, uint32_t node)
{
    x->events[x->event_count++] = (ioa_exact_event){0, node};
}

/* The step in which the bound passes an access. One that moves is covered by the steps around its old and new place. */
static void touch_passing(ioa_exact *x, uint32_t access)
{
    if (ioa_exact_moving(x, access >> 1)) return;
    const uint32_t step = ioa_exact_at(x, access)->gone[access & 1];
    if (step != IOA_EXACT_NONE && !ioa_exact_moving(x, step)) touch(x, step);
}

/* Everything around a step's place: called before it leaves and once it arrived. */
static void touch_around(ioa_exact *x, uint32_t node)
{
    const ioa_exact_node *n = &x->nodes[node];
    touch(x, n->next);
    touch_passing(x, 2 * n->prev + 1); /* from there on the bound stands at the accesses of the place itself */
    for (int side = 0; side < 2; side++) {
        const uint32_t before = n->before[side], after = n->after[side];
        if (ioa_exact_inside(x, after)) touch(x, after >> 1);
        if (before == IOA_EXACT_NONE) continue;
        if (after == IOA_EXACT_NONE) touch(x, before >> 1); /* it becomes, or was, the last one */
        touch_passing(x, before);
    }
}

/* ---- moving ---- */

void ioa_exact_begin(ioa_exact *x)
{
    x->stamp += IOA_EXACT_STAMP;
    if (x->stamp == 0) {
        for (uint32_t t = 0; t <= x->g->W; t++) x->nodes[t].flags &= 3u;
        x->stamp = IOA_EXACT_STAMP;
    }
    x->placed_count = x->event_count = x->counted_count = x->passed_count = 0;
    x->change = 0;
}

static void join(ioa_exact *x, uint32_t before, uint32_t after)
{
    if (before != IOA_EXACT_NONE) ioa_exact_at(x, before)->after[before & 1] = after;
    if (ioa_exact_inside(x, after)) ioa_exact_at(x, after)->before[after & 1] = before;
}

/* Moves the node in the list of one of its neurons to where `label` belongs. */
static void move_access(ioa_exact *x, uint32_t node, uint32_t side, int64_t label)
{
    const ioa_graph *g = x->g;
    ioa_exact_node *n = &x->nodes[node];
    const uint32_t neuron = n->neuron[side];
    uint32_t *list = x->access + g->base[neuron];
    const int64_t incoming = ioa_graph_incoming(g, neuron), degree = ioa_graph_degree(g, neuron);
    const int64_t low = side ? 0 : incoming, high = side ? incoming : degree;
    const int64_t from = low + ioa_exact_find(x, list + low, high - low, n->label);
    int64_t to;
    join(x, n->before[side], n->after[side]);
    if (label > n->label) {
        to = from + ioa_exact_find(x, list + from + 1, high - from - 1, label);
        memmove(list + from, list + from + 1, (size_t)(to - from) * sizeof *list);
    } else {
        to = low + ioa_exact_find(x, list + low, from - low, label);
        memmove(list + to + 1, list + to, (size_t)(from - to) * sizeof *list);
    }
    list[to] = node;
    n->before[side] = to > 0 ? 2 * list[to - 1] + (to - 1 < incoming) : IOA_EXACT_NONE;
    n->after[side] = to + 1 < degree ? 2 * list[to + 1] + (to + 1 < incoming) : ioa_exact_tail(x, neuron);
    join(x, n->before[side], 2 * node + side);
    join(x, 2 * node + side, n->after[side]);
}

static void relink(ioa_exact *x, uint32_t node, uint32_t prev, int64_t label)
{
    ioa_exact_node *n = &x->nodes[node];
    move_access(x, node, 0, label);
    move_access(x, node, 1, label);
    x->nodes[n->prev].next = n->next;
    x->nodes[n->next].prev = n->prev;
    n->prev = prev;
    n->next = x->nodes[prev].next;
    x->nodes[n->next].prev = x->nodes[prev].next = node;
    n->label = label;
}

void ioa_exact_place(ioa_exact *x, uint32_t node, uint32_t prev, int64_t label)
{
    ioa_exact_node *n = &x->nodes[node];
    x->placed[x->placed_count++] = (ioa_exact_placed){node, n->prev, n->label};
    touch_around(x, node);
    relink(x, node, prev, label);
    touch(x, node);
    touch_around(x, node);
    for (uint32_t side = 0; side < 2; side++) {
        x->passed[x->passed_count++] = (ioa_exact_passed){2 * node + side, n->gone[side]};
        n->gone[side] = IOA_EXACT_NONE;
    }
}

bool ioa_exact_room(const ioa_exact *x, uint32_t prev, int64_t *label)
{
    const uint32_t next = x->nodes[prev].next;
    const int64_t low = x->nodes[prev].label, high = next == x->g->W ? low + 2 * x->spacing : x->nodes[next].label;
    *label = low + (high - low) / 2;
    return high - low >= 2;
}

/* Moving steps keep between the steps of a part that stay. */
static bool between(const ioa_exact *x, uint32_t node, int64_t label)
{
    const ioa_exact_part *p = &x->part;
    return ioa_exact_moves(x, node) && (p->first == 0 || label > x->nodes[p->first - 1].label) &&
           (p->first + p->movable == x->g->W || label < x->nodes[p->first + p->movable].label);
}

bool ioa_exact_allowed(const ioa_exact *x, uint32_t node, int64_t label)
{
    const ioa_graph *g = x->g;
    const uint32_t u = x->nodes[node].neuron[0], v = x->nodes[node].neuron[1];
    const int64_t ready = ioa_graph_incoming(g, u), needed = ioa_graph_incoming(g, v);
    if (!between(x, node, label)) return false;
    if (ready > 0) {
        const uint32_t last = x->access[g->base[u] + ready - 1];
        if (x->nodes[last].label >= label && !ioa_exact_moving(x, last)) return false;
    }
    if (needed == ioa_graph_degree(g, v)) return true;
    const uint32_t first = x->access[g->base[v] + needed];
    return x->nodes[first].label > label || ioa_exact_moving(x, first);
}

bool ioa_exact_legal(const ioa_exact *x, uint32_t node)
{
    const ioa_graph *g = x->g;
    const uint32_t u = x->nodes[node].neuron[0], v = x->nodes[node].neuron[1];
    const int64_t ready = ioa_graph_incoming(g, u), needed = ioa_graph_incoming(g, v), label = x->nodes[node].label;
    return between(x, node, label) && (ready == 0 || x->nodes[x->access[g->base[u] + ready - 1]].label < label) &&
           (needed == ioa_graph_degree(g, v) || x->nodes[x->access[g->base[v] + needed]].label > label);
}

/* ---- counting ---- */

static void sort_events(ioa_exact *x)
{
    static const uint32_t gaps[] = {8858, 3937, 1750, 701, 301, 132, 57, 23, 10, 4, 1};
    ioa_exact_event *list = x->events;
    const uint32_t count = x->event_count;
    for (uint32_t i = 0; i < count; i++)
        list[i].label = list[i].node == x->g->W ? INT64_MAX : x->nodes[list[i].node].label;
    for (size_t k = 0; k < sizeof gaps / sizeof *gaps; k++)
        for (uint32_t i = gaps[k]; i < count; i++) {
            const ioa_exact_event event = list[i];
            uint32_t j = i;
            for (; j >= gaps[k] && list[j - gaps[k]].label > event.label; j -= gaps[k]) list[j] = list[j - gaps[k]];
            list[j] = event;
        }
}

/* Takes new absences of a step's neurons into the change. */
static void weigh(ioa_exact *x, ioa_exact_node *n, uint32_t absent)
{
    const uint32_t flipped = (n->flags ^ absent) & 3u;
    if (flipped & 2u) x->change += absent & 2u ? 2 : -2;
    if (flipped & 1u) {
        uint32_t *absences = &x->absences[n->neuron[0]];
        const bool spills = x->g->flags[n->neuron[0]] & IOA_NEURON_SPILLS;
        if (absent & 1u)
            x->change += 1 + ((*absences)++ == 0 && spills);
        else
            x->change -= 1 + (--*absences == 0 && spills);
    }
    n->flags ^= flipped;
}

/* The order ends before the bound reaches what it used to pass. */
static void end_passing(ioa_exact *x, uint32_t access)
{
    while (access >> 1 != x->g->W || access & 1) {
        ioa_exact_node *n = ioa_exact_at(x, access);
        uint32_t *gone = &n->gone[access & 1];
        if (*gone == IOA_EXACT_NONE && !ioa_exact_moving(x, access >> 1)) return;
        if (x->passed_count >= x->journal) return; /* ioa_exact_count gives up */
        if (*gone != IOA_EXACT_NONE) x->passed[x->passed_count++] = (ioa_exact_passed){access, *gone};
        *gone = IOA_EXACT_NONE;
        access = access & 1 ? 2 * n->next : access + 1;
    }
}

/* Counts from step t until the state is the stored one again. Returns the last step counted, W at the end. */
static uint32_t count_from(ioa_exact *x, uint32_t t, int64_t limit)
{
    const uint32_t end = x->g->W;
    uint32_t bound = x->nodes[x->nodes[t].prev].bound, residents = x->nodes[x->nodes[t].prev].residents;
    for (; t != end && x->change <= limit; t = x->nodes[t].next) {
        ioa_exact_node *n = &x->nodes[t];
        if (x->counted_count >= x->journal || x->passed_count >= x->journal) return t;
        x->counted[x->counted_count++] = (ioa_exact_counted){t, n->bound, n->residents, n->flags & 3u};
        weigh(x, n, ioa_exact_step(x, t, &bound, &residents, true));
        if (n->bound == bound && n->residents == residents && !ioa_exact_moving(x, t) && !ioa_exact_moving(x, bound >> 1))
            return t;
        n->bound = bound;
        n->residents = residents;
    }
    if (t == end) end_passing(x, bound);
    return t;
}

bool ioa_exact_count(ioa_exact *x, int64_t limit)
{
    int64_t done = -1;
    sort_events(x);
    for (uint32_t i = 0; i < x->event_count; i++) {
        if (x->events[i].label <= done) continue;
        if (x->events[i].node == x->g->W) { /* the last step left */
            end_passing(x, x->nodes[x->nodes[x->g->W].prev].bound);
            break;
        }
        const uint32_t last = count_from(x, x->events[i].node, limit);
        if (x->change > limit) break;
        if (last == x->g->W) break;
        done = x->nodes[last].label;
        if (x->counted_count >= x->journal || x->passed_count >= x->journal) break;
    }
    x->stats.steps += x->counted_count;
    const bool full = x->counted_count >= x->journal || x->passed_count >= x->journal;
    x->stats.given_up += full;
    return !full && x->change <= limit;
}

void ioa_exact_undo(ioa_exact *x)
{
    for (uint32_t i = x->counted_count; i-- > 0;) {
        const ioa_exact_counted *c = &x->counted[i];
        ioa_exact_node *n = &x->nodes[c->node];
        weigh(x, n, c->absent);
        n->bound = c->bound;
        n->residents = c->residents;
    }
    for (uint32_t i = x->passed_count; i-- > 0;) {
        const ioa_exact_passed *p = &x->passed[i];
        ioa_exact_at(x, p->access)->gone[p->access & 1] = p->step;
    }
    for (uint32_t i = x->placed_count; i-- > 0;) relink(x, x->placed[i].node, x->placed[i].prev, x->placed[i].label);
}
