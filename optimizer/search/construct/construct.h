/* Constructive orders: legal orders built directly, near-linear in W, that the annealing starts from. */
#ifndef IOA_SEARCH_CONSTRUCT_H
#define IOA_SEARCH_CONSTRUCT_H

#include <ioanneal/memory.h>
#include <ioanneal/network.h>
#include <stdbool.h>

/* What a method may spend. Its work is counted in elements touched, planned from the size of the network alone: the
 * same order on every machine, however fast. */
typedef struct ioa_construct_limits {
    uint64_t work;               /* elements touched; a method that needs more looks at a sample, or at the rest less closely */
    bool (*stop)(void *context); /* looked at now and then; NULL: never */
    void *context;
    bool stopped;                /* out: it was told to stop, and the order is not to be used */
    uint32_t *greedy;            /* [W] the caller's; keeps the greedy order of a memory, which more than one method begins
                                  * with, for the next call; NULL: nothing is kept */
    bool greedy_kept;            /* in and out: it is there */
} ioa_construct_limits;

/* Asks whether to stop, unless the answer has been yes before. NULL: never. */
bool ioa_construct_told_to_stop(ioa_construct_limits *limits);

/* The work that large networks are given: some seconds, and some passes over the network. */
uint64_t ioa_construct_work(const ioa_network *network);

typedef struct ioa_constructor {
    const char *name;    /* as in `simulate --order NAME` */
    const char *summary; /* one line for --help */
    /* Fills `order` [W] for a fast memory of `memory` slots. Deterministic. IOA_ERR_NOMEM. */
    ioa_status (*build)(const ioa_network *network, uint64_t memory, uint32_t *order, ioa_error *error);
    /* False where the method's work would be far from linear; the automatic choice then leaves it out. NULL: always. */
    bool (*affordable)(const ioa_network *network, uint64_t memory);
    /* The same within limits; NULL: `build` is one pass. */
    ioa_status (*build_within)(const ioa_network *network, uint64_t memory, ioa_construct_limits *limits, uint32_t *order,
                               ioa_error *error);
    /* Its orders are good but lead no further: the search keeps one that is better than what it starts from as a best order,
     * and starts from another one. */
    bool aside;
} ioa_constructor;

/* By how much more an order counts than it costs, where the start of a search under MIN is chosen. Orders that go depth by depth
 * write hidden values and read them again later; annealing seldom gets from there to orders that use them up while they are
 * resident, and ends below what the others come from: communities that go on from layer to layer end with half the excess if they
 * start with a few percent more. So of networks of up to IOA_CONSTRUCT_DEEP connections such an order counts a sixteenth of its
 * `excess` over the compulsory I/O more. 0 for any other order, for one depth, and for larger networks, where a search has no time to
 * make up for a worse start. The search keeps the cheaper order aside (ioa_problem), so that it never ends above it.
 * IOA_ERR_NOMEM. */
#define IOA_CONSTRUCT_DEEP 400000
ioa_status ioa_construct_handicap(const ioa_network *network, const uint32_t *order, uint64_t excess, uint64_t *handicap,
                                  ioa_error *error);

/* The table; NULL past the end. Row 0 is the layered order. */
const ioa_constructor *ioa_constructor_at(unsigned index);
const ioa_constructor *ioa_constructor_find(const char *name);

/* The construction methods (construct_NAME.c). */
ioa_status ioa_construct_blocks(const ioa_network *network, uint64_t memory, uint32_t *order, ioa_error *error);
ioa_status ioa_construct_twins(const ioa_network *network, uint64_t memory, uint32_t *order, ioa_error *error);
ioa_status ioa_construct_cascade(const ioa_network *network, uint64_t memory, uint32_t *order, ioa_error *error);
bool ioa_construct_cascade_affordable(const ioa_network *network, uint64_t memory);
ioa_status ioa_construct_sequence(const ioa_network *network, uint64_t memory, uint32_t *order, ioa_error *error);
ioa_status ioa_construct_sequence_within(const ioa_network *network, uint64_t memory, ioa_construct_limits *limits,
                                         uint32_t *order, ioa_error *error);
ioa_status ioa_construct_greedy(const ioa_network *network, uint64_t memory, uint32_t *order, ioa_error *error);
ioa_status ioa_construct_blocks_within(const ioa_network *network, uint64_t memory, ioa_construct_limits *limits,
                                       uint32_t *order, ioa_error *error);
ioa_status ioa_construct_twins_within(const ioa_network *network, uint64_t memory, ioa_construct_limits *limits,
                                      uint32_t *order, ioa_error *error);
ioa_status ioa_construct_cascade_within(const ioa_network *network, uint64_t memory, ioa_construct_limits *limits,
                                        uint32_t *order, ioa_error *error);
ioa_status ioa_construct_greedy_within(const ioa_network *network, uint64_t memory, ioa_construct_limits *limits,
                                       uint32_t *order, ioa_error *error);
bool ioa_construct_greedy_affordable(const ioa_network *network, uint64_t memory);
/* Of networks of up to IOA_SEPARATION_NEURONS neurons; layered where the search finds nothing in a fixed amount of work. */
ioa_status ioa_construct_separation(const ioa_network *network, uint64_t memory, uint32_t *order, ioa_error *error);
/* Searches some seconds longer. */
ioa_status ioa_construct_separation_within(const ioa_network *network, uint64_t memory, ioa_construct_limits *limits,
                                           uint32_t *order, ioa_error *error);
/* Of the same networks: plays in which none but neurons that cost one transfer are spilled, and walks from their orders. */
ioa_status ioa_construct_spills(const ioa_network *network, uint64_t memory, uint32_t *order, ioa_error *error);
/* Searches some seconds longer. */
ioa_status ioa_construct_spills_within(const ioa_network *network, uint64_t memory, ioa_construct_limits *limits,
                                       uint32_t *order, ioa_error *error);
bool ioa_construct_separation_affordable(const ioa_network *network, uint64_t memory);

#endif
