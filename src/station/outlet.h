// One format's way from a station's audio to its timeline: open while somebody listens, encoding in order, publishing
// from half a second before the live playhead on. The station's thread.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "encode/encode.h"
#include "score/mood_log.h"
#include "station/audio.h"
#include "station/snapshots.h"
#include "timeline/timeline.h"

enum { OUTLET_BEHIND_FRAMES = FRAME_RATE / 2 };   // kept readable behind the live playhead

struct outlet {
    const struct encoder *encoder;
    void *state;
    uint8_t *scratch;             // one encoded chunk
    uint64_t ahead_frames;        // how far ahead of the live playhead it publishes
    bool open;
    uint64_t next_frame;          // the chunk to encode next
    uint64_t publish_from;        // those before it only warm the encoder up
    uint64_t held_until;          // end of the last chunk fed since it was opened that stood in for music
    uint64_t read_at_ns;          // when it was last seen to have readers
    struct snapshots snapshots;   // of held_until and the encoder; none for one that has no state
};

// What the outlets of a station share.
struct outlet_source {
    const struct audio *audio;
    const struct mood_log *log;
    struct timeline *timeline;
};

// Errors: STATUS_MEMORY; as encoder.init. outlet_finish is harmless then too.
MUST_USE enum status outlet_init(struct outlet *outlet, const struct encoder *encoder, uint64_t ahead_frames);
void outlet_finish(struct outlet *outlet);
// The first frame of audio that an outlet must find when it is opened at this playhead.
uint64_t outlet_history_frame(uint64_t playhead);
// The first chunk that is published when an outlet is opened at this playhead.
uint64_t outlet_publish_frame(uint64_t playhead);
// The audio from a chunk on is about to be taken back: goes back as far as it has gone beyond, and publishes that part
// again. False when it did not have to go back.
bool outlet_rewind(struct outlet *outlet, const struct outlet_source *source, uint64_t chunk_frame);
// Opens it when there are readers, closes it and clears the timeline when there have been none for two seconds, begins
// anew when the audio it needs next is gone.   Errors: as encoder.init; it is then closed.
MUST_USE enum status outlet_follow(struct outlet *outlet, const struct outlet_source *source, uint64_t playhead,
                                   uint64_t now_ns);
// Nobody listens: it makes nothing more, and nothing of it is there any more.
void outlet_close(struct outlet *outlet, const struct outlet_source *source);
// It is open, and the audio for its next chunk is there and wanted.
bool outlet_ready(const struct outlet *outlet, const struct outlet_source *source, uint64_t playhead);
// Encodes the next chunk and publishes it.
//   published: out, false for a chunk that only warmed the encoder up, or went out before.
// Errors: as encoder.encode; STATUS_FULL when readers pin all chunks. That chunk is then missing.
MUST_USE enum status outlet_encode(struct outlet *outlet, const struct outlet_source *source, bool *published);
size_t outlet_bytes(const struct outlet *outlet);
