#include "os/memory.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
// clang-format on
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB (UINT64_C(1) << 20)

static void fields_are_read_in_bytes(void **state)
{
    static const char text[] = "MemTotal:       24684000 kB\nMemAvailable:    1024 kB\nMemAvailableX: 7 kB\n"
                               "HugePages_Total:       3\ninactive_file 4096\nactive_file\t8\nodd:\n";
    uint64_t value = 77;
    assert_true(memory_field(text, "MemAvailable", &value));
    assert_int_equal(value, MIB);
    assert_true(memory_field(text, "HugePages_Total", &value));
    assert_int_equal(value, 3);
    assert_true(memory_field(text, "active_file", &value));
    assert_int_equal(value, 8);
    assert_true(memory_field(text, "inactive_file", &value));
    assert_int_equal(value, 4096);
    assert_false(memory_field(text, "MemAvail", &value));
    assert_false(memory_field(text, "odd", &value));
    assert_false(memory_field("", "x", &value));
    assert_true(memory_field("x: 18446744073709551615 kB", "x", &value));
    assert_true(value == UINT64_MAX);
}

static void limits_are_numbers_or_max(void **state)
{
    uint64_t value;
    assert_true(memory_limit("max\n", &value) && value == UINT64_MAX);
    assert_true(memory_limit("268435456\n", &value) && value == 256 * MIB);
    assert_false(memory_limit("", &value));
    assert_false(memory_limit("none", &value));
    assert_false(memory_limit("-1", &value));
}

static void the_own_group_is_found(void **state)
{
    static const char mixed[] = "9:name=systemd:/\n4:cpu,memory,pids:/a/b c\n1:memoryx:/no\n0::/user.slice/x\n";
    char path[MEMORY_PATH_BYTES];
    assert_true(memory_group_path(mixed, false, path));
    assert_string_equal(path, "/a/b c");
    assert_true(memory_group_path(mixed, true, path));
    assert_string_equal(path, "/user.slice/x");
    assert_false(memory_group_path("0::/x\n", false, path));
    assert_false(memory_group_path("", true, path));
    assert_false(memory_group_path("garbage", true, path));
}

static void write_text(const char *directory, const char *name, const char *text)
{
    char path[400];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void make(char *out, const char *base, const char *name)
{
    snprintf(out, 300, "%s/%s", base, name);
    assert_int_equal(mkdir(out, 0700), 0);
}

static void remove_all(const char *directory)
{
    char command[400];
    snprintf(command, sizeof command, "rm -r '%s'", directory);
    assert_int_equal(system(command), 0);
}

// 100 MiB above, of which 90 are used and 20 could be dropped; no limit of its own.
static void the_tightest_group_above_counts(void **state)
{
    char root[] = "/tmp/auralis-memory-XXXXXX", outer[300], inner[300], groups[300];
    assert_non_null(mkdtemp(root));
    make(outer, root, "outer");
    make(inner, outer, "inner");
    write_text(root, "cgroup", "0::/outer/inner\n");
    write_text(outer, "memory.max", "104857600\n");
    write_text(outer, "memory.current", "94371840\n");
    write_text(outer, "memory.stat", "anon 5\ninactive_file 20971520\n");
    write_text(inner, "memory.max", "max\n");
    write_text(inner, "memory.current", "1048576\n");
    snprintf(groups, sizeof groups, "%s/cgroup", root);
    assert_int_equal(memory_groups_headroom(groups, root), 30 * MIB);
    write_text(inner, "memory.high", "3145728\n");
    assert_int_equal(memory_groups_headroom(groups, root), 2 * MIB);
    write_text(inner, "memory.current", "9999999\n");
    assert_int_equal(memory_groups_headroom(groups, root), 0);
    remove_all(root);
}

static void groups_of_version_1(void **state)
{
    char root[] = "/tmp/auralis-memory-XXXXXX", memory[300], groups[300];
    assert_non_null(mkdtemp(root));
    make(memory, root, "memory");
    write_text(root, "cgroup", "4:memory:/not/seen/from/here\n0::/\n");
    write_text(memory, "memory.limit_in_bytes", "104857600\n");
    write_text(memory, "memory.usage_in_bytes", "52428800\n");
    write_text(memory, "memory.stat", "inactive_file 1\ntotal_inactive_file 1048576\n");
    snprintf(groups, sizeof groups, "%s/cgroup", root);
    assert_int_equal(memory_groups_headroom(groups, root), 51 * MIB);
    write_text(memory, "memory.limit_in_bytes", "9223372036854771712\n");
    assert_true(memory_groups_headroom(groups, root) == UINT64_MAX);
    assert_true(memory_groups_headroom("/nowhere", root) == UINT64_MAX);
    remove_all(root);
}

static void a_limit_of_address_space_counts(void **state)
{
    struct rlimit before, limit;
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    if (before.rlim_cur != RLIM_INFINITY)
        skip();
    assert_true(memory_process_headroom("/proc/self/status") == UINT64_MAX);
    // Above what ThreadSanitizer reserves.
    limit = (struct rlimit){.rlim_cur = UINT64_C(1) << 47, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
    uint64_t headroom = memory_headroom_bytes(&memory_system), alone = memory_process_headroom("/proc/self/status");
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
    assert_true(alone > 0 && alone < UINT64_C(1) << 47);
    assert_true(headroom <= alone);
}

static void what_is_given_back_can_be_written_again(void **state)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), len = 8 * page;
    uint8_t *bytes = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(bytes != MAP_FAILED);
    memset(bytes, 7, len);
    memory_give_back(bytes + 1, len - 2);
    assert_int_equal(bytes[page - 1], 7);
    assert_int_equal(bytes[7 * page], 7);
    assert_int_equal(bytes[page], 0);
    memset(bytes, 9, len);
    assert_int_equal(bytes[3 * page], 9);
    memory_give_back(bytes + 1, page);   // no whole page
    assert_int_equal(bytes[1], 9);
    munmap(bytes, len);
}

// What lies in the bytes stays, in whole stretches and in what is around them.
static void what_is_folded_stays_as_it_is(void **state)
{
    size_t len = 2 * MEMORY_HUGE_BYTES + 8192;
    uint8_t *bytes = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(bytes != MAP_FAILED);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i >> 12 ^ i);
    memory_fold(bytes + 1, len - 2);
    memory_fold(bytes, 4096);   // no whole stretch
    for (size_t i = 0; i < len; i++)
        assert_int_equal(bytes[i], (uint8_t)(i >> 12 ^ i));
    munmap(bytes, len);
}

// Whatever was freed before.
static void large_pieces_go_back_at_once(void **state)
{
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    memory_map_apart();
    void *volatile piece = malloc(8 * MIB);
    free(piece);
    size_t mapped = mallinfo2().hblkhd;
    piece = malloc(MEMORY_APART_BYTES);
    assert_true(mallinfo2().hblkhd >= mapped + MEMORY_APART_BYTES);
    free(piece);
    assert_int_equal(mallinfo2().hblkhd, mapped);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_read_in_bytes),
        cmocka_unit_test(limits_are_numbers_or_max),
        cmocka_unit_test(the_own_group_is_found),
        cmocka_unit_test(the_tightest_group_above_counts),
        cmocka_unit_test(groups_of_version_1),
        cmocka_unit_test(a_limit_of_address_space_counts),
        cmocka_unit_test(what_is_given_back_can_be_written_again),
        cmocka_unit_test(what_is_folded_stays_as_it_is),
        cmocka_unit_test(large_pieces_go_back_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
