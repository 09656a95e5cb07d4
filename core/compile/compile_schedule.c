/* List scheduling of programs, chunk by chunk: an instruction may move anywhere within its chunk that the values it
 * touches allow, and goes as soon as its operands are there. */
#include "core/base/mem.h"
#include "core/compile/compile_program.h"

#include <string.h>

#define CHUNK 256u
#define WORDS (CHUNK / 64)
#define TABLE 1024u /* slots of a chunk, hashed; at least twice CHUNK */

/* A machine of today, in cycles: what an operand costs from its instruction on, and what can start per cycle. */
enum { FMA_LATENCY = 4, LOAD_LATENCY = 7, STORE_LATENCY = 5, STARTS = 3 };

/* How a resource (a register or a slot) is touched. Sums into one register may come in any sequence, and so may
 * readers; everything else waits for all of the touches of another kind before it. */
typedef enum touch { TOUCH_NONE, TOUCH_WRITE, TOUCH_SUM, TOUCH_READ } touch;

typedef struct resource {
    uint32_t slot; /* in the table */
    touch kind;
    uint64_t now[WORDS], before[WORDS]; /* instructions of the present kind, and of the kind before */
} resource;

typedef struct chunk {
    const ioa_instruction *code;
    uint32_t count;
    resource registers[IOA_MOST_REGISTERS + 1];
    resource slots[TABLE];
    uint64_t after[CHUNK][WORDS]; /* instructions that wait for this one */
    uint32_t waits_for[CHUNK];
    uint32_t ready[CHUNK];  /* cycle at which the operands are there */
    uint32_t length[CHUNK]; /* cycles from here to the end along the longest way */
    uint32_t sum_ready[IOA_MOST_REGISTERS + 1];
    bool done[CHUNK];
} chunk;

static uint32_t latency(const ioa_instruction *i)
{
    return i->op == IOA_OP_LOAD || i->op == IOA_OP_BROADCAST ? LOAD_LATENCY
           : i->op == IOA_OP_STORE                           ? STORE_LATENCY
                                                             : FMA_LATENCY;
}

static void depend(chunk *c, const uint64_t *on, uint32_t who)
{
    for (uint32_t w = 0; w < WORDS; w++)
        for (uint64_t left = on[w]; left; left &= left - 1) {
            uint32_t other = w * 64 + (uint32_t)__builtin_ctzll(left);
            if (other == who || (c->after[other][who / 64] >> who % 64 & 1)) continue;
            c->after[other][who / 64] |= UINT64_C(1) << who % 64;
            c->waits_for[who]++;
        }
}

static void touch_resource(chunk *c, resource *r, touch kind, uint32_t who)
{
    if (r->kind != kind || kind == TOUCH_WRITE) {
        memcpy(r->before, r->now, sizeof r->before);
        memset(r->now, 0, sizeof r->now);
        r->kind = kind;
    }
    depend(c, r->before, who);
    r->now[who / 64] |= UINT64_C(1) << who % 64;
}

static resource *slot_resource(chunk *c, uint32_t slot)
{
    uint32_t at = slot * 2654435761u % TABLE;
    while (c->slots[at].kind != TOUCH_NONE && c->slots[at].slot != slot) at = (at + 1) % TABLE;
    c->slots[at].slot = slot;
    return &c->slots[at];
}

static void find_dependencies(chunk *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        const ioa_instruction *in = &c->code[i];
        switch (in->op) {
        case IOA_OP_FMA:
            touch_resource(c, &c->registers[in->b], TOUCH_READ, i);
            touch_resource(c, &c->registers[in->a], TOUCH_SUM, i);
            break;
        case IOA_OP_STORE:
            touch_resource(c, &c->registers[in->a], TOUCH_READ, i);
            touch_resource(c, slot_resource(c, in->slot), TOUCH_WRITE, i);
            break;
        case IOA_OP_LOAD:
            touch_resource(c, slot_resource(c, in->slot), TOUCH_READ, i);
            touch_resource(c, &c->registers[in->a], TOUCH_WRITE, i);
            break;
        default: touch_resource(c, &c->registers[in->a], TOUCH_WRITE, i); break; /* ACTIVATE, BROADCAST */
        }
    }
    for (uint32_t i = c->count; i-- > 0;) {
        c->length[i] = 0;
        for (uint32_t w = 0; w < WORDS; w++)
            for (uint64_t left = c->after[i][w]; left; left &= left - 1) {
                uint32_t next = c->length[w * 64 + (uint32_t)__builtin_ctzll(left)];
                if (next > c->length[i]) c->length[i] = next;
            }
        c->length[i] += latency(&c->code[i]);
    }
}

static uint32_t start_of(const chunk *c, uint32_t i)
{
    const ioa_instruction *in = &c->code[i];
    if (in->op == IOA_OP_FMA && c->sum_ready[in->a] > c->ready[i]) return c->sum_ready[in->a];
    return c->ready[i];
}

/* The next instruction: one that can start at `cycle`, the one with the longest way to go first; of equals, and
 * where none can start, the earliest. */
static uint32_t choose(const chunk *c, uint32_t cycle, uint32_t first)
{
    uint32_t best = UINT32_MAX, best_start = 0;
    for (uint32_t i = first; i < c->count; i++) {
        if (c->done[i] || c->waits_for[i]) continue;
        uint32_t start = start_of(c, i);
        if (start < cycle) start = cycle;
        if (best == UINT32_MAX || start < best_start || (start == best_start && c->length[i] > c->length[best])) {
            best = i;
            best_start = start;
        }
    }
    return best;
}

static void schedule_chunk(chunk *c, ioa_instruction *out)
{
    uint32_t first = 0;
    for (uint32_t n = 0; n < c->count; n++) {
        uint32_t cycle = n / STARTS, i = choose(c, cycle, first), start = start_of(c, i);
        if (start < cycle) start = cycle;
        c->done[i] = true;
        while (first < c->count && c->done[first]) first++;
        if (c->code[i].op == IOA_OP_FMA) c->sum_ready[c->code[i].a] = start + FMA_LATENCY;
        for (uint32_t w = 0; w < WORDS; w++)
            for (uint64_t left = c->after[i][w]; left; left &= left - 1) {
                uint32_t next = w * 64 + (uint32_t)__builtin_ctzll(left);
                c->waits_for[next]--;
                if (start + latency(&c->code[i]) > c->ready[next]) c->ready[next] = start + latency(&c->code[i]);
            }
        out[n] = c->code[i];
    }
}

/* One past the last instruction of the chunk that starts at `from`; calls stay where they are. */
static uint64_t chunk_end(const ioa_program *p, uint64_t from, uint64_t end)
{
    uint64_t at = from;
    while (at < end && at - from < CHUNK && p->code[at].op != IOA_OP_CALL) at++;
    return at;
}

ioa_status ioa_program_schedule(ioa_program *program, ioa_error *error)
{
    chunk *c = ioa_alloc(1, sizeof *c);
    ioa_instruction *out = ioa_alloc(CHUNK, sizeof *out);
    for (uint64_t s = 0; c && out && s < program->segments; s++)
        for (uint64_t from = program->segment[s]; from < program->segment[s + 1];) {
            uint64_t end = chunk_end(program, from, program->segment[s + 1]);
            if (end == from) { /* a call */
                from++;
                continue;
            }
            memset(c, 0, sizeof *c);
            c->code = program->code + from;
            c->count = (uint32_t)(end - from);
            find_dependencies(c);
            schedule_chunk(c, out);
            memcpy(program->code + from, out, c->count * sizeof *out);
            from = end;
        }
    bool good = c && out;
    ioa_free(c);
    ioa_free(out);
    return good ? IOA_OK : ioa_fail_nomem(error, "compiling a schedule", 1, sizeof *c);
}
