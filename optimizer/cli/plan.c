/* Which plan inference uses: as told, as measured before, or as measured now. */
#include "optimizer/cli/cli.h"

#include "core/compile/compile_file.h"
#include "io/base/machine.h"

#include <string.h>

const char *cli_machine_memory(const char *name)
{
    int isa = ioa_code_isa_from_name(name);
    if (strcmp(name, "auto") == 0) {
#if defined(__aarch64__)
        isa = IOA_CODE_NEON;
#else
        isa = ioa_isa_best() == IOA_ISA_AVX512 ? IOA_CODE_AVX512 : IOA_CODE_AVX2; /* 16 registers without AVX2, too */
#endif
    }
    return isa < 0 ? NULL : ioa_code_isa_memory((ioa_code_isa)isa) == 32 ? "32" : "16";
}

static double distance(uint32_t a, uint32_t b)
{
    return a > b ? (double)a / b : (double)b / a;
}

/* The newest measurement of this processor for the batch nearest to `batch`, whose plan can be had; false if none. */
static bool find_recorded(const ioa_network *network, const ioa_schedule *schedule, uint32_t batch, ioa_isa isa,
                          ioa_plan_options *plan)
{
    ioa_machine machine;
    double nearest = 0;
    bool found = false;
    ioa_machine_detect(&machine);
    for (uint32_t i = schedule->measurements; i-- > 0;) {
        const ioa_measured *m = &schedule->measured[i];
        ioa_plan_options options;
        ioa_plan *made = NULL;
        if (!machine.cpu[0] || strcmp(m->machine.cpu, machine.cpu) != 0 || !m->measurement.batch) continue;
        if (found && distance(m->measurement.batch, batch) >= nearest) continue;
        if (ioa_plan_options_parse(m->measurement.kernel, &options, NULL) != IOA_OK) continue;
        if (isa != IOA_ISA_AUTO && options.isa != isa) continue;
        if (ioa_plan_create(network, schedule->order, &options, &made, NULL) != IOA_OK) continue;
        ioa_plan_destroy(made);
        nearest = distance(m->measurement.batch, batch);
        *plan = options;
        found = true;
    }
    return found;
}

ioa_status cli_choose_plan(const ioa_network *network, const ioa_schedule *schedule, const cli_plan *wanted,
                           ioa_plan_options *plan, ioa_error *error)
{
    int isa = wanted->isa ? ioa_isa_from_name(wanted->isa) : IOA_ISA_AUTO;
    if (wanted->name) return ioa_plan_options_parse(wanted->name, plan, error);
    if (schedule && find_recorded(network, schedule, wanted->batch, (ioa_isa)isa, plan)) return IOA_OK;
    const ioa_plan_choice choice = {.isa = (ioa_isa)isa, .batch = wanted->batch ? wanted->batch : 1,
                                    .threads = wanted->threads, .seconds = wanted->seconds};
    ioa_plan *made = NULL;
    ioa_status status = ioa_plan_choose(network, schedule ? schedule->order : NULL, &choice, &made, error);
    if (status == IOA_OK) ioa_plan_describe(made, plan);
    ioa_plan_destroy(made);
    return status;
}
