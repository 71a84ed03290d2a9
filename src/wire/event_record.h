// What listeners are told about the music, as the network sees it: a JSON text of a known frame.
#pragma once
#include <stdint.h>

enum event_record_kind { EVENT_RECORD_CHORD, EVENT_RECORD_SECTION, EVENT_RECORD_NOTE, EVENT_RECORD_KINDS };

enum { EVENT_RECORD_TEXT_BYTES = 360 };

struct event_record {
    uint64_t number;          // given by the timeline, 1, 2, 3 ...
    uint64_t at_frame;
    uint32_t generation;
    uint8_t kind;             // enum event_record_kind
    uint16_t text_len;
    char text[EVENT_RECORD_TEXT_BYTES];  // a whole v2 `event` message
};
