/* Traces of archives, tolerantly: programs write other columns than we know, or fewer. */
#include "optimizer/report/page.h"

#include <math.h>
#include <string.h>

static const ioa_column *find(const ioa_schedule *schedule, const char *name)
{
    for (uint32_t i = 0; i < schedule->columns; i++)
        if (strcmp(schedule->trace[i].name, name) == 0) return &schedule->trace[i];
    return NULL;
}

/* The column if it has a row per round. */
static const ioa_column *per_round(const ioa_schedule *schedule, const char *name, uint64_t rounds)
{
    const ioa_column *column = find(schedule, name);
    return column && column->rows == rounds ? column : NULL;
}

report_trace report_trace_of(const ioa_schedule *s)
{
    report_trace t = {0};
    const ioa_column *best = find(s, "best"), *energy = find(s, "energy");
    t.rounds = best ? best->rows : energy ? energy->rows : 0;
    if (t.rounds == 0) return t;
    t.best = per_round(s, "best", t.rounds);
    t.energy = per_round(s, "energy", t.rounds);
    t.proposals = per_round(s, "proposals", t.rounds);
    t.round_trips = per_round(s, "round_trips", t.rounds);
    t.temperature = per_round(s, "temperature", t.rounds);
    t.acceptance = per_round(s, "acceptance", t.rounds);
    t.probability = per_round(s, "swap_probability", t.rounds);
    t.replica = per_round(s, "replica", t.rounds);
    t.barrier = per_round(s, "barrier", t.rounds);
    const ioa_column *widest = t.energy ? t.energy : t.temperature ? t.temperature : t.replica;
    t.rungs = widest ? widest->width : 0;
    if (t.temperature && t.temperature->width != t.rungs) t.temperature = NULL;
    if (t.acceptance && t.acceptance->width != t.rungs) t.acceptance = NULL;
    if (t.replica && t.replica->width != t.rungs) t.replica = NULL;
    t.correlation = per_round(s, "correlation", t.rungs);
    return t;
}

double report_value(const ioa_column *column, uint64_t row, uint32_t at)
{
    if (!column || row >= column->rows || at >= column->width) return NAN;
    uint64_t i = row * column->width + at;
    return column->real ? column->real[i] : column->whole ? (double)column->whole[i] : NAN;
}
