#include "io/base/atomic_file.h"

#include "core/base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ATTEMPTS 1000 /* names left over by killed processes with this host name and pid */

/* A target the user cannot write to is the user's mistake; a full or broken disk is not. */
static ioa_status fail_errno(ioa_error *error, int code, const char *path, const char *what)
{
    bool users = code == ENOENT || code == ENOTDIR || code == EACCES || code == EPERM || code == EROFS ||
                 code == EISDIR || code == ENAMETOOLONG || code == ELOOP || code == EINVAL;
    return ioa_fail(error, users ? IOA_ERR_INPUT : IOA_ERR_SYSTEM, "%s: %s: %s", path, what, strerror(code));
}

/* Length of the folder part of `path`, slash included; 0 for a bare name. */
static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* Copy of `path`, or of the file an existing symbolic link leads to, so that renaming does not replace the link. */
static ioa_status resolve(const char *path, char **target, ioa_error *error)
{
    struct stat info;
    char *real = NULL;
    if (lstat(path, &info) == 0 && S_ISLNK(info.st_mode)) real = realpath(path, NULL);
    const char *found = real ? real : path;
    *target = ioa_alloc_copy(found, strlen(found) + 1, 1);
    ioa_status status = *target ? IOA_OK : ioa_fail_nomem(error, "a file name", strlen(found) + 1, 1);
    free(real);
    return status;
}

static ioa_status check_target(const char *path, ioa_error *error)
{
    struct stat info;
    size_t length = strlen(path);
    if (length == 0) return ioa_fail(error, IOA_ERR_INPUT, "the name of the file to write is empty");
    if (path[length - 1] == '/' || (stat(path, &info) == 0 && S_ISDIR(info.st_mode)))
        return ioa_fail(error, IOA_ERR_INPUT, "%s: is a folder, not a file to write", path);
    if (stat(path, &info) != 0) { /* new; the folder is judged by creating the temporary file, whose name is shorter */
        return errno == ENAMETOOLONG ? fail_errno(error, errno, path, "cannot be written") : IOA_OK;
    }
    if (!S_ISREG(info.st_mode)) return ioa_fail(error, IOA_ERR_INPUT, "%s: is not a regular file", path);
    if (access(path, W_OK) != 0) return fail_errno(error, errno, path, "cannot be overwritten");
    return IOA_OK;
}

static void this_host(char host[64])
{
    memset(host, 0, 64);
    if (gethostname(host, 63) != 0) host[0] = '\0';
    for (char *c = host; *c; c++)
        if (*c == '/') *c = '_';
}

/* The target's name is cut so that the temporary name stays within the usual 255 bytes. */
#define TEMP_NAME ".%.120s.%s."

static ioa_status create_temp(const char *shown, const char *target, char **temp, ioa_error *error)
{
    char host[64];
    this_host(host);
    size_t folder = folder_length(target);
    size_t size = strlen(target) + sizeof host + 64;
    char *name = ioa_alloc(size, 1);
    if (!name) return ioa_fail_nomem(error, "a file name", size, 1);
    for (unsigned n = 0; n < ATTEMPTS; n++) {
        snprintf(name, size, "%.*s" TEMP_NAME "%ld.%u.tmp", (int)folder, target, target + folder, host, (long)getpid(), n);
        int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0) {
            close(fd);
            *temp = name;
            return IOA_OK;
        }
        if (errno != EEXIST) break;
    }
    int code = errno;
    ioa_free(name);
    return fail_errno(error, code, shown, "cannot be written");
}

ioa_status ioa_atomic_begin(const char *path, ioa_atomic_file *file, ioa_error *error)
{
    *file = (ioa_atomic_file){0};
    ioa_status status = check_target(path, error);
    if (status == IOA_OK) status = resolve(path, &file->target, error);
    if (status == IOA_OK) status = create_temp(path, file->target, &file->temp, error);
    if (status != IOA_OK) {
        ioa_free(file->target);
        *file = (ioa_atomic_file){0};
    }
    return status;
}

/* "PID.N.tmp" of a process that is gone. */
static bool is_orphan(const char *rest)
{
    char *end;
    long pid = strtol(rest, &end, 10);
    if (end == rest || *end != '.' || pid <= 0 || kill((pid_t)pid, 0) == 0 || errno != ESRCH) return false;
    (void)strtoul(end + 1, &end, 10);
    return strcmp(end, ".tmp") == 0;
}

void ioa_atomic_sweep(const char *path)
{
    char host[64], prefix[256], *target = NULL, name[PATH_MAX];
    if (resolve(path, &target, NULL) != IOA_OK) return;
    size_t length = folder_length(target);
    this_host(host);
    snprintf(prefix, sizeof prefix, TEMP_NAME, target + length, host);
    snprintf(name, sizeof name, "%.*s", (int)length, length ? target : "");
    DIR *folder = opendir(length ? name : ".");
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0 || !is_orphan(entry->d_name + strlen(prefix))) continue;
        int used = snprintf(name, sizeof name, "%.*s%s", (int)length, target, entry->d_name);
        if (used > 0 && (size_t)used < sizeof name) unlink(name);
    }
    if (folder) closedir(folder);
    ioa_free(target);
}

void ioa_atomic_abort(ioa_atomic_file *file)
{
    if (file->temp) unlink(file->temp);
    ioa_free(file->temp);
    ioa_free(file->target);
    *file = (ioa_atomic_file){0};
}

static int sync_path(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0) return errno;
    int code = fsync(fd) == 0 ? 0 : errno;
    if (close(fd) != 0 && code == 0) code = errno;
    return code;
}

/* Makes the rename itself durable. Some network file systems cannot fsync a folder: not an error. */
static int sync_folder(const char *target)
{
    size_t length = folder_length(target);
    char *folder = length ? ioa_alloc_copy(target, length + 1, 1) : NULL;
    if (length && !folder) return ENOMEM;
    if (folder) folder[length] = '\0';
    int code = sync_path(folder ? folder : ".", O_RDONLY | O_DIRECTORY);
    ioa_free(folder);
    return code == EINVAL || code == ENOTSUP || code == EACCES ? 0 : code;
}

ioa_status ioa_atomic_commit(ioa_atomic_file *file, ioa_error *error)
{
    ioa_status status = IOA_OK;
    int code = sync_path(file->temp, O_RDWR);
    if (code == 0 && rename(file->temp, file->target) != 0) code = errno;
    if (code != 0) {
        status = fail_errno(error, code, file->target, "cannot be written");
    } else {
        ioa_free(file->temp); /* there is nothing left to remove */
        file->temp = NULL;
        code = sync_folder(file->target);
        if (code != 0) status = fail_errno(error, code, file->target, "its folder cannot be synchronized");
    }
    ioa_atomic_abort(file);
    return status;
}

ioa_status ioa_file_writable(const char *path, ioa_error *error)
{
    ioa_atomic_file file;
    ioa_status status = ioa_atomic_begin(path, &file, error);
    if (status == IOA_OK) ioa_atomic_abort(&file);
    return status;
}

static bool is_one(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Looks at the folder of a file that is not there yet. */
static int stat_folder(const char *path, struct stat *info)
{
    char folder[PATH_MAX];
    size_t length = folder_length(path);
    if (length >= sizeof folder) return -1;
    snprintf(folder, sizeof folder, "%.*s", (int)length, path);
    return stat(length ? folder : ".", info);
}

bool ioa_file_same(const char *one, const char *other)
{
    struct stat a, b;
    int first = stat(one, &a), second = stat(other, &b);
    if (first == 0 && second == 0) return is_one(&a, &b);
    if (first == 0 || second == 0 || strcmp(one + folder_length(one), other + folder_length(other)) != 0) return false;
    return stat_folder(one, &a) == 0 && stat_folder(other, &b) == 0 && is_one(&a, &b);
}

ioa_status ioa_file_distinct(const char *output, const char *const *inputs, size_t count, ioa_error *error)
{
    struct stat target, input;
    if (stat(output, &target) != 0) return IOA_OK;
    for (size_t i = 0; i < count; i++)
        if (inputs[i] && stat(inputs[i], &input) == 0 && is_one(&input, &target))
            return ioa_fail(error, IOA_ERR_INPUT, "%s: is an input and cannot be the output too", output);
    return IOA_OK;
}
