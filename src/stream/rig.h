// For tests: a real server on loopback over a timeline that the test fills, on a clock that the test moves.
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/frames.h"
#include "control/control.h"
#include "net/server.h"
#include "os/thread.h"
#include "stream/stream.h"
#include "timeline/timeline.h"

enum { RIG_LEAD_FRAMES = 2 * FRAME_RATE, RIG_KEPT = 400, RIG_CHUNK_BYTES = 24000 };

#define RIG_NOW_NS (UINT64_C(1000) * NS_PER_SECOND)
#define RIG_UNIX_NS (INT64_C(1700000000) * 1000000000)
// The live playhead when a rig begins: 60 s and a bit, inside chunk 600.
#define RIG_LIVE_FRAME (UINT64_C(60) * FRAME_RATE + 1200)
#define RIG_LIVE_CHUNK (UINT64_C(60) * FRAME_RATE)

struct rig {
    struct clock clock;
    struct stream_station station;
    struct stream *stream;
    struct net_server *server;
    uint16_t port;
    // For tests: a change is kept once the gate is raised, NULL: at once; and what comes of it.
    _Atomic(struct wakeup *) gate;
    atomic_int at_gate;      // so many changes have come there
    enum status refusal;
};

// config: what the test wants otherwise; clock and stations are filled in here. speed: of the clock, 0 for virtual.
void rig_begin(struct rig *rig, const struct stream_config *config, double speed);
// Likewise, with another lead than RIG_LEAD_FRAMES.
void rig_begin_ahead(struct rig *rig, const struct stream_config *config, double speed, uint64_t lead_frames);
// With the defaults, a virtual clock, ten chunks of each format before the live one, and five seconds after it.
void rig_begin_usual(struct rig *rig);
void rig_end(struct rig *rig);
// The defaults: room for a hundred, no limits.
struct stream_config rig_config(void);
// Publishes chunks of all formats from `from` on.
void rig_publish(struct rig *rig, uint64_t from, int count);
// Publishes one chunk of one format.
void rig_publish_one(struct rig *rig, enum format format, uint64_t frame);
// What is published from now on, and expected, is of another generation: 0 when a rig begins.
void rig_set_generation(uint32_t generation);
// What a chunk of that frame says. Returns bytes written: a whole frame, or base64.
size_t rig_chunk(enum format format, uint64_t frame, uint8_t *out, uint16_t *packet_bytes);
// Opus packet number 0..4 of a chunk of a rung. Returns its bytes.
size_t rig_packet(enum format format, uint64_t frame, int packet, uint8_t *out);
void rig_event(struct rig *rig, enum event_record_kind kind, uint64_t at_frame, const char *text);
void rig_advance_ms(struct rig *rig, uint64_t ms);
// Waits until a condition holds, looking about every millisecond; fails the test after ten seconds.
void rig_wait(bool (*holds)(struct rig *rig), struct rig *rig);
// For rig_wait: nobody listens any more; somebody was closed for not reading (moves the clock until then).
bool rig_deserted(struct rig *rig);
bool rig_gave_one_up(struct rig *rig);

// One client.
struct guest {
    int fd;
    int status;             // of the HTTP answer
    char head[4096];        // the HTTP answer's head
    int opcode;             // of the last frame; -1: the connection has ended
    uint8_t *bytes;         // its payload, closed by a zero
    size_t len;
};

// headers: further header lines, each with its line end; NULL for none.   small: receives into as little as possible.
void guest_open(struct guest *guest, struct rig *rig, const char *target, const char *headers, bool small);
void guest_end(struct guest *guest);
// The next frame; pings are passed over. Returns its opcode, -1 at the end. Fails the test after ten seconds.
int guest_next(struct guest *guest);
// The next frame must be a text: its JSON, the caller's to free.
json_t *guest_json(struct guest *guest);
// The next text of that type, other frames passed over.
json_t *guest_await(struct guest *guest, const char *type);
// The next binary frame, texts passed over.
void guest_await_binary(struct guest *guest);
void guest_send(struct guest *guest, int opcode, const void *bytes, size_t len);
void guest_say(struct guest *guest, const char *text);
// Reads on to the close frame. Returns its code, 1006 when there is none.
int guest_close_code(struct guest *guest);
// The next binary frame is the chunk of that frame, byte for byte.
void guest_expect_chunk(struct guest *guest, enum format format, uint64_t frame);
// The next binary frame is a preroll of so many packets of a rung before that frame.
void guest_expect_preroll(struct guest *guest, enum format format, uint64_t frame, int packets);
// All audio that was to come by now has come: the answer to a ping is next, whatever texts are between.
void guest_expect_silence(struct guest *guest);
const char *json_text(const json_t *object, const char *name);
json_int_t json_whole(const json_t *object, const char *name);
double json_real_of(const json_t *object, const char *name);
