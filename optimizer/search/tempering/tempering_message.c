#include "optimizer/search/tempering/tempering_message.h"

#include <string.h>

enum { CONTROL, ROUNDS, BEST, HEAD };

static uint32_t divide_up(uint32_t a, uint32_t b)
{
    return a / b + (a % b != 0);
}

ioa_message_shape ioa_message_shape_of(uint32_t workers, uint32_t replicas, uint32_t groups)
{
    return (ioa_message_shape){.slots = divide_up(replicas, workers), .leads = divide_up(groups, workers)};
}

uint32_t ioa_message_length(const ioa_message_shape *shape)
{
    return HEAD + shape->leads + shape->slots;
}

void ioa_message_put_head(int64_t *message, const ioa_message_head *head)
{
    message[CONTROL] = (int64_t)head->status | (int64_t)head->wishes << 8 | (int64_t)head->best_slot << 16;
    message[ROUNDS] = head->rounds;
    message[BEST] = (int64_t)head->best;
}

ioa_message_head ioa_message_head_of(const int64_t *message)
{
    return (ioa_message_head){.status = (ioa_status)(message[CONTROL] & 0xff),
                              .wishes = (unsigned)(message[CONTROL] >> 8 & 0xff),
                              .best_slot = (uint32_t)(message[CONTROL] >> 16),
                              .rounds = message[ROUNDS],
                              .best = (uint64_t)message[BEST]};
}

void ioa_message_put_base(int64_t *message, uint32_t lead, double base)
{
    memcpy(message + HEAD + lead, &base, sizeof base);
}

double ioa_message_base(const int64_t *message, uint32_t lead)
{
    double base;
    memcpy(&base, message + HEAD + lead, sizeof base);
    return base;
}

void ioa_message_put_energy(int64_t *message, const ioa_message_shape *shape, uint32_t slot, int64_t energy)
{
    message[HEAD + shape->leads + slot] = energy;
}

int64_t ioa_message_energy(const int64_t *message, const ioa_message_shape *shape, uint32_t slot)
{
    return message[HEAD + shape->leads + slot];
}

uint32_t ioa_report_length(const ioa_message_shape *shape)
{
    return IOA_REPORT_HEAD + shape->slots * IOA_REPORT_REPLICA;
}
