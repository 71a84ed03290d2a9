#include "stream/told.h"

#include "stream/listener.h"
#include "stream/steer.h"

// The place of a listener's loop for its station.
static struct told *told_find(const struct listener *listener, enum told_kind kind)
{
    size_t station = (size_t)(listener->station - listener->stream->config.stations);
    return &listener->loop->told[station * TOLD_KINDS + (size_t)kind];
}

// Takes over the reference. When the message does not fit the text stays empty.
static void told_write(struct told *told, uint64_t sequence, json_t *message)
{
    size_t flags = JSON_COMPACT | JSON_REAL_PRECISION(15);
    size_t len = message ? json_dumpb(message, told->text, sizeof told->text, flags) : 0;
    json_decref(message);
    told->sequence = sequence;
    told->len = len <= sizeof told->text ? len : 0;
}

void told_status(struct listener *listener, enum told_kind kind, json_t *(*write)(const struct mood_entry *entry))
{
    uint64_t latest = sequencer_steered(listener->station->sequencer);
    struct told *told = told_find(listener, kind);
    if (latest == listener->told_sequence)
        return;
    if (told->len == 0 || told->sequence != latest) {
        struct mood_entry entry = steer_latest(listener->station);
        told_write(told, latest, write(&entry));
    }
    if (told->len == 0)   // memory was short: another time
        return;
    listener->told_sequence = told->sequence;
    (void)listener_say(listener, told->text, told->len);
}
