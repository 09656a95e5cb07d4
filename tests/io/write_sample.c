/* Writes net.h5, archive.h5 and bundle.h5 into the folder given, for a reader in another language. */
#include "tests/io/fixture.h"

#include "io/archive/bundle.h"
#include "io/archive/network_file.h"

#include <stdio.h>

int main(int count, char **arguments)
{
    char path[1024];
    ioa_error error = {0};
    if (count != 2) return 2;
    ioa_network *network = sample_network(4);
    ioa_archive *archive = sample_archive(network);
    snprintf(path, sizeof path, "%s/net.h5", arguments[1]);
    ioa_status status = ioa_network_write(network, path, &error);
    snprintf(path, sizeof path, "%s/archive.h5", arguments[1]);
    if (status == IOA_OK) status = ioa_archive_write(archive, path, &error);
    snprintf(path, sizeof path, "%s/bundle.h5", arguments[1]);
    if (status == IOA_OK) status = ioa_bundle_write(network, archive, path, &error);
    if (status != IOA_OK) fprintf(stderr, "%s\n", error.text);
    ioa_archive_destroy(archive);
    ioa_network_destroy(network);
    return ioa_status_exit_code(status);
}
