/* Prices of memory: renumbering the steps, and multipliers that follow the slots used. */
#include "optimizer/search/priced/priced_state.h"

#include <stdlib.h>
#include <string.h>

/* New labels from ranks and prices. */
static void number_steps(ioa_priced *p)
{
    const ioa_graph *g = p->g;
    int64_t label = 0;
    uint32_t e = p->next[g->W];
    for (uint32_t c = 0; c < p->chunks; c++) {
        const uint32_t steps = (uint32_t)ioa_min64(p->chunk, (int64_t)p->movable - (int64_t)c * p->chunk);
        const int64_t price = p->price[c];
        p->start[c] = label;
        p->inverse[c] = UINT64_MAX / (uint64_t)price + 1;
        for (uint32_t k = 0; k < steps; k++, e = p->next[e], label += price) p->label[e] = label;
    }
    p->start[p->chunks] = INT64_MAX;
    p->border = label / p->movable;
    p->moved = p->work = 0;
}

void ioa_priced_renumber(ioa_priced *p)
{
    number_steps(p);
    p->energy = 0;
    for (uint32_t x = 0; x < p->g->N; x++) {
        if (ioa_graph_degree(p->g, x) > 0)
            p->energy += ioa_priced_neuron(p, x, p->access + p->g->base[x], &p->late[x]);
    }
}

int64_t ioa_priced_bound(const ioa_priced *p)
{
    const uint32_t end = p->g->W;
    return p->energy - (int64_t)p->slots * (p->label[p->prev[end]] - p->label[p->next[end]]);
}

/* Counts a slot as used from rank on (sign 1) or no longer (sign -1). */
static inline void mark(ioa_priced *p, uint32_t chunk, int64_t rank, int64_t sign)
{
    const int64_t end = ((int64_t)chunk + 1) * p->chunk;
    p->open[chunk + 1] += sign;
    p->area[chunk] += sign * (end - rank);
}

/* Chunk of a label no smaller than those of chunk `from`, by doubling steps: kept gaps are short. */
static uint32_t chunk_of(const ioa_priced *p, int64_t label, uint32_t from)
{
    uint32_t step = 1, low = from;
    while (low + step < p->chunks && p->start[low + step] <= label) {
        low += step;
        step *= 2;
    }
    for (; step > 0; step /= 2)
        if (low + step < p->chunks && p->start[low + step] <= label) low += step;
    return low;
}

/* Exact division by the chunk's price, as a multiplication. */
static inline int64_t rank_of(const ioa_priced *p, int64_t label, uint32_t chunk)
{
    const uint64_t above = (uint64_t)(label - p->start[chunk]);
    return (int64_t)chunk * p->chunk + (int64_t)((ioa_u128)above * p->inverse[chunk] >> 64);
}

/* Adds the kept gaps of x: strictly between its two steps a gap uses one slot. */
static void occupy(ioa_priced *p, uint32_t x)
{
    const uint32_t *list = p->access + p->g->base[x];
    const int64_t degree = ioa_graph_degree(p->g, x), incoming = ioa_graph_incoming(p->g, x);
    const bool stays = (p->g->flags[x] & IOA_NEURON_SPILLS)
                       && p->label[list[degree - 1]] - p->label[list[incoming - 1]] < p->late[x] + IOA_PRICED_ONE;
    uint32_t chunk = chunk_of(p, p->label[list[0]], 0);
    int64_t from = p->label[list[0]];
    for (int64_t i = 1; i < degree; i++) {
        const int64_t to = p->label[list[i]];
        const uint32_t end = to < p->start[chunk + 1] ? chunk : chunk_of(p, to, chunk);
        if (i < incoming ? to - from < 2 * IOA_PRICED_ONE : stays || to - from < IOA_PRICED_ONE) {
            mark(p, chunk, rank_of(p, from, chunk) + 1, 1);
            mark(p, end, rank_of(p, to, end), -1);
        }
        chunk = end;
        from = to;
    }
}

/* Costs and slots used for the current labels, in one pass. */
static void measure(ioa_priced *p)
{
    memset(p->open, 0, ((size_t)p->chunks + 1) * sizeof *p->open);
    memset(p->area, 0, ((size_t)p->chunks + 1) * sizeof *p->area);
    p->energy = 0;
    for (uint32_t x = 0; x < p->g->N; x++) {
        if (ioa_graph_degree(p->g, x) == 0) continue;
        p->energy += ioa_priced_neuron(p, x, p->access + p->g->base[x], &p->late[x]);
        occupy(p, x);
    }
}

/* Light smoothing keeps prices from following the present order's single steps, which the next moves change anyway. */
static void smooth(uint32_t *price, uint32_t chunks)
{
    uint64_t before = price[0];
    for (uint32_t c = 0; c < chunks; c++) {
        const uint64_t here = price[c], after = c + 1 < chunks ? price[c + 1] : here;
        price[c] = (uint32_t)((before + 30 * here + after) / 32);
        before = here;
    }
}

int64_t ioa_priced_follow(uint32_t *prices, uint32_t chunks, uint32_t chunk_steps, uint64_t connections, uint64_t capacity,
                          const int64_t *opened, const int64_t *areas, int64_t rate)
{
    /* A step's own two neurons always have their slots. */
    const int64_t slots = capacity > 2 ? (int64_t)capacity - 2 : 1, chunk = chunk_steps;
    int64_t open = 0, used = 0;
    smooth(prices, chunks);
    for (uint32_t c = 0; c < chunks; c++) {
        open += opened[c];
        const int64_t steps = ioa_min64(chunk, (int64_t)connections - c * chunk);
        const int64_t area = open * chunk + areas[c], room = slots * steps;
        int64_t change = rate * (area - room) / room;
        change = change < -32768 ? -32768 : change > 65536 ? 65536 : change;
        int64_t price = prices[c] + (int64_t)prices[c] * change / 65536;
        price = price < IOA_PRICED_FLOOR ? IOA_PRICED_FLOOR : ioa_min64(price, IOA_PRICED_CEILING);
        prices[c] = (uint32_t)price;
        used += area;
    }
    const int64_t per_step = used * 256 / (int64_t)connections; /* in two parts: 65536 * used could overflow */
    return per_step * 256 / slots;
}

int64_t ioa_priced_adjust(ioa_priced *p, int64_t rate)
{
    number_steps(p);
    measure(p);
    p->stats.settles++;
    return ioa_priced_follow(p->price, p->chunks, p->chunk, p->g->W, p->slots, p->open, p->area, rate);
}

void ioa_gap_histogram_add(ioa_gap_histogram *h, int64_t steps, bool outgoing)
{
    const uint64_t fours = (uint64_t)(outgoing ? 4 * steps : 2 * steps) | 1; /* at least 2 */
    const int octave = 63 - __builtin_clzll(fours << 2);
    h->area[4 * octave + (int)(fours << 2 >> (octave - 2) & 3)] += steps;
}

uint32_t ioa_gap_histogram_price(const ioa_gap_histogram *h, uint64_t slots, uint64_t connections)
{
    int64_t left = (int64_t)(slots * connections);
    int bin = 0;
    while (bin < 200 && (left -= h->area[bin]) > 0) bin++;
    if (bin == 200) return IOA_PRICED_FLOOR; /* everything fits */
    const int64_t sixteenths = (int64_t)(4 + bin % 4) << bin / 4 >> 2; /* the bin's length */
    const int64_t price = sixteenths > 0 ? 16 * IOA_PRICED_ONE / sixteenths : IOA_PRICED_CEILING;
    return price < IOA_PRICED_FLOOR ? IOA_PRICED_FLOOR : (uint32_t)ioa_min64(price, IOA_PRICED_CEILING);
}

/* The one price at which the gaps worth keeping just fill the slots; labels must be ranks times the smallest price. */
static uint32_t uniform_price(const ioa_priced *p)
{
    ioa_gap_histogram histogram = {{0}};
    for (uint32_t x = 0; x < p->g->N; x++) {
        const uint32_t *list = p->access + p->g->base[x];
        const int64_t degree = ioa_graph_degree(p->g, x), incoming = ioa_graph_incoming(p->g, x);
        for (int64_t i = 1; i < degree; i++)
            ioa_gap_histogram_add(&histogram, (p->label[list[i]] - p->label[list[i - 1]]) / IOA_PRICED_FLOOR, i >= incoming);
    }
    return ioa_gap_histogram_price(&histogram, p->slots, p->g->W);
}

void ioa_priced_first_prices(ioa_priced *p, const uint32_t *order)
{
    for (uint32_t c = 0; c < p->chunks; c++) p->price[c] = IOA_PRICED_FLOOR;
    ioa_priced_set_order(p, order);
    const uint32_t uniform = uniform_price(p);
    for (uint32_t c = 0; c < p->chunks; c++) p->price[c] = uniform;
    int64_t best = INT64_MIN;
    for (int i = 0, stale = 0; i < 60 && stale < 4; i++) {
        ioa_priced_adjust(p, 2 * IOA_PRICED_RATE);
        const int64_t bound = ioa_priced_bound(p);
        stale = bound > best + llabs(best / 512) ? 0 : stale + 1;
        if (bound > best) best = bound;
    }
    p->stats.settles = 0;
    ioa_priced_renumber(p);
}

void ioa_priced_settle(ioa_priced *p)
{
    ioa_priced_adjust(p, IOA_PRICED_RATE);
    ioa_priced_renumber(p); /* so that the state depends on order and prices alone */
}
