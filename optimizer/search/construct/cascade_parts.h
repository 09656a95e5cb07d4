/* Parts of a network that a fast memory can hold while it goes through several depths at once. */
#ifndef IOA_SEARCH_CASCADE_PARTS_H
#define IOA_SEARCH_CASCADE_PARTS_H

#include "core/model/network.h"

/* Depths are put together into passes, from the inputs on: a pass goes as deep as its connected components (sources of the
 * first depth included) have at most `most` neurons at any depth but the last. As an FFT is blocked: a component keeps what
 * it computes to itself, until its last depth. `part` [N] becomes the number of each destination's component, ascending
 * from pass to pass, and within one as their first neurons are met, depth by depth; of other neurons it is undefined.
 * `*divided`: destinations in passes of more than one depth of which no component has more than half. `depth` [N] as
 * ioa_network_depths tells, with its largest, `deepest`. Near-linear. IOA_ERR_NOMEM. */
ioa_status ioa_cascade_parts(const ioa_network *network, const uint32_t *depth, uint32_t deepest, uint32_t most,
                             uint32_t *part, uint64_t *divided, ioa_error *error);

#endif
