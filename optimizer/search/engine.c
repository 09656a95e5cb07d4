#include "optimizer/search/engine.h"

#include <string.h>

static const ioa_engine *const engines[] = {&ioa_engine_priced, &ioa_engine_paper};

const ioa_engine *ioa_engine_at(unsigned index)
{
    return index < sizeof engines / sizeof *engines ? engines[index] : NULL;
}

const ioa_engine *ioa_engine_find(const char *name)
{
    for (unsigned i = 0; ioa_engine_at(i); i++)
        if (strcmp(engines[i]->name, name) == 0) return engines[i];
    return NULL;
}
