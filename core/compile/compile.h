/* Schedules compiled to straight-line machine code, in memory: AVX-512 or AVX2.
 *
 * The register file is the fast memory of the model with M = 32: one neuron value of a batch tile of 16 is one zmm
 * register, 31 of them hold neurons, and the weight's slot is the broadcast memory operand of a fused multiply-add.
 * (AVX2: M = 16, tiles of 8, and the sixteenth register is the weight's slot.)
 * Every step of the order is one FMA, every read of the model one load (a bias or a constant: a broadcast), every
 * write one store, and evictions are Belady's (MIN). So the I/O counted by ioa_memory_count(.., M, MIN, ..) is the
 * number of memory instructions in the code, exactly, as long as it is one segment, nothing is pruned, and all
 * activations are identity, ReLU, square, abs or negate, which are applied in registers. Any other activation waits:
 * its raw sum is stored, and before the first of the waiting values is needed all of them are loaded, activated and
 * stored again; what that moves beyond the model is counted apart.
 *
 * Weights, biases and constants lie in one stream in the order of their use. Within some hundred instructions the
 * sequence is changed so that sums into one register do not wait for each other; the I/O stays the same.
 * Long code is cut into segments, each run over several tiles before the next one, since fetching instructions
 * from beyond L2 costs more than the values reloaded at a cut; cuts go where few values are live. */
#ifndef IOA_CORE_COMPILE_H
#define IOA_CORE_COMPILE_H

#include <ioanneal/network.h>
#include <ioanneal/plan.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct ioa_code ioa_code; /* immutable; may be shared by threads that bring a scratch each */

typedef struct ioa_code_options {
    ioa_isa isa;      /* AUTO: the best */
    uint64_t segment; /* connections of a segment; 0: one segment, I/O exactly the model's */
    uint32_t group;   /* tiles a segment runs over before the next one starts; 0: 1, or 8 with segments */
    bool ahead;       /* prefetch code in one piece (segments are prefetched anyway): 1.2 times as fast beyond L2, 10 per cent
                         slower within; not for NEON */
    bool prune;       /* leave out neurons that no output needs and fold constants: less I/O than the model counts */
    bool as_ordered;  /* keep the order's own sequence of instructions: to see what reordering them brings */
} ioa_code_options;

/* What the generator wrote; the model's counts where there is one segment and nothing is pruned. */
typedef struct ioa_code_facts {
    uint64_t products;      /* FMAs */
    uint64_t reads, writes; /* of the model: FMA operands, loads and broadcasts; stores */
    uint64_t extra_reads, extra_writes; /* for activations that are not applied in registers */
    uint64_t calls;                     /* of such activations */
    uint64_t segments;
    size_t code_bytes, stream_bytes;
} ioa_code_facts;

/* 1 if this processor and this build can run compiled schedules. */
int ioa_code_available(ioa_isa isa);

/* M of the model, and samples of a tile; 0 for an instruction set without compiled code. */
uint32_t ioa_code_memory(ioa_isa isa);
uint32_t ioa_code_tile(ioa_isa isa);

/* `order` [W] is a legal order, best one optimized for that M under MIN; NULL: layered. `options` may be NULL.
 * Keeps no reference to its arguments. IOA_ERR_INPUT where not available or the network is too large (2 GiB of
 * values or of code), IOA_ERR_SYSTEM if the system refuses executable memory, IOA_ERR_NOMEM. */
ioa_status ioa_code_create(const ioa_network *network, const uint32_t *order, const ioa_code_options *options,
                           ioa_code **code, ioa_error *error);
void ioa_code_destroy(ioa_code *code); /* NULL is allowed */

ioa_code_facts ioa_code_describe(const ioa_code *code);

/* The instructions of the segments, borrowed: for tests and tools. */
const unsigned char *ioa_code_text(const ioa_code *code, size_t *length);

/* Bytes per second of straight-line code that is `bytes` long (more than L1 holds, less than L2); 0 if none can run. */
double ioa_code_fetch_rate(size_t bytes, double seconds);

/* y = network(x), x [batch, I], y [batch, S], row-major; scratch of ioa_code_scratch_bytes, aligned to 64 bytes. */
size_t ioa_code_scratch_bytes(const ioa_code *code);
void ioa_code_run(const ioa_code *code, const float *x, float *y, size_t batch, void *scratch);

/* What of that is not the schedule's code: x is packed into the scratch, and what was there before unpacked into y. To see
 * how long it takes. */
void ioa_code_pack(const ioa_code *code, const float *x, float *y, size_t batch, void *scratch);

#endif
