/* Schedules compiled to files: assembler text and a C header, for programs that need nothing else.
 *
 * The same programs as in core/compile/compile.h, for AVX-512 (M = 32, 16 samples a tile), AVX2 (M = 16, 8) and NEON (M = 32,
 * 4): GNU assembler syntax for ELF, position-independent, no symbols needed, no data written. Two functions:
 *     void NAME(const float *x, float *y, size_t batch);                      activations on the stack
 *     void NAME_with(const float *x, float *y, size_t batch, void *scratch);  activations where the caller says
 * x [batch, I], y [batch, S], row-major; both may be called by any number of threads at once. */
#ifndef IOA_CORE_COMPILE_FILE_H
#define IOA_CORE_COMPILE_FILE_H

#include "core/compile/compile.h"

typedef enum ioa_code_isa { IOA_CODE_AVX512 = 0, IOA_CODE_AVX2, IOA_CODE_NEON, IOA_CODE_ISA_COUNT } ioa_code_isa;

const char *ioa_code_isa_name(ioa_code_isa isa); /* "avx512", "avx2", "neon" */
int ioa_code_isa_from_name(const char *name);    /* -1 if unknown */
uint32_t ioa_code_isa_memory(ioa_code_isa isa);  /* M of the model */
int ioa_code_isa_runs_here(ioa_code_isa isa);    /* 1 if this processor executes it */

typedef struct ioa_code_file {
    char *assembly, *header; /* owned, NUL-terminated */
    size_t assembly_length, header_length;
    size_t scratch_bytes; /* of NAME_with, aligned to 64 bytes */
    size_t stack_bytes;   /* that NAME takes, about */
    uint32_t tile, group;
    ioa_code_facts facts; /* code_bytes is not known here: 0 */
} ioa_code_file;

/* `name`: a C identifier. `order` and `options` as in ioa_code_create. Release with ioa_code_file_clear.
 * IOA_ERR_INPUT for a name that is none, or a network too large for the instruction set; IOA_ERR_NOMEM. */
ioa_status ioa_code_file_make(const ioa_network *network, const uint32_t *order, ioa_code_isa isa,
                              const ioa_code_options *options, const char *name, ioa_code_file *file,
                              ioa_error *error);

void ioa_code_file_clear(ioa_code_file *file);

#endif
