/* From a program to machine instructions: places of values and constants become addresses, and a writer per
 * instruction set puts the result into bytes or into assembler text. */
#ifndef IOA_CORE_COMPILE_LOWER_H
#define IOA_CORE_COMPILE_LOWER_H

#include "core/compile/compile_program.h"

#define IOA_MOST_BASES 13u

/* What the generator must know of an instruction set. */
typedef struct ioa_target {
    const char *name;
    uint32_t memory;       /* M of the model: vector registers */
    uint32_t tile;         /* samples of a tile = float32 lanes of a register */
    uint32_t bases;        /* general registers that point into the values */
    int32_t base_reach;    /* slots on either side of a base with a short displacement; 0: any slot from one base */
    uint64_t stream_reach; /* constants on either side of the stream pointer; 0: it walks by itself */
} ioa_target;

extern const ioa_target ioa_target_avx512, ioa_target_avx2, ioa_target_neon;

/* A writer of machine instructions; `self` is handed to every function. */
typedef struct ioa_writer {
    void *self;
    /* The segment's bases: base i points at slot bases[i]. `stream` is the index of its first constant. */
    void (*begin)(void *self, uint64_t segment, const int32_t *bases, uint32_t count, uint64_t stream);
    void (*end)(void *self);
    /* LOAD and STORE: relative to a base; BROADCAST and FMA: relative to the stream pointer. In bytes. */
    void (*access)(void *self, const ioa_instruction *in, uint32_t base, int32_t displacement);
    void (*activate)(void *self, const ioa_instruction *in);
    void (*call)(void *self, unsigned activation);
    void (*advance)(void *self, int32_t bytes); /* the stream pointer */
    void (*prefetch)(void *self);               /* code to come; NULL: not wanted */
} ioa_writer;

/* Writes all segments; fills `stream` with the constants in the order of their use, `from` [segments] (or NULL) with
 * the index of each segment's first one, and returns their number: at most one per instruction. IOA_ERR_NOMEM. */
ioa_status ioa_lower(const ioa_program *program, const ioa_target *target, const ioa_writer *writer, float *stream,
                     uint64_t *from, uint64_t *used, ioa_error *error);

#endif
