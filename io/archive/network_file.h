/* Network files (io/FORMAT.md, "Network"). Reading is public: ioanneal/network_file.h. */
#ifndef IOA_IO_NETWORK_FILE_H
#define IOA_IO_NETWORK_FILE_H

#include <ioanneal/network.h>
#include <ioanneal/network_file.h>
#include <stdbool.h>
#include <stddef.h>

#define IOA_NETWORK_HASH_TEXT 65

/* Writes a network atomically (temporary file, fsync, rename). The bytes depend on the network alone. */
ioa_status ioa_network_write(const ioa_network *network, const char *path, ioa_error *error);

/* SHA-256 in lower-case hexadecimal over topology and weights, as FORMAT.md defines them. `text` is [65]. */
ioa_status ioa_network_topology_hash(const ioa_network *network, char *text, ioa_error *error);
ioa_status ioa_network_weights_hash(const ioa_network *network, char *text, ioa_error *error);

/* ---- reading in two steps, into memory of the caller's ----
 *
 *     open -> shape -> (obtain memory) -> fill -> ioa_network_create_in or the like -> check -> close */

typedef struct ioa_network_reader ioa_network_reader;

typedef struct ioa_network_shape {
    uint32_t neurons, inputs, outputs, layers;
    uint64_t connections;
    uint64_t name_bytes; /* NUL included; 0: no name */
    bool param;          /* activation parameters are there */
} ioa_network_shape;

/* Opens a file and checks that shapes go together and that the bytes in it bear them out. `path` is borrowed until the
 * reader is closed. */
ioa_status ioa_network_reader_open(const char *path, ioa_network_reader **reader, ioa_error *error);
ioa_network_shape ioa_network_reader_shape(const ioa_network_reader *reader);

/* Reads all values, chunk by chunk, into arrays of those lengths (absent ones are NULL). */
ioa_status ioa_network_reader_fill(const ioa_network_reader *reader, const ioa_network_arrays *arrays, ioa_error *error);

/* Compares the hashes in the file with those of the data. */
ioa_status ioa_network_reader_check(const ioa_network_reader *reader, const ioa_network *network, ioa_error *error);

/* The hashes as the file has them. */
ioa_status ioa_network_reader_hashes(const ioa_network_reader *reader, char topology[IOA_NETWORK_HASH_TEXT],
                                     char weights[IOA_NETWORK_HASH_TEXT], ioa_error *error);

/* Closes and returns `status`; texts quoted from the file lose their control characters. */
ioa_status ioa_network_reader_close(ioa_network_reader *reader, ioa_status status, ioa_error *error);

/* The arrays of a network of that shape that have elements to hold: where the pointer belongs, and how much it takes.
 * Sets the counts in `arrays`. Returns their number. */
typedef struct ioa_network_part {
    void **array;
    uint64_t count;
    size_t size;
    bool present;
} ioa_network_part;
#define IOA_NETWORK_PARTS 10
size_t ioa_network_parts(const ioa_network_shape *shape, ioa_network_arrays *arrays,
                         ioa_network_part parts[IOA_NETWORK_PARTS]);

#endif
