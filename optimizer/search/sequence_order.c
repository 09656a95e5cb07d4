#include "optimizer/search/sequence.h"

#include "core/mem.h"

/* The sequence in which a block meets its sources: residents that nobody reads later make room at once; what is loaded to
 * stay comes last. */
enum { GOES, STAYS, PASSES, ARRIVES, STAGES };

static unsigned stage_of(const ioa_sequence *s, const uint32_t *resident, uint32_t u)
{
    uint32_t class = s->b->class_of[u];
    bool stays = s->state[class].resident > s->b->rank[u];
    return s->b->rank[u] < resident[class] ? (stays ? STAYS : GOES) : stays ? ARRIVES : PASSES;
}

/* Sources of a block, each once. */
static uint32_t list_sources(const ioa_blocks *b, uint32_t block, uint32_t *place, uint32_t *sources, uint32_t *uses)
{
    const ioa_network_arrays *a = &b->network->a;
    uint32_t count = 0;
    for (uint32_t i = b->member_begin[block]; i < b->member_begin[block + 1]; i++)
        for (int64_t e = a->indptr[b->member[i]]; e < a->indptr[b->member[i] + 1]; e++) {
            uint32_t u = a->indices[e];
            if (place[u] >= count || sources[place[u]] != u) {
                place[u] = count;
                sources[count] = u;
                uses[count++] = 0;
            }
            uses[place[u]]++;
        }
    return count;
}

ioa_status ioa_sequence_order(ioa_sequence *s, uint32_t *order, ioa_error *error)
{
    const ioa_blocks *b = s->b;
    const ioa_network_arrays *a = &b->network->a;
    uint64_t n = a->neurons, at = 0;
    uint32_t *place = ioa_alloc_zero(n, sizeof *place), *sources = ioa_alloc(n, sizeof *sources);
    uint32_t *begin = ioa_alloc(n, sizeof *begin), *resident = ioa_alloc(b->classes, sizeof *resident);
    bool complete = place && sources && begin && resident;
    ioa_sequence_rewind(s);
    for (uint32_t position = 0; complete && position < b->count; position++) {
        uint32_t block = s->at[position], count = list_sources(b, block, place, sources, begin), offset = 0;
        for (uint32_t i = b->in_begin[block]; i < b->in_begin[block + 1]; i++) resident[b->in[i]] = s->state[b->in[i]].resident;
        ioa_sequence_step(s, position);
        for (unsigned stage = 0; stage < STAGES; stage++)
            for (uint32_t i = 0; i < count; i++) {
                if (stage_of(s, resident, sources[i]) != stage) continue;
                uint32_t uses = begin[i];
                begin[i] = offset;
                offset += uses;
            }
        for (uint32_t i = b->member_begin[block]; i < b->member_begin[block + 1]; i++)
            for (int64_t e = a->indptr[b->member[i]]; e < a->indptr[b->member[i] + 1]; e++)
                order[at + begin[place[a->indices[e]]]++] = (uint32_t)e;
        at += offset;
    }
    ioa_sequence_rewind(s);
    ioa_free(place);
    ioa_free(sources);
    ioa_free(begin);
    ioa_free(resident);
    return complete ? IOA_OK : ioa_fail_nomem(error, "the order of a sequence", n, 3 * sizeof *place);
}
