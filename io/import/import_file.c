#include "io/import/import_file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

ioa_status ioa_import_file_open(const char *path, FILE **file, uint64_t *bytes, ioa_error *error)
{
    struct stat info;
    if (stat(path, &info) != 0) {
        if (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG)
            return ioa_fail(error, IOA_ERR_INPUT, "%s: no such file", path);
        return ioa_fail(error, IOA_ERR_SYSTEM, "%s: cannot be opened: %s", path, strerror(errno));
    }
    if (!S_ISREG(info.st_mode)) return ioa_fail(error, IOA_ERR_INPUT, "%s: is not a regular file", path);
    if (info.st_size == 0) return ioa_fail(error, IOA_ERR_INPUT, "%s: is empty", path);
    *bytes = (uint64_t)info.st_size;
    *file = fopen(path, "rbe");
    return *file ? IOA_OK : ioa_fail(error, IOA_ERR_SYSTEM, "%s: cannot be opened: %s", path, strerror(errno));
}
