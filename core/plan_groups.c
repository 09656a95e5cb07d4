#include "core/plan_groups.h"

#include "core/mem.h"
#include "core/network.h"
#include "core/plan_internal.h"

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

typedef struct maker {
    const ioa_network *network;
    const ioa_plan_steps *steps;
    ioa_grouping *out;
    uint32_t size, panel, hot;
    bool by_length;
    row *rows;
    uint64_t row_count;
    uint32_t *mark;     /* [N] stamp */
    uint32_t stamp;
    uint32_t *stretch;  /* [N] stamp of the stretch a neuron is computed in */
    uint32_t *panel_of; /* [N] */
    entry *entries;     /* [steps] */
    uint32_t *group_of; /* [N] group within the stretch */
    uint32_t *members;  /* [IOA_GROUP * groups of the stretch] */
    uint64_t placed;    /* edges in blocks */
} maker;

static uint32_t source_of(const maker *m, uint64_t step)
{
    return m->network->a.indices[m->steps->edges[step]];
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

/* The first row left is joined by those of the next ones that share most with it and with each other. */
static void fill_group(maker *m, uint64_t first, uint64_t end, uint32_t group)
{
    uint32_t *members = m->members + (uint64_t)group * IOA_GROUP;
    uint64_t next = first;
    m->stamp++;
    for (uint32_t k = 0; k < IOA_GROUP; k++) {
        members[k] = IOA_NO_SLOT;
        if (next == UINT64_MAX) continue;
        row *r = &m->rows[next];
        r->taken = true;
        members[k] = r->neuron;
        m->group_of[r->neuron] = group;
        next = UINT64_MAX;
        if (k + 1 >= m->size) continue;
        mark_sources(m, r);
        uint64_t window = LOOKS * WINDOW / (LOOKS + r->count) + 8, seen = 0;
        uint32_t best = 0;
        for (uint64_t i = first + 1; i < end && seen < window; i++) {
            if (m->rows[i].taken) continue;
            seen++;
            uint32_t shared = common(m, &m->rows[i]);
            if (next == UINT64_MAX || shared > best) {
                best = shared;
                next = i;
            }
        }
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

/* Where the steps of rows [from, end) begin and end. */
static uint64_t first_step(const maker *m, uint64_t from)
{
    return m->rows[from].from;
}

static uint64_t last_step(const maker *m, uint64_t end)
{
    return m->rows[end - 1].from + m->rows[end - 1].count;
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
    uint64_t first = first_step(m, from), last = last_step(m, end);
    for (uint64_t t = first; t < last; t++) {
        uint32_t e = m->steps->edges[t], u = m->network->a.indices[e];
        m->entries[t] = (entry){m->panel_of[u], 0, u, m->group_of[m->steps->destinations[e]], e};
    }
    qsort(m->entries + first, last - first, sizeof *m->entries, compare_entries);
    for (uint64_t t = first, end_of; m->by_length && t < last; t = end_of) {
        entry *e = &m->entries[t];
        for (end_of = t; end_of < last && m->entries[end_of].group == e->group && m->entries[end_of].panel == e->panel;)
            end_of++;
        for (uint64_t i = t; i < end_of; i++) m->entries[i].length = (uint32_t)(end_of - t);
    }
    if (m->by_length) qsort(m->entries + first, last - first, sizeof *m->entries, compare_entries);
}

static size_t block_bytes(uint64_t sources, uint64_t edges)
{
    return (sizeof(ioa_group) + (sources + edges) * 4 + 7) / 8 * 8;
}

/* Cuts sorted entries into blocks of at most 65,535 sources. */
static void cut_blocks(maker *m, const entry *entries, uint64_t count)
{
    ioa_grouping *g = m->out;
    uint64_t sources = 0;
    if (count == 0) return;
    for (uint64_t i = 0; i < count; i++) {
        const entry *e = &entries[i], *before = e - 1;
        bool new_source = i == 0 || before->source != e->source || before->group != e->group || before->panel != e->panel;
        if (i == 0 || before->group != e->group || before->panel != e->panel || (new_source && sources == UINT16_MAX)) {
            if (i) g->stream_bytes += block_bytes(sources, g->blocks[g->count - 1].to - g->blocks[g->count - 1].from);
            ioa_group_block *b = &g->blocks[g->count++];
            memcpy(b->members, m->members + (uint64_t)e->group * IOA_GROUP, sizeof b->members);
            b->from = b->to = m->placed;
            b->first = b->last = false;
            sources = 0;
        }
        sources += new_source;
        g->edges[m->placed++] = e->edge;
        g->blocks[g->count - 1].to = m->placed;
    }
    g->stream_bytes += block_bytes(sources, g->blocks[g->count - 1].to - g->blocks[g->count - 1].from);
}

/* Finds the first and the last block of every group. */
static void flag_blocks(maker *m, uint64_t first_block)
{
    ioa_grouping *g = m->out;
    m->stamp++;
    for (uint64_t b = first_block; b < g->count; b++) { /* a group is known by its first member */
        g->blocks[b].first = m->mark[g->blocks[b].members[0]] != m->stamp;
        m->mark[g->blocks[b].members[0]] = m->stamp;
    }
    m->stamp++;
    for (uint64_t b = g->count; b-- > first_block;) {
        g->blocks[b].last = m->mark[g->blocks[b].members[0]] != m->stamp;
        m->mark[g->blocks[b].members[0]] = m->stamp;
    }
}

/* Groups of rows [from, end), numbered from `groups` on; returns the number after them. */
static uint32_t make_groups(maker *m, uint64_t from, uint64_t end, uint32_t groups)
{
    for (uint64_t i = from; i < end; i++)
        if (!m->rows[i].taken) fill_group(m, i, end, groups++);
    return groups;
}

static uint32_t make_stretch(maker *m, uint64_t from, uint64_t end, uint32_t groups)
{
    groups = make_groups(m, from, end, groups);
    make_panels(m, from, end);
    list_entries(m, from, end);
    cut_blocks(m, m->entries + first_step(m, from), last_step(m, end) - first_step(m, from));
    return groups;
}

/* Two stretches at once: some rows of the first, then what the second reads of them, while it is in cache. */
static void make_pair(maker *m, uint64_t from, uint64_t middle, uint64_t end)
{
    uint32_t groups = make_groups(m, middle, end, 0), part = 0;
    for (uint64_t t = first_step(m, middle); t < last_step(m, end); t++) m->panel_of[source_of(m, t)] = 0;
    for (uint64_t i = from; i < middle; i++) m->panel_of[m->rows[i].neuron] = (uint32_t)((i - from) / m->hot);
    list_entries(m, middle, end); /* panels: parts of the first stretch */
    uint64_t at = first_step(m, middle), last = last_step(m, end);
    for (uint64_t i = from; i < middle; i += m->hot, part++) {
        uint64_t next = at;
        groups = make_stretch(m, i, i + m->hot < middle ? i + m->hot : middle, groups);
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
        if (end > middle) make_pair(m, from, middle, end);
        else make_stretch(m, from, middle, 0);
        flag_blocks(m, first_block);
        from = end;
    }
}

ioa_status ioa_grouping_make(const ioa_network *network, const ioa_plan_steps *steps, uint32_t size, uint32_t panel,
                             uint32_t hot, bool by_length, ioa_grouping *grouping, ioa_error *error)
{
    uint64_t neurons = network->a.neurons, count = steps->count;
    maker m = {.network = network, .steps = steps, .out = grouping, .size = size, .panel = panel, .hot = hot,
               .by_length = by_length};
    memset(grouping, 0, sizeof *grouping);
    m.rows = ioa_alloc(neurons, sizeof *m.rows);
    m.mark = ioa_alloc_zero(neurons, sizeof *m.mark);
    m.stretch = ioa_alloc_zero(neurons, sizeof *m.stretch);
    m.panel_of = ioa_alloc_zero(neurons, sizeof *m.panel_of);
    m.group_of = ioa_alloc_zero(neurons, sizeof *m.group_of);
    m.members = ioa_alloc(neurons, IOA_GROUP * sizeof *m.members);
    m.entries = ioa_alloc(count, sizeof *m.entries);
    grouping->edges = ioa_alloc(count, sizeof *grouping->edges);
    grouping->blocks = ioa_alloc(count, sizeof *grouping->blocks); /* every block has a connection */
    bool good = m.rows && m.mark && m.stretch && m.panel_of && m.group_of && m.members && m.entries &&
                grouping->edges && grouping->blocks;
    if (good) make_all(&m);
    ioa_free(m.rows);
    ioa_free(m.mark);
    ioa_free(m.stretch);
    ioa_free(m.panel_of);
    ioa_free(m.group_of);
    ioa_free(m.members);
    ioa_free(m.entries);
    if (good) return IOA_OK;
    ioa_grouping_clear(grouping);
    return ioa_fail_nomem(error, "a plan", count, sizeof *m.entries + sizeof *grouping->blocks);
}

void ioa_grouping_clear(ioa_grouping *grouping)
{
    ioa_free(grouping->edges);
    ioa_free(grouping->blocks);
    memset(grouping, 0, sizeof *grouping);
}

/* ---- the stream ---- */

/* The member of the block that v is. */
static unsigned member_of(const ioa_group_block *block, uint32_t v)
{
    unsigned k = 0;
    while (block->members[k] != v) k++;
    return k;
}

/* Edges of one source, from i on: their mask and weights; returns the edge after them. */
static uint64_t take_source(const ioa_network *n, const ioa_plan_steps *s, const ioa_grouping *g,
                            const ioa_group_block *block, uint64_t i, unsigned *mask, float weights[IOA_GROUP])
{
    uint32_t u = n->a.indices[g->edges[i]];
    *mask = 0;
    for (; i < block->to && n->a.indices[g->edges[i]] == u; i++) {
        unsigned k = member_of(block, s->destinations[g->edges[i]]);
        weights[k] = n->a.weights[g->edges[i]];
        *mask |= 1u << k;
    }
    return i;
}

void *ioa_group_write(const ioa_network *network, const ioa_plan_steps *steps, const ioa_grouping *grouping,
                      const ioa_group_block *block, const uint32_t *slot, uint32_t tile, void *stream)
{
    const ioa_network_arrays *a = &network->a;
    ioa_group *head = stream;
    *head = (ioa_group){.flags = (uint8_t)((block->first ? IOA_RUN_FIRST : 0) | (block->last ? IOA_RUN_LAST : 0))};
    for (unsigned k = 0; k < IOA_GROUP && block->members[k] != IOA_NO_SLOT; k++) {
        uint32_t v = block->members[k];
        head->members = (uint8_t)(k + 1);
        head->destination[k] = (uint32_t)ioa_slot_offset(slot[v], tile);
        head->bias[k] = steps->bias[v];
        head->activation[k] = a->activation[v];
        head->param[k] = a->param ? a->param[v] : 0.0f;
    }
    uint32_t *word = (uint32_t *)(void *)(head + 1);
    float weights[IOA_GROUP];
    unsigned found;
    for (unsigned mask = 1; mask < 1u << IOA_GROUP; mask++)
        for (uint64_t i = block->from; i < block->to;) {
            uint32_t u = a->indices[grouping->edges[i]];
            i = take_source(network, steps, grouping, block, i, &found, weights);
            if (found != mask) continue;
            head->count[mask]++;
            *word++ = (uint32_t)ioa_slot_offset(slot[u], tile);
            for (unsigned k = 0; k < IOA_GROUP; k++)
                if (mask >> k & 1) memcpy(word++, &weights[k], sizeof *word);
        }
    size_t bytes = (size_t)((unsigned char *)word - (unsigned char *)stream), full = (bytes + 7) / 8 * 8;
    memset(word, 0, full - bytes);
    return (unsigned char *)stream + full;
}
