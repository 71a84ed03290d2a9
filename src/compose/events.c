#include "compose/events.h"

void events_add(struct events *events, const struct event *event)
{
    if (event->at_frame < events->from || event->at_frame >= events->to || events->count == events->cap)
        return;
    events->out[events->count++] = *event;
}

void events_add_note(struct events *events, uint64_t at_frame, const struct note *note)
{
    events_add(events, &(struct event){.at_frame = at_frame, .kind = EVENT_NOTE_ON, .note = *note});
}

static uint64_t event_id(const struct event *event)
{
    return event->kind == EVENT_NOTE_ON ? event->note.id : event->kind == EVENT_NOTE_OFF ? event->off.id : 0;
}

static bool event_before(const struct event *a, const struct event *b)
{
    if (a->at_frame != b->at_frame)
        return a->at_frame < b->at_frame;
    if (a->kind != b->kind)
        return a->kind < b->kind;
    return event_id(a) < event_id(b);
}

void events_sort(struct events *events)
{
    for (int i = 1; i < events->count; i++) {
        struct event event = events->out[i];
        int k = i;
        for (; k > 0 && event_before(&event, &events->out[k - 1]); k--)
            events->out[k] = events->out[k - 1];
        events->out[k] = event;
    }
}
