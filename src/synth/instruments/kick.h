// Kick: a sine that falls from 150 to 40 Hz, with a soft beginning and a little drive so that small speakers carry it.
#pragma once
#include "synth/dsp/envelope.h"
#include "synth/dsp/oscillator.h"
#include "synth/instruments/lane_bus.h"
#include "synth/instruments/lane_keep.h"

struct kick {
    struct lanes lanes;
    uint32_t phase[LANES];
    uint32_t increment[LANES];
    float sweep[LANES], decay[LANES];
    float gain[LANES];
};

static const struct instrument_levels kick_levels = {.dry = 0.36f, .send = 0.04f};

struct kick_control {
    vu increment, increment_step;
    vf gain, gain_step;
};

INLINE void kick_start(struct kick *k, int n)
{
    k->phase[n] = 0;
    k->increment[n] = (uint32_t)(150.0f * (0x1p32f / FRAME_RATE));
    k->sweep[n] = k->decay[n] = 1.0f;
    k->gain[n] = 0;
}

INLINE void kick_move(struct kick *k, int first, const struct lane_block *b, vu lives, struct kick_control *c)
{
    // Both fall by e: the sweep in 45 ms, the level in 280 ms.
    const float seconds = (float)CONTROL_FRAMES / FRAME_RATE;
    vf sweep = vf_load(k->sweep + first) * (1.0f - seconds / 0.045f);
    vf decay = vf_load(k->decay + first) * (1.0f - seconds / 0.28f);
    lane_keep(k->sweep + first, sweep, lives);
    lane_keep(k->decay + first, decay, lives);
    vu increment = phase_increment(sweep * 110.0f + 40.0f);
    c->increment = vu_load(k->increment + first);
    c->increment_step = (vu)((vi)(increment - c->increment) / CONTROL_FRAMES);
    c->gain = vf_load(k->gain + first);
    vf level = vf_load(b->loudness + first) * decay;
    c->gain_step = (level - c->gain) * (1.0f / CONTROL_FRAMES);
}

INLINE void kick_frames(struct kick *k, int first, const struct kick_control *control, vu lives, struct lane_bus *bus)
{
    struct kick_control c = *control;
    vu phase = vu_load(k->phase + first);
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        c.increment += c.increment_step;
        c.gain += c.gain_step;
        vf out = vf_tanh(vf_sin_phase(phase) * (c.gain * 1.6f));
        lane_bus_add(bus, i, first, out, out);
        phase += c.increment;
    }
    vu_store(k->phase + first, phase & lives);
    vu_store(k->increment + first, c.increment & lives);
    lane_keep(k->gain + first, c.gain, lives);
}

INLINE void kick_lanes(struct kick *k, int first, const struct lane_block *b, const struct mix *mix,
                       struct lane_bus *bus)
{
    (void)mix;
    struct kick_control c;
    vu lives = vu_load(b->lives + first);
    kick_move(k, first, b, lives, &c);
    kick_frames(k, first, &c, lives, bus);
}
