#include "core/generate/generate.h"

#include "core/base/mem.h"
#include "core/generate/generate_builder.h"

#include <inttypes.h>
#include <math.h>

static void number_ends(ioa_builder *b, uint32_t inputs, uint32_t outputs)
{
    for (uint32_t i = 0; i < inputs; i++) b->a.input_ids[i] = i;
    for (uint32_t i = 0; i < outputs; i++) b->a.output_ids[i] = b->a.neurons - outputs + i;
}

ioa_status ioa_generate_mlp(const uint32_t *widths, uint32_t count, double density, const ioa_generate_common *common,
                            ioa_network **network, ioa_error *error)
{
    if (count < 2) return ioa_fail(error, IOA_ERR_INPUT, "an mlp needs at least two layers");
    if (!(density > 0.0 && density <= 1.0))
        return ioa_fail(error, IOA_ERR_INPUT, "density %g is not in (0, 1]", density);
    uint64_t neurons = 0;
    double expected = 0.0;
    for (uint32_t l = 0; l < count; l++) {
        if (widths[l] == 0) return ioa_fail(error, IOA_ERR_INPUT, "layer %" PRIu32 " has width 0", l);
        neurons += widths[l];
        if (l) expected += density * widths[l - 1] * widths[l];
    }
    if (neurons > INT32_MAX || expected > 4.2e9)
        return ioa_fail(error, IOA_ERR_INPUT, "%" PRIu64 " neurons and about %.3g connections are too many: "
                        "the limits are 2^31 - 1 and 2^32 - 1", neurons, expected);

    ioa_builder b;
    uint64_t room = (uint64_t)(expected + 6.0 * sqrt(expected));
    ioa_status status =
        ioa_builder_start(&b, (uint32_t)neurons, widths[0], widths[count - 1], count, room, error);
    if (status != IOA_OK) return status;
    number_ends(&b, widths[0], widths[count - 1]);
    for (uint32_t i = 0; i < widths[0]; i++) ioa_builder_end_row(&b);
    b.a.layer_offsets[0] = 0;
    b.a.layer_offsets[1] = widths[0];
    bool complete = true;
    for (uint32_t l = 1; complete && l < count; l++) {
        uint32_t first = (uint32_t)b.a.layer_offsets[l - 1], start = b.row;
        for (uint32_t i = 0; complete && i < widths[l]; i++) {
            ioa_pcg32 rng = ioa_rng_keyed(common->seed, IOA_RNG_GENERATE, l, i);
            complete = ioa_builder_random_cells(&b, first, (uint64_t)first + widths[l - 1], density,
                                                density * widths[l - 1], &rng);
            ioa_builder_end_row(&b);
        }
        ioa_builder_neurons(&b, common->seed, start, b.row, l + 1 < count ? common->hidden : common->last);
        b.a.layer_offsets[l + 1] = b.row;
    }
    return ioa_builder_finish(&b, complete, network, error);
}

/* ---- compact growth ---- */

typedef struct growth {
    uint32_t *resident; /* [limit] */
    uint32_t count;
    uint32_t limit; /* memory - 2: a new neuron and its weight need the other two slots */
    ioa_pcg32 rng;
} growth;

/* Moves `wanted` random residents to the front and sorts them. While the set is full, the last resident is one of
 * them: it is the one that is retired, and a last use at that very moment is what makes the growth tight. Returns
 * where the last resident went. */
static uint32_t draw_sources(growth *g, uint32_t wanted)
{
    uint32_t retiring = g->resident[g->count - 1], at = g->count - 1;
    for (uint32_t i = 0; i < wanted; i++) {
        bool forced = i == 0 && g->count == g->limit;
        uint32_t j = forced ? g->count - 1 : i + ioa_pcg32_below(&g->rng, g->count - i), id = g->resident[j], k = i;
        g->resident[j] = g->resident[i];
        for (; k > 0 && g->resident[k - 1] > id; k--) g->resident[k] = g->resident[k - 1];
        g->resident[k] = id;
    }
    for (uint32_t i = 0; i < g->count; i++)
        if (g->resident[i] == retiring) at = i;
    return at;
}

/* Puts `id` into the set, in place of the one at `at` if the set is full, and a random one last: the next to retire. */
static void join(growth *g, uint32_t id, uint32_t at)
{
    if (g->count < g->limit)
        g->resident[g->count++] = id;
    else
        g->resident[at] = id;
    uint32_t j = ioa_pcg32_below(&g->rng, g->count), last = g->resident[g->count - 1];
    g->resident[g->count - 1] = g->resident[j];
    g->resident[j] = last;
}

static bool grow_network(ioa_builder *b, growth *g, uint32_t inputs, uint32_t neurons, uint32_t fan_in, bool *is_source)
{
    uint32_t entered = 0, grown = 0;
    while (b->row < inputs + neurons) {
        bool input = entered < inputs && (uint64_t)entered * neurons <= (uint64_t)grown * inputs;
        uint32_t id = b->row, retired = g->count ? g->count - 1 : 0;
        if (input)
            b->a.input_ids[entered++] = id;
        else {
            uint32_t wanted = fan_in < g->count ? fan_in : g->count;
            retired = draw_sources(g, wanted);
            for (uint32_t i = 0; i < wanted; i++) {
                is_source[g->resident[i]] = true;
                if (!ioa_builder_add(b, g->resident[i], ioa_builder_weight(&g->rng, wanted))) return false;
            }
            grown++;
        }
        join(g, id, retired);
        ioa_builder_end_row(b);
    }
    return true;
}

ioa_status ioa_generate_compact_growth(uint32_t inputs, uint32_t neurons, uint32_t memory, uint32_t fan_in,
                                       const ioa_generate_common *common, ioa_network **network, ioa_error *error)
{
    if (inputs == 0 || neurons == 0 || fan_in == 0 || memory < 3 || (uint64_t)inputs + neurons > INT32_MAX)
        return ioa_fail(error, IOA_ERR_INPUT,
                        "compact growth needs inputs, neurons and fan-in >= 1, memory >= 3, below 2^31 neurons");
    uint32_t total = inputs + neurons, limit = memory - 2 < total ? memory - 2 : total;
    uint64_t sources = fan_in < limit ? fan_in : limit;
    if (sources * neurons > UINT32_MAX)
        return ioa_fail(error, IOA_ERR_INPUT, "%" PRIu64 " connections are too many: the limit is 2^32 - 1",
                        sources * neurons);
    ioa_builder b;
    growth g = {.limit = limit, .rng = ioa_rng_keyed(common->seed, IOA_RNG_GENERATE, 0, 0)};
    ioa_status status = ioa_builder_start(&b, total, inputs, total, 0, sources * neurons, error);
    if (status != IOA_OK) return status;
    g.resident = ioa_alloc(limit, sizeof *g.resident);
    bool *is_source = ioa_alloc_zero(total, sizeof *is_source);
    bool complete = g.resident && is_source && grow_network(&b, &g, inputs, neurons, fan_in, is_source);
    if (complete) {
        bool *is_input = ioa_alloc_zero(total, sizeof *is_input);
        complete = is_input != NULL;
        for (uint32_t i = 0; complete && i < inputs; i++) is_input[b.a.input_ids[i]] = true;
        b.a.outputs = 0;
        for (uint32_t v = 0; complete && v < total; v++) {
            bool output = !is_source[v] && !is_input[v];
            if (!is_input[v]) ioa_builder_neurons(&b, common->seed, v, v + 1, output ? common->last : common->hidden);
            if (output) b.a.output_ids[b.a.outputs++] = v;
        }
        ioa_free(is_input);
    }
    ioa_free(g.resident);
    ioa_free(is_source);
    return ioa_builder_finish(&b, complete, network, error);
}

/* ---- RadiX-Net ---- */

/* Sources of neuron i of a layer with radix r and place value p: those j with j + k p = i (mod width), ascending. */
static bool radix_row(ioa_builder *b, uint32_t first, uint32_t width, uint32_t i, uint32_t radix, uint32_t place,
                      ioa_pcg32 *rng)
{
    /* i, i - p, i - 2p, .. runs down to i mod p.. and, past 0, on from the top: ascending from where it wraps. */
    uint32_t below = i / place + 1;
    if (below > radix) below = radix;
    for (uint32_t k = below; k-- > 0;)
        if (!ioa_builder_add(b, first + i - k * place, ioa_builder_weight(rng, radix))) return false;
    for (uint32_t k = radix; k-- > below;)
        if (!ioa_builder_add(b, first + (uint32_t)((uint64_t)i + width - (uint64_t)k * place),
                             ioa_builder_weight(rng, radix)))
            return false;
    return true;
}

ioa_status ioa_generate_radixnet(const uint32_t *radices, uint32_t count, uint32_t layers,
                                 const ioa_generate_common *common, ioa_network **network, ioa_error *error)
{
    if (count == 0 || layers == 0) return ioa_fail(error, IOA_ERR_INPUT, "a RadiX-Net needs radices and layers");
    uint64_t width = 1, connections = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (radices[i] == 0) return ioa_fail(error, IOA_ERR_INPUT, "a radix of 0");
        width *= radices[i];
        if (width > INT32_MAX) return ioa_fail(error, IOA_ERR_INPUT, "the product of the radices is not below 2^31");
    }
    for (uint32_t l = 0; l < layers; l++) connections += width * radices[l % count];
    if (connections > UINT32_MAX || width * (layers + UINT64_C(1)) > INT32_MAX)
        return ioa_fail(error, IOA_ERR_INPUT, "%" PRIu64 " connections are too many: the limit is 2^32 - 1",
                        connections);
    uint32_t w = (uint32_t)width;
    ioa_builder b;
    ioa_status status = ioa_builder_start(&b, w * (layers + 1), w, w, layers + 1, connections, error);
    if (status != IOA_OK) return status;
    number_ends(&b, w, w);
    for (uint32_t i = 0; i < w; i++) ioa_builder_end_row(&b);
    b.a.layer_offsets[0] = 0;
    bool complete = true;
    for (uint32_t l = 0, place = 1; l < layers; l++) {
        uint32_t radix = radices[l % count], first = b.row - w, start = b.row;
        b.a.layer_offsets[l + 1] = start;
        for (uint32_t i = 0; complete && i < w; i++) {
            ioa_pcg32 rng = ioa_rng_keyed(common->seed, IOA_RNG_GENERATE, l + 1, i);
            complete = radix_row(&b, first, w, i, radix, place, &rng);
            ioa_builder_end_row(&b);
        }
        ioa_builder_neurons(&b, common->seed, start, start + w, l + 1 < layers ? common->hidden : common->last);
        place = (l + 1) % count ? place * radix : 1;
    }
    b.a.layer_offsets[layers + 1] = b.a.neurons;
    return ioa_builder_finish(&b, complete, network, error);
}
