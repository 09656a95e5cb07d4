#include "core/base/mem.h"
#include "core/model/network.h"
#include "core/model/order.h"
#include "optimizer/search/tempering/tempering.h"
#include "optimizer/search/tempering/tempering_message.h"
#include "tests/support/failing_memory.h"
#include "tests/support/random_network.h"
#include "tests/support/unit.h"

#include <stdio.h>
#include <string.h>

static ioa_problem make_shaped(uint64_t seed, uint32_t fan_in, ioa_policy policy, uint32_t **order)
{
    ioa_graph *graph;
    ioa_test_dag_params shape = ioa_test_dag_defaults();
    shape.fan_in = fan_in;
    ioa_network *network = ioa_test_random_dag(seed, shape);
    assert_non_null(network);
    assert_int_equal(ioa_graph_create(network, &graph, NULL), IOA_OK);
    *order = ioa_alloc(network->connections, sizeof **order);
    ioa_order_layered(network, *order);
    ioa_io io;
    assert_int_equal(ioa_memory_count(network, *order, 8, policy, &io, NULL), IOA_OK);
    return (ioa_problem){.network = network, .objective = ioa_objective_single(8, policy), .memory = 8, .start = *order,
                         .start_total = io.reads + io.writes, .graph = graph, .segments = 1 + (uint32_t)(seed % 3)};
}

/* Even seeds: rows for which there are two kinds of replicas. */
static ioa_problem make_problem(uint64_t seed, ioa_policy policy, uint32_t **order)
{
    return make_shaped(seed, seed % 2 ? 4 : 12, policy, order);
}

static void set_policy(ioa_problem *problem, ioa_policy policy)
{
    ioa_io io;
    problem->objective.level[0].policy = policy;
    assert_int_equal(ioa_memory_count(problem->network, problem->start, problem->memory, policy, &io, NULL), IOA_OK);
    problem->start_total = io.reads + io.writes;
}

/* The policy an engine is made for. */
static ioa_policy policy_of(unsigned engine)
{
    return ioa_engine_at(engine) == &ioa_engine_exact ? IOA_POLICY_LRU : IOA_POLICY_MIN;
}

static ioa_tempering_config make_config(const ioa_engine *engine)
{
    return (ioa_tempering_config){.engine = engine, .seed = 3, .replicas = 5, .rounds = 20, .trial = 8, .proposals = 50,
                                  .spread = 2.0, .adapt = IOA_ADAPT_SHARES | IOA_ADAPT_WINDOWS, .patience = 10};
}

/* Whatever an engine claims to have found must be legal and count as claimed. */
static void claims_hold_and_repeat(const ioa_engine *engine, uint64_t seed)
{
    uint32_t *start;
    ioa_problem problem = make_problem(seed, seed % IOA_POLICY_COUNT, &start);
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
        assert_int_equal(ioa_memory_count(problem.network, orders[run], 8, problem.objective.level[0].policy, &io, NULL), IOA_OK);
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

/* An order aside is the best one from the beginning, and stays it until there is a better one. */
static void order_aside_is_not_lost(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 4; seed++) {
        uint32_t *start, replica, owner;
        ioa_problem problem = make_problem(seed, IOA_POLICY_MIN, &start);
        uint64_t w = problem.network->connections, totals[3];
        uint32_t *aside = ioa_alloc(w, sizeof *aside), *order = ioa_alloc(w, sizeof *order);
        assert_true(aside && order);
        for (int run = 0; run < 3; run++) { /* without it, to find one; with it; with it and no time for more */
            ioa_tempering_config config = make_config(&ioa_engine_levels);
            ioa_transport alone = ioa_transport_solo();
            ioa_tempering *tempering;
            if (run == 2) config.rounds = config.proposals = 1;
            assert_int_equal(ioa_tempering_create(&problem, &config, &alone, &tempering, NULL), IOA_OK);
            if (run > 0) {
                assert_int_equal(ioa_tempering_best(tempering, &replica, &owner), totals[0]);
                ioa_tempering_best_order(tempering, replica, order);
                assert_memory_equal(order, aside, w * sizeof *order);
            }
            assert_int_equal(ioa_tempering_run(tempering, NULL, NULL), IOA_OK);
            totals[run] = ioa_tempering_best(tempering, &replica, &owner);
            ioa_tempering_best_order(tempering, replica, order);
            ioa_io io;
            assert_int_equal(ioa_memory_count(problem.network, order, 8, IOA_POLICY_MIN, &io, NULL), IOA_OK);
            assert_int_equal(io.reads + io.writes, totals[run]);
            if (run == 0) {
                assert_true(totals[0] < problem.start_total);
                memcpy(aside, order, w * sizeof *order);
                problem.aside = aside;
                problem.aside_total = totals[0];
            } else
                assert_true(totals[run] <= totals[0]);
            ioa_tempering_destroy(tempering);
        }
        ioa_free(aside);
        ioa_free(order);
        ioa_free(start);
        ioa_graph_destroy((ioa_graph *)problem.graph);
        ioa_network_destroy((ioa_network *)problem.network);
    }
}

static unsigned wish_to_stop(void *context)
{
    uint64_t *left = context;
    return --*left == 0 ? IOA_WISH_STOP : 0;
}

/* A search taken apart after `stop` rounds and put together in another object, K replicas on one worker. */
static ioa_tempering *take_apart(const ioa_problem *problem, ioa_tempering_config config, uint64_t stop)
{
    ioa_transport alone = ioa_transport_solo();
    ioa_tempering *from, *to;
    ioa_error error = {0};
    ioa_value read[IOA_TEMPERING_VALUES], written[IOA_TEMPERING_VALUES];
    uint64_t left = stop;
    ioa_tempering_events events = {.context = &left, .wish = wish_to_stop};
    assert_int_equal(ioa_tempering_create(problem, &config, &alone, &from, &error), IOA_OK);
    assert_int_equal(ioa_tempering_run(from, &events, &error), IOA_OK);
    assert_int_equal(ioa_tempering_trace(from)->rounds, stop);
    assert_int_equal(ioa_tempering_create(problem, &config, &alone, &to, &error), IOA_OK);
    assert_int_equal(ioa_tempering_resize(to, stop, &error), IOA_OK);
    size_t count = ioa_tempering_values(from, read);
    assert_int_equal(ioa_tempering_values(to, written), count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(read[i].count, written[i].count);
        memcpy(written[i].values, read[i].values, read[i].count * (read[i].type == IOA_VALUE_U32 ? 4 : 8));
    }
    assert_int_equal(ioa_tempering_restored(to, &error), IOA_OK);
    for (uint32_t k = 0; k < ioa_tempering_states(from); k++) {
        uint64_t bytes = ioa_tempering_state_bytes(from, k);
        unsigned char *state = ioa_alloc(bytes + 1, 1);
        ioa_tempering_state_save(from, k, state + 1); /* from any address */
        assert_int_equal(ioa_tempering_state_load(to, k, state + 1, bytes, &error), IOA_OK);
        assert_int_equal(ioa_tempering_state_bytes(to, k), bytes);
        ioa_free(state);
    }
    ioa_tempering_destroy(from);
    return to;
}

static void resumed_equals_uninterrupted(void **state)
{
    (void)state;
    uint32_t *start;
    ioa_problem problem = make_problem(2, IOA_POLICY_MIN, &start);
    uint64_t w = problem.network->connections;
    uint32_t *orders[2] = {ioa_alloc(w, sizeof(uint32_t)), ioa_alloc(w, sizeof(uint32_t))};
    for (unsigned i = 0; ioa_engine_at(i); i++) {
        set_policy(&problem, policy_of(i));
        ioa_tempering *whole = take_apart(&problem, make_config(ioa_engine_at(i)), 1);
        assert_int_equal(ioa_tempering_run(whole, NULL, NULL), IOA_OK);
        for (uint64_t stop = 2; stop <= 20; stop++) { /* every phase of the plan, its end included */
            ioa_tempering *resumed = take_apart(&problem, make_config(ioa_engine_at(i)), stop);
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

/* Two searches that should be the same, and all orders of theirs. */
static void expect_same(const ioa_tempering *a, const ioa_tempering *b)
{
    const ioa_trace *s = ioa_tempering_trace(a), *t = ioa_tempering_trace(b);
    assert_int_equal(s->rounds, t->rounds);
    assert_memory_equal(s->energy, t->energy, s->rounds * s->replicas * sizeof *s->energy);
    assert_memory_equal(s->share, t->share, s->rounds * s->replicas * IOA_MOVES * sizeof *s->share);
    assert_int_equal(ioa_tempering_reheats(a), ioa_tempering_reheats(b));
    assert_int_equal(ioa_tempering_states(a), ioa_tempering_states(b));
    unsigned char *states[2];
    for (uint32_t i = 0; i < ioa_tempering_states(a); i++) {
        uint64_t bytes = ioa_tempering_state_bytes(a, i);
        assert_int_equal(bytes, ioa_tempering_state_bytes(b, i));
        for (int k = 0; k < 2; k++) ioa_tempering_state_save(k ? b : a, i, states[k] = ioa_alloc(bytes, 1));
        assert_memory_equal(states[0], states[1], bytes);
        for (int k = 0; k < 2; k++) ioa_free(states[k]);
    }
}

enum { LONG = 4000, SHORT = 500 }; /* rounds; the former are more than it takes to give up */

/* Without gain it is heated up again from the elite, and then ends before its plan; all of it survives being taken apart. */
static void stagnation_heats_up_and_resumes(void **state)
{
    (void)state;
    uint32_t *start;
    ioa_problem problem = make_problem(3, IOA_POLICY_MIN, &start);
    ioa_tempering_config config = make_config(ioa_engine_find("levels"));
    config.rounds = LONG;
    config.patience = 1;
    config.proposals = 10;
    problem.segments = 2;
    ioa_tempering *whole = take_apart(&problem, config, 1);
    assert_int_equal(ioa_tempering_run(whole, NULL, NULL), IOA_OK);
    uint64_t rounds = ioa_tempering_trace(whole)->rounds;
    assert_true(ioa_tempering_reheats(whole) >= 1 && rounds < LONG);
    const ioa_elite *elite = ioa_tempering_elite(whole);
    assert_true(elite->count >= 2 && elite->count <= elite->capacity);
    uint64_t best = UINT64_MAX;
    for (uint32_t i = 0; i < elite->count; i++)
        if (elite->entry[i].total < best) best = elite->entry[i].total;
    uint32_t replica, owner;
    assert_true(best >= ioa_tempering_best(whole, &replica, &owner));
    for (uint64_t stop = rounds; stop > rounds - 250; stop -= 121) { /* its last round included */
        ioa_tempering *resumed = take_apart(&problem, config, stop);
        assert_int_equal(ioa_tempering_run(resumed, NULL, NULL), IOA_OK);
        expect_same(whole, resumed);
        ioa_tempering_destroy(resumed);
    }
    ioa_tempering_destroy(whole);
    config.patience = 0;
    config.rounds = SHORT;
    ioa_tempering *patient = take_apart(&problem, config, 1);
    assert_int_equal(ioa_tempering_run(patient, NULL, NULL), IOA_OK);
    assert_int_equal(ioa_tempering_trace(patient)->rounds, SHORT);
    uint64_t target = ioa_tempering_best(patient, &replica, &owner) + 3;
    ioa_tempering_destroy(patient);
    config.target = target;
    ioa_tempering *easy = take_apart(&problem, config, 1);
    assert_int_equal(ioa_tempering_run(easy, NULL, NULL), IOA_OK);
    const ioa_trace *trace = ioa_tempering_trace(easy);
    assert_true(trace->rounds < SHORT && trace->best[trace->rounds - 1] <= target && trace->best[trace->rounds - 2] > target);
    ioa_tempering *again = take_apart(&problem, config, trace->rounds); /* stopped as it was over anyway */
    assert_int_equal(ioa_tempering_run(again, NULL, NULL), IOA_OK);
    expect_same(easy, again);
    ioa_tempering_destroy(again);
    ioa_tempering_destroy(easy);
    ioa_free(start);
    ioa_graph_destroy((ioa_graph *)problem.graph);
    ioa_network_destroy((ioa_network *)problem.network);
}

/* A second worker that exists in its messages only, and fails in its third round. */
typedef struct other_worker {
    int rounds;
} other_worker;

static ioa_status gather_with_failure(void *context, const int64_t *mine, uint32_t count, int64_t *all, ioa_error *error)
{
    (void)error;
    other_worker *other = context;
    for (int r = 0; r < 2; r++) memcpy(all + (uint64_t)r * count, mine, count * sizeof *mine);
    if (count > 1 && count < IOA_MOVES && ++other->rounds == 3) { /* not a survey */
        ioa_message_head head = ioa_message_head_of(all + count);
        head.status = IOA_ERR_NOMEM;
        ioa_message_put_head(all + count, &head);
    }
    return IOA_OK;
}

static void collect_of_other(void *context, const int64_t *mine, uint32_t count, int64_t *all)
{
    (void)context;
    for (int r = 0; r < 2; r++) memcpy(all + (uint64_t)r * count, mine, count * sizeof *mine);
}

static void share_of_other(void *context, uint32_t from, void *bytes, uint64_t count)
{
    (void)context;
    assert_int_equal(from, 1);
    snprintf(bytes, count, "out of memory: 42 bytes for a test");
}

static void hand_of_other(void *context, uint32_t from, uint32_t to, void *bytes, uint64_t count)
{
    (void)context;
    (void)bytes;
    (void)count;
    assert_true(from != to);
}

static void failures_of_others_are_explained(void **state)
{
    (void)state;
    uint32_t *start;
    ioa_problem problem = make_problem(3, IOA_POLICY_MIN, &start);
    ioa_tempering_config config = make_config(ioa_engine_find("priced"));
    other_worker other = {0};
    ioa_transport two = {.context = &other, .rank = 0, .size = 2, .gather = gather_with_failure, .collect = collect_of_other,
                         .share = share_of_other, .hand = hand_of_other};
    ioa_tempering *t;
    ioa_error error = {0};
    assert_int_equal(ioa_tempering_create(&problem, &config, &two, &t, &error), IOA_OK);
    assert_int_equal(ioa_tempering_run(t, NULL, &error), IOA_ERR_NOMEM);
    assert_string_equal(error.text, "worker 1: out of memory: 42 bytes for a test");
    assert_int_equal(ioa_tempering_trace(t)->rounds, 2);
    ioa_tempering_destroy(t);
    ioa_free(start);
    ioa_graph_destroy((ioa_graph *)problem.graph);
    ioa_network_destroy((ioa_network *)problem.network);
}

/* What one worker gathers and hands to worker 0, in numbers, by round. */
enum { ROUNDS_COUNTED = 40 };
typedef struct traffic {
    uint32_t messages[ROUNDS_COUNTED], gathered[ROUNDS_COUNTED], collected[ROUNDS_COUNTED];
    uint32_t round;
} traffic;

static ioa_status gather_counted(void *context, const int64_t *mine, uint32_t count, int64_t *all, ioa_error *error)
{
    traffic *seen = context;
    seen->messages[seen->round]++;
    seen->gathered[seen->round] += count;
    return ioa_transport_solo().gather(NULL, mine, count, all, error);
}

static void collect_counted(void *context, const int64_t *mine, uint32_t count, int64_t *all)
{
    traffic *seen = context;
    seen->collected[seen->round] += count;
    ioa_transport_solo().collect(NULL, mine, count, all);
}

static void next_round(void *context, uint64_t best, uint32_t replica, bool improved, const ioa_trace *trace)
{
    (void)best;
    (void)replica;
    (void)improved;
    ((traffic *)context)->round = (uint32_t)trace->rounds;
}

/* An ordinary round is one message: 8 bytes per replica, and a few numbers of the worker. */
static void ordinary_rounds_gather_energies(void **state)
{
    (void)state;
    uint32_t *start;
    ioa_problem problem = make_problem(3, IOA_POLICY_MIN, &start);
    ioa_tempering_config config = make_config(ioa_engine_find("priced"));
    config.replicas = 12;
    config.groups = 2;
    config.rounds = ROUNDS_COUNTED;
    traffic seen = {.round = 0};
    ioa_transport counted = ioa_transport_solo();
    counted.context = &seen;
    counted.gather = gather_counted;
    counted.collect = collect_counted;
    const ioa_tempering_events events = {.context = &seen, .round = next_round};
    ioa_tempering *t;
    assert_int_equal(ioa_tempering_create(&problem, &config, &counted, &t, NULL), IOA_OK);
    assert_int_equal(ioa_tempering_run(t, &events, NULL), IOA_OK);
    int ordinary = 0;
    for (int r = 0; r + 1 < ROUNDS_COUNTED; r++) {
        assert_int_equal(seen.collected[r], 2 + 2 * 12);
        if (seen.messages[r] > 1) continue; /* a survey */
        ordinary++;
        assert_int_equal(8 * seen.gathered[r], 8 * 12 + 8 * (3 + 2)); /* five numbers of the worker: it leads both groups */
    }
    assert_in_range(ordinary, ROUNDS_COUNTED / 2, ROUNDS_COUNTED * 3 / 4);
    ioa_tempering_destroy(t);
    ioa_free(start);
    ioa_graph_destroy((ioa_graph *)problem.graph);
    ioa_network_destroy((ioa_network *)problem.network);
}

/* A thousand workers with a replica each send 40 bytes, 8 of them energy; all that is put in comes out again. */
static void messages_are_small_and_whole(void **state)
{
    (void)state;
    const ioa_message_shape large = ioa_message_shape_of(1000, 1000, 125), uneven = ioa_message_shape_of(4, 11, 5);
    assert_int_equal(8 * ioa_message_length(&large), 40);
    assert_int_equal(ioa_message_length(&uneven), 3 + 2 + 3);
    int64_t message[8];
    const ioa_message_head head = {.status = IOA_ERR_NOMEM, .wishes = IOA_WISH_CHECKPOINT | IOA_WISH_STOP, .best_slot = 2,
                                   .rounds = -7, .best = UINT64_MAX};
    ioa_message_put_head(message, &head);
    for (uint32_t i = 0; i < uneven.leads; i++) ioa_message_put_base(message, i, 0.1 + i);
    for (uint32_t i = 0; i < uneven.slots; i++) ioa_message_put_energy(message, &uneven, i, 1000 + i);
    const ioa_message_head read = ioa_message_head_of(message);
    assert_true(read.status == head.status && read.wishes == head.wishes && read.best_slot == 2 && read.rounds == -7);
    assert_true(read.best == UINT64_MAX);
    for (uint32_t i = 0; i < uneven.leads; i++) assert_true(ioa_message_base(message, i) == 0.1 + i);
    for (uint32_t i = 0; i < uneven.slots; i++) assert_int_equal(ioa_message_energy(message, &uneven, i), 1000 + i);
}

/* Groups of rungs are independent: no swap joins them, and all replicas keep to theirs. */
static void groups_do_not_meet(void **state)
{
    (void)state;
    uint32_t *start;
    ioa_problem problem = make_problem(3, IOA_POLICY_MIN, &start);
    ioa_tempering_config config = make_config(ioa_engine_find("priced"));
    config.replicas = 6;
    config.groups = 2;
    config.rounds = 60;
    ioa_tempering *t = take_apart(&problem, config, 30);
    assert_int_equal(ioa_tempering_run(t, NULL, NULL), IOA_OK);
    const ioa_trace *trace = ioa_tempering_trace(t);
    uint64_t swaps = 0;
    for (uint64_t i = 0; i < trace->rounds * 6; i++) {
        assert_int_equal(trace->replica_at[i] % 2, i % 6 >= 3);
        if (i % 6 == 2 || i % 6 == 5) assert_true(trace->swap[i] == -1.0);
        swaps += trace->swap[i] == 1.0;
    }
    assert_true(swaps > 0);
    ioa_tempering_destroy(t);
    ioa_free(start);
    ioa_graph_destroy((ioa_graph *)problem.graph);
    ioa_network_destroy((ioa_network *)problem.network);
}

/* An engine whose replicas stay where they are: one at the bottom, the others far above it until they are given an order. */
static int restarted;

static ioa_status still_create(const ioa_problem *problem, const void *shared, uint32_t kind, void **state, ioa_error *error)
{
    (void)shared;
    (void)kind;
    static uint64_t made;
    uint64_t *energy = *state = ioa_alloc(2, sizeof *energy);
    if (!energy) return ioa_fail_nomem(error, "a replica", 2, sizeof *energy);
    bool low = made++ % 3 == 0;
    energy[0] = energy[1] = problem->start_total - (low ? 10 : 0) + (low ? 0 : 1000);
    return IOA_OK;
}

static ioa_status still_anneal(void *state, const ioa_step *step, ioa_pcg32 *rng, ioa_round_counts *counts, ioa_error *error)
{
    (void)state;
    (void)rng;
    (void)error;
    counts->proposals = step->proposals;
    counts->base = step->quench ? 0.0 : 1.0;
    return IOA_OK;
}

static ioa_status still_restart(void *state, const uint32_t *order, ioa_error *error)
{
    (void)order;
    (void)error;
    uint64_t *energy = state;
    energy[0] -= 1010;
    restarted++;
    return IOA_OK;
}

static uint64_t still_proposals(const ioa_problem *problem)
{
    (void)problem;
    return 7;
}

static int64_t still_energy(const void *state)
{
    return ((const int64_t *)state)[0];
}

static uint64_t still_best(const void *state)
{
    return ((const uint64_t *)state)[1];
}

static uint64_t still_connections;

static void still_order(const void *state, uint32_t *order)
{
    (void)state;
    for (uint64_t i = 0; i < still_connections; i++) order[i] = (uint32_t)i;
}

/* Replicas far above the next colder one go on from the elite, once, unless the rungs are independent of each other. */
static void stuck_replicas_are_released(void **state)
{
    (void)state;
    static const ioa_move moves[] = {{"none", 0, IOA_SHARES, false}, {0}};
    static const ioa_window windows[IOA_LEVELS] = {{1, 1, 1, 0.4, 0, 0}, {1, 1, 1, 0.4, 0, 0}};
    const ioa_engine still = {.name = "still", .moves = moves, .windows = windows, .create = still_create,
                              .destroy = ioa_free, .round_proposals = still_proposals, .anneal = still_anneal,
                              .energy = still_energy, .best_total = still_best, .best_order = still_order,
                              .present_order = still_order, .restart = still_restart};
    uint32_t *start;
    ioa_problem problem = make_problem(3, IOA_POLICY_MIN, &start);
    still_connections = problem.network->connections;
    for (int independent = 0; independent < 2; independent++) {
        ioa_transport alone = ioa_transport_solo();
        ioa_tempering_config config = make_config(&still);
        config.replicas = 3;
        config.rounds = 40;
        config.patience = 0;
        config.spread = independent ? 1.0 : 2.0;
        ioa_tempering *t;
        restarted = 0;
        assert_int_equal(ioa_tempering_create(&problem, &config, &alone, &t, NULL), IOA_OK);
        assert_int_equal(ioa_tempering_run(t, NULL, NULL), IOA_OK);
        const ioa_trace *trace = ioa_tempering_trace(t);
        for (uint32_t rung = 1; rung < 3; rung++) {
            assert_true(trace->energy[rung] == trace->energy[0] + 1010);
            assert_true(independent || trace->energy[30 * 3 + rung] == trace->energy[0]);
        }
        assert_int_equal(ioa_tempering_elite(t)->count, 1);
        assert_in_range(restarted, independent ? 0 : 2, independent ? 1 : 2); /* the quench restarts the worse half */
        ioa_tempering_destroy(t);
    }
    ioa_free(start);
    ioa_graph_destroy((ioa_graph *)problem.graph);
    ioa_network_destroy((ioa_network *)problem.network);
}

static bool at_once(void *context)
{
    ++*(int *)context;
    return true;
}

/* Told to stop while it prepares, no engine makes a replica. */
static void preparing_stops_when_told(void **state)
{
    (void)state;
    uint32_t *start;
    ioa_problem problem = make_problem(1, IOA_POLICY_MIN, &start);
    for (unsigned i = 0; ioa_engine_at(i); i++) {
        int looks = 0;
        ioa_interrupt interrupt = {.stop = at_once, .context = &looks};
        problem.interrupt = &interrupt;
        set_policy(&problem, policy_of(i));
        ioa_tempering_config config = make_config(ioa_engine_at(i));
        ioa_transport alone = ioa_transport_solo();
        ioa_tempering *t = NULL;
        assert_int_equal(ioa_tempering_create(&problem, &config, &alone, &t, NULL), IOA_ERR_CHECK);
        assert_true(interrupt.stopped && looks == 1 && !t);
    }
    ioa_free(start);
    ioa_graph_destroy((ioa_graph *)problem.graph);
    ioa_network_destroy((ioa_network *)problem.network);
}

/* Whatever the bytes are, loading says no or yields orders that are legal and cost what is claimed. */
static void damaged_states_do_no_harm(void **state)
{
    (void)state;
    uint32_t *start;
    ioa_problem problem = make_problem(4, IOA_POLICY_MIN, &start);
    uint32_t *order = ioa_alloc(problem.network->connections, sizeof *order);
    ioa_pcg32 rng = ioa_rng_keyed(1, IOA_RNG_TEST, 0, 0);
    for (unsigned i = 0; ioa_engine_at(i); i++)
        for (int trial = 0; trial < 60; trial++) {
            set_policy(&problem, policy_of(i));
            ioa_tempering *t = take_apart(&problem, make_config(ioa_engine_at(i)), trial % 2 ? 3 : 18);
            uint64_t bytes = ioa_tempering_state_bytes(t, 0), short_by = trial % 5 == 0 ? 1 + ioa_pcg32_below(&rng, 9) : 0;
            unsigned char *saved = ioa_alloc(bytes, 1);
            ioa_tempering_state_save(t, 0, saved);
            for (int flip = 0; flip < 3 && !short_by; flip++)
                saved[ioa_pcg32_below(&rng, (uint32_t)(bytes - 8))] ^= (unsigned char)(1u << ioa_pcg32_below(&rng, 8));
            ioa_error error = {0};
            ioa_status status = ioa_tempering_state_load(t, 0, saved, bytes - short_by, &error);
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

typedef struct searching {
    const ioa_problem *problem;
    const ioa_engine *engine;
} searching;

static ioa_status search(void *context, ioa_error *error)
{
    const searching *s = context;
    ioa_tempering_config config = make_config(s->engine);
    config.rounds = 2;
    config.proposals = 3;
    ioa_transport alone = ioa_transport_solo();
    ioa_tempering *tempering = NULL;
    ioa_status status = ioa_tempering_create(s->problem, &config, &alone, &tempering, error);
    if (status == IOA_OK) status = ioa_tempering_run(tempering, NULL, error);
    ioa_tempering_destroy(tempering);
    return status;
}

static void running_out_of_memory_is_reported(void **state)
{
    (void)state;
    uint32_t *start;
    ioa_problem problem = make_problem(1, IOA_POLICY_MIN, &start);
    for (unsigned i = 0; ioa_engine_at(i); i++) {
        set_policy(&problem, policy_of(i));
        searching s = {&problem, ioa_engine_at(i)};
        ioa_test_fail_each_allocation(search, &s, IOA_TEST_NOMEM);
    }
    ioa_free(start);
    ioa_graph_destroy((ioa_graph *)problem.graph);
    ioa_network_destroy((ioa_network *)problem.network);
}

/* Rounds are spent on a trial only where there is something to be tried, and kinds cannot anneal side by side: of one replica,
 * or in segments, or by the exact level. */
static void trials_are_for_open_questions(void **state)
{
    (void)state;
    static const struct {
        const ioa_engine *engine;
        uint32_t fan_in, segments, replicas, kinds;
        bool trial;
    } cases[] = {{&ioa_engine_levels, 4, 1, 1, 1, false},  {&ioa_engine_levels, 4, 1, 2, 2, false},
                 {&ioa_engine_levels, 12, 1, 1, 2, true},  {&ioa_engine_levels, 12, 1, 2, 2, false},
                 {&ioa_engine_levels, 20, 1, 2, 1, false}, {&ioa_engine_levels, 4, 3, 2, 1, false},
                 {&ioa_engine_levels, 20, 3, 2, 2, true},  {&ioa_engine_exact, 4, 1, 2, 1, false},
                 {&ioa_engine_exact, 12, 1, 2, 2, true},   {&ioa_engine_priced, 12, 1, 2, 1, false},
                 {&ioa_engine_interval, 20, 3, 2, 1, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t *start;
        ioa_policy policy = cases[i].engine == &ioa_engine_exact ? IOA_POLICY_LRU : IOA_POLICY_MIN;
        ioa_problem problem = make_shaped(2, cases[i].fan_in, policy, &start);
        ioa_tempering_config config = make_config(cases[i].engine);
        ioa_transport alone = ioa_transport_solo();
        ioa_tempering *tempering;
        problem.segments = cases[i].segments;
        config.replicas = cases[i].replicas;
        config.rounds = 300;
        config.trial = UINT64_MAX;
        assert_int_equal(ioa_tempering_create(&problem, &config, &alone, &tempering, NULL), IOA_OK);
        assert_int_equal(ioa_tempering_trial(tempering) > 0, cases[i].trial);
        bool tried = false;
        uint32_t kinds = cases[i].engine->kinds ? cases[i].engine->kinds(&problem, config.replicas, &tried) : 1;
        assert_int_equal(kinds, cases[i].kinds);
        ioa_tempering_destroy(tempering);
        ioa_free(start);
        ioa_graph_destroy((ioa_graph *)problem.graph);
        ioa_network_destroy((ioa_network *)problem.network);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trials_are_for_open_questions),
        cmocka_unit_test(every_engine_keeps_its_word),
        cmocka_unit_test(order_aside_is_not_lost),
        cmocka_unit_test(resumed_equals_uninterrupted),
        cmocka_unit_test(stagnation_heats_up_and_resumes),
        cmocka_unit_test(messages_are_small_and_whole),
        cmocka_unit_test(ordinary_rounds_gather_energies),
        cmocka_unit_test(groups_do_not_meet),
        cmocka_unit_test(failures_of_others_are_explained),
        cmocka_unit_test(stuck_replicas_are_released),
        cmocka_unit_test(preparing_stops_when_told),
        cmocka_unit_test(damaged_states_do_no_harm),
        cmocka_unit_test(running_out_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
