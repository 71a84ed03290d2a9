// A station that nobody listens to renders nothing; when somebody comes the programme is where it would have been, and
// is what the log says.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "station/outlet.h"
#include "station/patience.h"
#include "station/studio.h"

#define SLEEP_NS (3 * NS_PER_SECOND)

static bool is_asleep(const struct studio *studio)
{
    return atomic_load(&station_stats(studio->station)->asleep);
}

static void join_all(struct studio *studio)
{
    for (int i = 0; i < FORMAT_COUNT; i++)
        timeline_join(studio->timeline, (enum format)i);
}

static void leave_all(struct studio *studio)
{
    for (int i = 0; i < FORMAT_COUNT; i++)
        timeline_leave(studio->timeline, (enum format)i);
}

// Nobody listens, until it sleeps.
static void fall_asleep(struct studio *studio)
{
    uint64_t patience = frames_from_ns(SLEEP_NS) + station_ahead_frames(LEAD) + STATION_BACK_FRAMES;
    leave_all(studio);
    for (uint64_t frame = 0; frame + CHUNK_FRAMES < patience; frame += CHUNK_FRAMES)
        studio_step(studio);
    assert_false(is_asleep(studio));
    clock_advance(&studio->clock, frames_to_ns(2 * CHUNK_FRAMES));
    assert_soon(is_asleep(studio));
}

// What the log says now, standing where all encoders begin for this playhead.
static struct offline *offline_now(struct studio *studio)
{
    struct offline *offline = offline_new(&studio->mood);
    struct mood_entry entry;
    for (size_t i = 1; sequencer_entries(studio->sequencer, i, &entry, 1) == 1; i++)
        assert_int_equal(mood_log_copy(&offline->log, &entry), STATUS_OK);
    offline_begin_at(offline, encoder_opus.begin_frame(outlet_publish_frame(studio_playhead(studio))));
    return offline;
}

// Somebody comes and hears what the log says, for so long.
static void wake_up(struct studio *studio, uint64_t frames)
{
    uint64_t playhead = studio_playhead(studio), wakings = sequencer_latest(studio->sequencer);
    join_all(studio);
    assert_soon(sequencer_latest(studio->sequencer) == wakings + 1);
    struct mood_entry entry;
    assert_int_equal(sequencer_entries(studio->sequencer, wakings + 1, &entry, 1), 1);
    assert_int_equal(entry.changed, 0);
    assert_int_equal(entry.wake_frame, outlet_history_frame(playhead));
    assert_soon(studio_at_frontier(studio) && !is_asleep(studio));
    struct offline *offline = offline_now(studio);
    studio_follow(studio, offline, ALL, outlet_publish_frame(playhead), playhead + frames);
    offline_free(offline);
}

static void nothing_is_rendered_while_nobody_listens(void **state)
{
    struct studio studio;
    studio_begin_sleepy(&studio, 0, LEAD, SLEEP_NS);
    join_all(&studio);
    for (int i = 0; i < 60; i++)
        studio_step(&studio);
    assert_false(is_asleep(&studio));
    fall_asleep(&studio);
    uint64_t rendered = atomic_load(&station_stats(studio.station)->chunks_rendered);
    for (int i = 0; i < 20; i++) {
        clock_advance(&studio.clock, NS_PER_SECOND);
        wait_a_moment();
    }
    assert_int_equal(atomic_load(&station_stats(studio.station)->chunks_rendered), rendered);
    assert_int_equal(sequencer_latest(studio.sequencer), 0);
    wake_up(&studio, 3 * SECOND);
    assert_int_equal(atomic_load(&station_stats(studio.station)->wakings), 1);
    assert_int_equal(atomic_load(&station_stats(studio.station)->late_chunks), 0);
    studio_end(&studio);
}

// Again and again, after longer and longer, before and about the seam of two epochs; what is changed while it sleeps
// counts.
static void it_wakes_to_what_the_log_says(void **state)
{
    struct studio studio;
    studio_begin_sleepy(&studio, PROGRAMME_EPOCH_FRAMES - 120 * SECOND, LEAD, SLEEP_NS);
    join_all(&studio);
    assert_soon(studio_at_frontier(&studio));
    for (int turn = 0; turn < 8; turn++) {
        fall_asleep(&studio);
        clock_advance(&studio.clock, (uint64_t)turn * 3 * NS_PER_SECOND);
        if (turn % 2 == 1) {
            struct mood_patch patch = {.set = 1u << MOOD_ID_intensity, .values.intensity = 0.1 * turn};
            struct control_result result;
            assert_int_equal(sequencer_submit(studio.sequencer, &patch, CONTROL_USER, 0, &result), STATUS_OK);
        }
        wake_up(&studio, 2 * SECOND);
    }
    assert_int_equal(atomic_load(&station_stats(studio.station)->wakings), 8);
    studio_end(&studio);
}

// The next epoch takes over as ever.
static void over_the_seam_it_goes_on(void **state)
{
    struct studio studio;
    studio_begin_sleepy(&studio, PROGRAMME_EPOCH_FRAMES - 60 * SECOND, LEAD, SLEEP_NS);
    join_all(&studio);
    assert_soon(studio_at_frontier(&studio));
    fall_asleep(&studio);
    clock_advance(&studio.clock, 20 * NS_PER_SECOND);
    wake_up(&studio, 30 * SECOND);
    assert_true(studio_playhead(&studio) > PROGRAMME_EPOCH_FRAMES + 3 * SECOND);
    studio_end(&studio);
}

// As after a boot: nothing is rendered before somebody comes.
static void it_may_begin_asleep(void **state)
{
    struct studio studio;
    studio_begin_asleep(&studio, 500 * SECOND, LEAD, SLEEP_NS);
    for (int i = 0; i < 20; i++)
        wait_a_moment();
    assert_true(is_asleep(&studio));
    assert_int_equal(studio_rendered(&studio), 0);
    wake_up(&studio, SECOND);
    studio_end(&studio);
}

static void whoever_listens_keeps_it_awake(void **state)
{
    struct studio studio;
    studio_begin_sleepy(&studio, 0, LEAD, SLEEP_NS);
    timeline_join(studio.timeline, FORMAT_OPUS_32);
    for (int i = 0; i < 250; i++)
        studio_step(&studio);
    assert_false(is_asleep(&studio));
    assert_int_equal(sequencer_latest(studio.sequencer), 0);
    studio_end(&studio);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_rendered_while_nobody_listens),
        cmocka_unit_test(it_wakes_to_what_the_log_says),
        cmocka_unit_test(over_the_seam_it_goes_on),
        cmocka_unit_test(it_may_begin_asleep),
        cmocka_unit_test(whoever_listens_keeps_it_awake),
    };
    return cmocka_run_group_tests_name("station_sleep", tests, NULL, NULL);
}
