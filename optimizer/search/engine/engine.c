#include "optimizer/search/engine/engine.h"

#include "core/kernel/portable_math.h"

#include <string.h>

static const ioa_engine *const engines[] = {&ioa_engine_levels, &ioa_engine_exact, &ioa_engine_interval, &ioa_engine_priced,
                                            &ioa_engine_paper};

const ioa_engine *ioa_engine_at(unsigned index)
{
    return index < sizeof engines / sizeof *engines ? engines[index] : NULL;
}

const ioa_engine *ioa_engine_usual(ioa_policy policy)
{
    return policy == IOA_POLICY_MIN ? &ioa_engine_levels : &ioa_engine_exact;
}

const ioa_engine *ioa_engine_find(const char *name)
{
    for (unsigned i = 0; ioa_engine_at(i); i++)
        if (strcmp(engines[i]->name, name) == 0) return engines[i];
    return NULL;
}

double ioa_cooling(double cold, double hot, double sweeps, double progress)
{
    double begin = cold * ioa_portable_exp(0.7 * ioa_portable_log(sweeps > 1.0 ? sweeps : 1.0));
    if (begin > hot) begin = hot;
    return begin * ioa_portable_exp(ioa_portable_log(cold / begin) * progress);
}
