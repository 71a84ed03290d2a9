// Life of one chain: start, events, blocks.
#include "synth/synth.h"

#include <string.h>

#include "synth/dsp/denormals.h"
#include "synth/instruments/all.h"
#include "synth/mastering/rest.h"

// A layer gain moves on a straight line of 600 ms.
enum { GAIN_RAMP_BLOCKS = 450 };
// A room fills for 8 s before it can be frozen.
enum { FILL_BLOCKS = 6000 };

size_t synth_bytes(void)
{
    return sizeof(struct synth_state);
}

void synth_start(void *state, uint64_t frame)
{
    struct synth_state *s = state;
    memset(s, 0, sizeof *s);
    s->input_frame = frame;
    s->mix.target = (struct mix){.brightness = 0.5f, .motion = 0.5f, .space = 0.5f, .warmth = 0.5f, .loudness = -18};
    for (int n = 0; n < LAYER_COUNT; n++)
        s->mix.target.gain[n] = 1;
    s->mix.now = s->mix.target;
    s->mix.filling = FILL_BLOCKS;
    mastering_rest(&s->mastering);
}

uint64_t synth_input_frame(const void *state)
{
    return ((const struct synth_state *)state)->input_frame;
}

uint64_t synth_faults(const void *state)
{
    return ((const struct synth_state *)state)->faults;
}

bool synth_failed(const void *state)
{
    return ((const struct synth_state *)state)->failed;
}

float synth_servo_db(const void *state)
{
    const struct mastering *mastering = &((const struct synth_state *)state)->mastering;
    return mastering->servo_db + mastering->level_db;
}

// NaN becomes lo.
static float clamp(float x, float lo, float hi)
{
    x = x > lo ? x : lo;
    return x < hi ? x : hi;
}

// A chain begins with its first mix: at once as that says.
static void begin_mix(struct synth_state *s)
{
    struct mix_state *mix = &s->mix;
    mix->taken = 1;
    mix->now = mix->target;
    mix->now.freeze = 0;
    mix->blocks_left = 0;
    mastering_expect(&s->mastering, mix->now.loudness);
}

static void take_mix(struct synth_state *s, const struct mix *wanted)
{
    struct mix_state *mix = &s->mix;
    mix->target.brightness = clamp(wanted->brightness, 0, 1);
    mix->target.motion = clamp(wanted->motion, 0, 1);
    mix->target.space = clamp(wanted->space, 0, 1);
    mix->target.warmth = clamp(wanted->warmth, 0, 1);
    mix->target.shimmer = clamp(wanted->shimmer, 0, 1);
    mix->target.chorus = clamp(wanted->chorus, 0, 1);
    mix->target.echo = clamp(wanted->echo, 0, 1);
    mix->target.freeze = clamp(wanted->freeze, 0, 1);
    mix->target.loudness = clamp(wanted->loudness, -30, -14);
    for (int n = 0; n < LAYER_COUNT; n++) {
        mix->target.gain[n] = clamp(wanted->gain[n], 0, 1);
        mix->step[n] = (mix->target.gain[n] - mix->now.gain[n]) * (1.0f / GAIN_RAMP_BLOCKS);
    }
    mix->blocks_left = GAIN_RAMP_BLOCKS;
    if (!mix->taken)
        begin_mix(s);
}

static const struct {
    size_t offset, group_bytes;
    unsigned lanes;
} instruments[INSTRUMENT_COUNT] = {
#define INSTRUMENT(ID, name, lanes) \
    [INSTRUMENT_##ID] = {offsetof(struct synth_state, name), sizeof(struct name), lanes},
#include "score/instruments.def"
#undef INSTRUMENT
};

// The group that holds a lane of an instrument, the lane's place in it through *n. NULL when there is no such lane.
static struct lanes *find_lane(struct synth_state *s, unsigned instrument, unsigned lane, unsigned *n)
{
    if (instrument >= INSTRUMENT_COUNT || lane >= instruments[instrument].lanes)
        return NULL;
    *n = lane % LANES;
    size_t offset = instruments[instrument].offset + lane / LANES * instruments[instrument].group_bytes;
    return (struct lanes *)((unsigned char *)s + offset);
}

static void take_note_on(struct synth_state *s, uint64_t at_frame, const struct note *note)
{
    unsigned n;
    struct lanes *l = find_lane(s, note->instrument, note->lane, &n);
    if (!l || note->layer >= LAYER_COUNT)
        return;
    struct lane_notes *next = &l->next;
    next->id[n] = note->id;
    next->begin_frame[n] = at_frame;
    next->end_frame[n] = note->hold_frames ? at_frame + note->hold_frames : 0;
    next->pitch[n] = clamp(note->pitch, 0, 127);
    next->velocity[n] = clamp(note->velocity, 0, 1);
    next->pan[n] = clamp(note->pan, -1, 1);
    next->brightness[n] = clamp(note->brightness, 0, 1);
    next->attack_s[n] = clamp(note->attack_s, 0.008f, 60);
    next->release_s[n] = clamp(note->release_s, 0.02f, 60);
    next->layer[n] = note->layer;
    l->waiting[n] = 1;
}

static void take_note_off(struct synth_state *s, uint64_t at_frame, const struct event *event)
{
    unsigned n;
    struct lanes *l = find_lane(s, event->off.instrument, event->off.lane, &n);
    if (!l)
        return;
    if (l->waiting[n] && l->next.id[n] == event->off.id)
        l->waiting[n] = 0;
    if (l->now.id[n] != event->off.id)
        return;
    if (event->off.release_s > 0)
        l->now.release_s[n] = clamp(event->off.release_s, 0.02f, 60);
    // A note that sounds is ended by its end frame; 0 would mean never.
    l->now.end_frame[n] = at_frame ? at_frame : 1;
}

static void take_event(struct synth_state *s, const struct event *event)
{
    switch (event->kind) {
    case EVENT_MIX: take_mix(s, &event->mix); break;
    case EVENT_NOTE_OFF: take_note_off(s, event->at_frame, event); break;
    case EVENT_NOTE_ON: take_note_on(s, event->at_frame, &event->note); break;
    default: break;
    }
}

// One block, silence once the renderer has failed. Time goes on either way.
static void render_block(const struct backend *backend, struct synth_state *s, float *out)
{
    uint64_t end = s->input_frame + CONTROL_FRAMES;
    if (!s->failed)
        s->failed = !backend->render_block(backend, s, out);
    if (s->failed)
        memset(out, 0, CONTROL_FRAMES * CHANNELS * sizeof *out);
    s->input_frame = end;
}

void synth_render(const struct backend *backend, void *state, const struct event *events, int event_count, float *out,
                  int blocks)
{
    struct synth_state *s = state;
    denormals_state before = denormals_flush();
    int taken = 0;
    for (int n = 0; n < blocks; n++) {
        uint64_t end = s->input_frame + CONTROL_FRAMES;
        while (taken < event_count && events[taken].at_frame < end)
            take_event(s, &events[taken++]);
        render_block(backend, s, out + (size_t)n * CONTROL_FRAMES * CHANNELS);
    }
    denormals_restore(before);
}
