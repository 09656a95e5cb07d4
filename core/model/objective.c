#include "core/model/objective.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_WEIGHT 1000.0

ioa_objective ioa_objective_single(uint64_t memory, ioa_policy policy)
{
    return (ioa_objective){1, {{memory, policy, IOA_WEIGHT_ONE}}};
}

static ioa_status refuse(const char *text, ioa_error *error)
{
    return ioa_fail(error, IOA_ERR_INPUT,
                    "levels look like 32:1.0,190:0.3 (memory:weight, perhaps :policy), not '%.200s'", text);
}

/* One level in [at, end). */
static bool parse_level(char *at, ioa_policy policy, ioa_level *level)
{
    char *weight = strchr(at, ':'), *name = weight ? strchr(weight + 1, ':') : NULL, *end;
    if (at[0] < '0' || at[0] > '9' || !weight) return false;
    if (name) *name++ = '\0';
    level->memory = strtoull(at, &end, 10);
    if (end != weight || weight[1] < '0' || weight[1] > '9') return false;
    double value = strtod(weight + 1, &end);
    if (*end || !(value >= 0.001 && value <= MOST_WEIGHT)) return false;
    level->weight = (uint32_t)(value * IOA_WEIGHT_ONE + 0.5);
    level->policy = policy;
    if (name) {
        int code = ioa_policy_from_name(name);
        if (code < 0) return false;
        level->policy = (ioa_policy)code;
    }
    return true;
}

ioa_status ioa_objective_parse(const char *text, ioa_policy first, ioa_objective *objective, ioa_error *error)
{
    char copy[IOA_LEVELS_TEXT];
    ioa_objective o = {0};
    if (strlen(text) >= sizeof copy) return refuse(text, error);
    strcpy(copy, text);
    for (char *at = copy, *next; at; at = next) {
        next = strchr(at, ',');
        if (next) *next++ = '\0';
        if (o.count == IOA_MOST_LEVELS)
            return ioa_fail(error, IOA_ERR_INPUT, "more than %u levels", IOA_MOST_LEVELS);
        if (!parse_level(at, o.count ? IOA_POLICY_LRU : first, &o.level[o.count])) return refuse(text, error);
        const ioa_level *l = &o.level[o.count++];
        if (l->memory < IOA_MEMORY_MIN)
            return ioa_fail(error, IOA_ERR_INPUT,
                            "a fast memory of %" PRIu64 " values is too small: two neurons and a weight need %u", l->memory,
                            IOA_MEMORY_MIN);
        for (uint32_t i = 0; i + 1 < o.count; i++)
            if (o.level[i].memory == l->memory && o.level[i].policy == l->policy)
                return ioa_fail(error, IOA_ERR_INPUT, "the levels list %" PRIu64 " twice", l->memory);
    }
    *objective = o;
    return IOA_OK;
}

void ioa_objective_name(const ioa_objective *objective, char text[IOA_LEVELS_TEXT])
{
    int used = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < objective->count && used < IOA_LEVELS_TEXT; i++) {
        const ioa_level *l = &objective->level[i];
        used += snprintf(text + used, (size_t)(IOA_LEVELS_TEXT - used), "%s%" PRIu64 ":%u.%03u:%s", i ? "," : "", l->memory,
                         l->weight / IOA_WEIGHT_ONE, l->weight % IOA_WEIGHT_ONE, ioa_policy_name(l->policy));
    }
}

uint64_t ioa_objective_total(const ioa_objective *objective, const ioa_io *io)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < objective->count; i++) sum += objective->level[i].weight * (io[i].reads + io[i].writes);
    return (sum + IOA_WEIGHT_ONE / 2) / IOA_WEIGHT_ONE;
}

uint64_t ioa_objective_shared(const ioa_objective *objective, uint64_t figure)
{
    uint64_t weights = 0;
    for (uint32_t i = 0; i < objective->count; i++) weights += objective->level[i].weight;
    return (weights * figure + IOA_WEIGHT_ONE / 2) / IOA_WEIGHT_ONE;
}

ioa_status ioa_objective_count(const ioa_network *network, const uint32_t *order, const ioa_objective *objective,
                               ioa_io *io, uint64_t *total, ioa_error *error)
{
    ioa_io own[IOA_MOST_LEVELS];
    if (!io) io = own;
    for (uint32_t i = 0; i < objective->count; i++) {
        ioa_status status = ioa_memory_count(network, order, objective->level[i].memory, objective->level[i].policy, &io[i],
                                             error);
        if (status != IOA_OK) return status;
    }
    *total = ioa_objective_total(objective, io);
    return IOA_OK;
}
