/* Names of layouts and of plans. */
#include <inttypes.h>
#include <ioanneal/plan.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const layout_names[IOA_LAYOUT_COUNT] = {
    [IOA_LAYOUT_ORDER] = "order",
    [IOA_LAYOUT_ROWS] = "rows",
    [IOA_LAYOUT_SORTED] = "sorted",
    [IOA_LAYOUT_SHARED_ROWS] = "shared-rows",
    [IOA_LAYOUT_SHARED_SORTED] = "shared-sorted",
    [IOA_LAYOUT_SELL] = "sell",
    [IOA_LAYOUT_CSR] = "csr",
    [IOA_LAYOUT_COMPILED] = "compiled",
};

/* The numbers of a name, in its sequence. */
static const struct {
    const char *word;
    size_t offset;
} numbers[] = {{"tile", offsetof(ioa_plan_options, tile)},
               {"panel", offsetof(ioa_plan_options, panel)},
               {"hot", offsetof(ioa_plan_options, hot)},
               {"group", offsetof(ioa_plan_options, group)},
               {"segment", offsetof(ioa_plan_options, segment)}};

static const struct {
    const char *word;
    size_t offset;
} flags[] = {{"ahead", offsetof(ioa_plan_options, ahead)}, {"as-ordered", offsetof(ioa_plan_options, as_ordered)}};

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

const char *ioa_layout_name(ioa_layout layout)
{
    return (unsigned)layout < IOA_LAYOUT_COUNT ? layout_names[layout] : "unknown";
}

void ioa_plan_options_name(const ioa_plan_options *options, char name[IOA_PLAN_NAME])
{
    int used = snprintf(name, IOA_PLAN_NAME, "%s/%s", ioa_isa_name(options->isa), ioa_layout_name(options->layout));
    for (size_t i = 0; i < COUNT(numbers) && used < IOA_PLAN_NAME; i++) {
        uint32_t value;
        memcpy(&value, (const char *)options + numbers[i].offset, sizeof value);
        bool said = numbers[i].offset != offsetof(ioa_plan_options, group) ? value != 0 : value > 1 || options->segment;
        if (said)
            used += snprintf(name + used, (size_t)(IOA_PLAN_NAME - used), "/%s%" PRIu32, numbers[i].word, value);
    }
    for (size_t i = 0; i < COUNT(flags) && used < IOA_PLAN_NAME; i++)
        if (((const uint8_t *)options)[flags[i].offset])
            used += snprintf(name + used, (size_t)(IOA_PLAN_NAME - used), "/%s", flags[i].word);
}

static int take_number(const char *word, ioa_plan_options *o)
{
    for (size_t i = 0; i < COUNT(numbers); i++) {
        size_t length = strlen(numbers[i].word);
        if (strncmp(word, numbers[i].word, length) != 0 || word[length] < '0' || word[length] > '9') continue;
        char *end;
        unsigned long value = strtoul(word + length, &end, 10);
        if (*end || value > UINT32_MAX) return 0;
        uint32_t narrow = (uint32_t)value;
        memcpy((char *)o + numbers[i].offset, &narrow, sizeof narrow);
        return 1;
    }
    return 0;
}

static int take_word(unsigned place, const char *word, ioa_plan_options *o)
{
    if (place == 0) {
        int isa = ioa_isa_from_name(word);
        if (isa >= 0) o->isa = (ioa_isa)isa;
        return isa >= 0;
    }
    for (unsigned layout = 0; place == 1 && layout < IOA_LAYOUT_COUNT; layout++)
        if (strcmp(word, layout_names[layout]) == 0) {
            o->layout = (ioa_layout)layout;
            return 1;
        }
    if (place == 1) return 0;
    for (size_t i = 0; i < COUNT(flags); i++)
        if (strcmp(word, flags[i].word) == 0) {
            ((uint8_t *)o)[flags[i].offset] = 1;
            return 1;
        }
    return take_number(word, o);
}

ioa_status ioa_plan_options_parse(const char *name, ioa_plan_options *options, ioa_error *error)
{
    char copy[IOA_PLAN_NAME];
    ioa_plan_options o = {0};
    unsigned place = 0;
    if (strlen(name) < sizeof copy) {
        strcpy(copy, name);
        for (char *word = copy, *next; word; word = next, place++) {
            next = strchr(word, '/');
            if (next) *next++ = '\0';
            if (!take_word(place, word, &o)) {
                place = 0;
                break;
            }
        }
    }
    if (place < 2)
        return ioa_fail(error, IOA_ERR_INPUT, "'%.80s' is no plan: one looks like avx512/shared-rows/tile64/panel128", name);
    *options = o;
    return IOA_OK;
}
