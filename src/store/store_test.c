#include "store/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "os/log.h"
#include "store/desk.h"

static int count_files(const struct desk *desk, const char *begin, const char *end)
{
    int count = 0;
    DIR *directory = opendir(desk->directory);
    for (struct dirent *entry; (entry = readdir(directory));) {
        size_t len = strlen(entry->d_name);
        count += strncmp(entry->d_name, begin, strlen(begin)) == 0 && len >= strlen(end) &&
                 strcmp(entry->d_name + len - strlen(end), end) == 0;
    }
    closedir(directory);
    return count;
}

static int databases_set_aside(const struct desk *desk)
{
    static const char begin[] = "auralis.db.damaged-";
    return count_files(desk, begin, "") - count_files(desk, begin, "-wal") - count_files(desk, begin, "-shm");
}

static struct store_preset preset_named(const char *name)
{
    struct store_preset preset = {.created_unix = 1700000000, .mood = mood_default()};
    snprintf(preset.name, sizeof preset.name, "%s", name);
    return preset;
}

static void save(struct desk *desk, const char *name)
{
    struct store_preset preset = preset_named(name);
    assert_int_equal(store_preset_save(desk->store, &preset), STATUS_OK);
}

static void save_many(struct desk *desk, int count)
{
    for (int i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, "preset number %04d", i);
        save(desk, name);
    }
}

static int count_presets(struct desk *desk)
{
    struct store_preset *presets = NULL;
    int count = -1;
    assert_int_equal(store_presets(desk->store, &presets, &count), STATUS_OK);
    free(presets);
    return count;
}

static void test_a_preset_comes_back_as_it_was(void **state)
{
    struct desk *desk = *state;
    struct store_preset saved = preset_named("Rain \xe2\x99\xaa"), loaded;
    saved.created_unix = INT64_C(5000000000);
    saved.mood.bpm = 111;
    saved.mood.intensity = 0.1;
    saved.mood.mode = MODE_DORIAN;
    saved.mood.enable_kicks = false;
    assert_int_equal(store_preset_save(desk->store, &saved), STATUS_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(store_preset_load(desk->store, saved.name, &loaded), STATUS_OK);
        assert_string_equal(loaded.name, saved.name);
        assert_int_equal(loaded.created_unix, saved.created_unix);
        assert_int_equal(mood_difference(&loaded.mood, &saved.mood), 0);
        desk_reopen(desk);
        assert_false(desk->set_aside);
    }
}

static void test_every_key_and_mode_survives(void **state)
{
    struct desk *desk = *state;
    for (int mode = 0; mode < MODE_COUNT; mode++) {
        struct mood base = mood_default();
        struct mood_patch patch = {.set = 1u << MOOD_ID_key | 1u << MOOD_ID_mode, .values.mode = (enum mode)mode};
        assert_true(key_from_text(mode_is_major((enum mode)mode) ? "Eb major" : "F# minor", &patch.values.key));
        struct store_preset saved = preset_named(mode_name((enum mode)mode)), loaded;
        saved.mood = mood_apply(&base, &patch);
        assert_int_equal(store_preset_save(desk->store, &saved), STATUS_OK);
        assert_int_equal(store_preset_load(desk->store, saved.name, &loaded), STATUS_OK);
        assert_int_equal(mood_difference(&loaded.mood, &saved.mood), 0);
    }
}

static void test_names_are_unique_and_sorted(void **state)
{
    struct desk *desk = *state;
    static const char *const names[] = {"b", "a", "\xc3\xa4", "B"}, *const sorted[] = {"B", "a", "b", "\xc3\xa4"};
    struct store_preset *presets, again = preset_named("a");
    int count;
    for (int i = 0; i < 4; i++)
        save(desk, names[i]);
    again.mood.bpm = 40;
    assert_int_equal(store_preset_save(desk->store, &again), STATUS_CONFLICT);
    assert_int_equal(store_presets(desk->store, &presets, &count), STATUS_OK);
    assert_int_equal(count, 4);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(presets[i].name, sorted[i]);
        assert_int_equal(presets[i].mood.bpm, 70);
    }
    free(presets);
}

static void test_names_that_break_the_rule(void **state)
{
    struct desk *desk = *state;
    static const char *const bad[] = {"", "a\nb", "\xff", "123456789012345678901234567890123456789012345678901"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct store_preset preset = preset_named(bad[i]), loaded;
        assert_int_equal(store_preset_save(desk->store, &preset), STATUS_INVALID);
        assert_int_equal(store_preset_load(desk->store, bad[i], &loaded), STATUS_NOT_FOUND);
        assert_int_equal(store_preset_delete(desk->store, bad[i]), STATUS_NOT_FOUND);
    }
    assert_int_equal(count_presets(desk), 0);
}

static void test_names_are_not_sql(void **state)
{
    struct desk *desk = *state;
    save(desk, "'; DROP TABLE presets; --");
    save(desk, "%");
    assert_int_equal(store_preset_delete(desk->store, "_"), STATUS_NOT_FOUND);
    assert_int_equal(count_presets(desk), 2);
}

static void test_deleting(void **state)
{
    struct desk *desk = *state;
    struct store_preset loaded;
    assert_int_equal(store_preset_delete(desk->store, "a"), STATUS_NOT_FOUND);
    save(desk, "a");
    assert_int_equal(store_preset_delete(desk->store, "a"), STATUS_OK);
    assert_int_equal(store_preset_load(desk->store, "a", &loaded), STATUS_NOT_FOUND);
    assert_int_equal(store_preset_delete(desk->store, "a"), STATUS_NOT_FOUND);
    save(desk, "a");
}

static void test_there_is_a_limit(void **state)
{
    struct desk *desk = *state;
    desk_run_sql(desk, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999) "
                  "INSERT INTO presets SELECT 'n' || i, i, '{}' FROM n");
    save(desk, "the last one");
    struct store_preset more = preset_named("one too many");
    assert_int_equal(store_preset_save(desk->store, &more), STATUS_FULL);
    assert_int_equal(count_presets(desk), STORE_PRESETS);
    assert_int_equal(store_preset_delete(desk->store, "n5"), STATUS_OK);
    assert_int_equal(store_preset_save(desk->store, &more), STATUS_OK);
}

static void test_moods_of_other_versions(void **state)
{
    struct desk *desk = *state;
    struct store_preset loaded;
    desk_run_sql(desk, "INSERT INTO presets VALUES ('newer', 1, '{\"bpm\":90,\"sparkle\":0.3}'), ('older', 1, '{}'),"
                  "('odd', 1, '{\"bpm\":500,\"intensity\":\"x\",\"harmonic_density\":0.75}'), ('text', 1, 'no json'),"
                  "('array', 1, '[1]')");
    assert_false(desk->set_aside);
    assert_int_equal(store_preset_load(desk->store, "newer", &loaded), STATUS_OK);
    assert_int_equal(loaded.mood.bpm, 90);
    assert_int_equal(store_preset_load(desk->store, "odd", &loaded), STATUS_OK);
    assert_int_equal(loaded.mood.bpm, 70);
    assert_true(loaded.mood.intensity == .5 && loaded.mood.harmonic_density == .75);
    struct mood defaults = mood_default();
    static const char *const plain[] = {"older", "text", "array"};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(store_preset_load(desk->store, plain[i], &loaded), STATUS_OK);
        assert_int_equal(mood_difference(&loaded.mood, &defaults), 0);
    }
    assert_int_equal(count_presets(desk), 5);
}

static void assert_set_aside_and_new(struct desk *desk, int times)
{
    desk_reopen(desk);
    assert_true(desk->set_aside);
    assert_int_equal(count_presets(desk), 0);
    assert_int_equal(databases_set_aside(desk), times);
    save(desk, "life goes on");
    desk_reopen(desk);
    assert_false(desk->set_aside);
    assert_int_equal(count_presets(desk), 1);
}

static void overwrite(const struct desk *desk, off_t at, size_t len, int byte)
{
    int fd = open(desk->file, O_WRONLY);
    unsigned char *bytes = malloc(len);
    memset(bytes, byte, len);
    assert_int_equal(pwrite(fd, bytes, len, at), (ssize_t)len);
    free(bytes);
    close(fd);
}

static off_t size_of(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? info.st_size : -1;
}

static void test_garbage_is_set_aside_each_time(void **state)
{
    struct desk *desk = *state;
    for (int times = 1; times <= 3; times++) {
        store_close(desk->store);
        desk->store = NULL;
        overwrite(desk, 0, 8192, 0xa5);
        assert_set_aside_and_new(desk, times);
    }
}

static void test_a_damaged_page_is_noticed(void **state)
{
    struct desk *desk = *state;
    save_many(desk, 60);
    store_close(desk->store);
    desk->store = NULL;
    assert_true(size_of(desk->file) > 4 * 4096);
    overwrite(desk, 2 * 4096, 4096, 0xff);
    assert_set_aside_and_new(desk, 1);
}

static void test_a_truncated_file_is_noticed(void **state)
{
    struct desk *desk = *state;
    save_many(desk, 60);
    store_close(desk->store);
    desk->store = NULL;
    assert_int_equal(truncate(desk->file, size_of(desk->file) / 2 + 100), 0);
    assert_set_aside_and_new(desk, 1);
}

static void test_an_empty_file_is_a_new_one(void **state)
{
    struct desk *desk = *state;
    store_close(desk->store);
    desk->store = NULL;
    assert_int_equal(truncate(desk->file, 0), 0);
    desk_reopen(desk);
    assert_false(desk->set_aside);
    save(desk, "a");
}

static void test_foreign_and_future_schemas_are_set_aside(void **state)
{
    struct desk *desk = *state;
    static const char *const sql[] = {
        "PRAGMA user_version = 4", "PRAGMA user_version = 0", "DROP TABLE presets",
        "ALTER TABLE presets RENAME COLUMN mood TO moods", "DROP TABLE changes"};
    for (int i = 0; i < 5; i++) {
        save(desk, "a");
        desk_run_sql(desk, sql[i]);
        assert_true(desk->set_aside);
        assert_int_equal(databases_set_aside(desk), i + 1);
        assert_int_equal(count_presets(desk), 0);
    }
}

static void test_a_file_of_the_first_schema_is_brought_up_to_date(void **state)
{
    struct desk *desk = *state;
    save(desk, "a");
    desk_run_sql(desk, "DROP TABLE stations; DROP TABLE changes; PRAGMA user_version = 1");
    assert_false(desk->set_aside);
    assert_int_equal(count_presets(desk), 1);
    struct store_station station = {.name = "main"};
    assert_int_equal(store_station_begin(desk->store, &station), STATUS_OK);
}

static void test_a_file_of_the_second_schema_is_brought_up_to_date(void **state)
{
    struct desk *desk = *state;
    struct store_station station = {.name = "main", .mood = mood_default(), .head.scala = tunings[TUNING_SCALA]};
    struct control_entry entry = {1, 4800, 1700000000000, mood_default(), 4800}, *past = NULL;
    size_t count;
    assert_int_equal(store_station_begin(desk->store, &station), STATUS_OK);
    assert_int_equal(store_station_keep(desk->store, "main", &entry), STATUS_OK);
    desk_run_sql(desk, "ALTER TABLE changes DROP COLUMN wake_frame; PRAGMA user_version = 2");
    assert_false(desk->set_aside);
    assert_int_equal(store_station_load(desk->store, "main", &station, &past, &count), STATUS_OK);
    assert_int_equal(count, 1);
    assert_true(past->at_frame == 4800 && past->wake_frame == 0);
    free(past);
}

static int save_in_a_process_that_dies(struct desk *desk, const char *name)
{
    pid_t child = fork();
    if (child == 0) {
        struct store *store;
        bool set_aside;
        struct store_preset preset = preset_named(name);
        if (store_open(&store, desk->directory, &set_aside) == STATUS_OK &&
            store_preset_save(store, &preset) == STATUS_OK)
            kill(getpid(), SIGKILL);
        _exit(1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? 0 : -1;
}

static void test_what_was_acknowledged_outlives_a_killed_process(void **state)
{
    struct desk *desk = *state;
    struct store_preset loaded;
    store_close(desk->store);
    desk->store = NULL;
    assert_int_equal(save_in_a_process_that_dies(desk, "last words"), 0);
    assert_int_equal(count_files(desk, "auralis.db", "-wal"), 1);
    desk_reopen(desk);
    assert_false(desk->set_aside);
    assert_int_equal(store_preset_load(desk->store, "last words", &loaded), STATUS_OK);
}

static void test_the_log_of_changes_is_set_aside_as_well(void **state)
{
    struct desk *desk = *state;
    save_many(desk, 60);
    store_close(desk->store);
    desk->store = NULL;
    assert_int_equal(save_in_a_process_that_dies(desk, "in the log of changes"), 0);
    overwrite(desk, 3 * 4096, 4096, 0xff);
    desk_reopen(desk);
    assert_true(desk->set_aside);
    assert_int_equal(count_presets(desk), 0);
    assert_int_equal(count_files(desk, "auralis.db.damaged-", "-wal"), 1);
    save(desk, "new");
    desk_reopen(desk);
    assert_int_equal(count_presets(desk), 1);
}

// A limit of the size of files stands for a full disk.
static void test_a_full_disk_refuses_and_loses_nothing(void **state)
{
    struct desk *desk = *state;
    struct rlimit before, full;
    int saved = 0;
    char name[32];
    enum status status = STATUS_OK;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    full = (struct rlimit){.rlim_cur = 200000, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
    for (int i = 0; i < 500 && status == STATUS_OK; i++) {
        snprintf(name, sizeof name, "n%d", i);
        struct store_preset preset = preset_named(name);
        status = store_preset_save(desk->store, &preset);
        saved += status == STATUS_OK;
    }
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(status, STATUS_IO);
    assert_true(saved > 0);
    assert_int_equal(count_presets(desk), saved);
    save(desk, name);
    desk_reopen(desk);
    assert_false(desk->set_aside);
    assert_int_equal(count_presets(desk), saved + 1);
}

static void test_where_nothing_can_be_opened(void **state)
{
    struct desk *desk = *state;
    struct store *store = NULL;
    bool set_aside = true;
    assert_int_equal(store_open(&store, "/nowhere/at/all", &set_aside), STATUS_IO);
    assert_false(set_aside);
    assert_int_equal(store_open(&store, "/proc", &set_aside), STATUS_IO);
    assert_null(store);
    char directory[128];
    snprintf(directory, sizeof directory, "%s/auralis.db", desk->directory);
    assert_int_equal(store_open(&store, directory, &set_aside), STATUS_IO);
}

static void test_without_the_right_to_write(void **state)
{
    struct desk *desk = *state;
    store_close(desk->store);
    desk->store = NULL;
    assert_int_equal(chmod(desk->file, 0444), 0);
    assert_int_equal(chmod(desk->directory, 0555), 0);
    uid_t own = geteuid();
    if (own == 0)
        assert_int_equal(seteuid(65534), 0);
    enum status status = store_open(&desk->store, desk->directory, &desk->set_aside);
    assert_int_equal(seteuid(own), 0);
    assert_int_equal(chmod(desk->directory, 0755), 0);
    assert_int_equal(status, STATUS_DENIED);
    assert_false(desk->set_aside);
}

enum { CALLERS = 4, ROUNDS = 60 };

struct caller {
    struct store *store;
    int number;
    atomic_int *won;
    int faults;
};

static void *call_much(void *argument)
{
    struct caller *caller = argument;
    for (int i = 0; i < ROUNDS; i++) {
        struct store_preset own, shared, loaded, *presets;
        char name[32];
        int count;
        snprintf(name, sizeof name, "own %d %d", caller->number, i);
        own = preset_named(name);
        own.mood.bpm = 40 + caller->number * ROUNDS / 4 + i % 10;
        caller->faults += store_preset_save(caller->store, &own) != STATUS_OK;
        caller->faults += store_preset_load(caller->store, name, &loaded) != STATUS_OK;
        caller->faults += loaded.mood.bpm != own.mood.bpm || strcmp(loaded.name, name) != 0;
        snprintf(name, sizeof name, "shared %d", i);
        shared = preset_named(name);
        enum status status = store_preset_save(caller->store, &shared);
        caller->faults += status != STATUS_OK && status != STATUS_CONFLICT;
        atomic_fetch_add(caller->won, status == STATUS_OK);
        if (i % 10 == 0 && store_presets(caller->store, &presets, &count) == STATUS_OK) {
            caller->faults += count <= i;
            free(presets);
        }
        caller->faults += i % 2 == 0 && store_preset_delete(caller->store, own.name) != STATUS_OK;
    }
    return NULL;
}

static void test_many_callers_at_once(void **state)
{
    struct desk *desk = *state;
    pthread_t threads[CALLERS];
    struct caller callers[CALLERS];
    atomic_int won = 0;
    for (int i = 0; i < CALLERS; i++) {
        callers[i] = (struct caller){.store = desk->store, .number = i, .won = &won};
        assert_int_equal(pthread_create(&threads[i], NULL, call_much, &callers[i]), 0);
    }
    for (int i = 0; i < CALLERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(callers[i].faults, 0);
    }
    assert_int_equal(won, ROUNDS);
    assert_int_equal(count_presets(desk), ROUNDS + CALLERS * ROUNDS / 2);
    desk_reopen(desk);
    assert_int_equal(count_presets(desk), ROUNDS + CALLERS * ROUNDS / 2);
}

// What would be written into a file without a name is lost with the process.
static void test_a_file_that_was_taken_away_is_not_written_to(void **state)
{
    struct desk *desk = *state;
    struct store_preset preset = preset_named("late");
    save(desk, "early");
    assert_int_equal(unlink(desk->file), 0);
    assert_int_equal(store_preset_save(desk->store, &preset), STATUS_IO);
    assert_int_equal(store_preset_delete(desk->store, "early"), STATUS_IO);
    assert_int_equal(count_presets(desk), 1);
    desk_reopen(desk);
    save(desk, "late");
}


int main(void)
{
    const struct CMUnitTest tests[] = {
        DESK_TEST(test_a_preset_comes_back_as_it_was),
        DESK_TEST(test_every_key_and_mode_survives),
        DESK_TEST(test_names_are_unique_and_sorted),
        DESK_TEST(test_names_that_break_the_rule),
        DESK_TEST(test_names_are_not_sql),
        DESK_TEST(test_deleting),
        DESK_TEST(test_there_is_a_limit),
        DESK_TEST(test_moods_of_other_versions),
        DESK_TEST(test_garbage_is_set_aside_each_time),
        DESK_TEST(test_a_damaged_page_is_noticed),
        DESK_TEST(test_a_truncated_file_is_noticed),
        DESK_TEST(test_an_empty_file_is_a_new_one),
        DESK_TEST(test_foreign_and_future_schemas_are_set_aside),
        DESK_TEST(test_a_file_of_the_first_schema_is_brought_up_to_date),
        DESK_TEST(test_a_file_of_the_second_schema_is_brought_up_to_date),
        DESK_TEST(test_what_was_acknowledged_outlives_a_killed_process),
        DESK_TEST(test_the_log_of_changes_is_set_aside_as_well),
        DESK_TEST(test_a_full_disk_refuses_and_loses_nothing),
        DESK_TEST(test_a_file_that_was_taken_away_is_not_written_to),
        DESK_TEST(test_where_nothing_can_be_opened),
        DESK_TEST(test_without_the_right_to_write),
        DESK_TEST(test_many_callers_at_once),
    };
    log_set_level((enum log_level)-1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
