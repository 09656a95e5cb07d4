#include "optimizer/cli/optimize_rungs.h"

#include "optimizer/cli/cli.h"

#include <inttypes.h>
#include <stdio.h>

#define MOST_RUNGS 32u

void optimize_print_moves(const ioa_engine *engine)
{
    fprintf(stderr, "  moves:");
    for (uint32_t m = 0; m < IOA_MOVES && engine->moves[m].name; m++)
        fprintf(stderr, "%s (%" PRIu32 ") %s", m ? ";" : "", m + 1, engine->moves[m].name);
    fputc('\n', stderr);
}

static void print_shares(const ioa_engine *engine, const uint32_t *share)
{
    fprintf(stderr, "; moves");
    for (uint32_t m = 0; m < IOA_MOVES && engine->moves[m].name; m++)
        fprintf(stderr, " (%" PRIu32 ") %.0f %%", m + 1, 100.0 * share[m] / IOA_SHARES);
}

static void print_rung(const ioa_engine *engine, const ioa_trace *t, uint64_t row, uint32_t rung, uint64_t lower_bound)
{
    uint64_t i = row * t->replicas + rung;
    char text[32];
    int64_t excess = t->energy[i] - (int64_t)lower_bound;
    fprintf(stderr, "  rung %" PRIu32 ": replica %" PRIu32 ", T %.3g, excess %s, %.1f %% accepted", rung, t->replica_at[i],
            t->temperature[i], cli_grouped(excess > 0 ? (uint64_t)excess : 0, text), 100.0 * t->acceptance[i]);
    for (uint32_t level = 0; level < IOA_LEVELS; level++) {
        const ioa_window *limits = &engine->windows[level];
        if (limits->least < limits->most) fprintf(stderr, ", window %.0f", t->window[i * IOA_LEVELS + level]);
    }
    print_shares(engine, t->share + i * IOA_MOVES);
    fputc('\n', stderr);
}

void optimize_print_rungs(const ioa_engine *engine, const ioa_trace *trace, uint64_t lower_bound)
{
    if (trace->rows == 0) return;
    uint32_t shown = trace->replicas < MOST_RUNGS ? trace->replicas : MOST_RUNGS;
    for (uint32_t rung = 0; rung < shown; rung++) print_rung(engine, trace, trace->rows - 1, rung, lower_bound);
    if (shown < trace->replicas)
        fprintf(stderr, "  .. %" PRIu32 " more rungs: the archive has them all (trace/)\n", trace->replicas - shown);
}
