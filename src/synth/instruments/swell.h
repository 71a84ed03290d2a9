// Swell: two streams of noise through a band that opens as it rises, like a wave that comes and goes.
#pragma once
#include "synth/dsp/envelope.h"
#include "synth/dsp/noise.h"
#include "synth/instruments/lane_bus.h"
#include "synth/instruments/sides.h"

struct swell {
    struct lanes lanes;
    uint32_t noise_left[LANES], noise_right[LANES];
    struct sides sides;
};

static const struct instrument_levels swell_levels = {.dry = 0.34f, .send = 0.26f};

INLINE void swell_start(struct swell *s, int n)
{
    uint32_t seed = note_seed(s->lanes.now.id[n]);
    s->noise_left[n] = seed;
    s->noise_right[n] = seed * 0x9e3779b1u;
    sides_start(&s->sides, n);
}

INLINE struct sides_control swell_sides(const struct swell *s, int first, const struct lane_block *b,
                                        const struct mix *mix)
{
    vf level = vf_load(s->lanes.level + first);
    vf bright = vf_load(s->lanes.now.brightness + first) * 0.6f + mix->brightness * 0.4f;
    vf octaves = 8.3f + bright * 1.8f + level * 1.6f;
    struct svf_coefficients wanted = svf_design(vf_exp2(octaves), vf_set(1.1f));
    vf gain = level * vf_load(b->loudness + first);
    return sides_load(&s->sides, first, lanes_started(b, first), wanted, gain,
                      pan_gains(vf_load(s->lanes.now.pan + first) * 0.7f));
}

INLINE void swell_frames(struct swell *s, int first, struct sides_control c, vu lives, struct lane_bus *bus)
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

INLINE void swell_lanes(struct swell *s, int first, const struct lane_block *b, const struct mix *mix,
                        struct lane_bus *bus)
{
    swell_frames(s, first, swell_sides(s, first, b, mix), vu_load(b->lives + first), bus);
}
