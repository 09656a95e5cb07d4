/* What a search holds, counted in bytes per connection on a network of some 300,000: the numbers of optimizer/LARGE.md. */
#include "core/base/mem.h"
#include "core/generate/generate.h"
#include "core/model/network.h"
#include "core/model/order.h"
#include "optimizer/search/construct/construct.h"
#include "optimizer/search/engine/engine.h"
#include "tests/support/unit.h"

#include <stdio.h>

#define LIMIT 24.0 /* bytes per connection and replica */

typedef struct setting {
    ioa_network *network;
    ioa_graph *graph;
    uint32_t *order;
    ioa_problem problem;
} setting;

static double per_connection(const setting *s, uint64_t after, uint64_t before)
{
    return ((double)after - (double)before) / (double)s->network->connections;
}

static void set_up(setting *s, uint32_t segments, ioa_policy policy)
{
    uint32_t widths[] = {2500, 2500, 2500, 2500};
    ioa_generate_common common = {.seed = 2, .hidden = IOA_ACT_RELU};
    ioa_io io;
    assert_int_equal(ioa_generate_mlp(widths, 4, 0.016, &common, &s->network, NULL), IOA_OK);
    assert_int_equal(ioa_network_keep_destinations(s->network, NULL), IOA_OK);
    assert_int_equal(ioa_graph_create(s->network, &s->graph, NULL), IOA_OK);
    s->order = ioa_alloc(s->network->connections, sizeof *s->order);
    assert_int_equal(ioa_construct_blocks(s->network, 100, s->order, NULL), IOA_OK);
    assert_int_equal(ioa_memory_count(s->network, s->order, 100, policy, &io, NULL), IOA_OK);
    s->problem = (ioa_problem){.network = s->network, .graph = s->graph, .memory = 100,
                               .objective = ioa_objective_single(100, policy),
                               .start = s->order, .start_total = io.reads + io.writes, .segments = segments};
}

static void tear_down(setting *s)
{
    ioa_free(s->order);
    ioa_graph_destroy(s->graph);
    ioa_network_destroy(s->network);
}

/* Bytes of one more replica of a kind after a round at some progress, and what a round takes for itself. */
static double measure_replica(const ioa_engine *engine, const setting *s, const void *shared, uint32_t kind, double progress,
                              double *passing)
{
    ioa_tuning tuning;
    ioa_tuning_begin(engine->moves, engine->windows, &tuning);
    ioa_step step = {.multiplier = 1.0, .proposals = 3000, .heat = 1.0, .tuning = &tuning, .progress = progress};
    ioa_round_counts counts = {0};
    ioa_pcg32 rng = ioa_rng_keyed(1, IOA_RNG_TEST, kind, 9);
    uint64_t before = ioa_mem_held();
    void *state;
    assert_int_equal(engine->create(&s->problem, shared, kind, &state, NULL), IOA_OK);
    assert_int_equal(engine->anneal(state, &step, &rng, &counts, NULL), IOA_OK);
    ioa_mem_reset_peak();
    assert_int_equal(engine->anneal(state, &step, &rng, &counts, NULL), IOA_OK);
    double held = per_connection(s, ioa_mem_held(), before);
    *passing = per_connection(s, ioa_mem_peak(), ioa_mem_held());
    engine->destroy(state);
    return held;
}

typedef struct stage {
    const char *name;
    uint32_t kind;
    double progress;
} stage;

static void measure_engine(const ioa_engine *engine, ioa_policy policy, const stage *stages, size_t count)
{
    setting s;
    set_up(&s, 14, policy); /* as many as the smallest networks that are cut */
    uint64_t before = ioa_mem_held();
    void *shared;
    double passing, ignored;
    ioa_mem_reset_peak();
    assert_int_equal(engine->prepare(&s.problem, &shared, NULL), IOA_OK);
    printf("%s: what replicas of a rank share: %.2f bytes per connection, %.2f while it is made\n", engine->name,
           per_connection(&s, ioa_mem_held(), before), per_connection(&s, ioa_mem_peak(), before));
    for (size_t i = 0; i < count; i++) {
        (void)measure_replica(engine, &s, shared, stages[i].kind, stages[i].progress, &ignored); /* shared room is made once */
        double held = measure_replica(engine, &s, shared, stages[i].kind, stages[i].progress, &passing);
        printf("%s replica: %.2f bytes per connection; %.2f more during a round\n", stages[i].name, held, passing);
        assert_true(held <= LIMIT);
        assert_true(passing <= LIMIT / 2);
    }
    engine->release(shared);
    assert_int_equal(ioa_mem_held(), before);
    tear_down(&s);
}

/* Cut into segments, as large networks are. */
static void a_replica_takes_at_most_24_bytes_per_connection(void **state)
{
    (void)state;
    static const stage min[] = {{"coarse", 0, 0.0}, {"fine", 1, 0.0}};
    static const stage lru[] = {{"coarse", 0, 0.0}, {"fine", 1, 0.0}, {"exact", 0, 1.0}};
    measure_engine(&ioa_engine_levels, IOA_POLICY_MIN, min, sizeof min / sizeof *min);
    measure_engine(&ioa_engine_exact, IOA_POLICY_LRU, lru, sizeof lru / sizeof *lru);
}

/* Peak of an action, in bytes per connection. */
static void constructors_take_little(void **state)
{
    (void)state;
    setting s;
    set_up(&s, 1, IOA_POLICY_MIN);
    uint32_t *order = ioa_alloc(s.network->connections, sizeof *order);
    for (unsigned i = 0; ioa_constructor_at(i); i++) {
        uint64_t before = ioa_mem_held();
        ioa_mem_reset_peak();
        assert_int_equal(ioa_constructor_at(i)->build(s.network, 100, order, NULL), IOA_OK);
        printf("%-8s %.2f bytes per connection\n", ioa_constructor_at(i)->name, per_connection(&s, ioa_mem_peak(), before));
        assert_true(per_connection(&s, ioa_mem_peak(), before) <= LIMIT);
        assert_int_equal(ioa_mem_held(), before);
    }
    ioa_free(order);
    tear_down(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_replica_takes_at_most_24_bytes_per_connection),
        cmocka_unit_test(constructors_take_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
