#include "io/archive/bundle.h"

#include <ioanneal/memory.h>

#define VERSION "1.0"

typedef struct bundle {
    const ioa_network *network;
    const ioa_archive *archive;
} bundle;

static ioa_status fill(const ioa_h5 *h5, const void *content, ioa_error *error)
{
    const bundle *b = content;
    ioa_status status = ioa_h5_put_text(h5, "/", "schema_name", IOA_H5_BUNDLE, error);
    if (status == IOA_OK) status = ioa_h5_put_text(h5, "/", "schema_version", VERSION, error);
    if (status == IOA_OK) status = ioa_network_put(h5, b->network, error);
    if (status == IOA_OK) status = ioa_archive_put(h5, b->archive, error);
    return status;
}

ioa_status ioa_bundle_write(const ioa_network *network, const ioa_archive *archive, const char *path, ioa_error *error)
{
    bundle b = {network, archive};
    ioa_status status = ioa_archive_check_content(archive, path, error);
    if (status == IOA_OK) status = ioa_archive_matches(archive, network, path, error);
    for (uint32_t i = 0; i < archive->count && status == IOA_OK; i++) {
        status = ioa_order_check(network, archive->schedules[i].order, error);
        if (status != IOA_OK) ioa_fail_prefix(error, status, "schedule %04u", (unsigned)i);
    }
    return status == IOA_OK ? ioa_h5_write_file(path, fill, &b, error) : status;
}

bool ioa_bundle_probe(const char *path)
{
    return ioa_h5_probe(path, IOA_H5_BUNDLE);
}
