/* Slots in use per tick, and what it costs to use more of them than there are. */
#include "optimizer/search/interval/interval_internal.h"

#include "core/base/mem.h"

#include <string.h>

/* What one value too many costs at most in a tick: dropping a held one, a write and a load; an open destination can be
 * spilled any number of times. */
enum { HELD_CAP = 2 * IOA_INTERVAL_ONE, DEST_CAP = 256 * IOA_INTERVAL_ONE, CHUNK = 4096 };

/* Pressures are multiples of the basic price, in 1 / PRESSURE_ONE. */
enum { PRESSURE_ONE = 64, HELD_MOST = 64 * PRESSURE_ONE, DEST_MOST = 256 * PRESSURE_ONE, DEST_SHARE = 128 };

const ioa_iv_pressure ioa_iv_pressure_none = { PRESSURE_ONE, PRESSURE_ONE, 0 };

bool ioa_iv_pressure_valid(const ioa_iv_pressure *p)
{
    return p->held >= PRESSURE_ONE && p->held <= HELD_MOST && p->dest >= PRESSURE_ONE && p->dest <= DEST_MOST;
}

/* The price of overflow rises as the temperature falls: hot states may pass through each other, cold ones must fit. What
 * overflow truly costs depends on the network (rows of 5 or of 500 connections), so the price is steered: up while more
 * ticks overflow than the temperature allows, down again while fewer do. */
ioa_iv_prices ioa_iv_prices_at(double temperature, ioa_iv_pressure pressure)
{
    double t = temperature < 0.02 ? 0.02 : temperature > 2.0 ? 2.0 : temperature;
    int32_t held = (int32_t)(9.0 / t), dest = (int32_t)(120.0 / t);
    held = held * pressure.held / PRESSURE_ONE;
    dest = dest * pressure.dest / PRESSURE_ONE;
    return (ioa_iv_prices){ held, HELD_CAP / (2 * held) + 1, dest, DEST_CAP / (2 * dest) + 1 };
}

static int32_t steer(int32_t pressure, int64_t overflow, int64_t allowed, int32_t most)
{
    int32_t step = pressure / 16 + 1;
    pressure += overflow > allowed ? step : -step;
    return pressure < PRESSURE_ONE ? PRESSURE_ONE : pressure > most ? most : pressure;
}

void ioa_iv_steer(ioa_interval_state *s, double temperature)
{
    int64_t held = 0, dest = 0, allowed = (int64_t)(temperature * s->ticks);
    int32_t slots = s->problem->slots;
    for (int32_t t = 0; t < s->ticks; t++) {
        for (int32_t half = 2 * t; half <= 2 * t + 1; half++)
            if (s->occupied[half] > slots) held += s->occupied[half] - slots;
        if (s->opened[t] > slots) dest += s->opened[t] - slots;
    }
    s->pressure.held = steer(s->pressure.held, held, 2 * allowed, HELD_MOST);
    s->pressure.dest = steer(s->pressure.dest, dest, allowed / DEST_SHARE, DEST_MOST);
    s->pressure.drawn = 0;
}

void ioa_iv_reprice(ioa_interval_state *s, double temperature)
{
    s->prices = ioa_iv_prices_at(temperature, s->pressure);
    s->energy = s->io * IOA_INTERVAL_ONE + ioa_iv_overflow_energy(s, &s->prices);
}

/* The d-th value too many in a tick costs unit * (2 d - 1) more, d counted up to `most`. Sums over ticks need no
 * multiplication inside of the loop, which then maps to vector instructions. */
static inline int32_t excess(int32_t x, int32_t slots, int32_t most)
{
    int32_t d = x - slots + 1;
    d = d < 0 ? 0 : d;
    return d > most ? most : d;
}

static int64_t price_of(int32_t unit, int32_t slots, int32_t most, int32_t x)
{
    int64_t d = x - slots;
    if (d <= 0) return 0;
    return d <= most ? unit * d * d : unit * ((int64_t)most * most + (d - most) * (2 * (int64_t)most - 1));
}

int64_t ioa_iv_overflow_energy(const ioa_interval_state *s, const ioa_iv_prices *p)
{
    int64_t sum = 0;
    int32_t slots = s->problem->slots;
    for (int32_t t = 0; t < s->ticks; t++) {
        sum += price_of(p->held, slots, p->held_most, s->occupied[2 * t]);
        sum += price_of(p->held, slots, p->held_most, s->occupied[2 * t + 1]);
        sum += price_of(p->dest, slots, p->dest_most, s->opened[t]);
    }
    return sum;
}

/* One value more in each of count ticks, or one less. */
IOA_IV_WIDE static int64_t pile(int32_t *x, int32_t count, int32_t unit, int32_t slots, int32_t most, int32_t step)
{
    int64_t twice = 0, some = 0;
    for (int32_t done = 0; done < count; done += CHUNK) {
        int32_t part = 0, positive = 0, stop = count - done < CHUNK ? count : done + CHUNK;
        if (step > 0) {
            for (int32_t t = done; t < stop; t++) {
                int32_t d = excess(x[t], slots, most);
                x[t]++;
                part += d;
                positive += d > 0;
            }
        } else {
            for (int32_t t = done; t < stop; t++) {
                x[t]--;
                int32_t d = excess(x[t], slots, most);
                part += d;
                positive += d > 0;
            }
        }
        twice += part;
        some += positive;
    }
    return step * unit * (2 * twice - some);
}

static int64_t shift(ioa_interval_state *s, const ioa_iv_range *r, int32_t weight)
{
    const ioa_iv_prices *p = &s->prices;
    int32_t count = r->last - r->first + 1, slots = s->problem->slots, step = weight > 0 ? 1 : -1;
    int64_t change = 0;
    for (; weight; weight -= step) {
        change += pile(s->occupied + r->first, count, p->held, slots, p->held_most, step);
        if (r->dests) change += pile(s->opened + r->first / 2, count / 2, p->dest, slots, p->dest_most, step);
    }
    return change;
}

static int64_t occupy(ioa_interval_state *s, ioa_iv_range range)
{
    if (range.first > range.last) return 0;
    if (s->range_count == s->range_capacity) {
        uint32_t capacity = 2 * s->range_capacity;
        ioa_iv_range *more = ioa_alloc(capacity, sizeof *more);
        if (!more) { /* the proposal is refused as a whole; nothing unlogged may happen */
            s->out_of_memory = true;
            return 0;
        }
        memcpy(more, s->ranges, s->range_count * sizeof *more);
        ioa_free(s->ranges);
        s->ranges = more;
        s->range_capacity = capacity;
    }
    s->ranges[s->range_count++] = range;
    return shift(s, &range, range.weight);
}

int64_t ioa_iv_occupy(ioa_interval_state *s, int32_t first, int32_t last, int32_t weight)
{
    return occupy(s, (ioa_iv_range){ first, last, weight, false });
}

int64_t ioa_iv_occupy_open(ioa_interval_state *s, int32_t first, int32_t last, int32_t weight)
{
    return occupy(s, (ioa_iv_range){ 2 * first, 2 * last + 1, weight, true });
}

void ioa_iv_undo_ranges(ioa_interval_state *s, uint32_t keep)
{
    while (s->range_count > keep) {
        ioa_iv_range r = s->ranges[--s->range_count];
        (void)shift(s, &r, -r.weight);
    }
}

IOA_IV_WIDE int64_t ioa_iv_hold(const ioa_interval_state *s, int32_t first, int32_t last, int64_t limit)
{
    enum { STEP = 32 }; /* few enough to stop early, enough for vector instructions */
    const int32_t *x = s->occupied;
    const int32_t unit = s->prices.held, slots = s->problem->slots, most = s->prices.held_most;
    /* a slot is never quite free: else a value would be held for ever where nothing presses */
    int64_t sum = last - first + 1;
    int32_t t = first;
    for (; t + STEP - 1 <= last && sum < limit; t += STEP) {
        int32_t part = 0, positive = 0;
        for (int32_t i = 0; i < STEP; i++) {
            int32_t d = excess(x[t + i], slots, most);
            part += d;
            positive += d > 0;
        }
        sum += (int64_t)unit * (2 * part - positive);
    }
    if (sum >= limit) return sum;
    for (; t <= last; t++) {
        int32_t d = excess(x[t], slots, most);
        if (d) sum += (int64_t)unit * (2 * d - 1);
    }
    return sum;
}
