/* libFuzzer harness of one reader, chosen by IOA_FUZZ_READER: the name of an import format, or of one of our own files.
 * The input becomes a file in memory; whatever happens, the reader must give an error in one line or a valid object. */
#define _GNU_SOURCE
#include "core/base/mem.h"
#include "core/model/network.h"
#include "io/archive/archive.h"
#include "io/archive/network_file.h"
#include "io/archive/tensor_file.h"
#include "io/checkpoint/checkpoint.h"
#include "io/h5/h5.h"
#include "io/import/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* HDF5 keeps blocks when it meets damage, and copes with getting no memory for impossible sizes. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libhdf5";
}

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    (void)count, (void)arguments;
    ioa_h5_program_start();
    return 0;
}

static ioa_status read_tensor(const char *path, ioa_error *error)
{
    float *values = NULL;
    uint64_t rows = 0, columns = 0;
    ioa_status status = ioa_tensor_read(path, "/x", 0, &values, &rows, &columns, error);
    volatile float last = 0; /* all of them are there */
    for (uint64_t i = 0; status == IOA_OK && i < rows * columns; i++) last = values[i];
    (void)last;
    ioa_free(values);
    return status;
}

/* Whoever resumes reads everything; the names are those that seeds.c writes. */
static ioa_status read_checkpoint(const char *path, ioa_error *error)
{
    static const ioa_fact_pair facts[] = {{"seed", "7"}};
    ioa_checkpoint_file *file = NULL;
    uint64_t round;
    ioa_status status = ioa_checkpoint_open(path, false, facts, 1, &file, error);
    if (status == IOA_OK) status = ioa_checkpoint_get(file, &(ioa_value){"round", IOA_VALUE_U64, 1, &round}, error);
    for (uint32_t k = 0; status == IOA_OK && k < ioa_checkpoint_replicas(file); k++) {
        void *bytes = NULL;
        uint64_t count;
        status = ioa_checkpoint_get_replica(file, k, &bytes, &count, error);
        if (status == IOA_OK) ioa_free(bytes);
    }
    ioa_checkpoint_close(file);
    return status;
}

/* Both parts, as programs that deploy do. */
static ioa_status read_bundle(const char *path, ioa_error *error)
{
    ioa_network *network = NULL;
    ioa_archive *archive = NULL;
    ioa_status status = ioa_network_read(path, &network, error);
    if (status == IOA_OK) status = ioa_archive_open(path, network, &archive, error);
    ioa_archive_close(archive);
    ioa_network_destroy(network);
    return status;
}

static ioa_status read_it(const char *path, unsigned choice, ioa_error *error)
{
    if (strcmp(IOA_FUZZ_READER, "archive") == 0) {
        ioa_archive *archive;
        ioa_status status = ioa_archive_read(path, &archive, error);
        if (status == IOA_OK) ioa_archive_destroy(archive);
        return status;
    }
    if (strcmp(IOA_FUZZ_READER, "tensor") == 0) return read_tensor(path, error);
    if (strcmp(IOA_FUZZ_READER, "checkpoint") == 0) return read_checkpoint(path, error);
    if (strcmp(IOA_FUZZ_READER, "bundle") == 0) return read_bundle(path, error);
    const char *files[] = {path};
    ioa_network *network;
    ioa_import_options options = {.format = IOA_FUZZ_READER, .prune = choice & 1 ? 1 : 0.5, .name = "fuzz"};
    ioa_import_report report = {0};
    bool import = strcmp(IOA_FUZZ_READER, "network") != 0;
    ioa_status status = import ? ioa_import(files, 1, &options, &network, &report, error)
                               : ioa_network_read(path, &network, error);
    if (status != IOA_OK) return status;
    /* The arrays must obey the rules that let everything else trust them. */
    const ioa_network_arrays *a = ioa_network_view(network);
    for (uint64_t e = 0; e < ioa_network_connections(network); e++)
        if (a->indices[e] >= a->neurons) abort();
    ioa_import_report_clear(&report);
    ioa_network_destroy(network);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    ioa_error error = {0};
    int fd = memfd_create("input", MFD_CLOEXEC);
    if (fd < 0) abort();
    for (size_t at = 0; at < size;) {
        ssize_t wrote = write(fd, data + at, size - at);
        if (wrote <= 0) abort();
        at += (size_t)wrote;
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ioa_status status = read_it(path, size ? data[size - 1] : 0, &error);
    if (status != IOA_OK && (!error.text[0] || strchr(error.text, '\n'))) abort();
    close(fd);
    return 0;
}
