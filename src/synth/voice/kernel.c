// One patch of the Voice. Compiled once per SIMD level:
//   SYNTH_WIDTH: floats to an instruction.   SYNTH_LEVEL: the level's name, which names the table as well.
#include "synth/dsp/oscillator.h"
#include "synth/levels.h"
#include "synth/voice/block.h"
#include "synth/voice/control.h"
#include "synth/voice/oscillate.h"

// The drive of the square for the highest pitch.
static float voice_drive(float midi, float depth)
{
    return vf_first(square_drive(pitch_hz(vf_set(midi + (depth > 0 ? depth : 0)))));
}

static void voice_tones_init(struct voice_tone tone[2], const float *values)
{
    float midi = values[VOICE_KEYBOARD_MIDI_F0];
    voice_tone_init(&tone[0], midi + values[VOICE_VCO_1_TUNING], values[VOICE_VCO_1_MOD_DEPTH],
                    voice_phase_of(values[VOICE_VCO_1_INITIAL_PHASE]));
    voice_tone_init(&tone[1], midi + values[VOICE_VCO_2_TUNING], values[VOICE_VCO_2_MOD_DEPTH],
                    voice_phase_of(values[VOICE_VCO_2_INITIAL_PHASE]));
}

// Past the caches, where there is an instruction for that: a batch is larger than they are, and a line that is only
// written need not be fetched first.
INLINE void voice_stream(float *to, vf x)
{
#if SYNTH_WIDTH == 4 && defined(__SSE2__)
    _mm_stream_ps(to, (__m128)x);
#elif SYNTH_WIDTH == 8 && defined(__AVX__)
    _mm256_stream_ps(to, (__m256)x);
#elif SYNTH_WIDTH == 16 && defined(__AVX512F__)
    _mm512_stream_ps(to, (__m512)x);
#else
    vf_store(to, x);
#endif
}

INLINE void voice_stream_end(void)
{
#if SYNTH_WIDTH > 1 && defined(__SSE2__)
    _mm_sfence();
#endif
}

static void voice_deliver(const float *sound, int frames, float gain, float *out)
{
    int n = 0;
    for (; n < frames && (uintptr_t)(out + n) % sizeof(vf); n++)
        out[n] = sound[n] * gain;
    for (; n + SYNTH_WIDTH <= frames; n += SYNTH_WIDTH)
        voice_stream(out + n, vf_load_anywhere(sound + n) * gain);
    for (; n < frames; n++)
        out[n] = sound[n] * gain;
    voice_stream_end();
}

// From lines to samples, a block at a time. The last step may be wider than what is left: its amplitudes are 0 there.
static void voice_play(struct voice_work *work, const struct voice_tone tone[2], struct voice_sound *sound)
{
    struct voice_block *block = &work->block;
    uint32_t phase[2] = {tone[0].initial_phase, tone[1].initial_phase};
    float *out = work->sound;
    block->frames = 0;
    for (int n = 0; n < work->grid.points - 1;) {
        for (int s = 0; s < VOICE_BLOCK_SEGMENTS && n < work->grid.points - 1; s++)
            voice_block_add(block, work, tone, n++, phase);
        int frames = block->frames / VOICE_STEP * VOICE_STEP;
        voice_sound_run(sound, block, frames, out);
        voice_block_drop(block, frames);
        out += frames;
    }
    for (int a = 0; a < 3; a++)
        for (int n = block->frames; n < VOICE_STEP; n++)
            block->amp[a][n] = 0;
    voice_sound_run(sound, block, VOICE_STEP, out);
}

static void render(struct voice_work *work, const struct voice_patch *patch, uint32_t noise, float *out)
{
    const float *values = patch->value;
    float midi = values[VOICE_KEYBOARD_MIDI_F0] + values[VOICE_VCO_2_TUNING], shape = values[VOICE_VCO_2_SHAPE];
    const float gain[3] = {values[VOICE_MIXER_VCO_1], values[VOICE_MIXER_VCO_2] * (1.0f - shape / 2),
                           values[VOICE_MIXER_NOISE] * 0x1p-31f};
    struct voice_control control;
    struct voice_tone tone[2];
    struct voice_sound sound;
    voice_control_init(&control, values);
    voice_control_run(&control, work);
    voice_tones_init(tone, values);
    voice_lines_run(tone, gain, work);
    voice_sound_init(&sound, voice_drive(midi, values[VOICE_VCO_2_MOD_DEPTH]), shape, noise);
    voice_play(work, tone, &sound);
    float peak = vf_most(sound.peak);
    voice_deliver(work->sound, work->grid.frames, peak > 1 ? 1 / peak : 1, out);
}

const struct voice_renderer LEVEL_TABLE(voice_) = {
    .name = LEVEL_TEXT,
    .width = SYNTH_WIDTH,
    .available = LEVEL_AVAILABLE,
    .render = render,
};
