// Protocol v2 in two parts: what is sent when (v2.c), and what clients ask for (v2_answers.c).
#pragma once
#include "stream/listener.h"

// What is said about a wish that cannot be met.
#define V2_FORMATS "format is opus or pcm"
#define V2_BITRATES "bitrate is 128000, 64000 or 32000"

// Programme time.
double v2_time_ms(const struct listener *listener, uint64_t now_ns);
// Of the listener's format.
uint32_t v2_delay_frames(const struct listener *listener);
const char *v2_encoder_id(const struct listener *listener);
// What a client may ask for: "opus" gives the ceiling, "pcm" PCM. False when it is neither.
bool v2_format_from_name(const char *name, enum format ceiling, enum format *format);
// Begins a run of chunks at the live playhead.
void v2_begin(struct listener *listener, uint64_t now_ns);

// The next chunk and all after it are in this format: says so, and for Opus sends a preroll before it.
void v2_change_format(struct listener *listener, enum format format);

// As in struct protocol.
bool v2_message(struct listener *listener, const char *type, json_t *message, uint64_t now_ns);
void v2_refuse(struct listener *listener, const char *code, const char *text);
void v2_binary(struct listener *listener);
