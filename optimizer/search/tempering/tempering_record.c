/* The trace, which worker 0 keeps for all. */
#include "optimizer/search/tempering/tempering_internal.h"

static const int64_t *report_of(const ioa_tempering *t, uint32_t worker)
{
    const ioa_message_shape shape = ioa_tempering_shape(t);
    return t->reports + (uint64_t)worker * ioa_report_length(&shape);
}

static const int64_t *report_of_replica(const ioa_tempering *t, uint32_t replica)
{
    uint32_t worker = replica % t->transport.size, slot = replica / t->transport.size;
    return report_of(t, worker) + IOA_REPORT_HEAD + slot * IOA_REPORT_REPLICA;
}

/* What the round before spent on messages and waiting is known only now. */
static void complete_times(ioa_tempering *t)
{
    double waited = 0.0;
    for (uint32_t r = 0; r < t->transport.size; r++) waited += 1e-9 * (double)report_of(t, r)[IOA_REPORT_EXCHANGED];
    if (t->trace.rows && t->last_exchange) t->trace.exchanging[t->trace.rows - 1] = waited / t->transport.size;
}

static void record_times(ioa_tempering *t, uint64_t row)
{
    double sum = 0.0, most = 0.0;
    for (uint32_t r = 0; r < t->transport.size; r++) {
        double annealed = 1e-9 * (double)report_of(t, r)[IOA_REPORT_ANNEALED];
        sum += annealed;
        if (annealed > most) most = annealed;
    }
    t->trace.annealing[row] = sum / t->transport.size;
    t->trace.slowest[row] = most;
    t->trace.exchanging[row] = 0.0; /* known in the next round */
}

static void record_rung(ioa_tempering *t, uint64_t row, uint32_t rung)
{
    ioa_trace *trace = &t->trace;
    uint32_t replica = t->replica_at[rung];
    uint64_t at = row * t->config.replicas + rung;
    const int64_t *report = report_of_replica(t, replica);
    int64_t drawn = report[IOA_REPORT_PROPOSALS];
    trace->energy[at] = t->energy[replica];
    trace->acceptance[at] = drawn ? (double)report[IOA_REPORT_ACCEPTED] / (double)drawn : 0.0;
    trace->temperature[at] = t->heat[rung];
    trace->replica_at[at] = replica;
    for (unsigned level = 0; level < IOA_LEVELS; level++)
        trace->window[at * IOA_LEVELS + level] = t->tuning[rung].window[level];
    for (unsigned move = 0; move < IOA_MOVES; move++)
        trace->share[at * IOA_MOVES + move] = t->tuning[rung].share[move];
}

uint64_t ioa_tempering_record(ioa_tempering *t)
{
    ioa_trace *trace = &t->trace;
    if (!t->reports) return trace->rounds++;
    for (uint32_t k = 0; k < t->config.replicas; k++) t->proposals_total += (uint64_t)report_of_replica(t, k)[IOA_REPORT_PROPOSALS];
    complete_times(t);
    uint64_t row = ioa_trace_next(trace);
    trace->best[row] = t->best_total;
    trace->proposals[row] = t->proposals_total;
    trace->round_trips[row] = t->round_trips;
    for (uint32_t rung = 0; rung < t->config.replicas; rung++) record_rung(t, row, rung);
    record_times(t, row);
    return row;
}
