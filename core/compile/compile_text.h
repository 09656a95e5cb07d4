/* Writers of assembler text: one table of functions per family. */
#ifndef IOA_CORE_COMPILE_TEXT_H
#define IOA_CORE_COMPILE_TEXT_H

#include "core/base/bytes.h"
#include "core/compile/compile_lower.h"

typedef struct ioa_text {
    ioa_bytes out;
    const ioa_target *target;
    const ioa_program *program;
    const char *name;         /* of the C function */
    uint32_t inputs, outputs; /* of the network */
    uint32_t used_inputs;     /* entries of the list .Linputs: column and slot offsets, in bytes */
    uint32_t group;           /* tiles of a pass with a scratch, */
    uint32_t stack_group;     /* and on the stack */
    uint32_t row, stride;     /* bytes of a value and of all values of a tile */
    uint32_t nobody;          /* offset, in bytes, of a value nobody reads; there is none where every input is used */
    uint64_t *stream_from;    /* [segments] index of a segment's first constant */
} ioa_text;

typedef struct ioa_text_family {
    void (*open)(ioa_text *text);                           /* before everything else */
    void (*activation)(ioa_text *text, unsigned activation); /* a routine that is called */
    ioa_writer (*writer)(ioa_text *text, bool prefetch);
    void (*run)(ioa_text *text); /* the C functions */
} ioa_text_family;

extern const ioa_text_family ioa_text_x86, ioa_text_arm;

#endif
