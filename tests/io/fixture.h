/* What the tests of io share: a scratch folder per test program, whole files as bytes, networks compared. */
#ifndef IOA_TESTS_IO_FIXTURE_H
#define IOA_TESTS_IO_FIXTURE_H

#include "io/archive/archive.h"
#include "tests/support/unit.h"

#include <ioanneal/network.h>
#include <stdbool.h>

/* Group setup and teardown: makes and removes the scratch folder. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Path of `name` in the scratch folder; one of 8 rotating buffers. */
const char *scratch(const char *name);
unsigned scratch_files(void); /* entries in the folder, hidden ones included */
void scratch_clear(void);

unsigned char *read_bytes(const char *path, size_t *size); /* released with free */
void write_bytes(const char *path, const void *bytes, size_t size);
void write_text(const char *path, const char *text);

/* Path below the folder of shared data, or a cmocka skip with the reason. Rotating buffers as above. */
const char *shared(const char *name);

/* The layers of outerspace as its authors give them, there or a skip as above. */
typedef struct outerspace_files {
    const char *weights[3], *bias[3];
} outerspace_files;
outerspace_files shared_outerspace(void);

bool same_network(const ioa_network *a, const ioa_network *b);

/* A small network with everything in it, and an archive for it with two schedules; the caller destroys them. */
ioa_network *sample_network(uint64_t seed);
ioa_archive *sample_archive(const ioa_network *network);

#define assert_ok(call)                                                     \
    do {                                                                    \
        ioa_error error_ = {0};                                             \
        ioa_error *error = &error_;                                         \
        if ((call) != IOA_OK) fail_msg("%s: %s", #call, error_.text);       \
    } while (0)

/* The call must fail with this status and a text that contains `part`, in one line. */
#define assert_fails(call, wanted, part)                                                            \
    do {                                                                                            \
        ioa_error error_ = {0};                                                                     \
        ioa_error *error = &error_;                                                                 \
        ioa_status status_ = (call);                                                                \
        if (status_ != (wanted) || error_.status != (wanted) || !strstr(error_.text, part) ||       \
            strchr(error_.text, '\n'))                                                              \
            fail_msg("%s: status %d, text \"%s\"; wanted \"%s\"", #call, status_, error_.text, part); \
    } while (0)

#endif
