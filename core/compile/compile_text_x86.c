/* AVX-512 and AVX2 as GNU assembler text in Intel's syntax. */
#include "core/compile/compile_math.h"
#include "core/compile/compile_text_pack.h"

#include <inttypes.h>
#include <ioanneal/network.h>
#include <stdio.h>
#include <stdlib.h>

#define ZERO 31u           /* AVX-512: holds 0, as weights are memory operands */
#define WEIGHT 15u         /* AVX2: holds the weight */
#define CODE_AHEAD 16384   /* as in core/compile/compile_x86.c */

#define PRINT(...) ioa_bytes_print(&t->out, __VA_ARGS__)

/* As in core/compile/compile_x86.c; AVX2 has one base only. */
static const char *const bases[IOA_MOST_BASES] = {"rax", "rcx", "rdx", "rbx", "rsi", "r8",  "r9",
                                                  "r10", "r11", "r13", "r14", "r15", "rdi"};

static bool is_wide(const ioa_text *t)
{
    return t->target == &ioa_target_avx512;
}

/* Letter of the vector registers: zmm or ymm. */
static char letter(const ioa_text *t)
{
    return is_wide(t) ? 'z' : 'y';
}

static void open_text(ioa_text *t)
{
    PRINT("    .text\n    .intel_syntax noprefix\n");
}

/* ---- activations that are called ---- */

static void three(ioa_text *t, const char *name, unsigned d, unsigned a, unsigned b)
{
    char v = letter(t);
    PRINT("    %s %cmm%u, %cmm%u, %cmm%u\n", name, v, d, v, a, v, b);
}

static void two(ioa_text *t, const char *name, unsigned d, unsigned a, const char *rest)
{
    PRINT("    %s %cmm%u, %cmm%u%s\n", name, letter(t), d, letter(t), a, rest);
}

static void math(ioa_text *t, const ioa_math *m, unsigned activation, uint32_t constant)
{
    static const char *const plain[] = {
        [IOA_MATH_ADD] = "vaddps", [IOA_MATH_SUB] = "vsubps", [IOA_MATH_MUL] = "vmulps", [IOA_MATH_DIV] = "vdivps",
        [IOA_MATH_MIN] = "vminps", [IOA_MATH_MAX] = "vmaxps", [IOA_MATH_FMA] = "vfmadd231ps",
        [IOA_MATH_FNMA] = "vfnmadd231ps", [IOA_MATH_IADD] = "vpaddd", [IOA_MATH_ISUB] = "vpsubd",
        [IOA_MATH_SELECT] = NULL};
    bool wide = is_wide(t);
    char shift[16];
    switch (m->op) {
    case IOA_MATH_CONST:
        PRINT("    vbroadcastss %cmm%u, dword ptr [rip + .Lmath%u + %" PRIu32 "]\n", letter(t), m->d, activation,
              constant * 4);
        break;
    case IOA_MATH_COPY: two(t, "vmovaps", m->d, m->a, ""); break;
    case IOA_MATH_ROUND: two(t, wide ? "vrndscaleps" : "vroundps", m->d, m->a, ", 0"); break;
    case IOA_MATH_TOINT: two(t, "vcvtps2dq", m->d, m->a, ""); break;
    case IOA_MATH_AND: three(t, wide ? "vpandd" : "vpand", m->d, m->a, m->b); break;
    case IOA_MATH_OR: three(t, wide ? "vpord" : "vpor", m->d, m->a, m->b); break;
    case IOA_MATH_XOR: three(t, wide ? "vpxord" : "vpxor", m->d, m->a, m->b); break;
    case IOA_MATH_SHL:
    case IOA_MATH_SAR:
        snprintf(shift, sizeof shift, ", %" PRIu32, m->bits);
        two(t, m->op == IOA_MATH_SHL ? "vpslld" : "vpsrad", m->d, m->a, shift);
        break;
    case IOA_MATH_SELECT:
        if (wide) PRINT("    vpternlogd zmm%u, zmm%u, zmm%u, 0xca\n", m->d, m->a, m->b);
        else PRINT("    vblendvps ymm%u, ymm%u, ymm%u, ymm%u\n", m->d, m->b, m->a, m->d);
        break;
    default: three(t, plain[m->op], m->d, m->a, m->b); break;
    }
}

static void activation(ioa_text *t, unsigned code)
{
    ioa_math operations[IOA_MATH_MOST];
    uint32_t count = ioa_math_of(code, operations), constant = 0;
    PRINT("    .section .rodata\n    .balign 4\n.Lmath%u:\n", code);
    for (uint32_t i = 0; i < count; i++)
        if (operations[i].op == IOA_MATH_CONST) PRINT("    .long 0x%08" PRIx32 "\n", operations[i].bits);
    PRINT("    .text\n.Lactivation%u: # %s\n", code, ioa_activation_name(code));
    for (uint32_t i = 0; i < count; i++) {
        math(t, &operations[i], code, constant);
        constant += operations[i].op == IOA_MATH_CONST;
    }
    PRINT("    ret\n");
}

/* ---- segments ---- */

static void begin(void *self, uint64_t segment, const int32_t *slots, uint32_t count, uint64_t stream)
{
    ioa_text *t = self;
    t->stream_from[segment] = stream;
    PRINT(".Lsegment%" PRIu64 ":\n    lea rbp, [rip + .Lstream + %" PRIu64 "]\n", segment, stream * 4);
    for (uint32_t i = 0; i < count; i++)
        if (is_wide(t)) PRINT("    lea %s, [rdi + %" PRId32 "]\n", bases[i], slots[i] * (int32_t)t->row);
    if (is_wide(t)) three(t, "vpxord", ZERO, ZERO, ZERO);
}

static void end(void *self)
{
    ioa_text *t = self;
    PRINT("    ret\n");
}

static void access(void *self, const ioa_instruction *in, uint32_t base, int32_t displacement)
{
    ioa_text *t = self;
    char v = letter(t), sign = displacement < 0 ? '-' : '+';
    int32_t size = abs(displacement);
    const char *from = is_wide(t) ? bases[base] : "rdi";
    switch (in->op) {
    case IOA_OP_LOAD: PRINT("    vmovups %cmm%u, [%s%c%" PRId32 "]\n", v, in->a, from, sign, size); break;
    case IOA_OP_STORE: PRINT("    vmovups [%s%c%" PRId32 "], %cmm%u\n", from, sign, size, v, in->a); break;
    case IOA_OP_BROADCAST:
        PRINT("    vbroadcastss %cmm%u, dword ptr [rbp%c%" PRId32 "]\n", v, in->a, sign, size);
        break;
    default:
        if (is_wide(t)) {
            PRINT("    vfmadd231ps zmm%u, zmm%u, dword ptr [rbp%c%" PRId32 "]{1to16}\n", in->a, in->b, sign, size);
            break;
        }
        PRINT("    vbroadcastss ymm%u, dword ptr [rbp%c%" PRId32 "]\n", WEIGHT, sign, size);
        three(t, "vfmadd231ps", in->a, in->b, WEIGHT);
        break;
    }
}

static void activate(void *self, const ioa_instruction *in)
{
    ioa_text *t = self;
    unsigned zero = is_wide(t) ? ZERO : WEIGHT;
    if (!is_wide(t)) three(t, "vxorps", zero, zero, zero);
    switch (in->activation) {
    case IOA_ACT_RELU: three(t, "vmaxps", in->a, zero, in->a); break; /* NaN stays */
    case IOA_ACT_SQUARE: three(t, "vmulps", in->a, in->a, in->a); break;
    case IOA_ACT_NEGATE: three(t, "vsubps", in->a, zero, in->a); break;
    default: /* abs */
        three(t, "vsubps", zero, zero, in->a);
        three(t, "vmaxps", in->a, zero, in->a);
        if (is_wide(t)) three(t, "vpxord", zero, zero, zero);
        break;
    }
}

static void call(void *self, unsigned code)
{
    ioa_text *t = self;
    PRINT("    call .Lactivation%u\n", code);
}

static void advance(void *self, int32_t bytes)
{
    ioa_text *t = self;
    PRINT("    add rbp, %" PRId32 "\n", bytes);
}

static void prefetch_next(void *self)
{
    ioa_text *t = self;
    PRINT("    prefetcht1 byte ptr [rip+%d]\n", CODE_AHEAD);
}

static ioa_writer writer(ioa_text *t, bool prefetch)
{
    return (ioa_writer){t, begin, end, access, activate, call, advance, prefetch ? prefetch_next : NULL};
}

/* ---- the C functions ----
 * Locals of .Lrun at rsp: x, y, samples left, scratch, tiles of a full pass, tiles of this pass, tiles to go. */

static void entry(ioa_text *t, const char *suffix)
{
    PRINT("    .att_syntax\n    .globl %s%s\n    .type %s%s, @function\n    .balign 16\n%s%s:\n"
          "    .intel_syntax noprefix\n", t->name, suffix, t->name, suffix, t->name, suffix);
}

static void size_of_entry(ioa_text *t, const char *suffix)
{
    PRINT("    .att_syntax\n    .size %s%s, .-%s%s\n    .intel_syntax noprefix\n", t->name, suffix, t->name, suffix);
}

/* The stack is touched page by page, so that guard pages notice. */
static void entries(ioa_text *t)
{
    entry(t, "");
    PRINT("    push rbp\n    mov rbp, rsp\n    mov rcx, rsp\n    sub rcx, %" PRIu64 "\n    and rcx, -64\n"
          "    mov rax, rsp\n.Lprobe:\n    sub rax, 4096\n    cmp rax, rcx\n    jb .Lprobed\n    or byte ptr [rax], 0\n"
          "    jmp .Lprobe\n.Lprobed:\n    mov rsp, rcx\n    mov r8d, %" PRIu32 "\n    call .Lrun\n    leave\n    ret\n",
          (uint64_t)t->stride * t->stack_group, t->stack_group);
    size_of_entry(t, "");
    entry(t, "_with");
    PRINT("    mov r8d, %" PRIu32 "\n    jmp .Lrun\n", t->group);
    size_of_entry(t, "_with");
}

/* Rows of the tile: r9 = min(r13, T). */
static void count_rows(ioa_text *t)
{
    PRINT("    mov r9, r13\n    mov eax, %" PRIu32 "\n    cmp r13, rax\n    cmova r9, rax\n", t->target->tile);
}

static void next_tile(ioa_text *t, const char *pointer, uint32_t columns, const char *label)
{
    PRINT("    mov rax, %" PRIu64 "\n    add %s, rax\n    add r12, %" PRIu32 "\n    sub r13, %" PRIu32
          "\n    dec r14\n    jnz %s\n", (uint64_t)columns * 4 * t->target->tile, pointer, t->stride, t->target->tile,
          label);
}

/* x to the values: whole tiles by squares, others by gathers, where missing samples repeat the last one. */
static void pack(ioa_text *t)
{
    char v = letter(t);
    PRINT("    mov rdi, [rsp]\n    mov r12, [rsp+24]\n    mov r13, [rsp+16]\n    mov r14, [rsp+40]\n.Lpack:\n");
    count_rows(t);
    if (ioa_text_packs_squares(t)) {
        PRINT("    cmp r9d, %" PRIu32 "\n    jb .Lpack_part\n", t->target->tile);
        ioa_text_pack_squares(t);
        PRINT("    jmp .Lpack_next\n.Lpack_part:\n");
    }
    PRINT("    lea eax, [r9-1]\n    vmovd xmm0, eax\n    vpbroadcastd %cmm0, xmm0\n"
          "    vpminud %cmm0, %cmm0, [rip + .Llanes]\n    mov eax, %" PRIu32 "\n    vmovd xmm1, eax\n"
          "    vpbroadcastd %cmm1, xmm1\n    vpmulld %cmm3, %cmm0, %cmm1\n", v, v, v, t->inputs * 4, v, v, v, v);
    if (t->used_inputs) {
        PRINT("    lea r10, [rip + .Linputs]\n    mov r11d, %" PRIu32 "\n.Lpack_neuron:\n    mov eax, [r10]\n"
              "    mov ecx, [r10+4]\n    add rax, rdi\n", t->used_inputs);
        if (is_wide(t)) PRINT("    kxnorw k1, k1, k1\n    vgatherdps zmm2{k1}, dword ptr [rax+zmm3*1]\n");
        else PRINT("    vpcmpeqd ymm1, ymm1, ymm1\n    vgatherdps ymm2, dword ptr [rax+ymm3*1], ymm1\n");
        PRINT("    vmovups [r12+rcx], %cmm2\n    add r10, 8\n    dec r11d\n    jnz .Lpack_neuron\n", v);
    }
    PRINT(".Lpack_next:\n");
    next_tile(t, "rdi", t->inputs, ".Lpack");
    PRINT("    mov [rsp], rdi\n");
}

static void run_segments(ioa_text *t)
{
    for (uint64_t s = 0; s < t->program->segments; s++)
        PRINT("    mov r12, [rsp+24]\n    mov rax, [rsp+40]\n    mov [rsp+48], rax\n.Ltile%" PRIu64 ":\n"
              "    mov rdi, r12\n    call .Lsegment%" PRIu64 "\n    add r12, %" PRIu32
              "\n    dec qword ptr [rsp+48]\n    jnz .Ltile%" PRIu64 "\n", s, s, t->stride, s);
}

/* The way back; parts of tiles by scatters, under AVX2, which has none, by scalars. */
static void unpack(ioa_text *t)
{
    PRINT("    mov rsi, [rsp+8]\n    mov r12, [rsp+24]\n    mov r13, [rsp+16]\n    mov r14, [rsp+40]\n.Lunpack:\n");
    count_rows(t);
    if (ioa_text_unpacks_squares(t)) {
        PRINT("    cmp r9d, %" PRIu32 "\n    jb .Lunpack_part\n", t->target->tile);
        ioa_text_unpack_squares(t);
        PRINT("    jmp .Lunpack_next\n.Lunpack_part:\n");
    }
    if (is_wide(t))
        PRINT("    mov eax, %" PRIu32 "\n    vpbroadcastd zmm1, eax\n    vpmulld zmm3, zmm1, [rip + .Llanes]\n"
              "    mov ecx, r9d\n    mov eax, 1\n    shl eax, cl\n    dec eax\n    kmovw k2, eax\n", t->outputs * 4);
    PRINT("    lea r10, [rip + .Loutputs]\n    mov r11d, %" PRIu32 "\n    mov rdx, rsi\n.Lunpack_neuron:\n"
          "    mov ecx, [r10]\n    add rcx, r12\n", t->outputs);
    if (is_wide(t))
        PRINT("    vmovups zmm2, [rcx]\n    kmovw k1, k2\n    vscatterdps dword ptr [rdx+zmm3*1]{k1}, zmm2\n");
    else
        PRINT("    mov r8, r9\n    mov rbx, rdx\n.Lunpack_row:\n    mov eax, [rcx]\n    mov [rbx], eax\n    add rcx, 4\n"
              "    add rbx, %" PRIu32 "\n    dec r8\n    jnz .Lunpack_row\n", t->outputs * 4);
    PRINT("    add rdx, 4\n    add r10, 4\n    dec r11d\n    jnz .Lunpack_neuron\n");
    PRINT(".Lunpack_next:\n");
    next_tile(t, "rsi", t->outputs, ".Lunpack");
    PRINT("    mov [rsp+8], rsi\n");
}

static void run(ioa_text *t)
{
    static const char *const saved[] = {"rbx", "rbp", "r12", "r13", "r14", "r15"};
    uint32_t shift = is_wide(t) ? 4 : 3;
    PRINT("    .section .rodata\n    .balign 64\n.Llanes:\n    .long 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n");
    ioa_text_square_tables(t);
    PRINT("    .text\n");
    entries(t);
    PRINT(".Lrun:\n");
    for (int i = 0; i < 6; i++) PRINT("    push %s\n", saved[i]);
    PRINT("    sub rsp, 56\n    mov [rsp], rdi\n    mov [rsp+8], rsi\n    mov [rsp+16], rdx\n    mov [rsp+24], rcx\n"
          "    mov [rsp+32], r8\n.Lpass:\n    mov rax, [rsp+16]\n    test rax, rax\n    jz .Ldone\n    add rax, %" PRIu32
          "\n    shr rax, %" PRIu32 "\n    cmp rax, [rsp+32]\n    cmova rax, [rsp+32]\n    mov [rsp+40], rax\n",
          t->target->tile - 1, shift);
    pack(t);
    run_segments(t);
    unpack(t);
    PRINT("    mov rax, [rsp+40]\n    shl rax, %" PRIu32 "\n    mov rcx, [rsp+16]\n    xor edx, edx\n    sub rcx, rax\n"
          "    cmovb rcx, rdx\n    mov [rsp+16], rcx\n    jmp .Lpass\n.Ldone:\n    vzeroupper\n    add rsp, 56\n", shift);
    for (int i = 6; i-- > 0;) PRINT("    pop %s\n", saved[i]);
    PRINT("    ret\n");
}

const ioa_text_family ioa_text_x86 = {open_text, activation, writer, run};
