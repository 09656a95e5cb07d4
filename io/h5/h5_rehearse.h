/* Foreign HDF5 files are read by a child process first.
 *
 * Files of ours have checksums on every structure; files in HDF5's older format, such as Keras writes, have none, and
 * the HDF5 library (1.10) can be led outside of its buffers by a damaged one. What ends a rehearsal cannot hurt the
 * caller; a file that passes it is then read for good by the same code. */
#ifndef IOA_IO_H5_REHEARSE_H
#define IOA_IO_H5_REHEARSE_H

#include <ioanneal/status.h>
#include <stdbool.h>

/* Runs read(context) in a child process that leaves nothing behind and waits for it. Returns what it returned, with its
 * text; IOA_ERR_INPUT that names `path` if it crashed or did not end; IOA_ERR_SYSTEM without child processes. */
ioa_status ioa_h5_rehearse(const char *path, ioa_status (*read)(void *context, ioa_error *error), void *context,
                           ioa_error *error);

#endif
