#include "core/bounds/bounds.h"

#include "core/base/mem.h"
#include "core/bounds/bounds_internal.h"

#include <ioanneal/memory.h>
#include <string.h>

/* Steps of the whole certificate, and how many layers one wavefront may span. */
#define WORK_LIMIT UINT64_C(5000000000)
#define LONGEST_INTERVAL 8u
#define SEPARATION_WORK UINT64_C(100000000) /* states: two or three seconds, half a second where it gets nowhere */

static const char *const kind_names[IOA_BOUND_KIND_COUNT] = {"compulsory", "phases", "wavefront", "phases+wavefront",
                                                               "separation"};

const char *ioa_bound_kind_name(ioa_bound_kind kind)
{
    return (unsigned)kind < IOA_BOUND_KIND_COUNT ? kind_names[kind] : "unknown";
}

void ioa_certificate_free(ioa_certificate *certificate)
{
    ioa_free(certificate->intervals);
    memset(certificate, 0, sizeof *certificate);
}

/* ---- levels ---- */

/* The layer of every neuron, if every connection goes to a later layer. */
static bool take_layers(const ioa_network_arrays *a, uint32_t *level)
{
    if (a->layers < 2) return false;
    for (uint32_t l = 0; l < a->layers; l++)
        for (int64_t v = a->layer_offsets[l]; v < a->layer_offsets[l + 1]; v++) level[v] = l;
    for (uint32_t v = 0; v < a->neurons; v++)
        for (int64_t e = a->indptr[v]; e < a->indptr[v + 1]; e++)
            if (level[a->indices[e]] >= level[v]) return false;
    return true;
}

static void take_depths(const ioa_network_arrays *a, uint32_t *level)
{
    for (uint32_t v = 0; v < a->neurons; v++) {
        level[v] = 0;
        for (int64_t e = a->indptr[v]; e < a->indptr[v + 1]; e++)
            if (level[a->indices[e]] >= level[v]) level[v] = level[a->indices[e]] + 1;
    }
}

static void free_levels(ioa_levels *l)
{
    void *const arrays[] = {l->level, l->members, l->place, l->offsets, l->is_source};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) ioa_free(arrays[i]);
}

static ioa_status find_levels(const ioa_network *network, ioa_levels *l, ioa_error *error)
{
    const ioa_network_arrays *a = &network->a;
    uint64_t n = a->neurons;
    *l = (ioa_levels){.level = ioa_alloc(n, sizeof *l->level), .members = ioa_alloc(n, sizeof *l->members),
                      .place = ioa_alloc(n, sizeof *l->place), .is_source = ioa_alloc_zero(n, sizeof *l->is_source)};
    if (!l->level || !l->members || !l->place || !l->is_source) goto nomem;
    for (uint64_t e = 0; e < network->connections; e++) l->is_source[a->indices[e]] = true;
    if (!take_layers(a, l->level)) take_depths(a, l->level);
    for (uint32_t v = 0; v < n; v++) {
        if (l->level[v] >= l->count) l->count = l->level[v] + 1;
        if (!l->is_source[v] && a->indptr[v + 1] == a->indptr[v]) l->level[v] = IOA_NO_LEVEL;
    }
    l->offsets = ioa_alloc_zero((uint64_t)l->count + 1, sizeof *l->offsets);
    if (!l->offsets) goto nomem;
    for (uint32_t v = 0; v < n; v++)
        if (l->level[v] != IOA_NO_LEVEL) l->offsets[l->level[v] + 1]++;
    for (uint32_t i = 0; i < l->count; i++) l->offsets[i + 1] += l->offsets[i];
    for (uint32_t v = 0; v < n; v++) /* offsets serve as cursors and are shifted back */
        if (l->level[v] != IOA_NO_LEVEL) {
            l->place[v] = l->offsets[l->level[v]]++;
            l->members[l->place[v]] = v;
        }
    memmove(l->offsets + 1, l->offsets, (size_t)l->count * sizeof *l->offsets);
    l->offsets[0] = 0;
    return IOA_OK;
nomem:
    free_levels(l);
    return ioa_fail_nomem(error, "the levels of the network", n, sizeof *l->level);
}

/* ---- the best mix: layers of connections are cut into intervals, each with its best argument ---- */

typedef struct mix {
    uint32_t layers;      /* of connections: levels - 1 */
    uint32_t longest;
    ioa_phase *phases;    /* [layers] */
    bool *cheap;          /* [layers] has cheap sources */
    ioa_neighbourhood *neighbourhoods; /* [layers] */
    ioa_wavefront *fronts; /* [layers * longest] by first level, then length - 1 */
    ioa_bound_interval *best; /* [layers + 1] best[j]: the last interval of the best cut of the layers below level j */
    uint64_t *sum;        /* [layers + 1] and its value */
} mix;

static bool allocate_mix(mix *m, uint32_t layers)
{
    m->layers = layers;
    m->longest = layers < LONGEST_INTERVAL ? layers : LONGEST_INTERVAL;
    m->phases = ioa_alloc_zero(layers, sizeof *m->phases);
    m->cheap = ioa_alloc_zero(layers, sizeof *m->cheap);
    m->neighbourhoods = ioa_alloc_zero(layers, sizeof *m->neighbourhoods);
    m->fronts = ioa_alloc_zero((uint64_t)layers * m->longest, sizeof *m->fronts);
    m->best = ioa_alloc_zero((uint64_t)layers + 1, sizeof *m->best);
    m->sum = ioa_alloc_zero((uint64_t)layers + 1, sizeof *m->sum);
    return m->phases && m->cheap && m->neighbourhoods && m->fronts && m->best && m->sum;
}

static void free_mix(mix *m)
{
    for (uint32_t i = 0; m->neighbourhoods && i < m->layers; i++) ioa_free(m->neighbourhoods[i].least_sources);
    void *const arrays[] = {m->phases, m->cheap, m->neighbourhoods, m->fronts, m->best, m->sum};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) ioa_free(arrays[i]);
}

static ioa_bound_interval best_of(const mix *m, uint32_t first, uint32_t last)
{
    ioa_wavefront front = m->fronts[(uint64_t)first * m->longest + (last - first - 1)];
    uint64_t phases = 0, unit = front.excess[IOA_FRONT_UNIT], beside = front.excess[IOA_FRONT_BESIDE];
    bool unit_alone = true;
    for (uint32_t i = first; i < last; i++) {
        phases += m->phases[i].alone;
        beside += m->phases[i].beside;
        if (m->cheap[i] || m->phases[i].beside == 0) continue;
        unit += m->phases[i].beside;
        unit_alone = false;
    }
    ioa_bound_interval b = {.first = first, .last = last, .excess = phases,
                            .kind = phases ? IOA_BOUND_PHASES : IOA_BOUND_COMPULSORY};
    const ioa_bound_interval others[] = {
        {first, last, IOA_BOUND_WAVEFRONT, front.excess[IOA_FRONT_ALONE]},
        {first, last, unit_alone ? IOA_BOUND_WAVEFRONT : IOA_BOUND_BOTH, unit},
        {first, last, IOA_BOUND_BOTH, beside},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (others[i].excess > b.excess) b = others[i];
    return b;
}

static void cut_into_intervals(mix *m)
{
    for (uint32_t last = 1; last <= m->layers; last++)
        for (uint32_t length = 1; length <= m->longest && length <= last; length++) {
            ioa_bound_interval b = best_of(m, last - length, last);
            if (length > 1 && m->sum[last - length] + b.excess <= m->sum[last]) continue;
            m->sum[last] = m->sum[last - length] + b.excess;
            m->best[last] = b;
        }
}

static ioa_status report(const mix *m, ioa_certificate *out, ioa_error *error)
{
    uint32_t count = 0;
    for (uint32_t at = m->layers; at > 0; at = m->best[at].first) count++;
    out->intervals = ioa_alloc(count, sizeof *out->intervals);
    if (!out->intervals) return ioa_fail_nomem(error, "the certificate", count, sizeof *out->intervals);
    out->count = count;
    out->excess = m->sum[m->layers];
    for (uint32_t at = m->layers; at > 0; at = m->best[at].first) {
        ioa_bound_kind kind = m->best[at].kind;
        out->intervals[--count] = m->best[at];
        if (kind == IOA_BOUND_COMPULSORY || kind == out->kind) continue;
        out->kind = out->kind == IOA_BOUND_COMPULSORY ? kind : IOA_BOUND_BOTH;
    }
    return IOA_OK;
}

/* The game of first accesses is about the network as a whole: it replaces the intervals where it proves more. */
static ioa_status try_separation(const ioa_network *network, uint64_t memory, uint64_t work, ioa_certificate *c,
                                 ioa_error *error)
{
    uint64_t excess;
    bool patient = work > SEPARATION_WORK;
    ioa_status status = ioa_bounds_separation(network, memory, c->excess, patient, &work, &excess, error);
    if (status != IOA_OK) return status;
    if (work == 0) c->truncated = 1;
    if (excess == c->excess) return IOA_OK;
    c->excess = excess;
    c->kind = IOA_BOUND_SEPARATION;
    c->count = 1;
    c->intervals[0] = (ioa_bound_interval){0, c->levels - 1, IOA_BOUND_SEPARATION, excess};
    return IOA_OK;
}

ioa_status ioa_certified_bound(const ioa_network *network, uint64_t memory, ioa_certificate *out, ioa_error *error)
{
    return ioa_certified_bound_within(network, memory, SEPARATION_WORK, out, error);
}

ioa_status ioa_certified_bound_within(const ioa_network *network, uint64_t memory, uint64_t game_work,
                                      ioa_certificate *out, ioa_error *error)
{
    if (memory < IOA_MEMORY_MIN)
        return ioa_fail(error, IOA_ERR_INPUT, "a fast memory of %llu slots is too small: at least 3 are needed",
                        (unsigned long long)memory);
    ioa_certificate certificate = {0};
    ioa_levels levels = {0};
    mix m = {0};
    uint64_t work = WORK_LIMIT;
    ioa_status status = find_levels(network, &levels, error);
    if (status != IOA_OK) return status;
    certificate.levels = levels.count;
    if (levels.count < 2 || memory > network->bounds.active_neurons) goto out; /* everything fits */
    if (!allocate_mix(&m, levels.count - 1)) {
        status = ioa_fail_nomem(error, "the certificate", levels.count, sizeof *m.fronts);
        goto out;
    }
    for (uint32_t i = 0; status == IOA_OK && i < m.layers; i++) {
        uint64_t share = work / 4 * 3 / (m.layers - i), left = share; /* the rest is for the wavefronts */
        status = ioa_bounds_phase(network, &levels, i, memory, &left, &m.phases[i], &m.neighbourhoods[i], error);
        work -= share - left;
        if (left == 0) certificate.truncated = 1;
        for (uint32_t j = levels.offsets[i]; j < levels.offsets[i + 1]; j++)
            if (ioa_bounds_cheap(network, &levels, levels.members[j])) m.cheap[i] = true;
    }
    for (uint32_t i = 0; status == IOA_OK && i < m.layers; i++) {
        uint64_t share = work / (m.layers - i), left = share;
        uint32_t last = i + m.longest < m.layers ? i + m.longest : m.layers;
        status = ioa_bounds_wavefronts(network, &levels, m.neighbourhoods, i, last, memory, &left,
                                       &m.fronts[(uint64_t)i * m.longest], error);
        work -= share - left;
        if (left == 0) certificate.truncated = 1;
    }
    if (status != IOA_OK) goto out;
    cut_into_intervals(&m);
    status = report(&m, &certificate, error);
    if (status == IOA_OK) status = try_separation(network, memory, game_work, &certificate, error);
out:
    if (status == IOA_OK)
        *out = certificate;
    else
        ioa_certificate_free(&certificate);
    free_mix(&m);
    free_levels(&levels);
    return status;
}
