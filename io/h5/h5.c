#include "io/h5/h5.h"

#include "core/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the library's error stack says about its last failure. */
typedef struct reason {
    char text[256]; /* of the deepest entry */
    int code;       /* errno, or 0 */
    bool truncated;
} reason;

static herr_t collect(unsigned level, const H5E_error2_t *entry, void *data)
{
    reason *r = data;
    (void)level;
    if (!entry->desc) return 0;
    if (!r->text[0]) snprintf(r->text, sizeof r->text, "%s", entry->desc);
    const char *code = strstr(entry->desc, "errno = ");
    if (code && r->code == 0) r->code = atoi(code + strlen("errno = "));
    if (strncmp(entry->desc, "truncated file", strlen("truncated file")) == 0) r->truncated = true;
    return 0;
}

static reason last_reason(void)
{
    reason r = {0};
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, collect, &r);
    for (char *c = r.text; *c; c++)
        if (*c == '\n') *c = ' ';
    return r;
}

ioa_status ioa_h5_fail(const ioa_h5 *h5, ioa_error *error, ioa_status status, const char *name, const char *what)
{
    reason r = last_reason();
    const char *colon = name[0] ? ": " : "";
    if (r.code) return ioa_fail(error, IOA_ERR_SYSTEM, "%s%s%s: %s: %s", h5->path, colon, name, what, strerror(r.code));
    if (!r.text[0]) return ioa_fail(error, status, "%s%s%s: %s", h5->path, colon, name, what);
    return ioa_fail(error, status, "%s%s%s: %s (HDF5: %s)", h5->path, colon, name, what, r.text);
}

void ioa_h5_library(char *text, size_t size)
{
    unsigned major = 0, minor = 0, release = 0;
    H5get_libversion(&major, &minor, &release);
    snprintf(text, size, "HDF5 %u.%u.%u", major, minor, release);
}

void ioa_h5_program_start(void)
{
    H5dont_atexit();
}

static void silence(ioa_h5 *h5)
{
    H5Eget_auto2(H5E_DEFAULT, &h5->print, &h5->print_data);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

static void unsilence(const ioa_h5 *h5)
{
    H5Eset_auto2(H5E_DEFAULT, h5->print, h5->print_data);
}

/* The signature may stand at 0, 512, 1024, 2048, ... (after a user block). */
static bool has_signature(int fd, uint64_t bytes)
{
    static const unsigned char signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    unsigned char found[8];
    for (uint64_t at = 0; at + sizeof found <= bytes; at = at ? 2 * at : 512)
        if (pread(fd, found, sizeof found, (off_t)at) == (ssize_t)sizeof found &&
            memcmp(found, signature, sizeof found) == 0)
            return true;
    return false;
}

/* What the system and the first bytes say, before the library sees the file. */
static ioa_status inspect(const char *path, uint64_t *bytes, ioa_error *error)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not block */
    if (fd < 0) {
        bool missing = errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG;
        return missing ? ioa_fail(error, IOA_ERR_INPUT, "%s: no such file", path)
                       : ioa_fail(error, IOA_ERR_SYSTEM, "%s: cannot be opened: %s", path, strerror(errno));
    }
    ioa_status status = IOA_OK;
    if (fstat(fd, &info) != 0) {
        status = ioa_fail(error, IOA_ERR_SYSTEM, "%s: cannot be examined: %s", path, strerror(errno));
    } else if (!S_ISREG(info.st_mode)) {
        status = ioa_fail(error, IOA_ERR_INPUT, "%s: is not a regular file", path);
    } else {
        *bytes = (uint64_t)info.st_size;
        if (*bytes == 0)
            status = ioa_fail(error, IOA_ERR_INPUT, "%s: is empty", path);
        else if (!has_signature(fd, *bytes))
            status = ioa_fail(error, IOA_ERR_INPUT, "%s: is not an HDF5 file", path);
        else if (!ioa_h5_heaps_sound(fd, *bytes))
            status = ioa_fail(error, IOA_ERR_INPUT, "%s: is truncated or damaged (a heap of strings)", path);
    }
    close(fd);
    return status;
}

static hid_t access_list(void)
{
    hid_t list = H5Pcreate(H5P_FILE_ACCESS);
    if (list < 0) return list;
    H5Pset_fclose_degree(list, H5F_CLOSE_STRONG);
    /* Only the newer structures carry checksums of their metadata. */
    H5Pset_libver_bounds(list, H5F_LIBVER_V110, H5F_LIBVER_V110);
    /* H5Pset_file_locking came with 1.10.7 and 1.12.1; readers on shared file systems trip over locks. */
#if H5_VERSION_GE(1, 12, 1) || (H5_VERSION_GE(1, 10, 7) && !H5_VERSION_GE(1, 12, 0))
    H5Pset_file_locking(list, 0, 1);
#endif
    return list;
}

ioa_status ioa_h5_open(const char *path, ioa_h5 *h5, ioa_error *error)
{
    *h5 = (ioa_h5){.file = H5I_INVALID_HID, .path = path};
    ioa_status status = inspect(path, &h5->bytes, error);
    if (status != IOA_OK) return status;
    silence(h5);
    hid_t list = access_list();
    h5->file = list < 0 ? list : H5Fopen(path, H5F_ACC_RDONLY, list);
    /* The library looks at the root group only when it needs it. */
    if (h5->file < 0 || H5Aexists_by_name(h5->file, "/", "schema_name", H5P_DEFAULT) < 0) {
        reason r = last_reason();
        if (r.truncated)
            status = ioa_fail(error, IOA_ERR_INPUT, "%s: is truncated: only %llu bytes are left", path,
                              (unsigned long long)h5->bytes);
        else
            status = ioa_fail(error, IOA_ERR_INPUT, "%s: is truncated or damaged (HDF5: %s)", path, r.text);
    }
    if (list >= 0) H5Pclose(list);
    if (status != IOA_OK) {
        if (h5->file >= 0) H5Fclose(h5->file);
        unsilence(h5);
    }
    return status;
}

static hid_t create_file(const char *path, hid_t access)
{
    hid_t creation = H5Pcreate(H5P_FILE_CREATE);
    if (creation < 0) return creation;
    H5Pset_obj_track_times(creation, 0);
    H5Pset_attr_phase_change(creation, UINT16_MAX, 0);
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, creation, access);
    H5Pclose(creation);
    return file;
}

ioa_status ioa_h5_create(const char *path, const char *shown, ioa_h5 *h5, ioa_error *error)
{
    *h5 = (ioa_h5){.file = H5I_INVALID_HID, .path = shown};
    h5->sink = ioa_alloc_zero(1, sizeof *h5->sink);
    if (!h5->sink) return ioa_fail_nomem(error, "writing a file", 1, sizeof *h5->sink);
    silence(h5);
    ioa_status status = IOA_OK;
    hid_t access = access_list();
    int code = access < 0 ? -1 : ioa_h5_sink_open(path, h5->sink, access);
    if (code == 0) h5->file = create_file(path, access);
    if (code > 0)
        status = ioa_fail(error, IOA_ERR_SYSTEM, "%s: cannot be created: %s", shown, strerror(code));
    else if (h5->file < 0)
        status = ioa_h5_fail(h5, error, IOA_ERR_SYSTEM, "", "cannot be created");
    if (access >= 0) H5Pclose(access);
    if (status != IOA_OK) {
        if (code == 0) ioa_h5_sink_close(h5->sink);
        ioa_free(h5->sink);
        unsilence(h5);
    }
    return status;
}

ioa_status ioa_h5_check_written(const ioa_h5 *h5, const char *name, ioa_error *error)
{
    if (h5->sink->code == 0) return IOA_OK;
    return ioa_fail(error, IOA_ERR_SYSTEM, "%s: %s: cannot be written: %s", h5->path, name, strerror(h5->sink->code));
}

ioa_status ioa_h5_close(ioa_h5 *h5, ioa_error *error)
{
    ioa_status status = IOA_OK;
    if (h5->file < 0) return status;
    if (H5Fclose(h5->file) < 0) status = ioa_h5_fail(h5, error, IOA_ERR_SYSTEM, "", "cannot be closed");
    h5->file = H5I_INVALID_HID;
    if (h5->sink) {
        int code = ioa_h5_sink_close(h5->sink);
        if (code != 0)
            status = ioa_fail(error, IOA_ERR_SYSTEM, "%s: cannot be written: %s", h5->path, strerror(code));
        ioa_free(h5->sink);
        h5->sink = NULL;
    }
    unsilence(h5);
    return status;
}

ioa_status ioa_h5_end(ioa_h5 *h5, ioa_status status, ioa_error *error)
{
    ioa_h5_close(h5, NULL);
    if (status != IOA_OK && error)
        for (char *c = error->text; *c; c++)
            if ((unsigned char)*c < ' ' || *c == 127) *c = '?';
    return status;
}

static ioa_status check_schema(const ioa_h5 *h5, const char *name, bool part, unsigned major, ioa_error *error)
{
    char found[64], version[32];
    if (!ioa_h5_has_attribute(h5, "/", "schema_name"))
        return ioa_fail(error, IOA_ERR_INPUT, "%s: is an HDF5 file, but not one of ioanneal (no attribute schema_name)",
                        h5->path);
    ioa_status status = ioa_h5_get_text(h5, "/", "schema_name", found, sizeof found, error);
    if (status != IOA_OK) return status;
    if (strcmp(found, name) != 0 && !(part && strcmp(found, IOA_H5_BUNDLE) == 0))
        return ioa_fail(error, IOA_ERR_INPUT, "%s: is a file of type \"%s\"; an %s was expected", h5->path, found,
                        name);
    status = ioa_h5_get_text(h5, "/", "schema_version", version, sizeof version, error);
    if (status != IOA_OK) return status;
    char *end;
    unsigned long number = strtoul(version, &end, 10);
    if (version[0] < '0' || version[0] > '9' || *end != '.' || number != major)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: has schema_version \"%s\"; this program reads %u.x", h5->path,
                        version, major);
    return IOA_OK;
}

ioa_status ioa_h5_check_schema(const ioa_h5 *h5, const char *name, unsigned major, ioa_error *error)
{
    return check_schema(h5, name, false, major, error);
}

ioa_status ioa_h5_check_part(const ioa_h5 *h5, const char *name, unsigned major, ioa_error *error)
{
    return check_schema(h5, name, true, major, error);
}

bool ioa_h5_probe(const char *path, const char *name)
{
    ioa_h5 h5;
    char found[64];
    if (ioa_h5_open(path, &h5, NULL) != IOA_OK) return false;
    bool same = ioa_h5_has_attribute(&h5, "/", "schema_name") &&
                ioa_h5_get_text(&h5, "/", "schema_name", found, sizeof found, NULL) == IOA_OK &&
                strcmp(found, name) == 0;
    ioa_h5_close(&h5, NULL);
    return same;
}
