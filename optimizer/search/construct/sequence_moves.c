/* Moves of runs of blocks. What a sequence is made of are chains of blocks that hand sources on to each other, depth by
 * depth, and what can still be gained is where one depth passes into the next: a chain of the next depth that needs none
 * of the last blocks of this one can be handled before them, so that the memory carries values across twice; and where a
 * chain begins and ends, which a closed ring of blocks leaves open. Hence short runs that go a short way, and whole chains
 * that are turned, reversed, or change places. */
#include "optimizer/search/construct/sequence.h"

#include <string.h>

#define REACH 60        /* positions a short run may go */
#define LONGEST 12      /* short run */
#define LONG_REACH 64   /* the same of long runs: a chain's other end comes first */
#define LONGEST_CHAIN 128 /* to each side */
#define OF_CHAINS 0.2   /* of the moves */
#define HOPS 4          /* chains that a chain may pass */

int64_t ioa_sequence_link(ioa_sequence *s, int64_t left, int64_t right)
{
    const ioa_blocks *b = s->b;
    if (left < 0 || right < 0 || left >= b->count || right >= b->count) return 0;
    uint32_t x = s->at[left], y = s->at[right];
    int64_t common = 0;
    for (uint32_t i = b->in_begin[x]; i < b->in_begin[x + 1]; i++) {
        uint32_t class = b->in[i];
        for (uint32_t j = b->reader_begin[class]; j < b->reader_begin[class + 1]; j++)
            if (b->reader[j] == y) {
                common += b->size[class];
                break;
            }
        s->work += (b->reader_begin[class + 1] - b->reader_begin[class]) / 2;
    }
    return common;
}

/* How far a block may go before it meets one that depends on it, or it depends on; `m->shift` becomes less. A block that
 * feeds one of its own run keeps the run from being reversed. */
static void respect_dependencies(ioa_sequence *s, ioa_sequence_move *m, uint32_t block)
{
    const ioa_blocks *b = s->b;
    for (uint32_t i = b->out_begin[block]; i < b->out_begin[block + 1]; i++) {
        uint32_t reader = s->state[b->out[i].class].first; /* the others come later */
        if (reader < m->end) m->reversed = false;
        if (!m->right) continue;
        for (uint32_t j = b->reader_begin[b->out[i].class]; j < b->reader_begin[b->out[i].class + 1]; j++) {
            reader = s->position[b->reader[j]];
            if (reader >= m->end && reader < m->end + m->shift) m->shift = reader - m->end;
        }
    }
    for (uint32_t i = b->producer_begin[block]; !m->right && i < b->producer_begin[block + 1]; i++) {
        uint32_t producer = s->position[b->producer[i]];
        if (producer < m->begin && producer + m->shift >= m->begin) m->shift = m->begin - 1 - producer;
    }
    s->work += (b->out_begin[block + 1] - b->out_begin[block] + b->producer_begin[block + 1] - b->producer_begin[block]) / 4;
}

/* Single blocks half of the time; short runs; now and then long ones. */
static ioa_sequence_move draw_run(ioa_sequence *s, ioa_pcg32 *rng)
{
    uint32_t n = s->b->count, kind = ioa_pcg32_below(rng, 20), length = 1;
    double u = ioa_pcg32_double(rng);
    ioa_sequence_move m = {.begin = ioa_pcg32_below(rng, n), .shift = 1 + (uint32_t)(u * u * REACH)};
    if (kind < 2) {
        length = 1 + ioa_pcg32_below(rng, LONG_REACH);
        m.shift = 1 + ioa_pcg32_below(rng, LONG_REACH);
    } else if (kind < 6)
        length = 2 + ioa_pcg32_below(rng, 3);
    else if (kind < 11)
        length = 1 + ioa_pcg32_below(rng, LONGEST);
    m.end = length < n - m.begin ? m.begin + length : n;
    m.right = ioa_pcg32_below(rng, 2);
    m.reversed = m.end - m.begin > 1 && ioa_pcg32_below(rng, 4) == 0;
    uint32_t room = m.right ? n - m.end : m.begin;
    if (m.shift > room) m.shift = room;
    return m;
}

/* Where the chain with the block at `position` begins and ends. */
static uint32_t chain_begin(ioa_sequence *s, uint32_t position, int64_t strong)
{
    uint32_t at = position;
    while (at > 0 && position - at < LONGEST_CHAIN && ioa_sequence_link(s, (int64_t)at - 1, at) >= strong) at--;
    return at;
}

static uint32_t chain_end(ioa_sequence *s, uint32_t position, int64_t strong)
{
    uint32_t at = position + 1;
    while (at < s->b->count && at - position < LONGEST_CHAIN && ioa_sequence_link(s, (int64_t)at - 1, at) >= strong) at++;
    return at;
}

/* A chain that passes some others, or what is left or right of a place in it. */
static ioa_sequence_move draw_passing(ioa_sequence *s, ioa_pcg32 *rng, ioa_sequence_move m, uint32_t place, int64_t strong)
{
    uint32_t hops = 1 + ioa_pcg32_below(rng, HOPS), n = s->b->count;
    m.right = ioa_pcg32_below(rng, 2);
    m.reversed = ioa_pcg32_below(rng, 2);
    if (ioa_pcg32_below(rng, 2)) {
        if (ioa_pcg32_below(rng, 2)) m.begin = place;
        else m.end = place + 1;
    }
    if (m.right) {
        uint32_t at = m.end;
        for (; hops && at < n; hops--) at = chain_end(s, at, strong);
        m.shift = at - m.end;
    } else {
        uint32_t at = m.begin;
        for (; hops && at > 0; hops--) at = chain_begin(s, at - 1, strong);
        m.shift = m.begin - at;
    }
    if (m.end - m.begin < 2) m.reversed = false;
    return m;
}

/* A ring is turned by as much as one likes: what is left of a place in it goes to the other end. */
static ioa_sequence_move draw_chain(ioa_sequence *s, ioa_pcg32 *rng, int64_t strong)
{
    uint32_t place = ioa_pcg32_below(rng, s->b->count), kind = ioa_pcg32_below(rng, 5);
    ioa_sequence_move m = {.begin = chain_begin(s, place, strong), .end = chain_end(s, place, strong), .right = true};
    if (kind >= 3) return draw_passing(s, rng, m, place, strong);
    if (kind == 2) {
        m.reversed = m.end - m.begin > 1;
        return m;
    }
    uint32_t end = m.end;
    if (end - m.begin < 2) return m;
    m.end = m.begin + 1 + ioa_pcg32_below(rng, end - m.begin - 1);
    m.shift = end - m.end;
    m.reversed = kind && m.end - m.begin > 1 && ioa_pcg32_below(rng, 2);
    return m;
}

ioa_sequence_move ioa_sequence_draw(ioa_sequence *s, ioa_pcg32 *rng, int64_t strong)
{
    ioa_sequence_move m = ioa_pcg32_double(rng) < OF_CHAINS ? draw_chain(s, rng, strong) : draw_run(s, rng);
    for (uint32_t i = m.begin; i < m.end && (m.shift || m.reversed); i++) respect_dependencies(s, &m, s->at[i]);
    return m;
}

int64_t ioa_sequence_links_lost(ioa_sequence *s, const ioa_sequence_move *m)
{
    int64_t begin = m->begin, end = m->end, shift = m->shift;
    int64_t first = m->reversed ? end - 1 : begin, last = m->reversed ? begin : end - 1;
    int64_t before = ioa_sequence_link(s, begin - 1, begin) + ioa_sequence_link(s, end - 1, end);
    if (!shift) return before - ioa_sequence_link(s, begin - 1, first) - ioa_sequence_link(s, last, end);
    int64_t closed = ioa_sequence_link(s, begin - 1, end);
    int64_t left = m->right ? end + shift - 1 : begin - shift - 1; /* the run goes between this position and the next */
    return before + ioa_sequence_link(s, left, left + 1) - closed - ioa_sequence_link(s, left, first) -
           ioa_sequence_link(s, last, left + 1);
}

uint32_t ioa_sequence_apply(ioa_sequence *s, const ioa_sequence_move *m, uint32_t *old, uint32_t *count)
{
    uint32_t from = m->right ? m->begin : m->begin - m->shift, length = m->end - m->begin;
    uint32_t run = m->right ? from + m->shift : from, rest = m->right ? from : from + length; /* where they go */
    *count = length + m->shift;
    memcpy(old, s->at + from, *count * sizeof *old);
    const uint32_t *old_run = old + (m->begin - from), *old_rest = old + (m->right ? length : 0);
    memcpy(s->at + rest, old_rest, m->shift * sizeof *s->at);
    for (uint32_t i = 0; i < length; i++) s->at[run + i] = old_run[m->reversed ? length - 1 - i : i];
    ioa_sequence_moved(s, from, from + *count - 1);
    return from;
}
