/* The true optimum of tiny networks, by exhaustive search, to hold bounds and searches against. */
#ifndef IOA_TESTS_SUPPORT_OPTIMAL_H
#define IOA_TESTS_SUPPORT_OPTIMAL_H

#include <ioanneal/network.h>
#include <stdbool.h>

#define IOA_TEST_OPTIMAL_CONNECTIONS 20u
#define IOA_TEST_OPTIMAL_NEURONS 22u /* with a connection */

/* Least excess over LB of any order when evictions are free to choose: no order under any policy has less, and since
 * MIN does not look at what a write costs, the best order under MIN may have more. A uniform-cost search over states
 * (connections done, neurons resident, residents dirty); evictions happen only when a slot is needed, which loses
 * nothing. Gives false, and leaves *excess alone, if the network is larger than the limits above, if more than
 * `max_states` states were met (0: 4 million), or if memory is out. */
bool ioa_test_optimal_excess(const ioa_network *network, uint64_t memory, uint64_t max_states, uint64_t *excess);

#endif
