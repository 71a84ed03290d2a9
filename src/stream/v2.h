// Protocol v2 in five parts: what is sent when (v2.c), what is sent again since it is another now (v2_splice.c), what
// clients ask for (v2_answers.c), what of that is apart from what is on air (v2_ranges.c), and what is done about those
// to whom it does not arrive in time (v2_ladder.c).
#pragma once
#include "stream/listener.h"
#include "stream/steer.h"
#include "wire/delivery.h"

// What is said about a wish that cannot be met.
#define V2_FORMATS "format is opus or pcm"
#define V2_BITRATES "bitrate is 128000, 64000 or 32000"
#define V2_RESUME "next_frame and generation are whole numbers, and go together"

// Programme time.
double v2_time_ms(const struct listener *listener, uint64_t now_ns);
// Of the listener's format.
uint32_t v2_delivery_frames(const struct listener *listener);
// Of one of its station's formats.
uint32_t v2_delay_frames(const struct listener *listener, enum format format);
const char *v2_encoder_id(const struct listener *listener, enum format format);
// What a client may ask for: "opus" gives the ceiling, "pcm" PCM. False when it is neither.
bool v2_format_from_name(const char *name, enum format ceiling, enum format *format);
// Begins a run of chunks at the live playhead.
void v2_begin(struct listener *listener, uint64_t now_ns);

// Begins a run of chunks at a frame.
void v2_begin_at(struct listener *listener, uint64_t frame, uint64_t now_ns);
// Likewise, for one that goes on decoding: of what it has, all from there on is sent again, so many chunks at once;
// with a preroll if its format began later.
void v2_go_back(struct listener *listener, uint64_t frame, uint64_t at_once, uint64_t now_ns);
// Bytes that a chunk of a format takes on average.
uint32_t v2_usual_bytes(enum format format);

// What it was sent does not know of all changes.
bool v2_outdated(const struct listener *listener);
// The last change that what there is of a format knows of, or will when it is made.
uint32_t v2_known_generation(const struct listener *listener, enum format format);
// From where on what a client has is out of date that knows of a generation: from the first change on that it does not
// know, if what there is to be sent knows it. UINT64_MAX: it is not.
uint64_t v2_changed_frame(const struct listener *listener, uint32_t generation);
// Tells it so.   generation: of that change.
void v2_tell_supersede(struct listener *listener, uint64_t from_frame, uint32_t generation);
// Says which part of what it was sent is out of date, if any is, and goes back to send that again.
void v2_follow_changes(struct listener *listener, uint64_t now_ns);

// Says what comes from now on.   reason: "asked", "slow", "recovered".
void v2_tell_codec(struct listener *listener, const char *reason);
// The next chunk and all after it are in this format: says so, and for Opus sends a preroll before it.
void v2_change_format(struct listener *listener, enum format format, const char *reason, uint64_t now_ns);
// Changes to a format as soon as its chunks are there; until then the present one goes on.
void v2_aim(struct listener *listener, enum format format, const char *reason, uint64_t now_ns);
// Does what is to be done before the next chunk: a skip, a change of format. False while what it needs is not there.
bool v2_turn(struct listener *listener, uint64_t now_ns);
// A player reports where it is and what it holds. Believed while it is possible.
void v2_player_says(struct listener *listener, uint64_t playhead_frame, uint64_t lead_ns, uint64_t now_ns);

// An answer to a message with an id: adds it, if it is one that can be given back.
void v2_set_id(json_t *answer, json_t *id);
// Answers that nothing was done.
void v2_complain(struct listener *listener, json_t *id, const char *code, const char *text);
// Likewise to a message that is malformed. Returns false.
bool v2_malformed(struct listener *listener, const json_t *message, const char *text);
// The message's id in *id, NULL: it has none. False when it is none, which has been answered.
bool v2_read_id(struct listener *listener, json_t *message, json_t **id);
// What a message asks for by `format` and `bitrate`; without them what the listener has. False when there is no such
// thing, which has been answered.
bool v2_read_format(struct listener *listener, const json_t *message, enum format *format, enum format *ceiling);
// Tells what was wrong with a wish.
void v2_refuse_control(struct listener *listener, const struct steering *steering);

// Of a range; 0: nobody makes any.
int v2_most_range_frames(const struct listener *listener);
// Messages that ask for a range of the programme, for a preview, and that either end.
bool v2_on_range(struct listener *listener, json_t *message, uint64_t now_ns);
bool v2_on_preview(struct listener *listener, json_t *message, uint64_t now_ns);
bool v2_on_cancel(struct listener *listener, json_t *message, uint64_t now_ns);
// Sends the next part of a range, if there is one and nothing else is due. Returns when to be called again.
uint64_t v2_serve_range(struct listener *listener, uint64_t now_ns);
// How many of the last bytes that were given to the connection are of a range.
uint64_t v2_range_bytes(const struct listener *listener, uint64_t last_bytes);
// It has closed.
void v2_forget_range(struct listener *listener);

// As in struct protocol.
bool v2_message(struct listener *listener, const char *type, json_t *message, uint64_t now_ns);
void v2_answered(struct listener *listener, const struct steering *steering);
void v2_refuse(struct listener *listener, const char *code, const char *text);
void v2_binary(struct listener *listener);
void v2_look(struct listener *listener, uint64_t now_ns);
