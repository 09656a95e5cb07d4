/* Evaluation orders: permutations of the connections, [W] uint32 connection ids by step. */
#ifndef IOA_CORE_ORDER_H
#define IOA_CORE_ORDER_H

#include <ioanneal/memory.h>
#include <ioanneal/network.h>

/* The 2-optimal layered order of the paper: neurons by id, each neuron's incoming connections together. With CSR rows
 * by destination this is 0, 1, .., W-1. */
void ioa_order_layered(const ioa_network *network, uint32_t *order);

#endif
