#include "io/h5/h5_sink.h"

#include "core/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>
#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif

/* What HDF5 holds per open file. */
typedef struct handle {
    H5FD_t base; /* HDF5's own part, first */
    ioa_h5_sink *sink;
    haddr_t allocated, written; /* ends of the space in use and of the bytes written */
} handle;

typedef struct driver_info {
    ioa_h5_sink *sink;
} driver_info;

static void keep_first(ioa_h5_sink *sink, int code)
{
    if (sink->code == 0) sink->code = code ? code : EIO;
}

static H5FD_t *sink_open(const char *name, unsigned flags, hid_t access, haddr_t most)
{
    (void)name, (void)flags, (void)most;
    const driver_info *info = H5Pget_driver_info(access);
    handle *h = info ? ioa_alloc_zero(1, sizeof *h) : NULL;
    if (!h) return NULL;
    h->sink = info->sink;
    return &h->base;
}

static herr_t sink_close(H5FD_t *file)
{
    ioa_free(file);
    return 0;
}

/* The features of HDF5's default driver that concern writing. */
static herr_t sink_query(const H5FD_t *file, unsigned long *flags)
{
    (void)file;
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
             H5FD_FEAT_AGGREGATE_SMALLDATA;
    return 0;
}

static haddr_t sink_get_eoa(const H5FD_t *file, H5FD_mem_t type)
{
    (void)type;
    return ((const handle *)file)->allocated;
}

static herr_t sink_set_eoa(H5FD_t *file, H5FD_mem_t type, haddr_t end)
{
    (void)type;
    ((handle *)file)->allocated = end;
    return 0;
}

static haddr_t sink_get_eof(const H5FD_t *file, H5FD_mem_t type)
{
    (void)type;
    return ((const handle *)file)->written;
}

/* Bytes that were never written read as zeros. */
static herr_t sink_read(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t bytes, void *buffer)
{
    (void)type, (void)transfer;
    handle *h = (handle *)file;
    char *to = buffer;
    while (bytes > 0) {
        ssize_t got = pread(h->sink->fd, to, bytes, (off_t)at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) keep_first(h->sink, errno);
        if (got <= 0) break;
        to += got;
        at += (haddr_t)got;
        bytes -= (size_t)got;
    }
    memset(to, 0, bytes);
    return 0;
}

static herr_t sink_write(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t bytes, const void *buffer)
{
    (void)type, (void)transfer;
    handle *h = (handle *)file;
    const char *from = buffer;
    if (at + bytes > h->written) h->written = at + bytes;
    while (bytes > 0 && h->sink->code == 0) {
        ssize_t put = pwrite(h->sink->fd, from, bytes, (off_t)at);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) {
            keep_first(h->sink, put < 0 ? errno : ENOSPC);
            break;
        }
        from += put;
        at += (haddr_t)put;
        bytes -= (size_t)put;
    }
    return 0;
}

/* Makes the file as long as the space in use. */
static herr_t sink_truncate(H5FD_t *file, hid_t transfer, hbool_t closing)
{
    (void)transfer, (void)closing;
    handle *h = (handle *)file;
    if (h->written != h->allocated) {
        if (h->sink->code == 0 && ftruncate(h->sink->fd, (off_t)h->allocated) != 0) keep_first(h->sink, errno);
        h->written = h->allocated;
    }
    return 0;
}

static const H5FD_class_t driver = {
#if H5_VERSION_GE(1, 13, 0)
    .version = H5FD_CLASS_VERSION,
    .value = (H5FD_class_value_t)600, /* of the range for private drivers */
#endif
    .name = "ioanneal sink",
    .maxaddr = INT64_MAX,
    .fc_degree = H5F_CLOSE_STRONG,
    .fapl_size = sizeof(driver_info),
    .open = sink_open,
    .close = sink_close,
    .query = sink_query,
    .get_eoa = sink_get_eoa,
    .set_eoa = sink_set_eoa,
    .get_eof = sink_get_eof,
    .read = sink_read,
    .write = sink_write,
    .truncate = sink_truncate,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

int ioa_h5_sink_open(const char *path, ioa_h5_sink *sink, hid_t access)
{
    *sink = (ioa_h5_sink){.fd = open(path, O_RDWR | O_TRUNC | O_CLOEXEC), .driver = H5I_INVALID_HID};
    if (sink->fd < 0) return errno;
    sink->driver = H5FDregister(&driver);
    driver_info info = {sink};
    if (sink->driver >= 0 && H5Pset_driver(access, sink->driver, &info) >= 0) return 0;
    ioa_h5_sink_close(sink);
    return -1;
}

int ioa_h5_sink_close(ioa_h5_sink *sink)
{
    if (sink->driver >= 0) H5FDunregister(sink->driver);
    if (sink->fd >= 0 && close(sink->fd) != 0) keep_first(sink, errno);
    sink->fd = -1;
    sink->driver = H5I_INVALID_HID;
    return sink->code;
}
