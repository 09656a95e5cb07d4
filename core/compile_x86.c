#include "core/compile_x86.h"

#include "core/mem.h"

#include <string.h>

/* Opcode maps and prefixes of EVEX. */
enum { MAP_0F = 1, MAP_0F38 = 2, PREFIX_NONE = 0, PREFIX_66 = 1 };

void ioa_x86_bytes(ioa_x86 *code, const void *bytes, size_t count)
{
    if (code->failed) return;
    if (count > code->room - code->length) {
        size_t room = code->room * 2 + count + 4096;
        unsigned char *grown = ioa_alloc(room, 1);
        if (!grown) {
            code->failed = true;
            return;
        }
        if (code->length) memcpy(grown, code->bytes, code->length);
        ioa_free(code->bytes);
        code->bytes = grown;
        code->room = room;
    }
    memcpy(code->bytes + code->length, bytes, count);
    code->length += count;
}

void ioa_x86_u32(ioa_x86 *code, uint32_t value)
{
    unsigned char bytes[4] = {(unsigned char)value, (unsigned char)(value >> 8), (unsigned char)(value >> 16),
                              (unsigned char)(value >> 24)};
    ioa_x86_bytes(code, bytes, 4);
}

void ioa_x86_u64(ioa_x86 *code, uint64_t value)
{
    ioa_x86_u32(code, (uint32_t)value);
    ioa_x86_u32(code, (uint32_t)(value >> 32));
}

/* Prefix and opcode: registers are stored inverted, their fifth bits apart. `rm_high` holds bits 3 and 4 of a
 * register operand in ModRM.rm (0 for our base registers). */
static void evex(ioa_x86 *code, int map, int prefix, int opcode, int reg, int second, bool broadcast, int rm_high)
{
    unsigned p0 = (unsigned)map | (reg & 8 ? 0 : 0x80u) | (rm_high & 16 ? 0 : 0x40u) | (rm_high & 8 ? 0 : 0x20u) |
                  (reg & 16 ? 0 : 0x10u);
    unsigned p1 = (~(unsigned)second & 15) << 3 | 4 | (unsigned)prefix;
    unsigned p2 = 0x40u | (broadcast ? 0x10u : 0) | (second & 16 ? 0 : 8u); /* 512 bits */
    unsigned char bytes[5] = {0x62, (unsigned char)p0, (unsigned char)p1, (unsigned char)p2, (unsigned char)opcode};
    ioa_x86_bytes(code, bytes, 5);
}

/* [base + displacement], compressed to one byte in units of `unit` where possible. */
static void memory_operand(ioa_x86 *code, int reg, int base, int32_t displacement, int unit)
{
    bool is_short = displacement % unit == 0 && displacement / unit >= -128 && displacement / unit <= 127;
    unsigned char modrm = (unsigned char)((is_short ? 0x40 : 0x80) | (reg & 7) << 3 | base);
    ioa_x86_bytes(code, &modrm, 1);
    if (is_short) {
        unsigned char byte = (unsigned char)(displacement / unit);
        ioa_x86_bytes(code, &byte, 1);
    } else
        ioa_x86_u32(code, (uint32_t)displacement);
}

static void register_operand(ioa_x86 *code, int reg, int rm)
{
    unsigned char modrm = (unsigned char)(0xc0 | (reg & 7) << 3 | (rm & 7));
    ioa_x86_bytes(code, &modrm, 1);
}

void ioa_x86_load(ioa_x86 *code, int zmm, int base, int32_t displacement)
{
    evex(code, MAP_0F, PREFIX_NONE, 0x10, zmm, 0, false, 0);
    memory_operand(code, zmm, base, displacement, 64);
}

void ioa_x86_store(ioa_x86 *code, int zmm, int base, int32_t displacement)
{
    evex(code, MAP_0F, PREFIX_NONE, 0x11, zmm, 0, false, 0);
    memory_operand(code, zmm, base, displacement, 64);
}

void ioa_x86_broadcast(ioa_x86 *code, int zmm, int base, int32_t displacement)
{
    evex(code, MAP_0F38, PREFIX_66, 0x18, zmm, 0, false, 0);
    memory_operand(code, zmm, base, displacement, 4);
}

void ioa_x86_fma(ioa_x86 *code, int sum, int source, int base, int32_t displacement)
{
    evex(code, MAP_0F38, PREFIX_66, 0xb8, sum, source, true, 0);
    memory_operand(code, sum, base, displacement, 4);
}

void ioa_x86_zero(ioa_x86 *code, int zmm)
{
    evex(code, MAP_0F, PREFIX_66, 0xef, zmm, zmm, false, zmm);
    register_operand(code, zmm, zmm);
}

void ioa_x86_maximum(ioa_x86 *code, int zmm, int bound)
{
    evex(code, MAP_0F, PREFIX_NONE, 0x5f, zmm, bound, false, zmm);
    register_operand(code, zmm, zmm);
}

void ioa_x86_square(ioa_x86 *code, int zmm)
{
    evex(code, MAP_0F, PREFIX_NONE, 0x59, zmm, zmm, false, zmm);
    register_operand(code, zmm, zmm);
}
