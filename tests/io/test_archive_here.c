/* The schedule for a processor, on processors invented here. */
#include "tests/io/fixture.h"

#include <ioanneal/archive.h>
#include <string.h>

static const ioa_fast_memory avx512 = {IOA_ISA_AVX512, 32, 192, 8192}, avx2 = {IOA_ISA_AVX2, 16, 128, 1024},
                             unknown = {IOA_ISA_PORTABLE, 16, 0, 0};

static void test_suits(void **state)
{
    (void)state;
    static const struct {
        const ioa_fast_memory *memory;
        uint64_t wanted;
        int suits;
    } cases[] = {
        {&avx512, 32, 1}, {&avx512, 16, 1},  {&avx512, 15, 0},   {&avx512, 33, 0},   {&avx512, 90, 0},    {&avx512, 100, 1},
        {&avx512, 384, 1}, {&avx512, 385, 0}, {&avx512, 4096, 1}, {&avx512, 9000, 1}, {&avx512, 20000, 0}, {&avx2, 16, 1},
        {&avx2, 32, 0},    {&avx2, 100, 1},   {&unknown, 16, 1},  {&unknown, 17, 0},  {&unknown, 100, 0},  {&unknown, 8, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char warning[256] = "old";
        ioa_schedule_view view = {.memory = cases[i].wanted};
        int suits = ioa_schedule_suits(&view, cases[i].memory, warning, sizeof warning);
        if (suits != cases[i].suits) fail_msg("case %zu: M = %lu", i, (unsigned long)cases[i].wanted);
        assert_int_equal(warning[0] == '\0', suits);
        assert_true(suits || strstr(warning, cases[i].memory->isa == IOA_ISA_AVX512 ? "--memory 32" : "--memory 16"));
        assert_null(strchr(warning, '\n'));
    }
    char warning[256], little[5];
    ioa_schedule_view elsewhere = {.memory = 16, .measured_isa = "avx512"};
    assert_false(ioa_schedule_suits(&elsewhere, &avx2, warning, sizeof warning));
    assert_non_null(strstr(warning, "measured with avx512"));
    assert_true(ioa_schedule_suits(&elsewhere, &avx512, warning, sizeof warning));
    elsewhere.measured_isa = "avx9000"; /* of a later version */
    assert_true(ioa_schedule_suits(&elsewhere, &avx2, warning, sizeof warning));
    elsewhere.memory = 5;
    assert_false(ioa_schedule_suits(&elsewhere, &avx2, little, sizeof little));
    assert_int_equal(strlen(little), 4);
    assert_false(ioa_schedule_suits(&elsewhere, &avx2, NULL, 0));
}

static void test_pick(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {100, 16, 32, 24};
    ioa_network *network = sample_network(1);
    ioa_archive *archive, *opened = NULL;
    assert_ok(ioa_archive_create(network, &archive, error));
    ioa_archive *sample = sample_archive(network);
    for (unsigned i = 0; i < 4; i++) {
        ioa_schedule *s;
        assert_ok(ioa_archive_add_schedule(archive, &s, error));
        *s = sample->schedules[0];
        s->memory = sizes[i];
        s->policy = i == 3 ? IOA_POLICY_LRU : IOA_POLICY_MIN;
        if (i != 2) s->measured = NULL, s->measurements = 0;
    }
    assert_ok(ioa_archive_write(archive, scratch("a.h5"), error));
    assert_ok(ioa_archive_open(scratch("a.h5"), network, &opened, error));
    char warning[256];
    ioa_schedule_view view;
    assert_true(ioa_archive_pick_here(opened, &avx512, &view, warning, sizeof warning));
    assert_true(view.memory == 32 && strcmp(view.measured_isa, "portable") == 0 && view.order[5] == 5);
    assert_true(ioa_archive_pick_here(opened, &avx2, &view, warning, sizeof warning));
    assert_true(view.memory == 16 && !view.measured_isa);
    ioa_archive_close(opened);
    archive->count = 0; /* its arrays are the sample's */
    ioa_archive_destroy(archive);
    ioa_archive_destroy(sample);
    ioa_network_destroy(network);
}

static void test_here(void **state)
{
    (void)state;
    ioa_fast_memory here, narrow;
    ioa_fast_memory_here(IOA_ISA_AUTO, 0, &here);
    assert_true(here.isa == ioa_isa_best() && here.registers == ioa_isa_registers(here.isa));
    assert_true(here.registers == 16 || here.registers == 32);
    ioa_fast_memory_here(IOA_ISA_PORTABLE, 128, &narrow);
    assert_true(narrow.isa == IOA_ISA_PORTABLE && narrow.l1 == here.l1 / 2 && narrow.l2 == here.l2 / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_suits), cmocka_unit_test(test_pick), cmocka_unit_test(test_here)};
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
