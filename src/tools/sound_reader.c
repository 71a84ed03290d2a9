#include "tools/sound_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sndfile.h>

#include "base/frames.h"

struct sound_reader {
    SNDFILE *handle;
    SF_INFO info;
    uint64_t left;
};

static enum status sound_reader_check(const SF_INFO *info, const char *path, uint64_t from_frame, struct text *failure)
{
    if (info->samplerate != FRAME_RATE)
        text_printf(failure, "%s: it has %d Hz; 48000 Hz are needed", path, info->samplerate);
    else if (info->channels != CHANNELS)
        text_printf(failure, "%s: it has %d channel%s; 2 are needed", path, info->channels,
                    info->channels == 1 ? "" : "s");
    else if (info->frames <= 0)
        text_printf(failure, "%s: there is no sound in it", path);
    else if (from_frame >= (uint64_t)info->frames)
        text_printf(failure, "%s: it ends after %.3f s", path, (double)info->frames / FRAME_RATE);
    else
        return STATUS_OK;
    return STATUS_INVALID;
}

enum status sound_reader_open(struct sound_reader **reader, const char *path, uint64_t from_frame,
                              struct text *failure)
{
    struct sound_reader *made = calloc(1, sizeof *made);
    if (!made)
        return STATUS_MEMORY;
    errno = 0;
    made->handle = sf_open(path, SFM_READ, &made->info);
    enum status status = made->handle ? sound_reader_check(&made->info, path, from_frame, failure) : STATUS_IO;
    if (!made->handle) {
        bool by_system = sf_error(NULL) == SF_ERR_SYSTEM && errno != 0;
        text_printf(failure, "%s: %s", path, by_system ? strerror(errno) : "this is no sound file that can be read");
    } else if (status == STATUS_OK && from_frame > 0 && sf_seek(made->handle, (sf_count_t)from_frame, SEEK_SET) < 0) {
        text_printf(failure, "%s: %s", path, sf_strerror(made->handle));
        status = STATUS_IO;
    }
    if (status != STATUS_OK) {
        sound_reader_close(made);
        return status;
    }
    made->left = (uint64_t)made->info.frames - from_frame;
    *reader = made;
    return STATUS_OK;
}

uint64_t sound_reader_frames(const struct sound_reader *reader)
{
    return reader->left;
}

bool sound_reader_is_lossy(const struct sound_reader *reader)
{
    int kind = reader->info.format & SF_FORMAT_SUBMASK;
    return kind == SF_FORMAT_OPUS || kind == SF_FORMAT_VORBIS || kind == SF_FORMAT_MPEG_LAYER_III;
}

size_t sound_reader_read(struct sound_reader *reader, float *stereo, size_t frames)
{
    sf_count_t wanted = (sf_count_t)(frames < reader->left ? frames : reader->left);
    sf_count_t got = sf_readf_float(reader->handle, stereo, wanted);
    got = got > 0 ? got : 0;
    reader->left -= (uint64_t)got;
    return (size_t)got;
}

void sound_reader_close(struct sound_reader *reader)
{
    if (!reader)
        return;
    if (reader->handle)
        sf_close(reader->handle);
    free(reader);
}
