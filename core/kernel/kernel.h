/* What a plan hands to the kernels: streams, and one table of functions per instruction set.
 *
 * core/kernel/kernel_impl.h is compiled once per instruction set (kernel_portable.c, kernel_avx2.c, kernel_avx512.c), each
 * with its own compiler flags; nothing else of the library may use more than the base instruction set. */
#ifndef IOA_CORE_KERNEL_H
#define IOA_CORE_KERNEL_H

#include <ioanneal/plan.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IOA_MAX_TILE 128u
#define IOA_NO_SLOT UINT32_MAX /* an input nobody reads; tile 1 only: wider tiles have a place for them, to spare branches */

/* Offsets of values are stored premultiplied, in units of 8 bytes (tile 1: of 4 bytes): the addressing mode scales
 * them for free and 32 bits reach 32 GiB of activations. */
#define IOA_OFFSET_BYTES(tile) ((tile) == 1 ? 4u : 8u)

enum {
    IOA_RUN_FIRST = 1, /* start from the bias; otherwise reload the partial sum */
    IOA_RUN_LAST = 2,  /* apply the activation; otherwise store a partial sum */
    IOA_RUN_PARAM = 4, /* one more ioa_step follows the connections; its weight is the activation's parameter */
};

/* Head of a run: `count` connections with one destination, then perhaps the parameter. Tile 1: as steps; else count / 4
 * quads, of one kind throughout the stream, and then count % 4 steps. The heads of a stream come first, then the
 * connections of all runs: where a head is does not depend on what the one before says, or the processor would wait
 * for one head after the other. */
typedef struct ioa_run {
    uint32_t destination; /* offset of its value */
    uint32_t count;
    uint8_t flags;
    uint8_t activation; /* where LAST; otherwise IDENTITY */
    uint16_t reserved;
    float bias; /* where FIRST */
} ioa_run;

/* One connection of a run. */
typedef struct ioa_step {
    uint32_t source; /* offset of its value */
    float weight;
} ioa_step;

/* Four connections of a run, in as many bytes as four steps. A load of a few bytes occupies a port as long as one of a
 * whole register does; offsets in pairs and weights in fours take 3 loads instead of 8. */
typedef struct ioa_quad {
    uint32_t source[4];
    float weight[4];
} ioa_quad;

/* The same with sources that one load brings. Kernels read 8 bytes past the last one, which a stream must have. */
typedef struct ioa_narrow_quad {
    uint16_t source[4];
    float weight[4];
} ioa_narrow_quad;

/* The quads of a stream of runs, or quads and pairs of wide groups. */
typedef enum ioa_quads {
    IOA_QUADS_WIDE,   /* ioa_quad */
    IOA_QUADS_NARROW, /* ioa_narrow_quad, sources in units of 64 bytes: all values are within IOA_NARROW_BYTES */
    IOA_QUADS_NEAR,   /* the same in units of 8 bytes, which addresses scale for free: within IOA_NEAR_BYTES */
    IOA_QUADS_COUNT
} ioa_quads;

#define IOA_NARROW_BYTES (UINT64_C(64) << 16)
#define IOA_NEAR_BYTES (UINT64_C(8) << 16)

#define IOA_GROUP 4u /* destinations of a group */

/* Head of a block of a group: up to four destinations in registers at once. Sources follow, bucketed by the set of
 * destinations they feed (bit k of the mask: destination k), masks ascending: count[mask] times a u32 offset and one
 * float32 weight per set bit, ascending; then padding to 8 bytes. */
typedef struct ioa_group {
    uint32_t destination[IOA_GROUP]; /* offsets */
    float bias[IOA_GROUP];           /* where FIRST */
    float param[IOA_GROUP];
    uint8_t activation[IOA_GROUP];
    uint8_t flags, members;
    uint16_t reserved;
    uint16_t count[1u << IOA_GROUP]; /* [0]: 0 */
} ioa_group;

#define IOA_WIDE 16u          /* destinations of a wide group at most; it has 8 or 16 */
#define IOA_WIDE_COLUMNS 256u /* of all members of a wide group together, at most */

/* Head of a block of a wide group of `size` places. IOA_WIDE_ARRAYS(size) bytes follow: of every place the destination's offset
 * (u32), bias (float32, where `first`), the activation's parameter (float32) and activation (u8; all of them 0 without a member).
 * Then the sources that feed all members: `shared` times a u32 offset and a float32 weight for each place, 0 for those without a
 * member; then `rounds` times ioa_wide_pairs(size) / 4 times ioa_pairs; then `singles` times size / 4 quads, in which each place has
 * one connection; then padding to 8 bytes. All rounds of a kind are alike, so that nothing is decided between them. Where a slot is
 * left over, the weight is 0 and the source a value that is 0. */
typedef struct ioa_wide {
    uint32_t shared, rounds, singles;
    uint16_t first;        /* bit k: place k starts from its bias, as IOA_RUN_FIRST */
    uint16_t relu, clipped, others; /* bit k: it is complete, and its activation is ReLU, clipped or not; clipped; or any other
                                       one but identity */
    uint8_t members, reserved[3];
} ioa_wide;

#define IOA_WIDE_ARRAYS(size) ((size) * (2 * sizeof(uint32_t) + sizeof(float) + sizeof(uint8_t)))

/* Four slots, each a source that feeds two members: their weights in pairs. A round has every pair of places once, in size - 1
 * matchings of size / 2 slots, by the circle method: place size - 1 stands still, the others turn. Between two additions to
 * one member come those to all others. */
typedef struct ioa_pairs {
    uint32_t source[4];
    float weight[8];
} ioa_pairs;

/* The same with offsets as in ioa_narrow_quad. */
typedef struct ioa_narrow_pairs {
    uint16_t source[4];
    float weight[8];
} ioa_narrow_pairs;

static inline unsigned ioa_wide_pairs(unsigned size)
{
    return size * (size - 1) / 2;
}

/* The two places of slot i of a matching. */
static inline unsigned ioa_wide_one(unsigned size, unsigned matching, unsigned i)
{
    return i ? (matching + i) % (size - 1) : size - 1;
}

static inline unsigned ioa_wide_other(unsigned size, unsigned matching, unsigned i)
{
    return (matching + size - 1 - i) % (size - 1);
}

#define IOA_SELL_ROWS 16u

/* A chunk of sixteen rows for single samples: how much of everything it takes from two streams. Its values follow those of the
 * chunk before. Of places (u16):
 *     source[shared]           sources that feed all rows
 *     piece[near][2]           connections whose sources are in two pieces of 16 values each: where these begin, in units of 8 bytes;
 *                              AVX-512 only
 *     source[columns][16]      connections one by one; missing ones read a value that is 0
 * Of registers (16 times 4 bytes):
 *     bias; weights of the shared sources, one register each; for every four near columns, or the one to three that are left,
 *     lanes (u32: byte k of lane r: which of the 32 values row r takes of the k-th of them, and IOA_SELL_TAKEN) and their weights;
 *     weights of columns. 0 where there is no connection. Uniform: bias, the weight of every row, lanes. */
typedef struct ioa_sell_chunk {
    uint32_t shared, columns, near;
    uint8_t activation;
    uint8_t uniform; /* 1: every row has one weight for all its connections */
    uint16_t reserved;
    float param;
} ioa_sell_chunk;

/* Head of a stream of `chunks` chunks; they follow it, then places and registers, each aligned to 64 bytes. */
typedef struct ioa_sell {
    uint64_t chunks;
    uint64_t places, registers; /* bytes from the head on */
    uint32_t destination;       /* of the first chunk: sixteen values, aligned */
    uint32_t reserved[9];
} ioa_sell;

#define IOA_SELL_TAKEN 0x80u /* of a lane's byte: the row has a connection here */

_Static_assert(sizeof(ioa_sell) == 64 && sizeof(ioa_sell_chunk) == 20, "streams are packed");
_Static_assert(sizeof(ioa_wide) == 24 && sizeof(ioa_pairs) == 48 && sizeof(ioa_narrow_pairs) == 40, "streams are packed");
_Static_assert(sizeof(ioa_group) == 88, "streams are packed");
_Static_assert(sizeof(ioa_run) == 16 && sizeof(ioa_step) == 8 && sizeof(ioa_quad) == 32 &&
               sizeof(ioa_narrow_quad) == 24, "streams are packed");

/* A CSR matrix with everything a row needs, for the baseline. Borrowed arrays. */
typedef struct ioa_csr {
    const int64_t *indptr;
    const uint32_t *indices;
    const float *weights;
    const float *bias;
    const uint8_t *activation;
    const float *param;     /* or NULL: 0 */
    const uint8_t *skip;    /* rows that are not computed (inputs) */
} ioa_csr;

/* Probes of the machine, by the vectors of an instruction set. */
typedef enum ioa_probe {
    IOA_PROBE_FMA,        /* multiply-adds on registers; unit: floating point operations */
    IOA_PROBE_FMA_MEMORY, /* the same, one operand from `data` */
    IOA_PROBE_READ,       /* reads `data` through; unit: bytes */
    IOA_PROBE_LINES,      /* reads and, every fourth of them, writes lines of 64 bytes in no order, as many as the largest
                             power of two that fits; bytes */
    IOA_PROBE_WRITE,      /* writes `data` through; bytes */
} ioa_probe;

#define IOA_FAR_BYTES ((size_t)6 << 20)

/* Whether the rows of a batch, `columns` floats each, are too many to be near: packing goes through them in another sequence. */
static inline bool ioa_is_far(size_t batch, size_t columns)
{
    return batch * columns * sizeof(float) > IOA_FAR_BYTES;
}

/* Functions of one instruction set. `values` is aligned to 64 bytes; `width` is the number of batch columns to
 * compute: 1 (tile 1 only), 16, 32, 64 or 128, at most the tile. The summation order of a value depends on the tile
 * only, never on the width. */
typedef struct ioa_kernel {
    /* Executes `count` runs, followed by their connections, on the first `width` columns. `ahead`: prefetch the stream, because it does not stay in L2 from tile to tile. */
    void (*run)(const ioa_run *runs, uint64_t count, float *values, uint32_t tile, uint32_t width, ioa_quads quads, bool ahead);
    /* Executes the stream [stream, end) of groups, likewise; not for tile 1. */
    void (*groups)(const void *stream, const void *end, float *values, uint32_t width, bool ahead);
    /* The same for wide groups of `size` (8 or 16) places, whose quads and pairs are of one kind. */
    void (*wide)(const void *stream, const void *end, float *values, unsigned size, uint32_t width, ioa_quads quads, bool ahead);
    /* A stream of chunks of rows, on one sample. */
    void (*sell)(const ioa_sell *stream, float *values, bool ahead);
    /* Transposes x ([rows, stride], row-major; column i goes to offsets[i]) into the first `width` columns; rows
     * from `rows` on become 0. `far`: as ioa_is_far tells of the whole batch. */
    void (*pack)(const float *x, size_t stride, uint32_t rows, const uint32_t *offsets, float *values, uint32_t tile,
                 uint32_t width, bool far);
    /* The way back: y [rows, stride]. */
    void (*unpack)(float *y, size_t stride, uint32_t rows, const uint32_t *offsets, const float *values,
                   uint32_t tile, bool far);
    /* Rows [first, last) of a CSR matrix on `width` columns of values with `stride` floats from neuron to neuron. */
    void (*rows)(const ioa_csr *csr, uint32_t first, uint32_t last, float *values, size_t stride, uint32_t width);
    /* Goes `repeats` times over `floats` (a multiple of 1024) of `data`; returns the units of work done. */
    double (*probe)(ioa_probe probe, float *data, size_t floats, uint64_t repeats);
    /* Applies an activation in place to `width` aligned floats (a multiple of 16). */
    void (*activate)(unsigned activation, float param, float *row, uint32_t width);
} ioa_kernel;

extern const ioa_kernel ioa_kernel_portable;
extern const ioa_kernel ioa_kernel_avx2;   /* only where IOA_HAVE_X86_KERNELS */
extern const ioa_kernel ioa_kernel_avx512; /* only where IOA_HAVE_X86_KERNELS */

/* Table of an instruction set; AUTO: the best available. NULL if it is not available. */
const ioa_kernel *ioa_kernel_for(ioa_isa isa);

/* Smallest supported width that holds `rows` columns of a tile. */
uint32_t ioa_kernel_width(uint32_t tile, size_t rows);

#endif
