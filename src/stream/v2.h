// Protocol v2 in two parts: what is sent when (v2.c), and what clients ask for (v2_answers.c).
#pragma once
#include "stream/listener.h"

// Programme time.
double v2_time_ms(const struct listener *listener, uint64_t now_ns);
// Of the listener's format.
uint32_t v2_delay_frames(const struct listener *listener);
uint32_t v2_bitrate(const struct listener *listener);
// Begins a run of chunks at the live playhead.
void v2_begin(struct listener *listener, uint64_t now_ns);

// As in struct protocol.
bool v2_message(struct listener *listener, const char *type, json_t *message, uint64_t now_ns);
void v2_refuse(struct listener *listener, const char *code, const char *text);
void v2_binary(struct listener *listener);
