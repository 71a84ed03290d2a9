// A whole station on a virtual clock: everything that it publishes is compared with an offline render and encode.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "station/patience.h"
#include "station/studio.h"

static void what_is_published_is_the_programme(void **state)
{
    struct studio studio;
    struct offline *offline = studio_begin_with_all(&studio);
    studio_follow(&studio, offline, ALL, 0, 12 * SECOND);
    const struct station_stats *stats = station_stats(studio.station);
    assert_int_equal(atomic_load(&stats->faults), 0);
    assert_int_equal(atomic_load(&stats->encode_faults), 0);
    assert_int_equal(atomic_load(&stats->late_chunks), 0);
    assert_true(stats->render_ns.count >= 120);
    assert_true(stats->encode_ns[FORMAT_OPUS].count >= 120);
    offline_free(offline);
    studio_end(&studio);
}

static void it_renders_ahead_and_no_further(void **state)
{
    struct studio studio;
    studio_begin(&studio, 0, LEAD);
    for (int i = 0; i < 20; i++) {
        assert_soon(studio_rendered(&studio) == studio_expected_frontier(&studio));
        clock_advance(&studio.clock, frames_to_ns(CHUNK_FRAMES / 3));
    }
    wait_a_moment();
    assert_true(studio_rendered(&studio) <= studio_expected_frontier(&studio));
    for (int i = 0; i < FORMAT_COUNT; i++)
        assert_int_equal(timeline_frontier(studio.timeline, (enum format)i), 0);
    studio_end(&studio);
}

// With lead enough for whole deliveries the last chunk of one is there when its first is due.
static void it_renders_ahead_for_whole_deliveries(void **state)
{
    struct studio studio;
    studio_begin(&studio, 0, DELIVERY_LEAD_FRAMES);
    studio.ahead = DELIVERY_LEAD_FRAMES + DELIVERY_MOST_FRAMES - CHUNK_FRAMES + STATION_RESERVE_FRAMES;
    timeline_join(studio.timeline, FORMAT_OPUS);
    while (studio_playhead(&studio) < 8 * SECOND) {
        assert_soon(studio_rendered(&studio) == studio_expected_frontier(&studio));
        uint64_t due = frames_round_down(studio_playhead(&studio) + DELIVERY_LEAD_FRAMES, DELIVERY_MOST_FRAMES);
        assert_soon(timeline_frontier(studio.timeline, FORMAT_OPUS) >= due + DELIVERY_MOST_FRAMES);
        clock_advance(&studio.clock, frames_to_ns(CHUNK_FRAMES));
    }
    assert_int_equal(atomic_load(&station_stats(studio.station)->late_chunks), 0);
    studio_end(&studio);
}

// The first reader comes at 23 s: Opus has to begin at the takeover at 20 s.
static void a_format_is_made_when_it_is_asked_for(void **state)
{
    struct studio studio;
    studio_begin(&studio, 0, LEAD);
    struct offline *offline = offline_new(&studio.mood);
    offline_begin(offline);
    uint64_t joined = 23 * SECOND;
    while (studio_playhead(&studio) < joined)
        studio_step(&studio);
    assert_int_equal(timeline_frontier(studio.timeline, FORMAT_OPUS), 0);
    timeline_join(studio.timeline, FORMAT_OPUS);
    assert_soon(timeline_frontier(studio.timeline, FORMAT_OPUS) == studio_expected_frontier(&studio));
    assert_null(timeline_acquire(studio.timeline, FORMAT_OPUS, joined - SECOND / 2 - CHUNK_FRAMES));
    for (int i = FORMAT_OPUS_64; i < FORMAT_COUNT; i++)
        assert_int_equal(timeline_frontier(studio.timeline, (enum format)i), 0);
    timeline_join(studio.timeline, FORMAT_LEGACY);
    assert_soon(timeline_frontier(studio.timeline, FORMAT_LEGACY) == joined + STATION_LEGACY_AHEAD_FRAMES);
    studio_follow(&studio, offline, 1 << FORMAT_OPUS | 1 << FORMAT_LEGACY, joined - SECOND / 2, 26 * SECOND);
    offline_free(offline);
    studio_end(&studio);
}

static void a_format_ends_when_nobody_listens(void **state)
{
    struct studio studio;
    studio_begin(&studio, 0, LEAD);
    timeline_join(studio.timeline, FORMAT_PCM);
    assert_soon(timeline_frontier(studio.timeline, FORMAT_PCM) == studio_expected_frontier(&studio));
    timeline_leave(studio.timeline, FORMAT_PCM);
    clock_advance(&studio.clock, NS_PER_SECOND);
    assert_soon(timeline_frontier(studio.timeline, FORMAT_PCM) == studio_expected_frontier(&studio));
    clock_advance(&studio.clock, 2 * NS_PER_SECOND);
    assert_soon(timeline_frontier(studio.timeline, FORMAT_PCM) == 0);
    assert_null(timeline_acquire(studio.timeline, FORMAT_PCM, studio_playhead(&studio)));
    timeline_join(studio.timeline, FORMAT_PCM);
    assert_soon(timeline_frontier(studio.timeline, FORMAT_PCM) == studio_expected_frontier(&studio));
    studio_end(&studio);
}

// Two epochs and 20 s in: it begins at the chain of that epoch, and the beginning of time is never rendered.
static void a_station_begins_in_the_middle(void **state)
{
    struct studio studio;
    uint64_t at = 2 * PROGRAMME_EPOCH_FRAMES + 20 * SECOND;
    studio_begin(&studio, at, LEAD);
    timeline_join(studio.timeline, FORMAT_OPUS);
    timeline_join(studio.timeline, FORMAT_PCM);
    struct offline *offline = offline_new(&studio.mood);
    offline_begin_at(offline, 2 * PROGRAMME_EPOCH_FRAMES + 10 * SECOND - 2 * CHUNK_FRAMES);
    studio_follow(&studio, offline, 1 << FORMAT_OPUS | 1 << FORMAT_PCM, at - SECOND / 2, at + 3 * SECOND);
    offline_free(offline);
    studio_end(&studio);
}

// The machine slept for 20 minutes: what was missed is not made up for, and nothing is wrong afterwards.
static void a_station_that_fell_behind_begins_again(void **state)
{
    struct studio studio;
    studio_begin(&studio, 0, LEAD);
    timeline_join(studio.timeline, FORMAT_PCM);
    assert_soon(timeline_frontier(studio.timeline, FORMAT_PCM) == studio_expected_frontier(&studio));
    uint64_t chunks_before = atomic_load(&station_stats(studio.station)->chunks_rendered);
    clock_advance(&studio.clock, frames_to_ns(2 * PROGRAMME_EPOCH_FRAMES + 15 * SECOND));
    assert_soon(timeline_frontier(studio.timeline, FORMAT_PCM) == studio_expected_frontier(&studio));
    assert_true(atomic_load(&station_stats(studio.station)->chunks_rendered) < chunks_before + 300);
    uint64_t live = frames_round_down(studio_playhead(&studio), CHUNK_FRAMES);
    struct chunk *chunk = timeline_acquire(studio.timeline, FORMAT_PCM, live);
    assert_non_null(chunk);
    chunk_release(chunk);
    studio_end(&studio);
}

// Long enough for every place of its memory to be given back and taken again.
static void another_lead_changes_nothing_that_is_heard(void **state)
{
    struct studio studio;
    struct offline *offline = studio_begin_with_all(&studio);
    studio_follow(&studio, offline, ALL, 0, 3 * SECOND);
    station_set_lead(studio.station, SECOND);
    studio.ahead = SECOND + STATION_RESERVE_FRAMES;
    studio.sinking = true;
    studio_follow(&studio, offline, ALL, 0, 5 * SECOND);
    studio.sinking = false;
    studio_follow(&studio, offline, ALL, 0, 20 * SECOND);
    station_set_lead(studio.station, LEAD);
    studio.ahead = AHEAD;
    studio_follow(&studio, offline, ALL, 0, 24 * SECOND);
    const struct station_stats *stats = station_stats(studio.station);
    assert_int_equal(atomic_load(&stats->encode_faults), 0);
    assert_int_equal(atomic_load(&stats->late_chunks), 0);
    for (int i = 0; i < FORMAT_COUNT; i++)
        timeline_leave(studio.timeline, (enum format)i);
    offline_free(offline);
    studio_end(&studio);
}

static void chunks_that_come_late_are_counted(void **state)
{
    struct studio studio;
    studio_begin(&studio, 0, LEAD);
    assert_soon(studio_rendered(&studio) == studio_expected_frontier(&studio));
    clock_advance(&studio.clock, 10 * NS_PER_SECOND);
    assert_soon(studio_rendered(&studio) == studio_expected_frontier(&studio));
    assert_in_range(atomic_load(&station_stats(studio.station)->late_chunks), 70, 110);
    studio_end(&studio);
}

// Readers that let nothing go: what has no room is missing and counted, and the music goes on.
static void readers_that_pin_all_chunks_stop_nothing(void **state)
{
    struct studio studio;
    struct chunk *held[256];
    int count = 0;
    studio_begin(&studio, 0, LEAD);
    timeline_join(studio.timeline, FORMAT_LEGACY);
    const struct station_stats *stats = station_stats(studio.station);
    for (uint64_t frame = 0; atomic_load(&stats->encode_faults) == 0; frame += CHUNK_FRAMES) {
        assert_soon(timeline_frontier(studio.timeline, FORMAT_LEGACY) > frame ||
                    atomic_load(&stats->encode_faults) > 0);
        held[count] = timeline_acquire(studio.timeline, FORMAT_LEGACY, frame);
        count += held[count] != NULL;
        assert_true(count < 256);
        studio_step(&studio);
    }
    uint64_t stuck = timeline_frontier(studio.timeline, FORMAT_LEGACY);
    while (count > 0)
        chunk_release(held[--count]);
    for (int i = 0; i < 20; i++)
        studio_step(&studio);
    assert_soon(timeline_frontier(studio.timeline, FORMAT_LEGACY) > stuck + SECOND);
    studio_end(&studio);
}

// The one test in real time: it sleeps until something is due, and wakes for it.
static void it_follows_a_clock_that_runs(void **state)
{
    struct studio studio;
    studio_begin(&studio, 0, LEAD);
    station_destroy(studio.station);
    clock_init(&studio.clock, 10);
    studio.origin_ns = clock_now_ns(&studio.clock);
    struct station_config config = {.name = "test", .seed = SEED, .mood = studio.mood, .origin_ns = studio.origin_ns,
                                    .lead_frames = LEAD, .clock = &studio.clock, .backend = backend_best(),
                                    .timeline = studio.timeline, .sequencer = studio.sequencer};
    assert_int_equal(station_create(&studio.station, &config), STATUS_OK);
    timeline_join(studio.timeline, FORMAT_PCM);
    for (uint64_t second = 1; second <= 12; second++) {
        assert_soon(timeline_frontier(studio.timeline, FORMAT_PCM) >= second * SECOND);
        uint64_t now_rendered = studio_rendered(&studio);
        assert_true(now_rendered <= studio_expected_frontier(&studio));
    }
    studio_end(&studio);
}

// What listeners are told is what the score says, once and in order.
static void events_are_those_of_the_score(void **state)
{
    struct studio studio;
    studio_begin(&studio, 0, LEAD);
    while (studio_playhead(&studio) < 30 * SECOND)
        studio_step(&studio);
    uint64_t end = studio_rendered(&studio);
    station_destroy(studio.station);
    studio.station = NULL;
    struct mood_log log;
    assert_int_equal(mood_log_init(&log, &studio.mood), STATUS_OK);
    struct program program = {.seed = SEED, .log = &log};
    struct event events[COMPOSE_MAX_EVENTS];
    struct event_record record = {0};
    int begun = 0;
    for (uint64_t from = 0; from < end; from += CHUNK_FRAMES) {
        int count = compose_events(&program, from, from + CHUNK_FRAMES, events);
        for (int i = 0; i < count; i++) {
            if (events[i].kind == EVENT_MIX || events[i].kind == EVENT_NOTE_OFF)
                continue;
            assert_true(studio_next_event(studio.timeline, &record));
            assert_true(record.at_frame == events[i].at_frame);
            assert_int_equal(strlen(record.text), record.text_len);
            begun++;
        }
    }
    assert_true(begun > 3);
    assert_false(studio_next_event(studio.timeline, &record));
    assert_true(timeline_event_at(studio.timeline, EVENT_RECORD_CHORD, SECOND, &record));
    assert_true(timeline_event_at(studio.timeline, EVENT_RECORD_SECTION, SECOND, &record));
    mood_log_finish(&log);
    studio_end(&studio);
}

// Audio, encoders and packets; and what it keeps to go back to.
static void one_station_takes_at_most_20_mib_and_its_snapshots_6(void **state)
{
    struct studio studio;
    studio_begin(&studio, 0, 10 * SECOND);
    size_t station = station_bytes(studio.station), timeline = timeline_bytes(studio.timeline);
    size_t snapshots = station_snapshot_bytes(studio.station);
    print_message("# station %zu bytes, of these snapshots %zu, timeline %zu, together %.1f MiB\n", station, snapshots,
                  timeline, (double)(station + timeline) / 1048576);
    assert_true(station - snapshots + timeline <= 20u << 20);
    assert_true(snapshots <= 6u << 20);
    studio_end(&studio);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_published_is_the_programme),
        cmocka_unit_test(it_renders_ahead_and_no_further),
        cmocka_unit_test(it_renders_ahead_for_whole_deliveries),
        cmocka_unit_test(a_format_is_made_when_it_is_asked_for),
        cmocka_unit_test(a_format_ends_when_nobody_listens),
        cmocka_unit_test(a_station_begins_in_the_middle),
        cmocka_unit_test(a_station_that_fell_behind_begins_again),
        cmocka_unit_test(another_lead_changes_nothing_that_is_heard),
        cmocka_unit_test(chunks_that_come_late_are_counted),
        cmocka_unit_test(readers_that_pin_all_chunks_stop_nothing),
        cmocka_unit_test(it_follows_a_clock_that_runs),
        cmocka_unit_test(events_are_those_of_the_score),
        cmocka_unit_test(one_station_takes_at_most_20_mib_and_its_snapshots_6),
    };
    return cmocka_run_group_tests_name("station", tests, NULL, NULL);
}
