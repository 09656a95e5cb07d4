/* The machine's limits: figures that can be, and the right one found for invented machines and work. */
#include "core/measure/limits.h"

#include <ioanneal/plan.h>

#include "tests/support/unit.h"

static void test_measured(void **state)
{
    (void)state;
    const ioa_machine small = {.l1d_bytes = 32768, .l2_bytes = 262144, .l3_bytes = 2097152};
    for (int isa = IOA_ISA_PORTABLE; isa < IOA_ISA_COUNT; isa++) {
        ioa_limits l;
        if (!ioa_isa_available((ioa_isa)isa)) continue;
        assert_int_equal(ioa_limits_measure(&small, (ioa_isa)isa, 0.02, &l, NULL), IOA_OK);
        assert_true(l.fma_gflops > 0.01 && l.fma_memory_gflops > 0.01);
        assert_true(l.l2_lines_gbps > 0.01 && l.l1_write_gbps > 0.01 && l.l2_write_gbps > 0.01);
        assert_true(l.l3_write_gbps > 0.01 && l.dram_write_gbps > 0.01);
        assert_true(l.l1_gbps > 0.01 && l.l2_gbps > 0.01 && l.l3_gbps > 0.01 && l.dram_gbps > 0.01);
        assert_true(l.fma_gflops < 1e5 && l.l1_gbps < 1e5); /* the work was done */
    }
    ioa_limits l;
    ioa_error error;
    assert_int_equal(ioa_limits_measure(&small, IOA_ISA_COUNT, 0.02, &l, &error), IOA_ERR_INPUT);
}

static void expect_within(const ioa_work *work, double seconds, const char *name, double share)
{
    const ioa_machine machine = {.l1d_bytes = 1000, .l2_bytes = 10000, .l3_bytes = 100000};
    const ioa_limits limits = {.fma_gflops = 100, .fma_memory_gflops = 80, .l1_gbps = 50, .l2_gbps = 20, .l3_gbps = 10,
                               .dram_gbps = 1, .fetch_gbps = 5, .l2_lines_gbps = 16, .l1_write_gbps = 25,
                               .l2_write_gbps = 10, .l3_write_gbps = 5, .dram_write_gbps = 0.5};
    double found;
    assert_string_equal(ioa_limits_judge(&limits, &machine, work, seconds, &found), name);
    assert_true(found > share * 0.999 && found < share * 1.001);
}

static void expect(const ioa_work *work, const char *name, double share)
{
    expect_within(work, 1.0, name, share);
}

static void test_judged(void **state)
{
    (void)state;
    expect(&(ioa_work){.flops = 50e9}, "fma", 0.5);
    expect(&(ioa_work){.flops = 50e9, .load_bytes = 40e9}, "load-ports", 0.8);
    expect(&(ioa_work){.flops = 50e9, .fetch_bytes = 3e9}, "fetch", 0.6);
    expect(&(ioa_work){.flops = 50e9, .write_bytes = 20e9}, "store-ports", 0.8);
    expect(&(ioa_work){.flops = 50e9, .value_bytes = 15e9, .value_set = 5000}, "l2", 0.6);
    expect(&(ioa_work){.flops = 50e9, .value_bytes = 15e9, .value_set = 5000, .lines = true}, "l2", 0.75);
    expect(&(ioa_work){.flops = 50e9, .write_bytes = 9e9, .value_set = 5000}, "l2", 0.72);
    expect(&(ioa_work){.flops = 50e9, .value_bytes = 15e9, .value_set = 9000, .tile_set = 5000}, "l2", 0.6);
    /* code: four fifths of it from L3, all of it through L2 */
    expect(&(ioa_work){.flops = 50e9, .fetch_bytes = 4e9, .stream_set = 50000}, "fetch", 0.8);
    expect(&(ioa_work){.flops = 1e9, .fetch_bytes = 4e9, .stream_bytes = 8e9, .stream_set = 50000}, "l3", 0.96);
    /* 4 kB packed and unpacked: three quarters of what is read and of what is written are in L2 */
    expect_within(&(ioa_work){.packed_bytes = 4000, .value_set = 500}, 1e-6, "l2", 0.225);
    expect_within(&(ioa_work){.flops = 50e3, .packed_bytes = 4000, .value_set = 500}, 1e-6, "fma", 0.725);
    expect_within(&(ioa_work){.packed_bytes = 500, .value_set = 500}, 1e-6, "store-ports", 0.02);
    expect(&(ioa_work){.flops = 50e9, .value_bytes = 12e9, .value_set = 500}, "fma", 0.5);
    expect(&(ioa_work){.flops = 50e9, .value_bytes = 12e9, .value_set = 5000, .panel_set = 900}, "fma", 0.5);
    expect(&(ioa_work){.flops = 50e9, .value_bytes = 24e9, .value_set = 5000, .panel_set = 2000}, "l2", 0.6); /* half of it in L1 */
    expect(&(ioa_work){.flops = 5e9, .lane_flops = 60e9, .load_bytes = 20e9}, "fma", 0.6);
    expect(&(ioa_work){.flops = 50e9, .stream_bytes = 9e9, .stream_set = 50000}, "l3", 0.72);
    expect(&(ioa_work){.flops = 50e9, .stream_bytes = 0.9e9, .stream_set = 500000}, "dram", 0.72);
    const ioa_limits nothing = {.fma_gflops = 0};
    const ioa_machine machine = {.cores = 1};
    double share;
    assert_null(ioa_limits_judge(&nothing, &machine, &(ioa_work){.flops = 1}, 1.0, &share));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_measured), cmocka_unit_test(test_judged)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
