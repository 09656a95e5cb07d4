/* The rungs of a search as they stand, for `optimize --verbose`. */
#ifndef IOA_CLI_OPTIMIZE_RUNGS_H
#define IOA_CLI_OPTIMIZE_RUNGS_H

#include "optimizer/search/engine/engine.h"
#include "optimizer/search/tempering/trace.h"

/* A line that numbers the engine's moves. */
void optimize_print_moves(const ioa_engine *engine);

/* A line on standard error for each rung in the last row of the trace, up to 32 of them: which replica is there, its
 * temperature, excess over `lower_bound`, accepted share, and the windows and shares of its moves,
 * by their numbers. */
void optimize_print_rungs(const ioa_engine *engine, const ioa_trace *trace, uint64_t lower_bound);

#endif
