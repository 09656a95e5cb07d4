#include "core/model/memory_reference.h"

#include "core/base/mem.h"
#include "core/model/network.h"

#define NEVER UINT64_MAX

/* A slot of fast memory. Slots are searched from the first to the last; only RR gives their numbers a meaning. */
typedef struct slot {
    bool taken;
    bool dirty;
    uint32_t neuron;
    uint64_t used; /* 2 t + (1 for the destination) of the last access */
    uint64_t next; /* step of the next access, or NEVER */
} slot;

typedef struct machine {
    slot *slots; /* [C] */
    uint64_t capacity, pointer;
    ioa_policy policy;
    bool *delivered; /* [N] constant outputs whose value has been loaded once */
    const ioa_network *network;
    ioa_io io;
} machine;

static slot *find(machine *m, uint32_t neuron)
{
    for (uint64_t i = 0; i < m->capacity; i++)
        if (m->slots[i].taken && m->slots[i].neuron == neuron) return &m->slots[i];
    return NULL;
}

static bool min_prefers(const slot *a, const slot *b)
{
    if (a->next != b->next) return a->next > b->next;
    if (a->dirty != b->dirty) return !a->dirty;
    return a->neuron < b->neuron;
}

static slot *victim(machine *m, uint32_t u, uint32_t v)
{
    if (m->policy == IOA_POLICY_RR) {
        while (m->slots[m->pointer].neuron == u || m->slots[m->pointer].neuron == v)
            m->pointer = (m->pointer + 1) % m->capacity;
        slot *s = &m->slots[m->pointer];
        m->pointer = (m->pointer + 1) % m->capacity;
        return s;
    }
    slot *best = NULL;
    for (uint64_t i = 0; i < m->capacity; i++) {
        slot *s = &m->slots[i];
        if (s->neuron == u || s->neuron == v) continue;
        if (!best || (m->policy == IOA_POLICY_MIN ? min_prefers(s, best) : s->used < best->used)) best = s;
    }
    return best;
}

static slot *bring(machine *m, uint32_t neuron, uint64_t now, uint32_t u, uint32_t v)
{
    slot *s = find(m, neuron);
    if (s) return s;
    m->io.reads++;
    for (uint64_t i = 0; !s && i < m->capacity; i++)
        if (!m->slots[i].taken) s = &m->slots[i];
    if (!s) {
        s = victim(m, u, v);
        if (s->dirty) m->io.writes++;
    }
    const int64_t *indptr = m->network->a.indptr;
    bool constant_output = m->network->is_output[neuron] && indptr[neuron] == indptr[neuron + 1];
    *s = (slot){.taken = true, .neuron = neuron, .used = 2 * now, .next = now};
    s->dirty = constant_output && !m->delivered[neuron];
    m->delivered[neuron] = true;
    return s;
}

static void leave(machine *m, slot *s, uint64_t next)
{
    s->next = next;
    if (next != NEVER) return;
    if (m->network->is_output[s->neuron] && s->dirty) m->io.writes++;
    s->taken = false;
}

static void run(machine *m, const uint32_t *order, const uint32_t *destinations, const uint64_t *next)
{
    for (uint64_t t = 0; t < m->network->connections; t++) {
        uint32_t u = m->network->a.indices[order[t]], v = destinations[order[t]];
        bring(m, u, t, u, v);
        slot *at_v = bring(m, v, t, u, v), *at_u = find(m, u);
        m->io.reads++; /* the weight */
        at_v->dirty = true;
        at_u->used = 2 * t;
        at_v->used = 2 * t + 1;
        leave(m, at_u, next[2 * t]);
        leave(m, at_v, next[2 * t + 1]);
    }
}

ioa_status ioa_memory_count_reference(const ioa_network *network, const uint32_t *order, uint64_t memory,
                                      ioa_policy policy, ioa_io *io, ioa_error *error)
{
    uint64_t w = network->connections, n = network->a.neurons;
    if (memory < IOA_MEMORY_MIN) return ioa_fail(error, IOA_ERR_INPUT, "a fast memory needs at least 3 slots");
    uint64_t capacity = memory - 1 < n ? memory - 1 : n; /* more slots than neurons never fill */
    machine m = {.network = network, .policy = policy, .capacity = capacity < 2 ? 2 : capacity};
    uint32_t *destinations = ioa_alloc(w, sizeof *destinations);
    uint64_t *next = ioa_alloc(2 * w, sizeof *next), *seen = ioa_alloc(n, sizeof *seen);
    m.slots = ioa_alloc_zero(m.capacity, sizeof *m.slots);
    m.delivered = ioa_alloc_zero(n, sizeof *m.delivered);
    ioa_status status = IOA_OK;
    if (!destinations || !next || !seen || !m.slots || !m.delivered) {
        status = ioa_fail_nomem(error, "the reference simulator", w, 2 * sizeof *next);
        goto out;
    }
    ioa_network_destinations(network, destinations);
    for (uint64_t v = 0; v < n; v++) seen[v] = NEVER;
    for (uint64_t t = w; t-- > 0;) {
        uint32_t u = network->a.indices[order[t]], v = destinations[order[t]];
        next[2 * t] = seen[u];
        next[2 * t + 1] = seen[v];
        seen[u] = seen[v] = t;
    }
    m.io.reads = m.io.writes = network->bounds.lone_outputs;
    run(&m, order, destinations, next);
    *io = m.io;
out:
    ioa_free(destinations);
    ioa_free(next);
    ioa_free(seen);
    ioa_free(m.slots);
    ioa_free(m.delivered);
    return status;
}
