#include "station/news.h"

#include <inttypes.h>

#include "base/check.h"
#include "base/text.h"

static void write_chord(struct text *text, const struct event *event)
{
    char name[CHORD_NAME_BYTES];
    text_add(text, "{\"type\":\"event\",\"event\":\"chord\",\"name\":");
    text_json(text, chord_name(event->chord.chord, event->chord.flats, name));
    text_printf(text, ",\"until_frame\":%" PRIu64, event->chord.until_frame);
}

static void write_section(struct text *text, const struct event *event)
{
    text_add(text, "{\"type\":\"event\",\"event\":\"section\",\"name\":");
    text_json(text, event->section.name);
    text_printf(text, ",\"index\":%" PRIu32 ",\"until_frame\":%" PRIu64, event->section.index,
                event->section.until_frame);
}

static void write_note(struct text *text, const struct event *event)
{
    const struct note *note = &event->note;
    text_add(text, "{\"type\":\"event\",\"event\":\"note\",\"layer\":");
    text_json(text, layer_name((enum layer)note->layer));
    text_printf(text, ",\"pitch\":%.3f,\"velocity\":%.3f,\"pan\":%.3f", (double)note->pitch, (double)note->velocity,
                (double)note->pan);
}

static const struct {
    bool told;
    enum event_record_kind kind;
    void (*write)(struct text *text, const struct event *event);
} kinds[] = {
    [EVENT_MIX] = {0},
    [EVENT_NOTE_OFF] = {0},
    [EVENT_NOTE_ON] = {true, EVENT_RECORD_NOTE, write_note},
    [EVENT_CHORD] = {true, EVENT_RECORD_CHORD, write_chord},
    [EVENT_SECTION] = {true, EVENT_RECORD_SECTION, write_section},
};

bool news_record(const struct event *event, uint32_t generation, struct event_record *record)
{
    if (!kinds[event->kind].told)
        return false;
    struct text text = text_on(record->text, sizeof record->text);
    kinds[event->kind].write(&text, event);
    text_printf(&text, ",\"at_frame\":%" PRIu64 ",\"generation\":%" PRIu32 "}", event->at_frame, generation);
    check(!text.full);
    record->at_frame = event->at_frame;
    record->generation = generation;
    record->kind = (uint8_t)kinds[event->kind].kind;
    record->text_len = (uint16_t)text.len;
    return true;
}
