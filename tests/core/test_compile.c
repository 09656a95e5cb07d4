/* Compiled schedules: right results, and exactly as many memory instructions as the model counts. */
#include "core/base/mem.h"
#include "core/compile/compile.h"
#include "core/compile/compile_program.h"
#include "core/compile/work.h"
#include "core/model/network.h"
#include "core/model/reference.h"
#include "tests/support/failing_memory.h"
#include "tests/support/random_network.h"

#include <ioanneal/memory.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void check_outputs(const ioa_code *code, const ioa_network *network, size_t batch)
{
    ioa_pcg32 rng = ioa_rng_keyed(batch, IOA_RNG_TEST, 7, 0);
    uint64_t inputs = ioa_network_view(network)->inputs, outputs = ioa_network_view(network)->outputs;
    float *x = ioa_test_random_floats(&rng, batch * inputs), *y = ioa_alloc(batch * outputs, sizeof *y);
    double *exact = ioa_alloc(batch * outputs, sizeof *exact), *bound = ioa_alloc(batch * outputs, sizeof *bound);
    size_t bytes = ioa_code_scratch_bytes(code);
    void *scratch = ioa_alloc(bytes, 1);
    assert_true(x && y && exact && bound && scratch);
    memset(scratch, 0xff, bytes);
    assert_int_equal(ioa_reference_run(network, x, batch, exact, bound, NULL), IOA_OK);
    ioa_code_run(code, x, y, batch, scratch);
    for (uint64_t i = 0; i < batch * outputs; i++)
        if (!(fabs((double)y[i] - exact[i]) <= bound[i]))
            fail_msg("output %d of sample %d: %.9g instead of %.9g +- %.3g", (int)(i % outputs), (int)(i / outputs),
                     (double)y[i], exact[i], bound[i]);
    ioa_free(x);
    ioa_free(y);
    ioa_free(exact);
    ioa_free(bound);
    ioa_free(scratch);
}

typedef struct counts {
    uint64_t loads, broadcasts, products, stores;
} counts;

/* Length of the instruction at p, counting its access to memory. Knows nothing but the forms that occur, and takes
 * them from the instruction set's manual, not from the generator. */
static size_t decode(const unsigned char *p, counts *c)
{
    if (p[0] == 0x62) { /* EVEX */
        unsigned mod = p[5] >> 6, map = p[1] & 7;
        if (mod != 3) {
            if (map == 1 && p[4] == 0x10) c->loads++;
            else if (map == 1 && p[4] == 0x11) c->stores++;
            else if (map == 2 && p[4] == 0x18) c->broadcasts++;
            else if (map == 2 && p[4] == 0xb8 && p[3] & 0x10) c->products++;
            else fail_msg("unknown EVEX opcode %02x", p[4]);
        }
        return mod == 3 ? 6 : mod == 1 ? 7 : 10;
    }
    if (p[0] == 0xc4 || p[0] == 0xc5) { /* VEX of three or two bytes */
        size_t head = p[0] == 0xc4 ? 4 : 3;
        unsigned mod = p[head] >> 6, map = p[0] == 0xc4 ? p[1] & 31 : 1, opcode = p[head - 1];
        if (mod != 3) {
            if (map == 1 && opcode == 0x10) c->loads++;
            else if (map == 1 && opcode == 0x11) c->stores++;
            else if (map == 2 && opcode == 0x18) c->broadcasts++;
            else fail_msg("unknown VEX opcode %02x", opcode);
        } else if (map == 2 && opcode == 0xb8) { /* its weight was just broadcast into a register */
            c->products++;
            c->broadcasts--;
        }
        return head + (mod == 3 ? 1 : mod == 1 ? 2 : 5);
    }
    if (p[0] == 0x0f && p[1] == 0x18) return 7; /* prefetch */
    switch (p[0]) {
    case 0xc3: return 1; /* ret */
    case 0xe8: return 5; /* call */
    case 0x48: case 0x4c:
        if (p[1] == 0x81 || p[1] == 0x8d) return 7; /* add r64, imm32; lea */
        break;
    default: break;
    }
    fail_msg("unknown instruction %02x %02x", p[0], p[1]);
    return 1;
}

static counts count_instructions(const ioa_code *code)
{
    size_t length = 0;
    const unsigned char *text = ioa_code_text(code, &length);
    counts c = {0};
    for (size_t at = 0; at < length;) at += decode(text + at, &c);
    return c;
}

static bool is_all_in_registers(const ioa_network *network)
{
    const ioa_network_arrays *a = ioa_network_view(network);
    for (uint32_t v = 0; v < a->neurons; v++)
        if (a->activation[v] > IOA_ACT_RELU && a->activation[v] != IOA_ACT_ABS && a->activation[v] < IOA_ACT_NEGATE)
            return false;
    return true;
}

static void check_schedule(const ioa_network *network, const uint32_t *order, const uint32_t *full_order, ioa_isa isa)
{
    ioa_code *code = NULL;
    ioa_io io;
    const ioa_code_options plain = {.isa = isa};
    assert_int_equal(ioa_code_create(network, order, &plain, &code, NULL), IOA_OK);
    assert_int_equal(ioa_memory_count(network, full_order, ioa_code_memory(isa), IOA_POLICY_MIN, &io, NULL), IOA_OK);
    counts c = count_instructions(code);
    assert_int_equal(c.products, ioa_network_connections(network));
    ioa_code_facts facts = ioa_code_describe(code);
    assert_int_equal(c.products + c.loads + c.broadcasts, facts.reads + facts.extra_reads);
    assert_int_equal(c.stores, facts.writes + facts.extra_writes);
    if (is_all_in_registers(network)) {
        assert_int_equal(facts.reads, io.reads);
        assert_int_equal(facts.writes, io.writes);
        assert_int_equal(facts.extra_reads + facts.extra_writes + facts.calls, 0);
    }
    for (size_t batch = 1; batch < 40; batch += 15) check_outputs(code, network, batch);
    ioa_code_destroy(code);
    ioa_code_options others[] = {{.segment = 17, .group = 2}, {.prune = true}, {.segment = 50, .prune = true},
                                 {.ahead = true}, {.as_ordered = true}};
    for (int i = 0; i < 5; i++) {
        others[i].isa = isa;
        assert_int_equal(ioa_code_create(network, order, &others[i], &code, NULL), IOA_OK);
        check_outputs(code, network, 67);
        assert_true(i != 1 || !is_all_in_registers(network) || ioa_code_describe(code).reads <= io.reads);
        if (i >= 3) { /* neither prefetching nor the sequence changes what is transferred */
            counts same = count_instructions(code);
            assert_memory_equal(&same, &c, sizeof c);
        }
        ioa_code_destroy(code);
    }
}

static void check_network(const ioa_network *network, uint64_t seed)
{
    assert_non_null(network);
    ioa_pcg32 rng = ioa_rng_keyed(seed, IOA_RNG_TEST, 8, 0);
    uint32_t *order = ioa_test_random_order(network, &rng);
    uint32_t *layered = ioa_alloc(ioa_network_connections(network), sizeof *layered);
    assert_true(order && layered);
    for (uint64_t t = 0; t < ioa_network_connections(network); t++) layered[t] = (uint32_t)t;
    for (int isa = IOA_ISA_PORTABLE; isa < IOA_ISA_COUNT; isa++) {
        if (!ioa_code_available((ioa_isa)isa)) continue;
        check_schedule(network, NULL, layered, (ioa_isa)isa);
        check_schedule(network, order, order, (ioa_isa)isa);
    }
    ioa_free(order);
    ioa_free(layered);
}

static void test_random_dags(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 12; seed++) {
        ioa_test_dag_params params = ioa_test_dag_defaults();
        params.neurons = 60 + 40 * (uint32_t)seed;
        params.fan_in = 2 + (uint32_t)seed;
        if (seed % 3 == 1) params.activation = IOA_ACT_RELU;
        if (seed % 3 == 2) params.reach = 25;
        ioa_network *network = ioa_test_random_dag(seed, params);
        check_network(network, seed);
        ioa_network_destroy(network);
    }
}

/* Rows without a reader: their connections are neither executed nor counted as work. */
static void test_work(void **state)
{
    (void)state;
    const uint32_t layers[] = {40, 60, 20};
    const ioa_code_options pruned = {.prune = true};
    ioa_network *network = ioa_test_random_mlp(5, layers, 3, 0.1, IOA_ACT_RELU);
    ioa_code *code = NULL;
    assert_non_null(network);
    assert_int_equal(ioa_code_create(network, NULL, &pruned, &code, NULL), IOA_OK);
    const ioa_code_facts facts = ioa_code_describe(code);
    const uint32_t batch = ioa_code_tile(IOA_ISA_AUTO) * 2;
    const ioa_work full = ioa_code_work(code, batch), half = ioa_code_work(code, batch / 4);
    const counts c = count_instructions(code);
    assert_true(c.products < ioa_network_connections(network) && c.products == facts.products);
    assert_true(full.flops == 2.0 * (double)c.products * batch);
    const double share = (double)c.products / (double)(c.products + c.loads + c.broadcasts);
    assert_true(fabs(full.operand_share - share) < 1e-9);
    assert_true(fabs(half.operand_share - share / 2) < 1e-9); /* lanes without samples */
    ioa_code_destroy(code);
    ioa_network_destroy(network);
}

static void test_mlp(void **state)
{
    (void)state;
    const uint32_t layers[] = {100, 90, 80, 33};
    ioa_network *network = ioa_test_random_mlp(2, layers, 4, 0.3, IOA_ACT_RELU);
    check_network(network, 2);
    ioa_network_destroy(network);
}

#define REACH 8 /* instructions within which a sum that is added to again waits: latency 4, two a cycle */

/* FMAs whose sum was added to by one of the REACH - 1 instructions before. */
static uint64_t waiting_sums(const ioa_program *p)
{
    uint64_t waiting = 0;
    for (uint64_t i = 0; i < p->count; i++) {
        bool waits = false;
        for (uint64_t k = 1; k < REACH && k <= i; k++)
            waits = waits || (p->code[i - k].op == IOA_OP_FMA && p->code[i - k].a == p->code[i].a);
        waiting += waits && p->code[i].op == IOA_OP_FMA;
    }
    return waiting;
}

static uint64_t count_op(const ioa_program *p, ioa_op op)
{
    uint64_t count = 0;
    for (uint64_t i = 0; i < p->count; i++) count += p->code[i].op == op;
    return count;
}

/* Row after row, every sum waits for the one before; rescheduled, most do not, and the transfers are the same. */
static void test_chains_are_spread(void **state)
{
    (void)state;
    const uint32_t layers[] = {14, 90};
    ioa_network *network = ioa_test_random_mlp(4, layers, 2, 0.7, IOA_ACT_RELU);
    ioa_plan_steps steps;
    ioa_program program;
    assert_non_null(network);
    assert_int_equal(ioa_plan_steps_make(network, NULL, IOA_LAYOUT_ORDER, false, &steps, NULL), IOA_OK);
    assert_int_equal(ioa_program_make(network, &steps, 31, 0, &program, NULL), IOA_OK);
    uint64_t before = waiting_sums(&program), transfers[3];
    for (int op = 0; op < 3; op++) transfers[op] = count_op(&program, (ioa_op)op);
    assert_true(before > ioa_network_connections(network) / 2);
    assert_int_equal(ioa_program_schedule(&program, NULL), IOA_OK);
    assert_true(waiting_sums(&program) < before / 2);
    for (int op = 0; op < 3; op++) assert_int_equal(count_op(&program, (ioa_op)op), transfers[op]);
    ioa_program_clear(&program);
    ioa_plan_steps_clear(&steps);
    ioa_network_destroy(network);
}

static ioa_status make_code(void *network, ioa_error *error)
{
    ioa_code *code = NULL;
    ioa_status status = ioa_code_create(network, NULL, NULL, &code, error);
    assert_true((status == IOA_OK) == (code != NULL));
    ioa_code_destroy(code);
    return status;
}

static void test_allocation_failures(void **state)
{
    (void)state;
    ioa_network *network = ioa_test_random_dag(3, ioa_test_dag_defaults());
    ioa_test_fail_each_allocation(make_code, network, IOA_TEST_NOMEM);
    ioa_network_destroy(network);
}

int main(void)
{
    if (!ioa_code_available(IOA_ISA_AVX2)) {
        puts("skipped: this processor or system cannot run compiled schedules (AVX2, Linux)");
        return 77;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_dags), cmocka_unit_test(test_mlp), cmocka_unit_test(test_work), cmocka_unit_test(test_chains_are_spread),
                                       cmocka_unit_test(test_allocation_failures)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
