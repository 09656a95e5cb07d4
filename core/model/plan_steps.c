#include "core/model/plan_steps.h"

#include "core/base/mem.h"
#include "core/model/network.h"
#include "core/model/reference.h"

#include <stdlib.h>
#include <string.h>

void ioa_plan_steps_clear(ioa_plan_steps *steps)
{
    ioa_free(steps->edges);
    ioa_free(steps->destinations);
    ioa_free(steps->incoming);
    ioa_free(steps->outgoing);
    ioa_free(steps->bias);
    ioa_free(steps->constant);
    ioa_free(steps->value);
    memset(steps, 0, sizeof *steps);
}

/* Finds constants and folds them: with `deep`, neurons with nothing but constant sources are constants too, and what
 * constants contribute moves into the bias. Sums in float64, so folding loses nothing. */
static void fold_constants(const ioa_network *n, bool deep, ioa_plan_steps *s)
{
    const ioa_network_arrays *a = &n->a;
    for (uint32_t v = 0; v < a->neurons; v++) {
        double sum = a->bias[v];
        int64_t variable = 0;
        for (int64_t e = a->indptr[v]; e < a->indptr[v + 1]; e++) {
            if (deep && s->constant[a->indices[e]]) sum += (double)a->weights[e] * (double)s->value[a->indices[e]];
            else variable++;
        }
        s->bias[v] = (float)sum;
        s->constant[v] = variable == 0 && !n->is_input[v];
        if (s->constant[v])
            s->value[v] =
                (float)ioa_reference_activation(a->activation[v], sum, a->param ? (double)a->param[v] : 0);
    }
}

/* Counts the connections that are executed: all, or with `prune` those on a way from a variable to an output. */
static void count_connections(const ioa_network *n, bool prune, ioa_plan_steps *s)
{
    const ioa_network_arrays *a = &n->a;
    for (uint32_t v = a->neurons; v-- > 0;) { /* descending: whether v is read is known when v is reached */
        if (prune && (s->constant[v] || (!s->outgoing[v] && !n->is_output[v]))) continue;
        for (int64_t e = a->indptr[v]; e < a->indptr[v + 1]; e++) {
            if (prune && s->constant[a->indices[e]]) continue;
            s->incoming[v]++;
            s->outgoing[a->indices[e]]++;
            s->count++;
        }
    }
}

static void append_row(const ioa_network *n, bool prune, uint32_t v, const uint32_t *row, ioa_plan_steps *s,
                       uint64_t *at)
{
    int64_t length = n->a.indptr[v + 1] - n->a.indptr[v];
    if (!s->incoming[v]) return;
    for (int64_t i = 0; i < length; i++)
        if (!prune || !s->constant[n->a.indices[row[i]]]) s->edges[(*at)++] = row[i];
}

/* One row after the other, in the sequence in which the order completes them; within a row as the order has it. */
static ioa_status sequence_rows(const ioa_network *n, const uint32_t *order, ioa_plan_steps *s, ioa_error *error)
{
    const int64_t *indptr = n->a.indptr;
    uint64_t at = 0;
    uint32_t *rows = ioa_alloc(n->connections, sizeof *rows);             /* connections by destination */
    uint32_t *filled = ioa_alloc_zero(n->a.neurons, sizeof *filled);
    ioa_status status = IOA_OK;
    if (rows && filled)
        for (uint64_t t = 0; t < n->connections; t++) {
            uint32_t e = order ? order[t] : (uint32_t)t, v = s->destinations[e];
            rows[indptr[v] + filled[v]++] = e;
            if (filled[v] == indptr[v + 1] - indptr[v]) append_row(n, true, v, rows + indptr[v], s, &at);
        }
    else
        status = ioa_fail_nomem(error, "a plan", n->connections, sizeof *rows);
    ioa_free(rows);
    ioa_free(filled);
    return status;
}

typedef struct sort_key {
    uint32_t depth, count, neuron;
} sort_key;

static int compare_keys(const void *left, const void *right)
{
    const sort_key *a = left, *b = right;
    if (a->depth != b->depth) return a->depth < b->depth ? -1 : 1;
    if (a->count != b->count) return a->count < b->count ? -1 : 1;
    return a->neuron < b->neuron ? -1 : a->neuron > b->neuron;
}

/* Rows by depth (longest way from an input) and then by count: equal counts in a row spare branch misses. */
static ioa_status sequence_sorted(const ioa_network *n, ioa_plan_steps *s, ioa_error *error)
{
    const ioa_network_arrays *a = &n->a;
    uint64_t at = 0;
    ioa_status status = IOA_OK;
    sort_key *keys = ioa_alloc_zero(a->neurons, sizeof *keys);
    uint32_t *row = ioa_alloc(a->neurons, sizeof *row);
    if (!keys || !row) {
        status = ioa_fail_nomem(error, "a plan", a->neurons, sizeof *keys + sizeof *row);
        goto out;
    }
    for (uint32_t v = 0; v < a->neurons; v++) {
        keys[v] = (sort_key){0, s->incoming[v], v};
        for (int64_t e = a->indptr[v]; s->incoming[v] && e < a->indptr[v + 1]; e++)
            if (!s->constant[a->indices[e]] && keys[v].depth <= keys[a->indices[e]].depth)
                keys[v].depth = keys[a->indices[e]].depth + 1;
    }
    qsort(keys, a->neurons, sizeof *keys, compare_keys);
    for (uint32_t i = 0; i < a->neurons; i++) {
        uint32_t v = keys[i].neuron, length = (uint32_t)(a->indptr[v + 1] - a->indptr[v]);
        for (uint32_t k = 0; k < length; k++) row[k] = (uint32_t)a->indptr[v] + k;
        append_row(n, true, v, row, s, &at);
    }
out:
    ioa_free(keys);
    ioa_free(row);
    return status;
}

static void sequence_order(const ioa_network *n, const uint32_t *order, bool prune, ioa_plan_steps *s)
{
    uint64_t at = 0;
    for (uint64_t t = 0; t < n->connections; t++) {
        uint32_t e = order ? order[t] : (uint32_t)t;
        if (!prune || (s->incoming[s->destinations[e]] && !s->constant[n->a.indices[e]])) s->edges[at++] = e;
    }
}

ioa_status ioa_plan_steps_make(const ioa_network *network, const uint32_t *order, ioa_layout layout, bool prune,
                               ioa_plan_steps *steps, ioa_error *error)
{
    uint64_t w = network->connections, neurons = network->a.neurons;
    ioa_status status = IOA_OK;
    ioa_plan_steps s = {0};
    s.edges = ioa_alloc(w, sizeof *s.edges);
    s.destinations = ioa_alloc(w, sizeof *s.destinations);
    s.incoming = ioa_alloc_zero(neurons, sizeof *s.incoming);
    s.outgoing = ioa_alloc_zero(neurons, sizeof *s.outgoing);
    s.bias = ioa_alloc(neurons, sizeof *s.bias);
    s.constant = ioa_alloc_zero(neurons, sizeof *s.constant);
    s.value = ioa_alloc_zero(neurons, sizeof *s.value);
    if (!s.edges || !s.destinations || !s.incoming || !s.outgoing || !s.bias || !s.constant || !s.value) {
        status = ioa_fail_nomem(error, "a plan", w, sizeof *s.edges + sizeof *s.destinations);
        goto out;
    }
    ioa_network_destinations(network, s.destinations);
    fold_constants(network, prune, &s);
    count_connections(network, prune, &s);
    if (layout == IOA_LAYOUT_SORTED) status = sequence_sorted(network, &s, error);
    else if (layout == IOA_LAYOUT_ROWS) status = sequence_rows(network, order, &s, error);
    else sequence_order(network, order, prune, &s);
    if (status == IOA_OK) {
        *steps = s;
        return IOA_OK;
    }
out:
    ioa_plan_steps_clear(&s);
    return status;
}
