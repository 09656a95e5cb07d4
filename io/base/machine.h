/* The machine this process runs on, by hwloc. */
#ifndef IOA_IO_MACHINE_H
#define IOA_IO_MACHINE_H

#include "core/measure/measure.h"

/* Fills what hwloc knows; unknown sizes stay 0. Never fails. */
void ioa_machine_detect(ioa_machine *machine);

#endif
