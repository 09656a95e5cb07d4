/* The generator: a simulation of the register file under MIN that writes an instruction for every transfer. */
#include "core/compile/compile_program.h"

#include "core/base/mem.h"
#include "core/model/network.h"

#include <string.h>

#define NONE UINT32_MAX

typedef struct resident {
    uint32_t neuron; /* NONE: the register is free */
    uint32_t next;   /* step of its next access */
    uint64_t freed;  /* where free: a larger number was freed later */
    bool dirty;
} resident;

typedef struct generator {
    const ioa_network *network;
    const ioa_plan_steps *steps;
    ioa_program *out;
    uint32_t count; /* registers in use */
    uint64_t drops; /* so far */
    resident registers[IOA_MOST_REGISTERS];
    uint32_t *next_source, *next_sum; /* [steps] next access after step t of its source and its destination, or NONE */
    uint32_t *where;                  /* [N] register, or NONE */
    uint32_t *slot;                   /* [N] place in slow memory, or NONE */
    uint32_t *freed;                  /* [N] stack of slots */
    uint32_t depth;
    uint32_t *missing;   /* [N] incoming connections to come */
    uint32_t *waiting;   /* [N] neurons whose activation is to come, a list */
    uint32_t waits;
    bool *started;       /* [N] was loaded before */
    bool *waits_for;     /* [N] is in the list */
    bool *connected;     /* [N] has a connection among the steps */
    bool failed;         /* memory is out */
} generator;

static bool in_registers(unsigned activation)
{
    return activation == IOA_ACT_IDENTITY || activation == IOA_ACT_RELU || activation == IOA_ACT_SQUARE ||
           activation == IOA_ACT_ABS || activation == IOA_ACT_NEGATE;
}

static void append(generator *g, ioa_instruction instruction)
{
    ioa_program *p = g->out;
    if (p->count == p->room) {
        uint64_t room = p->room * 2 + 1024;
        ioa_instruction *grown = ioa_alloc_larger(p->code, p->count, room, sizeof *grown);
        if (!grown) {
            g->failed = true;
            return;
        }
        p->code = grown;
        p->room = room;
    }
    p->code[p->count++] = instruction;
}

static void append_slot(generator *g, ioa_op op, uint32_t reg, uint32_t slot)
{
    append(g, (ioa_instruction){.op = (uint8_t)op, .a = (uint8_t)reg, .slot = slot});
}

static void append_value(generator *g, ioa_op op, uint32_t a, uint32_t b, float value)
{
    append(g, (ioa_instruction){.op = (uint8_t)op, .a = (uint8_t)a, .b = (uint8_t)b, .value = value});
}

/* A slot of a value's own. Inputs are written before the code starts, so they never take a freed one. */
static uint32_t slot_of(generator *g, uint32_t v)
{
    if (g->slot[v] == NONE)
        g->slot[v] = g->depth && !g->network->is_input[v] ? g->freed[--g->depth] : g->out->slots++;
    return g->slot[v];
}

static void store_value(generator *g, uint32_t reg)
{
    resident *r = &g->registers[reg];
    append_slot(g, IOA_OP_STORE, reg, slot_of(g, r->neuron));
    g->out->writes++;
    r->dirty = false;
}

static void drop(generator *g, uint32_t reg)
{
    g->where[g->registers[reg].neuron] = NONE;
    g->registers[reg].neuron = NONE;
    g->registers[reg].freed = ++g->drops;
}

/* MIN: the farthest next access goes; of equals the clean one, then the lower id. */
static bool goes_before(const resident *a, const resident *b)
{
    if (a->next != b->next) return a->next > b->next;
    if (a->dirty != b->dirty) return b->dirty;
    return a->neuron < b->neuron;
}

/* Of free registers the one that was freed first: one sum after the other then goes through different registers, which
 * leaves it to the schedule to mix them. */
static uint32_t take_register(generator *g, uint32_t u, uint32_t v)
{
    uint32_t victim = NONE, free = NONE;
    for (uint32_t i = 0; i < g->count; i++) {
        const resident *r = &g->registers[i];
        if (r->neuron == NONE && (free == NONE || r->freed < g->registers[free].freed)) free = i;
        if (r->neuron == NONE) continue;
        if (r->neuron != u && r->neuron != v && (victim == NONE || goes_before(r, &g->registers[victim]))) victim = i;
    }
    if (free != NONE) return free;
    if (g->registers[victim].dirty) store_value(g, victim);
    drop(g, victim);
    return victim;
}

/* Makes `neuron` (one of u and v) resident; returns its register. */
static uint32_t fetch(generator *g, uint32_t neuron, uint32_t u, uint32_t v)
{
    const ioa_network *n = g->network;
    if (g->where[neuron] != NONE) return g->where[neuron];
    uint32_t reg = take_register(g, u, v);
    bool first = !g->started[neuron], constant = g->steps->constant[neuron];
    if (n->is_input[neuron] || (!first && g->slot[neuron] != NONE))
        append_slot(g, IOA_OP_LOAD, reg, slot_of(g, neuron));
    else
        append_value(g, IOA_OP_BROADCAST, reg, 0, constant ? g->steps->value[neuron] : g->steps->bias[neuron]);
    g->registers[reg] = (resident){neuron, 0, 0, first && constant && n->is_output[neuron]};
    g->where[neuron] = reg;
    g->started[neuron] = true;
    g->out->reads++;
    return reg;
}

/* Applies the activations that wait. Registers below IOA_CALL_REGISTERS that hold something are saved meanwhile, in
 * the first slots. */
static void settle(generator *g)
{
    const ioa_network_arrays *a = &g->network->a;
    ioa_program *p = g->out;
    if (!g->waits) return;
    for (uint32_t r = 0; r < IOA_CALL_REGISTERS; r++)
        if (g->registers[r].neuron != NONE) {
            append_slot(g, IOA_OP_STORE, r, r);
            p->extra_writes++;
        }
    for (uint32_t i = 0; i < g->waits; i++) {
        uint32_t v = g->waiting[i];
        append_slot(g, IOA_OP_LOAD, 0, g->slot[v]);
        if (ioa_activation_takes_param(a->activation[v])) {
            append_value(g, IOA_OP_BROADCAST, 1, 0, a->param ? a->param[v] : 0.0f);
            p->extra_reads++;
        }
        append(g, (ioa_instruction){.op = IOA_OP_CALL, .activation = a->activation[v]});
        append_slot(g, IOA_OP_STORE, 0, g->slot[v]);
        p->called[a->activation[v]] = true;
        g->waits_for[v] = false;
    }
    p->calls += g->waits;
    p->extra_reads += g->waits;
    p->extra_writes += g->waits;
    for (uint32_t r = 0; r < IOA_CALL_REGISTERS; r++)
        if (g->registers[r].neuron != NONE) {
            append_slot(g, IOA_OP_LOAD, r, r);
            p->extra_reads++;
        }
    g->waits = 0;
}

/* The sum of v, in `reg`, is complete. */
static void complete(generator *g, uint32_t v, uint32_t reg, bool used)
{
    unsigned activation = g->network->a.activation[v];
    if (activation == IOA_ACT_IDENTITY || (!used && !g->network->is_output[v])) return;
    if (in_registers(activation)) {
        append(g, (ioa_instruction){.op = IOA_OP_ACTIVATE, .a = (uint8_t)reg, .activation = (uint8_t)activation});
        return;
    }
    store_value(g, reg);
    drop(g, reg);
    g->waiting[g->waits++] = v;
    g->waits_for[v] = true;
}

static void release(generator *g, uint32_t neuron)
{
    uint32_t reg = g->where[neuron];
    bool is_output = g->network->is_output[neuron];
    if (reg != NONE) {
        if (is_output && g->registers[reg].dirty) store_value(g, reg);
        drop(g, reg);
    }
    if (!is_output && g->slot[neuron] != NONE) g->freed[g->depth++] = g->slot[neuron];
}

static void step(generator *g, uint64_t t)
{
    uint32_t e = g->steps->edges[t], u = g->network->a.indices[e], v = g->steps->destinations[e];
    if (g->waits_for[u]) settle(g);
    uint32_t source = fetch(g, u, u, v), sum = fetch(g, v, u, v);
    append_value(g, IOA_OP_FMA, sum, source, g->network->a.weights[e]);
    g->out->reads++;
    g->registers[sum].dirty = true;
    g->registers[source].next = g->next_source[t];
    g->registers[sum].next = g->next_sum[t];
    if (--g->missing[v] == 0) complete(g, v, sum, g->next_sum[t] != NONE);
    if (g->next_source[t] == NONE) release(g, u);
    if (g->next_sum[t] == NONE) release(g, v);
}

static void end_segment(generator *g)
{
    for (uint32_t i = 0; i < g->count; i++) {
        if (g->registers[i].neuron == NONE) continue;
        if (g->registers[i].dirty) store_value(g, i);
        drop(g, i);
    }
    settle(g); /* nothing has to be saved now */
    g->out->segment[++g->out->segments] = g->out->count;
}

/* Outputs without any connection: one broadcast and one store each. */
static void deliver_lone_outputs(generator *g)
{
    const ioa_network_arrays *a = &g->network->a;
    for (uint32_t s = 0; s < a->outputs; s++) {
        uint32_t v = a->output_ids[s];
        if (g->connected[v]) continue;
        append_value(g, IOA_OP_BROADCAST, 0, 0, g->steps->value[v]);
        append_slot(g, IOA_OP_STORE, 0, slot_of(g, v));
        g->out->reads++;
        g->out->writes++;
    }
}

/* next_source and next_sum by one walk backwards; marks neurons with a connection. */
static void find_next_accesses(generator *g, uint32_t *last)
{
    const ioa_network *n = g->network;
    memset(last, 0xff, n->a.neurons * sizeof *last);
    for (uint64_t t = g->steps->count; t-- > 0;) {
        uint32_t e = g->steps->edges[t], u = n->a.indices[e], v = g->steps->destinations[e];
        g->next_source[t] = last[u];
        g->next_sum[t] = last[v];
        last[u] = last[v] = (uint32_t)t;
        g->connected[u] = g->connected[v] = true;
    }
}

/* What a cut after the present step would cost: a reload for every resident value, a store for every dirty one. */
static uint8_t cut_cost(const generator *g)
{
    uint32_t cost = 0;
    for (uint32_t i = 0; i < g->count; i++)
        if (g->registers[i].neuron != NONE) cost += 1 + g->registers[i].dirty;
    return (uint8_t)cost;
}

/* One pass over the steps. `cut`, or NULL: steps after which a segment ends; `cost`, or NULL: [steps] filled. */
static void generate(generator *g, const bool *cut, uint8_t *cost)
{
    const ioa_network *n = g->network;
    memset(g->where, 0xff, n->a.neurons * sizeof *g->where);
    memset(g->slot, 0xff, n->a.neurons * sizeof *g->slot);
    memset(g->started, 0, n->a.neurons * sizeof *g->started);
    memcpy(g->missing, g->steps->incoming, n->a.neurons * sizeof *g->missing);
    for (uint32_t i = 0; i < IOA_MOST_REGISTERS; i++) g->registers[i] = (resident){.neuron = NONE};
    g->drops = 0;
    g->depth = 0;
    g->out->slots = 0;
    for (uint32_t v = 0; v < n->a.neurons; v++)
        if (!in_registers(n->a.activation[v])) g->out->slots = IOA_CALL_REGISTERS;
    for (uint64_t t = 0; t < g->steps->count; t++) {
        step(g, t);
        if (cost) cost[t] = cut_cost(g);
        if (cut && cut[t]) end_segment(g);
    }
    deliver_lone_outputs(g);
    end_segment(g);
}

static void restart(ioa_program *p)
{
    p->count = p->segments = p->reads = p->writes = p->extra_reads = p->extra_writes = p->calls = 0;
}

/* The cheapest cut between 3/4 and 5/4 of the wanted length, one after the other. */
static void choose_cuts(const uint8_t *cost, uint64_t steps, uint64_t length, bool *cut)
{
    uint64_t from = 0;
    while (steps - from > length + length / 4) {
        uint64_t best = from + length - 1;
        for (uint64_t t = from + length - length / 4; t < from + length + length / 4; t++)
            if (cost[t] < cost[best]) best = t;
        cut[best] = true;
        from = best + 1;
    }
}

static bool allocate(generator *g, uint64_t segment)
{
    uint64_t w = g->steps->count, neurons = g->network->a.neurons;
    ioa_program *p = g->out;
    g->next_source = ioa_alloc(w, sizeof *g->next_source);
    g->next_sum = ioa_alloc(w, sizeof *g->next_sum);
    g->where = ioa_alloc(neurons, sizeof *g->where);
    g->slot = ioa_alloc(neurons, sizeof *g->slot);
    g->freed = ioa_alloc(neurons, sizeof *g->freed);
    g->missing = ioa_alloc(neurons, sizeof *g->missing);
    g->waiting = ioa_alloc(neurons, sizeof *g->waiting);
    g->started = ioa_alloc(neurons, sizeof *g->started);
    g->waits_for = ioa_alloc_zero(neurons, sizeof *g->waits_for);
    g->connected = ioa_alloc_zero(neurons, sizeof *g->connected);
    p->segment = ioa_alloc_zero(segment ? w / (segment - segment / 4) + 3 : 2, sizeof *p->segment);
    p->input_slots = ioa_alloc(g->network->a.inputs, sizeof *p->input_slots);
    p->output_slots = ioa_alloc(g->network->a.outputs, sizeof *p->output_slots);
    return g->next_source && g->next_sum && g->where && g->slot && g->freed && g->missing && g->waiting &&
           g->started && g->waits_for && g->connected && p->segment && p->input_slots && p->output_slots;
}

static void clear_generator(generator *g)
{
    ioa_free(g->next_source);
    ioa_free(g->next_sum);
    ioa_free(g->where);
    ioa_free(g->slot);
    ioa_free(g->freed);
    ioa_free(g->missing);
    ioa_free(g->waiting);
    ioa_free(g->started);
    ioa_free(g->waits_for);
    ioa_free(g->connected);
}

ioa_status ioa_program_make(const ioa_network *network, const ioa_plan_steps *steps, uint32_t registers,
                            uint64_t segment, ioa_program *program, ioa_error *error)
{
    const ioa_network_arrays *a = &network->a;
    generator g = {.network = network, .steps = steps, .out = program, .count = registers};
    bool *cut = NULL;
    uint8_t *cost = NULL;
    memset(program, 0, sizeof *program);
    bool good = allocate(&g, segment);
    if (good) find_next_accesses(&g, g.waiting);
    if (good && segment && steps->count > segment) {
        cut = ioa_alloc_zero(steps->count, sizeof *cut);
        cost = ioa_alloc(steps->count, sizeof *cost);
        good = cut && cost;
        if (good) {
            generate(&g, NULL, cost);
            choose_cuts(cost, steps->count, segment, cut);
            restart(program);
        }
    }
    if (good) {
        generate(&g, cut, NULL);
        for (uint32_t i = 0; i < a->inputs; i++) program->input_slots[i] = g.slot[a->input_ids[i]];
        for (uint32_t s = 0; s < a->outputs; s++) program->output_slots[s] = g.slot[a->output_ids[s]];
    }
    ioa_free(cut);
    ioa_free(cost);
    clear_generator(&g);
    if (good && !g.failed) return IOA_OK;
    ioa_program_clear(program);
    return ioa_fail_nomem(error, "compiling a schedule", steps->count, 2 * sizeof *g.next_source);
}

void ioa_program_clear(ioa_program *program)
{
    ioa_free(program->code);
    ioa_free(program->segment);
    ioa_free(program->input_slots);
    ioa_free(program->output_slots);
    memset(program, 0, sizeof *program);
}
