#include "station/audio.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "os/memory.h"

enum { CHUNK_SAMPLES = CHUNK_FRAMES * CHANNELS };

enum status audio_init(struct audio *audio, uint64_t chunks)
{
    *audio = (struct audio){.chunks = chunks, .kept = chunks};
    audio->samples = malloc(audio_bytes(audio));
    audio->places = calloc(chunks, sizeof *audio->places);
    audio->taken = calloc(chunks, sizeof *audio->taken);
    audio->held = calloc(chunks, sizeof *audio->held);
    if (!audio->samples || !audio->places || !audio->taken || !audio->held)
        return STATUS_MEMORY;
    for (uint64_t i = 0; i < chunks * CHUNK_SAMPLES; i++)
        audio->samples[i] = 0;
    return STATUS_OK;
}

void audio_finish(struct audio *audio)
{
    free(audio->samples);
    free(audio->places);
    free(audio->taken);
    free(audio->held);
}

void audio_start(struct audio *audio, uint64_t frame)
{
    check(frame % CHUNK_FRAMES == 0);
    audio->first = audio->end = frame;
    memset(audio->taken, 0, audio->chunks);
}

void audio_keep(struct audio *audio, uint64_t chunks)
{
    check(chunks > 0 && chunks <= audio->chunks);
    audio->kept = chunks;
}

static uint32_t *place_of(const struct audio *audio, uint64_t frame)
{
    return &audio->places[frame / CHUNK_FRAMES % audio->chunks];
}

static float *samples_at(const struct audio *audio, uint32_t place)
{
    return audio->samples + (size_t)place * CHUNK_SAMPLES;
}

static void free_place(struct audio *audio, uint32_t place)
{
    audio->taken[place] = false;
    if (place >= audio->kept)
        memory_give_back(samples_at(audio, place), CHUNK_SAMPLES * sizeof(float));
}

static void drop_oldest(struct audio *audio)
{
    free_place(audio, *place_of(audio, audio->first));
    audio->first += CHUNK_FRAMES;
}

// The first places are taken first, so that the last ones are the ones to go. The chunk that is written next but not
// pushed holds none.
float *audio_next(struct audio *audio)
{
    while (audio->end - audio->first >= audio->kept * CHUNK_FRAMES)
        drop_oldest(audio);
    const uint8_t *unused = memchr(audio->taken, 0, audio->chunks);
    uint32_t place = (uint32_t)(unused - audio->taken);
    *place_of(audio, audio->end) = place;
    return samples_at(audio, place);
}

void audio_push(struct audio *audio, bool held)
{
    audio->held[audio->end / CHUNK_FRAMES % audio->chunks] = held;
    audio->taken[*place_of(audio, audio->end)] = true;
    audio->end += CHUNK_FRAMES;
}

void audio_rewind(struct audio *audio, uint64_t frame)
{
    check(frame % CHUNK_FRAMES == 0 && frame >= audio->first && frame <= audio->end);
    for (; audio->end > frame; audio->end -= CHUNK_FRAMES)
        free_place(audio, *place_of(audio, audio->end - CHUNK_FRAMES));
}

const float *audio_chunk(const struct audio *audio, uint64_t frame)
{
    check(frame % CHUNK_FRAMES == 0 && frame >= audio->first && frame < audio->end);
    return samples_at(audio, *place_of(audio, frame));
}

bool audio_held(const struct audio *audio, uint64_t frame)
{
    check(frame % CHUNK_FRAMES == 0 && frame >= audio->first && frame < audio->end);
    return audio->held[frame / CHUNK_FRAMES % audio->chunks];
}

size_t audio_bytes(const struct audio *audio)
{
    return audio->chunks * CHUNK_SAMPLES * sizeof(float);
}
