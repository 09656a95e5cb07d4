/* Bundles (io/FORMAT.md, "Bundle"): a network and its schedules in one file, read by the readers of either. */
#ifndef IOA_IO_BUNDLE_H
#define IOA_IO_BUNDLE_H

#include "io/archive/archive.h"
#include "io/h5/h5.h"

/* Writes a bundle atomically. IOA_ERR_INPUT if the archive belongs to another topology or one of its orders is not legal
 * for the network. */
ioa_status ioa_bundle_write(const ioa_network *network, const ioa_archive *archive, const char *path, ioa_error *error);

/* True if the file is a bundle by its schema_name. */
bool ioa_bundle_probe(const char *path);

/* Everything of a network file, of an archive, but their schema attributes; in network_file.c and archive_write.c. */
ioa_status ioa_network_put(const ioa_h5 *h5, const ioa_network *network, ioa_error *error);
ioa_status ioa_archive_put(const ioa_h5 *h5, const ioa_archive *archive, ioa_error *error);

/* What ioa_archive_write refuses; `path` is for the text. */
ioa_status ioa_archive_check_content(const ioa_archive *archive, const char *path, ioa_error *error);

#endif
