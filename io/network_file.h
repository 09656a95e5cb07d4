/* Network files (io/FORMAT.md, "Network"). Reading is public: ioanneal/network_file.h. */
#ifndef IOA_IO_NETWORK_FILE_H
#define IOA_IO_NETWORK_FILE_H

#include <ioanneal/network.h>
#include <ioanneal/network_file.h>

#define IOA_NETWORK_HASH_TEXT 65

/* Writes a network atomically (temporary file, fsync, rename). The bytes depend on the network alone. */
ioa_status ioa_network_write(const ioa_network *network, const char *path, ioa_error *error);

/* SHA-256 in lower-case hexadecimal over topology and weights, as FORMAT.md defines them. `text` is [65]. */
ioa_status ioa_network_topology_hash(const ioa_network *network, char *text, ioa_error *error);
ioa_status ioa_network_weights_hash(const ioa_network *network, char *text, ioa_error *error);

#endif
