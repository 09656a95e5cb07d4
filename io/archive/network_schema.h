/* Shared by network_file.c (writing) and network_read.c. */
#ifndef IOA_IO_NETWORK_SCHEMA_H
#define IOA_IO_NETWORK_SCHEMA_H

#include "io/archive/network_file.h"

#include <stdbool.h>

#define IOA_NETWORK_SCHEMA "ioanneal-network"
#define IOA_NETWORK_VERSION "1.0"
#define IOA_NETWORK_MAJOR 1u

/* Hashes as FORMAT.md defines them; `with_param` false leaves out the activations' parameters. `text` is [65]. */
ioa_status ioa_network_hash_topology(const ioa_network_arrays *a, char *text, ioa_error *error);
ioa_status ioa_network_hash_weights(const ioa_network_arrays *a, bool with_param, char *text, ioa_error *error);

#endif
