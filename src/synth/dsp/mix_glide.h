// How the mix moves: layer gains on straight lines of 600 ms, all else by a one-pole of 400 ms. Once a block.
#pragma once
#include "synth/dsp/vector.h"
#include "synth/state.h"

// 0..1, and NaN becomes 0.
INLINE float unit_clamp(float x)
{
    x = x > 0.0f ? x : 0.0f;
    return x < 1.0f ? x : 1.0f;
}

INLINE float glide(float now, float target)
{
    const float share = 0.003327784f;  // 1 - exp(-64 / 48000 / .4)
    return now + (target - now) * share;
}

// mix->now is then what holds at the end of the block.
INLINE void mix_advance(struct mix_state *mix)
{
    for (int n = 0; n < LAYER_COUNT; n++) {
        float gain = mix->blocks_left > 1 ? mix->now.gain[n] + mix->step[n] : mix->target.gain[n];
        mix->now.gain[n] = unit_clamp(gain);
    }
    if (mix->blocks_left)
        mix->blocks_left--;
    mix->now.brightness = unit_clamp(glide(mix->now.brightness, mix->target.brightness));
    mix->now.motion = unit_clamp(glide(mix->now.motion, mix->target.motion));
    mix->now.space = unit_clamp(glide(mix->now.space, mix->target.space));
    mix->now.warmth = unit_clamp(glide(mix->now.warmth, mix->target.warmth));
    mix->now.shimmer = unit_clamp(glide(mix->now.shimmer, mix->target.shimmer));
    mix->now.chorus = unit_clamp(glide(mix->now.chorus, mix->target.chorus));
    mix->now.echo = unit_clamp(glide(mix->now.echo, mix->target.echo));
    // A chain that has just begun has nothing in its room yet.
    mix->now.freeze = unit_clamp(glide(mix->now.freeze, mix->filling ? 0.0f : mix->target.freeze));
    if (mix->filling)
        mix->filling--;
    mix->now.loudness = glide(mix->now.loudness, mix->target.loudness);
}
