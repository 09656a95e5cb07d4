#include "core/mem.h"
#include "core/network.h"
#include "core/order.h"
#include "optimizer/search/tempering.h"
#include "tests/support/random_network.h"
#include "tests/support/unit.h"

#include <string.h>

static ioa_problem make_problem(uint64_t seed, uint32_t **order)
{
    ioa_graph *graph;
    ioa_network *network = ioa_test_random_dag(seed, ioa_test_dag_defaults());
    assert_non_null(network);
    assert_int_equal(ioa_graph_create(network, &graph, NULL), IOA_OK);
    *order = ioa_alloc(network->connections, sizeof **order);
    ioa_order_layered(network, *order);
    ioa_io io;
    assert_int_equal(ioa_memory_count(network, *order, 8, IOA_POLICY_MIN, &io, NULL), IOA_OK);
    return (ioa_problem){.network = network, .objective = ioa_objective_single(8, IOA_POLICY_MIN), .memory = 8, .start = *order,
                         .start_total = io.reads + io.writes, .graph = graph};
}

static ioa_tempering_config make_config(const ioa_engine *engine)
{
    return (ioa_tempering_config){.engine = engine, .seed = 3, .replicas = 5, .rounds = 20, .trial = 8, .proposals = 50,
                                  .spread = 2.0};
}

/* Whatever an engine claims to have found must be legal and count as claimed. */
static void claims_hold_and_repeat(const ioa_engine *engine, uint64_t seed)
{
    uint32_t *start;
    ioa_problem problem = make_problem(seed, &start);
    uint64_t w = problem.network->connections, totals[2];
    uint32_t *orders[2];
    for (int run = 0; run < 2; run++) {
        ioa_tempering_config config = make_config(engine);
        ioa_transport alone = ioa_transport_solo();
        ioa_tempering *tempering;
        ioa_error error = {0};
        assert_int_equal(ioa_tempering_create(&problem, &config, &alone, &tempering, &error), IOA_OK);
        assert_int_equal(ioa_tempering_run(tempering, NULL, &error), IOA_OK);
        uint32_t replica, owner;
        totals[run] = ioa_tempering_best(tempering, &replica, &owner);
        orders[run] = ioa_alloc(w, sizeof(uint32_t));
        ioa_tempering_best_order(tempering, replica, orders[run]);
        assert_int_equal(ioa_order_check(problem.network, orders[run], &error), IOA_OK);
        ioa_io io;
        assert_int_equal(ioa_memory_count(problem.network, orders[run], 8, IOA_POLICY_MIN, &io, NULL), IOA_OK);
        assert_int_equal(io.reads + io.writes, totals[run]);
        assert_true(totals[run] <= problem.start_total);
        const ioa_trace *trace = ioa_tempering_trace(tempering);
        assert_int_equal(trace->rounds, 20);
        for (uint64_t r = 1; r < trace->rounds; r++) assert_true(trace->best[r] <= trace->best[r - 1]);
        assert_int_equal(trace->best[19], totals[run]);
        ioa_tempering_destroy(tempering);
    }
    assert_int_equal(totals[0], totals[1]);
    assert_memory_equal(orders[0], orders[1], w * sizeof(uint32_t));
    ioa_free(orders[0]);
    ioa_free(orders[1]);
    ioa_free(start);
    ioa_graph_destroy((ioa_graph *)problem.graph);
    ioa_network_destroy((ioa_network *)problem.network);
}

static void every_engine_keeps_its_word(void **state)
{
    (void)state;
    for (unsigned i = 0; ioa_engine_at(i); i++)
        for (uint64_t seed = 0; seed < 6; seed++) claims_hold_and_repeat(ioa_engine_at(i), seed);
}

/* A search taken apart after `stop` rounds and put together in another object, K replicas on one worker. */
static ioa_tempering *take_apart(const ioa_problem *problem, const ioa_engine *engine, uint64_t stop)
{
    ioa_tempering_config config = make_config(engine);
    ioa_transport alone = ioa_transport_solo();
    ioa_tempering *from, *to;
    ioa_error error = {0};
    ioa_value read[IOA_TEMPERING_VALUES], written[IOA_TEMPERING_VALUES];
    config.stop = stop;
    assert_int_equal(ioa_tempering_create(problem, &config, &alone, &from, &error), IOA_OK);
    assert_int_equal(ioa_tempering_run(from, NULL, &error), IOA_OK);
    config.stop = 0;
    assert_int_equal(ioa_tempering_create(problem, &config, &alone, &to, &error), IOA_OK);
    assert_int_equal(ioa_tempering_resize(to, stop, &error), IOA_OK);
    size_t count = ioa_tempering_values(from, read);
    assert_int_equal(ioa_tempering_values(to, written), count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(read[i].count, written[i].count);
        memcpy(written[i].values, read[i].values, read[i].count * (read[i].type == IOA_VALUE_U32 ? 4 : 8));
    }
    assert_int_equal(ioa_tempering_restored(to, &error), IOA_OK);
    for (uint32_t k = 0; k < config.replicas; k++) {
        uint64_t bytes = ioa_tempering_replica_bytes(from, k);
        unsigned char *state = ioa_alloc(bytes + 1, 1);
        ioa_tempering_replica_save(from, k, state + 1); /* from any address */
        assert_int_equal(ioa_tempering_replica_load(to, k, state + 1, bytes, &error), IOA_OK);
        assert_int_equal(ioa_tempering_replica_bytes(to, k), bytes);
        ioa_free(state);
    }
    ioa_tempering_destroy(from);
    return to;
}

static void resumed_equals_uninterrupted(void **state)
{
    (void)state;
    uint32_t *start;
    ioa_problem problem = make_problem(2, &start);
    uint64_t w = problem.network->connections;
    uint32_t *orders[2] = {ioa_alloc(w, sizeof(uint32_t)), ioa_alloc(w, sizeof(uint32_t))};
    for (unsigned i = 0; ioa_engine_at(i); i++) {
        ioa_tempering *whole = take_apart(&problem, ioa_engine_at(i), 1);
        assert_int_equal(ioa_tempering_run(whole, NULL, NULL), IOA_OK);
        for (uint64_t stop = 2; stop <= 20; stop++) { /* every phase of the plan, its end included */
            ioa_tempering *resumed = take_apart(&problem, ioa_engine_at(i), stop);
            assert_int_equal(ioa_tempering_run(resumed, NULL, NULL), IOA_OK);
            const ioa_trace *a = ioa_tempering_trace(whole), *b = ioa_tempering_trace(resumed);
            assert_int_equal(a->rounds, b->rounds);
            assert_memory_equal(a->energy, b->energy, a->rounds * a->replicas * sizeof *a->energy);
            assert_memory_equal(a->replica_at, b->replica_at, a->rounds * a->replicas * sizeof *a->replica_at);
            assert_memory_equal(a->temperature, b->temperature, a->rounds * a->replicas * sizeof *a->temperature);
            for (uint32_t k = 0; k < a->replicas; k++) {
                ioa_tempering_best_order(whole, k, orders[0]);
                ioa_tempering_best_order(resumed, k, orders[1]);
                assert_memory_equal(orders[0], orders[1], w * sizeof(uint32_t));
            }
            ioa_tempering_destroy(resumed);
        }
        ioa_tempering_destroy(whole);
    }
    ioa_free(orders[0]);
    ioa_free(orders[1]);
    ioa_free(start);
    ioa_graph_destroy((ioa_graph *)problem.graph);
    ioa_network_destroy((ioa_network *)problem.network);
}

/* Whatever the bytes are, loading says no or yields orders that are legal and cost what is claimed. */
static void damaged_states_do_no_harm(void **state)
{
    (void)state;
    uint32_t *start;
    ioa_problem problem = make_problem(4, &start);
    uint32_t *order = ioa_alloc(problem.network->connections, sizeof *order);
    ioa_pcg32 rng = ioa_rng_keyed(1, IOA_RNG_TEST, 0, 0);
    for (unsigned i = 0; ioa_engine_at(i); i++)
        for (int trial = 0; trial < 60; trial++) {
            ioa_tempering *t = take_apart(&problem, ioa_engine_at(i), trial % 2 ? 3 : 18);
            uint64_t bytes = ioa_tempering_replica_bytes(t, 0), short_by = trial % 5 == 0 ? 1 + ioa_pcg32_below(&rng, 9) : 0;
            unsigned char *saved = ioa_alloc(bytes, 1);
            ioa_tempering_replica_save(t, 0, saved);
            for (int flip = 0; flip < 3 && !short_by; flip++)
                saved[ioa_pcg32_below(&rng, (uint32_t)(bytes - 8))] ^= (unsigned char)(1u << ioa_pcg32_below(&rng, 8));
            ioa_error error = {0};
            ioa_status status = ioa_tempering_replica_load(t, 0, saved, bytes - short_by, &error);
            assert_true(status == IOA_OK || status == IOA_ERR_INPUT);
            if (short_by) assert_int_equal(status, IOA_ERR_INPUT);
            if (status == IOA_OK) {
                ioa_tempering_best_order(t, 0, order);
                assert_int_equal(ioa_order_check(problem.network, order, &error), IOA_OK);
            }
            ioa_free(saved);
            ioa_tempering_destroy(t);
        }
    ioa_free(order);
    ioa_free(start);
    ioa_graph_destroy((ioa_graph *)problem.graph);
    ioa_network_destroy((ioa_network *)problem.network);
}

static void running_out_of_memory_is_reported(void **state)
{
    (void)state;
    uint32_t *start;
    ioa_problem problem = make_problem(1, &start);
    for (unsigned i = 0; ioa_engine_at(i); i++)
        for (uint64_t n = 1;; n++) {
            ioa_tempering_config config = make_config(ioa_engine_at(i));
            config.rounds = 2;
            config.proposals = 3;
            ioa_transport alone = ioa_transport_solo();
            ioa_tempering *tempering = NULL;
            ioa_mem_fail_at(n);
            ioa_status status = ioa_tempering_create(&problem, &config, &alone, &tempering, NULL);
            if (status == IOA_OK) status = ioa_tempering_run(tempering, NULL, NULL);
            uint64_t made = ioa_mem_fail_at(0);
            ioa_tempering_destroy(tempering);
            if (made < n) {
                assert_int_equal(status, IOA_OK);
                break;
            }
            assert_int_equal(status, IOA_ERR_NOMEM);
        }
    ioa_free(start);
    ioa_graph_destroy((ioa_graph *)problem.graph);
    ioa_network_destroy((ioa_network *)problem.network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_engine_keeps_its_word),
        cmocka_unit_test(resumed_equals_uninterrupted),
        cmocka_unit_test(damaged_states_do_no_harm),
        cmocka_unit_test(running_out_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
