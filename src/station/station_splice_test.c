// Changes of a station that is rendered ahead: what they make another is rendered, encoded, published and told again,
// and is what it had been had the change always been known.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "score/scene.h"
#include "station/patience.h"
#include "station/studio.h"

// Steers station and offline side alike, once the station has had time to go back for the change before.
static struct control_result steer(struct studio *studio, struct offline *offline, enum mood_id id, double value)
{
    struct mood_patch patch = {.set = 1u << id, .values = sequencer_mood(studio->sequencer)};
    struct control_result result;
    void *place = (char *)&patch.values + mood_parameters[id].offset;
    if (mood_parameters[id].kind == MOOD_KIND_UNIT)
        *(double *)place = value;
    else
        *(int *)place = (int)value;
    assert_int_equal(sequencer_submit(studio->sequencer, &patch, CONTROL_USER, 0, &result), STATUS_OK);
    assert_true(result.changed);
    assert_int_equal(mood_log_append(&offline->log, result.sequence, result.at_frame, &result.mood), STATUS_OK);
    return result;
}

static uint64_t splices(const struct studio *studio)
{
    return atomic_load(&station_stats(studio->station)->splices);
}

// Everybody has the whole lead already: from the change on it is rendered, encoded and published again, and is what it
// had been had the change always been known.
static void a_change_is_spliced_in(void **state)
{
    struct studio studio;
    struct offline *offline = studio_begin_with_all(&studio);
    studio_follow(&studio, offline, ALL, 0, 3 * SECOND);
    assert_soon(studio_at_frontier(&studio) && timeline_frontier(studio.timeline, FORMAT_OPUS) > 4 * SECOND);
    struct chunk *before = timeline_acquire(studio.timeline, FORMAT_OPUS, 4 * SECOND);
    uint64_t frontier = studio_rendered(&studio);
    struct control_result result = steer(&studio, offline, MOOD_ID_intensity, 1);
    assert_true(result.at_frame < frontier - SECOND);
    assert_soon(splices(&studio) == 1 && studio_at_frontier(&studio));
    for (int i = 0; i < FORMAT_COUNT; i++)   // old clients' chunks are made less far ahead
        studio_await_knowing(&studio, (enum format)i, (uint32_t)result.sequence, (i == FORMAT_LEGACY ? 3 : 4) * SECOND);
    struct chunk *after = timeline_acquire(studio.timeline, FORMAT_OPUS, 4 * SECOND);
    assert_int_equal(before->generation, 0);
    assert_int_equal(after->generation, result.sequence);
    size_t offset = before->payload_offset;
    assert_int_equal(after->payload_offset, offset);
    assert_true(before->len != after->len || memcmp(before->bytes + offset, after->bytes + offset,
                                                    before->len - offset) != 0);
    chunk_release(before);
    chunk_release(after);
    studio_follow(&studio, offline, ALL, 0, 12 * SECOND);
    const struct station_stats *stats = station_stats(studio.station);
    assert_int_equal(atomic_load(&stats->late_chunks), 0);
    assert_int_equal(atomic_load(&stats->encode_faults), 0);
    assert_int_equal(stats->splice_ns.count, 1);
    offline_free(offline);
    studio_end(&studio);
}

// A change that is heard from a chunk's first frame on: who looks ahead has seen it in the chunk before.
static void a_change_at_a_seam_is_seen_before_it(void **state)
{
    struct studio studio;
    struct offline *offline = studio_begin_with_all(&studio);
    studio_follow(&studio, offline, ALL, 0, 3 * SECOND);
    assert_soon(studio_at_frontier(&studio));
    clock_advance(&studio.clock, frames_to_ns(CONTROL_EARLY_FRAMES));
    struct control_result result = steer(&studio, offline, MOOD_ID_intensity, 1);
    assert_int_equal(control_heard_from(result.at_frame) % CHUNK_FRAMES, 0);
    assert_soon(splices(&studio) == 1 && studio_at_frontier(&studio));
    studio_follow(&studio, offline, ALL, 0, 6 * SECOND);
    offline_free(offline);
    studio_end(&studio);
}

// A minute of changes at any distance, over takeovers of encoders and, from 598 s on, over the seam of two epochs.
static void many_changes_are_spliced_in(void **state)
{
    static const enum mood_id ids[] = {MOOD_ID_intensity, MOOD_ID_brightness, MOOD_ID_bpm, MOOD_ID_space, MOOD_ID_scene,
                                       MOOD_ID_melody_complexity, MOOD_ID_texture, MOOD_ID_warmth};
    const uint64_t beginnings[] = {0, PROGRAMME_EPOCH_FRAMES - 4 * SECOND};
    for (int turn = 0; turn < 2; turn++) {
        struct studio studio;
        uint64_t at = beginnings[turn], end = at + 30 * SECOND;
        studio_begin(&studio, at, LEAD);
        struct offline *offline = offline_new(&studio.mood);
        // Where its encoders begin, so that what they make can be compared.
        offline_begin_at(offline, at == 0 ? 0 : encoder_opus.begin_frame(at - SECOND / 2));
        for (int i = 0; i < FORMAT_COUNT; i++)
            timeline_join(studio.timeline, (enum format)i);
        for (uint32_t n = 0; studio_playhead(&studio) < end; n++) {
            studio_follow(&studio, offline, ALL, at < SECOND ? 0 : at - SECOND / 2,
                          offline->frame + CHUNK_FRAMES);
            uint64_t chance = random_u64(7, 1, n), done = splices(&studio);
            if (chance % 3 != 0 || offline->frame <= at + CHUNK_FRAMES)
                continue;
            assert_soon(studio_at_frontier(&studio));
            enum mood_id id = ids[chance / 3 % (sizeof ids / sizeof *ids)];
            double unit = random_unit(7, 2, n);
            int next_scene = (sequencer_mood(studio.sequencer).scene + 1) % scene_count;
            double bpm = sequencer_mood(studio.sequencer).bpm < 75 ? 76 + 24 * unit : 50 + 24 * unit;
            (void)steer(&studio, offline, id, id == MOOD_ID_bpm ? bpm : id == MOOD_ID_scene ? next_scene : unit);
            assert_soon(splices(&studio) == done + 1);
        }
        assert_true(splices(&studio) > 50);
        assert_int_equal(atomic_load(&station_stats(studio.station)->late_chunks), 0);
        offline_free(offline);
        studio_end(&studio);
    }
}

// A slider that is dragged: changes come together, a tenth of a second apart, and what was begun for one that is out of
// date is left.
static void changes_in_quick_succession_come_together(void **state)
{
    struct studio studio;
    struct offline *offline = studio_begin_with_all(&studio);
    studio_follow(&studio, offline, ALL, 0, 3 * SECOND);
    uint64_t frames[25];
    int different = 0;
    for (int i = 0; i < 25; i++) {
        frames[i] = steer(&studio, offline, MOOD_ID_intensity, 0.1 + 0.02 * i).at_frame;
        different += i == 0 || frames[i] != frames[i - 1];
        assert_true(i == 0 || frames[i] == frames[i - 1] || frames[i] >= frames[i - 1] + CHUNK_FRAMES);
        wait_a_moment();
        clock_advance(&studio.clock, frames_to_ns(SECOND / 50));
    }
    assert_in_range(different, 5, 7);
    clock_advance(&studio.clock, frames_to_ns(CHUNK_FRAMES));
    for (int i = 0; i < FORMAT_COUNT; i++)
        studio_await_knowing(&studio, (enum format)i, 25, studio_playhead(&studio) + SECOND);
    studio_follow(&studio, offline, ALL, studio_playhead(&studio) + SECOND, 8 * SECOND);
    assert_in_range(splices(&studio), 1, 7);
    assert_int_equal(timeline_generation(studio.timeline, FORMAT_OPUS), 25);
    offline_free(offline);
    studio_end(&studio);
}

// What was told beyond a change is taken back, and what is the score's now is told in its place, once.
static void events_are_told_again_from_a_change_on(void **state)
{
    struct studio studio;
    struct offline *offline = studio_begin_with_all(&studio);
    studio_follow(&studio, offline, ALL, 0, 3 * SECOND);
    uint64_t told = timeline_last_event(studio.timeline);
    struct control_result result = steer(&studio, offline, MOOD_ID_intensity, 1);
    assert_soon(splices(&studio) == 1 && studio_at_frontier(&studio));
    while (studio_playhead(&studio) < 10 * SECOND)
        studio_step(&studio);
    uint64_t end = studio_rendered(&studio), from = control_heard_from(result.at_frame);
    station_destroy(studio.station);
    studio.station = NULL;
    struct event events[COMPOSE_MAX_EVENTS];
    struct event_record record = {.number = told};
    int again = 0;
    for (uint64_t frame = from; frame < end; frame += 960) {
        int count = compose_events(&offline->program, frame, frame + 960, events);
        for (int i = 0; i < count; i++) {
            if (events[i].kind == EVENT_MIX || events[i].kind == EVENT_NOTE_OFF)
                continue;
            assert_true(studio_next_event(studio.timeline, &record));
            assert_true(record.at_frame == events[i].at_frame);
            assert_int_equal(record.generation, result.sequence);
            again++;
        }
    }
    assert_true(again > 3);
    assert_false(studio_next_event(studio.timeline, &record));
    offline_free(offline);
    studio_end(&studio);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_is_spliced_in),
        cmocka_unit_test(a_change_at_a_seam_is_seen_before_it),
        cmocka_unit_test(many_changes_are_spliced_in),
        cmocka_unit_test(changes_in_quick_succession_come_together),
        cmocka_unit_test(events_are_told_again_from_a_change_on),
    };
    return cmocka_run_group_tests_name("station_splice", tests, NULL, NULL);
}
