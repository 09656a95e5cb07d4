#include "core/base/mem.h"
#include "core/base/rng.h"
#include "io/checkpoint/checkpoint.h"
#include "io/h5/h5.h"
#include "tests/support/failing_memory.h"
#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The HDF5 library keeps what it has read of a damaged file. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libhdf5";
}

#define PATH "test_checkpoint.ckpt"
#define STATE 3000

static const ioa_fact_pair facts[] = {{"seed", "7"}, {"engine", "levels"}};

static unsigned asked;
static unsigned char state[STATE];

static ioa_status give(void *context, uint32_t replica, const void **bytes, uint64_t *count, ioa_error *error)
{
    (void)context;
    (void)error;
    assert_int_equal(replica, asked);
    asked++;
    for (int i = 0; i < STATE; i++) state[i] = (unsigned char)(i * 7 + (int)replica);
    *bytes = state;
    *count = STATE - replica;
    return IOA_OK;
}

static ioa_status write_one(uint64_t round, int64_t began, ioa_error *error)
{
    double times[3] = {1.5, 0.0, (double)round};
    const ioa_value values[] = {{"round", IOA_VALUE_U64, 1, &round}, {"times", IOA_VALUE_F64, 3, times}};
    const ioa_checkpoint c = {.facts = facts, .fact_count = 2, .values = values, .value_count = 2, .replicas = 3,
                              .owner = {.host = "n1", .pid = 4, .began = began}, .replica = give};
    asked = 0;
    ioa_status status = ioa_checkpoint_write(&c, PATH, error);
    assert_int_equal(asked, 3); /* whatever happened: the senders count on it */
    return status;
}

/* The round in the generation, or -1 if it is refused, with a text. What is accepted is as it was written. */
static int read_one(bool previous)
{
    ioa_checkpoint_file *file;
    ioa_error error = {0};
    uint64_t round;
    double times[3];
    if (ioa_checkpoint_open(PATH, previous, facts, 2, &file, &error) != IOA_OK) {
        assert_true(strlen(error.text) > 10 && !strchr(error.text, '\n'));
        return -1;
    }
    assert_int_equal(ioa_checkpoint_replicas(file), 3);
    assert_int_equal(ioa_checkpoint_get(file, &(ioa_value){"round", IOA_VALUE_U64, 1, &round}, NULL), IOA_OK);
    assert_int_equal(ioa_checkpoint_get(file, &(ioa_value){"times", IOA_VALUE_F64, 3, times}, NULL), IOA_OK);
    assert_true(times[0] == 1.5 && times[1] == 0.0 && times[2] == (double)round);
    for (uint32_t k = 0; k < 3; k++) {
        unsigned char *bytes;
        uint64_t count;
        assert_int_equal(ioa_checkpoint_get_replica(file, k, (void **)&bytes, &count, NULL), IOA_OK);
        assert_int_equal(count, STATE - k);
        for (uint64_t i = 0; i < count; i++) assert_int_equal(bytes[i], (unsigned char)(i * 7 + k));
        ioa_free(bytes);
    }
    ioa_checkpoint_close(file);
    return (int)round;
}

static int forget(void **unused)
{
    (void)unused;
    unlink(PATH);
    unlink(PATH ".prev");
    return 0;
}

static void two_generations_are_kept(void **unused)
{
    (void)unused;
    assert_false(ioa_checkpoint_exists(PATH));
    assert_int_equal(write_one(1, 5, NULL), IOA_OK);
    assert_int_equal(read_one(false), 1);
    assert_int_equal(read_one(true), -1);
    for (uint64_t round = 2; round < 5; round++) {
        assert_int_equal(write_one(round, 5, NULL), IOA_OK);
        assert_int_equal(read_one(false), (int)round);
        assert_int_equal(read_one(true), (int)round - 1);
    }
    unlink(PATH);
    assert_true(ioa_checkpoint_exists(PATH));
    const ioa_owner owner = {.began = 5};
    assert_int_equal(ioa_checkpoint_remove(PATH, &owner, NULL), IOA_OK);
    assert_false(ioa_checkpoint_exists(PATH));
}

static void the_newer_run_owns_the_file(void **unused)
{
    (void)unused;
    ioa_error error = {0};
    assert_int_equal(write_one(1, 10, NULL), IOA_OK);
    assert_int_equal(write_one(2, 9, &error), IOA_ERR_CHECK);
    assert_non_null(strstr(error.text, "newer run"));
    assert_int_equal(read_one(false), 1);
    const ioa_owner older = {.began = 9};
    assert_int_equal(ioa_checkpoint_remove(PATH, &older, &error), IOA_ERR_CHECK);
    assert_int_equal(read_one(false), 1);
    assert_int_equal(write_one(3, 11, NULL), IOA_OK);
    assert_int_equal(read_one(false), 3);
}

/* Any byte changed, any length cut: refused, or nothing that matters was hit. */
static void damage_is_seen(void **unused)
{
    (void)unused;
    assert_int_equal(write_one(1, 5, NULL), IOA_OK);
    FILE *f = fopen(PATH, "rb");
    static unsigned char whole[1 << 20], bad[1 << 20];
    size_t size = fread(whole, 1, sizeof whole, f);
    fclose(f);
    assert_true(size > 9000 && size < sizeof whole);
    ioa_pcg32 rng = ioa_rng_keyed(1, IOA_RNG_TEST, 0, 0);
    int refused = 0;
    for (int trial = 0; trial < 3000; trial++) {
        memcpy(bad, whole, size);
        size_t length = size;
        if (trial % 10 == 0)
            length = ioa_pcg32_below(&rng, (uint32_t)size);
        else
            bad[ioa_pcg32_below(&rng, (uint32_t)size)] ^= (unsigned char)(1 + ioa_pcg32_below(&rng, 255));
        f = fopen(PATH, "wb");
        assert_int_equal(fwrite(bad, 1, length, f), length);
        fclose(f);
        refused += read_one(false) < 0;
    }
    assert_true(refused > 1500);
}

/* What is looked at: right where the file is whole, one line where it is not, memory out at every allocation included. */
static void a_summary_is_right_or_refused(void **unused)
{
    (void)unused;
    const ioa_fact_pair told[] = {{"memories", "8,24"}, {"policy", "min"}, {"method", "tempering"}, {"seed", "7"}, {"replicas", "2"}};
    uint64_t searching = 1, rounds = 3, planned = 9, start = 500, best = 400, lower = 300;
    double elapsed = 6.0, job = 8.0;
    const ioa_value values[] = {{"searching", IOA_VALUE_U64, 1, &searching}, {"rounds", IOA_VALUE_U64, 1, &rounds},
                                {"planned", IOA_VALUE_U64, 1, &planned},     {"start_total", IOA_VALUE_U64, 1, &start},
                                {"best_total", IOA_VALUE_U64, 1, &best},     {"lower_bound", IOA_VALUE_U64, 1, &lower},
                                {"elapsed", IOA_VALUE_F64, 1, &elapsed},     {"job_elapsed", IOA_VALUE_F64, 1, &job}};
    const ioa_checkpoint c = {.facts = told, .fact_count = 5, .values = values, .value_count = 8, .replicas = 2,
                              .owner = {.host = "n1", .job = "4711", .restart = 2, .began = 5}, .replica = give};
    asked = 0;
    assert_int_equal(ioa_checkpoint_write(&c, PATH, NULL), IOA_OK);
    assert_true(ioa_checkpoint_probe(PATH));
    ioa_checkpoint_summary s;
    ioa_error error = {0};
    for (uint64_t n = 1;; n++) {
        ioa_mem_fail_at(n);
        ioa_status status = ioa_checkpoint_summarize(PATH, &s, &error);
        if (ioa_mem_fail_at(0) < n) {
            assert_int_equal(status, IOA_OK);
            break;
        }
        assert_int_not_equal(status, IOA_OK);
        assert_null(s.memories);
    }
    assert_string_equal(s.memories, "8,24");
    assert_true(s.searching && s.rounds == 3 && s.planned == 9 && s.start_total == 500 && s.best_total == 400);
    assert_true(s.lower_bound == 300 && s.elapsed == 6.0 && s.job_elapsed == 8.0 && s.done_count == 0);
    assert_string_equal(s.owner.job, "4711");
    ioa_checkpoint_summary_free(&s);
    best = 299; /* below what is possible */
    asked = 0;
    assert_int_equal(ioa_checkpoint_write(&c, PATH, NULL), IOA_OK);
    assert_int_equal(ioa_checkpoint_summarize(PATH, &s, &error), IOA_ERR_INPUT);
    assert_non_null(strstr(error.text, PATH));
    assert_int_equal(write_one(1, 5, NULL), IOA_OK); /* without the values of a search */
    assert_int_equal(ioa_checkpoint_summarize(PATH, &s, &error), IOA_ERR_INPUT);
    unlink(PATH);
    assert_false(ioa_checkpoint_probe(PATH));
}

static ioa_status write_two(void *unused, ioa_error *error)
{
    (void)unused;
    ioa_status status = write_one(2, 5, error);
    if (status != IOA_OK) assert_true(read_one(false) >= 1);
    return status;
}

static void running_out_of_memory_keeps_the_file(void **unused)
{
    (void)unused;
    assert_int_equal(write_one(1, 5, NULL), IOA_OK);
    /* If the owner of the file cannot be read, it is as if there were none. */
    ioa_test_fail_each_allocation(write_two, NULL, IOA_TEST_OR_SYSTEM | IOA_TEST_OR_OK);
    assert_int_equal(read_one(false), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(two_generations_are_kept, forget),
        cmocka_unit_test_teardown(the_newer_run_owns_the_file, forget),
        cmocka_unit_test_teardown(damage_is_seen, forget),
        cmocka_unit_test_teardown(a_summary_is_right_or_refused, forget),
        cmocka_unit_test_teardown(running_out_of_memory_keeps_the_file, forget),
    };
    ioa_h5_program_start();
    char folder[] = "/tmp/ioa-checkpoint.XXXXXX";
    if (!mkdtemp(folder) || chdir(folder) != 0) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return rmdir(folder) == 0 ? failed : failed + 1; /* nothing may be left behind */
}
