#include "station/hold.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "station/predict.h"
#include "synth/dsp/denormals.h"

#define SYNTH_WIDTH 1
#include "synth/effects/reverb.h"

enum {
    PRIMING_CHUNKS = 30,     // heard before the tail is on its own
    MEASURED_CHUNKS = 4,     // of these, over which its loudness is matched
    STATE_ALIGNMENT = 64,
};

#define HOLD_SPACE 0.75f         // 60 dB in 13 s
#define HOLD_LEVEL 0.7f          // of the sound that it takes over from
#define HOLD_MOST_GAIN 4.0f

struct hold {
    struct reverb reverb;
    uint64_t frame;                              // next
    uint64_t made;                               // frames since it began
    float gain;
    float tail[CHUNK_FRAMES * CHANNELS];
    float carried[CHANNELS][CHUNK_FRAMES];       // the last sound, carried on over the first chunk
};

static size_t padded_bytes(void)
{
    return (sizeof(struct hold) + STATE_ALIGNMENT - 1) / STATE_ALIGNMENT * STATE_ALIGNMENT;
}

struct hold *hold_create(void)
{
    struct hold *hold = aligned_alloc(STATE_ALIGNMENT, padded_bytes());
    if (hold)
        memset(hold, 0, sizeof *hold);
    return hold;
}

void hold_destroy(struct hold *hold)
{
    free(hold);
}

size_t hold_bytes(void)
{
    return padded_bytes();
}

// A chunk of reverb into hold->tail. in: what it hears, NULL for silence.
static void ring(struct hold *hold, const float *in)
{
    denormals_state before = denormals_flush();
    for (size_t at = 0; at < CHUNK_FRAMES; at += CONTROL_FRAMES) {
        struct stereo_block send = {{0}, {0}}, wet;
        for (size_t i = 0; in && i < CONTROL_FRAMES; i++) {
            send.left[i] = in[(at + i) * CHANNELS];
            send.right[i] = in[(at + i) * CHANNELS + 1];
        }
        reverb_render(&hold->reverb, hold->frame, HOLD_SPACE, 0, &send, &wet);
        hold->frame += CONTROL_FRAMES;
        for (size_t i = 0; i < CONTROL_FRAMES; i++) {
            hold->tail[(at + i) * CHANNELS] = wet.left[i];
            hold->tail[(at + i) * CHANNELS + 1] = wet.right[i];
        }
    }
    denormals_restore(before);
}

static double energy(const float *chunk)
{
    double sum = 0;
    for (int i = 0; i < CHUNK_FRAMES * CHANNELS; i++)
        sum += (double)chunk[i] * (double)chunk[i];
    return sum;
}

static void carry_on(struct hold *hold, const float *last)
{
    for (int c = 0; c < CHANNELS; c++) {
        float known[PREDICT_FRAMES];
        for (int i = 0; i < PREDICT_FRAMES; i++)
            known[i] = last[(CHUNK_FRAMES - PREDICT_FRAMES + i) * CHANNELS + c];
        predict(known, hold->carried[c], CHUNK_FRAMES);
    }
}

void hold_begin(struct hold *hold, const struct audio *audio)
{
    uint64_t there = audio->end - audio->first, most = (uint64_t)PRIMING_CHUNKS * CHUNK_FRAMES;
    double dry = 0, wet = 1e-9;
    memset(hold, 0, sizeof *hold);
    hold->frame = audio->end - (there < most ? there : most);
    while (hold->frame < audio->end) {
        uint64_t at = hold->frame;
        const float *chunk = audio_chunk(audio, at);
        ring(hold, chunk);
        bool measured = at + (uint64_t)MEASURED_CHUNKS * CHUNK_FRAMES >= audio->end;
        dry += measured ? energy(chunk) : 0;
        wet += measured ? energy(hold->tail) : 0;
    }
    float gain = HOLD_LEVEL * (float)sqrt(dry / wet);
    hold->gain = gain < HOLD_MOST_GAIN ? gain : HOLD_MOST_GAIN;
    carry_on(hold, audio_chunk(audio, audio->end - CHUNK_FRAMES));
}

// 3 t^2 - 2 t^3, so that a fade neither starts nor ends with a bend.
static float share_at(int i)
{
    float t = ((float)i + 0.5f) / CHUNK_FRAMES;
    return t * t * (3.0f - 2.0f * t);
}

static float faded_gain(const struct hold *hold, int i)
{
    uint64_t at = hold->made + (uint64_t)i;
    float left = at < HOLD_FADE_FRAMES ? 1.0f - (float)at / HOLD_FADE_FRAMES : 0.0f;
    return hold->gain * left * left;
}

static float within(float x)
{
    return x < -1.0f ? -1.0f : x < 1.0f ? x : 1.0f;
}

// The tail of one chunk, faded, into hold->tail.
static void fade(struct hold *hold)
{
    if (hold->made >= HOLD_FADE_FRAMES)
        memset(hold->tail, 0, sizeof hold->tail);
    else
        ring(hold, NULL);
    for (int i = 0; i < CHUNK_FRAMES; i++) {
        float gain = faded_gain(hold, i), share = hold->made == 0 ? share_at(i) : 1.0f;
        for (int c = 0; c < CHANNELS; c++) {
            float *tail = &hold->tail[i * CHANNELS + c], carried = hold->carried[c][i] * (1.0f - share);
            *tail = within(carried + share * gain * *tail);
        }
    }
    hold->made += CHUNK_FRAMES;
}

void hold_next(struct hold *hold, float *chunk)
{
    fade(hold);
    memcpy(chunk, hold->tail, sizeof hold->tail);
}

void hold_end(struct hold *hold, float *chunk)
{
    fade(hold);
    for (int i = 0; i < CHUNK_FRAMES; i++)
        for (int c = 0; c < CHANNELS; c++) {
            float *music = &chunk[i * CHANNELS + c], held = hold->tail[i * CHANNELS + c];
            *music = held + share_at(i) * (*music - held);
        }
}
