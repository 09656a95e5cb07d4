#include "core/mem.h"
#include "core/network.h"
#include "core/order.h"
#include "optimizer/search/tempering.h"
#include "tests/support/random_network.h"
#include "tests/support/unit.h"

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
    return (ioa_problem){.network = network, .memory = 8, .policy = IOA_POLICY_MIN, .start = *order,
                         .start_total = io.reads + io.writes, .graph = graph};
}

static ioa_tempering_config make_config(const ioa_engine *engine)
{
    return (ioa_tempering_config){.engine = engine, .seed = 3, .replicas = 5, .rounds = 20, .proposals = 50,
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
        cmocka_unit_test(running_out_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
