// One note by itself, in plain C.
#include "synth/test_note.h"

#include <stdlib.h>

#define SYNTH_WIDTH 1
#include "synth/instruments/render.h"

struct note test_note(float pitch, double hold_s)
{
    return (struct note){.id = 77, .pitch = pitch, .velocity = 0.5f, .brightness = 0.5f, .attack_s = 0.008f,
                         .release_s = 2, .hold_frames = (uint32_t)(hold_s * FRAME_RATE)};
}

static void wait_for_note(struct lanes *l, const struct note *note)
{
    l->next.id[0] = note->id;
    l->next.end_frame[0] = note->hold_frames;
    l->next.pitch[0] = note->pitch;
    l->next.velocity[0] = note->velocity;
    l->next.pan[0] = note->pan;
    l->next.brightness[0] = note->brightness;
    l->next.attack_s[0] = note->attack_s;
    l->next.release_s[0] = note->release_s;
    l->next.layer[0] = note->layer;
    l->waiting[0] = 1;
}

static void bus_out(const struct lane_bus *bus, float *stereo)
{
    struct stereo_block out;
    lane_bus_sum(bus, &out);
    for (int i = 0; i < CONTROL_FRAMES; i++) {
        *stereo++ = out.left[i];
        *stereo++ = out.right[i];
    }
}

#define INSTRUMENT(ID, name, lanes_)                                                                         \
    static void name##_play(const struct note *note, const struct mix *mix, float *stereo, size_t frames)    \
    {                                                                                                        \
        struct name *group = aligned_alloc(64, (sizeof *group + 63) / 64 * 64);                              \
        if (!group)                                                                                          \
            abort();                                                                                         \
        memset(group, 0, sizeof *group);                                                                     \
        wait_for_note(&group->lanes, note);                                                                  \
        for (size_t at = 0; at < frames; at += CONTROL_FRAMES) {                                             \
            struct lane_bus bus;                                                                             \
            memset(&bus, 0, sizeof bus);                                                                     \
            name##_render(group, at, mix, &bus);                                                             \
            bus_out(&bus, stereo + CHANNELS * at);                                                           \
        }                                                                                                    \
        free(group);                                                                                         \
    }
#include "score/instruments.def"
#undef INSTRUMENT

void test_note_play(enum instrument instrument, const struct note *note, const struct mix *mix, float *stereo,
                    size_t frames)
{
    static void (*const plays[INSTRUMENT_COUNT])(const struct note *, const struct mix *, float *, size_t) = {
#define INSTRUMENT(ID, name, lanes) name##_play,
#include "score/instruments.def"
#undef INSTRUMENT
    };
    plays[instrument](note, mix, stereo, frames);
}
