// One control block of one state. Compiled once per SIMD level:
//   SYNTH_WIDTH: floats to an instruction.   SYNTH_LEVEL: the level's name, which names the table as well.
#include <stdbool.h>

#include "synth/dsp/mix_glide.h"
#include "synth/effects/chorus.h"
#include "synth/effects/echo.h"
#include "synth/effects/reverb.h"
#include "synth/effects/shimmer.h"
#include "synth/instruments/render.h"
#include "synth/levels.h"
#include "synth/mastering/mastering.h"

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

static void stereo_add(struct stereo_block *to, const struct stereo_block *more)
{
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        to->left[i] += more->left[i];
        to->right[i] += more->right[i];
    }
}

static void instrument_add(const struct stereo_block *in, struct instrument_levels levels, struct stereo_block *dry,
                           struct stereo_block *send)
{
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        dry->left[i] += in->left[i] * levels.dry;
        dry->right[i] += in->right[i] * levels.dry;
        send->left[i] += in->left[i] * levels.send;
        send->right[i] += in->right[i] * levels.send;
    }
}

// Adds what the groups of an instrument have played. False when something was not a number: it is left out.
static bool instrument_collect(const struct lane_bus *bus, struct instrument_levels levels, struct stereo_block *dry,
                               struct stereo_block *send)
{
    struct stereo_block sum;
    lane_bus_sum(bus, &sum);
    if (!all_finite(sum.left, CONTROL_FRAMES) || !all_finite(sum.right, CONTROL_FRAMES))
        return false;
    instrument_add(&sum, levels, dry, send);
    return true;
}

// NAME_play: all groups that are awake. False when something was not a number: the instrument is then silent.
#define INSTRUMENT(ID, name, lanes_)                                                                            \
    static bool name##_play(struct synth_state *s, struct stereo_block *dry, struct stereo_block *send)          \
    {                                                                                                           \
        struct lane_bus bus;                                                                                    \
        bool plays = false;                                                                                     \
        for (int n = 0; n < (lanes_) / LANES; n++) {                                                            \
            if (lanes_sleep(&s->name[n].lanes))                                                                 \
                continue;                                                                                       \
            if (!plays)                                                                                         \
                memset(&bus, 0, sizeof bus);                                                                    \
            plays = true;                                                                                       \
            name##_render(&s->name[n], s->input_frame, &s->mix.now, &bus);                                      \
        }                                                                                                       \
        if (!plays || instrument_collect(&bus, name##_levels, dry, send))                                       \
            return true;                                                                                        \
        memset(s->name, 0, sizeof s->name);                                                                     \
        return false;                                                                                           \
    }
#include "score/instruments.def"
#undef INSTRUMENT

static void effects_rest(struct synth_state *s)
{
    memset(&s->chorus, 0, sizeof s->chorus);
    memset(&s->echo, 0, sizeof s->echo);
    memset(&s->reverb, 0, sizeof s->reverb);
    memset(&s->shimmer, 0, sizeof s->shimmer);
}

// Adds what the effects make of the send to the dry sound. False as above.
static bool effects_add(struct synth_state *s, struct stereo_block *send, struct stereo_block *dry)
{
    const struct mix *mix = &s->mix.now;
    struct stereo_block wet = {{0}, {0}}, room;
    chorus_render(&s->chorus, s->input_frame, mix->chorus, send, &wet);
    echo_render(&s->echo, s->input_frame, mix->echo, send, &wet);
    shimmer_send(&s->shimmer, s->input_frame, mix->shimmer, send);
    reverb_render(&s->reverb, s->input_frame, mix->space, mix->freeze, send, &room);
    shimmer_keep(&s->shimmer, s->input_frame, &room);
    stereo_add(&wet, &room);
    if (!all_finite(wet.left, CONTROL_FRAMES) || !all_finite(wet.right, CONTROL_FRAMES)) {
        effects_rest(s);
        return false;
    }
    stereo_add(dry, &wet);
    return true;
}

// False as above; out is then silent.
static bool master(struct synth_state *s, struct stereo_block *dry, float *out)
{
    struct mastering *m = &s->mastering;
    mastering_render(m, s->input_frame, &s->mix.now, dry, out);
    const float kept[] = {m->momentary, m->slow, m->servo_db, m->level_db, m->servo_gain, m->limiter_gain,
                          m->filters.tilt[0], m->filters.tilt[1]};
    if (all_finite(out, 2 * CONTROL_FRAMES) && all_finite(kept, sizeof kept / sizeof *kept))
        return true;
    mastering_rest(m);
    mastering_expect(m, s->mix.now.loudness);
    memset(out, 0, 2 * CONTROL_FRAMES * sizeof *out);
    return false;
}

static bool render_block(const struct backend *backend, void *state, float *out)
{
    struct synth_state *s = state;
    struct stereo_block dry = {{0}, {0}}, send = {{0}, {0}};
    bool good = true;
    mix_advance(&s->mix);
#define INSTRUMENT(ID, name, lanes_) good &= name##_play(s, &dry, &send);
#include "score/instruments.def"
#undef INSTRUMENT
    good &= effects_add(s, &send, &dry);
    good &= master(s, &dry, out);
    s->faults += !good;
    s->input_frame += CONTROL_FRAMES;
    return true;
}

const struct backend LEVEL_TABLE(backend_) = {
    .name = LEVEL_TEXT,
    .width = SYNTH_WIDTH,
    .available = LEVEL_AVAILABLE,
    .render_block = render_block,
};
