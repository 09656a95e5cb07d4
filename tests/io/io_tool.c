/* What the library makes of files, for tests in other languages:
 *     io_tool hashes NET.h5          topology and weights hash
 *     io_tool import FILE NET.h5 ACTIVATIONS [in-out|out-in]      "-": none given
 *     io_tool schedules ARCHIVE.h5 NET.h5      number of schedules, after checking that they belong together */
#include "io/archive/network_file.h"
#include "io/h5/h5.h"
#include "io/import/import.h"

#include <ioanneal/archive.h>
#include <stdio.h>
#include <string.h>

static ioa_status hashes(const char *path, ioa_error *error)
{
    ioa_network *network = NULL;
    char topology[IOA_NETWORK_HASH_TEXT], weights[IOA_NETWORK_HASH_TEXT];
    ioa_status status = ioa_network_read(path, &network, error);
    if (status == IOA_OK) status = ioa_network_topology_hash(network, topology, error);
    if (status == IOA_OK) status = ioa_network_weights_hash(network, weights, error);
    if (status == IOA_OK) printf("%s %s\n", topology, weights);
    ioa_network_destroy(network);
    return status;
}

static ioa_status import(int count, char **arguments, ioa_error *error)
{
    const char *files[] = {arguments[0]};
    ioa_network *network = NULL;
    ioa_import_options options = {.prune = 1};
    if (strcmp(arguments[2], "-") != 0) options.activation = arguments[2];
    options.orientation_given = count > 3;
    options.orientation = count > 3 && strcmp(arguments[3], "in-out") == 0 ? IOA_IN_OUT : IOA_OUT_IN;
    ioa_status status = ioa_import(files, 1, &options, &network, NULL, error);
    if (status == IOA_OK) status = ioa_network_write(network, arguments[1], error);
    ioa_network_destroy(network);
    return status;
}

static ioa_status schedules(const char *path, const char *network_path, ioa_error *error)
{
    ioa_network *network = NULL;
    ioa_archive *archive = NULL;
    ioa_status status = ioa_network_read(network_path, &network, error);
    if (status == IOA_OK) status = ioa_archive_open(path, network, &archive, error);
    if (status == IOA_OK) printf("%u\n", (unsigned)ioa_archive_schedules(archive));
    ioa_archive_close(archive);
    ioa_network_destroy(network);
    return status;
}

int main(int count, char **arguments)
{
    ioa_error error = {0};
    ioa_status status;
    ioa_h5_program_start();
    if (count == 3 && strcmp(arguments[1], "hashes") == 0)
        status = hashes(arguments[2], &error);
    else if ((count == 5 || count == 6) && strcmp(arguments[1], "import") == 0)
        status = import(count - 2, arguments + 2, &error);
    else if (count == 4 && strcmp(arguments[1], "schedules") == 0)
        status = schedules(arguments[2], arguments[3], &error);
    else
        return 2;
    if (status != IOA_OK) fprintf(stderr, "%s\n", error.text);
    return ioa_status_exit_code(status);
}
