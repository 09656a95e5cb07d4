#include "optimizer/search/construct/sequence.h"

#include "core/base/mem.h"

/* The sequence in which a block meets its sources: residents that nobody reads later make room at once; what is loaded to
 * stay comes last. */
enum { GOES, STAYS, PASSES, ARRIVES, STAGES };

/* Of a class those go first that were there first: what neither a block produces nor is read yet before all others. */
static bool is_resident(const ioa_sequence *s, uint32_t resident, const uint32_t *rank, uint32_t u)
{
    return rank[u] + resident >= s->b->size[s->b->class_of[u]];
}

static unsigned stage_of(const ioa_sequence *s, const uint32_t *resident, const uint32_t *rank, uint32_t u)
{
    uint32_t class = s->b->class_of[u];
    bool stays = is_resident(s, s->state[class].resident, rank, u);
    return is_resident(s, resident[class], rank, u) ? (stays ? STAYS : GOES) : stays ? ARRIVES : PASSES;
}

/* Number of each neuron within its class, in the sequence in which they are complete. `seen` [classes] is zero. */
static void number_neurons(const ioa_sequence *s, uint32_t *rank, uint32_t *seen)
{
    const ioa_blocks *b = s->b;
    const ioa_network_arrays *a = &b->network->a;
    for (uint32_t u = 0; u < a->neurons; u++)
        if (a->indptr[u] == a->indptr[u + 1] && b->class_of[u] != IOA_SEQUENCE_NONE) rank[u] = seen[b->class_of[u]]++;
    for (uint32_t position = 0; position < b->count; position++) {
        uint32_t block = s->at[position];
        for (uint32_t i = b->member_begin[block]; i < b->member_begin[block + 1]; i++)
            if (b->class_of[b->member[i]] != IOA_SEQUENCE_NONE) rank[b->member[i]] = seen[b->class_of[b->member[i]]]++;
    }
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
    uint32_t *begin = ioa_alloc(n, sizeof *begin), *resident = ioa_alloc_zero(b->classes, sizeof *resident);
    uint32_t *rank = ioa_alloc(n, sizeof *rank);
    bool complete = place && sources && begin && resident && rank;
    if (complete) number_neurons(s, rank, resident);
    ioa_sequence_rewind(s);
    for (uint32_t position = 0; complete && position < b->count; position++) {
        uint32_t block = s->at[position], count = list_sources(b, block, place, sources, begin), offset = 0;
        for (uint32_t i = b->in_begin[block]; i < b->in_begin[block + 1]; i++) resident[b->in[i]] = s->state[b->in[i]].resident;
        ioa_sequence_step(s, position);
        for (unsigned stage = 0; stage < STAGES; stage++)
            for (uint32_t i = 0; i < count; i++) {
                if (stage_of(s, resident, rank, sources[i]) != stage) continue;
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
    ioa_free(rank);
    return complete ? IOA_OK : ioa_fail_nomem(error, "the order of a sequence", n, 4 * sizeof *place);
}
