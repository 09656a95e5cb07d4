/* Gathers and scatters take a place after the other, tens of cycles for a column; squares that are transposed in registers, a few. A
 * table has a row per square: the byte at which its columns begin in a sample, and for each column that of its value in the tile. */
#include "core/compile/compile_text_pack.h"

#include <inttypes.h>

#define PRINT(...) ioa_bytes_print(&t->out, __VA_ARGS__)
#define EVEN 31u /* AVX-512: which lanes vpermt2ps takes */
#define ODD 30u

static bool is_wide(const ioa_text *t)
{
    return t->target == &ioa_target_avx512;
}

static uint32_t lanes(const ioa_text *t)
{
    return t->target->tile;
}

/* The first column of the next square, column `from` (a multiple of half a square) or behind it; `inputs` if there is none. Squares
 * begin where columns are read, and the last one may repeat columns of the one before. */
static uint32_t next_input_square(const ioa_text *t, uint32_t from)
{
    uint32_t last = t->inputs - lanes(t), first = from;
    while (first < t->inputs && t->program->input_slots[first] == UINT32_MAX) first++;
    if (first >= t->inputs) return t->inputs;
    first -= first % (lanes(t) / 2); /* halves of rows are loaded: none of them is to be split between two lines */
    return first < last ? first : last;
}

static uint32_t next_output_square(const ioa_text *t, uint32_t from)
{
    uint32_t last = t->outputs - lanes(t);
    return from >= t->outputs ? t->outputs : from < last ? from : last;
}

bool ioa_text_packs_squares(const ioa_text *t)
{
    return t->used_inputs && t->inputs >= lanes(t);
}

bool ioa_text_unpacks_squares(const ioa_text *t)
{
    return t->outputs >= lanes(t);
}

static void table_row(ioa_text *t, uint32_t column, const uint32_t *slots)
{
    PRINT("    .long %" PRIu32, column * 4);
    for (uint32_t c = 0; c < lanes(t); c++)
        PRINT(", %" PRIu32, slots[column + c] == UINT32_MAX ? t->nobody : slots[column + c] * t->row);
    PRINT("\n");
}

/* Of two neighbours the second comes first, as core/kernel/kernel_pack.h explains. */
static void table_rows(ioa_text *t, uint32_t (*next)(const ioa_text *, uint32_t), uint32_t columns, const uint32_t *slots)
{
    for (uint32_t first = next(t, 0), second; first < columns; first = next(t, second + lanes(t))) {
        second = next(t, first + lanes(t));
        if (second < columns) table_row(t, second, slots);
        else second = first;
        table_row(t, first, slots);
    }
}

void ioa_text_square_tables(ioa_text *t)
{
    if (is_wide(t))
        PRINT("    .balign 64\n.Leven:\n    .long 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27\n"
              ".Lodd:\n    .long 20, 21, 22, 23, 4, 5, 6, 7, 28, 29, 30, 31, 12, 13, 14, 15\n");
    if (ioa_text_packs_squares(t)) {
        PRINT(".Lsquares_in:\n");
        table_rows(t, next_input_square, t->inputs, t->program->input_slots);
        PRINT(".Lsquares_in_end:\n");
    }
    if (ioa_text_unpacks_squares(t)) {
        PRINT(".Lsquares_out:\n");
        table_rows(t, next_output_square, t->outputs, t->program->output_slots);
        PRINT(".Lsquares_out_end:\n");
    }
}

static void three(ioa_text *t, const char *name, unsigned d, unsigned a, unsigned b)
{
    char v = is_wide(t) ? 'z' : 'y';
    PRINT("    %s %cmm%u, %cmm%u, %cmm%u\n", name, v, d, v, a, v, b);
}

/* The 4 x 4 squares in the lanes of 128 bits of four registers, by four free ones. */
static void transpose_lanes(ioa_text *t, unsigned r, unsigned free)
{
    three(t, "vunpcklps", free, r, r + 1);
    three(t, "vunpckhps", free + 1, r, r + 1);
    three(t, "vunpcklps", free + 2, r + 2, r + 3);
    three(t, "vunpckhps", free + 3, r + 2, r + 3);
    three(t, "vunpcklpd", r, free, free + 2);
    three(t, "vunpckhpd", r + 1, free, free + 2);
    three(t, "vunpcklpd", r + 2, free + 1, free + 3);
    three(t, "vunpckhpd", r + 3, free + 1, free + 3);
}

/* Registers from r on, half as many as lanes: each has half a row of place i and half a row of place i + lanes / 2, and gets one
 * column of all places. */
static void transpose(ioa_text *t, unsigned r)
{
    transpose_lanes(t, r, is_wide(t) ? 16 : 8);
    if (!is_wide(t)) return;
    transpose_lanes(t, r + 4, 20);
    for (unsigned k = r; k < r + 4; k++)
        PRINT("    vmovaps zmm24, zmm%u\n    vpermt2ps zmm%u, zmm%u, zmm%u\n    vpermt2ps zmm%u, zmm%u, zmm24\n", k, k, EVEN,
              k + 4, k + 4, ODD);
}

/* The lower half of register r, or the upper one, from [base + displacement]. */
static void load_half(ioa_text *t, unsigned r, bool upper, const char *base, uint64_t displacement)
{
    const bool wide = is_wide(t);
    if (!upper) PRINT("    vmovups %cmm%u, [%s + %" PRIu64 "]\n", wide ? 'y' : 'x', r, base, displacement);
    else if (wide) PRINT("    vinsertf32x8 zmm%u, zmm%u, ymmword ptr [%s + %" PRIu64 "], 1\n", r, r, base, displacement);
    else PRINT("    vinsertf128 ymm%u, ymm%u, xmmword ptr [%s + %" PRIu64 "], 1\n", r, r, base, displacement);
}

static void load_lane_choices(ioa_text *t)
{
    if (is_wide(t)) PRINT("    vmovups zmm%u, [rip + .Leven]\n    vmovups zmm%u, [rip + .Lodd]\n", EVEN, ODD);
}

static void next_square(ioa_text *t, const char *name)
{
    PRINT("    add r10, %" PRIu32 "\n    lea rcx, [rip + .Lsquares_%s_end]\n    cmp r10, rcx\n", (lanes(t) + 1) * 4, name);
}

void ioa_text_pack_squares(ioa_text *t)
{
    const uint32_t half = lanes(t) / 2;
    const uint64_t sample = (uint64_t)t->inputs * 4;
    const char v = is_wide(t) ? 'z' : 'y';
    load_lane_choices(t);
    PRINT("    lea r10, [rip + .Lsquares_in]\n.Lsquare_in:\n    mov eax, [r10]\n    add rax, rdi\n");
    for (uint32_t i = 0; i < half; i++) /* both halves of a row together: rows far apart push each other out of L1 */
        for (uint32_t part = 0; part < 2; part++) {
            load_half(t, part * half + i, false, "rax", i * sample + part * half * 4);
            load_half(t, part * half + i, true, "rax", (i + half) * sample + part * half * 4);
        }
    for (uint32_t c = 0; c < 2 * half; c++) {
        if (c % half == 0) transpose(t, c);
        PRINT("    mov ecx, [r10 + %" PRIu32 "]\n    vmovups [r12 + rcx], %cmm%" PRIu32 "\n", 4 + 4 * c, v, c);
    }
    next_square(t, "in");
    PRINT("    jb .Lsquare_in\n");
}

/* Half of the samples at a time: lines that wait to be written, of rows a power of two apart, all want the same places in L1. */
void ioa_text_unpack_squares(ioa_text *t)
{
    const uint32_t half = lanes(t) / 2;
    const uint64_t sample = (uint64_t)t->outputs * 4;
    const char v = is_wide(t) ? 'z' : 'y';
    load_lane_choices(t);
    for (uint32_t part = 0; part < 2; part++) {
        PRINT("    lea rdx, [rsi + %" PRIu64 "]\n    lea r10, [rip + .Lsquares_out]\n.Lsquare_out%" PRIu32
              ":\n    mov eax, [r10]\n    add rax, rdx\n", part * half * sample, part);
        for (uint32_t i = 0; i < 2 * half; i++) {
            PRINT("    mov ecx, [r10 + %" PRIu32 "]\n", 4 + 4 * i);
            load_half(t, i % half, i >= half, "r12 + rcx", part * half * 4);
        }
        transpose(t, 0);
        for (uint32_t k = 0; k < half; k++)
            PRINT("    vmovups [rax + %" PRIu64 "], %cmm%" PRIu32 "\n", k * sample, v, k);
        next_square(t, "out");
        PRINT("    jb .Lsquare_out%" PRIu32 "\n", part);
    }
}
