/* Atomic files, tensors, the machine. */
#include "tests/io/fixture.h"

#include "core/base/mem.h"
#include "io/archive/network_file.h"
#include "io/archive/tensor_file.h"
#include "io/base/atomic_file.h"
#include "io/base/machine.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_writable(void **state)
{
    (void)state;
    scratch_clear();
    assert_ok(ioa_file_writable(scratch("new.h5"), error));
    assert_int_equal(scratch_files(), 0);
    write_text(scratch("old.h5"), "kept");
    assert_ok(ioa_file_writable(scratch("old.h5"), error));
    assert_fails(ioa_file_writable(scratch("missing/new.h5"), error), IOA_ERR_INPUT, "No such file");
    assert_fails(ioa_file_writable(scratch("old.h5/new.h5"), error), IOA_ERR_INPUT, "cannot be written");
    assert_fails(ioa_file_writable(scratch("."), error), IOA_ERR_INPUT, "is a folder");
    assert_fails(ioa_file_writable("/dev/full", error), IOA_ERR_INPUT, "not a regular file");
    assert_int_equal(scratch_files(), 1);
    if (geteuid() != 0) { /* the superuser may write anywhere */
        assert_int_equal(mkdir(scratch("locked"), 0500), 0);
        assert_fails(ioa_file_writable(scratch("locked/x"), error), IOA_ERR_INPUT, "Permission denied");
        assert_int_equal(chmod(scratch("old.h5"), 0400), 0);
        assert_fails(ioa_file_writable(scratch("old.h5"), error), IOA_ERR_INPUT, "cannot be overwritten");
    }
}

static void test_atomic(void **state)
{
    (void)state;
    scratch_clear();
    ioa_atomic_file one, two;
    size_t size;
    write_text(scratch("t"), "old");
    assert_ok(ioa_atomic_begin(scratch("t"), &one, error));
    assert_ok(ioa_atomic_begin(scratch("t"), &two, error));
    assert_string_not_equal(one.temp, two.temp);
    write_text(one.temp, "one");
    write_text(two.temp, "two");
    ioa_atomic_abort(&two);
    unsigned char *bytes = read_bytes(scratch("t"), &size);
    assert_memory_equal(bytes, "old", 3);
    free(bytes);
    assert_ok(ioa_atomic_commit(&one, error));
    bytes = read_bytes(scratch("t"), &size);
    assert_memory_equal(bytes, "one", 3);
    free(bytes);
    assert_int_equal(scratch_files(), 1);

    /* A symbolic link stays one. */
    struct stat info;
    assert_int_equal(symlink(scratch("t"), scratch("link")), 0);
    assert_ok(ioa_atomic_begin(scratch("link"), &one, error));
    assert_ok(ioa_atomic_commit(&one, error));
    assert_int_equal(lstat(scratch("link"), &info), 0);
    assert_true(S_ISLNK(info.st_mode));
}

/* A child that may write `limit` bytes stands for a full disk. Exit code: the status. */
static int write_limited(const ioa_network *network, rlim_t limit)
{
    pid_t child = fork();
    if (child == 0) {
        struct rlimit most = {limit, limit};
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &most);
        _exit((int)ioa_network_write(network, scratch("full.h5"), NULL));
    }
    int status = -1;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_disk_full(void **state)
{
    (void)state;
    scratch_clear();
    ioa_network *network = sample_network(1);
    struct stat info;
    assert_ok(ioa_network_write(network, scratch("full.h5"), error));
    assert_int_equal(stat(scratch("full.h5"), &info), 0);
    scratch_clear();
    for (rlim_t limit = 0; limit < (rlim_t)info.st_size; limit += 1 + (rlim_t)info.st_size / 40) {
        assert_int_equal(write_limited(network, limit), IOA_ERR_SYSTEM);
        assert_int_equal(scratch_files(), 0);
    }
    assert_int_equal(write_limited(network, (rlim_t)info.st_size * 2), IOA_OK);
    ioa_network_destroy(network);
}

static void test_tensors(void **state)
{
    (void)state;
    float values[6] = {1, -2, 3.5f, 0, 1e-40f, 6}, *read = NULL;
    uint64_t rows, columns;
    assert_ok(ioa_tensor_write(scratch("x.h5"), "/x", values, 2, 3, error));
    assert_ok(ioa_tensor_read(scratch("x.h5"), "/x", 3, &read, &rows, &columns, error));
    assert_true(rows == 2 && columns == 3);
    assert_memory_equal(read, values, sizeof values);
    ioa_free(read);
    read = NULL;
    assert_fails(ioa_tensor_read(scratch("x.h5"), "/x", 4, &read, &rows, &columns, error), IOA_ERR_INPUT,
                 "/x: has 3 columns instead of 4");
    assert_fails(ioa_tensor_read(scratch("x.h5"), "/y", 0, &read, &rows, &columns, error), IOA_ERR_INPUT, "/y: is missing");
    assert_ok(ioa_tensor_write(scratch("x.h5"), "/x", values, 0, 3, error)); /* an empty batch */
    assert_ok(ioa_tensor_read(scratch("x.h5"), "/x", 0, &read, &rows, &columns, error));
    assert_true(rows == 0 && columns == 3);
    ioa_free(read);
}

static void test_machine(void **state)
{
    (void)state;
    ioa_machine machine;
    ioa_machine_detect(&machine);
    assert_true(machine.cores >= 1 && machine.memory_bytes > 0);
    assert_true(memchr(machine.cpu, '\0', sizeof machine.cpu) != NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writable), cmocka_unit_test(test_atomic),  cmocka_unit_test(test_disk_full),
        cmocka_unit_test(test_tensors),  cmocka_unit_test(test_machine),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
