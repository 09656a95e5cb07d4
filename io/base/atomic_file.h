/* Files that appear whole or not at all: written under a temporary name in the target's folder, then renamed. */
#ifndef IOA_IO_ATOMIC_FILE_H
#define IOA_IO_ATOMIC_FILE_H

#include <ioanneal/status.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct ioa_atomic_file {
    char *target; /* where it will appear, symbolic links resolved; owned */
    char *temp;   /* what to write to: an existing empty file; owned */
} ioa_atomic_file;

/* Creates an empty temporary file `.NAME.HOST.PID.N.tmp` beside `path`. IOA_ERR_INPUT if the folder is missing or
 * not writable or `path` is a folder or write-protected; IOA_ERR_SYSTEM for full disks and the like. On failure
 * nothing is left and nothing has to be released. */
ioa_status ioa_atomic_begin(const char *path, ioa_atomic_file *file, ioa_error *error);

/* fsync, rename onto the target, fsync of the folder. Releases `file` in any case; on failure the temporary file is
 * removed and the target is as it was. */
ioa_status ioa_atomic_commit(ioa_atomic_file *file, ioa_error *error);

/* Removes the temporary file and releases `file`. */
void ioa_atomic_abort(ioa_atomic_file *file);

/* Removes temporary files of `path` that killed processes of this host left behind. Whatever fails stays. */
void ioa_atomic_sweep(const char *path);

/* IOA_ERR_INPUT if `output` exists and is one of the `inputs` [count] under whatever name: writing it would destroy what
 * is being read. NULL inputs are skipped. */
ioa_status ioa_file_distinct(const char *output, const char *const *inputs, size_t count, ioa_error *error);

/* Whether two names lead to one file, there already or yet to be written; symbolic links are followed where they lead
 * somewhere. False where a folder is missing. */
bool ioa_file_same(const char *one, const char *other);

/* Would ioa_atomic_begin succeed now? For the command line, before hours of work. Leaves nothing behind. */
ioa_status ioa_file_writable(const char *path, ioa_error *error);

#endif
