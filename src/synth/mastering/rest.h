// The mastering before the first sound: gains at 1, the least of grit, the loudness servo as if all had been at its
// target.
#pragma once
#include <string.h>

#include "synth/dsp/math.h"
#include "synth/state.h"

#define SERVO_TARGET_LUFS -18.0f
#define SERVO_TARGET_POWER 0.0185823228f    // mean square, weighted, of -18 LUFS

#define SATURATION_LEAST 0.1f               // drive at warmth 0: a thousandth of third harmonic at the loudest

enum { LIMITER_KNOWN = sizeof ((struct mastering *)0)->block_gain / sizeof(float) };

// Gain of so many dB.
INLINE float mastering_gain(float db)
{
    return exp2_of(db * 0.166096405f);
}

// Where the servo is to stand before it has heard anything.
static inline void mastering_expect(struct mastering *m, float loudness)
{
    m->servo_db = loudness - SERVO_TARGET_LUFS;
    m->servo_gain = mastering_gain(m->servo_db);
}

static inline void mastering_rest(struct mastering *m)
{
    memset(m, 0, sizeof *m);
    for (int n = 0; n < LIMITER_KNOWN; n++)
        m->block_gain[n] = 1.0f;
    m->limiter_gain = m->servo_gain = m->tilt_low = m->tilt_high = 1.0f;
    m->saturation.drive = SATURATION_LEAST;
    m->slow = SERVO_TARGET_POWER;
}
