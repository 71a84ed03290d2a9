// One control block of one state. Compiled once per SIMD level:
//   SYNTH_WIDTH: floats to an instruction.   SYNTH_LEVEL: the level's name, which names the table as well.
#include <stdbool.h>

#include "synth/dsp/mix_glide.h"
#include "synth/effects/reverb.h"
#include "synth/instruments/kick.h"
#include "synth/instruments/lead.h"
#include "synth/instruments/pad.h"
#include "synth/instruments/swell.h"
#include "synth/levels.h"
#include "synth/mastering/mastering.h"

// Dry level and reverb send of each layer.
static const float layer_dry[LAYER_COUNT] = {0.17f, 0.16f, 0.36f, 0.34f};
static const float layer_send[LAYER_COUNT] = {0.095f, 0.14f, 0.04f, 0.26f};

static bool all_finite(const float *x, int count)
{
    uint32_t bad = 0;
    for (int i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        bad |= (bits & 0x7f800000) == 0x7f800000;
    }
    return !bad;
}

static bool layer_sounds(struct synth_state *s, enum layer layer, struct lane_bus *bus)
{
    const struct mix *mix = &s->mix.now;
    int sounds = 0;
    switch (layer) {
    case LAYER_PAD:
        for (int n = 0; n < PAD_GROUPS; n++)
            sounds |= pad_render(&s->pad[n], s->input_frame, mix, bus);
        return sounds;
    case LAYER_LEAD:
        return lead_render(&s->lead, s->input_frame, mix, bus);
    case LAYER_KICK:
        return kick_render(&s->kick, s->input_frame, bus);
    default:
        return swell_render(&s->swell, s->input_frame, mix, bus);
    }
}

static void layer_silence(struct synth_state *s, enum layer layer)
{
    switch (layer) {
    case LAYER_PAD: memset(s->pad, 0, sizeof s->pad); break;
    case LAYER_LEAD: memset(&s->lead, 0, sizeof s->lead); break;
    case LAYER_KICK: memset(&s->kick, 0, sizeof s->kick); break;
    default: memset(&s->swell, 0, sizeof s->swell); break;
    }
}

// Adds a layer under its gain, which moves from `from` to `to`.
static void layer_add(const struct stereo_block *in, enum layer layer, float from, float to, struct stereo_block *dry,
                      struct stereo_block *send)
{
    float step = (to - from) * (1.0f / CONTROL_FRAMES);
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        float gain = from + (float)i * step;
        float left = in->left[i] * gain, right = in->right[i] * gain;
        dry->left[i] += left * layer_dry[layer];
        dry->right[i] += right * layer_dry[layer];
        send->left[i] += left * layer_send[layer];
        send->right[i] += right * layer_send[layer];
    }
}

// False when something was not a number: the layer is then silent.
static bool layer_render(struct synth_state *s, enum layer layer, float gain_before, struct stereo_block *dry,
                         struct stereo_block *send)
{
    struct lane_bus bus;
    memset(&bus, 0, sizeof bus);
    if (!layer_sounds(s, layer, &bus))
        return true;
    struct stereo_block sum;
    lane_bus_sum(&bus, &sum);
    if (!all_finite(sum.left, CONTROL_FRAMES) || !all_finite(sum.right, CONTROL_FRAMES)) {
        layer_silence(s, layer);
        return false;
    }
    layer_add(&sum, layer, gain_before, s->mix.now.gain[layer], dry, send);
    return true;
}

// Adds the wet sound to the dry one. False as above.
static bool reverb_add(struct synth_state *s, struct stereo_block *send, struct stereo_block *dry)
{
    struct stereo_block wet;
    reverb_render(&s->reverb, s->input_frame, s->mix.now.space, send, &wet);
    if (!all_finite(wet.left, CONTROL_FRAMES) || !all_finite(wet.right, CONTROL_FRAMES)) {
        memset(&s->reverb, 0, sizeof s->reverb);
        return false;
    }
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        dry->left[i] += wet.left[i];
        dry->right[i] += wet.right[i];
    }
    return true;
}

// False as above; out is then silent.
static bool master(struct synth_state *s, struct stereo_block *dry, float *out)
{
    struct mastering *m = &s->mastering;
    mastering_render(m, s->input_frame, dry, out);
    const float kept[] = {m->momentary, m->slow, m->servo_db, m->servo_gain, m->limiter_gain};
    if (all_finite(out, 2 * CONTROL_FRAMES) && all_finite(kept, sizeof kept / sizeof *kept))
        return true;
    mastering_rest(m);
    memset(out, 0, 2 * CONTROL_FRAMES * sizeof *out);
    return false;
}

static bool render_block(const struct backend *backend, void *state, float *out)
{
    struct synth_state *s = state;
    struct stereo_block dry = {{0}, {0}}, send = {{0}, {0}};
    float gain_before[LAYER_COUNT];
    bool good = true;
    mix_advance(&s->mix, gain_before);
    for (enum layer layer = 0; layer < LAYER_COUNT; layer++)
        good &= layer_render(s, layer, gain_before[layer], &dry, &send);
    good &= reverb_add(s, &send, &dry);
    good &= master(s, &dry, out);
    s->faults += !good;
    s->input_frame += CONTROL_FRAMES;
    return true;
}

#define LEVEL_TABLE_(level) backend_##level
#define LEVEL_TABLE(level) LEVEL_TABLE_(level)
#define LEVEL_TEXT_(level) #level
#define LEVEL_TEXT(level) LEVEL_TEXT_(level)
#define LEVEL_AVAILABLE_(level) level##_available
#define LEVEL_AVAILABLE(level) LEVEL_AVAILABLE_(level)

const struct backend LEVEL_TABLE(SYNTH_LEVEL) = {
    .name = LEVEL_TEXT(SYNTH_LEVEL),
    .width = SYNTH_WIDTH,
    .available = LEVEL_AVAILABLE(SYNTH_LEVEL),
    .render_block = render_block,
};
