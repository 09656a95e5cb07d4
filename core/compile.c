/* The generator: a simulation of the register file under MIN that writes an instruction for every transfer. */
#include "core/compile.h"

#include "core/compile_x86.h"
#include "core/kernel.h"
#include "core/mem.h"
#include "core/network.h"
#include "core/plan_steps.h"

#include <string.h>

#if IOA_HAVE_X86_KERNELS && defined(__linux__)
#include <sys/mman.h>
#define CAN_RUN 1
#else
#define CAN_RUN 0
#endif

#define REGISTERS (IOA_CODE_MEMORY - 1) /* neurons in fast memory */
#define ZERO_REGISTER 31                /* the weight's slot: free, since weights are memory operands */
#define NONE UINT32_MAX
#define ROW 64       /* bytes of a value */
#define NEAR 128     /* slots either side of the base that take a one-byte displacement */
#define LINE 64        /* bytes of a cache line */
#define CODE_AHEAD 16384 /* bytes; less helped less */
#define STREAM_AHEAD 4096
#define SAVED_ROWS 32 /* in front of the slots: registers during a call */

typedef void segment_function(float *values, const float *stream);

struct ioa_code {
    const ioa_kernel *kernel;
    uint32_t inputs, outputs, slots, group;
    uint32_t *input_offsets, *output_offsets; /* in 8-byte units from the first slot */
    uint32_t neurons;
    uint8_t *activation; /* [N] for calls */
    float *param;        /* [N] */
    float *stream;
    uint64_t segments;
    uint64_t *entry;       /* [segments] offset of the code */
    uint64_t *stream_from; /* [segments] index into the stream */
    unsigned char *text;   /* executable */
    size_t text_bytes;
    ioa_code_facts facts;
};

int ioa_code_available(void)
{
    return CAN_RUN && ioa_isa_available(IOA_ISA_AVX512);
}

/* ---- generation ---- */

typedef struct resident {
    uint32_t neuron; /* NONE: the register is free */
    uint32_t next;   /* step of its next access */
    bool dirty;
} resident;

typedef struct generator {
    const ioa_network *network;
    const ioa_plan_steps *steps;
    ioa_code *out;
    ioa_x86 text;
    resident registers[REGISTERS];
    uint32_t *next_source, *next_sum; /* [steps] next access after step t of its source and its destination, or NONE */
    uint32_t *where;                  /* [N] register, or NONE */
    uint32_t *slot;                   /* [N] place in slow memory, or NONE */
    uint32_t *freed;                  /* [N] stack of slots */
    uint32_t depth;
    uint32_t *missing;   /* [N] incoming connections to come */
    bool *started;       /* [N] was loaded before */
    uint64_t used;       /* values written to the stream */
    uint64_t stream_base; /* stream index the stream register points at */
    bool ahead;                  /* prefetch code and stream */
    size_t text_fetched;         /* length of the code at the last prefetch */
    uint64_t stream_fetched;     /* values in the stream at the last prefetch */
    size_t call_routine; /* offset of the routine for activations out of line */
} generator;

static int32_t slot_displacement(uint32_t slot)
{
    return ((int32_t)slot - NEAR) * ROW;
}

/* Puts the next constant into the stream; returns its displacement. The stream register walks along so that
 * displacements stay short. */
static int32_t next_in_stream(generator *g, float value)
{
    if (g->used - g->stream_base >= 128 && g->used > g->stream_base) {
        static const unsigned char add[] = {0x48, 0x81, 0xc5}; /* add rbp, imm32 */
        ioa_x86_bytes(&g->text, add, sizeof add);
        ioa_x86_u32(&g->text, 256 * sizeof(float));
        g->stream_base += 256;
    }
    g->out->stream[g->used] = value;
    return (int32_t)((int64_t)g->used++ - (int64_t)g->stream_base) * (int32_t)sizeof(float);
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
    ioa_x86_store(&g->text, (int)reg, IOA_X86_VALUES, slot_displacement(slot_of(g, r->neuron)));
    g->out->facts.writes++;
    r->dirty = false;
}

static void drop(generator *g, uint32_t reg)
{
    g->where[g->registers[reg].neuron] = NONE;
    g->registers[reg].neuron = NONE;
}

/* MIN: the farthest next access goes; of equals the clean one, then the lower id. */
static bool goes_before(const resident *a, const resident *b)
{
    if (a->next != b->next) return a->next > b->next;
    if (a->dirty != b->dirty) return b->dirty;
    return a->neuron < b->neuron;
}

static uint32_t take_register(generator *g, uint32_t u, uint32_t v)
{
    uint32_t victim = NONE;
    for (uint32_t i = 0; i < REGISTERS; i++) {
        const resident *r = &g->registers[i];
        if (r->neuron == NONE) return i;
        if (r->neuron != u && r->neuron != v && (victim == NONE || goes_before(r, &g->registers[victim]))) victim = i;
    }
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
        ioa_x86_load(&g->text, (int)reg, IOA_X86_VALUES, slot_displacement(slot_of(g, neuron)));
    else {
        float value = constant ? g->steps->value[neuron] : g->steps->bias[neuron];
        int32_t displacement = next_in_stream(g, value);
        ioa_x86_broadcast(&g->text, (int)reg, IOA_X86_STREAM, displacement);
    }
    g->registers[reg] = (resident){neuron, 0, first && constant && n->is_output[neuron]};
    g->where[neuron] = reg;
    g->started[neuron] = true;
    g->out->facts.reads++;
    return reg;
}

static void activate(generator *g, uint32_t v, uint32_t reg)
{
    static const unsigned char into_edi = 0xbf, into_esi = 0xbe, call = 0xe8;
    switch (g->network->a.activation[v]) {
    case IOA_ACT_IDENTITY: return;
    case IOA_ACT_RELU: ioa_x86_maximum(&g->text, (int)reg, ZERO_REGISTER); return;
    case IOA_ACT_SQUARE: ioa_x86_square(&g->text, (int)reg); return;
    default: break;
    }
    ioa_x86_bytes(&g->text, &into_edi, 1);
    ioa_x86_u32(&g->text, reg);
    ioa_x86_bytes(&g->text, &into_esi, 1);
    ioa_x86_u32(&g->text, v);
    ioa_x86_bytes(&g->text, &call, 1);
    ioa_x86_u32(&g->text, (uint32_t)(g->call_routine - (g->text.length + 4)));
    g->out->facts.calls++;
}

static void release(generator *g, uint32_t neuron)
{
    uint32_t reg = g->where[neuron];
    if (g->network->is_output[neuron] && g->registers[reg].dirty) store_value(g, reg);
    drop(g, reg);
    if (!g->network->is_output[neuron] && g->slot[neuron] != NONE) g->freed[g->depth++] = g->slot[neuron];
}

/* Asks for the code and the constants that come next, a line of each at a time: fetching instructions alone, the
 * processor waits for every line from beyond L2. */
static void prefetch(generator *g)
{
    static const unsigned char code[] = {0x0f, 0x18, 0x15};   /* prefetcht1 [rip + d] */
    static const unsigned char stream[] = {0x0f, 0x18, 0x8d}; /* prefetcht0 [rbp + d] */
    if (g->text.length >= g->text_fetched + LINE) {
        g->text_fetched = g->text.length;
        ioa_x86_bytes(&g->text, code, sizeof code);
        ioa_x86_u32(&g->text, CODE_AHEAD);
    }
    if (g->used >= g->stream_fetched + LINE / sizeof(float)) {
        g->stream_fetched = g->used;
        ioa_x86_bytes(&g->text, stream, sizeof stream);
        ioa_x86_u32(&g->text, STREAM_AHEAD);
    }
}

static void step(generator *g, uint64_t t)
{
    if (g->ahead) prefetch(g);
    uint32_t e = g->steps->edges[t], u = g->network->a.indices[e], v = g->steps->destinations[e];
    uint32_t source = fetch(g, u, u, v), sum = fetch(g, v, u, v);
    int32_t weight = next_in_stream(g, g->network->a.weights[e]);
    ioa_x86_fma(&g->text, (int)sum, (int)source, IOA_X86_STREAM, weight);
    g->out->facts.reads++;
    g->registers[sum].dirty = true;
    g->registers[source].next = g->next_source[t];
    g->registers[sum].next = g->next_sum[t];
    if (--g->missing[v] == 0) activate(g, v, sum);
    if (g->next_source[t] == NONE) release(g, u);
    if (g->next_sum[t] == NONE) release(g, v);
}

/* Registers and stack on entry: rbx, rbp are ours, the stack is aligned for calls. */
static void begin_segment(generator *g)
{
    static const unsigned char prologue[] = {0x53, 0x55, 0x48, 0x83, 0xec, 0x08, /* push rbx; push rbp; sub rsp, 8 */
                                             0x48, 0x89, 0xfb, 0x48, 0x89, 0xf5}; /* mov rbx, rdi; mov rbp, rsi */
    g->out->entry[g->out->segments] = g->text.length;
    g->out->stream_from[g->out->segments++] = g->used;
    g->stream_base = g->used;
    ioa_x86_bytes(&g->text, prologue, sizeof prologue);
    ioa_x86_zero(&g->text, ZERO_REGISTER);
}

static void end_segment(generator *g)
{
    static const unsigned char epilogue[] = {0x48, 0x83, 0xc4, 0x08, 0x5d, 0x5b, /* add rsp, 8; pop rbp; pop rbx */
                                             0xc5, 0xf8, 0x77, 0xc3};            /* vzeroupper; ret */
    for (uint32_t i = 0; i < REGISTERS; i++) {
        if (g->registers[i].neuron == NONE) continue;
        if (g->registers[i].dirty) store_value(g, i);
        drop(g, i);
    }
    ioa_x86_bytes(&g->text, epilogue, sizeof epilogue);
}

/* Outputs without any connection: one broadcast and one store each. */
static void deliver_lone_outputs(generator *g, const bool *connected)
{
    const ioa_network_arrays *a = &g->network->a;
    for (uint32_t s = 0; s < a->outputs; s++) {
        uint32_t v = a->output_ids[s];
        if (connected[v]) continue;
        g->registers[0] = (resident){v, 0, true};
        g->where[v] = 0;
        int32_t displacement = next_in_stream(g, g->steps->value[v]);
        ioa_x86_broadcast(&g->text, 0, IOA_X86_STREAM, displacement);
        g->out->facts.reads++;
        store_value(g, 0);
        drop(g, 0);
    }
}

/* Called by the routine below: applies the activation of neuron v to its saved register. */
static void call_out(uint32_t reg, uint32_t v, float *saved, const ioa_code *code)
{
    code->kernel->activate(code->activation[v], code->param[v], saved + reg * (ROW / sizeof(float)),
                           ROW / sizeof(float));
}

/* The routine: registers to the rows in front of the slots, call_out(edi, esi, rows, code), and back. */
static void write_call_routine(generator *g)
{
    static const unsigned char align[] = {0x48, 0x83, 0xec, 0x08}, restore[] = {0x48, 0x83, 0xc4, 0x08, 0xc3};
    static const unsigned char rows[] = {0x48, 0x8d, 0x93}, code[] = {0x48, 0xb9}; /* lea rdx,[rbx+..]; mov rcx, */
    static const unsigned char target[] = {0x48, 0xb8}, call[] = {0xff, 0xd0};     /* mov rax, ..; call rax */
    int32_t saved = -(NEAR + SAVED_ROWS) * ROW;
    void (*function)(uint32_t, uint32_t, float *, const ioa_code *) = call_out;
    uint64_t address = 0;
    memcpy(&address, &function, sizeof function);
    g->call_routine = g->text.length;
    for (uint32_t i = 0; i < REGISTERS; i++) ioa_x86_store(&g->text, (int)i, IOA_X86_VALUES, saved + (int32_t)i * ROW);
    ioa_x86_bytes(&g->text, align, sizeof align);
    ioa_x86_bytes(&g->text, rows, sizeof rows);
    ioa_x86_u32(&g->text, (uint32_t)saved);
    ioa_x86_bytes(&g->text, code, sizeof code);
    ioa_x86_u64(&g->text, (uint64_t)(uintptr_t)g->out);
    ioa_x86_bytes(&g->text, target, sizeof target);
    ioa_x86_u64(&g->text, address);
    ioa_x86_bytes(&g->text, call, sizeof call);
    for (uint32_t i = 0; i < REGISTERS; i++) ioa_x86_load(&g->text, (int)i, IOA_X86_VALUES, saved + (int32_t)i * ROW);
    ioa_x86_zero(&g->text, ZERO_REGISTER);
    ioa_x86_bytes(&g->text, restore, sizeof restore);
}

/* next_source and next_sum by one walk backwards; marks neurons with a connection. */
static void find_next_accesses(generator *g, uint32_t *last, bool *connected)
{
    const ioa_network *n = g->network;
    memset(last, 0xff, n->a.neurons * sizeof *last);
    for (uint64_t t = g->steps->count; t-- > 0;) {
        uint32_t e = g->steps->edges[t], u = n->a.indices[e], v = g->steps->destinations[e];
        g->next_source[t] = last[u];
        g->next_sum[t] = last[v];
        last[u] = last[v] = (uint32_t)t;
        connected[u] = connected[v] = true;
    }
}

static void generate(generator *g, uint64_t segment, const bool *connected)
{
    write_call_routine(g);
    begin_segment(g);
    for (uint64_t t = 0; t < g->steps->count; t++) {
        if (t && segment && t % segment == 0) {
            end_segment(g);
            begin_segment(g);
        }
        step(g, t);
    }
    deliver_lone_outputs(g, connected);
    end_segment(g);
    g->out->facts.segments = g->out->segments;
    g->out->facts.code_bytes = g->text.length;
    g->out->facts.stream_bytes = g->used * sizeof(float);
}

static ioa_status install(const ioa_x86 *text, ioa_code *code, ioa_error *error)
{
#if CAN_RUN
    void *pages = mmap(NULL, text->length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) return ioa_fail(error, IOA_ERR_SYSTEM, "the system gives no pages for compiled code");
    code->text = pages;
    code->text_bytes = text->length;
    memcpy(pages, text->bytes, text->length);
    if (mprotect(pages, text->length, PROT_READ | PROT_EXEC) != 0) /* never writable and executable at once */
        return ioa_fail(error, IOA_ERR_SYSTEM, "the system does not let compiled code be executed");
    return IOA_OK;
#else
    (void)text;
    (void)code;
    return ioa_fail(error, IOA_ERR_INPUT, "compiled schedules need AVX-512");
#endif
}

static ioa_status compile(const ioa_network *n, const ioa_plan_steps *steps, const ioa_code_options *options,
                          ioa_code *code, ioa_error *error)
{
    uint64_t w = steps->count, neurons = n->a.neurons;
    ioa_status status = IOA_OK;
    generator g = {.network = n, .steps = steps, .out = code, .ahead = options->ahead};
    uint32_t *last = ioa_alloc(neurons, sizeof *last);
    bool *connected = ioa_alloc_zero(neurons, sizeof *connected);
    g.next_source = ioa_alloc(w, sizeof *g.next_source);
    g.next_sum = ioa_alloc(w, sizeof *g.next_sum);
    g.where = ioa_alloc(neurons, sizeof *g.where);
    g.slot = ioa_alloc(neurons, sizeof *g.slot);
    g.freed = ioa_alloc(neurons, sizeof *g.freed);
    g.missing = ioa_alloc_copy(steps->incoming, neurons, sizeof *g.missing);
    g.started = ioa_alloc_zero(neurons, sizeof *g.started);
    if (!last || !connected || !g.next_source || !g.next_sum || !g.where || !g.slot || !g.freed ||
        !g.missing || !g.started) {
        status = ioa_fail_nomem(error, "compiling a schedule", w, 2 * sizeof *g.next_source);
        goto out;
    }
    for (uint32_t i = 0; i < REGISTERS; i++) g.registers[i].neuron = NONE;
    for (uint64_t v = 0; v < neurons; v++) g.where[v] = g.slot[v] = NONE;
    find_next_accesses(&g, last, connected);
    generate(&g, options->segment, connected);
    for (uint32_t i = 0; i < n->a.inputs; i++)
        code->input_offsets[i] = g.slot[n->a.input_ids[i]] == NONE ? IOA_NO_SLOT : g.slot[n->a.input_ids[i]] * 8;
    for (uint32_t s = 0; s < n->a.outputs; s++) code->output_offsets[s] = g.slot[n->a.output_ids[s]] * 8;
    status = g.text.failed ? ioa_fail_nomem(error, "compiled code", g.text.room * 2, 1) : install(&g.text, code, error);
out:
    ioa_free(last);
    ioa_free(connected);
    ioa_free(g.next_source);
    ioa_free(g.next_sum);
    ioa_free(g.where);
    ioa_free(g.slot);
    ioa_free(g.freed);
    ioa_free(g.missing);
    ioa_free(g.started);
    ioa_free(g.text.bytes);
    return status;
}

/* ---- the public side ---- */

static bool allocate(const ioa_network *n, uint64_t segments, ioa_code *code)
{
    const ioa_network_arrays *a = &n->a;
    code->input_offsets = ioa_alloc(a->inputs, sizeof *code->input_offsets);
    code->output_offsets = ioa_alloc(a->outputs, sizeof *code->output_offsets);
    code->activation = ioa_alloc_copy(a->activation, a->neurons, sizeof *code->activation);
    code->param = a->param ? ioa_alloc_copy(a->param, a->neurons, sizeof *code->param)
                           : ioa_alloc_zero(a->neurons, sizeof *code->param);
    /* a weight per step, and at most one bias or constant per step and operand */
    code->stream = ioa_alloc(3 * n->connections + a->outputs, sizeof *code->stream);
    code->entry = ioa_alloc(segments, sizeof *code->entry);
    code->stream_from = ioa_alloc(segments, sizeof *code->stream_from);
    return code->input_offsets && code->output_offsets && code->activation && code->param && code->stream &&
           code->entry && code->stream_from;
}

ioa_status ioa_code_create(const ioa_network *network, const uint32_t *order, const ioa_code_options *options,
                           ioa_code **code, ioa_error *error)
{
    ioa_code_options o = options ? *options : (ioa_code_options){0};
    if (!ioa_code_available()) return ioa_fail(error, IOA_ERR_INPUT, "compiled schedules need AVX-512");
    if (network->a.neurons > INT32_MAX / ROW - NEAR || network->connections > INT32_MAX / 64)
        return ioa_fail(error, IOA_ERR_INPUT, "the network is too large for compiled code");
    uint64_t segments = o.segment ? network->connections / o.segment + 1 : 1;
    ioa_plan_steps steps;
    ioa_status status = ioa_plan_steps_make(network, order, IOA_LAYOUT_ORDER, o.prune, &steps, error);
    if (status != IOA_OK) return status;
    ioa_code *c = ioa_alloc_zero(1, sizeof *c);
    if (!c) {
        ioa_plan_steps_clear(&steps);
        return ioa_fail_nomem(error, "compiled code", 1, sizeof *c);
    }
    c->kernel = ioa_kernel_for(IOA_ISA_AVX512);
    c->inputs = network->a.inputs;
    c->outputs = network->a.outputs;
    c->neurons = network->a.neurons;
    c->group = o.group ? o.group : o.segment ? 8 : 1;
    if (allocate(network, segments, c)) status = compile(network, &steps, &o, c, error);
    else status = ioa_fail_nomem(error, "compiled code", network->connections, 3 * sizeof *c->stream);
    ioa_plan_steps_clear(&steps);
    if (status == IOA_OK) *code = c;
    else ioa_code_destroy(c);
    return status;
}

void ioa_code_destroy(ioa_code *code)
{
    if (!code) return;
#if CAN_RUN
    if (code->text) munmap(code->text, code->text_bytes);
#endif
    ioa_free(code->input_offsets);
    ioa_free(code->output_offsets);
    ioa_free(code->activation);
    ioa_free(code->param);
    ioa_free(code->stream);
    ioa_free(code->entry);
    ioa_free(code->stream_from);
    ioa_free(code);
}

ioa_code_facts ioa_code_describe(const ioa_code *code)
{
    return code->facts;
}

const unsigned char *ioa_code_text(const ioa_code *code, size_t *length)
{
    *length = code->text_bytes;
    return code->text;
}

/* A tile: the saved rows, then the slots. */
static size_t tile_floats(const ioa_code *code)
{
    return ((size_t)SAVED_ROWS + code->slots) * (ROW / sizeof(float));
}

size_t ioa_code_scratch_bytes(const ioa_code *code)
{
    return tile_floats(code) * code->group * sizeof(float);
}

static void run_group(const ioa_code *c, const float *x, float *y, size_t rows, float *scratch)
{
    const size_t stride = tile_floats(c), first = SAVED_ROWS * (ROW / sizeof(float));
    size_t tiles = (rows + IOA_CODE_TILE - 1) / IOA_CODE_TILE;
    for (size_t i = 0; i < tiles; i++) {
        uint32_t part = rows - i * IOA_CODE_TILE < IOA_CODE_TILE ? (uint32_t)(rows - i * IOA_CODE_TILE) : IOA_CODE_TILE;
        c->kernel->pack(x + i * IOA_CODE_TILE * c->inputs, c->inputs, part, c->input_offsets,
                        scratch + i * stride + first, IOA_CODE_TILE, IOA_CODE_TILE);
    }
    for (uint64_t s = 0; s < c->segments; s++) {
        const unsigned char *entry = c->text + c->entry[s];
        segment_function *run;
        memcpy(&run, &entry, sizeof run); /* ISO C has no cast from data to function pointers */
        for (size_t i = 0; i < tiles; i++)
            run(scratch + i * stride + first + NEAR * (ROW / sizeof(float)), c->stream + c->stream_from[s]);
    }
    for (size_t i = 0; i < tiles; i++) {
        uint32_t part = rows - i * IOA_CODE_TILE < IOA_CODE_TILE ? (uint32_t)(rows - i * IOA_CODE_TILE) : IOA_CODE_TILE;
        c->kernel->unpack(y + i * IOA_CODE_TILE * c->outputs, c->outputs, part, c->output_offsets,
                          scratch + i * stride + first, IOA_CODE_TILE);
    }
}

void ioa_code_run(const ioa_code *code, const float *x, float *y, size_t batch, void *scratch)
{
    size_t step_rows = (size_t)code->group * IOA_CODE_TILE;
    for (size_t b = 0; b < batch; b += step_rows)
        run_group(code, x + b * code->inputs, y + b * code->outputs, batch - b < step_rows ? batch - b : step_rows,
                  scratch);
}
