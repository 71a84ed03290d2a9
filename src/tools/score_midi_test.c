// The file is read back and held against what the composer says.
#include "tools/score_midi.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/frames.h"
#include "score/scene.h"
#include "tools/test_midi.h"

enum {
    NOTES_MAX = 10000, DRUMS = 9, DRUM_KEY = 36,
    TEXT = 0x101, TRACK_NAME = 0x103, MARKER = 0x106, KEY = 0x159, CONTROLLER = 0xb0, PROGRAM = 0xc0, BEND = 0xe0,
    VOLUME = 7, PAN = 10,
};

#define S(seconds) ((uint64_t)((seconds) * FRAME_RATE))

// A note as the composer says it; off: as far as the stretch goes.
struct expected {
    uint64_t id, on, off;
    struct note note;
    bool found;
};

static struct expected expected[NOTES_MAX];
static size_t expected_count;
static size_t chords, sections;

static void expect_off(uint64_t id, uint64_t frame)
{
    for (size_t i = 0; i < expected_count; i++)
        if (expected[i].id == id)
            expected[i].off = frame;
}

static void expect(const struct event *events, int count, uint64_t first_frame, uint64_t end_frame)
{
    for (int i = 0; i < count; i++) {
        const struct event *event = &events[i];
        if (event->at_frame >= end_frame)
            continue;
        chords += event->kind == EVENT_CHORD;
        sections += event->kind == EVENT_SECTION;
        if (event->kind == EVENT_NOTE_OFF)
            expect_off(event->off.id, event->at_frame);
        if (event->kind != EVENT_NOTE_ON)
            continue;
        assert_true(expected_count < NOTES_MAX);
        uint64_t off = event->note.hold_frames ? event->at_frame + event->note.hold_frames : end_frame;
        uint64_t on = event->at_frame > first_frame ? event->at_frame : first_frame;
        expected[expected_count++] = (struct expected){.id = event->note.id, .on = on,
            .off = off < end_frame ? off : end_frame, .note = event->note};
    }
}

static void expect_all(const struct program *program, uint64_t first_frame, uint64_t end_frame)
{
    struct event events[COMPOSE_MAX_EVENTS];
    uint64_t from = frames_round_up(first_frame, CONTROL_FRAMES);
    expected_count = chords = sections = 0;
    expect(events, compose_sounding(program, from, events), first_frame, end_frame);
    for (uint64_t at = from; at < end_frame; at += CONTROL_FRAMES)
        expect(events, compose_events(program, at, at + CONTROL_FRAMES, events), first_frame, end_frame);
}

static struct test_midi converted(const struct program *program, uint64_t first_frame, uint64_t end_frame)
{
    uint8_t *bytes;
    size_t len;
    assert_int_equal(score_midi_bytes(program, first_frame, end_frame, &bytes, &len), STATUS_OK);
    struct test_midi midi = test_midi_read(bytes, len);
    free(bytes);
    assert_int_equal(midi.format, 1);
    assert_int_equal(midi.division, SCORE_MIDI_QUARTER_TICKS);
    assert_int_equal(midi.tracks, 1 + LAYER_COUNT);
    return midi;
}

static double ticks_of(const struct program *program, uint64_t first_frame, uint64_t frame)
{
    uint64_t beats = mood_log_beats(program->log, frame) - mood_log_beats(program->log, first_frame);
    return (double)beats / (double)MOOD_LOG_BEAT * SCORE_MIDI_QUARTER_TICKS;
}

static bool is(const struct test_note *note, const struct expected *wanted, double on, double off)
{
    bool drum = wanted->note.layer == LAYER_KICK;
    return !wanted->found && note->track == 1 + wanted->note.layer && fabs((double)note->on - on) <= 1 &&
           fabs((double)note->off - off) <= 1 && (note->channel == DRUMS) == drum &&
           note->key == (drum ? DRUM_KEY : lroundf(wanted->note.pitch)) &&
           note->velocity == lroundf(wanted->note.velocity * 127);
}

static void assert_every_note_once(const struct program *program, uint64_t first_frame, uint64_t end_frame)
{
    struct test_midi midi = converted(program, first_frame, end_frame);
    expect_all(program, first_frame, end_frame);
    size_t found = 0, wanted = 0;
    for (size_t i = 0; i < expected_count; i++) {
        double on = ticks_of(program, first_frame, expected[i].on);
        double off = ticks_of(program, first_frame, expected[i].off);
        wanted += expected[i].off > first_frame;
        for (size_t n = 0; n < midi.note_count && !expected[i].found; n++) {
            if (!is(&midi.notes[n], &expected[i], on, off))
                continue;
            double tick_s = 60.0 / 40 / SCORE_MIDI_QUARTER_TICKS;
            double s = (double)(expected[i].on - first_frame) / FRAME_RATE;
            assert_true(fabs(test_midi_seconds(&midi, midi.notes[n].on) - s) < tick_s);
            midi.notes[n].track = -1;
            expected[i].found = true;
            found++;
        }
    }
    assert_true(found > 0);
    assert_int_equal(found, wanted);
    assert_int_equal(found, midi.note_count);
    assert_true(fabs((double)midi.end - ticks_of(program, first_frame, end_frame)) <= 1);
    test_midi_free(&midi);
}

static struct mood_log log_of(const struct mood *mood)
{
    struct mood_log log;
    assert_int_equal(mood_log_init(&log, mood), STATUS_OK);
    return log;
}

static void append(struct mood_log *log, uint64_t at_frame, const struct mood *mood)
{
    assert_int_equal(mood_log_append(log, log->count, at_frame, mood), STATUS_OK);
}

// Tempo, key, scene and density move.
static struct mood_log restless_log(void)
{
    struct mood mood = scene_mood(&scenes[0]);
    struct mood_log log = log_of(&mood);
    mood.bpm = 41;
    append(&log, S(50), &mood);
    mood.harmonic_density = .9;
    append(&log, S(80), &mood);
    key_from_text("Eb major", &mood.key);
    mood.mode = MODE_LYDIAN;
    mood.bpm = 119;
    append(&log, S(120), &mood);
    mood.harmonic_density = .1;
    append(&log, S(150), &mood);
    mood.scene = 2;
    mood.bpm = 77;
    append(&log, S(200), &mood);
    mood.intensity = 1;
    append(&log, S(200), &mood);
    return log;
}

static void every_note_is_there_once_and_in_time(void **state)
{
    struct mood_log log = restless_log();
    for (uint64_t seed = 1; seed < 4; seed++) {
        struct program program = {.seed = seed, .log = &log};
        assert_every_note_once(&program, 0, S(300));
        assert_every_note_once(&program, S(61.7) + 29, S(211.3) + 5);
    }
    mood_log_finish(&log);
}

static void every_scene_can_be_written(void **state)
{
    for (int i = 0; i < scene_count; i++) {
        struct mood mood = scene_mood(&scenes[i]);
        struct mood_log log = log_of(&mood);
        struct program program = {.seed = 7, .log = &log};
        assert_every_note_once(&program, S(3600), S(3800));
        mood_log_finish(&log);
    }
}

// A chord and what ends and begins with it, at each frame around its onset.
static void it_may_begin_and_end_at_any_frame(void **state)
{
    struct mood mood = scene_mood(&scenes[0]);
    struct mood_log log = log_of(&mood);
    struct program program = {.seed = 1, .log = &log};
    struct event events[COMPOSE_MAX_EVENTS];
    uint64_t onset = 0;
    for (uint64_t at = S(30); onset == 0; at += CONTROL_FRAMES)
        for (int i = compose_events(&program, at, at + CONTROL_FRAMES, events); i-- > 0;)
            onset = events[i].kind == EVENT_CHORD ? at : onset;
    for (uint64_t frame = onset - 65; frame <= onset + 65; frame += 13) {
        assert_every_note_once(&program, frame, frame + S(1));
        assert_every_note_once(&program, frame - S(1), frame);
        assert_every_note_once(&program, frame, frame + 1);
    }
    assert_every_note_once(&program, onset, onset + S(1));
    mood_log_finish(&log);
}

static size_t count_kind(const struct test_midi *midi, int track, int kind)
{
    size_t count = 0;
    for (size_t i = 0; i < midi->event_count; i++)
        count += (track < 0 || midi->events[i].track == track) && midi->events[i].kind == kind;
    return count;
}

static void words_and_keys_are_there(void **state)
{
    struct mood_log log = restless_log();
    struct program program = {.seed = 1, .log = &log};
    struct test_midi midi = converted(&program, S(10), S(300));
    expect_all(&program, S(10), S(300));
    assert_int_equal(count_kind(&midi, 0, TEXT), chords);
    assert_int_equal(count_kind(&midi, 0, MARKER), sections);
    for (int layer = 0; layer < LAYER_COUNT; layer++)
        assert_string_equal(test_midi_last(&midi, 1 + layer, TRACK_NAME, -1, 0, 0)->text,
                            layer_name((enum layer)layer));
    assert_int_equal(test_midi_last(&midi, 0, KEY, -1, 0, 0)->text[0], 0);             // A aeolian
    assert_int_equal(test_midi_last(&midi, 0, KEY, -1, 0, 0)->text[1], 1);
    assert_int_equal(test_midi_last(&midi, 0, KEY, -1, 0, midi.end)->text[0], -2);     // Eb lydian
    assert_int_equal(test_midi_last(&midi, 0, KEY, -1, 0, midi.end)->text[1], 0);
    assert_int_equal(count_kind(&midi, -1, BEND), 0);
    test_midi_free(&midi);
    mood_log_finish(&log);
}

static void a_layer_that_is_off_is_silent(void **state)
{
    struct mood mood = scene_mood(&scenes[0]);
    struct mood_log log = log_of(&mood);
    mood.enable_pads = false;
    append(&log, S(20), &mood);
    struct program program = {.seed = 1, .log = &log};
    struct test_midi midi = converted(&program, 0, S(40));
    uint64_t half = (uint64_t)ticks_of(&program, 0, S(19));
    assert_true(test_midi_last(&midi, 1 + LAYER_PAD, CONTROLLER, -1, VOLUME, half)->second > 90);
    for (size_t i = 0; i < midi.note_count; i++)
        if (midi.notes[i].track == 1 + LAYER_PAD)
            assert_int_equal(test_midi_last(&midi, 1 + LAYER_PAD, CONTROLLER, midi.notes[i].channel, VOLUME,
                                            midi.end)->second, 0);
    test_midi_free(&midi);
    mood_log_finish(&log);
}

// Of all notes that have a channel to themselves.
static void notes_have_their_place_and_instrument(void **state)
{
    struct mood mood = scene_mood(&scenes[0]);
    struct mood_log log = log_of(&mood);
    struct program program = {.seed = 1, .log = &log};
    struct test_midi midi = converted(&program, 0, S(120));
    expect_all(&program, 0, S(120));
    size_t placed = 0, melodic = 0;
    for (size_t i = 0; i < expected_count; i++) {
        double on = ticks_of(&program, 0, expected[i].on), off = ticks_of(&program, 0, expected[i].off);
        for (size_t n = 0; n < midi.note_count; n++) {
            const struct test_note *note = &midi.notes[n];
            if (!is(note, &expected[i], on, off) || note->channel == DRUMS)
                continue;
            expected[i].found = true;
            melodic++;
            const struct test_midi_event *pan = test_midi_last(&midi, note->track, CONTROLLER, note->channel, PAN,
                                                               note->on);
            placed += fabsf((float)((pan ? pan->second : 64) - 64) / 63 - expected[i].note.pan) < .01f;
            if (expected[i].note.instrument == INSTRUMENT_PLUCK)
                assert_non_null(test_midi_last(&midi, note->track, PROGRAM, note->channel, 46, note->on));
        }
    }
    assert_true(melodic > 20);
    assert_true(placed * 10 >= melodic * 9);
    test_midi_free(&midi);
    mood_log_finish(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_note_is_there_once_and_in_time), cmocka_unit_test(every_scene_can_be_written),
        cmocka_unit_test(it_may_begin_and_end_at_any_frame),    cmocka_unit_test(words_and_keys_are_there),
        cmocka_unit_test(a_layer_that_is_off_is_silent),        cmocka_unit_test(notes_have_their_place_and_instrument),
    };
    return cmocka_run_group_tests_name("score_midi", tests, NULL, NULL);
}
