#include "core/compile/compile_x86.h"

#include "core/compile/compile_math.h"

#include <assert.h>
#include <ioanneal/network.h>

#define ZERO 31        /* AVX-512: holds 0, free since weights are memory operands */
#define WEIGHT 15      /* AVX2: holds the weight, which no operand broadcasts there */
#define STREAM 5       /* rbp */
#define VALUES 7       /* rdi on entry */
#define CODE_AHEAD 16384 /* bytes; less helped less */

/* Bases into the values: rsp and r12 would need one more byte, rbp is the stream's; rdi, the argument, comes last. */
static const uint8_t base_registers[IOA_MOST_BASES] = {0, 1, 2, 3, 6, 8, 9, 10, 11, 13, 14, 15, VALUES};

/* Opcode maps and prefixes. */
enum { MAP_0F = 1, MAP_0F38 = 2, MAP_0F3A = 3, NONE = 0, P66 = 1 };

static bool is_wide(const ioa_x86 *code)
{
    return code->target == &ioa_target_avx512;
}

/* AVX2 reaches all values from one base, the argument itself. */
static int base_register(const ioa_x86 *code, uint32_t base)
{
    return is_wide(code) ? base_registers[base] : VALUES;
}

/* Prefix and opcode: registers are stored inverted, their fifth bits apart. `rm` holds bits 3 and 4 of the register in
 * ModRM.rm, a vector or (then at most bit 3) a base. */
static void evex(ioa_bytes *text, int map, int prefix, int opcode, int reg, int second, bool broadcast, int rm)
{
    unsigned p0 = (unsigned)map | (reg & 8 ? 0 : 0x80u) | (rm & 16 ? 0 : 0x40u) | (rm & 8 ? 0 : 0x20u) |
                  (reg & 16 ? 0 : 0x10u);
    unsigned p1 = (~(unsigned)second & 15) << 3 | 4 | (unsigned)prefix;
    unsigned p2 = 0x40u | (broadcast ? 0x10u : 0) | (second & 16 ? 0 : 8u); /* 512 bits */
    unsigned char bytes[5] = {0x62, (unsigned char)p0, (unsigned char)p1, (unsigned char)p2, (unsigned char)opcode};
    ioa_bytes_add(text, bytes, 5);
}

/* The same for 256 bits, in the form of two bytes where there is one. */
static void vex(ioa_bytes *text, int map, int prefix, int opcode, int reg, int second, int rm)
{
    unsigned high = reg & 8 ? 0 : 0x80u, rest = (~(unsigned)second & 15) << 3 | 4 | (unsigned)prefix;
    if (map == MAP_0F && !(rm & 8)) {
        ioa_bytes_byte(text, 0xc5);
        ioa_bytes_byte(text, high | rest);
    } else {
        ioa_bytes_byte(text, 0xc4);
        ioa_bytes_byte(text, high | 0x40u | (rm & 8 ? 0 : 0x20u) | (unsigned)map);
        ioa_bytes_byte(text, rest);
    }
    ioa_bytes_byte(text, (unsigned)opcode);
}

static void prefixed(ioa_x86 *code, int map, int prefix, int opcode, int reg, int second, int rm)
{
    if (is_wide(code)) evex(&code->text, map, prefix, opcode, reg, second, false, rm);
    else vex(&code->text, map, prefix, opcode, reg, second, rm);
}

/* [base + displacement] in one byte where possible, in units of `unit` (EVEX) or bytes (VEX). */
static void memory_operand(ioa_x86 *code, int reg, int base, int32_t displacement, int unit)
{
    if (!is_wide(code)) unit = 1;
    bool is_short = displacement % unit == 0 && displacement / unit >= -128 && displacement / unit <= 127;
    ioa_bytes_byte(&code->text, (unsigned)((is_short ? 0x40 : 0x80) | (reg & 7) << 3 | (base & 7)));
    if (is_short) ioa_bytes_byte(&code->text, (unsigned)(displacement / unit));
    else ioa_bytes_u32(&code->text, (uint32_t)displacement);
}

/* op reg, second, rm, all of them vectors */
static void three(ioa_x86 *code, int map, int prefix, int opcode, int reg, int second, int rm)
{
    prefixed(code, map, prefix, opcode, reg, second, rm);
    ioa_bytes_byte(&code->text, (unsigned)(0xc0 | (reg & 7) << 3 | (rm & 7)));
}

static void set_zero(ioa_x86 *code, int reg)
{
    three(code, MAP_0F, P66, 0xef, reg, reg, reg); /* vpxor, vpxord */
}

/* vbroadcastss reg, [rip + distance to `target`] */
static void broadcast_constant(ioa_x86 *code, int reg, size_t target)
{
    prefixed(code, MAP_0F38, P66, 0x18, reg, 0, 0);
    ioa_bytes_byte(&code->text, (unsigned)((reg & 7) << 3 | 5));
    ioa_bytes_u32(&code->text, (uint32_t)(target - (code->text.length + 4)));
}

/* ---- activations that are called ---- */

/* Operations of three vectors, or of two (second operand 0). */
static const struct {
    uint8_t op, map, prefix, opcode;
} forms[] = {
    {IOA_MATH_ADD, MAP_0F, NONE, 0x58},   {IOA_MATH_SUB, MAP_0F, NONE, 0x5c},  {IOA_MATH_MUL, MAP_0F, NONE, 0x59},
    {IOA_MATH_DIV, MAP_0F, NONE, 0x5e},   {IOA_MATH_MIN, MAP_0F, NONE, 0x5d},  {IOA_MATH_MAX, MAP_0F, NONE, 0x5f},
    {IOA_MATH_FMA, MAP_0F38, P66, 0xb8},  {IOA_MATH_FNMA, MAP_0F38, P66, 0xbc}, {IOA_MATH_IADD, MAP_0F, P66, 0xfe},
    {IOA_MATH_ISUB, MAP_0F, P66, 0xfa},   {IOA_MATH_AND, MAP_0F, P66, 0xdb},   {IOA_MATH_OR, MAP_0F, P66, 0xeb},
    {IOA_MATH_XOR, MAP_0F, P66, 0xef},
};

static void write_math(ioa_x86 *code, const ioa_math *m, size_t constant)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (forms[i].op == m->op) {
            three(code, forms[i].map, forms[i].prefix, forms[i].opcode, m->d, m->a, m->b);
            return;
        }
    switch (m->op) {
    case IOA_MATH_CONST: broadcast_constant(code, m->d, constant); break;
    case IOA_MATH_COPY: three(code, MAP_0F, NONE, 0x28, m->d, 0, m->a); break;  /* vmovaps */
    case IOA_MATH_TOINT: three(code, MAP_0F, P66, 0x5b, m->d, 0, m->a); break;  /* vcvtps2dq */
    case IOA_MATH_ROUND:                                                        /* vrndscaleps, vroundps */
        three(code, MAP_0F3A, P66, 0x08, m->d, 0, m->a);
        ioa_bytes_byte(&code->text, 0);
        break;
    case IOA_MATH_SELECT: /* d ? a : b; vpternlogd, vblendvps */
        if (is_wide(code)) three(code, MAP_0F3A, P66, 0x25, m->d, m->a, m->b);
        else three(code, MAP_0F3A, P66, 0x4a, m->d, m->b, m->a);
        ioa_bytes_byte(&code->text, is_wide(code) ? 0xca : (unsigned)m->d << 4);
        break;
    default: /* vpslld, vpsrad: the destination is the second operand */
        assert(m->op == IOA_MATH_SHL || m->op == IOA_MATH_SAR);
        three(code, MAP_0F, P66, 0x72, m->op == IOA_MATH_SHL ? 6 : 4, m->d, m->a);
        ioa_bytes_byte(&code->text, m->bits);
        break;
    }
}

/* The constants of an activation, its code, ret. */
static void write_routine(ioa_x86 *code, unsigned activation)
{
    ioa_math operations[IOA_MATH_MOST];
    uint32_t count = ioa_math_of(activation, operations);
    size_t constant = code->text.length;
    for (uint32_t i = 0; i < count; i++)
        if (operations[i].op == IOA_MATH_CONST) ioa_bytes_u32(&code->text, operations[i].bits);
    code->routine[activation] = code->text.length;
    for (uint32_t i = 0; i < count; i++) {
        write_math(code, &operations[i], constant);
        if (operations[i].op == IOA_MATH_CONST) constant += 4;
    }
    ioa_bytes_byte(&code->text, 0xc3);
}

void ioa_x86_begin(ioa_x86 *code, const ioa_program *program)
{
    static const unsigned char enter[] = {
        0x53, 0x55, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57, /* push rbx, rbp, r13, r14, r15 */
        0x48, 0x89, 0xf5, 0xff, 0xd2,                   /* mov rbp, rsi; call rdx */
        0x41, 0x5f, 0x41, 0x5e, 0x41, 0x5d, 0x5d, 0x5b, /* pop r15, r14, r13, rbp, rbx */
        0xc5, 0xf8, 0x77, 0xc3};                        /* vzeroupper; ret */
    for (unsigned i = 0; i < IOA_ACT_COUNT; i++)
        if (program->called[i]) write_routine(code, i);
    code->enter = code->text.length;
    ioa_bytes_add(&code->text, enter, sizeof enter);
}

/* ---- segments ---- */

static void begin(void *self, uint64_t segment, const int32_t *bases, uint32_t count, uint64_t stream)
{
    ioa_x86 *code = self;
    (void)stream;
    code->entry[segment] = code->text.length;
    for (uint32_t i = 0; i < count && is_wide(code); i++) { /* lea base, [rdi + slot * 64] */
        ioa_bytes_byte(&code->text, base_registers[i] & 8 ? 0x4c : 0x48);
        ioa_bytes_byte(&code->text, 0x8d);
        ioa_bytes_byte(&code->text, (unsigned)(0x80 | (base_registers[i] & 7) << 3 | VALUES));
        ioa_bytes_u32(&code->text, (uint32_t)(bases[i] * 64));
    }
    if (is_wide(code)) set_zero(code, ZERO);
}

static void end(void *self)
{
    ioa_bytes_byte(&((ioa_x86 *)self)->text, 0xc3);
}

static void access(void *self, const ioa_instruction *in, uint32_t base, int32_t displacement)
{
    ioa_x86 *code = self;
    int from = base_register(code, base);
    switch (in->op) {
    case IOA_OP_LOAD: /* vmovups */
    case IOA_OP_STORE:
        prefixed(code, MAP_0F, NONE, in->op == IOA_OP_LOAD ? 0x10 : 0x11, in->a, 0, from);
        memory_operand(code, in->a, from, displacement, 64);
        break;
    case IOA_OP_BROADCAST: /* vbroadcastss */
        prefixed(code, MAP_0F38, P66, 0x18, in->a, 0, STREAM);
        memory_operand(code, in->a, STREAM, displacement, 4);
        break;
    default: /* vfmadd231ps a, b, [stream]{1to16} */
        if (is_wide(code)) {
            evex(&code->text, MAP_0F38, P66, 0xb8, in->a, in->b, true, STREAM);
            memory_operand(code, in->a, STREAM, displacement, 4);
            break;
        }
        prefixed(code, MAP_0F38, P66, 0x18, WEIGHT, 0, STREAM);
        memory_operand(code, WEIGHT, STREAM, displacement, 4);
        three(code, MAP_0F38, P66, 0xb8, in->a, in->b, WEIGHT);
        break;
    }
}

static void activate(void *self, const ioa_instruction *in)
{
    ioa_x86 *code = self;
    int zero = is_wide(code) ? ZERO : WEIGHT;
    if (!is_wide(code)) set_zero(code, zero);
    switch (in->activation) {
    case IOA_ACT_RELU: three(code, MAP_0F, NONE, 0x5f, in->a, zero, in->a); break; /* NaN stays */
    case IOA_ACT_SQUARE: three(code, MAP_0F, NONE, 0x59, in->a, in->a, in->a); break;
    case IOA_ACT_NEGATE: three(code, MAP_0F, NONE, 0x5c, in->a, zero, in->a); break;
    default: /* abs: max(0 - a, a) */
        three(code, MAP_0F, NONE, 0x5c, zero, zero, in->a);
        three(code, MAP_0F, NONE, 0x5f, in->a, zero, in->a);
        if (is_wide(code)) set_zero(code, zero);
        break;
    }
}

static void call(void *self, unsigned activation)
{
    ioa_x86 *code = self;
    ioa_bytes_byte(&code->text, 0xe8);
    ioa_bytes_u32(&code->text, (uint32_t)(code->routine[activation] - (code->text.length + 4)));
}

static void advance(void *self, int32_t bytes)
{
    static const unsigned char add[] = {0x48, 0x81, 0xc5}; /* add rbp, imm32 */
    ioa_bytes *text = &((ioa_x86 *)self)->text;
    ioa_bytes_add(text, add, sizeof add);
    ioa_bytes_u32(text, (uint32_t)bytes);
}

static void prefetch_next(void *self)
{
    static const unsigned char t1_rip[] = {0x0f, 0x18, 0x15}; /* prefetcht1 [rip + ..] */
    ioa_bytes *text = &((ioa_x86 *)self)->text;
    ioa_bytes_add(text, t1_rip, sizeof t1_rip);
    ioa_bytes_u32(text, CODE_AHEAD);
}

ioa_writer ioa_x86_writer(ioa_x86 *code, bool prefetch)
{
    return (ioa_writer){code, begin, end, access, activate, call, advance, prefetch ? prefetch_next : NULL};
}
