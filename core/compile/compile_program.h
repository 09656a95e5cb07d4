/* A schedule as a program for a register file: the step between an order and machine code of any instruction set.
 *
 * The generator simulates the register file under MIN and writes one instruction for every transfer of the model:
 * a FMA reads a weight, a LOAD or a BROADCAST (of a bias or a constant) reads a neuron, a STORE writes one. Identity,
 * ReLU, square, abs and negate are applied in registers. Any other activation waits: the raw sum is stored when it
 * is complete, and before the first of the waiting values is needed all of them pass through register 0 and a CALL;
 * what that moves is counted apart. */
#ifndef IOA_CORE_COMPILE_PROGRAM_H
#define IOA_CORE_COMPILE_PROGRAM_H

#include "core/model/plan_steps.h"

#include <ioanneal/network.h>
#include <stdbool.h>

#define IOA_CALL_REGISTERS 10u /* a CALL takes its argument in 0, a parameter in 1, and changes those below this */
#define IOA_MOST_REGISTERS 31u

typedef enum ioa_op {
    IOA_OP_LOAD,      /* a = slot */
    IOA_OP_STORE,     /* slot = a */
    IOA_OP_BROADCAST, /* every lane of a = value */
    IOA_OP_FMA,       /* a += b * value */
    IOA_OP_ACTIVATE,  /* a = activation(a), one of those applied in registers */
    IOA_OP_CALL,      /* register 0 = activation(register 0) */
} ioa_op;

typedef struct ioa_instruction {
    uint8_t op, a, b, activation;
    union {
        uint32_t slot; /* LOAD, STORE */
        float value;   /* BROADCAST, FMA */
    };
} ioa_instruction;

typedef struct ioa_program {
    ioa_instruction *code; /* owned, as the next ones */
    uint64_t count, room;
    uint64_t *segment;      /* [segments + 1] first instruction of each, then `count`; no register lives across */
    uint64_t segments;
    uint32_t *input_slots;  /* [I], UINT32_MAX for an input nobody reads */
    uint32_t *output_slots; /* [S] */
    uint32_t slots;
    uint64_t reads, writes;             /* of the model */
    uint64_t extra_reads, extra_writes; /* of waiting activations */
    uint64_t calls;
    bool called[IOA_ACT_COUNT]; /* activations that a CALL applies */
} ioa_program;

/* Steps as made by ioa_plan_steps_make; `registers` hold neurons (M - 1). Segments are about `segment` connections
 * long, cut where few values are live; 0: one segment. On failure (IOA_ERR_NOMEM) nothing is left to release. */
ioa_status ioa_program_make(const ioa_network *network, const ioa_plan_steps *steps, uint32_t registers,
                            uint64_t segment, ioa_program *program, ioa_error *error);

/* Reorders the instructions within segments so that results are not waited for: chains of sums into one register are
 * spread, loads move ahead. The multiset of instructions, and so the I/O, stays what it is; sums change their
 * sequence. A pure function of the program. IOA_ERR_NOMEM leaves the program as it was. */
ioa_status ioa_program_schedule(ioa_program *program, ioa_error *error);

void ioa_program_clear(ioa_program *program);

#endif
