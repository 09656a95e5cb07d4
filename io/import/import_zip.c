#include "io/import/import_zip.h"

#include "core/base/mem.h"

#include <inttypes.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

#define END_RECORD 22u   /* bytes of the end record without its comment */
#define ENTRY 46u        /* of an entry of the central directory, without names */
#define LOCAL 30u        /* of a local header, likewise */
#define RATIO UINT64_C(1032) /* the most deflate can shrink anything */

static ioa_status bad(const ioa_zip *zip, ioa_error *error, const char *what)
{
    return ioa_fail(error, IOA_ERR_INPUT, "%s: is damaged: %s", zip->path, what);
}

/* Does the file hold `length` bytes from `offset`? */
static bool holds(const ioa_zip *zip, uint64_t offset, uint64_t length)
{
    return offset <= zip->file->size && length <= zip->file->size - offset;
}

/* Offset of the end record, which is last but for a comment of at most 65,535 bytes; UINT64_MAX if there is none. */
static uint64_t find_end(const ioa_zip *zip)
{
    if (zip->file->size < END_RECORD) return UINT64_MAX;
    uint64_t last = zip->file->size - END_RECORD, first = last > 65535 ? last - 65535 : 0;
    for (uint64_t at = last;; at--) {
        if (memcmp(zip->file->data + at, "PK\5\6", 4) == 0) return at;
        if (at == first) return UINT64_MAX;
    }
}

ioa_status ioa_zip_open(const char *path, const ioa_bytes *file, ioa_zip *zip, ioa_error *error)
{
    *zip = (ioa_zip){.path = path, .file = file};
    uint64_t end = find_end(zip);
    if (end == UINT64_MAX) return ioa_fail(error, IOA_ERR_INPUT, "%s: is not a zip archive, or truncated", path);
    const unsigned char *record = file->data + end;
    zip->left = ioa_load_u16(record + 10);
    zip->directory = ioa_load_u32(record + 16);
    if ((zip->left == 0xffff || zip->directory == UINT32_MAX) && end >= 20 &&
        memcmp(record - 20, "PK\6\7", 4) == 0) {
        uint64_t at = ioa_load_u64(record - 20 + 8);
        if (!holds(zip, at, 56) || memcmp(file->data + at, "PK\6\6", 4) != 0)
            return bad(zip, error, "its 64-bit end record is missing");
        zip->left = ioa_load_u64(file->data + at + 32);
        zip->directory = ioa_load_u64(file->data + at + 48);
    }
    if (zip->left > file->size / ENTRY) return bad(zip, error, "it claims more members than it has room for");
    return IOA_OK;
}

/* Sizes that do not fit in 32 bits stand in the extra field 1, in this sequence. */
static ioa_status read_extra(const ioa_zip *zip, const unsigned char *extra, uint64_t length, ioa_zip_member *m,
                             ioa_error *error)
{
    uint64_t *const wanted[] = {m->size == UINT32_MAX ? &m->size : NULL, m->packed == UINT32_MAX ? &m->packed : NULL,
                                m->header == UINT32_MAX ? &m->header : NULL};
    while (length >= 4) {
        uint64_t part = ioa_load_u16(extra + 2);
        if (part > length - 4) break;
        if (ioa_load_u16(extra) == 1) {
            const unsigned char *at = extra + 4, *end = at + part;
            for (int i = 0; i < 3; i++) {
                if (!wanted[i]) continue;
                if (end - at < 8) return bad(zip, error, "a 64-bit size is missing");
                *wanted[i] = ioa_load_u64(at);
                at += 8;
            }
            return IOA_OK;
        }
        extra += 4 + part;
        length -= 4 + part;
    }
    return IOA_OK;
}

ioa_status ioa_zip_next(ioa_zip *zip, ioa_zip_member *member, ioa_error *error)
{
    if (!holds(zip, zip->directory, ENTRY) || memcmp(zip->file->data + zip->directory, "PK\1\2", 4) != 0)
        return bad(zip, error, "its directory ends early");
    const unsigned char *entry = zip->file->data + zip->directory;
    uint64_t name = ioa_load_u16(entry + 28), extra = ioa_load_u16(entry + 30), comment = ioa_load_u16(entry + 32);
    ioa_zip_member m = {.flags = ioa_load_u16(entry + 8), .method = ioa_load_u16(entry + 10),
                        .crc = ioa_load_u32(entry + 16), .packed = ioa_load_u32(entry + 20),
                        .size = ioa_load_u32(entry + 24), .header = ioa_load_u32(entry + 42)};
    if (!holds(zip, zip->directory + ENTRY, name + extra + comment)) return bad(zip, error, "its directory ends early");
    if (name >= sizeof m.name || memchr(entry + ENTRY, 0, name)) return bad(zip, error, "a member has an impossible name");
    memcpy(m.name, entry + ENTRY, name);
    ioa_status status = read_extra(zip, entry + ENTRY + name, extra, &m, error);
    if (status != IOA_OK) return status;
    if (m.packed > zip->file->size - zip->packed) return bad(zip, error, "its members overlap");
    zip->packed += m.packed;
    zip->directory += ENTRY + name + extra + comment;
    zip->left--;
    *member = m;
    return IOA_OK;
}

static voidpf provide(voidpf unused, uInt count, uInt size)
{
    (void)unused;
    return ioa_alloc(count, size);
}

static void take_back(voidpf unused, voidpf pointer)
{
    (void)unused;
    ioa_free(pointer);
}

/* Slices, since zlib counts in 32 bits. */
static ioa_status unpack(const ioa_zip *zip, const unsigned char *from, uint64_t packed, unsigned char *to, uint64_t size,
                         ioa_error *error)
{
    const uint64_t slice = UINT64_C(1) << 30;
    z_stream stream = {.zalloc = provide, .zfree = take_back};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return ioa_fail_nomem(error, "unpacking", 1, 65536);
    int result = Z_OK;
    stream.next_in = from;
    stream.next_out = to;
    while (result == Z_OK || result == Z_BUF_ERROR) {
        uint64_t in = packed < slice ? packed : slice, out = size < slice ? size : slice;
        stream.avail_in = (uInt)in;
        stream.avail_out = (uInt)out;
        result = inflate(&stream, Z_NO_FLUSH);
        uint64_t took = in - stream.avail_in, gave = out - stream.avail_out;
        packed -= took;
        size -= gave;
        if (took == 0 && gave == 0) break;
    }
    inflateEnd(&stream);
    if (result == Z_MEM_ERROR) return ioa_fail_nomem(error, "unpacking", 1, 65536);
    return result == Z_STREAM_END && size == 0 ? IOA_OK : bad(zip, error, "a member cannot be unpacked");
}

ioa_status ioa_zip_read(const ioa_zip *zip, const ioa_zip_member *member, ioa_bytes *content, ioa_error *error)
{
    if (!holds(zip, member->header, LOCAL) || memcmp(zip->file->data + member->header, "PK\3\4", 4) != 0)
        return bad(zip, error, "a member is missing");
    const unsigned char *local = zip->file->data + member->header;
    uint64_t start = member->header + LOCAL + ioa_load_u16(local + 26) + ioa_load_u16(local + 28);
    if (!holds(zip, start, member->packed)) return bad(zip, error, "a member ends early");
    if (member->flags & 1) return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: is encrypted", zip->path, member->name);
    if (member->method != 0 && member->method != 8)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: %s: is packed by method %u; stored and deflated members are supported",
                        zip->path, member->name, member->method);
    bool stored = member->method == 0;
    if (stored ? member->size != member->packed : member->size / RATIO > member->packed)
        return bad(zip, error, "a member claims an impossible size");
    unsigned char *data = ioa_alloc(member->size, 1);
    if (!data) return ioa_fail_nomem(error, zip->path, member->size, 1);
    ioa_status status = IOA_OK;
    if (!stored)
        status = unpack(zip, zip->file->data + start, member->packed, data, member->size, error);
    else if (member->size)
        memcpy(data, zip->file->data + start, member->size);
    if (status == IOA_OK && crc32_z(crc32_z(0, NULL, 0), data, member->size) != member->crc)
        status = ioa_fail(error, IOA_ERR_INPUT, "%s: %s: its checksum is wrong: damaged", zip->path, member->name);
    if (status == IOA_OK)
        *content = (ioa_bytes){data, member->size};
    else
        ioa_free(data);
    return status;
}
