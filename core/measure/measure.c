#include "core/measure/measure.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/model/network.h"

#include <string.h>

#define MOST_SAMPLES 64u /* of the exactness check */

enum { SCHEDULE, LAYERED, CSR, MKL, FIELD }; /* the contenders */

void ioa_measurement_clear(ioa_measurement *measurement)
{
    ioa_free(measurement->candidates);
    ioa_free(measurement->schedule);
    ioa_free(measurement->layered);
    ioa_free(measurement->csr);
    ioa_free(measurement->mkl);
    memset(measurement, 0, sizeof *measurement);
}

static bool ignores_order(ioa_layout layout)
{
    return layout == IOA_LAYOUT_SORTED || layout == IOA_LAYOUT_SHARED_SORTED || layout == IOA_LAYOUT_SELL ||
           layout == IOA_LAYOUT_CSR;
}

/* ---- the field ---- */

/* The best of MKL's ways, where it is built in, the network is layered and one thread is measured. */
static ioa_status choose_mkl(ioa_contest *c, ioa_contender *best, ioa_error *error)
{
    static const uint32_t tiles[] = {0, 64, 16, 128};
    for (size_t t = 0; ioa_mkl_built_in() && c->threads == 1 && t < sizeof tiles / sizeof *tiles; t++) {
        ioa_contender challenger = {0};
        if (tiles[t] && tiles[t] >= c->batch) continue;
        ioa_status status = ioa_mkl_create(c->network, c->batch, tiles[t], &challenger.mkl, error);
        if (status == IOA_ERR_INPUT) return IOA_OK;
        if (status != IOA_OK) return status;
        ioa_contest_challenge(c, best, &challenger);
    }
    return IOA_OK;
}

/* Plain CSR as the schedule's plan is the baseline itself, and a plan without an order its own layered one: such a one
 * is not timed twice. */
static ioa_status assemble(ioa_contest *c, const ioa_measure_options *o, double start, double seconds,
                           ioa_contender field[FIELD], ioa_error *error)
{
    ioa_plan_options chosen;
    c->deadline = start + 0.45 * seconds;
    ioa_status status = o->plan ? ioa_contest_plan(c, c->order, o->plan, &field[SCHEDULE], error)
                                : ioa_contest_choose(c, &field[SCHEDULE], error);
    c->deadline = start + 0.6 * seconds;
    if (status == IOA_OK) status = ioa_contest_choose_csr(c, &field[CSR], error);
    if (status == IOA_OK) status = choose_mkl(c, &field[MKL], error);
    if (status != IOA_OK) return status;
    ioa_plan_describe(field[SCHEDULE].plan, &chosen);
    if (chosen.layout == IOA_LAYOUT_CSR && !o->plan) ioa_contest_dismiss(&field[SCHEDULE]);
    if (ignores_order(chosen.layout)) return IOA_OK;
    return ioa_contest_plan(c, NULL, &chosen, &field[LAYERED], error);
}

/* ---- the timing ---- */

/* Runs all contenders interleaved, each repetition starting with another one; fills `times` and returns the number
 * of repetitions. */
static uint32_t interleave(const ioa_contest *c, const ioa_contender *field, uint32_t wanted, double *times[FIELD])
{
    uint32_t passes[FIELD], done = 0;
    for (int i = 0; i < FIELD; i++)
        if (ioa_contender_exists(&field[i])) passes[i] = ioa_contest_passes(ioa_contest_warm(c, &field[i]));
    while (done < wanted && (done < 3 || ioa_clock() < c->deadline)) {
        for (uint32_t i = 0; i < FIELD; i++) {
            uint32_t who = (i + done) % FIELD;
            if (ioa_contender_exists(&field[who])) times[who][done] = ioa_contest_time(c, &field[who], passes[who]);
        }
        done++;
    }
    return done;
}

static ioa_quartiles ratio(const double *slow, const double *fast, uint32_t count, double *work)
{
    for (uint32_t i = 0; i < count; i++) work[i] = slow[i] / fast[i];
    return ioa_quartiles_of(work, count);
}

static void summarize(const ioa_contest *c, double *work, ioa_measurement *out)
{
    uint32_t count = out->repeats;
    out->speedup_order = ratio(out->layered, out->schedule, count, work);
    out->speedup_kernel = ratio(out->csr, out->layered, count, work);
    out->speedup_csr = ratio(out->csr, out->schedule, count, work);
    if (out->mkl) out->speedup_mkl = ratio(out->mkl, out->schedule, count, work);
    memcpy(work, out->schedule, count * sizeof *work);
    double seconds = ioa_quartiles_of(work, count).median;
    out->gflops = 2e-9 * (double)c->network->connections * c->batch / seconds;
}

/* Who is whose stand-in, and whether plain CSR has won; returns the contender that holds the plan. */
static int settle(const ioa_contender *field, bool given, double *times[FIELD], uint32_t repeats, double *work)
{
    size_t bytes = repeats * sizeof *work;
    bool plain = !ioa_contender_exists(&field[SCHEDULE]);
    if (!plain && !given && ratio(times[CSR], times[SCHEDULE], repeats, work).median < 1) plain = true;
    if (plain) {
        memcpy(times[SCHEDULE], times[CSR], bytes);
        memcpy(times[LAYERED], times[CSR], bytes);
    } else if (!ioa_contender_exists(&field[LAYERED]))
        memcpy(times[LAYERED], times[SCHEDULE], bytes);
    return plain ? CSR : SCHEDULE;
}

static void describe(const ioa_contest *c, const ioa_contender *schedule, const ioa_contender *csr, ioa_measurement *m)
{
    ioa_plan_options options;
    ioa_plan_describe(schedule->plan, &options);
    ioa_plan_options_name(&options, m->kernel);
    m->tile = options.tile;
    m->work = ioa_plan_work(schedule->plan, c->batch);
    if (m->tile > 1) m->work.packed_bytes = (double)sizeof(float) * c->batch * (c->network->a.inputs + c->network->a.outputs);
    ioa_plan_describe(csr->plan, &options);
    ioa_plan_options_name(&options, m->baseline);
}

static ioa_status time_field(ioa_contest *c, const ioa_measure_options *o, const ioa_contender field[FIELD],
                             ioa_measurement *out, ioa_error *error)
{
    uint32_t wanted = o->repeats ? o->repeats : 101;
    double *times[FIELD], *work = ioa_alloc(wanted, sizeof *work);
    for (int i = 0; i < FIELD; i++) times[i] = ioa_alloc(wanted, sizeof *times[i]);
    out->schedule = times[SCHEDULE];
    out->layered = times[LAYERED];
    out->csr = times[CSR];
    out->mkl = times[MKL];
    out->candidate_count = c->tried_count;
    out->candidates = ioa_alloc_copy(c->tried, c->tried_count, sizeof *c->tried);
    ioa_status status = IOA_OK;
    if (work && times[0] && times[1] && times[2] && times[3] && out->candidates) {
        out->repeats = interleave(c, field, wanted, times);
        const ioa_contender *plan = &field[settle(field, o->plan != NULL, times, out->repeats, work)];
        if (!ioa_contender_exists(&field[MKL])) {
            ioa_free(out->mkl);
            out->mkl = NULL;
        }
        summarize(c, work, out);
        describe(c, plan, &field[CSR], out);
        out->packing = ioa_contest_packing(c, plan);
        status = ioa_exactness_check(c->network, plan->plan, ioa_exactness_samples(c->network, MOST_SAMPLES), o->seed,
                                     &out->exactness, error);
    } else
        status = ioa_fail_nomem(error, "measured times", wanted, 5 * sizeof *work);
    ioa_free(work);
    return status;
}

ioa_status ioa_measure(const ioa_network *network, const uint32_t *order, const ioa_measure_options *o,
                       ioa_measurement *out, ioa_error *error)
{
    const ioa_plan_choice choice = {.isa = o->isa, .batch = o->batch, .threads = o->threads};
    double start = ioa_clock(), seconds = o->seconds > 0 ? o->seconds : 10;
    ioa_contender field[FIELD] = {0};
    ioa_measurement m = {0};
    ioa_contest *c = ioa_alloc_zero(1, sizeof *c);
    if (!c) return ioa_fail_nomem(error, "a measurement", 1, sizeof *c);
    ioa_status status = ioa_contest_open(c, network, order, &choice, o->seed, error);
    if (status == IOA_OK) status = assemble(c, o, start, seconds, field, error);
    m.batch = c->batch;
    m.threads = c->threads;
    c->deadline = start + seconds;
    if (status == IOA_OK) status = time_field(c, o, field, &m, error);
    if (status == IOA_OK) *out = m;
    else ioa_measurement_clear(&m);
    for (int i = 0; i < FIELD; i++) ioa_contest_dismiss(&field[i]);
    ioa_contest_close(c);
    ioa_free(c);
    return status;
}
