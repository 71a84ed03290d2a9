// Programmes and the changes made to them, kept and read again.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "score/scene.h"
#include "store/desk.h"

static struct store_station station_named(const char *name)
{
    struct store_station station = {.seed = UINT64_MAX - 5, .mood = scene_mood(&scenes[3]),
                                    .head = {.begin_minute = 1439}, .boot_id = "b00t", .origin_boot_ns = -5,
                                    .origin_unix_ns = INT64_C(1700000000123456789), .reached_frame = 960};
    snprintf(station.name, sizeof station.name, "%s", name);
    station.head.scala = tunings[TUNING_SCALA];
    snprintf(station.head.scala.title, sizeof station.head.scala.title, "a \"scale\"");
    station.head.scala.offset_cents[7] = 1.9550008653874192;
    return station;
}

static struct control_entry entry_of(uint64_t sequence)
{
    struct control_entry entry = {sequence, sequence * 4800, 1700000000000 + sequence, mood_default(),
                                  sequence / 3 * 4800};
    entry.mood.intensity = 1.0 / 3 + (double)sequence * 1e-9;
    entry.mood.scene = (int)sequence % scene_count;
    return entry;
}

static void test_a_station_and_its_changes_are_as_they_were(void **state)
{
    struct desk *desk = *state;
    struct store_station main = station_named("main"), other = station_named("other"), found;
    struct control_entry *past = NULL;
    size_t count;
    assert_int_equal(store_station_load(desk->store, "main", &found, &past, &count), STATUS_NOT_FOUND);
    assert_int_equal(store_station_reach(desk->store, &main), STATUS_NOT_FOUND);
    assert_int_equal(store_station_begin(desk->store, &main), STATUS_OK);
    assert_int_equal(store_station_begin(desk->store, &other), STATUS_OK);
    for (uint64_t i = 1; i <= 700; i++) {
        struct control_entry entry = entry_of(i);
        assert_int_equal(store_station_keep(desk->store, "main", &entry), STATUS_OK);
    }
    struct control_entry again = entry_of(700);
    again.at_frame += 960;
    assert_int_equal(store_station_keep(desk->store, "main", &again), STATUS_OK);
    again.at_frame -= 960;
    assert_int_equal(store_station_keep(desk->store, "main", &again), STATUS_OK);
    main.reached_frame = 48000;
    main.origin_boot_ns = 77;
    assert_int_equal(store_station_reach(desk->store, &main), STATUS_OK);
    desk_reopen(desk);
    assert_int_equal(store_station_load(desk->store, "main", &found, &past, &count), STATUS_OK);
    assert_string_equal(found.name, "main");
    assert_string_equal(found.boot_id, "b00t");
    assert_string_equal(found.head.scala.title, "a \"scale\"");
    assert_true(found.seed == UINT64_MAX - 5 && found.origin_unix_ns == main.origin_unix_ns);
    assert_true(found.origin_boot_ns == 77 && found.reached_frame == 48000 && found.head.begin_minute == 1439);
    const struct tuning *scala = &main.head.scala;
    assert_memory_equal(found.head.scala.offset_cents, scala->offset_cents, sizeof scala->offset_cents);
    assert_int_equal(mood_difference(&found.mood, &main.mood), 0);
    assert_int_equal(count, 700);
    for (uint64_t i = 1; i <= count; i++) {
        struct control_entry entry = entry_of(i), *kept = &past[i - 1];
        assert_true(kept->sequence == i && kept->at_frame == entry.at_frame);
        assert_true(kept->timestamp_ms == entry.timestamp_ms && kept->mood.intensity == entry.mood.intensity);
        assert_int_equal(mood_difference(&kept->mood, &entry.mood), 0);
        assert_true(kept->wake_frame == entry.wake_frame);
    }
    free(past);
    assert_int_equal(store_station_load(desk->store, "other", &found, &past, &count), STATUS_OK);
    assert_int_equal(count, 0);
    free(past);
}

static void test_a_station_that_begins_anew_forgets_what_was(void **state)
{
    struct desk *desk = *state;
    struct store_station station = station_named("main"), found;
    struct control_entry first = entry_of(1), *past = NULL;
    size_t count;
    assert_int_equal(store_station_begin(desk->store, &station), STATUS_OK);
    assert_int_equal(store_station_keep(desk->store, "main", &first), STATUS_OK);
    station.seed = 8;
    assert_int_equal(store_station_begin(desk->store, &station), STATUS_OK);
    assert_int_equal(store_station_load(desk->store, "main", &found, &past, &count), STATUS_OK);
    assert_true(found.seed == 8 && count == 0);
    free(past);
    assert_int_equal(store_station_keep(desk->store, "main", &first), STATUS_OK);
}

static void test_changes_that_do_not_follow_each_other_are_damage(void **state)
{
    struct desk *desk = *state;
    static const char *const sql[] = {
        "DELETE FROM changes WHERE sequence = 2", "UPDATE changes SET at_frame = 0 WHERE sequence = 3",
        "UPDATE changes SET at_frame = at_frame + 1 WHERE sequence = 3", "UPDATE changes SET mood = 'x'",
        "UPDATE changes SET wake_frame = 9600 WHERE sequence = 2", "UPDATE changes SET wake_frame = 960",
        "UPDATE stations SET seed = '-1'", "UPDATE stations SET scala = '{}'",
        "UPDATE stations SET begin_minute = 1440",
    };
    for (size_t i = 0; i < sizeof sql / sizeof *sql; i++) {
        struct store_station station = station_named("main");
        struct control_entry *past = NULL;
        size_t count;
        assert_int_equal(store_station_begin(desk->store, &station), STATUS_OK);
        for (uint64_t n = 1; n <= 3; n++) {
            struct control_entry entry = entry_of(n);
            assert_int_equal(store_station_keep(desk->store, "main", &entry), STATUS_OK);
        }
        desk_run_sql(desk, sql[i]);
        assert_false(desk->set_aside);
        assert_int_equal(store_station_load(desk->store, "main", &station, &past, &count), STATUS_DAMAGED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DESK_TEST(test_a_station_and_its_changes_are_as_they_were),
        DESK_TEST(test_a_station_that_begins_anew_forgets_what_was),
        DESK_TEST(test_changes_that_do_not_follow_each_other_are_damage),
    };
    return cmocka_run_group_tests_name("stations", tests, NULL, NULL);
}
