/* What `ioanneal info` says about one schedule of an archive. */
#ifndef IOA_CLI_INFO_SCHEDULE_H
#define IOA_CLI_INFO_SCHEDULE_H

#include "io/archive/archive.h"
#include "optimizer/cli/cli.h"

/* Prints lines, or appends an object to `array` if there is one. */
void cli_info_schedule(const ioa_schedule *schedule, uint32_t index, cJSON *array);

#endif
