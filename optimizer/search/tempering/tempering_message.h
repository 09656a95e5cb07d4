/* What a worker tells all others at the end of a round, and what it tells worker 0 alone.
 *
 * The MESSAGE is all that the swaps of an ordinary round need: 8 bytes of energy per replica, and per worker a few numbers
 * that steer the search. Every worker gathers it from every other one. In numbers of 8 bytes, from each worker as many:
 *
 *   control          status | wishes << 8 | slot of the replica that has its best order << 16
 *   rounds           of worker 0: how many are planned, or, negative, the one at which time makes the search end; 0: neither
 *   best             exact total of the best order its replicas have ever had, I/Os
 *   base [leads]     double: temperature at a multiplier of 1, in I/Os, of those of its replicas that are the first of
 *                    their group (replicas 0 .. groups - 1 are), whose temperature counts for the swaps of the group
 *   energy [slots]   of its replicas, I/Os
 *
 * Worker r of P has the replicas r, r + P, .. in its slots 0, 1, ..; it leads the groups r, r + P, ... Numbers of slots
 * without a replica mean nothing. With one replica per worker, in ladders of 8, that is 40 bytes per worker.
 *
 * The REPORT is for the trace and those who watch it, and goes to worker 0 alone, which nobody waits for: nanoseconds the
 * worker annealed in this round and exchanged in the one before, then for every slot proposals drawn and accepted.
 *
 * What moves did and what the best orders look like travels in the rounds of a survey only (tempering_internal.h). */
#ifndef IOA_SEARCH_TEMPERING_MESSAGE_H
#define IOA_SEARCH_TEMPERING_MESSAGE_H

#include <ioanneal/status.h>
#include <stdint.h>

typedef struct ioa_message_shape {
    uint32_t slots; /* replicas per worker, rounded up */
    uint32_t leads; /* groups per worker, rounded up */
} ioa_message_shape;

/* The numbers that steer the search, of one worker. */
typedef struct ioa_message_head {
    ioa_status status;
    unsigned wishes;
    uint32_t best_slot;
    int64_t rounds;
    uint64_t best;
} ioa_message_head;

ioa_message_shape ioa_message_shape_of(uint32_t workers, uint32_t replicas, uint32_t groups);
uint32_t ioa_message_length(const ioa_message_shape *shape); /* numbers from each worker */

void ioa_message_put_head(int64_t *message, const ioa_message_head *head);
ioa_message_head ioa_message_head_of(const int64_t *message);
void ioa_message_put_base(int64_t *message, uint32_t lead, double base);
double ioa_message_base(const int64_t *message, uint32_t lead);
void ioa_message_put_energy(int64_t *message, const ioa_message_shape *shape, uint32_t slot, int64_t energy);
int64_t ioa_message_energy(const int64_t *message, const ioa_message_shape *shape, uint32_t slot);

enum { IOA_REPORT_ANNEALED, IOA_REPORT_EXCHANGED, IOA_REPORT_HEAD };   /* of the worker; */
enum { IOA_REPORT_PROPOSALS, IOA_REPORT_ACCEPTED, IOA_REPORT_REPLICA }; /* of each slot */

uint32_t ioa_report_length(const ioa_message_shape *shape);

#endif
