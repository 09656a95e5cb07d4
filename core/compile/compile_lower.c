#include "core/compile/compile_lower.h"

#include "core/base/mem.h"

#include <string.h>

#define LINE 64u  /* bytes of a cache line */
#define SHORT 7u  /* bytes of an instruction with a short displacement, */
#define LONG 10u  /* and with a long one: estimates, for prefetching */

const ioa_target ioa_target_avx512 = {"avx512", 32, 16, IOA_MOST_BASES, 128, 128};
const ioa_target ioa_target_avx2 = {"avx2", 16, 8, 1, 0, 32}; /* displacements are not scaled: none reaches far */
const ioa_target ioa_target_neon = {"neon", 32, 4, 1, 0, 0};

typedef struct lowering {
    const ioa_program *program;
    const ioa_target *target;
    const ioa_writer *writer;
    float *stream;
    uint64_t used, pointer;  /* constants written; where the stream pointer points */
    uint32_t *uses;          /* [groups] accesses of a segment by group of slots that one base reaches */
    uint32_t groups;
    int32_t bases[IOA_MOST_BASES]; /* slots */
    uint32_t base_of_group[IOA_MOST_BASES], count; /* the groups that have a base */
    uint64_t code_bytes, code_fetched;
} lowering;

static uint32_t group_of(const lowering *l, uint32_t slot)
{
    return l->target->base_reach ? slot / (2 * (uint32_t)l->target->base_reach) : 0;
}

/* The groups used most get a base each; the rest is reached from the first by long displacements. */
static void choose_bases(lowering *l, uint64_t segment)
{
    const ioa_program *p = l->program;
    memset(l->uses, 0, l->groups * sizeof *l->uses);
    for (uint64_t i = p->segment[segment]; i < p->segment[segment + 1]; i++)
        if (p->code[i].op == IOA_OP_LOAD || p->code[i].op == IOA_OP_STORE) l->uses[group_of(l, p->code[i].slot)]++;
    for (l->count = 0; l->count < l->target->bases; l->count++) {
        uint32_t best = 0;
        for (uint32_t g = 1; g < l->groups; g++)
            if (l->uses[g] > l->uses[best]) best = g;
        if (l->uses[best] == 0 && l->count) break;
        l->base_of_group[l->count] = best;
        l->bases[l->count] = (int32_t)best * 2 * l->target->base_reach + l->target->base_reach;
        l->uses[best] = 0;
    }
}

static void access_slot(lowering *l, const ioa_instruction *in)
{
    uint32_t base = 0, group = group_of(l, in->slot);
    for (uint32_t b = 1; b < l->count; b++)
        if (l->base_of_group[b] == group) base = b;
    int32_t away = (int32_t)in->slot - l->bases[base];
    l->code_bytes += l->base_of_group[base] == group ? SHORT : LONG;
    l->writer->access(l->writer->self, in, base, away * (int32_t)(l->target->tile * sizeof(float)));
}

/* The stream pointer walks along so that displacements stay short. */
static void access_stream(lowering *l, const ioa_instruction *in)
{
    uint64_t reach = l->target->stream_reach;
    if (reach && l->used >= l->pointer + reach) {
        l->writer->advance(l->writer->self, (int32_t)(2 * reach * sizeof(float)));
        l->pointer += 2 * reach;
        l->code_bytes += SHORT;
    }
    l->stream[l->used] = in->value;
    int32_t away = (int32_t)((int64_t)l->used++ - (int64_t)l->pointer);
    l->code_bytes += SHORT;
    l->writer->access(l->writer->self, in, 0, away * (int32_t)sizeof(float));
}

/* Asks for code to come, a line at a time: fetching instructions alone, the processor waits for every line from beyond
 * L2. Constants it expects by itself, reading one after the other. */
static void prefetch(lowering *l)
{
    if (l->code_bytes < l->code_fetched + LINE) return;
    l->code_fetched = l->code_bytes;
    l->writer->prefetch(l->writer->self);
}

static void lower_segment(lowering *l, uint64_t segment)
{
    const ioa_program *p = l->program;
    choose_bases(l, segment);
    l->pointer = l->used;
    l->writer->begin(l->writer->self, segment, l->bases, l->count, l->used);
    for (uint64_t i = p->segment[segment]; i < p->segment[segment + 1]; i++) {
        const ioa_instruction *in = &p->code[i];
        if (l->writer->prefetch) prefetch(l);
        switch (in->op) {
        case IOA_OP_LOAD:
        case IOA_OP_STORE: access_slot(l, in); break;
        case IOA_OP_CALL: l->writer->call(l->writer->self, in->activation); break;
        case IOA_OP_ACTIVATE: l->writer->activate(l->writer->self, in); break;
        default: access_stream(l, in); break;
        }
    }
    l->writer->end(l->writer->self);
}

ioa_status ioa_lower(const ioa_program *program, const ioa_target *target, const ioa_writer *writer, float *stream,
                     uint64_t *from, uint64_t *used, ioa_error *error)
{
    lowering l = {.program = program, .target = target, .writer = writer, .stream = stream};
    l.groups = group_of(&l, program->slots) + 1;
    l.uses = ioa_alloc(l.groups, sizeof *l.uses);
    if (!l.uses) return ioa_fail_nomem(error, "compiled code", l.groups, sizeof *l.uses);
    for (uint64_t s = 0; s < program->segments; s++) {
        if (from) from[s] = l.used;
        lower_segment(&l, s);
    }
    *used = l.used;
    ioa_free(l.uses);
    return IOA_OK;
}
