// Patches of the Voice for instruments/modular.h, in the units of synth/voice/parameters.def. What is not named is 0.
#pragma once
#include "synth/voice/parameters.h"

enum { MODULAR_PATCHES = 4 };

static const struct voice_patch modular_patches[MODULAR_PATCHES] = {
    // Glow: a sine over a soft saw an octave lower, which comes and goes.
    {.value = {
         [VOICE_ADSR_1_ATTACK] = .12f, [VOICE_ADSR_1_DECAY] = 2, [VOICE_ADSR_1_SUSTAIN] = .55f,
         [VOICE_ADSR_1_RELEASE] = 4, [VOICE_ADSR_1_ALPHA] = 2,
         [VOICE_ADSR_2_ATTACK] = .9f, [VOICE_ADSR_2_DECAY] = 2, [VOICE_ADSR_2_SUSTAIN] = .4f,
         [VOICE_ADSR_2_RELEASE] = 3, [VOICE_ADSR_2_ALPHA] = 1.5f,
         [VOICE_LFO_1_AMP_ATTACK] = 1.5f, [VOICE_LFO_1_AMP_SUSTAIN] = 1, [VOICE_LFO_1_AMP_RELEASE] = 4,
         [VOICE_LFO_1_AMP_ALPHA] = 1, [VOICE_LFO_1_FREQUENCY] = .7f, [VOICE_LFO_1_SIN] = 1,
         [VOICE_LFO_2_AMP_ATTACK] = 2, [VOICE_LFO_2_AMP_SUSTAIN] = 1, [VOICE_LFO_2_AMP_RELEASE] = 4,
         [VOICE_LFO_2_AMP_ALPHA] = 2, [VOICE_LFO_2_FREQUENCY] = 4.3f, [VOICE_LFO_2_SIN] = 1,
         [VOICE_MOD_ADSR_1_TO_VCO_1_AMP] = .9f, [VOICE_MOD_ADSR_2_TO_VCO_2_AMP] = .5f,
         [VOICE_MOD_LFO_1_TO_VCO_2_AMP] = .35f, [VOICE_MOD_LFO_2_TO_VCO_1_PITCH] = 1,
         [VOICE_VCO_1_MOD_DEPTH] = .14f, [VOICE_VCO_2_TUNING] = -12.04f, [VOICE_VCO_2_SHAPE] = 1,
         [VOICE_MIXER_VCO_1] = .6f, [VOICE_MIXER_VCO_2] = .09f}},
    // Breath: a flute of a sine, with the air that makes it and a vibrato that comes late.
    {.value = {
         [VOICE_ADSR_1_ATTACK] = .18f, [VOICE_ADSR_1_DECAY] = .6f, [VOICE_ADSR_1_SUSTAIN] = .75f,
         [VOICE_ADSR_1_RELEASE] = 1.2f, [VOICE_ADSR_1_ALPHA] = 1.5f,
         [VOICE_ADSR_2_ATTACK] = .05f, [VOICE_ADSR_2_DECAY] = .5f, [VOICE_ADSR_2_SUSTAIN] = .3f,
         [VOICE_ADSR_2_RELEASE] = .8f, [VOICE_ADSR_2_ALPHA] = 2,
         [VOICE_LFO_1_AMP_ATTACK] = 1.8f, [VOICE_LFO_1_AMP_SUSTAIN] = 1, [VOICE_LFO_1_AMP_RELEASE] = 2,
         [VOICE_LFO_1_AMP_ALPHA] = 3, [VOICE_LFO_1_FREQUENCY] = 4.7f, [VOICE_LFO_1_SIN] = 1,
         [VOICE_LFO_1_TRI] = .4f, [VOICE_LFO_1_MOD_DEPTH] = .6f, [VOICE_LFO_1_RATE_ATTACK] = 2,
         [VOICE_LFO_1_RATE_SUSTAIN] = 1, [VOICE_LFO_1_RATE_RELEASE] = 2, [VOICE_LFO_1_RATE_ALPHA] = 1,
         [VOICE_MOD_ADSR_1_TO_VCO_1_AMP] = 1, [VOICE_MOD_ADSR_1_TO_VCO_2_AMP] = .4f,
         [VOICE_MOD_ADSR_2_TO_NOISE_AMP] = .5f, [VOICE_MOD_LFO_1_TO_VCO_1_PITCH] = 1,
         [VOICE_MOD_LFO_1_TO_VCO_2_PITCH] = 1, [VOICE_MOD_LFO_1_TO_VCO_1_AMP] = .12f,
         [VOICE_VCO_1_MOD_DEPTH] = .3f, [VOICE_VCO_2_TUNING] = 12, [VOICE_VCO_2_MOD_DEPTH] = .3f,
         [VOICE_VCO_2_SHAPE] = 1, [VOICE_MIXER_VCO_1] = .41f, [VOICE_MIXER_VCO_2] = .018f,
         [VOICE_MIXER_NOISE] = .009f}},
    // Tine: struck, with a tremolo, and a hollow square behind that is gone first.
    {.value = {
         [VOICE_ADSR_1_DECAY] = 2, [VOICE_ADSR_1_SUSTAIN] = .1f, [VOICE_ADSR_1_ATTACK] = .012f,
         [VOICE_ADSR_1_RELEASE] = 3, [VOICE_ADSR_1_ALPHA] = 2.5f,
         [VOICE_ADSR_2_ATTACK] = .012f, [VOICE_ADSR_2_DECAY] = .7f, [VOICE_ADSR_2_RELEASE] = 1,
         [VOICE_ADSR_2_ALPHA] = 3,
         [VOICE_LFO_1_AMP_ATTACK] = .012f, [VOICE_LFO_1_AMP_DECAY] = 2, [VOICE_LFO_1_AMP_SUSTAIN] = .05f,
         [VOICE_LFO_1_AMP_RELEASE] = 2, [VOICE_LFO_1_AMP_ALPHA] = 2, [VOICE_LFO_1_FREQUENCY] = 3.1f,
         [VOICE_LFO_1_SIN] = 1,
         [VOICE_MOD_ADSR_1_TO_VCO_1_AMP] = 1, [VOICE_MOD_ADSR_2_TO_VCO_2_AMP] = .8f,
         [VOICE_MOD_LFO_1_TO_VCO_1_AMP] = .3f, [VOICE_VCO_2_TUNING] = 12.03f, [VOICE_MIXER_VCO_1] = 1,
         [VOICE_MIXER_VCO_2] = .1f}},
    // Reed: a square whose two halves are not quite alike, swelling and leaning on its pitch from below.
    {.value = {
         [VOICE_ADSR_1_ATTACK] = .5f, [VOICE_ADSR_1_DECAY] = 1.5f, [VOICE_ADSR_1_SUSTAIN] = .7f,
         [VOICE_ADSR_1_RELEASE] = 2.5f, [VOICE_ADSR_1_ALPHA] = 1.2f,
         [VOICE_ADSR_2_ATTACK] = .25f, [VOICE_ADSR_2_SUSTAIN] = 1, [VOICE_ADSR_2_RELEASE] = 5,
         [VOICE_ADSR_2_ALPHA] = 1,
         [VOICE_LFO_1_AMP_ATTACK] = 1, [VOICE_LFO_1_AMP_SUSTAIN] = 1, [VOICE_LFO_1_AMP_RELEASE] = 3,
         [VOICE_LFO_1_AMP_ALPHA] = 1, [VOICE_LFO_1_FREQUENCY] = .43f, [VOICE_LFO_1_TRI] = 1,
         [VOICE_MOD_ADSR_1_TO_VCO_1_AMP] = .8f, [VOICE_MOD_ADSR_1_TO_VCO_2_AMP] = .7f,
         [VOICE_MOD_LFO_1_TO_VCO_2_AMP] = .25f, [VOICE_MOD_ADSR_2_TO_VCO_2_PITCH] = 1,
         [VOICE_VCO_2_TUNING] = -.3f, [VOICE_VCO_2_MOD_DEPTH] = .3f, [VOICE_VCO_2_SHAPE] = .3f,
         [VOICE_MIXER_VCO_1] = .5f, [VOICE_MIXER_VCO_2] = .083f}},
};
