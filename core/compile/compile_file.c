#include "core/compile/compile_file.h"

#include "core/base/mem.h"
#include "core/compile/compile_text.h"
#include "core/kernel/kernel.h"
#include "core/model/network.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#define STACK_MOST (256u << 10) /* bytes of values on the stack, unless one tile needs more */
#define NEON_MOST (16u << 20)   /* bytes of values that two instructions reach */

static const struct {
    const ioa_target *target;
    const ioa_text_family *family;
    ioa_isa isa; /* that tells whether it runs here; AUTO: never */
} isas[IOA_CODE_ISA_COUNT] = {
    [IOA_CODE_AVX512] = {&ioa_target_avx512, &ioa_text_x86, IOA_ISA_AVX512},
    [IOA_CODE_AVX2] = {&ioa_target_avx2, &ioa_text_x86, IOA_ISA_AVX2},
    [IOA_CODE_NEON] = {&ioa_target_neon, &ioa_text_arm, IOA_ISA_AUTO},
};

const char *ioa_code_isa_name(ioa_code_isa isa)
{
    return (unsigned)isa < IOA_CODE_ISA_COUNT ? isas[isa].target->name : "unknown";
}

int ioa_code_isa_from_name(const char *name)
{
    for (int i = 0; i < IOA_CODE_ISA_COUNT; i++)
        if (strcmp(name, isas[i].target->name) == 0) return i;
    return -1;
}

uint32_t ioa_code_isa_memory(ioa_code_isa isa)
{
    return isas[isa].target->memory;
}

int ioa_code_isa_runs_here(ioa_code_isa isa)
{
#if defined(__aarch64__)
    if (isa == IOA_CODE_NEON) return 1;
#endif
    return isas[isa].isa != IOA_ISA_AUTO && ioa_isa_available(isas[isa].isa);
}

static bool is_identifier(const char *name)
{
    if (!isalpha((unsigned char)*name) && *name != '_') return false;
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '_') return false;
    static const char *const keywords[] = {
        "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern", "float",
        "for", "goto", "if", "inline", "int", "long", "register", "restrict", "return", "short", "signed", "sizeof", "static",
        "struct", "switch", "typedef", "union", "unsigned", "void", "volatile", "while"};
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (strcmp(name, keywords[i]) == 0) return false;
    return strlen(name) <= 100;
}

/* ---- data ---- */

static void write_words(ioa_bytes *out, const uint32_t *words, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        ioa_bytes_print(out, "%s0x%08" PRIx32 "%s", i % 8 ? "," : "    .long ", words[i],
                        i % 8 == 7 || i + 1 == count ? "\n" : "");
}

static ioa_status write_data(ioa_text *t, const float *stream, uint64_t used, ioa_error *error)
{
    const ioa_program *p = t->program;
    uint64_t most = used > t->outputs ? used : t->outputs;
    uint32_t *words = ioa_alloc(most > 2 * (uint64_t)t->inputs ? most : 2 * (uint64_t)t->inputs, sizeof *words);
    if (!words) return ioa_fail_nomem(error, "compiled code", used, sizeof *words);
    ioa_bytes_print(&t->out, "    .section .rodata\n    .balign 64\n.Lstream:\n");
    if (used) memcpy(words, stream, used * sizeof *words);
    write_words(&t->out, words, used);
    ioa_bytes_print(&t->out, ".Linputs:\n");
    uint64_t count = 0;
    for (uint32_t i = 0; i < t->inputs; i++) {
        if (p->input_slots[i] == UINT32_MAX) continue;
        words[count++] = i * 4;
        words[count++] = p->input_slots[i] * t->row;
    }
    write_words(&t->out, words, count);
    ioa_bytes_print(&t->out, ".Loutputs:\n");
    for (uint32_t s = 0; s < t->outputs; s++) words[s] = p->output_slots[s] * t->row;
    write_words(&t->out, words, t->outputs);
    ioa_bytes_print(&t->out, "    .section .note.GNU-stack,\"\",%%progbits\n");
    ioa_free(words);
    return IOA_OK;
}

/* ---- the header ---- */

static void write_header(const ioa_text *t, const ioa_code_file *file, ioa_bytes *out)
{
    const ioa_code_facts *f = &file->facts;
    char upper[128];
    size_t length = strlen(t->name);
    for (size_t i = 0; i <= length; i++) upper[i] = (char)toupper((unsigned char)t->name[i]);
    ioa_bytes_print(out, "/* A sparse network compiled by ioanneal for %s: %" PRIu32 " inputs, %" PRIu32 " outputs.\n *\n"
                    " * Per tile of %" PRIu32 " samples: %" PRIu64 " reads and %" PRIu64 " writes of the model, and %" PRIu64
                    " reads and %" PRIu64 "\n * writes for activations that are not applied in registers. */\n",
                    t->target->name, t->inputs, t->outputs, file->tile, f->reads, f->writes, f->extra_reads,
                    f->extra_writes);
    ioa_bytes_print(out, "#ifndef %s_H\n#define %s_H\n\n#include <stddef.h>\n\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n",
                    upper, upper);
    ioa_bytes_print(out, "#define %s_INPUTS %" PRIu32 "\n#define %s_OUTPUTS %" PRIu32 "\n#define %s_TILE %" PRIu32
                    " /* samples computed together; other batches work, multiples waste nothing */\n",
                    upper, t->inputs, upper, t->outputs, upper, file->tile);
    ioa_bytes_print(out, "#define %s_SCRATCH_BYTES %zu\n#define %s_STACK_BYTES %zu\n\n", upper, file->scratch_bytes, upper,
                    file->stack_bytes);
    ioa_bytes_print(out, "/* y = network(x): x [batch, %" PRIu32 "], y [batch, %" PRIu32 "], float, row-major. Any number of "
                    "threads may call it\n * at once; it takes about %s_STACK_BYTES of its caller's stack. */\n"
                    "void %s(const float *x, float *y, size_t batch);\n\n",
                    t->inputs, t->outputs, upper, t->name);
    ioa_bytes_print(out, "/* The same with activations in `scratch`: %s_SCRATCH_BYTES, aligned to 64 bytes, of this call "
                    "alone. */\nvoid %s_with(const float *x, float *y, size_t batch, void *scratch);\n\n"
                    "#ifdef __cplusplus\n}\n#endif\n#endif\n", upper, t->name);
}

/* ---- all of it ---- */

static ioa_status write_assembly(ioa_text *t, const ioa_text_family *family, bool ahead, ioa_error *error)
{
    const ioa_program *p = t->program;
    uint64_t used = 0;
    float *stream = ioa_alloc(p->count, sizeof *stream);
    t->stream_from = ioa_alloc(p->segments, sizeof *t->stream_from);
    ioa_status status = IOA_OK;
    if (!stream || !t->stream_from) status = ioa_fail_nomem(error, "compiled code", p->count, sizeof *stream);
    if (status == IOA_OK) {
        ioa_bytes_print(&t->out, "/* %s, by ioanneal */\n", t->target->name);
        family->open(t);
        for (unsigned i = 0; i < IOA_ACT_COUNT; i++)
            if (p->called[i]) family->activation(t, i);
        ioa_writer writer = family->writer(t, ahead);
        status = ioa_lower(p, t->target, &writer, stream, NULL, &used, error);
    }
    if (status == IOA_OK) {
        family->run(t);
        status = write_data(t, stream, used, error);
    }
    ioa_free(stream);
    ioa_free(t->stream_from);
    return status;
}

static ioa_status finish(ioa_text *t, ioa_code_file *file, uint64_t used, ioa_error *error)
{
    const ioa_program *p = t->program;
    ioa_bytes header = {0};
    file->tile = t->target->tile;
    file->group = t->group;
    file->scratch_bytes = (size_t)t->stride * t->group;
    file->stack_bytes = (size_t)t->stride * t->stack_group + 512;
    file->facts = (ioa_code_facts){.reads = p->reads, .writes = p->writes, .extra_reads = p->extra_reads,
                                   .extra_writes = p->extra_writes, .calls = p->calls, .segments = p->segments,
                                   .stream_bytes = used * sizeof(float)};
    write_header(t, file, &header);
    ioa_bytes_byte(&header, 0);
    ioa_bytes_byte(&t->out, 0);
    if (header.failed || t->out.failed) {
        ioa_free(header.data);
        return ioa_fail_nomem(error, "compiled code", t->out.room * 2, 1);
    }
    file->assembly = (char *)t->out.data;
    file->assembly_length = t->out.length - 1;
    file->header = (char *)header.data;
    file->header_length = header.length - 1;
    t->out.data = NULL;
    return IOA_OK;
}

static uint64_t constants_of(const ioa_program *p)
{
    uint64_t count = 0;
    for (uint64_t i = 0; i < p->count; i++) count += p->code[i].op == IOA_OP_FMA || p->code[i].op == IOA_OP_BROADCAST;
    return count;
}

static ioa_status make_text(const ioa_network *network, const ioa_program *program, ioa_code_isa isa,
                            const ioa_code_options *o, const char *name, ioa_code_file *file, ioa_error *error)
{
    const ioa_target *target = isas[isa].target;
    uint32_t row = target->tile * (uint32_t)sizeof(float), slots = program->slots ? program->slots : 1, used = 0;
    for (uint32_t i = 0; i < network->a.inputs; i++) used += program->input_slots[i] != UINT32_MAX;
    slots += used < network->a.inputs && isas[isa].family == &ioa_text_x86; /* the last is nobody's */
    if ((uint64_t)slots * row > (isa == IOA_CODE_NEON ? NEON_MOST : INT32_MAX))
        return ioa_fail(error, IOA_ERR_INPUT, "the network is too large for compiled code");
    ioa_text t = {.target = target, .program = program, .name = name, .inputs = network->a.inputs,
                  .outputs = network->a.outputs, .used_inputs = used, .row = row, .stride = (slots * row + 63) / 64 * 64,
                  .nobody = (slots - 1) * row};
    t.group = o->group ? o->group : program->segments > 1 ? 8 : 1;
    t.stack_group = STACK_MOST / t.stride < t.group ? STACK_MOST / t.stride : t.group;
    if (t.stack_group == 0) t.stack_group = 1;
    ioa_status status = write_assembly(&t, isas[isa].family, o->ahead, error);
    if (status == IOA_OK) status = finish(&t, file, constants_of(program), error);
    ioa_free(t.out.data);
    return status;
}

ioa_status ioa_code_file_make(const ioa_network *network, const uint32_t *order, ioa_code_isa isa,
                              const ioa_code_options *options, const char *name, ioa_code_file *file,
                              ioa_error *error)
{
    ioa_code_options o = options ? *options : (ioa_code_options){0};
    ioa_plan_steps steps;
    ioa_program program = {0};
    if (!is_identifier(name)) return ioa_fail(error, IOA_ERR_INPUT, "'%.100s' is not a name a C function can have", name);
    if (network->a.neurons > INT32_MAX / 64 - 4096 || network->connections > INT32_MAX / 64)
        return ioa_fail(error, IOA_ERR_INPUT, "the network is too large for compiled code");
    ioa_status status = ioa_plan_steps_make(network, order, IOA_LAYOUT_ORDER, o.prune, &steps, error);
    if (status != IOA_OK) return status;
    memset(file, 0, sizeof *file);
    status = ioa_program_make(network, &steps, isas[isa].target->memory - 1, o.segment, &program, error);
    if (status == IOA_OK && !o.as_ordered) status = ioa_program_schedule(&program, error);
    if (status == IOA_OK) status = make_text(network, &program, isa, &o, name, file, error);
    ioa_program_clear(&program);
    ioa_plan_steps_clear(&steps);
    return status;
}

void ioa_code_file_clear(ioa_code_file *file)
{
    ioa_free(file->assembly);
    ioa_free(file->header);
    memset(file, 0, sizeof *file);
}
