// The control log as composers see it: which mood is in force at which frame, and how many beats have gone by.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "score/mood.h"
#include "score/scene.h"
#include "score/tuning.h"

// Beats are counted in bpm x frames: this many make one beat.
#define MOOD_LOG_BEAT UINT64_C(2880000)

enum { MOOD_GLIDES = 7 };   // the parameters that glide to another scene's values

// How much there is of each scene, in the order of scenes[]: 0..1, and 1 in all.
struct scene_shares {
    float of[SCENES_MOST];
};

struct mood_entry {
    uint64_t sequence;    // 0: the mood that the station began with, at frame 0
    uint64_t at_frame;    // multiple of 960; never before the entry ahead of it
    uint64_t beats;       // bpm x frames gone by at at_frame
    uint32_t changed;     // bits of the parameters that this entry moved
    struct mood mood;     // all parameters from at_frame on, or towards which a change of scene is under way
    double from[MOOD_GLIDES];          // while it is: where what glides stood at at_frame
    uint64_t morph_from, morph_until;  // frames; no change is under way from morph_until on
    struct scene_shares shares;        // at morph_from, from where they go on to mood.scene alone
    uint64_t wake_frame;               // where the programme began from silence last; 0: at its beginning
    uint64_t hash;                     // of this entry and all before it: logs that differ in them give others
};

// What holds for all of a programme.
struct mood_log_head {
    int begin_minute;     // 0..1439, of the listeners' day at frame 0; what the log says to follow_day
    struct tuning scala;  // what the tuning of that name is
};

// Ordered by sequence, so by frame too. Of several entries at one frame the last one is in force.
struct mood_log {
    struct mood_entry *entries;
    size_t count, cap;
    struct mood_log_head head;
};

enum { DAY_MINUTES = 24 * 60, DAY_NOON = 12 * 60 };

// Begins with `mood` at frame 0, at noon and with nobody's own scale.   Errors: STATUS_MEMORY.
MUST_USE enum status mood_log_init(struct mood_log *log, const struct mood *mood);
void mood_log_finish(struct mood_log *log);
// Appends; `beats` and `changed` are worked out here.
// Errors: STATUS_MEMORY; STATUS_INVALID when sequence or frame run backwards or at_frame is off the grid of 960.
MUST_USE enum status mood_log_append(struct mood_log *log, uint64_t sequence, uint64_t at_frame,
                                     const struct mood *mood);
// Likewise, what another log of the same programme has: its sequence, at_frame, wake_frame and mood. Another wake_frame,
// which may lie before at_frame, tells that the programme begins from silence there: nobody listened.
// Errors: as above; STATUS_INVALID also when wake_frame runs backwards or is no multiple of 4,800.
MUST_USE enum status mood_log_copy(struct mood_log *log, const struct mood_entry *entry);
// Likewise, as it stands in that log, which may have forgotten entries between. Errors: as above.
MUST_USE enum status mood_log_adopt(struct mood_log *log, const struct mood_entry *entry);
// Forgets what only frames before this one need, once that is half of all: each entry stands for itself.
void mood_log_forget(struct mood_log *log, uint64_t before_frame);
// The first entry with a higher sequence number. NULL when there is none.
const struct mood_entry *mood_log_after(const struct mood_log *log, uint64_t sequence);
// Makes sure of room for the next entry.   Errors: STATUS_MEMORY.
MUST_USE enum status mood_log_reserve(struct mood_log *log);
// The last entry there is, never NULL.
const struct mood_entry *mood_log_latest(const struct mood_log *log);
// The entry in force at `frame`, never NULL.
const struct mood_entry *mood_log_at(const struct mood_log *log, uint64_t frame);
// The one that follows an entry which was in force; NULL when none does.
const struct mood_entry *mood_log_next(const struct mood_log *log, const struct mood_entry *entry);
// All parameters at `frame`. A change of scene takes morph_seconds: until then all units but harmonic_density glide on
// straight lines, and the rest is the new scene's at once. What is moved meanwhile moves at once.
struct mood mood_log_mood(const struct mood_log *log, uint64_t frame);
// A change of scene sets out from the shares that there are, also where another one was under way.
struct scene_shares mood_log_shares(const struct mood_log *log, uint64_t frame);
// The tuning that a mood of this log asks for.
const struct tuning *mood_log_tuning(const struct mood_log *log, const struct mood *mood);
// Where the programme began from silence last, at or before `frame`; 0: at its beginning.
uint64_t mood_log_woken(const struct mood_log *log, uint64_t frame);
// bpm x frames from frame 0 to `frame`.
uint64_t mood_log_beats(const struct mood_log *log, uint64_t frame);
// The first frame at which `beats` have gone by, as far as the log knows.
uint64_t mood_log_frame_of_beats(const struct mood_log *log, uint64_t beats);
