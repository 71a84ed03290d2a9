// One patch of the Voice. Compiled once per SIMD level:
//   SYNTH_WIDTH: floats to an instruction.   SYNTH_LEVEL: the level's name, which names the table as well.
#include "synth/levels.h"
#include "synth/voice/control.h"
#include "synth/voice/cut.h"
#include "synth/voice/levels.h"
#include "synth/voice/oscillate.h"

// How hard the square is driven: pi / 2 times as many partials as torchsynth counts for the highest pitch.
static float voice_drive(float midi, float depth)
{
    float hz = 440.0f * exp2_of((midi + (depth > 0 ? depth : 0) - 69.0f) * (1.0f / 12));
    return 1.57079633f * 12000.0f / (hz * (log2_of(hz) * 0.30103f));
}

static void voice_tones_init(struct voice_tone tone[2], const float *values)
{
    float midi = values[VOICE_KEYBOARD_MIDI_F0];
    voice_tone_init(&tone[0], midi + values[VOICE_VCO_1_TUNING], values[VOICE_VCO_1_MOD_DEPTH],
                    voice_phase_of(values[VOICE_VCO_1_INITIAL_PHASE]));
    voice_tone_init(&tone[1], midi + values[VOICE_VCO_2_TUNING], values[VOICE_VCO_2_MOD_DEPTH],
                    voice_phase_of(values[VOICE_VCO_2_INITIAL_PHASE]));
}

static void voice_sound_init(struct voice_sound *sound, const struct voice_work *work, const float *values,
                             const struct voice_tone *tone, uint32_t noise, float *out)
{
    *sound = (struct voice_sound){
        .drive = voice_drive(values[VOICE_KEYBOARD_MIDI_F0] + values[VOICE_VCO_2_TUNING], values[VOICE_VCO_2_MOD_DEPTH]),
        .shape = values[VOICE_VCO_2_SHAPE],
        .powers = work->grid.powers,
        .phase = {tone[0].initial_phase >> 4, tone[1].initial_phase >> 4},
        .noise = noise,
        .out = out,
        .end = out + work->grid.frames,
    };
}

static void voice_segment(struct voice_sound *sound, const struct voice_work *work, int n)
{
    struct voice_part part = {.frames = work->grid.first[n + 1] - work->grid.first[n]};
    for (int o = 0; o < 2; o++) {
        part.increment[o] = work->tone[o].increment[n];
        part.slope[o] = work->tone[o].slope[n];
        part.ratio[o] = work->tone[o].ratio[n];
    }
    for (int a = 0; a < 3; a++) {
        part.amp[a] = work->amp[a][n];
        part.amp_slope[a] = work->amp_slope[a][n];
    }
    voice_part_render(sound, &part);
}

static float voice_peak(const struct voice_sound *sound)
{
    float peak = 0;
    for (int i = 0; i < SYNTH_WIDTH; i++)
        peak = sound->peak[i] > peak ? sound->peak[i] : peak;
    return peak;
}

static void voice_scale(float *out, int frames, float gain)
{
    int n = 0;
    for (; n + SYNTH_WIDTH <= frames; n += SYNTH_WIDTH)
        voice_store_any(out + n, voice_load_any(out + n) * gain);
    for (; n < frames; n++)
        out[n] *= gain;
}

static void render(struct voice_work *work, const struct voice_patch *patch, uint32_t noise, float *out)
{
    const float *values = patch->value;
    const float gain[3] = {values[VOICE_MIXER_VCO_1], values[VOICE_MIXER_VCO_2] * (1.0f - values[VOICE_VCO_2_SHAPE] / 2),
                           values[VOICE_MIXER_NOISE] * 0x1p-31f};
    struct voice_control control;
    struct voice_tone tone[2];
    struct voice_sound sound;
    voice_control_init(&control, values);
    voice_control_run(&control, work);
    voice_tones_init(tone, values);
    voice_lines_run(tone, gain, work);
    voice_sound_init(&sound, work, values, tone, noise, out);
    for (int n = 0; n < work->grid.points - 1; n++)
        if (work->hard[n])
            voice_segment_cut(&sound, work, tone, n);
        else
            voice_segment(&sound, work, n);
    float peak = voice_peak(&sound);
    if (peak > 1)
        voice_scale(out, work->grid.frames, 1 / peak);
}

#define LEVEL_TABLE_(level) voice_##level
#define LEVEL_TABLE(level) LEVEL_TABLE_(level)
#define LEVEL_TEXT_(level) #level
#define LEVEL_TEXT(level) LEVEL_TEXT_(level)
#define LEVEL_AVAILABLE_(level) level##_available
#define LEVEL_AVAILABLE(level) LEVEL_AVAILABLE_(level)

const struct voice_renderer LEVEL_TABLE(SYNTH_LEVEL) = {
    .name = LEVEL_TEXT(SYNTH_LEVEL),
    .width = SYNTH_WIDTH,
    .available = LEVEL_AVAILABLE(SYNTH_LEVEL),
    .render = render,
};
