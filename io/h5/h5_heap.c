/* A check of HDF5's global heaps ahead of the library.
 *
 * Strings of variable length live in global heap collections, the only structure in our files without a checksum,
 * and the library (1.10) follows their sizes without looking. A collection is "GCOL", version 1, three zero bytes,
 * its size (u64), then objects: index u16, references u16, four reserved bytes, size (u64), data padded to 8 bytes.
 * Object 0 is the free space and its size counts its header (HDF5 File Format Specification, III.E). Collections
 * are found by their signature and must be tiled exactly by their objects. Files with offsets of other than 8 bytes
 * are not ours, nor h5py's. */
#include "io/h5/h5.h"

#include <string.h>
#include <unistd.h>

#define BLOCK (UINT64_C(1) << 16)
#define HEADER 16u
#define OBJECT 16u

static uint64_t little_endian(const unsigned char *at, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = bytes; i-- > 0;) value = value << 8 | at[i];
    return value;
}

static bool read_at(int fd, uint64_t offset, void *buffer, size_t bytes)
{
    for (size_t done = 0; done < bytes;) {
        ssize_t got = pread(fd, (char *)buffer + done, bytes - done, (off_t)(offset + done));
        if (got <= 0) return false;
        done += (size_t)got;
    }
    return true;
}

static bool collection_sound(int fd, uint64_t start, uint64_t file_bytes)
{
    unsigned char head[HEADER];
    if (!read_at(fd, start, head, sizeof head)) return false;
    uint64_t size = little_endian(head + 8, 8);
    if (size < HEADER + OBJECT || size > file_bytes - start) return false;
    uint64_t at = HEADER;
    while (size - at >= OBJECT) {
        unsigned char object[OBJECT];
        if (!read_at(fd, start + at, object, sizeof object)) return false;
        uint64_t index = little_endian(object, 2), length = little_endian(object + 8, 8);
        uint64_t left = size - at;
        if (length > left) return false;
        uint64_t advance = index == 0 ? length : OBJECT + (length + 7) / 8 * 8;
        if (advance < OBJECT || advance > left || index > size / OBJECT) return false;
        at += advance;
    }
    return at == size || size - at < OBJECT;
}

bool ioa_h5_heaps_sound(int fd, uint64_t bytes)
{
    static const unsigned char signature[8] = {'G', 'C', 'O', 'L', 1, 0, 0, 0};
    unsigned char block[BLOCK];
    bool sound = true;
    /* Blocks overlap by 7 bytes so that no signature falls between two of them. */
    for (uint64_t at = 0; sound && at + sizeof signature <= bytes; at += BLOCK - (sizeof signature - 1)) {
        size_t length = (size_t)(bytes - at < BLOCK ? bytes - at : BLOCK);
        sound = read_at(fd, at, block, length);
        const unsigned char *from = block, *end = block + length;
        while (sound && (from = memchr(from, 'G', (size_t)(end - from))) != NULL) {
            if ((size_t)(end - from) < sizeof signature) break;
            if (memcmp(from, signature, sizeof signature) == 0)
                sound = collection_sound(fd, at + (uint64_t)(from - block), bytes);
            from++;
        }
    }
    return sound;
}
