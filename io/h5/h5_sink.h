/* Where new HDF5 files are written to: a file driver whose writes never fail.
 *
 * HDF5 1.10 does not survive a write that fails: closing the file or ending the process crashes it. So the first
 * failure is kept here, later writes are dropped, the library finishes in good faith, and the file is thrown away. */
#ifndef IOA_IO_H5_SINK_H
#define IOA_IO_H5_SINK_H

#include <hdf5.h>

typedef struct ioa_h5_sink {
    int fd;       /* open for reading and writing while the HDF5 file is open; -1: none */
    int code;     /* errno of the first failure, or 0 */
    hid_t driver; /* registered driver */
} ioa_h5_sink;

/* Opens `path` (an existing file) and makes the file access list use it; `sink` stays borrowed until
 * ioa_h5_sink_close. Returns an errno, or -1 where HDF5 refuses. */
int ioa_h5_sink_open(const char *path, ioa_h5_sink *sink, hid_t access);

/* After H5Fclose: 0, or the errno of the first failure. */
int ioa_h5_sink_close(ioa_h5_sink *sink);

#endif
