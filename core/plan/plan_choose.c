/* The candidates for a batch on this machine, the likely best first. */
#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/compile/compile.h"
#include "core/kernel/kernel.h"
#include "core/model/network.h"
#include "core/plan/plan_contest.h"

#include <math.h>
#include <string.h>

#define LAYER_WISE_BYTES (1u << 30)   /* no CSR by layers whose activations need more */
#define COMPILED_CONNECTIONS 2000000u /* longer schedules are not tried compiled: fetching the code would bind */
#define LONG_ROWS 16u                 /* connections per neuron from which on panels are tried */
#define SHORT_PIECES 2u               /* connections of a row in a panel below which panels are unlikely to win */
#define LIKELY 5u                     /* kinds of compiled code that are tried early */
#define LIKELY_REUSE 4u               /* kinds of panels and groups, likewise */
#define RIVALS 4u                     /* candidates that are tried once more, */
#define RIVAL 1.2                     /* if they took up to so many times as long as the best */
#define RIVALS_BYTES ((size_t)1 << 28) /* of plans that are kept for that */
#define LONG_CODE 70000u              /* connections whose code may not stay in L2: about 14 bytes each */

/* Tiles worth trying for a batch, the likely best first; returns their number. */
static uint32_t tiles_for(uint32_t batch, uint32_t tiles[5])
{
    uint32_t count = 0;
    if (batch > 32) tiles[count++] = 64;
    if (batch > 16) tiles[count++] = 32;
    if (batch > 64) tiles[count++] = 128;
    if (batch == 1) tiles[count++] = 1;
    tiles[count++] = 16;
    if (batch > 1 && batch <= 4) tiles[count++] = 1;
    return count;
}

static bool tiles_have(const uint32_t *tiles, uint32_t count, uint32_t tile)
{
    for (uint32_t t = 0; t < count; t++)
        if (tiles[t] == tile) return true;
    return false;
}

static bool was_tried(const ioa_contest *c, const ioa_plan_options *options)
{
    char name[IOA_PLAN_NAME];
    ioa_plan_options_name(options, name);
    for (uint32_t i = 0; i < c->tried_count; i++)
        if (strcmp(c->tried[i].name, name) == 0) return true;
    return false;
}

/* Past the deadline only the very first candidate is looked at. Options the network is too large for are passed over, as
 * is what was tried before, but for plain CSR, whose best is looked for apart. */
static ioa_status try_plan(ioa_contest *c, ioa_plan_options options, ioa_contender *best, ioa_error *error)
{
    ioa_contender challenger;
    options.isa = c->isa;
    if (best->plan && ioa_clock() > c->deadline) return IOA_OK;
    if (best->plan && options.layout != IOA_LAYOUT_CSR && was_tried(c, &options)) return IOA_OK;
    ioa_status status = ioa_contest_plan(c, c->order, &options, &challenger, error);
    if (status == IOA_OK) ioa_contest_challenge(c, best, &challenger);
    return status == IOA_ERR_INPUT && best->plan ? IOA_OK : status;
}

/* Neurons of the widest layer, or all of them. */
static uint64_t widest_layer(const ioa_network_arrays *a)
{
    uint64_t widest = a->layers ? 0 : a->neurons;
    for (uint32_t l = 0; l < a->layers; l++) {
        uint64_t width = (uint64_t)(a->layer_offsets[l + 1] - a->layer_offsets[l]);
        if (width > widest) widest = width;
    }
    return widest;
}

/* Panels suit long rows, and are likely to win where a row still has a few connections in each of them. Making them takes a
 * while, so that large networks would be left without time for anything else. */
static bool suits_panels(const ioa_contest *c, uint32_t panel, bool likely)
{
    const ioa_network_arrays *a = &c->network->a;
    const uint64_t length = c->network->connections / a->neurons;
    return likely ? length >= 2 * LONG_ROWS && length * panel >= SHORT_PIECES * widest_layer(a) : length >= LONG_ROWS;
}

/* Layouts that load shared sources once, and panels, also of hidden neurons consumed while hot, where rows are long. The
 * likely best ones come first; those from `from` to `to` are tried. */
static ioa_status try_reuse(ioa_contest *c, uint32_t tile, size_t from, size_t to, ioa_contender *best, ioa_error *error)
{
    static const struct {
        ioa_layout layout;
        uint32_t panel, hot; /* bytes of values */
        uint32_t group;
    } kinds[] = {{IOA_LAYOUT_SORTED, 32768, 32768, 0},
                 {IOA_LAYOUT_SHARED_SORTED, 32768, 32768, 8}, /* rows as dense as 1 in 10 share sources by twos */
                 {IOA_LAYOUT_SHARED_SORTED, 0, 0, 0},
                 {IOA_LAYOUT_SHARED_SORTED, 0, 0, 16}, /* short rows: as many as possible wait for L2 at once */
                 {IOA_LAYOUT_SHARED_SORTED, 0, 0, 8},
                 {IOA_LAYOUT_SORTED, 43648, 43648, 0}, /* nearly all of an L1 of 48 KiB: longer runs for fewer connections */
                 {IOA_LAYOUT_SHARED_SORTED, 24576, 0, 8}, /* what is left of L1 is for the stream, where that is long */
                 {IOA_LAYOUT_SHARED_SORTED, 32768, 0, 8},
                 {IOA_LAYOUT_SHARED_SORTED, 65536, 65536, 16},
                 {IOA_LAYOUT_SHARED_SORTED, 65536, 65536, 8},
                 {IOA_LAYOUT_SORTED, 65536, 65536, 0},
                 {IOA_LAYOUT_SHARED_ROWS, 0, 0, 0},
                 {IOA_LAYOUT_SHARED_ROWS, 0, 0, 16},
                 {IOA_LAYOUT_SHARED_ROWS, 0, 0, 8},
                 {IOA_LAYOUT_SORTED, 32768, 0, 0},
                 {IOA_LAYOUT_SORTED, 131072, 0, 0},
                 {IOA_LAYOUT_SHARED_SORTED, 131072, 0, 0}};
    const uint32_t row = (uint32_t)sizeof(float) * tile;
    ioa_status status = IOA_OK;
    for (size_t i = from; i < to && i < sizeof kinds / sizeof *kinds && status == IOA_OK; i++) {
        if (kinds[i].panel && !suits_panels(c, kinds[i].panel / row, to <= LIKELY_REUSE)) continue;
        if (kinds[i].group * tile > IOA_WIDE_COLUMNS) continue;
        status = try_plan(c, (ioa_plan_options){.layout = kinds[i].layout, .tile = tile, .panel = kinds[i].panel / row,
                                                .hot = kinds[i].hot / row, .group = kinds[i].group},
                          best, error);
    }
    return status;
}

/* The order compiled: in one piece, and in segments for long code (cut where a tile's registers would all be spilled
 * anyway costs a few per cent of I/O); the likely best kinds, or the others. Narrow batches waste most of a tile and stay
 * with the other layouts. */
static ioa_status try_compiled(ioa_contest *c, bool likely, ioa_contender *best, ioa_error *error)
{
    static const ioa_plan_options kinds[] = {
        {.group = 1}, {.segment = 2000, .group = 4}, {.segment = 4000, .group = 8},
        {.segment = 3000, .group = 1}, {.group = 1, .ahead = 1},
        {.segment = 20000, .group = 8}, {.segment = 2000, .group = 3}, {.segment = 3000, .group = 2},
        {.group = 1, .as_ordered = 1}};
    uint32_t tile = ioa_code_tile(c->isa);
    uint64_t connections = c->network->connections;
    ioa_status status = IOA_OK;
    if (!ioa_code_available(c->isa) || c->batch <= tile / 2 || connections > COMPILED_CONNECTIONS) return IOA_OK;
    const size_t from = likely ? 0 : LIKELY, to = likely ? LIKELY : sizeof kinds / sizeof *kinds;
    for (size_t i = from; i < to && status == IOA_OK; i++) {
        ioa_plan_options o = kinds[i];
        bool fetched_once = o.ahead || (o.segment && o.group == 1); /* long code on few tiles */
        if (o.segment >= connections || (o.group > 1 && c->batch <= tile) ||
            (fetched_once && (connections < LONG_CODE || c->batch > 2 * tile)) || (o.group > 2 && c->batch <= tile * o.group / 2))
            continue;
        o.layout = IOA_LAYOUT_COMPILED;
        status = try_plan(c, o, best, error);
    }
    return status == IOA_ERR_SYSTEM ? IOA_OK : status; /* a system that forbids it still has the other layouts */
}

ioa_status ioa_contest_choose_csr(ioa_contest *c, ioa_contender *best, ioa_error *error)
{
    uint32_t tiles[5], count = tiles_for(c->batch, tiles);
    ioa_status status = IOA_OK;
    for (uint32_t t = 0; t < count && status == IOA_OK; t++) {
        uint32_t tile = tiles[t], all = (c->batch + tile - 1) / tile;
        status = try_plan(c, (ioa_plan_options){.layout = IOA_LAYOUT_CSR, .tile = tile, .group = 1}, best, error);
        bool by_layers = tile > 1 && c->network->a.layers && all > 1 &&
                         (uint64_t)c->network->a.neurons * all * tile * sizeof(float) <= LAYER_WISE_BYTES;
        if (status == IOA_OK && by_layers)
            status = try_plan(c, (ioa_plan_options){.layout = IOA_LAYOUT_CSR, .tile = tile, .group = all}, best, error);
    }
    return status;
}

/* SORTED with the first `count` tiles; one that is too wide is passed over. */
static ioa_status try_sorted(ioa_contest *c, const uint32_t *tiles, uint32_t count, ioa_contender *best, ioa_error *error)
{
    ioa_status status = IOA_OK;
    for (uint32_t t = 0; t < count && (status == IOA_OK || status == IOA_ERR_INPUT); t++)
        status = try_plan(c, (ioa_plan_options){.layout = IOA_LAYOUT_SORTED, .tile = tiles[t]}, best, error);
    return status;
}

/* Two tiles under SORTED, which are made at once, then panels and groups of them, all tiles under SORTED, compiled code, and the
 * layouts that follow the order at neighbouring tiles. */
static ioa_status choose_own(ioa_contest *c, ioa_contender *best, ioa_error *error)
{
    uint32_t tiles[5], count = tiles_for(c->batch, tiles);
    ioa_status status = try_sorted(c, tiles, count < 2 ? count : 2, best, error);
    for (uint32_t i = 0; i < 2 * LIKELY_REUSE && (status == IOA_OK || status == IOA_ERR_INPUT); i++) {
        uint32_t t = i % 2, kind = i / 2;
        if (t < count && tiles[t] > 1 && c->batch > 4) status = try_reuse(c, tiles[t], kind, kind + 1, best, error);
    }
    if (status == IOA_OK || status == IOA_ERR_INPUT) status = try_sorted(c, tiles, count, best, error);
    uint32_t tile = best->plan ? ioa_plan_tile(best->plan) : 0;
    if (status == IOA_OK && tiles_have(tiles, count, 1))
        for (uint32_t group = 0; group <= IOA_SELL_ROWS && status == IOA_OK; group += IOA_SELL_ROWS)
            status = try_plan(c, (ioa_plan_options){.layout = IOA_LAYOUT_SELL, .tile = 1, .group = group}, best, error);
    if (status == IOA_OK) status = try_compiled(c, true, best, error);
    for (uint32_t t = 0; t < count && status == IOA_OK; t++) {
        if (tiles[t] * 2 < tile || tiles[t] > tile * 2) continue;
        if (tiles[t] > 1) status = try_reuse(c, tiles[t], 0, SIZE_MAX, best, error);
        if (status == IOA_OK)
            status = try_plan(c, (ioa_plan_options){.layout = IOA_LAYOUT_ROWS, .tile = tiles[t]}, best, error);
        if (status == IOA_OK)
            status = try_plan(c, (ioa_plan_options){.layout = IOA_LAYOUT_ORDER, .tile = tiles[t]}, best, error);
    }
    return status == IOA_OK ? try_compiled(c, false, best, error) : status;
}

/* The candidate next to the best one that is not marked; NULL if none is near it. */
static const ioa_candidate *next_rival(const ioa_contest *c, const char *best, bool marked[IOA_MOST_CANDIDATES])
{
    double limit = INFINITY;
    uint32_t rival = IOA_MOST_CANDIDATES;
    for (uint32_t i = 0; i < c->tried_count; i++)
        if (strcmp(c->tried[i].name, best) == 0) limit = RIVAL * c->tried[i].seconds;
    for (uint32_t i = 0; i < c->tried_count; i++)
        if (!marked[i] && c->tried[i].seconds <= limit && strcmp(c->tried[i].name, best) != 0) {
            limit = c->tried[i].seconds;
            rival = i;
        }
    if (rival == IOA_MOST_CANDIDATES) return NULL;
    marked[rival] = true;
    return &c->tried[rival];
}

/* A second chance, as long as there is time, for those that were nearly as fast: what they were held against first may have been
 * lucky, or the machine slow while they ran. All of them in turn, as others run between two calls of a plan in use too, so that
 * none lives on what its last pass left in the caches. */
static ioa_status try_rivals(ioa_contest *c, ioa_contender *best, ioa_error *error)
{
    bool marked[IOA_MOST_CANDIDATES] = {false};
    ioa_contender finalists[RIVALS + 1] = {*best};
    uint32_t count = 1;
    ioa_plan_options options;
    char name[IOA_PLAN_NAME];
    ioa_status status = IOA_OK;
    ioa_plan_describe(best->plan, &options);
    ioa_plan_options_name(&options, name);
    for (size_t bytes = ioa_plan_bytes(best->plan); count <= RIVALS && bytes < RIVALS_BYTES && ioa_clock() < c->deadline;) {
        const ioa_candidate *rival = next_rival(c, name, marked);
        if (!rival) break;
        status = ioa_plan_options_parse(rival->name, &options, error);
        if (status == IOA_OK) status = ioa_contest_plan(c, c->order, &options, &finalists[count], error);
        if (status != IOA_OK) break;
        bytes += ioa_plan_bytes(finalists[count++].plan);
    }
    uint32_t winner = status == IOA_OK && count > 1 ? ioa_contest_play_off(c, finalists, count) : 0;
    *best = finalists[winner];
    for (uint32_t k = 0; k < count; k++)
        if (k != winner) ioa_contest_dismiss(&finalists[k]);
    return status;
}

/* Plain CSR has its own share of the time: it stands for "never slower than without an order". */
ioa_status ioa_contest_choose(ioa_contest *c, ioa_contender *best, ioa_error *error)
{
    ioa_contender csr = {0};
    double start = ioa_clock(), deadline = c->deadline;
    c->deadline = start + 0.65 * (deadline - start);
    ioa_status status = choose_own(c, best, error);
    c->deadline = start + 0.8 * (deadline - start);
    if (status == IOA_OK) status = try_rivals(c, best, error);
    c->deadline = deadline;
    if (status == IOA_OK) status = ioa_contest_choose_csr(c, &csr, error);
    if (status == IOA_OK) ioa_contest_challenge(c, best, &csr);
    ioa_contest_dismiss(&csr);
    return status;
}

ioa_status ioa_plan_choose(const ioa_network *network, const uint32_t *order, const ioa_plan_choice *choice,
                           ioa_plan **plan, ioa_error *error)
{
    ioa_contest *c = ioa_alloc_zero(1, sizeof *c);
    ioa_contender best = {0};
    if (!c) return ioa_fail_nomem(error, "a choice of plans", 1, sizeof *c);
    ioa_status status = ioa_contest_open(c, network, order, choice, 1, error);
    c->deadline = ioa_clock() + (choice->seconds > 0 ? choice->seconds : 1);
    if (status == IOA_OK) status = ioa_contest_choose(c, &best, error);
    if (status == IOA_OK) {
        *plan = best.plan;
        best.plan = NULL;
    }
    ioa_contest_dismiss(&best);
    ioa_contest_close(c);
    ioa_free(c);
    return status;
}
