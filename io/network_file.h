/* Network files (io/FORMAT.md, "Network"). */
#ifndef IOA_IO_NETWORK_FILE_H
#define IOA_IO_NETWORK_FILE_H

#include <ioanneal/network.h>

#define IOA_NETWORK_HASH_TEXT 65

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* Reads and validates a network file, hashes included. IOA_ERR_INPUT names the file, the dataset and what is wrong;
 * IOA_ERR_SYSTEM if the file cannot be opened for another reason than not being there. */
ioa_status ioa_network_read(const char *path, ioa_network **network, ioa_error *error);

/* Writes a network atomically (temporary file, fsync, rename). The bytes depend on the network alone. */
ioa_status ioa_network_write(const ioa_network *network, const char *path, ioa_error *error);

/* SHA-256 in lower-case hexadecimal over topology and weights, as FORMAT.md defines them. `text` is [65]. */
ioa_status ioa_network_topology_hash(const ioa_network *network, char *text, ioa_error *error);
ioa_status ioa_network_weights_hash(const ioa_network *network, char *text, ioa_error *error);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
