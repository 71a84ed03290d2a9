// A whole station on a virtual clock: everything that it publishes is compared with an offline render and encode.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "station/patience.h"
#include "station/station_rig.h"

static void what_is_published_is_the_programme(void **state)
{
    struct rig rig;
    struct offline *offline = rig_begin_with_all(&rig);
    rig_follow(&rig, offline, ALL, 0, 12 * SECOND);
    const struct station_stats *stats = station_stats(rig.station);
    assert_int_equal(atomic_load(&stats->faults), 0);
    assert_int_equal(atomic_load(&stats->encode_faults), 0);
    assert_int_equal(atomic_load(&stats->late_chunks), 0);
    assert_true(stats->render_ns.count >= 120);
    assert_true(stats->encode_ns[FORMAT_OPUS].count >= 120);
    offline_free(offline);
    rig_end(&rig);
}

static void it_renders_ahead_and_no_further(void **state)
{
    struct rig rig;
    rig_begin(&rig, 0, LEAD);
    for (int i = 0; i < 20; i++) {
        assert_soon(rig_rendered(&rig) == rig_expected_frontier(&rig));
        clock_advance(&rig.clock, frames_to_ns(CHUNK_FRAMES / 3));
    }
    wait_a_moment();
    assert_true(rig_rendered(&rig) <= rig_expected_frontier(&rig));
    for (int i = 0; i < FORMAT_COUNT; i++)
        assert_int_equal(timeline_frontier(rig.timeline, (enum format)i), 0);
    rig_end(&rig);
}

// With lead enough for whole deliveries the last chunk of one is there when its first is due.
static void it_renders_ahead_for_whole_deliveries(void **state)
{
    struct rig rig;
    rig_begin(&rig, 0, DELIVERY_LEAD_FRAMES);
    rig.ahead = DELIVERY_LEAD_FRAMES + DELIVERY_MOST_FRAMES - CHUNK_FRAMES + STATION_RESERVE_FRAMES;
    timeline_join(rig.timeline, FORMAT_OPUS);
    while (rig_playhead(&rig) < 8 * SECOND) {
        assert_soon(rig_rendered(&rig) == rig_expected_frontier(&rig));
        uint64_t due = frames_round_down(rig_playhead(&rig) + DELIVERY_LEAD_FRAMES, DELIVERY_MOST_FRAMES);
        assert_soon(timeline_frontier(rig.timeline, FORMAT_OPUS) >= due + DELIVERY_MOST_FRAMES);
        clock_advance(&rig.clock, frames_to_ns(CHUNK_FRAMES));
    }
    assert_int_equal(atomic_load(&station_stats(rig.station)->late_chunks), 0);
    rig_end(&rig);
}

// The first reader comes at 23 s: Opus has to begin at the takeover at 20 s.
static void a_format_is_made_when_it_is_asked_for(void **state)
{
    struct rig rig;
    rig_begin(&rig, 0, LEAD);
    struct offline *offline = offline_new(&rig.mood);
    offline_begin(offline);
    uint64_t joined = 23 * SECOND;
    while (rig_playhead(&rig) < joined)
        rig_step(&rig);
    assert_int_equal(timeline_frontier(rig.timeline, FORMAT_OPUS), 0);
    timeline_join(rig.timeline, FORMAT_OPUS);
    assert_soon(timeline_frontier(rig.timeline, FORMAT_OPUS) == rig_expected_frontier(&rig));
    assert_null(timeline_acquire(rig.timeline, FORMAT_OPUS, joined - SECOND / 2 - CHUNK_FRAMES));
    for (int i = FORMAT_OPUS_64; i < FORMAT_COUNT; i++)
        assert_int_equal(timeline_frontier(rig.timeline, (enum format)i), 0);
    timeline_join(rig.timeline, FORMAT_LEGACY);
    assert_soon(timeline_frontier(rig.timeline, FORMAT_LEGACY) == joined + STATION_LEGACY_AHEAD_FRAMES);
    rig_follow(&rig, offline, 1 << FORMAT_OPUS | 1 << FORMAT_LEGACY, joined - SECOND / 2, 26 * SECOND);
    offline_free(offline);
    rig_end(&rig);
}

static void a_format_ends_when_nobody_listens(void **state)
{
    struct rig rig;
    rig_begin(&rig, 0, LEAD);
    timeline_join(rig.timeline, FORMAT_PCM);
    assert_soon(timeline_frontier(rig.timeline, FORMAT_PCM) == rig_expected_frontier(&rig));
    timeline_leave(rig.timeline, FORMAT_PCM);
    clock_advance(&rig.clock, NS_PER_SECOND);
    assert_soon(timeline_frontier(rig.timeline, FORMAT_PCM) == rig_expected_frontier(&rig));
    clock_advance(&rig.clock, 2 * NS_PER_SECOND);
    assert_soon(timeline_frontier(rig.timeline, FORMAT_PCM) == 0);
    assert_null(timeline_acquire(rig.timeline, FORMAT_PCM, rig_playhead(&rig)));
    timeline_join(rig.timeline, FORMAT_PCM);
    assert_soon(timeline_frontier(rig.timeline, FORMAT_PCM) == rig_expected_frontier(&rig));
    rig_end(&rig);
}

// Two epochs and 20 s in: it begins at the chain of that epoch, and the beginning of time is never rendered.
static void a_station_begins_in_the_middle(void **state)
{
    struct rig rig;
    uint64_t at = 2 * PROGRAMME_EPOCH_FRAMES + 20 * SECOND;
    rig_begin(&rig, at, LEAD);
    timeline_join(rig.timeline, FORMAT_OPUS);
    timeline_join(rig.timeline, FORMAT_PCM);
    struct offline *offline = offline_new(&rig.mood);
    offline_begin_at(offline, 2 * PROGRAMME_EPOCH_FRAMES + 10 * SECOND - 2 * CHUNK_FRAMES);
    rig_follow(&rig, offline, 1 << FORMAT_OPUS | 1 << FORMAT_PCM, at - SECOND / 2, at + 3 * SECOND);
    offline_free(offline);
    rig_end(&rig);
}

// The machine slept for 20 minutes: what was missed is not made up for, and nothing is wrong afterwards.
static void a_station_that_fell_behind_begins_again(void **state)
{
    struct rig rig;
    rig_begin(&rig, 0, LEAD);
    timeline_join(rig.timeline, FORMAT_PCM);
    assert_soon(timeline_frontier(rig.timeline, FORMAT_PCM) == rig_expected_frontier(&rig));
    uint64_t chunks_before = atomic_load(&station_stats(rig.station)->chunks_rendered);
    clock_advance(&rig.clock, frames_to_ns(2 * PROGRAMME_EPOCH_FRAMES + 15 * SECOND));
    assert_soon(timeline_frontier(rig.timeline, FORMAT_PCM) == rig_expected_frontier(&rig));
    assert_true(atomic_load(&station_stats(rig.station)->chunks_rendered) < chunks_before + 300);
    uint64_t live = frames_round_down(rig_playhead(&rig), CHUNK_FRAMES);
    struct chunk *chunk = timeline_acquire(rig.timeline, FORMAT_PCM, live);
    assert_non_null(chunk);
    chunk_release(chunk);
    rig_end(&rig);
}

// Long enough for every place of its memory to be given back and taken again.
static void another_lead_changes_nothing_that_is_heard(void **state)
{
    struct rig rig;
    struct offline *offline = rig_begin_with_all(&rig);
    rig_follow(&rig, offline, ALL, 0, 3 * SECOND);
    station_set_lead(rig.station, SECOND);
    rig.ahead = SECOND + STATION_RESERVE_FRAMES;
    rig.sinking = true;
    rig_follow(&rig, offline, ALL, 0, 5 * SECOND);
    rig.sinking = false;
    rig_follow(&rig, offline, ALL, 0, 20 * SECOND);
    station_set_lead(rig.station, LEAD);
    rig.ahead = AHEAD;
    rig_follow(&rig, offline, ALL, 0, 24 * SECOND);
    const struct station_stats *stats = station_stats(rig.station);
    assert_int_equal(atomic_load(&stats->encode_faults), 0);
    assert_int_equal(atomic_load(&stats->late_chunks), 0);
    for (int i = 0; i < FORMAT_COUNT; i++)
        timeline_leave(rig.timeline, (enum format)i);
    offline_free(offline);
    rig_end(&rig);
}

static void chunks_that_come_late_are_counted(void **state)
{
    struct rig rig;
    rig_begin(&rig, 0, LEAD);
    assert_soon(rig_rendered(&rig) == rig_expected_frontier(&rig));
    clock_advance(&rig.clock, 10 * NS_PER_SECOND);
    assert_soon(rig_rendered(&rig) == rig_expected_frontier(&rig));
    assert_in_range(atomic_load(&station_stats(rig.station)->late_chunks), 70, 110);
    rig_end(&rig);
}

// Readers that let nothing go: what has no room is missing and counted, and the music goes on.
static void readers_that_pin_all_chunks_stop_nothing(void **state)
{
    struct rig rig;
    struct chunk *held[256];
    int count = 0;
    rig_begin(&rig, 0, LEAD);
    timeline_join(rig.timeline, FORMAT_LEGACY);
    const struct station_stats *stats = station_stats(rig.station);
    for (uint64_t frame = 0; atomic_load(&stats->encode_faults) == 0; frame += CHUNK_FRAMES) {
        assert_soon(timeline_frontier(rig.timeline, FORMAT_LEGACY) > frame || atomic_load(&stats->encode_faults) > 0);
        held[count] = timeline_acquire(rig.timeline, FORMAT_LEGACY, frame);
        count += held[count] != NULL;
        assert_true(count < 256);
        rig_step(&rig);
    }
    uint64_t stuck = timeline_frontier(rig.timeline, FORMAT_LEGACY);
    while (count > 0)
        chunk_release(held[--count]);
    for (int i = 0; i < 20; i++)
        rig_step(&rig);
    assert_soon(timeline_frontier(rig.timeline, FORMAT_LEGACY) > stuck + SECOND);
    rig_end(&rig);
}

// The one test in real time: it sleeps until something is due, and wakes for it.
static void it_follows_a_clock_that_runs(void **state)
{
    struct rig rig;
    rig_begin(&rig, 0, LEAD);
    station_destroy(rig.station);
    clock_init(&rig.clock, 10);
    rig.origin_ns = clock_now_ns(&rig.clock);
    struct station_config config = {.name = "test", .seed = SEED, .mood = rig.mood, .origin_ns = rig.origin_ns,
                                    .lead_frames = LEAD, .clock = &rig.clock, .backend = backend_best(),
                                    .timeline = rig.timeline, .sequencer = rig.sequencer};
    assert_int_equal(station_create(&rig.station, &config), STATUS_OK);
    timeline_join(rig.timeline, FORMAT_PCM);
    for (uint64_t second = 1; second <= 12; second++) {
        assert_soon(timeline_frontier(rig.timeline, FORMAT_PCM) >= second * SECOND);
        uint64_t now_rendered = rig_rendered(&rig);
        assert_true(now_rendered <= rig_expected_frontier(&rig));
    }
    rig_end(&rig);
}

// What listeners are told is what the score says, once and in order.
static void events_are_those_of_the_score(void **state)
{
    struct rig rig;
    rig_begin(&rig, 0, LEAD);
    while (rig_playhead(&rig) < 30 * SECOND)
        rig_step(&rig);
    uint64_t end = rig_rendered(&rig);
    station_destroy(rig.station);
    rig.station = NULL;
    struct mood_log log;
    assert_int_equal(mood_log_init(&log, &rig.mood), STATUS_OK);
    struct program program = {.seed = SEED, .log = &log};
    struct event events[COMPOSE_MAX_EVENTS];
    struct event_record record = {0};
    int begun = 0;
    for (uint64_t from = 0; from < end; from += CHUNK_FRAMES) {
        int count = compose_events(&program, from, from + CHUNK_FRAMES, events);
        for (int i = 0; i < count; i++) {
            if (events[i].kind == EVENT_MIX || events[i].kind == EVENT_NOTE_OFF)
                continue;
            assert_true(rig_next_event(rig.timeline, &record));
            assert_true(record.at_frame == events[i].at_frame);
            assert_int_equal(strlen(record.text), record.text_len);
            begun++;
        }
    }
    assert_true(begun > 3);
    assert_false(rig_next_event(rig.timeline, &record));
    assert_true(timeline_event_at(rig.timeline, EVENT_RECORD_CHORD, SECOND, &record));
    assert_true(timeline_event_at(rig.timeline, EVENT_RECORD_SECTION, SECOND, &record));
    mood_log_finish(&log);
    rig_end(&rig);
}

// Audio, encoders and packets; and what it keeps to go back to.
static void one_station_takes_at_most_20_mib_and_its_snapshots_6(void **state)
{
    struct rig rig;
    rig_begin(&rig, 0, 10 * SECOND);
    size_t station = station_bytes(rig.station), timeline = timeline_bytes(rig.timeline);
    size_t snapshots = station_snapshot_bytes(rig.station);
    print_message("# station %zu bytes, of these snapshots %zu, timeline %zu, together %.1f MiB\n", station, snapshots,
                  timeline, (double)(station + timeline) / 1048576);
    assert_true(station - snapshots + timeline <= 20u << 20);
    assert_true(snapshots <= 6u << 20);
    rig_end(&rig);
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
