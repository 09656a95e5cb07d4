/* Packing and unpacking of whole tiles in assembler text for AVX-512 and AVX2: squares of as many samples as a register has lanes,
 * transposed in registers. Part of core/compile/compile_text_x86.c. */
#ifndef IOA_CORE_COMPILE_TEXT_PACK_H
#define IOA_CORE_COMPILE_TEXT_PACK_H

#include "core/compile/compile_text.h"

/* Read-only tables of the squares, into the present section. */
void ioa_text_square_tables(ioa_text *text);

/* A whole tile of x at rdi into the values at r12, or back from there into y at rsi; labels begin with `.Lsquare`. Nothing where
 * there are fewer columns than lanes. Changes rax, rcx, rdx, r10, r11 and vectors. */
bool ioa_text_packs_squares(const ioa_text *text);
void ioa_text_pack_squares(ioa_text *text);
bool ioa_text_unpacks_squares(const ioa_text *text);
void ioa_text_unpack_squares(ioa_text *text);

#endif
