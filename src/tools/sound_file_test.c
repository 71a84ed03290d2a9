#include "tools/sound_file.h"

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sndfile.h>

#include "base/frames.h"

// The library does not feed its Opus encoder far enough past the end for the last 10 ms to come out whole.
enum { FRAMES = 9600, TOLD_FRAMES = FRAMES - 480 };

static char directory[] = "/tmp/auralis-sound-XXXXXX";
static char path[64], words[200];
static double mean_difference;      // root of the mean square over TOLD_FRAMES of the last file read again
static float sound[FRAMES * CHANNELS];

static int set_up(void **state)
{
    for (int i = 0; i < FRAMES; i++) {
        sound[2 * i] = (float)sin(i * .05) * .5f;
        sound[2 * i + 1] = (float)cos(i * .031) * .25f;
    }
    sound[0] = 2;
    sound[1] = -2;
    return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state)
{
    return rmdir(directory);
}

static enum status create_for(uint64_t frames, struct sound_file **file, const char *name, int rate_hz,
                              enum sound_depth depth)
{
    struct text failure = text_on(words, sizeof words);
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return sound_file_create(file, path, rate_hz, depth, frames, &failure);
}

static enum status create(struct sound_file **file, const char *name, int rate_hz, enum sound_depth depth)
{
    return create_for(FRAMES, file, name, rate_hz, depth);
}

static enum status end(struct sound_file *file)
{
    struct text failure = text_on(words, sizeof words);
    return sound_file_close(file, &failure);
}

// Writes the sound, reads it again, and gives the largest difference, the first frame left out (it is clipped).
static double written_and_read(const char *name, enum sound_depth depth, SF_INFO *info)
{
    static float back[FRAMES * CHANNELS];
    struct sound_file *file;
    assert_int_equal(create(&file, name, FRAME_RATE, depth), STATUS_OK);
    assert_int_equal(sound_file_write(file, sound, 1000), STATUS_OK);
    assert_int_equal(sound_file_write(file, sound + 2000, FRAMES - 1000), STATUS_OK);
    assert_int_equal(end(file), STATUS_OK);
    *info = (SF_INFO){0};
    SNDFILE *handle = sf_open(path, SFM_READ, info);
    assert_non_null(handle);
    assert_int_equal(sf_readf_float(handle, back, FRAMES), FRAMES);
    sf_close(handle);
    unlink(path);
    assert_int_equal(info->samplerate, FRAME_RATE);
    assert_int_equal(info->channels, CHANNELS);
    double most = 0, squares = 0;
    for (int i = 2; i < FRAMES * CHANNELS; i++) {
        double difference = (double)back[i] - (double)sound[i];
        most = fmax(most, fabs(difference));
        squares += i < TOLD_FRAMES * CHANNELS ? difference * difference : 0;
    }
    mean_difference = sqrt(squares / (TOLD_FRAMES * CHANNELS));
    return most;
}

static void formats_keep_what_they_can(void **state)
{
    SF_INFO info;
    assert_true(written_and_read("a.wav", SOUND_S16, &info) <= .5 / 32768 + 1e-9);
    assert_true(written_and_read("a.wav", SOUND_S24, &info) <= 1.0 / (1 << 23) + 1e-9);
    assert_true(written_and_read("a.wav", SOUND_FLOAT, &info) == 0);
    assert_int_equal(info.format, SF_FORMAT_WAV | SF_FORMAT_FLOAT);
    assert_true(written_and_read("a.FLAC", SOUND_S16, &info) <= .5 / 32768 + 1e-9);
    assert_int_equal(info.frames, FRAMES);
    assert_int_equal(info.format & SF_FORMAT_TYPEMASK, SF_FORMAT_FLAC);
    (void)written_and_read("a.opus", SOUND_S16, &info);
    assert_true(mean_difference > 0 && mean_difference < .02);
    assert_int_equal(info.frames, FRAMES);
    assert_int_equal(info.format & SF_FORMAT_SUBMASK, SF_FORMAT_OPUS);
}

// Some 2 kb/s are the container's.
static void opus_has_128_kbps(void **state)
{
    enum { TIMES = 50 };
    struct sound_file *file;
    struct stat info;
    assert_int_equal(create(&file, "a.opus", FRAME_RATE, SOUND_S16), STATUS_OK);
    for (int i = 0; i < TIMES; i++)
        assert_int_equal(sound_file_write(file, sound, FRAMES), STATUS_OK);
    assert_int_equal(end(file), STATUS_OK);
    assert_int_equal(stat(path, &info), 0);
    unlink(path);
    double kbps = (double)info.st_size * 8 * FRAME_RATE / (TIMES * FRAMES) / 1000;
    assert_true(kbps > 126 && kbps < 134);
}

// What kind of WAV is made for so many frames; it is ended after FRAMES.
static int kind_for(uint64_t frames, enum sound_depth depth)
{
    struct sound_file *file;
    SF_INFO info = {0};
    assert_int_equal(create_for(frames, &file, "long.wav", FRAME_RATE, depth), STATUS_OK);
    assert_int_equal(sound_file_write(file, sound, FRAMES), STATUS_OK);
    assert_int_equal(end(file), STATUS_OK);
    SNDFILE *handle = sf_open(path, SFM_READ, &info);
    assert_non_null(handle);
    sf_close(handle);
    unlink(path);
    assert_int_equal(info.frames, FRAMES);
    return info.format & SF_FORMAT_TYPEMASK;
}

static void a_wav_of_4_gib_is_an_rf64(void **state)
{
    const uint64_t gib = 1 << 30;
    assert_int_equal(kind_for(gib - 2000, SOUND_S16), SF_FORMAT_WAV);
    assert_int_equal(kind_for(gib, SOUND_S16), SF_FORMAT_RF64);
    assert_int_equal(kind_for(gib * 4 / 6 - 2000, SOUND_S24), SF_FORMAT_WAV);
    assert_int_equal(kind_for(gib * 4 / 6 + 1, SOUND_S24), SF_FORMAT_RF64);
    assert_int_equal(kind_for(gib / 2 - 2000, SOUND_FLOAT), SF_FORMAT_WAV);
    assert_int_equal(kind_for(gib / 2, SOUND_FLOAT), SF_FORMAT_RF64);
}

static void no_wav_is_longer_than_its_head_can_tell(void **state)
{
    struct sound_file *file;
    assert_int_equal(create(&file, "long.wav", FRAME_RATE, SOUND_S16), STATUS_OK);
    assert_int_equal(sound_file_write(file, sound, FRAMES), STATUS_OK);
    assert_int_equal(sound_file_write(file, sound, UINT32_MAX / 4), STATUS_FULL);
    assert_int_equal(end(file), STATUS_OK);
    assert_int_equal(unlink(path), 0);
}

static void only_a_whole_file_has_its_name(void **state)
{
    static const char *const names[] = {"b.wav", "b.flac", "b.opus"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct sound_file *file;
        assert_int_equal(create(&file, names[i], FRAME_RATE, SOUND_S16), STATUS_OK);
        assert_int_equal(sound_file_write(file, sound, FRAMES), STATUS_OK);
        assert_int_equal(access(path, F_OK), -1);
        assert_int_equal(end(file), STATUS_OK);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(create(&file, names[i], FRAME_RATE, SOUND_S16), STATUS_OK);
        assert_int_equal(sound_file_write(file, sound, FRAMES), STATUS_OK);
        struct text failure = text_on(words, sizeof words);
        sound_file_discard(file, &failure);
        assert_string_equal(words, "");
        assert_int_equal(access(path, F_OK), -1);
    }
}

static void what_cannot_be_is_refused_in_words(void **state)
{
    struct sound_file *file;
    assert_int_equal(create(&file, "a.mp3", FRAME_RATE, SOUND_S16), STATUS_INVALID);
    assert_non_null(strstr(words, "must end in .wav, .flac or .opus"));
    assert_int_equal(create(&file, "wav", FRAME_RATE, SOUND_S16), STATUS_INVALID);
    assert_int_equal(create(&file, "a.flac", FRAME_RATE, SOUND_FLOAT), STATUS_INVALID);
    assert_int_equal(create(&file, "a.opus", 44100, SOUND_S16), STATUS_INVALID);
    assert_int_equal(create(&file, "none/a.wav", FRAME_RATE, SOUND_S16), STATUS_IO);
    assert_non_null(strstr(words, "cannot be written: No such file or directory"));
    assert_int_equal(create(&file, "taken.wav", FRAME_RATE, SOUND_S16), STATUS_OK);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(end(file), STATUS_IO);
    assert_non_null(strstr(words, "taken.wav: cannot be written: Is a directory"));
    assert_int_equal(create(&file, "taken.wav", FRAME_RATE, SOUND_S16), STATUS_IO);
    assert_non_null(strstr(words, "taken.wav: cannot be written: Is a directory"));
    assert_int_equal(rmdir(path), 0);
}

// Writes four seconds and ends it, or gives it up; what is wrong stands in `words`.
static enum status write_long(struct sound_file *file, bool whole)
{
    struct text failure = text_on(words, sizeof words);
    enum status status = STATUS_OK;
    for (int i = 0; i < 20 && status == STATUS_OK; i++)
        status = sound_file_write(file, sound, FRAMES);
    if (whole)
        return sound_file_close(file, &failure);
    sound_file_discard(file, &failure);
    return status;
}

static void a_full_disk_is_told(void **state)
{
    for (int whole = 0; whole <= 1; whole++) {
        struct sound_file *file;
        char part[80];
        snprintf(part, sizeof part, "%s/full.wav.part", directory);
        assert_int_equal(symlink("/dev/full", part), 0);
        enum status status = create(&file, "full.wav", FRAME_RATE, SOUND_S16);
        if (status == STATUS_OK)
            status = write_long(file, whole);
        unlink(part);
        assert_int_equal(status, STATUS_IO);
        assert_non_null(strstr(words, "full.wav: cannot be written: No space left on device"));
        assert_int_equal(access(path, F_OK), -1);
    }
}

// Where a file may not grow any more, the beginning is written.
static void what_ends_it_on_its_way_is_told(void **state)
{
    static const char *const names[] = {"b.wav", "b.flac", "b.opus"};
    struct rlimit before, less;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    less = (struct rlimit){.rlim_cur = 20000, .rlim_max = before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &less), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (int whole = 0; whole <= 1; whole++) {
            struct sound_file *file;
            assert_int_equal(create(&file, names[i], FRAME_RATE, SOUND_S16), STATUS_OK);
            assert_int_equal(write_long(file, whole), STATUS_IO);
            assert_non_null(strstr(words, ": cannot be written: File too large"));
            assert_int_equal(access(path, F_OK), -1);
        }
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_keep_what_they_can), cmocka_unit_test(opus_has_128_kbps),
        cmocka_unit_test(a_wav_of_4_gib_is_an_rf64),
        cmocka_unit_test(no_wav_is_longer_than_its_head_can_tell), cmocka_unit_test(only_a_whole_file_has_its_name),
        cmocka_unit_test(what_cannot_be_is_refused_in_words), cmocka_unit_test(a_full_disk_is_told),
        cmocka_unit_test(what_ends_it_on_its_way_is_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
