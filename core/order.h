/* Evaluation orders: permutations of the connections, [W] uint32 connection ids by step. */
#ifndef IOA_CORE_ORDER_H
#define IOA_CORE_ORDER_H

#include <ioanneal/memory.h>
#include <ioanneal/network.h>

/* The 2-optimal layered order of the paper: neurons by id, each neuron's incoming connections together. With CSR rows
 * by destination this is 0, 1, .., W-1. */
void ioa_order_layered(const ioa_network *network, uint32_t *order);

/* Expands a sequence of neurons into an order: the incoming connections of each neuron of `sequence` [count], in file
 * order. Every neuron with incoming connections must occur once; others are skipped. */
void ioa_order_from_neurons(const ioa_network *network, const uint32_t *sequence, uint64_t count, uint32_t *order);

#endif
