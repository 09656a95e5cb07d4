/* The fast-memory simulator used everywhere. tests/core/test_memory.c holds it against the slow one of
 * core/model/memory_reference.c, which is written from the definition. */
#include "core/model/simulator.h"

#include "core/base/mem.h"
#include "core/model/network.h"

#include <string.h>

static const char *const policy_names[IOA_POLICY_COUNT] = {"lru", "rr", "min"};

const char *ioa_policy_name(ioa_policy policy)
{
    return (unsigned)policy < IOA_POLICY_COUNT ? policy_names[policy] : "unknown";
}

int ioa_policy_from_name(const char *name)
{
    for (int p = 0; p < IOA_POLICY_COUNT; p++)
        if (strcmp(name, policy_names[p]) == 0) return p;
    return -1;
}

#define NONE UINT32_MAX /* no neuron, no slot, no later access */
#define ONE_STRETCH 1000000 /* connections: 8 MB of next accesses */
#define MOST_STRETCHES 64

/* Which of the policy's arrays exist depends on the policy. */
typedef struct ioa_simulator simulation;
struct ioa_simulator {
    const ioa_network *network;
    ioa_policy policy;
    uint32_t capacity; /* C, clamped to N: more slots than neurons never fill */
    uint32_t resident; /* neurons in fast memory */
    const uint32_t *destinations; /* [W] */
    uint32_t *own_destinations;   /* the same, if the network does not keep them */
    uint32_t *degree;       /* [N] connections, incoming and outgoing */
    uint32_t *uses;         /* [N] accesses still to come */
    bool *dirty;            /* [N] */
    bool *undelivered;      /* [N] constant outputs before their first load */
    uint32_t *place;        /* [N] heap position (MIN), slot (RR), anything but NONE (LRU); NONE: absent */
    uint64_t stretch;                         /* MIN: steps whose next accesses are known at a time */
    uint32_t stretches;
    uint32_t *next_source, *next_destination; /* [stretch] MIN: step of the next access of the step's neurons */
    uint32_t *ahead;                          /* [stretches - 1][N] MIN: first access after each stretch but the last */
    uint32_t *nearest;                        /* [N] MIN: first access after the step looked at, backwards */
    uint32_t *farthest;                       /* [N] MIN: next access of a resident neuron */
    uint32_t *heap;                           /* [C] MIN: resident neurons, the next victim first */
    uint32_t *newer, *older;                  /* [N + 1] LRU: list through resident neurons; entry N is both ends */
    uint32_t *owner;                          /* [C] RR: neuron in the slot */
    uint64_t *free_slots;                     /* [C / 64 + 1] RR: bit set */
    uint32_t first_free_word;                 /* RR: no word before it has a set bit */
    uint32_t pointer;                         /* RR */
    ioa_io io;
};

/* ---- MIN: a binary heap by (farthest next access, clean before dirty, lower id) ---- */

static inline bool goes_before(const simulation *s, uint32_t a, uint32_t b)
{
    if (s->farthest[a] != s->farthest[b]) return s->farthest[a] > s->farthest[b];
    if (s->dirty[a] != s->dirty[b]) return s->dirty[b];
    return a < b;
}

static void sift_up(simulation *s, uint32_t at)
{
    uint32_t neuron = s->heap[at];
    while (at > 0) {
        uint32_t parent = (at - 1) / 2;
        if (!goes_before(s, neuron, s->heap[parent])) break;
        s->heap[at] = s->heap[parent];
        s->place[s->heap[at]] = at;
        at = parent;
    }
    s->heap[at] = neuron;
    s->place[neuron] = at;
}

static void sift_down(simulation *s, uint32_t at)
{
    uint32_t neuron = s->heap[at], count = s->resident;
    for (uint32_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && goes_before(s, s->heap[child + 1], s->heap[child])) child++;
        if (!goes_before(s, s->heap[child], neuron)) break;
        s->heap[at] = s->heap[child];
        s->place[s->heap[at]] = at;
    }
    s->heap[at] = neuron;
    s->place[neuron] = at;
}

static void min_remove(simulation *s, uint32_t neuron)
{
    uint32_t at = s->place[neuron], last = s->heap[--s->resident];
    s->place[neuron] = NONE;
    if (at == s->resident) return;
    s->heap[at] = last;
    s->place[last] = at;
    sift_up(s, at);
    sift_down(s, s->place[last]);
}

/* ---- LRU: a doubly linked list, the newest next to the anchor's `older` ---- */

static void lru_unlink(simulation *s, uint32_t neuron)
{
    s->older[s->newer[neuron]] = s->older[neuron];
    s->newer[s->older[neuron]] = s->newer[neuron];
}

static void lru_push(simulation *s, uint32_t neuron)
{
    uint32_t anchor = s->network->a.neurons;
    s->newer[neuron] = anchor;
    s->older[neuron] = s->older[anchor];
    s->newer[s->older[anchor]] = neuron;
    s->older[anchor] = neuron;
}

/* ---- RR: slots, free ones in a bit set, and the walking pointer ---- */

static uint32_t rr_take_lowest(simulation *s)
{
    while (s->free_slots[s->first_free_word] == 0) s->first_free_word++;
    uint64_t *word = &s->free_slots[s->first_free_word];
    uint32_t bit = (uint32_t)__builtin_ctzll(*word);
    *word &= *word - 1;
    return s->first_free_word * 64 + bit;
}

static void rr_release(simulation *s, uint32_t slot)
{
    s->owner[slot] = NONE;
    s->free_slots[slot / 64] |= UINT64_C(1) << slot % 64;
    if (slot / 64 < s->first_free_word) s->first_free_word = slot / 64;
}

/* ---- the steps common to all policies; `policy` is a constant at every call ---- */

static inline uint32_t choose_victim(simulation *s, ioa_policy policy, uint32_t u, uint32_t v)
{
    switch (policy) {
    case IOA_POLICY_MIN: return s->heap[0]; /* u and v are needed now, so they are never the farthest */
    case IOA_POLICY_LRU: {
        uint32_t victim = s->newer[s->network->a.neurons];
        while (victim == u || victim == v) victim = s->newer[victim];
        return victim;
    }
    default:
        while (s->owner[s->pointer] == u || s->owner[s->pointer] == v) s->pointer = (s->pointer + 1) % s->capacity;
        return s->owner[s->pointer];
    }
}

static inline void drop(simulation *s, ioa_policy policy, uint32_t neuron)
{
    if (policy == IOA_POLICY_MIN) {
        min_remove(s, neuron);
        return;
    }
    if (policy == IOA_POLICY_LRU) lru_unlink(s, neuron);
    else rr_release(s, s->place[neuron]);
    s->place[neuron] = NONE;
    s->resident--;
}

static inline void load(simulation *s, ioa_policy policy, uint32_t neuron, uint32_t now, uint32_t u, uint32_t v)
{
    s->io.reads++;
    uint32_t slot = NONE;
    if (s->resident == s->capacity) {
        uint32_t victim = choose_victim(s, policy, u, v);
        if (policy == IOA_POLICY_RR) slot = s->place[victim];
        drop(s, policy, victim);
        s->io.writes += s->dirty[victim];
        s->dirty[victim] = false;
    }
    s->dirty[neuron] = s->undelivered[neuron];
    s->undelivered[neuron] = false;
    if (policy == IOA_POLICY_MIN) {
        s->farthest[neuron] = now;
        s->heap[s->resident] = neuron;
        sift_up(s, s->resident++);
        return;
    }
    if (policy == IOA_POLICY_LRU) {
        lru_push(s, neuron);
        s->place[neuron] = 0;
    } else {
        uint32_t lowest = rr_take_lowest(s); /* the victim's slot is the only free one, if there was a victim */
        if (slot != NONE) s->pointer = (slot + 1) % s->capacity;
        s->owner[lowest] = neuron;
        s->place[neuron] = lowest;
    }
    s->resident++;
}

static inline void finish(simulation *s, ioa_policy policy, uint32_t neuron, uint32_t next)
{
    if (--s->uses[neuron] == 0) {
        drop(s, policy, neuron);
        s->io.writes += s->dirty[neuron] && s->network->is_output[neuron];
        s->dirty[neuron] = false;
        return;
    }
    if (policy == IOA_POLICY_MIN) {
        s->farthest[neuron] = next;
        sift_up(s, s->place[neuron]);
    } else if (policy == IOA_POLICY_LRU) {
        lru_unlink(s, neuron);
        lru_push(s, neuron);
    }
}

/* Steps from .. to - 1; MIN: next accesses are known from step `known` on. */
static inline void walk(simulation *s, const uint32_t *order, uint64_t from, uint64_t to, uint64_t known, ioa_policy policy)
{
    const uint32_t *sources = s->network->a.indices;
    for (uint64_t t = from; t < to; t++) {
        uint32_t u = sources[order[t]], v = s->destinations[order[t]];
        s->io.reads++; /* the weight */
        if (s->place[u] == NONE) load(s, policy, u, (uint32_t)t, u, v);
        if (s->place[v] == NONE) load(s, policy, v, (uint32_t)t, u, v);
        s->dirty[v] = true;
        bool min = policy == IOA_POLICY_MIN;
        finish(s, policy, u, min ? s->next_source[t - known] : 0);
        finish(s, policy, v, min ? s->next_destination[t - known] : 0);
    }
}

/* ---- MIN: next accesses, found backwards, one stretch of the order at a time. A first pass keeps the first access
 * after the end of each stretch; that is all it takes to go back over a stretch when its turn comes. ---- */

static inline uint64_t stretch_end(const simulation *s, uint32_t stretch)
{
    uint64_t end = (stretch + UINT64_C(1)) * s->stretch;
    return end < s->network->connections ? end : s->network->connections;
}

static void look_ahead(simulation *s, const uint32_t *order)
{
    const uint32_t *sources = s->network->a.indices;
    uint64_t n = s->network->a.neurons;
    memset(s->nearest, 0xff, n * sizeof *s->nearest);
    for (uint32_t i = s->stretches; i-- > 1;) {
        for (uint64_t t = stretch_end(s, i); t-- > i * s->stretch;)
            s->nearest[sources[order[t]]] = s->nearest[s->destinations[order[t]]] = (uint32_t)t;
        memcpy(s->ahead + (i - 1) * n, s->nearest, n * sizeof *s->nearest);
    }
}

static void find_next(simulation *s, const uint32_t *order, uint32_t stretch)
{
    const uint32_t *sources = s->network->a.indices;
    uint64_t n = s->network->a.neurons, from = stretch * s->stretch;
    if (stretch + 1 < s->stretches) memcpy(s->nearest, s->ahead + stretch * n, n * sizeof *s->nearest);
    else memset(s->nearest, 0xff, n * sizeof *s->nearest);
    for (uint64_t t = stretch_end(s, stretch); t-- > from;) {
        uint32_t u = sources[order[t]], v = s->destinations[order[t]];
        s->next_source[t - from] = s->nearest[u];
        s->next_destination[t - from] = s->nearest[v];
        s->nearest[u] = s->nearest[v] = (uint32_t)t;
    }
}

/* Steps must be walked one after the other: a stretch is looked up when its first step is reached. */
static void walk_min(simulation *s, const uint32_t *order, uint64_t from, uint64_t to)
{
    while (from < to) {
        uint32_t stretch = (uint32_t)(from / s->stretch);
        uint64_t known = stretch * s->stretch, end = stretch_end(s, stretch);
        if (from == known) find_next(s, order, stretch);
        if (end > to) end = to;
        walk(s, order, from, end, known, IOA_POLICY_MIN);
        from = end;
    }
}

/* With k stretches 8 W / k bytes of next accesses and 4 N (k - 1) of looking ahead: least at k = sqrt(2 W / N). While
 * all of it is small, one stretch saves a pass. */
static void choose_stretches(simulation *s, uint64_t k)
{
    uint64_t n = s->network->a.neurons, w = s->network->connections;
    bool free = k == 0;
    if (free) k = 1;
    while (free && w > ONE_STRETCH && k < MOST_STRETCHES && (k + 1) * (k + 1) * n <= 2 * w) k++;
    s->stretch = w / k + 1;
    s->stretches = w ? (uint32_t)((w - 1) / s->stretch + 1) : 1;
}

static bool prepare(simulation *s, uint64_t memory, uint32_t stretches)
{
    uint64_t n = s->network->a.neurons;
    s->capacity = memory - 1 < n ? (uint32_t)(memory - 1) : (uint32_t)n;
    if (s->capacity < 2) s->capacity = 2;
    s->destinations = ioa_network_borrow_destinations(s->network, &s->own_destinations);
    s->degree = ioa_alloc_zero(n, sizeof(uint32_t));
    s->uses = ioa_alloc(n, sizeof(uint32_t));
    s->dirty = ioa_alloc_zero(n, sizeof(bool));
    s->undelivered = ioa_alloc(n, sizeof(bool));
    s->place = ioa_alloc(n, sizeof(uint32_t));
    bool complete = s->destinations && s->degree && s->uses && s->dirty && s->undelivered && s->place;
    if (s->policy == IOA_POLICY_MIN) {
        choose_stretches(s, stretches);
        s->next_source = ioa_alloc(s->stretch, sizeof(uint32_t));
        s->next_destination = ioa_alloc(s->stretch, sizeof(uint32_t));
        s->ahead = ioa_alloc((s->stretches - 1) * n, sizeof(uint32_t));
        s->nearest = ioa_alloc(n, sizeof(uint32_t));
        s->farthest = ioa_alloc(n, sizeof(uint32_t));
        s->heap = ioa_alloc(s->capacity, sizeof(uint32_t));
        return complete && s->next_source && s->next_destination && s->ahead && s->nearest && s->farthest && s->heap;
    }
    if (s->policy == IOA_POLICY_LRU) {
        s->newer = ioa_alloc(n + 1, sizeof(uint32_t));
        s->older = ioa_alloc(n + 1, sizeof(uint32_t));
        return complete && s->newer && s->older;
    }
    s->owner = ioa_alloc(s->capacity, sizeof(uint32_t));
    s->free_slots = ioa_alloc((uint64_t)s->capacity / 64 + 1, sizeof(uint64_t));
    return complete && s->owner && s->free_slots;
}

void ioa_simulator_destroy(ioa_simulator *s)
{
    if (!s) return;
    void *const arrays[] = {s->own_destinations, s->degree, s->uses, s->dirty, s->undelivered, s->place, s->next_source,
                            s->next_destination, s->ahead, s->nearest, s->farthest, s->heap, s->newer, s->older, s->owner, s->free_slots};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) ioa_free(arrays[i]);
    ioa_free(s);
}

ioa_status ioa_simulator_create(const ioa_network *network, uint64_t memory, ioa_policy policy,
                                ioa_simulator **simulator, ioa_error *error)
{
    return ioa_simulator_create_stretched(network, memory, policy, 0, simulator, error);
}

ioa_status ioa_simulator_create_stretched(const ioa_network *network, uint64_t memory, ioa_policy policy,
                                          uint32_t stretches, ioa_simulator **simulator, ioa_error *error)
{
    if (memory < IOA_MEMORY_MIN)
        return ioa_fail(error, IOA_ERR_INPUT, "a fast memory of %llu slots is too small: at least 3 are needed",
                        (unsigned long long)memory);
    simulation *s = ioa_alloc_zero(1, sizeof *s);
    if (s) {
        s->network = network;
        s->policy = policy;
    }
    if (!s || !prepare(s, memory, stretches)) {
        ioa_simulator_destroy(s);
        return ioa_fail_nomem(error, "the fast-memory simulator", network->connections, 3 * sizeof(uint32_t));
    }
    for (uint64_t e = 0; e < network->connections; e++) {
        s->degree[network->a.indices[e]]++;
        s->degree[s->destinations[e]]++;
    }
    *simulator = s;
    return IOA_OK;
}

/* Back to an empty fast memory. */
static void start(simulation *s, const uint32_t *order)
{
    uint64_t n = s->network->a.neurons;
    const int64_t *indptr = s->network->a.indptr;
    memcpy(s->uses, s->degree, n * sizeof *s->uses);
    for (uint64_t v = 0; v < n; v++)
        s->undelivered[v] = s->network->is_output[v] && indptr[v + 1] == indptr[v] && s->degree[v] > 0;
    memset(s->place, 0xff, n * sizeof *s->place); /* nobody is resident, so nobody is dirty either */
    s->resident = 0;
    if (s->policy == IOA_POLICY_MIN) look_ahead(s, order);
    if (s->policy == IOA_POLICY_LRU) s->newer[n] = s->older[n] = (uint32_t)n;
    if (s->policy == IOA_POLICY_RR) {
        memset(s->owner, 0xff, s->capacity * sizeof *s->owner);
        memset(s->free_slots, 0, ((size_t)s->capacity / 64 + 1) * sizeof *s->free_slots);
        for (uint32_t slot = 0; slot < s->capacity; slot++) s->free_slots[slot / 64] |= UINT64_C(1) << slot % 64;
        s->first_free_word = s->pointer = 0;
    }
    /* Outputs without any connection are read and written once each. */
    s->io.reads = s->io.writes = s->network->bounds.lone_outputs;
}

static void walk_steps(simulation *s, const uint32_t *order, uint64_t from, uint64_t to)
{
    switch (s->policy) {
    case IOA_POLICY_MIN: walk_min(s, order, from, to); break;
    case IOA_POLICY_LRU: walk(s, order, from, to, 0, IOA_POLICY_LRU); break;
    default: walk(s, order, from, to, 0, IOA_POLICY_RR); break;
    }
}

ioa_io ioa_simulator_count(ioa_simulator *s, const uint32_t *order)
{
    start(s, order);
    walk_steps(s, order, 0, s->network->connections);
    return s->io;
}

void ioa_simulator_profile(ioa_simulator *s, const uint32_t *order, uint32_t stretches, ioa_io *io)
{
    start(s, order);
    uint64_t w = s->network->connections;
    for (uint32_t i = 0; i < stretches; i++) {
        ioa_io before = s->io;
        walk_steps(s, order, w * i / stretches, w * (i + 1) / stretches);
        io[i] = (ioa_io){s->io.reads - before.reads, s->io.writes - before.writes};
    }
}

ioa_status ioa_memory_count(const ioa_network *network, const uint32_t *order, uint64_t memory, ioa_policy policy,
                            ioa_io *io, ioa_error *error)
{
    ioa_simulator *simulator;
    ioa_status status = ioa_simulator_create(network, memory, policy, &simulator, error);
    if (status != IOA_OK) return status;
    *io = ioa_simulator_count(simulator, order);
    ioa_simulator_destroy(simulator);
    return IOA_OK;
}
