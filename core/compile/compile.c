/* Compiled schedules in memory: the program of core/compile/compile_program.h as machine code in pages of its own. */
#include "core/compile/compile.h"

#include "core/base/mem.h"
#include "core/compile/compile_x86.h"
#include "core/compile/work.h"
#include "core/kernel/kernel.h"
#include "core/model/network.h"
#include "core/model/plan_steps.h"

#include <string.h>

#if IOA_HAVE_X86_KERNELS && defined(__linux__)
#include <sys/mman.h>
#define CAN_RUN 1
#else
#define CAN_RUN 0
#endif

#define HUGE_PAGE ((size_t)2 << 20)
#define HUGE_FROM ((size_t)256 << 10) /* bytes of code and constants */
#define LINE 64u /* bytes of a cache line */
#define L1_CODE (32u << 10) /* bytes of code that stay in L1 */

struct ioa_code {
    const ioa_kernel *kernel;
    const ioa_target *target;
    uint32_t inputs, outputs, slots, group;
    uint32_t *input_offsets, *output_offsets; /* in 8-byte units from the first slot */
    const float *stream;   /* behind the code, in its pages */
    uint64_t *entry;       /* [segments + 1] offset of the code */
    uint64_t *stream_from; /* [segments + 1] index into the stream */
    size_t enter;          /* offset of ioa_x86_enter */
    size_t segments_at;    /* offset of the first segment */
    unsigned char *text;   /* executable, in: */
    unsigned char *pages;
    size_t page_bytes;
    size_t text_bytes;     /* of the code */
    uint64_t loads;        /* of values; other reads are constants */
    ioa_code_facts facts;
};

static const ioa_target *target_of(ioa_isa isa)
{
    if (isa == IOA_ISA_AUTO) isa = ioa_isa_best();
    return isa == IOA_ISA_AVX512 ? &ioa_target_avx512 : isa == IOA_ISA_AVX2 ? &ioa_target_avx2 : NULL;
}

int ioa_code_available(ioa_isa isa)
{
    return CAN_RUN && ioa_isa_available(isa) && target_of(isa) != NULL;
}

uint32_t ioa_code_memory(ioa_isa isa)
{
    return target_of(isa) ? target_of(isa)->memory : 0;
}

uint32_t ioa_code_tile(ioa_isa isa)
{
    return target_of(isa) ? target_of(isa)->tile : 0;
}

/* Bytes of a value. */
static uint32_t row_bytes(const ioa_code *code)
{
    return code->target->tile * (uint32_t)sizeof(float);
}

/* Code and its constants lie in one piece: they are walked through together, and in one huge page they share an entry of
 * the TLB and spread evenly over the sets of L2. */
static ioa_status install(const ioa_bytes *text, const float *stream, uint64_t constants, ioa_code *code,
                          ioa_error *error)
{
    if (text->failed) return ioa_fail_nomem(error, "compiled code", text->room * 2, 1);
#if CAN_RUN
    size_t behind = (text->length + LINE - 1) / LINE * LINE, length = behind + constants * sizeof *stream;
    size_t room = length < HUGE_FROM ? length : (length + 2 * HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    void *pages = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) return ioa_fail(error, IOA_ERR_SYSTEM, "the system gives no pages for compiled code");
    code->pages = pages;
    code->page_bytes = room;
    code->text = pages;
    code->text_bytes = text->length;
    if (room > length) { /* long code would miss small pages again and again; a refusal changes speed alone */
        code->text += (HUGE_PAGE - (uintptr_t)pages % HUGE_PAGE) % HUGE_PAGE;
        (void)madvise(code->text, room - (size_t)(code->text - code->pages), MADV_HUGEPAGE);
    }
    code->stream = (const float *)(const void *)(code->text + behind);
    memcpy(code->text, text->data, text->length);
    if (constants) memcpy(code->text + behind, stream, constants * sizeof *stream);
    if (mprotect(pages, room, PROT_READ | PROT_EXEC) != 0) /* never writable and executable at once */
        return ioa_fail(error, IOA_ERR_SYSTEM, "the system does not let compiled code be executed");
    return IOA_OK;
#else
    (void)stream;
    (void)constants;
    (void)code;
    return ioa_fail(error, IOA_ERR_INPUT, "compiled schedules need AVX2 or AVX-512");
#endif
}

static void describe(const ioa_program *p, size_t code_bytes, uint64_t used, ioa_code *code)
{
    code->facts = (ioa_code_facts){.reads = p->reads, .writes = p->writes, .extra_reads = p->extra_reads,
                                   .extra_writes = p->extra_writes, .calls = p->calls, .segments = p->segments,
                                   .code_bytes = code_bytes, .stream_bytes = used * sizeof(float)};
    for (uint64_t i = 0; i < p->count; i++) {
        code->facts.products += p->code[i].op == IOA_OP_FMA;
        code->loads += p->code[i].op == IOA_OP_LOAD;
    }
    code->slots = p->slots + 1; /* the last is nobody's */
    for (uint32_t i = 0; i < code->inputs; i++)
        code->input_offsets[i] = (p->input_slots[i] == UINT32_MAX ? p->slots : p->input_slots[i]) * (row_bytes(code) / 8);
    for (uint32_t s = 0; s < code->outputs; s++) code->output_offsets[s] = p->output_slots[s] * (row_bytes(code) / 8);
}

static ioa_status assemble(const ioa_program *program, bool ahead, ioa_code *code, ioa_error *error)
{
    uint64_t used = 0;
    float *stream = ioa_alloc(program->count, sizeof *stream);
    code->input_offsets = ioa_alloc(code->inputs, sizeof *code->input_offsets);
    code->output_offsets = ioa_alloc(code->outputs, sizeof *code->output_offsets);
    code->entry = ioa_alloc(program->segments + 1, sizeof *code->entry);
    code->stream_from = ioa_alloc(program->segments + 1, sizeof *code->stream_from);
    if (!stream || !code->input_offsets || !code->output_offsets || !code->entry || !code->stream_from) {
        ioa_free(stream);
        return ioa_fail_nomem(error, "compiled code", program->count, sizeof *stream);
    }
    ioa_x86 machine = {.target = code->target, .entry = code->entry};
    ioa_x86_begin(&machine, program);
    code->enter = machine.enter;
    code->segments_at = machine.text.length;
    ioa_writer writer = ioa_x86_writer(&machine, ahead);
    ioa_status status = ioa_lower(program, code->target, &writer, stream, code->stream_from, &used, error);
    code->entry[program->segments] = machine.text.length;
    code->stream_from[program->segments] = used;
    if (status == IOA_OK) status = install(&machine.text, stream, used, code, error);
    if (status == IOA_OK) describe(program, machine.text.length, used, code);
    ioa_free(machine.text.data);
    ioa_free(stream);
    return status;
}

ioa_status ioa_code_create(const ioa_network *network, const uint32_t *order, const ioa_code_options *options,
                           ioa_code **code, ioa_error *error)
{
    ioa_code_options o = options ? *options : (ioa_code_options){0};
    const ioa_target *target = target_of(o.isa);
    if (!ioa_code_available(o.isa)) return ioa_fail(error, IOA_ERR_INPUT, "compiled schedules need AVX2 or AVX-512");
    if (network->a.neurons > INT32_MAX / 64 - 4096 || network->connections > INT32_MAX / 64)
        return ioa_fail(error, IOA_ERR_INPUT, "the network is too large for compiled code");
    ioa_plan_steps steps;
    ioa_program program = {0};
    ioa_code *c = NULL;
    ioa_status status = ioa_plan_steps_make(network, order, IOA_LAYOUT_ORDER, o.prune, &steps, error);
    if (status != IOA_OK) return status;
    status = ioa_program_make(network, &steps, target->memory - 1, o.segment, &program, error);
    if (status == IOA_OK && !o.as_ordered) status = ioa_program_schedule(&program, error);
    if (status == IOA_OK) {
        c = ioa_alloc_zero(1, sizeof *c);
        if (!c) status = ioa_fail_nomem(error, "compiled code", 1, sizeof *c);
    }
    if (status == IOA_OK) {
        c->kernel = ioa_kernel_for(o.isa);
        c->target = target;
        c->inputs = network->a.inputs;
        c->outputs = network->a.outputs;
        c->group = o.group ? o.group : o.segment ? 8 : 1;
        status = assemble(&program, o.ahead, c, error);
    }
    ioa_program_clear(&program);
    ioa_plan_steps_clear(&steps);
    if (status == IOA_OK) *code = c;
    else ioa_code_destroy(c);
    return status;
}

void ioa_code_destroy(ioa_code *code)
{
    if (!code) return;
#if CAN_RUN
    if (code->pages) munmap(code->pages, code->page_bytes);
#endif
    ioa_free(code->input_offsets);
    ioa_free(code->output_offsets);
    ioa_free(code->entry);
    ioa_free(code->stream_from);
    ioa_free(code);
}

ioa_code_facts ioa_code_describe(const ioa_code *code)
{
    return code->facts;
}

static size_t tile_floats(const ioa_code *code)
{
    return (size_t)code->slots * code->target->tile;
}

/* Segments that fit L1 stay there while they run over a group's tiles; longer ones are fetched again for every tile. */
ioa_work ioa_code_work(const ioa_code *code, size_t batch)
{
    const ioa_code_facts *f = &code->facts;
    const size_t tile = code->target->tile;
    const double row = row_bytes(code);
    double tiles = (double)((batch + tile - 1) / tile);
    double passes = f->segments > 1 ? (double)((batch + tile * code->group - 1) / (tile * code->group))
                                    : tiles;
    ioa_work w = {.flops = 2.0 * (double)f->products * (double)batch,
                  .load_bytes = (double)(f->reads + f->extra_reads) * row * tiles,
                  .operand_share = (double)f->products / (double)(f->reads + f->extra_reads) * (double)batch / (tiles * (double)tile),
                  .write_bytes = (double)(f->writes + f->extra_writes) * row * tiles,
                  .value_bytes = (double)code->loads * row * tiles,
                  .value_set = (double)tile_floats(code) * sizeof(float) * (passes < tiles ? tiles / passes : 1),
                  .tile_set = (double)tile_floats(code) * sizeof(float),
                  .stream_bytes = (double)f->stream_bytes * passes,
                  .stream_set = (double)(f->stream_bytes + f->code_bytes),
                  .lines = true};
    if (f->code_bytes > L1_CODE)
        w.fetch_bytes = (double)f->code_bytes * (f->code_bytes / f->segments > L1_CODE ? tiles : passes);
    return w;
}

const unsigned char *ioa_code_text(const ioa_code *code, size_t *length)
{
    *length = code->text_bytes - code->segments_at;
    return code->text + code->segments_at;
}

size_t ioa_code_scratch_bytes(const ioa_code *code)
{
    return tile_floats(code) * code->group * sizeof(float);
}

/* Samples of tile i of `rows`. */
static uint32_t samples(size_t rows, size_t i, uint32_t tile)
{
    return rows - i * tile < tile ? (uint32_t)(rows - i * tile) : tile;
}

/* Part `part` of `parts` of [from, to). */
static void prefetch_part(const void *base, size_t from, size_t to, size_t part, size_t parts)
{
    const char *p = base;
    size_t end = from + (to - from) * (part + 1) / parts;
    for (size_t i = (from + (to - from) * part / parts) / LINE * LINE; i < end; i += LINE) __builtin_prefetch(p + i);
}

/* The segment after `s`, a part of it before each tile: fetching instructions, the processor waits for every line from
 * beyond L2; data it can have on the way, many lines at a time. After the last one the first comes, of the next batch. */
static void prefetch_next(const ioa_code *c, uint64_t s, size_t tile, size_t tiles)
{
    uint64_t next = s + 1 < c->facts.segments ? s + 1 : 0;
    prefetch_part(c->text, c->entry[next], c->entry[next + 1], tile, tiles);
    prefetch_part(c->stream, c->stream_from[next] * sizeof(float), c->stream_from[next + 1] * sizeof(float), tile, tiles);
}

static void compute_group(const ioa_code *c, size_t tiles, float *scratch)
{
    const size_t stride = tile_floats(c);
    const unsigned char *entry = c->text + c->enter;
    ioa_x86_enter *enter;
    memcpy(&enter, &entry, sizeof enter); /* ISO C has no cast from data to function pointers */
    for (uint64_t s = 0; s < c->facts.segments; s++)
        for (size_t i = 0; i < tiles; i++) {
            if (c->facts.segments > 1) prefetch_next(c, s, i, tiles);
            enter(scratch + i * stride, c->stream + c->stream_from[s], c->text + c->entry[s]);
        }
}

static void run_group(const ioa_code *c, const float *x, float *y, size_t rows, const bool far[2], float *scratch, bool compute)
{
    const size_t stride = tile_floats(c);
    const uint32_t tile = c->target->tile;
    size_t tiles = (rows + tile - 1) / tile;
    for (size_t i = 0; i < tiles; i++)
        c->kernel->pack(x + i * tile * c->inputs, c->inputs, samples(rows, i, tile), c->input_offsets,
                        scratch + i * stride, tile, tile, far[0]);
    if (compute) compute_group(c, tiles, scratch);
    for (size_t i = 0; i < tiles; i++)
        c->kernel->unpack(y + i * tile * c->outputs, c->outputs, samples(rows, i, tile), c->output_offsets,
                          scratch + i * stride, tile, far[1]);
}

static void run_groups(const ioa_code *code, const float *x, float *y, size_t batch, void *scratch, bool compute)
{
    const size_t step_rows = (size_t)code->group * code->target->tile;
    const bool far[2] = {ioa_is_far(batch, code->inputs), ioa_is_far(batch, code->outputs)};
    for (size_t b = 0; b < batch; b += step_rows)
        run_group(code, x + b * code->inputs, y + b * code->outputs, batch - b < step_rows ? batch - b : step_rows,
                  far, scratch, compute);
}

void ioa_code_run(const ioa_code *code, const float *x, float *y, size_t batch, void *scratch)
{
    run_groups(code, x, y, batch, scratch, true);
}

void ioa_code_pack(const ioa_code *code, const float *x, float *y, size_t batch, void *scratch)
{
    run_groups(code, x, y, batch, scratch, false);
}
