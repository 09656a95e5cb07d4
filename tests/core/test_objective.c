/* Objectives of several levels: texts, totals, and counts against the simulator. */
#include "core/base/mem.h"
#include "core/model/network.h"
#include "core/model/objective.h"
#include "tests/support/random_network.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_texts(void **state)
{
    (void)state;
    ioa_objective o;
    char text[IOA_LEVELS_TEXT];
    assert_int_equal(ioa_objective_parse("32:1.0,190:0.3", IOA_POLICY_MIN, &o, NULL), IOA_OK);
    assert_int_equal(o.count, 2);
    assert_true(o.level[0].memory == 32 && o.level[0].policy == IOA_POLICY_MIN && o.level[0].weight == 1000);
    assert_true(o.level[1].memory == 190 && o.level[1].policy == IOA_POLICY_LRU && o.level[1].weight == 300);
    ioa_objective_name(&o, text);
    assert_string_equal(text, "32:1.000:min,190:0.300:lru");
    assert_int_equal(ioa_objective_parse("8:0.0015:rr,8:2:min", IOA_POLICY_LRU, &o, NULL), IOA_OK);
    ioa_objective_name(&o, text);
    assert_string_equal(text, "8:0.002:rr,8:2.000:min");
    static const char *const bad[] = {"", "32", "32:", ":1", "32:1,", "32:0", "32:-1", "32:1:fifo", "32:1:min:1", "2:1", "32:1e9",
                                      "32:1,32:1:min", "x32:1", "9:1,8:1,7:1,6:1,5:1,4:1,3:1,10:1,11:1", "32:nan"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(ioa_objective_parse(bad[i], IOA_POLICY_MIN, &o, NULL), IOA_ERR_INPUT);
}

static void test_totals(void **state)
{
    (void)state;
    ioa_network *network = ioa_test_random_dag(4, ioa_test_dag_defaults());
    ioa_pcg32 rng = ioa_rng_keyed(4, IOA_RNG_TEST, 9, 0);
    uint32_t *order = ioa_test_random_order(network, &rng);
    const ioa_objective o = {3, {{8, IOA_POLICY_MIN, 1000}, {20, IOA_POLICY_LRU, 250}, {5, IOA_POLICY_RR, 1}}};
    ioa_io io[IOA_MOST_LEVELS], one;
    uint64_t total, sum = 0;
    assert_int_equal(ioa_objective_count(network, order, &o, io, &total, NULL), IOA_OK);
    for (uint32_t i = 0; i < o.count; i++) {
        assert_int_equal(ioa_memory_count(network, order, o.level[i].memory, o.level[i].policy, &one, NULL), IOA_OK);
        assert_true(one.reads == io[i].reads && one.writes == io[i].writes);
        sum += o.level[i].weight * (one.reads + one.writes);
    }
    assert_int_equal(total, (sum + 500) / 1000);
    assert_int_equal(ioa_objective_shared(&o, 1000), 1251);
    const ioa_objective single = ioa_objective_single(8, IOA_POLICY_MIN); /* exactly the I/O */
    assert_int_equal(ioa_objective_count(network, order, &single, NULL, &total, NULL), IOA_OK);
    assert_int_equal(total, io[0].reads + io[0].writes);
    assert_int_equal(ioa_objective_shared(&single, 12345), 12345);
    ioa_free(order);
    ioa_network_destroy(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_texts), cmocka_unit_test(test_totals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
