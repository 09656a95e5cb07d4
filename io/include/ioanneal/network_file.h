/* Networks in HDF5 files (io/FORMAT.md, "Network file"). */
#ifndef IOANNEAL_NETWORK_FILE_H
#define IOANNEAL_NETWORK_FILE_H

#include <ioanneal/network.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* Reads and validates a network file, hashes included.
 * [in]  path     borrowed during the call
 * [out] network  owned by the caller, who releases it with ioa_network_destroy; untouched on failure
 * IOA_ERR_INPUT names the file, the dataset and what is wrong; IOA_ERR_SYSTEM if the file cannot be opened for another
 * reason than not being there; IOA_ERR_NOMEM. Not to be called by two threads at once (the HDF5 library is not
 * thread-safe). */
ioa_status ioa_network_read(const char *path, ioa_network **network, ioa_error *error);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
