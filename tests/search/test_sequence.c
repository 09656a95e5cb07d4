#include "core/base/mem.h"
#include "core/generate/generate.h"
#include "core/generate/generate_builder.h"
#include "core/model/depth.h"
#include "core/model/network.h"
#include "optimizer/search/construct/cascade_parts.h"
#include "optimizer/search/construct/construct_cascade.h"
#include "optimizer/search/construct/sequence.h"
#include "tests/support/random_network.h"
#include "tests/support/unit.h"

#include <stdlib.h>
#include <string.h>

enum { GROUPS = 32, TWINS = 8, WIDTH = GROUPS * TWINS, LEVELS = 6, MEMORY = 50 };

static void shuffle(ioa_pcg32 *rng, uint32_t *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) values[i] = i;
    for (uint32_t i = count; i > 1; i--) {
        uint32_t j = ioa_pcg32_below(rng, i), kept = values[i - 1];
        values[i - 1] = values[j];
        values[j] = kept;
    }
}

static int ascending(const void *left, const void *right)
{
    uint32_t x = *(const uint32_t *)left, y = *(const uint32_t *)right;
    return (x > y) - (x < y);
}

/* Rings of groups of twins, as in RadiX-Nets: in level l, group g reads what are groups g and g + 2^l of the neurons before,
 * shuffled in every level but the first two. */
static ioa_network *rings_of_twins(uint64_t seed)
{
    ioa_builder b;
    ioa_network *network;
    ioa_pcg32 rng = ioa_rng_keyed(seed, IOA_RNG_TEST, 1, 0);
    uint32_t who[WIDTH], sources[2 * TWINS];
    assert_int_equal(ioa_builder_start(&b, WIDTH * (LEVELS + 1), WIDTH, WIDTH, LEVELS + 1, WIDTH * LEVELS * 2 * TWINS, NULL), IOA_OK);
    for (uint32_t i = 0; i < WIDTH; i++) {
        b.a.input_ids[i] = i;
        b.a.output_ids[i] = WIDTH * LEVELS + i;
        ioa_builder_end_row(&b);
        who[i] = i;
    }
    for (uint32_t l = 0; l <= LEVELS + 1; l++) b.a.layer_offsets[l] = (int64_t)WIDTH * l;
    for (uint32_t l = 0; l < LEVELS; l++) {
        if (l > 1) shuffle(&rng, who, WIDTH);
        for (uint32_t i = 0; i < WIDTH; i++) {
            uint32_t group[2] = {i / TWINS, (i / TWINS + (1u << l % 4)) % GROUPS};
            for (uint32_t t = 0; t < 2 * TWINS; t++) sources[t] = WIDTH * l + who[group[t / TWINS] * TWINS + t % TWINS];
            qsort(sources, 2 * TWINS, sizeof *sources, ascending);
            for (uint32_t t = 0; t < 2 * TWINS; t++) assert_true(ioa_builder_add(&b, sources[t], 0.1f));
            ioa_builder_end_row(&b);
        }
    }
    assert_int_equal(ioa_builder_finish(&b, true, &network, NULL), IOA_OK);
    return network;
}

static void blocks_of(const ioa_network *network, ioa_blocks *blocks)
{
    ioa_partition p;
    assert_int_equal(ioa_construct_cascade_blocks(network, MEMORY - 2, 0, NULL, &p, NULL), IOA_OK);
    assert_int_equal(ioa_blocks_create(&p, blocks, NULL), IOA_OK);
    ioa_partition_destroy(&p);
}

/* Rings of twins, the cascade's sequence of their blocks, and room for an order. */
typedef struct rings {
    ioa_network *network;
    ioa_blocks b;
    ioa_sequence s; /* of b */
    uint32_t *order;
} rings;

static void set_up(rings *r, uint64_t seed)
{
    r->network = rings_of_twins(seed);
    blocks_of(r->network, &r->b);
    assert_int_equal(ioa_sequence_create(&r->b, MEMORY - 1, &r->s, NULL), IOA_OK);
    r->order = ioa_alloc(r->network->connections, sizeof *r->order);
}

static void tear_down(rings *r)
{
    ioa_free(r->order);
    ioa_sequence_destroy(&r->s);
    ioa_blocks_destroy(&r->b);
    ioa_network_destroy(r->network);
}

static uint64_t excess(const ioa_network *network, const uint32_t *order)
{
    ioa_io io;
    assert_int_equal(ioa_order_check(network, order, NULL), IOA_OK);
    assert_int_equal(ioa_memory_count(network, order, MEMORY, IOA_POLICY_MIN, &io, NULL), IOA_OK);
    return io.reads + io.writes - ioa_network_bounds(network).lower;
}

/* The block at `from` goes to `to`; positions follow. */
static void carry(ioa_sequence *s, uint32_t from, uint32_t to)
{
    uint32_t block = s->at[from];
    if (to > from) memmove(s->at + from, s->at + from + 1, (to - from) * sizeof *s->at);
    else memmove(s->at + to + 1, s->at + to, (from - to) * sizeof *s->at);
    s->at[to] = block;
    ioa_sequence_moved(s, from < to ? from : to, from < to ? to : from);
}

static bool legal(const ioa_sequence *s)
{
    for (uint32_t block = 0; block < s->b->count; block++)
        for (uint32_t i = s->b->producer_begin[block]; i < s->b->producer_begin[block + 1]; i++)
            if (s->position[s->b->producer[i]] >= s->position[block]) return false;
    return true;
}

/* How often a block is listed among those another one waits for. */
static unsigned times_listed(const ioa_blocks *b, uint32_t block, uint32_t producer)
{
    unsigned times = 0;
    for (uint32_t i = b->producer_begin[block]; i < b->producer_begin[block + 1]; i++) times += b->producer[i] == producer;
    return times;
}

/* Block of each destination, NONE of other neurons. */
static uint32_t *blocks_of_neurons(const ioa_network *network, const ioa_blocks *b)
{
    uint32_t *block_of = ioa_alloc(network->a.neurons, sizeof *block_of);
    memset(block_of, 0xff, network->a.neurons * sizeof *block_of);
    for (uint32_t block = 0; block < b->count; block++)
        for (uint32_t i = b->member_begin[block]; i < b->member_begin[block + 1]; i++) block_of[b->member[i]] = block;
    return block_of;
}

/* All neurons that are read are in a class, those of a class are read by the same blocks, and shares add up. */
static void classes_hold_what_is_alike(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        ioa_network *network = seed < 2 ? rings_of_twins(seed) : ioa_test_random_dag(seed, ioa_test_dag_defaults());
        ioa_blocks b;
        blocks_of(network, &b);
        const uint32_t n = network->a.neurons;
        uint32_t *destinations = NULL, *block_of = blocks_of_neurons(network, &b);
        const uint32_t *destination = ioa_network_borrow_destinations(network, &destinations);
        bool *reads = ioa_alloc_zero((uint64_t)b.count * n + 1, sizeof *reads);
        uint32_t *size = ioa_alloc_zero((uint64_t)b.classes + 1, sizeof *size);
        uint64_t pairs = 0, listed = b.producer_begin[b.count];
        for (uint64_t e = 0; e < network->connections; e++) {
            uint32_t u = network->a.indices[e], block = block_of[destination[e]];
            reads[(uint64_t)block * n + u] = true;
            if (block_of[u] != IOA_SEQUENCE_NONE) assert_int_equal(times_listed(&b, block, block_of[u]), 1);
        }
        for (uint32_t u = 0; u < n; u++) {
            bool read = false;
            for (uint32_t block = 0; block < b.count; block++) {
                bool in = false;
                for (uint32_t i = b.in_begin[block]; i < b.in_begin[block + 1]; i++) in = in || b.in[i] == b.class_of[u];
                assert_true(in == reads[(uint64_t)block * n + u]);
                read = read || in;
            }
            assert_true(read == (b.class_of[u] != IOA_SEQUENCE_NONE));
            if (read) size[b.class_of[u]]++;
        }
        for (uint32_t class = 0; class < b.classes; class++) assert_int_equal(size[class], b.size[class]);
        for (uint32_t block = 0; block < b.count; block++) {
            for (uint32_t i = b.member_begin[block]; i < b.member_begin[block + 1]; i++)
                if (b.class_of[b.member[i]] != IOA_SEQUENCE_NONE) size[b.class_of[b.member[i]]]--;
            for (uint32_t i = b.out_begin[block]; i < b.out_begin[block + 1]; i++) size[b.out[i].class] += b.out[i].neurons;
            for (uint32_t other = 0; other < b.count; other++) pairs += times_listed(&b, block, other);
        }
        for (uint32_t class = 0; class < b.classes; class++) assert_int_equal(size[class], b.size[class]);
        assert_int_equal(pairs, listed);
        ioa_free(destinations);
        ioa_free(reads);
        ioa_free(block_of);
        ioa_free(size);
        ioa_blocks_destroy(&b);
        ioa_network_destroy(network);
    }
}

/* Moves of all kinds keep the sequence legal and can be taken back. */
static void moves_are_legal(void **state)
{
    (void)state;
    rings r;
    ioa_pcg32 rng = ioa_rng_keyed(4, IOA_RNG_TEST, 2, 0);
    set_up(&r, 4);
    ioa_sequence *s = &r.s;
    const uint32_t n = r.b.count;
    uint32_t *old = ioa_alloc(n, sizeof *old), *before = ioa_alloc(n, sizeof *before);
    unsigned left = 0, right = 0, turned = 0, far = 0;
    for (unsigned i = 0; i < 20000; i++) {
        ioa_sequence_move m = ioa_sequence_draw(s, &rng, TWINS);
        if (!m.shift && !m.reversed) continue;
        memcpy(before, s->at, n * sizeof *before);
        uint32_t count, from = ioa_sequence_apply(s, &m, old, &count);
        assert_true(from + count <= n);
        assert_true(legal(s));
        assert_memory_equal(old, before + from, count * sizeof *old);
        left += !m.right;
        right += m.right;
        turned += m.reversed;
        far += m.shift > TWINS && m.end - m.begin > TWINS;
        if (i % 2) continue;
        memcpy(s->at + from, old, count * sizeof *old);
        ioa_sequence_moved(s, from, from + count - 1);
    }
    assert_true(left > 500 && right > 500 && turned > 500 && far > 100);
    ioa_free(old);
    ioa_free(before);
    tear_down(&r);
}

/* A change is counted as if the whole sequence were counted anew, but for ties. */
static void changes_are_counted(void **state)
{
    (void)state;
    rings r;
    ioa_sequence fresh;
    ioa_pcg32 rng = ioa_rng_keyed(3, IOA_RNG_TEST, 2, 0);
    unsigned tried = 0, changed = 0, off = 0;
    set_up(&r, 3);
    ioa_sequence *s = &r.s;
    const uint32_t count = r.b.count;
    assert_int_equal(ioa_sequence_create(&r.b, MEMORY - 1, &fresh, NULL), IOA_OK);
    while (tried < 3000) {
        uint32_t from = ioa_pcg32_below(&rng, count), to = ioa_pcg32_below(&rng, count);
        if (ioa_pcg32_below(&rng, 4)) to = from + 5 < count ? from + ioa_pcg32_below(&rng, 6) : from;
        carry(s, from, to);
        if (from == to || !legal(s)) {
            carry(s, to, from);
            continue;
        }
        int64_t change = ioa_sequence_try(s, from < to ? from : to, from < to ? to : from, INT64_MAX / 2);
        memcpy(fresh.at, s->at, count * sizeof *s->at);
        ioa_sequence_count(&fresh);
        int64_t error = s->total + change - fresh.total;
        assert_true(error >= -3 && error <= 3);
        off += error != 0;
        tried++;
        changed += change != 0;
        if (ioa_pcg32_below(&rng, 2) && change < 40) ioa_sequence_keep(s);
        else carry(s, to, from);
        if (error) ioa_sequence_count(s);
    }
    print_message("%u of %u changes off by an I/O or a few\n", off, tried);
    assert_true(off < tried / 20);
    assert_true(changed > 500); /* or nothing was tested */
    ioa_sequence_destroy(&fresh);
    tear_down(&r);
}

/* What blocks tell is what the order costs, all but exactly. */
static void the_order_costs_what_the_sequence_does(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 4; seed++) {
        rings r;
        ioa_construct_limits limits = {.work = 5000000};
        set_up(&r, seed);
        for (int annealed = 0; annealed < 2; annealed++) {
            if (annealed) assert_int_equal(ioa_sequence_anneal(&r.s, &limits, NULL), IOA_OK);
            assert_int_equal(ioa_sequence_order(&r.s, r.order, NULL), IOA_OK);
            int64_t real = (int64_t)excess(r.network, r.order);
            assert_true(real <= r.s.total + r.s.total / 100);
            assert_true(real >= r.s.total - r.s.total / 100);
        }
        tear_down(&r);
    }
}

/* Following the order a sequence stands for leads back to the sequence. */
static void an_order_is_followed(void **state)
{
    (void)state;
    rings r;
    ioa_construct_limits limits = {.work = 2000000};
    set_up(&r, 5);
    const uint32_t count = r.b.count;
    assert_int_equal(ioa_sequence_anneal(&r.s, &limits, NULL), IOA_OK);
    uint32_t *annealed = ioa_alloc_copy(r.s.at, count, sizeof *annealed);
    assert_int_equal(ioa_sequence_order(&r.s, r.order, NULL), IOA_OK);
    for (uint32_t i = 0; i < count; i++) r.s.at[i] = i;
    ioa_sequence_count(&r.s);
    assert_memory_not_equal(r.s.at, annealed, count * sizeof *annealed);
    assert_int_equal(ioa_sequence_follow(&r.s, r.order, NULL), IOA_OK);
    assert_memory_equal(r.s.at, annealed, count * sizeof *annealed);
    ioa_free(annealed);
    tear_down(&r);
}

static uint64_t cost(const ioa_network *network, const char *name)
{
    uint32_t *order = ioa_alloc(network->connections, sizeof *order);
    const ioa_constructor *constructor = ioa_constructor_find(name);
    assert_true(constructor->affordable(network, MEMORY));
    assert_int_equal(constructor->build(network, MEMORY, order, NULL), IOA_OK);
    uint64_t total = excess(network, order);
    ioa_free(order);
    return total;
}

/* However neurons are numbered. */
static void the_sequence_beats_its_starts(void **state)
{
    (void)state;
    ioa_network *plain = rings_of_twins(7), *hidden;
    assert_int_equal(ioa_network_permute(plain, 9, &hidden, NULL), IOA_OK);
    const ioa_network *both[] = {plain, hidden};
    for (int i = 0; i < 2; i++) {
        uint64_t cascade = cost(both[i], "cascade"), greedy = cost(both[i], "greedy"), sequence = cost(both[i], "sequence");
        print_message("cascade %llu, greedy %llu, sequence %llu\n", (unsigned long long)cascade, (unsigned long long)greedy,
                      (unsigned long long)sequence);
        assert_true(sequence * 20 < cascade * 19 && sequence * 20 < greedy * 19);
    }
    ioa_network_destroy(plain);
    ioa_network_destroy(hidden);
}

/* Radix 4, four times: the first depth is one ring; the last one has 64 components, the last two 16 (of 16 neurons a
 * depth), the last three 4 (of 64). */
static void parts_are_as_large_as_they_may_be(void **state)
{
    (void)state;
    static const uint32_t radices[] = {4, 4, 4, 4}, most[] = {3, 15, 16, 63, 64, 255};
    static const uint32_t count[] = {1 + 4 + 16 + 64, 1 + 4 + 16 + 64,
                              1 + 4 + 16, 1 + 4 + 16, 1 + 4, 1 + 4};
    const ioa_generate_common common = {.seed = 1};
    ioa_network *plain, *network;
    assert_int_equal(ioa_generate_radixnet(radices, 4, 4, &common, &plain, NULL), IOA_OK);
    assert_int_equal(ioa_network_permute(plain, 9, &network, NULL), IOA_OK);
    const ioa_network_arrays *a = &network->a;
    uint32_t *depth = ioa_alloc(a->neurons, sizeof *depth), *part = ioa_alloc(a->neurons, sizeof *part);
    uint32_t deepest = ioa_network_depths(network, depth);
    for (unsigned i = 0; i < sizeof most / sizeof *most; i++) {
        uint32_t last = 0;
        uint64_t divided;
        assert_int_equal(ioa_cascade_parts(network, depth, deepest, most[i], part, &divided, NULL), IOA_OK);
        for (uint32_t v = 0; v < a->neurons; v++) {
            if (depth[v] == 0) continue;
            if (part[v] > last) last = part[v];
            for (int64_t e = a->indptr[v]; e < a->indptr[v + 1]; e++)
                if (depth[a->indices[e]]) assert_true(part[a->indices[e]] <= part[v]);
        }
        assert_int_equal(last + 1, count[i]);
        assert_int_equal(divided, most[i] < 16 ? 0 : most[i] < 64 ? 2 * 256 : 3 * 256);
    }
    ioa_free(depth);
    ioa_free(part);
    ioa_network_destroy(plain);
    ioa_network_destroy(network);
}

/* Where components fit into fast memory through some depths, what is spilled is between these. */
static void parts_spare_what_is_between_depths(void **state)
{
    (void)state;
    static const uint32_t radices[] = {4, 4, 4, 4};
    const ioa_generate_common common = {.seed = 1};
    ioa_network *plain, *network;
    ioa_partition p;
    assert_int_equal(ioa_generate_radixnet(radices, 4, 8, &common, &plain, NULL), IOA_OK);
    assert_int_equal(ioa_network_permute(plain, 9, &network, NULL), IOA_OK);
    assert_int_equal(ioa_construct_cascade_blocks(network, MEMORY - 2, 0, NULL, &p, NULL), IOA_OK);
    uint32_t *order = ioa_alloc(network->connections, sizeof *order);
    assert_int_equal(ioa_partition_order(&p, order, NULL), IOA_OK);
    uint64_t whole = excess(network, order), parts = cost(network, "cascade");
    print_message("without parts %llu, with them %llu\n", (unsigned long long)whole, (unsigned long long)parts);
    assert_true(4 * parts < 3 * whole);
    ioa_free(order);
    ioa_partition_destroy(&p);
    ioa_network_destroy(plain);
    ioa_network_destroy(network);
}

/* A random network is one component, however much may be held. */
static void random_networks_have_no_parts(void **state)
{
    (void)state;
    static const uint32_t widths[] = {120, 120, 120, 120};
    const ioa_generate_common common = {.seed = 1};
    ioa_network *network;
    assert_int_equal(ioa_generate_mlp(widths, 4, 0.1, &common, &network, NULL), IOA_OK);
    for (uint64_t memory = 8; memory < 1000; memory *= 3) assert_false(ioa_construct_cascade_affordable(network, memory));
    ioa_network_destroy(network);
}

static bool at_once(void *context)
{
    ++*(unsigned *)context;
    return true;
}

static void it_stops_when_told(void **state)
{
    (void)state;
    ioa_network *network = rings_of_twins(1);
    uint32_t *order = ioa_alloc(network->connections, sizeof *order);
    unsigned asked = 0;
    ioa_construct_limits limits = {.work = UINT64_MAX / 2, .stop = at_once, .context = &asked};
    assert_int_equal(ioa_construct_sequence_within(network, MEMORY, &limits, order, NULL), IOA_OK);
    assert_true(limits.stopped && asked > 0);
    ioa_free(order);
    ioa_network_destroy(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_hold_what_is_alike), cmocka_unit_test(changes_are_counted),
        cmocka_unit_test(moves_are_legal),
        cmocka_unit_test(the_order_costs_what_the_sequence_does), cmocka_unit_test(an_order_is_followed),
        cmocka_unit_test(the_sequence_beats_its_starts), cmocka_unit_test(it_stops_when_told),
        cmocka_unit_test(parts_are_as_large_as_they_may_be), cmocka_unit_test(parts_spare_what_is_between_depths),
        cmocka_unit_test(random_networks_have_no_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
