/* The blocks of the cascade, for methods that go on from them. */
#ifndef IOA_SEARCH_CONSTRUCT_CASCADE_H
#define IOA_SEARCH_CONSTRUCT_CASCADE_H

#include "optimizer/search/construct/partition.h"

/* Settings that are worth being tried. */
unsigned ioa_construct_cascade_settings(const ioa_network *network);

/* Blocks of at most `size` destinations in a legal sequence; the caller destroys the partition. Told to stop by `limits`
 * (NULL: never), it ends with `limits->stopped`, and the partition is good for nothing but being destroyed. On failure
 * there is none. IOA_ERR_NOMEM. */
ioa_status ioa_construct_cascade_blocks(const ioa_network *network, uint32_t size, unsigned which,
                                        ioa_construct_limits *limits, ioa_partition *blocks, ioa_error *error);

#endif
