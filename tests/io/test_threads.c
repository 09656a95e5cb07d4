/* What the headers promise of threads: one network, one archive and one plan shared by many, a scratch for each. The tsan
 * preset watches for races; here it is the outputs that must agree to the last bit. */
#include "tests/io/fixture.h"
#include "tests/support/random_network.h"

#include "core/base/mem.h"

#include <ioanneal/archive.h>
#include <ioanneal/plan.h>
#include <pthread.h>
#include <string.h>

#define THREADS 6u
#define BATCH 150u

typedef struct work {
    const ioa_network *network;
    const ioa_archive *archive;
    const ioa_plan *plan;
    const float *x, *expected;
    void *scratch;
    float *y, *z;
    bool good;
} work;

static void *run(void *context)
{
    work *w = context;
    ioa_schedule_view view;
    ioa_plan *own = NULL;
    ioa_io counted;
    size_t bytes = BATCH * ioa_network_view(w->network)->outputs * sizeof(float);
    ioa_archive_pick(w->archive, 8, IOA_POLICY_MIN, &view);
    ioa_plan_run(w->plan, w->x, w->y, BATCH, w->scratch);
    w->good = ioa_memory_count(w->network, view.order, view.memory, view.policy, &counted, NULL) == IOA_OK &&
              ioa_plan_create(w->network, view.order, NULL, &own, NULL) == IOA_OK;
    if (w->good) ioa_plan_run(own, w->x, w->z, BATCH, w->scratch);
    w->good = w->good && memcmp(w->y, w->expected, bytes) == 0 && memcmp(w->z, w->expected, bytes) == 0;
    ioa_plan_destroy(own);
    return NULL;
}

static void test_shared(void **state)
{
    (void)state;
    ioa_network *network = sample_network(1);
    ioa_archive *archive = sample_archive(network);
    ioa_plan *plan;
    assert_ok(ioa_plan_create(network, archive->schedules[0].order, NULL, &plan, error));
    const ioa_network_arrays *a = ioa_network_view(network);
    ioa_pcg32 rng = ioa_rng_keyed(1, IOA_RNG_TEST, 0, 0);
    float *x = ioa_test_random_floats(&rng, BATCH * (uint64_t)a->inputs);
    float *expected = ioa_alloc(BATCH * (uint64_t)a->outputs, sizeof *expected);
    void *scratch = ioa_alloc(4, ioa_plan_scratch_bytes(plan));
    assert_true(x && expected && scratch);
    ioa_plan_run(plan, x, expected, BATCH, scratch);

    work works[THREADS];
    pthread_t threads[THREADS];
    for (unsigned t = 0; t < THREADS; t++) {
        works[t] = (work){network, archive, plan, x, expected, ioa_alloc(1, ioa_plan_scratch_bytes(plan)),
                          ioa_alloc(BATCH * (uint64_t)a->outputs, sizeof(float)),
                          ioa_alloc(BATCH * (uint64_t)a->outputs, sizeof(float)), false};
        assert_true(works[t].scratch && works[t].y && works[t].z);
        assert_int_equal(pthread_create(&threads[t], NULL, run, &works[t]), 0);
    }
    float *y = ioa_alloc(BATCH * (uint64_t)a->outputs, sizeof *y); /* meanwhile, by threads of the library's own */
    ioa_plan_run_threads(plan, x, y, BATCH, 4, scratch);
    assert_memory_equal(y, expected, BATCH * (size_t)a->outputs * sizeof *y);
    for (unsigned t = 0; t < THREADS; t++) {
        pthread_join(threads[t], NULL);
        assert_true(works[t].good);
        ioa_free(works[t].scratch);
        ioa_free(works[t].y);
        ioa_free(works[t].z);
    }
    ioa_free(x);
    ioa_free(y);
    ioa_free(expected);
    ioa_free(scratch);
    ioa_plan_destroy(plan);
    ioa_archive_destroy(archive);
    ioa_network_destroy(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_shared)};
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
