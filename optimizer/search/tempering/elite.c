#include "optimizer/search/tempering/elite.h"

#include <string.h>

#define ALIKE 12 /* equal numbers of a sketch: about three quarters of the pairs in common */
#define MOST_BYTES (UINT64_C(1) << 28)

/* The finalizer of SplitMix64: every bit depends on every bit. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

ioa_sketch ioa_sketch_of(const uint32_t *order, uint64_t count)
{
    ioa_sketch sketch;
    memset(&sketch, 0xff, sizeof sketch);
    for (uint64_t i = 1; i < count; i++) { /* each pair counts for one of the minima */
        uint64_t hash = mix((uint64_t)order[i - 1] << 32 | order[i]), *least = &sketch.least[hash % IOA_SKETCH];
        if (hash < *least) *least = hash;
    }
    return sketch;
}

uint32_t ioa_elite_capacity(uint64_t connections)
{
    uint64_t fit = MOST_BYTES / (sizeof(uint32_t) * (connections + 1));
    return fit < IOA_ELITE_MOST ? (uint32_t)fit : IOA_ELITE_MOST;
}

static unsigned likeness(const ioa_sketch *a, const ioa_sketch *b)
{
    unsigned equal = 0;
    for (unsigned i = 0; i < IOA_SKETCH; i++) equal += a->least[i] == b->least[i];
    return equal;
}

int ioa_elite_offer(ioa_elite *elite, uint64_t total, const ioa_sketch *sketch)
{
    unsigned most = 0;
    int place = -1;
    for (uint32_t i = 0; i < elite->count; i++) {
        unsigned equal = likeness(sketch, &elite->entry[i].sketch);
        if (equal < ALIKE) continue;
        if (elite->entry[i].total <= total) return -1;
        if (equal > most) {
            most = equal;
            place = (int)i;
        }
    }
    if (place < 0 && elite->count < elite->capacity)
        place = (int)elite->count++;
    else if (place < 0) {
        for (uint32_t i = 0; i < elite->count; i++)
            if (elite->entry[i].total > total && (place < 0 || elite->entry[i].total > elite->entry[place].total)) place = (int)i;
        if (place < 0) return -1;
    }
    elite->entry[place] = (ioa_elite_entry){total, *sketch};
    return place;
}

uint32_t ioa_elite_ranked(const ioa_elite *elite, uint32_t n)
{
    for (uint32_t i = 0; i < elite->count; i++) {
        uint32_t before = 0;
        for (uint32_t j = 0; j < elite->count; j++) {
            uint64_t a = elite->entry[j].total, b = elite->entry[i].total;
            before += a < b || (a == b && j < i);
        }
        if (before == n) return i;
    }
    return 0;
}
