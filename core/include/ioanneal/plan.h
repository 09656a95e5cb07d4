/* Inference plans: a network and an evaluation order made ready to run on this processor.
 *
 * A plan is immutable and may be shared by any number of threads; each thread brings a scratch of its own. Nothing
 * is allocated while a plan runs. Activations live neuron-major in batch tiles of T floats ([neuron][T]); a whole
 * tile runs through the whole network before the next one starts, so results do not depend on batch or threads. */
#ifndef IOANNEAL_PLAN_H
#define IOANNEAL_PLAN_H

#include <ioanneal/network.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef enum ioa_isa { IOA_ISA_AUTO = 0, IOA_ISA_PORTABLE, IOA_ISA_AVX2, IOA_ISA_AVX512, IOA_ISA_COUNT } ioa_isa;

const char *ioa_isa_name(ioa_isa isa);     /* "auto", "portable", "avx2", "avx512" */
int ioa_isa_from_name(const char *name);   /* -1 if unknown */
int ioa_isa_available(ioa_isa isa);        /* 1 if this build has it and this processor runs it */
ioa_isa ioa_isa_best(void);                /* the widest available one */

/* Vector registers: M of the fastest memory there is, each value a tile of one register's width. AUTO: of the best. */
uint32_t ioa_isa_registers(ioa_isa isa);

/* How an evaluation order becomes a sequence of runs (a run = connections with one destination, its accumulator in
 * registers). */
typedef enum ioa_layout {
    IOA_LAYOUT_ORDER = 0,  /* exactly the order's steps: a run ends where the destination changes */
    IOA_LAYOUT_ROWS = 1,   /* one run per neuron, neurons in the sequence in which the order completes them */
    IOA_LAYOUT_SORTED = 2, /* one run per neuron, by depth and then by number of connections; ignores the order */
    IOA_LAYOUT_SHARED_ROWS = 3,   /* as ROWS, but up to four neurons together that share sources: each is loaded once */
    IOA_LAYOUT_SHARED_SORTED = 4, /* the same from SORTED; neither of the two with tile 1 */
    IOA_LAYOUT_SELL = 5,          /* single samples (tile 1 only), sixteen rows of SORTED at once, 16-bit indices; what all
                                     sixteen read is loaded once, and with AVX-512 sources that are near each other are
                                     found by shuffles; where every row has one weight, it is stored once */
    IOA_LAYOUT_CSR = 6,           /* rows as the file has them, nothing left out or renumbered; ignores the order */
    IOA_LAYOUT_COMPILED = 7,      /* the order's steps as machine code, a neuron's value in a register: best with an
                                     order optimized for M = 32 (AVX-512) or M = 16 (AVX2); not for PORTABLE */
    IOA_LAYOUT_COUNT
} ioa_layout;

const char *ioa_layout_name(ioa_layout layout); /* "order", "rows", "sorted", "shared-rows", .. */

typedef struct ioa_plan ioa_plan;

typedef struct ioa_plan_options {
    ioa_isa isa;       /* AUTO: the best available */
    ioa_layout layout;
    uint32_t tile;     /* T in floats: 16, 32, 64 or 128, or 1 (single samples: dot products, no padding); 0: 64.
                          COMPILED: 16 with AVX-512, 8 with AVX2; 0 means that */
    uint32_t panel;    /* layouts of whole rows: sources of a panel, over which all neurons that can pass before the next
                          one, so that its values stay in L1; 0: none. Only ROWS, SORTED and SHARED_ use it */
    uint32_t hot;      /* the same layouts: neurons of a layer after which the next layer reads them, while they are in cache, before
                          the others of theirs are computed; 0: whole layers */
    uint32_t group;    /* CSR: tiles that run through a layer before the next one starts; COMPILED: through a segment;
                          0: 1, or 8 with segments. SHARED_: 8 (tiles of up to 32) or 16 (tiles of 16) neurons share what
                          all or two of them read; 0 or 1: four share what any of them do. SELL: 16: rows that share sources are
                          put together; 0 or 1: rows of one length whose sources are near each other */
    uint32_t segment;  /* COMPILED: connections of a piece of code; 0: all in one */
    uint8_t ahead;     /* COMPILED: 1: prefetch code in one piece, for code beyond L2 */
    uint8_t as_ordered; /* COMPILED: 1: leave the instructions in the order's own sequence */
} ioa_plan_options;

#define IOA_PLAN_NAME 64 /* bytes of a plan's name, NUL included */

/* Options as one word, for records and command lines: instruction set and layout, then what is not 0, as in
 * "avx512/shared-rows/tile64/panel128" or "avx512/compiled/tile16/group4/segment2000/ahead". */
void ioa_plan_options_name(const ioa_plan_options *options, char name[IOA_PLAN_NAME]);

/* The way back. IOA_ERR_INPUT for anything else. */
ioa_status ioa_plan_options_parse(const char *name, ioa_plan_options *options, ioa_error *error);

/* Builds a plan. `order` [W] is a legal order, or NULL for connections in file order. `options` may be NULL (all
 * defaults). The plan keeps no reference to network, order or options.
 * IOA_ERR_INPUT for an unavailable ISA or an impossible tile; IOA_ERR_NOMEM. */
ioa_status ioa_plan_create(const ioa_network *network, const uint32_t *order, const ioa_plan_options *options,
                           ioa_plan **plan, ioa_error *error);
void ioa_plan_destroy(ioa_plan *plan); /* NULL is allowed */

/* Bytes of scratch ioa_plan_run needs, a multiple of 64; the scratch must be aligned to 64 bytes. */
size_t ioa_plan_scratch_bytes(const ioa_plan *plan);

/* y = network(x): x is [batch, I], y [batch, S], both row-major float32. Batch 0 is allowed. */
void ioa_plan_run(const ioa_plan *plan, const float *x, float *y, size_t batch, void *scratch);

/* The same by several threads, started for this call, each with tiles of its own: the results are the same to the last
 * bit for any number of them. The scratch holds `threads` times ioa_plan_scratch_bytes. At most 256 threads are used,
 * and no more than there are tiles. */
void ioa_plan_run_threads(const ioa_plan *plan, const float *x, float *y, size_t batch, uint32_t threads,
                          void *scratch);

/* What to choose a plan for. */
typedef struct ioa_plan_choice {
    ioa_isa isa;
    uint32_t batch;   /* samples of a call, at least 1 */
    uint32_t threads; /* 0: 1 */
    double seconds;   /* for trying; <= 0: 1 */
} ioa_plan_choice;

/* The fastest plan for an order on this machine, by short interleaved timings: plans of every layout and the tiles that
 * suit the batch, plain CSR among them, so that an order never makes inference slower. What is chosen depends on
 * timings and may differ from call to call; ioa_plan_describe and ioa_plan_create repeat a choice. Candidates beyond
 * the time are left out, the likely best ones come first. IOA_ERR_INPUT for impossible choices; IOA_ERR_NOMEM. */
ioa_status ioa_plan_choose(const ioa_network *network, const uint32_t *order, const ioa_plan_choice *choice,
                           ioa_plan **plan, ioa_error *error);

/* Facts for reports. */
void ioa_plan_describe(const ioa_plan *plan, ioa_plan_options *options); /* nothing left at 0 or AUTO that was chosen */
uint32_t ioa_plan_tile(const ioa_plan *plan);
ioa_isa ioa_plan_isa(const ioa_plan *plan);
uint64_t ioa_plan_runs(const ioa_plan *plan); /* or blocks of groups */
uint64_t ioa_plan_connections(const ioa_plan *plan); /* executed ones */
size_t ioa_plan_bytes(const ioa_plan *plan); /* size of the read-only plan */

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
