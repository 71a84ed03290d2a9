// Swell: two streams of noise through a band that opens as it rises, like a wave that comes and goes.
#pragma once
#include "synth/dsp/envelope.h"
#include "synth/dsp/noise.h"
#include "synth/instruments/lane_bus.h"
#include "synth/instruments/sides.h"

INLINE void swell_start(struct swell *s, int n)
{
    uint32_t seed = note_seed(s->lanes.now.id[n]);
    s->noise_left[n] = seed;
    s->noise_right[n] = seed * 0x9e3779b1u;
    sides_start(&s->sides, n);
}

INLINE struct sides_control swell_sides(const struct swell *s, int first, const struct mix *mix, vu started)
{
    vf level = vf_load(s->lanes.level + first);
    vf bright = vf_load(s->lanes.now.brightness + first) * 0.6f + mix->brightness * 0.4f;
    vf octaves = 8.3f + bright * 1.8f + level * 1.6f;
    struct svf_coefficients wanted = svf_design(vf_exp2(octaves), vf_set(1.1f));
    vf gain = level * level * vf_load(s->lanes.now.velocity + first);
    return sides_load(&s->sides, first, started, wanted, gain, pan_gains(vf_load(s->lanes.now.pan + first) * 0.7f));
}

INLINE void swell_lanes(struct swell *s, int first, struct sides_control c, vu lives, struct lane_bus *bus)
{
    vu noise_left = vu_load(s->noise_left + first), noise_right = vu_load(s->noise_right + first);
    // A lane at rest holds 0, which stays 0: silence.
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        vf one = noise_tick(&noise_left), other = noise_tick(&noise_right);
        sides_advance(&c);
        vf to_left = svf_tick(&c.left_memory, &c.reached, one + other * 0.35f).band;
        vf to_right = svf_tick(&c.right_memory, &c.reached, other + one * 0.35f).band;
        lane_bus_add(bus, i, first, to_left * c.left, to_right * c.right);
    }
    vu_store(s->noise_left + first, noise_left & lives);
    vu_store(s->noise_right + first, noise_right & lives);
    sides_keep(&s->sides, first, &c, lives);
}

// True when something sounded.
INLINE int swell_render(struct swell *s, uint64_t frame, const struct mix *mix, struct lane_bus *bus)
{
    struct lane_block b;
    lanes_advance(&s->lanes, frame, &b);
    for (uint32_t left = b.started; left; left &= left - 1)
        swell_start(s, __builtin_ctz(left));
    for (int first = 0; first < LANES; first += SYNTH_WIDTH) {
        if (lanes_rest(&b, first))
            continue;
        struct sides_control c = swell_sides(s, first, mix, lanes_started(&b, first));
        swell_lanes(s, first, c, vu_load(b.lives + first), bus);
    }
    return b.sounding != 0;
}
