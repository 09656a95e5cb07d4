/* Smallest unions of ancestor sets, exactly, for the wavefront bound (core/bounds/bounds.h, C). Many networks have groups of
 * neurons with the same ancestors; any k neurons then belong to at least so many groups, and few groups can be tried
 * exhaustively. */
#include "core/base/mem.h"
#include "core/bounds/bounds_internal.h"

#include <stdlib.h>
#include <string.h>

#define MOST_GROUPS 8u /* that are united */

typedef struct unions {
    const uint64_t *sets;
    uint64_t words;
    uint32_t *first;  /* [uppers] a member of each group, the largest groups first */
    uint32_t *size;   /* [uppers] members of each group */
    uint32_t groups;
    uint64_t *stack;  /* [(MOST_GROUPS + 1) * words] unions of the groups chosen so far */
    uint32_t best;
    uint64_t *work;
} unions;

static uint64_t hash_set(const uint64_t *set, uint64_t words)
{
    uint64_t h = 0;
    for (uint64_t w = 0; w < words; w++) h = (h ^ set[w]) * UINT64_C(0x9e3779b97f4a7c15), h ^= h >> 29;
    return h;
}

typedef struct keyed {
    uint64_t hash;
    uint32_t id, size;
} keyed;

static int by_hash(const void *a, const void *b)
{
    const keyed *x = a, *y = b;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

static int by_size(const void *a, const void *b)
{
    const keyed *x = a, *y = b;
    if (x->size != y->size) return x->size > y->size ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

/* Neurons with equal sets become one group. Two sets that only share their hash may stay apart, which costs strength
 * and not truth: they are compared with their neighbour in hash order only. */
static void find_groups(unions *u, keyed *keys, uint32_t uppers)
{
    for (uint32_t i = 0; i < uppers; i++)
        keys[i] = (keyed){.hash = hash_set(u->sets + i * u->words, u->words), .id = i, .size = 1};
    qsort(keys, uppers, sizeof *keys, by_hash);
    uint32_t groups = 0;
    for (uint32_t i = 0; i < uppers; i++) {
        const uint64_t *set = u->sets + keys[i].id * u->words;
        if (groups && memcmp(set, u->sets + keys[groups - 1].id * u->words, u->words * sizeof *set) == 0)
            keys[groups - 1].size++;
        else
            keys[groups++] = keys[i];
    }
    qsort(keys, groups, sizeof *keys, by_size);
    u->groups = groups;
    for (uint32_t g = 0; g < groups; g++) {
        u->first[g] = keys[g].id;
        u->size[g] = keys[g].size;
    }
}

/* Tries every choice of `left` more groups from `from` on, beside the union at `depth`; false if the work runs out. */
static bool unite(unions *u, uint32_t depth, uint32_t from, uint32_t left)
{
    const uint64_t *base = u->stack + depth * u->words;
    uint64_t *next = u->stack + (depth + 1) * u->words;
    for (uint32_t g = from; g + left <= u->groups; g++) {
        const uint64_t *set = u->sets + u->first[g] * u->words;
        uint32_t count = 0;
        if (!ioa_work_spend(u->work, u->words + 1)) return false;
        for (uint64_t w = 0; w < u->words; w++) {
            next[w] = base[w] | set[w];
            count += (uint32_t)__builtin_popcountll(next[w]);
        }
        if (count >= u->best) continue; /* unions only grow */
        if (left == 1) u->best = count;
        else if (!unite(u, depth + 1, g + 1, left - 1)) return false;
    }
    return true;
}

ioa_status ioa_bounds_unions(const ioa_reach *r, uint64_t *work, uint32_t *least, ioa_error *error)
{
    if (!ioa_work_spend(work, (uint64_t)r->uppers * (r->words + 20))) return IOA_OK;
    ioa_status status = IOA_OK;
    unions u = {.sets = r->sets, .words = r->words, .work = work};
    keyed *keys = ioa_alloc(r->uppers, sizeof *keys);
    u.first = ioa_alloc(r->uppers, sizeof *u.first);
    u.size = ioa_alloc(r->uppers, sizeof *u.size);
    u.stack = ioa_alloc_zero((MOST_GROUPS + 1) * r->words, sizeof *u.stack);
    if (!keys || !u.first || !u.size || !u.stack) {
        status = ioa_fail_nomem(error, "the unions of ancestors", r->uppers, sizeof *keys);
        goto out;
    }
    find_groups(&u, keys, r->uppers);
    uint64_t covered = 0; /* neurons that one group less can hold */
    for (uint32_t wanted = 1; wanted <= MOST_GROUPS && wanted <= u.groups; wanted++) {
        u.best = r->ancestors;
        if (!unite(&u, 0, 0, wanted)) break;
        for (uint64_t k = covered + 1; k <= r->uppers; k++)
            if (u.best > least[k]) least[k] = u.best;
        covered += u.size[wanted - 1];
        if (u.best == r->ancestors) break;
    }
out:
    ioa_free(keys);
    ioa_free(u.first);
    ioa_free(u.size);
    ioa_free(u.stack);
    return status;
}
