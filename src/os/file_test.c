#include "os/file.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char root[] = "/tmp/auralis-file-test-XXXXXX";

static int make_root(void **state)
{
    return mkdtemp(root) ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    return remove(path);
}

static int remove_root(void **state)
{
    return nftw(root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    return path;
}

static void write_file(const char *name, const char *bytes)
{
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    fputs(bytes, file);
    assert_int_equal(fclose(file), 0);
}

static void test_directories_are_made_with_their_parents(void **state)
{
    struct stat info;
    assert_int_equal(file_make_directory(path_of("a/b//c")), STATUS_OK);
    assert_int_equal(file_make_directory(path_of("a/b/c/")), STATUS_OK);
    assert_int_equal(stat(path_of("a/b/c"), &info), 0);
    assert_true(S_ISDIR(info.st_mode));
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_int_equal(file_make_directory("/"), STATUS_OK);
}

static void test_a_file_in_the_way(void **state)
{
    write_file("file", "x");
    assert_int_equal(file_make_directory(path_of("file")), STATUS_IO);
    assert_int_equal(file_make_directory(path_of("file/below")), STATUS_IO);
    assert_int_equal(file_make_directory(""), STATUS_IO);
}

static void test_reading_whole_files(void **state)
{
    char bytes[8];
    size_t len = 99;
    write_file("seven", "1234567");
    assert_int_equal(file_read(path_of("seven"), bytes, sizeof bytes, &len), STATUS_OK);
    assert_int_equal(len, 7);
    assert_string_equal(bytes, "1234567");
    write_file("eight", "12345678");
    assert_int_equal(file_read(path_of("eight"), bytes, sizeof bytes, &len), STATUS_FULL);
    write_file("empty", "");
    assert_int_equal(file_read(path_of("empty"), bytes, sizeof bytes, &len), STATUS_OK);
    assert_int_equal(len, 0);
    assert_int_equal(file_read(path_of("missing"), bytes, sizeof bytes, &len), STATUS_NOT_FOUND);
    assert_int_equal(file_read(root, bytes, sizeof bytes, &len), STATUS_IO);
}

static void test_reading_files_of_any_size(void **state)
{
    enum { LEN = 300000 };
    char *text = malloc(LEN + 1), *bytes = NULL;
    size_t len = 99;
    memset(text, 'x', LEN);
    text[LEN] = '\0';
    write_file("large", text);
    assert_int_equal(file_read_whole(path_of("large"), LEN, &bytes, &len), STATUS_OK);
    assert_int_equal(len, LEN);
    assert_memory_equal(bytes, text, LEN);
    free(bytes);
    assert_int_equal(file_read_whole(path_of("large"), LEN - 1, &bytes, &len), STATUS_FULL);
    assert_null(bytes);
    assert_int_equal(file_read_whole(path_of("missing"), LEN, &bytes, &len), STATUS_NOT_FOUND);
    assert_int_equal(file_read_whole(root, LEN, &bytes, &len), STATUS_IO);
    assert_null(bytes);
    write_file("large", "");
    assert_int_equal(file_read_whole(path_of("large"), LEN, &bytes, &len), STATUS_OK);
    assert_int_equal(len, 0);
    free(bytes);
    free(text);
}

static void test_writing_whole_files(void **state)
{
    char bytes[64];
    size_t len;
    struct stat info;
    assert_int_equal(file_write(path_of("written"), "one, and longer", 15, 0644), STATUS_OK);
    assert_int_equal(file_write(path_of("written"), "two", 3, 0600), STATUS_OK);
    assert_int_equal(file_read(path_of("written"), bytes, sizeof bytes, &len), STATUS_OK);
    assert_string_equal(bytes, "two");
    assert_int_equal(stat(path_of("written"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(access(path_of("written.new"), F_OK), -1);
    assert_int_equal(file_write(path_of("nowhere/at/all"), "x", 1, 0600), STATUS_NOT_FOUND);
    assert_int_equal(file_make_directory(path_of("taken")), STATUS_OK);
    assert_int_equal(file_write(path_of("taken"), "x", 1, 0600), STATUS_IO);
    assert_int_equal(access(path_of("taken.new"), F_OK), -1);
}

static int lock_in_another_process(void)
{
    pid_t child = fork();
    if (child == 0) {
        int descriptor;
        _exit((int)file_lock_directory(root, &descriptor));
    }
    int status = -1;
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}

static void test_a_sum_tells_contents_apart(void **state)
{
    static char bytes[200000];
    char directory[] = "/tmp/auralis-file-test-XXXXXX", path[64];
    uint64_t first, second;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/file", directory);
    assert_int_equal(file_sum(path, &first), STATUS_NOT_FOUND);
    assert_int_equal(file_write(path, bytes, sizeof bytes, 0600), STATUS_OK);
    assert_int_equal(file_sum(path, &first), STATUS_OK);
    assert_int_equal(file_sum(path, &second), STATUS_OK);
    assert_true(first == second);
    for (size_t at = 0; at < sizeof bytes; at += 19999) {
        bytes[at] = 1;
        assert_int_equal(file_write(path, bytes, sizeof bytes, 0600), STATUS_OK);
        assert_int_equal(file_sum(path, &second), STATUS_OK);
        assert_true(first != second);
        first = second;
    }
    assert_int_equal(file_write(path, bytes, sizeof bytes - 1, 0600), STATUS_OK);
    assert_int_equal(file_sum(path, &second), STATUS_OK);
    assert_true(first != second);
    unlink(path);
    rmdir(directory);
}

static void test_a_directory_has_one_owner(void **state)
{
    int descriptor = -1;
    assert_int_equal(file_lock_directory(root, &descriptor), STATUS_OK);
    assert_int_equal(lock_in_another_process(), STATUS_IN_USE);
    file_unlock(descriptor);
    assert_int_equal(lock_in_another_process(), STATUS_OK);
    file_unlock(-1);
}

static void test_locking_nowhere(void **state)
{
    int descriptor = -1;
    assert_int_equal(file_lock_directory(path_of("nowhere"), &descriptor), STATUS_NOT_FOUND);
    assert_int_equal(descriptor, -1);
}

static void test_the_process_knows_itself(void **state)
{
    uint64_t resident = process_resident_bytes(), open_before = process_open_descriptors();
    assert_true(resident > 100000 && resident < UINT64_C(1) << 40);
    int descriptor = open("/dev/null", O_RDONLY);
    assert_true(process_open_descriptors() == open_before + 1);
    close(descriptor);
    assert_true(process_open_descriptors() == open_before);
}

static void test_descriptor_limit_is_raised(void **state)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = 64;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_true(process_raise_descriptor_limit() == limit.rlim_max);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_directories_are_made_with_their_parents),
        cmocka_unit_test(test_a_file_in_the_way),
        cmocka_unit_test(test_reading_whole_files),
        cmocka_unit_test(test_reading_files_of_any_size),
        cmocka_unit_test(test_writing_whole_files),
        cmocka_unit_test(test_a_sum_tells_contents_apart),
        cmocka_unit_test(test_a_directory_has_one_owner),
        cmocka_unit_test(test_locking_nowhere),
        cmocka_unit_test(test_the_process_knows_itself),
        cmocka_unit_test(test_descriptor_limit_is_raised),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
