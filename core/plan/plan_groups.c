#include "core/plan/plan_group_stream.h"

#include "core/base/mem.h"
#include "core/model/network.h"

#include <stdlib.h>
#include <string.h>

#define WINDOW 64u          /* rows looked at for the next member of a group */
#define LOOKS UINT64_C(400) /* sources looked at per row, about: the window shrinks for longer rows */

typedef struct row {
    uint32_t neuron, count;
    uint64_t from; /* in the steps */
    bool taken;
} row;

/* A connection on its way into a block. */
typedef struct entry {
    uint32_t panel, length, source, group, edge; /* length: entries of its group in its panel, or 0 */
} entry;

/* A row on its way to those that read the same sources. */
typedef struct twin {
    uint64_t sources;      /* sum over them of hashes */
    uint32_t leader, at; /* place of the first such row, and its own */
    row row;
} twin;

typedef struct maker {
    const ioa_network *network;
    const ioa_plan_steps *steps;
    ioa_grouping *out;
    uint32_t panel, hot;
    bool by_length;
    row *rows;
    uint64_t row_count;
    row *parts;         /* [N] rows of a panel, of wide groups */
    uint32_t *mark;     /* [N] stamp */
    uint32_t stamp;
    uint32_t *stretch;  /* [N] stamp of the stretch a neuron is computed in */
    uint32_t *panel_of; /* [N] */
    entry *entries;     /* [steps] */
    uint32_t *edges;    /* [steps] those of the steps, rows where they now are */
    uint32_t *group_of; /* [N] */
    uint32_t groups;
    twin *twins;        /* [N] */
    uint64_t placed;    /* edges in blocks */
    bool failed;        /* no memory for members */
} maker;

static uint32_t source_of(const maker *m, uint64_t step)
{
    return m->network->a.indices[m->edges[step]];
}

/* Where the steps of rows [from, end) begin and end. */
static uint64_t first_step(const maker *m, uint64_t from)
{
    return m->rows[from].from;
}

static uint64_t last_step(const maker *m, uint64_t end)
{
    return m->rows[end - 1].from + m->rows[end - 1].count;
}

static void find_rows(maker *m)
{
    const ioa_plan_steps *s = m->steps;
    for (uint64_t t = 0; t < s->count; t++) {
        uint32_t v = s->destinations[s->edges[t]];
        if (t == 0 || v != m->rows[m->row_count - 1].neuron) m->rows[m->row_count++] = (row){v, 0, t, false};
        m->rows[m->row_count - 1].count++;
    }
}

/* One past the last row of the stretch that starts at `from`: none of its rows reads another one. */
static uint64_t stretch_end(maker *m, uint64_t from)
{
    uint64_t at = from;
    uint32_t stamp = (uint32_t)from + 1;
    for (; at < m->row_count; at++) {
        const row *r = &m->rows[at];
        for (uint32_t i = 0; i < r->count; i++)
            if (m->stretch[source_of(m, r->from + i)] == stamp) return at;
        m->stretch[r->neuron] = stamp;
    }
    return at;
}

/* Sources that the row shares with the marked ones. */
static uint32_t common(const maker *m, const row *r)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < r->count; i++) count += m->mark[source_of(m, r->from + i)] == m->stamp;
    return count;
}

static void mark_sources(maker *m, const row *r)
{
    for (uint32_t i = 0; i < r->count; i++) m->mark[source_of(m, r->from + i)] = m->stamp;
}

/* Room for the members of one more group, NULL without memory: groups that are made panel by panel may be more than the rows. */
static uint32_t *new_members(maker *m)
{
    ioa_grouping *g = m->out;
    const uint64_t used = (uint64_t)m->groups * g->size;
    if (used + g->size > g->most_members) {
        uint32_t *more = ioa_alloc_larger(g->members, used, 2 * (used + g->size), sizeof *more);
        m->failed = m->failed || !more;
        if (!more) return NULL;
        g->members = more;
        g->most_members = 2 * (used + g->size);
    }
    return g->members + used;
}

/* The first of `rows` is joined by those of the next ones, before `end`, that share most with it and with each other. */
static void fill_group(maker *m, row *rows, uint64_t first, uint64_t end)
{
    const uint32_t size = m->out->size, group = m->groups;
    uint32_t *members = new_members(m);
    uint64_t next = first;
    rows[first].taken = true;
    if (!members) return;
    m->groups++;
    m->stamp++;
    for (uint32_t k = 0; k < size; k++) {
        members[k] = IOA_NO_SLOT;
        if (next == UINT64_MAX) continue;
        row *r = &rows[next];
        r->taken = true;
        members[k] = r->neuron;
        m->group_of[r->neuron] = group;
        next = UINT64_MAX;
        if (k + 1 >= size) continue;
        mark_sources(m, r);
        uint64_t window = LOOKS * WINDOW / (LOOKS + r->count) + 8, seen = 0;
        uint32_t best = 0;
        for (uint64_t i = first + 1; i < end && seen < window; i++) {
            if (rows[i].taken) continue;
            seen++;
            uint32_t shared = common(m, &rows[i]);
            if (next == UINT64_MAX || shared > best) {
                best = shared;
                next = i;
            }
        }
    }
}

static uint64_t hash(uint64_t x)
{
    x = (x + 1) * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 31) * UINT64_C(0xbf58476d1ce4e5b9);
    return x ^ x >> 29;
}

static int compare_twins(const void *left, const void *right)
{
    const twin *a = left, *b = right;
    if (a->sources != b->sources) return a->sources < b->sources ? -1 : 1;
    return a->at < b->at ? -1 : a->at > b->at;
}

static int compare_leaders(const void *left, const void *right)
{
    const twin *a = left, *b = right;
    if (a->leader != b->leader) return a->leader < b->leader ? -1 : 1;
    return a->at < b->at ? -1 : a->at > b->at;
}

/* Rows that read the same sources follow the first of them; they may be too far apart for the window. */
static void bring_twins_together(maker *m, uint64_t from, uint64_t end)
{
    uint64_t count = end - from;
    for (uint64_t i = 0; i < count; i++) {
        const row *r = &m->rows[from + i];
        m->twins[i] = (twin){0, 0, (uint32_t)i, *r};
        for (uint32_t k = 0; k < r->count; k++) m->twins[i].sources += hash(source_of(m, r->from + k));
    }
    qsort(m->twins, count, sizeof *m->twins, compare_twins);
    for (uint64_t i = 0; i < count; i++) {
        bool same = i && m->twins[i].sources == m->twins[i - 1].sources;
        m->twins[i].leader = same ? m->twins[i - 1].leader : m->twins[i].at;
    }
    qsort(m->twins, count, sizeof *m->twins, compare_leaders);
    for (uint64_t i = 0, t = first_step(m, from); i < count; i++) {
        row *r = &m->rows[from + i];
        *r = m->twins[i].row;
        memcpy(m->edges + t, m->steps->edges + r->from, r->count * sizeof *m->edges);
        r->from = t;
        t += r->count;
    }
}

static int compare_entries(const void *left, const void *right)
{
    const entry *a = left, *b = right;
    if (a->panel != b->panel) return a->panel < b->panel ? -1 : 1;
    if (a->length != b->length) return a->length < b->length ? -1 : 1;
    if (a->group != b->group) return a->group < b->group ? -1 : 1;
    if (a->source != b->source) return a->source < b->source ? -1 : 1;
    return a->edge < b->edge ? -1 : a->edge > b->edge;
}

/* Panels of about equal numbers of the stretch's sources, by id. */
static void make_panels(maker *m, uint64_t from, uint64_t end)
{
    uint64_t first = first_step(m, from), last = last_step(m, end);
    uint32_t sources = 0, low = UINT32_MAX, high = 0;
    m->stamp++;
    for (uint64_t t = first; t < last; t++) {
        uint32_t u = source_of(m, t);
        m->mark[u] = m->stamp;
        if (u < low) low = u;
        if (u > high) high = u;
    }
    for (uint32_t v = low; v <= high; v++)
        if (m->mark[v] == m->stamp) m->panel_of[v] = m->panel ? sources++ / m->panel : 0;
}

/* The entries of rows [from, end) at the place of their steps, panel by panel and group by group; within a panel groups
 * of equal length together, where that is wanted: every change of length costs a branch miss. */
static void list_entries(maker *m, uint64_t from, uint64_t end)
{
    const uint64_t first = first_step(m, from), last = last_step(m, end);
    const bool by_length = m->by_length && m->out->size <= IOA_GROUP;
    for (uint64_t t = first; t < last; t++) {
        uint32_t e = m->edges[t], u = m->network->a.indices[e];
        m->entries[t] = (entry){m->panel_of[u], 0, u, m->group_of[m->steps->destinations[e]], e};
    }
    qsort(m->entries + first, last - first, sizeof *m->entries, compare_entries);
    for (uint64_t t = first, end_of; by_length && t < last; t = end_of) {
        entry *e = &m->entries[t];
        for (end_of = t; end_of < last && m->entries[end_of].group == e->group && m->entries[end_of].panel == e->panel;)
            end_of++;
        for (uint64_t i = t; i < end_of; i++) m->entries[i].length = (uint32_t)(end_of - t);
    }
    if (by_length) qsort(m->entries + first, last - first, sizeof *m->entries, compare_entries);
}

/* Cuts sorted entries into blocks of at most 65,535 sources. */
static void cut_blocks(maker *m, const entry *entries, uint64_t count)
{
    ioa_grouping *g = m->out;
    uint64_t sources = 0;
    for (uint64_t i = 0; i < count; i++) {
        const entry *e = &entries[i], *before = e - 1;
        bool new_source = i == 0 || before->source != e->source || before->group != e->group || before->panel != e->panel;
        if (i == 0 || before->group != e->group || before->panel != e->panel || (new_source && sources == UINT16_MAX)) {
            g->blocks[g->count++] = (ioa_group_block){.group = e->group, .from = m->placed, .to = m->placed};
            sources = 0;
        }
        sources += new_source;
        g->edges[m->placed++] = e->edge;
        g->blocks[g->count - 1].to = m->placed;
    }
}

/* The members of a block that no block since the last stamp had. */
static uint16_t unseen_members(maker *m, const ioa_group_block *block)
{
    const uint32_t *members = ioa_group_members(m->out, block), count = ioa_group_member_count(m->out, block);
    uint16_t unseen = 0;
    for (uint32_t k = 0; k < count; k++) {
        if (m->mark[members[k]] != m->stamp) unseen |= (uint16_t)(1u << k);
        m->mark[members[k]] = m->stamp;
    }
    return unseen;
}

/* Finds the first and the last block of every member. */
static void flag_blocks(maker *m, uint64_t first_block)
{
    ioa_grouping *g = m->out;
    m->stamp++;
    for (uint64_t b = first_block; b < g->count; b++) g->blocks[b].first = unseen_members(m, &g->blocks[b]);
    m->stamp++;
    for (uint64_t b = g->count; b-- > first_block;) g->blocks[b].last = unseen_members(m, &g->blocks[b]);
}

/* Groups of all rows from here to there. Wide ones are made later, panel by panel; until then every row is a group. */
static void make_groups(maker *m, uint64_t from, uint64_t end)
{
    const bool later = m->out->size > IOA_GROUP;
    for (uint64_t i = from; i < end; i++)
        if (later) m->group_of[m->rows[i].neuron] = (uint32_t)i;
        else if (!m->rows[i].taken) fill_group(m, m->rows, i, end);
}

static int compare_parts(const void *left, const void *right)
{
    const row *a = left, *b = right;
    if (a->count != b->count) return a->count < b->count ? -1 : 1;
    return a->from < b->from ? -1 : a->from > b->from;
}

/* Wide groups of the rows of one panel, which is entries [from, end): the members of a group take turns, so that all should have
 * equally many connections. */
static void make_wide_groups(maker *m, uint64_t from, uint64_t end)
{
    uint64_t parts = 0;
    for (uint64_t t = from; t < end; t++) {
        const entry *e = &m->entries[t];
        m->edges[t] = e->edge;
        if (t == from || e[-1].group != e->group) m->parts[parts++] = (row){m->steps->destinations[e->edge], 0, t, false};
        m->parts[parts - 1].count++;
    }
    if (m->by_length) qsort(m->parts, parts, sizeof *m->parts, compare_parts);
    for (uint64_t i = 0; i < parts; i++)
        if (!m->parts[i].taken) fill_group(m, m->parts, i, parts);
    for (uint64_t t = from; t < end; t++) m->entries[t].group = m->group_of[m->steps->destinations[m->entries[t].edge]];
    qsort(m->entries + from, end - from, sizeof *m->entries, compare_entries);
}

/* Lists the entries of rows [from, end), groups made. */
static void list_groups(maker *m, uint64_t from, uint64_t end)
{
    list_entries(m, from, end);
    for (uint64_t t = first_step(m, from), last = last_step(m, end), next; m->out->size > IOA_GROUP && t < last; t = next) {
        for (next = t; next < last && m->entries[next].panel == m->entries[t].panel;) next++;
        make_wide_groups(m, t, next);
    }
}

static void make_stretch(maker *m, uint64_t from, uint64_t end)
{
    make_groups(m, from, end);
    make_panels(m, from, end);
    list_groups(m, from, end);
    cut_blocks(m, m->entries + first_step(m, from), last_step(m, end) - first_step(m, from));
}

/* Two stretches at once: some rows of the first, then what the second reads of them, while it is in cache. */
static void make_pair(maker *m, uint64_t from, uint64_t middle, uint64_t end)
{
    uint32_t part = 0;
    make_groups(m, middle, end);
    for (uint64_t t = first_step(m, middle); t < last_step(m, end); t++) m->panel_of[source_of(m, t)] = 0;
    for (uint64_t i = from; i < middle; i++) m->panel_of[m->rows[i].neuron] = (uint32_t)((i - from) / m->hot);
    list_groups(m, middle, end); /* panels: parts of the first stretch */
    uint64_t at = first_step(m, middle), last = last_step(m, end);
    for (uint64_t i = from; i < middle; i += m->hot, part++) {
        uint64_t next = at;
        make_stretch(m, i, i + m->hot < middle ? i + m->hot : middle);
        while (next < last && m->entries[next].panel == part) next++;
        cut_blocks(m, m->entries + at, next - at);
        at = next;
    }
}

static void make_all(maker *m)
{
    find_rows(m);
    for (uint64_t from = 0; from < m->row_count;) {
        uint64_t middle = stretch_end(m, from), end = middle, first_block = m->out->count;
        if (m->hot && middle < m->row_count) end = stretch_end(m, middle);
        if (m->out->size > 1) {
            bring_twins_together(m, from, middle);
            if (end > middle) bring_twins_together(m, middle, end);
        }
        if (end > middle) make_pair(m, from, middle, end);
        else make_stretch(m, from, middle);
        if (m->failed) return;
        flag_blocks(m, first_block);
        from = end;
    }
}

/* What the stream will take. False without memory. */
static bool count_stream(const ioa_network *network, const ioa_plan_steps *steps, ioa_grouping *g)
{
    uint64_t most = 0;
    for (uint64_t b = 0; b < g->count; b++)
        if (g->blocks[b].to - g->blocks[b].from > most) most = g->blocks[b].to - g->blocks[b].from;
    if (g->size > IOA_GROUP && !(g->work = ioa_wide_work_make(most < UINT16_MAX ? most : UINT16_MAX, g->size))) return false;
    for (uint64_t b = 0; g->size > 1 && b < g->count; b++) ioa_group_count(network, steps, g, &g->blocks[b]);
    return true;
}

ioa_status ioa_grouping_make(const ioa_network *network, const ioa_plan_steps *steps, uint32_t size, uint32_t panel,
                             uint32_t hot, bool by_length, ioa_grouping *grouping, ioa_error *error)
{
    uint64_t neurons = network->a.neurons, count = steps->count;
    maker m = {.network = network, .steps = steps, .out = grouping, .panel = panel, .hot = hot,
               .by_length = by_length};
    *grouping = (ioa_grouping){.size = size};
    m.rows = ioa_alloc(neurons, sizeof *m.rows);
    m.mark = ioa_alloc_zero(neurons, sizeof *m.mark);
    m.stretch = ioa_alloc_zero(neurons, sizeof *m.stretch);
    m.panel_of = ioa_alloc_zero(neurons, sizeof *m.panel_of);
    m.group_of = ioa_alloc_zero(neurons, sizeof *m.group_of);
    m.twins = ioa_alloc(size > 1 ? neurons : 0, sizeof *m.twins);
    m.entries = ioa_alloc(count, sizeof *m.entries);
    m.edges = ioa_alloc_copy(steps->edges, count, sizeof *m.edges);
    m.parts = ioa_alloc(size > IOA_GROUP ? neurons : 0, sizeof *m.parts);
    grouping->members = ioa_alloc(neurons, sizeof *grouping->members);
    grouping->most_members = neurons;
    grouping->edges = ioa_alloc(count, sizeof *grouping->edges);
    grouping->blocks = ioa_alloc(count, sizeof *grouping->blocks); /* every block has a connection */
    bool good = m.rows && m.mark && m.stretch && m.panel_of && m.group_of && m.twins && m.entries && m.edges && m.parts &&
                grouping->members && grouping->edges && grouping->blocks;
    if (good) make_all(&m);
    good = good && !m.failed && count_stream(network, steps, grouping);
    ioa_free(m.rows);
    ioa_free(m.mark);
    ioa_free(m.stretch);
    ioa_free(m.panel_of);
    ioa_free(m.group_of);
    ioa_free(m.twins);
    ioa_free(m.entries);
    ioa_free(m.edges);
    ioa_free(m.parts);
    if (good) return IOA_OK;
    ioa_grouping_clear(grouping);
    return ioa_fail_nomem(error, "a plan", count, sizeof *m.entries + sizeof *grouping->blocks);
}

void ioa_grouping_clear(ioa_grouping *grouping)
{
    ioa_free(grouping->edges);
    ioa_free(grouping->members);
    ioa_free(grouping->blocks);
    ioa_wide_work_free(grouping->work);
    memset(grouping, 0, sizeof *grouping);
}
