/* NEON (AArch64) as GNU assembler text. Values in x0, the stream in x1; x9 for addresses out of reach, x17 for the
 * way back; v31 holds the weight. */
#include "core/compile/compile_math.h"
#include "core/compile/compile_text.h"

#include <inttypes.h>
#include <ioanneal/network.h>

#define WEIGHT 31u
#define NEAR 65536 /* bytes that a load of 16 reaches from its base */

#define PRINT(...) ioa_bytes_print(&t->out, __VA_ARGS__)

static void open_text(ioa_text *t)
{
    PRINT("    .text\n");
}

static void number(ioa_text *t, const char *reg, uint64_t value)
{
    PRINT("    movz %s, #%" PRIu64 "\n", reg, value & 0xffff);
    for (int shift = 16; value >> shift && shift < 64; shift += 16)
        if (value >> shift & 0xffff) PRINT("    movk %s, #%" PRIu64 ", lsl #%d\n", reg, value >> shift & 0xffff, shift);
}

/* ---- activations that are called ---- */

static void math(ioa_text *t, const ioa_math *m)
{
    static const struct {
        const char *name, *kind;
        int operands;
    } forms[] = {
        [IOA_MATH_COPY] = {"mov", "16b", 2},    [IOA_MATH_ADD] = {"fadd", "4s", 3},   [IOA_MATH_SUB] = {"fsub", "4s", 3},
        [IOA_MATH_MUL] = {"fmul", "4s", 3},     [IOA_MATH_DIV] = {"fdiv", "4s", 3},   [IOA_MATH_MIN] = {"fmin", "4s", 3},
        [IOA_MATH_MAX] = {"fmax", "4s", 3},     [IOA_MATH_FMA] = {"fmla", "4s", 3},   [IOA_MATH_FNMA] = {"fmls", "4s", 3},
        [IOA_MATH_ROUND] = {"frintn", "4s", 2}, [IOA_MATH_TOINT] = {"fcvtns", "4s", 2}, [IOA_MATH_IADD] = {"add", "4s", 3},
        [IOA_MATH_ISUB] = {"sub", "4s", 3},     [IOA_MATH_AND] = {"and", "16b", 3},   [IOA_MATH_OR] = {"orr", "16b", 3},
        [IOA_MATH_XOR] = {"eor", "16b", 3},     [IOA_MATH_SHL] = {"shl", "4s", 1},    [IOA_MATH_SAR] = {"sshr", "4s", 1},
        [IOA_MATH_SELECT] = {"bsl", "16b", 3},
    };
    if (m->op == IOA_MATH_CONST) {
        number(t, "w9", m->bits);
        PRINT("    dup v%u.4s, w9\n", m->d);
        return;
    }
    const char *name = forms[m->op].name, *kind = forms[m->op].kind;
    PRINT("    %s v%u.%s, v%u.%s", name, m->d, kind, m->a, kind);
    if (forms[m->op].operands == 3) PRINT(", v%u.%s", m->b, kind);
    if (forms[m->op].operands == 1) PRINT(", #%" PRIu32, m->bits);
    PRINT("\n");
}

static void activation(ioa_text *t, unsigned code)
{
    ioa_math operations[IOA_MATH_MOST];
    uint32_t count = ioa_math_of(code, operations);
    PRINT(".Lactivation%u: // %s\n", code, ioa_activation_name(code));
    for (uint32_t i = 0; i < count; i++) math(t, &operations[i]);
    PRINT("    ret\n");
}

/* ---- segments ---- */

static void begin(void *self, uint64_t segment, const int32_t *slots, uint32_t count, uint64_t stream)
{
    ioa_text *t = self;
    (void)slots;
    (void)count;
    t->stream_from[segment] = stream;
    PRINT(".Lsegment%" PRIu64 ":\n    mov x17, x30\n    adrp x1, .Lstream + %" PRIu64 "\n    add x1, x1, :lo12:.Lstream + %"
          PRIu64 "\n", segment, stream * 4, stream * 4);
}

static void end(void *self)
{
    ioa_text *t = self;
    PRINT("    ret x17\n");
}

static void access(void *self, const ioa_instruction *in, uint32_t base, int32_t displacement)
{
    ioa_text *t = self;
    (void)base;
    switch (in->op) {
    case IOA_OP_LOAD:
    case IOA_OP_STORE:
        if (displacement >= NEAR) PRINT("    add x9, x0, #%" PRId32 ", lsl #12\n", displacement >> 12);
        PRINT("    %s q%u, [%s, #%" PRId32 "]\n", in->op == IOA_OP_LOAD ? "ldr" : "str", in->a,
              displacement >= NEAR ? "x9" : "x0", displacement >= NEAR ? displacement & 4095 : displacement);
        break;
    case IOA_OP_BROADCAST: PRINT("    ld1r {v%u.4s}, [x1], #4\n", in->a); break;
    default:
        PRINT("    ld1r {v%u.4s}, [x1], #4\n    fmla v%u.4s, v%u.4s, v%u.4s\n", WEIGHT, in->a, in->b, WEIGHT);
        break;
    }
}

static void activate(void *self, const ioa_instruction *in)
{
    ioa_text *t = self;
    unsigned a = in->a;
    switch (in->activation) {
    case IOA_ACT_RELU: PRINT("    movi v%u.2d, #0\n    fmax v%u.4s, v%u.4s, v%u.4s\n", WEIGHT, a, a, WEIGHT); break;
    case IOA_ACT_SQUARE: PRINT("    fmul v%u.4s, v%u.4s, v%u.4s\n", a, a, a); break;
    case IOA_ACT_NEGATE: PRINT("    fneg v%u.4s, v%u.4s\n", a, a); break;
    default: PRINT("    fabs v%u.4s, v%u.4s\n", a, a); break;
    }
}

static void call(void *self, unsigned code)
{
    ioa_text *t = self;
    PRINT("    bl .Lactivation%u\n", code);
}

static void advance(void *self, int32_t bytes)
{
    ioa_text *t = self;
    PRINT("    add x1, x1, #%" PRId32 "\n", bytes);
}

static ioa_writer writer(ioa_text *t, bool prefetch)
{
    (void)prefetch; /* of code: not measured on any such processor */
    return (ioa_writer){t, begin, end, access, activate, call, advance, NULL};
}

/* ---- the C functions ----
 * .Lrun: x19 x, x20 y, x21 samples left, x22 scratch, x23 tiles of a full pass, x24 tiles of this pass, x25 the tile's
 * values, x26 tiles to go, x27 bytes of a tile's values, x28 samples left in the pass. */

static void entries(ioa_text *t)
{
    PRINT("    .globl %s\n    .type %s, %%function\n    .balign 16\n%s:\n    stp x29, x30, [sp, #-16]!\n    mov x29, sp\n",
          t->name, t->name, t->name);
    number(t, "x9", (uint64_t)t->stride * t->stack_group);
    PRINT("    sub x3, sp, x9\n    and x3, x3, #-64\n    mov x9, sp\n.Lprobe:\n    sub x9, x9, #4096\n    cmp x9, x3\n"
          "    b.lo .Lprobed\n    str xzr, [x9]\n    b .Lprobe\n.Lprobed:\n    mov sp, x3\n");
    number(t, "x4", t->stack_group);
    PRINT("    bl .Lrun\n    mov sp, x29\n    ldp x29, x30, [sp], #16\n    ret\n    .size %s, .-%s\n", t->name, t->name);
    PRINT("    .globl %s_with\n    .type %s_with, %%function\n    .balign 16\n%s_with:\n", t->name, t->name, t->name);
    number(t, "x4", t->group);
    PRINT("    b .Lrun\n    .size %s_with, .-%s_with\n", t->name, t->name);
}

/* Per tile: x25 its values, x28 the samples left, w5 its rows. */
static void open_tiles(ioa_text *t, const char *label)
{
    PRINT("    mov x25, x22\n    mov x26, x24\n    mov x28, x21\n%s:\n    mov x5, #%" PRIu32
          "\n    cmp x28, x5\n    csel x5, x28, x5, lo\n", label, t->target->tile);
}

static void close_tiles(ioa_text *t, const char *pointer, uint32_t columns, const char *label)
{
    number(t, "x9", (uint64_t)columns * 4 * t->target->tile);
    PRINT("    add %s, %s, x9\n    add x25, x25, x27\n    sub x28, x28, #%" PRIu32
          "\n    subs x26, x26, #1\n    b.ne %s\n", pointer, pointer, t->target->tile, label);
}

/* Missing samples repeat the last one. */
static void pack(ioa_text *t)
{
    open_tiles(t, ".Lpack");
    if (t->used_inputs) {
        PRINT("    adrp x6, .Linputs\n    add x6, x6, :lo12:.Linputs\n");
        number(t, "x7", t->used_inputs);
        number(t, "x8", (uint64_t)t->inputs * 4);
        PRINT(".Lpack_neuron:\n    ldp w10, w11, [x6], #8\n    add x10, x19, x10\n    add x11, x25, x11\n    mov x12, x5\n"
              "    mov x13, #%" PRIu32 "\n.Lpack_row:\n    ldr w14, [x10]\n    str w14, [x11], #4\n    subs x12, x12, #1\n"
              "    b.ls .Lpack_last\n    add x10, x10, x8\n.Lpack_last:\n    cmp x12, #0\n    csinc x12, x12, xzr, ne\n"
              "    subs x13, x13, #1\n    b.ne .Lpack_row\n    subs x7, x7, #1\n    b.ne .Lpack_neuron\n", t->target->tile);
    }
    close_tiles(t, "x19", t->inputs, ".Lpack");
}

static void run_segments(ioa_text *t)
{
    for (uint64_t s = 0; s < t->program->segments; s++)
        PRINT("    mov x25, x22\n    mov x26, x24\n.Ltile%" PRIu64 ":\n    mov x0, x25\n    bl .Lsegment%" PRIu64
              "\n    add x25, x25, x27\n    subs x26, x26, #1\n    b.ne .Ltile%" PRIu64 "\n", s, s, s);
}

static void unpack(ioa_text *t)
{
    open_tiles(t, ".Lunpack");
    PRINT("    adrp x6, .Loutputs\n    add x6, x6, :lo12:.Loutputs\n    mov x15, x20\n");
    number(t, "x7", t->outputs);
    number(t, "x8", (uint64_t)t->outputs * 4);
    PRINT(".Lunpack_neuron:\n    ldr w10, [x6], #4\n    add x10, x25, x10\n    mov x11, x15\n    mov x12, x5\n"
          ".Lunpack_row:\n    ldr w14, [x10], #4\n    str w14, [x11]\n    add x11, x11, x8\n    subs x12, x12, #1\n"
          "    b.ne .Lunpack_row\n    add x15, x15, #4\n    subs x7, x7, #1\n    b.ne .Lunpack_neuron\n");
    close_tiles(t, "x20", t->outputs, ".Lunpack");
}

static void run(ioa_text *t)
{
    entries(t);
    PRINT(".Lrun:\n    stp x29, x30, [sp, #-160]!\n");
    for (int i = 0; i < 5; i++) PRINT("    stp x%d, x%d, [sp, #%d]\n", 19 + 2 * i, 20 + 2 * i, 16 + 16 * i);
    for (int i = 0; i < 4; i++) PRINT("    stp d%d, d%d, [sp, #%d]\n", 8 + 2 * i, 9 + 2 * i, 96 + 16 * i);
    PRINT("    mov x19, x0\n    mov x20, x1\n    mov x21, x2\n    mov x22, x3\n    mov x23, x4\n");
    number(t, "x27", t->stride);
    PRINT(".Lpass:\n    cbz x21, .Ldone\n    add x24, x21, #%" PRIu32 "\n    lsr x24, x24, #2\n    cmp x24, x23\n"
          "    csel x24, x24, x23, lo\n", t->target->tile - 1);
    pack(t);
    run_segments(t);
    unpack(t);
    PRINT("    subs x21, x21, x24, lsl #2\n    csel x21, x21, xzr, hs\n    b .Lpass\n.Ldone:\n");
    for (int i = 0; i < 4; i++) PRINT("    ldp d%d, d%d, [sp, #%d]\n", 8 + 2 * i, 9 + 2 * i, 96 + 16 * i);
    for (int i = 0; i < 5; i++) PRINT("    ldp x%d, x%d, [sp, #%d]\n", 19 + 2 * i, 20 + 2 * i, 16 + 16 * i);
    PRINT("    ldp x29, x30, [sp], #160\n    ret\n");
}

const ioa_text_family ioa_text_arm = {open_text, activation, writer, run};
