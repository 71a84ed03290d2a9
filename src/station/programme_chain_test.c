// What a programme tells its chains and how it joins them, seen from the other side: score and synthesiser are played
// by this file, and a chain's sound tells which chain it is and which frame.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "station/programme.h"

enum { SECOND = FRAME_RATE, NOTE_EVERY = 640 };

#define EPOCH PROGRAMME_EPOCH_FRAMES
#define WARMUP PROGRAMME_WARMUP_FRAMES

// A chain that checks what it is told: after what sounds at its beginning, each note once and in its block.
struct fake_chain {
    uint64_t began, input;
    uint64_t sounding_told, notes_told, wrong;
    uint64_t unused[3];
};

size_t synth_bytes(void)
{
    return sizeof(struct fake_chain);
}

void synth_start(void *state, uint64_t frame)
{
    *(struct fake_chain *)state = (struct fake_chain){.began = frame, .input = frame};
}

uint64_t synth_input_frame(const void *state)
{
    return ((const struct fake_chain *)state)->input;
}

// Small enough to be exact in a float.
static float frame_mark(uint64_t frame)
{
    return (float)(frame % 4099);
}

static void hear(struct fake_chain *chain, const struct event *event, uint64_t end)
{
    if (event->kind == EVENT_MIX) {
        chain->wrong += event->at_frame != chain->began || chain->sounding_told > 0 || chain->notes_told > 0;
        chain->sounding_told++;
        return;
    }
    chain->wrong += chain->sounding_told != 1;
    chain->wrong += event->at_frame != frames_round_up(chain->began, NOTE_EVERY) + chain->notes_told * NOTE_EVERY;
    chain->wrong += event->at_frame < chain->input || event->at_frame >= end;
    chain->notes_told++;
}

// What a chain is to give instead, when that is not 0.
static float whisper;

// The left channel tells the chain's epoch, the right one the frame of output.
void synth_render(const struct backend *backend, void *state, const struct event *events, int event_count, float *out,
                  int blocks)
{
    struct fake_chain *chain = state;
    uint64_t end = chain->input + (uint64_t)blocks * CONTROL_FRAMES;
    for (int i = 0; i < event_count; i++)
        hear(chain, &events[i], end);
    for (; chain->input < end; chain->input += CONTROL_FRAMES) {
        for (uint64_t i = 0; i < CONTROL_FRAMES; i++, out += CHANNELS) {
            out[0] = (float)((chain->began + WARMUP) / EPOCH);
            out[1] = frame_mark(chain->input + i - SYNTH_LOOKAHEAD);
            if (whisper != 0)
                out[0] = out[1] = out[0] * whisper;
        }
    }
}

uint64_t synth_faults(const void *state)
{
    return ((const struct fake_chain *)state)->wrong;
}

bool synth_failed(const void *state)
{
    return false;
}

float synth_servo_db(const void *state)
{
    return (float)((const struct fake_chain *)state)->began;
}

int compose_events(const struct program *program, uint64_t from, uint64_t to, struct event *out)
{
    int count = 0;
    for (uint64_t frame = frames_round_up(from, NOTE_EVERY); frame < to; frame += NOTE_EVERY)
        out[count++] = (struct event){.at_frame = frame, .kind = EVENT_NOTE_ON};
    return count;
}

int compose_sounding(const struct program *program, uint64_t frame, struct event *out)
{
    out[0] = (struct event){.at_frame = frame, .kind = EVENT_MIX};
    return 1;
}

// Of the log only what it says of wakings counts.
static struct mood_entry entries[2];
static struct mood_log entries_log = {.entries = entries, .count = 1};
static const struct program program = {.log = &entries_log};

static void wake_at(uint64_t frame)
{
    entries[1] = (struct mood_entry){.sequence = 1, .at_frame = frame, .wake_frame = frame};
    entries_log.count = 2;
}

static void never_wake(void)
{
    entries_log.count = 1;
}

static struct programme *begin_at(uint64_t frame)
{
    struct programme *programme = aligned_alloc(64, programme_bytes());
    programme_start(programme, &program, programme_begin_frame(&program, frame));
    return programme;
}

static void skip_to(struct programme *programme, uint64_t frame)
{
    static float dropped[SECOND * CHANNELS];
    while (programme_frame(programme) < frame) {
        uint64_t left = frame - programme_frame(programme);
        programme_render(programme, &program, NULL, dropped, left < SECOND ? (int)left : SECOND);
    }
}

static void frame_at(struct programme *programme, uint64_t frame, float *out)
{
    skip_to(programme, frame);
    programme_render(programme, &program, NULL, out, 1);
}

static void each_chain_is_told_all_and_nothing_twice(void **state)
{
    for (int cut = 1; cut < 20000; cut = cut * 7 + 3) {
        struct programme *programme = begin_at(2 * EPOCH + 3 * SECOND);
        float *out = malloc((size_t)cut * CHANNELS * sizeof(float));
        while (programme_frame(programme) < programme_begin_frame(&program, 2 * EPOCH + 3 * SECOND) + 3 * SECOND)
            programme_render(programme, &program, NULL, out, cut);
        assert_int_equal(programme_faults(programme), 0);
        free(out);
        free(programme);
    }
    struct programme *programme = begin_at(0);
    skip_to(programme, 3 * EPOCH);
    assert_int_equal(programme_faults(programme), 0);
    free(programme);
}

// Frames at which one chain is heard alone.
static void assert_heard(struct programme *programme, uint64_t frame, uint64_t epoch)
{
    float out[CHANNELS];
    frame_at(programme, frame, out);
    assert_true(out[0] == (float)epoch);
    assert_true(out[1] == frame_mark(frame));
}

static void a_frame_number_means_output(void **state)
{
    struct programme *programme = begin_at(0);
    assert_heard(programme, 0, 0);
    assert_heard(programme, 1, 0);
    assert_heard(programme, 1000, 0);
    assert_heard(programme, EPOCH - WARMUP - PROGRAMME_LOOKAHEAD - 1, 0);
    assert_heard(programme, EPOCH - WARMUP - PROGRAMME_LOOKAHEAD, 0);
    assert_heard(programme, EPOCH - WARMUP, 0);
    assert_heard(programme, EPOCH - 1, 0);
    assert_heard(programme, EPOCH + PROGRAMME_FADE_FRAMES, 1);
    assert_heard(programme, 2 * EPOCH - 1, 1);
    assert_heard(programme, 2 * EPOCH + PROGRAMME_FADE_FRAMES, 2);
    free(programme);
}

static void a_seek_hears_its_chain_alone(void **state)
{
    struct programme *programme = begin_at(EPOCH + PROGRAMME_FADE_FRAMES);
    assert_true(programme_frame(programme) == EPOCH - WARMUP - PROGRAMME_LOOKAHEAD);
    assert_heard(programme, EPOCH + PROGRAMME_FADE_FRAMES, 1);
    assert_heard(programme, 2 * EPOCH - WARMUP, 1);
    assert_heard(programme, 2 * EPOCH - 1, 1);
    free(programme);
}

// The newer chain's share runs from 0 to 1 without a step; what both chains give alike comes out unchanged.
static void the_fade_is_amplitude_complementary(void **state)
{
    static float out[(PROGRAMME_FADE_FRAMES + 2) * CHANNELS];
    struct programme *programme = begin_at(EPOCH);
    skip_to(programme, EPOCH - 1);
    programme_render(programme, &program, NULL, out, (int)PROGRAMME_FADE_FRAMES + 2);
    for (uint64_t i = 0; i < PROGRAMME_FADE_FRAMES + 2; i++) {
        float step = i > 0 ? out[2 * i] - out[2 * i - 2] : 0;
        float error = out[2 * i + 1] - frame_mark(EPOCH - 1 + i);
        assert_true(out[2 * i] >= 0 && out[2 * i] <= 1);
        assert_true(step > -2e-7f && step < 1.6e-5f);
        assert_true(error > -0.001f && error < 0.001f);
    }
    assert_true(out[0] == 0);
    assert_true(out[2 * (PROGRAMME_FADE_FRAMES + 1)] == 1);
    assert_true(out[PROGRAMME_FADE_FRAMES] > 0.49f && out[PROGRAMME_FADE_FRAMES] < 0.51f);
    free(programme);
}

// Nor does it give numbers that are slow to compute with: of next to nothing comes nothing.
static void the_fade_gives_no_denormals(void **state)
{
    static float out[PROGRAMME_FADE_FRAMES * CHANNELS];
    struct programme *programme = begin_at(0);
    skip_to(programme, EPOCH);
    whisper = 1.5e-38f;
    programme_render(programme, &program, NULL, out, (int)PROGRAMME_FADE_FRAMES);
    whisper = 0;
    for (uint64_t i = 0; i < PROGRAMME_FADE_FRAMES * CHANNELS; i++)
        assert_true(fpclassify(out[i]) != FP_SUBNORMAL);
    assert_true(out[PROGRAMME_FADE_FRAMES * CHANNELS - 1] > 0);
    free(programme);
}

static void the_servo_is_that_of_the_chain_heard(void **state)
{
    struct programme *programme = begin_at(0);
    skip_to(programme, EPOCH - SECOND);
    assert_true(programme_servo_db(programme) == 0);
    skip_to(programme, EPOCH + SECOND);
    assert_true(programme_servo_db(programme) == (float)(EPOCH - WARMUP));
    free(programme);
}

// Wherever in an epoch it wakes: a chain that has begun shortly before is heard alone until the next epoch. A label is
// that of the epoch whose chain would have begun last.
static void a_waking_begins_from_silence(void **state)
{
    static const uint64_t wakings[] = {EPOCH + 100 * SECOND, 2 * EPOCH - WARMUP - SECOND, 2 * EPOCH - WARMUP + SECOND,
                                       2 * EPOCH - SECOND, 2 * EPOCH, 2 * EPOCH + SECOND, 2 * EPOCH + 3 * SECOND};
    for (size_t i = 0; i < sizeof wakings / sizeof *wakings; i++) {
        uint64_t wake = wakings[i], begin = wake - PROGRAMME_WAKE_FRAMES - PROGRAMME_LOOKAHEAD;
        uint64_t first = (wake - PROGRAMME_WAKE_FRAMES + WARMUP) / EPOCH, next = (first + 1) * EPOCH;
        never_wake();
        uint64_t before = programme_begin_frame(&program, wake - 1);
        wake_at(wake);
        assert_true(programme_begin_frame(&program, wake - 1) == before);
        assert_true(programme_begin_frame(&program, wake) == begin);
        assert_true(programme_begin_frame(&program, next + PROGRAMME_FADE_FRAMES - 1) == begin);
        assert_true(programme_begin_frame(&program, next + PROGRAMME_FADE_FRAMES)
                    == next - WARMUP - PROGRAMME_LOOKAHEAD);
        struct programme *programme = begin_at(wake);
        assert_true(programme_frame(programme) == begin);
        assert_heard(programme, wake, first);
        assert_heard(programme, next - 1, first);
        assert_heard(programme, next + PROGRAMME_FADE_FRAMES, first + 1);
        assert_heard(programme, next + EPOCH + PROGRAMME_FADE_FRAMES, first + 2);
        assert_int_equal(programme_faults(programme), 0);
        free(programme);
    }
    never_wake();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_chain_is_told_all_and_nothing_twice),
        cmocka_unit_test(a_frame_number_means_output),
        cmocka_unit_test(a_seek_hears_its_chain_alone),
        cmocka_unit_test(the_fade_is_amplitude_complementary),
        cmocka_unit_test(the_fade_gives_no_denormals),
        cmocka_unit_test(the_servo_is_that_of_the_chain_heard),
        cmocka_unit_test(a_waking_begins_from_silence),
    };
    return cmocka_run_group_tests_name("programme_chain", tests, NULL, NULL);
}
