#include "tests/support/optimal.h"

#include "core/base/mem.h"
#include "core/model/network.h"

#include <string.h>

/* A state in 64 bits: connections done | neurons resident | residents dirty. */
#define SHIFT_RESIDENT IOA_TEST_OPTIMAL_CONNECTIONS
#define SHIFT_DIRTY (SHIFT_RESIDENT + IOA_TEST_OPTIMAL_NEURONS)

typedef struct search {
    uint32_t connections, neurons;
    uint32_t source[IOA_TEST_OPTIMAL_CONNECTIONS], destination[IOA_TEST_OPTIMAL_CONNECTIONS]; /* renumbered */
    uint32_t incoming[IOA_TEST_OPTIMAL_NEURONS], touching[IOA_TEST_OPTIMAL_NEURONS]; /* sets of connections */
    bool output[IOA_TEST_OPTIMAL_NEURONS];
    int slots; /* C */
    uint64_t *keys; /* open addressing; 0 is free, so keys are stored + 1 */
    uint16_t *cost; /* best known excess */
    uint64_t room, met, limit;
} search;

typedef struct queue {
    uint64_t *states[64]; /* by cost modulo 64: one step costs less */
    uint64_t count[64], capacity[64];
} queue;

static bool push(queue *q, uint64_t cost, uint64_t state)
{
    uint64_t slot = cost % 64;
    if (q->count[slot] == q->capacity[slot]) {
        uint64_t wanted = q->capacity[slot] ? 2 * q->capacity[slot] : 256;
        uint64_t *grown = ioa_alloc(wanted, sizeof *grown);
        if (!grown) return false;
        if (q->count[slot]) memcpy(grown, q->states[slot], q->count[slot] * sizeof *grown);
        ioa_free(q->states[slot]);
        q->states[slot] = grown;
        q->capacity[slot] = wanted;
    }
    q->states[slot][q->count[slot]++] = state;
    return true;
}

static uint64_t find(const search *s, uint64_t state)
{
    uint64_t at = (state + 1) * UINT64_C(0x9e3779b97f4a7c15) >> 20;
    for (at %= s->room; s->keys[at] && s->keys[at] != state + 1;) at = at + 1 == s->room ? 0 : at + 1;
    return at;
}

static bool offer(search *s, queue *q, uint64_t state, uint64_t cost)
{
    uint64_t at = find(s, state);
    if (s->keys[at] && s->cost[at] <= cost) return true;
    if (!s->keys[at]) {
        if (s->met == s->limit) return false;
        s->met++;
        s->keys[at] = state + 1;
    }
    s->cost[at] = (uint16_t)cost;
    return push(q, cost, state);
}

static bool complete(const search *s, uint32_t done, uint32_t neuron)
{
    return (s->incoming[neuron] & ~done) == 0;
}

/* Cost above LB of writing a dirty neuron back when it is evicted: a complete output's write is compulsory. */
static uint64_t write_cost(const search *s, uint32_t done, uint32_t neuron)
{
    return s->output[neuron] && complete(s, done, neuron) ? 0 : 1;
}

/* Connection e with exactly the residents of `resident` beside u and v; releases what has no later access. */
static bool take_step(search *s, queue *q, uint32_t e, uint32_t done, uint32_t resident, uint32_t dirty, uint64_t cost)
{
    uint32_t pair[2] = {s->source[e], s->destination[e]};
    uint32_t constant = 1u << pair[0] & ~resident && s->incoming[pair[0]] == 0 && s->output[pair[0]] &&
                        (s->touching[pair[0]] & done) == 0;
    if (constant) dirty |= 1u << pair[0]; /* its value is delivered after its first load */
    for (int i = 0; i < 2; i++) {
        if (!(resident >> pair[i] & 1) && (s->touching[pair[i]] & done)) cost++; /* a second load */
        resident |= 1u << pair[i];
    }
    done |= 1u << e;
    dirty |= 1u << pair[1];
    for (int i = 0; i < 2; i++)
        if ((s->touching[pair[i]] & ~done) == 0) {
            resident &= ~(1u << pair[i]);
            dirty &= ~(1u << pair[i]);
        }
    return offer(s, q, done | (uint64_t)resident << SHIFT_RESIDENT | (uint64_t)dirty << SHIFT_DIRTY, cost);
}

static bool expand(search *s, queue *q, uint64_t state, uint64_t cost)
{
    uint32_t done = (uint32_t)(state & ((1u << SHIFT_RESIDENT) - 1));
    uint32_t resident = (uint32_t)(state >> SHIFT_RESIDENT & ((1u << IOA_TEST_OPTIMAL_NEURONS) - 1));
    uint32_t dirty = (uint32_t)(state >> SHIFT_DIRTY);
    for (uint32_t e = 0; e < s->connections; e++) {
        if (done >> e & 1 || !complete(s, done, s->source[e])) continue;
        uint32_t pair = 1u << s->source[e] | 1u << s->destination[e];
        int excessive = __builtin_popcount(resident | pair) - s->slots;
        if (excessive <= 0) {
            if (!take_step(s, q, e, done, resident, dirty, cost)) return false;
            continue;
        }
        for (uint32_t a = 0; a < s->neurons; a++) {
            if (!(resident & ~pair & 1u << a)) continue;
            uint64_t with_a = cost + (dirty >> a & 1 ? write_cost(s, done, a) : 0);
            uint32_t left = ~(1u << a);
            if (excessive == 1) {
                if (!take_step(s, q, e, done, resident & left, dirty & left, with_a)) return false;
                continue;
            }
            for (uint32_t b = a + 1; b < s->neurons; b++) {
                if (!(resident & ~pair & 1u << b)) continue;
                uint64_t with_b = with_a + (dirty >> b & 1 ? write_cost(s, done, b) : 0);
                uint32_t rest = left & ~(1u << b);
                if (!take_step(s, q, e, done, resident & rest, dirty & rest, with_b)) return false;
            }
        }
    }
    return true;
}

static bool describe(search *s, const ioa_network *network)
{
    const ioa_network_arrays *a = &network->a;
    uint32_t *number = ioa_alloc(a->neurons, sizeof *number);
    if (!number || network->connections > IOA_TEST_OPTIMAL_CONNECTIONS) {
        ioa_free(number);
        return false;
    }
    memset(number, 0xff, a->neurons * sizeof *number);
    bool fits = true;
    for (uint32_t v = 0; v < a->neurons; v++)
        for (int64_t e = a->indptr[v]; e < a->indptr[v + 1]; e++) {
            uint32_t pair[2] = {a->indices[e], v};
            for (int i = 0; i < 2 && fits; i++) {
                if (number[pair[i]] == UINT32_MAX) {
                    fits = s->neurons < IOA_TEST_OPTIMAL_NEURONS;
                    if (!fits) break;
                    s->output[s->neurons] = network->is_output[pair[i]];
                    number[pair[i]] = s->neurons++;
                }
                s->touching[number[pair[i]]] |= 1u << e;
            }
            if (!fits) break;
            s->source[e] = number[a->indices[e]];
            s->destination[e] = number[v];
            s->incoming[number[v]] |= 1u << e;
        }
    s->connections = (uint32_t)network->connections;
    ioa_free(number);
    return fits;
}

bool ioa_test_optimal_excess(const ioa_network *network, uint64_t memory, uint64_t max_states, uint64_t *excess)
{
    search s = {.limit = max_states ? max_states : 4000000};
    queue q = {0};
    bool found = false;
    if (memory < 3 || !describe(&s, network)) return false;
    s.slots = memory - 1 < s.neurons ? (int)(memory - 1) : (int)s.neurons;
    if (s.slots < 2) s.slots = 2;
    s.room = s.limit * 2 + 1;
    s.keys = ioa_alloc_zero(s.room, sizeof *s.keys);
    s.cost = ioa_alloc(s.room, sizeof *s.cost);
    uint64_t goal = (UINT64_C(1) << s.connections) - 1;
    bool going = s.keys && s.cost && offer(&s, &q, 0, 0);
    for (uint64_t cost = 0, idle = 0; going && !found && idle < 64; cost++) {
        uint64_t slot = cost % 64;
        idle++;
        while (going && !found && q.count[slot]) {
            uint64_t state = q.states[slot][--q.count[slot]];
            idle = 0;
            if (s.cost[find(&s, state)] != cost) continue; /* reached more cheaply since */
            if (state == goal) {
                *excess = cost;
                found = true;
            } else
                going = expand(&s, &q, state, cost);
        }
    }
    for (int i = 0; i < 64; i++) ioa_free(q.states[i]);
    ioa_free(s.keys);
    ioa_free(s.cost);
    return found;
}
