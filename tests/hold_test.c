// The faded hold on real music: no click where it begins, while it lasts, or where the music comes back.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ear/clicks.h"
#include "station/hold.h"
#include "station/programme.h"
#include "tools/click_watch.h"

enum {
    CHUNK_SAMPLES = CHUNK_FRAMES * CHANNELS,
    MUSIC_CHUNKS = 600,
    RING_CHUNKS = 40,          // of audio that the hold can take up
    MAX_CLICKS = 16,
    MAX_ONSETS = 4096,
};

struct music {
    struct mood_log log;
    struct program program;
    float *sound;
    uint64_t onsets[MAX_ONSETS];
    size_t onset_count;
};

// A minute with everything on.
static int music_make(void **state)
{
    struct music *music = calloc(1, sizeof *music);
    struct programme *programme = aligned_alloc(64, programme_bytes());
    struct event events[COMPOSE_MAX_EVENTS];
    struct mood mood = mood_default();
    mood.intensity = .9;
    music->sound = malloc(MUSIC_CHUNKS * CHUNK_SAMPLES * sizeof(float));
    assert_int_equal(mood_log_init(&music->log, &mood), STATUS_OK);
    music->program = (struct program){.seed = 20, .log = &music->log};
    programme_start(programme, &music->program, 0);
    for (uint64_t at = 0; at < MUSIC_CHUNKS; at++) {
        programme_render(programme, &music->program, backend_best(), music->sound + at * CHUNK_SAMPLES, CHUNK_FRAMES);
        int count = compose_events(&music->program, at * CHUNK_FRAMES, (at + 1) * CHUNK_FRAMES, events);
        for (int i = 0; i < count && music->onset_count < MAX_ONSETS; i++)
            if (click_watch_is_sharp(&events[i]))
                music->onsets[music->onset_count++] = events[i].at_frame;
    }
    free(programme);
    *state = music;
    return 0;
}

static int music_free(void **state)
{
    struct music *music = *state;
    mood_log_finish(&music->log);
    free(music->sound);
    free(music);
    return 0;
}

// The audio of a station that has come to chunk `at`.
static struct audio audio_at(const struct music *music, uint64_t at)
{
    struct audio audio;
    assert_int_equal(audio_init(&audio, RING_CHUNKS), STATUS_OK);
    audio_start(&audio, at < RING_CHUNKS ? 0 : (at - RING_CHUNKS) * CHUNK_FRAMES);
    while (audio.end < at * CHUNK_FRAMES) {
        const float *from = music->sound + audio.end * CHANNELS;
        memcpy(audio_next(&audio), from, CHUNK_SAMPLES * sizeof(float));
        audio_push(&audio, false);
    }
    return audio;
}

// All of the music, but `held` chunks from `at` on, and the chunk behind them as it comes back.
static float *with_hold(const struct music *music, uint64_t at, uint64_t held)
{
    float *sound = malloc(MUSIC_CHUNKS * CHUNK_SAMPLES * sizeof(float));
    struct audio audio = audio_at(music, at);
    struct hold *hold = hold_create();
    assert_non_null(hold);
    memcpy(sound, music->sound, MUSIC_CHUNKS * CHUNK_SAMPLES * sizeof(float));
    hold_begin(hold, &audio);
    for (uint64_t i = at; i < at + held; i++)
        hold_next(hold, sound + i * CHUNK_SAMPLES);
    hold_end(hold, sound + (at + held) * CHUNK_SAMPLES);
    hold_destroy(hold);
    audio_finish(&audio);
    return sound;
}

static void assert_smooth(const struct music *music, const float *sound)
{
    struct click clicks[MAX_CLICKS];
    long found = clicks_find(sound, MUSIC_CHUNKS * CHUNK_FRAMES, music->onsets, music->onset_count, clicks, MAX_CLICKS);
    for (long i = 0; i < found && i < MAX_CLICKS; i++)
        print_error("click at chunk %.4f, %.1f times its surroundings\n", (double)clicks[i].frame / CHUNK_FRAMES,
                    clicks[i].ratio);
    assert_int_equal(found, 0);
}

static double loudness_db(const float *sound, size_t frames)
{
    double sum = 1e-12;
    for (size_t i = 0; i < frames * CHANNELS; i++)
        sum += (double)sound[i] * (double)sound[i];
    return 10 * log10(sum / (double)(frames * CHANNELS));
}

static void nothing_clicks(void **state)
{
    const struct music *music = *state;
    static const uint64_t held[] = {1, 2, 9, 35, 120};
    assert_smooth(music, music->sound);
    for (uint64_t at = 1; at < 470; at += at < 20 ? 6 : 37) {
        float *sound = with_hold(music, at, held[at % 5]);
        assert_smooth(music, sound);
        free(sound);
    }
}

// What nothing_clicks would be worth: the same places, without a hold.
static void cuts_would_be_heard(void **state)
{
    const struct music *music = *state;
    float *sound = malloc(MUSIC_CHUNKS * CHUNK_SAMPLES * sizeof(float));
    struct click clicks[MAX_CLICKS];
    int heard = 0, cuts = 0;
    for (uint64_t at = 19; at < 470; at += 37) {
        memcpy(sound, music->sound, MUSIC_CHUNKS * CHUNK_SAMPLES * sizeof(float));
        memset(sound + at * CHUNK_SAMPLES, 0, 9 * CHUNK_SAMPLES * sizeof(float));
        heard += clicks_find(sound, MUSIC_CHUNKS * CHUNK_FRAMES, music->onsets, music->onset_count, clicks,
                             MAX_CLICKS) > 0;
        cuts++;
    }
    assert_true(heard >= cuts - 2);
    free(sound);
}

static void it_goes_on_as_loud_and_fades_to_silence(void **state)
{
    const struct music *music = *state;
    for (uint64_t at = 50; at < 400; at += 50) {
        float *sound = with_hold(music, at, 110);
        const float *begin = sound + at * CHUNK_SAMPLES;
        double before_db = loudness_db(begin - 5 * CHUNK_SAMPLES, 5 * CHUNK_FRAMES), last_db = before_db;
        assert_true(loudness_db(begin, CHUNK_FRAMES) > before_db - 10);
        for (int second = 0; second < 10; second++) {
            double db = loudness_db(begin + second * 10 * CHUNK_SAMPLES, 10 * CHUNK_FRAMES);
            assert_true(db < last_db + 3 && db > before_db - 12 * (second + 1));
            last_db = db;
        }
        for (int i = 0; i < 10 * CHUNK_SAMPLES; i++)
            assert_true(begin[100 * CHUNK_SAMPLES + i] == 0);
        free(sound);
    }
}

static void it_is_the_same_every_time(void **state)
{
    const struct music *music = *state;
    float *one = with_hold(music, 300, 50), *other = with_hold(music, 300, 50);
    assert_memory_equal(one, other, MUSIC_CHUNKS * CHUNK_SAMPLES * sizeof(float));
    free(one);
    free(other);
}

static void silence_holds_silence(void **state)
{
    struct audio audio;
    struct hold *hold = hold_create();
    float chunk[CHUNK_SAMPLES];
    assert_int_equal(audio_init(&audio, RING_CHUNKS), STATUS_OK);
    audio_start(&audio, 0);
    audio_push(&audio, false);
    hold_begin(hold, &audio);
    for (int n = 0; n < 3; n++) {
        hold_next(hold, chunk);
        for (int i = 0; i < CHUNK_SAMPLES; i++)
            assert_true(chunk[i] == 0);
    }
    hold_destroy(hold);
    audio_finish(&audio);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_clicks),
        cmocka_unit_test(cuts_would_be_heard),
        cmocka_unit_test(it_goes_on_as_loud_and_fades_to_silence),
        cmocka_unit_test(it_is_the_same_every_time),
        cmocka_unit_test(silence_holds_silence),
    };
    return cmocka_run_group_tests_name("hold", tests, music_make, music_free);
}
