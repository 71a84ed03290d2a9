#include "tools/sound_file.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sndfile.h>

#include "base/frames.h"
#include "encode/quantise.h"
#include "wire/format.h"

enum { PIECE_FRAMES = 4096, WAV_HEAD_MAX_BYTES = 4096 };

struct sound_file {
    SNDFILE *handle;
    enum sound_depth depth;
    uint64_t room_frames; // that can still be written
    char *path, *part;    // the name it is to have, and the one that it has until it is whole
    char reason[96];      // why it could not be written; "" when it could
};

static const struct {
    const char *extension;
    int format;
    int subtypes[3];      // by enum sound_depth; 0: the format does not have it
} kinds[] = {
    {".wav", SF_FORMAT_WAV, {SF_FORMAT_PCM_16, SF_FORMAT_PCM_24, SF_FORMAT_FLOAT}},
    {".flac", SF_FORMAT_FLAC, {SF_FORMAT_PCM_16, SF_FORMAT_PCM_24, 0}},
    {".opus", SF_FORMAT_OGG, {SF_FORMAT_OPUS, SF_FORMAT_OPUS, SF_FORMAT_OPUS}},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

// Of the file that is guarded its name until it is whole; "": none is. A signal handler is told nothing else.
static char guarded_part[PATH_MAX];

static int sound_file_kind(const char *path)
{
    const char *dot = strrchr(path, '.');
    for (int i = 0; dot && i < KINDS; i++)
        if (strcasecmp(dot, kinds[i].extension) == 0)
            return i;
    return -1;
}

// How many frames a WAV can have: its sizes are of 32 bits.
static uint64_t sound_file_wav_frames(enum sound_depth depth)
{
    static const unsigned sample_bytes[] = {[SOUND_S16] = 2, [SOUND_S24] = 3, [SOUND_FLOAT] = 4};
    return (UINT32_MAX - WAV_HEAD_MAX_BYTES) / (CHANNELS * sample_bytes[depth]);
}

static enum status sound_file_format(const char *path, int rate_hz, enum sound_depth depth, SF_INFO *info,
                                     struct text *failure)
{
    int kind = sound_file_kind(path);
    if (kind < 0) {
        text_printf(failure, "%s: the name must end in .wav, .flac or .opus", path);
        return STATUS_INVALID;
    }
    if (kinds[kind].subtypes[depth] == 0) {
        text_printf(failure, "%s: this format has no float samples, take s16 or s24", path);
        return STATUS_INVALID;
    }
    if (kinds[kind].format == SF_FORMAT_OGG && rate_hz != FRAME_RATE) {
        text_printf(failure, "%s: Opus is not for %d Hz, take .wav or .flac", path, rate_hz);
        return STATUS_INVALID;
    }
    *info = (SF_INFO){.samplerate = rate_hz, .channels = CHANNELS,
                      .format = kinds[kind].format | kinds[kind].subtypes[depth]};
    return STATUS_OK;
}

static void sound_file_free(struct sound_file *file)
{
    if (file->part && strcmp(file->part, guarded_part) == 0)
        guarded_part[0] = '\0';
    free(file->path);
    free(file->part);
    free(file);
}

static struct sound_file *sound_file_named(const char *path)
{
    struct sound_file *file = calloc(1, sizeof *file);
    if (!file)
        return NULL;
    file->path = strdup(path);
    if (asprintf(&file->part, "%s.part", path) < 0)
        file->part = NULL;
    if (file->path && file->part)
        return file;
    sound_file_free(file);
    return NULL;
}

// A WAV that is to have more than it can tell becomes an RF64. Returns for how many frames there is room.
static uint64_t sound_file_make_room(SF_INFO *info, enum sound_depth depth, uint64_t frames)
{
    uint64_t most = sound_file_wav_frames(depth);
    if ((info->format & SF_FORMAT_TYPEMASK) != SF_FORMAT_WAV)
        return UINT64_MAX;
    if (frames <= most)
        return most;
    info->format = SF_FORMAT_RF64 | (info->format & SF_FORMAT_SUBMASK);
    return UINT64_MAX;
}

// What failed first is kept.   error: the library's number for it.
static void sound_file_note(struct sound_file *file, int error)
{
    if (error != SF_ERR_NO_ERROR && file->reason[0] == '\0')
        snprintf(file->reason, sizeof file->reason, "%s",
                 error == SF_ERR_SYSTEM ? strerror(errno) : sf_error_number(error));
}

static void sound_file_tell(const struct sound_file *file, struct text *failure)
{
    if (file->reason[0] != '\0')
        text_printf(failure, "%s: cannot be written: %s", file->path, file->reason);
}

// A directory of its name would be met only when all is written.
static void sound_file_open(struct sound_file *file, SF_INFO *info)
{
    struct stat there;
    if (stat(file->path, &there) == 0 && S_ISDIR(there.st_mode)) {
        errno = EISDIR;
        sound_file_note(file, SF_ERR_SYSTEM);
        return;
    }
    file->handle = sf_open(file->part, SFM_WRITE, info);
    if (!file->handle)
        sound_file_note(file, sf_error(NULL));
}

// That of a station; the library's own is 120 kb/s. Its scale goes from 256 kb/s a channel, 0, to 6 kb/s, 1.
static void sound_file_set_bitrate(SNDFILE *handle)
{
    double level = (256000. - (double)format_bitrate(FORMAT_OPUS) / CHANNELS) / 250000.;
    sf_command(handle, SFC_SET_COMPRESSION_LEVEL, &level, sizeof level);
}

enum status sound_file_create(struct sound_file **file, const char *path, int rate_hz, enum sound_depth depth,
                              uint64_t frames, struct text *failure)
{
    SF_INFO info;
    enum status status = sound_file_format(path, rate_hz, depth, &info, failure);
    if (status != STATUS_OK)
        return status;
    struct sound_file *made = sound_file_named(path);
    if (!made)
        return STATUS_MEMORY;
    made->room_frames = sound_file_make_room(&info, depth, frames);
    made->depth = (info.format & SF_FORMAT_SUBMASK) == SF_FORMAT_PCM_16 ? SOUND_S16 : SOUND_FLOAT;
    sound_file_open(made, &info);
    if (!made->handle) {
        sound_file_tell(made, failure);
        sound_file_free(made);
        return STATUS_IO;
    }
    sf_command(made->handle, SFC_SET_CLIPPING, NULL, SF_TRUE);
    if ((info.format & SF_FORMAT_SUBMASK) == SF_FORMAT_OPUS)
        sound_file_set_bitrate(made->handle);
    *file = made;
    return STATUS_OK;
}

// The signal's own way has come back by now: it ends the process when this returns.
static void sound_file_ended(int number)
{
    unlink(guarded_part);
    raise(number);
}

void sound_file_guard(const struct sound_file *file)
{
    static const int numbers[] = {SIGHUP, SIGINT, SIGTERM};
    const struct sigaction action = {.sa_handler = sound_file_ended, .sa_flags = (int)SA_RESETHAND};
    snprintf(guarded_part, sizeof guarded_part, "%s", file->part);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct sigaction before;
        if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(numbers[i], &action, NULL);
    }
}

static bool sound_file_write_s16(struct sound_file *file, const float *stereo, size_t frames)
{
    uint8_t bytes[PIECE_FRAMES * CHANNELS * 2];
    int16_t samples[PIECE_FRAMES * CHANNELS];
    while (frames > 0) {
        size_t take = frames < PIECE_FRAMES ? frames : PIECE_FRAMES;
        quantise_s16(stereo, take * CHANNELS, bytes);
        for (size_t i = 0; i < take * CHANNELS; i++)
            samples[i] = (int16_t)(bytes[2 * i] | bytes[2 * i + 1] << 8);
        if (sf_writef_short(file->handle, samples, (sf_count_t)take) != (sf_count_t)take)
            return false;
        stereo += take * CHANNELS;
        frames -= take;
    }
    return true;
}

enum status sound_file_write(struct sound_file *file, const float *stereo, size_t frames)
{
    if (frames > file->room_frames)
        return STATUS_FULL;
    file->room_frames -= frames;
    bool good = file->depth == SOUND_S16
                    ? sound_file_write_s16(file, stereo, frames)
                    : sf_writef_float(file->handle, stereo, (sf_count_t)frames) == (sf_count_t)frames;
    if (!good)
        sound_file_note(file, sf_error(file->handle));
    return good ? STATUS_OK : STATUS_IO;
}

enum status sound_file_close(struct sound_file *file, struct text *failure)
{
    if (!file)
        return STATUS_OK;
    sf_write_sync(file->handle);
    sound_file_note(file, sf_error(file->handle));
    sound_file_note(file, sf_close(file->handle));
    if (file->reason[0] == '\0' && rename(file->part, file->path) != 0)
        sound_file_note(file, SF_ERR_SYSTEM);
    enum status status = file->reason[0] == '\0' ? STATUS_OK : STATUS_IO;
    if (status != STATUS_OK)
        unlink(file->part);
    sound_file_tell(file, failure);
    sound_file_free(file);
    return status;
}

void sound_file_discard(struct sound_file *file, struct text *failure)
{
    if (!file)
        return;
    sf_close(file->handle);
    unlink(file->part);
    sound_file_tell(file, failure);
    sound_file_free(file);
}
