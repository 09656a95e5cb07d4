/* Writes one folder of seeds per reader into the folder given: seeds FOLDER. */
#include "tests/io/fixture.h"
#include "tests/support/import_samples.h"

#include "core/model/network.h"
#include "io/archive/bundle.h"
#include "io/archive/network_file.h"
#include "io/archive/tensor_file.h"
#include "io/checkpoint/checkpoint.h"
#include "io/import/import.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char *folder;

static const char *place(const char *reader, const char *name)
{
    static char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, reader);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/%s", folder, reader, name);
    return path;
}

/* Folder of a sample: what stands behind the dot, but for Keras 2 and 3. */
static const char *reader_of(const import_sample *sample)
{
    const char *extension = strrchr(sample->name, '.') + 1;
    return strcmp(extension, "h5") == 0 ? "keras" : strcmp(extension, "keras") == 0 ? "keras3" : extension;
}

static ioa_status give_replica(void *context, uint32_t replica, const void **bytes, uint64_t *count, ioa_error *error)
{
    (void)context, (void)error;
    *bytes = "replica";
    *count = 3 + replica;
    return IOA_OK;
}

static ioa_status write_checkpoint(const ioa_archive *archive, const char *path, ioa_error *error)
{
    static const ioa_fact_pair facts[] = {{"seed", "7"}};
    uint64_t round = 7;
    const ioa_value value = {"round", IOA_VALUE_U64, 1, &round};
    const ioa_checkpoint c = {.facts = facts, .fact_count = 1, .values = &value, .value_count = 1, .finished = archive,
                              .owner = {.host = "n1", .began = 5}, .replicas = 2, .replica = give_replica};
    return ioa_checkpoint_write(&c, path, error);
}

int main(int count, char **arguments)
{
    const import_sample *sample;
    ioa_error error = {0};
    if (count != 2) return 2;
    folder = arguments[1];
    mkdir(folder, 0777);
    for (unsigned i = 0; (sample = import_sample_at(i)) != NULL; i++)
        if (!import_sample_write(i, place(reader_of(sample), sample->name))) return 3;
    ioa_network *network = sample_network(4);
    ioa_archive *archive = sample_archive(network);
    ioa_status status = ioa_network_write(network, place("network", "net.h5"), &error);
    if (status == IOA_OK) status = ioa_archive_write(archive, place("archive", "archive.h5"), &error);
    if (status == IOA_OK) status = ioa_bundle_write(network, archive, place("archive", "bundle.h5"), &error);
    static const float x[6] = {0, 1, -2, 0.5f, 3, 4};
    if (status == IOA_OK) status = ioa_tensor_write(place("tensor", "x.h5"), "/x", x, 2, 3, &error);
    if (status == IOA_OK) status = write_checkpoint(archive, place("checkpoint", "search.ckpt"), &error);
    if (status == IOA_OK) status = ioa_bundle_write(network, archive, place("bundle", "bundle.h5"), &error);
    if (status == IOA_OK) status = ioa_bundle_write(network, archive, place("network", "bundle.h5"), &error);
    if (status != IOA_OK) fprintf(stderr, "%s\n", error.text);
    ioa_archive_destroy(archive);
    ioa_network_destroy(network);
    return ioa_status_exit_code(status);
}
