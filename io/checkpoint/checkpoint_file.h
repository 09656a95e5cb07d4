/* Shared by the checkpoint_*.c files. */
#ifndef IOA_IO_CHECKPOINT_FILE_H
#define IOA_IO_CHECKPOINT_FILE_H

#include "io/base/atomic_file.h"
#include "io/checkpoint/checkpoint.h"
#include "io/h5/h5.h"

#define IOA_CHECKPOINT_SCHEMA "ioanneal-checkpoint"
#define IOA_CHECKPOINT_VERSION "3.0"
#define IOA_CHECKPOINT_MAJOR 3u

/* "PATH.prev", released with ioa_free; NULL without memory. */
char *ioa_checkpoint_previous(const char *path);

/* /owner of an open file. */
ioa_status ioa_checkpoint_get_owner(const ioa_h5 *h5, ioa_owner *owner, ioa_error *error);

/* False if there is no checkpoint or it cannot be read. */
bool ioa_checkpoint_read_owner(const char *path, ioa_owner *owner);

/* IOA_ERR_CHECK if the checkpoint at `path` is of a run newer than `self`. */
ioa_status ioa_checkpoint_owned(const char *path, const ioa_owner *self, ioa_error *error);

/* Makes the present generation the previous one and the finished temporary file the present one. */
ioa_status ioa_checkpoint_commit(ioa_atomic_file *file, ioa_error *error);

#endif
