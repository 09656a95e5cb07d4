/* Ownership of a checkpoint, and its generations in the file system. */
#include "io/checkpoint/checkpoint_file.h"

#include "core/base/mem.h"
#include "io/base/atomic_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void ioa_owner_self(ioa_owner *owner)
{
    *owner = (ioa_owner){.pid = (uint64_t)getpid()};
    gethostname(owner->host, sizeof owner->host - 1);
    const char *job = getenv("SLURM_JOB_ID"), *restart = getenv("SLURM_RESTART_COUNT");
    snprintf(owner->job, sizeof owner->job, "%s", job ? job : "");
    owner->restart = restart ? strtoull(restart, NULL, 10) : 0;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    owner->began = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static bool newer(const ioa_owner *a, const ioa_owner *b)
{
    if (a->job[0] && strcmp(a->job, b->job) == 0 && a->restart != b->restart) return a->restart > b->restart;
    return a->began > b->began;
}

char *ioa_checkpoint_previous(const char *path)
{
    size_t size = strlen(path) + sizeof ".prev";
    char *name = ioa_alloc(size, 1);
    if (name) snprintf(name, size, "%s.prev", path);
    return name;
}

bool ioa_checkpoint_exists(const char *path)
{
    char *previous = ioa_checkpoint_previous(path);
    bool found = access(path, F_OK) == 0 || (previous && access(previous, F_OK) == 0);
    ioa_free(previous);
    return found;
}

ioa_status ioa_checkpoint_distinct(const char *path, const char *other, ioa_error *error)
{
    char *previous = ioa_checkpoint_previous(path), *aside = previous ? ioa_checkpoint_previous(previous) : NULL;
    ioa_status status = aside ? IOA_OK : ioa_fail_nomem(error, "a file name", strlen(path), 1);
    const char *const files[] = {path, previous, aside};
    for (size_t i = 0; aside && status == IOA_OK && i < sizeof files / sizeof *files; i++)
        if (ioa_file_same(files[i], other))
            status = ioa_fail(error, IOA_ERR_INPUT, "%s: is one of the files of the checkpoint %s; it must be another", other, path);
    ioa_free(aside);
    ioa_free(previous);
    return status;
}

ioa_status ioa_checkpoint_owned(const char *path, const ioa_owner *self, ioa_error *error)
{
    ioa_owner other;
    if (!ioa_checkpoint_read_owner(path, &other) || !newer(&other, self)) return IOA_OK;
    return ioa_fail(error, IOA_ERR_CHECK,
                    "%s: a newer run has taken over (host %.60s, process %" PRIu64 "%s%.40s); this one ends", path, other.host,
                    other.pid, other.job[0] ? ", SLURM job " : "", other.job);
}

/* The present generation gets a second name first, so that there is no moment without it. */
ioa_status ioa_checkpoint_commit(ioa_atomic_file *file, ioa_error *error)
{
    char *previous = ioa_checkpoint_previous(file->target), *aside = previous ? ioa_checkpoint_previous(previous) : NULL;
    if (!aside) {
        ioa_free(previous);
        ioa_atomic_abort(file);
        return ioa_fail_nomem(error, "a file name", 1, 1);
    }
    unlink(aside); /* of a run killed between the two */
    bool linked = link(file->target, aside) == 0;
    if (!linked && errno != ENOENT) rename(file->target, previous); /* file systems without links */
    ioa_status status = ioa_atomic_commit(file, error);
    if (linked && status == IOA_OK)
        rename(aside, previous);
    else if (linked)
        unlink(aside);
    ioa_free(aside);
    ioa_free(previous);
    return status;
}

ioa_status ioa_checkpoint_remove(const char *path, const ioa_owner *owner, ioa_error *error)
{
    char *previous = ioa_checkpoint_previous(path), *aside = previous ? ioa_checkpoint_previous(previous) : NULL;
    if (!aside) {
        ioa_free(previous);
        return ioa_fail_nomem(error, "a file name", strlen(path), 1);
    }
    ioa_status status = ioa_checkpoint_owned(path, owner, error);
    if (status == IOA_OK) unlink(aside);
    ioa_free(aside);
    /* The older one first: what is left after a crash in between is the newer one. */
    if (status == IOA_OK && unlink(previous) != 0 && errno != ENOENT)
        status = ioa_fail(error, IOA_ERR_SYSTEM, "%s: cannot be removed: %s", previous, strerror(errno));
    if (status == IOA_OK && unlink(path) != 0 && errno != ENOENT)
        status = ioa_fail(error, IOA_ERR_SYSTEM, "%s: cannot be removed: %s", path, strerror(errno));
    ioa_free(previous);
    return status;
}
