#include "station/audio.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { CHUNK_SAMPLES = CHUNK_FRAMES * CHANNELS };

enum status audio_init(struct audio *audio, uint64_t chunks)
{
    *audio = (struct audio){.chunks = chunks};
    audio->samples = malloc(audio_bytes(audio));
    if (!audio->samples)
        return STATUS_MEMORY;
    for (uint64_t i = 0; i < chunks * CHUNK_SAMPLES; i++)
        audio->samples[i] = 0;
    return STATUS_OK;
}

void audio_finish(struct audio *audio)
{
    free(audio->samples);
}

void audio_start(struct audio *audio, uint64_t frame)
{
    check(frame % CHUNK_FRAMES == 0);
    audio->first = audio->end = frame;
}

static float *slot(const struct audio *audio, uint64_t frame)
{
    return audio->samples + frame / CHUNK_FRAMES % audio->chunks * CHUNK_SAMPLES;
}

float *audio_next(struct audio *audio)
{
    if (audio->end - audio->first == audio->chunks * CHUNK_FRAMES)
        audio->first += CHUNK_FRAMES;
    return slot(audio, audio->end);
}

void audio_push(struct audio *audio)
{
    audio->end += CHUNK_FRAMES;
}

const float *audio_chunk(const struct audio *audio, uint64_t frame)
{
    check(frame % CHUNK_FRAMES == 0 && frame >= audio->first && frame < audio->end);
    return slot(audio, frame);
}

size_t audio_bytes(const struct audio *audio)
{
    return audio->chunks * CHUNK_SAMPLES * sizeof(float);
}
