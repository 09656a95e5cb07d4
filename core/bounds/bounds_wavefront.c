/* Wavefront bounds (core/bounds/bounds.h, C): max flow between two levels, less what the first completions leave open. */
#include "core/base/mem.h"
#include "core/bounds/bounds_flow.h"
#include "core/bounds/bounds_internal.h"

#include <stdlib.h>
#include <string.h>

#define UNION_WORK UINT64_C(100000000) /* per interval */
#define MOST_WORDS (UINT64_C(1) << 23)  /* of the ancestor sets of one level: 64 MiB */

static const struct {
    uint8_t normal, cheap;
} charges[IOA_FRONT_CHARGES] = {[IOA_FRONT_ALONE] = {2, 1}, [IOA_FRONT_UNIT] = {1, 1}, [IOA_FRONT_BESIDE] = {1, 0}};

typedef struct front {
    const ioa_network *network;
    const ioa_levels *levels;
    const ioa_neighbourhood *neighbourhoods;
    uint32_t first;      /* lower level of the interval */
    uint32_t base;       /* first member of that level */
    uint32_t lowers;     /* neurons of that level */
    uint64_t words;      /* of a set of them */
    uint64_t **ancestors; /* [levels] by level - first: sets of its members, NULL where not made */
    bool *cheap;         /* [members from base] */
    uint8_t *capacity;   /* [members from base] */
    uint64_t *offsets;   /* [members from base + 1] connections inside the interval */
    uint32_t *sources;   /* local numbers: position in members - base */
    uint32_t *served;    /* [lowers, rounded up] scratch: how many of the upper level a neuron is an ancestor of */
    uint32_t *sizes;     /* [members of the upper level] scratch */
    uint32_t *below;     /* least_ancestors of the level before the upper one */
    uint64_t open, open_cheap; /* ancestors of any of the upper level, and the cheap ones among them */
} front;

bool ioa_bounds_cheap(const ioa_network *network, const ioa_levels *levels, uint32_t neuron)
{
    bool computed = network->a.indptr[neuron + 1] > network->a.indptr[neuron];
    return !computed || (network->is_output[neuron] && levels->is_source[neuron]);
}

static uint32_t level_size(const front *f, uint32_t level)
{
    return f->levels->offsets[level + 1] - f->levels->offsets[level];
}

/* Appends the connections into level `upper` that start at level `first` or above. */
static void append_level(front *f, uint32_t upper)
{
    const ioa_network_arrays *a = &f->network->a;
    const ioa_levels *l = f->levels;
    for (uint32_t i = l->offsets[upper]; i < l->offsets[upper + 1]; i++) {
        uint32_t v = l->members[i];
        uint64_t at = f->offsets[i - f->base];
        for (int64_t e = a->indptr[v]; e < a->indptr[v + 1]; e++)
            if (l->level[a->indices[e]] >= f->first) f->sources[at++] = l->place[a->indices[e]] - f->base;
        f->offsets[i - f->base + 1] = at;
    }
}

/* Sets of ancestors in level `first` of the members of `upper`. */
static ioa_status find_ancestors(front *f, uint32_t upper, ioa_error *error)
{
    const ioa_levels *l = f->levels;
    uint64_t size = level_size(f, upper);
    uint64_t *sets = ioa_alloc_zero(size * f->words, sizeof *sets);
    if (!sets) return ioa_fail_nomem(error, "the ancestors of the wavefront bound", size * f->words, sizeof *sets);
    f->ancestors[upper - f->first] = sets;
    for (uint64_t i = 0; i < size; i++) {
        uint64_t *set = sets + i * f->words, local = l->offsets[upper] - f->base + i;
        for (uint64_t e = f->offsets[local]; e < f->offsets[local + 1]; e++) {
            uint32_t u = f->sources[e], level = l->level[l->members[f->base + u]];
            if (level == f->first) {
                set[u / 64] |= UINT64_C(1) << u % 64;
                continue;
            }
            const uint64_t *other =
                f->ancestors[level - f->first] + (uint64_t)(u + f->base - l->offsets[level]) * f->words;
            for (uint64_t w = 0; w < f->words; w++) set[w] |= other[w];
        }
    }
    return IOA_OK;
}

static int ascending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static int descending(const void *a, const void *b)
{
    return ascending(b, a);
}

/* least[k], 0 <= k <= uppers: no k neurons of level `upper` have fewer ancestors in level `first` together. Three
 * arguments, each sound by itself: the k-th smallest set; the sets' sizes against how many of the k an ancestor can
 * serve; and what is known one level down, since ancestors of sources are ancestors. */
static void least_ancestors(front *f, uint32_t upper, uint32_t *least)
{
    uint32_t uppers = level_size(f, upper);
    const uint64_t *sets = f->ancestors[upper - f->first];
    uint32_t *sizes = f->sizes, *served = f->served;
    memset(served, 0, f->words * 64 * sizeof *served);
    for (uint32_t i = 0; i < uppers; i++) {
        sizes[i] = 0;
        for (uint64_t w = 0; w < f->words; w++)
            for (uint64_t bits = sets[i * f->words + w]; bits; bits &= bits - 1) {
                served[w * 64 + (uint64_t)__builtin_ctzll(bits)]++;
                sizes[i]++;
            }
    }
    f->open = f->open_cheap = 0;
    for (uint32_t u = 0; u < f->lowers; u++) {
        f->open += served[u] > 0;
        f->open_cheap += served[u] > 0 && f->cheap[u];
    }
    qsort(sizes, uppers, sizeof *sizes, ascending);
    qsort(served, f->lowers, sizeof *served, descending);
    uint64_t wanted = 0;
    least[0] = 0;
    for (uint32_t k = 1; k <= uppers; k++) {
        least[k] = sizes[k - 1];
        wanted += sizes[k - 1];
        /* few steps suffice: the count only grows with k, so it is enough to look where it could win */
        if (k <= 64 || (k & (k - 1)) == 0) {
            uint64_t reached = 0;
            uint32_t m = 0;
            while (m < f->lowers && reached < wanted) {
                reached += served[m] < k ? served[m] : k;
                m++;
            }
            if (m > least[k]) least[k] = m;
        }
        const ioa_neighbourhood *near = f->neighbourhoods ? &f->neighbourhoods[upper - 1] : NULL;
        if (near && near->least_sources) {
            uint32_t m = near->least_sources[k];
            if (upper - 1 == f->first) {
                if (m > least[k]) least[k] = m;
            } else if (f->below[m] > least[k])
                least[k] = f->below[m];
        }
        if (least[k] < least[k - 1]) least[k] = least[k - 1];
    }
}

/* Weight of the live neurons at the k-th completion, less the heaviest that may be resident, at the best k. */
static uint64_t best_completion(const front *f, uint32_t upper, uint64_t flow, const uint32_t *least,
                                ioa_front_charge charge, uint64_t memory)
{
    uint64_t normal = charges[charge].normal, cheaper = normal - charges[charge].cheap, best = 0;
    for (uint64_t k = 1; k <= level_size(f, upper); k++) {
        /* At most open - least[k] of the ancestors are not complete, the dearest ones at worst. */
        uint64_t missing = f->open - (least[k] < f->open ? least[k] : f->open), dear = f->open - f->open_cheap;
        uint64_t lost = normal * missing - (missing > dear ? (missing - dear) * cheaper : 0);
        lost += normal * (k - 1) + normal * (memory - 1);
        if (flow > lost && flow - lost > best) best = flow - lost;
    }
    return best;
}

static ioa_status bound_interval(front *f, uint32_t upper, const uint32_t *least, uint64_t memory, uint64_t *work,
                                 ioa_wavefront *out, ioa_error *error)
{
    uint32_t members = f->levels->offsets[upper + 1] - f->base, cheap = 0;
    for (uint32_t v = 0; v < members; v++) cheap += f->cheap[v];
    uint64_t unit = 0; /* the flow when every neuron lets one unit through */
    for (int step = 0; step < IOA_FRONT_CHARGES; step++) {
        static const ioa_front_charge sequence[] = {IOA_FRONT_UNIT, IOA_FRONT_BESIDE, IOA_FRONT_ALONE};
        ioa_front_charge charge = sequence[step];
        uint64_t flow = charges[charge].normal * unit; /* true unless some neurons are cheap */
        if (charge == IOA_FRONT_UNIT || cheap) {
            for (uint32_t v = 0; v < members; v++)
                f->capacity[v] = f->cheap[v] ? charges[charge].cheap : charges[charge].normal;
            ioa_flow_graph graph = {.vertices = members, .starts = f->lowers, .ends = level_size(f, upper),
                                    .capacity = f->capacity, .offsets = f->offsets, .sources = f->sources};
            ioa_status status = ioa_flow_vertices(&graph, work, &flow, error);
            if (status != IOA_OK) return status;
        }
        if (charge == IOA_FRONT_UNIT) unit = flow;
        out->excess[charge] = best_completion(f, upper, flow, least, charge, memory);
    }
    return IOA_OK;
}

/* Whether exact unions may tell more of the ancestors: it pays where one neuron has many but not all of them, and more
 * of them live than fit. */
static bool promising(const front *f, uint32_t upper, const uint32_t *least, uint64_t memory)
{
    uint64_t lost = UINT64_MAX;
    for (uint64_t k = 1; k <= level_size(f, upper); k++)
        if (least[k] <= f->open && f->open - least[k] + k - 1 < lost) lost = f->open - least[k] + k - 1;
    return upper > f->first + 1 && lost > 32 && 8 * (uint64_t)least[1] > f->open && f->open > memory + 32;
}

static bool prepare(front *f, uint32_t first, uint32_t last)
{
    const ioa_levels *l = f->levels;
    f->first = first;
    f->base = l->offsets[first];
    f->lowers = level_size(f, first);
    f->words = ((uint64_t)f->lowers + 63) / 64;
    uint32_t members = l->offsets[last + 1] - f->base, widest = 0;
    uint64_t connections = 0;
    for (uint32_t level = first + 1; level <= last; level++)
        if (level_size(f, level) > widest) widest = level_size(f, level);
    for (uint32_t i = l->offsets[first + 1]; i < l->offsets[last + 1]; i++)
        connections += (uint64_t)(f->network->a.indptr[l->members[i] + 1] - f->network->a.indptr[l->members[i]]);
    f->ancestors = ioa_alloc_zero((uint64_t)last - first + 1, sizeof *f->ancestors);
    f->offsets = ioa_alloc_zero((uint64_t)members + 1, sizeof *f->offsets);
    f->sources = ioa_alloc(connections, sizeof *f->sources);
    f->served = ioa_alloc(f->words * 64, sizeof *f->served);
    f->sizes = ioa_alloc(widest, sizeof *f->sizes);
    f->below = ioa_alloc((uint64_t)widest + 1, sizeof *f->below);
    f->cheap = ioa_alloc(members, sizeof *f->cheap);
    f->capacity = ioa_alloc(members, sizeof *f->capacity);
    for (uint32_t v = 0; f->cheap && v < members; v++)
        f->cheap[v] = ioa_bounds_cheap(f->network, l, l->members[f->base + v]);
    return f->ancestors && f->offsets && f->sources && f->served && f->sizes && f->below && f->cheap && f->capacity;
}

static void release(front *f, uint32_t levels)
{
    for (uint32_t i = 0; f->ancestors && i < levels; i++) ioa_free(f->ancestors[i]);
    void *const arrays[] = {f->ancestors, f->offsets, f->sources, f->served, f->sizes, f->below, f->cheap, f->capacity};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) ioa_free(arrays[i]);
}

ioa_status ioa_bounds_wavefronts(const ioa_network *network, const ioa_levels *levels,
                                 const ioa_neighbourhood *neighbourhoods, uint32_t first, uint32_t last,
                                 uint64_t memory, uint64_t *work, ioa_wavefront *out, ioa_error *error)
{
    memset(out, 0, ((size_t)last - first) * sizeof *out);
    front f = {.network = network, .levels = levels, .neighbourhoods = neighbourhoods};
    ioa_status status = IOA_OK;
    uint32_t *least = NULL;
    if (!prepare(&f, first, last)) {
        status = ioa_fail_nomem(error, "the wavefront bound", network->connections, sizeof *f.sources);
        goto out;
    }
    for (uint32_t upper = first + 1; upper <= last; upper++) {
        uint64_t uppers = level_size(&f, upper), connections;
        append_level(&f, upper);
        connections = f.offsets[levels->offsets[upper + 1] - f.base] - f.offsets[levels->offsets[upper] - f.base];
        if (!ioa_work_spend(work, (connections + uppers) * (f.words + 1) + uppers * f.lowers)) break;
        if (uppers * f.words > MOST_WORDS) {
            *work = 0;
            break;
        }
        status = find_ancestors(&f, upper, error);
        if (status != IOA_OK) goto out;
        least = ioa_alloc(uppers + 1, sizeof *least);
        if (!least) {
            status = ioa_fail_nomem(error, "the wavefront bound", uppers, sizeof *least);
            goto out;
        }
        least_ancestors(&f, upper, least);
        if (promising(&f, upper, least, memory)) {
            ioa_reach reach = {.sets = f.ancestors[upper - first], .words = f.words, .uppers = (uint32_t)uppers,
                               .ancestors = (uint32_t)f.open};
            uint64_t share = *work / 8 < UNION_WORK ? *work / 8 : UNION_WORK, left = share;
            status = ioa_bounds_unions(&reach, &left, least, error);
            *work -= share - left;
            if (status != IOA_OK) goto out;
        }
        status = bound_interval(&f, upper, least, memory, work, &out[upper - first - 1], error);
        if (status != IOA_OK || *work == 0) goto out;
        /* Every neuron of the lower level is live: a longer interval cannot have more of them. */
        if (out[upper - first - 1].excess[IOA_FRONT_UNIT] + memory - 1 == f.lowers) goto out;
        ioa_free(f.below);
        f.below = least;
        least = NULL;
    }
out:
    ioa_free(least);
    release(&f, last - first + 1);
    return status;
}
